"""Where mailwall and nft may differ: a closed list. Each entry is a name, the reason, and a
predicate over the trial (its packets, its direction, its connection) and both fates. A
difference that no entry takes in fails the test. An entry takes in what it names and nothing
else: but for that, the segment must be whole, valid and one that the table would allow.
differences.t shows what each of them refuses.
"""
import collections
import struct

from model import judge

TCP, FRAGMENT, DSTOPTS, ROUTING, HBH = 6, 44, 60, 43, 0
WINDOW = 1 << 16    # what a peer may be ahead of the gateway at most, without window scaling


class Trial:
    """Packets that make up one segment. `connection`: None, or the gateway's that it belongs
    to is "held" or "gone"; `awaited`: the number that this connection awaits next; `reason`:
    as Case has it, or else the model tells."""
    bridged = False     # goes through a bridge to the gateway

    def __init__(self, packets, window, ns, direction="in", connection=None, about="", to=None,
                 awaited=0, reason=...):
        self.packets, self.window, self.ns, self.direction = packets, window, ns, direction
        self.connection, self.about, self.to, self.awaited = connection, about, to, awaited
        self.reason = denial(self) if reason is ... else reason


# A segment as the stack puts it together: the addresses, the bytes from the TCP header on, and
# those of them that the first fragment has.
Made = collections.namedtuple("Made", "family addresses body first")


def walk(proto, body):
    """The protocol and the bytes behind extension headers, or None if they are cut off."""
    while proto in (HBH, ROUTING, DSTOPTS):
        if len(body) < 8 or len(body) < (body[1] + 1) * 8:
            return None
        proto, body = body[0], body[(body[1] + 1) * 8:]
    return proto, body


def piece(packet):
    """(whose, offset, more to come, protocol, bytes) of what a packet carries of a datagram."""
    if packet[0] >> 4 == 4:
        total, ident, where = struct.unpack("!HHH", packet[2:8])
        return (packet[12:20], ident), (where & 0x1fff) * 8, bool(where & 0x2000), packet[9], \
            packet[(packet[0] & 15) * 4:total]
    size, proto = struct.unpack("!HB", packet[4:7])
    found = walk(proto, packet[40:40 + size])
    if not found:
        return None
    proto, body = found
    if proto != FRAGMENT:
        return (packet[8:40], None), 0, False, proto, body
    if len(body) < 8:
        return None
    proto, where, ident = struct.unpack("!BxHI", body[:8])
    return (packet[8:40], ident), where & ~7, bool(where & 1), proto, body[8:]


def made(packets):
    """The one segment that these packets make, or None."""
    pieces = [piece(packet) for packet in packets]
    if None in pieces or len({whose for whose, *_ in pieces}) > 1:
        return None
    pieces.sort(key=lambda item: item[1])
    whole = b""
    for _, offset, _, _, body in pieces:
        if offset != len(whole):
            return None
        whole += body
    if [more for _, _, more, _, _ in pieces] != [True] * (len(pieces) - 1) + [False]:
        return None
    (addresses, _), _, _, proto, first = pieces[0]
    found, family = walk(proto, whole), packets[0][0] >> 4
    if not found or found[0] != TCP:
        return None
    # IPv4 is put together before the hook.
    head = found if family == 4 else walk(proto, first)
    return Made(family, addresses, found[1], head[1] if head and head[0] == TCP else b"")


def header_whole(body):
    """Does the TCP header fit, options included?"""
    return len(body) >= 20 and 5 <= body[12] >> 4 and (body[12] >> 4) * 4 <= len(body)


def table(trial, body, connected):
    """What the table says of these ports and flags."""
    source, target = struct.unpack("!HH", body[:4])
    local, remote = (target, source) if trial.direction == "in" else (source, target)
    return judge(trial.direction, body[13], local, remote, trial.ns == "adm", connected)


def denial(trial):
    """The reason that mailwall must have to deny a trial, None if it must let it pass, "lost"
    if there is no segment."""
    segment = made(trial.packets)
    if not segment:
        return "lost"
    if not header_whole(segment.first):
        return "malformed"
    return table(trial, segment.body, trial.connection == "held")


def checksum_right(segment):
    """Is TCP's checksum right?"""
    data = segment.addresses + struct.pack("!II", len(segment.body), TCP) + segment.body
    data += bytes(len(data) % 2)
    return sum(struct.unpack(f"!{len(data) // 2}H", data)) % 0xffff == 0


def short_first_fragment(trial, mailwall, nft):
    """The first IPv6 fragment does not hold the whole TCP header, or not the whole chain; all
    of them together make a segment that the table allows."""
    segment = made(trial.packets)
    return not mailwall and nft and segment and header_whole(segment.body) and \
        not header_whole(segment.first) and table(trial, segment.body, False) is None


def header_contradicts(trial, mailwall, nft):
    """A TCP header whose data offset is too small or points past the segment; its ports and
    flags are ones that the table allows."""
    segment = made(trial.packets)
    return not mailwall and nft and len(trial.packets) == 1 and segment and \
        len(segment.body) >= 20 and not header_whole(segment.body) and \
        table(trial, segment.body, False) is None


def of_connection(trial):
    """The segment, if it is whole and valid, opens nothing, and is let in for its connection
    alone; or None."""
    segment = made(trial.packets)
    if len(trial.packets) == 1 and segment and header_whole(segment.body) and \
            table(trial, segment.body, False) == "no-connection":
        return segment
    return None


def out_of_window(trial, mailwall, nft):
    """It belongs to a connection that the gateway holds, but its number is out of the window,
    or its checksum wrong."""
    segment = of_connection(trial)
    if not mailwall or nft or trial.connection != "held" or not segment:
        return False
    ahead = (struct.unpack("!I", segment.body[4:8])[0] - trial.awaited) & 0xffffffff
    return ahead >= WINDOW or not checksum_right(segment)


def forgotten(trial, mailwall, nft):
    """The gateway's socket is gone, conntrack's entry is not yet."""
    return not mailwall and nft and trial.connection == "gone" and of_connection(trial)


# Their places are in docs/decision.md.
DIFFERENCES = [
    ("short first fragment", short_first_fragment,
     "Step 1: a first or atomic fragment that does not hold the whole TCP header, options included "
     "(RFC 7112), is malformed. nft judges what nf_defrag_ipv6 puts together."),
    ("contradicting header", header_contradicts,
     "Step 1: a data offset below 5 or past the segment is malformed. nft has no word for the "
     "length of a segment; TCP drops it behind nft."),
    ("out of window", out_of_window,
     "Step 4: a continuing segment is allowed if the host's own socket table has its connection. "
     "Numbers and checksums are TCP's to judge, right behind; conntrack does it twice."),
    ("forgotten connection", forgotten,
     "Consequences: the host's socket table is the connection tracker, so a reply has no row once "
     "the socket is gone; conntrack remembers it for its time-outs."),
]


def explain(trial, mailwall, nft):
    """Names of the entries that take the difference in."""
    return [name for name, predicate, _ in DIFFERENCES if predicate(trial, mailwall, nft)]
