-- price_check: how a price stands to a fair one. All figures by hand.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all

-- Up to the tolerance, to the last digit, a price is fair: 10.70 is 7 % above 10, 9.30 below.
SELECT price, tolerance_pct, price_check(price, 10, tolerance_pct)
FROM (VALUES (10.00, 0), (10.70, 5), (10.70, 7), (9.30, 5), (9.30, 7), (10.50, 5), (9.50, 5), (10.51, 5), (9.49, 5),
	(20, 50), (20, 100), (0, 50), (0, 100), (-5, 100), (0.01, 99.9), (1000, 0)) v(price, tolerance_pct);
-- Per cent with one decimal; of less than 0.05 % one digit, never 0.0.
SELECT price, price_check(price, 10, 0) FROM unnest('{10.01,10.005,10.0049,10.0001,9.9999,9.996,10.333333}'::numeric[]) price;
-- However many digits: scale does not matter, and what differs is not lost beside what is large.
SELECT price_check(10.0, 10.000, 0) AS scale, price_check(0.0000000000000000000000000011, 0.0000000000000000000000000010, 5) AS small,
	price_check(99999999999999999999999999999999999999, 50000000000000000000000000000000000000, 50) AS large,
	price_check(1234567890123456789012345679, 1234567890123456789012345678, 5) AS near;
-- In a CHECK: NULL is no answer, and lets a row pass.
SELECT price_check(NULL, 10, 5), price_check(10, NULL, 5), price_check(10, 10, NULL);
CREATE TEMP TABLE sale (item text, price numeric, fair numeric CHECK (price_check(price, fair, 5) = 'ok'));
INSERT INTO sale VALUES ('tea', 10.50, 10), ('new', 3, NULL);
\set VERBOSITY sqlstate
INSERT INTO sale VALUES ('tea', 10.51, 10);
\set VERBOSITY default
-- A fair price is one.
SELECT price_check(10, 0, 5);
SELECT price_check(10, -2.50, 5);
SELECT price_check(10, 10, -1);
SELECT price_check(10, 10, 'NaN');
SELECT price_check(10, 10, 'Infinity');
SELECT price_check('NaN', 10, 5);
SELECT price_check(10, 'Infinity', 5);
SELECT price_check(1e38, 10, 5);
SELECT price_check(10, 1e-29, 5);
\set VERBOSITY terse
-- The state of each error.
SELECT statement, left(hostile.error_of('SELECT price_check(' || statement || ', 5)'), 5) AS state
FROM unnest(ARRAY['10, 0', '0, 0', '10, -1', '''NaN'', 10', '''Infinity'', 10', '''-Infinity'', 10', '10, ''NaN''', '1e39, 1', '1, 1e-40', '1e131071, 1', '1, 1']) statement;
