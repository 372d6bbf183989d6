"""Reader of tests/vectors/decision.tsv, for tests that send packets or ask "mailwall explain".

    policies, vectors = load()

policies: name -> Policy(adm, site, gtw): lists of prefixes, of "PORT SOURCE TARGET", of items.
vectors: Vector(name, direction, source, source_port, target, target_port, flags,
offset, length, connection, policy, expected, line); flags is a list of names.

    policies, behind = load_behind()

behind: Behind(name, hook, in_device, out_device, source, source_port, target, target_port,
flags, offset, length, flow, policy, expected, line): gateways behind this host; expected is
a list of judgements, (way, item, row or reason), empty if nobody's.
"""
import collections
import os

FIELDS = ("name direction source source_port target target_port flags offset length "
          "connection policy expected line")
Vector = collections.namedtuple("Vector", FIELDS)
Policy = collections.namedtuple("Policy", "adm site gtw")
Behind = collections.namedtuple("Behind", "name hook in_device out_device source source_port "
                                "target target_port flags offset length flow policy expected line")
FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ECE": 64, "CWR": 128}
REASONS = ("malformed", "flags", "peer", "no-connection", "closed")


def flag_byte(names):
    return sum(FLAGS[name] for name in names)


PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vectors/decision.tsv")


def numbers_of(v):
    """The vector with numbers for text where they are some."""
    return v._replace(source_port=int(v.source_port), target_port=int(v.target_port),
                      flags=[] if v.flags == "none" else v.flags.split(","),
                      offset=int(v.offset), length=int(v.length))


def read(path):
    """policies, vectors, vectors of gateways behind"""
    policies, vectors, behind = {}, [], []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            field = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                continue
            if field[0] == "policy":
                _, name, adm, site, *gtw = field
                policies[name] = Policy(adm.split(), [row for row in site.split(", ") if row],
                                        gtw[0].split() if gtw else ["this"])
            elif field[0] == "behind":
                v = numbers_of(Behind(*field[1:]))
                judgements = [] if v.expected == "unjudged" else v.expected.split("; ")
                behind.append(v._replace(expected=[tuple(j.split(" ", 2)) for j in judgements]))
            else:
                vectors.append(numbers_of(Vector(*field)))
    return policies, vectors, behind


def load(path=PATH):
    policies, vectors, _ = read(path)
    return policies, vectors


def load_behind(path=PATH):
    policies, _, behind = read(path)
    return policies, behind


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
        for fate in [v.expected] if isinstance(v, Vector) else [fate for _, _, fate in v.expected]:
            if fate not in REASONS and len(fate.split()) != 3:
                found.append(f"{v.name}: {fate} is no row and no reason")
        # A few words would stand on any page.
        if len(v.line) < 20 or in_one_line(v.line) not in page:
            found.append(f"{v.name}: not in docs/decision.md: {v.line}")
    return found
