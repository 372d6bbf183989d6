#!/bin/bash
# What the packages' scripts and the kernels' hooks do with the module: an upgrade whose build
# fails, a full disk, missing headers; with a DKMS and folders of its own. Run by prove.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh

# Whatever is removed here is named from this folder on, and without it nothing is.
tmp=$(mktemp -d) && [ -d "${tmp:?}" ] || exit 1
trap 'rm -rf "${tmp:?}"' EXIT
root=$tmp/system
modules=$root/lib/modules
failed=$root/var/lib/mailwall/failed
mkdir "$tmp/bin"
sed 's/#MODULE_VERSION#/0.2.0/' tools/kernel/module >"$tmp/module"

# A module is a file that holds its release. depmod notes which file modprobe would take.
cat >"$tmp/bin/depmod" <<'END'
#!/bin/sh
cd "${SYSROOT:?}/lib/modules/$1" || exit
: >modules.dep
for file in mailwall/mailwall.ko* updates/dkms/mailwall.ko*; do
	[ ! -e "$file" ] || echo "$file" >modules.dep
done
END
cat >"$tmp/bin/modinfo" <<'END'
#!/bin/sh
cd "${SYSROOT:?}/lib/modules/$2" || exit
file=$(cat modules.dep 2>/dev/null)
[ -s "$file" ] || exit 1
case $3 in
-n) echo "/lib/modules/$2/$file" ;;
*) cat "$file" ;;
esac
END
# "fails" holds the exit status of a build; with "lies" nothing is there in the end.
cat >"$tmp/bin/dkms" <<'END'
#!/bin/sh
cd "${SYSROOT:?}" || exit
echo "dkms $*" >>asked
case $1 in
status) cat dkms 2>/dev/null ;;
add) echo "$2: added" >dkms ;;
install)
	[ ! -e fails ] || exit "$(cat fails)"
	[ ! -e lies ] || exit 0
	mkdir -p "lib/modules/$5/updates/dkms"
	echo "${3#mailwall/}" >"lib/modules/$5/updates/dkms/mailwall.ko.xz"
	depmod "$5"
	;;
remove)
	rm -f lib/modules/*/updates/dkms/mailwall.ko* dkms
	for kernel in lib/modules/*; do
		depmod "${kernel##*/}"
	done
	;;
esac
END
cat >"$tmp/bin/logger" <<'END'
#!/bin/sh
echo "$*" >>"${SYSROOT:?}/journal"
END
chmod +x "$tmp"/bin/*

# with_root COMMAND...: by these programs, in this folder
with_root() {
	SYSROOT=$root PATH=$tmp/bin:$PATH "$@"
}

module() {
	said=$(with_root sh "$tmp/module" "$@" 2>&1)
}

# host: two kernels, one of which has headers
host() {
	rm -rf "${root:?}"
	mkdir -p "$modules"/{6.1,6.12}/kernel "$modules/6.1/build/include"
}

# what modprobe would load in a kernel
loads() {
	with_root modinfo -k "$1" -F version mailwall || echo none
}

# upgrade: from 0.1.0, whose module both kernels had
upgrade() {
	host
	for kernel in 6.1 6.12; do
		mkdir -p "$modules/$kernel/updates/dkms"
		echo 0.1.0 >"$modules/$kernel/updates/dkms/mailwall.ko.xz"
		with_root depmod $kernel
	done
	module keep && with_root dkms remove mailwall/0.1.0
}

host
ok "installed" module build
is "$(loads 6.1)" 0.2.0 "built where there are headers"
unlike "$(cat "$root/asked")" ' 6\.12' "not where there are none"
: >"$root/asked"
ok "again" module build
unlike "$(cat "$root/asked")" 'dkms install' "builds nothing"

host
echo 10 >"$root/fails"
nok "a build that fails is an error" module build
like "$said" '^mailwall: NO MODULE FOR KERNEL 6\.1, UNGUARDED IF BOOTED: release 0\.2\.0 cannot be built \(exit 10 .*make\.log' "it says so"
like "$(cat "$root/journal")" '-p daemon.crit .*NO MODULE FOR KERNEL 6\.1' "so does the journal"
like "$(cat "$failed/6.1")" '^release 0\.2\.0 cannot be built' "and a record"
rm "${root:?}/fails"
ok "once it builds" module build
is "$(loads 6.1)" 0.2.0 "it is there"
ok "and the record is gone" test ! -e "$failed/6.1"
host
echo 77 >"$root/fails"
ok "a kernel that is too old is no error" module build 6.1
like "$said" 'release 0\.2\.0 is not for this kernel' "but is told"

host
: >"$root/lies"
nok "DKMS says that all is well, and there is nothing" module build
like "$said" 'modprobe does not find it: is the disk full' "it says so"
ok "and a record too" test -s "$failed/6.1"
rm -r "${root:?}/var"
: >"$root/var"
nok "nor can the record be written" module build
like "$said" "cannot write .*/failed/6\\.1: is the disk full" "which is said"
like "$said" 'NO MODULE FOR KERNEL 6\.1' "and so is the rest"

host
nok "a kernel without headers" module build 6.12
like "$said" 'NO MODULE FOR KERNEL 6\.12.*linux-headers-6\.12 is not installed' "is told"
ok "is on record" test -s "$failed/6.12"
ok "and no alarm yet" test ! -e "$root/journal"

ok "an upgrade" upgrade
is "$(loads 6.1) $(loads 6.12)" "0.1.0 0.1.0" "both kernels keep what they had, while nothing is built"
ok "is done" module build
is "$(loads 6.1)" 0.2.0 "the new release where it builds"
ok "alone" test ! -e "$modules/6.1/mailwall"
is "$(loads 6.12)" 0.1.0 "the old one where it does not"
like "$said" 'kernel 6\.12: linux-headers-6\.12 is not installed; the module of release 0\.1\.0 stays' "which is said"
ok "and on record" test -s "$failed/6.12"

upgrade
echo 10 >"$root/fails"
ok "an upgrade that does not build leaves no kernel without" module build
is "$(loads 6.1) $(loads 6.12)" "0.1.0 0.1.0" "both have the old one"
like "$(cat "$root/journal")" 'kernel 6\.1: release 0\.2\.0 cannot be built.*release 0\.1\.0 stays' "the journal says so"
ok "upgraded once more" module keep
is "$(loads 6.1)" 0.1.0 "they have it still"
rm "${root:?}/fails"
ok "until it builds" module build
is "$(loads 6.1): $(cd "$modules/6.1" && echo *)" "0.2.0: build kernel modules.dep updates" "and nothing else is left"

host
mkdir -p "$modules/6.1/updates/dkms"
echo 0.1.0 >"$modules/6.1/updates/dkms/mailwall.ko"
: >"$modules/6.1/mailwall"
nok "what cannot be kept stops the upgrade" module keep
like "$said" 'cannot keep the module of kernel 6\.1' "and says why"

upgrade
module build
ok "a kernel is removed" module forget 6.12
ok "with its stand-in and its record" test ! -e "$modules/6.12/mailwall" -a ! -e "$failed/6.12"
upgrade
module build
ok "the package is" module forget
is "$(find "$modules" -name mailwall; find "$root/var/lib/mailwall" -type f)" "" "no stand-in and no record is left"
nok "another word" module what

# The hook tells DKMS to leave the module alone while the chain of hooks runs that it is part of.
conf=$tmp/dkms.conf
mark=$tmp/mark
sed "s#/run/mailwall-build-failed#$mark#" dkms.conf >"$conf"
sed "s#/run/mailwall-build-failed#$mark#; s#^build=.*#build=/bin/false#; s#command -v dkms#:#" \
	tools/kernel/aa-mailwall >"$tmp/aa"
autoinstall() {
	# shellcheck disable=SC1090  # a copy of dkms.conf
	bash -c '. "$1"; echo "<$AUTOINSTALL>"' bash "$conf"
}
is "$(autoinstall)" "<yes>" "DKMS installs it by itself"
# shellcheck disable=SC2016  # expanded by the shell that stands for run-parts
is "$(bash -c 'sh "$1" 6.1; . "$2"; echo "<$AUTOINSTALL>"' bash "$tmp/aa" "$conf")" "<>" \
	"not in the hooks that follow a failed build"
ok "which left its mark" test -s "$mark"
is "$(autoinstall)" "<yes>" "after them again, whether they came to their end or not"
echo "$$ 1" >"$mark"
is "$(autoinstall)" "<yes>" "another process of the same number is none of them"
done_testing
