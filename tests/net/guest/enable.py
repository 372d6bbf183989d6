#!/usr/bin/python3
"""The first start with a real module: audit, what would be cut, enforce, confirmed, saved; the
next boot by modprobe; and its undoing."""
from kernel import *

OWN = "/etc/modprobe.d/mailwall.conf"
LISTED = "/etc/modules-load.d/mailwall.conf"


def enable(typed, *words):
    """The command, at whose question that is typed."""
    return subprocess.run(["mailwall", "enable", *words], input=typed, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def policy():
    """What is in force, as sysfs tells it."""
    return {name: mw_read(name) for name in ("mode", "adm", "site", "gtw", "log")}


def main():
    topology()
    mw_install()
    Listener(2222)
    sessions = [open_connection(ns, address, 2222) for ns, address in
                (("any", "192.0.2.1"), ("adm", "198.51.100.1"))]
    wanted = ("--adm=198.51.100.0/24", "--site=2222:ADM:GTW")

    done = enable("", *wanted)
    ok(done.returncode == 1 and "loaded in audit" in done.stdout and "not confirmed" in done.stdout,
       "nobody confirms", done.stdout)
    ok(re.search(r"^  192\.0\.2\.2 to 2222 here, enable\.py; to keep it: --adm 192\.0\.2\.2$", done.stdout, re.M) and
       not re.search(r"^  198\.51\.100\.2 ", done.stdout, re.M), "it names the connection that would be cut, and no other",
       done.stdout)
    is_((mw_read("mode"), os.path.exists(OWN), os.path.exists(LISTED)), ("audit\n", False, False),
        "it is in audit, and nothing is saved")
    is_([connect(ns, address, 2222) for ns, address in (("any", "192.0.2.1"), ("adm", "198.51.100.1"))],
        ["open", "open"], "and nothing is denied")

    done = enable("yes\n", *wanted)
    ok(not done.returncode and not run("mailwall", "diff").returncode and not os.path.exists(LISTED),
       "confirmed, it is saved, and not listed", done.stdout)
    is_([connect(ns, address, 2222, 2) for ns, address in (("any", "192.0.2.1"), ("adm", "198.51.100.1"))],
        ["time-out", "open"], "and enforces")
    for session in sessions:
        session.settimeout(2)
        session.sendall(b"still there?\n")
    greeting = len("port 2222\n")
    is_(sessions[1].recv(100)[:greeting], b"port 2222\n", "the session of ADM goes on")

    before = policy()
    must(mw_unload())
    ok(not run("modprobe", "mailwall").returncode and policy() == before,
       "the next boot's modprobe loads that very policy", f"{before}\n{policy()}")
    done = run("mailwall", "disable")
    ok(not done.returncode and not os.path.exists(MW_SYS) and not os.path.exists(OWN) and not os.path.exists(LISTED),
       "disable undoes it all", done.stdout)
    is_(connect("any", "192.0.2.1", 2222), "open", "and all ports are as they were")
    done_testing()


main()
