-- 500 tags: the first on half of the members, the last on 1 %, 13 on a member on
-- average.  Of each stretch of members, whose length follows from the tag's share,
-- the dice choose one to get the tag, so tags are independent of each other.
CREATE UNLOGGED TABLE member_tag (
	customer_id bigint,
	tag text
);
INSERT INTO member_tag
SELECT first + trunc((next - first) * dice(i, 100 + nr))::bigint, tag
FROM (
	SELECT nr, tag, i, 1 + (i - 1) * :members::bigint / members AS first, 1 + i * :members::bigint / members AS next
	FROM (
		SELECT nr, (ARRAY['segment:', 'category:', 'campaign:', 'interest:', 'channel:'])[1 + nr % 5] || to_char(nr, 'FM0000') AS tag,
			round(:members * (0.01 + 0.49 * nr ^ -0.74))::bigint AS members
		FROM generate_series(1, 500) nr
		OFFSET 0
	) tags,
	LATERAL generate_series(1, members) i
	OFFSET 0
) stretches;

-- The same three times: as arrays, as sets, and as arrays with short tags.
CREATE UNLOGGED TABLE tag_arrays (customer_id bigint, tags text[]);
CREATE UNLOGGED TABLE short_tag_arrays (LIKE tag_arrays);
CREATE UNLOGGED TABLE tag_sets (customer_id bigint, tags tagbloom);
INSERT INTO tag_arrays SELECT customer_id, array_agg(tag ORDER BY tag) FROM member_tag GROUP BY customer_id;
INSERT INTO short_tag_arrays SELECT customer_id, ARRAY(SELECT right(tag, 8) FROM unnest(tags) tag ORDER BY 1) FROM tag_arrays;
INSERT INTO tag_sets SELECT customer_id, tags(VARIADIC tags) FROM tag_arrays;
