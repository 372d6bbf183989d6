#!/usr/bin/python3
"""What passes by mailwall's hooks is found on real devices: each is made, found, taken away, and
then not found any more. For two of them segments show that they do pass by.
"""
import json
import platform
import struct

from hosts import *

GW4 = "10.9.0.2"
FLOWTABLE = """
table inet fast {
    flowtable ft { hook ingress priority 0; devices = { adm0, lan0 }; }
    chain forward { type filter hook forward priority 0; tcp dport 8080 flow add @ft; }
}"""
BPF_PROG_LOAD, BPF_OBJ_PIN, BPF_LINK_CREATE, BPF_XDP = 5, 6, 28, 37
SCHED_CLS, XDP = 3, 6
# r0 = 2 (XDP_PASS) or -1 (TC_ACT_UNSPEC); exit
CODE = {kind: struct.pack("<BBhi", 0xb7, 0, 0, value) + struct.pack("<BBhi", 0x95, 0, 0, 0)
        for kind, value in ((XDP, 2), (SCHED_CLS, -1))}
LIBC = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    """The system call."""
    number = {"x86_64": 321, "aarch64": 280}[platform.machine()]
    got = LIBC.syscall(number, command, ctypes.create_string_buffer(attributes, 128), 128)
    if got < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return got


def program(kind):
    """A BPF program that passes everything."""
    code, words = ctypes.create_string_buffer(CODE[kind]), ctypes.create_string_buffer(b"GPL")
    return bpf(BPF_PROG_LOAD, struct.pack("<IIQQ", kind, 2, ctypes.addressof(code),
                                          ctypes.addressof(words)))


def found():
    """What is told to pass by: item, kind; the same by all three."""
    done = run("mailwall", "status", "--json")
    told = json.loads(must(done).stdout)["passes_by"]
    notes = [line[len("mailwall: note: "):] for line in must(run("mailwall", "gtw", "show")).stdout
             .splitlines() if line.startswith("mailwall: note: ")]
    if notes != [one["text"] for one in told]:
        return ["gtw show and status differ", notes, told]
    return [(one["item"], one["kind"]) for one in told]


def only(name, want, make, *unmake):
    """One way: found where it is, gone when it is gone."""
    for words in make:
        must(run(*words.split()))
    is_(found(), want, f"{name}: found")
    for words in unmake:
        must(run(*words.split()))
    is_(found(), [], f"{name}: gone")


def devices():
    """Kinds of devices, and one that is not there."""
    must(mw_load(f"gtw=this,{GW4},port:lan0"))
    is_(found(), [], "nothing passes by a plain cable")
    only("a device that is not there", [("port:lan0", "missing")], ["ip link set lan0 down",
         "ip link set lan0 name gone0"], "ip link set gone0 name lan0", "ip link set lan0 up",
         f"ip route replace {GW4}/32 dev lan0")
    for kind in ("macvlan", "macvtap", "ipvlan"):
        only(f"a {kind} on it", [(GW4, kind), ("port:lan0", kind)],
             [f"ip link add vm0 link lan0 type {kind}"], "ip link del vm0")
        must(run("ip", "link", "add", "vm0", "link", "adm0", "type", kind))
        is_(mw_write("gtw", "+port:vm0"), 0, f"port: of a {kind}")
        is_(found(), [("port:vm0", kind)], "is told of")
        is_(mw_write("gtw", "-port:vm0"), 0, "taken out")
        must(run("ip", "link", "del", "vm0"))
    must(mw_unload())


def bridge():
    """A bridge by its own name, with one port and with two."""
    must(run("ip", "link", "add", "br0", "type", "bridge"))
    must(run("ip", "link", "add", "p0", "master", "br0", "type", "veth", "peer", "name", "q0"))
    must(mw_load("gtw=port:br0"))
    is_(found(), [], "a bridge with one port")
    only("a bridge with two", [("port:br0", "bridge")], ["ip link set q0 master br0"],
         "ip link set q0 nomaster")
    is_(mw_write("gtw", "port:p0"), 0, "a port of it")
    must(run("ip", "link", "set", "q0", "master", "br0"))
    is_(found(), [], "which is where one guards, says nothing")
    must(run("ip", "link", "del", "br0"))
    must(run("ip", "link", "del", "p0"))
    must(mw_unload())


def published():
    """The console's port in DNAT, in each way that nft and iptables have of saying so."""
    must(mw_load(f"gtw={GW4}", "mode=audit"))
    for want, match, to in ((True, "tcp dport 8450", GW4), (True, "tcp dport { 25, 8450 }", GW4),
                            (True, "tcp dport 8000-9000", GW4), (True, "tcp dport @ports", GW4),
                            (True, "tcp dport 443", f"{GW4}:8450"),
                            (True, "", f"tcp dport map {{ 25 : {GW4}, 8450 : {GW4} }}"),
                            (False, "tcp dport { 25, 110, 465, 587, 995 }", GW4),
                            (False, "tcp dport { 8000-8449, 8451-9000 }", GW4)):
        must(run("nft", f"""table ip nat {{
            set ports {{
                type inet_service
                elements = {{ 25, 8450 }}
            }}
            chain pre {{
                type nat hook prerouting priority dstnat
                {match} dnat to {to}
            }}
        }}"""))
        is_("table ip nat, chain pre, has 8450 in DNAT" in run("mailwall", "gtw", "show").stdout, want,
            f"{match} dnat to {to}: {'found' if want else 'not the console'}")
        must(run("nft", "delete", "table", "ip", "nat"))
    for match in (("--dport", "8450"), ("-m", "multiport", "--dports", "25,110,465,587,995,8450")):
        rule = ("PREROUTING", "-p", "tcp", *match, "-j", "DNAT", "--to-destination", GW4)
        if run("iptables", "-t", "nat", "-A", *rule).returncode:
            skip(f"iptables {match}", "this kernel has no xt_DNAT")
        else:
            like(run("mailwall", "gtw", "show").stdout, "table ip nat, chain PREROUTING, has 8450 in DNAT",
                 f"iptables {match}: found")
            must(run("iptables", "-t", "nat", "-D", *rule))
            is_("DNAT" in run("mailwall", "gtw", "show").stdout, False, "gone")
    must(mw_unload())


def flowtable():
    """A connection in a flowtable is handed on without FORWARD."""
    must(mw_load(f"gtw={GW4},port:adm0,port:any0", "mode=audit"))
    must(run("nft", FLOWTABLE))
    is_(found(), [(GW4, "flowtable"), ("port:adm0", "flowtable")], "a flowtable: found")
    before = seen(GW4)
    bulk("through the flowtable", "adm", GW4, 8080, 1_000_000)
    now = seen(GW4)
    ok(sum(now) - sum(before) < 20, "its segments do pass by: few are seen", (before, now))
    must(run("nft", "delete", "table", "inet", "fast"))
    is_(found(), [], "a flowtable: gone")
    before = seen(GW4)
    bulk("without it", "adm", GW4, 8080, 1_000_000)
    ok(sum(seen(GW4)) - sum(before) > 40, "they are seen again", (before, seen(GW4)))
    must(mw_unload())


def redirect():
    """What tc takes from one device to another comes by no hook."""
    must(mw_load(f"gtw={GW4}"))
    is_(connect("adm", GW4, 8080, 2), "time-out", "8080 is closed")
    adm, gw = (re.search(r"link/ether (\S+)", must(run("ip", "-n", ns, "link", "show", device)).stdout)[1]
               for ns, device in (("adm", "eth0"), ("gw", "eth1")))
    must(run("ip", "-n", "adm", "neigh", "replace", GTW_ADM4, "lladdr", gw, "dev", "eth0"))
    must(run("ip", "-n", "gw", "neigh", "replace", "10.9.0.1", "lladdr", adm, "dev", "eth1"))
    for one, other in (("adm0", "lan0"), ("lan0", "adm0")):
        must(run("tc", "qdisc", "add", "dev", one, "clsact"))
        must(run("tc", "filter", "add", "dev", one, "ingress", "protocol", "ip", "prio", "1", "flower",
                 "ip_proto", "tcp", "action", "mirred", "egress", "redirect", "dev", other))
    is_(found(), [(GW4, "tc")] * 2, "redirects: found, both ways")
    is_(connect("adm", GW4, 8080, 2), "open", "they do pass by: 8080 is open")
    must(run("tc", "qdisc", "del", "dev", "adm0", "clsact"))
    is_(found(), [(GW4, "tc")], "one of them")
    must(run("tc", "filter", "del", "dev", "lan0", "ingress"))
    is_(found(), [], "none of them")
    is_(connect("adm", GW4, 8080, 2), "time-out", "8080 is closed again")
    must(run("ip", "link", "add", "shape0", "type", "ifb"))
    must(run(*"tc filter add dev lan0 ingress protocol ip u32 match ip dport 80 0xffff "
             "action mirred egress redirect dev shape0".split()))
    is_(found(), [], "a redirect for shaping gives back what it takes")
    must(run("ip", "link", "del", "shape0"))
    must(run("tc", "qdisc", "del", "dev", "lan0", "clsact"))
    must(mw_unload())


def programs():
    """BPF programs at XDP and tc."""
    must(mw_load("gtw=port:lan0"))
    link = bpf(BPF_LINK_CREATE, struct.pack("<IIII", program(XDP), socket.if_nametoindex("adm0"),
                                            BPF_XDP, 0))
    is_(found(), [("port:lan0", "xdp")], "an XDP program, on another device: found")
    os.close(link)
    is_(wait_until(lambda: not found()), True, "an XDP program: gone")
    must(run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf"))
    path = ctypes.create_string_buffer(b"/sys/fs/bpf/pass")
    bpf(BPF_OBJ_PIN, struct.pack("<QI", ctypes.addressof(path), program(SCHED_CLS)))
    only("a program of tc", [("port:lan0", "tc")], ["tc qdisc add dev lan0 clsact",
         "tc filter add dev lan0 egress bpf da object-pinned /sys/fs/bpf/pass"],
         "tc qdisc del dev lan0 clsact")
    must(mw_unload())


def world():
    """A routed gateway."""
    must(run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"))
    cable("gw", "lan0", "eth1")
    address("gtw", "lan0", "10.9.0.1/24")
    address("gw", "eth1", f"{GW4}/24")
    route("gw", "default", "via", "10.9.0.1")
    route("adm", "default", "via", GTW_ADM4)
    Listener(8080, ns="gw")
    is_(connect("adm", GW4, 8080), "open", "before: 8080 is open")


if __name__ == "__main__":
    topology()
    world()
    chosen = {part_.__name__: part_ for part_ in (devices, bridge, published, flowtable, redirect, programs)}
    parts([chosen[name] for name in sys.argv[1:] or chosen], mend=mw_unload)
    done_testing()
