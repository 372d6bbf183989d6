"""include/uapi/linux/mailwall.h for Python: structs, calls, an open device."""
import contextlib
import ctypes
import os
import socket

from ctypes import c_char, c_uint8, c_uint16, c_uint32, c_uint64, sizeof

ABI, ADM_MAX, SITE_MAX, GTW_MAX, CONFIRM_MAX, SIZE_MAX = 2, 64, 32, 32, 86400, 4096
OFF, AUDIT, ENFORCE = range(3)
ANY, ADM, GTW = range(3)
IN, OUT = range(2)
LOG_OFF, LOG_KERNEL, LOG_NFLOG = range(3)
GTW_THIS, GTW_PREFIX, GTW_PORT = range(3)
ASK, NONE, HELD = range(3)
FATE_PASS, FATE_DENY, FATE_UNJUDGED = range(3)
HOOK_HOST, HOOK_FORWARD = range(2)
PLACE_HOST, PLACE_FORWARD, PLACE_BRIDGE, PLACE_BRIDGED = range(4)
ENDS = ["ANY", "ADM", "GTW"]
REASON_NAMES = ["malformed", "flags", "peer", "no-connection", "closed"]
_libc = ctypes.CDLL(None, use_errno=True)


class Prefix(ctypes.Structure):
    """struct mailwall_prefix"""
    _fields_ = [("family", c_uint8), ("length", c_uint8), ("reserved", c_uint8 * 2),
                ("address", c_uint8 * 16)]


class Row(ctypes.Structure):
    """struct mailwall_row"""
    _fields_ = [("port", c_uint16), ("source", c_uint8), ("target", c_uint8)]

    def __str__(self):
        return f"{self.port} {ENDS[self.source]} {ENDS[self.target]}"


class Gtw(ctypes.Structure):
    """struct mailwall_gtw"""
    _fields_ = [("kind", c_uint8), ("reserved", c_uint8 * 3), ("prefix", Prefix),
                ("device", c_char * 16)]

    def __str__(self):
        """As the module writes it."""
        if self.kind == GTW_PORT:
            return f"port:{self.device.decode()}"
        if self.kind == GTW_THIS:
            return "this"
        size = 4 if self.prefix.family == socket.AF_INET else 16
        address = socket.inet_ntop(self.prefix.family, bytes(self.prefix.address)[:size])
        return address if self.prefix.length == 8 * size else f"{address}/{self.prefix.length}"


class List(ctypes.Structure):
    """struct mailwall_list"""
    _fields_ = [("items", c_uint64), ("count", c_uint32), ("stride", c_uint32)]


class Sized(ctypes.Structure):
    """An argument that begins with its size."""

    def __init__(self, **fields):
        super().__init__(**{"size": sizeof(self), **fields})


class Version(Sized):
    """struct mailwall_version"""
    _fields_ = [("size", c_uint32), ("abi", c_uint32), ("release", c_char * 32)]


class PolicyHead(Sized):
    """struct mailwall_policy"""
    _fields_ = [("size", c_uint32), ("mode", c_uint32), ("generation", c_uint64),
                ("confirm", c_uint32), ("log", c_uint16), ("log_group", c_uint16), ("adm", List),
                ("site", List), ("gtw", List)]


class Confirm(Sized):
    """struct mailwall_confirm"""
    _fields_ = [("size", c_uint32), ("extend", c_uint32)]


class RowCounters(ctypes.Structure):
    """struct mailwall_row_counters"""
    _fields_ = [("row", Row), ("behind", c_uint8), ("reserved", c_uint8 * 3),
                ("openings", c_uint64), ("segments", c_uint64), ("bytes", c_uint64)]


class ReasonCounters(ctypes.Structure):
    """struct mailwall_reason_counters"""
    _fields_ = [("direction", c_uint8), ("reason", c_uint8), ("behind", c_uint8),
                ("reserved", c_uint8 * 5), ("denied", c_uint64), ("would_deny", c_uint64)]


class GtwCounters(ctypes.Structure):
    """struct mailwall_gtw_counters"""
    _fields_ = [("gtw", Gtw), ("in", c_uint64), ("out", c_uint64)]


class CountersHead(Sized):
    """struct mailwall_counters"""
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("generation", c_uint64),
                ("log_held", c_uint64), ("row", List), ("reason", List), ("gtw", List),
                ("flows_noted", c_uint64), ("flows_evicted", c_uint64),
                ("flows_missed", c_uint64)]


class Judgement(ctypes.Structure):
    """struct mailwall_judgement"""
    _fields_ = [("direction", c_uint8), ("fate", c_uint8), ("reason", c_uint8),
                ("connection_found", c_uint8), ("place", c_uint8), ("notes", c_uint8),
                ("reserved", c_uint8 * 2), ("row", Row), ("gtw", Gtw)]


class Explain(Sized):
    """struct mailwall_explain"""
    _fields_ = [("size", c_uint32), ("ifindex", c_uint32), ("hook", c_uint8),
                ("direction", c_uint8), ("family", c_uint8), ("flags", c_uint8),
                ("connection", c_uint8), ("data_offset", c_uint8), ("segment_length", c_uint16),
                ("source_port", c_uint16), ("target_port", c_uint16), ("out_ifindex", c_uint32),
                ("source", c_uint8 * 16), ("target", c_uint8 * 16), ("fate", c_uint8),
                ("reason", c_uint8), ("answer_mode", c_uint8), ("connection_found", c_uint8),
                ("row", Row), ("generation", c_uint64), ("judgements", c_uint8),
                ("reserved", c_uint8 * 7), ("judgement", Judgement * 2)]


CALLS = {name: 0xd7 << 8 | number for number, name in enumerate(
    ["GET_VERSION", "GET_POLICY", "SET_POLICY", "CONFIRM", "REVERT", "GET_COUNTERS", "EXPLAIN"])}
GET_VERSION, GET_POLICY, SET_POLICY, CONFIRM, REVERT, GET_COUNTERS, EXPLAIN = CALLS.values()


def array(items, kind, room=0):
    """The items as the module takes them, with room for so many."""
    items = list(items)
    return (kind * max(len(items), room))(*items)


def list_of(items):
    """A List that says where an array lies, all of it."""
    return List(ctypes.addressof(items), len(items), sizeof(items._type_))


class Policy:
    """A policy: what the head says, and lists of Prefix, Row and Gtw."""
    FIELDS = ("mode", "generation", "confirm", "log", "log_group")

    def __init__(self, **fields):
        self.mode = self.generation = self.confirm = self.log = self.log_group = 0
        self.adm, self.site, self.gtw = [], [], [Gtw()]
        self.__dict__.update(fields)

    def __bytes__(self):
        return repr([getattr(self, name) for name in self.FIELDS]).encode() + \
            b"".join(b"|" + b"".join(bytes(item) for item in items)
                     for items in (self.adm, self.site, self.gtw))

    def __eq__(self, other):
        return bytes(self) == bytes(other)

    def __repr__(self):
        return repr(bytes(self))


class Counts:
    """Counters of this host or of all gateways behind it: rows, and what was denied by
    direction and reason."""

    def __init__(self, rows, reasons, behind):
        self.row = [one for one in rows if one.behind == behind]
        self.denied = [[0] * len(REASON_NAMES) for _ in range(2)]
        self.would_deny = [[0] * len(REASON_NAMES) for _ in range(2)]
        for one in reasons:
            if one.behind == behind:
                self.denied[one.direction][one.reason] = one.denied
                self.would_deny[one.direction][one.reason] = one.would_deny

    def __bytes__(self):
        return repr((self.denied, self.would_deny)).encode() + \
            b"".join(bytes(row) for row in self.row)


class Counters(Counts):
    """Counters: of this host, of gateways behind it, what each item of gtw saw, flows."""
    FLOWS = ("noted", "evicted", "missed")

    def __init__(self, head, rows, reasons, gateways):
        super().__init__(rows, reasons, 0)
        self.behind = Counts(rows, reasons, 1)
        self.generation, self.log_held, self.gtw = head.generation, head.log_held, gateways
        self.flows = {name: getattr(head, f"flows_{name}") for name in self.FLOWS}

    def __bytes__(self):
        return super().__bytes__() + bytes(self.behind) + \
            repr((self.generation, self.log_held, self.flows)).encode() + \
            b"".join(bytes(one) for one in self.gtw)


def prefix(text):
    """A Prefix from ADDRESS/LENGTH, not checked."""
    address, length = text.split("/")
    fam = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(fam, address).ljust(16, b"\0")
    return Prefix(fam, int(length), (0, 0), (c_uint8 * 16)(*packed))


def gtw(text):
    """A Gtw from this, port:DEVICE or ADDRESS/LENGTH, not checked."""
    if text == "this":
        return Gtw(GTW_THIS)
    if text.startswith("port:"):
        return Gtw(GTW_PORT, device=text[5:].encode())
    return Gtw(GTW_PREFIX, prefix=prefix(text))


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
        """An ioctl with a struct or an address: 0 or the errno."""
        address = argument if isinstance(argument, int) else ctypes.addressof(argument)
        if _libc.ioctl(self.fd, ctypes.c_ulong(number), ctypes.c_void_p(address)) < 0:
            return ctypes.get_errno()
        return 0

    def must(self, number, argument):
        """An ioctl that must not fail."""
        number = self.call(number, argument)
        if number:
            raise OSError(number, os.strerror(number))
        return argument

    def version(self):
        """The version."""
        return self.must(GET_VERSION, Version())

    def policy(self):
        """The policy."""
        adm, site, gtw = (Prefix * ADM_MAX)(), (Row * SITE_MAX)(), (Gtw * GTW_MAX)()
        head = self.must(GET_POLICY, PolicyHead(adm=list_of(adm), site=list_of(site),
                                                gtw=list_of(gtw)))
        return Policy(adm=adm[:head.adm.count], site=site[:head.site.count],
                      gtw=gtw[:head.gtw.count],
                      **{name: getattr(head, name) for name in Policy.FIELDS})

    def counters(self):
        """The counters."""
        rows, reasons, items = (RowCounters * 99)(), (ReasonCounters * 99)(), (GtwCounters * 32)()
        head = self.must(GET_COUNTERS, CountersHead(
            row=list_of(rows), reason=list_of(reasons), gtw=list_of(items)))
        return Counters(head, rows[:head.row.count], reasons[:head.reason.count],
                        items[:head.gtw.count])

    def set(self, policy):
        """Set the policy."""
        adm, site, gtw = (array(policy.adm, Prefix), array(policy.site, Row),
                          array(policy.gtw, Gtw))
        return self.call(SET_POLICY, PolicyHead(
            adm=list_of(adm), site=list_of(site), gtw=list_of(gtw),
            **{name: getattr(policy, name) for name in Policy.FIELDS}))

    def changed(self, confirm=0, **fields):
        """The policy in force, but for some fields; adm, site and gtw are lists of texts."""
        read = {"adm": prefix, "site": row, "gtw": gtw}
        policy = self.policy()
        policy.confirm = confirm
        for name, value in fields.items():
            if name in read:
                value = [read[name](item) for item in value]
            setattr(policy, name, value)
        return policy

    def change(self, confirm=0, **fields):
        """Set it so."""
        return self.set(self.changed(confirm, **fields))

    def confirm(self, extend=0):
        """Keep the change that waits, or let it wait longer."""
        return self.call(CONFIRM, Confirm(extend=extend))

    def revert(self):
        """Undo it."""
        return self.call(REVERT)


def _counted_of(c, before=()):
    """Counters of this host, or of gateways behind, by name."""
    found = {}
    for one in c.row:
        for what in ("openings", "segments", "bytes"):
            found[(*before, str(one.row), what)] = getattr(one, what)
    for name, array in (("deny", c.denied), ("would-deny", c.would_deny)):
        for direction, where in enumerate(("in", "out")):
            for reason, text in enumerate(REASON_NAMES):
                found[(*before, name, where, text)] = array[direction][reason]
    return found


def counts():
    """The counters that are not zero, by name: ("25 ANY GTW", "openings"),
    ("deny", "in", "closed"), ("would-deny", ...), "held"; of gateways behind ("behind",
    "25 ANY GTW", "openings") and so on; ("flows", "noted"). What items saw: seen()."""
    with Device() as device:
        c = device.counters()
    found = {"held": c.log_held, **_counted_of(c), **_counted_of(c.behind, ("behind",))}
    for name, number in c.flows.items():
        found["flows", name] = number
    return {key: value for key, value in found.items() if value}


def seen():
    """What each item of gtw saw: {"this": (in, out)}."""
    with Device() as device:
        return {str(one.gtw): (getattr(one, "in"), one.out) for one in device.counters().gtw}


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
    """C that compiles only if the header has the very same layout, without a hole."""
    print("#include <stddef.h>\n#include <linux/mailwall.h>")
    for struct in (Prefix, Row, Gtw, List, Version, PolicyHead, Confirm, RowCounters,
                   ReasonCounters, GtwCounters, CountersHead,
                   Judgement, Explain):
        name, at = struct.__doc__, 0
        print(f'_Static_assert(sizeof({name}) == {sizeof(struct)}, "{name}");')
        for field, *_ in struct._fields_:
            one = getattr(struct, field)
            print(f'_Static_assert(offsetof({name}, {field}) == {at}, "{name}.{field}");')
            print(f'_Static_assert(sizeof((({name} *)0)->{field}) == {one.size}, '
                  f'"{name}.{field}");')
            # of this file's own layout: no hole before it, none at the end
            assert one.offset == at, f"a hole before {name}.{field}"
            at += one.size
        assert sizeof(struct) == at, f"a hole at the end of {name}"
    for name, number in CALLS.items():
        print(f'_Static_assert(MAILWALL_{name} == {number}u, "{name}");')
    for name in ("ABI", "ADM_MAX", "SITE_MAX", "GTW_MAX", "CONFIRM_MAX", "SIZE_MAX", "GTW_THIS",
                 "GTW_PREFIX", "GTW_PORT", "HOOK_HOST", "HOOK_FORWARD", "PLACE_HOST",
                 "PLACE_FORWARD", "PLACE_BRIDGE", "PLACE_BRIDGED"):
        print(f'_Static_assert(MAILWALL_{name} == {globals()[name]}, "{name}");')


if __name__ == "__main__":
    c_checks()
