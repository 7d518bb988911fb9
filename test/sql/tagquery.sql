-- The type tagquery: boolean questions about tags. Canonical texts and trees are worked out by hand.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA tagquery_test;
SET search_path = tagquery_test, public;

-- Bad literals: each an error of its own SQLSTATE, none accepted.
CREATE TABLE bad_literals (literal text);
INSERT INTO bad_literals VALUES
	(''), (' '), (E'\t\n'), ('&'), ('|'), ('!'), ('!!'), ('('), (')'), ('()'), ('!()'), ('(())'), ('(!)'), ('a b'), ('a "b"'), ('"a" b'), ('a"b"'), ('"a"b'), ('"a""b"'), ('a !b'),
	('a(b)'), ('a (b)'), ('(a) b'), ('(a)(b)'), ('!a!b'),
	('a &'), ('a |'), ('& a'), ('| a'), ('a & & b'), ('a && b'), ('a || b'), ('a | | b'), ('a &| b'), ('a !'), ('a & !'), ('a ! & b'), ('(a'), ('a)'), ('((a)'), ('(a))'), (')a('),
	('a & (b'), ('a & (b | )'), ('a & ( | b)'), ('a & ()'),
	('""'), ('a & ""'), ('!""'), ('"a'), ('a & "b'), ('a\'), ('"a\"'), ('"'), ('\'), ('"\'),
	(repeat('x', 1025)), ('"' || repeat('ü', 512) || 'x"'), (repeat('x', 1000000)), (repeat('!', 1000000)), (repeat('(', 65536)), (repeat('(', 65536) || 'a'),
	('a' || repeat(')', 100000)), (repeat('a & ', 65536)), (repeat('a ', 100000)), ('"' || repeat('x', 1000000));
SELECT count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type tagquery: "%') AS refused, max(length(error)) < 150 AS message_is_short
FROM (SELECT hostile.error_of(format('SELECT %L::tagquery', literal)) AS error FROM bad_literals) s;
SELECT literal FROM bad_literals WHERE hostile.error_of(format('SELECT %L::tagquery', literal)) IS NULL;
-- Too large: 65536 tags and 65536 open parentheses are the most.
CREATE TABLE large_literals (what text, literal text);
INSERT INTO large_literals VALUES ('tags', repeat('a & ', 65536) || 'a'), ('tags, |', repeat('a|b&', 40000) || 'c'),
	('parentheses', repeat('(', 65537) || 'a' || repeat(')', 65537)), ('negations', repeat('!(', 65537) || 'a' || repeat(')', 65537));
SELECT what, hostile.error_of(format('SELECT %L::tagquery', literal)) FROM large_literals;
-- Soft errors, from 16 on.
DO $$
DECLARE soft int;
BEGIN
	IF current_setting('server_version_num')::int >= 160000 THEN
		EXECUTE 'SELECT count(*) FROM (SELECT literal FROM bad_literals UNION ALL SELECT literal FROM large_literals) s WHERE pg_input_is_valid(literal, ''tagquery'')' INTO soft;
		IF soft <> 0 THEN RAISE 'accepted % bad literals', soft; END IF;
	END IF;
END $$;
-- Messages with the position, counted in characters.
\set VERBOSITY default
SELECT 'vip & ios)'::tagquery;
SELECT ''::tagquery;
\set VERBOSITY terse
CREATE FUNCTION detail_of(literal text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	PERFORM literal::tagquery;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;
SELECT literal, detail_of(literal)
FROM unnest(ARRAY['', '  ', 'a &', 'a & & b', 'a b', 'Zürich  Bern', '(a | b', 'ü)', 'a & ()', 'ä & "ö', 'ä & ""', 'ä & b\', '!', '(', 'a "b"', 'ä ' || repeat('(', 3)]) literal;

-- Canonical text.
SELECT given, given::tagquery::text = canonical AS as_by_hand, canonical::tagquery::text = canonical AS stays, given::tagquery = canonical::tagquery AS equal
FROM (VALUES
	('vip', 'vip'), (E' \t vip\n', 'vip'), ('"vip"', 'vip'), ('((vip))', 'vip'), ('!vip', '!vip'), ('! vip', '!vip'), ('!!vip', 'vip'), ('! ! !vip', '!vip'), ('!(vip)', '!vip'),
	('!(!(vip))', 'vip'), ('!(!!(vip))', '!vip'),
	('vip&(ios|android)&!lapsed', 'vip & (ios | android) & !lapsed'), ('a&b|c', 'a & b | c'), ('(a & b) | c', 'a & b | c'), ('a | b & c', 'a | b & c'), ('a | (b & c)', 'a | b & c'),
	('a & (b | c)', 'a & (b | c)'), ('(a | b) & c', '(a | b) & c'), ('(a | b) & (c | d)', '(a | b) & (c | d)'),
	('a & (b & c)', 'a & b & c'), ('(a & b) & c', 'a & b & c'), ('(a & b) & (c & d)', 'a & b & c & d'), ('(a | (b | c)) | d', 'a | b | c | d'), ('a & ((b | c))', 'a & (b | c)'),
	('a | (b & (c & (d | (e | f))))', 'a | b & c & (d | e | f)'),
	('!(a & b)', '!(a & b)'), ('!(a | b) & c', '!(a | b) & c'), ('!a & b', '!a & b'), ('(!a) & b', '!a & b'), ('!!(a & b) & c', 'a & b & c'), ('!(!(a | b)) | c', 'a | b | c'),
	('!(!(a | b) | c)', '!(!(a | b) | c)'), ('!(!(a | b) & !(!c))', '!(!(a | b) & c)'), ('!(!!a)', '!a'), ('!((!(a)))', 'a'), ('!(!(!(a & b)))', '!(a & b)'),
	('a & a', 'a & a'), ('a & !a', 'a & !a'), ('"new friend" & "a&b"', '"new friend" & "a&b"'), ('new\ friend', '"new friend"'), ('a\&b', '"a&b"'), ('"a"', 'a'), ('"a\"b"', '"a\"b"'),
	('a\"b', '"a\"b"'), ('a\\b', '"a\\b"'), ('"a\b"', 'ab'), ('\a\b', 'ab'), ('" "', '" "'), ('\ ', '" "'), ('"!"', '"!"'), ('"()"', '"()"'), ('"|"', '"|"'),
	('a,b{c}=d''e', 'a,b{c}=d''e'), ('"a,b"', 'a,b'), ('AND & or & NOT', 'AND & or & NOT'), ('NULL', 'NULL'), ('a:*', 'a:*'), ('a<->b', 'a<->b'), ('Zürich|Größe', 'Zürich | Größe'),
	('key=value & key=other', 'key=value & key=other')) v(given, canonical);
SELECT E'"tab\there" & "line\nbreak"'::tagquery::text = E'"tab\there" & "line\nbreak"' AS other_blanks;
-- The specified bytes, written out by hand: kind 5, version 1, two zeros, number of nodes; a tag is 1, its length, its bytes;
-- 2 is "not", 3 "and" and 4 "or", the number of operands behind it.
SELECT tagquery_send('vip') = '\x05010000 00000001 01 0003 766970'::bytea AS tag,
	tagquery_send('vip & (ios | android) & !lapsed') = '\x05010000 00000007 03 00000003 01 0003 766970 04 00000002 01 0003 696f73 01 0007 616e64726f6964 02 01 0006 6c6170736564'::bytea AS tree,
	tagquery_send('!("new friend" & Zürich | "a\"b\\c")') = '\x05010000 00000006 02 04 00000002 03 00000002 01 000a 6e657720667269656e64 01 0007 5ac3bc72696368 01 0005 6122625c63'::bytea AS negated;
SELECT length(tagquery_send(repeat('x', 1024)::tagquery)) AS longest_tag, tags(repeat('ü', 512)) @@ repeat('ü', 512)::tagquery AS matches;

-- The part that an index can look up; T if the query is true of the empty set.
SELECT query, tagquery_tree(query::tagquery) = tree AS as_by_hand, (tree = 'T') = ('{}'::tagbloom @@ query::tagquery) AS t_if_true_of_none
FROM (VALUES
	('vip', 'vip'), ('!vip', 'T'), ('vip & !ios', 'vip'), ('!ios & vip', 'vip'), ('vip | !ios', 'T'), ('vip & (ios | !x)', 'vip'), ('a & b', 'a & b'), ('a | b', 'a | b'),
	('!a & !b', 'T'), ('!a | !b', 'T'), ('!(a & b)', 'T'), ('!(a | b)', 'T'),
	('!(!a & b)', 'T'), ('!(!a | b)', 'a'), ('!(!a | !b)', 'a & b'), ('!(!a & !b)', 'a | b'), ('a & (b | c) & !d', 'a & (b | c)'), ('a & (b & !c | d)', 'a & (b | d)'),
	('(a | b) & (c | !d)', 'a | b'), ('a | b & !c', 'a | b'), ('a & !(b | !c)', 'a & c'), ('!(!(a & b) | c)', 'a & b'),
	('x & !(!(a & b) | c)', 'x & a & b'), ('x & !(!(a | b) | c)', 'x & (a | b)'), ('x | !(!(a | b) | c)', 'x | a | b'), ('x | !(!(a & b) | c)', 'x | a & b'), ('a & (!b | !c)', 'a'),
	('a & (!b & !c)', 'a'), ('a | !(!b | !(c | d))', 'a | b & (c | d)'), ('"new friend" & !x', '"new friend"'), ('a & !a', 'a'), ('(a | !b) & (c | !d)', 'T'),
	('(a & !b) | (c & !d)', 'a | c'),
	('T', '"T"'), ('T & !a', '"T"'), ('!T', 'T')) v(query, tree);	-- a tag T is not the answer T

-- Every query of up to four tags against SQL, for each of the sixteen sets, exact and as a filter.
CREATE TABLE subsets AS
SELECT a, b, c, d, tags_if('a', a, 'b', b, 'c', c, 'd', d) AS exact,
	(SELECT tag_agg('other ' || i) FROM generate_series(1, 33) i) | tags_if('a', a, 'b', b, 'c', c, 'd', d) AS filter
FROM (VALUES (true), (false)) a(a), (VALUES (true), (false)) b(b), (VALUES (true), (false)) c(c), (VALUES (true), (false)) d(d);
SELECT bool_and(filter ? 'a' = a AND filter ? 'b' = b AND filter ? 'c' = c AND filter ? 'd' = d AND NOT is_exact(filter)) AS filters_have_no_others FROM subsets;
CREATE FUNCTION wrong_answers(query tagquery, condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE wrong bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM subsets WHERE exact @@ $1 IS DISTINCT FROM (%1$s) OR filter @@ $1 IS DISTINCT FROM (%1$s)', condition) INTO wrong USING query;
	RETURN wrong;
END $$;
SELECT query, wrong_answers(query::tagquery, condition)
FROM (VALUES ('a', 'a'), ('!a', 'NOT a'), ('a & b', 'a AND b'), ('a | b', 'a OR b'), ('a | b & c', 'a OR b AND c'), ('a & b | c & d', 'a AND b OR c AND d'),
	('(a | b) & (c | d)', '(a OR b) AND (c OR d)'), ('!a & b', 'NOT a AND b'), ('!(a & b)', 'NOT (a AND b)'), ('!(a | b) & c', 'NOT (a OR b) AND c'),
	('a & !b | !a & b', 'a <> b'), ('(a | b) & !(a & b)', 'a <> b'), ('a & a', 'a'), ('a & !a', 'false'), ('a | !a', 'true'),
	('!(a & !(b | !(c & !d)))', 'NOT (a AND NOT (b OR NOT (c AND NOT d)))'), ('a & b & c & d', 'a AND b AND c AND d'), ('a | b | c | d', 'a OR b OR c OR d'),
	('!(!(!(a) | !b) & !c) | !d', 'NOT (NOT (NOT a OR NOT b) AND NOT c) OR NOT d')) v(query, condition);
-- Negated without limit: what holds for a query does not hold for its negation, of exact sets and filters.
SELECT bool_and(exact @@ ('!(' || q || ')')::tagquery = NOT exact @@ q::tagquery AND filter @@ ('!(' || q || ')')::tagquery = NOT filter @@ q::tagquery) AS negated
FROM subsets, unnest(ARRAY['a', 'a & b | !c', '!(a | d) & (b | c)', 'a & !a']) q;
SELECT tags('vip') @@ NULL AS no_query, NULL::tagbloom @@ 'vip' AS no_set, tagquery_tree(NULL) AS no_tree;

-- Deep, long, both. n times !(a & ...) over b: with a each negates the next, without a the outermost is true.
SELECT n, tags('a', 'b') @@ q AS with_both, tags('a') @@ q AS with_a, tags('b') @@ q AS with_b, q::text::tagquery = q AS comes_back,
	length(tagquery_send(q)) = 8 + n * (1 + 5 + 4) + 4 AS bytes, tagquery_tree(q) = 'T' AS tree
FROM unnest(ARRAY[1, 2, 10000, 10001]) n, LATERAL (SELECT (repeat('!(a & ', n) || 'b' || repeat(')', n))::tagquery AS q) s;
-- a & (b | (a & (b | ... c: true with a and b, or with a and c.
SELECT n, tags('a', 'b') @@ q AS a_b, tags('a', 'c') @@ q AS a_c, tags('a') @@ q AS a, tags('b', 'c') @@ q AS b_c, q::text::tagquery = q AS comes_back,
	tagquery_tree(q) = q::text AS tree
FROM unnest(ARRAY[1, 10000, 30000]) n, LATERAL (SELECT (repeat('a & (b | (', n) || 'c' || repeat('))', n))::tagquery AS q) s;
SELECT (repeat('(', 65536) || 'a' || repeat(')', 65536))::tagquery AS parentheses, (repeat('!', 1000000) || 'a')::tagquery AS even, (repeat('! ', 999999) || 'a')::tagquery AS odd;
SELECT tags('t65536') @@ q AS last, tags('t0') @@ q AS none, q::text::tagquery = q AS comes_back
	FROM (SELECT string_agg('t' || i, '|')::tagquery AS q FROM generate_series(1, 65536) i) s;

-- Comparison.
SELECT count(DISTINCT q), count(*) FROM (SELECT unnest(ARRAY['a & b', 'a&b', '(a) & !!b', 'b & a', 'a', '"a"'])::tagquery AS q) s;
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, tagquery_cmp(a, b), tagquery_hash(a) = tagquery_hash(b) AS hash,
	tagquery_hash_extended(a, 7) = tagquery_hash_extended(b, 7) AS hash_extended
FROM (SELECT 'vip & ios'::tagquery AS a, 'vip&(ios)'::tagquery AS b) s;
CREATE TABLE kept (q tagquery PRIMARY KEY);
INSERT INTO kept VALUES ('vip & !lapsed');
SELECT hostile.error_of($$INSERT INTO kept VALUES ('(vip) & !(lapsed)')$$);

-- Bad images: every one-byte change and every cut of a valid one is refused or is another valid value.
CREATE TABLE images AS
SELECT m AS image, hostile.receive('tagquery', m) AS answer
FROM (VALUES ('vip'::tagquery), ('vip & (ios | "Zürich") & !lapsed')) v(q), hostile.mutations(tagquery_send(q)) m;
SELECT count(*) > 200 AS many, count(*) FILTER (WHERE answer ~ '^22(P03|021) binary tagquery is not valid: ') > 100 AS many_refused,
	count(*) FILTER (WHERE answer !~ '^22(P03|021) binary tagquery is not valid: ' AND answer NOT LIKE 'accepted: %') AS other FROM images;
SELECT DISTINCT answer COLLATE "C" AS answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
SELECT count(*) AS differ FROM images WHERE answer LIKE 'accepted%' AND tagquery_send(substr(answer, 11)::tagquery) <> image;
-- What no text gives: an operator in its like, a "not" of a "not", one operand, a tag too long or not UTF-8 or with a NUL.
SELECT what, hostile.receive('tagquery', '\x05010000'::bytea || image)
FROM (VALUES ('and in and', '\x00000005 03 00000002 01 0001 61 03 00000002 01 0001 62 01 0001 63'::bytea), ('not of not', '\x00000003 02 02 01 0001 61'),
	('one operand', '\x00000002 03 00000001 01 0001 61'), ('no operand', '\x00000001 04 00000000'), ('4 billion operands', '\x00000003 03 ffffffff 01 0001 61 01 0001 62'),
	('no node', '\x00000000'), ('4 billion nodes', '\xffffffff 01 0001 61'), ('one node more', '\x00000002 01 0001 61'),
	('one node less', '\x00000002 03 00000002 01 0001 61 01 0001 62'), ('a byte more', '\x00000001 01 0001 61 00'), ('empty tag', '\x00000001 01 0000'),
	('long tag', '\x00000001 01 0401'::bytea || convert_to(repeat('x', 1025), 'UTF8')), ('not UTF-8', '\x00000001 01 0001 ff'), ('NUL', '\x00000001 01 0003 610062'),
	('surrogate', '\x00000001 01 0003 eda080'), ('overlong', '\x00000001 01 0002 c080'), ('cut character', '\x00000001 01 0001 c3'), ('kind', '\x00000001 00')) v(what, image);
SELECT hostile.receive('tagquery', '\x05010000 00040001'::bytea || decode('03 00010001', 'hex') || decode(repeat('01000161', 65537), 'hex')) AS many_nodes;
-- Where bytes become a query without a check: whatever reads them says so, and nothing crashes.
CREATE CAST (bytea AS tagquery) WITHOUT FUNCTION;
SELECT question, bool_and(error IS NULL) FILTER (WHERE answer LIKE 'accepted%') AS valid_answered,
	bool_and(error = replace(answer, '22P03 binary', 'XX001 stored')) FILTER (WHERE answer LIKE '22P03%') AS others_refused
FROM images, unnest(ARRAY['x::text', 'tags(''vip'') @@ x', 'tagquery_tree(x)']) question,
	LATERAL (SELECT hostile.error_of(format('SELECT %s FROM (SELECT %L::bytea::tagquery AS x) s', question, image)) AS error) e GROUP BY question ORDER BY question COLLATE "C";
SELECT bool_and(hostile.error_of(format('SELECT %L::bytea::tagquery::text', image)) LIKE '22021 %') AS not_utf8 FROM images WHERE answer LIKE '22021%';
DROP CAST (bytea AS tagquery);

-- The tags of a query: each once, in the order of their bytes.
SELECT query, tag_list(query::tagquery)
FROM (VALUES ('b'), ('!b & (a | b) & "new friend"'), ('é | z | "," | "\"" | Z')) q(query);
