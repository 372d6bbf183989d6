#!/usr/bin/python3
"""The pages of docs/ for gateways behind this host, followed to the letter, with real mail.

The gateway behind is the network namespace "gw", with Postfix and Dovecot in it; this host is the
initial one, as everywhere; ANY and ADM are the ones of topology().
"""
from hosts import *

DOCS = "/docs"
PORTS_IN = (25, 465, 587)
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
GW4, GW6 = "192.0.2.10", "2001:db8:a::10"


def write(name, text):
    """A file, its folder too."""
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)


def follow(page):
    """Do what a page says: its "conf FILE" blocks are written, its "sh" blocks are run."""
    with open(f"{DOCS}/{page}.md", encoding="utf-8") as file:
        blocks = BLOCK.findall(file.read())
    for kind, name, text in blocks:
        if kind == "conf":
            write(name, text)
        else:
            done = run("bash", "-ec", text)
            ok(done.returncode == 0, f"{page}.md: {text.splitlines()[0]} ...", done.stdout)
            diag(done.stdout)
    ok(blocks, f"{page}.md was followed")


# ---- real mail ----
def mail_starts():
    """Postfix and Dovecot on the gateway behind, a sink on ANY."""
    ok(sh("start_mail gw").returncode == 0, "mail servers on the gateway behind")
    ok(sh("start_sink any 25 && start_sink any 25 '[::]'; done=$?; server_pids=(); exit $done").returncode == 0,
       "a mail server on ANY")


def mail(what, target, relay):
    """Mail in by each port, fetched by each port, and relayed out to ANY; by IPv6 one of each."""
    name = f"{what} {target}"
    ipv6 = ":" in target
    for port in PORTS_IN[:1] if ipv6 else PORTS_IN:
        done = sh(f"send_mail any {target} {port} '{name} {port}' && mailbox_has '{name} {port}'")
        ok(done.returncode == 0, f"{name}: mail to port {port} is delivered", done.stdout)
    for port in (995,) if ipv6 else (110, 995):
        done = sh(f"fetch_mail any {target} {port} 1 | grep '^Subject: '")
        ok(done.returncode == 0, f"{name}: mail is fetched from port {port}", done.stdout)
    must(sh(f"postconf -e 'transport_maps = inline:{{ any.test=smtp:[{relay}]:25 }}' && "
            "in_ns gw postfix reload"))
    done = sh(f"send_mail any {target} 587 '{name} out' bob@any.test && sink_has any 25 '{name} out'")
    ok(done.returncode == 0, f"{name}: mail is relayed out to ANY", done.stdout)



# ---- the ways ----
def over():
    """The way is over, or broke off: the module goes, and all is as topology() made it."""
    mw_unload()
    run("nft", "flush", "ruleset")
    for device in ("br0", "br-gtw", "lan0", "tap100i0", "tap101i0", "veth1", "in0"):
        run("ip", "link", "del", device)
    for device in ("wan0", "nic0", "out0"):
        if os.path.exists(f"/sys/class/net/{device}"):
            rename(device, "any0")
    run("ip", "address", "flush", "dev", "any0", "scope", "global")
    address("gtw", "any0", f"{GTW_ANY4}/24", f"{GTW_ANY6}/64")


def counted(item):
    """The guard stands where the packets come by."""
    incoming, outgoing = seen(item)
    ok(incoming and outgoing, f"{item} saw segments in ({incoming}) and out ({outgoing})")
    ok(flows()[0], f"flows were noted, evicted, missed: {flows()}")
    is_(denied(of=""), {}, "nothing of this host was judged and denied")


def router():
    """(a) A router with DNAT in and masquerading out."""
    rename("any0", "wan0")
    cable("gw", "lan0")
    address("gtw", "lan0", "10.9.0.1/24", "fd00:9::1/64")
    address("gw", "eth0", "10.9.0.2/24", "fd00:9::2/64")
    route("gw", "default", "via", "10.9.0.1")
    route("gw", "default", "via", "fd00:9::1")
    # ANY that knows the way to the private address
    route("any", "10.9.0.0/24", "via", GTW_ANY4)
    route("any", "fd00:9::/64", "via", GTW_ANY6)
    follow("router")
    for gateway, any_, inside in ((GTW_ANY4, ANY4, "10.9.0.2"), (GTW_ANY6, ANY6, "fd00:9::2")):
        mail("router", gateway, any_)
        closed("router", inside, any_, TOLD, inside)
    counted("10.9.0.2")
    counted("fd00:9::2")
    is_(mw_write("gtw", "port:lan0"), 0, "the device instead of the addresses")
    for gateway, any_, inside in ((GTW_ANY4, ANY4, "10.9.0.2"), (GTW_ANY6, ANY6, "fd00:9::2")):
        closed("router, port:lan0", inside, any_, TOLD, inside)
        is_(connect("any", gateway, 25), "open", f"router, port:lan0: 25 {gateway}")


def forwarding():
    """This host is a router, as others have made it."""
    must(run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"))


def hypervisor():
    """(b) A hypervisor's bridge; its host routes between ADM and the bridge."""
    forwarding()
    rename("any0", "nic0")
    must(run("ip", "link", "add", "br0", "type", "bridge"))
    must(run("ip", "address", "flush", "dev", "nic0"))
    address("gtw", "br0", f"{GTW_ANY4}/24", f"{GTW_ANY6}/64")
    cable("gw", "tap100i0")
    address("gw", "eth0", f"{GW4}/24", f"{GW6}/64")
    for prefix, gateway in (("198.51.100.0/24", GTW_ANY4), ("2001:db8:b::/64", GTW_ANY6)):
        route("gw", prefix, "via", gateway)
    cable("other", "tap101i0")
    address("other", "eth0", "192.0.2.11/24", "2001:db8:a::11/64")
    for device in ("nic0", "tap100i0", "tap101i0"):
        must(run("ip", "link", "set", device, "master", "br0", "up"))
    must(run("ip", "link", "set", "br0", "up"))
    Listener(8080, ns="other")
    follow("hypervisor")
    for gateway, any_, other, host in ((GW4, ANY4, "192.0.2.11", GTW_ANY4),
                                       (GW6, ANY6, "2001:db8:a::11", GTW_ANY6)):
        mail("hypervisor", gateway, any_)
        closed("hypervisor", gateway, any_, SILENCE, gateway)
        is_(connect("any", other, 8080), "open", f"hypervisor: another machine is not guarded {other}")
        is_(connect("gtw", other, 8080), "open", f"hypervisor: nor from this host {other}")
        is_(connect("other", gateway, 8080, 2), "time-out", f"hypervisor: 8080 from another machine {gateway}")
        is_(connect("other", gateway, 25), "open", f"hypervisor: 25 from another machine {gateway}")
        is_(connect("gtw", gateway, 8080, 2), "time-out", f"hypervisor: 8080 from this host {gateway}")
        is_(connect("gtw", gateway, 25), "open", f"hypervisor: 25 from this host {gateway}")
        is_(connect("gw", host, 8080, 2), "time-out", f"hypervisor: the gateway's 8080 of this host {host}")
        is_(connect("any", host, 8080), "open", f"hypervisor: this host is not guarded {host}")
    counted("port:tap100i0")


def container():
    """(c) A published port of a container, by DNAT and by the host's own proxy."""
    forwarding()
    rename("any0", "wan0")
    must(run("ip", "link", "add", "br-gtw", "type", "bridge"))
    address("gtw", "br-gtw", "172.18.0.1/24", "fd00:18::1/64")
    cable("gw", "veth1")
    address("gw", "eth0", "172.18.0.2/24", "fd00:18::2/64")
    must(run("ip", "link", "set", "veth1", "master", "br-gtw", "up"))
    must(run("ip", "link", "set", "br-gtw", "up"))
    route("gw", "default", "via", "172.18.0.1")
    route("gw", "default", "via", "fd00:18::1")
    # as Docker does it
    must(run("nft", """
        table inet docker {
            chain prerouting {
                type nat hook prerouting priority dstnat
                meta nfproto ipv4 iifname != "br-gtw" fib daddr type local tcp dport { 22, 25, 110, 465, 587, 995, 8080, 8450 } dnat ip to 172.18.0.2
                meta nfproto ipv6 iifname != "br-gtw" fib daddr type local tcp dport { 22, 25, 110, 465, 587, 995, 8080, 8450 } dnat ip6 to fd00:18::2
            }
            chain postrouting {
                type nat hook postrouting priority srcnat
                iifname "br-gtw" oifname != "br-gtw" masquerade
            }
        }"""))
    follow("container")
    for gateway, any_, admin in ((GTW_ANY4, ANY4, GTW_ADM4), (GTW_ANY6, ANY6, GTW_ADM6)):
        mail("container", gateway, any_)
        closed("container", gateway, any_, TOLD, admin)
    proxy = {}
    for port, target in ((1025, 25), (18080, 8080)):
        proxy[port] = subprocess.Popen(["socat", f"TCP-LISTEN:{port},fork,reuseaddr", f"TCP:172.18.0.2:{target},connect-timeout=2"])
    wait_until(lambda: "1025" in sh("ss -ltn").stdout and "18080" in sh("ss -ltn").stdout)

    def greeted(port):
        try:
            sock = open_connection("any", GTW_ANY4, port)
            return sock.recv(3)
        except OSError as error:
            return type(error).__name__

    is_(greeted(1025), b"220", "container: the host's own proxy reaches 25")
    is_(greeted(18080), b"", "container: and not 8080")
    for process in proxy.values():
        process.kill()
    counted("port:br-gtw")


def transparent():
    """(d) A transparent bridge without addresses."""
    rename("any0", "out0")
    must(run("ip", "address", "flush", "dev", "out0"))
    cable("gw", "in0")
    # ADM on ANY's side of the bridge: there is no router
    must(run("ip", "-n", "any", "address", "add", "198.51.100.9/24", "dev", "eth0"))
    must(run("ip", "-n", "any", "address", "add", "2001:db8:b::9/64", "dev", "eth0", "nodad"))
    address("gw", "eth0", f"{GW4}/24", f"{GW6}/64", "198.51.100.10/24", "2001:db8:b::10/64")
    module = f"/lib/modules/{os.uname().release}/updates/dkms/mailwall.ko"
    os.rename(module, module + ".away")
    with open(f"{DOCS}/bridge.md", encoding="utf-8") as file:
        for kind, name, text in BLOCK.findall(file.read()):
            if kind == "conf":
                write(name, text)
    ok(run("ifup", "br0").returncode != 0 and not os.path.exists("/sys/class/net/br0"),
       "without mailwall the bridge does not come up")
    run("ifdown", "--force", "br0")
    os.rename(module + ".away", module)
    follow("bridge")
    for gateway, any_, admin in ((GW4, ANY4, "198.51.100.10"), (GW6, ANY6, "2001:db8:b::10")):
        mail("bridge", gateway, any_)
        closed("bridge", gateway, any_, SILENCE)
        is_(connect("any", admin, 8450), "open", f"bridge: ADM opens the console {admin}")
    counted("port:in0")
    ok(run("ifdown", "br0").returncode == 0, "the bridge goes down")


if __name__ == "__main__":
    topology()
    mw_install()
    must(run("ip", "netns", "add", "gw"))
    must(sh("in_ns gw bash -c \"$(declare -f quiet_ipv6); quiet_ipv6\"; ip -n gw link set lo up"))
    for gateway in (GTW_ADM4, GTW_ADM6):
        route("adm", "default", "via", gateway)
    mail_starts()
    Listener(22, 8080, 8450, ns="gw")
    Listener(8080, ns="any")
    Listener(8080)
    ways = {"router": router, "hypervisor": hypervisor, "container": container, "bridge": transparent}
    for name in sys.argv[1:] or ways:
        parts([ways[name]])
        over()
    done_testing()
