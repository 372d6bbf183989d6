#!/usr/bin/python3
"""An administrator at work over SSH, with a real sshd and a terminal: a change that would cut him
is refused; made all the same with a way back it cuts him, and heals; "try" asks, and takes what
he answers, or nothing.
"""
import pexpect

from terminal import *

HOME = {"adm": (GTW_ADM4, GTW_ADM6), "any": (GTW_ANY4, GTW_ANY6)}
ELSEWHERE = "203.0.113.0/24"


def refused():
    """What would cut the session in use is refused, with advice that works."""
    must(mw_load("mode=audit"))
    for address, peer in zip(HOME["any"], (ANY4, ANY6)):
        with Terminal("any", address) as admin:
            text, code = admin.type("mailwall mode enforce")
            ok(code == 1 and f"would cut the SSH session in use, from {peer} to port 22" in text,
               f"{peer}: enforce would cut the session, and is refused", text)
            advice = re.findall(r"to keep it: (mailwall .*)", text)
            is_([admin.type(line)[1] for line in advice], [0] * len(advice), "what keeps it is done")
            ok(len(advice) == 2 and admin.type("mailwall mode enforce")[1] == 0, "then enforce is taken", advice)
            ok(not admin.silent(10), "and the session goes on")
            is_(opens("any", address), True, "as does a second one")
            text, code = admin.type(f"mailwall adm set {ELSEWHERE}")
            ok(code == 1 and "would cut the SSH session" in text, "ADM without him is refused", text)
            is_(admin.type("mailwall mode audit")[1], 0, "audit cuts nobody")
            must(run("mailwall", "adm", "clear"))
            must(run("mailwall", "site", "clear"))
    must(mw_unload())


def multiplexer():
    """In tmux it is the session that somebody looks from which must not be cut, not the one that it began in."""
    must(mw_load("mode=audit", "adm=198.51.100.0/24", "site=22:ADM:GTW"))
    with Terminal("adm", GTW_ADM4) as first, Terminal("any", GTW_ANY4) as second:
        is_(first.type("mailwall mode enforce")[1], 0, "whom another session belongs to is not asked without tmux")
        must(run("mailwall", "mode", "audit"))
        is_(first.type("tmux -f /dev/null new-session -d bash")[1], 0, "tmux is started from one session")
        second.sendline("TERM=vt100 tmux attach")
        ok(wait_until(lambda: run("tmux", "list-clients").stdout), "looked at from another")
        second.sendline("{ mailwall mode enforce; echo code=$?; } >/run/said 2>&1; mv /run/said /run/answer")
        wait_until(lambda: os.path.exists("/run/answer"))
        with open("/run/answer", encoding="utf-8") as answer:
            text = answer.read()
        ok(f"would cut an SSH session of this login, from {ANY4} to port 22" in text and "code=1" in text,
           "which enforce would cut, and is refused", text)
        is_(mw_read("mode"), "audit\n", "nothing was changed")
        must(run("tmux", "kill-server"))
    must(mw_unload())


def heals():
    """Cut by a change with a way back, the session is there again once that is taken."""
    must(mw_load("adm=198.51.100.0/24,2001:db8:b::/64", "site=22:ADM:GTW"))
    for address, peer in zip(HOME["adm"], (ADM4, ADM6)):
        with Terminal("adm", address) as admin:
            before = mw_read("adm")
            admin.sendline(f"mailwall adm set {ELSEWHERE} --confirm=15")
            wait_until(lambda: mw_read("adm") != before)
            ok(admin.silent(4), f"{peer}: the session is cut")
            is_(opens("adm", address, 2), False, "and no other one is let in")
            ok(wait_until(lambda: mw_read("adm") == before, 30), "nobody confirms")
            is_(admin.expect(["still there", pexpect.TIMEOUT, pexpect.EOF], timeout=30), 0, "the session goes on")
            admin.expect(PROMPT)
            is_(admin.type("mailwall confirm")[1], 1, "too late to confirm")
            is_(opens("adm", address), True, "others are let in again")
    must(mw_unload())


def tries():
    """"try" at a terminal: Enter, Ctrl-C, no answer, and an answer that does not come through."""
    must(mw_load("adm=198.51.100.0/24", "site=22:ADM:GTW"))
    with Terminal("adm", GTW_ADM4) as admin:
        before = mw_read("adm")

        def begin(change, seconds):
            admin.sendline(f"mailwall try {change} --confirm={seconds}")
            wait_until(lambda: mw_read("adm") != before)

        begin("adm add 192.0.2.0/24", 60)
        admin.expect(r"reverts in \d+ seconds  ")
        is_(opens("any", GTW_ANY4), True, "Enter: the second session comes up meanwhile")
        admin.sendline("")
        admin.expect("confirmed: the change stays")
        admin.expect(PROMPT)
        is_((mw_read("adm") != before, run("mailwall", "confirm").returncode), (True, 1), "the change stays")
        must(run("mailwall", "adm", "remove", "192.0.2.0/24"))

        begin("adm add 192.0.2.0/24", 60)
        admin.expect(r"reverts in \d+ seconds  ")
        admin.sendintr()
        admin.expect("reverted: all is as it was")
        admin.expect(PROMPT)
        is_(mw_read("adm"), before, "Ctrl-C: it is undone")

        begin("adm add 192.0.2.0/24", 3)
        admin.expect("reverted: its time ran out")
        admin.expect(PROMPT)
        is_(mw_read("adm"), before, "no answer: it is undone in time")

        begin(f"adm set {ELSEWHERE}", 5)
        admin.sendline("")                      # never gets there in time
        ok(wait_until(lambda: mw_read("adm") == before, 20), "cut off: Enter does not come through, and it is undone")
        is_(admin.expect(["reverted: its time ran out", "the change stays", pexpect.TIMEOUT], timeout=30), 0,
            "which the session says as it heals")
        admin.expect(PROMPT)
    must(mw_unload())


topology()
start_sshd()
parts((refused, multiplexer, heals, tries), mend=mw_unload)
done_testing()
