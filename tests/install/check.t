#!/bin/bash
# /usr/lib/mailwall/check against every state that a machine can be in, with a
# /sys and a /proc of its own. Run by prove.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/system

# The command, over a device and a root directory of this test.
tests/deps make gcc libc6-dev libjansson-dev pkg-config >&2 || exit 1
build=$PWD/build/tools-test/plain
mkdir -p "$build"
flock "$build/lock" make -s -C tools O="$build" CC=gcc all fake >&2 || exit 1
sys=$root/sys/class/misc/mailwall

# The commands that check asks, answering from files.
mkdir "$tmp/bin"
cat >"$tmp/bin/mailwall" <<END
#!/bin/sh
FAKE_DIR=$tmp LD_PRELOAD=$build/fake_device.so exec $build/mailwall "\$@"
END
cat >"$tmp/bin/modprobe" <<'END'
#!/bin/sh
case $* in
"-b mailwall")
	[ ! -e "$SYSROOT/modprobe-error" ] || { cat "$SYSROOT/modprobe-error" >&2; exit 1; }
	[ ! -e "$SYSROOT/loadable" ] || mv "$SYSROOT/loadable" "$SYSROOT/sys/class/misc/mailwall"
	;;
*) echo "modprobe $*: not expected" >&2; exit 99 ;;
esac
END
cat >"$tmp/bin/modinfo" <<'END'
#!/bin/sh
[ -e "$SYSROOT/modinfo" ] && cat "$SYSROOT/modinfo"
END
cat >"$tmp/bin/dmesg" <<'END'
#!/bin/sh
cat "$SYSROOT/dmesg" 2>/dev/null
END
chmod +x "$tmp"/bin/*

# configure LINE...: what /etc/modprobe.d has, and what a boot makes of it
configure() {
	printf '%s\n' "$@" >"$root/etc/modprobe.d/mailwall.conf"
	"$tmp/bin/mailwall" reload >/dev/null 2>&1
}

# running MODE: whatever is configured
running() {
	"$tmp/bin/mailwall" mode "$1" >/dev/null
	echo "$1" >"$sys/mode"
}

# state: a machine where all is well, loaded unless undone
state() {
	rm -rf "$root"
	mkdir -p "$sys" "$root/proc/sys/net/ipv4" "$root/etc/modprobe.d"
	rm -f "$tmp/state"
	echo "quiet root=/dev/vda" >"$root/proc/cmdline"
	configure 'options other mode=off' 'options mailwall adm=192.0.2.0/24'
	running enforce
	echo "0.1.0 abi 1" >"$sys/version"
	printf '25 ANY GTW Some words.\n8450 ADM GTW More ADM GTW words.\n465 GTW ANY x\n' >"$sys/table"
	: >"$sys/site"
	echo 0.1.0 >"$root/modinfo"
	echo >"$root/proc/sys/net/ipv4/ip_local_reserved_ports"
	printf '32768\t60999\n' >"$root/proc/sys/net/ipv4/ip_local_port_range"
}

unloaded() {
	state
	rm -rf "$sys"
}

# expect STATUS PATTERN NAME [ARG]...: what check does and says
expect() {
	local want=$1 pattern=$2 name=$3 status

	shift 3
	said=$(SYSROOT=$root PATH=$tmp/bin:$PATH sh tools/systemd/check "$@" 2>&1)
	status=$?
	[ "$status" = "$want" ] && grep -qE -- "$pattern" <<<"$said"
	point $? "$name" || diag "exit $status, want $want: $said"
}

state
expect 0 'release 0.1.0 is in force' "in force"
expect 0 'release 0.1.0 is in force' "in force, at boot" --load
expect 2 'usage: ' "an unknown option is refused" --start

state
running audit
expect 1 'NOT IN FORCE: the mode is audit, configured is enforce' "audit instead of the default"
configure 'options mailwall mode=audit log=kernel'
expect 0 'mode is audit as configured: nothing is denied' "audit as configured"
running enforce
expect 1 'NOT AS CONFIGURED: the mode is enforce, configured is audit' "enforce instead of audit"
configure 'options mailwall "mode=audit" adm=192.0.2.0/24'
running audit
expect 0 'mode is audit as configured' "quoted"
configure 'options mailwall confirm=60'
running audit
expect 1 'confirmed in time' "a first load that nobody confirmed"

# What loaded, and left the host with less than was meant.
while read -r line; do
	state
	configure 'options mailwall adm=192.0.2.0/24' "$line"
	expect 1 'NOT IN FORCE: the configuration is wrong.*' "typing error, loaded: $line"
	rm -rf "$sys"
	mkdir "$root/loadable"
	expect 1 'mailwall.conf:2: ' "typing error, at boot: $line" --load
	ok "the module was not loaded with it" test -e "$root/loadable"
done <<-'END'
	options mailwall sites=22:ADM:GTW
	options mailwall site=22:ADM:GTW 443:GTW:ANY
	options mailwall adm=2001:db8::/32
END

state
"$tmp/bin/mailwall" adm set 10.0.0.1 >/dev/null
expect 1 '^-adm 192.0.2.0/24' "another ADM than configured"
expect 1 '^\+adm 10.0.0.1' "and it says which"
"$tmp/bin/mailwall" reload >/dev/null
"$tmp/bin/mailwall" site add 22 ADM GTW >/dev/null
expect 1 '^\+site 22 ADM GTW' "a row more"
"$tmp/bin/mailwall" reload >/dev/null
"$tmp/bin/mailwall" gtw set 10.0.0.1 >/dev/null
expect 1 '^\+gtw 10.0.0.1' "another gateway"

unloaded
expect 1 'NOT IN FORCE: the module is not loaded' "not loaded"
expect 1 'on a blacklist' "kept out by modprobe for a reason that nobody sees" --load
echo 'blacklist mailwall' >"$root/etc/modprobe.d/other.conf"
expect 1 'other.conf:1: mailwall is blacklisted' "kept out by modprobe's blacklist" --load
rm "$root/etc/modprobe.d/other.conf"
mkdir -p "$root/loadable"
for file in mode table site version; do
	echo enforce >"$root/loadable/$file"
done
expect 0 'the module is loaded, with what is configured' "loaded by the unit itself" --load

unloaded
echo "could not insert 'mailwall': Operation not permitted" >"$root/modprobe-error"
echo "quiet module_blacklist=floppy,mailwall ro" >"$root/proc/cmdline"
expect 1 'module_blacklist=mailwall on the kernel command line' "kept out by the kernel" --load
echo "quiet module_blacklist=mailwall2" >"$root/proc/cmdline"
expect 1 'refused$' "another module's blacklist is not taken for it" --load
rm "$root/modinfo"
echo "Module mailwall not found" >"$root/modprobe-error"
expect 1 "there is no module for kernel $(uname -r)" "not built for this kernel" --load
mkdir -p "$root/var/lib/mailwall/failed"
echo 'release 0.2.0 cannot be built' >"$root/var/lib/mailwall/failed/$(uname -r)"
expect 1 '^release 0.2.0 cannot be built' "with what is on record of the build" --load

unloaded
echo "could not insert 'mailwall': Key was rejected by service" >"$root/modprobe-error"
expect 1 'mokutil --import' "not signed by a key that the kernel trusts" --load
echo "could not insert 'mailwall': Required key not available" >"$root/modprobe-error"
expect 1 'mokutil --import' "not signed" --load
echo "could not insert 'mailwall': Invalid argument" >"$root/modprobe-error"
echo '[ 1.0] mailwall: adm refused: "192.0.2.1/24": write 192.0.2.0/24' >"$root/dmesg"
expect 1 '^mailwall: adm refused: .*write 192.0.2.0/24' "a wrong option, with the module's own words" --load
expect 1 'Invalid argument' "and modprobe's" --load

state
echo 0.2.0 >"$root/modinfo"
expect 0 'release 0.1.0 is loaded, 0.2.0 is installed' "an older module is in force"

reserved=$root/proc/sys/net/ipv4/ip_local_reserved_ports
state
printf '22 ADM GTW\n40000 ADM GTW\n50000 ADM GTW\n45000 ANY GTW\n40001 GTW ADM\n' >"$sys/site"
expect 0 'port 40000 is kept' "ports of rows with source ADM are reserved" --load
ok "those in the range, no others" test "$(cat "$reserved")" = 40000,50000
echo 40001-40010 >"$reserved"
expect 0 'port 40000 is kept' "a range beside the port is not enough" --load
echo 39990-40010,8450 >"$reserved"
expect 0 'port 50000 is kept' "what others reserved stays" --load
ok "a range that has the port already is enough" test "$(cat "$reserved")" = 39990-40010,8450,50000
expect 0 'in force' "a second time adds nothing" --load
ok "nothing was added" test "$(cat "$reserved")" = 39990-40010,8450,50000
echo '1024 60999' >"$root/proc/sys/net/ipv4/ip_local_port_range"
echo >"$reserved"
expect 0 'port 8450 is kept' "8450 too, where the range has it" --load
echo >"$reserved"
expect 0 'in force' "without --load nothing is written"
ok "nothing was written" test -z "$(cat "$reserved")"

state
mkdir -p "$root/etc/sysctl.d"
echo '40000 ADM GTW' >"$sys/site"
expect 0 'in force' "no sysctl file has them" --load
unlike "$said" 'sysctl' "so no more is said"
echo >"$reserved"
echo 'net.ipv4.ip_local_reserved_ports = 30000' >"$root/etc/sysctl.d/own.conf"
expect 0 '/etc/sysctl.d/own.conf sets net.ipv4.ip_local_reserved_ports without them' "the administrator's own setting would take them out" --load
is "$(cat "$root/etc/sysctl.d/own.conf")" 'net.ipv4.ip_local_reserved_ports = 30000' "which is left alone"
expect 0 'in force' "it is told when they are added" --load
unlike "$said" 'sysctl' "not each time"

# at login
motd() {
	SYSROOT=$root PATH=$tmp/bin:$PATH sh tools/systemd/motd
}
state
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
touch "$root/etc/systemd/system/multi-user.target.wants/mailwall.service"
is "$(motd 2>&1)" "" "whoever logs in is told nothing where all is well"
mkdir -p "$root/boot" "$root/lib/modules/6.1"
touch "$root/boot/vmlinuz-6.1"
like "$(motd 2>&1)" '^MAILWALL CRITICAL - .*kernel 6.1 is unguarded' "and else what is wrong"
rm "${root:?}/etc/modprobe.d/mailwall.conf"
is "$(motd 2>&1)" "" "nothing where mailwall is not used"

release=$(sed -n 's/.*MAILWALL_RELEASE "\(.*\)"/\1/p' kmod/version.h)
ok "the release of kmod/version.h is that of debian/changelog" test "$(sed -n '1s/^mailwall (\([^-+]*\).*) .*/\1/p' debian/changelog)" = "$release"
done_testing
