#!/bin/bash
# Postfix and Dovecot on the gateway, swaks and curl on the ANY host, both families.
# shellcheck source-path=SCRIPTDIR source=../../vm/guest/lib.sh
. "$(dirname "$0")/../../vm/guest/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../../vm/guest/mail.sh
. "$GUEST/mail.sh"

# counter ROW FIELD: openings, segments or bytes of a row
counter() {
	awk -v row="$1" -v field="$2" '
		$1 == "row" && $2 " " $3 " " $4 == row {
			for (i = 5; i < NF; i += 2)
				if ($i == field)
					print $(i + 1)
		}' $MW_SYS/stats
}

denied() {
	awk '$1 == "reason" { sum += $5 + $7 } END { print sum + 0 }' $MW_SYS/stats
}

# counts ROW COMMAND...: the command succeeds, and the row opens a connection for it.
counts() {
	local row=$1 before

	shift
	before=$(counter "$row" openings)
	"$@" && [ "$(counter "$row" openings)" -gt "$before" ]
}

send_and_find() {
	send_mail "$@" && mailbox_has "$4"
}

fetch_and_find() {
	fetch_mail "$1" "$2" "$3" 1 | grep '^Subject: '
}

relay() {
	send_mail any "$GTW_ANY4" 587 "$1" bob@any.test && sink_has any 25 "$1"
}

ok "three hosts" topology
ok "mail servers on the gateway" start_mail
ok "a mail server on the ANY host" start_sink any 25
ok "the module loads" mw_load adm=198.51.100.0/24,2001:db8:b::/64

for family in 4 6; do
	gateway=GTW_ANY$family
	for port in 25 465 587; do
		ok "IPv$family: mail to port $port" counts "$port ANY GTW" \
			send_and_find any "${!gateway}" $port "IPv$family to $port"
	done
	for port in 110 995; do
		ok "IPv$family: mail from port $port" counts "$port ANY GTW" \
			fetch_and_find any "${!gateway}" $port
	done
	gateway=GTW_ADM$family
	ok "IPv$family: an administrator's mail" counts "25 ANY GTW" \
		send_and_find adm "${!gateway}" 25 "IPv$family from ADM"
done
ok "the gateway relays out to the ANY host over IPv4" counts "25 GTW ANY" relay "relay 4"
is "$(denied)" 0 "nothing of all that was denied"

# The same server, known by its IPv6 address only.
kill "${server_pids[@]}"
wait "${server_pids[@]}" 2>/dev/null
server_pids=()
ok "a mail server on the ANY host, IPv6" start_sink any 25 "[::]"
postconf -e "transport_maps = inline:{ any.test=smtp:[$ANY6]:25 }" && postfix reload >/tmp/reload.log 2>&1
ok "the gateway relays out to it over IPv6" counts "25 GTW ANY" relay "relay 6"

# A server on a port without a row is out of reach, and Postfix is told so at once.
ok "a mail server on 2525 of the ANY host" start_sink any 2525
postconf -e "transport_maps = inline:{ any.test=smtp:[$ANY4]:2525 }" && postfix reload >/tmp/reload.log 2>&1
ok "mail for it is taken" send_mail any "$GTW_ANY4" 587 "relay 2525" bob@any.test
ok "Postfix is refused at once" wait_until 30 grep -q "\[$ANY4\]:2525: Connection refused" /var/log/mail.log
nok "and the mail does not arrive" grep -rqs "relay 2525" /tmp/sink-any-2525
ok "a site row opens 2525" eval "echo '2525 GTW ANY' >$MW_SYS/site && postqueue -f"
ok "and the mail arrives" sink_has any 2525 "relay 2525"

stop_mail
ok "the module unloads" mw_unload
done_testing
