"""include/uapi/linux/mailwall.h for Python: structs, calls, an open device."""
import contextlib
import ctypes
import fcntl
import os
import socket

from ctypes import c_char, c_uint8, c_uint16, c_uint32, c_uint64

ABI, ADM_MAX, SITE_MAX, TABLE_ROWS, CONFIRM_MAX = 1, 64, 32, 11, 86400
OFF, AUDIT, ENFORCE = range(3)
ANY, ADM, GTW = range(3)
IN, OUT = range(2)
LOG_OFF, LOG_KERNEL, LOG_NFLOG = range(3)
ASK, NONE, HELD = range(3)
FATE_PASS, FATE_DENY, FATE_UNJUDGED = range(3)
ENDS = ["ANY", "ADM", "GTW"]
REASON_NAMES = ["malformed", "flags", "peer", "no-connection", "closed"]


class Prefix(ctypes.Structure):
    """struct mailwall_prefix"""
    _fields_ = [("family", c_uint8), ("length", c_uint8), ("reserved", c_uint8 * 2),
                ("address", c_uint8 * 16)]


class Row(ctypes.Structure):
    """struct mailwall_row"""
    _fields_ = [("port", c_uint16), ("source", c_uint8), ("target", c_uint8)]

    def __str__(self):
        return f"{self.port} {ENDS[self.source]} {ENDS[self.target]}"


class Version(ctypes.Structure):
    """struct mailwall_version"""
    _fields_ = [("abi", c_uint32), ("reserved", c_uint32), ("release", c_char * 32)]


class Policy(ctypes.Structure):
    """struct mailwall_policy"""
    _fields_ = [("generation", c_uint64), ("mode", c_uint32), ("confirm", c_uint32),
                ("log", c_uint16), ("log_group", c_uint16), ("adm_count", c_uint16),
                ("site_count", c_uint16), ("reserved", c_uint64), ("adm", Prefix * ADM_MAX),
                ("site", Row * SITE_MAX)]


class RowCounters(ctypes.Structure):
    """struct mailwall_row_counters"""
    _fields_ = [("row", Row), ("reserved", c_uint32), ("openings", c_uint64),
                ("segments", c_uint64), ("bytes", c_uint64)]


class Counters(ctypes.Structure):
    """struct mailwall_counters"""
    _fields_ = [("generation", c_uint64), ("row_count", c_uint32), ("reserved", c_uint32),
                ("log_held", c_uint64), ("denied", (c_uint64 * 5) * 2),
                ("would_deny", (c_uint64 * 5) * 2), ("row", RowCounters * (TABLE_ROWS + SITE_MAX))]


class Explain(ctypes.Structure):
    """struct mailwall_explain"""
    _fields_ = [("hook", c_uint8), ("direction", c_uint8), ("family", c_uint8),
                ("flags", c_uint8), ("connection", c_uint8), ("data_offset", c_uint8),
                ("segment_length", c_uint16), ("source_port", c_uint16),
                ("target_port", c_uint16), ("ifindex", c_uint32), ("source", c_uint8 * 16),
                ("target", c_uint8 * 16), ("fate", c_uint8), ("reason", c_uint8),
                ("mode", c_uint8), ("connection_found", c_uint8), ("row", Row),
                ("generation", c_uint64)]


def call_number(direction, number, struct=None):
    """_IO, _IOR (2), _IOW (1) or _IOWR (3)."""
    return direction << 30 | (ctypes.sizeof(struct) if struct else 0) << 16 | ord("W") << 8 | number


GET_VERSION = call_number(2, 0x40, Version)
GET_POLICY = call_number(2, 0x41, Policy)
SET_POLICY = call_number(1, 0x42, Policy)
CONFIRM = call_number(0, 0x43)
REVERT = call_number(0, 0x44)
GET_COUNTERS = call_number(2, 0x45, Counters)
EXPLAIN = call_number(3, 0x46, Explain)


def prefix(text):
    """A Prefix from ADDRESS/LENGTH, not checked."""
    address, length = text.split("/")
    fam = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(fam, address).ljust(16, b"\0")
    return Prefix(fam, int(length), (0, 0), (c_uint8 * 16)(*packed))


def row(text):
    """A Row from PORT SOURCE TARGET."""
    port, source, target = text.split()
    return Row(int(port), ENDS.index(source), ENDS.index(target))


class Device:
    """/dev/mailwall, open. Calls return 0 or the errno, or what they read."""

    def __init__(self):
        self.fd = os.open("/dev/mailwall", os.O_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def call(self, number, argument=0):
        """An ioctl: 0 or the errno."""
        try:
            fcntl.ioctl(self.fd, number, argument)
        except OSError as error:
            return error.errno
        return 0

    def read(self, number, struct):
        """An ioctl that fills a struct."""
        answer = struct()
        fcntl.ioctl(self.fd, number, answer)
        return answer

    def version(self):
        """The version."""
        return self.read(GET_VERSION, Version)

    def policy(self):
        """The policy."""
        return self.read(GET_POLICY, Policy)

    def counters(self):
        """The counters."""
        return self.read(GET_COUNTERS, Counters)

    def set(self, policy):
        """Set the policy."""
        return self.call(SET_POLICY, policy)

    def change(self, confirm=0, **fields):
        """Set some fields of the policy in force; adm and site are lists of texts."""
        policy = self.policy()
        policy.confirm = confirm
        for name, value in fields.items():
            if name in ("adm", "site"):
                make = prefix if name == "adm" else row
                setattr(policy, name + "_count", len(value))
                for i, item in enumerate(value):
                    getattr(policy, name)[i] = make(item)
            else:
                setattr(policy, name, value)
        return self.set(policy)

    def confirm(self):
        """Keep the change that waits."""
        return self.call(CONFIRM)

    def revert(self):
        """Undo it."""
        return self.call(REVERT)


def counts():
    """The counters that are not zero, by name: ("25 ANY GTW", "openings"),
    ("deny", "in", "closed"), ("would-deny", ...), "held"."""
    with Device() as device:
        c = device.counters()
    found = {"held": c.log_held}
    for i in range(c.row_count):
        for what in ("openings", "segments", "bytes"):
            found[str(c.row[i].row), what] = getattr(c.row[i], what)
    for name, array in (("deny", c.denied), ("would-deny", c.would_deny)):
        for direction, where in enumerate(("in", "out")):
            for reason, text in enumerate(REASON_NAMES):
                found[name, where, text] = array[direction][reason]
    return {key: value for key, value in found.items() if value}


def difference(before, after):
    """What was counted between."""
    return {key: after.get(key, 0) - before.get(key, 0)
            for key in before.keys() | after.keys() if after.get(key, 0) != before.get(key, 0)}


@contextlib.contextmanager
def counted():
    """with counted() as diff: ...; then diff has what was counted meanwhile."""
    diff = {}
    before = counts()
    yield diff
    diff.update(difference(before, counts()))


def c_checks():
    """C that compiles only if the header has the very same layout."""
    print("#include <stddef.h>\n#include <linux/mailwall.h>")
    for struct in (Prefix, Row, Version, Policy, RowCounters, Counters, Explain):
        name = struct.__doc__
        print(f'_Static_assert(sizeof({name}) == {ctypes.sizeof(struct)}, "{name}");')
        for field, *_ in struct._fields_:
            print(f'_Static_assert(offsetof({name}, {field}) == {getattr(struct, field).offset}, '
                  f'"{name}.{field}");')
            print(f'_Static_assert(sizeof((({name} *)0)->{field}) == '
                  f'{getattr(struct, field).size}, "{name}.{field}");')
    for name in ("GET_VERSION", "GET_POLICY", "SET_POLICY", "CONFIRM", "REVERT", "GET_COUNTERS",
                 "EXPLAIN"):
        print(f'_Static_assert(MAILWALL_{name} == {globals()[name]}u, "{name}");')


if __name__ == "__main__":
    c_checks()
