#!/usr/bin/python3
"""Where early demux finds no connection, mailwall's look-up leaves the one that it finds to TCP,
as early demux would: what the whole receive path then costs, in a machine that counts
instructions, and that whatever kind of socket it is serves its segment and is given back."""
import gc
import re

import bars
from field import *
from kernel import errno_of, write_once

ROUNDS = 400
# More instructions than without a module.
BAR = 80
# What a look-up may cost the host more than none: TCP has one less.
LOOKUP = 40
# Between two measurements of the same.
STEADY = 4
# A timer that rings at every tenth segment or so moves the median now and then.
TRIES = 5
LOT = 100
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
SLABS = ("TCP", "TCPv6", "request_sock_TCP", "request_sock_TCPv6", "tw_sock_TCP", "tw_sock_TCPv6")
NO_COOKIE = 0x203       # tcp_fastopen: client, server, and data in a SYN without a cookie


@contextlib.contextmanager
def listening(fam, protocol=0):
    """ANY listens on 587."""
    with netns("any"):
        listener = socket.socket(FAMILIES[fam], socket.SOCK_STREAM, protocol)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ANY4 if fam == 4 else ANY6, 587))
        listener.listen(LOT)
        yield listener


def pair(listener, device=None):
    """A connection of the gateway to it: both ends."""
    client = socket.socket(listener.family, socket.SOCK_STREAM, listener.proto)
    if device:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    client.settimeout(10)
    client.connect(listener.getsockname()[:2])
    server, _ = listener.accept()
    for sock in (client, server):
        sock.settimeout(10)
        if listener.proto != MPTCP:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server


def passes(client, server, count=10):
    """Do words go to and fro?"""
    for number in range(count):
        for one, other in ((server, client), (client, server)):
            word = b"word %d" % number
            if errno_of(one.sendall, word) != "done" or other.recv(100) != word:
                return False
    return True


# ---- instructions ----
def median(client, server):
    """Instructions of send() at ANY, in which the gateway receives the segment: one processor
    does both. The answer takes its acknowledgement, so that none is sent meanwhile."""
    word, buffer, clock = bytes(512), bytearray(512), time.perf_counter_ns
    took = []
    gc.disable()
    # At the same time of each second: clocks carry nanoseconds over by a loop
    # (timespec64_add_ns()), which takes some instructions more from some moment on.
    time.sleep(1 - time.monotonic() % 1)
    for _ in range(ROUNDS):
        start = clock()
        server.send(word)
        took.append(clock() - start)
        client.recv_into(buffer)
        client.send(word)
        server.recv_into(buffer)
    gc.enable()
    return sorted(took)[ROUNDS // 2]


def measure(name, client, server):
    """Instructions more than without a module."""
    for _ in range(2):
        median(client, server)
    for tries in range(1, TRIES + 1):
        none = median(client, server)
        must(mw_load())
        with counted() as diff:
            mailwall = median(client, server)
        must(mw_unload())
        again = median(client, server)
        if abs(again - none) <= STEADY:
            break
    is_({key: min(value, ROUNDS) for key, value in diff.items()
         if key[1] == "segments" or "deny" in key[0]},
        {("587 GTW ANY", "segments"): ROUNDS}, f"{name}: all is counted on the outbound row")
    ok(abs(again - none) <= STEADY, f"{name}: what is counted is steady, {tries} of {TRIES} tries",
       f"{none}, then {again}")
    diag(f"{name}: {none}, with mailwall {mailwall - none} more")
    return mailwall - none


def instructions():
    """What mailwall adds to the receive path of a data segment."""
    excused = bars.exceptions("/mailwall/tests/net")
    here = ", on " + ".".join(os.uname().release.split(".")[:2])
    known = set()

    def held_against(name, count):
        bar = f"{name}: instructions more than without a module"
        known.add(bar)
        # a kernel may have a line of its own
        good, said = bars.judge(bar + here if bar + here in excused else bar, count, BAR, False,
                                excused)
        ok(good, said)

    for fam in (4, 6):
        with listening(fam) as listener:
            client, server = pair(listener)
        demuxed = measure(f"IPv{fam}, early demux", client, server)
        set_sysctl("net.ipv4.tcp_early_demux", 0)
        skipped = measure(f"IPv{fam}, skipped", client, server)
        set_sysctl("net.ipv4.tcp_early_demux", 1)
        ok(skipped - demuxed <= LOOKUP,
           f"IPv{fam}: a look-up costs the host {skipped - demuxed} more than none, at most {LOOKUP}")
        held_against(f"IPv{fam}", skipped)
        if fam == 6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS,
                              bytes([0, 0, 1, 4, 0, 0, 0, 0]))
            held_against("IPv6, destination options",
                         measure("IPv6, destination options", client, server))
        client.close()
        server.close()
    nothing_wrong("each exception is of a bar that there is",
                  [bar for bar in excused if re.sub(r", on \d+\.\d+$", "", bar) not in known])


# ---- sockets ----
def sockets():
    """TCP's sockets, and those whose memory is still held, as by a reference too many."""
    found = {}
    with open("/proc/net/sockstat", encoding="ascii") as file:
        words = next(line for line in file if line.startswith("TCP:")).split()
    found.update({name: int(words[words.index(name) + 1]) for name in ("orphan", "tw", "alloc")})
    for name in SLABS:
        # else what processors keep ready counts as taken
        write_once(f"/sys/kernel/slab/{name}/shrink", "1")
    with open("/proc/slabinfo", encoding="ascii") as file:
        for line in file:
            if line.split()[0] in SLABS:
                found[line.split()[0]] = int(line.split()[1])
    return found


@contextlib.contextmanager
def nothing_lost(name):
    """All sockets that come meanwhile go again."""
    before = sockets()
    yield

    def more():
        now = sockets()
        return {key: (value, now[key]) for key, value in before.items()
                if now[key] > value}

    # TIME-WAIT takes a minute, in which this machine idles.
    end = time.monotonic() + 100
    while more() and time.monotonic() < end:
        time.sleep(5)
    is_(more(), {}, f"{name}: no socket is lost")


class Peer:
    """A host behind ANY that is all made by hand, and the gateway's connection to its port 587,
    or its own from there to a port of the gateway."""
    DATA = b"by hand"

    def __init__(self, cable, fam, number, own_port=0):
        self.cable, self.fam = cable, fam
        self.address = ghost("any", fam, number)
        self.gateway = GTW_ANY4 if fam == 4 else GTW_ANY6
        self.own_port, self.seq, self.ack = own_port, 5000, 0
        self.sock = None

    def connect(self):
        """The gateway opens; takes its SYN."""
        self.sock = socket.socket(family(self.address), socket.SOCK_STREAM)
        self.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self.sock.connect((self.address, 587))
        syn = self.answer()
        self.own_port, self.ack = syn.sport, syn.seq + 1
        return self

    def answer(self):
        """The next segment that the gateway sends it."""
        return wait_until(lambda: [seen for seen in self.cable.received()
                                   if seen.dst == self.address], 5)[0]

    def segment(self, flags, data=b"", **more):
        """A segment of its own."""
        made = segment(self.address, self.gateway, 587, self.own_port, flags, 5000,
                       seq=self.seq, ack=self.ack & 0xffffffff if flags & ACK else 0, data=data,
                       **more)
        self.seq += len(data) + bool(flags & (SYN | FIN))
        return made

    def send(self, flags, data=b"", **more):
        """Send one."""
        self.cable.send(self.segment(flags, data, **more))
        return self

    def opened(self):
        """The gateway's connection, established."""
        return self.connect().send(SYN | ACK).send(ACK, self.DATA)

    def heard(self):
        """Has its data arrived?"""
        self.sock.settimeout(5)
        with contextlib.suppress(OSError):
            return self.sock.recv(100) == self.DATA
        return False


def words(cable):
    """Connections of the gateway that live and end, with all their segments looked up."""
    for fam in (4, 6):
        with nothing_lost(f"IPv{fam}: ESTABLISHED to TIME-WAIT"):
            with listening(fam) as listener:
                pairs = [pair(listener) for _ in range(LOT)]
            ok(all(passes(*one, 2) for one in pairs), f"IPv{fam}: {LOT} connections, both ways")
            with counted() as diff:
                for client, _ in pairs:
                    client.close()
                # FIN-WAIT-2 that nobody holds is a timewait socket; the peer's FIN finds it.
                is_(wait_until(lambda: sockets()["tw"] >= LOT, 5), True,
                    f"IPv{fam}: as many in TIME-WAIT")
                for _, server in pairs:
                    server.close()
                ok(wait_until(lambda: not run("ss", "-N", "any", "-Htan", "sport", "=", ":587").stdout,
                              5), f"IPv{fam}: which answer the peers' FIN")
            is_([key for key in diff if "deny" in key[0]], [], f"IPv{fam}: none was denied")
        with nothing_lost(f"IPv{fam}: SYN-SENT, and a reset"):
            peers = [Peer(cable, fam, number).connect() for number in range(1, 9)]
            for peer in peers:
                peer.send(RST | ACK)
            is_({errno_of(peer.sock.send, b"x") for peer in peers}, {"ECONNREFUSED"},
                f"IPv{fam}: resets in SYN-SENT arrive")
            for peer in peers:
                peer.sock.close()


def half_open(cable):
    """What audit lets open from a port of an outbound row, and enforce then finds: request
    sockets, and full ones in SYN-RECV."""
    for fam in (4, 6):
        mw_write("mode", "audit")
        with nothing_lost(f"IPv{fam}: request sockets"), tcp_socket("gtw", FAMILIES[fam]) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("", 8080))
            listener.listen(4 * LOT)
            listener.settimeout(5)
            peers = [Peer(cable, fam, 1000 + number, 8080) for number in range(LOT)]
            for peer in peers:
                peer.ack = peer.send(SYN).answer().seq + 1
            mw_write("mode", "enforce")
            with counted() as diff:
                for number, peer in enumerate(peers):
                    # one that it does not take, then the last or the end
                    peer.ack += 7
                    peer.send(ACK)
                    peer.ack -= 7
                    peer.send(*(RST,) if number % 2 else (ACK, Peer.DATA))
            ok(diff.get(("587 GTW ANY", "segments"), 0) >= 2 * LOT and
               not [key for key in diff if "deny" in key[0]],
               f"IPv{fam}: request sockets are found", diff)
            heard = 0
            for peer in peers[::2]:
                peer.sock, _ = listener.accept()
                heard += peer.heard()
                peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.sock.close()
            is_(heard, LOT // 2, f"IPv{fam}: and become connections, with their data")
        mw_write("mode", "audit")
        with nothing_lost(f"IPv{fam}: simultaneous open"):
            peer = Peer(cable, fam, 2000).connect().send(SYN)
            is_(peer.answer().flags & (SYN | ACK), SYN | ACK, f"IPv{fam}: simultaneous open")
            mw_write("mode", "enforce")
            with counted() as diff:
                peer.send(ACK, Peer.DATA)
                is_(peer.heard(), True, f"IPv{fam}: its last segment finds SYN-RECV")
            is_([key for key in diff if "deny" in key[0]], [], f"IPv{fam}: and is not denied")
            peer.send(RST)
            peer.sock.close()
        mw_write("mode", "audit")
        with nothing_lost(f"IPv{fam}: fast open"), tcp_socket("gtw", FAMILIES[fam]) as listener:
            set_sysctl("net.ipv4.tcp_fastopen", NO_COOKIE)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
            listener.bind(("", 8080))
            listener.listen()
            listener.settimeout(5)
            peer = Peer(cable, fam, 2001, 8080).send(SYN, Peer.DATA)
            peer.sock, _ = listener.accept()
            is_(peer.heard(), True, f"IPv{fam}: fast open, data in the SYN")
            peer.ack = peer.answer().seq + 1
            mw_write("mode", "enforce")
            peer.send(ACK, Peer.DATA)
            is_(peer.heard(), True, f"IPv{fam}: fast open, the next finds SYN-RECV")
            peer.send(RST)
            peer.sock.close()
        mw_write("mode", "enforce")


def not_taken(cable):
    """Where the packet does not come to TCP, or TCP gets another one."""
    for fam in (4, 6):
        with nothing_lost(f"IPv{fam}: dropped after the look-up"):
            peer = Peer(cable, fam, 3000).opened()
            is_(peer.heard(), True, f"IPv{fam}: a connection")
            must(run("nft", "table inet later { chain in { type filter hook input priority 10; "
                            "tcp sport 587 counter drop; }; }"))
            for _ in range(5):
                cable.send(peer.segment(ACK, b"lost"))
            text = must(run("nft", "list table inet later")).stdout
            like(text, "packets 5 ", f"IPv{fam}: five of its segments are dropped later")
            must(run("nft", "delete table inet later"))
            peer.seq -= 5 * len(b"lost")
            peer.send(ACK, Peer.DATA)
            is_(peer.heard(), True, f"IPv{fam}: it goes on")
            peer.send(RST)
            peer.sock.close()
    with nothing_lost("fragments"):
        peer = Peer(cable, 6, 3001).opened()
        peer.heard()
        whole = peer.segment(ACK, Peer.DATA)
        for packet in fragments6(peer.address, peer.gateway, TCP, whole[40:], [24], 77):
            cable.send(packet)
        is_(peer.heard(), True, "IPv6: a segment in fragments")
        peer.send(RST)
        peer.sock.close()


def joined():
    """Subflows that the peer has let join connections of the gateway."""
    with open("/proc/net/netstat", encoding="ascii") as file:
        lines = [line.split() for line in file if line.startswith("MPTcpExt:")]
    return int(dict(zip(*lines)).get("MPJoinSynAckRx", 0))


def subflows():
    """Each subflow is a connection of its own."""
    if not has_mptcp():
        return
    must(sh("""ip addr add 192.0.2.9/24 dev any0
        # deprecated, so that no connection begins there
        ip addr add 2001:db8:a::9/64 dev any0 nodad preferred_lft 0
        for ns in gtw any; do in_ns $ns ip mptcp limits set subflow 2 add_addr_accepted 2; done
        ip mptcp endpoint add 192.0.2.9 dev any0 subflow
        ip mptcp endpoint add 2001:db8:a::9 dev any0 subflow"""))
    for fam in (4, 6):
        with nothing_lost(f"IPv{fam}: MPTCP"), counted() as diff:
            before = joined()
            with listening(fam, MPTCP) as listener:
                client, server = pair(listener)
                ok(passes(client, server), f"IPv{fam}: MPTCP, both ways")
                ok(wait_until(lambda: joined() > before, 10), f"IPv{fam}: a subflow joins")
            ok(passes(client, server), f"IPv{fam}: MPTCP, both ways over two subflows")
            client.close()
            server.close()
        is_([key for key in diff if "deny" in key[0]], [], f"IPv{fam}: MPTCP, none was denied")


def vrf():
    """The cable to ANY in a VRF, whose device the socket may be bound to, or the cable's."""
    if not join_vrf():
        return
    for fam in (4, 6):
        for device in ("red", "any0"):
            with nothing_lost(f"IPv{fam}: VRF, bound to {device}"), counted() as diff:
                with listening(fam) as listener:
                    client, server = pair(listener, device)
                ok(passes(client, server), f"IPv{fam}: VRF, bound to {device}, both ways")
                client.close()
                server.close()
            is_([key for key in diff if "deny" in key[0]], [],
                f"IPv{fam}: VRF, bound to {device}, none was denied")


def main():
    topology()
    ghosts()
    parts((instructions,), mend=mw_unload)
    must(mw_load())
    for name in ("tcp_early_demux", "ip_early_demux"):
        set_sysctl(f"net.ipv4.{name}", 0)
    set_sysctl("net.ipv4.tcp_synack_retries", 0)
    with netns("any"):
        cable = Cable("any")
    parts((words, half_open, not_taken), cable)
    parts((subflows, vrf))
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
