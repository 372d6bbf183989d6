#!/usr/bin/python3
"""Everything at once, for so many seconds: mail in, fetched and relayed, on this host and on a
gateway behind it; scans and floods; ADM to and fro, with and without confirmation; network
namespaces that are born and die; a processor that goes and comes; memory pressure; a clock that
leaps. No mail is lost, no verdict is wrong, each segment is counted once, memory stays.

soak.py SECONDS"""
import collections
import multiprocessing
import poplib
import random
import smtplib
import ssl
import traceback

import uapi
from hosts import *

BEHIND = {4: "10.9.0.2", 6: "2001:db8:9::2"}
HERE = {4: GTW_ANY4, 6: GTW_ANY6}
OPEN = {25, 110, 465, 587, 995}
LINES = ("x" * 70 + "\n") * 300
USER, PASSWORD, DOMAIN = "alice", "opensesame", "gateway.test"
# What the host's own memory may grow by, in KiB: a policy takes 17, and there are hundreds.
GROWTH = 3 << 10
# Held by whoever logs in and while the clock leaps: Dovecot waits five seconds by that clock for
# its own processes, and ends the login then.
LOGIN = multiprocessing.Lock()
# Segments as the hooks before mailwall's see them.
LEDGER = """table inet ledger {
    counter here { }
    counter behind { }
    chain in { type filter hook input priority 0; iif != lo meta l4proto tcp counter name here; }
    chain out { type filter hook output priority 0; oif != lo meta l4proto tcp counter name here; }
    chain forward { type filter hook forward priority 0; meta l4proto tcp counter name behind; }
}"""
# The second set of mail servers has all that it writes to itself.
SECOND = """
mount --make-rprivate /
for dir in /etc/postfix /var/spool/postfix /var/lib/postfix /var/log /home /run/dovecot; do
    mkdir -p "$dir" "/behind$dir" && cp -a "$dir/." "/behind$dir" && mount --bind "/behind$dir" "$dir" || exit
done
rm -rf /home/alice/Maildir /run/dovecot/* /var/spool/postfix/pid/* /var/log/dovecot.log
start_mail gw
"""


# ---- what goes on: each yields when it has done it once more ----
def mail(where, hosts, fam):
    """Mail to each port, fetched from each, relayed by 587; tells the subject."""
    trust = ssl._create_unverified_context()    # pylint: disable=protected-access
    host, number = hosts[fam], 0
    with netns("any"):
        while True:
            for port in (25, 465, 587, 587):
                number += 1
                relayed = number % 4 == 0
                subject = f"{where} {fam} {number}"
                kind = smtplib.SMTP_SSL if port == 465 else smtplib.SMTP
                more = {"context": trust} if port == 465 else {}
                with kind(host, port, local_hostname="any.test", timeout=120, **more) as smtp:
                    if port == 587:
                        smtp.starttls(context=trust)
                    if port != 25:
                        with LOGIN:
                            smtp.login(USER, PASSWORD)
                    smtp.sendmail("bob@any.test", "bob@any.test" if relayed else f"{USER}@{DOMAIN}",
                                  f"Subject: {subject}\n\n{LINES}")
                yield ("sink" if relayed else where), subject
            for port in (110, 995):
                with LOGIN:
                    pop = poplib.POP3(host, port, 120) if port == 110 else \
                        poplib.POP3_SSL(host, port, timeout=120, context=trust)
                    pop.user(USER)
                    pop.pass_(PASSWORD)
                count = pop.stat()[0]
                if count:
                    pop.retr(count)
                pop.quit()


def scan(hosts):
    """Nothing but the table's ports is open; from a reply's port either."""
    while True:
        for fam, host in hosts.items():
            done = must(run("nsenter", "--net=/run/netns/any", "nmap", "-n", "-Pn", "--send-ip", "-sS",
                            *["-6"] * (fam == 6), "-g", "25", "--max-retries", "1", "--open",
                            "--min-rate", "200", "-p", "20-1000,8450", host))
            found = set(map(int, re.findall(r"^(\d+)/tcp +open", done.stdout, re.M)))
            if found - OPEN:
                raise AssertionError(f"{host} has {found - OPEN} open")
            yield len(found)


def flood(targets):
    """Openings and replies from nobody, by no row."""
    from wire import ACK, SYN, Port, segment    # pylint: disable=import-outside-toplevel
    rng, port = random.Random(1), Port("any")
    while True:
        for _ in range(50):
            number = rng.getrandbits(16)
            for fam, target in targets:
                source = f"198.18.{number >> 8}.{number & 255}" if fam == 4 else f"2001:db8:f::{number:x}"
                for sport, dport, flags in ((number | 1024, 8080, SYN), (25, number | 1024, ACK)):
                    port.send(segment(source, target, sport, dport, flags, 1))
        yield 200 * len(targets) // 2
        time.sleep(0.2)


def console(host):
    """Who is in ADM reaches 8450, who is not does not, as soon as the change is made."""
    while True:
        for change, state in (("set", "open"), ("clear", "time-out")):
            must(run("mailwall", "adm", change, *["198.51.100.0/24", "2001:db8:b::/64"] * (change == "set")))
            if connect("adm", host, 8450, 3) != state:
                raise AssertionError(f"after adm {change} 8450 is not {state}")
            yield change
        # in a second a busy machine may not come to connect
        must(run("mailwall", "adm", "set", "198.51.100.0/24", "--confirm=10"))
        if connect("adm", host, 8450, 10) != "open":
            raise AssertionError("a change that waits is not in force")
        wait_until(lambda: mw_read("adm").strip() == "", 30)
        if connect("adm", host, 8450, 3) != "time-out":
            raise AssertionError("a change that nobody confirmed is in force")
        yield "reverted"


def born(ns):
    """A network namespace with a policy of its own, perhaps with a change that waits."""
    while True:
        for waits in (False, True):
            must(run("ip", "netns", "add", ns))
            if mw_write("adm", "192.0.2.0/24 2001:db8::/32", ns) or mw_write("gtw", "this 10.0.0.1", ns) or \
                    mw_write("mode", "enforce", ns):
                raise AssertionError("a policy is refused there")
            if waits:
                must(run("nsenter", f"--net=/run/netns/{ns}", "mailwall", "mode", "off", "--confirm=3600"))
            must(run("ip", "netns", "del", ns))
            yield waits


def processor():
    """The second one goes and comes."""
    while True:
        for online in (0, 1):
            with open("/sys/devices/system/cpu/cpu1/online", "w", encoding="ascii") as file:
                file.write(str(online))
            yield online
            time.sleep(3)


def pressure():
    """A control group that has less memory than it wants."""
    group = "/run/cgroup/pressed"
    os.makedirs("/run/cgroup", exist_ok=True)
    if not os.path.ismount("/run/cgroup"):
        must(run("mount", "-t", "cgroup2", "none", "/run/cgroup"))
    must(sh("echo +memory >/run/cgroup/cgroup.subtree_control"))
    os.makedirs(group, exist_ok=True)
    for name, text in (("memory.high", "24M"), ("cgroup.procs", str(os.getpid()))):
        with open(f"{group}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    while True:
        size = 0
        for folder, _, names in os.walk("/usr/lib"):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as file:
                        size += len(file.read(1 << 20))
            yield size
            time.sleep(0.2)


def clock():
    """It leaps ahead, by less than the 30 s that make Dovecot kill its own; back, and it closes
    connections. (Changes that wait are on another clock: deadline.py.)"""
    while True:
        with LOGIN:
            time.clock_settime(time.CLOCK_REALTIME, time.time() + 20)
        yield 20
        time.sleep(10)


def reads():
    """What is told is true: counters do not go back."""
    last = uapi.counts()
    while True:
        now = uapi.counts()
        back = {key for key in last if now.get(key, 0) < last[key]}
        if back:
            raise AssertionError(f"{back} went back")
        last = now
        for words in (["status", "--json"], ["gtw", "show"],
                      ["explain", "in", "192.0.2.2:40000", "192.0.2.1:8080"]):
            must(run("mailwall", *words))
        yield 1


# ---- rounds ----
def goes_on(name, stop, said, function, args):
    """In a process: once more and once more."""
    done, why = [], None
    try:
        for what in function(*args):
            done.append(what)
            if stop.is_set():
                break
    except Exception:       # pylint: disable=broad-except
        why = traceback.format_exc()
    said.put((name, done, why))


def at_once(works, seconds):
    """{name: what each did}; a point for each."""
    stop, said = multiprocessing.Event(), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=goes_on, args=(name, stop, said, function, args))
                 for name, (function, *args) in works.items()]
    for process in processes:
        process.start()
    end = time.monotonic() + seconds
    answers = {}
    while len(answers) < len(processes):
        if time.monotonic() > end:
            stop.set()
        with contextlib.suppress(multiprocessing.queues.Empty):
            name, done, why = said.get(timeout=1)
            answers[name] = done
            ok(not why and done, f"{name}: {len(done)} times", why)
    for process in processes:
        process.join()
    return answers


def arrived(base):
    """Subjects that lie there."""
    text = run("grep", "-rhi", "^Subject: ", base).stdout
    return {line.split(": ", 1)[1] for line in text.splitlines()}


def no_mail_lost(sent):
    """All that was taken arrives."""
    for where, base in (("here", "/home/alice/Maildir"), ("behind", "/behind/home/alice/Maildir"),
                        ("sink", "/tmp/sink-any-25")):
        due = {subject for place, subject in sent if place == where}
        wait_until(lambda due=due, base=base: due <= arrived(base), 180)
        is_(due - arrived(base), set(), f"{where}: {len(due)} mails, none is lost")


def ledger():
    """(here, behind) as nft counted."""
    found = nft_counters()
    return found["here"], found["behind"]


def told():
    """The same as mailwall counted: allowed, denied."""
    here = behind = 0
    for key, number in uapi.counts().items():
        if "segments" in key or "deny" in key:
            if key[0] == "behind":
                behind += number
            else:
                here += number
    return here, behind


def exact():
    """Both at a moment at which nothing came."""
    for _ in range(100):
        before, mine, after = ledger(), told(), ledger()
        if before == after:
            break
        time.sleep(0.5)
    is_(mine, before, f"{sum(before)} segments were judged, and each was counted once")


def memory():
    """KiB that the kernel has taken and cannot give back on demand."""
    must(sh("sync; echo 3 >/proc/sys/vm/drop_caches; sleep 3; echo 3 >/proc/sys/vm/drop_caches"))
    with open("/proc/meminfo", encoding="ascii") as file:
        found = dict(re.findall(r"^(\w+): +(\d+)", file.read(), re.M))
    now = {name: int(found[name]) for name in ("SUnreclaim", "Percpu", "VmallocUsed")}
    # mail that has arrived lies in memory there, a file each
    now["SUnreclaim"] -= slabs()["shmem_inode_cache"]
    return now


def slabs():
    """KiB of each kind of object."""
    with open("/proc/slabinfo", encoding="ascii") as file:
        words = [line.split() for line in file.readlines()[2:]]
    return {word[0]: int(word[2]) * int(word[3]) >> 10 for word in words}


def setting():
    """Two sets of mail servers, a console each, the module; whose counters begin with nft's."""
    topology()
    must(run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"))
    cable("gw", "lan0")
    address("gtw", "lan0", "10.9.0.1/24", "2001:db8:9::1/64")
    address("gw", "eth0", "10.9.0.2/24", "2001:db8:9::2/64")
    for fam, prefix in (("10.9.0.1", "10.9.0.0/24"), ("2001:db8:9::1", "2001:db8:9::/64")):
        route("gw", "default", "via", fam)
        for ns, hop in (("any", HERE), ("adm", {4: GTW_ADM4, 6: GTW_ADM6})):
            route(ns, prefix, "via", hop[6 if ":" in fam else 4])
    # nobody has these addresses: what is answered is answered to the cable
    route("gtw", "198.18.0.0/16", "via", ANY4)
    route("gtw", "2001:db8:f::/48", "via", ANY6)
    # The first packet socket that wants time stamps patches the kernel's text, as the first hook of
    # a kind does: these stay (hooks_stay() in lib.py).
    stays = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    stays.setsockopt(socket.SOL_SOCKET, 29, 1)      # SO_TIMESTAMP
    must(run("nft", LEDGER))
    ok(sh("start_mail && start_sink any 25; done=$?; server_pids=(); exit $done").returncode == 0,
       "mail servers on this host, and on ANY")
    must(run("unshare", "-m", "bash", "-c", ". /mailwall/tests/vm/guest/lib.sh; "
             ". /mailwall/tests/vm/guest/mail.sh; " + SECOND))
    ok(connect("any", BEHIND[4], 25) == "open", "mail servers on the gateway behind")
    os.symlink("/behind/var/log/dovecot.log", "/tmp/dovecot-behind.log")    # a red run's, too
    must(run("nft", "reset", "counters"))
    must(mw_load("gtw=this,10.9.0.2,2001:db8:9::2"))
    return [stays, Listener(8450), Listener(8450, ns="gw")]


def main():
    seconds = int(sys.argv[1])
    keep = setting()
    hosts = {"here": HERE, "behind": BEHIND}
    works = {f"mail {where}, IPv{fam}": (mail, where, hosts[where], fam) for where in hosts for fam in (4, 6)}
    works.update({
        "scans": (scan, {4: HERE[4], 6: BEHIND[6]}),
        "floods": (flood, [(fam, hosts[where][fam]) for where in hosts for fam in (4, 6)]),
        "ADM": (console, GTW_ADM4), "reads": (reads,), "namespaces": (born, "child"), "clock": (clock,),
        "processor": (processor,), "memory": (pressure,)})
    sent, times = set(), collections.Counter()
    was = of = None
    # the first round warms up
    for part_of in (5, 1.25):
        begun = time.monotonic()
        done = at_once(works, seconds / part_of)
        sent |= {what for name in done if name.startswith("mail") for what in done[name]}
        times.update({name: len(what) for name, what in done.items()})
        said = run("grep", "-hE", ": (Error|Fatal|Panic): ", "/var/log/dovecot.log", "/tmp/dovecot-behind.log")
        diag("Dovecot's errors: " + (said.stdout or "none"))
        no_mail_lost(sent)
        exact()
        now, kinds = memory(), slabs()
        diag(f"{time.monotonic() - begun:.0f} s, KiB: {now}")
        if was:
            grown = {name: now[name] - was[name] for name in now}
            ok(max(grown.values()) < GROWTH, f"memory stays: {grown} KiB", str(now))
            more = {kind: size - of.get(kind, 0) for kind, size in kinds.items()}
            diag(f"of which grew most: {dict(sorted(more.items(), key=lambda item: -item[1])[:8])}")
        was, of = now, kinds
    times["segments"] = sum(ledger())
    diag(", ".join(f"{number} {name}" for name, number in times.items()))
    is_(mw_unload().returncode, 0, "the module unloads")
    del keep
    done_testing()


if __name__ == "__main__":
    main()
