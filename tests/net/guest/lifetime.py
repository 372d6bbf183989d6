#!/usr/bin/python3
"""Load parameters; load and unload under traffic; network namespaces; no memory left behind."""
import signal

from kernel import *
from uapi import *

LOG = Log()
PREFIXES = [f"2001:db8:{i:x}:ffff:ffff:ffff:{i:x}:0/112" for i in range(1, 65)]
BAD = [
    # parameters, errno, what the log names
    (["mode=on"], "EINVAL", 'mode refused: "on": no mode'),
    (["mode="], "EINVAL", 'mode refused: ""'),
    (["adm=192.0.2.5/24"], "EINVAL", "adm refused: .*192.0.2.0/24.*192.0.2.5/32"),
    (["adm=192.0.2.0/24,nonsense"], "EINVAL", 'adm refused: "nonsense"'),
    (["adm=" + ",".join(PREFIXES + ["::1"])], "E2BIG", "adm refused: .*more than 64"),
    (["site=22:ADM"], "EINVAL", "site refused: .*PORT SOURCE TARGET"),
    (["site=22:ADM:GTW,8450:ANY:GTW"], "EINVAL", 'site refused: "8450:ANY:GTW".*built-in'),
    (["site=22:ADM:GTW,22:ANY:GTW"], "EINVAL", "site refused: .*set all rows at once"),
    (["site=" + ",".join(f"{1000 + i}:ANY:GTW" for i in range(33))], "E2BIG", "more than 32"),
    (["log=syslog"], "EINVAL", "log refused: .*off, kernel or nflog"),
    (["log=nflog:65536"], "EINVAL", "log refused: .*0 to 65535"),
    (["confirm=0"], "EINVAL", 'confirm refused: "0": .*1 to 86400'),
    (["confirm=86401"], "EINVAL", "confirm refused"),
    (["confirm=1m"], "EINVAL", "confirm refused"),
    (["confirm=-1"], "EINVAL", "confirm refused"),
    (["confirm=60", "mode=audit"], "EINVAL", "confirm refused: .*nothing to go back"),
    (["mode=off", "confirm=60"], "EINVAL", "confirm refused"),
    (["adm=192.0.2.0/24", "mode=bad", "site=22:ADM:GTW"], "EINVAL", "mode refused"),
    (["adm"], "EINVAL", "invalid for parameter .adm'"),
    (["gtw=eth0"], "EINVAL", 'gtw refused: "eth0": a gateway is this, an address'),
    (["gtw="], "EINVAL", "gtw refused: .*no gateway would be left"),
    (["gtw=this,port:0123456789abcdef"], "EINVAL", "gtw refused: .*at most 15 characters"),
    (["gtw=10.0.0.1,224.0.0.1"], "EINVAL", 'gtw refused: "224.0.0.1": no gateway has a multicast'),
    (["gtw=::1"], "EINVAL", 'gtw refused: "::1": no gateway has a loopback'),
    (["gtw=" + ",".join(f"10.0.0.{i}" for i in range(33))], "E2BIG", "gtw refused: .*more than 32"),
    (["flows=1023"], "EINVAL", 'flows refused: "1023": write a number from 1024 to 1048576'),
    (["flows=1048577"], "EINVAL", "flows refused: .*from 1024"),
    (["flows=-1"], "EINVAL", "flows refused: .*from 1024"),
    (["flows=16k"], "EINVAL", 'flows refused: "16k": .*from 1024'),
    (["flows="], "EINVAL", "flows refused: .*from 1024"),
    (["adm=192.0.2.0/24", "site=22:ADM:GTW", "adm=10.0.0.1"], "EINVAL",
     'adm refused: "10.0.0.1": given twice: write it once'),
    (["mode=enforce", "mode=enforce"], "EINVAL", "mode refused: .*given twice"),
    (["flows=1024", "flows=2048"], "EINVAL", "flows refused: .*given twice"),
]
GOOD = [
    ([], ("enforce", "", "", "off")),
    (["mode=enforce"], ("enforce", "", "", "off")),
    (["mode=audit"], ("audit", "", "", "off")),
    (["mode=off", "adm=::/0"], ("off", "::/0\n", "", "off")),
    (["adm="], ("enforce", "", "", "off")),
    (["adm=2001:db8::/32,192.0.2.0/24,192.0.2.0/24"],
     ("enforce", "192.0.2.0/24\n2001:db8::/32\n", "", "off")),
    (["adm=" + ",".join(PREFIXES)], ("enforce", "".join(item + "\n" for item in PREFIXES), "", "off")),
    (["site=22:ADM:GTW,443:GTW:ANY"], ("enforce", "", "22 ADM GTW\n443 GTW ANY\n", "off")),
    (["log=nflog:7", "mode=audit", "site=53:GTW:ANY", "adm=192.0.2.1"],
     ("audit", "192.0.2.1\n", "53 GTW ANY\n", "nflog:7")),
    (["log=kernel"], ("enforce", "", "", "kernel")),
    (["gtw=this,10.0.0.1,2001:DB8::/64,port:tap100i0"],
     ("enforce", "", "", "off", "this\n10.0.0.1\n2001:db8::/64\nport:tap100i0\n")),
    (["flows=1024", "gtw=port:none0"], ("enforce", "", "", "off", "port:none0\n")),
    (["flows=1048576", "mode=audit"], ("audit", "", "", "off")),
]


def parameters():
    """Load parameters, good and bad."""
    for words, want in GOOD:
        done = mw_load(*words)
        found = tuple(mw_read(name) for name in ("mode", "adm", "site", "log", "gtw")) \
            if not done.returncode else done.stdout
        gtw = want[4] if len(want) > 4 else "this\n"
        is_(found, (want[0] + "\n", want[1], want[2], want[3] + "\n", gtw), f"{' '.join(words)[:60]!r} loads")
        mw_unload()
    for words, want, pattern in BAD:
        LOG.lines()
        done = mw_load(*words)
        lines = "\n".join(LOG.lines("mailwall: "))
        # insmod has words of its own for one of them
        says = "Invalid parameters" if want == "EINVAL" else os.strerror(getattr(errno, want))
        ok(done.returncode and says in done.stdout and
           re.search(pattern, lines, re.S) and not loaded(),
           f"{' '.join(words)[:60]!r} does not load: {want}", f"{done.stdout}\n{lines}")
        if loaded():
            mw_unload()
    # The kernel's own rule for what a module does not know: a typing error must not go unseen.
    LOG.lines()
    is_(mw_load("amd=192.0.2.0/24").returncode, 0, "a parameter there is not: it loads")
    like("\n".join(LOG.lines("mailwall: ")), "unknown parameter .amd. ignored", "the log says so")
    is_((mw_read("mode"), mw_read("adm")), ("enforce\n", ""), "nothing is opened by it")
    mw_unload()
    words = "good enough to load after all that"
    is_((mw_load().returncode, mw_read("mode"), mw_unload().returncode), (0, "enforce\n", 0), words)


class Traffic:
    """Connections of both families and directions, made again and again, and stray segments."""

    def __init__(self):
        self.listeners = [Listener(25, 8080), Listener(25, 443, ns="any")]
        self.done = {"in": 0, "out": 0}
        self.stop_now = False
        self.threads = [threading.Thread(target=self.connect, args=args, daemon=True) for args in
                        (("in", "any", GTW_ANY4), ("in", "any", GTW_ANY6),
                         ("out", "gtw", ANY4), ("out", "gtw", ANY6))]
        for thread in self.threads:
            thread.start()
        # A process apart, so that the two processors are both busy in the hooks.
        self.flood = subprocess.Popen(["python3", __file__, "flood"])

    def connect(self, way, ns, address):
        """Until told to stop."""
        other = 8080 if way == "in" else 443
        while not self.stop_now:
            with contextlib.suppress(OSError):
                sock = open_connection(ns, address, 25, 2)
                sock.sendall(b"x" * 3000)
                sock.recv(3000)
                sock.close()
                self.done[way] += 1
            time.sleep(0.01)
            with contextlib.suppress(OSError):
                open_connection(ns, address, other, 0.05).close()

    def close(self):
        """The end of it."""
        self.stop_now = True
        for thread in self.threads:
            thread.join()
        self.flood.kill()
        self.flood.wait()
        for listener in self.listeners:
            listener.stop()
        # What the gateway did not let end is sent again for a while, and would be counted later.
        for where in ((), ("-N", "any")):
            must(run("ss", *where, "-tK"))


def flood():
    """Segments of each kind at the gateway, as fast as they go."""
    from field import GTW4, GTW6, GHOST4, GHOST6, Cable, segment, SYN, ACK, FIN
    cable = Cable("any")
    packets = [segment(src, dst, sport, dport, flags, 1)
               for src, dst in ((GHOST4["any"], GTW4["any"]), (GHOST6["any"], GTW6["any"]))
               for sport, dport in ((40000, 8080), (25, 40000), (40000, 8450), (40000, 25))
               for flags in (SYN, ACK, FIN)]
    os.nice(19)
    while True:
        for packet in packets:
            with contextlib.suppress(OSError):
                cable.send(packet)
        time.sleep(0.01)


def cycles(times=50):
    """Load and unload while traffic runs."""
    hooks_stay()
    with contextlib.closing(Traffic()) as traffic:
        load_and_unload(traffic, times)


def load_and_unload(traffic, times):
    """So many times."""
    time.sleep(0.5)
    failed, judged = [], 0
    start = time.monotonic()
    for i in range(times):
        words = [["mode=audit"], [], ["confirm=60"], ["adm=192.0.2.0/24", "site=8080:ADM:GTW"],
                 ["mode=off"]][i % 5]
        done = mw_load(*words)
        if i % 5 == 4:
            mw_write("mode", "enforce")
        time.sleep(0.05)
        judged += sum(value for key, value in counts().items() if key[1] == "segments" or
                      "deny" in key[0])
        gone = mw_unload()
        if done.returncode or gone.returncode or loaded():
            failed.append((i, done.stdout, gone.stdout))
    diag(f"{time.monotonic() - start:.0f} s, {judged} segments judged, "
         f"{traffic.done} connections meanwhile")
    is_(failed, [], f"loaded and unloaded {times} times under traffic")
    ok(judged > 2000, "of which the module saw some", judged)
    ok(min(traffic.done.values()) > 20, "which went on", traffic.done)


def holding():
    """An open device holds the module; an open attribute does not."""
    libc = ctypes.CDLL(None, use_errno=True)

    def delete_module():
        return name_of(ctypes.get_errno()) if libc.syscall(176, b"mailwall", os.O_NONBLOCK) else "done"

    must(mw_load())
    fd = os.open(f"{MW_SYS}/adm", os.O_RDWR)
    with Device() as device:
        is_(delete_module(), "EAGAIN", "an open device holds the module")
        ok(mw_unload().returncode, "rmmod fails")
        is_((mw_read("mode"), device.version().abi), ("enforce\n", ABI), "which works on")
        listener = Listener(8080)
        is_(connect("any", GTW_ANY4, 8080, 2), "time-out", "and enforces")
        listener.stop()
    is_(delete_module(), "done", "closed, it goes, an open attribute or not")
    is_([errno_of(os.read, fd, 10), errno_of(os.write, fd, b"\n")], ["ENODEV", "ENODEV"],
        "the open attribute leads nowhere then")
    os.close(fd)
    must(mw_load())
    is_(mw_unload().returncode, 0, "it loads and unloads again")


def namespaces():
    """Each network namespace has its own policy and counters."""
    must(mw_load("adm=198.51.100.0/24", "site=22:ADM:GTW", "log=kernel"))
    listeners = [Listener(25, 8080), Listener(25, 8080, ns="any")]
    must(run("ip", "netns", "add", "new"))
    for ns, when in (("any", "there before the module"), ("new", "made after")):
        is_([mw_read(name, ns) for name in ("mode", "adm", "site", "log")], ["off\n", "", "", "off\n"],
            f"a namespace {when} is off and empty")
        with netns(ns):
            is_(counts(), {}, "has counted nothing")
    is_(connect("gtw", ANY4, 25), "open", "25 of the ANY host is open")
    with netns("any"):
        is_(counts(), {}, "and not counted there, in mode off")
    is_(mw_write("mode", "enforce", "any"), 0, "one is made to enforce")
    is_((mw_read("mode"), mw_read("mode", "new")), ("enforce\n", "off\n"), "that one alone")
    # The gateway may go out to 25 only; let it try.
    is_(mw_write("mode", "audit"), 0, "the gateway's becomes audit")
    is_(mw_read("mode", "any"), "enforce\n", "and that one alone")
    is_(connect("gtw", ANY4, 8080, 2), "time-out", "8080 of the ANY host is closed")
    is_(connect("gtw", ANY6, 25), "open", "25 is open")
    is_(connect("any", GTW_ANY4, 25), "open", "its own connections out to 25 go on")
    is_(connect("any", GTW_ANY4, 8080, 1), "refused", "those to 8080 do not")
    with netns("any"):
        found = counts()
        is_((found.get(("deny", "out", "closed")), found.get(("25 GTW ANY", "openings"))), (1, 1),
            "it counts its own")
        like(must(run("mailwall", "status")).stdout, "enforce", "the command speaks of it")
        is_(run("mailwall", "adm", "add", "203.0.113.0/24").returncode, 0, "and to it")
    is_((mw_read("adm"), mw_read("adm", "any"), mw_read("adm", "new")),
        ("198.51.100.0/24\n", "203.0.113.0/24\n", ""), "not to the others")
    with Device() as device:
        with netns("any"):
            policy = device.policy()
        is_((policy.mode, device.policy().mode), (ENFORCE, AUDIT),
            "an open device belongs to no namespace")
    is_(mw_write("mode", "off", "any"), 0, "it is switched off")
    must(run("ip", "netns", "del", "new"))
    for listener in listeners:
        listener.stop()


def deletion():
    """Namespaces go while segments pass and a change waits."""
    LOG.lines()
    modes = []
    for i in range(9):
        must(run("ip", "netns", "add", "gone"))
        must(run("ip", "link", "add", "gone0", "type", "veth", "peer", "name", "eth0", "netns", "gone"))
        must(sh("""ip addr add 203.0.113.1/24 dev gone0 && ip -n gone addr add 203.0.113.2/24 dev eth0 &&
                ip addr add 2001:db8:e::1/64 dev gone0 nodad && ip link set gone0 up &&
                ip -n gone addr add 2001:db8:e::2/64 dev eth0 nodad && ip -n gone link set eth0 up"""))
        with netns("gone"), Device() as device:
            # to audit, to off with hooks that stay, and for good; deleted before it reverts,
            # which a busy machine may take long for
            is_((device.change(mode=ENFORCE),
                 device.change(mode=[AUDIT, OFF, ENFORCE][i % 3], site=["99 ANY GTW"],
                               confirm=[15, 15, 0][i % 3])), (0, 0), f"namespace {i}: a change")
        modes.append(mw_read("mode", "gone"))
        hammer = subprocess.Popen(["bash", "-c", """while :; do for host in 203.0.113.2 2001:db8:e::2; do
            : >/dev/tcp/$host/25; done; done 2>/dev/null"""])
        wait_until(lambda: in_other("gone"), 10)
        must(run("ip", "netns", "del", "gone"))
        wait_until(lambda: not os.path.exists("/sys/class/net/gone0"), 20)
        hammer.kill()
        hammer.wait()
    time.sleep(15.5)
    is_(len(set(modes)), 3, "in each mode")
    is_([line for line in LOG.lines("mailwall: ") if "reverted" in line or "confirmed" in line], [],
        "no change of a namespace that is gone reverts")
    is_(mw_read("mode"), "audit\n", "the gateway's policy is what it was")
    # Unload with changes waiting in two namespaces.
    for ns in ("gtw", "any"):
        with netns(ns), Device() as device:
            is_(device.change(mode=ENFORCE, confirm=2), 0, "a change waits")
    is_(mw_unload().returncode, 0, "the module unloads with them")
    time.sleep(2.5)


def in_other(ns):
    """Has that namespace judged anything? In mode off it has not, but it was there."""
    with netns(ns):
        return counts() or mw_read("mode") == "off\n"


def memory_in_use():
    """Objects of the size of a policy; bytes in slabs, per-CPU and vmalloc bytes."""
    for name in os.listdir("/sys/kernel/slab"):
        with contextlib.suppress(OSError):
            write_once(f"/sys/kernel/slab/{name}/shrink", "1")
    slabs, policies = 0, 0
    with open("/proc/slabinfo", encoding="ascii") as file:
        for line in file:
            size = re.match(r"kmalloc-(?:cg-|rnd-\d+-)*(\d+k?) ", line)
            if size:
                word = line.split()
                slabs += int(word[1]) * int(word[3])
                policies += int(word[1]) * (size[1] == "8k")
    with open("/proc/meminfo", encoding="ascii") as file:
        info = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file}
    return policies, slabs, info["Percpu"], info["VmallocUsed"]


def life():
    """One whole life of the module, with all that takes memory. The number of policies."""
    must(mw_load("adm=" + ",".join(PREFIXES), "site=22:ADM:GTW"))
    policies = 2
    for i in range(3):
        must(run("ip", "netns", "add", "brief"))
        for ns in ("gtw", "brief"):
            with netns(ns), Device() as device:
                wrong = device.change(mode=ENFORCE, adm=PREFIXES)
                wrong += device.change(site=["99 ANY GTW"], log=LOG_NFLOG)
                wrong += device.change(site=[], confirm=60)
                wrong += [device.revert, device.confirm, lambda: 0][i](
                    ) + (device.set(Policy(generation=0)) == 0)
                policies += 3
                if ns == "gtw" and i == 2:
                    wrong += device.confirm()
                if wrong:
                    raise OSError(wrong, "a change was refused")
        must(run("ip", "netns", "del", "brief"))
    must(mw_unload())
    return policies


def memory():
    """Many lives take no more memory than one."""
    for _ in range(2):
        life()
    time.sleep(1)
    before = memory_in_use()
    policies = 0
    for _ in range(12):
        policies += life()
    # Namespaces and RCU take their time.
    limits = 6, 250_000, 50_000, 50_000
    for _ in range(20):
        time.sleep(0.5)
        found = [after - was for after, was in zip(memory_in_use(), before)]
        if all(grown <= limit for grown, limit in zip(found, limits)):
            break
    diag(f"{policies} policies in 12 lives")
    for name, grown, limit in zip(("objects of 8 KiB, as policies are", "bytes in slabs",
                                   "per-CPU bytes", "vmalloc bytes"), found, limits):
        ok(grown <= limit, f"{name}: {grown:+}")


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    topology()
    if sys.argv[1:]:
        part(cycles, int(sys.argv[1]))
    else:
        parts((parameters, cycles, holding, namespaces, deletion, memory), mend=mw_unload)
    done_testing()


if sys.argv[1:] == ["flood"]:
    flood()
else:
    main()
