#!/usr/bin/python3
"""Structs and lists of any size, at any address: the calls of /dev/mailwall take what
<linux/mailwall.h> says, refuse the rest with the error that it says, and change nothing."""
import mmap
import random

from kernel import *
from uapi import *

LOG = Log()
PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                      ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
KERNEL = 0xffff888000001000


class Memory:
    """Pages, then one that nobody may touch."""

    def __init__(self, pages):
        self.size = pages * PAGE
        self.start = libc.mmap(None, self.size + PAGE, mmap.PROT_READ | mmap.PROT_WRITE,
                               mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        self.end = self.start + self.size
        if libc.mprotect(self.end, PAGE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")

    def fill(self, byte=0x5a):
        """Every byte the same."""
        ctypes.memset(self.start, byte, self.size)

    def bytes(self):
        """All of it."""
        return ctypes.string_at(self.start, self.size)


HEAD, LISTS = Memory(3), [Memory(40) for _ in range(3)]
# call, struct, its lists: (member, item, how many may be written or need be read)
READS = {
    "GET_VERSION": (Version, []),
    "GET_POLICY": (PolicyHead, [("adm", Prefix, 2), ("site", Row, 1), ("gtw", Gtw, 1)]),
    "GET_COUNTERS": (CountersHead, [("row", RowCounters, 12), ("reason", ReasonCounters, 10),
                                     ("gtw", GtwCounters, 1)]),
    "EXPLAIN": (Explain, []),
}
WRITES = {
    "SET_POLICY": (PolicyHead, [("adm", Prefix, ADM_MAX), ("site", Row, SITE_MAX),
                                ("gtw", Gtw, GTW_MAX)]),
    "CONFIRM": (Confirm, []),
}
CALLED = {**READS, **WRITES}


def argument(device, name):
    """An argument that the call takes, and its lists of items."""
    struct, lists = CALLED[name][0](), {member: [] for member, _, _ in CALLED[name][1]}
    if name == "SET_POLICY":
        policy = device.policy()
        for field in Policy.FIELDS:
            setattr(struct, field, getattr(policy, field))
        lists = {"adm": policy.adm, "site": policy.site, "gtw": policy.gtw}
    elif name == "EXPLAIN":
        struct = Explain(direction=IN, family=socket.AF_INET, flags=2, data_offset=5,
                         segment_length=20, source_port=40000, target_port=25)
    return struct, lists


# What a well-formed call answers where the policy is the one of main().
ANSWER = {"CONFIRM": "ENODATA"}


def place(data, at, size):
    """The struct at this address as one of that size, zeros after it."""
    data = (size.to_bytes(4, "little") + bytes(data)[4:])[:max(size, 4)].ljust(size, b"\0")
    ctypes.memmove(at, data, min(len(data), HEAD.end - at))
    return at


def lay_lists(name, struct, lists, stride=lambda size: size, at_end=True):
    """Put the items into the memory of their lists; they end where it ends."""
    for memory, (member, kind, needed) in zip(LISTS, CALLED[name][1]):
        memory.fill()
        items = lists[member]
        room, step = len(items) if name == "SET_POLICY" else needed, stride(sizeof(kind))
        start = memory.end - room * step if at_end else memory.start
        for i, item in enumerate(items):
            ctypes.memset(start + i * step, 0, step)
            ctypes.memmove(start + i * step, ctypes.addressof(item), sizeof(kind))
        setattr(struct, member, List(start, room, step))


def ready(device, name, **how):
    """A well-formed argument with its lists in place."""
    struct, lists = argument(device, name)
    lay_lists(name, struct, lists, **how)
    return struct


def sizes():
    """The size of the struct: below, at and above what the module knows."""
    with Device() as device:
        for name, (kind, _) in CALLED.items():
            known, wrong = sizeof(kind), []

            def case(what, at, size, want, past=b""):
                before = device.policy() if name == "SET_POLICY" else None
                struct = ready(device, name)
                HEAD.fill()
                place(struct, at, size)
                for i, byte in enumerate(past):
                    ctypes.memset(at + size - len(past) + i, byte, 1)
                got = name_of(device.call(CALLS[name], at))
                if got != want:
                    wrong.append(f"{what}: {got}, not {want}")
                if name == "SET_POLICY":
                    moved = device.policy().generation - before.generation
                    if moved != (want == "done"):
                        wrong.append(f"{what}: {moved} policies more")
                elif got == "done":
                    # what is past the struct is zero, what is past the size nobody's
                    tail = ctypes.string_at(at + known, min(size, SIZE_MAX) - known)
                    after = ctypes.string_at(at + size, min(8, HEAD.end - at - size))
                    if tail.strip(b"\0") or after.strip(b"\x5a"):
                        wrong.append(f"{what}: past the struct {tail}, past the size {after}")

            good = ANSWER.get(name, "done")
            for size in (*range(4), known // 2, known - 1):
                case(f"size {size}", HEAD.start, size, "EINVAL")
            for size in (known, known + 1, known + 4, 2 * known, SIZE_MAX - 1, SIZE_MAX):
                case(f"size {size}", HEAD.start, size, good)
                case(f"size {size} before the end", HEAD.end - size, size, good)
            for size in (known + 1, known + 8, SIZE_MAX):
                case(f"size {size}, last byte not zero", HEAD.start, size, "E2BIG", b"\1")
                case(f"size {size}, first byte past not zero", HEAD.start, size, "E2BIG",
                     b"\1" + bytes(size - known - 1))
            case("size past the end", HEAD.end - known, known + 1, "EFAULT")
            case("struct over the end", HEAD.end - known // 2, known, "EFAULT")
            case("size over the end", HEAD.end - 2, known, "EFAULT")
            for address in (0, 1, HEAD.end, KERNEL, (1 << 64) - 4):
                got = name_of(device.call(CALLS[name], address))
                if got != "EFAULT":
                    wrong.append(f"address {address:#x}: {got}")
            for size in (SIZE_MAX + 1, 1 << 31, (1 << 32) - 1):
                struct = ready(device, name)
                struct.size = size
                got = name_of(device.call(CALLS[name], struct))
                if got != "E2BIG":
                    wrong.append(f"size {size}: {got}")
            ok(not wrong, f"{name}: sizes", "\n".join(wrong))


def list_cases(name, member, kind, needed):
    """For a list: what is written into it, and the error."""
    size, good = sizeof(kind), "done"
    many = {"adm": ADM_MAX, "site": SITE_MAX, "gtw": GTW_MAX}.get(member, 0)
    yield "as it is", lambda one: None, good
    for stride in (1, size - 1):
        yield f"stride {stride}", lambda one, stride=stride: setattr(one, "stride", stride), "EINVAL"
    yield "stride 0", lambda one: setattr(one, "stride", 0), "EINVAL"
    for stride in (SIZE_MAX + 1, (1 << 32) - 1):
        yield f"stride {stride}", lambda one, stride=stride: setattr(one, "stride", stride), "E2BIG"
    for items in (0, 1, KERNEL, (1 << 64) - 1):
        yield f"items {items:#x}", lambda one, items=items: setattr(one, "items", items), "EFAULT"
    yield "one byte past the end", lambda one: setattr(one, "items", one.items + 1), "EFAULT"
    if name == "SET_POLICY":
        for count in (many + 1, 1 << 16, (1 << 32) - 1):
            yield f"count {count}", lambda one, count=count: setattr(one, "count", count), "E2BIG"
        yield "all zero", lambda one: ctypes.memset(ctypes.addressof(one), 0, sizeof(one)), \
            "EINVAL" if member == "gtw" else good
    else:
        for count in range(needed):
            yield f"room for {count}", lambda one, count=count: setattr(one, "count", count), "ENOSPC"
        yield "room for none, nowhere", \
            lambda one: (setattr(one, "items", 0), setattr(one, "count", 0)), "ENOSPC"
        yield "not asked for", lambda one: ctypes.memset(ctypes.addressof(one), 0, sizeof(one)), good


def lists():
    """Strides, counts and addresses of lists."""
    with Device() as device:
        for name in ("GET_POLICY", "GET_COUNTERS", "SET_POLICY"):
            for member, kind, needed in CALLED[name][1]:
                wrong, first = [], device.policy()
                for what, change, want in list_cases(name, member, kind, needed):
                    struct = ready(device, name)
                    change(getattr(struct, member))
                    before, policy = bytes(struct), device.policy()
                    memory = [one.bytes() for one in LISTS]
                    got = name_of(device.call(CALLS[name], struct))
                    if got != want:
                        wrong.append(f"{what}: {got}, not {want}")
                    moved = device.policy().generation - policy.generation
                    if moved != (name == "SET_POLICY" and want == "done"):
                        wrong.append(f"{what}: {moved} policies more")
                    if name != "SET_POLICY" and want in ("done", "ENOSPC"):
                        counts = [getattr(struct, m).count for m, _, _ in CALLED[name][1]]
                        if counts != [n for _, _, n in CALLED[name][1]]:
                            wrong.append(f"{what}: counts {counts}")
                    if want == "ENOSPC":
                        again = type(struct).from_buffer_copy(before)
                        for m, _, n in CALLED[name][1]:
                            getattr(again, m).count = n
                        if bytes(again) != bytes(struct) or memory != [m.bytes() for m in LISTS]:
                            wrong.append(f"{what}: more than the counts is filled in")
                    elif name == "SET_POLICY" and memory != [m.bytes() for m in LISTS]:
                        wrong.append(f"{what}: the items are written")
                ok(not wrong, f"{name}: {member}", "\n".join(wrong))
                first.generation = device.policy().generation
                is_(device.set(first), 0, "and the policy as before")


def wide():
    """Items wider than the module knows: zeros in, zeros out, and else nothing."""
    with Device() as device:
        policy = device.policy()
        for name in ("GET_POLICY", "GET_COUNTERS", "SET_POLICY"):
            narrow = ready(device, name)
            device.must(CALLS[name], narrow)
            items = {member: ctypes.string_at(getattr(narrow, member).items,
                                              getattr(narrow, member).count * sizeof(kind))
                     for member, kind, _ in CALLED[name][1]}
            for more in (1, 3, 4, 100):
                struct = ready(device, name, stride=lambda size, more=more: size + more, at_end=False)
                is_(name_of(device.call(CALLS[name], struct)), "done", f"{name}: items {more} wider")
                if name == "SET_POLICY":
                    continue
                wrong = []
                for memory, (member, kind, _) in zip(LISTS, CALLED[name][1]):
                    one, size = getattr(struct, member), sizeof(kind)
                    data, step = memory.bytes(), size + more
                    for i in range(one.count):
                        if data[i * step:i * step + size] != items[member][i * size:(i + 1) * size]:
                            wrong.append(f"{member} {i} is another one")
                        if data[i * step + size:(i + 1) * step].strip(b"\0"):
                            wrong.append(f"{member} {i}: not zero past it")
                    if data[one.count * step:].strip(b"\x5a"):
                        wrong.append(f"{member}: written past the last")
                ok(not wrong, "the same, zeros past each, nothing past the last", "\n".join(wrong))
        for member, kind, _ in CALLED["SET_POLICY"][1]:
            for i in range(len(getattr(policy, member))):
                struct = ready(device, "SET_POLICY", stride=lambda size: size + 9)
                ctypes.memset(getattr(struct, member).items + i * (sizeof(kind) + 9) + sizeof(kind) + 8,
                              1, 1)
                is_(name_of(device.call(SET_POLICY, struct)), "E2BIG",
                    f"{member} {i}, not zero past what the module knows")
        again = device.policy()
        again.generation = policy.generation
        ok(bytes(again) == bytes(policy), "the policy is the same after all that")


def reserved():
    """Members that must be zero."""
    with Device() as device:
        struct = ready(device, "GET_COUNTERS")
        struct.reserved = 1 << 31
        is_(name_of(device.call(GET_COUNTERS, struct)), "EINVAL", "counters: reserved")


def told():
    """A refusal by size or stride is in the kernel's log, with its cure."""
    cases = [
        ("size of a policy", "SET_POLICY", lambda s: setattr(s, "size", 71), r'policy refused: "size 71".*72.*4096'),
        ("stride of a list", "SET_POLICY", lambda s: setattr(s.site, "stride", 3), r'site refused: "stride 3".*4 '),
        ("a wide stride", "GET_COUNTERS", lambda s: setattr(s.row, "stride", 4097),
         r'row refused: "stride 4097".*4096'),
        ("a reserved member", "GET_COUNTERS", lambda s: setattr(s, "reserved", 7),
         r'counters refused: "reserved 7".*zero'),
        ("too long a wait", "CONFIRM", lambda s: setattr(s, "extend", CONFIRM_MAX + 1),
         r'confirm refused: "86401".*86400'),
    ]
    with own_namespace(), Device() as device:
        for what, name, change, pattern in cases:
            struct = ready(device, name)
            change(struct)
            LOG.lines()
            number = device.call(CALLS[name], struct)
            lines = LOG.lines(f"mailwall: net:[{os.stat('/proc/self/ns/net').st_ino}]: ")
            ok(number and len(lines) == 1 and re.search(pattern, lines[0]), f"told: {what}",
               f"{name_of(number)}, {lines}")
        struct = ready(device, "SET_POLICY")
        HEAD.fill(0)
        at = place(struct, HEAD.start, 80)
        ctypes.memset(at + 79, 1, 1)
        device.call(SET_POLICY, at)
        like("".join(LOG.lines("mailwall: ")), r"policy refused: .*past byte 72 of 80.*newer module",
             "told: more than the module knows")


# Any of them, at random, against what <linux/mailwall.h> says.

def readable(address, size):
    """May the module read there?"""
    return not size or any(memory.start <= address and address + size <= memory.end
                           for memory in (HEAD, *LISTS))


def tail_of(address, known, size):
    """Is something past what the module knows not zero?"""
    return size > known and ctypes.string_at(address + known, size - known).strip(b"\0")


def expected(name, at, size, lists):
    """The results that are to be had, by the header."""
    kind, kinds = CALLED[name]
    errors, other = set(), False
    if not readable(at, 4):
        return {"EFAULT"}
    if size < sizeof(kind):
        return {"EINVAL"}
    if size > SIZE_MAX:
        return {"E2BIG"}
    if not readable(at, size):
        return {"EFAULT", "E2BIG"}
    if tail_of(at, sizeof(kind), size):
        return {"E2BIG"}
    struct = kind.from_address(at)
    for member, item, needed in kinds:
        one = getattr(struct, member)
        if name == "SET_POLICY" and member == "gtw" and not one.count:
            errors.add("EINVAL")
        if not (one.items or one.count or one.stride):
            continue
        if one.stride < sizeof(item):
            errors.add("EINVAL")
            continue
        if one.stride > SIZE_MAX:
            errors.add("E2BIG")
            continue
        if name == "SET_POLICY" and one.count > needed:
            errors.add("E2BIG")
            continue
        if name != "SET_POLICY" and one.count < needed:
            errors.add("ENOSPC")
            continue
        for i in range(needed if name != "SET_POLICY" else one.count):
            address = one.items + i * one.stride
            if not readable(address, one.stride):
                errors.add("EFAULT")
                if name == "SET_POLICY" and readable(address, sizeof(item)):
                    errors.add("E2BIG")
                break
            if name == "SET_POLICY" and tail_of(address, sizeof(item), one.stride):
                errors.add("E2BIG")
            elif name == "SET_POLICY" and \
                    ctypes.string_at(address, sizeof(item)) not in [bytes(i) for i in lists[member]]:
                other = True
    if other:
        # what the bytes make of an item is another test's
        return errors | {"EINVAL", "EEXIST"} | (set() if errors else {"done"})
    return errors or {"done"}


def any_call(device, seed):
    """One call with this seed. Return: what is wrong, the error."""
    dice = random.Random(seed)
    name = dice.choice([*READS, "SET_POLICY", "SET_POLICY"])
    struct, items = argument(device, name)
    known = sizeof(struct)
    lay = dice.choice([0, 0, 0, 1, 4, 60])
    lay_lists(name, struct, items, stride=lambda size: size + lay)
    for memory, (member, kind, needed) in zip(LISTS, CALLED[name][1]):
        one = getattr(struct, member)
        for _ in range(dice.choice([0, 0, 0, 1, 2])):
            field, value = dice.choice([
                ("items", dice.choice([0, 1, KERNEL, HEAD.end, memory.end, memory.end - sizeof(kind),
                                       one.items - 1, one.items + 1])),
                ("count", dice.choice([0, 1, needed - 1, needed + 1, 1 << 31, dice.randrange(1 << 32)])),
                ("stride", dice.choice([0, 1, sizeof(kind) - 1, sizeof(kind), sizeof(kind) + 1,
                                        SIZE_MAX, SIZE_MAX + 1, dice.randrange(1 << 32)]))])
            setattr(one, field, value)
    size = dice.choice([known] * 6 + [known - 1, known + 1, known + dice.randrange(200), 0, SIZE_MAX,
                                      SIZE_MAX + 1, dice.randrange(1 << 32)])
    HEAD.fill(dice.choice([0, 0, 0x5a]))
    at = dice.choice([HEAD.start, HEAD.start + 1, HEAD.end - min(size, SIZE_MAX),
                      HEAD.end - known, HEAD.end - known + 1])
    data = size.to_bytes(4, "little") + bytes(struct)[4:]
    ctypes.memmove(at, data, min(len(data), HEAD.end - at))
    if dice.random() < .8:
        past = min(max(size - known, 0), max(HEAD.end - at - known, 0))
        ctypes.memset(at + known, 0, past)
    want = expected(name, at, size, items)
    before = device.policy()
    got = name_of(device.call(CALLS[name], at))
    after = device.policy()
    if got == "done" and name == "SET_POLICY":
        same = after.generation == before.generation + 1
        before.generation = after.generation
        same = same and device.set(before) == 0
    else:
        same = bytes(after) == bytes(before)
    good = got in want and same
    return "" if good else f"seed {seed}: {name}: {got}, not {want}; the policy: {same}", got


def at_random():
    """Many calls; each may be made again by its seed."""
    start, wrong, seen = random.randrange(1 << 32), [], {}
    with Device() as device:
        for seed in range(start, start + 4000):
            said, got = any_call(device, seed)
            seen[got] = seen.get(got, 0) + 1
            if said:
                wrong.append(said)
    ok(not wrong, f"4000 calls at random, from seed {start}", "\n".join(wrong[:20]))
    ok(all(seen.get(name, 0) >= 50 for name in ("done", "EFAULT", "EINVAL", "E2BIG", "ENOSPC")),
       "each error came of it", seen)


def main():
    must(mw_load("mode=audit", "adm=198.51.100.0/24,2001:db8:b::/64", "site=22:ADM:GTW"))
    sizes()
    lists()
    wide()
    reserved()
    told()
    at_random()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
