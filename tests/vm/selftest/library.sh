#!/bin/bash
# The guest's library and its servers, with no module: everything is open.
# shellcheck source-path=SCRIPTDIR source=../guest/lib.sh
. /mailwall/tests/vm/guest/lib.sh
# shellcheck source-path=SCRIPTDIR source=../guest/mail.sh
. /mailwall/tests/vm/guest/mail.sh

ok "three hosts" topology
is "$(in_ns any ip -o -6 addr show tentative | wc -l)" 0 "no tentative address"
ok "a listener" start_listener 8450 8080
for address in $GTW_ADM4 $GTW_ADM6; do
	is "$(connect adm "$address" 8450)" open "ADM reaches 8450 at $address"
	is "$(connect adm "$address" 8451)" refused "nothing listens on 8451 at $address"
done
is "$(connect any 192.0.2.77 80 1)" time-out "a silent peer is told from a refusing one" ||
	diag "$(in_ns any ip neigh)"
ok "an HTTP server" start_http 80 "a page"
is "$(in_ns any curl -sS --max-time 30 "http://[$GTW_ANY6]/")" "a page" "it answers"
ok "mail servers" start_mail
for port in 25 465 587; do
	ok "mail to port $port" send_mail any "$GTW_ANY4" $port "by $port"
	ok "delivered from $port" mailbox_has "by $port"
done
for port in 110 995; do
	list=$(fetch_mail any "$GTW_ANY6" $port | tr -d '\r')
	is "$(wc -l <<<"$list")" 3 "port $port lists three messages"
	like "$(fetch_mail any "$GTW_ANY4" $port 1)" 'Subject: by (25|465|587)' "port $port gives one"
done
MAIL_PASSWORD=wrong nok "a wrong password is refused" fetch_mail any "$GTW_ANY4" 110
ok "a server on the ANY host" start_sink any 25
ok "mail out, by submission" send_mail any "$GTW_ANY4" 587 "outward" carol@any.test
ok "the gateway relayed it" sink_has any 25 outward
stop_mail
ok "the hosts go away" topology_down
done_testing
