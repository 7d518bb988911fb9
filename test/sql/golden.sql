-- Values that a release has written are read by every later one, with the same
-- meaning and the same bytes. Never change a line here; add some per release.
-- The bytes were put together by hand from docs/storage-format.md, not by custmart.
SET timezone = 'UTC';
SET datestyle = 'ISO';
\t on

-- 1.0.0: rfm_summary
SELECT frequency(x), refunds(x), monetary(x), first_order(x), last_order(x), x::text = literal AS same_text, encode(rfm_summary_send(x), 'hex') = bytes AS same_bytes
FROM (VALUES
	('v1 frequency=2 refunds=1 monetary=25.25 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-11T00:00:00+00:00',
	 '010100000000000200000001000000000009dd020002ea470ae860000002eb1035522000'),
	('v1 frequency=0 refunds=3 monetary=-0.001', '010100000000000000000003ffffffffffffff0300000000000000000000000000000000'),
	('v1 frequency=1 refunds=0 monetary=100000000000000000000.5 first_order=4713-01-01T00:00:00+00:00 BC last_order=4713-01-01T00:00:00+00:00 BC',
	 '01010000000000010000000000000000000000fffd0f7fbdaf17e000fd0f7fbdaf17e0000100000000000000000000000000000000000000000000003635c9adc5dea00005')
	) v(literal, bytes), LATERAL (SELECT literal::rfm_summary AS x) s;

-- 1.0.0: rfm_cuts
SELECT bin, last_order, frequency, monetary, x::text = literal AS same_text, encode(rfm_cuts_send(x), 'hex') = bytes AS same_bytes
FROM (VALUES ('v1 bins=3 members=7 last_order={2026-01-01T00:00:00+00:00,2026-01-11T00:00:00.5+00:00} frequency={1,2.5} monetary={-3.25,1e+100}',
	 '0201030000000000000000070002ea470ae860000002eb103559c1203ff00000000000004004000000000000c00a00000000000054b249ad2594c37d')) v(literal, bytes), LATERAL (SELECT literal::rfm_cuts AS x) s, rfm_limits(x);
-- Of money per order.
SELECT bin, last_order, frequency, monetary, x::text = literal AS same_text, encode(rfm_cuts_send(x), 'hex') = bytes AS same_bytes
FROM (VALUES ('v1 bins=2 members=0 last_order={2026-01-11T00:00:00.5+00:00} frequency={2.5} monetary_per_order={-3.25}',
	 '0201020100000000000000000002eb103559c1204004000000000000c00a000000000000')) v(literal, bytes), LATERAL (SELECT literal::rfm_cuts AS x) s, rfm_limits(x);

-- 1.0.0: rfm_book of orders and of order lines; bigint, uuid and text members; wide sums; nothing but skipped rows.
-- The bytes of these, of pricebook_summary and of price_slope_summary are those of test/oracle/stored_books.py, which knows
-- docs/storage-format.md and nothing of custmart; it has the same rows.
SELECT m.*, rows_skipped(x), x::text = literal AS same_text, rfm_book_send(x) = decode(substr(literal, 10), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT rfm_book(m, t, a) FROM (VALUES (7::bigint, timestamptz '2026-01-02', 1.00), (9, '2026-01-01', 100000000000000000000), (7, '2026-01-01', 0.5), (-1, '2026-01-03', -5), (-20, '2026-01-04', -100000000000000000000.5),
		(NULL, '2026-01-01', 1), (8, NULL, 1), (7, '2026-01-05', NULL), (NULL, NULL, NULL)) v(m, t, a)), 'rfm_book:AwEBAAAAAAQAAAAAAAAABAH/////////7AATGx0AAuqDZG6AAAEAAAAAAAAAAAAAAgEBAAAAAAAAAAABAQAAAf/////////7BQCbBgEAAAAAAAAAAP8AAv8AAALqRwroYAAFAAAAAAAAAAAAAAAAAAAAAAAAFB3XYAAAAAAAAAAAAAIB///////////////////////////////JyjZSOiFf//sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFa8deLWMQAAA='),
	((SELECT rfm_book(m, id, t, a) FROM (VALUES (7::bigint, uuid 'ff000000-0000-0000-0000-000000000000', timestamptz '2026-01-02', 5::numeric), (7, '00010203-0405-0607-0809-0a0b0c0d0e0f', '2026-01-03', -2), (7, '00010203-0405-0607-0809-0a0b0c0d0e0f', '2026-01-01', 2), (-1, 'ff000000-0000-0000-0000-000000000000', '2026-01-04', 100000000000000000000)) v(m, id, t, a)), 'rfm_book:AwEBAgAAAAIAAAAAAAAAAAH//////////wAIAALqg2RugAABAAAAAAAAAAEAAQEAAAAAAAAAAAABAQAAAAAAAAAAAAUBAAAAAAAAAAD/AAUAAupHCuhgADxZhiAAAAAAAAAFAAAAAAAAAAAAAAAAABQd12AAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVrx14tYxAAAAEB/wAAAAAAAAAAAAAAAAAAAAIDAAECAwQFBgcICQoLDA0ODwH/AAAAAAAAAAAAAAAAAAAA'),
	((SELECT rfm_book(NULL::bigint, '2026-01-01', 1) FROM generate_series(1, 3)), 'rfm_book:AwEBAAAAAAAAAAAAAAAAAwAAAAAAAAAAAAAAAA==')
	) v(made, literal), LATERAL (SELECT literal::rfm_book AS x) s LEFT JOIN LATERAL (SELECT m.member, m.frequency, m.monetary, m.first_order, m.last_order FROM rfm_members(x) m) m ON true;
SELECT m.member, m.frequency, m.monetary, m.first_order, m.last_order, x::text = literal AS same_text, rfm_book_send(x) = decode(substr(literal, 10), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT rfm_book(m, t, a) FROM (VALUES (uuid 'ff000000-0000-0000-0000-000000000000', timestamptz '1999-12-31 23:59:59.999999', 0), ('00010203-0405-0607-0809-0a0b0c0d0e0f', '2026-01-01', 3)) v(m, t, a)), 'rfm_book:AwECAAAAAAIAAAAAAAAAAAABAgMEBQYHCAkKCwwNDg//AAAAAAAAAAAAAAAAAAAAAALqRwroYAAAAAAAAAAAAAEAAAAAAAAAAAABAAAAAAAAAAADAAAAAAAAAAAAAAf//////////wLqRwroYAEAAAAAAAAAAAAAAAAAAAAAAAAAAA=='),
	((SELECT rfm_book(m, id, t, a) FROM (VALUES (uuid 'ff000000-0000-0000-0000-000000000000', 7::bigint, timestamptz '2026-01-02', -1), ('00010203-0405-0607-0809-0a0b0c0d0e0f', -42, '2026-01-01', 3), ('ff000000-0000-0000-0000-000000000000', -42, '2026-01-01', 1),
		('ff000000-0000-0000-0000-000000000000', 7, '2026-01-02', -1)) v(m, id, t, a)), 'rfm_book:AwECAQAAAAIAAAAAAAAAAAABAgMEBQYHCAkKCwwNDg//AAAAAAAAAAAAAAAAAAAAAALqWyi/wAAAAAAAAAAAAAEBAAAAAAAAAAAAAQH//////////wQAAAAAAAAAAAAAAAAC6kcK6GAAAAAAAAAAAAAAAAAAAAEB/////////9YCAf/////////WAgAAAAAAAAAH')
	) v(made, literal), LATERAL (SELECT literal::rfm_book AS x) s, rfm_members(NULL::uuid, x) m;
SELECT m.member, m.frequency, m.monetary, m.first_order, m.last_order, rows_skipped(x), n.frequency AS twice, x::text = literal AS same_text, rfm_book_send(x) = decode(substr(literal, 10), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT rfm_book(m, id, t, a) FROM (VALUES ('é'::text, 'B', timestamptz '2026-01-02', 5), ('é', 'B', '2026-01-03', -2.50), ('e', repeat('x', 130), '2026-01-01', 0.001), ('é', 'A', '2026-01-01', 8), ('', 'AB', '2026-01-04', -1),
		('', '', '2026-01-01', 100000000000000000000), ('', 'A', '2026-01-02', 1), ('', 'A', '2026-01-03', 1), ('e', NULL, '2026-01-01', 1)) v(m, id, t, a)), 'rfm_book:AwEDAwAAAAMAAAAAAAAAAQAAAAAAAAABAAAAAmXDqQAC6oNkboAAAQAAAAAAAAABAQABAQAAAAAAAAAAAQABAgAAAAAAAAAAAAAAAQQaAQAAAAAAAAAC/QEAAAAC6kcK6GAABQAAAAAAAAAAKDuuwAAAAAAAABQd12AAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVrx14tYxAAAQMBAAEBQQICQUIBAYIBeHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eAIBAUEDAUI=')
	) v(made, literal), LATERAL (SELECT literal::rfm_book AS x) s, rfm_members(NULL::text, x) m JOIN rfm_members(NULL::text, x + x) n USING (member);

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

-- 1.0.0: pricebook_summary of prices and of prices with periods and quantities; bigint and text items; wide prices and quantities; nothing but skipped rows.
CREATE FUNCTION pg_temp.prices() RETURNS TABLE (item bigint, grp text, price numeric) LANGUAGE sql AS $$
	VALUES (12::bigint, 'old', 0.01), (-7, 'new', 10.00), (-7, 'new', 10), (12, 'old', 0.01), (NULL, 'old', 1), (-7, 'old', 9.5), (-7, 'new', 10.0), (-7, 'old', 0), (3, 'new', -1)
$$;
CREATE FUNCTION pg_temp.sales() RETURNS TABLE (item text, period date, grp text, price numeric, quantity numeric) LANGUAGE sql AS $$
	VALUES ('tea', date '2026-01-05', 'new', 12.3333333333333333333, 0.5), ('tea', '2026-01-05', '', 2.50, 1), ('Käse', '2026-01-12', '', 0.99, 2), ('tea', '1999-12-31', 'new', 3, 36028797018963968), ('tea', '2026-01-05', '', 2.5, 1.5),
		(NULL, '2026-01-05', '', 1, 1), ('tea', '2026-01-05', '', NULL, 1), ('tea', '2026-01-05', '', -1, 0), ('tea', '2026-01-05', 'x', 1, 0), ('milk', '2026-01-05', '', 1, -2), ('tea', '2026-01-05', '', 1, -0.5)
$$;
SELECT cell_count(x), rows_skipped(x), rows_skipped(x, 'null') AS "null", rows_skipped(x, 'price') AS price, rows_skipped(x, 'quantity') AS quantity, x::text = literal AS same_text, pricebook_summary_send(x) = decode(substr(literal, 19), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT pricebook(item, grp, price) FROM pg_temp.prices()), 'pricebook_summary:BwEBAAAAAAIAAAAAAAAAAwH/////////+QATAgAAAAAAAAACAAAAAAAAAAAAAAACAAAAAwAAAANuZXdvbGQAAAACAAAAAQAAAAAAAAAAAAAKAAAAAAMAAAABAAAAAAAAXwEAAAABAAAAAQAAAAAAAAECAAAAAgAAAAA='),
	((SELECT pricebook(item, period, grp, price, quantity) FROM pg_temp.sales()), 'pricebook_summary:BwEDAQAAAAIAAAAAAAAABgAAAAUAAAADS8Okc2V0ZWETAAAAAAAAAAEAAAAAAAAAAwAAAAIAAAAAAAAAA25ldwAAAAEAAAADAAAlJAAAAAAAAAAAAABjAgAAAAEAAAAAAAACAP////8AAAABAAAAAAAAAwAAAAABAAAAAAAAAP8AACUdAAAAAAAAAAAAABkBAAAAAgAAAAAAABkBAAAlHQAAAAEAAAAAAAAB/wAAAAEAAAAAAAAFAQAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGr5gFN/otVVU='),
	((SELECT pricebook('tea'::text, '2026-01-05', '', 1, 0) FROM generate_series(1, 5)), 'pricebook_summary:BwEDAQAAAAAAAAAAAAAABQAAAAAAAAAAAAAAAAAAAAAFAAAAAAAAAAA=')
	) v(made, literal), LATERAL (SELECT literal::pricebook_summary AS x) s;
SELECT f.* FROM unnest('{new,old}'::text[]) grp, fair_prices(NULL::bigint, 'pricebook_summary:BwEBAAAAAAIAAAAAAAAAAwH/////////+QATAgAAAAAAAAACAAAAAAAAAAAAAAACAAAAAwAAAANuZXdvbGQAAAACAAAAAQAAAAAAAAAAAAAKAAAAAAMAAAABAAAAAAAAXwEAAAABAAAAAQAAAAAAAAECAAAAAgAAAAA=', grp) f;
SELECT f.* FROM unnest('{new,""}'::text[]) grp, fair_prices(NULL::text, 'pricebook_summary:BwEDAQAAAAIAAAAAAAAABgAAAAUAAAADS8Okc2V0ZWETAAAAAAAAAAEAAAAAAAAAAwAAAAIAAAAAAAAAA25ldwAAAAEAAAADAAAlJAAAAAAAAAAAAABjAgAAAAEAAAAAAAACAP////8AAAABAAAAAAAAAwAAAAABAAAAAAAAAP8AACUdAAAAAAAAAAAAABkBAAAAAgAAAAAAABkBAAAlHQAAAAEAAAAAAAAB/wAAAAEAAAAAAAAFAQAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGr5gFN/otVVU=', grp) f;

-- 1.0.0: pricebook_summary with members, which are bigint, text and uuid
SELECT cell_count(x), rows_skipped(x), rows_skipped(x, 'null') AS "null", x::text = literal AS same_text, pricebook_summary_send(x) = decode(substr(literal, 19), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT pricebook(item, grp, price, member) FROM (VALUES (12::bigint, 'old', 0.01, 1::bigint), (-7, 'new', 10.00, 2), (-7, 'new', 10, 2), (12, 'old', 0.01, 33), (NULL, 'old', 1, 1), (-7, 'old', 9.5, -1), (-7, 'new', 11, 2), (-7, 'old', 0, 1), (-7, 'old', 1, NULL)) v(item, grp, price, member)),
	 'pricebook_summary:BwEBAgAAAAIAAAAAAAAAAwH/////////+QATAgAAAAAAAAABAAAAAAAAAAAAAAACAAAAAwAAAANuZXdvbGQAAAADAAAAAQAAAAAAAAAAAAAKAAAAAAIAAAAAAAAAAAAACwAAAAABAAAAAQAAAAAAAF8BAAAAAQAAAAEAAAAAAAABAgAAAAIAAAAAAAAAAgAAAAIAAAAAAAAAAAMAAAAAAHAMjl3TwvAAAAABCQAAAAEAAAAAACQFSoyMSWIAAAABAAAAAAH//////7ZROREqq6wAAAABGgAAAAH//////7ZROREqq6w='),
	((SELECT pricebook(item, period, grp, price, quantity, member) FROM (VALUES ('tea', date '2026-01-05', 'new', 12.3333333333333333333, 0.5, 'm1'), ('tea', '2026-01-05', '', 2.50, 1, ''), ('Käse', '2026-01-12', '', 0.99, 2, 'a member whose name is longer than 32 bytes'), ('tea', '1999-12-31', 'new', 3, 1, 'Zoë'),
		('tea', '2026-01-05', '', 2.5, 1.5, 'm2'), ('tea', '2026-01-05', '', 1, 1, NULL), ('tea', '2026-01-05', '', 1, 0, 'm1')) v(item, period, grp, price, quantity, member)),
	 'pricebook_summary:BwEDAwAAAAIAAAAAAAAAAgAAAAUAAAADS8Okc2V0ZWETAAAAAAAAAAAAAAAAAAAAAQAAAAIAAAAAAAAAA25ldwAAAAEAAAADAAAlJAAAAAAAAAAAAABjAgAAAAEAAAAAAAACAP////8AAAABAAAAAAAAAwAAAAABAAAAAAAAAQAAACUdAAAAAAAAAAAAABkBAAAAAgAAAAAAABkBAAAlHQAAAAEAAAAAAAAA/wAAAAEAAAAAAAAFAQAAAAETAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGr5gFN/otVVUAAAABAAAABAAAJSQAAAAAFwAAAAH////////W1XWDIFf/////AAAAAREAAAABAAAAAAARk+p6rQMLAAAlHQAAAAABAAAAAQAAAAAADqkgeHBwPAAAJR0AAAAAGQAAAAEAAAAAAA6pIHhwcDwAACUdAAAAARwAAAABAAAAAAAoMmdhyIxw'),
	((SELECT pricebook('tea'::text, '2026-01-05', '', price, 1, member) FROM (VALUES (4, uuid '00010203-0405-0607-0809-0a0b0c0d0e0f'), (2, 'ff000000-0000-0000-0000-000000000000'), (1, 'ff000000-0000-0000-0000-000000000000')) v(price, member)),
	 'pricebook_summary:BwEDAwAAAAEAAAAAAAAAAAAAAAN0ZWEAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAwAAJR0AAAAAAAAAAAAAAQAAAAABAAAAAAAAAQAAACUdAAAAAAAAAAAAAAIAAAAAAQAAAAAAAAEAAAAlHQAAAAAAAAAAAAAEAAAAAAEAAAAAAAABAAAAAAAAAAABAAAlHQAAAAAXAAAAAwAAAAAAIUVkfndW5w==')
	) v(made, literal), LATERAL (SELECT literal::pricebook_summary AS x) s;

-- 1.0.0: price_slope_summary of text and bigint items, and without periods; the slopes are -5/43 ln(2), ln(2) and ln(2)
SELECT s.items, s.cells, s.rows, round(s.slope::numeric, 12) AS slope, rows_skipped(x), x::text = literal AS same_text, price_slope_summary_send(x) = decode(substr(literal, 21), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT price_slope(item, period, x, price) FROM (VALUES ('tea', date '2026-01-05', 0::float8, 1), ('Käse', '2026-01-12', -0.25, 2), ('tea', '2026-01-05', -3, 2), ('tea', '1999-12-31', 1048576, 1), ('tea', '2026-01-05', 0.5, 2),
		('tea', '2026-01-05', 0, 0), ('tea', '2026-01-05', 0, -1), (NULL, '2026-01-05', 0, 1), ('tea', '2026-01-05', 0, NULL)) v(item, period, x, price)), 'price_slope_summary:CAEDAAAAAAIAAAAAAAAABAAAAAUAAAADS8Okc2V0ZWEAAAADAAAAAQAAAAIAACUkAAAAAAAAAAH//////////////8AAAAAAAAAAAAAAAAAACxchf30c+AAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAP////////////////06N6AguMIAAAAAAP////8AAAAAAAAAAQAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAlHQAAAAAAAAAD//////////////2AAAAAAAAAAAAAAAAAABYuQv76OfAAAAAAAAAAAAAAAAAACUAAAAAAAAAAAAD////////////////kRixBRzeUAAAAAAA='),
	((SELECT price_slope(42::bigint, '2000-01-01', x, (2 ^ x)::numeric) FROM generate_series(1, 2) x), 'price_slope_summary:CAEBAAAAAAEAAAAAAAAAAAAAAAAAAAAAKgAAAAEAAAABAAAAAAAAAAAAAAACAAAAAAAAAAAAAAMAAAAAAAAAAAAAAAAAACFFZH53VucAAAAAAAAAAAAAAAAABQAAAAAAAAAAAAAAAAAAAAAAAAAAAAA3c6d9cZDWAAAAAAA='),
	((SELECT price_slope(item, x, price) FROM (VALUES ('tea', 1, 2), ('tea', 2, 4), (NULL, 1, 2), ('tea', 3, -8)) v(item, x, price)), 'price_slope_summary:CAEDAQAAAAEAAAAAAAAAAgAAAAN0ZWEAAAABAAAAAQAAAAAAAAAAAAAAAgAAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAhRWR+d1bnAAAAAAAAAAAAAAAAAAUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAN3OnfXGQ1gAAAAAA')
	) v(made, literal), LATERAL (SELECT literal::price_slope_summary AS x) l, price_slopes(x) s;

-- 1.0.0: price_slope_summary with members, which are bigint, text and uuid; the slopes are -5/43 ln(2), -11/14 ln(2) and ln(2)
SELECT s.items, s.cells, s.rows, round(s.slope::numeric, 12) AS slope, rows_skipped(x), x::text = literal AS same_text, price_slope_summary_send(x) = decode(substr(literal, 21), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT price_slope(item, period, x, price, member) FROM (VALUES ('tea', date '2026-01-05', 0::float8, 1, 1::bigint), ('Käse', '2026-01-12', -0.25, 2, 2), ('tea', '2026-01-05', -3, 2, 33), ('tea', '1999-12-31', 1048576, 1, 1), ('tea', '2026-01-05', 0.5, 2, 1),
		('tea', '2026-01-05', 0, 1, NULL)) v(item, period, x, price, member)),
	 'price_slope_summary:CAEDAgAAAAIAAAAAAAAAAQAAAAUAAAADS8Okc2V0ZWEAAAAEAAAAAQAAAAMAACUkAAAAAAAAAAAB///////////////AAAAAAAAAAAAAAAAAAAsXIX99HPgAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAD////////////////9OjegILjCAAAAAAD/////GgAAAAAAAAABAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACUdAAAAAAAAAAAB//////////////0AAAAAAAAAAAAAAAAAAAsXIX99HPgAAAAAAAAAAAAAAAAACQAAAAAAAAAAAAD////////////////eupuBiKkYAAAAAAAAACUdGgAAAAAAAAACAAAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAsXIX99HPgAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFi5C/vo58AAAAAAA='),
	((SELECT price_slope(42::bigint, x::float8, price, member) FROM (VALUES (1, 2, 'm1'), (2, 4, 'm2'), (2.5, 0, 'm2'), (4, 0.5, 'm1')) v(x, price, member)),
	 'price_slope_summary:CAEBAwAAAAEAAAAAAAAAAQAAAAAAAAAAKgAAAAIAAAACAAAAAAEAAAAAAAAAAQAAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAWLkL++jnvAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAALFyF/fRz3gAAAAAAAAAAABwAAAAAAAAAAgAAAAAAAAAAAAAFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABEAAAAAAAAAAAAA////////////////3rqbgYipGAAAAAAA'),
	((SELECT price_slope(42::bigint, x::float8, price, member) FROM (VALUES (1, 2, uuid '00010203-0405-0607-0809-0a0b0c0d0e0f'), (2, 4, 'ff000000-0000-0000-0000-000000000000')) v(x, price, member)),
	 'price_slope_summary:CAEBAwAAAAEAAAAAAAAAAAAAAAAAAAAAKgAAAAEAAAABAAAAABcAAAAAAAAAAgAAAAAAAAAAAAADAAAAAAAAAAAAAAAAAAAhRWR+d1bnAAAAAAAAAAAAAAAAAAUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAN3OnfXGQ1gAAAAAA')
	) v(made, literal), LATERAL (SELECT literal::price_slope_summary AS x) l, price_slopes(x) s;

-- 1.0.0: activity_summary, retention_book of periods, amounts and times, funnel_summary, funnel_book, interaction_book; a book of skipped rows.
-- The bytes are those of a Python program that knows docs/storage-format.md and nothing of custmart.
SELECT period_list(x), x::text = literal AS same_text, activity_summary_send(x) = decode(substr(literal, 18), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT activity(t, 'month', 'europe/berlin') FROM unnest('{2025-12-31 23:00+00,2025-12-31 22:59:59+00,1999-11-15 12:00+00}'::timestamptz[]) t), 'activity_summary:CQEADgNFdXJvcGUvQmVybGluAwO5AgE='),
	((SELECT activity(t, 'week', 'UTC') FROM unnest('{2002-07-01 00:00+00,2000-01-02 12:00+00,2000-01-03 00:00+00,2000-01-09 23:59:59+00}'::timestamptz[]) t), 'activity_summary:CQEABAJVVEMDAQGCAQ==')
	) v(made, literal), LATERAL (SELECT literal::activity_summary AS x) s;
SELECT member_count(x), rows_skipped(x), net_outside(x), x::text = literal AS same_text, retention_book_send(x) = decode(substr(literal, 16), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT retention_book(m, t, 'month', 'UTC') FROM (VALUES (7::bigint, timestamptz '2026-03-15 12:00+00'), (NULL, '2026-01-01 00:00+00'), (-1, '2025-12-31 23:59:59+00'), (7, NULL), (7, '2026-03-01 00:00+00'), (7, '2026-01-01 00:00+00')) v(m, t)), 'retention_book:CgEBAAAAAAIAAAAAAAAAAgH//////////wAIAAQDVVRDAALwDZw+cAAB7gQC8AQC'),
	((SELECT retention_book('é'::text, t, a, 'month', 'America/New_York') FROM (VALUES (timestamptz '2026-01-01 05:00+00', 12.34), ('2026-02-03 05:00+00', 100000000000000000000), ('2026-01-01 04:59:59+00', -5.00), ('2026-02-01 04:59:59+00', 0.005)) v(t, a)), 'retention_book:CgEDAQAAAAEAAAAAAAAAAAAAAALDqQARA0FtZXJpY2EvTmV3X1lvcmsAAuzjFI30AAPuBALnBwGD8sABAZ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFa8deLWMQAAA='),
	((SELECT retention_book('00010203-0405-0607-0809-0a0b0c0d0e0f'::uuid, t) FROM unnest('{2026-01-02 00:00:00.000001+00,2026-01-01 00:00+00,1999-12-31 23:59:59+00,2026-01-01 00:00+00}'::timestamptz[]) t), 'retention_book:CgECAgAAAAEAAAAAAAAAAAABAgMEBQYHCAkKCwwNDg8AAAAC6lsov8ABA/+IesDE3tfwyLoBgcDd7sEC'),
	((SELECT retention_book(NULL::bigint, now(), 'month', 'UTC') FROM generate_series(1, 4)), 'retention_book:CgEBAAAAAAAAAAAAAAAABAAAAAAAAAAAAAA=')
	) v(made, literal), LATERAL (SELECT literal::retention_book AS x) s;
SELECT c.* FROM cohort_retention('retention_book:CgEBAAAAAAIAAAAAAAAAAgH//////////wAIAAQDVVRDAALwDZw+cAAB7gQC8AQC') c;
SELECT c.* FROM cohort_retention('retention_book:CgEDAQAAAAEAAAAAAAAAAAAAAALDqQARA0FtZXJpY2EvTmV3X1lvcmsAAuzjFI30AAPuBALnBwGD8sABAZ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAFa8deLWMQAAA=') c;
SELECT level(x), step_times(x) = '{2026-01-01 00:00+00,2026-01-01 00:00+00,2026-01-31 00:00+00}' AS same_times, x::text = literal AS same_text, funnel_summary_send(x) = decode(substr(literal, 16), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT funnel('30 days', t, s & 1 > 0, s & 2 > 0, s & 4 > 0) FROM (VALUES (timestamptz '2026-01-31 00:00+00', 4), ('2026-01-01 00:00+00', 3), ('2026-01-05 00:00+00', 0), ('2026-01-01 00:00+00', 1)) v(t, s)), 'funnel_summary:CwEACQMAAAJbfz1AAASAgMOu4ZH1AgEAA4CA9rqHCgCAgP++sEEE')
	) v(made, literal), LATERAL (SELECT literal::funnel_summary AS x) s;
SELECT array_agg(f.members ORDER BY step) AS members, rows_skipped(x), x::text = literal AS same_text, funnel_book_send(x) = decode(substr(literal, 13), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT funnel_book(m, '30 days', t, s & 1 > 0, s & 2 > 0, s & 4 > 0) FROM (VALUES (2::bigint, timestamptz '1999-01-01 00:00+00', 2), (1, '2026-01-31 00:00+00', 4), (1, '2026-01-01 00:00+00', 3), (NULL, '2026-01-05 00:00+00', 0), (1, '2026-01-05 00:00+00', 0), (1, '2026-01-01 00:00+00', 1)) v(m, t, s)), 'funnel_book:DAEBAAAAAAIAAAAAAAAAAQEAAAAAAAAAAQABAAkDAAACW389QAAAAuyiiiWgAASAgMOu4ZH1AgEAA4CA9rqHCgCAgP++sEEEAf//nsHRqw4C')
	) v(made, literal), LATERAL (SELECT literal::funnel_book AS x) s, funnel_steps(x) f
GROUP BY x, literal, made;
SELECT array_agg(i.stage || ' ' || i.members) AS stages, rows_skipped(x), x::text = literal AS same_text, interaction_book_send(x) = decode(substr(literal, 18), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT interaction_book(m, k, t) FROM (VALUES ('b'::text, 'own', timestamptz '1999-12-31 00:00+00'), ('a', 'induced', '2026-01-03 00:00+00'), ('a', 'own', '2026-01-01 00:00+00'), ('a', NULL, '2026-01-01 00:00+00'), ('a', 'obliged', '2026-01-01 00:00+00')) v(m, k, t)), 'interaction_book:DQEDAAAAAAIAAAAAAAAAAQAAAAEAAAABYWIAAAAC6m9GlyAAA4CAw67hkfUCAAACgIC73YMFAQH//7rdgwUC')
	) v(made, literal), LATERAL (SELECT literal::interaction_book AS x) s, interaction_stages(x) i
GROUP BY x, literal, made;
SELECT array_agg(m.member || ' ' || m.sessions || ' ' || m.events ORDER BY m.member) AS sessions, rows_skipped(x), x::text = literal AS same_text, session_book_send(x) = decode(substr(literal, 14), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT session_book(m, t) FROM (VALUES ('b'::text, timestamptz '1999-12-31 00:00+00'), ('a', '2026-01-01 01:00:01+00'), ('a', '2026-01-01 00:00+00'), ('a', NULL), ('a', '2026-01-01 00:30+00'), ('a', '2026-01-01 00:00+00')) v(m, t)), 'session_book:FwEDAAAAAAIAAAAAAAAAAQAAAAEAAAABYWIAAAAC6kfhi0ZABICAw67hkfUCAAAAgKSn2gYAwKjk2gYAAf//ut2DBQA=')
	) v(made, literal), LATERAL (SELECT literal::session_book AS x) s, session_members(NULL::text, x) m
GROUP BY x, literal, made;

-- 1.0.0: spend_summary, by the same program: amounts of one moment added, one wide, one that came to nothing
SELECT rolling_spend(x, '2026-01-02 00:00+00', '12 hours') AS at_12, x::text = literal AS same_text, spend_summary_send(x) = decode(substr(literal, 15), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT spend(t, a) FROM (VALUES (timestamptz '2026-01-02 00:00+00', 100000000000000000000), ('2026-01-01 00:00+00', 12.34), ('2026-01-03 00:00+00', 7.25), ('1999-12-31 23:59:59.999999+00', -5.00), ('2026-01-03 00:00+00', -7.25), ('2026-01-01 00:00+00', 0.005), (NULL, 1)) v(t, a)), 'spend_summary:DgEAAAQBAucHgcCh1/DIugED8sABgMDd7sECHwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVrx14tYxAAAIDA3e7BAgIA')
	) v(made, literal), LATERAL (SELECT literal::spend_summary AS x) s;

-- 1.0.0: clv_model, of a book with all there can be, and of columns without spend
SELECT d.model_used, d.model_asked, d.until, d.timezone, d.members, d.repeaters, d.repeats, d.longest_age, d.penalty, d.log_likelihood, d.nbd_log_likelihood, d.spend_members, d.spend_left_out, d.spend_log_likelihood, d.spend_correlation, warnings(x),
	(SELECT string_agg(concat_ws(' ', p.name, p.estimate, p.std_error), ', ') FROM clv_parameters(x) p) AS parameters, x::text = literal AS same_text, clv_model_send(x) = decode(substr(literal, 11), 'base64') AS same_bytes
FROM (VALUES
	('clv_model:EAECBAcNAGAAACYKAAAAAAAABdwAAAAAAAADhAAAAAAAABCJQIEQAAAAAAA/4AAAAAAAAMDValAAAAAAwNYFYAAAAAAAAAAAAAADegAAAAAAAAAKP/IAAAAAAABAR+AAAAAAAD/iAAAAAAAAP/QAAAAAAAA/hHrhR64Uez+UeuFHrhR7P564UeuFHri/hHrhR64Ue0AwAAAAAAAAP9AAAAAAAAA/4AAAAAAAAD9keuFHrhR7P3R64UeuFHs/lwo9cKPXCsCrnEAAAAAAv9AAAAAAAABAGwAAAAAAAEArAAAAAAAAQFBAAAAAAAA/4AAAAAAAAL/QAAAAAAAAwCAAAAAAAAA/+AAAAAAAAEAwAAAAAAAAQGaAAAAAAABFdXJvcGUvQmVybGlu'),
	('clv_model:EAEDAwAAAAkAAAAAAAAAAAAAAAEAAAAAAAAAAQAAAAAAAAADQD4AAAAAAAAAAAAAAAAAAMAlgAAAAAAAwCXAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP/gAAAAAAABAJAAAAAAAAD/gAAAAAAAAQDQAAAAAAAA=')
	) v(literal), LATERAL (SELECT literal::clv_model AS x) s, clv_details(x) d;

-- 1.0.0: campaign_summary and campaign_book, by hand: with outcomes before, nothing but skipped rows, a wide amount; segments, scores
SELECT string_agg(concat_ws(' ', g.treated, g.members, g.buyers, g.total, g.total_before), ', ') AS groups, rows_skipped(x), x::text = literal AS same_text, campaign_summary_send(x) = decode(substr(literal, 18), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES
	((SELECT campaign(t, y, z) FROM (VALUES (false, 0, 0.5), (true, 2.50, -1), (true, 0, 1.5)) v(t, y, z)), 'campaign_summary:EQEBAAAAAAAAAAAAAQAAAAABAQUBGQACAQICAPoDAPQkAQEFAgFFAvY8'),
	((SELECT campaign(true, NULL) FROM generate_series(1, 3)), 'campaign_summary:EQEAAAAAAAAAAAADAAA='),
	((SELECT campaign(true, 100000000000000000000)), 'campaign_summary:EQEAAAAAAAAAAAAAAAEBAAkFa8deLWMQAAARHWMp8cNcpL+rufVhAAAAAAA=')
	) v(made, literal), LATERAL (SELECT literal::campaign_summary AS x) s, campaign_groups(x) g
GROUP BY x, literal, made;
SELECT string_agg(concat_ws(' ', c.segment, c.treated, c.control, c.treated_rate, c.control_rate), ', ') AS segments, rows_skipped(x), x::text = literal AS same_text, campaign_book_send(x) = decode(substr(literal, 15), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES ((SELECT campaign_book(s, t, y) FROM (VALUES ('a', false, 2.50), ('b', true, 0), ('b', true, 1), (NULL, true, 1)) v(s, t, y)), 'campaign_book:EgEDAAAAAAIAAAAAAAAAAQAAAAEAAAABYWIBAQICAPoDAPQkAAACAQABAQEB')) v(made, literal), LATERAL (SELECT literal::campaign_book AS x) s, campaign_segments(x) c
GROUP BY x, literal, made;
SELECT string_agg(concat_ws(' ', p.score, p.members, p.treated_total), ', ') AS points, rows_skipped(x), x::text = literal AS same_text, campaign_book_send(x) = decode(substr(literal, 15), 'base64') AS same_bytes, x = made AS made_today
FROM (VALUES ((SELECT campaign_book(s, true, 0) FROM unnest('{0,1,-1}'::float8[]) s), 'campaign_book:EgEBAAAAAAMAAAAAAAAAAAjAD////////wAAAAAAAAAAP/AAAAAAAAB/4AAAAAAAAQABAAAAAAABAAAAAAABAAAAAA==')) v(made, literal), LATERAL (SELECT literal::campaign_book AS x) s, uplift_points(x) p
GROUP BY x, literal, made;
