#!/usr/bin/python3
"""Boot one virtual machine, relay what its script says, and judge the run.

The kernel's console is the first serial port and goes to a log file. The
script's output is the second one. A run has passed only if the random token
from the kernel command line comes back there, nothing was skipped, the kernel
complained of nothing, and the machine powered itself off.

The machine is QEMU's, or the kernel itself where that is User Mode Linux.

PID 1 sends a heartbeat between the script's lines. Where it stops the machine
hangs, and is not waited for to the time-out.
"""
import argparse
import contextlib
import glob
import os
import re
import secrets
import selectors
import shutil
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
    |(initramfs|guest):\ """,
    re.VERBOSE,
)
# User Mode Linux has no power to switch off, says Linux up to 6.x, and halts: it ends then.
POWER_OFF = re.compile("reboot: (Power down|System halted)")
POINT = re.compile(r"(not )?ok\b(?:\s+\d+)?(.*)")
PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(SKIP.*))?$", re.I)
EXCUSE = re.compile(r"#\s*(SKIP|TODO)\b\s*(.*)", re.I)
# What may be skipped, on other kernels than Debian 12's, where everything is there.
REASONS = {
    "this kernel has no BIG TCP",
    "this kernel cannot destroy sockets",
    "this kernel has no IPsec",
    "this kernel has no MPTCP",
    "this kernel has no VRF",
    "this kernel has no xt_DNAT",
    "this kernel runs no programs of 32 bits",
}
HEARTBEAT = b"\5"
# The kernel says by then what it waits for (watchdog_thresh and rcu_cpu_stall_timeout below).
PATIENCE = 180
LOCKUP = re.compile(r"lockup|LOCKUP|detected\ stall|self-detected\ stall|blocked\ for\ more")
OURS = re.compile(r"\b\w+\+0x[0-9a-f]+/0x[0-9a-f]+ \[mailwall\]")


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
    # QEMU 7.2 spoils the flags after cmpxchg16b now and then: the kernel then traps, or goes on
    # with a list of free objects that is none. Without it the kernel takes another way.
    cpu, quick = "max", ""
    if accel == "tcg" or args.icount:
        cpu += ",-cx16"
    if accel == "tcg" and not args.icount:
        # "rep movsb" is emulated byte by byte, and each miss of the TLB walks the page table. What
        # a program is translated to serves the next one that has it at the same address: all
        # three together save two fifths of the time.
        cpu, quick = cpu + ",-erms,-la57", "norandmaps "
    # Whether the timer works is tried for a fraction of a second, in which a busy host may run
    # anything but this machine.
    append = (f"console=ttyS0 quiet loglevel=5 panic=-1 panic_on_warn=1 no_timer_check "
              f"rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60 {quick}"
              f"{args.append} vmtoken={token}")
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


def who_hangs(kernel):
    """What the kernel's traces of a lockup tell: is it the module or the emulated machine?
    The latter may wait for ever for its other processor while code is patched."""
    first = next((number for number, line in enumerate(kernel) if LOCKUP.search(line)), None)
    if first is None:
        return "the kernel said nothing of a lockup"
    trace = kernel[first:]
    ours = [line for line in trace if OURS.search(line)]
    if ours:
        return f"the module's functions are in the trace: {OURS.search(ours[0])[0]}"
    if any("text_poke" in line for line in trace):
        return "the emulated machine hangs, not the module: it patches code and waits for another " \
               "processor (text_poke in the trace, no function of the module's)"
    return "neither a function of the module's nor text_poke is in the trace"


def uml_command(args, token, port):
    """The command line of User Mode Linux: its console is standard error, its second serial
    port the descriptor. A warning ends no run there, so that all of them are seen."""
    # A namespace of processes of its own: what the guest ran ends with it. It writes its memory
    # into a file, which wants a file system in memory. SLUB's own red zones lie where KASAN
    # takes whoever looks at them for a mistake.
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child",
               args.kernel, f"mem={args.mem}M", f"ncpus={args.smp}", f"initrd={args.initrd}",
               "noreboot", "seccomp=auto",
               f"uml_dir={args.scratch}", "umid=machine", "con=null",
               "ssl=null", "ssl0=null,fd:2", f"ssl1=null,fd:{port}", "console=ttyS0",
               "quiet", "loglevel=5", "panic=-1", "kasan_multi_shot", "slub_debug=-"]
    disks = [disk.split("=", 1) + ["rc"] for disk in args.disk] + [["out", args.out, ""]]
    for number, (name, path, flags) in enumerate(disks):
        command += [f"ubd{number}{flags}={path}", f"disk.{name}=ubd{chr(ord('a') + number)}"]
    return command + args.append.split() + [f"vmtoken={token}"]


class Relay:
    """The guest's TAP as it passes through: counted, completed, judged."""

    def __init__(self, raw, token, reasons):
        self.raw = raw
        self.token = token
        self.reasons = reasons
        self.excused = []
        self.failure = []
        self.last = "none"
        self.alive = None
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
        # Several processes write there, so it may come within a line.
        if HEARTBEAT in data:
            data = data.replace(HEARTBEAT, b"")
            self.alive = time.monotonic()
        elif self.alive:
            self.alive = time.monotonic()
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
                self.excuse(EXCUSE.match(f"# {plan[2]}"), line)
        elif point := POINT.match(line):
            self.points += 1
            self.last = line
            excuse = EXCUSE.search(point[2])
            self.excuse(excuse, line)
            if point[1] and not excuse:
                self.fail(line)
            self.say(line)
        elif line.startswith("Bail out!"):
            # prove would stop there and not see our own points.
            self.bailed = True
            self.say("# " + line)
        elif line:
            comment = line if line.startswith(("#", "    ")) else "# " + line
            if self.failed and self.failed[-1] == self.last:
                self.failure.append(comment)
            self.say(comment)

    def excuse(self, excuse, line):
        """A point that was skipped or put off: for a reason that there is?"""
        if excuse and (excuse[1].upper() != "SKIP" or excuse[2].strip() not in self.reasons):
            self.excused.append(line)

    def fail(self, line):
        """A failed point; the comments that follow it belong to it."""
        self.failed.append(line)
        self.failure.append(line)

    def point(self, good, what, *diagnostics):
        """A point of our own, after the guest's."""
        self.points += 1
        self.last = what
        if not good:
            self.fail(what)
            self.failure += diagnostics
        if self.raw:
            if not good:
                for text in (f"failed: {what}",) + diagnostics:
                    print(text, file=sys.stderr)
            return
        self.say(f"{'ok' if good else 'not ok'} {self.points} - {what}")
        for text in diagnostics:
            self.say("# " + text)


@contextlib.contextmanager
def start_qemu(args, accel, token, errors):
    """The running QEMU, and the descriptor of its second serial port."""
    with subprocess.Popen(qemu_command(args, accel, token), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=errors) as qemu:
        yield qemu, qemu.stdout.fileno()


@contextlib.contextmanager
def start_uml(args, token):
    """The running User Mode Linux, and the descriptor of its second serial port."""
    port, inside = os.pipe()
    # Where its memory lies is not for TMPDIR to say, which may be on a disk.
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("TMPDIR", "TMP", "TEMP")}
    with open(args.log, "ab") as log, tempfile.TemporaryDirectory() as args.scratch, \
            os.fdopen(port, "rb"):
        # A panic there sends SIGTERM to its group of processes: not to ours.
        with subprocess.Popen(uml_command(args, token, inside), stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, pass_fds=[inside], env=environment,
                              start_new_session=True) as uml:
            os.close(inside)
            yield uml, port


def boot(args, accel, token, relay):
    """Run the machine to its end, to the time-out or to the end of its heartbeat: (its exit
    status, what it said)."""
    with tempfile.TemporaryFile() as errors, \
            start_uml(args, token) if accel == "uml" else \
            start_qemu(args, accel, token, errors) as (machine, fd):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, frame: (machine.kill(), sys.exit(128 + number)))
        deadline = time.monotonic() + args.timeout
        status = None
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    machine.kill()
                    machine.wait()
                    status = "time-out"
                    break
                if relay.alive and time.monotonic() - relay.alive > args.patience:
                    machine.kill()
                    machine.wait()
                    status = "hang"
                    break
                if selector.select(min(left, 1)):
                    data = os.read(fd, 65536)
                    if not data:
                        break
                    relay.feed(data)
        if status is None:
            try:
                status = machine.wait(max(5, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                machine.kill()
                status = "time-out"
        relay.end()
        errors.seek(0)
        return status, errors.read().decode(errors="replace").strip()


def keep(log):
    """A copy of a failed run's log, since the next run of this name has its place; the last 20."""
    stem, extension = os.path.splitext(log)
    kept = time.strftime(f"{stem}-failed-%Y%m%d-%H%M%S-{os.getpid()}{extension}")
    shutil.copy(log, kept)
    for old in sorted(glob.glob(f"{glob.escape(stem)}-failed-*{extension}"))[:-20]:
        os.unlink(old)
    return kept


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
    parser.add_argument("--patience", type=float, default=PATIENCE,
                        help="seconds without a heartbeat")
    parser.add_argument("--may-skip", action="store_true", help="for one of the reasons listed")
    parser.add_argument("--append", default="")
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("--uml", action="store_true", help="the kernel is a User Mode Linux")
    parser.add_argument("--raw", action="store_true")
    args = parser.parse_args()
    if args.uml:
        accel = "uml"
    elif args.icount:
        args.smp = 1
        accel = "tcg, icount"
        args.append += " vmheart=off"
    else:
        accel = os.environ.get("MAILWALL_ACCEL") or ("kvm" if kvm_works(args.kernel) else "tcg")

    token = secrets.token_hex(16)
    relay = Relay(args.raw, token, REASONS if args.may_skip else ())
    open(args.log, "w", encoding="ascii").close()
    start = time.monotonic()
    status, errors = boot(args, accel, token, relay)
    took = time.monotonic() - start

    with open(args.log, encoding="utf-8", errors="replace") as file:
        kernel = [line.rstrip() for line in file]
    complaints = [line for line in kernel if COMPLAINTS.search(line)]
    script_failed = relay.exit_status is not None
    last = relay.last

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
    if not args.raw:
        relay.point(not relay.excused, "nothing was skipped but for a reason listed in machine.py"
                    if args.may_skip else "nothing was skipped", *relay.excused)
    hangs = who_hangs(kernel)
    relay.point(not complaints, "the kernel complained of nothing", *complaints[:10],
                *[hangs] if any(map(LOCKUP.search, complaints)) else [])
    if status == "hang":
        relay.point(False, f"the machine lives: no heartbeat for {args.patience:g} s", hangs,
                    f"the last point was: {last}")
    elif status == "time-out":
        relay.point(False, f"the machine powered off within {args.timeout:g} s",
                    "it lived to the end: its script hangs" if relay.alive else hangs,
                    f"the last point was: {last}")
    else:
        relay.point(status == 0 and any(map(POWER_OFF.search, kernel)),
                    "the machine powered off", *[errors] if errors else [])
    summary = f"{args.title}, {accel}, {args.smp} CPU, {took:.1f} s"
    if relay.failed:
        kept = keep(args.log)
        tail = ["-- what failed:"] + [line.removeprefix("# ") for line in relay.failure[:60]]
        tail += [f"-- the kernel's last words ({kept}):"] + kernel[-60:]
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
