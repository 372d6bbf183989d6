"""Reader of decision.tsv, for tests that send packets or ask "mailwall explain".

    policies, vectors = load()

policies: name -> Policy(adm, site): lists of prefixes and of "PORT SOURCE TARGET".
vectors: Vector(name, direction, source, source_port, target, target_port, flags,
offset, length, connection, policy, expected, line); flags is a list of names.
"""
import collections
import os

FIELDS = ("name direction source source_port target target_port flags offset length "
          "connection policy expected line")
Vector = collections.namedtuple("Vector", FIELDS)
Policy = collections.namedtuple("Policy", "adm site")
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ECE": 64, "CWR": 128}
REASONS = ("malformed", "flags", "peer", "no-connection", "closed")


def flag_byte(names):
    return sum(FLAGS[name] for name in names)


def load(path=os.path.join(os.path.dirname(os.path.abspath(__file__)), "decision.tsv")):
    policies, vectors = {}, []
    with open(path) as lines:
        for line in lines:
            field = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                continue
            if field[0] == "policy":
                _, name, adm, site = field
                policies[name] = Policy(adm.split(), [row for row in site.split(", ") if row])
                continue
            v = Vector(*field)
            vectors.append(v._replace(
                source_port=int(v.source_port), target_port=int(v.target_port),
                flags=[] if v.flags == "none" else v.flags.split(","),
                offset=int(v.offset), length=int(v.length)))
    return policies, vectors


def in_one_line(text):
    """Without the ends of lines, which fall anywhere."""
    return " ".join(text.split())


def wrong(policies, vectors, page):
    """What is not sound in the vectors themselves, and quotes that are not on the page."""
    page = in_one_line(page)
    names = [v.name for v in vectors]
    found = [f"{name}: not the only one of this name" for name in names if names.count(name) > 1]
    for v in vectors:
        if v.policy not in policies:
            found.append(f"{v.name}: no policy {v.policy}")
        if v.expected not in REASONS and len(v.expected.split()) != 3:
            found.append(f"{v.name}: {v.expected} is no row and no reason")
        # A few words would stand on any page.
        if len(v.line) < 20 or in_one_line(v.line) not in page:
            found.append(f"{v.name}: not in docs/decision.md: {v.line}")
    return found
