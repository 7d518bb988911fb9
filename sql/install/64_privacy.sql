-- privacy: counts that may be shown, and consent

CREATE FUNCTION safe_count(n bigint, min_members integer DEFAULT 10) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_safe_count' LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE COST 5;
COMMENT ON FUNCTION safe_count(bigint, integer) IS
	'Window function, OVER (PARTITION BY what shares a printed total): n, or NULL where it has to be hidden. Hidden are counts from 1 to min_members - 1 and, if that hides one row only, or rows that add up to less than min_members, the smallest count that is left as well, equal ones together: else the total would give them away (complementary suppression). 0 is shown, NULL stays NULL. No ORDER BY is needed. Errors: 22023 for a negative n, a min_members below 2 or one that varies inside a partition; 22004 for NULL as min_members; 54000 for more than 2147483647 rows.';

CREATE FUNCTION has_consent(tags tagbloom, channel text) RETURNS boolean
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 2
	RETURN coalesce(is_exact(tags) AND has_tag(tags, 'consent:' || channel) AND NOT has_tag(tags, 'optout:' || channel), false);
COMMENT ON FUNCTION has_consent(tagbloom, text) IS
	'True if a member may be written to on a channel: the set is exact, has the tag consent:channel and does not have optout:channel. It fails closed: false for a set that is a filter, whose yes may be a mistake, and for NULL. Errors: 22023 for a channel of more than 1016 bytes.';
