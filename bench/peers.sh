# The peers of bench/run: other databases on their own copies of the orders.  Sourced by
# bench/compare.  What copying took is noted apart, in $peers.

peers=()

# Loads only the three columns that RFM needs into DuckDB, so that it is not slowed
# by columns that no query uses.
start_duckdb() {
	local files=$dir/duckdb-files start=$EPOCHREALTIME exported line name
	say "copying the orders to DuckDB"
	mkdir "$files" || exit
	sql -c "COPY (SELECT customer_id, ordered_at::timestamp, amount FROM orders) TO STDOUT (FORMAT csv)" \
		>"$files/orders.csv" || exit
	exported=$(since "$start")
	sql -c "COPY segment_of TO STDOUT (FORMAT csv)" >"$files/segment_of.csv" || exit
	coproc DUCKDB {
		exec "$node" bench/peers/duckdb.mjs "$dir/duckdb" "$files" fair=bench/peers/fair.sql ntile=bench/peers/ntile.sql
	}
	read -r -u "${DUCKDB[0]}" line || fail "DuckDB could not be started"
	peers+=("$(printf 'DuckDB %s: %.1f s to export the orders, %.1f s to load them with one thread.' "${line% *}" "$exported" "${line#* }")")
	for name in fair ntile; do
		sql -c "CREATE UNLOGGED TABLE duckdb_$name AS TABLE rfm_$name WITH NO DATA" \
			-c "COPY duckdb_$name FROM '$files/$name.csv' (FORMAT csv)" || exit
	done
	rm -r "$files"
}

# ask_duckdb duckdbTHREADS:STATEMENT: set $seconds.
ask_duckdb() {
	local threads=${1%%:*}
	echo "${threads#duckdb} ${1#*:}" >&"${DUCKDB[1]}" && read -r -u "${DUCKDB[0]}" seconds || fail "DuckDB has ended"
}

# A server of its own.  ClickHouse 18 listens at ports only, hence the password; one file,
# which nobody else may read, tells the server and its client.
start_clickhouse() {
	local home=$dir/clickhouse-server port password start
	say "copying the orders to ClickHouse"
	password=$(od -A n -N 16 -t x1 /dev/urandom | tr -d ' \n')
	# A free port.
	for ((port = 20000 + RANDOM % 10000; ; port++)); do
		(: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	mkdir "$home" && (
		umask 077
		cat >"$home/config.xml" <<-XML
			<yandex>
				<logger><level>warning</level><console>1</console></logger>
				<listen_host>127.0.0.1</listen_host>
				<tcp_port>$port</tcp_port>
				<path>$home/data/</path>
				<tmp_path>$home/data/tmp/</tmp_path>
				<timezone>UTC</timezone>
				<mark_cache_size>1073741824</mark_cache_size>
				<default_profile>default</default_profile>
				<users_config>$home/config.xml</users_config>
				<profiles><default><max_threads>1</max_threads><max_memory_usage>0</max_memory_usage></default></profiles>
				<quotas><default></default></quotas>
				<users><default>
					<password>$password</password>
					<networks><ip>127.0.0.1</ip></networks>
					<profile>default</profile>
					<quota>default</quota>
				</default></users>
				<host>127.0.0.1</host>
				<port>$port</port>
				<password>$password</password>
			</yandex>
		XML
	) || exit
	clickhouse=(clickhouse-client --config-file="$home/config.xml")
	"$dir/clickhouse/usr/sbin/clickhouse-server" --config-file="$home/config.xml" >"$home/log" 2>&1 &
	clickhouse_server=$!
	until "${clickhouse[@]}" --query "SELECT 1" >/dev/null 2>&1; do
		kill -0 "$clickhouse_server" 2>/dev/null || {
			tail -n 30 "$home/log" >&2
			fail "ClickHouse could not be started"
		}
		sleep 0.1
	done

	"${clickhouse[@]}" --multiquery <bench/peers/clickhouse.sql || exit
	start=$EPOCHREALTIME
	sql -c "COPY (SELECT order_id, customer_id, to_char(ordered_at, 'YYYY-MM-DD HH24:MI:SS'), item, price, grp FROM orders)
		TO STDOUT (FORMAT csv)" | "${clickhouse[@]}" --query "INSERT INTO orders FORMAT CSV"
	[ "${PIPESTATUS[*]}" = "0 0" ] || fail "the orders could not be copied to ClickHouse"
	peers+=("$(printf 'ClickHouse %s, one thread: %.1f s to export the orders and load them at the same time.' \
		"$("${clickhouse[@]}" --query "SELECT version()")" "$(since "$start")")")
}

# ask_clickhouse clickhouse:VIEW: set $seconds.
ask_clickhouse() {
	seconds=$("${clickhouse[@]}" --time --query "SELECT * FROM ${1#*:} FORMAT Null" 2>&1) || fail "ClickHouse: $seconds"
}

# clickhouse_answer VIEW COLUMNS: what it says, as a table clickhouse_VIEW.
clickhouse_answer() {
	sql -c "CREATE UNLOGGED TABLE clickhouse_$1 ($2)" || exit
	"${clickhouse[@]}" --query "SELECT * FROM $1 FORMAT CSV" | sql -c "COPY clickhouse_$1 FROM STDIN (FORMAT csv)"
	[ "${PIPESTATUS[*]}" = "0 0" ] || fail "no answer from ClickHouse: $1"
}

stop_peers() {
	[ -z "${clickhouse_server-}" ] || kill "$clickhouse_server" 2>/dev/null
}
