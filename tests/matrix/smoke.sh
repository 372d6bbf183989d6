#!/bin/bash
# In the guest: what every kernel must do, in half a minute. The whole suite is
# in tests/net.
# shellcheck source-path=SCRIPTDIR source=../vm/guest/lib.sh
. "$(dirname "$0")/../vm/guest/lib.sh"

ok "three hosts" topology
ok "listeners on 25 and 8080" start_listener 25 8080
ok "a listener on 587 of another host" start_listener -n any 587

is "$(connect any "$GTW_ANY4" 8080)" open "8080 is open before the module comes"
ok "the module loads" mw_load adm=198.51.100.0/24
is "$(modinfo -F depends "$MW_KO")" "" "it depends on no other module"
is "$(cat $MW_SYS/mode)" enforce "it enforces"
ok "the counters are there" grep -q '^row *25 ANY GTW ' $MW_SYS/stats

for family in 4 6; do
	gateway=GTW_ANY$family other=ANY$family
	is "$(connect any "${!gateway}" 25)" open "IPv$family: 25 is open"
	is "$(connect any "${!gateway}" 8080 2)" time-out "IPv$family: 8080 is closed"
	# Both look-ups of a reply: by early demux, and in the socket table.
	for demux in 1 0; do
		sysctl -q -w net.ipv4.tcp_early_demux=$demux
		is "$(connect gtw "${!other}" 587)" open \
			"IPv$family: a reply from 587 arrives, early demux $demux"
	done
	is "$(connect gtw "${!other}" 8080)" refused "IPv$family: connecting to 8080 fails at once"
done
like "$(cat $MW_SYS/stats)" "reason in +closed +denied +[1-9]" "the denials are counted"

ok "the module unloads" mw_unload
is "$(connect any "$GTW_ANY4" 8080)" open "8080 is open again"
done_testing
