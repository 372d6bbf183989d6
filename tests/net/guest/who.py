#!/usr/bin/python3
"""Who changed what: the line in the kernel's log and the record of its audit that each change
leaves, from loading to unloading, by whichever door; none that is refused does."""
import socket
import struct

from kernel import *
from uapi import *

LOG = Log()
NETLINK_AUDIT, AUDIT_SET, AUDIT_STATUS_ENABLED = 9, 1001, 1
LOGINUID = 1234
with open("/proc/self/comm", encoding="ascii") as name:
    COMM = name.read().strip()
BY = r"; by uid 0 loginuid {} pid {} comm \"{}\"$"


def audit(enabled):
    """Let the kernel audit, or not."""
    status = struct.pack("=2I", AUDIT_STATUS_ENABLED, enabled) + bytes(32)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT) as sock:
        sock.send(struct.pack("=IHHII", 16 + len(status), AUDIT_SET, 5, 1, 0) + status)
        error = struct.unpack("=i", sock.recv(8192)[16:20])[0]
    if error:
        raise OSError(-error, os.strerror(-error))


def left(what, text, by=BY.format("unset", os.getpid(), COMM), number=None):
    """One point: the change left this line, and no other."""
    lines = LOG.changes()
    start = rf"^mailwall: net:\[{number or net_number()}\]: "
    ok(len(lines) == 1 and re.search(start + text + by, lines[0]), what, lines)


def as_somebody():
    """A change by a process with a login and a name of its own."""
    write_once("/proc/self/loginuid", str(LOGINUID))
    write_once("/proc/self/comm", 'a "b\n')
    return os.getpid(), mw_write("mode", "enforce")


def doors():
    """sysfs, the device and the command; what was, what is."""
    is_(mw_write("adm", "192.0.2.0/24 2001:db8::/32"), 0, "ADM is set through sysfs")
    left("what is added is told, and who did it", r"changed: mode audit; adm \+192\.0\.2\.0/24 \+2001:db8::/32")
    with Device() as device:
        is_(device.change(adm=["192.0.2.0/24"], site=["22 ADM GTW", "443 GTW ANY"],
                          log=LOG_NFLOG, log_group=3), 0,
            "three parts are changed by ioctl")
    left("one line tells all three", r"changed: mode audit; adm -2001:db8::/32; "
         r"site \+22 ADM GTW \+443 GTW ANY; log off -> nflog:3")
    must(run("mailwall", "gtw", "add", "port:tap0", "10.9.0.0/24"))
    left("the command is named by its own name", r"changed: mode audit; gtw \+port:tap0 \+10\.9\.0\.0/24",
         BY.format("unset", r"\d+", "mailwall"))
    pid, error = in_child(as_somebody)
    is_(error, 0, "somebody who logged in changes the mode")
    left("his login is told, and no line ends in his odd name", "changed: mode audit -> enforce",
         BY.format(LOGINUID, pid, r'a "b\\x5cn'))
    is_(mw_write("gtw", 'this port:a"b\\c\x1b'), 0, "a device has an odd name")
    left("which ends no line and no field", r"changed: mode enforce; gtw -port:tap0 -10\.9\.0\.0/24 \+port:a\?b\?c\?")
    LOG.changes()
    is_((mw_write("adm", "192.0.2.5/24"), mw_write("mode", "on")), (errno.EINVAL,) * 2, "two changes are refused")
    is_(LOG.changes(), [], "what is refused leaves no such line")


def waiting():
    """A change that waits: set, extended, confirmed, reverted."""
    time.sleep(5.1)                             # the ten lines of five seconds begin anew
    with Device() as device:
        is_(device.change(mode=AUDIT, confirm=60), 0, "a change that waits")
        left("told with its time", "changed: mode enforce -> audit; waits 60 seconds to be confirmed")
        is_(device.confirm(90), 0, "extended")
        left("told with its new time", "extended: mode enforce -> audit; waits 90 seconds to be confirmed")
        is_(device.revert(), 0, "taken back")
        left("told from what it was to what it is again", "reverted: mode audit -> enforce")
        is_(device.change(mode=AUDIT, confirm=60), 0, "once more")
        LOG.changes()
        is_(device.confirm(), 0, "confirmed")
        left("told with what it changed", "confirmed: mode enforce -> audit")
        is_((device.confirm(), device.revert()), (errno.ENODATA,) * 2, "nothing waits any more")
        is_(LOG.changes(), [], "and nothing is told")
        is_(device.change(mode=ENFORCE, adm=["192.0.2.7/32"], confirm=1), 0, "one that nobody confirms")
        LOG.changes()
        expires("change not confirmed in time: mode enforce -> audit; adm -192.0.2.7 +192.0.2.0/24",
                "mailwall: net:")


def expires(text, start):
    """A change that waits is taken back, and leaves one line that has this and begins so."""
    lines = [line for _, line in LOG.until("", start, 5)]
    ok(len(lines) == 1 and lines[0].endswith(text), "taken back is told from what to what, as nobody's", lines)


def many():
    """What does not fit in a line, and more lines than are wanted."""
    time.sleep(5.1)
    is_(mw_write("adm", " ".join(f"2001:db8:{i:x}:1111:2222:3333:4444:5555" for i in range(64))), 0,
        "64 long prefixes")
    lines = LOG.changes()
    shown = lines[0].count("+2001:db8:") if lines else 0
    ok(len(lines) == 1 and shown > 5 and f" and {64 - shown} more; by uid 0 " in lines[0],
       "what finds no room is counted", lines)
    time.sleep(5.1)
    for i in range(12):
        mw_write("mode", ("audit", "enforce")[i % 2])
    is_(len(LOG.changes()), 10, "ten lines in five seconds")
    LOG.lines()
    is_(mw_write("mode", "on"), errno.EINVAL, "then one is refused")
    is_(len(LOG.lines("mailwall: net:")), 1, "which has a limit of its own")
    with own_namespace(), Device() as device:
        is_(device.change(mode=AUDIT), 0, "another namespace")
        left("has one too, and is told by its number", "changed: mode off -> audit",
             number=os.stat("/proc/self/ns/net").st_ino)


def audited():
    """The record of the audit, which no other change's line holds back."""
    for i in range(12):
        mw_write("mode", ("audit", "enforce")[i % 2])
    is_(LOG.lines("audit: type=1316"), [], "where the kernel does not audit there is no record")
    audit(1)
    time.sleep(0.5)
    LOG.timed()
    is_(mw_write("mode", "audit"), 0, "a change while the kernel audits")
    wait_until(lambda: audited.found.extend(LOG.lines("audit: type=1316")) or audited.found, 5)
    ok(len(audited.found) == 1 and
       re.search(rf'op=mailwall-changed net={net_number()} change="mode enforce -> audit" .*pid={os.getpid()} '
                 rf'auid=4294967295 uid=0 .*comm="{COMM}" exe=".*python3.*" .*res=1$', audited.found[0]),
       "leaves one record, though the log's lines are held back", audited.found)
    with Device() as device:
        is_(device.change(mode=ENFORCE, confirm=1), 0, "one that waits")
        wait_until(lambda: LOG.lines("audit: type=1316"), 5)
    expires(f'op=mailwall-expired net={net_number()} change="mode enforce -> audit" res=1', "audit: type=1316")
    audit(0)


audited.found = []


def main():
    must(mw_load("site=53:GTW:ANY", "confirm=600"))
    left("loading is told", r"loaded: mode off -> enforce; site \+53 GTW ANY; waits 600 seconds to be confirmed",
         BY.format("unset", r"\d+", r"\w+"))
    must(run("mailwall", "confirm"))
    is_((mw_write("mode", "audit"), mw_write("site", "\n")), (0, 0), "audit, and no rows")
    LOG.changes()
    doors()
    waiting()
    many()
    audited()
    time.sleep(5.1)
    is_(mw_write("adm", "192.0.2.0/24"), 0, "ADM is one prefix")
    is_(mw_write("gtw", "this"), 0, "this host alone")
    LOG.changes()
    is_(mw_unload().returncode, 0, "the module unloads")
    left("unloading is told, with what was", r"unloaded: mode audit -> off; adm -192\.0\.2\.0/24; "
         r"site -22 ADM GTW -443 GTW ANY; log nflog:3 -> off", BY.format("unset", r"\d+", r"\w+"))
    LOG.changes()
    ok(mw_load("mode=audit", "gtw=this,10.0.0.5/24").returncode, "a load that fails")
    is_(LOG.changes(), [], "is no change")
    done_testing()


main()
