#!/bin/bash
# Gateways behind this host as the pages of docs/ say, to the letter, with real mail: router, virtual machine, container, transparent bridge.
here=$(dirname "$0")
exec "$here/boot" ways --uml --timeout 1500 --payload "$here/../../docs=/docs"
