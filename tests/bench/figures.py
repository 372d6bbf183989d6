"""What the benchmarks counted, and the bars that it is held against."""
import os

from bars import read

# The most that a class may cost, in empty hooks (IPv4; IPv6 half a hook more).
BARS = {
    "in-open-25": 1.6, "in-data-995": 1.6, "out-data-25": 1.6, "out-synack-25": 1.6,
    "site-2016": 1.6,
    "adm-8450-1": 1.8, "adm-8450-64": 2.4, "adm-8450-64-worst": 2.4,
    "deny-8450-64": 2.6, "deny-8450-64-worst": 2.6,
    "reply-587": 1.8, "reply-587-lookup": 3.5, "stray-reply": 3.5,
    "deny-closed": 1.8, "deny-out": 1.8, "deny-flags": 1.8,
    "udp": 1.15, "loopback": 1.15,
}
IPV6_MORE = 0.5
# The same for gateways behind, at an empty hook's place: told by their address, or by the device
# that they are on, at FORWARD and in a bridge.
BEHIND = {
    "address": {"other": 1.9, "in": 2.0, "out": 2.8, "reply": 2.9, "denied": 2.1},
    "port": {"other": 1.5, "in": 1.8, "out": 2.5, "reply": 2.5, "denied": 1.9},
    "bridge": {"other": 1.5, "in": 1.8, "out": 2.5, "reply": 2.5, "denied": 1.9},
}
# How many empty hooks IPv6 takes more than IPv4 at most, and how many times mailwall's
# instructions nftables with conntrack takes at least (IPv4, by address).
BEHIND_IPV6_MORE = 0.6
BEHIND_RATIO = 12
DESCRIPTIONS = {
    "in-open-25": "opening segment to port 25",
    "in-data-995": "data to port 995",
    "out-data-25": "data to another host's port 25",
    "out-synack-25": "SYN+ACK from port 25",
    "site-2016": "data to the last site row's port",
    "adm-8450-1": "data to 8450 from ADM, 1 prefix",
    "adm-8450-64": "data to 8450 from ADM, 64 prefixes",
    "adm-8450-64-worst": "the same, the dearest of all prefixes",
    "deny-8450-64": "SYN to 8450 from elsewhere, denied",
    "deny-8450-64-worst": "the same, the dearest gap between prefixes",
    "reply-587": "reply from 587, socket in skb->sk",
    "reply-587-lookup": "reply from 587, socket looked up",
    "stray-reply": "reply from 587 to no connection, denied",
    "deny-closed": "SYN to a closed port, denied",
    "deny-out": "SYN to another host's port 8080, denied",
    "deny-flags": "FIN+PSH+URG to port 25, denied",
    "udp": "UDP",
    "loopback": "TCP over loopback",
    "other": "data between computers that are not guarded",
    "in": "data to a gateway's port 995",
    "out": "data from a gateway to port 25, its flow noted",
    "reply": "reply from 587 to a gateway, its flow looked up",
    "denied": "SYN to a gateway's closed port, denied",
}
# How many times mailwall's instructions others take at least (IPv4).
LOOKUP = ("reply-587-lookup", "stray-reply")
COMPARED = ("in-open-25", "in-data-995", "out-data-25", "out-synack-25", "adm-8450-1",
            "adm-8450-64", "reply-587", "deny-8450-64", "deny-closed", "deny-out") + LOOKUP
RATIOS = {"nft": (6, 4), "nft-ct": (15, 9), "ipt-legacy": (2.8, 2.2)}
# The ways of a whole transaction, and what it may cost more.
WAYS = ("in-25", "out-25")
STACK_MORE = 0.012
# What processors.py sends on several at once.
ON_PROCESSORS = ("in-data-995", "in-data-995-ipv6", "deny-closed", "forward-in", "forward-out",
                 "forward-reply")
GROWTH = 0.05
# Until gateways behind came it was 64 KiB: of them are the short ways of a segment for each family
# and place (12 KiB), the general one, flows, devices and routes (12), and what sets, keeps,
# explains and tells a third list. With the tracepoint, and what tells who changed what, 104 KiB were
# 12 too few; one more is what keeps audit mode and logging on the short way.
MODULE_BYTES = 117 * 1024
FLOW_BYTES = 1024 * 1024


def segments(directory, name="segments"):
    """{(chain, family, class): instructions}, in the file's order."""
    return {(row["chain"], int(row["family"]), row["class"]): float(row["instructions"])
            for row in read(directory, name)}


def behind():
    """(class as forward.csv names it, bar) of each bar of gateways behind."""
    for place, classes in BEHIND.items():
        for name, most in classes.items():
            yield f"{place}-{name}", most


def stack(directory):
    """{(chain, family, way): instructions}"""
    return {(row["chain"], int(row["family"]), row["way"]): float(row["instructions"])
            for row in read(directory, "stack")}


def bar(version, name):
    """The most that a class may cost, in empty hooks."""
    return BARS[name] + (IPV6_MORE if version == 6 else 0)


def empty_of(version, name):
    """The empty hook's figure for a class; those that only mailwall has take a like one's."""
    like = "in-data-995" if name == "site-2016" else name.removesuffix("-worst")
    return "empty", version, like


def kernel(directory):
    """The kernel that something was measured on, as segments.py wrote it."""
    with open(os.path.join(directory, "machine.txt"), encoding="ascii") as file:
        return file.readline().strip().removeprefix("kernel: ")
