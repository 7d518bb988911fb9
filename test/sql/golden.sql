-- Values that a release has written are read by every later one, with the same
-- meaning and the same bytes. Never change a line here; add some per release.
-- The bytes were put together by hand from docs/storage-format.md, not by custmart.
SET timezone = 'UTC';
SET datestyle = 'ISO';
\t on

-- 1.0.0: rfm
SELECT frequency(x), refunds(x), monetary(x), first_order(x), last_order(x), x::text = literal AS same_text, encode(rfm_send(x), 'hex') = bytes AS same_bytes
FROM (VALUES
	('v1 frequency=2 refunds=1 monetary=25.25 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-11T00:00:00+00:00',
	 '010100000000000200000001000000000009dd020002ea470ae860000002eb1035522000'),
	('v1 frequency=0 refunds=3 monetary=-0.001', '010100000000000000000003ffffffffffffff0300000000000000000000000000000000'),
	('v1 frequency=1 refunds=0 monetary=100000000000000000000.5 first_order=4713-01-01T00:00:00+00:00 BC last_order=4713-01-01T00:00:00+00:00 BC',
	 '01010000000000010000000000000000000000fffd0f7fbdaf17e000fd0f7fbdaf17e0000100000000000000000000000000000000000000000000003635c9adc5dea00005')
	) v(literal, bytes), LATERAL (SELECT literal::rfm AS x) s;

-- 1.0.0: rfm_cuts
SELECT bin, last_order, frequency, monetary, x::text = literal AS same_text, encode(rfm_cuts_send(x), 'hex') = bytes AS same_bytes
FROM (VALUES ('v1 bins=3 members=7 last_order={2026-01-01T00:00:00+00:00,2026-01-11T00:00:00.5+00:00} frequency={1,2.5} monetary={-3.25,1e+100}',
	 '0201030000000000000000070002ea470ae860000002eb103559c1203ff00000000000004004000000000000c00a00000000000054b249ad2594c37d')) v(literal, bytes), LATERAL (SELECT literal::rfm_cuts AS x) s, rfm_limits(x);

-- 1.0.0: rfm_book of orders and of order lines; bigint, text and uuid members
SELECT m.member, m.frequency, m.monetary, m.first_order, m.last_order, rows_skipped(x) AS skipped, x::text = literal AS same_text
FROM (VALUES ('rfm_book:AwEBAAAAAAMAAAAAAAAABAAAAAAAAAAH//////////8AAAAAAAAACQAAAAIAAAAAAAAAAAAAlgIAAupHCuhgAAAC6lsov8AAAAAAAAAAAAH////////7AAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAD/AALqRwroYAAAAupHCuhgAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFa8deLWMQAAAAAAAA')) v(literal), LATERAL (SELECT literal::rfm_book AS x) s, rfm_members(x) m;
SELECT m.member, m.frequency, m.monetary, m.first_order, m.last_order, member_count(x + x) AS members, x::text = literal AS same_text
FROM (VALUES ('rfm_book:AwEDAwAAAAEAAAAAAAAAAAAAAALDqQAAAAIAAAABAAAAAAAEGgIAAupHCuhgAAAC6lsov8AAAAAAAAAAAAIAAAAAAQAAAAFBAAAAAAMAAAABQg==')) v(literal), LATERAL (SELECT literal::rfm_book AS x) s, rfm_members(NULL::text, x) m;
SELECT m.member, m.frequency, m.monetary, m.first_order, m.last_order, x::text = literal AS same_text
FROM (VALUES ('rfm_book:AwECAQAAAAEAAAAAAAAAAAABAgMEBQYHCAkKCwwNDg8AAAABAAAAAAAAAAAAAAMAAALqRwroYAAAAupHCuhgAAAAAAAAAAABAAAAAAH/////////1g==')) v(literal), LATERAL (SELECT literal::rfm_book AS x) s, rfm_members(NULL::uuid, x) m;

-- 1.0.0: tagbloom: none, one and four tags; filters of 33 tags, raised, halved, in a union with a larger one.
-- The bytes are those of a Python program that builds the filters of the Parquet format with the package xxhash.
CREATE FUNCTION pg_temp.numbered(prefix text, n int) RETURNS tagbloom LANGUAGE sql AS $$ SELECT tags(VARIADIC array_agg(prefix || i)) FROM generate_series(1, n) i $$;
SELECT x::text = literal AS same_text, tagbloom_send(x) = decode(substr(literal, 10), 'base64') AS same_bytes, x = made AS made_today, is_exact(x),
	cardinality(tag_list(x, (SELECT array_agg(prefix || i) || '{vip,ios,new friend,Stammkundin Zürich}' FROM generate_series(1, 63) i, unnest(ARRAY['tag ', 'Tag ']) prefix))) AS tags
FROM (VALUES
	(tagbloom '{}', 'tagbloom:BAEAAA=='),
	('{vip}', 'tagbloom:BAEAAXVGd2imqM7I'),
	('{vip,ios,new friend,Stammkundin Zürich}', 'tagbloom:BAEABFYEuc/FQyNzdUZ3aKaozsieX6DkZzwQfOVIED31hFjs'),
	(pg_temp.numbered('tag ', 33), 'tagbloom:BAECggSBAFhBQIAMLBgBCAIAKKoAlhEAAnIDAAQAQSRFIAQQgqQAUBAASSUAIAkxEREZABAU4BAACCVYAXEAAAAIDQgCOGhQgIAivMEIAWRGAQCss0ABQBMyQQAMA0ItgWABFCgGVAoEAI4KUBIwhAhBlAqIEEcAQoQgkeiEREARsNEA'),
	(pg_temp.numbered('tag ', 33)::tagbloom(100), 'tagbloom:BAEDggSBAFhBQIAMLBgBCAIAKKoAlhEAAnIDAAQAQSRFIAQQBIEAWEFAgAwsGAEIAgAoqgCWEQACcgMABABBJEUgBBCCpABQEABJJQAgCTERERkAEBTgEAAIJVgBcQAAAAgNCIKkAFAQAEklACAJMRERGQAQFOAQAAglWAFxAAAACA0IAjhoUICAIrzBCAFkRgEArLNAAUATMkEADANCLYFgARQCOGhQgIAivMEIAWRGAQCss0ABQBMyQQAMA0ItgWABFCgGVAoEAI4KUBIwhAhBlAqIEEcAQoQgkeiEREARsNEAKAZUCgQAjgpQEjCECEGUCogQRwBChCCR6IREQBGw0QA='),
	(pg_temp.numbered('tag ', 33)::tagbloom(1), 'tagbloom:BAEAgK6/fFrVwO+//To5/V9Rva671vdQU/5n2e33R23V+N0c'),
	(pg_temp.numbered('tag ', 33) | pg_temp.numbered('Tag ', 63), 'tagbloom:BAEDghSBDFhBwaYMPBoVCIMAKKqAvpMATnKDAI0QQSZFLAQwBIEDf0FYxAxsGAPIkkhoqoC2kYUCdweABBhBZn0ghZCCpQJQEQDJZQAgyTMRERsMkhzgEAKpJVgBcQCIAAjNGKL8IlAUSEslEDF5szE5XQAQ1PgxVgw1eod1FkAGOE+qGjlo1tqLMvzfSg/l1ylgrrvBQUJzt00kDIdi7algZ7QGOnhUgoAq/uEIQ2VXEQSst1ERYBcywQhMB0It4XABlCpGVgs0gY+reDaylBhxlI/oMW8Kb+Qh0eqkTeM9svVQOwZcCkUsjwpRUjLkjEnWCs4QR0BSnmCZ6IREahG03RA=')
	) v(made, literal), LATERAL (SELECT literal::tagbloom AS x) s;

-- 1.0.0: tagquery
SELECT x::text = literal AS same_text, encode(tagquery_send(x), 'hex') = bytes AS same_bytes, tagquery_tree(x) AS tree
FROM (VALUES
	('vip', '0501000000000001010003766970'),
	('vip & (ios | android) & !lapsed', '050100000000000703000000030100037669700400000002010003696f73010007616e64726f6964020100066c6170736564'),
	('!("new friend" & Zürich | "a\"b\\c")', '0501000000000006020400000002030000000201000a6e657720667269656e640100075ac3bc726963680100056122625c63')
	) v(literal, bytes), LATERAL (SELECT literal::tagquery AS x) s;
