#!/usr/bin/python3
"""The command, and a loaded module of release 0.1.0: what it serves, and which of the two it
calls old where it does not."""
import json

from lib import *


def mailwall(*words):
    """A run of the command."""
    return subprocess.run(["mailwall", *words], capture_output=True, text=True, check=False)


def command(*words):
    """A run of the command that must succeed and complain of nothing: what it prints."""
    done = mailwall(*words)
    ok(done.returncode == 0 and not done.stderr, f"mailwall {' '.join(words)}",
       f"{done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def status():
    """The status."""
    return json.loads(command("status", "--json"))


def row(report, text):
    """A row of the status."""
    return [one for one in report["rows"]
            if f"{one['port']} {one['source']} {one['target']}" == text][0]


def refuses(what, *words):
    """A run that is refused, since the module is the old one."""
    done = mailwall(*words)
    ok(done.returncode == 1 and not done.stdout, f"mailwall {' '.join(words)} is refused",
       f"{done.returncode}\n{done.stdout}")
    like(done.stderr, rf"^mailwall: {what}: the loaded module is release 0\.1\.0 with ABI 1, "
         r"this command is release \S+ with ABI 2: load the newer module", "which names the old one")


NOT_SAVED = 'not saved: the next boot has another policy: keep this one with "mailwall save"\n'


def policy():
    """Each part, changed by the command and read from the module."""
    Listener(22)    # or its row gets a warning
    like(command("version"), r"command +\S+ \(ABI 2\)\nmodule +0\.1\.0 \(ABI 1\)\n", "which is which")
    for words, name, want in (
            (("adm", "set", "192.0.2.0/24", "2001:db8:b::/64"), "adm", "192.0.2.0/24\n2001:db8:b::/64\n"),
            (("adm", "add", "198.51.100.2"), "adm", "192.0.2.0/24\n198.51.100.2\n2001:db8:b::/64\n"),
            (("adm", "remove", "192.0.2.0/24"), "adm", "198.51.100.2\n2001:db8:b::/64\n"),
            (("site", "add", "22", "ADM", "GTW", "443:GTW:ANY"), "site", "22 ADM GTW\n443 GTW ANY\n"),
            (("site", "remove", "443:GTW:ANY"), "site", "22 ADM GTW\n"),
            (("log", "nflog:7"), "log", "nflog:7\n"), (("log", "off"), "log", "off\n"),
            (("mode", "audit"), "mode", "audit\n"), (("mode", "off"), "mode", "off\n"),
            (("mode", "enforce"), "mode", "enforce\n")):
        is_((command(*words), mw_read(name)), (NOT_SAVED, want), "as the module says")
    is_(command("adm", "show"), "198.51.100.2\n2001:db8:b::/64\n", "adm show")
    is_(command("site", "show"), "22 ADM GTW\n", "site show")
    is_((command("mode"), command("log"), command("gtw", "show")), ("enforce\n", "off\n", "this\n"),
        "mode, log, gateways")
    done = mailwall("adm", "add", "192.0.2.1/24")
    ok(done.returncode == 1 and "192.0.2.0/24" in done.stderr, "what is wrong is refused", done.stderr)


def counters():
    """What it counts."""
    before = status()
    is_(connect("any", GTW_ANY4, 25), "open", "25 is open to any")
    is_(connect("any", GTW_ANY4, 8080, 2), "time-out", "8080 is closed")
    after = status()
    is_((after["module"], after["mode"], after["adm"], after["gtw"], after["reverts_in_seconds"]),
        ({"release": "0.1.0", "abi": 1}, "enforce", ["198.51.100.2", "2001:db8:b::/64"], ["this"], None),
        "status")
    is_([(one["port"], one["built_in"]) for one in after["rows"]][9:],
        [(995, True), (995, True), (22, False)], "eleven built-in rows and the site row")
    is_(row(after, "25 ANY GTW")["openings"] - row(before, "25 ANY GTW")["openings"], 1, "an opening")
    ok(row(after, "25 ANY GTW")["bytes"] > 100, "and bytes", row(after, "25 ANY GTW"))
    ok(after["denied"]["in"]["closed"] > before["denied"]["in"]["closed"], "and denials", after["denied"])
    like(command("status"), r"(?m)^module +0\.1\.0 \(ABI 1\)$", "status in words")


def waiting():
    """Changes that wait to be confirmed."""
    like(command("mode", "audit", "--confirm=50"), "reverts in 50 seconds", "a change waits")
    ok(40 < status()["reverts_in_seconds"] <= 50, "so status says")
    done = mailwall("adm", "clear", "--confirm=9")
    ok(done.returncode == 1 and "mailwall confirm" in done.stderr, "another one is refused", done.stderr)
    refuses("confirm --extend", "confirm", "--extend=99")
    command("confirm")
    is_((mw_read("mode"), status()["reverts_in_seconds"]), ("audit\n", None), "it is kept")
    command("mode", "enforce", "--confirm=50")
    command("revert")
    is_(mw_read("mode"), "audit\n", "reverted")
    command("mode", "enforce", "--confirm=2")
    wait_until(lambda: mw_read("mode") == "audit\n", 20)
    for words in (("confirm",), ("revert",)):
        done = mailwall(*words)
        ok(done.returncode == 1 and "no change waits" in done.stderr, f"nothing to {words[0]}", done.stderr)
    command("mode", "enforce")


def main():
    topology()
    listener = Listener(25, 8080)
    must(mw_load())
    is_(mw_read("version"), "0.1.0 abi 1\n", "the module is the old one")
    policy()
    counters()
    waiting()
    gtw = "gtw: gateways behind this host"
    refuses(gtw, "gtw", "add", "192.0.2.7")
    refuses(gtw, "gtw", "set", "port:any0", "--confirm=9")
    is_((command("gtw", "set", "this"), command("gtw", "show")), ("", "this\n"), "gtw this alone")
    refuses("explain", "explain", "forward", "192.0.2.2:40000", "192.0.2.1:25")
    refuses("explain", "explain", "in", "192.0.2.2:40000", "192.0.2.1:25")
    listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
