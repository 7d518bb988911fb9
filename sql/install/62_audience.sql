-- audience: who gets what, once, with a fair control group

-- @each member bigint uuid text
CREATE FUNCTION hash_share(member {member}, salt text) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_hash_share_{member}' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION hash_share({member}, text) IS
	'A number from 0 to below 1 that is the member''s own for this salt, spread evenly, on every machine and in every release the same: the upper 53 bits of XXH64 of the member (bigint as 8 bytes, least significant first; uuid as 16; text as UTF-8), seeded with XXH64 of the salt. Another salt gives numbers that are independent of these. Errors: 22P05 or 22021 for a text that cannot be written in UTF-8.';

CREATE FUNCTION is_held_out(member {member}, salt text, share double precision) RETURNS boolean
	AS 'MODULE_PATHNAME', 'custmart_is_held_out_{member}' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION is_held_out({member}, text, double precision) IS
	'True if the member belongs to the control group of this salt, which is about the given share (0 to 1) of all: hash_share(member, salt) < share. A member stays on its side when the audience changes. Errors: 22023 for a share outside 0 to 1.';

-- @end
