# SPDX-License-Identifier: GPL-2.0
# For people. What kbuild needs is in Kbuild.
#
#   make demo          boot a machine with mailwall in it and show what it does
#   make check         run the tests (a machine with root; no module is loaded here)
#   make               the module for the running kernel, and the command
#   make help          everything else

KDIR ?= /lib/modules/$(shell uname -r)/build
KREL = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
O := $(CURDIR)/build
PREFIX ?= /usr/local
DESTDIR ?=
# load parameters for "make load"
ARGS ?= mode=audit site=22:ADM:GTW
TIME ?= 600

RELEASE := $(shell sed -n 's/.*MAILWALL_RELEASE "\(.*\)"/\1/p' kmod/version.h)
PROVE := prove --timer --comments --failures

# Cheap tests first: what they find need not be waited for. Then what takes longest, so that at the
# end nothing runs on alone.
CHEAP := $(wildcard tests/unit/*.t tests/fuzz/*.t tools/test/*.t)
SLOW := $(wildcard tests/install/*.t tests/matrix/*.t tests/vm/*.t) tests/attack/mutate.t tests/attack/scan.t \
	tests/net/ways.t tests/bench/bench.t
REST := $(wildcard tests/net/*.t tests/attack/*.t tests/bench/*.t) tests/debug/doors.t
CHECK := $(CHEAP) $(SLOW) $(filter-out $(SLOW),$(REST))
# What takes longest at full size begins first.
LONGEST := tests/debug/doors.t tests/install/install.t tests/install/trixie tests/attack/scan.t tests/matrix/matrix.t \
	   tests/attack/behind.t tests/bench/bench.t
# Tests in machines wait half of their time: for what must not arrive, for a second to pass.
JOBS ?= $(shell echo $$((2 * $$(nproc))))
# On kernels that look for mistakes: what User Mode Linux is as good for, with one processor, and the module's own.
DEBUG := $(wildcard tests/debug/*.t) $(addprefix tests/net/,table.t sessions.t interfaces.t lifetime.t log.t) \
	 $(shell grep -lE -e '--uml|^prefer_uml' tests/net/*.t tests/attack/*.t | xargs grep -L -e '--smp')
# On one that looks for races: what has two processors at work.
RACES := tests/debug/alarms.t tests/debug/doors.t tests/attack/parallel.t tests/attack/change.t \
	 tests/net/neighbours.t tests/net/lifetime.t

.PHONY: all modules tool demo check check-long check-debug soak lint static fuzz prove bench matrix deb check-install \
	load install uninstall dkms-install dkms-uninstall clean help

all: modules tool

modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tool:
	$(MAKE) -C tools O=$(O)

demo:
	tests/demo/demo

check:
	tests/deps perl
	$(PROVE) -j$(JOBS) $(CHECK)

check-long:
	tests/deps perl
	MAILWALL_LONG=1 $(PROVE) -j$(JOBS) $(LONGEST) tests/debug/soak tests/unit/prove $(filter-out $(LONGEST),$(CHECK))

soak:
	tests/deps perl
	$(PROVE) tests/debug/soak :: $(or $(SECONDS),3600)

# Apart from check, since building those kernels takes a processor an hour, once.
check-debug:
	MAILWALL_KERNEL=uml-6.1-debug tests/debug/coverage $(DEBUG)
	MAILWALL_KERNEL=uml-new-debug tests/debug/coverage $(DEBUG)
	MAILWALL_KERNEL=races $(PROVE) $(RACES)

lint:
	tests/deps perl
	$(PROVE) tests/lint

static:
	tests/deps perl
	$(PROVE) tests/static/static

fuzz:
	tests/fuzz/fuzz $(TIME)

prove:
	tests/unit/prove

bench:
	tests/bench/bench

matrix:
	tests/matrix/matrix

deb:
	tests/install/build-deb

check-install:
	tests/deps perl
	MAILWALL_LONG=1 $(PROVE) -j2 tests/install/install.t tests/install/trixie

load: modules
	insmod ./mailwall.ko $(ARGS)
	@echo "mailwall is loaded with $(ARGS): see \"mailwall status\"; rmmod mailwall takes it out"

# For those without DKMS: the module of one kernel, by default the running one.
install: modules tool
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_DIR=updates modules_install \
		$(if $(wildcard $(KDIR)/certs/signing_key.*),,CONFIG_MODULE_SIG_ALL=)
	$(MAKE) -C tools O=$(O) install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(MAKE) -C tools/systemd install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	depmod -a $(KREL)

uninstall:
	$(MAKE) -C tools O=$(O) uninstall DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	$(MAKE) -C tools/systemd uninstall DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	rm -f /lib/modules/$(KREL)/updates/mailwall.ko*
	depmod -a $(KREL)

# For every kernel whose headers are installed; DKMS sees to those that come later.
dkms-install:
	install -d /usr/src/mailwall-$(RELEASE)
	cp -r Kbuild dkms.conf kmod include /usr/src/mailwall-$(RELEASE)
	for dir in postinst.d header_postinst.d; do \
		[ ! -e /etc/kernel/$$dir/dkms ] || install -t /etc/kernel/$$dir tools/kernel/aa-mailwall; \
	done
	[ ! -d /etc/kernel/postrm.d ] || install -t /etc/kernel/postrm.d tools/kernel/zz-mailwall
	install -D tools/kernel/module /usr/lib/mailwall/module
	sed -i 's/#MODULE_VERSION#/$(RELEASE)/' /usr/src/mailwall-$(RELEASE)/dkms.conf /usr/lib/mailwall/module
	/usr/lib/mailwall/module build

dkms-uninstall:
	dkms remove mailwall/$(RELEASE) --all
	/usr/lib/mailwall/module forget
	rm -rf /usr/src/mailwall-$(RELEASE) /etc/kernel/*.d/??-mailwall /usr/lib/mailwall/module /var/lib/mailwall
	-rmdir /usr/lib/mailwall

clean:
	rm -rf $(O)
	[ ! -d $(KDIR) ] || $(MAKE) -C $(KDIR) M=$(CURDIR) clean

help:
	@echo "demo            boot a machine with mailwall in it and show what it does"
	@echo "check           the tests, at a size for every change"
	@echo "check-long      the tests at full size"
	@echo "check-debug     the module on kernels that look for its mistakes, and which lines were reached"
	@echo "soak SECONDS=   mail, scans, changes and mishaps, all at once, for an hour"
	@echo "lint            checkpatch, sparse, shellcheck, clang-format"
	@echo "static          gcc's and clang's analyzers, cppcheck, coccinelle, pahole"
	@echo "fuzz TIME=600   fuzz parsers and validation for so many seconds"
	@echo "prove           prove the decision for all inputs, within bounds (CBMC)"
	@echo "bench           count instructions: table, CSV, plot"
	@echo "matrix          build and test on every kernel from 5.10 to the newest"
	@echo "deb             build the packages"
	@echo "check-install   DKMS, packages and boot in real roots"
	@echo "modules KDIR=   the module for one kernel"
	@echo "load ARGS=      build for the running kernel, insmod (default: $(ARGS))"
	@echo "install, uninstall, dkms-install, dkms-uninstall, clean"
