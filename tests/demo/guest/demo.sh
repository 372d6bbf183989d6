#!/bin/bash
# In the guest: the demonstration. Who does what, what must come of it, what came of it.
# shellcheck source-path=SCRIPTDIR source=../../vm/guest/lib.sh
. "$(dirname "$0")/../../vm/guest/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../../vm/guest/mail.sh
. "$GUEST/mail.sh"

CONSOLE=$(dirname "$0")/console.py
passed=0 failed=0

title() {
	printf '\n%s\n' "$*"
}

# row WHO WHAT EXPECTED SEEN
row() {
	local mark=ok

	if [ "$3" = "$4" ]; then
		passed=$((passed + 1))
	else
		mark=DIFFERS
		failed=$((failed + 1))
	fi
	printf '  %-5s %-48s %-11s %-11s %s\n' "$1" "$2" "$3" "$4" "$mark"
}

header() {
	printf '  %-5s %-48s %-11s %-11s\n' who "does what" expected seen
	printf '  %-5s %-48s %-11s %-11s\n' --- --------- -------- ----
}

give_up() {
	echo "cannot set the demonstration up: $*"
	exit 1
}

# How a connection fares, in a word for people.
try() {
	local seen

	seen=$(connect "$@")
	[ "$seen" != time-out ] || seen=closed
	echo "$seen"
}

# How a message fares that NS hands in at ADDRESS PORT.
deliver() {
	local subject="demo $1 $2 $3"

	if send_mail "$1" "$2" "$3" "$subject" >>/tmp/swaks.log 2>&1 && mailbox_has "$subject"; then
		echo delivered
	else
		echo lost
	fi
}

# The mailbox and its first message over POP3.
fetch() {
	local mail

	mail=$(fetch_mail "$1" "$2" "$3" 1 2>>/tmp/curl.log)
	if grep -q '^Subject: demo' <<<"$mail"; then
		echo fetched
	else
		echo nothing
	fi
}

relay() {
	send_mail any "$1" 587 "demo relay" bob@any.test >>/tmp/swaks.log 2>&1 &&
		sink_has any 25 "demo relay" && echo relayed || echo lost
}

console() {
	local text host=$2

	case $host in *:*) host="[$host]" ;; esac
	text=$(in_ns "$1" curl -sS --max-time "${4:-10}" "http://$host:$3/" 2>>/tmp/curl.log)
	case $? in
	0) echo "${text:-nothing}" ;;
	28) echo closed ;;
	*) echo error ;;
	esac
}

answers() {
	grep -c answer /tmp/session.log
}

session_goes_on() {
	local before

	before=$(answers)
	wait_until 10 eval "[ \$(answers) -gt $((before + 2)) ]" && echo "goes on" || echo stands
}

session_end() {
	wait_until 20 grep -q '^ended: timed out' /tmp/session.log && echo cut || session_goes_on
}

echo "Three hosts on virtual cables: the gateway (this kernel: $(uname -r)), ANY and ADM."
topology || give_up "no network"
echo "Starting Postfix (25, 465, 587), Dovecot (110, 995), a console (8450), others (8080, 22)."
start_mail || give_up "no mail servers"
{
	start_server gtw 8450 -- python3 "$CONSOLE" serve 8450 console &&
		start_server gtw 8080 -- python3 "$CONSOLE" serve 8080 other &&
		start_listener 22
} || give_up "no servers on the gateway"
{ start_sink any 25 && start_listener -n any 443 8080; } || give_up "no servers on the ANY host"

title "Before mailwall is loaded"
header
row ANY "connects to 8080 on the gateway" open "$(try any $GTW_ANY4 8080)"
row ANY "connects to 8450, the console" open "$(try any $GTW_ANY4 8450)"
row ANY "connects to 22" open "$(try any $GTW_ANY4 22)"

title "insmod mailwall.ko adm=198.51.100.0/24,2001:db8:b::/64"
mw_load adm=198.51.100.0/24,2001:db8:b::/64 || give_up "mailwall.ko does not load"

title "Mail"
header
for port in 25 465 587; do
	row ANY "sends mail to port $port (swaks to Postfix)" delivered "$(deliver any $GTW_ANY4 $port)"
done
row ANY "the same to port 25 over IPv6" delivered "$(deliver any $GTW_ANY6 25)"
for port in 110 995; do
	row ANY "fetches mail from port $port (POP3, Dovecot)" fetched "$(fetch any $GTW_ANY4 $port)"
done
row ANY "the same from port 995 over IPv6" fetched "$(fetch any $GTW_ANY6 995)"
row GTW "relays mail out to port 25 of the ANY host" relayed "$(relay $GTW_ANY4)"

title "The Management Console, open to ADM only"
header
row ADM "opens the console on 8450" console "$(console adm $GTW_ADM4 8450)"
row ADM "the same over IPv6" console "$(console adm $GTW_ADM6 8450)"
row ANY "opens the console on 8450" closed "$(console any $GTW_ANY4 8450 2)"
row ANY "the same over IPv6" closed "$(console any $GTW_ANY6 8450 2)"

title "Everything else is closed"
header
for port in 8080 22; do
	row ANY "connects to $port" closed "$(try any $GTW_ANY4 $port 2)"
	row ADM "connects to $port" closed "$(try adm $GTW_ADM4 $port 2)"
	row ANY "the same over IPv6" closed "$(try any $GTW_ANY6 $port 2)"
	row ADM "the same over IPv6" closed "$(try adm $GTW_ADM6 $port 2)"
done
row ANY "connects to 8080 from its own port 110" closed "$(try any $GTW_ANY4 8080 2 110)"
row GTW "connects out to 443 of the ANY host" refused "$(try gtw $ANY4 443)"
row GTW "the same over IPv6" refused "$(try gtw $ANY6 443)"

title "ADM moves to the other host while a console session is open"
start_server adm -- bash -c "exec python3 $CONSOLE session $GTW_ADM4 8450 >/tmp/session.log 2>&1"
wait_until 20 grep -q answer /tmp/session.log
header
row ADM "its session on 8450" "goes on" "$(session_goes_on)"
printf '\n  # echo "192.0.2.0/24 2001:db8:a::/64" > /sys/class/misc/mailwall/adm\n\n'
echo "192.0.2.0/24 2001:db8:a::/64" >$MW_SYS/adm || give_up "adm refused"
row ADM "its session on 8450, still open before" cut "$(session_end)"
row ADM "opens the console on 8450" closed "$(console adm $GTW_ADM4 8450 2)"
row ANY "opens the console on 8450" console "$(console any $GTW_ANY4 8450)"
row ANY "the same over IPv6" console "$(console any $GTW_ANY6 8450)"

title "mailwall status"
mailwall status 2>&1 || { failed=$((failed + 1)); echo "mailwall status failed"; }

stop_mail
stop_servers

title "The gateway moves behind this host, which is its router: port forwarding in, masquerading out"
mw_unload || give_up "the module does not unload"
{
	in_ns gtw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
		add_host lan 0c 10.9.0 fd00:9 &&
		ip -n lan route add default via 10.9.0.1 &&
		ip -n lan route add default via fd00:9::1 &&
		ip -n adm route add default via $GTW_ADM4 &&
		ip -n any route add 10.9.0.0/24 via $GTW_ANY4 &&
		nft '
			table inet router {
				chain in {
					type nat hook prerouting priority dstnat
					iifname any0 meta nfproto ipv4 tcp dport { 25, 110, 465, 587, 995 } dnat ip to 10.9.0.2
					iifname any0 meta nfproto ipv6 tcp dport { 25, 110, 465, 587, 995 } dnat ip6 to fd00:9::2
				}
				chain out {
					type nat hook postrouting priority srcnat
					oifname any0 masquerade
				}
			}' &&
		start_mail lan &&
		start_server lan 8450 -- python3 "$CONSOLE" serve 8450 console &&
		start_listener -n lan 8080 &&
		start_sink any 25 && start_listener -n any 443
} || give_up "no gateway behind"
echo "insmod mailwall.ko gtw=10.9.0.2,fd00:9::2 adm=198.51.100.0/24,2001:db8:b::/64"
mw_load gtw=10.9.0.2,fd00:9::2 adm=198.51.100.0/24,2001:db8:b::/64 || give_up "mailwall.ko does not load"
header
row ANY "sends mail to port 25 (forwarded)" delivered "$(deliver any $GTW_ANY4 25)"
row ANY "the same over IPv6" delivered "$(deliver any $GTW_ANY6 25)"
row ANY "fetches mail from port 995" fetched "$(fetch any $GTW_ANY4 995)"
row GTW "relays mail out to port 25 of the ANY host" relayed "$(relay $GTW_ANY4)"
row ADM "opens the console on 8450" console "$(console adm 10.9.0.2 8450)"
row ANY "opens the console on 8450" closed "$(console any 10.9.0.2 8450 2)"
row ANY "connects to 8080" closed "$(try any 10.9.0.2 8080 2)"
row ANY "the same from its own port 110" closed "$(try any 10.9.0.2 8080 2 110)"
row GTW "connects out to 443 of the ANY host" EHOSTUNREACH "$(try lan $ANY4 443)"
printf '\n'
grep -E '^(gtw|flows)' $MW_SYS/stats

stop_mail
stop_servers
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
