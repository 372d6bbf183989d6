#!/usr/bin/python3
"""Gateways behind this host where it gets difficult: br_netfilter, two of them, devices that come
and go, what lies around IP in a bridge, segments that are larger than packets.

What a gateway gets and sends is counted in its own namespace and compared with what mailwall
counted: each segment once.
"""
import json

from hosts import *
from wire import SYN, make_vrf, segment

GW4, GW6 = "192.0.2.10", "2001:db8:a::10"
TWO4, TWO6 = "192.0.2.11", "2001:db8:a::11"
LAN4, LAN6 = "10.9.0.2", "fd00:9::2"
COUNT = """
table inet count {
    counter got { }
    counter sent { }
    counter large { }
    chain in { type filter hook input priority -300; meta l4proto tcp counter name got; }
    chain out {
        type filter hook output priority 300
        meta l4proto tcp counter name sent
        meta l4proto tcp meta length > 65575 counter name large
    }
}"""


def world():
    """A bridge with ANY, this host, and two gateways on it, the first of which has a second cable,
    routed by this host."""
    must(run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"))
    must(run("ip", "link", "add", "br0", "type", "bridge"))
    must(run("ip", "address", "flush", "dev", "any0"))
    must(run("ip", "link", "set", "any0", "master", "br0"))
    address("gtw", "br0", f"{GTW_ANY4}/24", f"{GTW_ANY6}/64")
    must(run("ip", "link", "set", "br0", "up"))
    plug()
    cable("two", "tap2")
    address("two", "eth0", f"{TWO4}/24", f"{TWO6}/64")
    must(run("ip", "link", "set", "tap2", "master", "br0"))
    cable("gw", "lan0", "eth1")
    address("gtw", "lan0", "10.9.0.1/24", "fd00:9::1/64")
    address("gw", "eth1", f"{LAN4}/24", f"{LAN6}/64")
    for ns, gateway4, gateway6 in (("gw", "10.9.0.1", "fd00:9::1"), ("adm", GTW_ADM4, GTW_ADM6)):
        route(ns, "default", "via", gateway4)
        route(ns, "default", "via", gateway6)
    Listener(25, 8080, 8450, ns="gw")
    Listener(25, 8080, ns="two")
    for ns in ("any", "adm"):
        Listener(25, 8080, ns=ns)
    Listener(25, 8080)
    must(run("ip", "netns", "exec", "gw", "nft", COUNT))
    for there in (GW4, TWO4, GW6, TWO6):
        ok(wait_until(lambda host=there: connect("any", host, 8080, 1) == "open"),
           f"before: 8080 of {there} is open to ANY")
    is_(connect("adm", LAN4, 8080), "open", "before: 8080 of the routed gateway is open to ADM")


def plug():
    """The first gateway's port of the bridge."""
    cable("gw", "tap1")
    # the same each time, or others send to the one before for a while, which is flooded
    must(run("ip", "-n", "gw", "link", "set", "eth0", "address", "02:00:00:00:77:02"))
    address("gw", "eth0", f"{GW4}/24", f"{GW6}/64")
    must(run("ip", "link", "set", "tap1", "master", "br0"))


def tally(name):
    """A counter of the gateway behind."""
    listed = json.loads(must(run("ip", "netns", "exec", "gw", "nft", "-j", "list", "counter", "inet",
                                 "count", name)).stdout)
    return next(item["counter"]["packets"] for item in listed["nftables"] if "counter" in item)


def allowed():
    """Segments that rows allowed to gateways behind, and bytes."""
    rows = re.findall(r"^behind row .* segments +(\d+) bytes +(\d+)$", mw_read("stats"), re.M)
    return sum(int(row[0]) for row in rows), sum(int(row[1]) for row in rows)


def settle():
    """Wait until no connection has anything to send any more, be it a FIN once more."""
    ok(wait_until(lambda: not any(
        must(run("ip", "netns", "exec", ns, "ss", "-tnH", "state", "connected", "exclude", "time-wait")).stdout
        for ns in ("gw", "two", "any", "adm"))), "no connection is under way")


def guard(gateways):
    """Load the module. What connections of before send would be denied, since no flow is noted."""
    settle()
    must(mw_load(f"gtw={gateways}"))


def ledger(name, item, work):
    """Whatever work() does: mailwall counts each segment that the gateway sends and gets once."""
    def read():
        refused = sum(count for (way, _), count in denied().items() if way == "in")
        seen_in, seen_out = seen(item)
        return seen_in - refused, seen_out, tally("got"), tally("sent")

    settle()
    before = read()
    work()
    grown = []

    def agree():
        # what is still under way has been counted by one of them only
        grown[:] = [now - was for now, was in zip(read(), before)]
        return grown[:2] == grown[2:]

    wait_until(agree)
    is_(grown[:2], grown[2:], f"{name}: {grown[2]} segments got and {grown[3]} sent by the gateway "
        "are counted once")


def both(name, there, here, refusal=None, ns="gw", from_="any"):
    """The mail port is open in both directions, another one is not."""
    fam = "IPv6" if ":" in there else "IPv4"
    is_(connect(from_, there, 25), "open", f"{name} {fam}: in to 25")
    is_(connect(from_, there, 8080, 2), "time-out", f"{name} {fam}: in to 8080")
    is_(connect(ns, here, 25), "open", f"{name} {fam}: out to 25")
    is_(connect(ns, here, 8080, 2), (refusal or SILENCE)[fam], f"{name} {fam}: out to 8080")


def guarded(name, there, want="time-out", ns="any"):
    """Is 8080 of the gateway closed? That it is open may take a while to show: ARP, routes."""
    if want == "open":
        ok(wait_until(lambda: connect(ns, there, 8080, 2) == "open"), name)
    else:
        is_(connect(ns, there, 8080, 2), want, name)


def br_netfilter():
    """(e) What goes through the bridge comes by FORWARD too, or not."""
    guard("port:tap1")
    for state in ("off", "on"):
        if state == "on":
            must(run("modprobe", "br_netfilter"))
            must(run("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1",
                     "net.bridge.bridge-nf-call-ip6tables=1"))

        def work(state=state):
            for there, here in ((GW4, ANY4), (GW6, ANY6)):
                both(f"br_netfilter {state}", there, here)

        ledger(f"br_netfilter {state}", "port:tap1", work)
    is_(mw_write("gtw", f"{GW4} {GW6}"), 0, "by address")
    for there, here in ((GW4, ANY4), (GW6, ANY6)):
        both("br_netfilter on, by address", there, here)
    is_(mw_write("gtw", f"port:tap1 {GW4} {GW6}"), 0, "by both")
    before = seen(GW4)
    both("br_netfilter on, by both", GW4, ANY4)
    is_(seen(GW4), before, "what its port was judged for is not judged for its address")
    must(run("sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0",
             "net.bridge.bridge-nf-call-ip6tables=0"))
    is_(mw_write("gtw", f"{GW4} {GW6}"), 0, "by address")
    guarded("br_netfilter off: an address is looked for in FORWARD, which bridged segments do not "
            "come by", GW4, "open")
    must(mw_unload())


def vrf():
    """A routed gateway and ADM in a VRF, which FORWARD has for the device that segments come in by."""
    if not make_vrf("lan0", "adm0"):
        return
    guard(f"{LAN4},{LAN6}")
    for there, here in ((LAN4, ADM4), (LAN6, ADM6)):
        ok(wait_until(lambda host=there: connect("adm", host, 25, 1) == "open"), f"VRF: {there} is reached")
        before = flows()[0], seen(there)
        both("VRF", there, here, TOLD, from_="adm")
        ok(flows()[0] > before[0] and all(now > was for now, was in zip(seen(there), before[1])),
           f"VRF: both ways to {there} are judged, its flows noted", f"{before} {flows()} {seen(there)}")
    is_(mw_write("gtw", "port:lan0"), 0, "by the device")
    notes = [one["kind"] for one in json.loads(must(run("mailwall", "status", "--json")).stdout)["passes_by"]]
    is_(notes, ["vrf"], "which passes by, as status says,")
    is_((connect("adm", LAN4, 8080, 2), connect("gw", ADM4, 8080, 2)), ("time-out", "time-out"),
        "guards what comes to it, replies too")
    is_(seen("port:lan0")[1], 0, "and sees nothing that it sends")
    must(mw_unload())
    for device in ("lan0", "adm0"):
        must(run("ip", "link", "set", device, "nomaster"))
    must(run("ip", "link", "del", "red"))


def beside(there, host):
    """This host and a gateway, both guarded: what either may open at the other one."""
    is_(connect("gtw", there, 25), "open", f"this host to 25 of {there}")
    is_(connect("gtw", there, 8080, 2), "refused", f"this host to 8080 of {there}")
    is_(connect("gw", host, 25), "open", f"the gateway to 25 of this host {host}")
    is_(connect("gw", host, 8080, 2), "time-out", f"the gateway to 8080 of this host {host}")


def two():
    """(f) Two gateways that send mail to each other; this host and a gateway together."""
    guard("port:tap1,port:tap2")
    for there, here in ((GW4, TWO4), (GW6, TWO6)):
        both("two gateways", there, here, from_="two")
    one, other = seen("port:tap1"), seen("port:tap2")
    ok(one[0] and one[1] and other[0] and other[1], f"both are judged: {one}, {other}")
    ok(one[1] > other[0] and other[1] > one[0],
       "what one of them may not send is not judged for the other one", f"{one}, {other}")
    is_(mw_write("gtw", "this port:tap1"), 0, "this host and a gateway")
    for there, host in ((GW4, GTW_ANY4), (GW6, GTW_ANY6)):
        beside(there, host)
        is_(connect("any", host, 25), "open", f"ANY to 25 of this host {host}")
        is_(connect("any", host, 8080, 2), "time-out", f"ANY to 8080 of this host {host}")
    is_(mw_write("gtw", f"this {LAN4} {LAN6}"), 0, "this host and a routed gateway")
    for there, host in ((LAN4, "10.9.0.1"), (LAN6, "fd00:9::1")):
        beside(there, host)
    ok(all(seen("this")), f"this host was judged: {seen('this')}")
    # a link-local address is on every link: the gateway is known by its own
    link = {}
    for ns, device, own in (("gtw", "lan0", "fe80::9:1"), ("gw", "eth1", "fe80::9:2")):
        address(ns, device, f"{own}/64")
        with netns(ns):
            link[ns] = socket.if_nametoindex(device)
    there, host = f"fe80::9:2%{link['gtw']}", f"fe80::9:1%{link['gw']}"
    is_(mw_write("gtw", "this fe80::9:2"), 0, "this host and a gateway with a link-local address")
    noted = flows()[0]
    beside(there, host)
    ok(flows()[0] > noted and all(seen("fe80::9:2")), "its flow is noted")
    must(mw_unload())


def devices():
    """(g) A device that is renamed, goes and comes again."""
    guard("port:tap1,port:later0,port:lan0")
    guarded("the device is there", GW4)
    for old, new, want in (("tap1", "tap9", "open"), ("tap9", "tap1", "time-out")):
        rename(old, new)
        wait_until(lambda: connect("any", GW4, 25, 1) == "open")
        guarded(f"{old} is renamed to {new}", GW4, want)
    must(run("ip", "link", "del", "tap1"))
    plug()
    wait_until(lambda: connect("any", GW4, 25, 1) == "open")
    guarded("the device is deleted and made again", GW4)
    rename("tap2", "later0")
    wait_until(lambda: connect("any", TWO4, 25, 1) == "open")
    guarded("a device that comes later", TWO4)
    rename("later0", "tap2")
    wait_until(lambda: connect("any", TWO4, 25, 1) == "open")
    guarded("and goes", TWO4, "open")
    for there in (LAN4, LAN6):
        guarded(f"a routed device: {there}", there, ns="adm")
    rename("lan0", "lan9")
    guarded("a routed device is renamed", LAN4, "open", ns="adm")
    rename("lan9", "lan0")
    guarded("and renamed back", LAN4, ns="adm")
    # 64 and 128 have the same low bits as 0, which means no device.
    for index in (64, 128, 1088):
        must(run("ip", "link", "add", f"d{index}", "index", str(index), "type", "dummy"))
    is_(mw_write("gtw", "port:nothere0"), 0, "a device that is not there")
    guarded("is nobody's", GW4, "open")
    is_(mw_write("gtw", "port:d64 port:d128 port:d1088 port:tap1"), 0, "devices alike in low bits")
    guarded("they do not hide each other", GW4)
    must(mw_unload())


def tagged(ns, device, last, *tags):
    """VLANs on a device of a namespace: (protocol, number) from the outside in."""
    for protocol, number in tags:
        name = f"{device}.{number}"
        must(run("ip", "-n", ns, "link", "add", "link", device, "name", name, "type", "vlan",
                 "protocol", protocol, "id", str(number)))
        must(run("ip", "-n", ns, "link", "set", name, "up"))
        device = name
    number = tags[-1][1]
    address(ns, device, f"10.{number}.0.{last}/24", f"fd00:{number}::{last}/64")


def tags():
    """VLAN tags in the frame and beside it."""
    guard("port:tap1")
    ways = {10: [("802.1Q", 10)], 20: [("802.1ad", 19), ("802.1Q", 20)],
            21: [("802.1Q", 18), ("802.1Q", 21)],
            30: [("802.1ad", 28), ("802.1Q", 29), ("802.1Q", 30)]}
    for number, vlans in ways.items():
        tagged("any", "eth0", 2, *vlans)
        tagged("gw", "eth0", 1, *vlans)
    for offload in ("on", "off"):
        for ns in ("any", "gw"):
            must(run("ip", "netns", "exec", ns, "ethtool", "-K", "eth0", "txvlan", offload,
                     "tx-vlan-stag-hw-insert", offload))
        for number in (10, 20, 21):
            for there, here in ((f"10.{number}.0.1", f"10.{number}.0.2"),
                                (f"fd00:{number}::1", f"fd00:{number}::2")):
                both(f"VLAN {number}, tag offload {offload}", there, here)
        was = denied().get(("in", "malformed"), 0)
        for there in ("10.30.0.1", "fd00:30::1"):
            is_(connect("any", there, 25, 2), "time-out", f"three tags, offload {offload}: {there}")
        ok(denied().get(("in", "malformed"), 0) > was, "three tags are malformed")
    for ns in ("any", "gw"):
        # neighbours are asked for again later, which is as malformed
        must(run("ip", "-n", ns, "link", "delete", "eth0.28"))
    must(mw_unload())


def pppoe(number, protocol, packet, code=0):
    """A PPPoE session frame's payload."""
    return bytes([0x11, code]) + number.to_bytes(2, "big") + \
        (len(protocol) + len(packet)).to_bytes(2, "big") + protocol + packet


def ppp():
    """PPPoE sessions: frames made by hand, seen at the gateway."""
    guard("port:tap1")
    macs = {}
    for ns in ("any", "gw"):
        shown = json.loads(must(run("ip", "-n", ns, "-j", "link", "show", "eth0")).stdout)
        macs[ns] = bytes.fromhex(shown[0]["address"].replace(":", ""))
    with netns("any"):
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        out.bind(("eth0", 0))
    with netns("gw"):
        gateway = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x8864))
        gateway.bind(("eth0", 0x8864))
    gateway.settimeout(3)
    head = macs["gw"] + macs["any"]
    cases = []
    for fam, any_, gw, long, short in (("IPv4", ANY4, GW4, b"\0\x21", b"\x21"),
                                       ("IPv6", ANY6, GW6, b"\0\x57", b"\x57")):
        for form, protocol in (("long", long), ("short", short)):
            for port in (25, 8080):
                cases.append((f"{fam}, protocol in the {form} form, port {port}", port == 25,
                              pppoe(7, protocol, segment(any_, gw, 40000, port, SYN, 1000 + len(cases)))))
    cases.append(("another protocol", True, pppoe(7, b"\xc0\x21", bytes(40))))
    for tag in (b"", b"\x81\0\0\x05"):
        for name, passes, payload in cases:
            out.send(head + tag + b"\x88\x64" + payload)
            # the last one passes: nothing before it is still under way
            out.send(head + tag + b"\x88\x64" + pppoe(9, b"\xc0\x23", bytes(40)))
            got = []
            while not got or got[-1][2:4] != b"\0\x09":
                frame = gateway.recv(2000)
                got.append(frame[frame.index(b"\x88\x64") + 2:])
            is_(payload in [frame[:len(payload)] for frame in got], passes,
                f"PPPoE{' in a VLAN' if tag else ''}: {name} {'passes' if passes else 'does not'}")
    must(mw_unload())


def large():
    """(h) Segments larger than a packet, and with BIG TCP larger than 65,535 bytes."""
    guard(f"{LAN4},{LAN6},port:tap1")
    for name, ns, item, targets in (("routed", "adm", None, ((LAN4, ADM4), (LAN6, ADM6))),
                                    ("bridged", "any", "port:tap1", ((GW4, ANY4), (GW6, ANY6)))):
        for there, here in targets:
            was = allowed()

            def work(ns=ns, there=there, here=here, name=name):
                bulk(f"{name}, in: {there}", ns, there, 25)
                bulk(f"{name}, out: {here}", "gw", here, 25)

            ledger(f"{name}, large segments: {there}", item or there, work)
            segments, size = (now - before for now, before in zip(allowed(), was))
            ok(size > 12_000_000 and size / segments > 3000,
               f"{name} {there}: {size // segments} bytes a segment, of {segments}")
    for device, ns in (("lan0", "gtw"), ("eth1", "gw"), ("adm0", "gtw"), ("eth0", "adm")):
        done = run("ip", *(["-n", ns] if ns != "gtw" else []), "link", "set", "dev", device,
                   "gso_max_size", "185000", "gro_max_size", "185000")
        if done.returncode:
            return skip("BIG TCP", "this kernel has no BIG TCP")
    settle()
    before, was = tally("large"), denied()
    bulk("BIG TCP, out", "gw", ADM6, 25, 20_000_000)
    big = tally("large") - before
    ok(big, f"BIG TCP: {big} segments of more than 65,535 bytes")
    is_(denied(), was, "BIG TCP: none was denied")
    return must(mw_unload())


if __name__ == "__main__":
    topology()
    world()
    chosen = {part_.__name__: part_ for part_ in (br_netfilter, vrf, two, devices, tags, ppp, large)}
    parts([chosen[name] for name in sys.argv[1:] or chosen])
    done_testing()
