"""A gateway behind the host that guards it, routed or bridged, and the far ends that it has in
the other attacks: whatever is sent to GTW4 and GTW6 goes to it."""
from wire import *

INNER = {4: "10.9.0.2", 6: "2001:db8:9::2"}
HOST = {4: "10.9.0.1", 6: "2001:db8:9::1"}
OWN = {4: dict(GTW4), 6: dict(GTW6)}
OWN_MAC = dict(GTW_MAC)
CABLE = "02:00:00:00:0c:0"
BITS = {4: 24, 6: 64}
NODAD = {4: [], 6: ["nodad"]}
PEERS = {4: {"any": ANY4, "adm": ADM4}, 6: {"any": ANY6, "adm": ADM6}}
GHOSTS = {4: {"any": "198.18.0.0/16", "adm": "198.19.0.0/16"},
          6: {"any": "2001:db8:f::/48", "adm": "2001:db8:c::/48"}}

FLOWS = 1024    # as the module is loaded
# What the table of flows has room for at most: seven for each two.
ROOM = FLOWS // 2 * 7

NAT = f"""
table inet translated {{
    chain pre {{
        type nat hook prerouting priority dstnat;
        iifname != {{ any0, adm0 }} return
        meta l4proto != tcp return
        ip daddr {{ {GTW_ANY4}, {GTW_ADM4} }} dnat ip to {INNER[4]}
        ip6 daddr {{ {GTW_ANY6}, {GTW_ADM6} }} dnat ip6 to {INNER[6]}
    }}
    chain post {{
        type nat hook postrouting priority srcnat;
        oifname {{ any0, adm0 }} masquerade
    }}
}}"""


class Ground:
    """The guarding host, which is "gtw" or its twin, with the gateway behind it. The gateway and
    all that listens there stay while the way to it changes."""

    def __init__(self, middle="gtw", twin=""):
        self.middle, self.twin, self.gateway = middle, twin, "gate" + twin
        must(run("ip", "netns", "add", self.gateway))
        with netns(self.gateway):
            must(sh("quiet_ipv6"))
        self.on_middle("link", "add", "gw0", "address", CABLE + "1", "type", "veth", "peer",
                       "name", "eth0", "address", CABLE + "2", "netns", self.gateway)
        self.on_middle("link", "set", "gw0", "up")
        for device in ("lo", "eth0"):
            self.on_gateway("link", "set", device, "up")

    def on_middle(self, *words):
        """ip(8) on the guarding host."""
        with netns(self.middle):
            must(run("ip", *words))

    def on_gateway(self, *words):
        """ip(8) on the gateway."""
        must(run("ip", "-n", self.gateway, *words))

    def on_far(self, ns, *words):
        """ip(8) on a host outside."""
        must(run("ip", "-n", ns + self.twin, *words))

    def forwarding(self, on):
        """Does the host route?"""
        with netns(self.middle):
            must(run("sysctl", "-qw", f"net.ipv4.ip_forward={on}",
                     f"net.ipv6.conf.all.forwarding={on}"))

    def sends_to(self, mac, address):
        """Where segments to the gateway go to."""
        GTW_MAC.update(mac)
        GTW4.update(address[4])
        GTW6.update(address[6])

    def routed(self):
        """The gateway has an address of its own and the host routes."""
        self.forwarding(1)
        for fam in (4, 6):
            self.on_middle("address", "add", f"{HOST[fam]}/{BITS[fam]}", "dev", "gw0", *NODAD[fam])
            self.on_gateway("address", "add", f"{INNER[fam]}/{BITS[fam]}", "dev", "eth0",
                            *NODAD[fam])
            self.on_gateway(f"-{fam}", "route", "add", "default", "via", HOST[fam])
            for ns in ("any", "adm"):
                self.on_far(ns, "route", "add", INNER[fam], "via", OWN[fam][ns])
        self.sends_to(OWN_MAC, {fam: dict.fromkeys(("any", "adm"), INNER[fam]) for fam in (4, 6)})
        self.await_gateway()

    def translated(self):
        """After routed(): the gateway hides behind the host's addresses."""
        with netns(self.middle):
            must(run("nft", NAT))
        self.sends_to(OWN_MAC, OWN)

    def bridged(self):
        """After routed(), or not: the gateway has the host's addresses; the host bridges, and has
        others."""
        with netns(self.middle):
            run("nft", "delete", "table", "inet", "translated")
        self.forwarding(0)
        self.on_middle("link", "add", "br0", "type", "bridge")
        self.on_middle("link", "set", "br0", "up")
        for device in ("any0", "adm0", "gw0"):
            self.on_middle("address", "flush", "dev", device)
            self.on_middle("link", "set", device, "master", "br0")
        self.on_gateway("address", "flush", "dev", "eth0")
        for fam in (4, 6):
            # It led to the router, which is gone. Linux would take it in place of a route whose
            # next hop did not answer: rt6_check_neigh(), fib6_table_lookup().
            run("ip", "-n", self.gateway, f"-{fam}", "route", "del", "default")
        for ns in ("any", "adm"):
            for fam in (4, 6):
                own = OWN[fam][ns]
                self.on_middle("address", "add", f"{own}1/{BITS[fam]}", "dev", "br0", *NODAD[fam])
                self.on_gateway("address", "add", f"{own}/{BITS[fam]}", "dev", "eth0",
                                *NODAD[fam])
                self.on_gateway("route", "add", GHOSTS[fam][ns], "via", PEERS[fam][ns])
            self.on_far(ns, "neigh", "flush", "all")
        mac = bytes.fromhex((CABLE + "2").replace(":", ""))
        self.sends_to(dict.fromkeys(("any", "adm"), mac), OWN)
        self.await_gateway()

    def bare(self):
        """After bridged(): the bridge has no address."""
        self.on_middle("address", "flush", "dev", "br0")

    def await_gateway(self):
        """The far ends reach it."""
        for ns in ("any", "adm"):
            for address in (GTW4[ns], GTW6[ns]):
                with netns(ns + self.twin):
                    must(sh(f"wait_until 30 ping -c 1 -W 1 {address}"))


class Wire:
    """What comes to a host by its cable, as it comes."""

    def __init__(self, ns):
        with netns(ns):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.sock.bind(("eth0", 3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)   # SO_RCVBUFFORCE
        self.sock.setblocking(False)

    def received(self):
        """IP packets since the last call."""
        return [data[14:] for data in frames(self.sock)
                if data[12:14] in (b"\x08\x00", b"\x86\xdd")]


def kept(packet):
    """What of a packet no router changes."""
    if packet[0] >> 4 == 4:
        return packet[4:8] + packet[12:20] + packet[(packet[0] & 15) * 4:
                                                    struct.unpack("!H", packet[2:4])[0]]
    return packet[6:7] + packet[8:40 + struct.unpack("!H", packet[4:6])[0]]


def header_fate(body, end, adm):
    """Steps 1 to 5 for what begins with a TCP header; `end`: the most that it may take."""
    size = (body[12] >> 4) * 4 if len(body) >= 20 else 0
    if size < 20 or size > min(len(body), end):
        return "malformed"
    source, target = struct.unpack("!HH", body[:4])
    return judge("in", body[13], target, source, adm)


CHAIN = (HBH, ROUTING, DSTOPTS, AH, FRAGMENT)


def fate(packet, adm):
    """The reason for which a packet to a gateway behind is denied, or None: docs/decision.md,
    packet by packet, for one that the IP layer takes and that belongs to no connection."""
    if packet[0] >> 4 == 4:
        total, where = struct.unpack("!H2xH", packet[2:8])
        offset = (where & 0x1fff) * 8
        if packet[9] != TCP or offset >= 64:
            return None
        # an IPv4 header never ends behind the 64th byte
        return "malformed" if offset else header_fate(packet[(packet[0] & 15) * 4:total], 60, adm)
    proto, at, end = packet[6], 40, 40 + struct.unpack("!H", packet[4:6])[0]
    limit = end
    outer = True
    walked = 0
    while proto in CHAIN:
        walked += 1
        if at + 8 > end or walked > 12 and not walks_on():
            return "malformed"
        size = (packet[at + 1] + 1) * 8 if proto != AH else (packet[at + 1] + 2) * 4
        if proto == FRAGMENT:
            size, where = 8, struct.unpack("!H", packet[at + 2:at + 4])[0]
            if where & ~7:
                # within a fragment, what goes on where none can follow it is no chain
                cut_off = not outer and packet[at] in CHAIN
                return "malformed" if where & ~7 < 64 or cut_off else None
            if outer and where & 1:
                limit = at + 8 + 64
            outer = False
        proto, at = packet[at], at + size
    return header_fate(packet[at:end], limit - at, adm) if proto == TCP else None
