#!/bin/bash
# module_blacklist=mailwall on the kernel command line; then prepares keepdown.sh.
. ./common.sh

ok "the module is out" test ! -e /sys/module/mailwall
nok "modprobe cannot load it" modprobe mailwall
nok "nor can insmod" insmod "$(module_file)"
unit_failed_visibly 'module_blacklist=mailwall on the kernel command line'
is "$(systemctl is-active networking.service)" active "the network is up"
no_cycle

# The other network service, which a socket starts; without a file it configures nothing.
ok "systemd-networkd is enabled" systemctl enable systemd-networkd.service

# The next boot has no module, and the drop-in installed as it says itself.
examples=/usr/share/doc/mailwall/examples
steps=$(sed -n 's/^#   //p' $examples/keep-network-down.conf)
diag "$steps"
cd $examples || exit
ok "the drop-in's own instructions work" bash -ec "$steps"
module_file >/mailwall/kept-path
mv "$(module_file)" /mailwall/kept
depmod
done_testing
