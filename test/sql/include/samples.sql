-- Good arguments for every function, for tests that call all of them.  Makes the tables "orders" and "samples" in the
-- schema that comes first.
CREATE TABLE orders AS
SELECT n, n % 20 AS member, timestamptz '2025-01-01 05:00Z' + n * 7919 % 8000 * interval '1 hour' AS at, (n * 104729 % 20011 + 99) / 100.0 AS amount,
	(ARRAY['tea', 'rice', 'oil'])[1 + n % 3] AS item, (ARRAY['email', 'sms'])[1 + n % 2] AS channel, (ARRAY['sent', 'sent', 'clicked', 'unsubscribed'])[1 + n * 31 % 4] AS kind
FROM generate_series(1, 400) n;

-- Values of a type that are good, or of arguments of a name or, where they have none, a place. Functions are tried with one after the other until they take it.
CREATE TABLE samples (type text, name text, sample text);
INSERT INTO samples
SELECT 'rfm_summary', NULL, rfm(at, amount)::text FROM orders UNION ALL
SELECT 'rfm_cuts', NULL, rfm_cuts(rfm_book(member, at, amount))::text FROM orders UNION ALL
SELECT 'funnel_summary', NULL, funnel('3 days', at, kind = 'sent', kind = 'clicked', n % 3 = 0, n % 7 = 0)::text FROM orders UNION ALL
SELECT 'spend_summary', NULL, spend(at, amount)::text FROM orders UNION ALL
SELECT 'points_summary', NULL, points(at, amount)::text FROM orders UNION ALL
SELECT 'activity_summary', NULL, activity(at, 'month', 'America/New_York')::text FROM orders UNION ALL
SELECT 'contact_trail', NULL, contact_trail(channel, kind, at)::text FROM orders UNION ALL
SELECT 'check_book', NULL, check_book(member::text, n::text, item, at, 1, amount)::text FROM orders UNION ALL
SELECT 'campaign_summary', NULL, campaign(n % 2 = 0, amount)::text FROM orders UNION ALL
SELECT 'campaign_book', NULL, campaign_book(item, n % 2 = 0, amount)::text FROM orders UNION ALL
SELECT 'campaign_book', NULL, campaign_book(amount::float8, n % 2 = 0, amount)::text FROM orders UNION ALL
SELECT 'pricebook_summary', NULL, pricebook(n % 5::bigint, date_trunc('month', at)::date, channel, amount, 1, member)::text FROM orders UNION ALL
SELECT 'price_slope_summary', NULL, price_slope(n % 5::bigint, n::float8, amount, member)::text FROM orders UNION ALL
SELECT 'clv_model', NULL, clv_fit(retention_book(member, at, amount, 'day', 'America/New_York'))::text FROM orders;
INSERT INTO samples VALUES
	('tagbloom', NULL, tags('a', 'b')::text), ('tagquery', NULL, 'a & !b'), ('uuid', NULL, '00000000-0000-0000-0000-000000000001'),
	('timestamp with time zone', NULL, '2026-06-01 00:00+00'), ('timestamp with time zone', 'from_as_of', '2026-02-01'),
	('timestamp with time zone', 'first_order', '2026-01-01'), ('timestamp with time zone[]', NULL, '{2026-01-01}'), ('timestamp without time zone', NULL, '2026-06-01'),
	('date', NULL, '2026-06-01'), ('date', 'until', '2025-10-01'), ('date', 'since', '2025-09-01'), ('date', 'birth', '2000-02-29'),
	('time without time zone', NULL, '08:00'), ('time without time zone', 'quiet_from', '21:00'),
	('interval', NULL, '30 days'), ('interval', 'keep_for', NULL), ('interval[]', NULL, '{1 day}'), ('boolean', NULL, 'true'), ('boolean', 'from_zero', 'false'),
	('boolean', 'same_cuts', 'false'), ('integer', NULL, '2'), ('integer', 'bins', '5'), ('integer', 'last_day', '90'),
	('integer', 'max_cap', '7'), ('integer', 'score', '555'), ('integer[]', NULL, '{1,8}'), ('integer[]', 'exclusions', '{4}'),
	('integer[]', 'optional_steps', '{2}'), ('integer[]', 'caps', '{1,2}'), ('bigint', NULL, '2'), ('bigint[]', NULL, '{2,3}'), ('uuid[]', NULL, '{00000000-0000-0000-0000-000000000001}'), ('bigint', 'offered', '9'),
	('double precision', NULL, '0.5'), ('double precision', 'treated_rate', '0.3'), ('double precision[]', NULL, '{0.5}'),
	('double precision[]', 'weights', '{1,2}'), ('double precision[]', 'min_frequency', '{2}'), ('double precision[]', 'frequency', '{2}'),  ('double precision[]', 'max_recency', '{30}'),
	('numeric', NULL, '2'), ('numeric[]', NULL, '{2}'),
	('text', NULL, 'a'), ('text', 'unit', 'month'), ('text', 'timezone', 'UTC'), ('text', 'mode', 'strict_once'), ('text', 'as_of', '2026-06-01'),
	('text', 't', '2026-06-01'), ('text', 'model', 'bg/nbd'), ('text', 'reference', 'email'), ('text', 'among', 'both'), ('text', 'reason', 'null'),
	('text[]', NULL, '{a,b}'), ('text[]', 'responses', '{clicked}'), ('text[]', 'columns', '{a,b,c,d,e,f}'), ('text[]', 'segments', NULL),
	('anyelement', NULL, NULL), ('boolean[]', NULL, '{t,f}'),
	('text', 'contact_book 3', 'sent'), ('text', 'contact_trail 2', 'sent'), ('text', 'interaction_book 2', 'own'), ('text', 'interaction_stage 1', 'own'), ('text', 'chart_rows 1', 'SELECT 1 AS a');

-- Books of members, by each type of them.
DO $$
DECLARE
	member text;
	book text;
BEGIN
	FOREACH member IN ARRAY ARRAY['member', 'member::text', 'lpad(member::text, 32, ''0'')::uuid'] LOOP
		FOREACH book IN ARRAY ARRAY[
			'rfm_book(member, at, amount)',
			'funnel_book(member, ''3 days'', at, kind = ''sent'', kind = ''clicked'', n % 3 = 0, n % 7 = 0)',
			'session_book(member, at)',
			'interaction_book(member, ''own'', at)',
			'preference_book(member, item, amount)',
			'audience_book(member, amount::float8, n % 2 = 0, n % 3 = 0)',
			'contact_book(member, channel, kind, at)',
			'retention_book(member, at, amount, ''day'', ''America/New_York'')',
			'retention_book(member, at)'] LOOP
			EXECUTE 'INSERT INTO samples SELECT pg_typeof(book), NULL, book::text FROM (SELECT ' || replace(book, '(member', '(' || member) || ' AS book FROM orders) b';
		END LOOP;
	END LOOP;
END $$;
