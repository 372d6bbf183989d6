#!/usr/bin/python3
"""Changes that revert unless confirmed: by ioctl, by the command, by load parameter."""
import json

from kernel import *
from uapi import *

LOG = Log()


def mode():
    """The mode in force."""
    return mw_read("mode").strip()


def waiting():
    """Seconds until the change reverts, 0 if none waits."""
    with Device() as device:
        return device.policy().confirm


def judged():
    """Denied segments, of both kinds."""
    return sum(value for key, value in counts().items() if key[0] in ("deny", "would-deny"))


def command(*words):
    """A run of the command that must succeed."""
    return must(run("mailwall", *words)).stdout


def reverts(seconds, since):
    """Wait until no change waits any more: not before its time, counted from before the
    change was made, and not long after."""
    wait_until(lambda: not waiting(), seconds + 10)
    took = time.monotonic() - since
    return ok(seconds <= took <= seconds + 6, f"it reverts by itself, in {seconds} s", took)


def reverted(to):
    """What the log says of it."""
    like("\n".join(line for _, line in LOG.until("not confirmed in time", "mailwall: ")),
         rf"not confirmed in time: mode (\w+ -> )?{to}", "the log says so")


def everything_else_is_refused():
    """EBUSY for each kind of change, and nothing changes."""
    before = bytes(policy_without_clock())
    with Device() as device:
        found = {name: name_of(mw_write(name, text)) for name, text in
                 (("adm", "+203.0.113.0/24"), ("site", "+99 ANY GTW"), ("mode", "off"),
                  ("log", "kernel"))}
        found["ioctl"] = name_of(device.change())
    is_(found, dict.fromkeys(found, "EBUSY"), "every other change is refused meanwhile")
    is_(bytes(policy_without_clock()), before, "and changes nothing")
    like("\n".join(LOG.lines("mailwall: ")), r"(mailwall: net:\[\d+\]: change refused: another one waits.*\n?){5}",
         "the log says why each time")
    done = run("mailwall", "mode", "off")
    is_(done.returncode, 1, "the command is refused too")
    like(done.stdout, "confirm|revert", "and tells the cure")


def policy_without_clock():
    """The policy, but for the seconds left."""
    with Device() as device:
        policy = device.policy()
    policy.confirm = 0
    return policy


def loading():
    """confirm=N at load."""
    LOG.lines()
    start = time.monotonic()
    must(mw_load("confirm=9", "adm=198.51.100.0/24", "site=22:ADM:GTW"))
    is_(mode(), "enforce", "loaded with confirm=9: enforce")
    is_(connect("any", GTW_ANY4, 8080, 1), "time-out", "8080 is closed")
    ok(1 <= waiting() <= 9, "the seconds left can be read", waiting())
    everything_else_is_refused()
    reverts(9, start)
    is_((mode(), mw_read("adm"), mw_read("site")), ("audit", "198.51.100.0/24\n", "22 ADM GTW\n"),
        "the mode becomes audit, the rest stays")
    reverted("audit")
    is_(connect("any", GTW_ANY4, 8080), "open", "8080 is open")
    is_(mw_unload().returncode, 0, "unloaded")
    must(mw_load("confirm=3"))
    is_(run("mailwall", "confirm").returncode, 0, "loaded with confirm=3 and confirmed")
    time.sleep(3.5)
    is_((mode(), waiting()), ("enforce", 0), "it stays enforce")
    mw_unload()
    must(mw_load("confirm=86400"))
    is_(waiting(), 86400, "a day is the most")
    is_(run("mailwall", "revert").returncode, 0, "reverted by hand")
    is_((mode(), waiting()), ("audit", 0), "it is audit at once")
    like("\n".join(LOG.changes()), "reverted: mode enforce -> audit; ", "and in the log")
    mw_unload()



def changing():
    """Changes of a running policy."""
    must(mw_load("adm=198.51.100.0/24"))
    LOG.lines()
    with Device() as device:
        generation = device.policy().generation
        start = time.monotonic()
        is_(device.change(confirm=7, mode=AUDIT, adm=["192.0.2.0/24"]), 0, "audit for seven seconds")
        is_((mode(), mw_read("adm")), ("audit", "192.0.2.0/24\n"), "it is in force")
        is_(device.policy().generation, generation + 1, "as the next generation")
        everything_else_is_refused()
        reverts(7, start)
        is_((mode(), mw_read("adm")), ("enforce", "198.51.100.0/24\n"), "all of it is as before")
        reverted("enforce")
        is_(device.policy().generation, generation + 2, "the way back is a generation too")
        is_([name_of(device.confirm()), name_of(device.revert())], ["ENODATA"] * 2,
            "there is nothing to confirm or revert then")

    def and_die():
        """A process that makes the change, and is killed."""
        with Device() as device:
            return device.change(confirm=3, mode=AUDIT)

    start = time.monotonic()
    is_(in_child(and_die), 0, "a change by a process that is killed")
    is_(mode(), "audit", "is in force")
    reverts(3, start)
    is_(mode(), "enforce", "and reverts without it")
    start = time.monotonic()
    shell = subprocess.Popen(["sh", "-c", "mailwall mode audit --confirm=3; exec sleep 100"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ok(wait_until(lambda: mode() == "audit"), "a change by the command")
    shell.kill()
    shell.wait()
    reverts(3, start)
    is_(mode(), "enforce", "reverts after its shell was killed")

    command("adm", "add", "192.0.2.0/24", "--confirm=5")
    left = json.loads(command("status", "--json"))["reverts_in_seconds"]
    ok(1 <= left <= 5, "status tells the seconds left", left)
    command("confirm")
    time.sleep(5.5)
    is_((mw_read("adm"), waiting()), ("192.0.2.0/24\n198.51.100.0/24\n", 0), "confirmed, it stays")
    command("adm", "clear", "--confirm=300")
    command("revert")
    is_((mw_read("adm"), waiting()), ("192.0.2.0/24\n198.51.100.0/24\n", 0), "reverted by hand")

    # The delayed work of a change that was confirmed must not undo the next one.
    with Device() as device:
        device.change(confirm=2, mode=AUDIT)
        device.confirm()
        device.change(confirm=60, mode=ENFORCE)
        time.sleep(2.5)
        is_((mode(), device.policy().confirm > 50), ("enforce", True),
            "an older change's time does not undo a newer one")
        device.revert()
        is_(mode(), "audit", "which reverts to the one before")
        device.change(confirm=60, mode=ENFORCE)
        device.revert()
        start = time.monotonic()
        device.change(confirm=2, mode=ENFORCE)
        reverts(2, start)
        is_(mode(), "audit", "and a shorter one after a longer one")
        device.change(mode=ENFORCE)
    mw_unload()


def off():
    """Changes to off and from off."""
    must(mw_load())
    is_(hooks_run(), 4, "four hooks")
    # before the SYN comes once more, after a second, maybe when it has been counted up already
    is_(connect("any", GTW_ANY4, 8080, 0.6), "time-out", "8080 is closed")
    before = judged()
    start = time.monotonic()
    command("mode", "off", "--confirm=12")
    is_((mode(), hooks_run()), ("off", 4), "off, but its hooks stay while that waits")
    for gateway in (GTW_ANY4, GTW_ANY6):
        is_(connect("any", gateway, 8080), "open", "everything passes")
    is_(connect("gtw", ANY4, 443), "open", "outbound too")
    is_(judged(), before, "and nothing is counted")
    reverts(12, start)
    is_((mode(), hooks_run()), ("enforce", 4), "then it comes back")
    is_(connect("any", GTW_ANY6, 8080, 1), "time-out", "8080 is closed again")
    command("mode", "off", "--confirm=60")
    command("confirm")
    is_((mode(), hooks_run()), ("off", 0), "confirmed, the hooks go")
    is_(connect("any", GTW_ANY4, 8080), "open", "everything passes")
    start = time.monotonic()
    command("mode", "enforce", "--confirm=8")
    is_((mode(), hooks_run()), ("enforce", 4), "from off to enforce")
    is_(connect("any", GTW_ANY4, 8080, 1), "time-out", "8080 is closed")
    reverts(8, start)
    is_((mode(), hooks_run()), ("off", 0), "not confirmed, it is off again, without hooks")
    command("mode", "enforce", "--confirm=60")
    command("confirm")
    is_((mode(), hooks_run()), ("enforce", 4), "confirmed, it stays")
    command("mode", "off")
    is_((mode(), hooks_run()), ("off", 0), "off for good has no hooks")
    mw_unload()
    must(mw_load("mode=off"))
    is_((mode(), hooks_run()), ("off", 0), "nor has a load with mode=off")
    mw_unload()


def counters():
    """Site rows' counters last as long as the row may come back."""
    must(mw_load("site=8080:ANY:GTW,8081:ANY:GTW"))
    is_(connect("any", GTW_ANY4, 8080), "open", "a site row opens 8080")
    before = counts()
    ok(before.get(("8080 ANY GTW", "openings")) == 1, "and counts", before)
    command("site", "remove", "8080", "ANY", "GTW", "--confirm=60")
    is_(connect("any", GTW_ANY4, 8080, 1), "time-out", "taken away, for the time being")
    ok(("8080 ANY GTW", "openings") not in counts(), "it is not shown")
    # other rows come into its place meanwhile
    command("revert")
    is_(counts()["8080 ANY GTW", "openings"], 1, "it is back with its counters")
    with Device() as device:
        is_(device.change(confirm=60, site=["8081 ANY GTW", "8082 ANY GTW", "8080 ANY GTW"]), 0,
            "rows in another order, and a new one")
    is_((counts()["8080 ANY GTW", "openings"], counts().get(("8082 ANY GTW", "openings"))), (1, None),
        "each with its own counters")
    is_(connect("any", GTW_ANY4, 8080), "open", "8080 is open")
    command("revert")
    is_(counts()["8080 ANY GTW", "openings"], 2, "what was counted meanwhile is not lost")
    command("site", "remove", "8080", "ANY", "GTW", "--confirm=60")
    command("confirm")
    command("site", "add", "8080", "ANY", "GTW")
    ok(("8080 ANY GTW", "openings") not in counts(), "taken away for good, it starts from zero")
    # Full tables, replaced by full ones.
    with Device() as device:
        rows = [[f"{port + i} ANY GTW" for i in range(SITE_MAX)] for port in (8080, 9000)]
        device.change(site=rows[0])
        connect("any", GTW_ANY4, 8080)
        device.change(confirm=60, site=rows[1])
        connect("any", GTW_ANY4, 9000)
        is_(counts()["9000 ANY GTW", "openings"], 1, "32 rows replaced by 32 others count apart")
        device.revert()
        is_(counts()["8080 ANY GTW", "openings"], 1, "and the first 32 are as they were")
        device.change(site=rows[1])
        ok(("9000 ANY GTW", "openings") not in counts(), "those that were reverted start from zero")
    mw_unload()


def unloading():
    """Unload while a change waits: nothing happens later."""
    for parameters, change in ((["confirm=2"], None), ([], ["mode", "off", "--confirm=2"]),
                               (["mode=off"], ["mode", "enforce", "--confirm=2"])):
        must(mw_load(*parameters))
        if change:
            command(*change)
        LOG.lines()
        is_(mw_unload().returncode, 0, "unloaded while a change waits")
        time.sleep(2.5)
        is_(LOG.lines("mailwall: "), [], "and nothing comes after")
    must(mw_load())
    is_((mode(), waiting()), ("enforce", 0), "the next load knows nothing of it")
    is_(mw_unload().returncode, 0, "the module unloads")


def main():
    topology()
    listeners = [Listener(22, 25, 8080, 9000), Listener(443, ns="any")]
    parts((loading, changing, off, counters, unloading), mend=mw_unload)
    for listener in listeners:
        listener.stop()
    done_testing()


main()
