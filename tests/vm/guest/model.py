"""docs/decision.md once more, as a list of rows that is searched from the start."""
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128

TABLE = [
    (25, "GTW", "ANY"), (25, "ANY", "GTW"),
    (110, "GTW", "ANY"), (110, "ANY", "GTW"),
    (8450, "ADM", "GTW"),
    (465, "GTW", "ANY"), (465, "ANY", "GTW"),
    (587, "GTW", "ANY"), (587, "ANY", "GTW"),
    (995, "GTW", "ANY"), (995, "ANY", "GTW"),
]
# Open to any computer, and the far ends of what the gateway opens itself.
OPEN = [25, 110, 465, 587, 995]
# What listens on the gateway in these tests besides, and must not be seen.
HIDDEN = [22, 80, 3306, 8080]
CONSOLE = 8450
# PSH, ECE and CWR left aside.
VALID = [SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG]
REASONS = ["malformed", "flags", "peer", "no-connection", "closed"]


def judge(direction, flags, local, remote, adm, connected=False, site=()):
    """The reason of a denial, or None if the segment is allowed. `adm`: is the peer in ADM?
    `connected`: does the gateway hold the connection?"""
    rows = TABLE + list(site)
    inbound = [row for row in rows if row[2] == "GTW" and row[0] == local]
    outbound = [row for row in rows if row[1] == "GTW" and row[0] == remote]

    def holds(end):
        return end == "ANY" or adm

    if flags & ~(PSH | ECE | CWR) not in VALID:
        return "flags"
    opening = flags & (SYN | ACK) == SYN
    if inbound and not (opening and direction == "out"):
        return None if holds(inbound[0][1]) else "peer"
    if opening and direction == "in":
        return "closed"
    if inbound and not holds(inbound[0][1]):
        return "peer"
    if not outbound:
        return "closed"
    if not holds(outbound[0][2]):
        return "peer"
    if direction == "in" and not connected:
        return "no-connection"
    return None
