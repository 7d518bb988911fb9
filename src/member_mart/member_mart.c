/*
 * member_mart.c
 *	  What a member mart needs of C: the trigger that notes whose rows have changed,
 *	  and the columns of a query that has not run.
 *
 * The trigger inserts into the log of the mart as COPY would, without a statement:
 * the statement would cost several times the row.  So it checks itself what a
 * statement would have checked: the right to insert, and row security.
 *
 * It must not stop the shop.  Where a member cannot be noted, because the column was
 * renamed, has another type now, is virtual, or is too long, everybody is noted, and it is the refresh that fails.
 */
#include "custmart.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/rls.h"

/* Arguments of the trigger. */
#define LOG_SCHEMA 0
#define LOG_NAME 1
#define MEMBER_COLUMN 2
#define TRIGGER_ARGUMENTS 3

/* Longer members might not fit into the index of the log, which takes a third of a page. */
#define LONGEST_NOTE (BLCKSZ / 4)

CUSTMART_FUNCTION(custmart_member_mart_note);
CUSTMART_FUNCTION(custmart_member_mart_columns);

/* ---------- the trigger ---------- */

/* Whether triggers find nothing but NULL in a column, whatever it reads as. */
static inline bool
is_virtual(Form_pg_attribute column)
{
#ifdef ATTRIBUTE_GENERATED_VIRTUAL
	return column->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
#else
	return false;
#endif
}

/*
 * The schema of the table for which a trigger was made: that of the relation, or of the
 * partitioned table from which a partition, which may be in another schema, has it.
 */
static Oid
schema_of_source(const Trigger *trigger, Relation relation)
{
	Oid			schema = RelationGetNamespace(relation);

	if (relation->rd_rel->relispartition)
	{
		List	   *ancestors = get_partition_ancestors(RelationGetRelid(relation));
		ListCell   *cell;

		/* The nearest is first. */
		foreach (cell, ancestors)
		{
			if (!OidIsValid(get_trigger_oid(lfirst_oid(cell), trigger->tgname, true)))
				break;
			schema = get_rel_namespace(lfirst_oid(cell));
		}
		list_free(ancestors);
	}
	return schema;
}

/* The log, locked for inserting. */
static Relation
open_log(const Trigger *trigger, Relation source)
{
	const char *schema = trigger->tgargs[LOG_SCHEMA];
	const char *name = trigger->tgargs[LOG_NAME];
	Oid			schema_oid = get_namespace_oid(schema, true);
	Oid			oid = OidIsValid(schema_oid) ? get_relname_relid(name, schema_oid) : InvalidOid;
	Relation	log;
	AclResult	allowed;

	/* The schema may have another name by now, and its name another schema. */
	if (!OidIsValid(oid))
		oid = get_relname_relid(name, schema_of_source(trigger, source));
	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table %s, in which trigger \"%s\" notes members, does not exist",
						quote_qualified_identifier(schema, name), trigger->tgname),
				 errhint("If the member mart is gone, drop its triggers on \"%s\".", RelationGetRelationName(source))));
	log = table_open(oid, RowExclusiveLock);
	if (log->rd_rel->relkind != RELKIND_RELATION || RelationGetDescr(log)->natts == 0 ||
		TupleDescAttr(RelationGetDescr(log), 0)->attisdropped)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not a table for the notes of a member mart", quote_qualified_identifier(schema, name))));
	allowed = pg_class_aclcheck(oid, GetUserId(), ACL_INSERT);
	if (allowed != ACLCHECK_OK)
		aclcheck_error(allowed, OBJECT_TABLE, name);
	if (check_enable_rls(oid, InvalidOid, false) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s has row-level security, and notes of a member mart do not pass it",
						quote_qualified_identifier(schema, name)),
				 errhint("ALTER TABLE %s DISABLE ROW LEVEL SECURITY: it holds nothing but members.",
						 quote_qualified_identifier(schema, name))));
	return log;
}

/* Inserts n notes; NULL is everybody. */
static void
insert_notes(Relation log, const Datum *members, const bool *nulls, int n)
{
	EState	   *state = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(log), table_slot_callbacks(log));

	InitResultRelInfo(target, log, 0, NULL, 0);
	ExecOpenIndices(target, false);
	for (int i = 0; i < n; i++)
	{
		ExecClearTuple(slot);
		memset(slot->tts_isnull, true, sizeof(bool) * RelationGetDescr(log)->natts);
		slot->tts_values[0] = members[i];
		slot->tts_isnull[0] = nulls[i];
		ExecStoreVirtualTuple(slot);
		ExecSimpleRelationInsert(target, state, slot);
	}
	ExecCloseIndices(target);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(state);
}

/* Whether a member fits into the index of the log in any case. */
static inline bool
fits_index(Datum member, Form_pg_attribute noted)
{
	return noted->attlen != -1 || toast_raw_datum_size(member) <= LONGEST_NOTE;
}

/*
 * custmart_member_mart_note notes the members whose rows have changed: the trigger of
 * rows, and that of TRUNCATE.  Rows without a member are not in a mart.
 */
Datum
custmart_member_mart_note(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	TupleDesc	columns;
	Relation	log;
	Datum		members[2] = {0, 0};
	bool		nulls[2];
	int			n = 0;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		data->tg_trigger->tgnargs != TRIGGER_ARGUMENTS ||
		TRIGGER_FIRED_FOR_ROW(data->tg_event) == TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("member_mart_note is a trigger after changes of rows, or after TRUNCATE, with three arguments"),
				 errhint("create_member_mart makes the triggers.")));
	columns = RelationGetDescr(data->tg_relation);
	log = open_log(data->tg_trigger, data->tg_relation);
	if (TRIGGER_FIRED_BY_TRUNCATE(data->tg_event))
		nulls[n++] = true;
	else
	{
		/* Partitions have their own order of columns. */
		int			number = SPI_fnumber(columns, data->tg_trigger->tgargs[MEMBER_COLUMN]);
		Form_pg_attribute noted = TupleDescAttr(RelationGetDescr(log), 0);

		if (number <= 0 || is_virtual(TupleDescAttr(columns, number - 1)) ||
			getBaseType(TupleDescAttr(columns, number - 1)->atttypid) != noted->atttypid)
			nulls[n++] = true;
		else
		{
			/* Not heap_getattr: headers of some minor releases make it call what earlier servers do not have. */
			members[0] = SPI_getbinval(data->tg_trigtuple, columns, number, &nulls[0]);
			n = nulls[0] ? 0 : 1;
			if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
			{
				members[n] = SPI_getbinval(data->tg_newtuple, columns, number, &nulls[n]);
				if (!nulls[n] && (n == 0 || !datum_image_eq(members[0], members[1], noted->attbyval, noted->attlen)))
					n++;
			}
			for (int i = 0; i < n; i++)
				nulls[i] = !fits_index(members[i], noted);
		}
	}
	if (n > 0)
		insert_notes(log, members, nulls, n);
	table_close(log, RowExclusiveLock);
	return PointerGetDatum(NULL);
}

/* ---------- columns of a query ---------- */

/* custmart_member_mart_columns returns names and types of what a query would return. */
Datum
custmart_member_mart_columns(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	SPIPlanPtr	plan;
	TupleDesc	columns = NULL;
	Datum	   *elements;
	int			n;

	SPI_connect();
	plan = SPI_prepare(text_to_cstring(PG_GETARG_TEXT_PP(0)), 0, NULL);
	if (plan != NULL && list_length(SPI_plan_get_plan_sources(plan)) == 1)
		columns = ((CachedPlanSource *) linitial(SPI_plan_get_plan_sources(plan)))->resultDesc;
	if (columns == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the columns of a member mart are not a list as behind SELECT"),
				 errhint("Give aggregates with their names: 'sum(amount) AS spent, max(ordered_at) AS last_order'.")));
	n = columns->natts;
	elements = MemoryContextAlloc(caller, sizeof(Datum) * n * 2);
	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);
		MemoryContext own = MemoryContextSwitchTo(caller);

		elements[2 * i] = CStringGetTextDatum(NameStr(column->attname));
		elements[2 * i + 1] = CStringGetTextDatum(psprintf("%u", column->atttypid));
		MemoryContextSwitchTo(own);
	}
	SPI_finish();
	PG_RETURN_ARRAYTYPE_P(construct_md_array(elements, NULL, 2, (int[]) {n, 2}, (int[]) {1, 1}, TEXTOID, -1, false, TYPALIGN_INT));
}
