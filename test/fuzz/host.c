/*
 * host.c
 *	  The part of the server that custmart calls, for fuzzing.
 *
 * If the program does not link any more because src/ calls something new, that
 * is to be added here: the plainest thing that is right, and strict.
 */
#include "host.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <strings.h>

#include "access/detoast.h"
#include "access/tupdesc.h"
#include "access/tupmacs.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "rfm/rfm_core.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/expandeddatum.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

/* The C library's own, whose arguments the sanitizer checks. */
#undef vsnprintf
#undef vfprintf
#undef snprintf
#undef fprintf
#undef sprintf

volatile sig_atomic_t InterruptPending = true;

long		host_checks_end = LONG_MAX;
static long check_count;		/* in this call */

/* A user cancels, not after a time, but after as many looks for it. */
void
ProcessInterrupts(void)
{
	if (++check_count > host_checks_end)
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
}

void
host_require(bool condition, const char *format,...)
{
	va_list		arguments;

	if (condition)
		return;
	fputs("custmart: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

#if PG_VERSION_NUM >= 160000
void
ExceptionalCondition(const char *condition, const char *file, int line)
#else
void
ExceptionalCondition(const char *condition, const char *type, const char *file, int line)
#endif
{
	host_require(false, "Assert(%s) at %s:%d", condition, file, line);
	abort();
}

/* ---------- errors ---------- */

static sigjmp_buf raised;
static bool catching;
static Outcome outcome;

bool
errstart(int elevel, const char *domain)
{
	host_require(elevel >= ERROR, "a message that is no error");
	host_require(catching, "an error outside of a call");
	outcome.raised = true;
	outcome.is_soft = false;
	outcome.sqlstate = ERRCODE_INTERNAL_ERROR;
	outcome.message[0] = '\0';
	return true;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

int
errcode(int sqlstate)
{
	outcome.sqlstate = sqlstate;
	return 0;
}

/* Details and hints are put together as well, so that their arguments are read. */
#define FORMAT_INTO(buffer, size) \
	do { \
		va_list		arguments; \
		va_start(arguments, fmt); \
		vsnprintf(buffer, size, fmt, arguments); \
		va_end(arguments); \
	} while (0)

int
errmsg(const char *fmt,...)
{
	FORMAT_INTO(outcome.message, sizeof(outcome.message));
	return 0;
}

int
errmsg_internal(const char *fmt,...)
{
	FORMAT_INTO(outcome.message, sizeof(outcome.message));
	return 0;
}

int
errdetail(const char *fmt,...)
{
	char		detail[1024];

	FORMAT_INTO(detail, sizeof(detail));
	return 0;
}

int
errdetail_plural(const char *fmt, const char *plural, unsigned long n,...)
{
	return 0;
}

int
errhint(const char *fmt,...)
{
	char		hint[1024];

	FORMAT_INTO(hint, sizeof(hint));
	return 0;
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	siglongjmp(raised, 1);
}

/* Five characters of six bits each. */
char *
unpack_sql_state(int sqlstate)
{
	static char text[6];

	for (int i = 0; i < 5; i++)
		text[i] = PGUNSIXBIT(sqlstate >> 6 * i);
	return text;
}

#if PG_VERSION_NUM >= 160000
bool
errsave_start(struct Node *context, const char *domain)
{
	errstart(ERROR, domain);
	if (context != NULL && IsA(context, ErrorSaveContext))
	{
		((ErrorSaveContext *) context)->error_occurred = true;
		outcome.is_soft = true;
	}
	return true;
}

void
errsave_finish(struct Node *context, const char *filename, int lineno, const char *funcname)
{
	if (!outcome.is_soft)
		siglongjmp(raised, 1);
}
#endif

/* ---------- memory ---------- */

typedef struct Context Context;

typedef struct Chunk
{
	char	   *place;
	Size		size;
	Context    *context;
	struct Chunk *next;			/* of the same bucket */
	struct Chunk *before;		/* in the same context */
	struct Chunk *after;
} Chunk;

struct Context
{
	MemoryContextData base;
	Context    *parent;
	Context    *child;
	Context    *sibling;
	Chunk	   *chunks;
};

#define BUCKETS 1024

MemoryContext CurrentMemoryContext = NULL;
MemoryContext TopMemoryContext = NULL;

static Chunk *buckets[BUCKETS];
static Size memory;
static Size memory_limit;
bool		host_memory_ends = false;

/* What lasts as long as the process is in TopMemoryContext, all else below this one. */
static MemoryContext input_context;

static Chunk **
bucket_of(const void *place)
{
	return &buckets[((uintptr_t) place >> 4) % BUCKETS];
}

static Chunk *
find_chunk(const void *place)
{
	for (Chunk *chunk = *bucket_of(place); chunk != NULL; chunk = chunk->next)
		if (chunk->place == place)
			return chunk;
	host_require(false, "pfree or repalloc of what was not allocated, or twice");
	return NULL;
}

static void *
allocate(MemoryContext context, Size size)
{
	Chunk	   *chunk;

	if (host_memory_ends && size > memory_limit - Min(memory, memory_limit))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	memory += size;
	host_require(memory <= memory_limit, "asks for %zu bytes, %zu in all", size, memory);
	chunk = malloc(sizeof(Chunk));
	chunk->place = malloc(size);
	/* Whoever relies on zeros is to be found out. */
	memset(chunk->place, 0x7F, size);
	chunk->size = size;
	chunk->context = (Context *) context;
	chunk->next = *bucket_of(chunk->place);
	*bucket_of(chunk->place) = chunk;
	chunk->before = NULL;
	chunk->after = chunk->context->chunks;
	if (chunk->after != NULL)
		chunk->after->before = chunk;
	chunk->context->chunks = chunk;
	return chunk->place;
}

void
pfree(void *pointer)
{
	Chunk	   *chunk = find_chunk(pointer);
	Chunk	  **link = bucket_of(pointer);

	while (*link != chunk)
		link = &(*link)->next;
	*link = chunk->next;
	if (chunk->after != NULL)
		chunk->after->before = chunk->before;
	if (chunk->before != NULL)
		chunk->before->after = chunk->after;
	else
		chunk->context->chunks = chunk->after;
	memory -= chunk->size;
	free(chunk->place);
	free(chunk);
}

static void
check_request(Size size)
{
	if (!AllocSizeIsValid(size))
		elog(ERROR, "invalid memory alloc request size %zu", size);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	check_request(size);
	return allocate(context, size);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	check_request(size);
	return memset(allocate(context, size), 0, size);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return allocate(context, size);
}

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	void	   *place;

	if ((flags & MCXT_ALLOC_HUGE) == 0)
		check_request(size);
	place = allocate(context, size);
	return (flags & MCXT_ALLOC_ZERO) ? memset(place, 0, size) : place;
}

void *
palloc(Size size)
{
	return MemoryContextAlloc(CurrentMemoryContext, size);
}

void *
palloc0(Size size)
{
	return MemoryContextAllocZero(CurrentMemoryContext, size);
}

void *
palloc_extended(Size size, int flags)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size, flags);
}

void *
repalloc_huge(void *pointer, Size size)
{
	Chunk	   *chunk = find_chunk(pointer);
	void	   *place = allocate((MemoryContext) chunk->context, size);

	memcpy(place, pointer, Min(size, chunk->size));
	pfree(pointer);
	return place;
}

void *
repalloc(void *pointer, Size size)
{
	check_request(size);
	return repalloc_huge(pointer, size);
}

char *
pstrdup(const char *text)
{
	return memcpy(palloc(strlen(text) + 1), text, strlen(text) + 1);
}

char *
pnstrdup(const char *in, Size length)
{
	char	   *copy = memcpy(palloc(length + 1), in, length);

	copy[length] = '\0';
	return copy;
}

/* The list of children, where the server has it. */
static void
show_children(Context *parent)
{
	parent->base.firstchild = parent->child == NULL ? NULL : &parent->child->base;
	for (Context *child = parent->child; child != NULL; child = child->sibling)
		child->base.nextchild = child->sibling == NULL ? NULL : &child->sibling->base;
}

void
MemoryContextSetParent(MemoryContext context, MemoryContext new_parent)
{
	Context    *child = (Context *) context;
	Context    *parent = child->parent;

	if (parent != NULL)
	{
		Context   **link = &parent->child;

		while (*link != child)
			link = &(*link)->sibling;
		*link = child->sibling;
		show_children(parent);
	}
	child->parent = parent = (Context *) new_parent;
	if (parent != NULL)
	{
		child->sibling = parent->child;
		parent->child = child;
		show_children(parent);
	}
}

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name,
							  Size minContextSize, Size initBlockSize, Size maxBlockSize)
{
	Context    *context = calloc(1, sizeof(Context));

	context->base.name = name;
	MemoryContextSetParent(&context->base, parent);
	return &context->base;
}

void
MemoryContextReset(MemoryContext context)
{
	Context    *old = (Context *) context;

	while (old->child != NULL)
		MemoryContextDelete(&old->child->base);
	while (old->chunks != NULL)
		pfree(old->chunks->place);
}

void
MemoryContextDelete(MemoryContext context)
{
	Context    *old = (Context *) context;

	host_require(context != CurrentMemoryContext, "deletes the context it works in");
	MemoryContextReset(context);
	MemoryContextSetParent(context, NULL);
	free(old);
}

/* Values stored out of line. */
static Datum toasted[64];
static int	toasted_count;

void
host_begin(Size most_memory)
{
	if (TopMemoryContext == NULL)
		TopMemoryContext = AllocSetContextCreateInternal(NULL, "top", 0, 0, 0);
	memory_limit = memory + most_memory;
	input_context = AllocSetContextCreateInternal(TopMemoryContext, "input", 0, 0, 0);
	CurrentMemoryContext = input_context;
}

void
host_end(void)
{
	Size		lasting = 0;

	CurrentMemoryContext = NULL;
	toasted_count = 0;
	host_memory_ends = false;
	MemoryContextDelete(input_context);
	for (Chunk *chunk = ((Context *) TopMemoryContext)->chunks; chunk != NULL; chunk = chunk->after)
		lasting += chunk->size;
	host_require(memory == lasting && memory < 16 * 1024 * 1024, "%zu bytes are left over", memory - lasting);
}

/* ---------- calls ---------- */

static bool in_aggregate;

int
AggCheckCallContext(FunctionCallInfo fcinfo, MemoryContext *context)
{
	if (context != NULL)
		*context = input_context;
	return in_aggregate ? AGG_CONTEXT_AGGREGATE : 0;
}

/* Every state comes from outside, as far as a combine function can tell, and is checked. */
struct Aggref *
AggGetAggref(FunctionCallInfo fcinfo)
{
	return NULL;
}

static Outcome
run(PGFunction function, FunctionCallInfo fcinfo, const NullableDatum *args, int nargs, HostCaller caller)
{
	MemoryContext context = CurrentMemoryContext;

	for (int i = 0; i < nargs; i++)
		fcinfo->args[i] = args[i];
	in_aggregate = caller == HOST_AGGREGATE;
	memset(&outcome, 0, sizeof(outcome));
	check_count = 0;
	catching = true;
	if (sigsetjmp(raised, 0) == 0)
	{
		Datum		value = function(fcinfo);

		host_require(!outcome.raised || outcome.is_soft, "an error was not raised");
		host_require(CurrentMemoryContext == context, "does not switch back to the context it was called in");
		outcome.value = value;
		outcome.is_null = fcinfo->isnull;
	}
	catching = false;
	CurrentMemoryContext = context;
	return outcome;
}

Outcome
host_call(PGFunction function, const NullableDatum *args, int nargs, HostCaller caller)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	fmNodePtr	context = NULL;
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext escontext = {T_ErrorSaveContext};

	if (caller == HOST_SOFT)
		context = (fmNodePtr) &escontext;
#endif
	/* No collation, no FmgrInfo: as on a Citus worker. */
	InitFunctionCallInfoData(*fcinfo, NULL, nargs, InvalidOid, context, NULL);
	return run(function, fcinfo, args, nargs, caller);
}

Outcome
host_call_in_plan(FmgrInfo *plan, PGFunction function, const NullableDatum *args, int nargs)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);

	if (plan->fn_mcxt == NULL)
		plan->fn_mcxt = input_context;
	InitFunctionCallInfoData(*fcinfo, plan, nargs, InvalidOid, NULL, NULL);
	return run(function, fcinfo, args, nargs, HOST_PLAIN);
}

Datum
DirectFunctionCall1Coll(PGFunction function, Oid collation, Datum arg1)
{
	LOCAL_FCINFO(fcinfo, 1);

	InitFunctionCallInfoData(*fcinfo, NULL, 1, collation, NULL, NULL);
	fcinfo->args[0].value = arg1;
	fcinfo->args[0].isnull = false;
	return function(fcinfo);
}

Datum
DirectFunctionCall2Coll(PGFunction function, Oid collation, Datum arg1, Datum arg2)
{
	LOCAL_FCINFO(fcinfo, 2);

	InitFunctionCallInfoData(*fcinfo, NULL, 2, collation, NULL, NULL);
	fcinfo->args[0].value = arg1;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = arg2;
	fcinfo->args[1].isnull = false;
	return function(fcinfo);
}

/* Times given as text are not fuzzed: what reads them is the server's. */

pg_tz	   *session_timezone = NULL;
sigjmp_buf *PG_exception_stack = NULL;
ErrorContextCallback *error_context_stack = NULL;

void
pg_re_throw(void)
{
	host_require(false, "an error passed on");
	abort();
}

ErrorData *
CopyErrorData(void)
{
	host_require(false, "an error looked at");
	abort();
}

void
FlushErrorState(void)
{
	host_require(false, "an error left behind");
}

Datum
DirectFunctionCall3Coll(PGFunction function, Oid collation, Datum arg1, Datum arg2, Datum arg3)
{
	host_require(false, "a call with three arguments");
	return (Datum) 0;
}

Datum
timestamptz_in(PG_FUNCTION_ARGS)
{
	host_require(false, "timestamptz_in");
	return (Datum) 0;
}

Datum
date_in(PG_FUNCTION_ARGS)
{
	return timestamptz_in(fcinfo);
}

int
ParseDateTime(const char *timestr, char *workbuf, size_t buflen,
			  char **field, int *ftype, int maxfields, int *numfields)
{
	host_require(false, "ParseDateTime");
	return 0;
}

/* ---------- sets ---------- */

static long row_count;
long		host_rows_end = LONG_MAX;
void		(*host_each_row) (const Datum *values, const bool *nulls) = NULL;

Outcome
host_rows(PGFunction function, const NullableDatum *args, int nargs, const Oid *types, int ntypes)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	ReturnSetInfo result = {T_ReturnSetInfo, .allowedModes = SFRM_Materialize | SFRM_Materialize_Preferred};
	Size		size = sizeof(struct TupleDescData) + ntypes * (sizeof(FormData_pg_attribute) + 64);
	TupleDesc	desc = palloc0(size);
	Outcome		rows;

	desc->natts = ntypes;
	for (int i = 0; i < ntypes; i++)
		TupleDescAttr(desc, i)->atttypid = types[i];
	result.setDesc = desc;
	row_count = -1;
	InitFunctionCallInfoData(*fcinfo, NULL, nargs, InvalidOid, NULL, (fmNodePtr) &result);
	rows = run(function, fcinfo, args, nargs, HOST_ROWS);
	rows.value = Int64GetDatum(row_count);
	return rows;
}

void
InitMaterializedSRF(FunctionCallInfo fcinfo, bits32 flags)
{
	row_count = 0;
}

/* Reports fill the tuple store, as in FROM; rows one by one need a server. */

FuncCallContext *
init_MultiFuncCall(FunctionCallInfo fcinfo)
{
	host_require(false, "rows one by one");
	abort();
}

FuncCallContext *
per_MultiFuncCall(FunctionCallInfo fcinfo)
{
	return init_MultiFuncCall(fcinfo);
}

void
end_MultiFuncCall(FunctionCallInfo fcinfo, FuncCallContext *calls)
{
	(void) init_MultiFuncCall(fcinfo);
}

TypeFuncClass
get_call_result_type(FunctionCallInfo fcinfo, Oid *type, TupleDesc *desc)
{
	(void) init_MultiFuncCall(fcinfo);
	return TYPEFUNC_OTHER;
}

TupleDesc
BlessTupleDesc(TupleDesc desc)
{
	(void) init_MultiFuncCall(NULL);
	return desc;
}

HeapTuple
#if PG_VERSION_NUM >= 170000
heap_form_tuple(TupleDesc desc, const Datum *values, const bool *isnull)
#else
heap_form_tuple(TupleDesc desc, Datum *values, bool *isnull)
#endif
{
	(void) init_MultiFuncCall(NULL);
	return NULL;
}

Datum
HeapTupleHeaderGetDatum(HeapTupleHeader tuple)
{
	(void) init_MultiFuncCall(NULL);
	return (Datum) 0;
}

static void
check_value(Oid type, Datum value)
{
	switch (type)
	{
		case NUMERICOID:
			host_require(host_is_numeric((uint8 *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)),
						 "a numeric that is none");
			break;
		case TEXTOID:
			host_require(host_is_utf8(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)),
						 "a text that is not in the server's encoding");
			break;
		case FLOAT8OID:
			host_require(isfinite(DatumGetFloat8(value)), "a number that is not finite");
			break;
		case HOST_BOUND:
			host_require(!isnan(DatumGetFloat8(value)), "a bound that is no number");
			break;
		case DATEOID:
			host_require(IS_VALID_DATE(DatumGetDateADT(value)), "a date out of range");
			break;
		case BOOLOID:
			host_require(value <= 1, "a boolean of %llu", (unsigned long long) value);
			break;
		case TIMESTAMPTZOID:
			host_require(IS_VALID_TIMESTAMP(DatumGetTimestampTz(value)), "a time out of range");
			break;
		case INTERVALOID:
			host_require(DatumGetIntervalP(value)->month == 0 && DatumGetIntervalP(value)->time > -USECS_PER_DAY &&
						 DatumGetIntervalP(value)->time < USECS_PER_DAY, "an interval that is not in days and time");
			break;
		case TIMESTAMPTZARRAYOID:
			{
				ArrayType  *array = DatumGetArrayTypeP(value);

				host_require(ARR_ELEMTYPE(array) == TIMESTAMPTZOID && !ARR_HASNULL(array) && ARR_NDIM(array) <= 1, "an array of times");
				for (int i = 0; i < ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)); i++)
					host_require(IS_VALID_TIMESTAMP(((TimestampTz *) ARR_DATA_PTR(array))[i]), "a time out of range in an array");
				break;
			}
		case TEXTARRAYOID:
			{
				ArrayType  *array = DatumGetArrayTypeP(value);
				Datum	   *texts;
				bool	   *nulls;
				int			n;

				host_require(ARR_ELEMTYPE(array) == TEXTOID && !ARR_HASNULL(array) && ARR_NDIM(array) <= 1, "an array of texts");
				deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &n);
				for (int i = 0; i < n; i++)
					check_value(TEXTOID, texts[i]);
				break;
			}
		case UUIDOID:
			(void) *(volatile char *) DatumGetPointer(value);
			(void) *(volatile char *) (DatumGetPointer(value) + 15);
			break;
		default:
			host_require(type == INT8OID || type == INT4OID, "a column of type %u", type);
	}
}

#if PG_VERSION_NUM >= 170000
void
tuplestore_putvalues(Tuplestorestate *state, TupleDesc tdesc, const Datum *values, const bool *isnull)
#else
void
tuplestore_putvalues(Tuplestorestate *state, TupleDesc tdesc, Datum *values, bool *isnull)
#endif
{
	host_require(row_count >= 0, "a row before InitMaterializedSRF");
	row_count++;
	if (row_count > host_rows_end)
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
	for (int i = 0; i < tdesc->natts; i++)
	{
		host_require(isnull[i] == true || isnull[i] == false, "neither null nor not null");
		if (!isnull[i])
			check_value(TupleDescAttr(tdesc, i)->atttypid, values[i]);
	}
	if (host_each_row != NULL)
		host_each_row(values, isnull);
}

/* ---------- varlenas ---------- */

Datum
host_varlena(const void *bytes, Size length)
{
	struct varlena *value = palloc(VARHDRSZ + length);

	SET_VARSIZE(value, VARHDRSZ + length);
	if (length > 0)
		memcpy(VARDATA(value), bytes, length);
	return PointerGetDatum(value);
}

Datum
host_packed(Datum varlena)
{
	Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(varlena));
	char	   *value;

	if (length + VARHDRSZ_SHORT > VARATT_SHORT_MAX)
		return varlena;
	value = (char *) palloc(1 + VARHDRSZ_SHORT + length) + 1;
	SET_VARSIZE_SHORT(value, VARHDRSZ_SHORT + length);
	memcpy(VARDATA_SHORT(value), VARDATA_ANY(DatumGetPointer(varlena)), length);
	return PointerGetDatum(value);
}

Datum
host_toasted(Datum varlena)
{
	char	   *value = palloc(VARHDRSZ_EXTERNAL + sizeof(struct varatt_external));
	struct varatt_external pointer = {0};

	host_require(toasted_count < lengthof(toasted), "too many values out of line");
	pointer.va_rawsize = VARSIZE_ANY_EXHDR(DatumGetPointer(varlena)) + VARHDRSZ;
	pointer.va_extinfo = pointer.va_rawsize - VARHDRSZ;
	pointer.va_valueid = toasted_count;
	toasted[toasted_count++] = varlena;
	SET_VARTAG_EXTERNAL(value, VARTAG_ONDISK);
	memcpy(VARDATA_EXTERNAL(value), &pointer, sizeof(pointer));
	return PointerGetDatum(value);
}

struct varlena *
detoast_attr_slice(struct varlena *attr, int32 offset, int32 length)
{
	struct varatt_external pointer;
	Size		whole;

	host_require(VARATT_IS_EXTERNAL_ONDISK(attr), "a slice of what is not out of line");
	VARATT_EXTERNAL_GET_POINTER(pointer, attr);
	whole = pointer.va_rawsize - VARHDRSZ;
	host_require(offset >= 0 && length >= 0, "a slice from %d of %d bytes", offset, length);
	offset = Min(offset, whole);
	length = Min(length, whole - offset);
	return (struct varlena *)
		DatumGetPointer(host_varlena(VARDATA_ANY(DatumGetPointer(toasted[pointer.va_valueid])) + offset, length));
}

struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	if (VARATT_IS_EXTERNAL_ONDISK(datum))
		return detoast_attr_slice(datum, 0, PG_INT32_MAX);
	if (VARATT_IS_EXTERNAL_EXPANDED(datum))
	{
		ExpandedObjectHeader *header = DatumGetEOHP(PointerGetDatum(datum));
		Size		size = header->eoh_methods->get_flat_size(header);
		struct varlena *flat = palloc(size);

		header->eoh_methods->flatten_into(header, flat, size);
		host_require(VARSIZE(flat) == size, "a flat value has another size than it said");
		return flat;
	}
	host_require(!VARATT_IS_EXTERNAL(datum) && !VARATT_IS_COMPRESSED(datum), "a toasted value of nobody's making");
	return datum;
}

/* A copy, and never with a short header. */
struct varlena *
pg_detoast_datum_copy(struct varlena *datum)
{
	struct varlena *packed = pg_detoast_datum_packed(datum);

	return (struct varlena *) DatumGetPointer(host_varlena(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)));
}

struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	datum = pg_detoast_datum_packed(datum);
	if (VARATT_IS_SHORT(datum))
		return (struct varlena *) DatumGetPointer(host_varlena(VARDATA_SHORT(datum), VARSIZE_ANY_EXHDR(datum)));
	return datum;
}

void
EOH_init_header(ExpandedObjectHeader *header, const ExpandedObjectMethods *methods, MemoryContext context)
{
	struct varatt_expanded pointer = {header};

	header->vl_len_ = EOH_HEADER_MAGIC;
	header->eoh_methods = methods;
	header->eoh_context = context;
	SET_VARTAG_EXTERNAL(header->eoh_rw_ptr, VARTAG_EXPANDED_RW);
	memcpy(VARDATA_EXTERNAL(header->eoh_rw_ptr), &pointer, sizeof(pointer));
	SET_VARTAG_EXTERNAL(header->eoh_ro_ptr, VARTAG_EXPANDED_RO);
	memcpy(VARDATA_EXTERNAL(header->eoh_ro_ptr), &pointer, sizeof(pointer));
}

ExpandedObjectHeader *
DatumGetEOHP(Datum datum)
{
	struct varatt_expanded pointer;

	host_require(VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(datum)), "not an expanded object");
	memcpy(&pointer, VARDATA_EXTERNAL(DatumGetPointer(datum)), sizeof(pointer));
	return pointer.eohptr;
}

/* As in quote.c, but for words that SQL keeps for itself, which host has no list of. */
char *
quote_literal_cstr(const char *text)
{
	char	   *quoted = palloc(2 * strlen(text) + 4);
	char	   *to = quoted;

	if (strchr(text, '\\') != NULL)
		*to++ = 'E';
	*to++ = '\'';
	for (; *text != '\0'; text++)
	{
		if (*text == '\'' || *text == '\\')
			*to++ = *text;
		*to++ = *text;
	}
	*to++ = '\'';
	*to = '\0';
	return quoted;
}

const char *
quote_identifier(const char *name)
{
	return name;
}

text *
cstring_to_text_with_len(const char *string, int length)
{
	return (text *) DatumGetPointer(host_varlena(string, length));
}

char *
text_to_cstring(const text *string)
{
	return pnstrdup(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
}

text *
cstring_to_text(const char *string)
{
	return cstring_to_text_with_len(string, (int) strlen(string));
}

/* ---------- strings and messages ---------- */

/* What these functions take has changed its name over the releases. */
#if PG_VERSION_NUM >= 160000
#define ANY_BYTES const void
#else
#define ANY_BYTES const char
#endif

void
initStringInfo(StringInfo string)
{
	string->maxlen = 16;
	string->data = palloc(string->maxlen);
	resetStringInfo(string);
}

void
resetStringInfo(StringInfo string)
{
	string->len = string->cursor = 0;
	string->data[0] = '\0';
}

void
enlargeStringInfo(StringInfo string, int length)
{
	host_require(length >= 0, "appends %d bytes", length);
	if (string->len + length < string->maxlen)
		return;
	string->maxlen = 2 * (string->len + length + 1);
	string->data = repalloc(string->data, string->maxlen);
}

void
appendBinaryStringInfo(StringInfo string, ANY_BYTES *data, int length)
{
	enlargeStringInfo(string, length);
	if (length > 0)
		memcpy(string->data + string->len, data, length);
	string->len += length;
	string->data[string->len] = '\0';
}

void
appendStringInfoChar(StringInfo string, char c)
{
	appendBinaryStringInfo(string, &c, 1);
}

void
appendStringInfoString(StringInfo string, const char *s)
{
	appendBinaryStringInfo(string, s, (int) strlen(s));
}

void
appendStringInfoSpaces(StringInfo string, int count)
{
	while (count-- > 0)
		appendStringInfoChar(string, ' ');
}

void
appendStringInfo(StringInfo string, const char *fmt,...)
{
	char		buffer[4096];

	FORMAT_INTO(buffer, sizeof(buffer));
	host_require(strlen(buffer) < sizeof(buffer) - 1, "a text too long for the fuzzing host");
	appendStringInfoString(string, buffer);
}

char *
psprintf(const char *fmt,...)
{
	char		buffer[4096];

	FORMAT_INTO(buffer, sizeof(buffer));
	return pstrdup(buffer);
}

const char *
pq_getmsgbytes(StringInfo message, int length)
{
	host_require(length >= 0 && length <= message->len - message->cursor, "reads behind the end of a message");
	message->cursor += length;
	return message->data + message->cursor - length;
}

/* Length of a character of valid UTF-8. */
static int
utf8_length(unsigned char c)
{
	return c < 0x80 ? 1 : (c & 0xE0) == 0xC0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : (c & 0xF8) == 0xF0 ? 4 : 1;
}

bool
host_is_utf8(const char *text, Size length)
{
	const unsigned char *p = (const unsigned char *) text;

	for (Size i = 0; i < length;)
	{
		int			n = utf8_length(p[i]);
		uint32		code = n == 1 ? p[i] : p[i] & (0xFF >> (n + 1));

		if (p[i] == 0 || (n == 1 && p[i] >= 0x80) || i + n > length)
			return false;
		for (int k = 1; k < n; k++)
		{
			if ((p[i + k] & 0xC0) != 0x80)
				return false;
			code = code << 6 | (p[i + k] & 0x3F);
		}
		if (n > 1 && (code < (uint32[]) {0, 0, 0x80, 0x800, 0x10000}[n] || code > 0x10FFFF ||
					  (code >= 0xD800 && code <= 0xDFFF)))
			return false;
		i += n;
	}
	return true;
}

bool
pg_verifymbstr(const char *text, int length, bool no_error)
{
	if (host_is_utf8(text, length))
		return true;
	if (!no_error)
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("invalid byte sequence for encoding \"UTF8\"")));
	return false;
}

bool
pg_verify_mbstr(int encoding, const char *text, int length, bool no_error)
{
	return pg_verifymbstr(text, length, no_error);
}

/* The database is in UTF-8. */
int
GetDatabaseEncoding(void)
{
	return PG_UTF8;
}

const char *
GetDatabaseEncodingName(void)
{
	return "UTF8";
}

char *
pg_any_to_server(const char *text, int length, int encoding)
{
	host_require(encoding == PG_UTF8, "a text in another encoding");
	(void) pg_verifymbstr(text, length, false);
	return unconstify(char *, text);
}

char *
pg_server_to_any(const char *text, int length, int encoding)
{
	host_require(encoding == PG_UTF8, "a text in another encoding");
	return unconstify(char *, text);
}

Oid
FindDefaultConversionProc(int32 from, int32 to)
{
	host_require(false, "other encodings are not fuzzed");
	return InvalidOid;
}

int
pg_do_encoding_conversion_buf(Oid proc, int src_encoding, int dest_encoding, unsigned char *src,
							  int srclen, unsigned char *dst, int dstlen, bool noError)
{
	host_require(false, "other encodings are not fuzzed");
	return 0;
}

int
pg_mbcliplen(const char *text, int length, int limit)
{
	int			clipped = 0;

	while (clipped < length && text[clipped] != '\0')
	{
		int			n = utf8_length((unsigned char) text[clipped]);

		if (clipped + n > Min(limit, length))
			break;
		clipped += n;
	}
	return clipped;
}

void
qsort_interruptible(void *base, size_t n, size_t size, qsort_arg_comparator compare, void *arg)
{
	if (n > 1)
		qsort_r(base, n, size, compare, arg);
}

#undef qsort_arg
void
qsort_arg(void *base, size_t n, size_t size, qsort_arg_comparator compare, void *arg)
{
	qsort_interruptible(base, n, size, compare, arg);
}

/* ---------- types ---------- */

char *
format_type_be(Oid type)
{
	return pstrdup(type == INT8OID ? "bigint" : type == UUIDOID ? "uuid" : type == TEXTOID ? "text" : "???");
}

/* A numeric as numeric.c stores it: its digits in range, no zero at either end. */
bool
host_is_numeric(const uint8 *bytes, Size length)
{
	uint16		header;
	Size		start = 2;
	int16		digit;

	if (length < 2 || length % 2 != 0)
		return false;
	memcpy(&header, bytes, 2);
	if ((header & 0xC000) != 0x8000)
		start = 4;
	if (length < start)
		return false;
	for (Size i = start; i < length; i += 2)
	{
		memcpy(&digit, bytes + i, 2);
		if (digit < 0 || digit > 9999 || (digit == 0 && (i == start || i == length - 2)))
			return false;
	}
	/* Zero has no sign and no weight. */
	return length > start || (start == 2 && (header & 0x207F) == 0);
}

Datum
numeric_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup("(a number)"));
}

char *
float8out_internal(double number)
{
	return psprintf("%g", number);
}

Datum
float8out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(float8out_internal(PG_GETARG_FLOAT8(0)));
}

Datum
int8_numeric(PG_FUNCTION_ARGS)
{
	int64		number = PG_GETARG_INT64(0);
	Decimal		d;
	char		text[32];
	uint8		numeric[DECIMAL_NUMERIC_SIZE];

	snprintf(text, sizeof(text), "%lld", (long long) number);
	host_require(decimal_from_text(text, strlen(text), &d), "an integer is no decimal");
	return host_varlena(numeric, decimal_to_numeric(&d, numeric));
}

/* What the quotient is does not matter here; that it can be made does. */
Datum
numeric_div(PG_FUNCTION_ARGS)
{
	struct varlena *dividend = (struct varlena *) PG_GETARG_POINTER(0);
	struct varlena *divisor = (struct varlena *) PG_GETARG_POINTER(1);

	host_require(host_is_numeric((uint8 *) VARDATA_ANY(dividend), VARSIZE_ANY_EXHDR(dividend)) &&
				 host_is_numeric((uint8 *) VARDATA_ANY(divisor), VARSIZE_ANY_EXHDR(divisor)),
				 "a division of what is no numeric");
	host_require(VARSIZE_ANY_EXHDR(divisor) > 2, "a division by zero");
	return PointerGetDatum(dividend);
}

/* Arrays of numbers with 8 bytes, as states of aggregates. */
int
ArrayGetNItems(int ndim, const int *dims)
{
	int64		n = ndim > 0;

	for (int i = 0; i < ndim; i++)
		n *= dims[i];
	return (int) n;
}

ExpandedArrayHeader *
construct_empty_expanded_array(Oid type, MemoryContext parent, ArrayMetaState *metacache)
{
	host_require(false, "collecting in arrays is not fuzzed");
	return NULL;
}

ExpandedArrayHeader *
DatumGetExpandedArray(Datum d)
{
	host_require(false, "collecting in arrays is not fuzzed");
	return NULL;
}

Datum
array_set_element(Datum array, int n, int *subscript, Datum value, bool isnull,
				  int arraytyplen, int elmlen, bool elmbyval, char elmalign)
{
	host_require(false, "collecting in arrays is not fuzzed");
	return array;
}

Datum
array_get_element(Datum array, int n, int *subscript, int arraytyplen, int elmlen,
				  bool elmbyval, char elmalign, bool *isnull)
{
	host_require(false, "collecting in arrays is not fuzzed");
	return array;
}

/* An array of texts, of one dimension, or of pairs. */
static Datum
text_array(const char *const *texts, int n, int ndim)
{
	bool		has_null = false;
	Size		head;
	Size		size;
	ArrayType  *array;
	char	   *to;

	for (int i = 0; i < n; i++)
		has_null |= texts[i] == NULL;
	ndim = n > 0 ? ndim : 0;
	size = head = has_null ? ARR_OVERHEAD_WITHNULLS(ndim, n) : ARR_OVERHEAD_NONULLS(ndim);
	for (int i = 0; i < n; i++)
		size += texts[i] == NULL ? 0 : TYPEALIGN(ALIGNOF_INT, VARHDRSZ + strlen(texts[i]));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = ndim;
	array->dataoffset = has_null ? head : 0;
	array->elemtype = TEXTOID;
	if (n > 0)
	{
		ARR_DIMS(array)[0] = n / ndim;
		ARR_LBOUND(array)[0] = 1;
		if (ndim == 2)
			ARR_DIMS(array)[1] = 2;
		ARR_LBOUND(array)[ndim - 1] = 1;
	}
	to = (char *) array + head;
	for (int i = 0; i < n; i++)
		if (texts[i] != NULL)
		{
			if (has_null)
				ARR_NULLBITMAP(array)[i / 8] |= 1 << i % 8;
			SET_VARSIZE(to, VARHDRSZ + strlen(texts[i]));
			memcpy(VARDATA(to), texts[i], strlen(texts[i]));
			to += TYPEALIGN(ALIGNOF_INT, VARSIZE(to));
		}
	return PointerGetDatum(array);
}

Datum
host_text_array(const char *const *texts, int n)
{
	return text_array(texts, n, 1);
}

/* The same of an even number of texts, as pairs. */
Datum
host_text_pairs(const char *const *texts, int n)
{
	return text_array(texts, n, 2);
}

/* Only quoted in the error of a library beside the SQL of another version. */
char *
get_func_name(Oid function)
{
	return pstrdup("a_report");
}

/* Only quoted in errors. */
char *
OidOutputFunctionCall(Oid function, Datum value)
{
	return pstrdup("{an array}");
}

/* An array of numerics, none of them null. */
Datum
host_numeric_array(const Datum *numerics, int n)
{
	Size		size = ARR_OVERHEAD_NONULLS(n > 0);
	ArrayType  *array;
	char	   *to;

	for (int i = 0; i < n; i++)
		size += TYPEALIGN(ALIGNOF_INT, VARHDRSZ + VARSIZE_ANY_EXHDR(DatumGetPointer(numerics[i])));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = n > 0;
	array->elemtype = NUMERICOID;
	if (n > 0)
	{
		ARR_DIMS(array)[0] = n;
		ARR_LBOUND(array)[0] = 1;
	}
	to = ARR_DATA_PTR(array);
	for (int i = 0; i < n; i++)
	{
		Size		length = VARSIZE_ANY_EXHDR(DatumGetPointer(numerics[i]));

		SET_VARSIZE(to, VARHDRSZ + length);
		memcpy(VARDATA(to), VARDATA_ANY(DatumGetPointer(numerics[i])), length);
		to += TYPEALIGN(ALIGNOF_INT, VARHDRSZ + length);
	}
	return PointerGetDatum(array);
}

bool
array_contains_nulls(ArrayType *array)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	for (int i = 0; ARR_HASNULL(array) && i < n; i++)
		if ((ARR_NULLBITMAP(array)[i / 8] & 1 << i % 8) == 0)
			return true;
	return false;
}

void
deconstruct_array(ArrayType *array, Oid type, int length, bool by_value, char alignment,
				  Datum **elements, bool **nulls, int *n)
{
	char	   *at = ARR_DATA_PTR(array);
	bool		is_int = type == INT4OID;
	bool		is_fixed = type == FLOAT8OID || type == TIMESTAMPTZOID || is_int;

	if (type == INTERVALOID)
	{
		host_require(ARR_ELEMTYPE(array) == type && length == sizeof(Interval) && !by_value && alignment == TYPALIGN_DOUBLE && !ARR_HASNULL(array),
					 "an array of something else than intervals");
		*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
		*elements = palloc(*n * sizeof(Datum));
		*nulls = palloc0(*n * sizeof(bool));
		for (int i = 0; i < *n; i++)
			(*elements)[i] = PointerGetDatum(at + sizeof(Interval) * i);
		return;
	}
	host_require((is_fixed || type == TEXTOID || type == NUMERICOID) && ARR_ELEMTYPE(array) == type &&
				 length == (is_int ? 4 : is_fixed ? 8 : -1) && by_value == is_fixed &&
				 alignment == (is_fixed && !is_int ? TYPALIGN_DOUBLE : TYPALIGN_INT),
				 "an array of something else than texts, numerics, integers, float8s and times");
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	*elements = palloc(*n * sizeof(Datum));
	*nulls = palloc(*n * sizeof(bool));
	for (int i = 0; is_fixed && i < *n; i++)
	{
		host_require(!ARR_HASNULL(array), "NULL in an array of numbers");
		(*nulls)[i] = false;
		if (is_int)
		{
			int32		number;

			memcpy(&number, at + 4 * i, 4);
			(*elements)[i] = Int32GetDatum(number);
		}
		else
			memcpy(&(*elements)[i], at + 8 * i, 8);
	}
	if (is_fixed)
		return;
	for (int i = 0; i < *n; i++)
	{
		(*nulls)[i] = ARR_HASNULL(array) && (ARR_NULLBITMAP(array)[i / 8] & 1 << i % 8) == 0;
		(*elements)[i] = (*nulls)[i] ? (Datum) 0 : PointerGetDatum(at);
		if (!(*nulls)[i])
			at += TYPEALIGN(ALIGNOF_INT, VARSIZE_ANY(at));
	}
}

/* Elements of one size, none of them null. */
static ArrayType *
fixed_array(Datum *elements, int n, Oid type, int length, bool by_value, char alignment)
{
	Size		size = ARR_OVERHEAD_NONULLS(n > 0) + (Size) n * length;
	ArrayType  *array = palloc0(size);

	host_require(length == (type == DATEOID || type == INT4OID ? 4 : type == INTERVALOID ? 16 : 8) && by_value == (type != INTERVALOID) &&
				 alignment == (length == 4 ? TYPALIGN_INT : TYPALIGN_DOUBLE), "an array of a type with other properties");
	SET_VARSIZE(array, size);
	array->ndim = n > 0;
	array->elemtype = type;
	if (n > 0)
	{
		ARR_DIMS(array)[0] = n;
		ARR_LBOUND(array)[0] = 1;
	}
	for (int i = 0; i < n; i++)
	{
		char	   *to = ARR_DATA_PTR(array) + (Size) i * length;

		if (type == INTERVALOID)
			memcpy(to, DatumGetPointer(elements[i]), length);
		else if (length == 4)
			memcpy(to, &(int32) {DatumGetInt32(elements[i])}, 4);
		else
			memcpy(to, &(int64) {DatumGetInt64(elements[i])}, 8);
	}
	return array;
}

ArrayType *
construct_empty_array(Oid type)
{
	return fixed_array(NULL, 0, type, type == INTERVALOID ? sizeof(Interval) : 8, type != INTERVALOID, TYPALIGN_DOUBLE);
}

/* Only lists without NULL are made here. */
ArrayType *
construct_md_array(Datum *elements, bool *nulls, int ndims, int *dims, int *lower, Oid type, int length, bool by_value, char alignment)
{
	host_require(ndims == 1 && lower[0] == 1, "an array that is not a list");
	for (int i = 0; i < dims[0]; i++)
		host_require(!nulls[i], "NULL in a list of times");
	return fixed_array(elements, dims[0], type, length, by_value, alignment);
}

/* An array of integer, float8 or timestamptz, none of them null. */
Datum
host_number_array(Datum *elements, int n, Oid type)
{
	bool		is_int = type == INT4OID;

	return PointerGetDatum(fixed_array(elements, n, type, is_int ? 4 : 8, true, is_int ? TYPALIGN_INT : TYPALIGN_DOUBLE));
}

Datum
host_bool_array(const uint8 *values, int n)
{
	ArrayType  *array = palloc0(ARR_OVERHEAD_WITHNULLS(1, n) + n);
	char	   *to = (char *) array + ARR_OVERHEAD_WITHNULLS(1, n);

	SET_VARSIZE(array, ARR_OVERHEAD_WITHNULLS(1, n) + n);
	array->dataoffset = ARR_OVERHEAD_WITHNULLS(1, n);
	array->elemtype = BOOLOID;
	array->ndim = 1;
	ARR_DIMS(array)[0] = n;
	ARR_LBOUND(array)[0] = 1;
	for (int i = 0; i < n; i++)
		if (values[i] != HOST_NULL_BOOL)
		{
			ARR_NULLBITMAP(array)[i / 8] |= 1 << i % 8;
			*to++ = (char) values[i];
		}
	return PointerGetDatum(array);
}

ArrayType *
construct_array(Datum *elements, int n, Oid type, int length, bool by_value, char alignment)
{
	const char **texts = palloc(n * sizeof(char *));

	if (type == DATEOID || type == TIMESTAMPTZOID || type == INTERVALOID)
		return fixed_array(elements, n, type, length, by_value, alignment);
	host_require(type == TEXTOID && length == -1 && !by_value && alignment == TYPALIGN_INT,
				 "an array of something else than texts");
	for (int i = 0; i < n; i++)
	{
		char	   *text = DatumGetPointer(elements[i]);

		texts[i] = memcpy(palloc0(VARSIZE_ANY_EXHDR(text) + 1), VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
	}
	return (ArrayType *) DatumGetPointer(host_text_array(texts, n));
}

int32 *
ArrayGetIntegerTypmods(ArrayType *array, int *n)
{
	host_require(false, "type modifiers are not fuzzed");
	return NULL;
}

/* What tags_if() and tags(jsonb) need: too much of the server to be made here. */
Oid
getBaseType(Oid type)
{
	host_require(false, "tags_if() is not fuzzed");
	return type;
}

int
extract_variadic_args(FunctionCallInfo fcinfo, int variadic_start, bool convert_unknown,
					  Datum **values, Oid **types, bool **nulls)
{
	host_require(false, "tags_if() is not fuzzed");
	return 0;
}

JsonbIterator *
JsonbIteratorInit(JsonbContainer *container)
{
	host_require(false, "tags(jsonb) is not fuzzed");
	return NULL;
}

JsonbIteratorToken
JsonbIteratorNext(JsonbIterator **iterator, JsonbValue *value, bool skip_nested)
{
	host_require(false, "tags(jsonb) is not fuzzed");
	return WJB_DONE;
}

char *
JsonbToCString(StringInfo out, JsonbContainer *in, int estimated_len)
{
	host_require(false, "tags(jsonb) is not fuzzed");
	return NULL;
}

/* ---------- dates ---------- */

#define EPOCH_DAYS 730425		/* from 0000-03-01 to 2000-01-01 */

static int64
floor_divide(int64 a, int64 b)
{
	return a / b - (a % b < 0);
}

/*
 * Years are counted from March on, so that the leap day is the last of the
 * year, and in eras of 400 years, which all have 146,097 days.
 */
static int64
days_of_date(int64 year, int month, int day)
{
	int64		y = month > 2 ? year : year - 1;
	int64		era = floor_divide(y, 400);
	int64		year_of_era = y - era * 400;
	int64		day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - EPOCH_DAYS;
}

int
timestamp2tm(Timestamp dt, int *tzp, struct pg_tm *tm, fsec_t *fsec, const char **tzn, pg_tz *attimezone)
{
	int64		days = floor_divide(dt, USECS_PER_DAY);
	int64		time = dt - days * USECS_PER_DAY;
	int64		era = floor_divide(days + EPOCH_DAYS, 146097);
	int64		day_of_era = days + EPOCH_DAYS - era * 146097;
	int64		year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64		day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64		month = (5 * day_of_year + 2) / 153;

	if (!IS_VALID_TIMESTAMP(dt))
		return -1;
	tm->tm_mday = (int) (day_of_year - (153 * month + 2) / 5 + 1);
	tm->tm_mon = (int) (month < 10 ? month + 3 : month - 9);
	tm->tm_year = (int) (year_of_era + era * 400 + (tm->tm_mon <= 2));
	tm->tm_hour = (int) (time / USECS_PER_HOUR);
	tm->tm_min = (int) (time / USECS_PER_MINUTE % 60);
	tm->tm_sec = (int) (time / USECS_PER_SEC % 60);
	*fsec = (fsec_t) (time % USECS_PER_SEC);
	return 0;
}

int
tm2timestamp(struct pg_tm *tm, fsec_t fsec, int *tzp, Timestamp *dt)
{
	int64		time = ((tm->tm_hour * INT64CONST(60) + tm->tm_min) * 60 + tm->tm_sec) * USECS_PER_SEC + fsec;

	if (!IS_VALID_JULIAN(tm->tm_year, tm->tm_mon, tm->tm_mday) ||
		pg_mul_s64_overflow(days_of_date(tm->tm_year, tm->tm_mon, tm->tm_mday), USECS_PER_DAY, dt) ||
		pg_add_s64_overflow(*dt, time, dt) || !IS_VALID_TIMESTAMP(*dt))
		return -1;
	return 0;
}

void
EncodeDateTime(struct pg_tm *tm, fsec_t fsec, bool print_tz, int tz, const char *tzn, int style, char *str)
{
	int			n;

	host_require(style == USE_XSD_DATES && (!print_tz || (tz == 0 && tm->tm_isdst >= 0)), "another form of dates");
	n = sprintf(str, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year > 0 ? tm->tm_year : 1 - tm->tm_year,
				tm->tm_mon, tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
	if (fsec != 0)
	{
		n += sprintf(str + n, ".%06d", (int) fsec);
		while (str[n - 1] == '0')
			n--;
	}
	sprintf(str + n, "%s%s", print_tz ? "+00:00" : "", tm->tm_year > 0 ? "" : " BC");
}

/* Only quoted in errors. */
Datum
date_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(psprintf("day %d", PG_GETARG_DATEADT(0)));
}

Datum
interval_out(PG_FUNCTION_ARGS)
{
	Interval   *interval = PG_GETARG_INTERVAL_P(0);

	PG_RETURN_CSTRING(psprintf("%d months %d days %lld", interval->month, interval->day, (long long) interval->time));
}

/* Midnight of a day. */
Timestamp
date2timestamp_opt_overflow(DateADT date, int *overflow)
{
	Timestamp	midnight = 0;

	*overflow = 0;
	if (DATE_IS_NOBEGIN(date))
		TIMESTAMP_NOBEGIN(midnight);
	else if (DATE_IS_NOEND(date))
		TIMESTAMP_NOEND(midnight);
	else if (pg_mul_s64_overflow(date, USECS_PER_DAY, &midnight) || !IS_VALID_TIMESTAMP(midnight))
		*overflow = date < 0 ? -1 : 1;
	return midnight;
}

Datum
date_timestamp(PG_FUNCTION_ARGS)
{
	int			overflow;
	Timestamp	midnight = date2timestamp_opt_overflow(PG_GETARG_DATEADT(0), &overflow);

	if (overflow != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range for timestamp")));
	PG_RETURN_TIMESTAMP(midnight);
}

/* Months by the calendar, where a day that a month does not have is its last one, then days and time. */
Datum
timestamp_pl_interval(PG_FUNCTION_ARGS)
{
	Timestamp	time = PG_GETARG_TIMESTAMP(0);
	const Interval *span = PG_GETARG_INTERVAL_P(1);
	struct pg_tm tm;
	fsec_t		fsec;
	int64		month;
	int64		days;

	host_require(timestamp2tm(time, NULL, &tm, &fsec, NULL, NULL) == 0, "a time out of range");
	month = tm.tm_year * INT64CONST(12) + tm.tm_mon - 1 + span->month;
	days = days_of_date(floor_divide(month, 12), (int) (month - floor_divide(month, 12) * 12) + 1, 1);
	month++;
	days += Min(tm.tm_mday, days_of_date(floor_divide(month, 12), (int) (month - floor_divide(month, 12) * 12) + 1, 1) - days) - 1 + span->day;
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &days) ||
		pg_add_s64_overflow(time - floor_divide(time, USECS_PER_DAY) * USECS_PER_DAY, days, &time) ||
		pg_add_s64_overflow(time, span->time, &time) || !IS_VALID_TIMESTAMP(time))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	PG_RETURN_TIMESTAMP(time);
}

/* ---------- time zones ---------- */

/*
 * Four zones stand for all: without changes of the clocks, with two a year, with
 * so many that there are more than two in every 25 days, and one of which the
 * changes cannot be told.  Times are seconds from 1970 on.
 */
struct pg_tz
{
	const char *name;
	enum
	{
		ZONE_FIXED, ZONE_SUMMER, ZONE_RESTLESS, ZONE_UNTOLD
	}			kind;
	long		offset;
};

static pg_tz host_zones[] = {
	{"UTC", ZONE_FIXED, 0}, {"Asia/Kolkata", ZONE_FIXED, 19800}, {"Europe/Berlin", ZONE_SUMMER, 3600},
	{"America/New_York", ZONE_SUMMER, -18000}, {"Restless/City", ZONE_RESTLESS, -43200}, {"Untold/City", ZONE_UNTOLD, 50400}
};

#define HALF_YEAR (183 * SECS_PER_DAY)
#define RESTLESS_TIME (5 * SECS_PER_DAY + 1234)

/* Length of the time between two changes; the first of them was at 0. */
static int64
zone_time(const pg_tz *zone)
{
	return zone->kind == ZONE_SUMMER ? HALF_YEAR : RESTLESS_TIME;
}

long
host_zone_offset(const pg_tz *zone, int64 time)
{
	return zone->offset + (zone->kind == ZONE_FIXED || floor_divide(time, zone_time(zone)) % 2 == 0 ? 0 : 3600);
}

pg_tz *
pg_tzset(const char *name)
{
	for (int i = 0; i < lengthof(host_zones); i++)
		if (strcasecmp(name, host_zones[i].name) == 0)
			return &host_zones[i];
	return NULL;
}

bool
pg_tz_acceptable(pg_tz *zone)
{
	return true;
}

const char *
pg_get_timezone_name(pg_tz *zone)
{
	return zone->name;
}

int
pg_next_dst_boundary(const pg_time_t *time, long *before, int *before_isdst, pg_time_t *boundary,
					 long *after, int *after_isdst, const pg_tz *zone)
{
	*before = host_zone_offset(zone, *time);
	*before_isdst = *after_isdst = 0;
	if (zone->kind == ZONE_UNTOLD)
		return -1;
	if (zone->kind == ZONE_FIXED)
		return 0;
	*boundary = (floor_divide(*time, zone_time(zone)) + 1) * zone_time(zone);
	*after = host_zone_offset(zone, *boundary);
	return 1;
}

struct pg_tm *
pg_localtime(const pg_time_t *time, const pg_tz *zone)
{
	static struct pg_tm tm;

	memset(&tm, 0x7F, sizeof(tm));
	tm.tm_gmtoff = host_zone_offset(zone, *time);
	return &tm;
}

/* West of Greenwich, of what the clocks show; twice or never: the standard time. */
int
DetermineTimeZoneOffset(struct pg_tm *tm, pg_tz *zone)
{
	int64		local = (days_of_date(tm->tm_year, tm->tm_mon, tm->tm_mday) + POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY +
		(tm->tm_hour * 60 + tm->tm_min) * 60 + tm->tm_sec;

	if (host_zone_offset(zone, local - zone->offset) == zone->offset)
		return (int) -zone->offset;
	return (int) -(zone->offset + (zone->kind == ZONE_FIXED ? 0 : 3600));
}
