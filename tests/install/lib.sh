# shellcheck shell=bash
# What the parts of install.t share. Points are counted in the main shell.
#
#   machine_new; in_machine COMMAND...; boot NAME GUEST_SCRIPT [QEMU...]

# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

INSTALL=$TOPDIR/tests/install
OUT=$TOPDIR/build/install

# The machine: the cached root of $suite below, what a test does to it above.
machine_new() {
	local dir

	machine_end || die "$M is still in use: $(machine_processes)"
	dir=$("$INSTALL/root" "$suite") || die "no root of $suite"
	# shellcheck disable=SC2034  # for those who source this
	K1=$(cat "$dir/FIRST") K2=$(cat "$dir/SECOND")
	# shellcheck disable=SC2034  # likewise
	R1=$(literal "$K1")
	remove_tree "$WORK/upper" "$WORK/work" || die "cannot begin anew"
	mkdir -p "$WORK/upper" "$WORK/work" "$M"
	mount -t overlay -o "lowerdir=$dir/root,upperdir=$WORK/upper,workdir=$WORK/work" overlay "$M"
	machine_mount
	# What the suite's earlier machines compiled need not be compiled again.
	mkdir -p "$WORK/ccache" "$M/mailwall/ccache"
	mount --bind "$WORK/ccache" "$M/mailwall/ccache"
	echo "$K2" >"$M/mailwall/K2"
}

# What programs in the machine want of a kernel. Its /dev is its own: nothing of this
# host's lies below a folder that is removed later.
machine_mount() {
	mount -t proc proc "$M/proc"
	mount -t sysfs -o ro sysfs "$M/sys"
	private_dev "$M/dev"
}

machine_unmount() {
	machine_rests
	umount -R "$M/dev" && umount "$M/sys" "$M/proc"
}

# what runs there, pid and command line
machine_processes() {
	local pid

	for pid in /proc/[0-9]*; do
		[ "$(readlink "$pid/root")" != "$M" ] || echo "${pid#/proc/} $(tr '\0' ' ' <"$pid/cmdline")"
	done
}

# What an installation left running ends by itself, "sleep 3" of Debian 13's for one.
machine_rests() {
	local tries=40

	while [ -n "$(machine_processes)" ] && ((tries--)); do
		sleep 0.5
	done
}

machine_end() {
	mountpoint -q "$M" 2>/dev/null || return 0
	machine_rests
	umount -R "$M"
}

in_machine() {
	chroot "$M" env -i PATH=/usr/lib/ccache:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

apt_install() {
	in_machine apt-get -q -y --no-install-recommends \
		-o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 install "$@"
}

# second_kernel: what "apt upgrade" does a year later.
second_kernel() {
	apt_install --no-download -t "$suite-backports" linux-image-cloud-amd64 linux-headers-cloud-amd64
}

# the status that dpkg knows of a package of the machine
dpkg_status() {
	in_machine dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || echo none
}

# dkms_has KERNEL: DKMS has installed the module there, and modprobe finds it.
dkms_has() {
	in_machine dkms status mailwall | grep -Fq ", $1, x86_64: installed" &&
		[ "$(in_machine modinfo -k "$1" -F name mailwall)" = mailwall ]
}

# leftovers: files of ours anywhere where installed things lie.
leftovers() {
	(cd "$M" && find lib/ usr/ etc/ var/lib/ -name '*mailwall*') | sort -u
}

# boot_image KERNEL: what boot() boots, from the machine as it is now.
boot_image() {
	BOOT_KERNEL=$1
	machine_unmount || die "$M is still in use: $(machine_processes)"
	cp "$M/boot/vmlinuz-$1" "$WORK/vmlinuz" 2>/dev/null ||
		cp "$M/usr/lib/modules/$1/vmlinuz" "$WORK/vmlinuz"
	cp "$M/boot/initrd.img-$1" "$WORK/initrd"
	if [ ! -e "$WORK/image" ]; then
		mkdir -p "$M/etc/systemd/system/multi-user.target.wants"
		cp "$INSTALL/guest/mailwall-test.service" "$M/etc/systemd/system/"
		ln -sf ../mailwall-test.service "$M/etc/systemd/system/multi-user.target.wants/"
		mkdir -p "$M/etc/network/if-pre-up.d"
		install -m 755 "$INSTALL/guest/if-pre-up" "$M/etc/network/if-pre-up.d/mailwall-test"
		(cd "$TOPDIR" && cp -r --parents tests/install/guest tests/vm/guest/lib.sh \
			tests/lib/tap.sh README.md "$M/mailwall/")
		truncate -s 3G "$WORK/image"
		mke2fs -q -F -t ext4 -O ^has_journal -E lazy_itable_init=1 -d "$M" "$WORK/image"
	fi
	machine_mount
}

# firmware_on: from now on boot by UEFI with Secure Boot, the kernel signed for it.
BOOT_FIRMWARE=()
firmware_on() {
	local key=$WORK/firmware.key certificate=/usr/share/ovmf/PkKek-1-snakeoil.pem

	cp /usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd "$WORK/vars"
	openssl rsa -in /usr/share/ovmf/PkKek-1-snakeoil.key -passin pass:snakeoil -out "$key" 2>/dev/null
	# Debian's own signature is there already; theirs is not in this firmware.
	sbattach --remove "$WORK/vmlinuz" >/dev/null 2>&1
	sbsign --key "$key" --cert "$certificate" --output "$WORK/vmlinuz" "$WORK/vmlinuz" >/dev/null 2>&1
	BOOT_FIRMWARE=(-M "q35,smm=on" -global "driver=cfi.pflash01,property=secure,value=on"
		-drive "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
		-drive "if=pflash,format=raw,unit=1,file=$WORK/vars")
}

firmware_off() {
	BOOT_FIRMWARE=()
}

# boot NAME SCRIPT [KERNEL COMMAND LINE]: boot the image and run guest/SCRIPT.sh
# there; its points are a subtest. What it changes stays in the image.
boot() {
	local name=$1 arg qemu=()

	for arg in -device virtio-net-pci ${BOOT_FIRMWARE[@]+"${BOOT_FIRMWARE[@]}"}; do
		qemu+=("--qemu=$arg")
	done
	subtest "$name" "$OUT/$2.tap" /usr/bin/python3 "$TOPDIR/tests/vm/machine.py" --kernel "$WORK/vmlinuz" \
		--initrd "$WORK/initrd" --out "$WORK/image" --smp 2 --mem 1024 --timeout "${BOOT_TIMEOUT:-900}" \
		--log "$OUT/$2.$BOOT_KERNEL.log" --title "$suite, $2" "${qemu[@]}" \
		--append "root=/dev/vda rw net.ifnames=0 mwtest=$2 ${3:-}"
}
