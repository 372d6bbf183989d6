#!/usr/bin/python3
"""Two processors at once: segments from and to a gateway behind, more flows than there is room
for, and segments to this host, while ADM and the rows change and everything is read. Each
segment is counted once, and no flow is lost or made up."""
import multiprocessing
import random

import uapi
from ground import *

TIMES = 10  # that the policy is changed and everything read, at least, while segments come
FEW = 2     # flows of each family that both processors have in hand
PORTS = range(10000, 10000 + 2 * ROOM)      # of the gateway's own connections
ADMS = ["198.51.100.0/24", "2001:db8:b::/64"], ["198.51.100.64/26", "2001:db8:b:1::/64"]
SITES = ["443 GTW ANY"], ["2222 ADM GTW", "443 GTW ANY"]
GTW = f"this {INNER[4]} {INNER[6]}"
# Nobody answers: what is counted is what was sent.
DEAF = """table inet deaf {
    chain in { type filter hook input priority 20; meta l4proto tcp drop; }
    chain out { type filter hook output priority 20; meta l4proto tcp drop; }
    chain forward { type filter hook forward priority 20; }
}"""


def frames_of(name, fam):
    """What one kind of sender sends, and whence: (namespace, [frame])"""
    ns, src, dst = "any", *((ANY4, INNER[4]) if fam == 4 else (ANY6, INNER[6]))
    host = OWN[fam]["any"]
    kind = b"\x08\x00" if fam == 4 else b"\x86\xdd"
    head = OWN_MAC["any"] + MAC["any"] + kind
    if name == "out":
        ns, head = "gate", bytes.fromhex((CABLE + "1" + CABLE + "2").replace(":", "")) + kind
        made = [segment(dst, src, port, 25, PSH | ACK, 1) for port in PORTS]
    elif name == "replies":
        made = [segment(src, dst, 25, port, ACK, 1) for port in PORTS]
    elif name == "openings":
        made = [segment(src, dst, 40000 + number, 25, SYN, 1) for number in range(100)]
    elif name == "closed":
        made = [segment(src, dst, 40000 + number, 8080, SYN, 1) for number in range(100)]
    elif name == "console":
        ns, head = "adm", OWN_MAC["adm"] + MAC["adm"] + kind
        src = ADM4 if fam == 4 else ADM6
        made = [segment(src, dst, 40000 + number, 8450, SYN, 1) for number in range(100)]
    elif name == "host-openings":
        made = [segment(src, host, 40000 + number, 25, SYN, 1) for number in range(100)]
    elif name == "host-strays":
        made = [segment(src, host, 25, 40000 + number, ACK, 1) for number in range(100)]
    else:
        made = [segment(src, host, 40000 + number, 8080, SYN, 1) for number in range(100)]
    return ns, [head + packet for packet in made]


KINDS = ("out", "replies", "openings", "closed", "console", "host-openings", "host-strays",
         "host-closed")


def sends(cpu, seed, number, begin, others, sent):
    """So many segments of all kinds in a random order, from one processor, and on until the
    others did enough."""
    os.sched_setaffinity(0, {cpu})
    rng = random.Random(seed)
    kinds = {}
    for name in KINDS:
        for fam in (4, 6):
            ns, frames_made = frames_of(name, fam)
            with netns(ns):
                out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                out.bind(("eth0", 0))
            kinds[name, fam] = out, frames_made
    names = [("out", 4), ("out", 6), ("replies", 4), ("replies", 6)] * 4 + list(kinds)
    count = dict.fromkeys(KINDS, 0)
    begin.wait()
    while sum(count.values()) < number or not all(other.is_set() for other in others):
        name = rng.choice(names)
        out, frames_made = kinds[name]
        # a few of them often: both processors have the same flow in hand
        out.send(rng.choice(frames_made[:FEW] if rng.random() < 0.5 else frames_made))
        count[name[0]] += 1
    sent.put(count)


def changes(enough, stop, done):
    """ADM and the site rows to and fro, at once, waiting to be confirmed, taken back."""
    count = 0
    with uapi.Device() as device:
        while not stop.is_set():
            fields = {"adm": ADMS[count % 2], "site": SITES[count % 2]}
            if count % 3:
                error = device.change(**fields)
            else:
                error = device.change(confirm=60, **fields) or \
                    (device.confirm() if count % 2 else device.revert())
            if error:
                done.put(os.strerror(error))
                return
            count += 1
            if count == TIMES:
                enough.set()
    done.put(count)


def reads(enough, stop, done):
    """Counters never go back."""
    count, last = 0, uapi.counts()
    while not stop.is_set():
        now = uapi.counts()
        back = {key for key in last if now.get(key, 0) < last[key]}
        # a row that is no longer there has no counters
        if {key for key in back if "2222" not in str(key)}:
            done.put(f"{back} went back")
            return
        must(run("/mailwall/mailwall", "status"))
        mw_read("stats")
        last, count = now, count + 1
        if count == TIMES:
            enough.set()
    done.put(count)


def at_least(enough, function, *args):
    """Runs it. However it ends, nobody waits any longer for enough of it."""
    try:
        function(enough, *args)
    finally:
        enough.set()


def lost():
    """Frames that this host's processors had no room for."""
    with open("/proc/net/softnet_stat", encoding="ascii") as file:
        return sum(int(line.split()[1], 16) for line in file)


def everything(number):
    """All at once."""
    stop, begin, *enough = (multiprocessing.Event() for _ in range(4))
    sent, changed, read = (multiprocessing.Queue() for _ in range(3))
    set_sysctl("net.core.netdev_max_backlog", 100000)
    before, seen, lost_before = uapi.counts(), uapi.seen(), lost()
    senders = [multiprocessing.Process(target=sends, args=(one % 2, one, number, begin, enough, sent))
               for one in range(4)]
    others = [multiprocessing.Process(target=at_least, args=(enough[0], changes, stop, changed)),
              multiprocessing.Process(target=at_least, args=(enough[1], reads, stop, read))]
    for process in senders + others:
        process.start()
    begin.set()
    total = dict.fromkeys(KINDS, 0)
    for _ in senders:
        for name, count in sent.get(timeout=1200).items():
            total[name] += count
    stop.set()
    ways = changed.get(timeout=120), read.get(timeout=120)
    for process in senders + others:
        process.join()

    def all_seen():
        now = uapi.seen()
        return sum(sum(pair) for pair in now.values()) - \
            sum(sum(pair) for pair in seen.values()) >= sum(total.values())

    wait_until(all_seen, 20)
    diff = uapi.difference(before, uapi.counts())
    ends = {item: tuple(now - then for now, then in zip(pair, seen.get(item, (0, 0))))
            for item, pair in uapi.seen().items()}
    return total, diff, ends, ways, lost() - lost_before


def check(total, diff, ends, ways, dropped):
    """What was sent is what was counted."""
    def of(*key):
        return diff.get(key, 0)

    diag(f"{total}, {ways[0]} changes, {ways[1]} times read, {dropped} lost")
    diag(str(diff))
    ok(all(isinstance(count, int) and count >= TIMES for count in ways),
       "the policy was changed and read meanwhile, and no counter went back", str(ways))
    is_(dropped, 0, "no segment was lost on its way to the hooks")
    row, closed = ("behind", "25 GTW ANY", "segments"), ("behind", "deny", "in", "closed")
    missed = of("behind", "deny", "in", "no-connection")
    is_(of(*row) + missed, total["out"] + total["replies"],
        "each segment of the gateway and each reply is counted once")
    passed = of(*row) - total["out"]
    ok(0 < passed < total["replies"], f"{passed} of {total['replies']} replies had their flow")
    is_(of("flows", "missed"), missed, "and the others are those whose flow was missed")
    ok(of("flows", "evicted") > FLOWS, f"{of('flows', 'evicted')} flows made room for others")
    held = of("flows", "noted") - of("flows", "evicted")
    ok(ROOM // 2 < held <= ROOM, f"{held} flows are there, for {ROOM} of which there is room")
    is_((of("behind", "25 ANY GTW", "openings"), of("behind", "25 ANY GTW", "segments")),
        (total["openings"],) * 2, "each opening segment is counted once")
    is_(of(*closed), total["closed"], "each denied one")
    console = of("behind", "8450 ADM GTW", "openings"), of("behind", "deny", "in", "peer")
    is_(sum(console), total["console"], "each to the console")
    ok(all(console), f"of which ADM let in {console[0]} and kept out {console[1]}")
    is_((of("25 ANY GTW", "openings"), of("deny", "in", "no-connection"),
         of("deny", "in", "closed")),
        (total["host-openings"], total["host-strays"], total["host-closed"]),
        "each to this host")
    is_((ends.pop("this")[0], sum(came for came, _ in ends.values()),
         sum(went for _, went in ends.values())),
        (sum(total[name] for name in KINDS if name.startswith("host")),
         sum(total[name] for name in ("replies", "openings", "closed", "console")), total["out"]),
        "and each is seen once, by whom it is for")
    is_({key for key in diff if key[0] in ("would-deny", "held") or "malformed" in key}, set(),
        "nothing else is counted")


def main():
    number = int(sys.argv[1])
    topology()
    ground = Ground()
    for ns in ("gtw", "any", "adm", ground.gateway):
        with netns(ns):
            must(run("nft", DEAF))
    # The first hook of a kind patches the kernel's text: hooks_stay().
    ground.routed()
    must(mw_load(f"flows={FLOWS}"))
    mw_write("gtw", GTW)
    check(*everything(number))
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


if __name__ == "__main__":
    main()
