# A shop whose tables hold values of every stored type, and what they hold, for tests that carry them
# elsewhere: dumps, COPY, replication, pg_upgrade.
#
#   Kept::fill($node, 'shop');                       # makes the database
#   my $before = $node->safe_psql('shop', $Kept::contents);
package Kept;

use strict;
use warnings;

use Test::More;

# Values of every kind: empty books, wide sums, times at both ends, members with
# refunds only, names in many scripts, a book large enough to be stored apart.
our $make = q{
	CREATE SCHEMA analytics;
	CREATE EXTENSION custmart SCHEMA analytics;
	SET search_path = public, analytics;
	SET datestyle = 'ISO, YMD';

	CREATE TABLE sale AS
	SELECT i AS id, i % 97 AS member, md5((i % 97)::text)::uuid AS member_uuid,
	       (ARRAY['', 'Ærø', 'Київ', '東京', E'a\\\\b\n\tc"''', '🛒', repeat('long ', 500)])[1 + i % 7] || i % 97 AS member_text,
	       i / 3 AS order_id, 'o' || i / 3 AS order_text,
	       timestamptz '2026-01-01 00:00:00+00' + (i * 7919::bigint % 10007) * interval '1 hour 1 microsecond' AS at,
	       round((i * 104729::bigint % 20011 - 2000) * (0.1 ^ (i % 5)) * CASE WHEN i % 89 = 0 THEN 1e25 ELSE 1 END, (ARRAY[0, 2, 2, 3, 15])[1 + i % 5]) AS amount
	  FROM generate_series(1, 3000) i;

	CREATE TABLE kept_rfm (id int PRIMARY KEY, value rfm_summary);
	INSERT INTO kept_rfm SELECT member, rfm(at, amount) FROM sale GROUP BY member;
	INSERT INTO kept_rfm VALUES
	  (1001, NULL),
	  (1002, (SELECT rfm('4714-11-24 00:00:00+00 BC', 99999999999999999999999999999999999999.9999999999999999999999999999))),
	  (1003, (SELECT rfm('294276-12-31 23:59:59.999999+00', 0.0000000000000000000000000001))),
	  (1004, (SELECT rfm('2026-01-01', -5))),
	  (1005, (SELECT rfm(at, amount) FROM (VALUES (timestamptz '0001-01-01 BC', 36028797018963967), ('2026-01-01', 1), ('2026-01-02', -1.000)) v (at, amount))),
	  (1006, (SELECT rfm('2026-01-01', 0.00)));

	CREATE TABLE kept_cuts (id int PRIMARY KEY, value rfm_cuts);
	INSERT INTO kept_cuts SELECT bins, rfm_cuts(value, bins) FROM kept_rfm, generate_series(2, 99) bins GROUP BY bins;
	INSERT INTO kept_cuts VALUES (1000, rfm_cuts('{2026-01-01 00:00+00}', '{2}', '{100}'));
	INSERT INTO kept_cuts VALUES (1004, rfm_cuts_per_order('2026-01-01 00:00+00', '{14,7}', '{2,3}', '{50,100.5}')), (1005, (SELECT rfm_cuts_per_order(value, 7) FROM kept_rfm));
	INSERT INTO kept_cuts VALUES (1001, NULL), (1002, (SELECT rfm_cuts(value) FROM kept_rfm WHERE id = 1003)),
	  (1003, (SELECT rfm_cuts(r, 7) FROM (SELECT rfm(at, x) AS r FROM (VALUES (1, timestamptz '4000-01-01 BC', round(1/3.0, 20)), (2, '2026-01-01', -1e37 + 1.5), (2, '200000-01-01', 5), (3, '2026-01-02 03:04:05.000006', 1e-28)) v (m, at, x) GROUP BY m) s));

	CREATE TABLE kept_book (id serial PRIMARY KEY, value rfm_book);
	INSERT INTO kept_book (value)
	SELECT unnest(ARRAY[rfm_book(member, at, amount), rfm_book(member, order_id, at, amount), rfm_book(member, order_text, at, amount),
	                    rfm_book(member_uuid, at, amount), rfm_book(member_uuid, order_id, at, amount), rfm_book(member_uuid, order_text, at, amount),
	                    rfm_book(member_text, at, amount), rfm_book(member_text, order_id, at, amount), rfm_book(member_text, order_text, at, amount),
	                    rfm_book(NULL::bigint, at, amount), rfm_book(NULL::text, order_text, at, amount), rfm_book(member, at, amount) FILTER (WHERE false)]) FROM sale;
	INSERT INTO kept_book (value)
	SELECT rfm_book('member ' || i, 'order ' || i, timestamptz '2026-01-01', i) FROM generate_series(1, 30000) i;
	INSERT INTO kept_book (value) SELECT rfm_book(member, md5(order_text)::uuid, at, amount) FROM sale;
	CREATE TABLE kept_cuts_of_tier AS SELECT tier_cuts(amount::float8, '{0.1,0.2,0.3}') AS value FROM sale;

	-- As keys, defaults, in arrays, composites, domains, ranges' company.
	CREATE TYPE card AS (member int, value rfm_summary, cuts rfm_cuts[]);
	CREATE TABLE kept_cards AS SELECT id, ROW(id, value, ARRAY[c.cuts, NULL, c.cuts])::card AS card FROM kept_rfm, (SELECT rfm_cuts(value, 3) AS cuts FROM kept_rfm) c;
	CREATE DOMAIN buyer AS rfm_summary CHECK (frequency(VALUE) > 0);
	CREATE TABLE kept_domain (value buyer DEFAULT 'v1 frequency=1 refunds=0 monetary=0.00 first_order=2026-01-01T00:00:00+00:00 last_order=2026-01-01T00:00:00+00:00');
	INSERT INTO kept_domain DEFAULT VALUES;
	INSERT INTO kept_domain SELECT value FROM kept_rfm WHERE frequency(value) > 0;
	CREATE TABLE kept_key (value rfm_summary PRIMARY KEY);
	INSERT INTO kept_key SELECT DISTINCT value FROM kept_rfm WHERE value IS NOT NULL;
	CREATE TABLE kept_hash (value rfm_cuts, EXCLUDE USING hash (value WITH =)) ;
	INSERT INTO kept_hash SELECT value FROM kept_cuts WHERE value IS NOT NULL GROUP BY value;
	CREATE TABLE kept_reference (id int, value rfm_summary REFERENCES kept_key);
	INSERT INTO kept_reference SELECT id, value FROM kept_rfm;
	CREATE TABLE kept_partitioned (id int, value rfm_summary) PARTITION BY HASH (value);
	CREATE TABLE kept_partition_0 PARTITION OF kept_partitioned FOR VALUES WITH (MODULUS 3, REMAINDER 0);
	CREATE TABLE kept_partition_1 PARTITION OF kept_partitioned FOR VALUES WITH (MODULUS 3, REMAINDER 1);
	CREATE TABLE kept_partition_2 PARTITION OF kept_partitioned FOR VALUES WITH (MODULUS 3, REMAINDER 2);
	INSERT INTO kept_partitioned TABLE kept_rfm;
	CREATE INDEX ON kept_rfm (value DESC, id);
	CREATE INDEX ON kept_rfm USING hash (value);
	CREATE INDEX ON kept_rfm (monetary(value), rfm_score(value, 'v1 bins=2 members=1 last_order={2026-01-01T00:00:00+00:00} frequency={1} monetary={0}'));

	-- Sets of tags: exact and filters, raised, halved, of columns with a size, stored
	-- apart, compressed and not; queries with tags of all scripts.
	CREATE TABLE kept_tags (id int PRIMARY KEY, value tagbloom, raised tagbloom(5000), plain tagbloom);
	ALTER TABLE kept_tags ALTER plain SET STORAGE EXTERNAL;
	INSERT INTO kept_tags
	SELECT n, value, value, value
	  FROM (SELECT n, tag_agg(right(member_text, 500) || CASE WHEN n < 40 THEN '' ELSE '/' || id END) AS value
	          FROM generate_series(1, 60) n JOIN sale ON id <= n * n GROUP BY n) s;
	INSERT INTO kept_tags (id, value) VALUES (1001, NULL), (1002, '{}'), (1003, tags('Ærø', 'Київ', '東京', '🛒', 'a, "b"\c', repeat('x', 1024)));
	INSERT INTO kept_tags (id, value, plain)
	SELECT 1004 + n, value, value FROM (SELECT n, tag_agg(i::text) AS value FROM generate_series(1, 3) n, generate_series(1, 50000) i WHERE i % n = 0 GROUP BY n) s;
	INSERT INTO kept_tags (id, value, plain) SELECT id + 2000, value::tagbloom(40), value::tagbloom(20000) FROM kept_tags WHERE id % 7 = 0 AND id < 1000;
	CREATE TABLE kept_query (id int PRIMARY KEY, value tagquery);
	INSERT INTO kept_query VALUES (1, NULL), (2, 'vip'), (3, '!vip'), (4, 'Київ & (東京 | "a, \""|"b c") & !(🛒 | "Ærø\"")'),
	  (5, (repeat('(a & !', 3000) || 'b' || repeat(')', 3000))::tagquery),
	  (6, (SELECT string_agg('tag' || i, ' | ') FROM generate_series(1, 20000) i)::tagquery);
	CREATE DOMAIN some_tags AS tagbloom(100) CHECK (tag_count(VALUE) > 0);
	CREATE TABLE kept_tag_domain (value some_tags, list tagbloom(100)[], query tagquery DEFAULT '"x y" & !z');
	INSERT INTO kept_tag_domain SELECT value, ARRAY[value, NULL, raised] FROM kept_tags WHERE id BETWEEN 2 AND 1000;
	CREATE TABLE kept_tag_partitioned (id int, value tagbloom) PARTITION BY HASH (value);
	CREATE TABLE kept_tag_partition_0 PARTITION OF kept_tag_partitioned FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE kept_tag_partition_1 PARTITION OF kept_tag_partitioned FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO kept_tag_partitioned SELECT id, value FROM kept_tags;
	CREATE INDEX kept_tags_gin ON kept_tags USING gin (value);
	CREATE INDEX ON kept_tags USING gin (raised, plain) WHERE id > 30;
	CREATE INDEX ON kept_tags (value) WHERE is_exact(value);
	CREATE INDEX ON kept_query USING hash (value);
	CREATE TABLE buyer_tags AS SELECT id, member_text, amount FROM sale;
	CREATE INDEX buyer_tags_gin ON buyer_tags USING gin (tags_if('big', amount > 500, right(member_text, 500), true, 'refund', amount < 0));

	-- Funnels, interactions and spend: at both ends of time, with wide amounts, 32 steps.
	CREATE TABLE kept_funnel (id int PRIMARY KEY, value funnel_summary);
	INSERT INTO kept_funnel SELECT member, funnel('30 days', at, id % 2 = 0, amount > 10, id % 3 = 0) FROM sale GROUP BY member;
	INSERT INTO kept_funnel VALUES (1001, NULL), (1002, (SELECT funnel('0', t, VARIADIC array_fill(true, ARRAY[32])) FROM unnest('{4714-11-24 00:00+00 BC,294276-12-31 23:59:59.999999+00}'::timestamptz[]) t)),
	  (1003, (SELECT funnel('106751991 days', timestamptz '2026-01-01' + i * interval '1 second', i % 2 = 0, i % 3 = 0) FROM generate_series(1, 50000) i));
	CREATE TABLE kept_funnel_book (id int PRIMARY KEY, value funnel_book);
	INSERT INTO kept_funnel_book
	SELECT n, value FROM (SELECT ARRAY[funnel_book(member, '1 day', at, id % 2 = 0, amount > 10), funnel_book(member_uuid, '40 days', at, id % 2 = 0, amount > 10, NULL), funnel_book(member_text, '400 days', at, VARIADIC array_fill(id % 2 = 0, ARRAY[32])),
	                    funnel_book(NULL::text, '1 day', at, true)] AS list FROM sale) l, LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE TABLE kept_session_book (id int PRIMARY KEY, value session_book);
	INSERT INTO kept_session_book SELECT n, value FROM (SELECT ARRAY[session_book(member, at), session_book(member_uuid, at), session_book(member_text, at)] AS list FROM sale) l, LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE TABLE kept_interaction_book (id int PRIMARY KEY, value interaction_book);
	INSERT INTO kept_interaction_book
	SELECT n, value FROM (SELECT ARRAY[interaction_book(member, 'own', at), interaction_book(member_uuid, (ARRAY['own', 'induced', 'obliged'])[1 + id % 4], at), interaction_book(member_text, (ARRAY['own', 'induced', 'obliged'])[1 + id % 3], at)] AS list FROM sale) l,
	       LATERAL unnest(list) WITH ORDINALITY u (value, n);
	-- Contacts: whole seconds and not, both ends of time, as many names as there may be.
	CREATE TABLE kept_contact_trail (id int PRIMARY KEY, value contact_trail);
	INSERT INTO kept_contact_trail SELECT member, contact_trail('channel ' || id % 3, (ARRAY['sent', 'clicked', 'sent'])[1 + id % 4], at) FROM sale GROUP BY member;
	INSERT INTO kept_contact_trail VALUES (1001, NULL), (1002, (SELECT contact_trail(repeat('é', i - 1), 'sent', t) FROM generate_series(1, 16) i, unnest('{4714-11-24 00:00+00 BC,294276-12-31 23:59:59.999999+00}'::timestamptz[]) t));
	CREATE TABLE kept_contact_book (id int PRIMARY KEY, value contact_book);
	INSERT INTO kept_contact_book
	SELECT n, value FROM (SELECT ARRAY[contact_book(member, 'email', 'sent', at), contact_book(member_uuid, 'ö' || id % 5, (ARRAY['sent', 'clicked', 'subscribed'])[1 + id % 4], at), contact_book(member_text, 'channel ' || id % 16, 'sent', date_trunc('second', at)),
	                    contact_book(NULL::text, 'email', 'sent', at)] AS list FROM sale) l, LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE TABLE kept_spend (id int PRIMARY KEY, value spend_summary);
	INSERT INTO kept_spend SELECT member, spend(at, amount) FROM sale GROUP BY member;
	INSERT INTO kept_spend VALUES (1001, NULL), (1002, (SELECT spend(t, 99999999999999999999999999999999999999.9999999999999999999999999999) FROM unnest('{4714-11-24 00:00+00 BC,294276-12-31 23:59:59.999999+00}'::timestamptz[]) t));
	-- Campaigns of both forms, with amounts of both ends; books of segments, of scores, of nothing but skipped rows.
	CREATE TABLE kept_points (id int PRIMARY KEY, value points_summary);
	INSERT INTO kept_points SELECT member, points(at, amount) FROM sale GROUP BY member;
	INSERT INTO kept_points VALUES (1001, NULL), (1002, (SELECT points(t, p) FROM unnest('{4714-11-24 00:00+00 BC,294276-12-31 23:59:59.999999+00}'::timestamptz[]) t, unnest('{99999999999999999999999999999999999999.9999999999999999999999999999,-99999999999999999999999999999999999999,0}'::numeric[]) p));
	CREATE TABLE kept_campaign (id int PRIMARY KEY, value campaign_summary);
	INSERT INTO kept_campaign SELECT member, campaign(id % 3 > 0, round(mod(amount, 1000), 2)) FROM sale GROUP BY member;
	INSERT INTO kept_campaign VALUES (1001, NULL), (1002, (SELECT campaign(true, 99999999999999999999999999999999999999, -1e-28))), (1003, (SELECT campaign(id % 3 > 0, round(mod(amount, 1000), 2), id) FROM sale)), (1004, (SELECT campaign(NULL, 1)));
	CREATE TABLE kept_campaign_book (id int PRIMARY KEY, value campaign_book);
	INSERT INTO kept_campaign_book
	SELECT n, value FROM (SELECT ARRAY[campaign_book(member_text, id % 3 > 0, round(mod(amount, 1000), 2)), campaign_book(id / 7.0, id % 3 > 0, id % 2), campaign_book(NULL::text, true, 1)] AS list FROM sale) l, LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE TABLE kept_preference_book (id int PRIMARY KEY, value preference_book);
	INSERT INTO kept_preference_book
	SELECT n, value FROM (SELECT ARRAY[preference_book(member, 'category ' || id % 7, amount), preference_book(member_uuid, member_text, mod(amount, 1000) * 1e15), preference_book(member_text, '', amount), preference_book(NULL::text, 'x', 1)] AS list FROM sale) l,
	       LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE TABLE kept_audience_book (id int PRIMARY KEY, value audience_book);
	INSERT INTO kept_audience_book
	SELECT n, value FROM (SELECT ARRAY[audience_book(member, amount::float8, id % 2 = 0, id % 3 = 0), audience_book(member_uuid, NULL, id % 2 = 0), audience_book(member_text, -1e300, VARIADIC array_fill(id % 5 = 0, ARRAY[32])), audience_book(NULL::text, 1, true)] AS list FROM sale) l,
	       LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE TABLE kept_basket_book (id int PRIMARY KEY, value basket_book);
	INSERT INTO kept_basket_book
	SELECT n, value FROM (SELECT ARRAY[basket_book(id::bigint, member), basket_book(member_uuid, member_text), basket_book(member_text, id::bigint), basket_book(member, ''), basket_book(NULL::text, 'x')] AS list FROM sale) l,
	       LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE TABLE kept_check_book (id int PRIMARY KEY, value check_book);
	INSERT INTO kept_check_book
	SELECT n, value FROM (SELECT ARRAY[check_book(member_text, (id / 3)::text, member::text, at, id % 5 - 1, amount, (ARRAY['EUR', 'USD'])[id % 3]), check_book(member::text, NULL, member_text, at::date, 1, amount), check_book(NULL, NULL, NULL, NULL::timestamp, NULL, NULL)] AS list FROM sale) l, LATERAL unnest(list) WITH ORDINALITY u (value, n);
	CREATE INDEX ON kept_campaign (value);
	CREATE INDEX ON kept_funnel (level(value, 'strict_order')) WHERE level(value) > 1;
	CREATE INDEX ON kept_spend (value);
	CREATE INDEX ON kept_points (value);
	CREATE MATERIALIZED VIEW funnel_of_shop AS SELECT id, t.* FROM kept_funnel_book, LATERAL funnel_steps(value) t;
	CREATE VIEW conversions_of_shop AS SELECT id, t.* FROM kept_funnel_book, LATERAL funnel_conversions(value, step_within => '{3 days}') t WHERE id = 1;

	-- Price books of both forms and both kinds of item, with wide prices and quantities,
	-- periods at both ends, groups and items in many scripts, rows skipped for every
	-- reason, nothing but such rows, one large enough to be stored apart; slopes.
	CREATE TABLE line AS
	SELECT *, CASE WHEN id % 61 > 0 THEN (ARRAY['', 'Ærø', 'Київ', repeat('long ', 500)])[1 + id / 7 % 4] END AS member_group, date_trunc('quarter', at AT TIME ZONE 'UTC')::date AS quarter,
	       CASE WHEN id % 83 = 0 THEN -1 WHEN id % 71 = 0 THEN 1e20 ELSE (id % 5 + 1) / 2.0 END AS quantity FROM sale;
	CREATE TABLE kept_pricebook (id int PRIMARY KEY, value pricebook_summary);
	INSERT INTO kept_pricebook
	SELECT n, value FROM (SELECT ARRAY[pricebook(member, member_group, amount), pricebook(member_text, member_group, amount), pricebook(member, quarter, member_group, amount, quantity),
	                    pricebook(member_text, quarter, member_group, amount, quantity), pricebook(NULL::bigint, member_group, amount), pricebook(NULL::text, quarter, member_group, amount, quantity),
	                    pricebook(member, member_group, amount) FILTER (WHERE false), pricebook(member, nullif(member_group, 'Ærø'), amount)] AS list FROM line) x, unnest(list) WITH ORDINALITY u (value, n);
	INSERT INTO kept_pricebook VALUES
	  (11, (SELECT pricebook(i, p, g, 1e37 + 0.0000000000000000000000000001, 99999999999999999999999999999999999999.9999999999999999999999999999)
	          FROM (VALUES (-9223372036854775808, date '4713-01-01 BC', 'a'), (9223372036854775807, '5874897-12-31', 'b'), (0, '2000-01-01', 'b'), (0, '2000-01-01', 'a')) v (i, p, g))),
	  (12, (SELECT pricebook('', '', 0.0000000000000000000000000001)));
	INSERT INTO kept_pricebook SELECT 13, pricebook('item ' || i % 5000, 'group ' || i % 3, i % 97 + 0.99) FROM generate_series(1, 30000) i;
	CREATE TABLE kept_price_slope (id int PRIMARY KEY, value price_slope_summary);
	INSERT INTO kept_price_slope SELECT 1, price_slope(member, quarter, id / 100.0, amount) FROM line;
	INSERT INTO kept_price_slope SELECT 2, price_slope(member_text, quarter, -id * 300.0, amount) FROM line;
	INSERT INTO kept_price_slope SELECT 3, price_slope(NULL::text, quarter, 1, amount) FROM line;
	INSERT INTO kept_price_slope VALUES (4, NULL), (5, (SELECT price_slope(0, p, 1048576, x) FROM (VALUES (date '4713-01-01 BC', 1e-28), ('5874897-12-31', 1e37)) v (p, x)));
	CREATE DOMAIN some_prices AS pricebook_summary CHECK (cell_count(VALUE) > 0);
	CREATE TABLE kept_price_domain (value some_prices, list pricebook_summary[], slope price_slope_summary);
	INSERT INTO kept_price_domain SELECT p.value, ARRAY[p.value, NULL, p.value], s.value FROM kept_pricebook p LEFT JOIN kept_price_slope s USING (id) WHERE cell_count(p.value) > 0;
	CREATE TABLE kept_price_partitioned (id int, value pricebook_summary) PARTITION BY HASH (value);
	CREATE TABLE kept_price_partition_0 PARTITION OF kept_price_partitioned FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE kept_price_partition_1 PARTITION OF kept_price_partitioned FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO kept_price_partitioned TABLE kept_pricebook;
	CREATE INDEX ON kept_pricebook USING hash (value);
	CREATE INDEX ON kept_price_slope (value) WHERE id BETWEEN 3 AND 5;
	CREATE TABLE kept_offer (price numeric, fair numeric, CHECK (price_check(price, fair, 10) = 'ok'));
	INSERT INTO kept_offer VALUES (10.5, 10), (9.00, 10), (NULL, NULL);

	-- Periods of activity in zones of all kinds of names, at both ends of time; books of
	-- every form and key, one large enough to be stored apart.
	CREATE TABLE kept_activity (id serial PRIMARY KEY, value activity_summary);
	INSERT INTO kept_activity (value)
	SELECT activity(at, unit, zone) FROM sale, unnest('{day,week,month,quarter,year}'::text[]) unit, unnest('{UTC,America/Argentina/Buenos_Aires,<+0530>-5:30}'::text[]) zone GROUP BY unit, zone ORDER BY unit COLLATE "C", zone COLLATE "C";
	INSERT INTO kept_activity (value) VALUES (NULL), ((SELECT activity('4714-11-24 00:00:00+00 BC', 'day', 'UTC'))), ((SELECT activity(t, 'week', 'Pacific/Kiritimati') FROM unnest('{4713-01-01 12:00:00+00 BC,294276-12-31 23:59:59.999999+00}'::timestamptz[]) t));
	CREATE TABLE kept_retention (id serial PRIMARY KEY, value retention_book);
	INSERT INTO kept_retention (value)
	SELECT unnest(ARRAY[retention_book(member, at, 'day', 'UTC'), retention_book(member_uuid, at, 'week', 'Europe/Berlin'), retention_book(member_text, at, 'month', 'Asia/Tokyo'),
	                    retention_book(member, at, amount, 'quarter', 'UTC'), retention_book(member_uuid, at, amount, 'week', 'America/New_York'), retention_book(member_text, at, amount, 'month', 'UTC'),
	                    retention_book(member, at), retention_book(member_uuid, at), retention_book(member_text, at),
	                    retention_book(NULL::bigint, at), retention_book(NULL::text, at, amount, 'day', 'UTC'), retention_book(member, at) FILTER (WHERE false)]) FROM sale;
	INSERT INTO kept_retention (value) SELECT unnest(ARRAY[retention_book_since(member, at, at, 'week(sunday)', 'Europe/Berlin'), retention_book_since(member_text, at::date, at, amount, 'year(april)', 'Asia/Tokyo'), retention_book_since(member_uuid, at, NULL)]) FROM sale;
	INSERT INTO kept_retention (value) SELECT retention_book('member ' || i, '2026-01-01', i, 'day', 'UTC') FROM generate_series(1, 30000) i;
	CREATE INDEX ON kept_retention USING hash (value);
	CREATE UNIQUE INDEX ON kept_activity (value);

	-- Models of every kind, of books in zones of all kinds of names and of columns, without spend and without a maximum.
	CREATE TABLE kept_clv_model (id serial PRIMARY KEY, value clv_model);
	INSERT INTO kept_clv_model (value)
	SELECT clv_fit(book, model, penalty => penalty) FROM (SELECT retention_book(member, at, amount, 'day', zone) AS book FROM sale, unnest('{UTC,America/Argentina/Buenos_Aires,<+0530>-5:30}'::text[]) zone WHERE at > '1990-01-01' AND at < '2100-01-01' GROUP BY zone ORDER BY zone COLLATE "C") b,
	       unnest('{mbg/nbd,bg/nbd,pareto/nbd,best}'::text[]) model, unnest('{0,1.5}'::float8[]) penalty;
	INSERT INTO kept_clv_model (value) VALUES (NULL), ((SELECT clv_fit(3, 20, 30, NULL, 'bg/nbd'))), ((SELECT clv_fit(1, i, 300, 5.5, 'best') FROM generate_series(250, 300) i));
	CREATE INDEX ON kept_clv_model USING hash (value);
	CREATE INDEX ON kept_clv_model (value) WHERE is_reliable(value);
	CREATE TABLE kept_behaviour_partitioned (id int, value activity_summary) PARTITION BY HASH (value);
	CREATE TABLE kept_behaviour_partition_0 PARTITION OF kept_behaviour_partitioned FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE kept_behaviour_partition_1 PARTITION OF kept_behaviour_partitioned FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	INSERT INTO kept_behaviour_partitioned TABLE kept_activity;
	CREATE DOMAIN regular AS activity_summary CHECK (active_periods(VALUE) > 1);
	CREATE INDEX ON kept_activity (first_period(value), id);
	CREATE TABLE kept_behaviour_domain AS SELECT id, value::regular AS value, ARRAY[value, NULL] AS list FROM kept_activity WHERE active_periods(value) > 1;
	CREATE MATERIALIZED VIEW triangle AS SELECT id, t.* FROM kept_retention, LATERAL cohort_retention(value) t WHERE id IN (1, 4);

	-- Things that are made of others.
	CREATE MATERIALIZED VIEW fair AS SELECT f.* FROM kept_pricebook, fair_prices(NULL::text, value, 'Ærø') f WHERE id = 4;
	CREATE UNIQUE INDEX ON fair (item, period);
	CREATE VIEW gap AS SELECT id, g.* FROM kept_pricebook, price_gaps(value, 'Київ', min_rows => 2) g WHERE id < 5;
	CREATE VIEW gap_item AS SELECT id, g.* FROM kept_pricebook, price_gap_items(NULL::bigint, value, '') g WHERE id IN (1, 3);
	CREATE VIEW slope AS SELECT id, s.* FROM kept_price_slope, price_slopes(value, 0.1) s;
	CREATE VIEW score AS SELECT id, rfm_score(value, (SELECT value FROM kept_cuts WHERE id = 5)) AS score FROM kept_rfm;
	CREATE MATERIALIZED VIEW member AS SELECT m.*, tier(monetary, '{0.1,0.2}', '{gold,silver,bronze}') OVER () FROM kept_book, rfm_members(NULL::text, value, bins => 4) m WHERE id = 8;
	CREATE UNIQUE INDEX ON member (member);
	CREATE VIEW tagged AS SELECT id FROM kept_tags WHERE value @@ '"Ærø1" & !(東京3 | nobody)' OR has_tag(value, '7') OR value @> '{Київ2}';
	CREATE MATERIALIZED VIEW all_tags AS SELECT id % 5 AS id, rollup(value) AS value, tag_agg(id::text, 1000) AS ids FROM kept_tags GROUP BY 1;
	CREATE INDEX ON sale (member_text);
	SELECT create_member_mart('mart', 'sale', 'member_text', 'rfm(at, amount) AS rfm');
	SELECT refresh_member_mart('mart');
	UPDATE sale SET amount = 1 WHERE id < 5;
	CREATE FUNCTION segment_of(rfm_summary) RETURNS text LANGUAGE sql STABLE BEGIN ATOMIC SELECT rfm_segment(rfm_score($1, value)) FROM kept_cuts WHERE id = 5; END;
};

# What there is, byte for byte.
our $contents = q{
	SET search_path = public, analytics; SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET extra_float_digits = 1;
	SELECT 'rfm', id, rfm_summary_send(value) FROM kept_rfm ORDER BY id;
	SELECT 'cuts', id, rfm_cuts_send(value) FROM kept_cuts ORDER BY id;
	SELECT 'book', id, md5(rfm_book_send(value)), rows_skipped(value), member_count(value) FROM kept_book ORDER BY id;
	SELECT 'tier_cuts', value FROM kept_cuts_of_tier;
	SELECT 'card', (card).member, rfm_summary_send((card).value), (SELECT string_agg(rfm_cuts_send(c)::text, ',') FROM unnest((card).cuts) c) FROM kept_cards ORDER BY id;
	SELECT 'domain', rfm_summary_send(value) FROM kept_domain ORDER BY value;
	SELECT 'key', rfm_summary_send(value) FROM kept_key ORDER BY value;
	SELECT 'hash', rfm_cuts_send(value) FROM kept_hash ORDER BY value;
	SELECT 'reference', id, rfm_summary_send(value) FROM kept_reference ORDER BY id;
	SELECT 'partitioned', tableoid::regclass, id, rfm_summary_send(value) FROM kept_partitioned ORDER BY id;
	SELECT 'tags', id, md5(tagbloom_send(value)), md5(tagbloom_send(raised)), md5(tagbloom_send(plain)), tag_count(value), is_exact(value) FROM kept_tags ORDER BY id;
	SELECT 'query', id, CASE WHEN id < 5 THEN tagquery_send(value)::text ELSE md5(tagquery_send(value)) END FROM kept_query ORDER BY id;
	SELECT 'tag domain', md5(tagbloom_send(value)), (SELECT string_agg(md5(tagbloom_send(t)), ',') FROM unnest(list) t), tagquery_send(query) FROM kept_tag_domain ORDER BY value;
	SELECT 'tag partitioned', tableoid::regclass, id, md5(tagbloom_send(value)) FROM kept_tag_partitioned ORDER BY id;
	SELECT 'tagged', id FROM tagged ORDER BY id;
	SELECT 'all tags', id, md5(tagbloom_send(value)), md5(tagbloom_send(ids)) FROM all_tags ORDER BY id;
	SELECT 'type', attrelid::regclass, attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE atttypid IN ('tagbloom'::regtype, 'tagbloom[]'::regtype, 'some_tags'::regtype)
	   AND attrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p')) AND NOT attisdropped ORDER BY 2, 3;
	SELECT 'prices', id, md5(pricebook_summary_send(value)), rows_skipped(value), rows_skipped(value, 'null'), rows_skipped(value, 'price'), rows_skipped(value, 'quantity'), cell_count(value)
	  FROM kept_pricebook ORDER BY id;
	SELECT 'slopes', id, md5(price_slope_summary_send(value)), rows_skipped(value) FROM kept_price_slope ORDER BY id;
	SELECT 'price domain', md5(pricebook_summary_send(value)), (SELECT string_agg(md5(pricebook_summary_send(p)), ',') FROM unnest(list) p), md5(price_slope_summary_send(slope)) FROM kept_price_domain ORDER BY value;
	SELECT 'price partitioned', tableoid::regclass, id, md5(pricebook_summary_send(value)) FROM kept_price_partitioned ORDER BY id;
	SELECT 'activity', id, activity_summary_send(value), period_list(value) FROM kept_activity ORDER BY id;
	SELECT 'retention', id, md5(retention_book_send(value)), rows_skipped(value), member_count(value), net_outside(value) FROM kept_retention ORDER BY id;
	SELECT 'triangle', id, c.* FROM kept_retention, cohort_retention(value) c WHERE id IN (2, 4, 6) ORDER BY id, cohort, periods_later;
	SELECT 'days', id, d.* FROM kept_retention, day_retention(value, last_day => 20) d WHERE id IN (7, 9) ORDER BY id, day;
	SELECT 'funnel', id, md5(funnel_summary_send(value)), level(value), step_durations(value, 'clickhouse') FROM kept_funnel ORDER BY id;
	SELECT 'funnel book', id, md5(funnel_book_send(value)), member_count(value), rows_skipped(value) FROM kept_funnel_book ORDER BY id;
	SELECT 'sessions', id, md5(session_book_send(value)), member_count(value), rows_skipped(value), (SELECT sum(events) FROM kept_session_book, session_members(value) WHERE kept_session_book.id = 1) FROM kept_session_book ORDER BY id;
	SELECT 'interactions', id, md5(interaction_book_send(value)), member_count(value), rows_skipped(value), (SELECT string_agg(s::text, ',') FROM interaction_stages(value) s) FROM kept_interaction_book ORDER BY id;
	SELECT 'contact trail', id, md5(contact_trail_send(value)), contacts_within(value, NULL, '106751991 days'), pressure(value) FROM kept_contact_trail ORDER BY id;
	SELECT 'contact book', id, md5(contact_book_send(value)), member_count(value), rows_skipped(value), (SELECT string_agg(p::text, ',') FROM contact_priors(value) p) FROM kept_contact_book ORDER BY id;
	SELECT 'spend', id, md5(spend_summary_send(value)), rolling_spend(value, '294276-12-31 23:59:59+00', '1 year') FROM kept_spend ORDER BY id;
	SELECT 'clv', id, clv_model_send(value), warnings(value), d.* FROM kept_clv_model LEFT JOIN LATERAL clv_details(value) d ON true ORDER BY id;
	SELECT 'points', id, md5(points_summary_send(value)), points_balance(value, '2100-01-01 00:00+00'), points_lapsed(value, '2100-01-01 00:00+00') FROM kept_points ORDER BY id;
	SELECT 'campaign', id, md5(campaign_summary_send(value)), rows_skipped(value), (SELECT string_agg(r::text, ',') FROM campaign_results(value) r) FROM kept_campaign ORDER BY id;
	SELECT 'campaign book', id, md5(campaign_book_send(value)), rows_skipped(value) FROM kept_campaign_book ORDER BY id;
	SELECT 'basket book', id, md5(basket_book_send(value)), basket_count(value), item_count(value), rows_skipped(value) FROM kept_basket_book ORDER BY id;
	SELECT 'preference book', id, md5(preference_book_send(value)), member_count(value), rows_skipped(value) FROM kept_preference_book ORDER BY id;
	SELECT 'audience book', id, md5(audience_book_send(value)), member_count(value), rows_skipped(value) FROM kept_audience_book ORDER BY id;
	SELECT 'check book', id, md5(check_book_send(value)), (SELECT string_agg(c::text, ',') FROM order_checks(value) c) FROM kept_check_book ORDER BY id;
	SELECT 'behaviour partitioned', tableoid::regclass, id, md5(activity_summary_send(value)) FROM kept_behaviour_partitioned ORDER BY id;
	SELECT 'behaviour domain', id, md5(activity_summary_send(value)), (SELECT string_agg(md5(activity_summary_send(a)), ',') FROM unnest(list) a) FROM kept_behaviour_domain ORDER BY id;
	SELECT 'triangle of the view', * FROM triangle ORDER BY id, cohort, periods_later;
	SELECT 'steps', * FROM funnel_of_shop ORDER BY id, step;
	SELECT 'conversions', * FROM conversions_of_shop ORDER BY id, step;
	SELECT 'offer', * FROM kept_offer ORDER BY price;
	SELECT 'constraint', pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'kept_offer'::regclass;
	SELECT 'fair', md5(item), period, fair_price, rows FROM fair ORDER BY item COLLATE "C", period;
	SELECT 'gap', * FROM gap ORDER BY id, member_group COLLATE "C";
	SELECT 'gap item', * FROM gap_item ORDER BY id, item, member_group COLLATE "C";
	SELECT 'slope', * FROM slope ORDER BY id;
	SELECT 'score', * FROM score ORDER BY id;
	SELECT 'member', * FROM member ORDER BY member COLLATE "C";
	SELECT 'segment', id, segment_of(value) FROM kept_rfm ORDER BY id;
	SELECT 'mart', md5(member), rfm_summary_send(rfm), rfm_score FROM mart_scored ORDER BY member COLLATE "C";
	SELECT 'mart waits', md5(member) FROM mart_changes ORDER BY member COLLATE "C";
	SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2;
};

# The database, with settings that must not matter; made by other statements, if given.
sub fill
{
	my ($node, $database, $statements) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database; ALTER DATABASE $database SET timezone = 'Asia/Kathmandu'; ALTER DATABASE $database SET datestyle = 'German'; ALTER DATABASE $database SET extra_float_digits = 0");
	$node->safe_psql($database, $statements // $make);
	return;
}

# The indexes over sets of tags are used, and find what reading all rows finds.
sub indexes_find
{
	my ($node, $database, $description) = @_;
	my @questions = (
		[ 'kept_tags_gin', 'id FROM kept_tags WHERE %s', 'value', 'Ærø1', '7' ],
		[ 'buyer_tags_gin', 'id FROM buyer_tags WHERE %s', q{tags_if('big', amount > 500, right(member_text, 500), true, 'refund', amount < 0)}, '東京3', 'refund' ]);
	for (@questions)
	{
		my ($index, $query, $set, $one, $other) = @$_;
		for my $condition ("$set ? '$one'", "$set ?| '{$one,$other}'", "$set ?& '{$one,$other}'", "$set @> '{$one}'", "$set @@ '$one & !$other'", "$set @@ '!$one & !$other'",
			"has_tag($set, '$other')")
		{
			my $sql = 'SELECT ' . sprintf($query, $condition) . ' ORDER BY 1';
			my ($used, $scanned, $plan) = map {
				$node->safe_psql($database, "SET search_path = public, analytics; SET enable_seqscan = $_->[0]; SET enable_indexscan = off; SET enable_bitmapscan = $_->[1]; $_->[2] $sql")
			} [ 'off', 'on', '' ], [ 'on', 'off', '' ], [ 'off', 'on', 'EXPLAIN (COSTS off)' ];
			like($plan, qr/Bitmap Index Scan on $index/, "$description: $condition uses the index");
			ok($used eq $scanned && $used ne '', "$description: and finds the same rows") or diag("$used\n$scanned");
		}
	}
	return;
}

1;
