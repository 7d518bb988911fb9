# Packages of the machine and Debian roots with other PostgreSQL versions.
# Sourced by test/run, demo/run and bench/run (bash); everything here reports by
# its exit status, and the caller decides what a failure means.

# Which Debian release carries which PostgreSQL.
declare -A debian_suite=([15]=bookworm [17]=trixie [18]=forky)

say() { printf '== %s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# Packages to build the extension, to build and run it as users do, and to test it.
build_packages() { echo "postgresql-$1 postgresql-server-dev-$1 make gcc libc6-dev libxxhash-dev"; }
test_packages() {
	echo "$(build_packages "$1") postgresql-$1-pgtap postgresql-$1-cron" \
		"libtap-parser-sourcehandler-pgtap-perl libipc-run-perl unixodbc odbc-postgresql python3-scipy"
}
# Drivers are tested on the machine only: they do not depend on the release, and a JDK
# is large.
driver_packages="default-jdk-headless libpostgresql-jdbc-java python3-psycopg"
# A browser to look at the pages of custmart_report(), on the machine only as well.
browser_packages="chromium fonts-dejavu-core nodejs"
# A second oracle of test/run --full; its test says so if it is missing.
oracle_packages="r-base-core"
root_packages="debootstrap debian-archive-keyring gpgv"

# The rest of the output is too long to read unless something went wrong.  It is
# kept in $work, the scratch directory of the calling script.
quietly() {
	local log status
	log=$(mktemp "${work:-/tmp}/log.XXXXXX") || return
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	if [ $status != 0 ]; then
		complain "failed: $*"
		tail -n 60 "$log" >&2
	fi
	rm -f "$log"
	return $status
}

# Run a command and print the time it took.
timed() {
	local start=$SECONDS status
	"$@"
	status=$?
	say "that took $((SECONDS - start)) s"
	return $status
}

on_debian() {
	[ -r /etc/os-release ] && command -v apt-get >/dev/null || return
	# In a subshell, because os-release sets whatever names it likes.
	(
		ID='' ID_LIKE=''
		. /etc/os-release
		case " $ID $ID_LIKE " in *' debian '* | *' ubuntu '*) exit 0 ;; esac
		exit 1
	)
}

# Start the calling script again as root.
become_root() {
	[ "$(id -u)" = 0 ] && return
	if ! command -v sudo >/dev/null; then
		complain "must run as root, or as a user with sudo"
		exit 1
	fi
	exec sudo --preserve-env=CI,CUSTMART_SHARED,CUSTMART_TEST_CACHE,http_proxy,https_proxy,no_proxy \
		bash "$0" "$@"
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive LC_ALL=C ${apart-} apt-get -q -y \
		-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# A package source that cannot be reached need not matter: whether the packages are
# available shows when they are installed.
update_lists() {
	[ -n "${lists_updated-}" ] && return
	say "reading the package lists"
	# Lists expire, those of a testing suite within days; on a mirror that is frozen on
	# purpose they are still good, and still signed.
	apt_get update >/dev/null 2>&1 </dev/null ||
		quietly apt_get -o Acquire::Check-Valid-Until=false update ||
		complain "going on with the lists that could be read"
	lists_updated=yes
}

install_missing() {
	local package missing=()
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing+=("$package")
	done
	[ ${#missing[@]} = 0 ] && return
	update_lists
	say "installing ${missing[*]}"
	# Downloading may be interrupted.  Installing ignores Ctrl-C, because an interrupted
	# dpkg would leave the machine to be repaired by hand.
	quietly apt_get install --no-install-recommends --download-only "${missing[@]}" &&
		apart="setsid --wait" timed quietly apt_get install --no-install-recommends "${missing[@]}"
}

# install_drivers DIR: the drivers of clients, as far as they are to be had; tests say what
# is missing.  A Node.js that is not Debian's cannot use Debian's pg, but has npm, which
# puts one in DIR.
install_drivers() {
	install_missing $driver_packages
	if apt_get --simulate install --no-install-recommends node-pg >/dev/null 2>&1; then
		install_missing node-pg
	elif command -v npm >/dev/null; then
		mkdir -p "$1" && quietly npm install --no-audit --no-fund --ignore-scripts \
			--prefix "$1" --cache "$1/cache" pg@8
	fi
	return 0
}

# install_malloy DIR: the BI tool of docs/chart.md, in the versions that it names.
install_malloy() {
	command -v npm >/dev/null || return 0
	mkdir -p "$1" && quietly npm install --no-audit --no-fund --ignore-scripts --prefix "$1" --cache "$1/cache" \
		@malloydata/malloy@0.0.431 @malloydata/db-postgres@0.0.431 @malloydata/render@0.0.431 antlr4ts@0.5.0-alpha.4
	return 0
}

# install_browser DIR: a browser, where Debian has one as a package (Ubuntu does not), and the checks of accessibility
# that npm has, in DIR; the test says what is missing.
install_browser() {
	if apt_get --simulate install --no-install-recommends $browser_packages >/dev/null 2>&1; then
		install_missing $browser_packages
	elif apt_get --simulate install --no-install-recommends chromium >/dev/null 2>&1; then
		# With a Node.js that is not Debian's.
		install_missing chromium fonts-dejavu-core
	fi
	if command -v npm >/dev/null; then
		mkdir -p "$1" && quietly npm install --no-audit --no-fund --ignore-scripts \
			--prefix "$1" --cache "$1/cache" axe-core@4
	fi
	return 0
}

# Set $native to the PostgreSQL version of the machine's own suite.
find_native() {
	native=$(LC_ALL=C apt-cache policy postgresql 2>/dev/null |
		sed -n 's/^ *Candidate: *\([0-9][0-9]*\).*/\1/p')
	if [ -z "$native" ] && [ -z "${lists_updated-}" ]; then
		update_lists
		find_native
	fi
}

# The Debian mirror that the machine uses itself, as apt understands its sources.
debian_mirror() {
	local mirror
	mirror=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null |
		grep -m 1 -E '^(https?|file):')
	echo "${mirror:-http://deb.debian.org/debian}"
}

# Run a command so that all processes it starts end with it, and nothing stays in
# shared memory of what they were in the middle of, where the machine allows that
# (many containers do not).
enclosed() {
	local enclosure=(unshare --pid --mount-proc --fork --kill-child sh -c
		'mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm && exec "$@"' enclosed)
	"${enclosure[@]}" true 2>/dev/null || enclosure=()
	"${enclosure[@]}" "$@"
}

# Run a command inside a root.  Mounts and processes live in their own namespaces,
# which vanish when the command ends, however it ends.  Only if this machine is
# itself a mere chroot may mounts be visible outside: then, or if this is killed,
# leave_root removes them.
in_root() {
	local root=$1 apart=()
	shift
	unshare --mount true 2>/dev/null || apart=(--propagation unchanged)
	cp --remove-destination -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null
	unshare --mount "${apart[@]}" --pid --fork --kill-child sh -c '
		mkdir -p "$1/dev/shm" && mount -t proc proc "$1/proc" &&
			mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$1/dev/shm" &&
			chroot "$@"
		status=$?
		umount --lazy "$1/proc" "$1/dev/shm"
		exit $status' in_root \
		"$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
		${no_proxy:+"no_proxy=$no_proxy"} "$@"
}

leave_root() {
	umount --lazy "$1/proc" "$1/dev/shm" 2>/dev/null
}

# A root is kept if it still has, complete, the packages it was made for, and is not
# so old that it would test an outdated PostgreSQL.
root_is_good() {
	local root=$1 packages=$2 marker=$1/etc/custmart-test
	[ -f "$marker" ] && [ "$(cat "$marker")" = "$packages" ] &&
		[ -z "$(find "$marker" -mtime +14)" ] &&
		in_root "$root" sh -c '
			dpkg-query -W -f "\${db:Status-Status}\n" "$@" | grep -qvx installed && exit 1
			dpkg --verify "$@" | grep -qvE "/usr/share/(doc|man|locale)/" && exit 1
			exit 0' verify $packages
}

# make_root CACHE VERSION: ensure that CACHE/SUITE is a Debian root with the
# packages to test that version.  It gets its name only when it is complete.
make_root() {
	local suite=${debian_suite[$2]} packages root part mirror script include=()
	root=$1/$suite
	part=$root.part
	packages=$(test_packages "$2")
	mkdir -p "$1" || return
	root_is_good "$root" "$packages" && return

	install_missing $root_packages || return
	mirror=$(debian_mirror)
	say "making a root of Debian $suite from $mirror (kept in $1)"
	rm -rf --one-file-system "$root" "$part" || return

	# Older debootstraps have no scripts for newer suites.
	script=/usr/share/debootstrap/scripts/$suite
	[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
	case $mirror in https:*)
		install_missing ca-certificates || return
		include=(--include=ca-certificates)
		;;
	esac

	# Whatever a power failure destroys is made again, so do not wait for the disk;
	# and tests do not read manuals.
	mkdir -p "$part/etc/dpkg/dpkg.cfg.d" "$part/etc/apt/apt.conf.d" "$part/etc/postgresql-common" || return
	printf '%s\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' \
		'path-exclude=/usr/share/man/*' 'path-exclude=/usr/share/locale/*' \
		>"$part/etc/dpkg/dpkg.cfg.d/custmart-test"
	# The lists of a testing suite expire within days, even on a mirror that is
	# frozen on purpose.
	{
		printf '%s\n' 'Acquire::Check-Valid-Until "false";' 'Acquire::Languages "none";'
		apt-config dump | grep -iE '^Acquire::https?::Proxy'
	} >"$part/etc/apt/apt.conf.d/90custmart-test"
	# The tests make their own clusters.
	echo 'create_main_cluster = false' >"$part/etc/postgresql-common/createcluster.conf"

	timed quietly debootstrap --variant=minbase "${include[@]}" \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		"$suite" "$part" "$mirror" "$script" || return
	say "installing PostgreSQL $2 in the root"
	quietly in_root "$part" apt-get -q update &&
		timed quietly in_root "$part" apt-get -q -y --no-install-recommends install $packages &&
		in_root "$part" apt-get clean || return

	echo "$packages" >"$part/etc/custmart-test" && mv "$part" "$root"
}
