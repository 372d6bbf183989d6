"""Reader of decision.tsv, for tests that send packets or ask "mailwall explain".

    policies, vectors = load()

policies: name -> Policy(adm, site): lists of prefixes and of "PORT SOURCE TARGET".
vectors: Vector(name, direction, source, source_port, target, target_port, flags,
offset, length, connection, policy, expected, line); flags is a list of names.
"""
import collections
import os
import sys

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


def check(page):
    """The vectors are sound in themselves, and their quotes stand on the page."""
    policies, vectors = load()
    assert len({v.name for v in vectors}) == len(vectors), "names are not unique"
    for v in vectors:
        assert v.policy in policies, v
        assert v.expected in REASONS or len(v.expected.split()) == 3, v
        flag_byte(v.flags)
        assert page is None or v.line in page, "not in POLICY.md: %s: %s" % (v.name, v.line)
    return len(vectors)


if __name__ == "__main__":
    print(check(open(sys.argv[1]).read() if len(sys.argv) > 1 else None))
