-- The measurements, and the table that bench/run prints.

CREATE TABLE measurements (side text, value float8);

CREATE TABLE comparisons (
	nr int GENERATED ALWAYS AS IDENTITY,
	what text,
	ours text,       -- a side,
	against text,    -- what it is compared with, in words,
	theirs text,     -- and that side
	unit text,       -- s, MB, bytes or rows
	aim text,        -- 'times': at most this many times theirs; 'faster': at least this many times faster;
	                 -- 'within': at most this many times more or less
	target float8    -- NULL: no target, for information
);

CREATE VIEW medians AS
SELECT side, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median, min(value), max(value)
FROM measurements
GROUP BY side;

-- Three digits or so, which is more than the spread allows.
CREATE FUNCTION figure(value float8, unit text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN to_char(value, CASE WHEN unit = 'rows' THEN 'FM999999990' WHEN unit IN ('MB', 'bytes') THEN 'FM99990.0' WHEN value < 1 THEN 'FM990.000' ELSE 'FM99990.00' END) || ' ' || unit;

CREATE FUNCTION spread(low float8, high float8, unit text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN CASE WHEN low < high THEN replace(figure(low, unit), ' ' || unit, '') || ' .. ' || replace(figure(high, unit), ' ' || unit, '') ELSE '' END;

CREATE VIEW report AS
SELECT what AS workload,
	figure(o.median, unit) AS custmart, spread(o.min, o.max, unit) AS "min .. max",
	against,
	figure(t.median, unit) AS theirs, spread(t.min, t.max, unit) AS "min .. max ",
	CASE WHEN aim = 'times' THEN to_char(ratio, 'FM9990.00 "× as much"')
		WHEN aim = 'within' THEN to_char(ratio, 'FM9990.00 "× off"')
		WHEN ratio < 1 THEN to_char(1 / ratio, 'FM9990.00 "× slower"')
		ELSE to_char(ratio, 'FM9990.00 "× faster"') END AS ratio,
	CASE aim WHEN 'faster' THEN '≥ ' ELSE '≤ ' END || target AS target,
	CASE WHEN target IS NULL THEN '' WHEN CASE aim WHEN 'faster' THEN ratio >= target ELSE ratio <= target END THEN 'met' ELSE 'MISSED' END AS verdict
FROM comparisons
JOIN medians o ON o.side = ours
JOIN medians t ON t.side = theirs,
LATERAL (SELECT CASE aim WHEN 'faster' THEN t.median / o.median WHEN 'times' THEN o.median / t.median
	ELSE greatest(o.median / t.median, t.median / o.median) END AS ratio) r
ORDER BY nr;
