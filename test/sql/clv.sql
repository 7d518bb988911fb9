-- clv: models of what members will order and be worth.
\set ECHO none
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET extra_float_digits = 1;

CREATE FUNCTION pg_temp.error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Whether a figure is the expected one to within a relative error.
CREATE FUNCTION pg_temp.is_near(got float8, expected float8, tolerance float8) RETURNS boolean LANGUAGE SQL
RETURN coalesce(abs(got - expected) <= tolerance * abs(expected), got IS NULL AND expected IS NULL);

-- A model with given parameters, by the bytes of docs/storage-format.md: 0 nbd, 1 bg/nbd, 2 mbg/nbd, 3 pareto/nbd.
CREATE FUNCTION pg_temp.model(kind integer, orders float8[], spend float8[] DEFAULT '{}') RETURNS clv_model LANGUAGE SQL IMMUTABLE AS $$
	SELECT ('clv_model:' || replace(encode(
		decode('1001' || lpad(to_hex(kind), 2, '0') || '0200000000', 'hex') || int4send(0) || int8send(100) || int8send(50) || int8send(80)
		|| float8send(400) || float8send(0) || float8send(-1) || float8send(-2)
		|| int8send(CASE spend WHEN '{}' THEN 0 ELSE 50 END) || int8send(0)
		|| (SELECT string_agg(float8send(p), ''::bytea ORDER BY n) FROM unnest(orders) WITH ORDINALITY o(p, n))
		|| CASE spend WHEN '{}' THEN ''::bytea ELSE float8send(-3) || float8send(0) ||
			(SELECT string_agg(float8send(p), ''::bytea ORDER BY n) FROM unnest(spend) WITH ORDINALITY o(p, n)) END, 'base64'), E'\n', ''))::clv_model
$$;

\echo '# Functions of given parameters, in weeks: figures are those of mpmath'
CREATE TEMP TABLE fixed AS
SELECT * FROM (VALUES
	('bg/nbd', pg_temp.model(1, '{.243,4.414,.793,2.426}', '{6.25,3.74,15.44}')),
	('mbg/nbd', pg_temp.model(2, '{.525,6.183,.891,1.614}', '{6.25,3.74,15.44}')),
	('pareto/nbd', pg_temp.model(3, '{.5533,10.578,.6061,11.669}', '{6.25,3.74,15.44}'))) v(name, model);
CREATE TEMP TABLE oracle (repeats bigint, last_age float8, age float8, name text, p_alive float8, orders float8, discounted float8, endless float8);
INSERT INTO oracle VALUES
	(2, 30.43, 38.86, 'bg/nbd', .726578570081, 1.22602817477, 1.46191919902, NULL),
	(2, 30.43, 38.86, 'mbg/nbd', .706202265118, 1.26296062327, 1.49889898604, NULL),
	(2, 30.43, 38.86, 'pareto/nbd', .869144157852, 1.45521181836, 1.73596828076, 6.50144656382),
	(0, 0, 38.86, 'bg/nbd', 1, .195098052011, .236001798064, NULL),
	(0, 0, 38.86, 'mbg/nbd', .389735080919, .154012746675, .185228229572, NULL),
	(0, 0, 38.86, 'pareto/nbd', .29517194655, .107094779781, .127756755676, .478467106454),
	(1, 1.71, 38.86, 'bg/nbd', .212100985377, .20318698708, .243530091492, NULL),
	(1, 1.71, 38.86, 'mbg/nbd', .17083648431, .188836541364, .225210112378, NULL),
	(1, 1.71, 38.86, 'pareto/nbd', .167924320216, .171041498889, .204040822799, .764161719409),
	(26, 30.86, 31, 'bg/nbd', .968915649718, 20.7497261409, 24.2286882365, NULL),
	(26, 30.86, 31, 'mbg/nbd', .965566144144, 19.4507226522, 22.5942980066, NULL),
	(26, 30.86, 31, 'pareto/nbd', .997918386913, 20.1165656245, 23.8911316559, 86.2784620998),
	(0, 0, 0, 'bg/nbd', 1, 1.19672319332, 1.36606132841, NULL),
	(0, 0, 0, 'mbg/nbd', .644311377246, 1.1829536656, 1.34226642995, NULL),
	(0, 0, 0, 'pareto/nbd', 1, 1.21356324783, 1.39101960642, 3.96534105008),
	(3, 38.86, 38.86, 'bg/nbd', .848055182985, 2.03644320153, 2.42042778457, NULL),
	(3, 38.86, 38.86, 'mbg/nbd', .838147138965, 2.06032231947, 2.4375319799, NULL),
	(3, 38.86, 38.86, 'pareto/nbd', 1, 2.33004564326, 2.77958526614, 10.4099396732),
	(221, 103.42857, 103.57143, 'bg/nbd', .995244269664, 70.175691234, 84.5617855718, NULL),
	(221, 103.42857, 103.57143, 'mbg/nbd', .994687246356, 68.1939862527, 81.9011966185, NULL),
	(221, 103.42857, 103.57143, 'pareto/nbd', .999133928593, 69.0288685478, 83.8769697436, 377.821103042),
	(1, .142857, 78, 'bg/nbd', .0772393373194, .0415545295088, .0505115836882, NULL),
	(1, .142857, 78, 'mbg/nbd', .0536090708503, .0341611574389, .0413772631617, NULL),
	(1, .142857, 78, 'pareto/nbd', .0399898497846, .0244019700486, .0295050351314, .125598064903),
	(10000, 99.99, 100, 'bg/nbd', .999793420763, 3279.76538194, NULL, NULL),
	(10000, 99.99, 100, 'mbg/nbd', .99977156913, 3181.7766594, NULL, NULL),
	(10000, 99.99, 100, 'pareto/nbd', .999911752333, NULL, NULL, NULL),
	(10000, 50, 100, 'bg/nbd', 0, 0, NULL, NULL);
-- ln(1.15) / 52 a week is as much a day here, where a year has 365.25 of them.
\set rate 'exp(ln(1.15) / 52 * 365.25) - 1'
SELECT o.name, o.repeats, o.age FROM oracle o JOIN fixed f USING (name)
WHERE NOT (pg_temp.is_near(p_alive(model, repeats, last_age, age), p_alive, 1e-10)
	AND (orders IS NULL OR pg_temp.is_near(expected_orders(model, repeats, last_age, age, 39), orders, 1e-10))
	AND (discounted IS NULL OR pg_temp.is_near(discounted_orders(model, repeats, last_age, age, 52, :rate), discounted, 1e-10))
	AND (endless IS NULL OR pg_temp.is_near(discounted_orders(model, repeats, last_age, age, 'Infinity', :rate), endless, 1e-10)));
SELECT name FROM fixed JOIN (VALUES ('bg/nbd', .554627137917, .144550540783), ('mbg/nbd', .559994090822, .108829398777), ('pareto/nbd', .591942195136, .0692887172695)) v(name, a, b) USING (name)
WHERE NOT (pg_temp.is_near(p_order(model, 2, 30.43, 38.86, 39), a, 1e-10) AND pg_temp.is_near(p_order(model, 0, 0, 38.86, 39), b, 1e-10));

\echo '# At edges'
SELECT n FROM (VALUES
	(1, expected_orders(pg_temp.model(1, '{.243,4.414,1,2.426}'), 2, 30.43, 38.86, 39), 1.10213678604),
	(2, expected_orders(pg_temp.model(1, '{.243,4.414,1.0000001,2.426}'), 2, 30.43, 38.86, 39), 1.10213673142),
	(3, expected_orders(pg_temp.model(1, '{.243,4.414,.5,1e6}'), 2, 30.43, 38.86, 39), 2.02146473572),
	(4, expected_orders(pg_temp.model(3, '{.5533,10.578,1,11.669}'), 2, 30.43, 38.86, 39), 1.18618408148),
	(5, expected_orders(pg_temp.model(1, '{.01,5,.8,2}'), 0, 0, 10, 52), .0255084074727),
	(6, expected_orders(pg_temp.model(2, '{.3,.5,.8,2}'), 0, 0, 0, 52), 4.38853282218),
	(7, p_alive(pg_temp.model(3, '{.5143,2.8845,.2856,14.1087}'), 221, 103.42857, 103.57143), .999596052318),
	(8, p_alive(pg_temp.model(3, '{2,50,.3,.2}'), 0, 0, 38.86), .0843257001834),
	(9, discounted_orders(pg_temp.model(3, '{.5629966,12.5590370,.4081095,10.5148048}'), 2, 30.43, 38.86, 'Infinity', :rate), 8.61324671175),
	(10, p_alive(pg_temp.model(0, '{1,5}'), 0, 0, 1000), 1),
	(11, expected_orders(pg_temp.model(0, '{1,5}'), 2, 3, 10, 30), 6)) v(n, got, expected)
WHERE NOT pg_temp.is_near(got, expected, 1e-10);

\echo '# Spend, and what it is all worth'
SELECT n FROM fixed, LATERAL (VALUES
	(1, expected_spend(model, 2, 22.345), 24.6596128609), (2, expected_spend(model, 1, 11.77), 18.9168520578), (3, expected_spend(model, 0, NULL), 35.2189781022),
	(4, expected_spend(model, 7, 73.74), 71.469670897), (5, expected_spend(model, 1, 0), 10.7341490545), (6, expected_spend(model, 1, -5), 10.7341490545),
	(7, expected_spend(model, 0, 999), 35.2189781022), (8, expected_spend(model, 1, NULL), NULL),
	(9, clv(model, 2, 30.43, 38.86, 22.345, 52, :rate, 0.4), 0.4 * 24.6596128609 * discounted_orders(model, 2, 30.43, 38.86, 52, :rate)),
	(10, clv(model, 2, 30.43, 38.86, 22.345, 39, 0), 24.6596128609 * expected_orders(model, 2, 30.43, 38.86, 39)),
	(11, clv(model, 2, 30.43, 38.86, NULL, 39, 0), NULL), (12, discounted_orders(model, 2, 30.43, 38.86, 39, 0), expected_orders(model, 2, 30.43, 38.86, 39)),
	(13, clv(model, 2, 30.43, 38.86, 22.345, 52), clv(model, 2, 30.43, 38.86, 22.345, 52, 0.1, 1))) v(n, got, expected)
WHERE name = 'mbg/nbd' AND NOT pg_temp.is_near(got, expected, 1e-10);
SELECT expected_spend(pg_temp.model(2, '{1,10,1,1}'), 2, 20) AS no_spend, clv(pg_temp.model(2, '{1,10,1,1}'), 0, 0, 10, NULL, 365) AS no_clv,
	expected_spend(pg_temp.model(2, '{1,10,1,1}', '{2,0.9,10}'), 0, NULL) AS no_mean, round(expected_spend(pg_temp.model(2, '{1,10,1,1}', '{2,0.9,10}'), 1, 20)::numeric, 9) AS mean;
-- A year has 365.25 days for a model of columns.
SELECT name, pg_temp.is_near(n.expected_orders, expected_orders(model, 0, 0, 0, 365.25), 1e-14) AS orders, pg_temp.is_near(n.expected_spend, 35.2189781022, 1e-10) AS spend,
	pg_temp.is_near(n.clv, clv(model, 0, 0, 0, NULL, 365.25, 0.1, 0.5), 1e-14) AS value
FROM fixed, new_member_value(model, margin => 0.5) n ORDER BY name;

-- ---------- members ----------

\echo '# What a fit sees: days, not orders; refunds take from their day''s money and are no order'
CREATE TEMP TABLE visits (customer_id bigint, ordered_at timestamp, amount numeric);
INSERT INTO visits VALUES
	(1, '2026-01-01 09:00', 10), (1, '2026-01-01 17:00', 20), (1, '2026-01-11', 30), (1, '2026-01-11 12:00', 5.5), (1, '2026-01-20', -8), (1, '2026-02-01', 40),
	(2, '2026-01-05', 100), (2, '2026-01-05 10:00', -100), (2, '2026-01-06', -1),
	(3, '2026-01-03', -50), (3, '2026-01-04', 0), (3, '2026-01-10', 7), (3, '2026-01-31', -10),
	(4, '2026-02-02', 1), (5, '2026-01-09', -3),
	(6, '2026-01-01', 1e20), (6, '2026-01-02', 12345678901234567890.5), (6, '2026-01-03', 0.25);
CREATE TEMP TABLE visited AS SELECT retention_book(customer_id, ordered_at, amount, 'day', 'UTC') AS book FROM visits;
SELECT s.* FROM visited, clv_summaries(book, '2026-01-31') s;
SELECT s.member, s.repeats, s.last_age, s.age, s.mean_spend FROM visited, clv_summaries(book) s;
SELECT (clv_summaries(NULL::text, retention_book(customer_id::text, ordered_at, amount, 'day', 'Asia/Tokyo'), '2026-01-31')).* FROM visits WHERE customer_id < 3;
SELECT (clv_summaries(NULL::uuid, retention_book(lpad(customer_id::text, 32, '0')::uuid, ordered_at, amount, 'day', 'UTC'), '2026-01-31')).* FROM visits WHERE customer_id < 3;

-- ---------- fitting ----------

-- A shop: members come on days of a year, order at rates of their own, and may leave after an order. Dice are hashes.
CREATE FUNCTION pg_temp.chance(i bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT ((hashint8extended(hashint8extended(i, stream), stream) & ((1::bigint << 52) - 1)) + 0.5)::float8 / (1::bigint << 52)
$$;
CREATE TEMP TABLE shop AS
WITH RECURSIVE member AS (
	SELECT id, pg_temp.chance(id, 1) * 365 AS came, -ln(pg_temp.chance(id, 2)) / 40 AS rate, pg_temp.chance(id, 3) ^ 2 AS p_leave, exp(3 + pg_temp.chance(id, 4)) AS money
	FROM generate_series(1, 1500) id),
visit AS (
	SELECT id, came AS at, 0 AS n, rate, p_leave, money FROM member
	UNION ALL SELECT id, at - ln(pg_temp.chance(id * 1000 + n, 5)) / rate, n + 1, rate, p_leave, money FROM visit
	WHERE at < 730 AND n < 300 AND pg_temp.chance(id * 1000 + n, 6) > p_leave)
SELECT id AS customer_id, date '2024-01-01' + floor(at)::int AS day, round((money * (0.5 + pg_temp.chance(id * 1000 + n, 7)))::numeric, 2) AS amount FROM visit WHERE at < 730;
CREATE TEMP TABLE books AS SELECT retention_book(customer_id, day, amount, 'day', 'UTC') AS book FROM shop;

SELECT clv_fit(book) AS mbg, clv_fit(book, 'bg/nbd') AS bg, clv_fit(book, 'pareto/nbd') AS pareto, clv_fit(book, until => '2025-06-30') AS half FROM books \gset
\echo '# A model''s parameters, and what it says of itself'
SELECT part, name, to_char(estimate, '9.9999EEEE') AS estimate, to_char(std_error, '9.9999EEEE') AS std_error, to_char(ci_low, '9.999EEEE') AS ci_low, to_char(ci_high, '9.999EEEE') AS ci_high FROM clv_parameters(:'mbg');
SELECT part, name, to_char(estimate, '9.9999EEEE') AS estimate, to_char(std_error, '9.9999EEEE') AS std_error FROM clv_parameters(:'pareto') WHERE part <> 'gamma-gamma';
\x
SELECT model_used, model_asked, until, timezone, members, repeaters, repeats, longest_age, penalty, round(log_likelihood::numeric, 5) AS log_likelihood, round(nbd_log_likelihood::numeric, 5) AS nbd_log_likelihood,
	spend_members, spend_left_out, round(spend_log_likelihood::numeric, 5) AS spend_log_likelihood, round(spend_correlation::numeric, 8) AS spend_correlation FROM clv_details(:'half');
\x
SELECT log_likelihood(:'mbg') = log_likelihood FROM clv_details(:'mbg');
SELECT warnings(:'mbg'), is_reliable(:'mbg'), warnings(:'mbg', '3 years'), warnings(:'mbg', '5 years'), warnings(NULL);

\echo '# best is the one of the highest likelihood'
SELECT d.model_used, d.model_asked, d.log_likelihood = greatest(log_likelihood(:'mbg'), log_likelihood(:'bg'), log_likelihood(:'pareto')) AS is_highest FROM books, clv_details(clv_fit(book, 'best')) d;

\echo '# The same bytes for any order of rows, parts, and workers; of columns, too'
SELECT (SELECT clv_fit(retention_book(customer_id, day, amount, 'day', 'UTC' ORDER BY amount DESC)) FROM shop)::text = :'mbg' AS ordered,
	(SELECT clv_fit(rollup(b)) FROM (SELECT retention_book(customer_id, day, amount, 'day', 'UTC') AS b FROM shop GROUP BY day) d)::text = :'mbg' AS by_day,
	(SELECT clv_fit(rollup(b)) FROM (SELECT retention_book(customer_id, day, amount, 'day', 'UTC') AS b FROM shop GROUP BY customer_id % 7) d)::text = :'mbg' AS by_member;
CREATE TEMP TABLE summaries AS SELECT s.* FROM books, clv_summaries(book, '2025-06-30') s;
SELECT clv_fit(repeats, last_age, age, mean_spend, 'pareto/nbd' ORDER BY member)::text = clv_fit(repeats, last_age, age, mean_spend, 'pareto/nbd' ORDER BY age, member DESC)::text AS same_bytes FROM summaries;
SELECT bool_and(a.part = b.part AND a.name = b.name AND pg_temp.is_near(a.estimate, b.estimate, 1e-9) AND pg_temp.is_near(a.std_error, b.std_error, 1e-7)) AS same, count(*)
FROM (SELECT clv_fit(repeats, last_age, age, mean_spend, 'mbg/nbd') AS m FROM summaries) s, clv_parameters(m) a JOIN clv_parameters(:'half') b USING (part, name);

\echo '# Every member twice: the same parameters, twice the likelihood, errors divided by the root of 2'
SELECT bool_and(pg_temp.is_near(a.estimate, b.estimate, 1e-7) AND pg_temp.is_near(a.std_error, b.std_error / sqrt(2), 1e-5)) AS same,
	bool_and(pg_temp.is_near(log_likelihood(twice), 2 * log_likelihood(once), 1e-12)) AS likelihood
FROM (SELECT clv_fit(repeats, last_age, age, mean_spend, 'bg/nbd') AS once, (SELECT clv_fit(repeats, last_age, age, mean_spend, 'bg/nbd') FROM (TABLE summaries UNION ALL TABLE summaries) t) AS twice FROM summaries) m,
	clv_parameters(twice) a JOIN clv_parameters(once) b USING (part, name);

\echo '# Members who came today say nothing'
SELECT m, pg_temp.is_near(log_likelihood((SELECT clv_fit(repeats, last_age, age, mean_spend, m) FROM (TABLE summaries UNION ALL SELECT -i, 0, 0, 0, NULL, 0, 0 FROM generate_series(1, 10) i) t)), log_likelihood(clv_fit(repeats, last_age, age, mean_spend, m)), 1e-13) AS same
FROM summaries, unnest('{bg/nbd,pareto/nbd}'::text[]) m GROUP BY m ORDER BY m;

\echo '# Boundaries are answers'
CREATE FUNCTION pg_temp.parameters(m clv_model) RETURNS text LANGUAGE SQL RETURN (SELECT string_agg(name || ' ' || round(estimate::numeric, 4), ', ') FROM clv_parameters(m) WHERE part <> 'gamma-gamma');
SELECT m, pg_temp.parameters(clv_fit(3, 20, 30, NULL, m)) AS one_member, round(log_likelihood(clv_fit(3, 20, 30, NULL, m))::numeric, 5) AS log_likelihood, warnings(clv_fit(3, 20, 30, NULL, m)) FROM unnest('{bg/nbd,mbg/nbd}'::text[]) m GROUP BY m ORDER BY m;
SELECT m, pg_temp.parameters(clv_fit(10, 100, 101, 5, m)) AS same_rate, warnings(clv_fit(10, 100, 101, 5, m)), p_alive(clv_fit(10, 100, 101, 5, m), 10, 100, 101) > 0.99 AS alive
FROM unnest('{bg/nbd,mbg/nbd}'::text[]) m, generate_series(1, 500) i GROUP BY m ORDER BY m;
SELECT warnings(clv_fit(book, 'bg/nbd', penalty => 100)), (SELECT estimate FROM clv_parameters(clv_fit(book, 'bg/nbd', penalty => 1e9)) WHERE name = 'a') BETWEEN 0.99 AND 1.01 AS is_the_guess FROM books;
-- Nobody leaves: orders at a steady rate to the end.
SELECT model_used, model_asked, warnings(m), p_alive(m, 1, 10, 300) FROM (SELECT clv_fit((pg_temp.chance(i, 1) * 10)::bigint + 1, 300 - pg_temp.chance(i, 2) * 20, 300, NULL, 'mbg/nbd') AS m FROM generate_series(1, 300) i) f, clv_details(m);

\echo '# Warnings'
SELECT warnings(clv_fit(repeats, last_age, age, mean_spend, 'mbg/nbd')) FROM summaries WHERE member <= 30;
SELECT warnings(clv_fit(repeats, last_age, age, mean_spend, 'mbg/nbd')) AS one_dominates FROM (TABLE summaries UNION ALL SELECT 0, 1000, 400, 400, 30, 0, 0) t;
SELECT warnings(clv_fit(repeats, last_age, age, mean_spend + 20 * repeats, 'mbg/nbd')) AS depends FROM summaries;
SELECT warnings(clv_fit(repeats, last_age, age, CASE WHEN member % 10 = 0 THEN -1 ELSE mean_spend END, 'mbg/nbd')) AS left_out FROM summaries;
SELECT warnings(clv_fit(repeats, last_age, age, (exp(20 * pg_temp.chance(member, 9)))::numeric, 'mbg/nbd')) AS no_mean FROM summaries;
SELECT warnings(clv_fit(1, 19, 20, 5, 'mbg/nbd')) AS short FROM generate_series(1, 200);
SELECT warnings(clv_fit(retention_book(customer_id, day, amount, 'day', 'UTC'))) AS seasonal FROM (TABLE shop UNION ALL SELECT i, date '2025-12-20' + i % 7, 20 FROM generate_series(1, 700) i) t;

\echo '# No rows, NULL, a book without members'
SELECT clv_fit(NULL) IS NULL AS no_book, (SELECT clv_fit(repeats, last_age, age, mean_spend, 'best') FROM summaries WHERE false) IS NULL AS no_rows,
	(SELECT clv_fit(NULL, last_age, age, mean_spend, 'best') FROM summaries) IS NULL AS only_null, p_alive(NULL, 1, 2, 3) IS NULL AS no_model,
	(SELECT clv_fit(retention_book(NULL::bigint, day, amount, 'day', 'UTC')) FROM shop) IS NULL AS no_members;
SELECT (SELECT count(*) FROM (SELECT (clv_members(NULL, :'mbg'::clv_model)).*) r) AS members, (SELECT count(*) FROM (SELECT (clv_members(book, NULL)).* FROM books) r) AS no_model, (SELECT count(*) FROM (SELECT (clv_check(NULL, '2025-06-30')).*) r) AS checks,
	(SELECT count(*) FROM (SELECT (clv_frequencies(NULL, :'mbg')).*) r) AS frequencies, (SELECT count(*) FROM (SELECT (clv_tracking(retention_book(NULL::bigint, day, amount, 'day', 'UTC'), :'mbg')).* FROM shop) r) AS weeks,
	(SELECT count(*) FROM clv_parameters(NULL)) AS parameters, (SELECT count(*) FROM new_member_value(NULL)) AS new_members;

-- ---------- members of a book ----------

\echo '# Members are what the functions of columns say, at the last day or another'
SELECT count(*), count(*) FILTER (WHERE (m.repeats, m.last_age, m.age) IS DISTINCT FROM (s.repeats, s.last_age, s.age)
	OR m.p_alive <> p_alive(model, s.repeats, s.last_age, s.age) OR m.p_order <> p_order(model, s.repeats, s.last_age, s.age, horizon)
	OR NOT pg_temp.is_near(m.expected_orders, expected_orders(model, s.repeats, s.last_age, s.age, horizon), 1e-14)
	OR NOT pg_temp.is_near(m.expected_spend, expected_spend(model, s.repeats, s.mean_spend), 1e-14)
	OR NOT pg_temp.is_near(m.clv, clv(model, s.repeats, s.last_age, s.age, s.mean_spend, horizon, 0.1, 0.3), 1e-13)) AS different
FROM (VALUES (:'mbg'::clv_model, NULL::date, 365), (:'pareto', '2025-06-30', 365), (:'half', '2025-12-30', 365), (:'bg', '2024-02-29', 365)) v(model, as_of, horizon), books,
	LATERAL (SELECT * FROM clv_members(book, model, '1 year', as_of, margin => 0.3)) m, LATERAL (SELECT * FROM clv_summaries(book, least(as_of, '2025-12-30'))) s
WHERE m.member = s.member;
SELECT max(day) FROM shop;
-- A year from a leap day on has 365 days, and the one before the last of February 366.
SELECT as_of, days, count(*) FILTER (WHERE m.p_order <> p_order(:'mbg', m.repeats, m.last_age, m.age, days)) AS different
FROM (VALUES (date '2024-02-29', 365), ('2024-02-28', 366), ('2027-03-31', 366)) v(as_of, days), books, LATERAL clv_members(book, :'mbg', as_of => as_of) m GROUP BY 1, 2 ORDER BY 1;
SELECT count(*) FILTER (WHERE m.p_order <> p_order(:'mbg', m.repeats, m.last_age, m.age, 1.5)) AS different FROM books, clv_members(book, :'mbg', '1 day 12 hours') m;
SELECT round(sum(clv)::numeric, 4) AS clv FROM books, clv_members(book, :'mbg') UNION ALL
SELECT round(sum(clv)::numeric, 4) FROM (SELECT (clv_members(NULL::text, retention_book(customer_id::text, day, amount, 'day', 'UTC'), :'mbg')).* FROM shop) m;
-- A model of the members' own columns has no time zone.
SELECT count(*) FROM (SELECT (clv_members(retention_book(customer_id, day, amount, 'day', 'Asia/Tokyo'), (SELECT clv_fit(repeats, last_age, age, mean_spend, 'mbg/nbd') FROM summaries))).* FROM shop) m;

-- ---------- does it fit ----------

\echo '# The check, by its definition'
CREATE TEMP TABLE predicted AS
SELECT s.*, expected_orders(:'half', repeats, last_age, age, holdout) AS prediction, CASE WHEN age > 0 THEN repeats * holdout / age ELSE 0 END AS naive,
	p_alive(:'half', repeats, last_age, age) AS alive, expected_spend(:'half', repeats, mean_spend) AS spend,
	(SELECT count(DISTINCT day) FROM shop WHERE customer_id = member AND day > date '2025-06-30' - holdout AND day <= '2025-06-30') AS as_before
FROM summaries s, (SELECT max(day) - date '2025-06-30' AS holdout FROM shop) h;
SELECT c.fitted_until, c.holdout_days, c.model_used, c.members = p.members AS members, pg_temp.is_near(c.members_alive, p.alive, 1e-12) AS alive, c.actual = p.actual AS actual, pg_temp.is_near(c.predicted, p.predicted, 1e-12) AS predicted,
	pg_temp.is_near(c.bias_pct, 100 * (p.predicted / p.actual - 1), 1e-10) AS bias, pg_temp.is_near(c.mae, p.mae, 1e-12) AS mae, pg_temp.is_near(c.rmse, p.rmse, 1e-12) AS rmse,
	pg_temp.is_near(c.naive, p.naive, 1e-12) AND pg_temp.is_near(c.naive_mae, p.naive_mae, 1e-12) AND pg_temp.is_near(c.naive_rmse, p.naive_rmse, 1e-12) AND pg_temp.is_near(c.naive_bias_pct, 100 * (p.naive / p.actual - 1), 1e-10) AS naive,
	c.as_before = p.as_before AND pg_temp.is_near(c.as_before_mae, p.as_before_mae, 1e-12) AND pg_temp.is_near(c.as_before_rmse, p.as_before_rmse, 1e-12) AS as_before,
	c.actual_net = p.actual_net AS actual_net, pg_temp.is_near(c.predicted_net, p.predicted_net, 1e-12) AS predicted_net, c.warnings, c.verdict
FROM books, clv_check(book, '2025-06-30') c,
	(SELECT count(*) AS members, sum(alive) AS alive, sum(holdout_days) AS actual, sum(prediction) AS predicted, avg(abs(prediction - holdout_days)) AS mae, sqrt(avg((prediction - holdout_days) ^ 2)) AS rmse,
		sum(naive) AS naive, avg(abs(naive - holdout_days)) AS naive_mae, sqrt(avg((naive - holdout_days) ^ 2)) AS naive_rmse,
		sum(as_before) AS as_before, avg(abs(as_before - holdout_days)) AS as_before_mae, sqrt(avg((as_before - holdout_days) ^ 2)) AS as_before_rmse,
		sum(holdout_net) AS actual_net, sum(prediction * spend) AS predicted_net FROM predicted) p;
\echo '# Deciles, equal predictions in the same'
SELECT count(*) AS deciles, bool_and(d.members = e.members AND pg_temp.is_near(d.predicted, e.predicted, 1e-12) AND pg_temp.is_near(d.actual, e.actual, 1e-12)
	AND pg_temp.is_near(d.predicted_net, e.predicted_net, 1e-12) AND pg_temp.is_near(d.actual_net, e.actual_net, 1e-12)) AS same, sum(d.members)
FROM books, clv_check_deciles(book, '2025-06-30') d FULL JOIN (SELECT decile, count(*) AS members, avg(prediction) AS predicted, avg(holdout_days) AS actual, avg(prediction * spend) AS predicted_net, avg(holdout_net) AS actual_net
	FROM (SELECT *, 1 + 10 * (rank() OVER (ORDER BY prediction DESC) - 1) / count(*) OVER () AS decile FROM predicted) p GROUP BY decile) e USING (decile);
-- Most of them have the same figures.
SELECT d.decile, d.members, d.actual FROM (SELECT retention_book(i, day, 5, 'day', 'UTC') AS book FROM (SELECT i, date '2026-01-01' AS day FROM generate_series(1, 100) i
	UNION ALL SELECT i, '2026-01-06' FROM generate_series(1, 20) i UNION ALL SELECT i, '2026-01-08' FROM generate_series(1, 10) i UNION ALL SELECT 1, '2026-01-12') s) b, clv_check_deciles(book, '2026-01-11', penalty => 1) d;
\echo '# Numbers of repeats, and weeks'
SELECT f.repeats, f.or_more, f.members, f.members = s.members AS same, round(f.expected::numeric, 6) AS expected FROM books, clv_frequencies(book, :'half') f JOIN (SELECT least(repeats, 7) AS repeats, count(*) AS members FROM summaries GROUP BY 1) s USING (repeats) ORDER BY 1;
SELECT m, round(sum(f.expected)::numeric, 6) AS members, bool_and(f.expected > 0) AS above_0 FROM books, (VALUES ('bg', :'bg'::clv_model), ('pareto', :'pareto')) v(m, model), clv_frequencies(book, model) f GROUP BY m ORDER BY m;
WITH w AS MATERIALIZED (SELECT t.* FROM books, clv_tracking(book, :'half') t)
SELECT count(*) AS weeks, min(week_end), max(week_end), count(*) FILTER (WHERE is_holdout) AS later, bool_or(week_end = '2025-06-30' AND NOT is_holdout) AS ends_with_the_fit,
	bool_and(w.repeats = coalesce(s.repeats, 0)) AS repeats,
	bool_and(pg_temp.is_near(w.expected_so_far, (SELECT sum(expected_orders(:'half', 0, 0, 0, week_end - first)) FROM (SELECT min(day) AS first FROM shop GROUP BY customer_id) f WHERE first <= least(week_end, '2025-06-30')), 1e-12)) AS expected,
	max(repeats_so_far) = sum(w.repeats) AND pg_temp.is_near(max(expected_so_far), sum(w.expected), 1e-12) AS so_far
FROM w LEFT JOIN LATERAL (SELECT count(*) AS repeats FROM (SELECT DISTINCT customer_id, day FROM shop WHERE day <= week_end AND day > week_end - CASE week_end WHEN '2025-12-30' THEN (date '2025-12-30' - date '2025-06-30') % 7 ELSE 7 END) d
	JOIN (SELECT customer_id, min(day) AS first FROM shop GROUP BY customer_id) f USING (customer_id) WHERE day > first AND first <= '2025-06-30') s ON true;
-- Of columns: all weeks are of the fit.
SELECT count(*), bool_or(is_holdout) AS later, max(week_end) FROM (SELECT clv_fit(repeats, last_age, age, mean_spend, 'bg/nbd') AS m FROM summaries) f, books, clv_tracking(book, m);

-- ---------- the type ----------

\echo '# Text and binary forms'
SELECT bool_and(m::text::clv_model = m AND clv_model_send(m::text::clv_model) = clv_model_send(m)) AS round_trips, max(length(clv_model_send(m))) AS bytes
FROM (SELECT model FROM fixed UNION ALL VALUES (:'mbg'::clv_model), (:'pareto'), (:'half')) v(m);
SELECT pg_temp.error(format('SELECT %L::clv_model', v)) FROM (VALUES (''), ('v1'), ('clv_model:'), ('clv_model:EAE='), ('clv_model:EAI='), ('clv_model:DwE='), (left(:'mbg', 200)), (:'mbg' || 'AAAA'), ('clv_model:' || translate(substr(:'mbg', 11), 'A', 'B'))) t(v);
-- One byte after the other is another; every other value is refused or is another model, which reads and predicts.
DO $$
DECLARE
	model clv_model := (SELECT clv_fit(book, 'pareto/nbd') FROM books);
	bytes bytea := clv_model_send(model);
	changed bytea;
	other clv_model;
	refused integer := 0;
	b integer;
BEGIN
	FOR i IN 0..length(bytes) - 1 LOOP
		FOREACH b IN ARRAY ARRAY[1, 64, 128, 255] LOOP
			changed := set_byte(bytes, i, get_byte(bytes, i) # b);
			BEGIN
				other := ('clv_model:' || replace(encode(changed, 'base64'), E'\n', ''))::clv_model;
			EXCEPTION WHEN invalid_text_representation THEN
				refused := refused + 1;
				CONTINUE;
			END;
			IF other = model OR clv_model_send(other) <> changed THEN
				RAISE 'byte % is not seen', i;
			END IF;
			BEGIN
				PERFORM p_alive(other, 3, 20, 30), p_order(other, 3, 20, 30, 365), expected_orders(other, 0, 0, 30, 365), clv(other, 3, 20, 30, 15.5, 365), clv_parameters(other), clv_details(other), new_member_value(other), warnings(other);
			EXCEPTION WHEN numeric_value_out_of_range OR datetime_field_overflow THEN
				NULL;
			END;
		END LOOP;
	END LOOP;
	RAISE WARNING 'refused: %', refused > 100;
END $$;
SELECT count(DISTINCT m), count(*) FROM (SELECT m FROM (VALUES (:'mbg'::clv_model), (:'bg'), (:'mbg')) v(m)) v;
SELECT :'mbg'::clv_model = :'mbg' AS eq, :'mbg'::clv_model <> :'bg' AS ne, :'mbg'::clv_model < :'bg' OR :'bg'::clv_model < :'mbg' AS lt, (SELECT count(*) FROM (TABLE fixed) a JOIN fixed b ON a.model = b.model) AS joined;

-- ---------- errors ----------

\echo '# Errors'
SELECT pg_temp.error(statement) FROM (VALUES
	('SELECT clv_fit(book, ''gg'') FROM books'), ('SELECT clv_fit(book, NULL) FROM books'), ('SELECT clv_fit(book, penalty => -1) FROM books'), ('SELECT clv_fit(book, penalty => ''NaN'') FROM books'), ('SELECT clv_fit(book, penalty => NULL) FROM books'),
	('SELECT clv_fit(book, until => ''2023-12-31'') FROM books'), ('SELECT clv_fit(book, until => ''2026-01-01'') FROM books'), ('SELECT clv_fit(book, until => ''infinity'') FROM books'),
	('SELECT clv_fit(retention_book(customer_id, day, ''day'', ''UTC'')) FROM shop'), ('SELECT clv_fit(retention_book(customer_id, day, amount, ''month'', ''UTC'')) FROM shop'), ('SELECT clv_fit(retention_book(customer_id, day::timestamptz)) FROM shop'),
	('SELECT clv_fit(retention_book(customer_id, day, amount, ''day'', ''UTC'')) FROM (SELECT DISTINCT ON (customer_id) * FROM shop ORDER BY customer_id, day) s'),
	('SELECT clv_fit(0, 0, age, NULL, ''mbg/nbd'') FROM summaries'),
	('SELECT clv_fit(repeats, last_age, age, mean_spend, CASE WHEN member < 9 THEN ''mbg/nbd'' ELSE ''best'' END ORDER BY member) FROM summaries'), ('SELECT clv_fit(repeats, last_age, age, mean_spend, ''bgnbd'') FROM summaries'),
	('SELECT clv_fit(1, 31, 30, 5, ''best'')'), ('SELECT clv_fit(-1, 0, 30, 5, ''best'')'), ('SELECT clv_fit(1, 0, 30, 5, ''best'')'), ('SELECT clv_fit(0, 1, 30, 5, ''best'')'), ('SELECT clv_fit(1, ''NaN'', 30, 5, ''best'')'), ('SELECT clv_fit(1, 1, ''Infinity'', 5, ''best'')'),
	('SELECT clv_fit(5000000000, 1, 30, 5, ''best'')'), ('SELECT clv_fit(1, 1e-7, 30, 5, ''best'')'), ('SELECT clv_fit(1, 1, 2e9, 5, ''best'')'), ('SELECT clv_fit(1, 1, 30, ''NaN'', ''best'')'), ('SELECT clv_fit(1, 1, 30, ''Infinity'', ''best'')'), ('SELECT clv_fit(1, 1, 30, 1e40, ''best'')'),
	('SELECT p_alive(model, 1, 31, 30) FROM fixed'), ('SELECT p_alive(model, -1, 1, 30) FROM fixed'), ('SELECT p_order(model, 1, 1, 30, -1) FROM fixed'), ('SELECT expected_orders(model, 1, 1, 30, ''NaN'') FROM fixed'), ('SELECT expected_orders(model, 1, 1, 30, ''Infinity'') FROM fixed'),
	('SELECT discounted_orders(model, 1, 1, 30, ''Infinity'') FROM fixed WHERE name = ''bg/nbd'''), ('SELECT discounted_orders(model, 1, 1, 30, ''Infinity'', 0) FROM fixed WHERE name = ''pareto/nbd'''), ('SELECT discounted_orders(model, 1, 1, 30, 30, -0.1) FROM fixed'),
	('SELECT clv(model, 1, 1, 30, 5, 30, 0.1, -1) FROM fixed'), ('SELECT clv(model, 1, 1, 30, 5, 30, NULL) FROM fixed'), ('SELECT clv(model, 1, 1, 30, ''NaN'', 30) FROM fixed'), ('SELECT expected_spend(model, -1, 5) FROM fixed'),
	('SELECT new_member_value(model, ''0 days'') FROM fixed'), ('SELECT new_member_value(model, ''-1 year'') FROM fixed'), ('SELECT new_member_value(model, NULL) FROM fixed'), ('SELECT warnings(model, ''-1 day'') FROM fixed'),
	('SELECT clv_members(book, model, ''-178000000 years'') FROM books, fixed'), ('SELECT clv_members(book, model, ''178000000 years'') FROM books, fixed'),
	('SELECT clv_members(book, model, as_of => ''294276-12-31'') FROM books, fixed'), ('SELECT clv_members(book, model, as_of => ''5874897-12-31'') FROM books, fixed'),
	('SELECT clv_members(book, model, ''-1 day'') FROM books, fixed'), ('SELECT clv_members(book, model, NULL) FROM books, fixed'), ('SELECT clv_members(book, model, annual_discount => -1) FROM books, fixed'), ('SELECT clv_members(book, model, margin => ''Infinity'') FROM books, fixed'),
	('SELECT clv_members(book, model, as_of => ''2023-01-01'') FROM books, fixed'), ('SELECT clv_members(book, model, as_of => ''-infinity'') FROM books, fixed'), ('SELECT clv_members(NULL::uuid, book, model) FROM books, fixed'), ('SELECT clv_members(book, model, ''300000 years'') FROM books, fixed'),
	('SELECT clv_members(retention_book(customer_id, day, amount, ''day'', ''Asia/Tokyo''), (SELECT clv_fit(book) FROM books)) FROM shop'),
	('SELECT clv_members(retention_book(customer_id::text, day, amount, ''day'', ''UTC''), (SELECT clv_fit(book) FROM books)) FROM shop'),
	('SELECT clv_summaries(book, ''2026-06-01'') FROM books'), ('SELECT clv_summaries(book, ''2000-06-01'') FROM books'),
	('SELECT clv_check(book, NULL) FROM books'), ('SELECT clv_check(book, max(day)) FROM books, shop GROUP BY book'), ('SELECT clv_check(book, ''2026-06-01'') FROM books'), ('SELECT clv_check_deciles(book, ''2025-06-01'', ''x'') FROM books'),
	('SELECT clv_tracking(retention_book(i, date ''1700-01-01'' + i * 80000, 1, ''day'', ''UTC''), (SELECT clv_fit(1, 19, 20, 5, ''mbg/nbd''))) FROM generate_series(0, 1) i')) v(statement);
-- A model of many years: seasons are not looked for.
SELECT warnings(clv_fit(retention_book(i % 2, date '1700-01-01' + i * 20000, 1, 'day', 'UTC'))) FROM generate_series(0, 5) i;
