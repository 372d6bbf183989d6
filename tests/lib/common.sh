# shellcheck shell=bash
# Sourced by the scripts under tests/: places, locks, and apt's configuration.

TOPDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck disable=SC2034  # for those who source this
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/mailwall

# Where Python scripts find what they share, here as in guests.
export PYTHONPATH=$TOPDIR/tests/vm/guest:$TOPDIR/tests/lib

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

note() {
	echo "${0##*/}: $*" >&2
}

deps() {
	"$TOPDIR/tests/deps" "$@"
}

# lock FILE: hold an exclusive lock until this process ends. The descriptor is
# not closed in children, so start no daemon below it.
lock() {
	local fd

	mkdir -p "$(dirname "$1")"
	exec {fd}>"$1"
	if ! flock -n "$fd"; then
		note "waiting for another run that holds $1"
		flock "$fd"
	fi
}

# remove_tree DIR...: rm -rf, unless something is mounted there: that may be this host's
# own, a bind mount of whatever file system.
remove_tree() {
	local dir real under

	for dir; do
		[ -e "$dir" ] || continue
		real=$(readlink -f -- "$dir") || return
		# The fifth field is the place, its blanks and the like as octal numbers.
		under=$(awk '{ print $5 }' /proc/self/mountinfo | while IFS= read -r place; do
			place=$(printf %b "$place")
			case $place in "$real" | "$real"/*) echo "$place" ;; esac
		done)
		if [ -n "$under" ]; then
			note "left alone, since something is mounted there: ${under//$'\n'/, }"
			return 1
		fi
		rm -rf --one-file-system -- "$real"
	done
}

# private_dev DIR: a /dev with what programs want of one, and nothing of this host's.
private_dev() {
	local node

	mount -t tmpfs -o mode=755 tmpfs "$1" || return
	for node in null:3 zero:5 full:7 random:8 urandom:9; do
		mknod -m 666 "$1/${node%:*}" c 1 "${node#*:}" || return
	done
	mknod -m 666 "$1/tty" c 5 0 || return
	mkdir -m 1777 "$1/shm" && mkdir "$1/pts" || return
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/pts" || return
	ln -s pts/ptmx "$1/ptmx"
	ln -s /proc/self/fd "$1/fd"
	ln -s /proc/self/fd/0 "$1/stdin"
	ln -s /proc/self/fd/1 "$1/stdout"
	ln -s /proc/self/fd/2 "$1/stderr"
}

# apt_site RELEASE: of the mirrors on stdin (what apt_sites printed) the one that this machine takes
# RELEASE from, or, where it has another release of Debian, the one it takes any release of that
# archive from. MAILWALL_MIRROR and MAILWALL_SECURITY_MIRROR overrule it, for
# machines that are not Debian.
apt_site() {
	local archive

	case $1 in
	*-security)
		archive='.*-security$'
		[ -z "${MAILWALL_SECURITY_MIRROR:-}" ] || { echo "$MAILWALL_SECURITY_MIRROR"; return; }
		;;
	*)
		archive='.*'
		[ -z "${MAILWALL_MIRROR:-}" ] || { echo "$MAILWALL_MIRROR"; return; }
		;;
	esac
	awk -v want="$1" -v archive="$archive" '
		$1 != "Debian" { next }
		$2 == want { exact = $3 }
		$2 ~ archive && (archive != ".*" || $2 !~ /-security$/) { other = $3 }
		END { print exact != "" ? exact : other }'
}

# apt_sites: which mirror this machine takes which release from, a line for each.
apt_sites() {
	# shellcheck disable=SC2016  # apt's own variables
	apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(SITE)' 'Created-By: Packages'
}

# apt_sources SUITE...: lines for a sources.list.
apt_sources() {
	local suite site sites

	sites=$(apt_sites)
	# Nothing is known of a machine whose lists were never fetched.
	if [ -z "$(apt_site bookworm <<<"$sites")" ]; then
		apt-get -q update >&2
		sites=$(apt_sites)
	fi
	for suite in "$@"; do
		site=$(apt_site "$suite" <<<"$sites")
		[ -n "$site" ] || die "no mirror for $suite; set MAILWALL_MIRROR and MAILWALL_SECURITY_MIRROR"
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main"
	done
}

# apt_acquire: how this machine's apt reaches its mirrors (proxies, expired
# snapshots), for an apt with a configuration of its own.
apt_acquire() {
	apt-config dump --no-empty --format '%F "%v";%n' Acquire |
		grep -E '^Acquire::(http|https|ftp|Check-|Retries|Languages|ForceIPv)' || :
}

# apt_in DIR TOOL ARGS...: an apt tool over the state that apt_open made in DIR. With
# apt_foreign, packages for that architecture are known too. What apt knows of the lists is kept
# between questions, whatever this machine's apt does (that of a container image keeps nothing).
apt_foreign=''
apt_in() {
	local dir=$1 tool=$2

	shift 2
	"$tool" -q -o "Dir::State=$dir/state" -o "Dir::State::status=$dir/status" \
		-o "Dir::Cache=$dir/cache" -o "Dir::Etc::sourcelist=$dir/sources.list" \
		-o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- \
		-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin \
		-o Acquire::GzipIndexes=false -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=false \
		${apt_foreign:+-o "APT::Architectures::=$apt_foreign"} "$@"
}

# apt_open DIR SUITE...: an apt state of its own in DIR, lists fetched.
apt_open() {
	local dir=$1

	shift
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	apt_sources "$@" >"$dir/sources.list"
	apt_in "$dir" apt-get update -o Acquire::Languages=none >"$dir/log" 2>&1 ||
		{ cat "$dir/log" >&2; die "cannot fetch the package lists of $*"; }
}

# apt_newest DIR PACKAGE: its newest version among the suites; with backports that is theirs.
apt_newest() {
	apt_in "$1" apt-cache madison "$2" |
		awk -F ' *[|] *' '{ print $2 }' | sort -V | tail -n 1
}

# prefer_uml: User Mode Linux, for a test that is as good there, where no kernel is named.
prefer_uml() {
	export MAILWALL_KERNEL=${MAILWALL_KERNEL:-uml}
}

# newest_kernel [--update]: the newest one's name, whichever suite has it; it alone is fetched. The
# suites are asked once a day, or with --update; the last answer serves where they cannot be.
newest_kernel() (
	answer=$CACHE/kernels/newest
	lock "$answer.lock"
	if [ $# -gt 0 ] || [ -z "$(find "$answer" -mtime -1 2>/dev/null)" ]; then
		deps apt >&2
		tmp=$(mktemp -d) || exit
		trap 'rm -rf "$tmp"' EXIT
		kernel=$(apt_open "$tmp" trixie-backports forky sid && apt_in "$tmp" apt-cache madison linux-headers-cloud-amd64 |
			awk -F ' *[|] *' '{ split($3, at, " "); sub("/.*", "", at[2]); print $2, at[2] }' |
			sort -V | tail -n 1 | cut -d ' ' -f 2)
		[ -z "$kernel" ] || { "$TOPDIR/tests/vm/fetch-kernel" --update "$kernel" >/dev/null && echo "$kernel" >"$answer"; }
	fi
	cat "$answer" 2>/dev/null || die "no suite tells which kernel is the newest"
)

# kernel_scripts: a folder with the kernel's own checks, checkpatch and what coccinelle reads, of
# its source's package.
kernel_scripts() (
	dir=$CACHE/scripts
	if [ ! -e "$dir" ]; then
		deps xz-utils >&2 || return 1
		lock "$dir.lock"
		rm -rf "$dir.new"
		mkdir -p "$dir.new" && cd "$dir.new" || return 1
		newest() { apt-cache depends linux-source | sed -n 's/ *Depends: \(linux-source-.*\)/\1/p'; }
		package=$(newest)
		[ -n "$package" ] || { apt-get -q update >&2 && package=$(newest); }
		apt-get -q download "$package" >&2 || return 1
		dpkg-deb --fsys-tarfile linux-source-*.deb |
			tar -xO --wildcards '*/linux-source-*.tar.xz' |
			tar -xJ --strip-components=1 --wildcards '*/scripts/checkpatch.pl' \
				'*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch' \
				'*/scripts/coccinelle/*' || return 1
		rm -f linux-source-*.deb
		[ -e "$dir" ] || mv "$dir.new" "$dir" || return 1
	fi
	echo "$dir"
)

# ext4_image DIR FILE: FILE becomes an ext4 file system that holds DIR, with
# little room to spare, since guests only read it.
ext4_image() {
	local kib inodes

	kib=$(du -sk --apparent-size "$1" | cut -f 1)
	inodes=$(find "$1" | wc -l)
	rm -f "$2"
	# Small files take a block each; the factor and the floor are generous.
	mke2fs -q -t ext4 -O ^has_journal,^resize_inode -m 0 -N $((inodes + 256)) \
		-E lazy_itable_init=0 -d "$1" "$2" $((kib * 5 / 4 + inodes * 3 + 8192))k >/dev/null
}
