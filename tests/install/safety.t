#!/bin/bash
# What the tests of installing mount and remove is never this host's: a failed unmount
# leaves everything in place. With stand-ins, in a mount namespace of its own. Run by prove.
set -u
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || die "only root can run it"
if [ -z "${MAILWALL_UNSHARED:-}" ]; then
	MAILWALL_UNSHARED=1 exec unshare --mount --propagation private -- bash "$0" "$@"
fi
tmp=$(mktemp -d)
# On a file system of its own, which goes with this namespace at the latest.
mount -t tmpfs tmpfs "$tmp" || exit
trap 'umount -R "$tmp" && rmdir "$tmp"' EXIT

host=$tmp/host
WORK="$tmp/a work" M="$tmp/a work/root"
mkdir -p "$host" "$M"
echo precious >"$host/device"
mount -t tmpfs tmpfs "$M"
mkdir "$M/proc" "$M/sys" "$M/dev"

ok "a machine's /proc, /sys and /dev" machine_mount
is "$(find "$M/dev" -type c -printf '%P ' | xargs -n 1 | sort | xargs)" \
	"full null pts/ptmx random tty urandom zero" "its /dev has these devices and no other"
ok "which work" sh -c 'echo nothing >"$1/null" && head -c 9 "$1/zero" >"$1/full"; test $? -eq 1 &&
	head -c 9 "$1/urandom" >"$1/null"' sh "$M/dev"
is "$(stat -fc %T "$M/dev")" tmpfs "it is not this host's"

# The cleaning up of install.t, as it is there.
cleanup=$(sed -n "s/^trap '\(.*\)' EXIT$/\1/p" "$INSTALL/install.t")
like "$cleanup" '^machine_end && remove_tree "\$WORK"$' "how install.t cleans up"

exec {busy}<"$M/dev/null"
nok "it does not while a device is in use" eval "$cleanup"
ok "and everything is in place" test -c "$M/dev/null" -a -d "$M/sys" -a -d "$M/proc" -a -d "$WORK"
exec {busy}<&-

mkdir "$WORK/forgotten"
mount --bind "$host" "$WORK/forgotten"
nok "nor where something else is mounted" eval "$cleanup"
is "$(cat "$host/device")" precious "and that is in place"
nok "nor above it" remove_tree "$tmp"
is "$(cat "$host/device")" precious "which is left alone as well"
umount "$WORK/forgotten"
ok "then it does" eval "$cleanup"
ok "and nothing is left but what is not its own" test ! -e "$WORK" -a -s "$host/device"
done_testing
