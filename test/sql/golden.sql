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
