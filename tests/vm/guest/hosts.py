"""Hosts behind this one, for tests of gateways there: cables, addresses, routes, what the counters
of gateways say, and what a guarded one may and may not.
"""
import re

from lib import *

_macs = iter(range(0x10, 0x100))


def cable(ns, device, inner="eth0"):
    """A device of this host, joined to one of a namespace, which is made if it is not there."""
    mac = next(_macs)
    if not os.path.exists(f"/run/netns/{ns}"):
        must(sh(f"ip netns add {ns} && in_ns {ns} bash -c \"$(declare -f quiet_ipv6); quiet_ipv6\""))
        must(run("ip", "-n", ns, "link", "set", "lo", "up"))
    must(run("ip", "link", "add", device, "address", f"02:00:00:00:{mac:02x}:01", "type", "veth",
             "peer", "name", inner, "address", f"02:00:00:00:{mac:02x}:02", "netns", ns))
    must(run("ip", "-n", ns, "link", "set", inner, "up"))
    must(run("ip", "link", "set", device, "up"))


def address(ns, device, *prefixes):
    """Addresses of a device; ns "gtw" is this host."""
    for prefix in prefixes:
        must(run("ip", *(["-n", ns] if ns != "gtw" else []), "address", "add", prefix, "dev", device,
                 *(["nodad"] if ":" in prefix else [])))


def route(ns, *words):
    """A route of that host."""
    fam = "-6" if any(":" in word for word in words) else "-4"
    must(run("ip", fam, *(["-n", ns] if ns != "gtw" else []), "route", "replace", *words))


def rename(old, new):
    """A device gets another name and keeps its addresses."""
    set_sysctl(f"net.ipv6.conf.{old}.keep_addr_on_down", 1)
    for words in ((old, "down"), (old, "name", new), (new, "up")):
        must(run("ip", "link", "set", *words))


def seen(item):
    """Segments that an item of the list of gateways saw: in, out."""
    found = re.search(rf"^gtw {re.escape(item)} in +(\d+) out +(\d+)$", mw_read("stats"), re.M)
    return (int(found[1]), int(found[2])) if found else None


def flows():
    """Flows: noted, evicted, missed."""
    found = re.search(r"^flows noted +(\d+) evicted +(\d+) missed +(\d+)$", mw_read("stats"), re.M)
    return tuple(map(int, found.groups()))


def denied(of="behind "):
    """Denied segments of gateways behind, or with of="" of this host: (direction, reason) -> count."""
    return {(direction, reason): int(count) for direction, reason, count in
            re.findall(rf"^{of}reason (\w+) +(\S+) +denied +(\d+)", mw_read("stats"), re.M)
            if int(count)}


# What connect() makes of ICMP "administratively prohibited": icmp_err_convert[], and
# icmpv6_err_convert(). A bridge has no address to tell it from.
TOLD = {"IPv4": "EHOSTUNREACH", "IPv6": "EACCES"}
SILENCE = {"IPv4": "time-out", "IPv6": "time-out"}


def closed(what, outside, any_, refusal, admin=None):
    """What a guarded gateway may not. `outside`: its address as ANY sees it; `any_`: ANY's;
    `admin`: the gateway's address as ADM sees it."""
    fam = "IPv6" if ":" in outside else "IPv4"
    for port in (8080, 8450, 22):
        is_(connect("any", outside, port, 2), "time-out", f"{what} {fam}: {port} is closed to ANY")
    is_(connect("any", outside, 8080, 2, 110), "time-out", f"{what} {fam}: also from source port 110")
    is_(connect("gw", any_, 8080, 2), refusal[fam], f"{what} {fam}: outbound to 8080")
    if admin:
        is_(connect("adm", admin, 8450), "open", f"{what} {fam}: ADM opens the console")
        is_(connect("adm", admin, 8080, 2), "time-out", f"{what} {fam}: 8080 is closed to ADM")


def bulk(what, ns, target, port, size=3_000_000):
    """Many bytes there and back over one connection, in large segments."""
    sock = open_connection(ns, target, port, 30)
    sock.recv(100)
    sent = threading.Thread(target=sock.sendall, args=(bytes(size),), daemon=True)
    sent.start()
    back = 0
    while back < size:
        part_ = sock.recv(1 << 16)
        if not part_:
            break
        back += len(part_)
    sent.join(30)
    sock.close()
    return is_(back, size, f"{what}: {size} bytes there and back")
