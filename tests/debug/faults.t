#!/bin/bash
# Each allocation fails in turn, while the module is loaded, a namespace made, a policy changed or asked for; and a revert that is due when none succeeds. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
# No kernel of Debian's lets allocations fail.
exec tests/vm/run --build --kernel "${MAILWALL_KERNEL:-uml}" --timeout 1800 --name faults \
	tests/debug/guest/faults.py
