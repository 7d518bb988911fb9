/* needs: */
#include "shared/core.h"

#include "tap.h"

typedef struct Element
{
	int			key;
	int64		sum;
} Element;

/* The context counts how often equal elements met. */
#define RUNS_NAME Runs
#define RUNS_ELEMENT Element
#define RUNS_CONTEXT int
#define RUNS_COMPARE(a, b, met) (((a)->key > (b)->key) - ((a)->key < (b)->key))
#define RUNS_ADD(a, b, met) ((a)->sum += (b)->sum, (*(met))++)
#include "shared/merge_runs.h"

#define KEYS 500

/* Runs of ascending keys, each once in a run: what is left has every key once, with the sum of all. */
static void
check(Runs *runs, int nruns, int range, int step_max)
{
	int64		sums[KEYS] = {0};
	int			times[KEYS] = {0};
	int			distinct = 0;
	int			elements = 0;
	int			met = 0;
	Size		at = 0;

	for (int run = 0; run < nruns; run++)
	{
		int			keys[KEYS];
		int			n = 0;
		Element    *element;

		for (int key = (int) random_below(step_max); key < range; key += 1 + (int) random_below(step_max))
			keys[n++] = key;
		element = Runs_append(runs, n);
		for (int i = 0; i < n; i++)
		{
			element[i].key = keys[i];
			element[i].sum = 1 + (int64) random_below(1000);
			sums[keys[i]] += element[i].sum;
			distinct += times[keys[i]]++ == 0;
			elements++;
		}
	}
	Runs_merge(runs, &met);
	holds(runs->count == (Size) distinct, "%zu elements, not %d", runs->count, distinct);
	holds(met == elements - distinct, "%d met, not %d", met, elements - distinct);
	for (int key = 0; key < KEYS; key++)
	{
		if (times[key] == 0)
			continue;
		if (!holds(at < runs->count && runs->element[at].key == key && runs->element[at].sum == sums[key],
				   "key %d at %zu of %d runs", key, at, nruns))
			break;
		at++;
	}
	Runs_clear(runs);
}

int
main(void)
{
	Runs		runs;

	Runs_init(&runs);
	property("runs merged: every key once, with the sum of all");
	for (int nruns = 0; nruns <= RUNS_MAX; nruns++)
	{
		check(&runs, nruns, KEYS, 1 + (int) random_below(60));
		check(&runs, nruns, 1 + (int) random_below(5), 2);
		check(&runs, nruns, KEYS, 1);
	}
	property_end();

	/* One run stays as it is, however often it is merged. */
	Runs_append(&runs, 2)[0] = (Element) {1, 5};
	runs.element[1] = (Element) {2, 7};
	Runs_merge(&runs, NULL);
	Runs_merge(&runs, NULL);
	ok(runs.count == 2 && runs.element[0].sum == 5 && runs.element[1].sum == 7, "a run alone is not touched");
	Runs_free(&runs);
	Runs_init(&runs);
	Runs_merge(&runs, NULL);
	ok(runs.count == 0, "no runs are none");
	Runs_free(&runs);
	return done_testing();
}
