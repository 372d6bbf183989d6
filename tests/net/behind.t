#!/bin/bash
# Gateways behind this host.
exec "$(dirname "$0")/boot" behind
