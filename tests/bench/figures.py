"""What the benchmarks counted, and the bars that it is held against."""
import csv
import os

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
}
# How many times mailwall's instructions others take at least (IPv4).
LOOKUP = ("reply-587-lookup", "stray-reply")
COMPARED = ("in-open-25", "in-data-995", "out-data-25", "out-synack-25", "adm-8450-1",
            "adm-8450-64", "reply-587", "deny-8450-64", "deny-closed", "deny-out") + LOOKUP
RATIOS = {"nft": (6, 4), "nft-ct": (15, 9), "ipt-legacy": (2.8, 2.2)}
# Of a whole transaction.
STACK_MORE = 0.012
GROWTH = 0.05
MODULE_BYTES = 64 * 1024


def read(directory, name):
    """Rows of a file as dictionaries; none if it was not made."""
    path = os.path.join(directory, name + ".csv")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def segments(directory, name="segments"):
    """{(chain, family, class): instructions}, in the file's order."""
    return {(row["chain"], int(row["family"]), row["class"]): float(row["instructions"])
            for row in read(directory, name)}


def stack(directory):
    """{(chain, family, way): instructions}"""
    return {(row["chain"], int(row["family"]), row["way"]): float(row["instructions"])
            for row in read(directory, "stack")}


def bar(version, name):
    """The most that a class may cost, in empty hooks."""
    return BARS[name] + (IPV6_MORE if version == 6 else 0)


def empty_of(figures, version, name):
    """The empty hook's figure for a class; those that only mailwall has take a like one's."""
    like = "in-data-995" if name == "site-2016" else name.removesuffix("-worst")
    return figures["empty", version, like]
