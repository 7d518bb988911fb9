/*
 * watch.c
 *	  How long a statement goes without looking whether it was cancelled.
 *
 * A timer raises InterruptPending every half millisecond.  With no other flag set,
 * the next CHECK_FOR_INTERRUPTS() only lowers it again.  So while it stays up the
 * statement could not have been cancelled, and one run of a statement shows its
 * longest such stretch, wherever it is.
 *
 * All times are CPU time of this process, in seconds: whatever else the machine is
 * busy with does not count.
 */
#include "postgres.h"

#include <signal.h>
#include <time.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"

PG_MODULE_MAGIC;

#define TICK_NS 500000

static timer_t timer;
static bool has_timer;

/* Shared with the signal handler. */
static volatile double started;
static volatile double raised;	/* when the flag was raised last, or 0 */
static volatile double longest;
static volatile double cancel_at;	/* or 0 */
static volatile double cancelled;	/* when the cancel came, or 0 */
static volatile int raises;

static double
cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void
tick(SIGNAL_ARGS)
{
	int			save_errno = errno;
	double		now = cpu_time();

	if (!InterruptPending)
	{
		raised = now;
		raises++;
		InterruptPending = true;
	}
	else if (raised > 0)
		longest = Max(longest, now - raised);
	if (cancel_at > 0 && cancelled == 0 && now >= cancel_at)
	{
		cancelled = now;
		QueryCancelPending = true;
		InterruptPending = true;
	}
	errno = save_errno;
}

static void
set_timer(long ns)
{
	struct itimerspec interval = {{0, ns}, {0, ns}};

	if (!has_timer)
	{
		struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF};

		pqsignal(SIGPROF, tick);
		if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
			elog(ERROR, "timer_create: %m");
		has_timer = true;
	}
	if (timer_settime(timer, 0, &interval, NULL) != 0)
		elog(ERROR, "timer_settime: %m");
}

/* watch_start(float8): begin to watch, and after that much CPU time, if it is not NULL, cancel. */
PG_FUNCTION_INFO_V1(watch_start);
Datum
watch_start(PG_FUNCTION_ARGS)
{
	started = cpu_time();
	raised = longest = cancelled = 0;
	raises = 0;
	cancel_at = PG_ARGISNULL(0) ? 0 : started + PG_GETARG_FLOAT8(0);
	set_timer(TICK_NS);
	PG_RETURN_VOID();
}

/* watch_raises(): how often the flag was raised, which is once for every stretch that was measured. */
PG_FUNCTION_INFO_V1(watch_raises);
Datum
watch_raises(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(raises);
}

/*
 * watch_stop(OUT total, OUT longest, OUT late): all the time since the start, the
 * longest stretch that could not be cancelled, and the time since the cancel.
 */
PG_FUNCTION_INFO_V1(watch_stop);
Datum
watch_stop(PG_FUNCTION_ARGS)
{
	double		now = cpu_time();
	TupleDesc	row;
	Datum		values[3];
	bool		nulls[3] = {false, false, cancelled == 0};

	set_timer(0);
	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "watch_stop() has three columns");
	values[0] = Float8GetDatum(now - started);
	values[1] = Float8GetDatum(longest);
	values[2] = Float8GetDatum(now - cancelled);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(row, values, nulls)));
}

/*
 * watch_unit(): the time of a million steps, each of which misses the processor's
 * caches once: what others are measured by.
 */
PG_FUNCTION_INFO_V1(watch_unit);
Datum
watch_unit(PG_FUNCTION_ARGS)
{
	const uint32 size = 1 << 24;	/* 64 MB */
	uint32	   *next = palloc_extended(size * sizeof(uint32), MCXT_ALLOC_HUGE);
	uint32		at = 0;
	double		from;

	/* A walk over all of it that is as good as random (a linear congruential generator). */
	for (uint32 i = 0; i < size; i++)
		next[i] = (i * 1664525 + 1013904223) % size;
	from = cpu_time();
	for (int i = 0; i < 1000000; i++)
		at = next[at];
	from = cpu_time() - from;
	pfree(next);
	/* Uses the result, so that no compiler leaves the loop out. */
	PG_RETURN_FLOAT8(at == size ? 0 : from);
}

/*
 * watch_memory(): the time of writing to 64 MB for the first time, which is what the
 * kernel takes to give them.  On virtual machines it may be more than all else.
 */
PG_FUNCTION_INFO_V1(watch_memory);
Datum
watch_memory(PG_FUNCTION_ARGS)
{
	const Size	size = 64 * 1024 * 1024;
	double		from = cpu_time();
	char	   *memory = palloc_extended(size, MCXT_ALLOC_HUGE);

	for (Size i = 0; i < size; i += 4096)
		((volatile char *) memory)[i] = 1;
	from = cpu_time() - from;
	pfree(memory);
	PG_RETURN_FLOAT8(from);
}
