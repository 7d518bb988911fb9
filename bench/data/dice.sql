-- What the tables of bench/run are made with.
--
-- Everything follows from dice(), and dice() from PostgreSQL's hash of bigint,
-- which hash partitions rely on and which therefore never changes: the rows are
-- the same on every machine and every version.
--
-- All tables are unlogged and filled by INSERT, whose pages stay in shared buffers:
-- this compares work in memory, not this machine's disk.  OFFSET 0 keeps the planner
-- from merging a subquery into the query around it, where an expression would be
-- computed as often as it is used.

-- A number from 0 to just below 1, different for each thing it decides about.
CREATE FUNCTION dice(i bigint, about int) RETURNS float8
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (hashint8extended(i, about) & 4294967295) / 4294967296.0::float8;

-- The member of an order.  The square makes members unequal: of a million members with
-- ten orders each on average, the first has ten thousand and the last have five.
-- The multiplication with a prime scatters them, so that neighbouring numbers are
-- unrelated, as in real life.
CREATE FUNCTION whose(i bigint, members bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN trunc(members * dice(i, 1) ^ 2)::bigint * 2654435761 % members + 1;

-- Orders are in order of time, as tables of orders usually are, and cover two years
-- from 2024-01-01.  Only a function that is immutable itself can be inlined;
-- timestamptz + interval is not.
CREATE FUNCTION moment(i bigint, rows bigint) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN to_timestamp(1704067200 + i * 63072000 / rows);

-- A value in cents as money with two decimals.
CREATE FUNCTION money(cents float8) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN trunc(cents)::bigint * 0.01;
