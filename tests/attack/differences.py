"""Where mailwall and nft may differ: a closed list. Each entry is a name, the reason, and a
predicate over the trial (its packets, its direction, its connection) and both fates. A
difference that no entry takes in fails the test."""
import struct

TCP, FRAGMENT, DSTOPTS, ROUTING, HBH = 6, 44, 60, 43, 0


def tcp_part(packet):
    """(bytes from the TCP header on, is it a first or only fragment's?), or None if the chain
    leads elsewhere or past the end."""
    if packet[0] >> 4 == 4:
        size = (packet[0] & 15) * 4
        offset = struct.unpack("!H", packet[6:8])[0] & 0x1fff
        return (packet[size:struct.unpack("!H", packet[2:4])[0]], offset == 0) \
            if packet[9] == TCP else None
    proto, at = packet[6], 40
    while proto in (HBH, ROUTING, FRAGMENT, DSTOPTS):
        if at + 8 > len(packet):
            return None
        if proto == FRAGMENT and struct.unpack("!H", packet[at + 2:at + 4])[0] & 0xfff8:
            return packet[at + 8:], False
        step = 8 if proto == FRAGMENT else (packet[at + 1] + 1) * 8
        proto, at = packet[at], at + step
    return (packet[at:], True) if proto == TCP and at <= len(packet) else None


def header_whole(body):
    """Does the TCP header fit, options included?"""
    return len(body) >= 20 and 5 <= body[12] >> 4 and (body[12] >> 4) * 4 <= len(body)


def ipv6_fragments(trial):
    """Is it in IPv6 fragments?"""
    return len(trial.packets) > 1 and trial.packets[0][0] >> 4 == 6


def short_first_fragment(trial, mailwall, nft):
    """The first IPv6 fragment does not hold the whole TCP header, or not the whole chain."""
    if mailwall or not nft or not ipv6_fragments(trial):
        return False
    parts = [tcp_part(packet) for packet in trial.packets]
    return not any(part and part[1] and header_whole(part[0]) for part in parts)


def header_contradicts(trial, mailwall, nft):
    """A TCP header whose data offset is too small or points past the segment."""
    part = tcp_part(trial.packets[0]) if len(trial.packets) == 1 else None
    return not mailwall and nft and part is not None and not header_whole(part[0])


def out_of_window(trial, mailwall, nft):
    """It belongs to a connection that the gateway holds, but conntrack finds its numbers, its
    flags or its checksum wrong."""
    return mailwall and not nft and trial.direction == "in" and trial.connection == "held"


def forgotten(trial, mailwall, nft):
    """The gateway's socket is gone, conntrack's entry is not yet."""
    return not mailwall and nft and trial.direction == "in" and trial.connection == "gone"


DIFFERENCES = [
    ("short first fragment", short_first_fragment,
     "POLICY.md step 1: a first or atomic fragment that does not hold the whole TCP header, options "
     "included (RFC 7112), is malformed. nft judges what nf_defrag_ipv6 puts together."),
    ("contradicting header", header_contradicts,
     "POLICY.md step 1: a data offset below 5 or past the segment is malformed. nft has no word for "
     "the length of a segment; TCP drops it behind nft."),
    ("out of window", out_of_window,
     "POLICY.md step 4: a continuing segment is allowed if the host's own socket table has its "
     "connection. Numbers and checksums are TCP's to judge, right behind; conntrack does it twice."),
    ("forgotten connection", forgotten,
     "POLICY.md, consequences: the host's socket table is the connection tracker, so a reply has no "
     "row once the socket is gone; conntrack remembers it for its time-outs."),
]


def explain(trial, mailwall, nft):
    """Names of the entries that take the difference in."""
    return [name for name, predicate, _ in DIFFERENCES if predicate(trial, mailwall, nft)]
