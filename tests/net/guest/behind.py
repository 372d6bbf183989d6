#!/usr/bin/python3
"""Gateways behind this host: the router and the bridge at their smallest."""
from lib import *

GW4, GW6 = "10.9.0.2", "2001:db8:9::2"


def behind(name, device, address4, address6, host4, host6):
    """A host of its own behind a device of this one."""
    must(run("ip", "netns", "add", name))
    must(run("ip", "link", "add", device, "type", "veth", "peer", "eth0", "netns", name))
    must(run("ip", "-n", name, "link", "set", "lo", "up"))
    must(run("ip", "-n", name, "link", "set", "eth0", "up"))
    must(run("ip", "link", "set", device, "up"))
    for fam, address, bits in (("-4", address4, 24), ("-6", address6, 64)):
        if address:
            must(run("ip", fam, "-n", name, "address", "add", f"{address}/{bits}", "dev", "eth0",
                     *(["nodad"] if fam == "-6" else [])))
    for fam, address, bits in (("-4", host4, 24), ("-6", host6, 64)):
        if address:
            must(run("ip", fam, "address", "add", f"{address}/{bits}", "dev", device,
                     *(["nodad"] if fam == "-6" else [])))


def route(ns, fam, *words):
    """A route of that host."""
    must(run("ip", fam, *(["-n", ns] if ns != "gtw" else []), "route", "add", *words))


# What connect() makes of ICMP "administratively prohibited": icmp_err_convert[], and
# icmpv6_err_convert().
TOLD = {"IPv4": "EHOSTUNREACH", "IPv6": "EACCES"}
SILENCE = {"IPv4": "time-out", "IPv6": "time-out"}


def ways(what, gw4, gw6, any4, any6, outside, denied):
    """What a guarded gateway may and may not."""
    for gw, any_ in ((gw4, any4), (gw6, any6)):
        fam = "IPv6" if ":" in gw else "IPv4"
        is_(connect(outside, gw, 25), "open", f"{what} {fam}: inbound to 25")
        is_(connect(outside, gw, 8080, 2), "time-out", f"{what} {fam}: inbound to 8080")
        is_(connect(outside, gw, 8450, 2), "time-out", f"{what} {fam}: 8450 from ANY")
        is_(connect("gw", any_, 25), "open", f"{what} {fam}: outbound to 25, and its replies")
        is_(connect("gw", any_, 8080, 2), denied[fam], f"{what} {fam}: outbound to 8080")


def router():
    """Routed by this host."""
    topology()
    behind("gw", "gw0", GW4, GW6, "10.9.0.1", "2001:db8:9::1")
    for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        must(run("sysctl", "-qw", name + "=1"))
    route("gw", "-4", "default", "via", "10.9.0.1")
    route("gw", "-6", "default", "via", "2001:db8:9::1")
    route("any", "-4", "10.9.0.0/24", "via", GTW_ANY4)
    route("any", "-6", "2001:db8:9::/64", "via", GTW_ANY6)
    Listener(25, 8080, 8450, ns="gw")
    Listener(25, 8080, ns="any")
    is_(connect("any", GW4, 8080), "open", "before: everything is open")
    must(mw_load(f"gtw={GW4},{GW6}"))
    diag(mw_read("gtw"))
    ways("router", GW4, GW6, ANY4, ANY6, "any", TOLD)
    diag(mw_read("stats"))
    is_(mw_write("gtw", "port:gw0"), 0, "the device instead of the addresses")
    ways("device", GW4, GW6, ANY4, ANY6, "any", TOLD)
    diag(mw_read("stats"))
    ok(mw_unload().returncode == 0, "it unloads")


def bridge():
    """Bridged by this host."""
    must(run("ip", "link", "add", "br0", "type", "bridge"))
    must(run("ip", "link", "set", "br0", "up"))
    must(run("ip", "netns", "del", "gw"))
    behind("gw", "vg0", "10.8.0.2", "2001:db8:8::2", None, None)
    behind("out", "vo0", "10.8.0.3", "2001:db8:8::3", None, None)
    for port in ("vg0", "vo0"):
        must(run("ip", "link", "set", port, "master", "br0"))
    Listener(25, 8080, 8450, ns="gw")
    Listener(25, 8080, ns="out")
    wait_until(lambda: connect("out", "10.8.0.2", 8080, 1) == "open")
    is_(connect("out", "10.8.0.2", 8080), "open", "before: everything is open")
    must(mw_load("gtw=port:vg0"))
    ways("bridge", "10.8.0.2", "2001:db8:8::2", "10.8.0.3", "2001:db8:8::3", "out", SILENCE)
    diag(mw_read("stats"))
    ok(mw_unload().returncode == 0, "it unloads")


if __name__ == "__main__":
    router()
    bridge()
    done_testing()
