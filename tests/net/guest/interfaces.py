#!/usr/bin/python3
"""sysfs and ioctls: what they take, what they refuse and how they say so, and who may."""
import stat

from kernel import *
import uapi
from uapi import *

LOG = Log()
# What is refused: (attribute, text, errno, what the log must name besides the item).
ADM_BAD = [
    ("192.0.2.5/24", "EINVAL", "192.0.2.0/24.*192.0.2.5/32"),
    ("2001:db8::1/64", "EINVAL", "2001:db8::/64.*2001:db8::1/128"),
    ("::1/0", "EINVAL", "::/0.*::1/128"),
    ("::ffff:192.0.2.1", "EINVAL", "write 192.0.2.1"),
    ("::ffff:192.0.2.0/120", "EINVAL", "write 192.0.2.0/24"),
    ("192.0.02.1", "EINVAL", "no leading zeros"),
    ("192.0.2.0/024", "EINVAL", "without leading zeros"),
    ("2001:db8::/064", "EINVAL", "without leading zeros"),
    ("02001:db8::/32", "EINVAL", "no address"),
    ("fe80::1%eth0", "EINVAL", "no zone"),
    ("192.0.2.0/33", "EINVAL", "0 to 32"),
    ("2001:db8::/129", "EINVAL", "0 to 128"),
    ("192.0.2.0/4294967320", "EINVAL", "0 to 32"),
    ("192.0.2.0/", "EINVAL", "0 to 32"),
    ("192.0.2.0/-1", "EINVAL", "0 to 32"),
    ("192.0.2.0/+24", "EINVAL", "0 to 32"),
    ("192.0.2.0/24x", "EINVAL", "0 to 32"),
    ("192.0.2.0/24/24", "EINVAL", "0 to 32"),
    ("192.0.2", "EINVAL", "no address"),
    ("192.0.2.1.5", "EINVAL", "no address"),
    ("256.0.2.1", "EINVAL", "no address"),
    ("192.0.2.1;", "EINVAL", "no address"),
    ("0x7f.1", "EINVAL", "no address"),
    ("2001:db8::1::2", "EINVAL", "no address"),
    ("1:2:3:4:5:6:7:8:9", "EINVAL", "no address"),
    (":::", "EINVAL", "no address"),
    ("[2001:db8::1]", "EINVAL", "no address"),
    ("localhost", "EINVAL", "no address"),
    ("/24", "EINVAL", "no address"),
    ("*", "EINVAL", "no address"),
    ("192.0.2.0/24 nonsense", "EINVAL", '"nonsense"'),
    ("+192.0.2.0/24 nonsense", "EINVAL", '"nonsense"'),
    ("+192.0.2.0/24 -198.51.100.0/24", "EINVAL", "one sign"),
    ("192.0.2.0/24 +198.51.100.0/24", "EINVAL", "one sign"),
    ("+", "EINVAL", "nothing follows"),
    ("-\n", "EINVAL", "nothing follows"),
    ("-,", "EINVAL", "nothing follows"),
    (",", "EINVAL", "no prefix"),
    ("-203.0.113.0/24", "ENOENT", "not in ADM"),
    ("-198.51.100.0/24 203.0.113.0/24", "ENOENT", '"203.0.113.0/24"'),
    (" ".join(f"10.0.{i}.0/24" for i in range(65)), "E2BIG", "more than 64"),
    ("+" + " ".join(f"10.0.{i}.0/24" for i in range(63)), "E2BIG", "more than 64"),
]
SITE_BAD = [
    ("22", "EINVAL", "PORT SOURCE TARGET"),
    ("22 ADM", "EINVAL", "PORT SOURCE TARGET"),
    ("22 ADM GTW 5", "EINVAL", "no more"),
    ("22 ADM GTW 23 ADM GTW", "EINVAL", "no more"),
    (":22::ADM:GTW", "EINVAL", "no more"),
    ("22::GTW", "EINVAL", "ANY, ADM and GTW"),
    (",", "EINVAL", "no row"),
    ("0 ADM GTW", "EINVAL", "1 to 65535"),
    ("65536 ADM GTW", "EINVAL", "1 to 65535"),
    ("4294967318 ADM GTW", "EINVAL", "1 to 65535"),
    ("022 ADM GTW", "EINVAL", "leading zeros"),
    ("ssh ADM GTW", "EINVAL", "1 to 65535"),
    ("22 adm gtw", "EINVAL", "capitals"),
    ("22 ADM ANY", "EINVAL", "exactly one"),
    ("22 GTW GTW", "EINVAL", "exactly one"),
    ("22 198.51.100.0/24 GTW", "EINVAL", "one of ANY, ADM and GTW"),
    ("25 ANY GTW", "EEXIST", "built-in"),
    ("25 GTW ADM", "EEXIST", "built-in"),
    ("8450 ANY GTW", "EEXIST", "built-in"),
    ("22 ANY GTW\n22 ADM GTW", "EEXIST", '22 ANY GTW.*set all rows at once'),
    ("+22 ANY GTW", "EEXIST", '22 ADM GTW.*set all rows at once'),
    ("53 GTW ANY\n8450 ADM GTW", "EEXIST", '"8450 ADM GTW"'),
    ("-99 ADM GTW", "ENOENT", "no such"),
    ("-22 ANY GTW", "ENOENT", "no such"),
    ("+", "EINVAL", "nothing follows"),
    ("+53 GTW ANY\n-22 ADM GTW", "EINVAL", "one sign"),
    ("\n".join(f"{1000 + i} ANY GTW" for i in range(33)), "E2BIG", "more than 32"),
]
MODE_BAD = [(text, "EINVAL", "enforce, audit or off") for text in
            ("on", "ENFORCE", "enforce audit", "0", "\n", "enforc", "enforced")]
GTW_BAD = [(text, "EINVAL", "a gateway is this, an address, a prefix, or port:") for text in
           ("This", "that this", "eth0", "+port", "this,10")] + \
          [(text, "EINVAL", "no gateway would be left.*mode off") for text in
           ("\n", ",", "-this")] + \
          [(text, "EINVAL", "no device can have that name: write port:") for text in
           ("port:", "this,port:.", "port:..", "+port:a/b", "port:a:b")] + \
          [(text, "EINVAL", "no gateway has a multicast address: write the gateway's own") for text in
           ("224.0.0.1", "this 239.0.0.0/8", "ff02::1", "ff00::/8")] + \
          [(text, "EINVAL", "no gateway has a loopback address") for text in
           ("127.0.0.1", "+127.0.0.0/8", "::1")] + \
          [(text, "EINVAL", "no gateway has an unspecified address") for text in ("0.0.0.0", "::")] + [
              ("port:0123456789abcdef", "EINVAL", "at most 15 characters"),
              ("192.0.2.5/24", "EINVAL", "192.0.2.0/24.*192.0.2.5/32"),
              ("2001:db8::1/64", "EINVAL", "2001:db8::/64.*2001:db8::1/128"),
              ("::ffff:192.0.2.1", "EINVAL", "write 192.0.2.1"),
              ("fe80::1%eth0", "EINVAL", "no zone"),
              ("192.0.2.256", "EINVAL", "no address"),
              (" ".join(f"10.0.{i}.1" for i in range(33)), "E2BIG", "more than 32"),
              ("+" + " ".join(f"port:tap{i}" for i in range(32)), "E2BIG", '"port:tap31".*more than 32'),
              ("-192.0.2.1", "ENOENT", "not among"),
              ("-this this", "ENOENT", "not among"), ("+", "EINVAL", "nothing follows"),
              ("this -this", "EINVAL", "one sign"), ("+192.0.2.1 -this", "EINVAL", "one sign")]
LOG_BAD = [(text, "EINVAL", "off, kernel or nflog") for text in
           ("syslog", "\n", "nflog5", "kernel:1", "OFF")] + \
          [(text, "EINVAL", "0 to 65535") for text in
           ("nflog:", "nflog:65536", "nflog:-1", "nflog:07", "nflog:5 6")]


# One namespace is told of ten refusals in five seconds, and no more.
PATIENCE = 9


def in_own_namespaces(cases):
    """The cases with the policy before, a few at a time in a network namespace of theirs."""
    for start in range(0, len(cases), PATIENCE):
        with own_namespace(), Device() as device:
            is_(device.change(mode=AUDIT, adm=["198.51.100.0/24", "2001:db8:b::/64"],
                              site=["22 ADM GTW"]), 0, "a namespace with a policy")
            before = snapshot()
            LOG.lines()
            for case in cases[start:start + PATIENCE]:
                yield case, before


def refused(name, what, number, want, pattern, before):
    """One point: refused with this errno, one line in the log, and nothing changed."""
    lines = LOG.lines(f"mailwall: net:[{os.stat('/proc/self/ns/net').st_ino}]: ")
    wrong = []
    if name_of(number) != want:
        wrong.append(f"{name_of(number)}, not {want}")
    if len(lines) != 1 or not re.search(pattern, lines[0]) or " refused: " not in lines[0]:
        wrong.append(f"the log is not one line like /{pattern}/: {lines}")
    if snapshot() != before:
        wrong.append("the policy is another one")
    ok(not wrong, f"{name} refuses {what}: {want}", "\n".join(wrong))


def attributes():
    """Names, modes, and what reading gives back of what was written."""
    modes = {name: oct(stat.S_IMODE(os.stat(f"{MW_SYS}/{name}").st_mode))
             for name in ("adm", "site", "gtw", "log", "mode", "stats", "table", "version")}
    is_(modes, {"adm": "0o600", "site": "0o600", "gtw": "0o600", "log": "0o600", "mode": "0o644",
                "stats": "0o400", "table": "0o444", "version": "0o444"}, "modes of the attributes")
    is_(oct(stat.S_IMODE(os.stat("/dev/mailwall").st_mode)), "0o600", "mode of the device")
    ok(not os.path.isdir("/sys/module/mailwall/parameters") or
       not os.listdir("/sys/module/mailwall/parameters"), "load parameters have no files")
    with Device() as device:
        is_(mw_read("version"), f"{device.version().release.decode()} abi {ABI}\n", "version")
    for name, text, back in [
            ("adm", "2001:DB8:0:0::/32,198.51.100.0/24 10.0.0.0/8\t10.1.0.0/16\n10.0.0.0/8",
             "10.0.0.0/8\n10.1.0.0/16\n198.51.100.0/24\n2001:db8::/32\n"),
            ("adm", "+192.0.2.7", "10.0.0.0/8\n10.1.0.0/16\n192.0.2.7\n198.51.100.0/24\n"
                                  "2001:db8::/32\n"),
            ("adm", "+ 192.0.2.7/32 ::1", "10.0.0.0/8\n10.1.0.0/16\n192.0.2.7\n"
                                          "198.51.100.0/24\n::1\n2001:db8::/32\n"),
            ("adm", "-10.0.0.0/8,::1", "10.1.0.0/16\n192.0.2.7\n198.51.100.0/24\n"
                                       "2001:db8::/32\n"),
            ("adm", " ", ""),
            ("adm", "1:0:0:2:0:0:0:3 ::0.1.0.2/127", "::1:2/127\n1:0:0:2::3\n"),
            ("adm", "\n", ""),
            ("adm", "\n".join(f"10.0.{i}.0/24" for i in range(64)),
             "".join(f"10.0.{i}.0/24\n" for i in range(64))),
            ("adm", "198.51.100.0/24\n2001:db8:b::/64\n", "198.51.100.0/24\n2001:db8:b::/64\n"),
            ("site", "443 GTW ANY\n22:ADM:GTW, 80  ANY\tGTW\n\n443 GTW ANY",
             "443 GTW ANY\n22 ADM GTW\n80 ANY GTW\n"),
            ("site", "+53 GTW ANY\n22 ADM GTW", "443 GTW ANY\n22 ADM GTW\n80 ANY GTW\n53 GTW ANY\n"),
            ("site", "-443 GTW ANY\n80 ANY GTW\n", "22 ADM GTW\n53 GTW ANY\n"),
            ("site", "22 GTW ANY\n22 ANY GTW\n8450 GTW ANY\n", "22 GTW ANY\n22 ANY GTW\n8450 GTW ANY\n"),
            ("site", "\n".join(f"{1000 + i} ANY GTW" for i in range(32)),
             "".join(f"{1000 + i} ANY GTW\n" for i in range(32))),
            ("site", "\n", ""),
            ("site", "22 ADM GTW", "22 ADM GTW\n"),
            ("gtw", "this", "this\n"), ("gtw", "+this", "this\n"),
            ("gtw", " this,this\nthis", "this\n"),
            ("gtw", "+192.0.2.1/32 port:0123456789abcde,2001:DB8:0::/64", "this\n192.0.2.1\n"
             "port:0123456789abcde\n2001:db8::/64\n"),
            ("gtw", "+this port:0123456789abcde", "this\n192.0.2.1\nport:0123456789abcde\n"
             "2001:db8::/64\n"),
            ("gtw", "-this 2001:db8::/64", "192.0.2.1\nport:0123456789abcde\n"),
            ("gtw", "port:any0", "port:any0\n"),
            ("gtw", "\n".join(f"10.0.{i}.0/24" for i in range(32)),
             "".join(f"10.0.{i}.0/24\n" for i in range(32))),
            ("gtw", "this", "this\n"),
            ("mode", "audit", "audit\n"), ("mode", "off\n", "off\n"),
            ("mode", " enforce ", "enforce\n"),
            ("log", "nflog", "nflog:0\n"), ("log", "nflog:65535\n", "nflog:65535\n"),
            ("log", "kernel", "kernel\n"), ("log", "off", "off\n")]:
        number = mw_write(name, text)
        is_((name_of(number), mw_read(name)), ("done", back), f"{name} takes {text[:50]!r}")
        # What reading gives, a write accepts.
        if back.strip():
            is_((mw_write(name, back), mw_read(name)), (0, back), f"{name} takes it back")
    LOG.lines()
    is_((mw_write("adm", "+0.0.0.0/0"), mw_write("adm", "-0.0.0.0/0")), (0, 0), "a /0 is taken")
    like("\n".join(LOG.lines("mailwall: ")), r"adm: 0\.0\.0\.0/0 opens the Management Console",
         "with a warning")


def bad_writes():
    """Each kind of bad input."""
    cases = [(name, repr(text[:60]), text, want, pattern) for name, bad in
             (("adm", ADM_BAD), ("site", SITE_BAD), ("gtw", GTW_BAD), ("mode", MODE_BAD),
              ("log", LOG_BAD)) for text, want, pattern in bad]
    cases += [(name, f"{size} bytes", text.rjust(4096).ljust(size), "E2BIG", "4096 bytes")
              for name, text in (("adm", "192.0.2.1\n"), ("site", "99 ANY GTW\n"), ("gtw", "this\n"),
                                 ("mode", "audit\n"), ("log", "off\n"))
              for size in (4096, 4097, 10000)]
    for (name, what, text, want, pattern), before in in_own_namespaces(cases):
        refused(name, what, mw_write(name, text), want, pattern, before)
    is_(mw_write("adm", "198.51.100.0/24 2001:db8:b::/64".ljust(4095)), 0, "adm takes 4095 bytes")
    before = snapshot()
    # Nothing of the input reaches the log that a terminal would obey.
    mw_write("adm", b"\x1b[2Jx\x07\xff\x00'\"\\")
    line = "".join(LOG.lines("mailwall: "))
    ok(line and all(" " <= c <= "~" for c in line) and "\\e[2Jx" in line.replace("\\x5c", "\\")
       and "\\a" in line.replace("\\x5c", "\\"), "odd bytes are escaped in the log", repr(line))
    mw_write("adm", "x" * 3000)
    line = "".join(LOG.lines("mailwall: "))
    ok(len(line) < 300 and "x" * 60 in line, "a long item is cut in the log", repr(line))
    ok(snapshot() == before, "the policy is the same after all that")
    # kernfs hands a write in one piece, or not at all; an offset is no way round.
    fd = os.open(f"{MW_SYS}/adm", os.O_WRONLY)
    is_(errno_of(os.pwrite, fd, b"nonsense", 4000), "EINVAL", "a write at an offset is a write")
    os.close(fd)
    LOG.lines()


def stats_text():
    """The text has what the ioctl has, read in whichever pieces, more than a page of it."""
    is_(mw_write("site", "\n".join(f"{65000 + i} ANY GTW" for i in range(SITE_MAX))), 0,
        "as many site rows as there may be")
    is_(mw_write("gtw", f"{ANY4} this " + " ".join(
        f"2001:db8:1111:2222:3333:4444:{i:x}:0/112" for i in range(0x8000, 0x8000 + GTW_MAX - 2))), 0,
        "and gateways")
    connect("any", GTW_ANY4, 25, 2)
    connect("any", GTW_ANY4, 8080, 2)
    with Device() as device:
        # the last segments of those may still be under way
        c, shown = None, ""
        while bytes(c or b"") != bytes(device.counters()):
            c = device.counters()
            shown = mw_read("stats")
    def of(counted, before=""):
        for one in counted.row:
            yield f"{before}row {one.row} openings {one.openings} segments {one.segments} " \
                  f"bytes {one.bytes}"
        for direction, where in enumerate(("in", "out")):
            for reason, text in enumerate(REASON_NAMES):
                yield f"{before}reason {where} {text} denied {counted.denied[direction][reason]} " \
                      f"would-deny {counted.would_deny[direction][reason]}"

    lines = [*of(c), f"log held {c.log_held}", *of(c.behind, "behind "),
             *(f"gtw {one.gtw} in {getattr(one, 'in')} out {one.out}" for one in c.gtw),
             "flows " + " ".join(f"{name} {number}" for name, number in c.flows.items())]
    is_((len(c.behind.row), len(c.gtw)), (len(c.row), GTW_MAX), "of gateways behind too")
    is_([" ".join(line.split()) for line in shown.splitlines()], lines,
        "stats has what the ioctl has")
    for start in ("row 25 ANY GTW", "behind row 25 GTW ANY", "behind reason out closed", "gtw this ",
                  f"gtw {ANY4} "):
        ok(any(line.startswith(start) and re.search(" [1-9]", line[len(start):]) for line in lines),
           f"of which there are: {start}", lines)
    fd = os.open(f"{MW_SYS}/stats", os.O_RDONLY)
    pieces = b""
    while True:
        piece = os.read(fd, 7)
        if not piece:
            break
        pieces += piece
    os.close(fd)
    is_(pieces.decode(), mw_read("stats"), "in pieces of seven bytes too")
    ok(len(pieces) > os.sysconf("SC_PAGE_SIZE"), "it takes more than a page", len(pieces))
    is_(must(run("cat", f"{MW_SYS}/stats")).stdout, pieces.decode(), "and cat shows it whole")
    is_((mw_write("site", "22 ADM GTW"), mw_write("gtw", "this")), (0, 0), "one site row again")


def policies():
    """Reading and writing the policy whole."""
    with Device() as device:
        policy = device.policy()
        is_(device.set(policy), 0, "what was read is taken back")
        is_(device.policy().generation, policy.generation + 1, "as a new generation")
    cases = [
        ("read it again", "a policy of an older generation", "ESTALE",
         lambda p: setattr(p, "generation", 1)),
        ("mode 3", "mode 3", "EINVAL", lambda p: setattr(p, "mode", 3)),
        ("confirm 86401", "confirm 86401", "EINVAL", lambda p: setattr(p, "confirm", 86401)),
        ("log 3", "log 3", "EINVAL", lambda p: setattr(p, "log", 3)),
        ("log_group 1", "a group without nflog", "EINVAL", lambda p: setattr(p, "log_group", 1)),
        ("adm count 65", "65 prefixes", "E2BIG",
         lambda p: setattr(p, "adm", [prefix(f"10.0.{i}.0/24") for i in range(65)])),
        ("site count 33", "33 site rows", "E2BIG",
         lambda p: setattr(p, "site", [row(f"{1000 + i} ANY GTW") for i in range(33)])),
        ("gtw count 33", "33 gateways", "E2BIG", lambda p: setattr(p, "gtw", [Gtw()] * 33)),
        ("gtw count 0", "no gateway", "EINVAL", lambda p: setattr(p, "gtw", [])),
        ("kind 3.*0 to 2", "a kind of gateway that there is not", "EINVAL",
         lambda p: setattr(p.gtw[0], "kind", 3)),
        ("family 2 or 10", "a gateway by no address", "EINVAL",
         lambda p: setattr(p.gtw[0], "kind", GTW_PREFIX)),
        ("192.0.2.0/24", "a gateway with host bits", "EINVAL",
         lambda p: p.gtw.append(gtw("192.0.2.1/24"))),
        ("a multicast address", "a gateway by multicast", "EINVAL",
         lambda p: p.gtw.append(gtw("224.0.0.0/4"))),
        ("a loopback address", "a gateway by loopback", "EINVAL",
         lambda p: p.gtw.append(gtw("::1/128"))),
        ("no device can have that name", "a device without a name", "EINVAL",
         lambda p: p.gtw.append(gtw("port:"))),
        ("no device can have that name", "a name that does not end", "EINVAL",
         lambda p: p.gtw.append(gtw("port:0123456789abcdef"))),
        ("no device can have that name", "a name with a slash", "EINVAL",
         lambda p: p.gtw.append(gtw("port:a/b"))),
        ("zero", "a name with more behind it", "EINVAL",
         lambda p: p.gtw.append(Gtw.from_buffer_copy(bytes(gtw("port:a"))[:-1] + b"x"))),
        ("zero", "a device with an address", "EINVAL",
         lambda p: p.gtw.append(Gtw(GTW_PORT, (0, 0, 0), prefix("10.0.0.1/32"), b"eth0"))),
        ("zero", "an address with a device", "EINVAL",
         lambda p: p.gtw.append(Gtw(GTW_PREFIX, (0, 0, 0), prefix("10.0.0.1/32"), b"eth0"))),
        ("zero", "this with a device", "EINVAL", lambda p: setattr(p.gtw[0], "device", b"x")),
        ("zero", "reserved bytes of a gateway", "EINVAL",
         lambda p: p.gtw[0].reserved.__setitem__(2, 1)),
        ("family 3", "a family of none", "EINVAL", lambda p: setattr(p.adm[0], "family", 3)),
        ("reserved", "reserved bytes of a prefix", "EINVAL",
         lambda p: p.adm[0].reserved.__setitem__(1, 1)),
        ("at most 32", "a length of 33", "EINVAL", lambda p: setattr(p.adm[0], "length", 33)),
        ("198.51.100.0/24", "host bits", "EINVAL", lambda p: p.adm[0].address.__setitem__(3, 9)),
        ("reserved bytes", "more than an IPv4 address", "EINVAL",
         lambda p: p.adm[0].address.__setitem__(4, 1)),
        ("IPv4-mapped", "IPv4-mapped IPv6", "EINVAL",
         lambda p: p.adm.__setitem__(1, prefix("::ffff:192.0.2.1/128"))),
        ("0 ADM GTW", "port 0", "EINVAL", lambda p: setattr(p.site[0], "port", 0)),
        ("ANY, ADM and GTW", "an end of none", "EINVAL",
         lambda p: setattr(p.site[0], "source", 3)),
        ("exactly one", "a row without GTW", "EINVAL", lambda p: setattr(p.site[0], "target", 1)),
        ("built-in", "a row of the table", "EEXIST",
         lambda p: p.site.__setitem__(0, row("8450 ANY GTW"))),
        ("set all rows at once", "two rows for a port", "EEXIST", lambda p: p.site.append(row("22 ANY GTW"))),
    ]
    for (pattern, what, want, change), before in in_own_namespaces(cases):
        with Device() as device:
            policy = device.policy()
            change(policy)
            refused("ioctl", what, device.set(policy), want, pattern, before)
    with Device() as device:
        before = snapshot()
        for call, name in ((device.confirm, "confirm"), (device.revert, "revert")):
            is_(name_of(call()), "ENODATA", f"{name} without a change that waits")
        for name in set(CALLS) - {"REVERT"}:
            is_(name_of(device.call(CALLS[name], 0)), "EFAULT", f"{name} to nowhere")
        for name, number in (
                ("a number there is not", EXPLAIN + 1), ("GET_VERSION with a size", GET_VERSION | 40 << 16),
                ("GET_VERSION that reads", GET_VERSION | 2 << 30), ("GET_VERSION of ABI 1", 0x80285740),
                ("GET_POLICY of ABI 1", 0x85a05741), ("a watchdog's number", 0x80045700)):
            buffer = (ctypes.c_char * 8192)()
            is_(name_of(device.call(number, buffer)), "ENOTTY", f"ioctl of {name}")
        ok(snapshot() == before, "all of which changes nothing")


def questions():
    """EXPLAIN: what it refuses, and devices and connections it looks at."""
    with Device() as device:
        q = question()
        is_(ask(device, q), ("pass", "25 ANY GTW", 255), "explain names the row")
        is_((q.answer_mode, q.generation), (ENFORCE, device.policy().generation), "and the policy")
        is_(ask(device, question(target_port=8450)), ("deny", "peer", 255), "explain names the reason")
        with own_namespace():
            number = f"{os.stat('/proc/self/ns/net').st_ino}"
            q = question()
            is_((ask(device, q)[0], q.answer_mode, q.generation, device.policy().generation),
                ("unjudged", OFF, 1, 1), "explain where no policy was ever set")
            LOG.lines()
            for field, value in (("hook", 2), ("direction", 2), ("family", 3), ("connection", 3),
                                 ("data_offset", 16), ("ifindex", 1 << 31), ("out_ifindex", 1),
                                 ("ifindex", 9999)):
                is_(ask(device, question(**{field: value})),
                    "ENODEV" if value == 9999 else "EINVAL", f"explain refuses {field} {value}")
            q = question()
            q.source[4] = 1
            is_(ask(device, q), "EINVAL", "explain refuses more than an IPv4 address")
            is_(len(LOG.lines(f"mailwall: net:[{number}]: explain refused: ")), 8,
                "each told in the log")
        with own_namespace():
            for field, value in (("direction", 1), ("out_ifindex", 1 << 31), ("ifindex", 1 << 31),
                                 ("out_ifindex", 9999), ("ifindex", 9999)):
                is_(ask(device, question(hook=HOOK_FORWARD, **{field: value})),
                    "ENODEV" if value == 9999 else "EINVAL",
                    f"explain of what is forwarded refuses {field} {value}")
            is_(len(LOG.lines("mailwall: ")), 3, "each told in the log")
        lo, any0 = (socket.if_nametoindex(name) for name in ("lo", "any0"))
        is_(ask(device, question(target_port=22, ifindex=lo))[0], "unjudged", "explain on lo")
        is_(ask(device, question(target_port=99, ifindex=any0))[1], "closed", "explain on a cable")
        # SYN-SENT, established, and a listener, which is no connection.
        far = Listener(587, 995, ns="any")
        for there, here, fam in ((ANY4, GTW_ANY4, socket.AF_INET), (ANY6, GTW_ANY6, socket.AF_INET6)):
            sock = open_connection("gtw", there, 587)
            port = sock.getsockname()[1]
            reply = {"source": there, "target": here, "family": fam, "flags": 16,
                     "source_port": 587, "target_port": port}
            is_(ask(device, question(**reply)), ("pass", "587 GTW ANY", 1),
                "explain finds a connection")
            is_(ask(device, question(**reply, connection=NONE)), ("deny", "no-connection", 0),
                "unless told that there is none")
            is_(ask(device, question(**{**reply, "target_port": port ^ 1})),
                ("deny", "no-connection", 0), "and none for another port")
            is_(ask(device, question(**{**reply, "target_port": port ^ 1}, connection=HELD)),
                ("pass", "587 GTW ANY", 1), "unless told that there is one")
            is_(ask(device, question(**{**reply, "source_port": 995, "target_port": 8080})),
                ("deny", "no-connection", 0), "a listener is no connection")
            sock.close()
        far.stop()
        is_(mw_write("mode", "off"), 0, "mode off")
        is_(ask(device, question(target_port=22))[0], "unjudged", "explain judges nothing then")
        is_(mw_write("mode", "enforce"), 0, "mode enforce")


def judged(device, **fields):
    """The judgements on a question: whose, which way, where, what, and whether it notes its flow."""
    q = question(**fields)
    number = device.call(EXPLAIN, q)
    if number:
        return name_of(number)
    all_ = [(str(one.gtw), ("in", "out")[one.direction], one.place, *answer_of(one), one.notes)
            for one in q.judgement[:q.judgements]]
    # the rest is zero, and the last word is that of the first that denies it, else of the last
    word = next((one for one in all_ if one[3] == "deny"), all_[-1] if all_ else ("",) * 3 + ("unjudged", "", 255))
    if bytes(bytearray(q)[Explain.judgement.offset + sizeof(Judgement) * q.judgements:]).strip(b"\0") or \
            answer_of(q) != word[3:6]:
        return f"{answer_of(q)} of {all_}"
    return all_


def forwarded():
    """EXPLAIN of what is forwarded: adm is a gateway behind this host."""
    for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        must(run("sysctl", "-qw", name + "=1"))
    for ns, fam, net, via in (("any", "-4", "198.51.100.0/24", GTW_ANY4), ("adm", "-4", "192.0.2.0/24", GTW_ADM4),
                              ("any", "-6", "2001:db8:b::/64", GTW_ANY6), ("adm", "-6", "2001:db8:a::/64", GTW_ADM6)):
        must(run("ip", fam, "-n", ns, "route", "add", net, "via", via))
    index = {name: socket.if_nametoindex(name) for name in ("lo", "any0", "adm0")}
    far = Listener(587, 8080, ns="any")
    forward = {"hook": HOOK_FORWARD}
    at, in_bridge, shown = PLACE_FORWARD, PLACE_BRIDGE, PLACE_BRIDGED
    with Device() as device:
        is_(device.change(adm=[], gtw=["this", f"{ADM4}/32", "2001:db8:b::/64"]), 0, "gateways behind")
        before, kept = counts(), []
        for gw, there, item in ((ADM4, ANY4, ADM4), (ADM6, ANY6, "2001:db8:b::/64")):
            out, back = {**forward, "source": gw, "target": there, "source_port": 50000}, \
                {**forward, "source": there, "target": gw, "source_port": 587}
            q = question(**back, target_port=25)
            is_(ask(device, q), ("pass", "25 ANY GTW", 255), f"{gw}: to it")
            is_((q.ifindex, q.out_ifindex), (index["any0"], index["adm0"]), "by the devices of the routes")
            is_(judged(device, **back, target_port=8080), [(item, "in", at, "deny", "closed", 255, 0)],
                "which way, for whom, where")
            is_(judged(device, **back, target_port=8450), [(item, "in", at, "deny", "peer", 255, 0)], "the reason")
            is_(judged(device, **back, target_port=25, data_offset=4), [(item, "in", at, "deny", "malformed", 255, 0)],
                "a header too short")
            is_(judged(device, **out, target_port=587), [(item, "out", at, "pass", "587 GTW ANY", 255, 1)],
                "from it, which notes its flow")
            is_(judged(device, **out, target_port=587, ifindex=index["any0"]),
                [(item, "out", at, "pass", "587 GTW ANY", 255, 0)], "but not from elsewhere")
            is_(judged(device, **out, target_port=587, flags=4), [(item, "out", at, "pass", "587 GTW ANY", 255, 0)],
                "nor a RST")
            is_(judged(device, **out, target_port=8080), [(item, "out", at, "deny", "closed", 255, 0)], "and is denied")
            sock = open_connection("adm", there, 587)
            kept.append(sock)
            reply = {**back, "target_port": sock.getsockname()[1], "flags": 16}
            is_(judged(device, **reply), [(item, "in", at, "pass", "587 GTW ANY", 1, 0)], "a reply on its flow")
            is_(judged(device, **{**reply, "target_port": reply["target_port"] ^ 1}),
                [(item, "in", at, "deny", "no-connection", 0, 0)], "none on another")
            is_(judged(device, **reply, out_ifindex=index["any0"]), [(item, "in", at, "deny", "no-connection", 0, 0)],
                "nor by another device")
            is_(judged(device, **reply, connection=NONE), [(item, "in", at, "deny", "no-connection", 0, 0)],
                "nor if told so")
            is_(judged(device, **{**reply, "target_port": 1}, connection=HELD),
                [(item, "in", at, "pass", "587 GTW ANY", 1, 0)], "or the other way round")
            is_(judged(device, **reply, ifindex=index["lo"]), [], "not over a loopback device")
        is_(judged(device, **forward, source="203.0.113.1", target=ANY4), [], "nobody's")
        both = judged(device, hook=HOOK_FORWARD, source=ADM6, target="2001:db8:b::9", source_port=50000, target_port=26)
        is_([one[:5] for one in both], [("2001:db8:b::/64", "out", at, "deny", "closed"),
                                        ("2001:db8:b::/64", "in", at, "deny", "closed")], "from one to another")
        grown = difference(before, counts())
        is_({key: grown.get(key) for key in (("behind", "587 GTW ANY", "openings"), ("flows", "noted"))},
            {("behind", "587 GTW ANY", "openings"): 2, ("flows", "noted"): 2}, "the real ones are counted")
        ok(not any("deny" in key for key in grown), "explain counts nothing", grown)
        saw = seen()
        ok(saw[ADM4][0] and saw[ADM4][1] and saw["2001:db8:b::/64"][1], "each item has seen its segments", saw)
        # what this host itself exchanges with a gateway
        is_(judged(device, source=ADM4, target=GTW_ADM4, target_port=25),
            [(ADM4, "out", PLACE_HOST, "pass", "25 GTW ANY", 255, 1), ("this", "in", PLACE_HOST, "pass", "25 ANY GTW", 255, 0)],
            "a gateway to this host, for both")
        is_(judged(device, direction=OUT, source=GTW_ADM4, target=ADM4, target_port=25),
            [("this", "out", PLACE_HOST, "pass", "25 GTW ANY", 255, 0), (ADM4, "in", PLACE_HOST, "pass", "25 ANY GTW", 255, 0)],
            "and this host to it")
        is_(device.change(gtw=["port:adm0"]), 0, "this host is no gateway")
        is_(judged(device, target_port=8080), [], "so it is not judged")
        is_(judged(device, source=ADM4, target=GTW_ADM4, target_port=8080),
            [("port:adm0", "out", PLACE_HOST, "deny", "closed", 255, 0)], "but a gateway is, by its device")
        # bridges: two ports, and the bridge itself
        for words in (("br9", "type", "bridge"), ("p9", "type", "veth", "peer", "name", "q9")):
            must(run("ip", "link", "add", *words))
        for port in ("p9", "q9"):
            must(run("ip", "link", "set", port, "master", "br9"))
        p9, q9 = socket.if_nametoindex("p9"), socket.if_nametoindex("q9")
        through = {**forward, "source": "10.8.0.2", "target": "10.8.0.3", "target_port": 25, "ifindex": p9,
                   "out_ifindex": q9}
        for gtw_, want in (
                (["port:p9"], [("port:p9", "out", in_bridge, "pass", "25 GTW ANY", 255, 1)]),
                (["port:q9"], [("port:q9", "in", in_bridge, "pass", "25 ANY GTW", 255, 0)]),
                (["port:p9", "10.8.0.0/24"], [("port:p9", "out", in_bridge, "pass", "25 GTW ANY", 255, 1),
                                              ("10.8.0.0/24", "in", shown, "pass", "25 ANY GTW", 255, 0)]),
                (["10.8.0.2/32"], [("10.8.0.2", "out", shown, "pass", "25 GTW ANY", 255, 1)]),
                (["port:br9"], [])):
            is_(device.change(gtw=gtw_), 0, f"gateways {gtw_}")
            is_(judged(device, **through), want, "in a bridge")
        is_(device.change(gtw=["port:br9", "port:p9"]), 0, "the bridge as a device of its own")
        is_(judged(device, **{**through, "out_ifindex": index["any0"]}),
            [("port:p9", "out", in_bridge, "pass", "25 GTW ANY", 255, 1)], "by a port of it, then routed")
        is_(judged(device, **{**through, "ifindex": q9, "out_ifindex": index["any0"]}),
            [("port:br9", "out", at, "pass", "25 GTW ANY", 255, 0)], "by another port, then routed")
        for name in ("p9", "br9"):
            must(run("ip", "link", "del", name))
        is_(device.change(gtw=["this"]), 0, "this host alone again")
    for sock in kept:
        sock.close()
    far.stop()


def callers32():
    """A program of 32 bits gets the very same."""
    q = Explain(direction=IN, family=socket.AF_INET, flags=2, data_offset=5, segment_length=20,
                source_port=1, target_port=8450)
    lists = {"GET_VERSION": (), "GET_POLICY": (("adm", Prefix, ADM_MAX), ("site", Row, SITE_MAX),
                                               ("gtw", Gtw, GTW_MAX)),
             "GET_COUNTERS": (("row", RowCounters, 99), ("reason", ReasonCounters, 99),
                              ("gtw", GtwCounters, GTW_MAX)),
             "EXPLAIN": (), "CONFIRM": (), "REVERT": ()}
    structs = {"GET_VERSION": Version(), "GET_POLICY": PolicyHead(),
               "GET_COUNTERS": CountersHead(), "EXPLAIN": q, "CONFIRM": Confirm(), "REVERT": None}

    def whole(device, name):
        """What a call gives: result, struct without addresses, lists."""
        struct = structs[name]
        arrays = {member: (kind * room)() for member, kind, room in lists[name]}
        for member, items in arrays.items():
            setattr(struct, member, list_of(items))
        result = device.call(CALLS[name], struct or 0)
        for member in arrays:
            getattr(struct, member).items = 0
        return b"".join([(-result).to_bytes(4, "little", signed=True), bytes(struct or b""),
                         *(bytes(items) for items in arrays.values())])

    with Device() as device:
        question = bytes(q)
        want = {name: whole(device, name) for name in structs}
        try:
            got = subprocess.run(["/mailwall/abi32"], input=question, capture_output=True,
                                 check=False).stdout
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            return skip("32 bits", "this kernel runs no programs of 32 bits")
        after = device.policy()
    parts = {}
    for name in ("GET_VERSION", "GET_POLICY", "SET_POLICY", "GET_COUNTERS", "EXPLAIN", "CONFIRM",
                 "REVERT"):
        size = len(want.get(name, want["GET_POLICY"]))
        parts[name], got = got[:size], got[size:]
    is_(got, b"", "32 bits: that is all")
    generation = structs["GET_POLICY"].generation
    is_((after.generation, parts["SET_POLICY"][:4]), (generation + 1, bytes(4)), "32 bits: the policy is set")
    # what was read before is of the generation before
    counters = CountersHead.from_buffer_copy(parts["GET_COUNTERS"], 4)
    answer = Explain.from_buffer_copy(parts["EXPLAIN"], 4)
    is_((counters.generation, answer.generation), (after.generation,) * 2, "32 bits: which is counted and asked")
    counters.generation = answer.generation = generation
    parts["GET_COUNTERS"] = parts["GET_COUNTERS"][:4] + bytes(counters) + \
        parts["GET_COUNTERS"][4 + sizeof(counters):]
    parts["EXPLAIN"] = parts["EXPLAIN"][:4] + bytes(answer)
    for name, what in want.items():
        ok(parts[name] == what, f"32 bits: {name} is the same", f"{parts[name]}\nnot\n{what}")
    is_((len(want["GET_POLICY"]) > 2700, q.fate), (True, FATE_DENY), "which is something")


def opened():
    """Each way to change something, opened with full rights."""
    device = Device()
    files = {name: os.open(f"{MW_SYS}/{name}", os.O_WRONLY)
             for name in ("adm", "site", "gtw", "mode", "log")}
    return device, files


def changes(device, files):
    """How each change fares for whoever calls this."""
    policy = Policy()
    found = {"SET_POLICY": name_of(device.set(policy)), "CONFIRM": name_of(device.confirm()),
             "REVERT": name_of(device.revert())}
    for name, fd in files.items():
        text = {"adm": b"+192.0.2.0/24", "site": b"+99 ANY GTW", "gtw": b"this", "mode": b"off",
                "log": b"off"}[name]
        found[name] = errno_of(os.write, fd, text)
    return found


def weakened(device, files):
    """Without the capability."""
    drop_net_admin()
    return changes(device, files), name_of(device.call(GET_COUNTERS, CountersHead()))


def as_nobody():
    """What any user may."""
    become(65534)
    found = {}
    for name in ("adm", "site", "gtw", "log", "stats", "mode", "table", "version"):
        found["read " + name] = errno_of(lambda: open(f"{MW_SYS}/{name}").read())
        found["write " + name] = errno_of(lambda: os.close(os.open(f"{MW_SYS}/{name}", os.O_WRONLY)))
    for flags in (os.O_RDONLY, os.O_RDWR):
        found[f"device {flags}"] = errno_of(lambda: os.close(os.open("/dev/mailwall", flags)))
    return found


def unshared(flags):
    """This process gets namespaces of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def in_container(device, files):
    """Root of a network namespace of its own, by what was opened outside: first with the
    capability, then without."""
    unshared(CLONE_NEWNET)
    found = changes(device, files), mw_read("adm")
    drop_net_admin()
    return *found, changes(device, files)


def in_user_namespace(*handed):
    """Root of a user namespace with a network namespace of its own, by what he opens himself
    or what was handed to him."""
    unshared(0x10000000 | CLONE_NEWNET)
    for name, text in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        write_once(f"/proc/self/{name}", text)
    device, files = handed or opened()
    policy = device.policy()
    return changes(device, files), (policy.mode, len(policy.adm), policy.generation)


def rights():
    """Who may change and read what."""
    everything = ["SET_POLICY", "CONFIRM", "REVERT", "adm", "site", "gtw", "mode", "log"]
    before = snapshot()
    device, files = opened()
    is_(in_child(weakened, device, files), ({name: "EPERM" for name in everything}, "done"),
        "without CAP_NET_ADMIN nothing can be changed by what is open, but it can be read")
    no, yes = "EACCES", "done"
    is_(in_child(as_nobody), {
        "read adm": no, "read site": no, "read gtw": no, "read log": no, "read stats": no, "read mode": yes,
        "read table": yes, "read version": yes, "write adm": no, "write site": no,
        "write gtw": no, "write log": no, "write stats": no, "write mode": no, "write table": no,
        "write version": no, "device 0": no, "device 2": no}, "what any user may")
    is_(in_child(in_user_namespace), ({name: "EPERM" for name in everything}, (OFF, 0, 1)),
        "a user namespace's root can change nothing, in its own network namespace neither")
    is_(in_child(in_user_namespace, device, files), ({name: "EPERM" for name in everything}, (OFF, 0, 1)),
        "nor by what was opened with full rights and handed over, nor read another's policy by it")
    own = {name: yes for name in everything} | {"SET_POLICY": "ESTALE", "CONFIRM": "ENODATA", "REVERT": "ENODATA"}
    is_(in_child(in_container, device, files), (own, "192.0.2.0/24\n", {name: "EPERM" for name in everything}),
        "root of a network namespace alone changes its own policy, and without the capability none")
    made = run("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "unshare", "-Urn",
                   "sh", "-c", f"id -u; cat {MW_SYS}/mode; echo off >{MW_SYS}/mode; true </dev/mailwall;"
                   f"cat {MW_SYS}/adm")
    is_(made.stdout.count("Permission denied"), 3, "nor can a user who makes one")
    like(made.stdout, r"^0\noff\n", "who sees his own network namespace's mode")
    ok(snapshot() == before, "the policy is the same after all that")
    for fd in (device.fd, *files.values()):
        os.close(fd)


# strace's classes of calls, but for those on open descriptors and on memory
TRACED = "%file,%process,%network,setns,unshare,init_module,finit_module,delete_module,ptrace,fchmod,fchown"
HARMLESS = re.compile(r"\d+ +(access|faccessat2?|newfstatat|statx?|l?stat|readlink(at)?|statfs|getcwd|exit_group|"
                      r"(send|recv)(to|from|msg)|bind|getsockname|setsockopt|kill|tgkill)\(|.* \+\+\+ ")
OPENED = re.compile(r'\d+ +open(?:at)?\((?:AT_FDCWD|\d+), "([^"]*)", (\S+)')


def surprises(*words):
    """What the command did, by strace, that reading does not need: files opened to be written,
    programs run, sockets made, whatever changes anything."""
    run("strace", "-f", "-qq", "-o", "/run/strace", "-e", "trace=" + TRACED, "mailwall", *words)
    found = set()
    with open("/run/strace", encoding="utf-8", errors="replace") as file:
        like(file.readline(), "execve.*= 0$", f"strace of {' '.join(words)}")
        for line in file:
            opened = OPENED.match(line)
            if opened and re.search("O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", opened[2]):
                found.add("writes " + opened[1])
            elif not opened and not HARMLESS.match(line):
                found.add(re.sub(r"^\d+ +| += .*\n", "", line))
    return found


def traced():
    """No command does more than it says."""
    device = {"writes /dev/mailwall"}
    diag_socket = "socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_SOCK_DIAG)"
    segment = ["192.0.2.2:40000", "192.0.2.1:8080"]
    for words, want in ((["version"], set()), (["check"], set()),
                        (["status"], device), (["status", "--json"], device), (["adm", "show"], device),
                        (["site", "show"], device), (["gtw", "show"], device), (["diff"], device),
                        (["report"], device), (["explain", "in", *segment], device),
                        (["suggest"], device | {diag_socket}), (["adm", "set", "198.51.100.0/24"], device)):
        is_(surprises(*words), want, "... does nothing but what it is for")
    is_(surprises("save"), device | {
        "writes mailwall.conf.new", "fchmod(5, 0644)", 'unlinkat(4, "mailwall.conf.new", 0)',
        'renameat(4, "mailwall.conf.new", 4, "mailwall.conf")'}, "... puts one file into /etc/modprobe.d")


def main():
    topology()
    listener = Listener(25, 8080)
    must(mw_load())
    parts((attributes, bad_writes, stats_text, policies, questions, forwarded, callers32, rights, traced))
    listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
