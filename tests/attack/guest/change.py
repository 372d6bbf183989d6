#!/usr/bin/python3
"""Policies change while segments flow: none is judged by a mixture of two, and once a
change returns none is judged by the old one."""
import ctypes
import multiprocessing
import signal
import sys

import uapi
from wire import *

FLOOD = 7777    # source port of what flows, apart from what is waited for

# Two policies that have no row and no prefix in common. From P and Q every mixture of them
# would let something pass that each of them denies.
P4, Q4, P6, Q6 = "198.19.1.1", "198.19.2.1", "2001:db8:c:1::1", "2001:db8:c:2::1"
FILL = [f"203.0.113.{n}/32" for n in range(30)] + [f"2001:db8:ff::{n:x}/128" for n in range(30)]
A = {"adm": ["198.19.1.0/24", "2001:db8:c:1::/64"],
     "site": ["2222 ADM GTW", "4444 GTW ADM"]}
B = {"adm": ["198.19.2.0/24", "2001:db8:c:2::/64"] + FILL,
     "site": ["3333 ADM GTW", "5555 GTW ADM"] + [f"{n} ANY GTW" for n in range(6000, 6028)]}
# (source, target port): denied by both, allowed by a row of one with the ADM of the other.
NEVER = [(Q4, 2222), (P4, 3333), (Q6, 2222), (P6, 3333)]


def policy_of(texts, **more):
    """A Policy, read once: there are many changes."""
    return uapi.Policy(adm=[uapi.prefix(item) for item in texts["adm"]],
                       site=[uapi.row(item) for item in texts["site"]], **more)


def put(device, policy):
    """Replace the policy in force."""
    policy.generation = device.policy().generation
    error = device.set(policy)
    if error:
        raise OSError(error, os.strerror(error))


def flow(packets, out, stop, rounds, counts):
    """Send these packets over and over: (cable, packet, class), and the raw ones of the
    gateway's own: (socket family, packet, target)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, {1})
    ports = {ns: Port(ns) for ns in ("any", "adm")}
    raws = {fam: socket.socket(fam, socket.SOCK_RAW, socket.IPPROTO_RAW)
            for fam in (socket.AF_INET, socket.AF_INET6)}
    sent = [0] * len(packets)
    leaks = outward = 0
    while not stop.is_set():
        for number, (ns, packet) in enumerate(packets):
            ports[ns].send(packet)
            sent[number] += 1
        for fam, packet, target in out:
            outward += 1
            try:
                raws[fam].sendto(packet, (target, 0))
                leaks += 1
            except ConnectionRefusedError:
                pass
        rounds.value += 1
    counts.put((sent, outward, leaks))


class Flow:
    """Segments that flow from the other processor, counted behind mailwall by nft."""

    def __init__(self, classes, out=()):
        # classes: name -> [(cable, packet)]
        self.classes = classes
        self.stop, self.counts = multiprocessing.Event(), multiprocessing.Queue()
        self.rounds, self.last = multiprocessing.Value("Q", lock=False), 0
        packets = [item for items in classes.values() for item in items]
        must(run("nft", "reset", "counters"))
        self.before = stats()
        self.process = multiprocessing.Process(
            target=flow, args=(packets, list(out), self.stop, self.rounds, self.counts), daemon=True)
        self.process.start()

    def keeps_up(self):
        """Wait until all was sent once more since the last time: a busy machine may not come to
        it between many changes."""
        while self.rounds.value == self.last:
            if not self.process.is_alive():
                raise ChildProcessError("nothing flows any more")
            time.sleep(0.001)
        self.last = self.rounds.value

    def end(self):
        """({class: sent}, {class: seen behind}, how the counters went, out, leaks)"""
        self.stop.set()
        sent, outward, leaks = self.counts.get(timeout=60)
        self.process.join()
        by_class, at = {}, 0
        for name, items in self.classes.items():
            by_class[name] = sum(sent[at:at + len(items)])
            at += len(items)
        # Some are in the other processor's backlog: of each round these are the last.
        wait_until(lambda: nft_counters()["always"] == by_class["always"], 20)
        seen, after = nft_counters(), stats()
        return by_class, seen, {key: after[key] - self.before.get(key, 0) for key in after}, \
            outward, leaks


NFT = f"""
table inet behind {{
    counter always {{ }}
    counter never {{ }}
    counter maybe {{ }}
    chain input {{
        type filter hook input priority 10; policy accept;
        tcp sport {FLOOD} tcp dport 25 counter name always
        tcp sport {FLOOD} tcp dport {{ 2222, 3333 }} counter name never
        tcp sport {FLOOD} tcp dport 8080 counter name maybe
    }}
    # The first and the last hook of a kind patch the kernel's text, and this test has two
    # processors (see lifetime.py): that kind stays in use.
    chain output {{ type filter hook output priority 10; }}
}}"""


class Prober:
    """Segments that are waited for: how does the policy in force judge them?"""

    def __init__(self):
        os.sched_setaffinity(0, {0})
        self.ports = {ns: Port(ns) for ns in ("any", "adm")}
        self.behind = Behind()
        for sock, offset in zip(self.behind.socks, (20, 0)):
            # Not what flows: ldh [offset]; jeq FLOOD, drop; accept
            code = [(0x28, 0, 0, offset), (0x15, 0, 1, FLOOD), (6, 0, 0, 0), (6, 0, 0, 0xffff)]
            program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in code))
            sock.setsockopt(socket.SOL_SOCKET, 26,     # SO_ATTACH_FILTER
                            struct.pack("HxxxxxxP", len(code), ctypes.addressof(program)))
        self.behind.received()
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.raw6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.ready = {}
        self.probes = self.mark = self.flowed = 0

    def frame(self, ns, src, dport):
        """A probe of a port of the gateway, built once. RST: it leaves nothing behind whose
        retransmissions would be counted."""
        key = src, dport
        if key not in self.ready:
            number = len(self.ready) + 1
            self.ready[key] = number, segment(src, (GTW6 if ":" in src else GTW4)[ns], 52000,
                                              dport, RST, number)
        return self.ready[key]

    def ask(self, questions):
        """Those of [(cable, source, port)] that pass, when all were judged."""
        waiting = set()
        for ns, src, dport in questions:
            self.ports[ns].send(self.frame(ns, src, dport)[1])
        for fam in (0, 1):
            self.mark = self.mark % 60000 + 1
            window = 5000 + self.mark
            waiting.add(window)
            self.ports["any"].send(segment((GHOST4, GHOST6)[fam]["any"], (GTW4, GTW6)[fam]["any"],
                                           52001, 25, ACK, window))
        self.probes += len(questions)
        passed, end = set(), time.monotonic() + 20
        while waiting:
            for seen in self.behind.received():
                if seen.sport == 52001:
                    waiting.discard(seen.window)
                elif seen.sport == 52000:
                    passed.add(seen.window)
            if waiting and time.monotonic() > end:
                raise TimeoutError("no end mark")
        return {(src, dport) for ns, src, dport in questions
                if self.frame(ns, src, dport)[0] in passed}

    def send_out(self, dst, dport):
        """True if a SYN of the gateway's own goes out."""
        self.probes += 1
        src = GTW_ADM6 if ":" in dst else GTW_ADM4
        packet = segment(src, dst, 52000, dport, SYN, 1)
        try:
            (self.raw6 if ":" in dst else self.raw).sendto(packet, (dst, 0))
        except ConnectionRefusedError:
            return False
        return True


def flood_segment(ns, src, dport, flags=SYN):
    """One that flows."""
    return ns, segment(src, (GTW6 if ":" in src else GTW4)[ns], FLOOD, dport, flags, 1, ack=1)


ALWAYS = [("any", GHOST4["any"]), ("any", GHOST6["any"]), ("adm", P4), ("adm", Q6)]


def whole_policies(prober, device, changes):
    """A and B by turns, each whole by ioctl."""
    policies = [policy_of(texts, mode=uapi.ENFORCE) for texts in (A, B)]
    asked = [("adm", src, dport) for src in (P4, Q4, P6, Q6) for dport in (2222, 3333, CONSOLE)]
    # RST, so that half-open connections do not add segments of their own.
    flowing = Flow({"never": [flood_segment("adm", src, dport) for src, dport in NEVER],
                    "always": [flood_segment(ns, src, 25, RST) for ns, src in ALWAYS]},
                   [(family(dst), segment(GTW_ADM6 if ":" in dst else GTW_ADM4, dst, FLOOD, dport,
                                          SYN, 1), dst)
                    for dst, dport in ((Q4, 4444), (P4, 5555), (Q6, 4444), (P6, 5555))])
    wrong = []
    for number in range(changes):
        flowing.keeps_up()
        name = "AB"[number % 2]
        put(device, policies[number % 2])
        want = {(src, dport) for src in ((P4, P6), (Q4, Q6))[number % 2]
                for dport in ((2222, 3333)[number % 2], CONSOLE)}
        got = prober.ask(asked)
        if got != want:
            wrong.append(f"change {number} to {name}: {sorted(got ^ want)} judged wrong")
        out = {(dst, dport) for dst in (P4, Q6) for dport in (4444, 5555)
               if prober.send_out(dst, dport)}
        if out != {((P4, 4444), (Q6, 5555))[number % 2]}:
            wrong.append(f"change {number} to {name}: {sorted(out)} went out")
        if len(wrong) > 10:
            break
    sent, seen, counted, outward, leaks = flowing.end()
    ok(not wrong, f"{changes} whole policies: what is sent after each is judged by it",
       "\n".join(wrong))
    ok(seen["never"] == 0 and leaks == 0, f"no mixture: {sent['never']} inbound and {outward} "
       "outbound segments, denied by both policies, met none that allows them",
       f"{seen}, {leaks} went out")
    ok(sent["always"] == seen["always"] > 0,
       f"no moment without a policy: {sent['always']} segments allowed by both all passed",
       f"{sent} {seen}")
    denied = sum(counted["in", reason] for reason in REASONS)
    ok(denied == sent["never"] + (len(asked) - 4) * changes and
       counted["out", "closed"] + counted["out", "peer"] == outward - leaks + 3 * changes,
       "each was counted once", f"{counted}\n{sent}, out {outward}")
    prober.flowed += sent["never"] + sent["always"] + outward


def modes(prober, device, changes):
    """enforce, audit, off, off that waits to be confirmed."""
    waiting = policy_of(A, mode=uapi.OFF, confirm=600)
    flowing = Flow({"maybe": [flood_segment("any", src, 8080)
                              for src in (GHOST4["any"], GHOST6["any"])],
                    "always": [flood_segment(ns, src, 25, RST) for ns, src in ALWAYS]})
    asked = [("any", GHOST4["any"], 8080), ("any", GHOST6["any"], 8080)]
    wrong = []
    order = ["enforce", "audit", "enforce", "off", "enforce", "waiting", "audit", "off"]
    for number in range(changes):
        flowing.keeps_up()
        mode = order[number % len(order)]
        if mode == "waiting":
            put(device, waiting)
        else:
            error = mw_write("mode", mode)
            if error:
                wrong.append(f"{mode}: {errno.errorcode[error]}")
        got = prober.ask(asked)
        if len(got) != (0 if mode == "enforce" else 2):
            wrong.append(f"change {number} to {mode}: {sorted(got)} passed")
        if mode == "waiting":
            device.revert()
            if prober.ask(asked):
                wrong.append(f"change {number}: passed after it was taken back")
        if len(wrong) > 10:
            break
    sent, seen, counted, _, _ = flowing.end()
    ok(not wrong, f"{changes} changes of mode: what is sent after each is judged by it",
       "\n".join(wrong))
    ok(sent["always"] == seen["always"] > 0,
       f"{sent['always']} segments allowed in every mode all passed", f"{sent} {seen}")
    in_enforce = sum(2 if order[n % len(order)] in ("enforce", "waiting") else 0
                     for n in range(changes))
    dropped = sent["maybe"] - seen["maybe"]
    ok(0 < dropped == counted["in", "closed"] - in_enforce and seen["maybe"] > 0,
       f"{sent['maybe']} others: {dropped} were dropped, as many as were counted as denied",
       f"{sent} {seen} {counted}")
    prober.flowed += sent["maybe"] + sent["always"]


def attributes(prober, changes):
    """ADM and site rows by sysfs, set, added to and taken from."""
    wrong = []
    must(run("sh", "-c", f"echo enforce >{MW_SYS}/mode; echo >{MW_SYS}/adm; echo >{MW_SYS}/site"))
    flowing = Flow({"never": [flood_segment("adm", src, 3333) for src in (P4, P6)],
                    "always": [flood_segment(ns, src, 25, RST) for ns, src in ALWAYS]})
    steps = [("adm", "+198.19.1.0/24", {(P4, CONSOLE)}),
             ("adm", "+2001:db8:c:1::/64 2001:db8:c:2::/64",
              {(P4, CONSOLE), (P6, CONSOLE), (Q6, CONSOLE)}),
             ("site", "+2222 ADM GTW", {(s, p) for s in (P4, P6, Q6) for p in (2222, CONSOLE)}),
             ("adm", "-198.19.1.0/24", {(s, p) for s in (P6, Q6) for p in (2222, CONSOLE)}),
             ("adm", "198.19.0.0/16", {(s, p) for s in (P4, Q4) for p in (2222, CONSOLE)}),
             ("site", "-2222 ADM GTW", {(P4, CONSOLE), (Q4, CONSOLE)}),
             ("site", "2222 ANY GTW", {(s, 2222) for s in (P4, P6, Q4, Q6)} |
              {(P4, CONSOLE), (Q4, CONSOLE)}),
             ("adm", "\n", {(s, 2222) for s in (P4, P6, Q4, Q6)}),
             ("site", "\n", set())]
    asked = [("adm", src, dport) for src in (P4, Q4, P6, Q6) for dport in (2222, CONSOLE)]
    for number in range(changes):
        flowing.keeps_up()
        name, text, want = steps[number % len(steps)]
        error = mw_write(name, text)
        got = prober.ask(asked)
        if error or got != want:
            wrong.append(f"change {number}, {name} {text!r}: errno {error}, {sorted(got ^ want)}")
            if len(wrong) > 10:
                break
    sent, seen, *_ = flowing.end()
    ok(not wrong, f"{changes} writes of adm and site: what is sent after each is judged by it",
       "\n".join(wrong))
    ok(seen["never"] == 0 and sent["always"] == seen["always"] > 0,
       f"{sent['never']} segments that no policy allows and {sent['always']} that all do",
       f"{sent} {seen}")
    prober.flowed += sent["never"] + sent["always"]


def main():
    changes = int(sys.argv[1])
    topology()
    ghosts()
    listener = Listener(*OPEN, *HIDDEN, CONSOLE, greet=False)
    must(run("nft", NFT))
    # A change waits for a grace period; this makes them short, and there are many.
    with open("/sys/kernel/rcu_expedited", "w", encoding="ascii") as file:
        file.write("1")
    must(mw_load())
    start = time.monotonic()
    prober = Prober()
    with uapi.Device() as device:
        part(whole_policies, prober, device, changes * 6 // 10)
        part(modes, prober, device, changes * 2 // 10)
    part(attributes, prober, changes * 2 // 10)
    diag(f"{changes} changes in {time.monotonic() - start:.0f} s, {prober.probes} segments sent "
         f"after them and judged, {prober.flowed} segments flowed meanwhile")
    listener.stop()
    import sessions
    part(sessions.check)
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


if __name__ == "__main__":
    main()
