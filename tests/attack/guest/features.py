"""What the kernel does to segments on their way: mailwall judges them all the same."""
import hashlib

from connections import *


def kinds(want8080="time-out"):
    """How connections fare: (what, got, want), every direction and family."""
    for fam, any_, gtw_any, gtw_adm in ((4, ANY4, GTW_ANY4, GTW_ADM4), (6, ANY6, GTW_ANY6, GTW_ADM6)):
        yield f"ANY to 25, IPv{fam}", connect("any", gtw_any, 25), "open"
        yield f"ANY to 8080, IPv{fam}", connect("any", gtw_any, 8080, timeout=1), want8080
        yield f"ANY to 8450, IPv{fam}", connect("any", gtw_any, CONSOLE, timeout=1), "time-out"
        yield f"ADM to 8450, IPv{fam}", connect("adm", gtw_adm, CONSOLE), "open"
        yield f"out to 25, IPv{fam}", connect("gtw", any_, 25), "open"
        yield f"out to 8080, IPv{fam}", connect("gtw", any_, 8080), "refused"


def fare(name, results):
    """One point for all of them."""
    wrong = [f"{what}: {got}, not {want}" for what, got, want in results if got != want]
    ok(not wrong, name, "\n".join(wrong))


def early_demux(f):
    """Without early demux no segment brings its socket along."""
    with contextlib.ExitStack() as stack:
        for name in ("ip_early_demux", "tcp_early_demux"):
            stack.enter_context(sysctl(f"net.ipv4.{name}", 0))
        away = Listener(25, 8080, ns="any")
        fare("early demux off: connections", kinds())
        away.stop()
        for fam in BOTH:
            peer = Peer(f, "any", fam, 25, 44000)
            good = peer.called() and peer.answer()
            f.attack(f"early demux off: replies, IPv{fam}", strangers(peer) + members(peer, True))
            ok(good, "to a connection that came about")
            peer.sock.close()


def transfer(ns, address, port, size):
    """Bytes up and back again through an echo: are they the same?"""
    sock = open_connection(ns, address, port, 15)
    data, got = os.urandom(size), bytearray()

    def push():
        sock.sendall(data)

    thread = threading.Thread(target=push)
    thread.start()
    while len(got) < size:
        try:
            part = sock.recv(1 << 18)
        except (TimeoutError, socket.timeout):
            diag(f"{len(got)} of {size} bytes came back")
            break
        if not part:
            break
        got += part
    thread.join()
    sock.close()
    return hashlib.sha256(data).digest() == hashlib.sha256(bytes(got)).digest()


def offloads(_f):
    """Segments of up to 64 KiB, made by GSO and by GRO."""
    for ns, dev in (("any", "eth0"), ("gtw", "any0")):
        for feature in ("gro", "tso", "gso"):
            must(run("nsenter", f"--net=/run/netns/{ns}", "ethtool", "-K", dev, feature, "on")
                 if ns != "gtw" else run("ethtool", "-K", dev, feature, "on"))
    away = Listener(25, ns="any", greet=False)
    for fam, gtw, far in ((4, GTW_ANY4, ANY4), (6, GTW_ANY6, ANY6)):
        before = stats()
        good = transfer("any", gtw, 25, 4 << 20)
        after = stats()
        count = after[25, "ANY", "GTW"] - before[25, "ANY", "GTW"]
        ok(good and 0 < count < 4000,
           f"4 MiB in and out in {count} segments, larger than any wire's, IPv{fam}")
        ok(transfer("gtw", far, 25, 4 << 20), f"the same to a server out there, IPv{fam}")
        is_(connect("any", gtw, 8080, timeout=1), "time-out", f"8080 stays closed, IPv{fam}")
    with Tso(False):
        ok(transfer("any", GTW_ANY4, 25, 1 << 20), "1 MiB of whole frames that GRO puts together")
    away.stop()


class Tso:
    """The ANY host's segmentation, off for a while."""

    def __init__(self, value):
        self.value = value

    def switch(self, value):
        """Off or on."""
        for feature in ("tso", "gso"):
            must(run("nsenter", "--net=/run/netns/any", "ethtool", "-K", "eth0", feature,
                     "on" if value else "off"))

    def __enter__(self):
        self.switch(self.value)

    def __exit__(self, *_):
        self.switch(not self.value)


def small_mtu(f):
    """Large segments that the path had to fragment arrive."""
    must(sh("""ip netns add far && ip link add f0 netns any type veth peer name eth0 netns far &&
        ip -n any addr add 198.18.4.1/24 dev f0 && ip -n far addr add 198.18.4.2/24 dev eth0 &&
        ip -n any link set f0 up && ip -n far link set eth0 up &&
        ip -n far route add default via 198.18.4.1 &&
        ip -n any route add 192.0.2.1/32 dev eth0 mtu lock 600 &&
        in_ns any sysctl -qw net.ipv4.ip_forward=1 && in_ns far sysctl -qw net.ipv4.ip_no_pmtu_disc=1
        """))

    def reassembled():
        """Packets that the gateway put together."""
        return int(run("nstat", "-asz", "IpReasmOKs").stdout.split()[-2])

    start = reassembled()
    ok(transfer("far", GTW_ANY4, 25, 1 << 16), "64 KiB over a path of 600 bytes")
    count = reassembled() - start
    ok(count > 10, f"in {count} fragmented packets")
    is_(connect("far", GTW_ANY4, 8080, timeout=1), "time-out", "8080 stays closed")
    must(sh("ip -n any route del 192.0.2.1/32 dev eth0 && ip netns del far && "
            "in_ns any sysctl -qw net.ipv4.ip_forward=0"))
    for fam in BOTH:
        for shuffle in (False, True):
            peer = Peer(f, "any", fam, 45000 + shuffle, 25)
            good, data, got = peer.call(), os.urandom(6000), b""
            body = tcp(peer.own, peer.gtw, peer.own_port, 25, PSH | ACK, 60000, seq=peer.seq,
                       ack=peer.ack, data=data)
            packets = fragments4(peer.own, peer.gtw, body, [552] * 10, 77) if fam == 4 else \
                fragments6(peer.own, peer.gtw, TCP, body, [1232] * 4, 77)
            if shuffle:
                packets.reverse()
            for packet in packets:
                f.ports["any"].send(packet)
            end = time.monotonic() + 10
            while len(got) < len(data) and time.monotonic() < end:
                for seen in f.ports["any"].received():
                    if seen.dport == peer.own_port and seen.seq == peer.ack + len(got):
                        got += seen.data
                        peer.send(ACK, seq=peer.seq + len(data), ack=peer.ack + len(got),
                                  window=60000)
            ok(good and got == data, f"a segment of 6,000 bytes in {len(packets)} fragments, "
               f"{'the last first, ' if shuffle else ''}is taken in whole, IPv{fam}",
               f"{len(got)} of {len(data)} bytes echoed")
            peer.send(RST | ACK, seq=peer.seq + len(data), ack=peer.ack + len(got))


def vrf(f):
    """The ANY host's device in a VRF: judged at each pass, replies found there too."""
    f.settle()
    if not join_vrf():
        return
    must(sh("""ip route add table 100 198.18.0.0/16 via 192.0.2.2 dev any0 &&
        ip -6 route add table 100 2001:db8:f::/48 via 2001:db8:a::2 dev any0"""))
    away = Listener(25, 8080, ns="any")
    for demux in (1, 0):
        with sysctl("net.ipv4.tcp_early_demux", demux):
            for fam, gtw, far in ((4, GTW_ANY4, ANY4), (6, GTW_ANY6, ANY6)):
                results = [("to 25", connect("any", gtw, 25), "open"),
                           ("to 8080", connect("any", gtw, 8080, timeout=1), "time-out"),
                           ("to 8450", connect("any", gtw, CONSOLE, timeout=1), "time-out")]
                # The VRF device calls LOCAL_OUT itself and keeps what it returns
                # (l3mdev_ip_out()), so a denied connect() is told by the pass that follows.
                for port, want in ((25, b"port 25"), (8080, "refused")):
                    sock = socket.socket(family(far))
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"red\0")
                    sock.settimeout(5 if port == 25 else 1)
                    try:
                        sock.connect((far, port))
                        got = sock.recv(7)
                    except (TimeoutError, socket.timeout):
                        got = "time-out"
                    except ConnectionRefusedError:
                        got = "refused"
                    except OSError as error:
                        got = repr(error)
                    sock.close()
                    results.append((f"out to {port}", got, want))
                fare(f"VRF, early demux {demux}, IPv{fam}", results)
    away.stop()
    before = stats()
    for fam in BOTH:
        for flags in (SYN, ACK, SYN | ACK):
            src, dst = ends(fam, "any", f.tag())
            f.ports["any"].send(segment(src, dst, 25, 8080, flags, 1))
    time.sleep(0.5)
    after = stats()
    denied = sum(after["in", r] - before["in", r] for r in ("closed", "no-connection"))
    is_(denied, 6, "VRF: each stray segment is denied, at the first pass")
    set_sysctl("net.ipv4.tcp_l3mdev_accept", 0)
    must(sh("""ip link set any0 nomaster && ip link del red &&
        ip -6 addr replace 2001:db8:a::1/64 dev any0 nodad &&
        ip route replace 198.18.0.0/16 via 192.0.2.2 &&
        ip -6 route replace 2001:db8:f::/48 via 2001:db8:a::2"""))


def ipsec(_f):
    """Transport mode: what comes out of ESP and AH is judged."""
    if any(run("modprobe", m).returncode for m in ("xfrm_user", "esp4", "esp6", "ah4", "ah6")):
        skip("IPsec", "this kernel has no IPsec")
        return
    away = Listener(25, 8080, ns="any")
    key = "0x" + "11" * 20
    for proto, algorithms in (("esp", f"auth sha1 {key} enc cipher_null ''"),
                              ("ah", f"auth sha1 {key}")):
        for ns in ("gtw", "any"):
            lines = []
            for a, b in ((GTW_ANY4, ANY4), (GTW_ANY6, ANY6)):
                for src, dst, way in ((a, b, "out"), (b, a, "in")):
                    if ns == "any":
                        way = {"out": "in", "in": "out"}[way]
                    lines += [f"ip xfrm state add src {src} dst {dst} proto {proto} spi 0x100 "
                              f"mode transport {algorithms}",
                              f"ip xfrm policy add src {src} dst {dst} proto tcp dir {way} "
                              f"tmpl src {src} dst {dst} proto {proto} mode transport"]
            must(sh(" && ".join(f"in_ns {ns} {line}" for line in lines)))
        before = stats()
        fare(f"IPsec transport mode, {proto.upper()}", kinds())
        count = stats()["in", "closed"] - before["in", "closed"]
        ok(count >= 2, f"{proto.upper()}: {count} segments to 8080 are denied on their way in")
        text = run("ip", "-s", "xfrm", "state").stdout
        counts = [int(n) for n in re.findall(r"(\d+)\(packets\)", text)]
        ok(len(counts) >= 4 and all(counts[:4]), f"{proto.upper()} was on the wire", text)
        for ns in ("gtw", "any"):
            must(sh(f"in_ns {ns} ip xfrm policy flush; in_ns {ns} ip xfrm state flush"))
    away.stop()


def mptcp(f):
    """Subflows are TCP connections like others."""
    with f.deaf():
        subflows()


def subflows():
    """One for each way and port."""
    if not has_mptcp():
        return
    for fam, gtw, far in ((4, GTW_ANY4, ANY4), (6, GTW_ANY6, ANY6)):
        for client, address, server_ns, port, want in (
                ("any", gtw, "gtw", 25, b"hello"), ("any", gtw, "gtw", 8080, "time-out"),
                ("any", gtw, "gtw", CONSOLE, "time-out"), ("gtw", far, "any", 25, b"hello"),
                ("gtw", far, "any", 8080, "refused")):
            with netns(server_ns):
                server = socket.socket(family(address), socket.SOCK_STREAM, MPTCP)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((address, port))
            server.listen()
            server.settimeout(5)
            with netns(client):
                sock = socket.socket(family(address), socket.SOCK_STREAM, MPTCP)
            sock.settimeout(2)
            try:
                sock.connect((address, port))
                sock.sendall(b"hello")
                taken = server.accept()[0]
                taken.settimeout(5)
                got = taken.recv(5)
                taken.close()
            except (TimeoutError, socket.timeout):
                got = "time-out"
            except ConnectionRefusedError:
                got = "refused"
            is_(got, want, f"MPTCP from {client} to port {port}, IPv{fam}")
            sock.close()
            server.close()


def attacks(f, _long):
    """All of them."""
    parts((early_demux, offloads, mptcp, ipsec, vrf, small_mtu), f)
