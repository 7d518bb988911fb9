-- Helpers for tests with bad input, made anew by every test that uses them.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS hostile CASCADE;
RESET client_min_messages;
CREATE SCHEMA hostile;

-- The error that a statement raises, as "SQLSTATE message"; NULL if it raises none.
CREATE FUNCTION hostile.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- Gives an image to the receive function of a type, as binary COPY does:
-- signature, flags, extension, one field, its length, the image, the end mark.
CREATE FUNCTION hostile.receive(type_name text, image bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/custmart_receive_' || pg_backend_pid();
	lo oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || '\x00000000'::bytea || '\x00000000'::bytea
		|| '\x0001'::bytea || int4send(length(image)) || image || '\xffff'::bytea);
	result text;
BEGIN
	PERFORM lo_export(lo, file);
	PERFORM lo_unlink(lo);
	EXECUTE format('CREATE TEMP TABLE received (v %s)', type_name);
	result := hostile.error_of(format('COPY received FROM %L WITH (FORMAT binary)', file));
	IF result IS NULL THEN
		EXECUTE 'SELECT ''accepted: '' || v::text FROM received' INTO result;
	END IF;
	DROP TABLE received;
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
