# How bench/run measures, compares and notes.  Sourced by bench/compare.
#
# A side is a view of queries.sql, run in one process; with a prefix it is planned
# otherwise, or run by another program:
#
#   alone:VIEW         in one process, measured beside those that follow
#   worker:VIEW        by the leader and one worker, whatever its size
#   workers:VIEW       by the leader and two workers
#   default:VIEW       as PostgreSQL's default settings of the planner have it
#   duckdb1:STATEMENT  by DuckDB, with one thread
#   duckdb2:STATEMENT  with two
#   clickhouse:VIEW    by ClickHouse, a view of peers/clickhouse.sql, with one thread

at_any_size="-c min_parallel_table_scan_size=0 -c parallel_setup_cost=0"
declare -A plan_settings=(
	[alone]="-c max_parallel_workers_per_gather=0"
	[worker]="-c max_parallel_workers_per_gather=1 $at_any_size"
	[workers]="-c max_parallel_workers_per_gather=2 $at_any_size"
	[default]="-c max_parallel_workers_per_gather=2"
)
declare -A plan_names=([worker]="one worker" [workers]="two workers" [default]="default settings")
declare -A plan_workers=([worker]=1 [workers]=2)

# How many workers each side had when it was measured last.
declare -A launched=()

sql() { "$bindir/psql" -X -q -At -v ON_ERROR_STOP=1 -d bench "$@"; }

# sql_as PLAN ...: the same, planned as a prefix says.
sql_as() {
	local plan=$1
	shift
	PGOPTIONS=${plan_settings[$plan]} sql "$@"
}

since() { awk "BEGIN { print $EPOCHREALTIME - $1 }"; }

# note SIDE VALUE: measurements of different workloads are never mixed, because the
# machine may have been busier then.
note() { sql -c "INSERT INTO measurements VALUES ('$workload $1', $2)" || exit; }

# measure SIDE: run it once and note the seconds it took.
measure() {
	local seconds
	case $1 in
		duckdb?:*) ask_duckdb "$1" ;;
		clickhouse:*) ask_clickhouse "$1" ;;
		*:*) ask_postgres "$1" "${1%%:*}" ;;
		*) ask_postgres "$1" alone ;;
	esac
	note "$1" "$seconds"
}

# ask_postgres SIDE PLAN: set $seconds.
#
# EXPLAIN runs the statement without sending rows anywhere, which would cost both
# sides the same and hide the difference, and computes every column, which
# SELECT count(*) around it would not.  Without TIMING it adds little, and the same
# to both.  Each run has its own session, so none finds memory that another had to
# allocate.
ask_postgres() {
	local side=$1 plan=$2 text
	text=$(sql_as "$plan" -c "EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF) SELECT * FROM ${side#*:}") || exit
	# No side should lose for lack of memory.
	[[ $text != *Disk* ]] || fail "$side used the disk:"$'\n'"$text"
	launched[$side]=$(sed -n 's/.*Workers Launched: //p' <<<"$text")
	[ -z "${plan_workers[$plan]-}" ] ||
		[[ $text == *"Partial Aggregate"* && ${launched[$side]} = "${plan_workers[$plan]}" ]] ||
		fail "$side did not run with its workers:"$'\n'"$text"
	seconds=$(sed -n 's/^Execution Time: \(.*\) ms$/\1 \/ 1000/p' <<<"$text")
}

# alternate SIDE...: measure all sides alternately, as often as asked for.
alternate() {
	local run side
	for ((run = 1; run <= repeat; run++)); do
		for side; do
			measure "$side"
		done
	done
}

# peak VIEW: the peak memory, in MB, of a backend that runs nothing else.  The
# kernel counts more than PostgreSQL's memory contexts report: copies, freed chunks
# and fragments, too.
peak() {
	local mb
	mb=$(sql -c "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM $1" \
		-c "SELECT 'peak ' || (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\s*(\d+) kB'))[1]::float8 / 1024" |
		sed -n 's/^peak //p')
	[ -n "$mb" ] && echo "$mb"
}

# note_memory FLOOR VIEW...: how much more memory than FLOOR each view needs, in MB,
# as "VIEW memory".  Both read the whole table, so its pages in shared memory, which
# the kernel also counts, cancel out.
note_memory() {
	local floor_view=$1 run view floor memory
	shift
	for ((run = 1; run <= repeat; run++)); do
		floor=$(peak "$floor_view") || fail "the memory of a backend could not be read"
		for view; do
			memory=$(peak "$view") || fail "the memory of a backend could not be read"
			note "$view memory" "$memory - $floor"
		done
	done
}

# heading TEXT: begin a table of the report.
heading() { heading=$1; }

# compare WHAT OURS AGAINST THEIRS AIM [TARGET [UNIT]]: a line of the report.
compare() {
	sql -c "INSERT INTO comparisons (heading, what, ours, against, theirs, aim, target, unit)
		VALUES ('$heading', '$1', '$workload $2', '$3', '$workload $4', '$5', nullif('${6-}', '')::float8, '${7-s}')" || exit
}

# digest QUERY: the number of its rows, and the sum of their hashes, which does not
# depend on their order.
digest() { sql -c "SELECT count(*), sum(hash_record_extended(answer, 0)) FROM ($1) answer"; }

# same WHAT QUERY QUERY: fail unless both return the same rows, in any order.
same() {
	local what=$1 ours=$2 theirs=$3 digests
	digests=$(digest "$ours" && digest "$theirs") || exit
	mapfile -t digests <<<"$digests"
	[ "${digests[0]%|*}" -gt 0 ] || fail "$what: there is no answer"
	if [ "${digests[0]}" != "${digests[1]}" ]; then
		{
			echo "${digests[0]%|*} rows here, ${digests[1]%|*} there; some that are only here, and only there:"
			sql -c "($ours) EXCEPT ALL ($theirs) LIMIT 5" -c "($theirs) EXCEPT ALL ($ours) LIMIT 5"
		} >&2
		fail "$what: THE ANSWERS DIFFER"
	fi
	say "same answer: $what (${digests[0]%|*} rows)"
}

# in_parallel WHAT VIEW FLOOR TARGET: VIEW planned in all ways must give the same; then
# lines of the report, and what FLOOR, unless it is empty, gains on this machine.
in_parallel() {
	local what=$1 view=$2 floor=$3 target=$4 plan side sides=() workers
	sql -c "CREATE UNLOGGED TABLE alone AS TABLE $view" || exit
	for plan in worker workers; do
		sql_as $plan -c "EXPLAIN CREATE UNLOGGED TABLE together AS TABLE $view" | grep -q "Partial Aggregate" ||
			fail "$what is not made by workers when it is stored"
		sql_as $plan -c "CREATE UNLOGGED TABLE together AS TABLE $view" || exit
		same "$what, ${plan_names[$plan]}" "TABLE together" "TABLE alone"
		sql -c "DROP TABLE together" || exit
	done
	sql -c "DROP TABLE alone" || exit

	for side in $view $floor; do
		sides+=("alone:$side" "worker:$side" "workers:$side" "default:$side")
	done
	alternate "${sides[@]}"
	compare "one worker: $what" worker:$view "one process" alone:$view faster $target
	compare "two workers: $what" workers:$view "one process" alone:$view faster $target
	# The planner may prefer one process, which is as good as it gets; if it chooses
	# workers, they must not be slower.
	workers=${launched[default:$view]}
	compare "default settings (${workers:-no} worker$([ "$workers" = 1 ] || echo s)): $what" \
		default:$view "one process" alone:$view times ${workers:+1}
	[ -z "$floor" ] || for plan in worker workers default; do
		compare "${plan_names[$plan]}: floor, without custmart" $plan:$floor "one process" alone:$floor faster
	done
}
