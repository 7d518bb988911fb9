# A PostgreSQL with assertions, from Debian's source.  Sourced by test/run (bash), after debian.sh.

asserts_packages="build-essential libicu-dev zlib1g-dev libreadline-dev libipc-run-perl"

# fetch_source VERSION DIR: PostgreSQL's own archive of the newest source package that the machine's mirror
# gives, in DIR.  The machine's lists stay as they are.
fetch_source() {
	local package=postgresql-$1 dir=$2 file release options
	mkdir -p "$dir/parts" "$dir/lists/partial" "$dir/cache/archives/partial" || return
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -e "$file" ] || sed -n 's/^deb /deb-src /p' "$file" >"$dir/parts/${file##*/}"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"$dir/parts/${file##*/}"
	done
	options=(-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$dir/parts" -o Dir::State::Lists="$dir/lists"
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root)
	apt_get "${options[@]}" update >/dev/null 2>&1 </dev/null
	# A mirror need not have the source of its newest packages.
	for release in $(apt-cache "${options[@]}" showsrc "$package" 2>/dev/null | sed -n 's/^Version: //p' | sort -rVu); do
		(cd "$dir" && apt_get "${options[@]}" source --download-only "$package=$release" >/dev/null 2>&1 </dev/null) && return
	done
	complain "the mirror has no source of $package"
	return 1
}

# make_asserts CACHE VERSION: ensure that CACHE/asserts-VERSION is a PostgreSQL with assertions that clobbers what is freed;
# where valgrind is installed, it tells valgrind of each piece of memory.
make_asserts() {
	local home=$1/asserts-$2 version=$2 build=$1/asserts-$2.part define=
	[ -f "$home/complete" ] && [ -z "$(find "$home/complete" -mtime +60)" ] && return
	install_missing $asserts_packages || return
	rm -rf --one-file-system "$home" "$build" && mkdir -p "$build" || return
	say "building a PostgreSQL $version with assertions (kept in $1)"
	fetch_source "$version" "$build" && tar -C "$build" --no-same-owner -xf "$build"/postgresql-*.orig.tar.* || return
	[ ! -e /usr/include/valgrind/memcheck.h ] || define=-DUSE_VALGRIND
	timed quietly env -u MAKEFLAGS sh -c 'cd "$1"/postgresql-*/ &&
		./configure --prefix="$2" --enable-cassert --enable-debug --enable-tap-tests --with-icu CFLAGS="-O1 -g -fno-omit-frame-pointer $3" &&
		make -s -j "$(nproc)" world-bin && make -s install-world-bin && cp src/tools/valgrind.supp "$2"' \
		make_asserts "$build" "$home" "$define" || return
	# pgTAP is made of SQL alone.
	cp "/usr/share/postgresql/$version/extension/"pgtap* "$("$home/bin/pg_config" --sharedir)/extension/" || return
	rm -rf --one-file-system "$build"
	: >"$home/complete"
}
