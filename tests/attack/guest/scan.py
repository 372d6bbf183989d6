#!/usr/bin/python3
"""nmap's scans: an ANY host learns of 25, 110, 465, 587 and 995, an ADM host of 8450 besides,
and of no other port anything at all."""
import concurrent.futures
import random
import sys
import xml.etree.ElementTree

from lib import *
from model import CONSOLE, HIDDEN, OPEN
from wire import stats

# Name, option, the state of a port that the table opens, of all others. Linux answers ACK,
# Window and Maimon probes with RST whether anything listens or not, so those tell no more
# than that a row has the port; FIN, NULL and Xmas segments reach none.
KINDS = [
    ("SYN", "-sS", "open", "filtered"),
    ("ACK", "-sA", "unfiltered", "filtered"),
    ("FIN", "-sF", None, "open|filtered"),
    ("NULL", "-sN", None, "open|filtered"),
    ("Xmas", "-sX", None, "open|filtered"),
    ("Window", "-sW", "closed", "filtered"),
    ("Maimon", "-sM", "closed", "open|filtered"),
]
SOURCES = [None, *OPEN]
HOSTS = {("any", 4): GTW_ANY4, ("any", 6): GTW_ANY6, ("adm", 4): GTW_ADM4, ("adm", 6): GTW_ADM6}
ALL = "1-65535"


def ranges(text):
    """The ports that nmap's notation means."""
    ports = set()
    for item in filter(None, text.split(",")):
        first, _, last = item.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    return ports


def nmap_once(ns, fam, ports, *options):
    """{port: (state, reason)}, or why nmap gave up."""
    done = run("nsenter", f"--net=/run/netns/{ns}", "nmap", "-n", "-Pn", *["-6"] * (fam == 6),
               *options, "--max-retries", "0" if ports == ALL else "1", "--min-rtt-timeout",
               "400ms", "--initial-rtt-timeout", "400ms", "--min-rate",
               "8000" if ports == ALL else "500",
               "-p", ports, "-oX", "-", HOSTS[ns, fam])
    states = {}
    try:
        tree = xml.etree.ElementTree.fromstring(done.stdout[done.stdout.index("<?xml"):])
    except (ValueError, xml.etree.ElementTree.ParseError):
        return done.stdout
    if done.returncode or tree.find("runstats/finished").get("exit") != "success" or \
            tree.find("host/ports") is None:
        return f"status {done.returncode}: {done.stdout}"
    for extra in tree.iter("extraports"):
        for reason in extra.iter("extrareasons"):
            for port in ranges(reason.get("ports")):
                states[port] = extra.get("state"), reason.get("reason")
    for port in tree.iter("port"):
        state = port.find("state")
        states[int(port.get("portid"))] = state.get("state"), state.get("reason")
    return states


def nmap(*what):
    """As nmap_once(); what a scan that broke off says of no port is nothing to judge by."""
    for _ in range(3):
        got = nmap_once(*what)
        if not isinstance(got, str):
            return got
        diag(f"nmap {what} gave up: {got}")
    raise RuntimeError(f"nmap {what} gave up three times")


def scan(ns, fam, kind, source, split, ports):
    """(name, what is wrong) of one scan."""
    name, option, told, untold = kind
    options = [option] + (["-g", str(source)] if source else []) + ["-f"] * split
    known = [] if told is None else OPEN + [CONSOLE] * (ns == "adm")
    want = {port: (told, "syn-ack" if told == "open" else "reset") if port in known else
            (untold, "no-response") for port in ranges(ports)}
    got, asked = {}, ports
    for _ in range(4):
        got.update(nmap(ns, fam, asked, *options))
        wrong = [port for port in want if got.get(port) != want[port]]
        # On a busy machine an answer may be late and a fragment lost: no secret is told so,
        # and those ports alone are asked again, without haste.
        if not wrong or any(got.get(port) != ("filtered", "time-exceeded") and not
                            (port in known and got.get(port) == (untold, "no-response"))
                            for port in wrong):
            break
        asked = ",".join(map(str, wrong))
    title = (f"{name} scan of {len(want)} ports, IPv{fam}, {ns.upper()} host"
             f"{f', from port {source}' if source else ''}{', in fragments' if split else ''}: "
             f"sees {'nothing' if not known else ' '.join(map(str, sorted(known)))}")
    return title, "\n".join(f"{port}: {got.get(port)}, not {want[port]}"
                            for port in sorted(wrong)[:20]), len(want)


def plans(size, sample):
    """What to scan: with "long" every combination of all ports; else each kind from each
    host with the source ports taking turns, and with "few" no more than that."""
    forms = [(4, False), (4, True), (6, False)]
    if size == "long":
        return [(ns, fam, kind, source, split, ALL) for ns in ("any", "adm")
                for fam, split in forms for kind in KINDS for source in SOURCES]
    turn = 0
    few = []
    for kind in KINDS:
        for ns in ("any", "adm"):
            for fam, split in forms:
                few.append((ns, fam, kind, SOURCES[turn % len(SOURCES)], split, sample))
                turn += 1
        turn += 1   # so that a form does not meet the same source ports with each kind
    whole = [("any", fam, KINDS[n], SOURCES[n], False, ALL) for n in (0, 1) for fam in (4, 6)]
    return few if size == "few" else whole + few


def control(sample):
    """Without the module the same scans tell of every port."""
    for fam in (4, 6):
        plain = nmap("any", fam, sample, "-sS")
        fin = nmap("any", fam, sample, "-sF", "-g", "25")
        listening = sorted(OPEN + HIDDEN + [CONSOLE])
        ok(sorted(p for p in plain if plain[p][0] == "open") == listening and
           sorted(p for p in fin if fin[p][0] == "open|filtered") == listening and
           set(plain) == set(fin) == ranges(sample),
           f"without the module scans tell of all {len(ranges(sample))} ports, IPv{fam}",
           f"{plain}\n{fin}")


def denied():
    """How many inbound segments have been, so far."""
    return sum(count for key, count in stats().items() if key[0] == "in")


def main():
    size, seed = sys.argv[1] if len(sys.argv) > 1 else "", 8450
    near = {p + d for p in OPEN + HIDDEN + [CONSOLE] for d in (-1, 0, 1)} | {1, 65535}
    near |= set(random.Random(seed).sample(range(1, 65536), 60))
    sample = ",".join(map(str, sorted(near)))
    topology()
    # Two nmaps at full speed: none of what they send is to be lost in here, nor given up
    # because 64 fragments of the other one came between two of its own.
    must(run("sysctl", "-q", "-w", "net.core.netdev_max_backlog=100000",
             "net.ipv4.ipfrag_max_dist=0"))
    listener = Listener(*OPEN, *HIDDEN, CONSOLE, greet=False)
    control(sample)
    must(mw_load("adm=198.51.100.0/24,2001:db8:b::/64"))
    scans = probes = 0
    before = denied()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for title, wrong, ports in pool.map(lambda p: scan(*p), plans(size, sample)):
            ok(not wrong, title, wrong)
            scans, probes = scans + 1, probes + ports
    # A probe that was lost on its way would tell of nothing either.
    count = denied() - before
    ok(count >= probes - scans * len([*OPEN, CONSOLE]),
       f"{probes} ports scanned in {scans} scans: mailwall denied {count} segments")
    diag(f"{probes} ports scanned in {scans} scans, seed {seed}")
    listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
