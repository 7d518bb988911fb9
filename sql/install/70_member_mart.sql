-- member_mart: a table of one row a member that follows inserts, updates, deletes and late rows of its source, by
-- recomputing only the members concerned. Everything that it consists of is made as plain objects of the user.

CREATE FUNCTION member_mart_note() RETURNS trigger
	AS 'MODULE_PATHNAME', 'custmart_member_mart_note' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10;
COMMENT ON FUNCTION member_mart_note() IS
'The triggers that create_member_mart makes: notes the members whose rows have changed in the log of a mart, or NULL for everybody after TRUNCATE. Arguments: schema and name of the log, column of the member. Needs the right to insert into the log (42501), which create_member_mart gives to PUBLIC. Error 42P01 if the log is gone, 39P01 if it is not called as such a trigger.';

CREATE FUNCTION member_mart_columns(query text) RETURNS text[]
	AS 'MODULE_PATHNAME', 'custmart_member_mart_columns' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION member_mart_columns(text) IS
'Pairs of the name and the OID of the type of what a query would return, which is not run. Used by create_member_mart. Error 42601 if it is not one query, and whatever is wrong with that.';

CREATE FUNCTION member_mart_path() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE COST 10
	RETURN array_to_string(ARRAY(SELECT quote_ident(s) FROM unnest(current_schemas(false)) WITH ORDINALITY u (s, n) WHERE s NOT LIKE 'pg\_temp\_%' ORDER BY n) || text 'pg_temp', ', ');
COMMENT ON FUNCTION member_mart_path() IS
'The search_path of the caller as a list of the schemas that exist, pg_temp last. Used by create_member_mart.';

CREATE FUNCTION member_mart_statements(mart text, source regclass, member name, columns text, filter text, path text) RETURNS text[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	extension text := (SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'custmart');
	relation record;
	attribute record;
	key text;
	counted text;		-- what is selected,
	rows_of_key text;	-- of which rows
	made text[];		-- names and types of the mart's columns
	names name[];
	summaries name[];	-- of rfm()
	list text;
	target text;
	log text;
	cuts text;
	save text;
	body text;
	quotes text := '$mart$';
	make_table text;
	arguments text;
	about text;
	statements text[] := '{}';
BEGIN
	IF mart IS NULL OR source IS NULL OR member IS NULL OR columns IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('%s of a member mart must not be NULL', CASE WHEN mart IS NULL THEN 'name' WHEN source IS NULL THEN 'source' WHEN member IS NULL THEN 'member' ELSE 'columns' END);
	ELSIF mart = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = 'name of a member mart must not be empty',
			HINT = 'It is the name of a table that is made in the schema of the source, such as members.';
	ELSIF strpos(mart, '.') > 0 THEN
		-- Meant to be in a schema: as the name of a table it would be found by nobody who writes it as here.
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = format('name "%s" of a member mart must not have a dot', mart),
			HINT = 'The mart is made in the schema of its source: give its name alone.';
	ELSIF mart = 'member_mart' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_name', MESSAGE = 'a member mart cannot be called "member_mart"',
			HINT = 'Its function refresh_member_mart would be mistaken for that of custmart. Call it members, for example.';
	ELSIF octet_length(mart) > 55 THEN
		RAISE EXCEPTION USING ERRCODE = 'name_too_long', MESSAGE = format('name "%s" of a member mart is too long', mart),
			HINT = 'It may have 55 bytes, because its log is called like it with "_changes" behind.';
	ELSIF btrim(columns, E' \t\n\r') = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'columns of a member mart must not be empty',
			HINT = 'Give aggregates as behind SELECT: ''sum(amount) AS spent, max(ordered_at) AS last_order''.';
	END IF;

	SELECT n.nspname, c.relname, c.relkind, c.relpersistence,
		EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid) AS has_children
	INTO relation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source;
	IF relation IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('the table with OID %s does not exist', source::oid);
	ELSIF relation.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is not a table', relation.relname),
			HINT = 'Triggers note what changes, so the source of a member mart is a table, with partitions or without.';
	ELSIF relation.relpersistence = 't' THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is a temporary table', relation.relname),
			HINT = 'A member mart outlives the session, so its source must, too.';
	ELSIF relation.relkind = 'r' AND relation.has_children THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" has child tables that are not its partitions', relation.relname),
			HINT = 'Its triggers would not see their rows. Declare them as partitions, or make a mart of each.';
	END IF;
	-- A domain may refuse NULL, which the log needs.
	WITH RECURSIVE base AS (
		SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier, a.attgenerated
		FROM pg_attribute a WHERE a.attrelid = source AND a.attname = member AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL
		SELECT b.attnum, t.typbasetype, t.typtypmod, b.attgenerated FROM base b JOIN pg_type t ON t.oid = b.type AND t.typtype = 'd'
	)
	SELECT b.attnum, b.attgenerated, CASE WHEN (SELECT count(*) FROM base) > 1 THEN '::' || format_type(b.type, b.modifier) ELSE '' END AS as_base,
		format_type(b.type, b.modifier) AS type, t.typcategory
	INTO attribute FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype <> 'd';
	IF attribute IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('column "%s" of table "%s" does not exist', member, relation.relname),
			HINT = 'Give the column of the member as it is in the table, capitals included, and without quotes.';
	END IF;
	IF attribute.attgenerated = 'v' THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = format('column "%s" of table "%s" is a virtual generated column, which triggers do not see', member, relation.relname),
			HINT = 'Declare it STORED.';
	END IF;
	IF attribute.typcategory = 'A' THEN
		RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch', MESSAGE = format('column "%s" of table "%s" is an array, not a member', member, relation.relname);
	END IF;
	IF NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = source AND i.indkey[0] = attribute.attnum AND i.indisvalid AND i.indpred IS NULL) THEN
		RAISE WARNING USING MESSAGE = format('no index of "%s" begins with "%s", so every refresh will read the whole table', relation.relname, member),
			HINT = format('CREATE INDEX ON %I.%I (%I);', relation.nspname, relation.relname, member);
	END IF;

	target := format('%I.%I', relation.nspname, mart);
	log := format('%I.%I', relation.nspname, mart || '_changes');
	cuts := format('%I.%I', relation.nspname, mart || '_cuts');
	make_table := CASE relation.relpersistence WHEN 'u' THEN 'CREATE UNLOGGED TABLE' ELSE 'CREATE TABLE' END;
	key := format('%I.%I', relation.relname, member);
	about := format('of %I.%I, by %I', relation.nspname, relation.relname, member);
	-- What the user wrote ends with its line, as it may end in a comment.
	counted := concat('SELECT ', key, attribute.as_base, E' AS member,\n', columns, E'\n', format('FROM %I.%I', relation.nspname, relation.relname));
	rows_of_key := concat(key, ' IS NOT NULL', E' AND (\n' || nullif(btrim(filter, E' \t\n\r'), '') || E'\n)');

	PERFORM set_config('search_path', path, true);
	EXECUTE format('SELECT %s.member_mart_columns($1)', extension) INTO made USING concat(counted, E'\nWHERE ', rows_of_key, E'\nGROUP BY ', key);
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
	SELECT array_agg(made[i][1] ORDER BY i), array_agg(made[i][1] ORDER BY i) FILTER (WHERE made[i][2]::oid = (extension || '.rfm_summary')::regtype)
	INTO names, summaries FROM generate_subscripts(made, 1) i;
	list := (SELECT string_agg(quote_ident(c), ', ' ORDER BY n) FROM unnest(names) WITH ORDINALITY u (c, n));

	statements := array_append(statements, format(E'%s %s AS\n%s\nWHERE %s\nGROUP BY %s\nWITH NO DATA;', make_table, target, counted, rows_of_key, key));
	statements := array_append(statements, format('ALTER TABLE %s ADD PRIMARY KEY (member);', target));
	statements := array_append(statements, format('COMMENT ON TABLE %s IS %L;', target, concat('Member mart ', about, '; brought up to date by refresh_member_mart.')));
	statements := array_append(statements, format(E'%s %s AS\nSELECT member FROM %s\nWITH NO DATA;', make_table, log, target));
	statements := array_append(statements, format('CREATE INDEX ON %s (member);', log));
	statements := array_append(statements, format('COMMENT ON TABLE %s IS %L;', log, 'Members whose rows changed since the last refresh of the member mart; NULL is everybody. Only added to, and without a unique key, so that no change is lost.'));
	statements := array_append(statements, format('GRANT INSERT ON %s TO PUBLIC;', log));
	IF summaries IS NOT NULL THEN
		statements := array_append(statements, format(E'%s %s AS\nSELECT %s\nFROM %s m;', make_table, cuts,
			(SELECT string_agg(format('%1$s.rfm_cuts(m.%2$I) AS %2$I', extension, c), ', ' ORDER BY n) FROM unnest(summaries) WITH ORDINALITY u (c, n)), target));
		statements := array_append(statements, format('COMMENT ON TABLE %s IS %L;', cuts, 'Limits by which the members of the mart are scored, of its last refresh.'));
		statements := array_append(statements, format(E'CREATE VIEW %I.%I AS\nSELECT m.*, %s\nFROM %s m, %s c;', relation.nspname, mart || '_scored',
			(SELECT string_agg(format('%1$s.rfm_score(m.%2$I, c.%2$I) AS %3$I, %1$s.rfm_segment(m.%2$I, c.%2$I) AS %4$I', extension, c, c || '_score', c || '_segment'), ', ' ORDER BY n)
				FROM unnest(summaries) WITH ORDINALITY u (c, n)), target, cuts));
		statements := array_append(statements, format('COMMENT ON VIEW %I.%I IS %L;', relation.nspname, mart || '_scored', 'The member mart with scores and segments.'));
	END IF;

	save := format($text$mart_made AS (
			INSERT INTO %1$s (%2$s)
			SELECT %2$s FROM mart_now
			ON CONFLICT (member) DO UPDATE SET %3$s
			RETURNING 1
		)$text$, target, list, (SELECT string_agg(format('%1$I = excluded.%1$I', c), ', ' ORDER BY n) FROM unnest(names) WITH ORDINALITY u (c, n)));
	-- Members are looked up as an array, of which the planner knows the length; it knows nothing of how full the log is,
	-- and would compare each with each.
	body := format($text$
#variable_conflict use_column
DECLARE
	mart_keys %8$s[];
	mart_changed boolean := true;
BEGIN
	-- One refresh at a time. Whoever reads the mart or writes into its source goes on.
	LOCK TABLE %1$s IN SHARE UPDATE EXCLUSIVE MODE;
	IF everybody OR EXISTS (SELECT FROM %2$s c WHERE c.member IS NULL) THEN
		-- A snapshot that is older than the lock must not bring back who was removed since.
		IF current_setting('transaction_isolation') <> 'read committed' THEN
			PERFORM FROM %1$s FOR UPDATE;
		END IF;
		WITH mart_taken AS (
			DELETE FROM %2$s
		), mart_now AS MATERIALIZED (
%3$s
WHERE %4$s
GROUP BY %5$s
		), mart_gone AS (
			DELETE FROM %1$s m
			WHERE m.member = ANY (ARRAY(SELECT k.member FROM %1$s k EXCEPT SELECT n.member FROM mart_now n))
			RETURNING 1
		), %6$s
		SELECT (SELECT count(*) FROM mart_made), (SELECT count(*) FROM mart_gone), 0
		INTO recomputed, removed, waiting;
	ELSE
		SELECT array_agg(n.member) FILTER (WHERE max_members IS NULL OR n.place <= max_members),
			count(*) FILTER (WHERE n.place > max_members)
		INTO mart_keys, waiting
		FROM (
			SELECT c.member, row_number() OVER (ORDER BY min(c.ctid)) AS place
			FROM %2$s c WHERE c.member IS NOT NULL
			GROUP BY c.member
		) n;
		mart_changed := mart_keys IS NOT NULL;
		-- One statement has one snapshot, and a change is committed with its note: it sees both or neither.
		WITH mart_taken AS (
			DELETE FROM %2$s c WHERE c.member = ANY (mart_keys)
		), mart_now AS MATERIALIZED (
%3$s
WHERE %4$s
AND %5$s = ANY (mart_keys)
GROUP BY %5$s
		), mart_gone AS (
			DELETE FROM %1$s m
			WHERE m.member = ANY (ARRAY(SELECT k.member FROM unnest(mart_keys) k (member) EXCEPT SELECT n.member FROM mart_now n))
			RETURNING 1
		), %6$s
		SELECT (SELECT count(*) FROM mart_made), (SELECT count(*) FROM mart_gone)
		INTO recomputed, removed;
	END IF;
%7$sEND
$text$, target, log, counted, rows_of_key, key, save, CASE WHEN summaries IS NOT NULL THEN format($text$	-- Limits are of all members: they follow when nobody is left waiting. A crash takes the row of an unlogged mart.
	IF waiting = 0 AND mart_changed THEN
		DELETE FROM %1$s;
		INSERT INTO %1$s (%2$s) SELECT %3$s FROM %4$s m;
	END IF;
$text$, cuts, (SELECT string_agg(quote_ident(c), ', ' ORDER BY n) FROM unnest(summaries) WITH ORDINALITY u (c, n)),
		(SELECT string_agg(format('%1$s.rfm_cuts(m.%2$I)', extension, c), ', ' ORDER BY n) FROM unnest(summaries) WITH ORDINALITY u (c, n)), target) END, attribute.type);
	WHILE position(quotes IN body) > 0 LOOP
		quotes := '$mart_' || md5(quotes || body) || '$';
	END LOOP;
	statements := array_append(statements, format($text$CREATE FUNCTION %1$I.%2$I(max_members bigint DEFAULT NULL, everybody boolean DEFAULT false,
	OUT recomputed bigint, OUT removed bigint, OUT waiting bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = %3$s SET row_security = off SET plan_cache_mode = force_custom_plan AS %4$s%5$s%4$s;$text$,
		relation.nspname, 'refresh_' || mart, path, quotes, body));
	statements := array_append(statements, format('COMMENT ON FUNCTION %I.%I(bigint, boolean) IS %L;', relation.nspname, 'refresh_' || mart,
		concat('Refreshes the member mart ', about, '; called by refresh_member_mart and rebuild_member_mart.')));

	body := format($text$
#variable_conflict use_column
DECLARE
	mart_share double precision := share;
	mart_salt bigint := trunc(random() * 9007199254740992);	-- other members each time
BEGIN
	WITH mart_noted AS MATERIALIZED (
		SELECT DISTINCT c.member FROM %2$s c
	), mart_now AS MATERIALIZED (
%3$s
WHERE %4$s
AND (mart_share >= 1 OR hash_record_extended(ROW(%5$s%6$s), mart_salt)::double precision / 18446744073709551616 + 0.5 < mart_share)
GROUP BY %5$s
	), mart_kept AS MATERIALIZED (
		SELECT %7$s FROM %1$s m
		WHERE mart_share >= 1 OR hash_record_extended(ROW(m.member), mart_salt)::double precision / 18446744073709551616 + 0.5 < mart_share
	)
	-- Images of rows are compared, because some types have no equality; without members, who may be equal and written
	-- in another way, as 1.0 and 1.00. Who is waiting for a refresh is not wrong.
	SELECT count(*), count(*) FILTER (WHERE k.member IS NULL OR n.member IS NULL
		OR ROW(%8$s)::record OPERATOR(pg_catalog.*<>) ROW(%9$s)::record)
	INTO checked, wrong
	FROM mart_now n FULL JOIN mart_kept k ON k.member = n.member
	WHERE NOT EXISTS (SELECT FROM mart_noted c WHERE c.member = coalesce(n.member, k.member))
		AND NOT EXISTS (SELECT FROM mart_noted c WHERE c.member IS NULL);
END
$text$, target, log, counted, rows_of_key, key, attribute.as_base, list,
		(SELECT string_agg(format('k.%I', c), ', ' ORDER BY n) FROM unnest(names) WITH ORDINALITY u (c, n) WHERE n > 1),
		(SELECT string_agg(format('n.%I', c), ', ' ORDER BY n) FROM unnest(names) WITH ORDINALITY u (c, n) WHERE n > 1));
	WHILE position(quotes IN body) > 0 LOOP
		quotes := '$mart_' || md5(quotes || body) || '$';
	END LOOP;
	statements := array_append(statements, format($text$CREATE FUNCTION %1$I.%2$I(share double precision DEFAULT 0.01, OUT checked bigint, OUT wrong bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = %3$s SET row_security = off SET enable_nestloop = off AS %4$s%5$s%4$s;$text$,
		relation.nspname, 'check_' || mart, path, quotes, body));
	statements := array_append(statements, format('COMMENT ON FUNCTION %I.%I(double precision) IS %L;', relation.nspname, 'check_' || mart,
		concat('Compares the member mart ', about, ' with its source; called by check_member_mart.')));

	-- IS DISTINCT FROM would fail where a column, such as one of json, has no equality.
	statements := array_append(statements, format($text$CREATE TRIGGER %I AFTER INSERT OR DELETE ON %I.%I
	FOR EACH ROW EXECUTE FUNCTION %s.member_mart_note(%L, %L, %L);$text$,
		mart || '_rows', relation.nspname, relation.relname, extension, relation.nspname, mart || '_changes', member));
	statements := array_append(statements, format($text$CREATE TRIGGER %I AFTER UPDATE ON %I.%I
	FOR EACH ROW WHEN (OLD.* OPERATOR(pg_catalog.*<>) NEW.*) EXECUTE FUNCTION %s.member_mart_note(%L, %L, %L);$text$,
		mart || '_updated', relation.nspname, relation.relname, extension, relation.nspname, mart || '_changes', member));
	statements := array_append(statements, format($text$CREATE TRIGGER %I AFTER TRUNCATE ON %I.%I
	FOR EACH STATEMENT EXECUTE FUNCTION %s.member_mart_note(%L, %L, %L);$text$,
		mart || '_emptied', relation.nspname, relation.relname, extension, relation.nspname, mart || '_changes', member));
	-- The first refresh computes everybody.
	statements := array_append(statements, format('INSERT INTO %s VALUES (NULL);', log));
	RETURN statements;
END $$;
COMMENT ON FUNCTION member_mart_statements(text, regclass, name, text, text, text) IS
'What member_mart_script returns and create_member_mart runs. Arguments: as there, and the search_path in which columns and filter are read. Errors as there.';

CREATE FUNCTION member_mart_run(mart text, source regclass, member name, columns text, filter text, path text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	extension text := (SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'custmart');
	statements text[];
	statement text;
BEGIN
	EXECUTE format('SELECT %s.member_mart_statements($1, $2, $3, $4, $5, $6)', extension) INTO statements USING mart, source, member, columns, filter, path;
	PERFORM set_config('search_path', path, true);
	FOREACH statement IN ARRAY statements LOOP
		EXECUTE statement;
	END LOOP;
END $$;
COMMENT ON FUNCTION member_mart_run(text, regclass, name, text, text, text) IS
'Runs the statements of member_mart_statements. Used by create_member_mart. Errors as there.';

CREATE FUNCTION member_mart_script(name text, source regclass, member name, columns text, filter text DEFAULT NULL, OUT statement text) RETURNS SETOF text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 20
	RETURN unnest(member_mart_statements(name, source, member, columns, filter, member_mart_path()));
COMMENT ON FUNCTION member_mart_script(text, regclass, name, text, text) IS
'What create_member_mart would run, one statement a row: to read, to keep, or to run with \gexec. Arguments and errors as there.';

CREATE FUNCTION create_member_mart(name text, source regclass, member name, columns text, filter text DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 100000
	RETURN member_mart_run(name, source, member, columns, filter, member_mart_path());
COMMENT ON FUNCTION create_member_mart(text, regclass, name, text, text) IS
'Makes a table of one row a member that refresh_member_mart brings up to date, in the schema of its source: the table, its log, functions, and triggers of the source that note whose rows change. It is empty until the first refresh. Arguments: name of the table, as it is and without its schema, source, column of the member, aggregates over one member''s rows with their names as behind SELECT, condition on rows (SQL of the caller, read in the search_path of this call). A column of rfm_summary gets limits and a view with scores. Rows without a member are left out. Warns if no index begins with the member. Errors: 42809 if the source is not a table, 42703 if it has no such column, 42804 if that is an array, 0A000 if it is a virtual generated column, 22004, 22023, 42602, 42622 for arguments, 42P07 and others of the statements that it runs.';

CREATE FUNCTION member_mart_function(mart regclass, prefix text, arguments text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	relation record;
BEGIN
	IF mart IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the member mart must not be NULL';
	END IF;
	SELECT n.nspname, c.relname INTO relation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.oid = mart AND c.relkind = 'r'
		-- A function of somebody else is not run with the rights of the caller.
		AND EXISTS (SELECT FROM pg_proc p WHERE p.oid = to_regprocedure(format('%I.%I(%s)', n.nspname, prefix || c.relname, arguments)) AND p.proowner = c.relowner)
		AND to_regclass(format('%I.%I', n.nspname, c.relname || '_changes')) IS NOT NULL;
	IF relation IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('%s is not a member mart', mart),
			HINT = 'create_member_mart makes one. Its log and its functions are found by their names, so they keep them, and the owner of the mart owns them.';
	END IF;
	RETURN format('%I.%I', relation.nspname, prefix || relation.relname);
END $$;
COMMENT ON FUNCTION member_mart_function(regclass, text, text) IS
'The function of a member mart with this prefix and these types of arguments, schema-qualified and quoted. Errors: 42809 if the table is not a member mart, or the function is not of its owner, 22004 if it is NULL.';

CREATE FUNCTION refresh_member_mart(mart regclass, max_members bigint DEFAULT NULL, OUT recomputed bigint, OUT removed bigint, OUT waiting bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	extension text := (SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'custmart');
	refresh text;
BEGIN
	IF max_members < 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('max_members must be at least 1, not %s', max_members),
			HINT = 'It is how many members one refresh recomputes; leave it out to recompute all that wait.';
	END IF;
	EXECUTE format('SELECT %s.member_mart_function($1, ''refresh_'', ''bigint, boolean'')', extension) INTO refresh USING mart;
	EXECUTE format('SELECT * FROM %s($1, false)', refresh) INTO recomputed, removed, waiting USING max_members;
END $$;
COMMENT ON FUNCTION refresh_member_mart(regclass, bigint) IS
'Brings a member mart up to date: recomputes the members whose rows changed since the last refresh, from all their rows. Arguments: the mart, and at most how many members, NULL for all. Returns how many were recomputed, how many were removed because they have no rows left, and how many still wait. After TRUNCATE of the source, and the first time, it recomputes everybody, whatever max_members is. One refresh runs at a time; readers and writers go on. Errors: 42809 if the table is not a member mart, 22023 if max_members is below 1, 22004 if mart is NULL, 40001 under REPEATABLE READ if another refresh came first.';

CREATE FUNCTION rebuild_member_mart(mart regclass, OUT recomputed bigint, OUT removed bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	extension text := (SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'custmart');
	refresh text;
BEGIN
	EXECUTE format('SELECT %s.member_mart_function($1, ''refresh_'', ''bigint, boolean'')', extension) INTO refresh USING mart;
	EXECUTE format('SELECT f.recomputed, f.removed FROM %s(NULL::bigint, true) f', refresh) INTO recomputed, removed;
END $$;
COMMENT ON FUNCTION rebuild_member_mart(regclass) IS
'Recomputes all members of a member mart, for changes that its triggers do not see, and after large loads. Returns how many were recomputed and how many removed. Errors: 42809 if the table is not a member mart, 22004 if it is NULL, 40001 under REPEATABLE READ if another refresh came first.';

CREATE FUNCTION check_member_mart(mart regclass, share double precision DEFAULT 0.01, OUT checked bigint, OUT wrong bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	extension text := (SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'custmart');
	comparison text;
BEGIN
	IF share > 0 AND share <= 1 THEN
		EXECUTE format('SELECT %s.member_mart_function($1, ''check_'', ''double precision'')', extension) INTO comparison USING mart;
		EXECUTE format('SELECT * FROM %s($1)', comparison) INTO checked, wrong USING share;
	ELSE
		RAISE EXCEPTION USING ERRCODE = CASE WHEN share IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
			MESSAGE = format('share must be above 0 and at most 1, not %s', coalesce(share::text, 'NULL')),
			HINT = '0.01 compares one member of a hundred, 1 all.';
	END IF;
END $$;
COMMENT ON FUNCTION check_member_mart(regclass, double precision) IS
'Compares members of a member mart, chosen at random, with their rows in the source. Arguments: the mart, and the share of the members. Returns how many were compared and how many differ, are missing, or should not be there; members who wait for a refresh are left out. Errors: 42809 if the table is not a member mart, 22023 if share is not above 0 and at most 1, 22004 for NULL.';

CREATE FUNCTION drop_member_mart(mart regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	extension text := (SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'custmart');
	refresh text;
	relation record;
	trigger record;
BEGIN
	EXECUTE format('SELECT %s.member_mart_function($1, ''refresh_'', ''bigint, boolean'')', extension) INTO refresh USING mart;
	SELECT n.nspname, c.relname, c.relnamespace INTO relation FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = mart;
	-- By what they note, because triggers and their table may have been renamed. So may the schema: then they are on a
	-- table of it, and note in a log that is not where they say.
	FOR trigger IN
		SELECT t.tgname, t.tgrelid::regclass AS source
		FROM pg_trigger t JOIN pg_class s ON s.oid = t.tgrelid
		CROSS JOIN LATERAL (SELECT CASE WHEN t.tgnargs = 3 THEN substring(t.tgargs FROM 1 FOR position(bytea '\x00' IN t.tgargs) - 1) END AS schema) a
		WHERE t.tgfoid = (extension || '.member_mart_note()')::regprocedure AND t.tgparentid = 0
			AND position(a.schema || '\x00' || convert_to(relation.relname || '_changes', getdatabaseencoding()) || '\x00' IN t.tgargs) = 1
			AND (a.schema = convert_to(relation.nspname, getdatabaseencoding())
				OR s.relnamespace = relation.relnamespace
					AND NOT EXISTS (SELECT FROM pg_class l JOIN pg_namespace n ON n.oid = l.relnamespace
						WHERE l.relname = relation.relname || '_changes' AND convert_to(n.nspname, getdatabaseencoding()) = a.schema))
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', trigger.tgname, trigger.source);
	END LOOP;
	EXECUTE format('DROP FUNCTION %s(bigint, boolean)', refresh);
	EXECUTE format('DROP FUNCTION IF EXISTS %I.%I(double precision)', relation.nspname, 'check_' || relation.relname);
	IF to_regclass(format('%I.%I', relation.nspname, relation.relname || '_cuts')) IS NOT NULL THEN
		EXECUTE format('DROP VIEW IF EXISTS %I.%I', relation.nspname, relation.relname || '_scored');
		EXECUTE format('DROP TABLE %I.%I', relation.nspname, relation.relname || '_cuts');
	END IF;
	EXECUTE format('DROP TABLE %I.%I', relation.nspname, relation.relname || '_changes');
	EXECUTE format('DROP TABLE %I.%I', relation.nspname, relation.relname);
END $$;
COMMENT ON FUNCTION drop_member_mart(regclass) IS
'Removes a member mart and all that create_member_mart made with it: triggers, functions, log, limits and view. Errors: 42809 if the table is not a member mart, 22004 if it is NULL, 2BP01 if something else depends on it.';
