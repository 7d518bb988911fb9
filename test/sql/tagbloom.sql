-- The type tagbloom: many tags in few bytes. Every expected figure is worked out by hand,
-- or computed by the helpers below, or stands in a comment with its reason.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA tagbloom_test;
SET search_path = tagbloom_test, public;

-- Bad literals: each an error of its own SQLSTATE, none accepted.
CREATE TABLE bad_literals (literal text);
INSERT INTO bad_literals VALUES
	(''), (' '), ('vip'), ('vip,ios'), ('{'), ('}'), ('{vip'), ('vip}'), ('{vip,}'), ('{,vip}'), ('{,}'), ('{vip,,ios}'),
	('{vip, }'), ('{""}'), ('{vip,""}'), ('{vip}}'), ('{vip} x'), ('{vip}{ios}'), ('{{vip}}'), ('{{vip},{ios}}'), ('{vip{ios}'),
	('{"vip}'), ('{vi"p"}'), ('{"vip"ios}'), ('{"vip" "ios"}'), ('{"vip",ios'), ('{vip\'), ('{vip\}'), ('{"vip\"}'),
	('[1:2]={vip,ios}'), ('null'), ('("vip")'), ('["vip"]'), ('{"a": 1}'), ('{"a" "b"}'),
	('{' || repeat('x', 1025) || '}'), ('{"' || repeat('ü', 512) || 'x"}'), ('{' || repeat('x', 1000000) || '}'), (repeat('x', 1000000)),
	('{' || repeat('vip,', 100000)), (repeat('{', 100000)),
	('tagbloom'), ('tagbloom:'), ('tagbloom:BA'), ('tagbloom:BA=='), ('tagbloom:BAEAAA='), ('tagbloom:BAEAAA'), ('tagbloom:BAEAAA==x'),
	('tagbloom:BAEAAA== '), (' tagbloom:BAEAAA=='), ('Tagbloom:BAEAAA=='), ('tagquery:BAEAAA=='), ('tagbloom:BAE{AA=='), ('tagbloom:====');
-- The same of stored bytes that are wrong: kind 4, version 1, log2 of blocks, number of hashes or 0x80 | grain.
INSERT INTO bad_literals
SELECT 'tagbloom:' || translate(encode(bytes, 'base64'), E'\n', '')
FROM (VALUES
	('\x01010000'::bytea), ('\x05010000'), ('\x00010000'), ('\x04000000'), ('\x04020000'), ('\x04010100'), ('\x0401ff00'),
	('\x0401000000'), ('\x04010001'), ('\x0401000100000000000000'), ('\x04010001000000000000000000'),
	('\x0401000100000000000000010000000000000002'),
	('\x040100020000000000000001'), ('\x0401000200000000000000020000000000000001'), ('\x0401000200000000000000010000000000000001'),
	('\x04010021' || (SELECT string_agg(int8send(i), '' ORDER BY i) FROM generate_series(1, 33) i)),
	('\x0401007f'), ('\x04010080'), ('\x04010080' || decode(repeat('00', 31), 'hex')), ('\x04010080' || decode(repeat('00', 33), 'hex')),
	('\x04010081' || decode(repeat('00', 32), 'hex')), ('\x040100c0' || decode(repeat('00', 32), 'hex')),
	('\x04010180' || decode(repeat('00', 32), 'hex')), ('\x04010182' || decode(repeat('00', 64), 'hex')),
	('\x04011680'), ('\x04011780'), ('\x0401ffff')) v(bytes);
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type tagbloom: "%') AS refused,
	max(length(error)) < 150 AS message_is_short
FROM (SELECT hostile.error_of(format('SELECT %L::tagbloom', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::tagbloom', literal)) IS NULL;
-- Soft errors, from 16 on.
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM bad_literals WHERE pg_input_is_valid(literal, ''tagbloom'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;
\set VERBOSITY default
SELECT 'vip'::tagbloom;
SELECT '{vip,,ios}'::tagbloom;
SELECT '{Größe,"ü'::tagbloom;
SELECT '{vip "ios"}'::tagbloom;
SELECT 'tagbloom:BAIAAA=='::tagbloom;
\set VERBOSITY terse

-- A second way to a set's bytes. The hash of a tag is taken from a set of that tag alone (golden.sql has hashes from elsewhere);
-- a filter is built as the Parquet format says: the upper bits choose one of 2^k blocks, and in word i of it bit
-- (u32) (lower half * salt i) >> 27 is set; words are little-endian, so bit b of a word is bit b of its bytes.
CREATE FUNCTION hash_of(tag text) RETURNS bigint LANGUAGE sql AS $$
	SELECT ('x' || encode(substr(tagbloom_send(tags(tag)), 5), 'hex'))::bit(64)::bigint
$$;
CREATE FUNCTION blocks_of(tags text[], k int) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	blocks bytea := decode(repeat('00', 32 << k), 'hex');
	salts bigint[] := '{1203114875,1150766481,2284105051,2729912477,1884591559,770785867,2667333959,1550580529}';
	hash bigint;
	block int;
BEGIN
	FOR hash IN SELECT hash_of(tag) FROM unnest(tags) tag LOOP
		block := CASE WHEN k = 0 THEN 0 ELSE (hash >> (64 - k)) & ((1 << k) - 1) END;
		FOR i IN 0 .. 7 LOOP
			blocks := set_bit(blocks, 256 * block + 32 * i + ((((hash & 4294967295)::numeric * salts[i + 1]) % 4294967296)::bigint >> 27)::int, 1);
		END LOOP;
	END LOOP;
	RETURN blocks;
END $$;
CREATE FUNCTION raised(blocks bytea, times int) RETURNS bytea LANGUAGE sql AS $$
	SELECT string_agg(substr(blocks, 1 + 32 * b, 32), '' ORDER BY b, t) FROM generate_series(0, length(blocks) / 32 - 1) b, generate_series(1, times) t
$$;
CREATE FUNCTION either(a bytea, b bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT string_agg(set_byte('\x00', 0, get_byte(a, i) | get_byte(b, i)), '' ORDER BY i) FROM generate_series(0, length(a) - 1) i
$$;
CREATE FUNCTION filter(blocks bytea, grain int) RETURNS bytea LANGUAGE sql AS $$
	SELECT '\x0401'::bytea || set_byte('\x00', 0, log(2, length(blocks) / 32)::int) || set_byte('\x00', 0, 128 + grain) || blocks
$$;
CREATE FUNCTION numbered(first int, last int) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg('tag ' || i ORDER BY i) FROM generate_series(first, last) i
$$;

-- Up to 32 tags the hashes, ascending; above that a filter of the smallest size whose rate is at most 0.1 %:
-- 62 tags for 4 blocks, 123 for 8, 244 for 16, 487 for 32.
SELECT tagbloom_send(tags(VARIADIC '{}'::text[])) = '\x04010000' AS empty, tagbloom_send('{}') = '\x04010000' AS empty_text,
	tags(NULL::text) = '{}' AS null_is_no_tag, tags(VARIADIC NULL::text[]) IS NULL AS null_is_null;
SELECT n, tagbloom_send(tags(VARIADIC numbered(1, n))) = '\x040100'::bytea || set_byte('\x00', 0, n)
	|| (SELECT string_agg(int8send(hash_of(tag)), '' ORDER BY hash_of(tag) < 0, hash_of(tag)) FROM unnest(numbered(1, n)) tag) AS as_specified
FROM unnest(ARRAY[1, 2, 31, 32]) n;
SELECT n, k, tagbloom_send(tags(VARIADIC numbered(1, n))) = filter(blocks_of(numbered(1, n), k), k) AS as_specified
FROM (VALUES (33, 2), (62, 2), (63, 3), (123, 3), (124, 4), (244, 4), (245, 5), (487, 5), (488, 6)) v(n, k);
-- The next sizes by their length alone: 4 bytes and 32 for each block.
SELECT n, length(tagbloom_send(tags(VARIADIC numbered(1, n)))) = 4 + (32 << k) AS as_specified
FROM (VALUES (972, 6), (973, 7), (1942, 7), (1943, 8), (3882, 8), (3883, 9), (7762, 9), (7763, 10), (15522, 10), (15523, 11)) v(n, k);

-- Text: lists are read as text[] is; what is written is the stored bytes.
SELECT literal, literal::tagbloom = tags(VARIADIC literal::text[]) AS as_array
FROM (VALUES ('{}'), (' { } '), ('{vip}'), ('{vip,ios}'), ('{ios,vip,vip}'), (E' {\tvip ,\n ios } '), ('{"new friend",new friend, new friend }'),
	('{NULL,vip,null,nUlL}'), ('{"NULL"}'), ('{"null","NuLl"}'), ('{NULLS}'), ('{\NULL}'), ('{"a,b","{","}","\"","\\"}'), ('{a\,b,\{,\},\",\\}'), ('{\ a\ }'), ('{" a "}'),
	('{a''b,c(d),e&f|!g}'), ('{tagbloom:BAEAAA==}')) v(literal);
SELECT '{Zürich,北京,🙂}'::tagbloom = tags(VARIADIC '{Zürich,北京,🙂}') AS beyond_ascii;
SELECT '{}'::tagbloom::text, tags('vip')::text, tags('vip') || 'ios' = '{ios,vip}' AS one_more;
SELECT n, x::text = 'tagbloom:' || translate(encode(tagbloom_send(x), 'base64'), E'\n', '') AS is_base64, tagbloom_send(x::text::tagbloom) = tagbloom_send(x) AS comes_back
FROM unnest(ARRAY[0, 1, 32, 33, 1000, 20000]) n, LATERAL (SELECT tags(VARIADIC coalesce(numbered(1, n), '{}')) AS x) s;
-- 1 to 1024 bytes of UTF-8.
SELECT length(tagbloom_send(format('{%s,%s}', repeat('x', 1024), repeat('ü', 512))::tagbloom)),
	tags(repeat('x', 1024), repeat('ü', 512)) = format('{%s,%s}', repeat('x', 1024), repeat('ü', 512))::tagbloom AS same;
\set VERBOSITY default
SELECT tags('vip', '');
SELECT tags(repeat('x', 1025));
SELECT tags(repeat('ü', 512) || 'x');
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement)
FROM (VALUES ($$tags('')$$), ($$tags_if('', true)$$), ($$tags('[""]'::jsonb)$$), ($$tag_agg('')$$), ($$tags('vip') || ''$$), ($$tags('vip') - ''$$),
	($$tags('vip') ? ''$$), ($$tags('vip') ?& '{""}'$$), ($$tags('vip') ?| '{ios,""}'$$), ($$has_tag('{}', '')$$), ($$tag_list('{}', '{""}')$$),
	($$tags('a', repeat('b', 2000))$$), ($$tags('vip') ? repeat('b', 2000)$$), ($$tags(jsonb_build_array(repeat('b', 2000)))$$),
	($$tags(jsonb_build_object(repeat('b', 1020), 1000))$$)) v(statement);
SELECT tags(jsonb_build_object(repeat('b', 1020), 100)) ? (repeat('b', 1020) || '=100') AS just_fits;

-- Conditions.
SELECT tags_if('vip', 2 > 1, 'lapsed', 2 < 1, 'ios', true) = '{vip,ios}' AS two, tags_if('a', false) = '{}' AS none,
	tags_if('a', NULL, NULL, true, NULL, NULL, 'b', true) = '{b}' AS nulls, tags_if('a', NULL::boolean, NULL::text, true) = '{}' AS typed_nulls,
	tags_if('a'::varchar, true, 'b'::varchar(10), true) = '{a,b}' AS varchars, tags_if('a', true, 'a', false) = '{a}' AS twice;
CREATE DOMAIN label AS text;
CREATE DOMAIN yes AS boolean;
SELECT tags_if('a'::label, true::yes) = '{a}' AS domains;
SELECT bool_and(tags_if('even', n % 2 = 0, 'third', n % 3 = 0, 'big', nullif(n, 7) > 5)
	= tags(CASE WHEN n % 2 = 0 THEN 'even' END, CASE WHEN n % 3 = 0 THEN 'third' END, CASE WHEN n > 5 AND n <> 7 THEN 'big' END)) AS of_rows
FROM generate_series(1, 12) n;
\set VERBOSITY default
SELECT tags_if('vip', true, 'lapsed');
SELECT tags_if(1, true);
SELECT tags_if('vip', 1);
SELECT tags_if(true, 'vip');
\set VERBOSITY terse
SELECT statement, hostile.error_of('SELECT ' || statement)
FROM (VALUES ($$tags_if('vip')$$), ($$tags_if('vip', 'true')$$), ($$tags_if(NULL::int, true)$$), ($$tags_if('vip', 1.5)$$), ($$tags_if('vip'::name, true)$$),
	($$tags_if(ARRAY['vip'], true)$$), ($$tags_if(VARIADIC ARRAY['vip', 'ios'])$$), ($$tags_if(VARIADIC ARRAY[true, true])$$), ($$tags_if()$$)) v(statement);
SELECT tags_if(VARIADIC NULL::text[]) IS NULL AS no_list;

-- JSON: elements of an array, key=value of an object, null left out.
SELECT json, tags(json::jsonb) = tags(VARIADIC wanted::text[]) AS as_wanted
FROM (VALUES ('[]', '{}'), ('{}', '{}'), ('[null]', '{}'), ('{"a": null}', '{}'), ('{"a": []}', '{}'), ('{"a": [null]}', '{}'),
	('["vip", "ios", "vip"]', '{vip,ios}'), ('["new friend", " "]', '{new friend," "}'), ('[1, 1.0, -2.50, 1e3, true, false, "1"]', '{1,1.0,-2.50,1000,true,false}'),
	('{"channel": "app"}', '{channel=app}'), ('{"channel": ["app", "web", null], "vip": true, "age": 33, "x": null}', '{channel=app,channel=web,vip=true,age=33}'),
	('{"": ""}', '{=}'), ('{"a=b": "c", "a": "b=c"}', '{a=b=c}'), ('{"a": "", "b": [""]}', '{a=,b=}'),
	('["Z\u00fcrich", "\ud83d\ude42", "a\"b\\c", "tab\there"]', E'{Zürich,🙂,"a\\"b\\\\c","tab\there"}'),
	('{"longer key": 1, "k": 2, "key": [3, 4]}', '{longer key=1,k=2,key=3,key=4}')) v(json, wanted);
SELECT tags((SELECT jsonb_agg('tag ' || i) FROM generate_series(1, 5000) i)) = tags(VARIADIC numbered(1, 5000)) AS many,
	tags((SELECT jsonb_build_object('tag', jsonb_agg(i)) FROM generate_series(1, 5000) i)) = (SELECT tag_agg('tag=' || i) FROM generate_series(1, 5000) i) AS many_of_a_key,
	tags(NULL::jsonb) IS NULL AS null_is_null;
\set VERBOSITY default
SELECT tags('"vip"'::jsonb);
SELECT tags('[["vip"]]'::jsonb);
\set VERBOSITY terse
SELECT json, hostile.error_of(format('SELECT tags(%L::jsonb)', json))
FROM (VALUES ('1'), ('true'), ('null'), ('[{}]'), ('[[]]'), ('["vip", {"a": 1}]'), ('{"a": {}}'), ('{"a": {"b": 1}}'), ('{"a": [[1]]}'), ('{"a": [{"b": 1}]}'),
	('{"a": 1, "b": [1, []]}')) v(json);

-- What a set has. a has vip, ios and new friend; b is b1 ... b40, a filter.
CREATE TABLE sets AS
SELECT tags('vip', 'ios', 'new friend') AS a, (SELECT tag_agg('b' || i) FROM generate_series(1, 40) i) AS b, '{}'::tagbloom AS none;
SELECT a ? 'vip' AS has, a ? 'VIP' AS other_case, a ? 'vip ' AS blank, a ? 'lapsed' AS has_not, none ? 'vip' AS none_has, b ? 'b40' AS filter_has, b ? 'b41' AS filter_has_not
	FROM sets;
SELECT a ?& '{vip,ios}' AS has_all, a ?& '{vip,lapsed}' AS not_all, a ?& '{}' AS all_of_none, a ?& '{NULL}' AS all_of_null, a ?& '{vip,NULL}' AS null_left_out,
	none ?& '{}' AS none_all_of_none, none ?& '{vip}' AS none_has, b ?& '{b1,b40}' AS filter_has_all, b ?& '{b1,b41}' AS filter_has_not FROM sets;
SELECT a ?| '{lapsed,ios}' AS has_any, a ?| '{lapsed,gone}' AS has_none, a ?| '{}' AS any_of_none, a ?| '{NULL}' AS any_of_null, none ?| '{vip}' AS none_has,
	b ?| '{b41,b7}' AS filter_has_any, b ?| '{b41,b42}' AS filter_has_not FROM sets;
SELECT a @> '{vip}' AS contains, a @> a AS itself, a @> none AS contains_none, none @> a AS none_contains, none @> none AS none_none, a @> '{vip,lapsed}' AS not_all,
	tags('vip') <@ a AS contained, a <@ 'tagbloom:BAEAAXVGd2imqM7I' AS not_contained, b @> '{b1,b2}' AS filter_contains, b @> '{b1,b41}' AS filter_not,
	b @> b AS filter_itself, b @> a AS filter_of_exact, a @> b AS exact_of_filter, (b | a) @> b AS union_contains, (b | a) @> a AS union_contains_too, b @> (b | a) AS not_union
		FROM sets;
-- An exact set that has all tags of a filter: halved to one block, the bits of the filter are the tags' own.
SELECT tags(VARIADIC numbered(1, 20)) @> tag_agg(tag)::tagbloom(1) AS itself, tags(VARIADIC numbered(1, 19)) @> tag_agg(tag)::tagbloom(1) AS one_less
FROM (SELECT unnest(numbered(1, 20)) AS tag UNION ALL SELECT 'tag 1') s;
SELECT a ? NULL AS has, a ?& NULL AS has_all, a ?| NULL AS has_any, a @> NULL AS contains, a <@ NULL AS contained, a @@ NULL AS matches, NULL::tagbloom ? 'vip' AS null_has,
	a || NULL AS add, a - NULL AS remove, a | NULL AS union FROM sets;
SELECT has_tag(a, 'vip'), has_tag(a, 'lapsed') AS not_tag, has_all_tags(a, '{vip,ios}'), has_all_tags(a, '{vip,lapsed}') AS not_all, has_any_tag(a, '{lapsed,ios}'),
	has_any_tag(a, '{lapsed}') AS not_any,
	has_tag(tags => a, tag => 'ios') AS by_name, has_all_tags(tags => a, all_of => '{}') AS all_by_name, has_any_tag(tags => a, any_of => '{}') AS any_by_name FROM sets;
SELECT tag_list(a, '{lapsed,vip,NULL,new friend,vip}'), tag_list(a, '{}'), tag_list(none, '{vip}'), tag_list(b, '{b0,b1,b40,b41}'), tag_list(a, '{NULL}'),
	tag_list(a, '{{ios,x},{y,vip}}'), tag_list(NULL, '{vip}'), tag_list(a, NULL) FROM sets;
SELECT tag_count(a), tag_count(none), is_exact(a), is_exact(none), is_exact(b), tag_count(b) BETWEEN 38 AND 42 AS about_40, false_positive_rate(none),
	false_positive_rate(a) = 3 / 2.0 ^ 64 AS three_of_2_64,
	false_positive_rate(b) BETWEEN 0.00001 AND 0.001 AS at_most_a_thousandth FROM sets;
-- By the definitions: linear counting, and the mean over blocks of the product over words of the share of bits set.
SELECT n, abs(tag_count(x) - ln(zeros / bits) / ln(1 - 8 / bits)) < 1e-6 AS count, abs(false_positive_rate(x) - rate) < 1e-12 AS rate
FROM unnest(ARRAY[33, 62, 200]) n, LATERAL (SELECT tags(VARIADIC numbered(1, n)) AS x, substr(tagbloom_send(tags(VARIADIC numbered(1, n))), 5) AS blocks) s,
	LATERAL (SELECT 8.0::float8 * length(blocks) AS bits, (8 * length(blocks) - bit_count(blocks))::float8 AS zeros) z,
	LATERAL (SELECT avg(product) AS rate FROM (SELECT exp(sum(ln(bit_count(substr(blocks, 1 + 4 * w, 4)) / 32.0::float8))) AS product FROM generate_series(0, length(blocks) / 4 - 1) w
		GROUP BY w / 8) p) r;
-- Nothing set, everything set.
SELECT tag_count(empty), false_positive_rate(empty), empty ? 'vip' AS empty_has, false_positive_rate(full_one), full_one ? 'vip' AS full_has, tag_count(full_one) > 40 AS many,
	full_one @> empty AS contains, empty @> full_one AS contained, empty @> '{}' AS of_none, tags('vip') @> empty AS exact
FROM (SELECT ('tagbloom:' || translate(encode('\x04010080' || decode(repeat('00', 32), 'hex'), 'base64'), E'\n', ''))::tagbloom AS empty,
	('tagbloom:' || translate(encode('\x04010080' || decode(repeat('ff', 32), 'hex'), 'base64'), E'\n', ''))::tagbloom AS full_one) s;

-- Adding, removing.
SELECT a || 'vip' = a AS had, a || 'x' = '{vip,ios,new friend,x}' AS added, none || 'x' = '{x}' AS first, a - 'vip' = '{ios,new friend}' AS removed, a - 'x' = a AS had_not,
	a - 'vip' - 'ios' - 'new friend' = none AS all_removed,
	b || 'b7' = b AS filter_had, (b || 'x') ?& ARRAY['x', 'b1', 'b40'] AS filter_added, length(tagbloom_send(b || 'x')) = length(tagbloom_send(b)) AS filter_stays FROM sets;
-- The 33rd tag makes a filter, of any road to it the same.
SELECT tags(VARIADIC numbered(1, 32)) || 'tag 33' = tags(VARIADIC numbered(1, 33)) AS added, tags(VARIADIC numbered(1, 32)) || 'tag 32' = tags(VARIADIC numbered(1, 32)) AS had,
	tags(VARIADIC numbered(1, 20)) | tags(VARIADIC numbered(10, 33)) = tags(VARIADIC numbered(1, 33)) AS united,
		tags(VARIADIC numbered(1, 20)) | tags(VARIADIC numbered(10, 32)) = tags(VARIADIC numbered(1, 32)) AS exact,
	tags(VARIADIC numbered(1, 32)) | tags(VARIADIC numbered(33, 64)) = tags(VARIADIC numbered(1, 64)) AS both_full,
	tags(VARIADIC numbered(1, 33) || 'tag 5'::text || 'tag 33'::text) = tags(VARIADIC numbered(1, 33)) AS twice;
\set VERBOSITY default
SELECT b - 'b7' FROM sets;
\set VERBOSITY terse
SELECT hostile.error_of('SELECT b - ''no such tag'' FROM sets');

-- Unions of sizes: the smaller filter is raised, each block repeated, and the grain is the smaller one's.
CREATE TABLE parts AS
SELECT n, k, tags(VARIADIC numbered(n, 2 * n - 1)) AS x, blocks_of(numbered(n, 2 * n - 1), k) AS blocks
FROM (VALUES (40, 2), (100, 3), (150, 4), (400, 5)) v(n, k);
SELECT p.n, q.n, tagbloom_send(p.x | q.x) = filter(either(p.blocks, raised(q.blocks, 1 << p.k - q.k)), q.k) AS as_specified, q.x | p.x = p.x | q.x AS commutes,
	(p.x | q.x) ?& (numbered(p.n, 2 * p.n - 1) || numbered(q.n, 2 * q.n - 1)) AS has_all, (p.x | q.x) @> p.x AND (p.x | q.x) @> q.x AS contains_both
FROM parts p, parts q WHERE p.k >= q.k ORDER BY p.n, q.n;
SELECT bool_and(p.x | (q.x | r.x) = (p.x | q.x) | r.x) AS any_grouping, bool_and((SELECT rollup(x) FROM unnest(ARRAY[p.x, q.x, r.x]) x) = p.x | q.x | r.x) AS as_rollup
	FROM parts p, parts q, parts r;
SELECT n, tagbloom_send(x | tags('vip', 'ios')) = filter(either(blocks, blocks_of('{vip,ios}', k)), k) AS as_specified,
	tags('ios') | x | tags('vip') = x || 'vip' || 'ios' AS as_added, x | '{}' = x AS none, x | x = x AS itself FROM parts;
-- Counted at the grain, if that is not too full: the raised half is not counted twice.
SELECT tag_count(p.x | q.x) / (p.n + q.n) BETWEEN 0.9 AND 1.1 AS about FROM parts p, parts q WHERE p.n = 400 AND q.n = 150;

-- tagbloom(n): the size for n tags at least; the cast that is asked for makes it so exactly. 1 tag: 1 block; 100: 8; 1000: 128.
SELECT tagbloom_send(x::tagbloom(100)) = filter(raised(blocks, 2), 2) AS raised, tagbloom_send(x::tagbloom(1000)) = filter(raised(blocks, 32), 2) AS raised_more,
	tagbloom_send(x::tagbloom(1)) = filter(blocks_of(numbered(40, 79), 0), 0) AS halved, x::tagbloom(62) = x AS fits, x::tagbloom(33) = x AS fits_too,
	x::tagbloom(1000)::tagbloom(100) = x::tagbloom(100) AS back, x::tagbloom(1000)::tagbloom(40) = x AS back_to_grain, x::tagbloom(1000)::tagbloom(1) = x::tagbloom(1) AS below_grain,
	false_positive_rate(x::tagbloom(1000)) = false_positive_rate(x) AS same_rate, tag_count(x::tagbloom(1000)) = tag_count(x) AS same_count, x @> x::tagbloom(1000)
		AND x::tagbloom(1000) @> x AND x::tagbloom(1) @> x AS contain FROM parts WHERE n = 40;
SELECT a::tagbloom(1000) = a AS exact_stays, '{vip}'::tagbloom(1000) = '{vip}' AS exact_text FROM sets;
CREATE TABLE typed (id int PRIMARY KEY, x tagbloom(100));
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attname = 'x';
INSERT INTO typed SELECT n, x FROM parts;
INSERT INTO typed SELECT -1, a FROM sets;
SELECT id, length(tagbloom_send(t.x)), t.x = CASE WHEN id = 40 THEN p.x::tagbloom(100) WHEN id = -1 THEN '{vip,ios,new friend}' ELSE p.x END AS as_cast
FROM typed t LEFT JOIN parts p ON p.n = id ORDER BY id;
-- By every road into the column: text, binary, an array, a changed type.
SELECT hostile.receive('tagbloom(200)', tagbloom_send(x)) = 'accepted: ' || x::tagbloom(200)::text AS binary,
	hostile.error_of(format('INSERT INTO typed VALUES (1, %L)', x)) IS NULL AS text,
	(numbered(1, 40))::tagbloom(200) = tags(VARIADIC numbered(1, 40))::tagbloom(200) AS of_array FROM parts WHERE n = 40;
SELECT t.x = p.x::tagbloom(100) AS as_cast FROM typed t, parts p WHERE t.id = 1 AND p.n = 40;
ALTER TABLE typed ALTER x TYPE tagbloom(200);
SELECT bool_and(length(tagbloom_send(x)) = CASE WHEN is_exact(x) THEN 28 WHEN id = 400 THEN 4 + 32 * 32 ELSE 4 + 32 * 16 END) AS changed FROM typed;
ALTER TABLE typed ALTER x TYPE tagbloom;
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attname = 'x';
\set VERBOSITY default
SELECT '{}'::tagbloom(0);
SELECT '{}'::tagbloom(1, 2);
\set VERBOSITY terse
SELECT modifier, hostile.error_of(format('SELECT ''{}''::tagbloom(%s)', modifier))
FROM unnest(ARRAY['-1', '63573348', '63573349', '2147483647', '2147483648', '''x''', '1.5', '''''', 'NULL', '']) modifier;
SELECT hostile.error_of('CREATE TABLE wrong (x tagbloom(0))'), hostile.error_of('CREATE TABLE wrong (x tagbloom(-1)[])');

-- Aggregates.
SELECT tag_agg(tag) IS NULL AS no_rows, tag_agg(tag, 100) IS NULL AS no_rows_expected FROM unnest('{}'::text[]) tag;
SELECT tag_agg(tag) IS NULL AS null_rows, tag_agg(tag, 100) IS NULL AS null_rows_expected FROM unnest('{NULL,NULL}'::text[]) tag;
SELECT rollup(NULL::tagbloom) IS NULL AS null_sets, rollup('{}'::tagbloom) = '{}' AS empty_set;
SELECT tag_agg(tag) = '{vip,ios}' AS some, tag_agg(tag, 1000) = '{vip,ios}' AS some_expected, tag_agg(tag) FILTER (WHERE tag = 'ios') = '{ios}' AS filtered,
	tag_agg(DISTINCT tag) = '{vip,ios}' AS different FROM unnest('{vip,NULL,ios,vip}'::text[]) tag;
SELECT n, tag_agg(tag) = tags(VARIADIC numbered(1, n)) AS as_tags, tag_agg(tag ORDER BY md5(tag)) = tag_agg(tag ORDER BY tag) AS any_order,
	tagbloom_send(tag_agg(tag, 100)) = CASE WHEN n < 33 THEN tagbloom_send(tags(VARIADIC numbered(1, n))) ELSE filter(blocks_of(numbered(1, n), greatest(k, 3)),
		greatest(k, 3)) END AS as_expected
FROM (VALUES (1, 0), (32, 0), (33, 2), (63, 3), (100, 3), (124, 4), (300, 5)) v(n, k), LATERAL (SELECT 'tag ' || 1 + i % n AS tag FROM generate_series(1, 2 * n) i) s GROUP BY n,
	k ORDER BY n;
SELECT rollup(x) = tags(VARIADIC numbered(1, 100)) AS of_exact FROM (SELECT tag_agg('tag ' || i) AS x FROM generate_series(1, 100) i GROUP BY i % 7) s;
-- Windows: the state is asked again and again.
SELECT bool_and(tag_agg = tags(VARIADIC numbered(1, i))) AS running FROM (SELECT i, tag_agg('tag ' || i) OVER (ORDER BY i) FROM generate_series(1, 200) i) s;
SELECT bool_and(rollup = tags(VARIADIC numbered(1, i))) AS running FROM (SELECT i, rollup(tags('tag ' || i)) OVER (ORDER BY i) FROM generate_series(1, 200) i) s;
\set VERBOSITY default
SELECT tag_agg('vip', 0);
SELECT tag_agg('vip', n) FROM generate_series(1, 2) n;
\set VERBOSITY terse
SELECT statement, hostile.error_of(statement)
FROM (VALUES ($$SELECT tag_agg('vip', 63573349)$$), ($$SELECT tag_agg('vip', -1)$$), ($$SELECT tag_agg('vip', NULL)$$), ($$SELECT tag_agg_step(NULL, 'vip')$$),
	($$SELECT tag_agg_step(NULL, 'vip', 10)$$), ($$SELECT tagbloom_rollup_step(NULL, '{}')$$),
	($$SELECT tag_agg_combine(NULL, '\x06010000000000000000000000000000')$$), ($$SELECT tag_agg_final('\x06')$$), ($$SELECT tag_agg_combine('\x06', '\x06')$$)) v(statement);

-- A million tags: none is lost; by the formula for sizes 2^17 blocks have a rate of 2.82e-5.
CREATE TABLE million AS SELECT tag_agg('tag ' || i) AS x FROM generate_series(1, 1000000) i;
SELECT length(tagbloom_send(x)) = 4 + (32 << 17) AS size, tag_count(x) / 1000000 BETWEEN 0.99 AND 1.01 AS count, false_positive_rate(x) BETWEEN 2.5e-5 AND 3.2e-5 AS rate,
	(SELECT count(*) FROM generate_series(1, 1000000, 503) i WHERE NOT x ? ('tag ' || i)) AS lost,
	(SELECT count(*) FROM generate_series(1, 2000) i WHERE x ? ('other ' || i)) < 10 AS few_wrong FROM million;
SELECT x = tags(VARIADIC numbered(1, 1000000)) AS as_tags, x::text::tagbloom = x AS comes_back FROM million;

-- Comparison: DISTINCT, GROUP BY, sorting, hashing; two sets are equal if their bytes are.
SELECT count(DISTINCT x), count(*) FROM (SELECT tags(VARIADIC CASE i % 4 WHEN 0 THEN '{a,b}' WHEN 1 THEN '{b,a}' WHEN 2 THEN '{a}' ELSE numbered(1, 40) END::text[]) AS x
	FROM generate_series(1, 100) i) s;
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, tagbloom_cmp(a, b), tagbloom_hash(a) = tagbloom_hash(b) AS hash,
	tagbloom_hash_extended(a, 7) = tagbloom_hash_extended(b, 7) AS hash_extended
FROM (SELECT tags('vip', 'ios') AS a, tags('ios', 'vip') AS b) s;
SELECT bool_and((a < b) = (tagbloom_send(a) < tagbloom_send(b)) AND (a <= b) = NOT (a > b) AND (a >= b) = NOT (a < b) AND (a <> b) = NOT (a = b)
	AND (a = b) = (tagbloom_send(a) = tagbloom_send(b)) AND sign(tagbloom_cmp(a, b)) = -sign(tagbloom_cmp(b, a))) AS one_order
FROM (SELECT x FROM parts UNION ALL SELECT unnest(ARRAY[a, none]) FROM sets) a(a), (SELECT x FROM parts UNION ALL SELECT unnest(ARRAY[a, none]) FROM sets) b(b);
CREATE TABLE kept (x tagbloom PRIMARY KEY);
INSERT INTO kept SELECT a FROM sets;
SELECT hostile.error_of($$INSERT INTO kept VALUES ('{vip,new friend,ios}')$$);

-- Bad images: every one-byte change and every cut of a valid one is refused or is another valid value.
CREATE TABLE images AS
SELECT image AS original, m AS image, hostile.receive('tagbloom', m) AS answer
FROM (VALUES (tagbloom_send(tags('vip', 'ios'))), (tagbloom_send('{}')), (tagbloom_send((numbered(1, 33))::tagbloom(1)))) v(image), hostile.mutations(image) m;
SELECT count(*) > 200 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary tagbloom is not valid: %') > 80 AS many_refused,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary tagbloom is not valid: %' AND answer NOT LIKE 'accepted: tagbloom:%') AS other
FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
-- What was accepted says what its bytes say; no bit of a filter is refused.
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND tagbloom_send(substr(answer, 11)::tagbloom) <> image;
SELECT count(*) AS refused FROM images WHERE length(original) = 36 AND length(image) = 36 AND substr(image, 1, 4) = substr(original, 1, 4) AND answer NOT LIKE 'accepted%';
-- The same images where bytes become a set without a check: whatever reads them says so, and nothing crashes.
CREATE CAST (bytea AS tagbloom) WITHOUT FUNCTION;
CREATE TABLE questions (question text);
INSERT INTO questions VALUES ('x::text'), ('x ? ''vip'''), ('x ?& ''{vip,ios}'''), ('x ?| ''{vip,ios}'''), ('x @> ''{vip}'''), ('x <@ ''{vip}'''), ('x @@ ''vip'''),
	('x | ''{vip}'''), ('x || ''vip'''), ('x - ''vip'''),
	('tag_count(x)'), ('is_exact(x)'), ('false_positive_rate(x)'), ('tag_list(x, ''{vip}'')'), ('rollup(x)'), ('x::tagbloom(10)');
SELECT question COLLATE "C" AS question, bool_and(error IS NULL) FILTER (WHERE answer LIKE 'accepted%') AS valid_answered,
	bool_and(error = replace(answer, '22P03 binary', 'XX001 stored')) FILTER (WHERE answer NOT LIKE 'accepted%') AS others_refused
FROM images, questions, LATERAL (SELECT hostile.error_of(format('SELECT %s FROM (SELECT %L::bytea::tagbloom AS x) s', question, image)) AS error) e
WHERE NOT (question LIKE 'x - %' AND answer LIKE 'accepted%' AND get_byte(image, 3) >= 128)		-- a filter, from which nothing is removed
GROUP BY question ORDER BY 1;
-- Out of line, where one piece is fetched: cut off, too long, of another kind, of another size.
CREATE TABLE stored (id int, x tagbloom);
ALTER TABLE stored ALTER x SET STORAGE external;
INSERT INTO stored SELECT 1, tag_agg('tag ' || i) FROM generate_series(1, 40000) i;
INSERT INTO stored SELECT 2, substr(tagbloom_send(x), 1, 100000)::tagbloom FROM stored WHERE id = 1;
INSERT INTO stored SELECT 3, (tagbloom_send(x) || '\x00')::tagbloom FROM stored WHERE id = 1;
INSERT INTO stored SELECT 4, set_byte(tagbloom_send(x), 0, 5)::tagbloom FROM stored WHERE id = 1;
INSERT INTO stored SELECT 5, set_byte(tagbloom_send(x), 2, 255)::tagbloom FROM stored WHERE id = 1;
SELECT id, hostile.error_of(format('SELECT x ? ''vip'' FROM stored WHERE id = %s', id)) FROM stored ORDER BY id;
SELECT count(*) FILTER (WHERE NOT x ? ('tag ' || i)) AS lost, count(*) FILTER (WHERE x ? ('other ' || i)) < 10 AS few_wrong FROM stored, generate_series(1, 2000) i WHERE id = 1;
-- A bad row makes CREATE INDEX fail, not the server.
SELECT hostile.error_of('CREATE INDEX ON stored USING gin (x)');
DROP CAST (bytea AS tagbloom);

-- In databases of other encodings tags are hashed, and measured, in UTF-8; the hash of Zürich is from another implementation of XXH64.
\set main :DBNAME
CREATE DATABASE tagbloom_latin1 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0;
\c tagbloom_latin1
SET client_encoding = 'UTF8';
CREATE EXTENSION custmart;
SELECT tagbloom_send(tags('Zürich')) = '\x0401000185f1debcbb1a8279' AS hash, '{Zürich}' = tags('Zürich') AS text, tag_agg('Zürich') = tags('Zürich') AS agg,
	tags('["Zürich"]'::jsonb) = tags('Zürich') AS json,
	tags_if('Zürich', true) = tags('Zürich') AS condition, tags('Zürich') ? 'Zürich' AS has, tags('Zürich') @@ 'Zürich' AS matches, tag_list(tags('Zürich'), '{Bern,Zürich}') AS list;
SELECT tagquery_send('Zürich & !ß') = '\x050100000000000403000000020100075ac3bc7269636802010002c39f' AS bytes, 'Zürich & !ß'::tagquery AS text, tagquery_tree('Zürich & !ß');
SELECT tags(repeat('ü', 512)) = format('{%s}', repeat('ü', 512))::tagbloom AS just_fits;
SELECT tags(repeat('ü', 513));
SELECT 'ä'::tagquery, 'ää &'::tagquery;
SELECT '{ä,ä'::tagbloom;
\c :main
DROP DATABASE tagbloom_latin1;
CREATE DATABASE tagbloom_ascii ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0;
\c tagbloom_ascii
CREATE EXTENSION custmart;
SELECT tagbloom_send(tags('Zürich')) = '\x0401000185f1debcbb1a8279' AS hash;
SELECT tags(E'Z\xfcrich');
SELECT E'{Z\xfcrich}'::tagbloom;
SELECT E'Z\xfcrich'::tagquery;
SELECT tags('vip') ? E'\xff';
\c :main
DROP DATABASE tagbloom_ascii;

-- An array may be given to a column of sets; in an expression it must be said.
CREATE TEMP TABLE assigned (tags tagbloom);
INSERT INTO assigned VALUES (ARRAY['vip', 'ios']);
SELECT tags = '{ios,vip}' AS same FROM assigned;
SELECT hostile.error_of($$SELECT tags || ARRAY['vip'] FROM assigned$$) IS NOT NULL AS is_refused;

-- Names are not kept, and whoever asks for them learns what to do.
\set VERBOSITY default
SELECT tag_list(tags('vip'));
SELECT tag_list(tags) FROM assigned;
SELECT * FROM assigned, unnest(tags);
SELECT unnest(tags) FROM assigned;
SELECT unnest(tags('vip', 'ios'));
\set VERBOSITY terse
SELECT left(hostile.error_of('SELECT tag_list(tags(''vip''))'), 5) AS state, tag_list(NULL::tagbloom) IS NULL AS of_null, (SELECT count(*) FROM unnest(NULL::tagbloom)) AS unnested;
-- Other arrays and queries are not affected.
SELECT tag_list(tags, '{vip,ios,lapsed}'), unnest(ARRAY['a', 'b']), unnest(string_to_array('a,b', ',')), tag_list('vip & !ios'::tagquery) FROM assigned;
SELECT array_agg(t) FROM unnest('a:1 b:2'::tsvector) t(t);
