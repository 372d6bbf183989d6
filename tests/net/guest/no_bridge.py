#!/usr/bin/python3
"""A module that believes of its kernel that it has no hooks in bridges."""
from kernel import *
from uapi import Device

LOG = Log()
REFUSED = 'gtw refused: "port:{}": a port of a bridge, .*CONFIG_NETFILTER_FAMILY_BRIDGE.*br_netfilter$'


def refused(what, got, before, item="p9"):
    """One point: EOPNOTSUPP, one line in the log that names item and cure, nothing changed."""
    lines = LOG.lines("mailwall: ")
    ok(got == errno.EOPNOTSUPP and len(lines) == 1 and re.search(REFUSED.format(item), lines[0]) and
       snapshot() == before, f"{what} is refused", f"{name_of(got)}\n{lines}\n{mw_read('gtw')}")


def main():
    for words in (("br9", "type", "bridge"), ("p9", "type", "veth", "peer", "name", "q9")):
        must(run("ip", "link", "add", *words))
    must(run("ip", "link", "set", "p9", "master", "br9"))
    LOG.lines()
    done = mw_load("gtw=this,port:p9")
    lines = LOG.lines("mailwall: ")
    ok(done.returncode and os.strerror(errno.EOPNOTSUPP) in done.stdout and
       re.search(REFUSED.format("p9"), "\n".join(lines)), "as a load parameter it is refused",
       f"{done.stdout}\n{lines}")
    must(mw_load())
    before = snapshot()
    refused("in sysfs it", mw_write("gtw", "+port:p9"), before)
    with Device() as device:
        refused("by ioctl it", device.change(gtw=["this", "port:p9"]), before)
    tool = run("mailwall", "gtw", "add", "port:p9")
    ok(tool.returncode == 1 and "this kernel cannot do it" in tool.stdout and snapshot() == before,
       "by the command too, which says where the cure is", tool.stdout)
    LOG.lines()
    is_(mw_write("gtw", "this port:q9 port:br9 port:none0 10.0.0.1"), 0, "whatever is no port of a bridge is taken")
    # what is in force and becomes a port is not in the way of other changes
    must(run("ip", "link", "set", "q9", "master", "br9"))
    is_(mw_write("adm", "192.0.2.0/24"), 0, "nor refused later, when other things are set")
    before = snapshot()
    refused("one more", mw_write("gtw", "+port:p9"), before)
    is_((mw_write("gtw", "-port:q9"), mw_write("mode", "off")), (0, 0), "taken out")
    before = snapshot()
    refused("anew it", mw_write("gtw", "+port:q9"), before, "q9")
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
