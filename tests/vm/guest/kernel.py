"""What tests look at beyond the counters: the kernel's log, questions, processes with fewer
rights."""
import ctypes
import contextlib
import os
import pickle
import re
import signal
import threading

from lib import *
import uapi
from uapi import Device

CAP_NET_ADMIN = 12
# The line that every change leaves.
CHANGE = re.compile(r"mailwall: net:\[\d+\]: (changed|confirmed|extended|reverted|loaded|unloaded): ")
_libc = ctypes.CDLL(None, use_errno=True)


class Log:
    """The kernel's log from now on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def timed(self, start=""):
        """Messages since the last call, those that start so, each with its time in seconds."""
        found = []
        while True:
            try:
                record = os.read(self.fd, 8192)
            except BlockingIOError:
                return found
            except BrokenPipeError:     # some were overwritten
                continue
            # what follows the first line is structured data
            head, text = record.split(b";", 1)
            line = text.split(b"\n")[0].decode()
            if line.startswith(start):
                found.append((int(head.split(b",")[2]) / 1e6, line))

    def until(self, text, start="", seconds=30):
        """Likewise, once one of them has this in it: a change that is in force may not be told yet."""
        found = []
        wait_until(lambda: found.extend(self.timed(start)) or any(text in line for _, line in found),
                   seconds)
        return found

    def lines(self, start=""):
        """Messages since the last call, those that start so, save what every change leaves."""
        return [line for _, line in self.timed(start) if not CHANGE.match(line)]

    def changes(self):
        """What changes have left since the last call, and that alone."""
        return [line for _, line in self.timed() if CHANGE.match(line)]


def net_number(ns="gtw"):
    """The number by which the kernel's log calls a network namespace."""
    with netns(ns):
        return os.stat(f"/proc/self/task/{threading.get_native_id()}/ns/net").st_ino


@contextlib.contextmanager
def own_namespace():
    """The calling thread is in a network namespace of its own: it has a policy and a rate
    limit of its own, too."""
    with open(f"/proc/self/task/{threading.get_native_id()}/ns/net", "rb") as back:
        if _libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        try:
            yield
        finally:
            if _libc.setns(back.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns back")


def loaded():
    """Is anything of the module there?"""
    with open("/proc/modules", encoding="ascii") as file:
        return any(line.startswith("mailwall ") for line in file) or \
            os.path.exists(MW_SYS) or os.path.exists("/dev/mailwall")


def snapshot():
    """The whole policy as the module gives it, to the byte."""
    with Device() as device:
        return bytes(device.policy())


def question(**fields):
    """A question about a SYN from ANY to port 25 of this host, but for these fields."""
    q = uapi.Explain(direction=uapi.IN, family=socket.AF_INET, flags=2, data_offset=5,
                     segment_length=20, source_port=40000, target_port=25)
    q.source[:4] = socket.inet_aton(ANY4)
    q.target[:4] = socket.inet_aton(GTW_ANY4)
    for name, value in fields.items():
        if name in ("source", "target"):
            getattr(q, name)[:] = socket.inet_pton(
                family(value), value).ljust(16, b"\0")
            q.family = family(value)
        else:
            setattr(q, name, value)
    return q


def answer_of(one):
    """Fate, row or reason, and the connection, of an answer or of a judgement."""
    return ["pass", "deny", "unjudged"][one.fate], \
        str(one.row) if one.fate == 0 else uapi.REASON_NAMES[one.reason] if one.fate == 1 else "", \
        one.connection_found


def ask(device, q):
    """The answer, or the name of the error."""
    number = device.call(uapi.EXPLAIN, q)
    return name_of(number) if number else answer_of(q)


def in_child(function, *args):
    """What the function returns in a process of its own: it may give rights away there."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            result = function(*args)
        except BaseException as error:      # pylint: disable=broad-except
            result = repr(error)
        os.write(writing, pickle.dumps(result))
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(data)


def drop_net_admin():
    """This process loses CAP_NET_ADMIN."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    if _libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for i in range(3):
        sets[i] &= ~(1 << CAP_NET_ADMIN)
    if _libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def become(uid):
    """This process is that user's."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def errno_of(function, *args):
    """The name of the error it ends with, or "done"."""
    try:
        function(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def name_of(number):
    """An errno's name; "done" for 0."""
    return errno.errorcode[number] if number else "done"


def write_once(path, text):
    """One write(2) to a file."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text if isinstance(text, bytes) else text.encode())
    finally:
        os.close(fd)


def hooks_run(ns="gtw", peer="any"):
    """How many of the four hooks run when segments of both families come and go: probes on
    them tell, since not every kernel has a list of hooks; where there are no probes, the list.
    Something listens on 25."""
    trace = "/sys/kernel/tracing"
    if os.path.isdir(trace) and not os.listdir(trace):
        must(run("mount", "-t", "tracefs", "tracefs", trace))
    if not os.path.exists(trace + "/kprobe_events"):
        with netns(ns):
            return len(set(re.findall(r" mw_hook_ipv[46]_(?:in|out) \[mailwall\]",
                                      must(run("nft", "list", "hooks")).stdout)))
    names = [f"mw_hook_ipv{fam}_{way}" for fam in (4, 6) for way in ("in", "out")]
    fd = os.open(trace + "/kprobe_events", os.O_WRONLY | os.O_APPEND)
    for name in names:
        os.write(fd, f"p:mw/{name} mailwall:{name}\n".encode())
    os.close(fd)
    write_once(trace + "/events/mw/enable", "1")
    for address in (GTW_ANY4, GTW_ANY6) if ns == "gtw" else (ANY4, ANY6):
        connect(peer, address, 25, 5)
    write_once(trace + "/events/mw/enable", "0")
    with open(trace + "/kprobe_profile", encoding="ascii") as file:
        hits = {line.split()[0]: int(line.split()[1]) for line in file}
    os.close(os.open(trace + "/kprobe_events", os.O_WRONLY | os.O_TRUNC))
    return sum(hits.get(name, 0) > 0 for name in names)
