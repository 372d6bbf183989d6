#!/usr/bin/python3
"""Each allocation of a task fails in turn: the 1st, the 2nd, the 3rd, until none does. What
the module was asked for then is refused with ENOMEM and changes nothing, or it is done whole.

Where a policy is changed or asked for, each time is one of a network namespace of its own,
since the first change of one allocates what later ones find.
"""
import fcntl
import itertools
import struct

from kernel import *
from uapi import *
from wire import SYN, parse, segment

KINDS = "failslab", "fail_page_alloc"
FILES = "adm", "site", "gtw", "mode", "log", "table", "version", "stats"
PORTS = 22, 25, 99, 8450
BEHIND = "10.9.0.2"
OLD = {"mode": ENFORCE, "adm": ["198.51.100.0/24"], "site": ["22 ADM GTW"]}
NEW = {"mode": ENFORCE, "adm": ["192.0.2.0/24"], "site": ["99 ANY GTW", "22 ADM GTW"],
       "gtw": ["this", BEHIND + "/32", "port:tun0"]}
_libc = ctypes.CDLL(None, use_errno=True)


def called(number):
    """0 or the errno of a call of the C library's."""
    return ctypes.get_errno() if number < 0 else 0


def read_text(path):
    """A file as text."""
    with open(path, encoding="ascii") as file:
        return file.read()


def knob(kind, name, value):
    """One of the kernel's knobs for failing allocations."""
    write_once(f"/sys/kernel/debug/{kind}/{name}", str(value))


class Nth:
    """The calling thread's Nth allocation fails, of whatever kind."""

    def __init__(self):
        # What this process needs itself it has: no page fault is to be counted. MCL_CURRENT, _FUTURE
        _libc.mlockall(3)
        for kind in KINDS:
            knob(kind, "verbose", 0)
            knob(kind, "ignore-gfp-wait", "N")
        knob("fail_page_alloc", "min-order", 0)
        self.fd = os.open("/proc/thread-self/fail-nth", os.O_RDWR)

    def __call__(self, n, function):
        """What it returns, and whether it came to so many; n 0: none fails."""
        os.pwrite(self.fd, b"%d" % n, 0)
        result = function()
        left = os.pread(self.fd, 16, 0)
        os.pwrite(self.fd, b"0", 0)
        return result, not int(left)


@contextlib.contextmanager
def spared():
    """The console is spared what the kernel says where it has no memory, and whose fault that is,
    a stack for each. Gives what tells the other warnings in the log since the last time; its
    trace events warn, too, when a module's have none."""
    log = Log()
    with sysctl("kernel.printk", "4"):
        yield lambda: [line for line in log.lines()
                       if "WARNING:" in line and "kernel/trace/trace_events.c:" not in line]


class Tun:
    """A device of the calling thread's namespace, behind which ANY is; with "this" it is
    where packets come by."""

    def __init__(self):
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        # TUNSETIFF: IFF_TUN, IFF_NO_PI
        fcntl.ioctl(self.fd, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for call, text in ((0x8916, GTW_ANY4), (0x891c, "255.255.255.0")):  # address, mask
                fcntl.ioctl(sock, call, struct.pack("16sHH4s16x", b"tun0", socket.AF_INET, 0,
                                                    socket.inet_aton(text)))
            fcntl.ioctl(sock, 0x8914, struct.pack("16sH22x", b"tun0", 1))   # SIOCSIFFLAGS: up
        self.index = socket.if_nametoindex("tun0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def answered(self):
        """Of PORTS those to which a SYN came through: TCP resets it, since nothing listens."""
        for port in PORTS:
            os.write(self.fd, segment(ANY4, GTW_ANY4, 40000, port, SYN, 1))
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found += [seen.sport for seen in parse(os.read(self.fd, 2048))]
        return sorted(found)

    def state(self, device):
        """The policy to the byte, what the module says of segments, and what they say."""
        policy = device.policy()
        policy.confirm = bool(policy.confirm)   # the clock runs on
        asked = [ask(device, question(target_port=port)) for port in PORTS]
        asked.append(ask(device, question(hook=HOOK_FORWARD, target=BEHIND, target_port=99,
                                          out_ifindex=self.index)))
        return policy, asked, self.answered()


# What is tried: a function that makes ready and returns what is done under failing
# allocations, which returns its errno or what it read.
def write(files, name, text):
    """Write an attribute."""
    def done():
        try:
            os.write(files[name], text.encode())
        except OSError as error:
            return error.errno
        return 0
    return lambda device: done


def read(files, name):
    """Read an attribute."""
    def done():
        try:
            return os.pread(files[name], 8192, 0)
        except OSError as error:
            return error.errno
    return lambda device: done


def set_(**fields):
    """Set the policy, by the call."""
    def ready(device):
        policy = device.changed(**fields)
        return lambda: device.set(policy)
    return ready


def get(name):
    """One of the calls that read."""
    def ready(device):
        def done():
            try:
                return bytes(getattr(device, name)())
            except OSError as error:
                return error.errno
        return done
    return ready


def waits(what):
    """Something that is done while a change waits."""
    def ready(device):
        assert device.change(confirm=3600, **NEW) == 0
        return lambda: what(device)
    return ready


def unlogged(ready):
    """None of the loggers is loaded yet."""
    def first(device):
        # the namespace before, whose policy held one, may not be gone yet
        assert wait_until(lambda: not run("modprobe", "-ra", "nfnetlink_log", "nf_log_syslog").returncode)
        return ready(device)
    return first


def trials(files):
    """(name, the policy before, what is tried, whether it may be refused)"""
    for name, ready in (("mode", write(files, "mode", "audit")), ("adm", write(files, "adm", "192.0.2.0/24")),
                        ("SET_POLICY", set_(**NEW))):
        yield f"{name}, a namespace's first change", None, ready, True
    for name, text in (("mode", "audit"), ("mode", "off"), ("adm", "+192.0.2.0/24"), ("adm", ""),
                       ("site", "+99 ANY GTW"), ("gtw", "+" + BEHIND), ("gtw", "port:tun0")):
        yield f"{name} {text!r}", OLD, write(files, name, text or "\n"), True
    yield "mode 'enforce', after off", {**OLD, "mode": OFF}, write(files, "mode", "enforce"), True
    for text in ("kernel", "nflog:5"):
        yield f"log {text!r}", OLD, unlogged(write(files, "log", text)), True
    yield "SET_POLICY", OLD, set_(**NEW), True
    yield "SET_POLICY with confirm", OLD, set_(confirm=3600, **NEW), True
    for name, what in (("CONFIRM", Device.confirm), ("REVERT", Device.revert),
                       ("CONFIRM that extends", lambda device: device.confirm(7200))):
        yield name, OLD, waits(what), False
    for name in FILES:
        # these copy nothing
        yield f"reading {name}", OLD, read(files, name), name not in ("mode", "table", "version")
    for name in ("policy", "counters"):
        yield f"GET_{name.upper()}", OLD, get(name), True
    yield "EXPLAIN", OLD, lambda device: lambda: ask(device, question()), False
    yield "GET_VERSION", OLD, lambda device: get("version")(device), False


def tried(nth, device, n, old, ready):
    """(state before, what came of it, state after, whether there were so many)"""
    with own_namespace(), Tun() as tun:
        if old:
            assert device.change(**old) == 0
        done = ready(device)
        before = tun.state(device)
        result, reached = nth(n, done)
        return before, result, tun.state(device), reached


def changes(nth, device):
    """A policy changed and asked for, in every way."""
    total = 0
    files = {name: os.open(f"{MW_SYS}/{name}", os.O_RDONLY if name in FILES[5:] else os.O_RDWR)
             for name in FILES}
    for name, old, ready, may in trials(files):
        before, result, after, _ = tried(nth, device, 0, old, ready)
        wrong, refused = [], 0
        for n in itertools.count(1):
            *found, reached = tried(nth, device, n, old, ready)
            if not reached:
                break
            refused += found[1] == errno.ENOMEM
            if found != [before, errno.ENOMEM, before] and found != [before, result, after]:
                wrong.append(f"allocation {n}: {found}\nneither as before, {before},\n"
                             f"nor done, {result}, {after}")
        total += n - 1
        ok(not wrong and bool(refused) == may, f"{name}: {n - 1} allocations, refused by {refused}",
           "\n".join(wrong[:4]))
    for fd in files.values():
        os.close(fd)
    diag(f"{total} failed allocations in changes and questions")


def loading(nth):
    """insmod."""
    must(run("ip", "netns", "add", "other"))
    with open(MW_KO, "rb") as file, Tun() as tun:
        words = (f"adm=198.51.100.0/24 site=22:ADM:GTW gtw=this,{BEHIND} log=nflog:5 "
                 f"confirm=3600").encode()

        def insert():
            return called(_libc.syscall(313, file.fileno(), words, 0))

        def state():
            with Device() as device:
                return tun.state(device)

        is_(insert(), 0, "the module loads")
        whole = state()
        is_(whole[2], [25], "and judges")
        must(mw_unload())
        wrong, refused = [], 0
        with spared() as warnings:
            for n in itertools.count(1):
                result, reached = nth(n, insert)
                if not result:
                    if state() != whole:
                        wrong.append(f"allocation {n}: loaded with {state()}")
                    must(mw_unload())
                elif result != errno.ENOMEM or loaded() or tun.answered() != list(PORTS):
                    wrong.append(f"allocation {n}: {name_of(result)}, {loaded()}, {tun.answered()}")
                wrong += [f"allocation {n}: {line}" for line in warnings()]
                refused += bool(result)
                if not reached:
                    break
    nothing_wrong(f"insmod: {n - 1} allocations, refused by {refused}", wrong[:10])


def namespaces(nth):
    """A network namespace is made, of which the module has its part."""
    must(mw_load("adm=198.51.100.0/24"))
    before, wrong, refused = snapshot(), [], 0
    with open("/proc/self/ns/net", "rb") as back, spared() as warnings:
        for n in itertools.count(1):
            result, reached = nth(n, lambda: called(_libc.unshare(CLONE_NEWNET)))
            refused += bool(result)
            if not result:
                if mw_read("mode") != "off\n":
                    wrong.append(f"allocation {n}: not off")
                if called(_libc.setns(back.fileno(), CLONE_NEWNET)):
                    raise OSError("setns back")
            # the error is that of whichever part of the kernel had no memory
            if snapshot() != before:
                wrong.append(f"allocation {n}: the policy is another one")
            wrong += [f"allocation {n}: {line}" for line in warnings()]
            if not reached:
                break
    nothing_wrong(f"a namespace: {n - 1} allocations, refused by {refused}", wrong[:10])


@contextlib.contextmanager
def failing(kinds, times, tasks):
    """The next so many allocations of these tasks fail; gives what tells how many did."""
    def each_task(value):
        for task in tasks:
            # some have ended
            with contextlib.suppress(OSError):
                write_once(f"/proc/{task}/make-it-fail", value)

    def failed():
        return sum(times - int(read_text(f"/sys/kernel/debug/{kind}/times")) for kind in kinds)

    for kind in kinds:
        knob(kind, "times", times)
        knob(kind, "task-filter", "Y")
    each_task("1")
    # open beforehand, since opening takes memory
    files = [os.open(f"/sys/kernel/debug/{kind}/probability", os.O_WRONLY) for kind in kinds]
    try:
        for fd in files:
            os.write(fd, b"100")
        yield failed
    finally:
        for fd in files:
            os.write(fd, b"0")
            os.close(fd)
        each_task("0")


def in_a_row(device):
    """The first pages that are asked for fail, one after the other, so that what may be of
    pages that lie apart is refused too."""
    files = {"gtw": os.open(f"{MW_SYS}/gtw", os.O_WRONLY)}
    wrong, refused, done = [], 0, write(files, "gtw", "+" + BEHIND)(device)
    with spared() as warnings:
        for times in range(1, 17):
            with own_namespace(), Tun() as tun:
                assert device.change(**OLD) == 0
                before = tun.state(device)
                with failing(KINDS[1:], times, ["thread-self"]):
                    result = done()
                refused += result == errno.ENOMEM
                if result and (result != errno.ENOMEM or tun.state(device) != before):
                    wrong.append(f"{times}: {name_of(result)}: {tun.state(device)}, not {before}")
            wrong += [f"{times}: {line}" for line in warnings()]
    ok(refused and not wrong, f"flows for which there are no pages: refused {refused} times of 16",
       "\n".join(wrong[:4]))
    os.close(files["gtw"])


def kernel_threads():
    """Their numbers; those that are to come are children of one of them, and fail as it does."""
    return [pid for pid in os.listdir("/proc")
            if pid.isdigit() and not read_text(f"/proc/{pid}/cmdline")]


def due(device):
    """A change that nobody confirms reverts in time, though the kernel's threads are given no
    memory at all."""
    for name, old, new in (("off to enforce", {**OLD, "mode": OFF}, NEW),
                           ("enforce to off", OLD, {**NEW, "mode": OFF}),
                           ("gateways behind", OLD, NEW)):
        with own_namespace(), Tun() as tun:
            assert device.change(**old) == 0
            before = tun.state(device)
            start = time.monotonic()
            assert device.change(confirm=3, **new) == 0
            meanwhile = tun.state(device)
            with failing(KINDS, 1 << 20, kernel_threads()) as failed:
                wait_until(lambda: not device.policy().confirm, 20)
                took = time.monotonic() - start
                count = failed()
            after = tun.state(device)
            # the change was one generation, the way back is another
            before[0].generation += 2
            ok(after == before != meanwhile and 3 <= took < 9,
               f"{name}, not confirmed: reverts in time, {count} allocations failed meanwhile",
               f"{took} s\nbefore {before}\nmeanwhile {meanwhile}\nafter {after}")


def main():
    nth = Nth()
    part(loading, nth, mend=mw_unload)
    must(mw_load())
    with Device() as device:
        parts((in_a_row, due), device)
        part(changes, nth, device)
    must(mw_unload())
    part(namespaces, nth)
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
