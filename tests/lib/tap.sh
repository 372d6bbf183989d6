# shellcheck shell=bash
# TAP for shell scripts, on the host and in a guest. Count points in the main
# shell only, since a subshell's are lost.
#
#   . "${0%/*}/../lib/tap.sh"
#   ok "a name" test -e /etc/passwd
#   is "$(id -u)" 0 "root"
#   done_testing

tap_count=0 tap_failed=0 tap_planned='' tap_out=${TMPDIR:-/tmp}/.tap.$$

plan() {
	tap_planned=$1
	echo "1..$1"
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $*"
}

fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $*"
	return 1
}

# point STATUS NAME [FILE]: what an exit status says; the file's end is shown if
# it is a failure.
point() {
	if [ "$1" -eq 0 ]; then
		pass "$2"
	else
		fail "$2"
		[ ! -s "${3:-}" ] || tail -n 60 "$3" | sed 's/^/# /'
		return 1
	fi
}

# tap_try FAILS NAME COMMAND...: FAILS is empty for one that is to succeed.
tap_try() {
	local fails=$1 name=$2 status=0 good

	shift 2
	# Not in a subshell: what a function sets (the servers it started) stays.
	"$@" >"$tap_out" 2>&1 || status=$?
	good=$status
	if [ -n "$fails" ]; then
		# A command that is not there is not one that fails.
		case $status in
		0 | 126 | 127) good=1 ;;
		*) good=0 ;;
		esac
	fi
	point "$good" "$name" || {
		diag "exit $status: $*"
		tail -n 60 "$tap_out" | sed 's/^/# /'
	}
	rm -f "$tap_out"
	return "$good"
}

# ok NAME COMMAND...: the command succeeds; what it says is shown if it does not.
ok() {
	tap_try '' "$@"
}

# nok NAME COMMAND...: the command fails (but is there to fail).
nok() {
	tap_try fails "$@"
}

# is GOT WANT NAME
is() {
	local status=0

	[ "$1" = "$2" ] || status=1
	point $status "$3" || { diag "got:  $1"; diag "want: $2"; return 1; }
}

# literal TEXT: it in an extended regular expression; "6.12.118+deb13" has what means something there
literal() {
	sed 's/[.+]/\\&/g' <<<"$1"
}

# like TEXT ERE NAME; unlike TEXT ERE NAME
like() {
	local status=0

	grep -Eq -- "$2" <<<"$1" || status=1
	point $status "$3" || { diag "$1"; diag "is not like $2"; return 1; }
}

unlike() {
	local status=0

	! grep -Eq -- "$2" <<<"$1" || status=1
	point $status "$3" || { diag "$1"; diag "is like $2"; return 1; }
}

# subtest NAME FILE COMMAND...: the TAP of another, which stays in the file, as one point; where
# it failed, what failed in it is said again, since prove does not show it; where it broke off, its end.
subtest() {
	local name=$1 file=$2 status=0

	shift 2
	echo "# Subtest: $name"
	"$@" >"$file" 2>&1 || status=$?
	sed 's/^/    /' "$file"
	point "$status" "$name" || {
		{ grep -B 3 -A 20 '^not ok' "$file" || sed 's/^/# /' "$file"; } |
			sed -n '/^--$/d; /^ok /d; s/^\(not ok\|#\)/# \1/p' | tail -n 60
		return 1
	}
}

# tap_done: the plan, if there was none, and the end of the script.
tap_done() {
	[ -n "$tap_planned" ] || echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ] && [ "$tap_count" -gt 0 ] &&
		[ "${tap_planned:-$tap_count}" -eq "$tap_count" ]
	exit
}

done_testing() {
	tap_done
}
