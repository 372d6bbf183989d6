#!/bin/bash
# /usr/lib/mailwall/check against every state that a machine can be in, with a
# /sys and a /proc of its own. Run by prove.
set -u
cd "$(dirname "$0")/../.." || exit 1

count=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
sys=$root/sys/class/misc/mailwall

# The commands that check asks, answering from files.
mkdir "$tmp/bin"
cat >"$tmp/bin/modprobe" <<'END'
#!/bin/sh
case $* in
-c) cat "$SYSROOT/config" ;;
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

# state: a machine where all is well, loaded unless undone
state() {
	rm -rf "$root"
	mkdir -p "$sys" "$root/proc/sys/net/ipv4"
	echo enforce >"$sys/mode"
	echo "0.1.0 abi 1" >"$sys/version"
	printf '25 ANY GTW Some words.\n8450 ADM GTW More ADM GTW words.\n465 GTW ANY x\n' >"$sys/table"
	: >"$sys/site"
	echo 0.1.0 >"$root/modinfo"
	printf 'options other mode=off\noptions mailwall adm=192.0.2.0/24\n' >"$root/config"
	echo "quiet root=/dev/vda" >"$root/proc/cmdline"
	echo >"$root/proc/sys/net/ipv4/ip_local_reserved_ports"
	printf '32768\t60999\n' >"$root/proc/sys/net/ipv4/ip_local_port_range"
}

unloaded() {
	state
	rm -rf "$sys"
}

# expect STATUS PATTERN NAME [ARG]...: what check does and says
expect() {
	local want=$1 pattern=$2 name=$3 said status

	shift 3
	said=$(SYSROOT=$root PATH=$tmp/bin:$PATH sh tools/systemd/check "$@" 2>&1)
	status=$?
	point "$name" test "$status" = "$want" -a "$(grep -cE -- "$pattern" <<<"$said")" -gt 0 ||
		printf '# exit %s, want %s\n# %s\n' "$status" "$want" "${said//$'\n'/$'\n'# }"
}

point() {
	local name=$1

	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		return 1
	fi
}

state
expect 0 'release 0.1.0 is in force' "in force"
expect 0 'release 0.1.0 is in force' "in force, at boot" --load
expect 2 'usage: ' "an unknown option is refused" --start

state
echo audit >"$sys/mode"
expect 1 'NOT IN FORCE: the mode is audit, configured is enforce' "audit instead of the default"
echo 'options mailwall mode=audit log=kernel' >"$root/config"
expect 0 'mode is audit as configured: nothing is denied' "audit as configured"
echo enforce >"$sys/mode"
expect 1 'NOT AS CONFIGURED: the mode is enforce, configured is audit' "enforce instead of audit"
echo 'options mailwall "mode=audit" adm=192.0.2.0/24' >"$root/config"
echo audit >"$sys/mode"
expect 0 'mode is audit as configured' "quoted"
echo enforce >"$sys/mode"
printf 'options mailwall mode=audit\noptions mailwall mode=enforce\n' >"$root/config"
expect 0 'in force' "the last word of the configuration counts"
echo audit >"$sys/mode"
echo 'options mailwall confirm=60' >"$root/config"
expect 1 'confirmed in time' "a first load that nobody confirmed"

unloaded
expect 1 'NOT IN FORCE: the module is not loaded' "not loaded"
expect 1 'on a blacklist' "kept out by modprobe's blacklist" --load
mkdir "$root/loadable"
for file in mode table site version; do
	echo enforce >"$root/loadable/$file"
done
expect 0 'was not loaded before this unit' "loaded by the unit itself" --load

unloaded
echo "could not insert 'mailwall': Operation not permitted" >"$root/modprobe-error"
echo "quiet module_blacklist=floppy,mailwall ro" >"$root/proc/cmdline"
expect 1 'module_blacklist=mailwall on the kernel command line' "kept out by the kernel" --load
echo "quiet module_blacklist=mailwall2" >"$root/proc/cmdline"
expect 1 'refused$' "another module's blacklist is not taken for it" --load
rm "$root/modinfo"
echo "Module mailwall not found" >"$root/modprobe-error"
expect 1 "there is no module for kernel $(uname -r)" "not built for this kernel" --load

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
point "those in the range, no others" test "$(cat "$reserved")" = 40000,50000
echo 40001-40010 >"$reserved"
expect 0 'port 40000 is kept' "a range beside the port is not enough" --load
echo 39990-40010,8450 >"$reserved"
expect 0 'port 50000 is kept' "what others reserved stays" --load
point "a range that has the port already is enough" test "$(cat "$reserved")" = 39990-40010,8450,50000
expect 0 'in force' "a second time adds nothing" --load
point "nothing was added" test "$(cat "$reserved")" = 39990-40010,8450,50000
echo '1024 60999' >"$root/proc/sys/net/ipv4/ip_local_port_range"
echo >"$reserved"
expect 0 'port 8450 is kept' "8450 too, where the range has it" --load
echo >"$reserved"
expect 0 'in force' "without --load nothing is written"
point "nothing was written" test -z "$(cat "$reserved")"

release=$(sed -n 's/.*MAILWALL_RELEASE "\(.*\)"/\1/p' kmod/version.h)
point "dkms.conf has the release of kmod/version.h" grep -qx "PACKAGE_VERSION=\"$release\"" dkms.conf
point "so has debian/changelog" test "$(sed -n '1s/^mailwall (\(.*\)) .*/\1/p' debian/changelog)" = "$release"
echo "1..$count"
