# shellcheck shell=bash
# What scripts inside the guest share: TAP, the module, three hosts, servers.
#
#   . "${0%/*}/lib.sh"         (or /mailwall/tests/vm/guest/lib.sh)
#   topology; mw_load adm=198.51.100.0/24
#   ok "a name" in_ns any true
#   done_testing

GUEST=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../lib/tap.sh
. "$GUEST/../../lib/tap.sh"
MW_SYS=/sys/class/misc/mailwall
MW_KO=${MW_KO:-/mailwall/mailwall.ko}

# The three hosts. The gateway is the guest's initial network namespace.
# shellcheck disable=SC2034  # for those who source this
{
	GTW_ANY4=192.0.2.1 ANY4=192.0.2.2
	GTW_ANY6=2001:db8:a::1 ANY6=2001:db8:a::2
	GTW_ADM4=198.51.100.1 ADM4=198.51.100.2
	GTW_ADM6=2001:db8:b::1 ADM6=2001:db8:b::2
}

# Whoever skips says so to machine.py, which has the reasons that count.
skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

skip() {
	pass "$1 # SKIP ${2:-}"
}

# wait_until SECONDS COMMAND...: poll until the command succeeds.
wait_until() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

# ---- the module ----
# mw_load [PARAMETER=VALUE]...
mw_load() {
	insmod "$MW_KO" "$@" && [ -e "$MW_SYS/mode" ]
}

mw_unload() {
	rmmod mailwall && [ ! -e "$MW_SYS" ] && ! grep -q '^mailwall ' /proc/modules
}

# ---- three hosts ----
# in_ns any|adm|gtw COMMAND...
in_ns() {
	local ns=$1

	shift
	if [ "$ns" = gtw ]; then
		"$@"
	else
		nsenter --net="/run/netns/$ns" -- "$@"
	fi
}

# Without duplicate address detection an address serves at once; routers and
# their advertisements there are none.
quiet_ipv6() {
	local scope

	for scope in all default; do
		echo 0 >/proc/sys/net/ipv6/conf/$scope/accept_dad
		echo 0 >/proc/sys/net/ipv6/conf/$scope/dad_transmits
		echo 0 >/proc/sys/net/ipv6/conf/$scope/accept_ra
		echo 0 >/proc/sys/net/ipv6/conf/$scope/router_solicitations
	done
}

# add_host NAME MAC-BYTE IPV4-PREFIX IPV6-PREFIX: a namespace joined to the gateway, whose
# side of the cable is called NAME0; the host's is eth0.
add_host() {
	ip netns add "$1" &&
		in_ns "$1" bash -c "$(declare -f quiet_ipv6); quiet_ipv6" &&
		ip -n "$1" link set lo up &&
		ip link add "${1}0" address "02:00:00:00:$2:01" type veth \
			peer name eth0 address "02:00:00:00:$2:02" netns "$1" &&
		ip addr add "$3.1/24" dev "${1}0" &&
		ip addr add "$4::1/64" dev "${1}0" nodad &&
		ip -n "$1" addr add "$3.2/24" dev eth0 &&
		ip -n "$1" addr add "$4::2/64" dev eth0 nodad &&
		ip link set "${1}0" up &&
		ip -n "$1" link set eth0 up
}

topology() {
	modprobe veth &&
		quiet_ipv6 &&
		add_host any 0a 192.0.2 2001:db8:a &&
		add_host adm 0b 198.51.100 2001:db8:b &&
		wait_until 30 in_ns any ping -c 1 -W 1 192.0.2.1 &&
		wait_until 30 in_ns any ping -c 1 -W 1 2001:db8:a::1 &&
		wait_until 30 in_ns adm ping -c 1 -W 1 198.51.100.1 &&
		wait_until 30 in_ns adm ping -c 1 -W 1 2001:db8:b::1
}

# A namespace goes only when no process is left in it.
topology_down() {
	stop_servers
	ip netns del any && ip netns del adm &&
		wait_until 30 eval '[ ! -e /sys/class/net/any0 ] && [ ! -e /sys/class/net/adm0 ]'
}

# connect NS ADDRESS PORT [SECONDS [SOURCE_PORT]]: prints open, refused, time-out, or
# another error's name.
connect() {
	in_ns "$1" python3 "$GUEST/lib.py" connect "${@:2}"
}

# ---- servers ----
server_pids=()

listening() {
	in_ns "$1" ss -Hltn "sport = :$2" | grep -q .
}

listening_or_gone() {
	listening "$1" "$2" || ! kill -0 "$3"
}

# start_server NS PORTS... -- COMMAND...: in the background, ready when this returns.
start_server() {
	local ns=$1 ports=() port

	shift
	while [ "$1" != -- ]; do
		ports+=("$1")
		shift
	done
	shift
	# A simple command each, so that $! is the server and not a shell above it.
	if [ "$ns" = gtw ]; then
		"$@" >>/tmp/server.log 2>&1 &
	else
		nsenter --net="/run/netns/$ns" -- "$@" >>/tmp/server.log 2>&1 &
	fi
	server_pids+=($!)
	for port in "${ports[@]}"; do
		# Emulated on a busy host, Python takes half a minute to start.
		wait_until 120 listening_or_gone "$ns" "$port" $!
		listening "$ns" "$port" || {
			diag "nothing listens on port $port: $(tail -n 5 /tmp/server.log)"
			return 1
		}
	done
}

# start_listener [-n NS] PORT...: greets with "port PORT", then sends back what
# it gets; both families.
start_listener() {
	local ns=gtw

	[ "$1" != -n ] || { ns=$2; shift 2; }
	start_server "$ns" "$@" -- python3 "$GUEST/lib.py" listen "$@"
}

# start_http [-n NS] PORT TEXT
start_http() {
	local ns=gtw

	[ "$1" != -n ] || { ns=$2; shift 2; }
	start_server "$ns" "$1" -- python3 "$GUEST/lib.py" http "$1" "$2"
}

done_testing() {
	stop_servers
	tap_done
}

stop_servers() {
	[ ${#server_pids[@]} -gt 0 ] || return 0
	kill "${server_pids[@]}" 2>/dev/null
	wait "${server_pids[@]}" 2>/dev/null
	server_pids=()
}
