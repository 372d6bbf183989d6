#!/usr/bin/python3
"""Every row allowed and its neighbours denied, both families, directions and modes; each
reason; counters to the byte; loopback and what is not TCP left alone."""
from field import *

ROW_PORTS = sorted({row[0] for row in TABLE})
PORTS = sorted({0, 1, 22, 80, 443, 636, 1023, 1024, 3306, 8080, 32768, 65535} | set(ROW_PORTS) |
               {port + step for port in ROW_PORTS for step in (-1, 1)})
SITE = [(22, "ADM", "GTW"), (80, "ANY", "GTW"), (443, "GTW", "ANY"), (636, "GTW", "ADM")]
HOST = {("any", 4): ANY4, ("any", 6): ANY6, ("adm", 4): ADM4, ("adm", 6): ADM6}
GTW = {4: GTW4, 6: GTW6}


def same(ledger, diff, name, wrong=()):
    """One point: what was counted is what had to be, and nothing else was wrong."""
    want = ledger.expected()
    wrong = list(wrong)
    for key in sorted(want.keys() | diff.keys(), key=str):
        if want.get(key) != diff.get(key):
            wrong.append(f"{key}: counted {diff.get(key, 0)}, must be {want.get(key, 0)}")
    return ok(not wrong, name, "\n".join(wrong[:20]))


def shoot(gateway, packets, ledger):
    """Segments at the gateway; what was counted, what reached TCP, what came back."""
    gateway.reached()
    with counted() as diff:
        for ns, packet in packets:
            gateway.cables[ns].send(packet)
        replies = gateway.settle(ledger)
        # So that nothing half open is left to time out later.
        for ns in replies:
            for packet in replies[ns]:
                if parse(packet)[0].flags == SYN | ACK:
                    gateway.cables[ns].send(rst_for(packet))
                    ledger.judge("in", rst_for(packet))
        late = gateway.settle(ledger)
    for ns in replies:
        for packet in replies[ns] + late[ns]:
            ledger.judge("out", packet)
    return diff, gateway.reached(), replies


def opening(gateway, fam, ns, mode, site=(), adm=None):
    """A SYN to each port."""
    name = f"{mode}, IPv{fam}, from {ns.upper()}{', site rows' if site else ''}" \
           f"{', no ADM' if adm == [] else ''}"
    ledger = Ledger(mode, site, adm)
    packets = {port: segment(ghost(ns, fam, port), GTW[fam][ns], 40000, port, SYN, 1)
               for port in PORTS}
    reasons = {port: ledger.judge("in", packet) for port, packet in packets.items()}
    diff, behind, replies = shoot(gateway, [(ns, packet) for packet in packets.values()], ledger)
    passed = {seen.dport for seen in behind if seen.flags == SYN}
    wanted = {port for port in PORTS if mode == "audit" or not reasons[port]}
    answered = {parse(packet)[0].sport for packet in replies[ns]}
    wrong = [f"port {port}: {reasons[port]}" for port in passed ^ wanted]
    wrong += [f"port {port}: answered or not" for port in answered ^ wanted]
    same(ledger, diff, f"opening, {name}: {len(passed)} of {len(PORTS)} ports", wrong)


def continuing(gateway, fam, ns, mode, site=()):
    """Everything else to each port, from a port without a row and from one with a row."""
    name = f"{mode}, IPv{fam}, from {ns.upper()}{', site rows' if site else ''}"
    ledger = Ledger(mode, site)
    packets, wanted = [], set()
    for port in PORTS:
        for source in (40000, 25, 443, 636):
            for flags in (ACK, SYN | ACK, RST, FIN | ACK, RST | ACK, ACK | PSH | URG):
                window = len(packets) + 1
                packet = segment(ghost(ns, fam, window), GTW[fam][ns], source, port, flags, window)
                packets.append((ns, packet))
                if not ledger.judge("in", packet) or mode == "audit":
                    wanted.add(window)
    diff, behind, _ = shoot(gateway, packets, ledger)
    passed = {seen.window for seen in behind if seen.window != LATE}
    wrong = [f"{parse(packets[window - 1][1])[0]}" for window in passed ^ wanted]
    same(ledger, diff, f"continuing, {name}: {len(wanted)} of {len(packets)} segments", wrong)


def outgoing(gateway, fam, ns, mode, site=()):
    """Segments of the gateway to each port, from a port without a row and from ports with one."""
    name = f"{mode}, IPv{fam}, to {ns.upper()}{', site rows' if site else ''}"
    ledger = Ledger(mode, site)
    wrong, sent, wanted = [], [], set()
    with counted() as diff:
        for port in PORTS:
            for source in (40000, 25, 8450, 22):
                for flags in (SYN, ACK, SYN | ACK, RST):
                    window = len(sent) + 1
                    packet = segment(GTW[fam][ns], HOST[ns, fam], source, port, flags, window)
                    sent.append(packet)
                    drop = ledger.judge("out", packet) and mode == "enforce"
                    if not drop:
                        wanted.add(window)
                    error = gateway.inject(packet)
                    if error != (errno.ECONNREFUSED if drop else 0):
                        wrong.append(f"{parse(packet)[0]}: error {error}")
        came = gateway.settle(ledger)[ns]
    passed = {parse(packet)[0].window for packet in came}
    wrong += [f"{parse(sent[window - 1])[0]}: sent or not" for window in passed ^ wanted]
    same(ledger, diff, f"outgoing, {name}: {len(passed)} of {len(sent)} segments", wrong)


def broken(gateway, fam, mode):
    """Malformed segments and invalid flags, to a port that is open, both ways."""
    valid = set(VALID)
    for direction in ("in", "out"):
        ledger, packets, wrong = Ledger(mode), [], []
        source, target = (ghost("any", fam, 7), GTW[fam]["any"]) if direction == "in" else \
            (GTW[fam]["any"], HOST["any", fam])
        for flags in range(256):
            if flags & ~(PSH | ECE | CWR) not in valid:
                packets.append(segment(source, target, 40000, 25, flags, 9))
                ledger.deny(direction, "flags")
        for more in ({"doff": 4}, {"doff": 0}, {"doff": 6}, {"doff": 15}):
            packets.append(segment(source, target, 40000, 25, SYN, 9, **more))
            ledger.deny(direction, "malformed")
        for size in (0, 1, 4, 12, 13, 19):
            packets.append(ip(source, target, tcp(source, target, 40000, 25, SYN, 9)[:size]))
            ledger.deny(direction, "malformed")
        if direction == "in":
            diff, behind, _ = shoot(gateway, [("any", packet) for packet in packets], ledger)
            if mode == "enforce":
                wrong = [str(seen) for seen in behind]
        else:
            with counted() as diff:
                refused = [gateway.inject(packet) == errno.ECONNREFUSED for packet in packets]
                came = gateway.settle(ledger)["any"]
            if refused.count(mode == "enforce") != len(packets) or \
                    len(came) != (0 if mode == "enforce" else len(packets)):
                wrong = [f"{refused.count(True)} refused, {len(came)} on the cable"]
        if mode == "audit":
            # what TCP answers is judged too, but not the matter here
            diff = {key: value for key, value in diff.items() if key[0] == "would-deny"}
            ledger.drop_rows()
        same(ledger, diff, f"broken, {mode}, IPv{fam}, {direction}: {len(packets)} segments",
             wrong)


def connections(mode):
    """connect(2) to each row's port and its neighbours, from and to the gateway."""
    near = sorted(set(ROW_PORTS) | {22, 80, 443, 24, 26, 8449, 8451})
    far = [Listener(*near, ns=ns, greet=False) for ns in ("any", "adm")]
    for fam in (4, 6):
        for ns in ("any", "adm"):
            seen, slow = {}, []
            with counted() as diff:
                for port in near:
                    start = time.monotonic()
                    seen[port] = connect("gtw", HOST[ns, fam], port)
                    if time.monotonic() - start > 1:
                        slow.append(port)
            want = {port: "open" if port in OPEN or mode == "audit" else "refused"
                    for port in near}
            is_(seen, want, f"{mode}, IPv{fam}: connect() out to {ns.upper()}")
            is_(slow, [], f"{mode}, IPv{fam}: in less than a second")
            refused = len(near) - len(OPEN)
            got = {key: value for key, value in diff.items()
                   if key[1] == "openings" or key == ("deny", "out", "closed")}
            openings = {(f"{port} GTW ANY", "openings"): 1 for port in OPEN}
            if mode == "enforce":
                openings["deny", "out", "closed"] = refused
            is_(got, openings, f"{mode}, IPv{fam}: counted once each")
            seen = {port: connect(ns, GTW[fam][ns], port, 2) for port in (25, 995, 8450)}
            want = {25: "open", 995: "open",
                    8450: "open" if ns == "adm" or mode == "audit" else "time-out"}
            is_(seen, want, f"{mode}, IPv{fam}: connect() in from {ns.upper()}")
    for listener in far:
        listener.stop()


def bytes_of_a_session(fam, mode, outbound, site=()):
    """A whole conversation, as the cable saw it and as it was counted."""
    cable = Cable("any")
    here, there = ("gtw", "any") if outbound else ("any", "gtw")
    listener = Listener(587, ns=there)
    address = HOST["any", fam] if outbound else GTW[fam]["any"]
    ledger = Ledger(mode, site)
    before = counts()
    sock = open_connection(here, address, 587, 10)
    for size in (1, 1000, 5000):
        sock.sendall(bytes(size))
        left = size
        while left:
            left -= len(sock.recv(left))
    sock.close()

    def settled():
        while True:
            try:
                data, where = cable.sock.recvfrom(65536)
            except BlockingIOError:
                break
            if data[12:14] in (b"\x08\x00", b"\x86\xdd") and parse(data[14:]):
                size = struct.unpack("!H", data[16:18])[0] if fam == 4 else \
                    40 + struct.unpack("!H", data[18:20])[0]
                # PACKET_OUTGOING there is inbound here
                ledger.judge("in" if where[2] == 4 else "out", data[14:14 + size], True)
        return len(ledger) >= 3 and difference(before, counts()) == ledger.expected()

    wait_until(settled, 10)
    row = "587 GTW ANY" if outbound else "587 ANY GTW"
    ok(ledger[row, "segments"] > 10 and ledger[row, "openings"] == 1 and
       ledger[row, "bytes"] > 12000, "a session was seen on the cable", ledger)
    same(ledger, difference(before, counts()),
         f"{mode}, IPv{fam}, {'outbound' if outbound else 'inbound'}: counted as the cable saw it")
    listener.stop()


def left_alone():
    """What passes a loopback device or is no TCP is not judged."""
    with counted() as diff:
        for address in ("127.0.0.1", "::1", GTW_ANY4, GTW_ANY6, GTW_ADM6):
            is_(connect("gtw", address, 8080), "open", f"8080 over loopback, {address}")
        is_(connect("gtw", "127.0.0.1", 9), "refused", "a port without a listener there")
    is_(diff, {}, "nothing of that was counted")
    with counted() as diff:
        for fam in (4, 6):
            is_(run("ping", "-c", "2", HOST["any", fam]).returncode, 0, f"IPv{fam}: ping out")
            with netns("any"):
                is_(run("ping", "-c", "2", GTW[fam]["any"]).returncode, 0, f"IPv{fam}: ping in")
            sock = socket.socket(family(HOST["any", fam]), socket.SOCK_DGRAM)
            sock.bind((GTW[fam]["any"], 8080))
            sock.settimeout(5)
            with netns("any"):
                peer = socket.socket(sock.family, socket.SOCK_DGRAM)
            peer.sendto(b"hello", sock.getsockname())
            data, where = sock.recvfrom(10)
            sock.sendto(data, where)
            peer.settimeout(5)
            is_(peer.recv(10), b"hello", f"IPv{fam}: UDP to 8080 and back")
    is_(diff, {}, "nothing of that was counted either")


def main():
    topology()
    ghosts()
    # The hook sees what TCP sends and gets: here no more than the cable carries at once.
    must(sh("""for ns in any adm; do
        ethtool -K ${ns}0 gro off && in_ns $ns ethtool -K eth0 gro off &&
        ip link set ${ns}0 gso_max_segs 1 && ip -n $ns link set eth0 gso_max_segs 1 || exit
        done"""))
    listener = Listener(*[port for port in PORTS if port and port != 587], greet=False)
    is_(connect("any", GTW_ANY4, 8080), "open", "8080 is open before the module comes")
    must(mw_load("adm=" + ",".join(ADM_PREFIXES)))
    is_([line.split()[:3] for line in mw_read("table").splitlines()],
        [[str(port), source, target] for port, source, target in TABLE], "the table has its rows")
    left_alone()
    for mode in ("enforce", "audit"):
        is_(mw_write("mode", mode), 0, f"the mode becomes {mode}")
        for fam in (4, 6):
            for outbound in (False, True):
                bytes_of_a_session(fam, mode, outbound)
    listener.stop()
    listener = Listener(*[port for port in PORTS if port], greet=False)
    for mode in ("enforce", "audit"):
        mw_write("mode", mode)
        connections(mode)

    gateway = Gateway()
    for mode in ("enforce", "audit"):
        is_(mw_write("mode", mode), 0, f"the mode becomes {mode}")
        for fam in (4, 6):
            for ns in ("any", "adm"):
                opening(gateway, fam, ns, mode)
                continuing(gateway, fam, ns, mode)
                outgoing(gateway, fam, ns, mode)
            broken(gateway, fam, mode)
    mw_write("mode", "enforce")
    is_(mw_write("site", "\n".join("%d %s %s" % row for row in SITE)), 0, "site rows are set")
    for fam in (4, 6):
        for ns in ("any", "adm"):
            opening(gateway, fam, ns, "enforce", SITE)
            continuing(gateway, fam, ns, "enforce", SITE)
            outgoing(gateway, fam, ns, "enforce", SITE)
    is_(mw_write("site", "\n"), 0, "and taken away")
    is_(mw_write("adm", "\n"), 0, "ADM is emptied")
    for fam in (4, 6):
        opening(gateway, fam, "adm", "enforce", adm=[])
    listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
