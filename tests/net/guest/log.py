#!/usr/bin/python3
"""log=kernel and log=nflog:GROUP: what is logged, how much, by which module, for whom to read."""
import glob
import json
import signal
import subprocess

from wire import *
from kernel import *
from uapi import *

LOG = Log()
CONF = "/etc/modprobe.d/logger.conf"
GTW_OF = {4: GTW_ANY4, 6: GTW_ANY6}
GHOST_OF = {4: GHOST4["any"], 6: GHOST6["any"]}
# direction, reason, flags, ports of the far and the near side, more
CASES = [
    ("in", "closed", SYN, 50001, 8080, {}),
    ("in", "peer", SYN, 50002, 8450, {}),
    ("in", "no-connection", ACK, 25, 50003, {}),
    ("in", "flags", FIN, 50004, 25, {}),
    ("in", "malformed", SYN, 50005, 25, {"doff": 4}),
    ("out", "closed", SYN, 443, 50006, {}),
    ("out", "peer", SYN | ACK, 50007, 8450, {}),
    ("out", "flags", SYN | FIN, 25, 50008, {}),
    ("out", "malformed", SYN, 25, 50009, {"doff": 4}),
]


def loggers(log):
    """The modules that a kind of log needs; there were two before 5.13."""
    if log != "kernel":
        return ["nfnetlink_log"]
    return ["nf_log_syslog"] if not run("modinfo", "nf_log_syslog").returncode else \
        ["nf_log_ipv4", "nf_log_ipv6"]


def there(log):
    """Those of them that are loaded."""
    with open("/proc/modules", encoding="ascii") as file:
        names = [line.split()[0] for line in file]
    return [name for name in loggers(log) if name in names]


def remove(log):
    """How often rmmod refuses one of them."""
    return sum(run("rmmod", name).returncode != 0 for name in there(log))


class Wire:
    """Sends a case's segment; nothing answers, nothing leaves."""

    def __init__(self):
        ghosts()
        # Behind mailwall's hooks: in audit mode too no stack answers what passed.
        must(run("nft", """table inet mute {
            chain in { type filter hook input priority 10; meta l4proto tcp drop
            }
            chain out { type filter hook output priority 10; meta l4proto tcp drop
            }
            }
            """))
        self.port = Port("any")
        self.raw = {}
        for fam, family_of, option in ((4, socket.AF_INET, (0, 3)), (6, socket.AF_INET6, (41, 36))):
            self.raw[fam] = socket.socket(family_of, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.raw[fam].setsockopt(*option, 1)    # IP_HDRINCL, IPV6_HDRINCL

    @staticmethod
    def packet(fam, case):
        """The packet."""
        way, _, flags, far, near, more = case
        ends = (GHOST_OF[fam], GTW_OF[fam], far, near) if way == "in" else \
            (GTW_OF[fam], GHOST_OF[fam], near, far)
        return segment(*ends, flags, 1, **more)

    def send(self, fam, case):
        """Send it, and return it."""
        packet = self.packet(fam, case)
        if case[0] == "in":
            self.port.send(packet)
        else:
            with contextlib.suppress(OSError):
                self.raw[fam].sendto(packet, (GHOST_OF[fam], 0))
        return packet

    @staticmethod
    def unmute():
        """Answers again."""
        must(run("nft", "delete table inet mute"))


def denials():
    """Of both kinds and all reasons."""
    return sum(value for key, value in counts().items() if "deny" in key[0])


def full(address):
    """An address as the kernel's packet log writes it."""
    return ipaddress.ip_address(address).exploded


def pattern(verb, fam, case):
    """What a line in the kernel's log must be like."""
    way, reason, _, far, near, _ = case
    ends = (GHOST_OF[fam], GTW_OF[fam], far, near) if way == "in" else \
        (GTW_OF[fam], GHOST_OF[fam], near, far)
    # our MAC address, the ANY host's, and the Ethernet type
    mac = "02:00:00:00:0a:01:02:00:00:00:0a:02:" + ("08:00" if fam == 4 else "86:dd")
    devices = rf"IN=any0 OUT= MAC={mac}" if way == "in" else "IN= OUT=any0"
    return rf"^mailwall: {verb} {way} {reason} {devices} SRC={full(ends[0])} " \
           rf"DST={full(ends[1])} LEN={40 if fam == 4 else 60} .*PROTO=TCP SPT={ends[2]} " \
           rf"DPT={ends[3]} SEQ=1 ACK=0 WINDOW=1 RES=0x00 "


def lines(wire):
    """Each reason, direction, family and mode makes its line."""
    for mode, verb in (("enforce", "deny"), ("audit", "would-deny")):
        for fam in (4, 6):
            # anew for each, since ten lines is what the rate limit lets pass
            must(mw_load("log=kernel", f"mode={mode}", "adm=198.51.100.0/24"))
            LOG.lines()
            for case in CASES:
                wire.send(fam, case)
            wait_until(lambda: denials() == len(CASES), 10)
            found = LOG.lines("mailwall: ")
            for case in CASES:
                what = rf"^mailwall: {verb} {case[0]} {case[1]} "
                line = "\n".join(line for line in found if re.search(what, line)) or found
                like(str(line), pattern(verb, fam, case),
                     f"{mode}, IPv{fam}: a line for {case[0]} {case[1]}")
            is_(len(found), len(CASES), f"{mode}, IPv{fam}: and no others")
            if mode == "enforce" and fam == 4:
                raw = run("dmesg", "--raw").stdout.splitlines()
                ok(any(re.match(r"<4>\[[^]]*\] mailwall: deny in closed IN=", line) for line in raw),
                   "as warnings", raw[-3:])
                mw_write("log", "off")
                wire.send(fam, CASES[0])
                wait_until(lambda: denials() == len(CASES) + 1, 10)
                is_(LOG.lines("mailwall: "), [], "log=off: no line")
                wire.send(fam, ("in", "", SYN, 50010, 25, {}))
                mw_write("log", "kernel")
                wire.send(fam, ("in", "", SYN, 50010, 25, {}))
                wait_until(lambda: counts().get(("25 ANY GTW", "openings")) == 2, 10)
                is_(LOG.lines("mailwall: "), [], "none either for what is allowed")
            must(mw_unload())


def rate(wire):
    """Ten lines in five seconds; the rest is counted."""
    must(mw_load("log=kernel"))
    LOG.lines()
    start = time.monotonic()
    for i in range(60):
        wire.send((4, 6)[i % 2], CASES[i % 3])
    wait_until(lambda: denials() == 60, 10)
    took = time.monotonic() - start
    ok(took < 5, "60 segments in less than five seconds", took)
    is_(len(LOG.lines("mailwall: deny")), 10, "ten lines of sixty")
    is_(counts().get("held"), 50, "fifty held back, and counted")
    like(mw_read("stats"), r"(?m)^log held +50$", "in the attribute too")
    like(must(run("mailwall", "status")).stdout, r"50", "and by the command")
    time.sleep(max(0, start + 5.5 - time.monotonic()))
    for _ in range(3):
        wire.send(4, CASES[0])
    wait_until(lambda: denials() == 63, 10)
    found = LOG.lines()
    is_(len([line for line in found if line.startswith("mailwall: deny in closed ")]), 3,
        "three more lines after five seconds")
    is_([line for line in found if "suppressed" in line], [], "and none about those held back")
    is_(counts().get("held"), 50, "nothing more was held back")
    # The limit is the kernel log's alone.
    mw_write("log", "nflog:5")
    for _ in range(20):
        wire.send(4, CASES[0])
    wait_until(lambda: denials() == 83, 10)
    is_((LOG.lines("mailwall: deny"), counts().get("held")), ([], 50),
        "nflog without a reader: no line, nothing held back")
    must(mw_unload())


def reader(group, *command, ns="gtw", stdout=subprocess.DEVNULL):
    """Start a reader of the group; it is there when this returns."""
    with netns(ns):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout,
                                   stderr=subprocess.DEVNULL)

    def bound():
        # of the thread's namespace, not of the process's first thread
        with netns(ns), open("/proc/thread-self/net/netfilter/nfnetlink_log",
                             encoding="ascii") as file:
            return [line for line in file if line.split()[0] == str(group)]

    ok(wait_until(bound, 30), f"{command[0]} reads group {group}", command)
    return process


def capture(group, ns="gtw"):
    """tcpdump on a group: the process and its file."""
    file = f"/tmp/{ns}-{group}.pcap"
    return reader(group, "tcpdump", "-i", f"nflog:{group}", "-Z", "root", "-U", "-w", file,
                  ns=ns), file


def packets(file):
    """(prefix, group, hook, packet) of a capture of link type NFLOG."""
    with contextlib.suppress(FileNotFoundError), open(file, "rb") as pcap:
        data = pcap.read()
        found, at = [], 24
        if len(data) < 24 or struct.unpack_from("<I", data, 20)[0] != 239:
            return []
        while at + 16 <= len(data):
            size = struct.unpack_from("<I", data, at + 8)[0]
            one = data[at + 16:at + 16 + size]
            at += 16 + size
            group, items, where = struct.unpack_from(">H", one, 2)[0], {}, 4
            while where + 4 <= len(one):
                length, kind = struct.unpack_from("<HH", one, where)
                items[kind & 0x7fff] = one[where + 4:where + length]
                where += (max(length, 4) + 3) & ~3
            # NFULA_PREFIX, NFULA_PACKET_HDR, NFULA_PAYLOAD
            found.append((items[10].rstrip(b"\0").decode(), group, items[1][2], items[9]))
        return found
    return []


def stop(process):
    """The reader's end."""
    process.terminate()
    process.wait()


def nflog(wire):
    """tcpdump and ulogd2 get each denied segment, whole."""
    for mode, verb in (("enforce", "deny"), ("audit", "would-deny")):
        must(mw_load("log=nflog:5", f"mode={mode}", "adm=198.51.100.0/24"))
        LOG.lines()
        dump, file = capture(5)
        other, empty = capture(65535)
        want = [(f"mailwall: {verb} {case[0]} {case[1]} ", 5, 1 if case[0] == "in" else 3,
                 wire.send(fam, case)) for fam in (4, 6) for case in CASES]
        wire.send(4, ("in", "", SYN, 50010, 25, {}))
        wait_until(lambda: len(packets(file)) >= len(want), 20)
        found = packets(file)
        for item in want:
            ok(item in found, f"{mode}: tcpdump has IPv{item[3][0] >> 4}: {item[0]!r}", found)
        is_(len(found), len(want), f"{mode}: and nothing else")
        stop(dump)
        is_(mw_write("log", "nflog:65535"), 0, "another group")
        packet = wire.send(6, CASES[0])
        wait_until(lambda: packets(empty), 10)
        is_(packets(empty), [(f"mailwall: {verb} in closed ", 65535, 1, packet)],
            "whose reader gets what comes from then on")
        stop(other)
        is_(LOG.lines("mailwall: "), [], "none of it is in the kernel's log")
        like(run("tcpdump", "-nr", file).stdout, r"IP 198\.18\.255\.66\.50001 > 192\.0\.2\.1\.8080: ",
             "tcpdump prints it as packets")
        must(mw_unload())


def unread():
    """Bytes that readers of netfilter's netlink messages have before them."""
    with open("/proc/net/netlink", encoding="ascii") as file:
        rows = [line.split() for line in file]
    return sum(int(row[4]) for row in rows if row[1] == "12")   # NETLINK_NETFILTER


def watch(wire):
    """mailwall watch, by its own reading of the group; and what it says where it cannot."""
    must(mw_load("log=nflog:9", "adm=198.51.100.0/24"))
    with open("/tmp/watch.out", "wb") as file:
        process = reader(9, "mailwall", "watch", "--json", stdout=file)
    for fam in (4, 6):
        for case in CASES:
            wire.send(fam, case)

    def seen():
        with open("/tmp/watch.out", encoding="ascii") as file:
            return [json.loads(line) for line in file if line.endswith("}\n")]

    wait_until(lambda: len(seen()) >= 2 * len(CASES), 20)
    found = [(one["direction"], one["reason"], one["source"], one["source_port"], one["target"],
              one["target_port"], one["in"], one["out"]) for one in seen() if "reason" in one]
    want = []
    for fam in (4, 6):
        for way, reason, _, far, near, _ in CASES:
            ends = (GHOST_OF[fam], far), (GTW_OF[fam], near)
            (src, sport), (dst, dport) = ends if way == "in" else ends[::-1]
            want.append((way, reason, src, sport, dst, dport,
                         "any0" if way == "in" else None, None if way == "in" else "any0"))
    is_(found, want, "mailwall watch has each of them, and none is lost")
    done = run("mailwall", "watch")
    is_(done.returncode, 1, "a second reader of the group is refused")
    like(done.stdout, "another program reads group 9", "and told why")
    stop(process)
    is_(process.returncode, 0, "SIGTERM is an end")
    # so many at once that a reader that is stopped cannot have them all
    process = reader(9, "mailwall", "watch", "--summary", "--json", stdout=subprocess.PIPE)
    process.send_signal(signal.SIGSTOP)
    before = denials()
    for _ in range(20000):
        wire.send(4, CASES[0])
    wait_until(lambda: denials() - before >= 20000, 20)
    process.send_signal(signal.SIGCONT)
    wait_until(lambda: not unread(), 60)
    wire.send(4, CASES[0])      # whose number tells how many are lost
    time.sleep(1.5)     # nfnetlink_log hands over what it has once in a second
    wait_until(lambda: not unread(), 60)
    process.terminate()
    said = [json.loads(line) for line in process.communicate()[0].splitlines()]
    counted, lost = sum(one.get("segments", 0) for one in said), said[-1]["lost"]
    ok(lost > 0, "a reader that is too slow loses some", said)
    is_(counted + lost, denials() - before, "and counts them to the last one")
    must(mw_unload())
    with open(CONF, "w", encoding="ascii") as file:
        file.write("install nfnetlink_log /bin/false\n")
    must(mw_load())
    remove("nflog:9")
    done = run("mailwall", "watch")
    like(done.stdout, 'first "mailwall log nflog"', "log=off: it says what to do")
    done = run("mailwall", "log", "nflog")
    like(done.stdout, "nfnetlink_log", "where the kernel has no logger, that names the module")
    os.unlink(CONF)
    must(mw_unload())


def trace(wire):
    """mailwall:verdict tells of each judgement, where everything else is off too, and of nothing
    when it is off."""
    tracing = "/sys/kernel/tracing"
    if not os.path.exists(f"{tracing}/events"):
        must(run("mount", "-t", "tracefs", "nodev", tracing))

    def lines_of():
        with open(f"{tracing}/trace", encoding="ascii") as file:
            return [line.split(": verdict: ")[1] for line in file if ": verdict: " in line]

    def clear():
        with open(f"{tracing}/trace", "w", encoding="ascii"):
            pass

    def denied_since(number):
        wait_until(lambda: denials() > number, 10)
        return denials() - number

    def switch(on):
        write_once(f"{tracing}/events/mailwall/verdict/enable", str(on))

    def pretty(fam, address, port):
        return f"{address}:{port}" if fam == 4 else f"[{address}]:{port}"

    must(mw_load("adm=198.51.100.0/24"))
    clear()
    before = denials()
    wire.send(4, CASES[0])
    is_((denied_since(before), lines_of()), (1, []), "off: it tells of nothing")
    switch(1)
    passes = ("in", "25", SYN, 50011, 25, {})
    for mode, verb in (("enforce", "deny"), ("audit", "would-deny")):
        is_(mw_write("mode", mode), 0, f"mode {mode} while it is on")
        clear()
        before = denials()
        for fam in (4, 6):
            for case in [*CASES, passes]:
                wire.send(fam, case)
        wait_until(lambda: len(lines_of()) >= 2 * len(CASES) + 2, 20)
        found = lines_of()
        is_(len(found), 2 * len(CASES) + 2, f"{mode}: a line for each")
        is_(denials() - before, 2 * len(CASES), f"{mode}: which are counted as ever")
        for fam in (4, 6):
            for way, reason, flags, far, near, _ in CASES:
                read = reason != "malformed"
                ends = [pretty(fam, GHOST_OF[fam], far if read else 0),
                        pretty(fam, GTW_OF[fam], near if read else 0)]
                source, target = ends if way == "in" else ends[::-1]
                want = f"{verb} {way} {reason} gateway=this row=0 source={source} " \
                       f"target={target} flags=0x{flags if read else 0:02x} "
                ok(any(line.startswith(want) for line in found), f"{mode}: {want}", found)
            want = f"allow in - gateway=this row=25 " \
                   f"source={pretty(fam, GHOST_OF[fam], 50011)} target={pretty(fam, GTW_OF[fam], 25)} "
            ok(any(line.startswith(want) for line in found), f"{mode}: {want}", found)
    is_(mw_write("mode", "enforce"), 0, "mode enforce")
    switch(0)
    clear()
    before = denials()
    wire.send(6, CASES[0])
    is_((denied_since(before), lines_of()), (1, []), "off again")
    switch(1)
    must(mw_unload())
    must(mw_load("adm=198.51.100.0/24"))
    is_(lines_of(), [], "the module goes and comes while it is on")
    must(mw_unload())


def ulogd(wire):
    """ulogd2 writes the usual lines."""
    plugins = [name for name in glob.glob("/usr/lib/*/ulogd/*.so")
               if re.search("inppkt_NFLOG|raw2packet_BASE|_IFINDEX|_IP2STR|_PRINTPKT|output_LOGEMU",
                            name)]
    is_(len(plugins), 6, "ulogd2 has its plug-ins")
    with open("/tmp/ulogd.conf", "w", encoding="ascii") as file:
        file.write("[global]\nlogfile=\"/tmp/ulogd.log\"\n" +
                   "".join(f'plugin="{name}"\n' for name in plugins) + """
stack=log1:NFLOG,base1:BASE,ifi1:IFINDEX,ip2str1:IP2STR,print1:PRINTPKT,emu1:LOGEMU
[log1]
group=7
[emu1]
file="/tmp/ulogd.out"
sync=1
""")
    must(mw_load("log=nflog:7", "adm=198.51.100.0/24"))
    process = reader(7, "ulogd", "-c", "/tmp/ulogd.conf")

    def text():
        with contextlib.suppress(FileNotFoundError), \
                open("/tmp/ulogd.out", encoding="utf-8", errors="replace") as file:
            return file.read()
        return ""

    wanted = [(fam, case) for fam in (4, 6) for case in (CASES[0], CASES[1], CASES[5])]
    for fam, case in wanted:
        wire.send(fam, case)
    wait_until(lambda: text().count("mailwall: ") >= len(wanted), 20)
    for fam, case in wanted:
        src, dst = GHOST_OF[fam], GTW_OF[fam]
        far, near = case[3:5]
        if case[0] == "out":
            src, dst, far, near = dst, src, near, far
        devices = "IN=any0 OUT= " if case[0] == "in" else "IN= OUT=any0 "
        like(text(), rf"mailwall: deny {case[0]} {case[1]} +{devices}.*SRC={src} DST={dst} .*"
                     rf"SPT={far} DPT={near} ", f"ulogd2 writes IPv{fam}: {case[0]} {case[1]}")
    stop(process)
    must(mw_unload())


def ioctl(log):
    """Set the kind of log by ioctl: the errno's name."""
    with Device() as device:
        return name_of(device.change(log=log))


def on_demand():
    """The modules come when they are asked for, and stay while they are needed."""
    for log, number in (("kernel", LOG_KERNEL), ("nflog:3", LOG_NFLOG)):
        names = loggers(log)
        many = len(names)
        must(mw_load())
        is_(remove(log), 0, f"{log}: no logger is there")
        is_(there(log), [], "none at all")
        is_((mw_write("log", log), there(log)), (0, names), f"sysfs: {' and '.join(names)} loaded")
        is_(remove(log), many, "held")
        is_((mw_write("log", "off"), remove(log), there(log)), (0, 0, []), "log=off lets go")
        is_((ioctl(number), there(log)), ("done", names), "loaded by ioctl")
        is_(remove(log), many, "held")
        # The policy to go back to holds its logger too.
        with Device() as device:
            is_(device.change(log=LOG_OFF, confirm=60), 0, "log=off, to be confirmed")
            is_(remove(log), many, "held for the way back")
            is_(device.revert(), 0, "reverted")
            is_(remove(log), many, "held")
            is_(device.change(log=LOG_OFF, confirm=60), 0, "log=off again")
            is_(device.confirm(), 0, "confirmed")
            is_((remove(log), there(log)), (0, []), "let go")
            # What is refused holds nothing.
            is_(device.change(mode=AUDIT, confirm=60), 0, "another change waits")
            is_(name_of(mw_write("log", log)), "EBUSY", "refused")
            is_(name_of(device.change(log=number)), "EBUSY", "refused")
            is_(remove(log), 0, "nothing is held by that")
            is_(device.change(log=number) and device.revert(), 0, "reverted")
            stale = device.policy()
            stale.generation, stale.log = 0, number
            is_(name_of(device.set(stale)), "ESTALE", "refused")
            is_(remove(log), 0, "nor by that")
        is_(mw_write("log", log), 0, "loaded again")
        must(mw_unload())
        is_((remove(log), there(log)), (0, []), "unloading lets go")
        must(mw_load(f"log={log}"))
        is_(there(log), names, "loaded by the load parameter")
        must(run("ip", "netns", "add", "logs"))
        is_(mw_write("log", log, "logs"), 0, "another namespace has it too")
        is_(mw_write("log", "off"), 0, "the gateway has it no more")
        is_(remove(log), many, "held by the other namespace")
        must(run("ip", "netns", "del", "logs"))
        ok(wait_until(lambda: not remove(log), 20), "its end lets go")
        must(mw_unload())
    must(mw_load("confirm=1", "log=kernel"))
    wait_until(lambda: mw_read("mode") == "audit\n", 10)
    is_((mw_read("mode"), mw_read("log"), remove("kernel")),
        ("audit\n", "kernel\n", len(loggers("kernel"))), "audit after confirm=1 holds its logger")
    is_(mw_write("log", "off"), 0, "log=off")
    is_(remove("kernel"), 0, "and lets go of it")
    must(mw_unload())


def unlocked():
    """While a logger loads nothing of its namespace's is locked, or its module's init and the end
    of a namespace could wait for each other: modprobe itself changes the policy meanwhile."""
    for log, number in (("kernel", LOG_KERNEL), ("nflog:3", LOG_NFLOG)):
        name = loggers(log)[0]
        for way in ("sysfs", "ioctl"):
            is_(remove(log), 0, f"{log}: no logger is there")
            must(mw_load())
            with open(CONF, "w", encoding="ascii") as file:
                file.write(f"install {name} /mailwall/tests/net/guest/meanwhile {MW_SYS}/adm "
                           f"198.51.100.0/24 && modprobe --ignore-install {name}\n")
            if way == "sysfs":
                mw_write("log", log)
            else:
                ioctl(number)   # made from a generation that is past by then
            os.unlink(CONF)
            is_((there(log), mw_read("adm")), (loggers(log), "198.51.100.0/24\n"),
                f"{log} by {way}: the policy could be changed while {name} was loaded")
            must(mw_unload())


def none():
    """A kernel without a logger."""
    for log, number in (("kernel", LOG_KERNEL), ("nflog:3", LOG_NFLOG)):
        names = loggers(log)
        is_(remove(log), 0, f"{log}: no logger is there")
        word = "nflog" if number == LOG_NFLOG else "kernel"
        says = rf"mailwall: (net:\[\d+\]: )?log refused: the kernel has no {word} logger"
        # the last alone: one of two is not enough
        for rule in ("".join(f"blacklist {name}\n" for name in names),
                     f"install {names[-1]} /bin/false\n"):
            with open(CONF, "w", encoding="ascii") as file:
                file.write(rule)
            what = rule.strip().replace("\n", ", ")
            must(mw_load("adm=192.0.2.0/24"))
            before = snapshot()
            LOG.lines()
            is_(name_of(mw_write("log", log)), "ENOENT", f"{what}: sysfs refuses")
            like("\n".join(LOG.lines("mailwall: ")), rf"^{says}.*: load {names[-1][:6]}",
                 "the kernel's log names the cure")
            is_(ioctl(number), "ENOENT", "the ioctl refuses")
            like("\n".join(LOG.lines("mailwall: ")), says, "and says so")
            done = run("mailwall", "log", log)
            is_(done.returncode, 1, "the command fails")
            like(done.stdout, names[-1][:6], "and names the cure")
            ok(snapshot() == before, "the policy is the same")
            is_([name for name in there(log) if run("rmmod", name).returncode], [],
                "nothing is held")
            must(mw_unload())
            LOG.lines()
            ok(mw_load(f"log={log}").returncode, "the module does not load with it")
            like("\n".join(LOG.lines("mailwall: ")), says, "and says so")
            ok(not os.path.exists(MW_SYS) and not os.path.exists("/dev/mailwall"), "nothing is there")
            remove(log)
        os.unlink(CONF)
        must(mw_load(f"log={log}"))
        must(mw_unload())


def elsewhere():
    """Other network namespaces: silent in the kernel's log, read by their own readers."""
    listener = Listener(8080, ns="any")
    must(mw_load("mode=off", "log=kernel"))
    is_((mw_write("mode", "enforce", "any"), mw_write("log", "kernel", "any")), (0, 0),
        "the ANY host enforces, log=kernel")
    LOG.lines()
    for address in (ANY4, ANY6):
        is_(connect("gtw", address, 8080, 2), "time-out", f"{address} is closed")
    with netns("any"):
        denied = denials()
    ok(denied >= 2, "denials are counted there", denied)
    is_(LOG.lines("mailwall: "), [], "and are not in the kernel's log")
    write_once("/proc/sys/net/netfilter/nf_log_all_netns", "1")
    time.sleep(5.5)
    is_(connect("gtw", ANY4, 8080, 2), "time-out", "with nf_log_all_netns=1")
    like("\n".join(LOG.lines("mailwall: ")), "mailwall: deny in closed IN=eth0 OUT= ", "they are")
    write_once("/proc/sys/net/netfilter/nf_log_all_netns", "0")
    is_(mw_write("log", "nflog:6", "any"), 0, "log=nflog:6 there")
    here, nothing = capture(6)
    inside, file = capture(6, "any")
    is_(connect("gtw", ANY6, 8080, 2), "time-out", "closed")
    wait_until(lambda: packets(file), 10)
    time.sleep(1.5)     # nfnetlink_log hands over what it has once in a second
    is_({item[0] for item in packets(file)}, {"mailwall: deny in closed "}, "a reader there gets it")
    is_(packets(nothing), [], "one of the gateway does not")
    stop(here)
    stop(inside)
    listener.stop()
    must(mw_unload())


def main():
    topology()
    parts((on_demand, unlocked, none), mend=mw_unload)
    wire = Wire()
    parts((lines, rate, nflog, watch, trace, ulogd), wire, mend=mw_unload)
    wire.unmute()
    parts((elsewhere,), mend=mw_unload)
    done_testing()


main()
