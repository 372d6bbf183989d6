#!/usr/bin/python3
"""Boot one virtual machine, relay what its script says, and judge the run.

The kernel's console is the first serial port and goes to a log file. The
script's output is the second one. A run has passed only if the random token
from the kernel command line comes back there, the kernel complained of
nothing, and the machine powered itself off.
"""
import argparse
import os
import re
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import time

COMPLAINTS = re.compile(
    r"""\bBUG:|\bWARNING:|\bOops\b|Call\ Trace:|general\ protection\ fault|kernel\ BUG\ at
    |Kernel\ panic|KASAN:|KFENCE:|KCSAN:|UBSAN:|unregister_netdevice:\ waiting
    |possible\ (circular|recursive)\ locking|possible\ irq\ lock\ inversion|inconsistent\ lock\ state
    |suspicious\ RCU\ usage|INFO:\ task\ .*\ blocked\ for|detected\ stall|self-detected\ stall
    |soft\ lockup|hard\ LOCKUP|refcount_t:|trying\ to\ register\ non-static\ key|DEBUG_LOCKS_WARN_ON
    |sleeping\ function\ called|scheduling\ while\ atomic|Bad\ page\ state|list_(add|del)\ corruption
    |unreferenced\ object|new\ suspected\ memory\ leaks|stack\ guard\ page|Out\ of\ memory:|oom-kill:
    |initramfs:\ """,
    re.VERBOSE,
)
POWER_OFF = "reboot: Power down"
POINT = re.compile(r"(not )?ok\b(?:\s+\d+)?(.*)")
PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(SKIP.*))?$", re.I)
EXCUSE = re.compile(r"#\s*(SKIP|TODO)\b", re.I)


def kvm_works(kernel):
    """Whether a kernel really boots under KVM, up to its panic for want of a
    root: a device node, and even code that runs, proves too little."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    command = ["qemu-system-x86_64", "-M", "pc", "-accel", "kvm", "-cpu", "max", "-m", "256",
               "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
               "-kernel", kernel, "-append", "console=ttyS0 quiet panic=-1"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b"Kernel panic" in done.stdout


def qemu_command(args, accel, token):
    """The command line of the machine."""
    append = (f"console=ttyS0 quiet loglevel=5 panic=-1 panic_on_warn=1 "
              f"rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60 "
              f"{args.append} vmtoken={token}")
    # Multi-threaded TCG of QEMU 7.2 spoils the flags after cmpxchg16b now and then, and the
    # kernel then traps; without it the kernel takes another way.
    cpu = "max,-cx16" if accel == "tcg" and not args.icount else "max"
    command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-M", "pc", "-cpu", cpu,
               "-m", str(args.mem), "-smp", str(args.smp), "-nodefaults", "-no-reboot",
               "-display", "none", "-kernel", args.kernel, "-initrd", args.initrd,
               "-append", append, "-serial", f"file:{args.log}",
               "-chardev", "stdio,id=tap,signal=off", "-serial", "chardev:tap"]
    if args.icount:
        command += ["-accel", "tcg", "-icount", "shift=0,sleep=off"]
    elif accel == "kvm":
        command += ["-accel", "kvm"]
    else:
        command += ["-accel", "tcg,thread=multi"]
    disks = [disk.split("=", 1) + ["on"] for disk in args.disk] + [["out", args.out, "off"]]
    for name, path, readonly in disks:
        command += ["-drive", f"if=none,id={name},format=raw,readonly={readonly},"
                              f"file={path.replace(',', ',,')}",
                    "-device", f"virtio-blk-pci,drive={name},serial={name}"]
    return command + args.qemu


class Relay:
    """The guest's TAP as it passes through: counted, completed, judged."""

    def __init__(self, raw, token):
        self.raw = raw
        self.token = token
        self.came_back = False
        self.exit_status = None
        self.points = 0
        self.failed = []
        self.plan = None
        self.two_plans = False
        self.skip_all = None
        self.bailed = False
        self.rest = b""
        self.blank = False

    def say(self, line):
        """One line to whoever reads us, at once."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def feed(self, data):
        """Take what the port gave; whole lines are relayed."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.line(line.decode(errors="replace").rstrip("\r"))

    def end(self):
        """The port is closed; what has no line end is still a line."""
        if self.rest:
            self.feed(b"\n")
        if self.raw and self.blank:
            self.say("")

    def line(self, line):
        """One line from the guest."""
        # PID 1 ends the script's last line before it speaks itself, which
        # leaves an empty one if it had an end.
        blank, self.blank = self.blank, not line
        if line == f"vmtoken {self.token}":
            self.came_back = True
        elif line.startswith("vmexit "):
            self.exit_status = line.split()[1]
        elif self.raw:
            if blank:
                self.say("")
            if line:
                self.say(line)
        elif plan := PLAN.match(line):
            if self.plan is not None:
                self.say("# a second plan: " + line)
                self.two_plans = True
            self.plan = int(plan[1])
            if self.plan == 0:
                self.skip_all = plan[2]
        elif point := POINT.match(line):
            self.points += 1
            if point[1] and not EXCUSE.search(point[2]):
                self.failed.append(line)
            self.say(line)
        elif line.startswith("Bail out!"):
            # prove would stop there and not see our own points.
            self.bailed = True
            self.say("# " + line)
        elif line.startswith(("#", "    ")) or not line:
            if line:
                self.say(line)
        else:
            self.say("# " + line)

    def point(self, good, what, *diagnostics):
        """A point of our own, after the guest's."""
        self.points += 1
        if not good:
            self.failed.append(what)
        if self.raw:
            if not good:
                for text in (f"failed: {what}",) + diagnostics:
                    print(text, file=sys.stderr)
            return
        self.say(f"{'ok' if good else 'not ok'} {self.points} - {what}")
        for text in diagnostics:
            self.say("# " + text)


def boot(command, relay, timeout):
    """Run QEMU to its end or to the time-out: (its exit status, what it said)."""
    with tempfile.TemporaryFile() as errors, subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as qemu:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: (qemu.kill(), sys.exit(128 + number)))
        deadline = time.monotonic() + timeout
        fd = qemu.stdout.fileno()
        status = None
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    qemu.kill()
                    qemu.wait()
                    status = "time-out"
                    break
                if selector.select(min(left, 5)):
                    data = os.read(fd, 65536)
                    if not data:
                        break
                    relay.feed(data)
        if status is None:
            try:
                status = qemu.wait(max(5, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                qemu.kill()
                status = "time-out"
        relay.end()
        errors.seek(0)
        return status, errors.read().decode(errors="replace").strip()


def main():
    """Parse, boot, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kernel", "initrd", "out", "log", "title"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--disk", action="append", default=[])
    parser.add_argument("--qemu", action="append", default=[], help="one more argument for QEMU")
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--mem", type=int, default=1024)
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--append", default="")
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("--raw", action="store_true")
    args = parser.parse_args()
    if args.icount:
        args.smp = 1
        accel = "tcg, icount"
    else:
        accel = os.environ.get("MAILWALL_ACCEL") or ("kvm" if kvm_works(args.kernel) else "tcg")

    token = secrets.token_hex(16)
    relay = Relay(args.raw, token)
    open(args.log, "w", encoding="ascii").close()
    start = time.monotonic()
    status, errors = boot(qemu_command(args, accel, token), relay, args.timeout)
    took = time.monotonic() - start

    with open(args.log, encoding="utf-8", errors="replace") as file:
        kernel = [line.rstrip() for line in file]
    complaints = [line for line in kernel if COMPLAINTS.search(line)]
    script_failed = relay.exit_status is not None

    if not args.raw:
        if relay.skip_all is not None:
            relay.say(f"ok {relay.points + 1} # {relay.skip_all}")
            relay.points += 1
            plan_kept = relay.points == 1
        else:
            plan_kept = relay.plan == relay.points != 0
        plan_kept = plan_kept and not relay.two_plans
        relay.point(plan_kept, "the script ran what it planned",
                    *[] if plan_kept else [f"planned {relay.plan}, ran {relay.points}"])
    relay.point(relay.came_back and not relay.bailed, "the token came back after the script succeeded",
                *[f"the script exited with {relay.exit_status}"] if script_failed else [])
    relay.point(not complaints, "the kernel complained of nothing", *complaints[:10])
    if status == "time-out":
        relay.point(False, f"the machine powered off within {args.timeout:g} s")
    else:
        relay.point(status == 0 and any(POWER_OFF in line for line in kernel),
                    "the machine powered off", *[errors] if errors else [])
    summary = f"{args.title}, {accel}, {args.smp} CPU, {took:.1f} s"
    if relay.failed:
        tail = [f"-- the kernel's last words ({args.log}):"] + kernel[-60:]
        for line in tail:
            if args.raw:
                print(line, file=sys.stderr)
            else:
                relay.say("# " + line)
    if not args.raw:
        relay.say(f"# {summary}")
        relay.say(f"1..{relay.points}")
    return 1 if relay.failed else 0


if __name__ == "__main__":
    sys.exit(main())
