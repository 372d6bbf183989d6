#!/usr/bin/python3
"""Running sessions: what cuts them, what gives them back, and how the connection behind a
reply is found."""
from field import *
from kernel import errno_of
from session import Session

HOST = {("any", 4): ANY4, ("any", 6): ANY6, ("adm", 4): ADM4, ("adm", 6): ADM6}
GTW = {4: GTW4, 6: GTW6}
ADM_TEXT = "198.51.100.0/24 2001:db8:b::/64"
BOTH = ["to the server", "to the client"]


def cut_and_back(name, session, cut, back, reason):
    """One session over a change that cuts it, and one that gives it back."""
    is_(session.pass_on(5), BOTH, f"{name}: both ways")
    cut()
    with counted() as diff:
        is_(session.pass_on(0.7), [], f"{name}: cut, both ways at once")
    ok(diff.get(("deny", "in", reason), 0) > 0 and diff.get(("deny", "out", reason), 0) > 0,
       f"{name}: both ends' segments are denied as {reason}", diff)
    back()
    # TCP sends again by itself, a little later each time.
    is_(session.pass_on(20), BOTH, f"{name}: it goes on")


def administrators():
    """Taking a prefix out of ADM cuts its sessions."""
    for fam in (4, 6):
        for source_port, about in ((0, ""), (25, ", from port 25")):
            session = Session("adm", "gtw", GTW[fam]["adm"], 8450, source_port)
            other = Session("any", "gtw", GTW[fam]["any"], 995)
            cut_and_back(f"IPv{fam}: console{about}, ADM emptied", session,
                         lambda: mw_write("adm", "\n"), lambda: mw_write("adm", ADM_TEXT), "peer")
            prefix = ADM_TEXT.split()[fam == 6]
            cut_and_back(f"IPv{fam}: console{about}, its prefix removed", session,
                         lambda: mw_write("adm", "-" + prefix), lambda: mw_write("adm", "+" + prefix),
                         "peer")
            is_(other.pass_on(5), BOTH, f"IPv{fam}: a session of another went on meanwhile")
            session.close()
            other.close()


def without_a_row():
    """Sessions that no row covers."""
    is_(mw_unload().returncode, 0, "unloaded")
    sessions = {f"IPv{fam}: {name}": Session(client, server, address[fam], port)
                for fam in (4, 6) for name, client, server, port, address in
                (("ssh, inbound", "any", "gtw", 22, {4: GTW_ANY4, 6: GTW_ANY6}),
                 ("443, outbound", "gtw", "any", 443, {4: ANY4, 6: ANY6}))}
    must(mw_load("adm=" + ADM_TEXT.replace(" ", ",")))
    for name, session in sessions.items():
        is_(session.pass_on(0.7), [], f"{name}: open before the load, cut by it")
    is_(mw_write("mode", "audit"), 0, "audit")
    for name, session in sessions.items():
        with counted() as diff:
            is_(session.pass_on(20), BOTH, f"{name}: survives in audit")
        ok(diff.get(("would-deny", "in", "closed"), 0) > 0 and
           diff.get(("would-deny", "out", "closed"), 0) > 0, f"{name}: and would be denied", diff)
    is_(mw_write("mode", "enforce"), 0, "enforce")
    for name, session in sessions.items():
        def set_site(sign, name=name):
            row = "22 ANY GTW" if "ssh" in name else "443 GTW ANY"
            mw_write("site", f"{sign}{row}")
        set_site("+")
        is_(session.pass_on(20), BOTH, f"{name}: a site row gives it back")
        cut_and_back(name, session, lambda: set_site("-"), lambda: set_site("+"), "closed")
        mw_write("site", "\n")
        mw_write("mode", "off")
        is_(session.pass_on(20), BOTH, f"{name}: goes on when off")
        mw_write("mode", "enforce")
        session.close()


def found(about, **how):
    """Connections of the gateway and to it work, and what is closed is."""
    for fam in (4, 6):
        with counted() as diff:
            arrived = []
            with contextlib.suppress(TimeoutError):
                session = Session("gtw", "any", HOST["any", fam], 587, **how)
                arrived = session.pass_on(5)
                session.settled()
                session.close()
        is_(arrived, BOTH, f"{about}, IPv{fam}: a connection to 587")
        ok(not [key for key in diff if "deny" in key[0]], f"{about}, IPv{fam}: nothing denied", diff)
        is_(connect("any", GTW[fam]["any"], 25), "open", f"{about}, IPv{fam}: 25 is open")
        is_(connect("any", GTW[fam]["any"], 8080, 2), "time-out", f"{about}, IPv{fam}: 8080 is closed")


def demux():
    """Without early demux the socket is looked up."""
    found("early demux")
    for name in ("tcp_early_demux", "ip_early_demux"):
        set_sysctl(f"net.ipv4.{name}", 0)
        found(f"{name} off")
        set_sysctl(f"net.ipv4.{name}", 1)


def dual_stack():
    """IPv4 on sockets of IPv6."""
    session = Session("any", "gtw", GTW_ANY4, 25, bind="dual")
    is_(session.pass_on(5), BOTH, "IPv4 to a dual-stack listener on 25")
    session.close()
    session = Session("adm", "gtw", GTW_ADM4, 8450, bind="dual")
    cut_and_back("IPv4 to a dual-stack listener on 8450", session,
                 lambda: mw_write("adm", "-198.51.100.0/24"), lambda: mw_write("adm", ADM_TEXT), "peer")
    session.close()
    for demuxed in (1, 0):
        set_sysctl("net.ipv4.tcp_early_demux", demuxed)
        listener = Listener(587, ns="any")
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        sock.settimeout(5)
        is_(errno_of(sock.connect, ("::ffff:" + ANY4, 587)), "done",
            f"IPv4 out of a socket of IPv6, early demux {demuxed}")
        is_(sock.recv(100), b"port 587\n", "and it is served")
        sock.close()
        listener.stop()


def time_wait():
    """The gateway closed first: its socket lingers, and is still a connection."""
    for fam in (4, 6):
        with netns("any"):
            cable = Cable("any")
        session = Session("gtw", "any", HOST["any", fam], 587)
        port = session.client.getsockname()[1]
        session.client.close()
        session.server.close()
        state = lambda: run("ss", "-Htan", "state", "time-wait", f"sport = :{port}").stdout
        ok(wait_until(state), f"IPv{fam}: TIME-WAIT to 587")
        time.sleep(0.2)
        # The peer's last segment once more, as if the answer had been lost.
        last = fin_of(cable, port)
        with counted() as diff:
            cable.send(last)
            answer = wait_until(lambda: [seen for seen in cable.received() if seen.dport == 587], 5)
        ok(answer and answer[0].flags == ACK, f"IPv{fam}: it answers the peer's FIN", answer)
        # the peer, whose socket is gone, answers that with a reset
        is_({key: min(value, 2) for key, value in diff.items() if key[1] != "bytes"},
            {("587 GTW ANY", "segments"): 2}, f"IPv{fam}: which is no stray")
        # Once that socket is gone, so is the connection.
        run("ss", "-K", "dst", HOST["any", fam], "dport", "=", ":587")
        if wait_until(lambda: not state(), 5):
            with counted() as diff:
                cable.send(last)
                time.sleep(0.3)
            is_(diff, {("deny", "in", "no-connection"): 1}, f"IPv{fam}: and then it is")
        else:
            skip(f"IPv{fam}: and then it is", "this kernel cannot destroy sockets")
        # Inbound: the pair is used again while the gateway remembers it.
        session = Session("any", "gtw", GTW[fam]["any"], 25, 33333)
        session.server.close()
        session.client.close()
        ok(wait_until(lambda: "33333" in run("ss", "-Htan", "state", "time-wait").stdout),
           f"IPv{fam}: TIME-WAIT from 25")
        with counted() as diff:
            session = Session("any", "gtw", GTW[fam]["any"], 25, 33333)
        is_((session.pass_on(5), diff.get(("25 ANY GTW", "openings"))), (BOTH, 1),
            f"IPv{fam}: a SYN of the same pair opens a new connection")
        session.close()


def fin_of(cable, port):
    """The peer's FIN to that port, whole, as it went over the cable."""
    found_fin = None
    while True:
        try:
            data, where = cable.sock.recvfrom(65536)
        except BlockingIOError:
            return found_fin
        seen = parse(data[14:]) if where[2] == 4 else []
        if seen and seen[0].dport == port and seen[0].flags & FIN:
            found_fin = with_checksum(data[14:])


def with_checksum(packet):
    """What a device would have filled in, and veth did not."""
    head = 20 if packet[0] >> 4 == 4 else 40
    addresses = packet[12:20] if head == 20 else packet[8:40]
    part = packet[head:head + 16] + b"\0\0" + packet[head + 18:]
    total = checksum(addresses + struct.pack("!II", len(part), TCP) + part)
    return packet[:head + 16] + struct.pack("!H", total) + packet[head + 18:]


def half_open():
    """SYN-SENT, SYN-RECV and half-closed are connections."""
    for fam in (4, 6):
        with netns("any"):
            cable = Cable("any")
        # Nobody is at the other end but this test.
        sock = socket.socket(socket.AF_INET if fam == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        sock.setblocking(False)
        there = ghost("any", fam, 77)
        with contextlib.suppress(BlockingIOError):
            sock.connect((there, 587))
        syn = wait_until(lambda: [seen for seen in cable.received() if seen.dport == 587], 5)[0]

        def send(flags, seq, port=syn.sport, source=587):
            with counted() as diff:
                cable.send(segment(there, syn.src, source, port, flags, 5000, seq=seq,
                                   ack=(syn.seq + 1) & 0xffffffff))
                time.sleep(0.2)
            return [key[2] for key in diff if key[0] == "deny"]

        is_(send(SYN | ACK, 100, syn.sport ^ 1), ["no-connection"], f"IPv{fam}: a SYN+ACK to no port")
        is_(send(SYN | ACK, 100, source=25), ["no-connection"], f"IPv{fam}: one from another port")
        is_(send(SYN, 100), ["closed"], f"IPv{fam}: a simultaneous open")
        is_(send(SYN | ACK, 100), [], f"IPv{fam}: the answer to the SYN")
        is_(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, f"IPv{fam}: it is connected")
        is_(errno_of(sock.send, b"x"), "done", f"IPv{fam}: and can send")
        is_(send(FIN | ACK, 101), [], f"IPv{fam}: the peer's end")
        is_(send(ACK, 102), [], f"IPv{fam}: and what it says half-closed")
        is_(send(RST, 102), [], f"IPv{fam}: and its reset")
        ok(wait_until(lambda: str(syn.sport) not in run("ss", "-Htan").stdout, 5),
           f"IPv{fam}: the socket is gone")
        is_(send(ACK, 102), ["no-connection"], f"IPv{fam}: and so is the connection")
        sock.close()


def vrf():
    """The cable to ANY in a VRF."""
    if not join_vrf():
        return
    for demuxed in (1, 0):
        set_sysctl("net.ipv4.tcp_early_demux", demuxed)
        for device in ("red", "any0"):
            found(f"VRF, bound to {device}, early demux {demuxed}", device=device)
    set_sysctl("net.ipv4.tcp_early_demux", 1)
    # Not at once: vrf_ip_out() passes the hook, and keeps its error to itself.
    far = Listener(8080, ns="any")
    for address in (ANY4, ANY6):
        opened = []
        with counted() as diff, contextlib.suppress(OSError):
            opened.append(Session.through("red", family(address), address, 8080, 1))
        ok(not opened and diff.get(("deny", "out", "closed"), 0) > 0,
           f"out of the VRF to 8080 of {address}: denied", diff)
    far.stop()
    with counted() as diff:
        is_(connect("any", GTW_ANY4, 25), "open", "25 is open")
    ok(diff["25 ANY GTW", "openings"] >= 1, "a segment counts at each pass of a hook", diff)


def main():
    topology()
    ghosts()
    listener = Listener(8080)
    must(mw_load("adm=" + ADM_TEXT.replace(" ", ",")))
    parts((administrators, without_a_row, dual_stack, time_wait, half_open))
    listener.stop()
    listener = Listener(25, 8080)
    parts((demux, vrf))
    listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
