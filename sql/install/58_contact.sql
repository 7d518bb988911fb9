-- contact: how often members are written to, what they do then, and when the next contact is allowed

-- contact_trail: one member

-- @stored_type type=contact_trail in=50 out=50 recv=50 send=1 storage=extended

COMMENT ON TYPE contact_trail IS
	'What was sent to one member and what they did then: the channel, the kind and the time of each row, equal rows once. Made by the aggregate contact_trail(channel, kind, occurred_at), merged by rollup() and +, read by pressure(), contacts_within() and next_contact(). About 5 bytes a row where times are whole seconds, else 7; at most 704 MB. docs/storage-format.md.';

-- @merge type=contact_trail cost=10 size=512

COMMENT ON AGGREGATE rollup(contact_trail) IS
	'Merges the rows of one member from different days, partitions or servers. NULLs are skipped; no rows: NULL. Errors: 54000 for more than 16 channels.';
COMMENT ON OPERATOR + (contact_trail, contact_trail) IS 'Both as one, as if made of all their rows.';

CREATE FUNCTION contact_trail_step(contact_trail, text, text, timestamptz) RETURNS contact_trail
	AS 'MODULE_PATHNAME', 'custmart_contact_trail_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;

CREATE AGGREGATE contact_trail(channel text, kind text, occurred_at timestamptz) (
	SFUNC = contact_trail_step, STYPE = contact_trail, SSPACE = 512,
	COMBINEFUNC = contact_trail_combine, PARALLEL = SAFE
);

COMMENT ON FUNCTION contact_trail_step(contact_trail, text, text, timestamptz) IS 'Transition function of the aggregate contact_trail.';
COMMENT ON AGGREGATE contact_trail(text, text, timestamptz) IS
	'What was sent to one member and what they did then; one row = one of these. channel: such as email or sms, any text up to 63 bytes, at most 16 of them, compared by bytes; kind: sent, opened, clicked, converted, complained, unsubscribed or subscribed; occurred_at: when (a timestamp or a date is taken in the time zone of the session). Equal rows count once, so a mailing with three offers is one contact. Leave service mail out by WHERE. Rows with NULL are skipped; no rows: NULL. Errors: 22023 for another kind, 22008 for infinite times, 54000 for more than 16 channels, a longer channel, or a value over 704 MB.';

-- Accessors

CREATE FUNCTION pressure(trail contact_trail, as_of timestamptz DEFAULT NULL, half_life interval DEFAULT '7 days',
						 channels text[] DEFAULT NULL, weights double precision[] DEFAULT NULL) RETURNS double precision
	AS 'MODULE_PATHNAME', 'custmart_contact_trail_pressure' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
CREATE FUNCTION contacts_within(trail contact_trail, as_of timestamptz, span interval, channel text DEFAULT NULL) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_contacts_within' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
CREATE FUNCTION next_contact(trail contact_trail, as_of timestamptz, span interval, cap integer, channel text DEFAULT NULL) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'custmart_next_contact' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;

COMMENT ON FUNCTION pressure(contact_trail, timestamptz, interval, text[], double precision[]) IS
	'How much the member is being written to: the sum of weight * 2^(-age / half_life) over all contacts, that is, different moments and channels of rows of kind sent; age is as_of less the time of the contact. as_of: NULL = the latest row; half_life: after which a contact weighs half, days and time, above 0 (a day is 24 hours); channels, weights: how much each channel disturbs, equally many, weights from 0 to 1e15; channels that are not named weigh 1. NULL: NULL. Errors: 22023 for a row after as_of or arguments out of range, 22004 if half_life is NULL or channels or weights have NULL in them, 22008 for an infinite as_of.';
COMMENT ON FUNCTION contacts_within(contact_trail, timestamptz, interval, text) IS
	'How many contacts there were with as_of - span < time <= as_of: different moments of rows of kind sent. as_of: NULL = the latest row; span: days and time, above 0 (a day is 24 hours); channel: of which; NULL = all, where one moment of two channels is two contacts. NULL: NULL. Errors: 22023 for a row after as_of or a span out of range, 22004 if span is NULL, 22008 for an infinite as_of.';
COMMENT ON FUNCTION next_contact(contact_trail, timestamptz, interval, integer, text) IS
	'When the next contact is allowed if there may be at most cap in any span: as_of if there were fewer with as_of - span < time <= as_of, else the time of the cap-th latest contact + span. NULL if cap is 0, or if the member has opted out: their last row of kind unsubscribed or complained is not before their last subscribed. channel: of which contacts and opt-outs count; NULL = all, as if they were of one channel. Other arguments and errors as for contacts_within; 22023 if cap is below 0, 22004 if it is NULL, 22008 if the moment is later than a timestamp can be.';

-- @comparison type=contact_trail equality="Values are equal if they hold the same rows."

-- contact_book: every member of a table

-- @stored_type type=contact_book

COMMENT ON TYPE contact_book IS
	'What was sent to every member and what they did then: made by contact_book() in one scan, merged by rollup() and +, read by contact_pressures(), contact_engagements(), contact_priors(), contact_allowances() and contact_fatigue(), as of any moment from the latest row on. About 5 bytes a row where all times are whole seconds, else 8; at most 704 MB. docs/storage-format.md.';

-- @merge type=contact_book support=" SUPPORT book_combine_support"

COMMENT ON AGGREGATE rollup(contact_book) IS
	'Merges books made of different rows, from different days, partitions or servers; equal rows count once. NULLs are skipped; no rows: NULL. Errors: 42804 if their members are of different types, 54000 for more than 16 channels.';
COMMENT ON OPERATOR + (contact_book, contact_book) IS 'Both books as one, as if made of all their rows.';

-- @each member bigint uuid text
CREATE FUNCTION contact_book_step_{member}(contact_book, {member}, text, text, timestamptz) RETURNS contact_book
	AS 'MODULE_PATHNAME', 'custmart_contact_book_step_{member}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
CREATE AGGREGATE contact_book(member {member}, channel text, kind text, occurred_at timestamptz) (
	SFUNC = contact_book_step_{member}, STYPE = contact_book, SSPACE = 65536,
	COMBINEFUNC = contact_book_combine, PARALLEL = SAFE
);
COMMENT ON FUNCTION contact_book_step_{member}(contact_book, {member}, text, text, timestamptz) IS
	'Transition function of the aggregate contact_book.';
COMMENT ON AGGREGATE contact_book({member}, text, text, timestamptz) IS
	'What was sent to every member and what they did then, in one scan; one row = one of these. member: whose; channel: such as email or sms, any text up to 63 bytes, at most 16 of them, compared by bytes; kind: sent, opened, clicked, converted, complained, unsubscribed or subscribed; occurred_at: when (a timestamp or a date is taken in the time zone of the session). Equal rows count once, so a mailing with three offers is one contact. Leave service mail out by WHERE. Rows with NULL are skipped and counted (rows_skipped); no rows: NULL. Errors: 22023 for another kind, 22008 for infinite times, 54000 for more than 16 channels, a longer channel, or a book over 704 MB.';

-- @end

-- Reading a book

-- @template contact_members book member suffix
CREATE FUNCTION contact_pressures({book}, as_of timestamptz DEFAULT NULL, half_life interval DEFAULT '7 days',
					channels text[] DEFAULT NULL, weights double precision[] DEFAULT NULL,
					OUT member {member}, OUT pressure double precision, OUT contacts bigint, OUT last_contact timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_contact_pressures{suffix}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
CREATE FUNCTION contact_engagements({book}, as_of timestamptz DEFAULT NULL, lookback interval DEFAULT '180 days',
					respond_within interval DEFAULT '7 days', responses text[] DEFAULT '{"clicked","converted"}',
					prior_weight double precision DEFAULT NULL,
					OUT member {member}, OUT channel text, OUT contacts bigint, OUT responses bigint,
					OUT rate double precision, OUT engagement double precision, OUT ratio double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_contact_engagements{suffix}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
CREATE FUNCTION contact_allowances({book}, as_of timestamptz DEFAULT NULL, span interval DEFAULT '7 days',
					base_cap integer DEFAULT 3, min_cap integer DEFAULT 1, max_cap integer DEFAULT 7,
					lookback interval DEFAULT '180 days', respond_within interval DEFAULT '7 days',
					responses text[] DEFAULT '{"clicked","converted"}', prior_weight double precision DEFAULT NULL,
					OUT member {member}, OUT channel text, OUT contacts bigint, OUT ratio double precision, OUT cap integer,
					OUT is_allowed boolean, OUT next_allowed timestamptz, OUT is_opted_out boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_contact_allowances{suffix}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1 ROWS 10000 SUPPORT book_report_support;
-- @end
-- @contact_members book="book contact_book" member=bigint suffix=""
-- @contact_members book="member_type anyelement, book contact_book" member=anyelement suffix=_typed
CREATE FUNCTION contact_priors(book contact_book, as_of timestamptz DEFAULT NULL, lookback interval DEFAULT '180 days',
					respond_within interval DEFAULT '7 days', responses text[] DEFAULT '{"clicked","converted"}',
					prior_weight double precision DEFAULT NULL,
					OUT channel text, OUT members bigint, OUT contacts bigint, OUT responses bigint,
					OUT rate double precision, OUT prior_weight double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_contact_priors' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 3;
CREATE FUNCTION contact_fatigue(book contact_book, as_of timestamptz DEFAULT NULL, span interval DEFAULT '7 days',
					respond_within interval DEFAULT '7 days', responses text[] DEFAULT '{"clicked","converted"}',
					max_prior integer DEFAULT 10, alpha double precision DEFAULT 0.05, channel text DEFAULT NULL,
					OUT prior integer, OUT contacts bigint, OUT responses bigint, OUT rate double precision,
					OUT ci_low double precision, OUT ci_high double precision,
					OUT opt_outs bigint, OUT opt_out_rate double precision, OUT members bigint,
					OUT rate_ratio double precision, OUT ratio_ci_low double precision, OUT ratio_ci_high double precision,
					OUT is_tired boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'custmart_contact_fatigue' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 8;
CREATE FUNCTION rows_skipped(book contact_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_contact_book_rows_skipped' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
CREATE FUNCTION member_count(book contact_book) RETURNS bigint
	AS 'MODULE_PATHNAME', 'custmart_contact_book_member_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;

COMMENT ON FUNCTION contact_pressures(contact_book, timestamptz, interval, text[], double precision[]) IS
	'How much is each member being written to? One row per member of a book whose members are bigint, in their order. pressure: the sum of weight * 2^(-age / half_life) over all contacts, that is, different channels and moments of rows of kind sent, age being as_of less the time of the contact; contacts: how many these are; last_contact: NULL if there is none. as_of: NULL = the latest row of the book; half_life: after which a contact weighs half, days and time, above 0 (a day is 24 hours); channels, weights: how much each channel disturbs, equally many, weights from 0 to 1e15; channels that are not named weigh 1. Errors: 22023 for a row after as_of or arguments out of range, 22004 if half_life is NULL or channels or weights have NULL in them, 22008 for an infinite as_of, 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION contact_pressures(anyelement, contact_book, timestamptz, interval, text[], double precision[]) IS
	'One row per member of a book whose members are bigint, uuid or text: contact_pressures(NULL::uuid, book), contact_pressures(NULL::text, book). Only the type of the first argument matters; columns, other arguments and errors are those of contact_pressures(book).';
COMMENT ON FUNCTION contact_engagements(contact_book, timestamptz, interval, interval, text[], double precision) IS
	'How readily does each member answer? One row per member and channel of which there is any row, members in their order and channels by their bytes. contacts: those with as_of - lookback < time <= as_of - respond_within; responses: how many of them were answered: a row of a kind in responses is credited to the latest contact of the member and channel at or before it, if at most respond_within later, and a contact is answered once; rate: NULL without contacts; engagement = (responses + prior_weight * p) / (contacts + prior_weight), p being the rate of the channel, NULL if nobody had contacts; ratio: engagement / p. prior_weight: how many contacts of average success everybody is given, above 0; NULL estimates it by moments, see contact_priors(); where members do not differ beyond chance, or all or none were answered, all have engagement p and ratio 1. as_of: NULL = the latest row of the book; lookback above 0, respond_within 0 or more: days and time (a day is 24 hours). Errors: 22023 for a row after as_of or arguments out of range, 22004 if one but as_of and prior_weight is NULL, 22008 for an infinite as_of, 42804 if the members are of another type; then pass the type first.';
COMMENT ON FUNCTION contact_engagements(anyelement, contact_book, timestamptz, interval, interval, text[], double precision) IS
	'One row per member and channel of a book whose members are bigint, uuid or text. Only the type of the first argument matters, such as NULL::uuid; columns, other arguments and errors are those of contact_engagements(book).';
COMMENT ON FUNCTION contact_priors(contact_book, timestamptz, interval, interval, text[], double precision) IS
	'What every member is drawn towards: one row per channel, by its bytes. members: those with contacts that enter rates; contacts, responses: of all of them; rate: NULL without contacts; prior_weight: the one given, or 1/rho - 1 with rho = (S - p(1-p)(k-1)) / (p(1-p) (N - sum of n^2/N - (k-1))), S = sum of n (x/n - p)^2 over k members with x answers to n contacts, N contacts and rate p in all, but at least 0.01; NULL if rho is not above 0 or not defined: then all members count as alike. Arguments and errors as for contact_engagements, but members may be of any type.';
COMMENT ON FUNCTION contact_allowances(contact_book, timestamptz, interval, integer, integer, integer, interval, interval, text[], double precision) IS
	'Who may be written to now, and when the others? One row per member and channel of which there is any row, members in their order and channels by their bytes. contacts: those with as_of - span < time <= as_of; ratio: as in contact_engagements(); cap: base_cap * ratio, rounded to a whole number, a half up, and kept between min_cap and max_cap; 0 if the member has opted out; is_allowed: contacts < cap; next_allowed: as_of, or the time of the cap-th latest contact + span, NULL if cap is 0; is_opted_out: the last row of kind unsubscribed or complained on the channel is not before the last of kind subscribed. Who has no row is not listed. span: above 0; base_cap, min_cap, max_cap: 0 or more. Other arguments and errors as for contact_engagements; 22008 if next_allowed is later than a timestamp can be.';
COMMENT ON FUNCTION contact_allowances(anyelement, contact_book, timestamptz, interval, integer, integer, integer, interval, interval, text[], double precision) IS
	'One row per member and channel of a book whose members are bigint, uuid or text. Only the type of the first argument matters, such as NULL::uuid; columns, other arguments and errors are those of contact_allowances(book).';
COMMENT ON FUNCTION contact_fatigue(contact_book, timestamptz, interval, interval, text[], integer, double precision, text) IS
	'After how many contacts do members answer less? One row for each number of contacts in the span before a contact that occurs. prior: contacts of the member after time - span and before time; the last row is max_prior or more; contacts: those with time <= as_of - respond_within that had so many before them; responses, rate: how many of them were answered, as in contact_engagements(), and the share; ci_low, ci_high: its interval at level 1 - alpha (Wilson 1927); opt_outs, opt_out_rate: how many were followed by unsubscribed or complained, credited in the same way; rate_ratio: how many times as often as contacts with none before they were answered, inside members (Mantel and Haenszel 1959), NULL if that is not defined, 1 for prior 0; members: those who had both, NULL for prior 0; ratio_ci_low, ratio_ci_high: its interval (Greenland and Robins 1985), NULL where it has none; is_tired: ratio_ci_high < 1. channel: count only contacts and answers of this one; NULL = all, where contacts of every channel count before one, and answers are credited to their own. max_prior: 1 to 1000; alpha: above 0 and below 1. Contacts that are less than span from the beginning of the book have had others before that are not in it, so keep span more of a log than is to be judged. as_of, respond_within and responses as for contact_engagements; members may be of any type. Errors: 22023 for a row after as_of, arguments out of range or months; 22004 for NULL but as as_of and channel.';
COMMENT ON FUNCTION rows_skipped(contact_book) IS 'Number of rows left out of the book because an argument was NULL.';
COMMENT ON FUNCTION member_count(contact_book) IS 'Number of members in the book.';

-- @comparison type=contact_book equality="Books are equal if they hold the same rows of the same members and skipped as many."
