#!/usr/bin/python3
"""When a change reverts that nobody confirmed: in a machine whose clock leaps where it idles,
so that an hour takes seconds, and with one processor, which is easily kept from everybody else."""
from kernel import *
from uapi import *

LOG = Log()
DAY = "day" in open("/proc/cmdline", encoding="ascii").read().split()
TIMES = 1, 300, 3600, CONFIRM_MAX
UNCONFIRMED = "change not confirmed in time: mode enforce -> audit"


def boot_time():
    """Seconds since boot, a suspend included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def mode():
    """The mode in force."""
    return mw_read("mode").strip()


def lines():
    """What the module said of this namespace."""
    start = f"mailwall: net:[{net_number()}]: "
    return [line.removeprefix(start) for line in LOG.lines("mailwall: ")]


def timers():
    """When the timers of changes that wait ring, by the boot time clock."""
    with open("/proc/timer_list", encoding="ascii") as file:
        found = re.findall(r"mw_deadline.*\n.*expires at (\d+)-(\d+) nsecs", file.read())
    return [tuple(int(number) / 1e9 for number in pair) for pair in found]


def in_time():
    """Whatever the time, it is kept to the second: a namespace waits for each."""
    must(mw_load())
    marks, rings = {}, {}
    for seconds in TIMES:
        ns = f"wait{seconds}"
        must(run("ip", "netns", "add", ns))
        with netns(ns), Device() as device:
            is_(device.change(mode=AUDIT), 0, f"{ns} in audit")
            # the one clock that log lines have tells how late they come
            write_once("/dev/kmsg", f"mark {seconds}\n")
            marks[seconds] = [at for at, _ in LOG.timed(f"mark {seconds}")][-1]
            rings[seconds] = boot_time() + seconds
            is_(device.change(mode=ENFORCE, confirm=seconds), 0, f"{ns} enforces for {seconds} s")
    for seconds in TIMES[1:]:
        at = [ring for ring in timers() if ring[0] - 0.5 <= rings[seconds] <= ring[0]]
        ok(len(at) == 1 and at[0][0] == at[0][1], f"{seconds} s: a timer that rings then, not later",
           (rings[seconds], timers()))
    last = TIMES[-1] if DAY else TIMES[-2]
    time.sleep(last + 5)
    said = LOG.timed("mailwall: net:")
    for seconds in TIMES:
        ns = f"wait{seconds}"
        late = [at - marks[seconds] - seconds for at, line in said
                if line == f"mailwall: net:[{net_number(ns)}]: {UNCONFIRMED}"]
        if seconds <= last:
            diag(f"{seconds} s: late by {late} s")
            ok(len(late) == 1 and 0 <= late[0] <= 1, f"{seconds} s: at most a second late", late)
            is_(mw_read("mode", ns), "audit\n", f"{ns} is in audit again")
        else:
            is_((mw_read("mode", ns), late), ("enforce\n", []), f"{ns} still waits")
            with netns(ns), Device() as device:
                left = device.policy().confirm
            ok(seconds - last - 7 <= left <= seconds - last - 5, "and says how long", left)
        must(run("ip", "netns", "del", ns))
    must(mw_unload())


def suspended():
    """The clock goes on while the machine sleeps."""
    must(mw_load())
    with Device() as device:
        for confirm, wait in ((10, True), (60, False)):
            device.change(mode=AUDIT)
            LOG.lines()
            before, awake = boot_time(), time.monotonic()
            is_(device.change(mode=ENFORCE, confirm=confirm), 0, f"a change waits {confirm} s")
            must(run("rtcwake", "-m", "mem", "-s", "15"))
            slept = boot_time() - before - (time.monotonic() - awake)
            ok(slept > 11, "and the machine sleeps", slept)
            if not wait:
                left = device.policy().confirm
                ok(left <= confirm - int(slept), "the seconds left are fewer by that", left)
                is_((mode(), device.confirm()), ("enforce", 0), "and it can be confirmed")
                continue
            wait_until(lambda: mode() == "audit", 20)
            said = LOG.until(UNCONFIRMED)
            at = [when for when, line in said if UNCONFIRMED in line]
            woke = [when for when, line in said if "PM: suspend exit" in line]
            ok(at and woke and at[0] - woke[0] <= 1, "it reverts as the machine wakes", said)
    must(mw_unload())


@contextlib.contextmanager
def overdue(device, **fields):
    """A change whose time is over, but nobody else has had a turn to take it back."""
    is_(device.change(mode=ENFORCE, confirm=1, **fields), 0, "a change waits a second")
    end = boot_time() + 1.05
    time.sleep(0.9)
    write_once("/proc/sys/kernel/sched_rt_runtime_us", "-1")
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(90))
    try:
        while boot_time() < end:
            pass
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def late():
    """Whoever comes after the deadline finds the change taken back."""
    must(mw_load("adm=192.0.2.0/24"))
    with Device() as device:
        calls = [
            ("confirm", device.confirm, "ENODATA"),
            ("extend", lambda: device.confirm(extend=60), "ENODATA"),
            ("change", lambda: device.change(confirm=60, mode=OFF), "ESTALE"),
            ("edit", lambda: mw_write("adm", "+203.0.113.0/24"), "done"),
            ("revert", device.revert, "done"),
        ]
        for name, call, want in calls:
            device.change(mode=AUDIT, adm=["192.0.2.0/24"])
            generation = device.policy().generation
            LOG.lines()
            with overdue(device, adm=["198.51.100.0/24"]):
                in_force = device.policy().mode
                number = call()
            is_(in_force, ENFORCE, f"{name}: the change is overdue")
            is_(name_of(number), want, "too late")
            edited = name == "edit"
            is_((mode(), mw_read("adm"), device.policy().confirm),
                ("audit", "192.0.2.0/24\n" + "203.0.113.0/24\n" * edited, 0), "it is taken back")
            is_(device.policy().generation, generation + 2 + edited, "once")
            if name != "revert":
                is_(lines()[:1], [f"{UNCONFIRMED}; adm -198.51.100.0/24 +192.0.2.0/24"],
                    "and the log says so")
    must(mw_unload())


def main():
    topology()
    parts((in_time, suspended, late), mend=mw_unload)
    done_testing()


main()
