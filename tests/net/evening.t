#!/bin/bash
# The first evening with mailwall, docs/first-evening.md, typed over SSH. MAILWALL_WRITE=1 writes the page.
here=$(dirname "$0")
docs=$here/../../docs
if [ -n "${MAILWALL_WRITE:-}" ]; then
	# it comes once more among what failed
	page=$(MAILWALL_WRITE='' "$0" | sed -n '/^# -- what failed/q; s/^# page: \{0,1\}//p')
	[ -z "$page" ] || echo "$page" >"$docs/first-evening.md"
	exit
fi
exec "$here/boot" evening --uml --payload "$docs=/docs"
