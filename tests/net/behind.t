#!/bin/bash
# Gateways behind this host: br_netfilter, two gateways, devices that come and go, VLAN tags, PPPoE, large segments.
exec "$(dirname "$0")/boot" behind --uml --timeout 1500
