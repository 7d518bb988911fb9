-- Contact pressure: what is expected is worked out by hand, is the specification's, or
-- comes from plain SQL.
\getenv abs_srcdir PG_ABS_SRCDIR
\set include :abs_srcdir '/sql/include/hostile.sql'
\set ECHO none
\i :include
\set ECHO all
CREATE SCHEMA contact_test;
SET search_path = contact_test, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- Half-life 7 days, email 1, sms 3: pressure 4.409001770714, .215938213296 and .905723664264; member 2 has opted out.
CREATE TABLE log (member bigint, channel text, kind text, at timestamptz);
INSERT INTO log VALUES
	(1, 'email', 'sent', '2026-03-01 10:00'), (1, 'email', 'sent', '2026-03-03 10:00'), (1, 'email', 'sent', '2026-03-06 10:00'),
	(1, 'email', 'sent', '2026-03-06 10:00'), (1, 'sms', 'sent', '2026-03-06 10:00'),		-- logged twice; two channels at one moment
	(2, 'email', 'sent', '2026-02-20 21:30'), (2, 'email', 'unsubscribed', '2026-02-21'),
	(3, 'email', 'sent', '2026-03-07 09:00'),
	(NULL, 'email', 'sent', '2026-03-01'), (1, NULL, 'sent', '2026-03-01'), (1, 'email', NULL, '2026-03-01'), (1, 'email', 'sent', NULL);
CREATE TABLE kept AS SELECT contact_book(member, channel, kind, at) AS book FROM log;
SELECT member_count(book), rows_skipped(book) FROM kept;
SELECT member, round(pressure::numeric, 12) AS pressure, contacts, last_contact
FROM kept, contact_pressures(book, '2026-03-08 09:00', channels => '{email,sms,fax}', weights => '{1,3,9}');
SELECT member, round(pressure(trail, '2026-03-08 09:00', channels => '{email,sms,fax}', weights => '{1,3,9}')::numeric, 12) AS pressure,
	round(pressure(trail, '2026-03-08 09:00')::numeric, 6) AS all_alike, round(pressure(trail, '2026-03-08 09:00', '36 hours')::numeric, 6) AS sooner_forgotten,
	pressure(trail, '2026-03-08 09:00', '7 days', '{email,sms}', '{0,0}') AS nothing_disturbs
FROM (SELECT member, contact_trail(channel, kind, at) AS trail FROM log WHERE member IS NOT NULL GROUP BY member) s ORDER BY member;

-- Caps in a sliding week: member 1 may be written to on 03-08 10:00, at cap 2 on 03-10 10:00, member 3 now.
SELECT member, channel, contacts, ratio, cap, is_allowed, next_allowed, is_opted_out FROM kept, contact_allowances(book, '2026-03-08 09:00');
SELECT member, channel, cap, is_allowed, next_allowed FROM kept, contact_allowances(book, '2026-03-08 09:00', base_cap => 2);
SELECT member, channel, contacts, is_allowed FROM kept, contact_allowances(book, '2026-03-08 10:00') WHERE member = 1;
SELECT member, channel, contacts, is_allowed FROM kept, contact_allowances(book, '2026-03-08 09:59:59.999999') WHERE member = 1;
SELECT member, channel, cap, is_allowed, next_allowed FROM kept, contact_allowances(book, '2026-03-08 09:00', '36 hours', 1, 0, 1) WHERE NOT is_opted_out;
SELECT member, channel, cap, is_allowed, next_allowed FROM kept, contact_allowances(book, '2026-03-08 09:00', base_cap => 0, min_cap => 0);
SELECT member, contacts_within(trail, '2026-03-08 09:00', '7 days') AS all_channels, contacts_within(trail, '2026-03-08 09:00', '7 days', 'email') AS email,
	contacts_within(trail, '2026-03-08 09:00', '7 days', 'fax') AS fax, contacts_within(trail, NULL, '1 microsecond') AS the_last_moment,
	next_contact(trail, '2026-03-08 09:00', '7 days', 3, 'email') AS cap_3, next_contact(trail, '2026-03-08 09:00', '7 days', 2, 'email') AS cap_2,
	next_contact(trail, '2026-03-08 09:00', '7 days', 3) AS of_all, next_contact(trail, '2026-03-08 09:00', '7 days', 1, 'sms') AS sms, next_contact(trail, '2026-03-08 09:00', '7 days', 0) AS none
FROM (SELECT member, contact_trail(channel, kind, at) AS trail FROM log WHERE member IS NOT NULL GROUP BY member) s ORDER BY member;

-- p = .1, prior_weight 20, base 4, caps from 1 to 8: (n, x) (0,0) 4, (10,0) 3, (10,2) 5, (40,12) 8, (60,0) 1; exact halves go up.
CREATE TABLE rates AS
SELECT member, n, x FROM (VALUES (1, 0, 0), (2, 10, 0), (3, 10, 2), (4, 40, 12), (5, 60, 0), (6, 60, 1), (7, 820, 85)) v (member, n, x);	-- 100 of 1000
SELECT e.member, e.contacts, e.responses, round(e.rate::numeric, 6) AS rate, round(e.engagement::numeric, 6) AS engagement, round(e.ratio::numeric, 6) AS ratio, a.cap
FROM (SELECT contact_book(member, 'email', kind, at) AS book
	FROM (SELECT member, kind, timestamptz '2026-01-01' + i * interval '1 minute' AS at FROM rates, generate_series(1, n) i, unnest(ARRAY['sent', 'clicked']) kind
		  WHERE kind = 'sent' OR i <= x
		  UNION ALL SELECT 1, 'opened', '2026-02-01') rows) s,
	contact_engagements(book, prior_weight => 20) e,
	contact_allowances(book, base_cap => 4, max_cap => 8, prior_weight => 20, span => '1 hour') a
WHERE a.member = e.member ORDER BY member;
SELECT p.* FROM (SELECT contact_book(member, 'email', kind, at) AS book
	FROM (SELECT member, kind, timestamptz '2026-01-01' + i * interval '1 minute' AS at FROM rates, generate_series(1, n) i, unnest(ARRAY['sent', 'clicked']) kind
		  WHERE kind = 'sent' OR i <= x
		  UNION ALL SELECT 1, 'opened', '2026-02-01') rows) s, contact_priors(book, prior_weight => 20) p;
-- Members who differ just as chance has it: rho is 0, whatever rounding leaves of the sums.
SELECT n, x, y, prior_weight FROM (VALUES (9, 4, 2), (81, 30, 24), (361, 22, 16)) v(n, x, y), LATERAL (SELECT contact_book(m, 'email', k, timestamptz '2026-01-01' + i * interval '1 hour') AS book
	FROM (VALUES (1::bigint, x), (2, y)) z(m, answered), generate_series(1, n) i, unnest('{sent,clicked}'::text[]) k WHERE k = 'sent' OR i <= answered) b, contact_priors(book, '2026-02-01', respond_within => '1 minute') p;
-- 3 contacts of 4 were answered by one, 1 of 4 by the other: S = .5, rho = (.5 - .25) / (.25 (8 - 4 - 1)) = 1/3, weight 2.
CREATE TABLE two AS
SELECT contact_book(m, 'email', k, t) AS book
FROM (SELECT m, k, timestamptz '2026-01-01' + i * interval '1 day' AS t FROM generate_series(1, 2) m, generate_series(1, 4) i, unnest(ARRAY['sent', 'converted']) k
	  WHERE k = 'sent' OR i <= 5 - 2 * m UNION ALL SELECT 3, 'opened', '2026-02-01') rows;
SELECT p.* FROM two, contact_priors(book) p;
SELECT e.* FROM two, contact_engagements(book) e;
-- Members that do not differ beyond chance, whom nobody answers, or who all answer: everybody is alike.
SELECT name, p.rate, p.prior_weight, e.engagement, e.ratio
FROM (VALUES ('alike', '{2,2}'::int[]), ('deaf', '{0,0}'), ('keen', '{4,4}'), ('alone', '{3}')) v (name, answered), LATERAL (
	SELECT contact_book(m, 'email', k, timestamptz '2026-01-01' + CASE k WHEN 'opened' THEN 30 ELSE i END * interval '1 day') AS book
	FROM unnest(answered) WITH ORDINALITY a (x, m), generate_series(1, 4) i, unnest(ARRAY['sent', 'converted', 'opened']) k WHERE k <> 'converted' OR i <= x) b,
	contact_priors(book) p, contact_engagements(book) e WHERE e.member = 1;
-- Those that differ as much as can be: a weight of .01.
SELECT p.prior_weight FROM (SELECT contact_book(m, 'email', k, timestamptz '2026-01-01' + i * interval '1 day') AS book
	FROM generate_series(1, 2) m, generate_series(1, 9) i, unnest(ARRAY['sent', 'converted']) k WHERE k = 'sent' OR m = 1) b, contact_priors(book, '2026-02-01') p;

-- What an answer is: of the latest contact, on its channel, in time to the microsecond, once; contacts that may still be answered do not count.
SELECT name, contacts, responses FROM (VALUES
	('at the same moment', '{2026-01-01}'::timestamptz[], '{2026-01-01}'::timestamptz[], 'email'),
	('at the last moment', '{2026-01-01}', '{2026-01-08}', 'email'),
	('too late', '{2026-01-01}', '{2026-01-08 00:00:00.000001}', 'email'),
	('of another channel', '{2026-01-01}', '{2026-01-02}', 'sms'),
	('twice', '{2026-01-01}', '{2026-01-02,2026-01-03}', 'email'),
	('of the second of two', '{2026-01-01,2026-01-02}', '{2026-01-02 12:00}', 'email'),
	('of both', '{2026-01-01,2026-01-02}', '{2026-01-01 12:00,2026-01-02}', 'email'),
	('before', '{2026-01-01}', '{2025-12-31}', 'email'),
	('as old as can be', '{2025-07-06 00:00:00.000001}', '{2025-07-07}', 'email'),
	('too old', '{2025-07-06}', '{2025-07-07}', 'email'),
	('just mature', '{2025-12-26}', '{2025-12-27}', 'email'),
	('may still be answered', '{2025-12-26 00:00:00.000001}', '{2025-12-27}', 'email')) v (name, sent, answered, on_channel), LATERAL (
	SELECT contact_book(1, c, k, t) AS book FROM (SELECT 'email', 'sent', unnest(sent) UNION ALL SELECT on_channel, 'clicked', unnest(answered)) r (c, k, t)) b,
	contact_engagements(book, CASE WHEN name ~ 'mature|still|old' THEN timestamptz '2026-01-02' ELSE '2026-01-20' END)
WHERE channel = 'email';
SELECT responses FROM contact_engagements((SELECT contact_book(1, 'email', k, '2026-01-01') FROM unnest('{sent,opened,complained}'::text[]) k), '2026-02-01', responses => '{opened}');
SELECT responses FROM contact_engagements((SELECT contact_book(1, 'email', k, '2026-01-01') FROM unnest('{sent,opened,complained}'::text[]) k), '2026-02-01', respond_within => '0', responses => '{complained,subscribed,complained}');
SELECT responses FROM contact_engagements((SELECT contact_book(1, 'email', k, '2026-01-01') FROM unnest('{sent,opened,complained}'::text[]) k), '2026-02-01');

-- Consent: the last word counts, and of two at one moment the opt-out.
SELECT said, is_opted_out, cap, is_allowed, next_allowed, next_contact(trail, NULL, '1 day', 1, 'email') AS next_contact, next_contact(trail, NULL, '1 day', 1, 'sms') AS sms
FROM (VALUES ('{}'::text[]), ('{unsubscribed}'), ('{complained}'), ('{unsubscribed,subscribed}'), ('{subscribed,unsubscribed}'), ('{unsubscribed,subscribed,complained}'),
	('{unsubscribed+subscribed}'), ('{complained+subscribed,opened}')) v (said), LATERAL (
	SELECT contact_book(1, 'email', k, t) AS book, contact_trail('email', k, t) AS trail
	FROM (SELECT 'sent', timestamptz '2026-01-01' UNION ALL SELECT k, timestamptz '2026-01-01' + i * interval '1 day' FROM unnest(said) WITH ORDINALITY u (w, i), string_to_table(w, '+') k UNION ALL SELECT 'opened', '2026-01-09') r (k, t)) b, contact_allowances(book);

-- Fatigue. Contacts before one: after the span began, strictly before it.
SELECT prior, contacts, responses, opt_outs, members, is_tired FROM contact_fatigue((SELECT contact_book(1, c, k, t) FROM (VALUES
	('email', 'sent', timestamptz '2026-01-01'), ('email', 'sent', '2026-01-08'), ('email', 'sent', '2026-01-08 00:00:01'), ('email', 'unsubscribed', '2026-01-09'), ('email', 'complained', '2026-01-09'),
	('sms', 'sent', '2026-01-08'), ('sms', 'clicked', '2026-01-08')) v (c, k, t)), '2026-02-01');
SELECT prior, contacts, responses, opt_outs, members, is_tired FROM contact_fatigue((SELECT contact_book(1, c, k, t) FROM (VALUES
	('email', 'sent', timestamptz '2026-01-01'), ('email', 'sent', '2026-01-08'), ('email', 'sent', '2026-01-08 00:00:01'), ('email', 'unsubscribed', '2026-01-09'), ('email', 'complained', '2026-01-09'),
	('sms', 'sent', '2026-01-08'), ('sms', 'clicked', '2026-01-08')) v (c, k, t)), '2026-02-01', channel => 'email');
-- Of 4 members each answers 3 of 4 contacts with none before and 1 of 4 with one before: 1/3, and by Greenland and Robins
-- Var ln = 4 (4*4*(1+3) - 1*3*8)/64 / (4*.5 * 4*1.5) = 2.5 / 12.
SELECT prior, contacts, responses, rate, members, round(rate_ratio::numeric, 12) AS rate_ratio, round(ratio_ci_low::numeric, 9) AS low, round(ratio_ci_high::numeric, 9) AS high,
	round((exp(ln(1 / 3.0::float8) + 1.959963984540054 * sqrt(2.5 / 12)))::numeric, 9) AS high_by_hand, is_tired, max_prior
FROM (SELECT contact_book(m, 'email', k, timestamptz '2026-01-01' + i * interval '30 days' + later * interval '1 day' + CASE k WHEN 'clicked' THEN interval '1 hour' ELSE '0' END) AS book
	FROM generate_series(1, 4) m, generate_series(1, 4) i, generate_series(0, 1) later, unnest(ARRAY['sent', 'clicked']) k WHERE k = 'sent' OR i <= 3 - 2 * later) b,
	(VALUES (10), (1)) v (max_prior), contact_fatigue(book, '2026-06-01', respond_within => '12 hours', max_prior => max_prior) ORDER BY max_prior, prior;
SELECT prior, round(ratio_ci_high::numeric, 3) AS high, is_tired, alpha
FROM (SELECT contact_book(m, 'email', k, timestamptz '2026-01-01' + i * interval '30 days' + later * interval '1 day' + CASE k WHEN 'clicked' THEN interval '1 hour' ELSE '0' END) AS book
	FROM generate_series(1, 4) m, generate_series(1, 4) i, generate_series(0, 1) later, unnest(ARRAY['sent', 'clicked']) k WHERE k = 'sent' OR i <= 3 - 2 * later) b,
	(VALUES (0.01), (0.2)) v (alpha), contact_fatigue(book, '2026-06-01', respond_within => '12 hours', alpha => alpha) WHERE prior = 1 ORDER BY alpha;
-- More than max_prior count as max_prior.
SELECT prior, contacts FROM contact_fatigue((SELECT contact_book(1, 'email', 'sent', timestamptz '2026-01-01' + i * interval '1 hour') FROM generate_series(1, 30) i), '2026-02-01', max_prior => 3);

-- Nothing to tell of.
SELECT contact_book(member, channel, kind, at) IS NULL AS no_rows, contact_trail(channel, kind, at) IS NULL AS no_trail FROM log WHERE false;
SELECT contact_trail(channel, kind, NULL) IS NULL AS all_skipped FROM log;
SELECT rollup(NULL::contact_book) IS NULL, NULL::contact_book + NULL IS NULL, rollup(NULL::contact_trail) IS NULL, pressure(NULL) IS NULL, contacts_within(NULL, NULL, NULL) IS NULL, next_contact(NULL, NULL, NULL, NULL) IS NULL;
SELECT (SELECT count(*) FROM contact_pressures(NULL::contact_book)), (SELECT count(*) FROM contact_engagements(NULL::contact_book)), (SELECT count(*) FROM contact_priors(NULL)), (SELECT count(*) FROM contact_allowances(NULL::contact_book)), (SELECT count(*) FROM contact_fatigue(NULL));
CREATE TABLE none AS SELECT contact_book(member, NULL, kind, at) AS book FROM log;
SELECT member_count(book), rows_skipped(book), (SELECT count(*) FROM contact_pressures(book, '2020-01-01')), (SELECT count(*) FROM contact_engagements(book)), (SELECT count(*) FROM contact_priors(book)), (SELECT count(*) FROM contact_allowances(book)), (SELECT count(*) FROM contact_fatigue(book)) FROM none;
SELECT (none.book + kept.book) = (kept.book + none.book) AS same, rows_skipped(none.book + kept.book) FROM none, kept;
-- A member who was never written to.
SELECT * FROM contact_pressures((SELECT contact_book(5, 'email', 'subscribed', '2026-01-01')));
SELECT * FROM contact_allowances((SELECT contact_book(5, 'email', 'subscribed', '2026-01-01')));
SELECT * FROM contact_engagements((SELECT contact_book(5, '', 'subscribed', '2026-01-01')));
SELECT * FROM contact_priors((SELECT contact_book(5, 'email', 'subscribed', '2026-01-01')));
SELECT count(*) FROM contact_fatigue((SELECT contact_book(5, 'email', 'subscribed', '2026-01-01')));

-- Both ends of time.
SELECT member, pressure, contacts, last_contact FROM contact_pressures((SELECT contact_book(1, 'email', 'sent', t) FROM (VALUES (timestamptz '4714-11-24 BC'), ('294276-12-31 23:59:59.999999')) v (t)));
SELECT contacts_within(contact_trail('email', 'sent', t), NULL, '106751991 days 04:00:54.775807') FROM (VALUES (timestamptz '4714-11-24 BC'), ('294276-12-31 23:59:59.999999')) v (t);
SELECT prior, contacts FROM contact_fatigue((SELECT contact_book(1, 'email', 'sent', t) FROM (VALUES (timestamptz '4714-11-24 BC'), ('294276-12-31 23:59:59')) v (t)), '294276-12-31 23:59:59.999999', '106751991 days', '1 microsecond');

-- Members as uuid and text: the type comes first.
CREATE TABLE typed AS SELECT contact_book(('00000000-0000-0000-0000-' || lpad(member::text, 12, '0'))::uuid, channel, kind, at) AS u, contact_book('member ' || member, channel, kind, at) AS t FROM log;
SELECT * FROM typed, contact_pressures(NULL::uuid, u, weights => NULL) p (member_u, pressure) WHERE false;
SELECT member, contacts FROM typed, contact_pressures(NULL::uuid, u);
SELECT member, channel, ratio FROM typed, contact_engagements(NULL::text, t);
SELECT member, channel, next_allowed FROM typed, contact_allowances(NULL::uuid, u, '2026-03-08 09:00') LIMIT 2;
SELECT member, channel, pg_typeof(member) FROM kept, contact_allowances(NULL::bigint, book) LIMIT 1;

-- Any order and any parts give the same bytes, and microseconds come in only where there are some.
CREATE TABLE many AS
SELECT 1 + (hashint8extended(i, 1) & 65535) % 97 AS member, (ARRAY['sms', 'email', 'app', 'Email', ''])[1 + (hashint8extended(i, 2) & 65535) % 5] AS channel,
	(ARRAY['sent', 'sent', 'sent', 'clicked', 'opened', 'converted', 'sent', 'subscribed', 'complained', 'unsubscribed'])[1 + (hashint8extended(i, 3) & 65535) % 10] AS kind,
	timestamptz '2026-01-01' + (hashint8extended(i, 4) & 65535) % 4000 * interval '17 minutes' + CASE WHEN i % 3 = 0 THEN interval '1 microsecond' ELSE '0' END AS at, i % 3 AS part, i
FROM generate_series(1, 6000::bigint) i;
SELECT rollup(book) = (SELECT contact_book(member, channel, kind, at) FROM many) AS same_book, rollup(book) = (SELECT contact_book(member, channel, kind, at ORDER BY md5(i::text)) FROM many) AS any_order,
	(SELECT contact_book(member, channel, kind, at) + contact_book(member, channel, kind, at) = contact_book(member, channel, kind, at) FROM many) AS rows_once
FROM (SELECT part, contact_book(member, channel, kind, at ORDER BY i DESC) AS book FROM many GROUP BY part) s;
SELECT count(*) AS differ FROM (SELECT member, rollup(trail) AS parts FROM (SELECT member, part, contact_trail(channel, kind, at ORDER BY i DESC) AS trail FROM many GROUP BY member, part) s GROUP BY member) p
JOIN (SELECT member, contact_trail(channel, kind, at) AS whole, contact_trail(channel, kind, at) + contact_trail(channel, kind, at) AS twice FROM many GROUP BY member) w USING (member)
WHERE parts <> whole OR whole <> twice OR contact_trail_send(parts) <> contact_trail_send(whole) OR parts::text::contact_trail <> whole;
-- Parts of other channels: their names are renumbered.
SELECT contact_book(member, channel, kind, at) FILTER (WHERE channel IN ('sms', '')) + contact_book(member, channel, kind, at) FILTER (WHERE channel IN ('app', 'email')) + contact_book(member, channel, kind, at) FILTER (WHERE channel = 'Email') = contact_book(member, channel, kind, at) AS book,
	contact_trail(channel, kind, at) FILTER (WHERE channel IN ('sms', '')) + contact_trail(channel, kind, at) FILTER (WHERE channel IN ('app', 'email')) + contact_trail(channel, kind, at) FILTER (WHERE channel = 'Email') = contact_trail(channel, kind, at) AS trail
FROM many;
SELECT length(contact_book_send(contact_book(1, 'email', 'sent', t))) AS seconds, length(contact_book_send(contact_book(1, 'email', 'sent', t + interval '1 microsecond'))) AS microseconds,
	length(contact_book_send(contact_book(1, 'email', 'sent', t) + contact_book(1, 'email', 'sent', t + interval '1 microsecond'))) AS together
FROM generate_series(timestamptz '2026-01-01', '2026-01-10', '1 day') t;
SELECT count(DISTINCT channel), bool_and(channel = 'channel ' || n) FROM (SELECT channel, row_number() OVER (ORDER BY channel COLLATE "C") + 9 AS n FROM contact_priors((SELECT contact_book(1, 'channel ' || c, 'sent', '2026-01-01') FROM generate_series(10, 25) c))) s;
SELECT contacts_within(contact_trail(repeat('x', 63 - c) || c, 'sent', '2026-01-01'), NULL, '1 day', repeat('x', 58) || 5) AS long_names FROM generate_series(1, 9) c;

-- All reports against plain SQL.
CREATE TABLE contact AS SELECT DISTINCT member, channel, at FROM many WHERE kind = 'sent';
CREATE INDEX ON contact (member, channel, at);
CREATE INDEX ON many (member, channel, at);
ANALYZE contact, many;
CREATE TABLE credited AS
SELECT c.*, coalesce(bool_or(m.kind IN ('clicked', 'converted')), false) AS answered, coalesce(bool_or(m.kind IN ('complained', 'unsubscribed')), false) AS opted_out,
	c.at + interval '5 days' <= '2026-02-20' AS mature, c.at + interval '5 days' <= '2026-02-20' AND c.at > timestamptz '2026-02-20' - interval '30 days' AS counted
FROM (SELECT *, lead(at) OVER (PARTITION BY member, channel ORDER BY at) AS next FROM contact) c
LEFT JOIN many m ON m.member = c.member AND m.channel = c.channel AND m.kind <> 'sent' AND m.at >= c.at AND m.at <= c.at + interval '5 days' AND (m.at < c.next) IS NOT FALSE
GROUP BY c.member, c.channel, c.at, c.next;
CREATE TABLE many_kept AS SELECT contact_book(member, channel, kind, at) AS book FROM many;
SELECT count(*) > 90 AS many, count(*) FILTER (WHERE abs(p.pressure - s.pressure) > 1e-12 OR p.contacts <> s.contacts OR p.last_contact IS DISTINCT FROM s.last_contact) AS differ
FROM many_kept, contact_pressures(book, '2026-02-20', '3 days', '{app,Email}', '{0.5,4}') p
LEFT JOIN (SELECT member, sum(CASE channel WHEN 'app' THEN 0.5 WHEN 'Email' THEN 4 ELSE 1 END * power(0.5::float8, extract(epoch FROM '2026-02-20' - at)::float8 / 259200)) AS pressure, count(*) AS contacts, max(at) AS last_contact
	FROM contact GROUP BY member) s USING (member);
CREATE TABLE pair AS
SELECT m.member, m.channel, (SELECT count(*) FROM contact c WHERE (c.member, c.channel) = (m.member, m.channel) AND c.at > timestamptz '2026-02-20' - interval '9 days') AS within,
	coalesce((SELECT max(o.at) FROM many o WHERE (o.member, o.channel) = (m.member, m.channel) AND o.kind IN ('complained', 'unsubscribed'))
		>= coalesce((SELECT max(o.at) FROM many o WHERE (o.member, o.channel) = (m.member, m.channel) AND o.kind = 'subscribed'), '-infinity'), false) AS is_out,
	count(c.at) AS n, count(*) FILTER (WHERE c.answered) AS x
FROM (SELECT DISTINCT member, channel FROM many) m LEFT JOIN credited c ON c.member = m.member AND c.channel = m.channel AND c.counted GROUP BY m.member, m.channel;
CREATE TABLE everybody AS
SELECT channel, k, n, x, p, CASE WHEN rho > 0 THEN greatest(1 / rho - 1, 0.01) END AS weight
FROM (SELECT channel, k, n, x, p, (sum_s - p * (1 - p) * (k - 1)) / (p * (1 - p) * (n - nn / n - (k - 1))) AS rho
	FROM (SELECT channel, count(*) AS k, sum(n)::float8 AS n, sum(x) AS x, t.p, sum(n * (x / n::float8 - t.p) ^ 2) AS sum_s, sum(n * n) AS nn
		FROM pair JOIN (SELECT channel, sum(x) / sum(n)::float8 AS p FROM pair GROUP BY channel) t USING (channel) WHERE n > 0 GROUP BY channel, t.p) a) b;
SELECT count(*), count(*) FILTER (WHERE p.members <> k OR p.contacts <> n OR p.responses <> x OR abs(p.rate - e.p) > 1e-12 OR (abs(p.prior_weight / weight - 1) < 1e-6) IS NOT TRUE AND num_nulls(p.prior_weight, weight) < 2) AS differ
FROM many_kept, contact_priors(book, '2026-02-20', '30 days', '5 days') p JOIN everybody e USING (channel);
SELECT count(*) > 400 AS many, count(*) FILTER (WHERE e.contacts <> n OR e.responses <> x OR abs(e.ratio - (x + 7 * p) / (n + 7) / p) > 1e-12 OR abs(e.engagement - (x + 7 * p) / (n + 7)) > 1e-12 OR (e.rate = x / nullif(n, 0)::float8) IS FALSE) AS differ
FROM many_kept, contact_engagements(book, '2026-02-20', '30 days', '5 days', prior_weight => 7) e JOIN (SELECT member, channel, pair.n, pair.x, everybody.p FROM pair JOIN everybody USING (channel)) s USING (member, channel);
SELECT count(*) > 400 AS many, count(*) FILTER (WHERE a.is_allowed) > 50 AS some_allowed, count(*) FILTER (WHERE a.next_allowed > '2026-02-20') > 20 AS some_wait, count(*) FILTER (WHERE a.is_opted_out) > 20 AS some_out,
	count(*) FILTER (WHERE a.contacts <> within OR a.is_opted_out <> is_out OR a.cap <> s.cap OR a.is_allowed <> (within < s.cap) OR a.next_allowed IS DISTINCT FROM CASE WHEN s.cap > 0 THEN
		CASE WHEN within < s.cap THEN timestamptz '2026-02-20' ELSE (SELECT at FROM contact c WHERE (c.member, c.channel) = (a.member, a.channel) ORDER BY at DESC OFFSET s.cap - 1 LIMIT 1) + interval '9 days' END END) AS differ
FROM many_kept, contact_allowances(book, '2026-02-20', '9 days', 2, 1, 4, '30 days', '5 days', prior_weight => 1) a
JOIN (SELECT member, channel, within, is_out, CASE WHEN is_out THEN 0 ELSE least(greatest(floor(2 * (pair.x + everybody.x / everybody.n::numeric) / ((pair.n + 1) * (everybody.x / everybody.n::numeric)) + 0.5), 1), 4) END AS cap
	FROM pair JOIN everybody USING (channel)) s USING (member, channel);
CREATE TABLE prior AS
SELECT c.*, least((SELECT count(*) FROM contact o WHERE o.member = c.member AND o.at < c.at AND o.at > c.at - interval '4 days'), 5) AS all_prior,
	least((SELECT count(*) FROM contact o WHERE (o.member, o.channel) = (c.member, c.channel) AND o.at < c.at AND o.at > c.at - interval '4 days'), 5) AS own_prior FROM credited c WHERE mature;
CREATE FUNCTION fatigue_by_sql(of text) RETURNS TABLE (prior bigint, contacts bigint, responses bigint, opt_outs bigint, members bigint, rate_ratio float8, variance float8) LANGUAGE sql AS $$
	WITH c AS (SELECT *, CASE WHEN of IS NULL THEN all_prior ELSE own_prior END AS prior FROM prior WHERE channel = of OR of IS NULL),
	cell AS (SELECT member, prior, count(*) AS n, count(*) FILTER (WHERE answered) AS x FROM c GROUP BY member, prior),
	ratio AS (SELECT a.prior, count(*) AS members, sum(a.x * b.n / (a.n + b.n)::float8) AS r, sum(b.x * a.n / (a.n + b.n)::float8) AS s,
			sum((a.n * b.n * (a.x + b.x) - a.x * b.x * (a.n + b.n)) / ((a.n + b.n) * (a.n + b.n))::float8) AS v
		FROM cell a JOIN cell b ON b.member = a.member AND b.prior = 0 WHERE a.prior > 0 GROUP BY a.prior)
	SELECT prior, count(*), count(*) FILTER (WHERE answered), count(*) FILTER (WHERE opted_out), members, r / nullif(s, 0), v / nullif(r * s, 0) FROM c LEFT JOIN ratio USING (prior) GROUP BY prior, members, r, s, v
$$;
SELECT of, count(*) AS priors, count(f.ratio_ci_high) > 1 AS with_interval, count(*) FILTER (WHERE f.contacts <> s.contacts OR f.responses <> s.responses OR f.opt_outs <> s.opt_outs OR (f.prior > 0 AND f.members IS DISTINCT FROM coalesce(s.members, 0))
	OR (f.prior > 0 AND (abs(f.rate_ratio - s.rate_ratio) > 1e-12 OR num_nulls(f.rate_ratio, s.rate_ratio) = 1)) OR abs(f.ratio_ci_high / (s.rate_ratio * exp(1.959963984540054 * sqrt(s.variance))) - 1) > 1e-9 OR f.prior <> s.prior) AS differ
FROM (VALUES (NULL), ('email'), ('')) v (of), many_kept, contact_fatigue(book, '2026-02-20', '4 days', '5 days', max_prior => 5, channel => of) f JOIN LATERAL fatigue_by_sql(of) s ON s.prior = f.prior GROUP BY of ORDER BY of;

-- Errors name the argument and say what to do.
\set VERBOSITY default
SELECT contact_book(1, 'email', 'delivered', '2026-01-01');
SELECT contact_trail('email', repeat('Sent ', 100), '2026-01-01');
SELECT contact_book(1, 'email', 'sent', 'infinity');
SELECT contact_trail('email', 'sent', '-infinity');
SELECT contact_book(1, 'channel ' || c, 'sent', '2026-01-01') FROM generate_series(1, 17) c;
SELECT contact_trail('channel ' || c, 'sent', '2026-01-01') FROM generate_series(1, 17) c;
SELECT contact_book(1, repeat('é', 32), 'sent', '2026-01-01');
SELECT contact_trail(repeat('x', 64), 'sent', '2026-01-01');
SELECT (SELECT contact_book(1, 'a' || c, 'sent', '2026-01-01') FROM generate_series(1, 9) c) + (SELECT contact_book(2, 'b' || c, 'sent', '2026-01-01') FROM generate_series(1, 9) c);
SELECT (SELECT contact_trail('a' || c, 'sent', '2026-01-01') FROM generate_series(1, 9) c) + (SELECT contact_trail('b' || c, 'sent', '2026-01-01') FROM generate_series(1, 9) c);
SELECT kept.book + t FROM kept, typed;
SELECT * FROM kept, contact_pressures(book, '2026-03-07 08:59:59');
SELECT * FROM kept, contact_priors(book, '2026-03-07');
SELECT * FROM kept, contact_fatigue(book, 'infinity');
SELECT * FROM kept, contact_pressures(book, half_life => '0');
SELECT * FROM kept, contact_pressures(book, half_life => NULL);
SELECT * FROM kept, contact_pressures(book, half_life => '1 month');
SELECT * FROM kept, contact_pressures(book, channels => '{email}');
SELECT * FROM kept, contact_pressures(book, channels => '{email,sms}', weights => '{1}');
SELECT * FROM kept, contact_pressures(book, channels => '{email,sms,email}', weights => '{1,2,3}');
SELECT * FROM kept, contact_pressures(book, channels => '{email}', weights => '{-1}');
SELECT * FROM kept, contact_pressures(book, channels => '{email}', weights => '{NaN}');
SELECT * FROM kept, contact_pressures(book, channels => '{email}', weights => '{Infinity}');
SELECT * FROM kept, contact_pressures(book, channels => '{NULL}', weights => '{1}');
SELECT * FROM kept, contact_pressures(book, channels => '{email}', weights => '{NULL}');
SELECT * FROM typed, contact_pressures(u);
SELECT * FROM kept, contact_pressures(NULL::int, book);
SELECT * FROM kept, contact_engagements(NULL::uuid, book);
SELECT * FROM typed, contact_allowances(t);
SELECT * FROM kept, contact_engagements(book, lookback => '0');
SELECT * FROM kept, contact_engagements(book, lookback => NULL);
SELECT * FROM kept, contact_engagements(book, respond_within => '-1 second');
SELECT * FROM kept, contact_engagements(book, respond_within => NULL);
SELECT * FROM kept, contact_engagements(book, responses => NULL);
SELECT * FROM kept, contact_engagements(book, responses => '{}');
SELECT * FROM kept, contact_engagements(book, responses => '{clicked,NULL}');
SELECT * FROM kept, contact_engagements(book, responses => '{clicked,sent}');
SELECT * FROM kept, contact_engagements(book, responses => '{bought}');
SELECT * FROM kept, contact_priors(book, prior_weight => 0);
SELECT * FROM kept, contact_priors(book, prior_weight => 'NaN');
SELECT * FROM kept, contact_priors(book, prior_weight => 'Infinity');
SELECT * FROM kept, contact_allowances(book, span => '-7 days');
SELECT * FROM kept, contact_allowances(book, span => NULL);
SELECT * FROM kept, contact_allowances(book, base_cap => -1);
SELECT * FROM kept, contact_allowances(book, base_cap => NULL);
SELECT * FROM kept, contact_allowances(book, min_cap => NULL);
SELECT * FROM kept, contact_allowances(book, max_cap => NULL);
SELECT * FROM kept, contact_allowances(book, min_cap => 3, max_cap => 2);
SELECT * FROM kept, contact_allowances(book, span => '106751991 days', base_cap => 1);
SELECT * FROM kept, contact_fatigue(book, span => '0');
SELECT * FROM kept, contact_fatigue(book, respond_within => NULL);
SELECT * FROM kept, contact_fatigue(book, max_prior => 0);
SELECT * FROM kept, contact_fatigue(book, max_prior => 1001);
SELECT * FROM kept, contact_fatigue(book, max_prior => NULL);
SELECT * FROM kept, contact_fatigue(book, alpha => 1);
SELECT * FROM kept, contact_fatigue(book, alpha => NULL);
SELECT pressure(contact_trail(channel, kind, at), '2026-03-01') FROM log;
SELECT pressure(contact_trail(channel, kind, at), half_life => '-1 day') FROM log;
SELECT pressure(contact_trail(channel, kind, at), weights => '{1}') FROM log;
SELECT contacts_within(contact_trail(channel, kind, at), 'infinity', '1 day') FROM log;
SELECT contacts_within(contact_trail(channel, kind, at), NULL, NULL) FROM log;
SELECT next_contact(contact_trail(channel, kind, at), NULL, '0', 1) FROM log;
SELECT next_contact(contact_trail(channel, kind, at), NULL, '1 day', -1) FROM log;
SELECT next_contact(contact_trail(channel, kind, at), NULL, '1 day', NULL) FROM log;
SELECT next_contact(contact_trail(channel, kind, at), NULL, '106751991 days', 1, 'sms') FROM log;
\set VERBOSITY terse
SELECT contact_book_step_bigint(NULL, 1, 'email', 'sent', now());
SELECT contact_book_step_uuid(NULL, NULL, 'email', 'sent', now());
SELECT contact_book_step_text(NULL, '', 'email', 'sent', now());
SELECT contact_book_combine(NULL, NULL);
SELECT contact_trail_step(NULL, 'email', 'sent', now());
SELECT contact_trail_combine(NULL, NULL);

-- As a window: pressure as it rises and falls.
SELECT at, round(pressure(contact_trail(channel, kind, at) OVER (ORDER BY at, channel COLLATE "C"), at, '1 day')::numeric, 6) AS pressure FROM (SELECT DISTINCT * FROM log WHERE member = 1 AND num_nulls(channel, kind, at) = 0) l ORDER BY at, channel COLLATE "C";

-- Bad literals.
CREATE TABLE bad_literals AS
WITH valid(type, v) AS (SELECT 'contact_book', book::text FROM kept UNION ALL SELECT 'contact_trail', contact_trail(channel, kind, at)::text FROM log WHERE member = 1)
SELECT type, '' AS literal FROM valid UNION ALL SELECT type, unnest(ARRAY[' ', type, type || ':', ':', 'funnel_book:', type || ': ', type || ':=', type || ':====', type || ':AAAA', '{}', 'null', upper(type) || ':FAEBAA==', type || ':FAEB', type || ':FAEBAA=='] ) FROM valid
UNION ALL SELECT type, left(v, length(v) - n) FROM valid, generate_series(1, 20) n
UNION ALL SELECT type, v || x FROM valid, unnest(ARRAY['A', 'AAAA', '=', ' ', E'\n', '%']) x
UNION ALL SELECT type, overlay(v PLACING x FROM n) FROM valid, unnest(ARRAY['%', '=', ' ']) x, generate_series(20, 50, 10) n;
SELECT type, count(*) AS literals, count(*) FILTER (WHERE error LIKE '22P02 invalid input syntax for type ' || type || ': "%') AS refused
FROM (SELECT type, hostile.error_of(format('SELECT %L::%I', literal, type)) AS error FROM bad_literals) s GROUP BY type ORDER BY type;

-- Bad images: every one-byte change and every cut of a valid one is refused or is another valid value.
CREATE TABLE images AS
SELECT type, m AS image, hostile.receive(type, m) AS answer
FROM (SELECT 'contact_book' AS type, contact_book_send(book) AS image FROM kept
	UNION ALL SELECT 'contact_book', contact_book_send(t) FROM typed
	UNION ALL SELECT 'contact_book', contact_book_send(contact_book(member, 'é', kind, at + interval '1 microsecond')) FROM log WHERE member > 1
	UNION ALL SELECT 'contact_book', contact_book_send(book) FROM none
	UNION ALL SELECT 'contact_trail', contact_trail_send(contact_trail(channel, kind, at)) FROM log WHERE member = 1
	UNION ALL SELECT 'contact_trail', contact_trail_send(contact_trail(channel, kind, at + interval '1 microsecond')) FROM log WHERE member = 1) s, hostile.mutations(image) m;
SELECT type, count(*) > 150 AS many, count(*) FILTER (WHERE answer LIKE '22P03 binary ' || type || ' is not valid: %') > 100 AS many_refused, count(*) FILTER (WHERE answer LIKE 'accepted%') > 10 AS some_accepted,
	count(*) FILTER (WHERE answer NOT LIKE '22P03 binary ' || type || ' is not valid: %' AND answer NOT LIKE 'accepted: ' || type || ':%') AS other
FROM images GROUP BY type ORDER BY type;
SELECT DISTINCT answer FROM images WHERE answer NOT LIKE 'accepted%' ORDER BY 1;
-- One fault each: kind, version, bytes of the settings, unit, names; number of events, the first time, a tag.
SELECT what, hostile.receive('contact_trail', image) FROM (VALUES
	('nothing is wrong', '\x13010003010161010000'::bytea),
	('a name that no event has', '\x130100050101610162010000'::bytea),
	('microseconds of a whole second', '\x13010003000161010000'::bytea),
	('microseconds of a part of one', '\x13010003000161010200'),
	('a row twice', '\x130100030101610200000000'::bytea),
	('no names', '\x13010000010000'),
	('a unit and no names', '\x1301000101010000'),
	('17 names', '\x1301002301'::bytea || (SELECT decode(string_agg('01' || to_hex(96 + i), '' ORDER BY i), 'hex') FROM generate_series(1, 17) i) || '\x010000')) v (what, image);
-- What was accepted is harmless, and canonical: made anew of itself it has the same bytes.
SELECT type, count(*) FILTER (WHERE e IS NOT NULL) AS errors
FROM (SELECT type, hostile.error_of(format(CASE type WHEN 'contact_book' THEN 'SELECT (SELECT sum(contacts) FROM contact_priors(b)), (SELECT sum(contacts) FROM contact_fatigue(b)), (SELECT 1 / (b + b = rollup(x) AND contact_book_send(b + b) = contact_book_send(rollup(x)))::int FROM (VALUES (b), (b)) v (x)) FROM (SELECT %L::contact_book AS b) s'
	ELSE 'SELECT pressure(b), next_contact(b, NULL, ''1 day'', 1), 1 / (b + b = b AND contact_trail_send(b + b) = contact_trail_send(b))::int FROM (SELECT %L::contact_trail AS b) s' END, substr(answer, 11))) AS e
	FROM images WHERE answer LIKE 'accepted%') s GROUP BY type ORDER BY type;
