#!/bin/bash
# DKMS, the packages and the boot, in a real root of Debian 12. Run by prove: the packages, and
# what the boot says of each fault; with MAILWALL_LONG=1 also DKMS by hand, a second kernel,
# upgrades: those whose build fails, and while it is loaded.
#
#   install.t [SUITE [PART...]]   default: bookworm; parts: by_hand broken packages upgrades versions
set -u
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" -eq 0 ] || die "only root can run it"
suite=${1:-bookworm}
OUT=$OUT/$suite
long=${MAILWALL_LONG:-}
release=$(sed -n 's/.*MAILWALL_RELEASE "\(.*\)"/\1/p' "$TOPDIR/kmod/version.h")
older=0.0.9

deps perl e2fsprogs util-linux qemu-system-x86 lintian >&2
[ -z "$long" ] || deps ovmf sbsigntool openssl >&2
mkdir -p "$OUT"
# What is mounted is seen by this process and its children alone.
if [ -z "${MAILWALL_UNSHARED:-}" ]; then
	MAILWALL_UNSHARED=1 exec unshare --mount --propagation private -- bash "$0" "$@"
fi
lock "$OUT/.lock"
WORK=$(mktemp -d "$OUT/work.XXXXXX")
M=$WORK/root
trap 'machine_end && remove_tree "$WORK"' EXIT

# This clone, as it would be cloned by someone.
copy_sources() {
	mkdir -p "$M/src/mailwall"
	(cd "$TOPDIR" && git ls-files -z --cached --others --exclude-standard |
		grep -zv '^tests/' | tar --null -T - -cf -) | tar -xf - -C "$M/src/mailwall"
}

# ---- by hand ----
by_hand() {
	machine_new
	copy_sources
	ok "$suite: make dkms-install" in_machine make -C /src/mailwall dkms-install
	ok "$suite: DKMS has built for $K1" dkms_has "$K1"
	is "$(in_machine modinfo -k "$K1" -F depends mailwall)" "" "$suite: it depends on no other module"
	ok "$suite: a second kernel is installed" second_kernel
	ok "$suite: $K2 has its module without anyone asking" dkms_has "$K2"
	ok "$suite: make dkms-uninstall" in_machine make -C /src/mailwall dkms-uninstall
	is "$(in_machine dkms status)" "" "$suite: DKMS knows of nothing"
	is "$(leftovers)" "" "$suite: nothing is left"

	ok "$suite: make install" in_machine make -C /src/mailwall install "KDIR=/lib/modules/$K1/build"
	is "$(in_machine modinfo -k "$K1" -F version mailwall)" "$release" "$suite: the module is found"
	like "$(in_machine mailwall --version)" "$release" "$suite: so is the command"
	ok "$suite: and the unit" in_machine systemd-analyze verify --man=no mailwall.service
	ok "$suite: make uninstall" in_machine make -C /src/mailwall uninstall "KDIR=/lib/modules/$K1/build"
	is "$(leftovers)" "" "$suite: nothing is left"
	nok "$suite: modprobe finds nothing" in_machine modinfo -k "$K1" mailwall
}

# ---- a build that fails ----
broken() {
	local said

	machine_new
	copy_sources
	ok "$suite: make dkms-install" in_machine make -C /src/mailwall dkms-install
	echo '#error "this kernel is too new"' >>"$M/usr/src/mailwall-$release/kmod/main.c"
	said=$(second_kernel 2>&1)
	is "$(dpkg_status "linux-image-$K2")" installed "$suite: a failed build leaves the kernel configured" ||
		tail -n 40 <<<"$said" | sed 's/^/# /'
	is "$(dpkg_status "linux-headers-$K2")" installed "$suite: and its headers"
	is "$(in_machine dpkg --audit)" "" "$suite: dpkg has nothing to complain of"
	like "$said" 'mailwall' "$suite: the output names the module"
	like "$said" 'make\.log' "$suite: and the log of the build"
	ok "$suite: which has the compiler's words" grep -q 'this kernel is too new' \
		"$M/var/lib/dkms/mailwall/$release/build/make.log"
	nok "$suite: there is no module for $K2" dkms_has "$K2"
	ok "$suite: the first kernel keeps its own" dkms_has "$K1"
	sed -i '$d' "$M/usr/src/mailwall-$release/kmod/main.c"
	ok "$suite: once it builds again" in_machine dkms autoinstall -k "$K2"
	ok "$suite: $K2 has its module" dkms_has "$K2"
}

# ---- packages and boot ----
# readme HEADING PATTERN: the one line of a block below this heading that has it
readme() {
	awk -v heading="$1" -v pattern="$2" '
		/^#/ { here = $0 ~ heading }
		here && /^    / && $0 ~ pattern { sub(/^ */, ""); sub(/  +#.*/, ""); print }
	' "$TOPDIR/README.md" | head -n 1
}

# What Ubuntu 24.04 has: dkms.service with default dependencies, and something that is
# before sysinit.target and after the network.
old_units() {
	printf '%s\n' '[Unit]' 'Description=DKMS' '[Service]' 'Type=oneshot' 'ExecStart=/bin/true' \
		'[Install]' 'WantedBy=multi-user.target' >"$M/etc/systemd/system/dkms.service"
	printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'After=network-pre.target' 'Before=sysinit.target' \
		'[Service]' 'Type=oneshot' 'ExecStart=/bin/true' >"$M/etc/systemd/system/cloud-test.service"
	mkdir -p "$M/etc/systemd/system/"{sysinit,multi-user}.target.wants
	ln -sf ../cloud-test.service "$M/etc/systemd/system/sysinit.target.wants/"
	ln -sf ../dkms.service "$M/etc/systemd/system/multi-user.target.wants/"
}

# As README has it.
configure() {
	readme "^### Before the first load" "^ *options mailwall .*adm=.*site=22:ADM:GTW" \
		>"$M/etc/modprobe.d/mailwall.conf"
	echo 'net.ipv4.ip_local_reserved_ports = 30000' >"$M/etc/sysctl.d/10-own.conf"
	ok "$suite: README says how to keep the SSH session" test -s "$M/etc/modprobe.d/mailwall.conf"
	# Whoever reads on finds the same in the example.
	is "$(grep '^options' "$M/usr/share/doc/mailwall/examples/modprobe.conf")" \
		"$(cat "$M/etc/modprobe.d/mailwall.conf")" "$suite: so does the example"
}

# The key that Debian's test firmware has in its db, as the one that DKMS signs with.
sign_with_firmware_key() {
	local keys=$M/var/lib/dkms status=0

	mkdir "$keys/own" && mv "$keys/mok.key" "$keys/mok.pub" "$keys/own/" || return 1
	openssl rsa -in /usr/share/ovmf/PkKek-1-snakeoil.key -passin pass:snakeoil -out "$keys/mok.key" &&
		openssl x509 -in /usr/share/ovmf/PkKek-1-snakeoil.pem -outform der -out "$keys/mok.pub" &&
		in_machine dkms build --force "mailwall/$1" -k "$K2" &&
		in_machine dkms install --force "mailwall/$1" -k "$K2" &&
		in_machine modinfo -k "$K2" -F signer mailwall | grep -i snakeoil || status=1
	mv "$keys"/own/* "$keys/" && rmdir "$keys/own" || status=1
	return $status
}

packages() {
	local first=$release command

	if [ -n "$long" ]; then
		first=$older
		"$INSTALL/build-deb" --release "$older" "$OUT/deb-$older" >/dev/null || die "no older packages"
	fi
	machine_new
	mkdir -p "$M/mailwall/new" "$M/mailwall/first"
	cp "$OUT"/deb/*.deb "$M/mailwall/new/"
	echo "$release" >"$M/mailwall/new/release"
	if [ "$first" = "$release" ]; then
		cp "$OUT"/deb/*.deb "$M/mailwall/first/"
	else
		cp "$OUT/deb-$older"/*.deb "$M/mailwall/first/"
	fi

	mkdir -p "$M/src/mailwall/build"
	cp -r "$M/mailwall/first" "$M/src/mailwall/build/deb"
	command=$(readme "^### With packages" "apt install")
	ok "$suite: the packages are installed, as README says: $command" \
		in_machine sh -c "cd /src/mailwall && ${command:-false}"
	ok "$suite: DKMS has built for $K1" dkms_has "$K1"
	is "$(in_machine modinfo -k "$K1" -F version mailwall)" "$first" "$suite: this release"
	like "$(in_machine mailwall --version)" "$first" "$suite: the command runs"
	ok "$suite: its man page is there" test -s "$M/usr/share/man/man8/mailwall.8.gz"
	ok "$suite: its completion too" in_machine bash -n /usr/share/bash-completion/completions/mailwall
	is "$(in_machine systemctl is-enabled mailwall.service)" enabled "$suite: the unit is enabled"
	ok "$suite: the unit is sound" in_machine systemd-analyze verify --man=no mailwall.service
	old_units
	unlike "$(in_machine systemd-analyze verify --man=no default.target 2>&1)" 'cycle' \
		"$suite: no cycle where cloud-init waits for the network and dkms.service for everything"
	is "$(in_machine modprobe -c | grep -c '^options mailwall ')" 0 "$suite: nothing is configured by itself"
	is "$(cd "$M/usr/share/doc/mailwall/examples" && echo *)" \
		"contrib keep-network-down.conf modprobe.conf status.schema.json" "$suite: examples are there"
	configure
	if [ -n "$long" ]; then
		ok "$suite: a second kernel is installed" second_kernel
		ok "$suite: $K2 has its module without anyone asking" dkms_has "$K2"
		ok "$suite: it is built again with a key that the firmware knows" sign_with_firmware_key "$first"
	fi

	boot_image "$K1"
	boot "$suite boots guarded" guarded
	boot "$suite with module_blacklist=mailwall" blacklist module_blacklist=mailwall
	boot "$suite without a module, told to keep the network down" keepdown
	boot "$suite with module.sig_enforce=1" signature module.sig_enforce=1
	if [ -n "$long" ]; then
		boot_image "$K2"
		firmware_on
		boot "$suite boots its new kernel under Secure Boot" newkernel
		firmware_off
		boot_image "$K1"
		# It compiles under emulation.
		BOOT_TIMEOUT=3000 boot "$suite upgrades while the older release is loaded" upgrade
		rm -f "$WORK/image"

		ok "$suite: the packages are upgraded" apt_install \
			"/mailwall/new/mailwall-dkms_${release}_all.deb" "/mailwall/new/mailwall_${release}_amd64.deb"
		for kernel in "$K1" "$K2"; do
			ok "$suite: $kernel has its module" dkms_has "$kernel"
			is "$(in_machine modinfo -k "$kernel" -F version mailwall)" "$release" "$suite: the new one"
		done
		unlike "$(in_machine dkms status)" "$older" "$suite: DKMS has forgotten the older release"
	fi
	rm -f "$WORK/image"

	ok "$suite: the packages are removed" in_machine apt-get -q -y remove mailwall mailwall-dkms
	is "$(in_machine dkms status)" "" "$suite: DKMS knows of nothing"
	nok "$suite: no module is left" in_machine modinfo -k "$K1" mailwall
	ok "$suite: the administrator's files are" test -s "$M/etc/modprobe.d/mailwall.conf"
	ok "$suite: the packages are purged" in_machine apt-get -q -y purge mailwall mailwall-dkms
	rm -rf "$M"/etc/systemd/system/{mailwall-test.service,*/mailwall-test.service} \
		"$M/etc/network/if-pre-up.d/mailwall-test"
	is "$(leftovers)" "" "$suite: nothing is left"
}

# debs FOLDER: install its packages as dpkg does; $said is what that said
debs() {
	rm -rf "${M:?}/mailwall/debs"
	mkdir "$M/mailwall/debs"
	cp "$OUT/$1"/*.deb "$M/mailwall/debs/"
	said=$(in_machine sh -c 'dpkg -i /mailwall/debs/*.deb' 2>&1)
}

# what modprobe would load in the first kernel
loads() {
	in_machine modinfo -k "$K1" -F version mailwall 2>/dev/null || echo none
}

# upgrades: a build that fails leaves no kernel without, and none unseen
upgrades() {
	local compiler record build

	"$INSTALL/build-deb" --release "$older" "$OUT/deb-$older" >/dev/null || die "no older packages"
	machine_new
	compiler=$(in_machine readlink -f /usr/bin/gcc)
	record=$M/var/lib/mailwall/failed/$K1
	mv "$M$compiler" "$M/compiler"
	nok "$suite: a first installation whose build fails is an error" debs "deb-$older"
	like "$said" "NO MODULE FOR KERNEL $R1, UNGUARDED IF BOOTED: release $older cannot be built" "$suite: it says so"
	like "$(cat "$record")" "release $older cannot be built" "$suite: so does a record"
	is "$(dpkg_status mailwall-dkms)" half-configured "$suite: dpkg knows"
	mv "$M/compiler" "$M$compiler"
	ok "$suite: once it builds" in_machine dpkg --configure -a
	is "$(loads)" "$older" "$suite: it is there"
	ok "$suite: and the record gone" test ! -e "$record"

	mv "$M$compiler" "$M/compiler"
	ok "$suite: an upgrade whose build fails" debs deb
	is "$(loads)" "$older" "$suite: leaves the older release in place"
	like "$said" "kernel $R1: release $release cannot be built.*release $older stays" "$suite: says so"
	like "$(in_machine dkms status)" "^mailwall/$release: added$" "$suite: DKMS knows of the new one alone"
	mv "$M/compiler" "$M$compiler"
	build=$(sed -n 's/.*then "\(.*\)"$/\1/p' "$record")
	# shellcheck disable=SC2086  # a command
	ok "$suite: what it says is to be typed: $build" in_machine ${build:-false}
	is "$(loads)" "$release" "$suite: brings the new one"
	nok "$suite: no stand-in is left" test -e "$M/lib/modules/$K1/mailwall"
	ok "$suite: the same release once more" debs deb
	is "$(loads)" "$release" "$suite: it is there"

	mkdir -p "$M/etc/systemd/system/mailwall.service.d"
	touch "$M/etc/modules-load.d/mailwall.conf" "$M/etc/modprobe.d/mailwall.conf" \
		"$M/etc/systemd/system/mailwall.service.d/keep-network-down.conf"
	like "$(in_machine apt-get -q -y remove mailwall-dkms 2>&1)" 'NOT REMOVED: .*keep-network-down' \
		"$suite: the module is not removed while the network depends on it"
	is "$(loads)" "$release" "$suite: it is there"
	rm -r "${M:?}/etc/systemd/system/mailwall.service.d"
	said=$(in_machine apt-get -q -y remove mailwall mailwall-dkms 2>&1)
	like "$said" 'modprobe.d/mailwall.conf stays, and no boot loads it' "$suite: a removal says what stays"
	like "$said" 'modules-load.d/mailwall.conf stays, and loads' "$suite: and what would still load the module"
	ok "$suite: which does" test -e "$M/etc/modules-load.d/mailwall.conf" -a -e "$M/etc/modprobe.d/mailwall.conf"
	is "$(loads)" none "$suite: the module does not"

	mount -t tmpfs -o size=256k tmpfs "$M/var/lib/dkms"
	nok "$suite: a full disk is no success" debs deb
	like "$said" "NO MODULE FOR KERNEL $R1" "$suite: which is said"
	umount "$M/var/lib/dkms"
	ok "$suite: with room again" in_machine dpkg --configure -a
	is "$(loads)" "$release" "$suite: it is installed again"
	ok "$suite: purged" in_machine apt-get -q -y purge mailwall mailwall-dkms
	is "$(leftovers)" "" "$suite: nothing is left, the list and the options neither"
}

# versions: a revision, or what comes with an upload by others, and the one place that says it
versions() {
	local version

	for version in "$release+nmu1" "$release-1"; do
		"$INSTALL/build-deb" --version "$version" "$OUT/deb-version" >/dev/null || die "no packages of $version"
		machine_new
		ok "$suite: $version installs" debs deb-version
		is "$(dpkg_status mailwall-dkms)" installed "$suite: $version: dpkg knows"
		ok "$suite: $version: DKMS has built for $K1" dkms_has "$K1"
		like "$(in_machine dkms status)" "^mailwall/$release, $R1" "$suite: $version: under the release of kmod/version.h"
		ok "$suite: $version: removed" in_machine apt-get -q -y purge mailwall mailwall-dkms
		is "$(leftovers)" "" "$suite: $version: nothing is left"
	done
}

# Each part installs these packages. Their build's own tests are files of "make check".
lint_packages() {
	[ -n "$long" ] || export DEB_BUILD_OPTIONS=nocheck
	"$INSTALL/build-deb" "$OUT/deb" >/dev/null || die "no packages"
	ok "lintian has no error and no warning" lintian --allow-root --fail-on error,warning "$OUT"/deb/*.deb
}

parts=(packages)
[ -z "$long" ] || parts=(by_hand broken upgrades versions packages)
[ $# -lt 2 ] || parts=("${@:2}")
lint_packages
for part in "${parts[@]}"; do
	$part
done
done_testing
