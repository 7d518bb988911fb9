# A private, temporary PostgreSQL.  Sourced by bash.

# private_postgres VERSION DIR: copy the machine's PostgreSQL below DIR and set
# $bindir.  Its programs find their files relative to their own location, so a copy
# is a complete installation: "make install" into it needs no root, and leaves the
# machine's own PostgreSQL alone.
private_postgres() {
	local version=$1 usr=$2/usr
	mkdir -p "$usr/lib/postgresql" "$usr/share/postgresql" "$usr/include" &&
		cp -r --preserve=mode,timestamps,links "/usr/lib/postgresql/$version" "$usr/lib/postgresql/" &&
		cp -r --preserve=mode,timestamps,links "/usr/share/postgresql/$version" "$usr/share/postgresql/" &&
		ln -sfn /usr/include/postgresql "$usr/include/postgresql" || return
	# A custmart installed on the machine must not be used instead of this one.
	find "$usr" -name 'custmart*' -prune -exec rm -rf {} +
	bindir=$usr/lib/postgresql/$version/bin
}

# start_postgres DIR [SETTING...]: a new cluster in DIR/data, reachable only by a
# socket in DIR.  $server_prefix goes before the server's command.
start_postgres() {
	local dir=$1 setting
	shift
	"$bindir/initdb" -D "$dir/data" -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 || {
		cat "$dir/initdb.log" >&2
		return 1
	}
	for setting in fsync=off "listen_addresses=''" "unix_socket_directories='$dir'" "$@"; do
		echo "$setting"
	done >>"$dir/data/postgresql.conf"
	export PGHOST=$dir PGPORT=5432
	unset PGDATABASE PGUSER PGOPTIONS PGSERVICE
	${server_prefix-} "$bindir/postgres" -D "$dir/data" >"$dir/server.log" 2>&1 </dev/null &
	server=$!
	# Wait however long it takes on a busy machine.
	while kill -0 "$server" 2>/dev/null; do
		"$bindir/pg_isready" -q && return
		sleep 0.1
	done
	complain "the server did not start"
	tail -n 30 "$dir/server.log" >&2
	return 1
}

stop_postgres() {
	[ -n "${server-}" ] || return 0
	# SIGINT: do not wait for clients that are still connected.
	kill -INT "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	server=
}
