-- What several files of tests have in common.

-- Two statements return the same rows, in any order; the first ten that differ are shown.
CREATE FUNCTION pg_temp.same_rows(one text, other text, description text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  difference text;
BEGIN
  EXECUTE format($q$
    WITH one AS MATERIALIZED (%s), other AS MATERIALIZED (%s)
    SELECT string_agg(side || ' ' || line, E'\n')
      FROM (SELECT '+' AS side, x::text AS line FROM (TABLE one EXCEPT ALL TABLE other) x
            UNION ALL
            SELECT '-', x::text FROM (TABLE other EXCEPT ALL TABLE one) x
            ORDER BY 2, 1 LIMIT 10) y $q$, one, other) INTO difference;
  RETURN ok(difference IS NULL, description)
      || CASE WHEN difference IS NULL THEN '' ELSE E'\n' || diag(difference) END;
END $$;

-- Whether the plan of a statement has what a path leads to.
CREATE FUNCTION pg_temp.plan_has(statement text, path jsonpath, options text DEFAULT '') RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (' || options || 'FORMAT JSON) ' || statement INTO plan;
  RETURN jsonb_path_exists(plan, path);
END $$;

-- A number from 0 up to 1 that follows from two others.
CREATE FUNCTION pg_temp.chance(i bigint, stream bigint) RETURNS float8
LANGUAGE sql IMMUTABLE AS $$
  SELECT (hashint8extended(i, stream) & ((1::bigint << 52) - 1))::float8 / (1::bigint << 52)
$$;
