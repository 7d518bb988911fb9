-- The measurements, and the tables that bench/run writes in Markdown.

CREATE TABLE measurements (side text, value float8);

CREATE TABLE comparisons (
	nr int GENERATED ALWAYS AS IDENTITY,
	heading text,    -- of the table
	what text,
	ours text,       -- a side,
	against text,    -- what it is compared with, in words,
	theirs text,     -- and that side
	unit text,       -- s, ns, MB, bytes or rows
	aim text,        -- 'times': at most this many times theirs; 'faster': at least this many times faster;
	                 -- 'within': at most this many times more or less
	target float8    -- NULL: no target, for information
);

CREATE VIEW medians AS
SELECT side, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median, min(value), max(value)
FROM measurements
GROUP BY side;

-- Three digits or so, which is more than the spread allows.
CREATE FUNCTION digits(value float8, unit text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN to_char(value, CASE
		WHEN unit = 'rows' THEN 'FM999999990'
		WHEN unit IN ('MB', 'bytes', 'ns') THEN 'FM99990.0'
		WHEN value < 1 THEN 'FM990.000'
		ELSE 'FM99990.00' END);

-- A median, with its unit and its spread.
CREATE FUNCTION figure(m medians, unit text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN digits(m.median, unit) || ' ' || unit ||
		CASE WHEN m.min < m.max THEN format(' (%s .. %s)', digits(m.min, unit), digits(m.max, unit)) ELSE '' END;

CREATE VIEW report AS
SELECT nr, heading, what, figure(o, unit) AS ours, against, figure(t, unit) AS theirs,
	CASE
		WHEN aim = 'times' THEN to_char(ratio, 'FM9990.00 "× as much"')
		WHEN aim = 'within' THEN to_char(ratio, 'FM9990.00 "× off"')
		WHEN ratio < 1 THEN to_char(1 / ratio, 'FM9990.00 "× slower"')
		ELSE to_char(ratio, 'FM9990.00 "× faster"') END AS ratio,
	CASE
		WHEN target IS NULL THEN ''
		WHEN aim = 'faster' THEN '≥ ' || target || CASE WHEN ratio >= target THEN ' met' ELSE ' MISSED' END
		ELSE '≤ ' || target || CASE WHEN ratio <= target THEN ' met' ELSE ' MISSED' END END AS target
FROM comparisons
JOIN medians o ON o.side = ours
JOIN medians t ON t.side = theirs,
LATERAL (SELECT CASE aim WHEN 'faster' THEN t.median / o.median WHEN 'times' THEN o.median / t.median
	ELSE greatest(o.median / t.median, t.median / o.median) END AS ratio) r;

-- Nanoseconds for each row of tables of different sizes.
CREATE VIEW scaling_report AS
SELECT rows, floor, book, members, book / floor AS book_ratio, members / floor AS members_ratio
FROM (
	SELECT rows,
		min(ns) FILTER (WHERE what = 'scaling_floor') AS floor,
		min(ns) FILTER (WHERE what = 'scaling_book') AS book,
		min(ns) FILTER (WHERE what = 'scaling_members') AS members
	FROM medians,
	LATERAL (SELECT split_part(side, ' ', 2) AS what, split_part(side, ' ', 1) AS workload) s,
	LATERAL (SELECT substring(workload FROM '^scaling_(\d+)$')::bigint AS rows) r,
	LATERAL (SELECT median * 1e9 / rows AS ns) n
	WHERE rows IS NOT NULL
	GROUP BY rows
) sizes;

CREATE VIEW markdown AS
SELECT line
FROM (
	SELECT min(nr) AS nr, 1 AS part, format(E'\n### %s\n\n', heading) ||
		E'| workload | custmart (min .. max) | against | theirs (min .. max) | ratio | aim |\n|---|---|---|---|---|---|' AS line
	FROM comparisons
	GROUP BY heading
	UNION ALL
	SELECT nr, 2, format('| %s | %s | %s | %s | %s | %s |', what, ours, against, theirs, ratio, target)
	FROM report
	UNION ALL
	SELECT NULL, 1, E'\n### Tables of different sizes, nanoseconds a row\n\n'
		'| rows | floor | rfm_book | its times floor | RFM, scored and labelled | its times floor |\n|---|---|---|---|---|---|'
	WHERE EXISTS (SELECT FROM scaling_report)
	UNION ALL
	SELECT NULL, 1 + rows, format('| %s | %s | %s | %s | %s | %s |', to_char(rows, 'FM999,999,999'),
		digits(floor, 'ns'), digits(book, 'ns'), digits(book_ratio, 's'), digits(members, 'ns'), digits(members_ratio, 's'))
	FROM scaling_report
) lines
ORDER BY nr, part;
