#!/usr/bin/python3
"""nmap's scans: an ANY host learns of 25, 110, 465, 587 and 995, an ADM host of 8450 besides,
and of no other port anything at all."""
import collections
import concurrent.futures
import json
import random
import sys
import tempfile
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
# The share of what may have to be asked for again.
LATE, LOST, GAVE_UP = 0.01, 0.0001, 0.01


def ranges(text):
    """The ports that nmap's notation means."""
    ports = set()
    for item in filter(None, text.split(",")):
        first, _, last = item.partition("-")
        ports.update(range(int(first), int(last or first) + 1))
    return ports


def nmap_once(ns, fam, ports, *options):
    """({port: (state, reason)} or why nmap gave up, how many segments it says it sent)."""
    with tempfile.NamedTemporaryFile("r") as report:
        # by raw sockets: no ARP of nmap's own is among what it sends
        done = run("nsenter", f"--net=/run/netns/{ns}", "nmap", "-n", "-Pn", "--send-ip", "-v",
                   *["-6"] * (fam == 6), *options,
                   "--max-retries", "0" if ports == ALL else "1", "--min-rtt-timeout",
                   "400ms", "--initial-rtt-timeout", "400ms", "--min-rate",
                   "8000" if ports == ALL else "500",
                   "-p", ports, "-oX", report.name, HOSTS[ns, fam])
        text = report.read()
    sent = sum(map(int, re.findall(r"Raw packets sent: (\d+) ", done.stdout)))
    states = {}
    try:
        tree = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError:
        return done.stdout, sent
    if done.returncode or tree.find("runstats/finished").get("exit") != "success" or \
            tree.find("host/ports") is None:
        return f"status {done.returncode}: {done.stdout}", sent
    for extra in tree.iter("extraports"):
        for reason in extra.iter("extrareasons"):
            for port in ranges(reason.get("ports")):
                states[port] = extra.get("state"), reason.get("reason")
    for port in tree.iter("port"):
        state = port.find("state")
        states[int(port.get("portid"))] = state.get("state"), state.get("reason")
    return states, sent


class Tally:
    """What was asked and answered, and what had to be asked again."""

    def __init__(self):
        self.lock = threading.Lock()
        # nmaps, those that gave up, segments sent; answers awaited, late; fragments lost
        self.runs = self.gave_up = self.sent = self.awaited = self.late = self.lost = 0

    def add(self, **more):
        """Count."""
        with self.lock:
            for name, number in more.items():
                setattr(self, name, getattr(self, name) + number)

    def nmap(self, *what):
        """{port: (state, reason)}; what a scan that broke off says of no port is nothing to
        judge by."""
        for _ in range(2):
            got, sent = nmap_once(*what)
            self.add(runs=1, sent=sent)
            if not isinstance(got, str):
                return got
            self.add(gave_up=1)
            diag(f"nmap {what} gave up: {got}")
        raise RuntimeError(f"nmap {what} gave up twice")


def scan(tally, ns, fam, kind, source, split, ports):
    """(name, what is wrong, number of ports) of one scan."""
    name, option, told, untold = kind
    options = [option] + (["-g", str(source)] if source else []) + ["-f"] * split
    known = [] if told is None else OPEN + [CONSOLE] * (ns == "adm")
    want = {port: (told, "syn-ack" if told == "open" else "reset") if port in known else
            (untold, "no-response") for port in ranges(ports)}
    got = tally.nmap(ns, fam, ports, *options)
    wrong = [port for port in want if got.get(port) != want[port]]
    # On a busy machine an answer may be late and a fragment lost: no secret is told so, and
    # those ports alone are asked again, once and without haste.
    late = [port for port in wrong if port in known and got.get(port) == (untold, "no-response")]
    lost = [port for port in wrong if got.get(port) == ("filtered", "time-exceeded")]
    tally.add(awaited=len(known), late=len(late), lost=len(lost))
    if wrong and len(late) + len(lost) == len(wrong):
        got.update(tally.nmap(ns, fam, ",".join(map(str, wrong)), *options))
        wrong = [port for port in want if got.get(port) != want[port]]
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
        plain = Tally().nmap("any", fam, sample, "-sS")
        fin = Tally().nmap("any", fam, sample, "-sF", "-g", "25")
        listening = sorted(OPEN + HIDDEN + [CONSOLE])
        ok(sorted(p for p in plain if plain[p][0] == "open") == listening and
           sorted(p for p in fin if fin[p][0] == "open|filtered") == listening and
           set(plain) == set(fin) == ranges(sample),
           f"without the module scans tell of all {len(ranges(sample))} ports, IPv{fam}",
           f"{plain}\n{fin}")


# Segments of the scans before and behind mailwall; RST is what the scanners' own kernels say.
NFT = """table inet scanned {
    counter arrived { }
    counter passed { }
    chain before {
        type filter hook input priority -10;
        iifname { any0, adm0 } meta l4proto tcp tcp flags & rst == 0 counter name arrived
    }
    chain behind {
        type filter hook input priority 10;
        iifname { any0, adm0 } meta l4proto tcp tcp flags & rst == 0 counter name passed
    }
}"""


def counters():
    """How many arrived, passed, and were denied, so far."""
    seen = nft_counters()
    return seen["arrived"], seen["passed"], \
        sum(count for key, count in stats().items() if key[0] == "in")


def losses():
    """{where: how many} that a kernel dropped on its way, from the kernels' own counters."""
    found = collections.Counter()
    for ns in ("gtw", "any", "adm"):
        inside = [] if ns == "gtw" else ["nsenter", f"--net=/run/netns/{ns}"]
        for name, count in re.findall(r"^(Ip6?(?:ReasmFails|FragFails|InDiscards|OutDiscards)) +(\d+)",
                                      must(run(*inside, "nstat", "-asz")).stdout, re.M):
            found[f"{ns} {name}"] += int(count)
        for link in json.loads(must(run(*inside, "ip", "-s", "-j", "link")).stdout):
            for way in ("rx", "tx"):
                found[f"{ns} {link['ifname']} {way}"] += link["stats64"][way]["dropped"]
    for table in ("arp_cache", "ndisc_cache"):
        with open(f"/proc/net/stat/{table}", encoding="ascii") as file:
            head, *lines = map(str.split, file)
        found[table] += sum(int(line[head.index("unresolved_discards")], 16) for line in lines)
    with open("/proc/net/softnet_stat", encoding="ascii") as file:
        found["backlog"] += sum(int(line.split()[1], 16) for line in file)
    return found


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
    must(run("nft", NFT))
    tally = Tally()
    scans = probes = 0
    before, dropped = counters(), losses()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for title, wrong, ports in pool.map(lambda p: scan(tally, *p), plans(size, sample)):
            ok(not wrong, title, wrong)
            scans, probes = scans + 1, probes + ports
    arrived, passed, denied = (now - then for now, then in zip(counters(), before))
    # A probe that was lost on its way would tell of nothing either.
    name = f"{probes} ports in {scans} scans"
    missing = tally.sent - arrived
    wait_until(lambda: (losses() - dropped).total() >= missing, 40)    # fragments wait for 30 s
    dropped = losses() - dropped
    ok(probes <= tally.sent and 0 <= missing <= dropped.total(), f"{name}: {tally.sent} segments sent, "
       f"{arrived} arrived, {dropped.total()} known to be lost {dict(dropped) or ''}")
    is_(denied + passed, arrived, f"mailwall denied {denied} of them and let {passed} pass")
    for number, of, share, what in (
            (tally.late, tally.awaited, LATE, "answers were late and asked for again"),
            (tally.lost, tally.sent, LOST, "segments lost a fragment and were sent again"),
            (missing, tally.sent, LOST, "segments were lost"),
            (tally.gave_up, tally.runs, GAVE_UP, "nmaps gave up and were run again")):
        ok(number <= share * of, f"{number} of {of} {what}, "
           f"{int(share * of)} may be")
    diag(f"{probes} ports scanned in {scans} scans, seed {seed}")
    listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


if __name__ == "__main__":
    main()
