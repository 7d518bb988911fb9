-- Helpers for tests with bad input.  Tests run beside each other: the first makes them.
DO $make$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('hostile'));
	IF to_regnamespace('hostile') IS NOT NULL THEN
		RETURN;
	END IF;
	CREATE SCHEMA hostile;

	-- The error that a statement raises, as "SQLSTATE message"; NULL if it raises none.
	CREATE FUNCTION hostile.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE statement;
		RETURN NULL;
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
	END $$;

	-- Gives an image to the receive function of a type, as binary COPY does.  The file
	-- is written in memory where that is possible: a disk takes longer than all the rest.
	CREATE FUNCTION hostile.receive(type_name text, image bytea) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		directory text := current_setting('data_directory');
		file text := format('/dev/shm/custmart%s_%s', replace(directory, '/', '_'), pg_backend_pid());
		received text := 'received_' || type_name;
		result text;
	BEGIN
		BEGIN
			EXECUTE format('COPY (SELECT %L::bytea) TO %L WITH (FORMAT binary)', image, file);
		EXCEPTION WHEN insufficient_privilege OR undefined_file THEN
			file := format('%s/custmart_%s', directory, pg_backend_pid());
			EXECUTE format('COPY (SELECT %L::bytea) TO %L WITH (FORMAT binary)', image, file);
		END;
		IF to_regclass(format('pg_temp.%I', received)) IS NULL THEN
			EXECUTE format('CREATE TEMP TABLE %I (v %s)', received, type_name);
		END IF;
		result := hostile.error_of(format('COPY pg_temp.%I FROM %L WITH (FORMAT binary)', received, file));
		IF result IS NULL THEN
			EXECUTE format('SELECT ''accepted: '' || v::text FROM pg_temp.%I', received) INTO STRICT result;
			EXECUTE format('DELETE FROM pg_temp.%I', received);
		END IF;
		RETURN result;
	END $$;

	-- Every image that differs from a valid one in one byte, or is cut short, or has a byte more.
	CREATE FUNCTION hostile.mutations(image bytea) RETURNS SETOF bytea LANGUAGE sql AS $$
		SELECT set_byte(image, i, get_byte(image, i) # flip)
		FROM generate_series(0, length(image) - 1) i, unnest(ARRAY[1, 128, 255]) flip
		UNION ALL
		SELECT substr(image, 1, n) FROM generate_series(0, length(image) - 1) n
		UNION ALL
		SELECT image || '\x00'::bytea
	$$;
END $make$;
