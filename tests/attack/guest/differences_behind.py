"""Where mailwall and nft may differ over a gateway behind: as differences.py does for the host."""
from differences import *
from ground import fate
from middle import put_together


def verdict(trial):
    """The reason that mailwall must have, None if the segment must come to the gateway, "lost" if
    there is none. A trial of the hand-made cases knows when the kernel drops it."""
    if trial.direction == "out":
        return denial(trial)
    if trial.connection in ("held", "gone", "picked up"):
        return table(trial, made(trial.packets).body, True)
    fates = [fate(packet, trial.ns == "adm") for packet in trial.packets]
    through = [packet for packet, reason in zip(trial.packets, fates) if not reason]
    if any(map(made, put_together(through))):
        return None
    return next(filter(None, fates), "lost")


def could_write_over(trial, mailwall, nft):
    """A fragment is of offset 1 to 7, or a first one does not hold the header, or not early; all
    of them together make a segment that the table allows."""
    wholes = list(filter(None, map(made, put_together(trial.packets))))
    return not mailwall and nft and len(trial.packets) > 1 and len(wholes) == 1 and \
        header_whole(wholes[0].body) and table(trial, wholes[0].body, False) is None and \
        "malformed" in [fate(packet, trial.ns == "adm") for packet in trial.packets]


def flow_remembered(trial, mailwall, nft):
    """The connection has ended and conntrack knows no more of it; the flow is not yet 2 h 4 min
    old."""
    return mailwall and not nft and trial.connection == "gone" and bool(of_connection(trial))


def flow_picked_up(trial, mailwall, nft):
    """The gateway sent a segment in the midst of a connection that conntrack begins none with."""
    return mailwall and not nft and trial.connection == "picked up" and bool(of_connection(trial))


def small_fragments(trial, mailwall, nft):
    """IPv6 fragments, the largest below 1,280 bytes, through a bridge."""
    return mailwall and not nft and trial.bridged and verdict(trial) is None and \
        all(packet[0] >> 4 == 6 and len(packet) < 1280 and in_fragment(packet)
            for packet in trial.packets)


def in_fragment(packet):
    """Has an IPv6 packet a fragment header?"""
    proto, body = packet[6], packet[40:]
    while proto in (HBH, ROUTING, DSTOPTS) and len(body) >= 8:
        proto, body = body[0], body[(body[1] + 1) * 8:]
    return proto == FRAGMENT


DIFFERENCES = [
    ("fragment that could write over a header", could_write_over,
     "Step 1: a forwarded first fragment holds the whole TCP header, and no other fragment begins "
     "within its first 64 bytes (RFC 1858, RFC 3128). nft judges what conntrack puts together."),
    ("contradicting header", header_contradicts,
     "Step 1: a data offset below 5 or past the segment is malformed. nft has no word for the "
     "length of a segment; TCP drops it behind nft."),
    ("small fragments in a bridge", small_fragments,
     "Fragments and extension headers: whole segments that are allowed stay allowed when a path "
     "fragments them. The bridge's conntrack drops what it has put together of IPv6 fragments "
     "below 1,280 bytes: nf_br_ip6_fragment()."),
    ("out of window", out_of_window,
     "Connections of a gateway behind: an inbound segment belongs to a connection if its flow was "
     "noted. Numbers and checksums are the gateway's to judge."),
    ("flow remembered", flow_remembered,
     "Connections of a gateway behind: for 2 h 4 min after the gateway's last segment (RFC 5382); "
     "conntrack forgets by TCP's state."),
    ("picked up", flow_picked_up,
     "Connections of a gateway behind: any segment but RST that an outbound row alone allows notes "
     "the flow, so that connections go on after a reload; conntrack takes up those that begin with "
     "SYN or ACK."),
]


def explain(trial, mailwall, nft):
    """Names of the entries that take the difference in."""
    return [name for name, predicate, _ in DIFFERENCES if predicate(trial, mailwall, nft)]
