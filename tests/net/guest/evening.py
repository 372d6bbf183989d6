#!/usr/bin/python3
"""The first evening with mailwall, docs/first-evening.md: what it quotes is what an administrator
reads who types it over SSH, and what it says of others is so.
"""
import difflib

from terminal import *

PAGE = "/docs/first-evening.md"
COLLEAGUE = "203.0.113.5"


def host():
    """What the packages leave, MailStore Gateway, and a resolver elsewhere; a colleague at home."""
    mw_install()
    for name, text in (("/etc/systemd/system/multi-user.target.wants/mailwall.service", ""),
                       ("/etc/resolv.conf", "nameserver 192.0.2.53\n"),
                       ("/etc/apt/sources.list", "deb http://deb.example.org/debian bookworm main\n")):
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "w", encoding="ascii") as file:
            file.write(text)
    # the process is called by the name that it is started by
    os.symlink(sys.executable, "/run/mailstore-gtw")
    subprocess.Popen(["/run/mailstore-gtw", f"{GUEST}/lib.py", "listen", "25", "8450"])
    must(sh(f"ip route add {COLLEAGUE} via {ANY4} && ip -n any addr add {COLLEAGUE} dev lo && "
            f"ip -n any route add default via {GTW_ANY4}"))
    start_sshd()


class Evening:
    """The page as it grows."""

    def __init__(self, admin):
        self.admin = admin
        self.text = "# A first evening with mailwall\n"

    def words(self, text):
        """What the page says besides."""
        self.text += f"\n{text}\n"

    def typed(self, command, want=0, answer=None):
        """A command and what it prints. `answer`: is called at its question, which then gets a yes."""
        self.admin.sendline(command)
        self.admin.expect_exact(command + "\r\n")
        printed = ""
        if answer:
            self.admin.expect("type yes: ")
            printed = self.admin.before + self.admin.after
            answer()
            self.admin.sendline("yes")
        self.admin.expect(PROMPT)
        printed = (printed + self.admin.before).replace("\r", "")
        code = self.admin.type("(exit $?)")[1]
        is_(code, want, command)
        self.text += f"\n    # {command}\n" + "".join(f"    {line}".rstrip() + "\n" for line in printed.splitlines())


def console(source=COLLEAGUE):
    """How the colleague's browser fares."""
    try:
        open_connection("any", GTW_ADM4, 8450, 2, source=source).close()
    except TimeoutError:
        return "time-out"
    return "open"


def evening(page):
    """What happens, in order."""
    page.words(f"MailStore Gateway runs on this host, and you came by SSH from {ADM4}. The packages are installed, nothing is loaded.\n"
               "This page is written by `tests/net/evening.t`, which types it all, with a real module and a real sshd.")
    page.words("## What does this host need?\n\n"
               "The built-in table has the ports of the gateway. What else does the host do?")
    page.typed("mailwall suggest")
    page.words("## Too little\n\n"
               "You forget SSH. `enable` loads the module in audit, shows what would be cut, and stops there:")
    page.typed("mailwall enable --adm=198.51.100.0/24", 1)
    page.words("## Enough")
    page.typed("mailwall enable --adm=198.51.100.0/24 --site=22:ADM:GTW,53:GTW:ANY,80:GTW:ANY",
               answer=lambda: is_(opens("adm", GTW_ADM4), True, "the second session comes up"))
    page.words("Is all well, and does the next boot know?")
    page.typed("mailwall status --check")
    page.words(f"## A colleague\n\nShe administers from {COLLEAGUE}, and the console does not open. Why?")
    is_(console(), "time-out", "the console does not open")
    page.typed(f"mailwall explain in {COLLEAGUE}:40000 {GTW_ADM4}:8450")
    page.words("A change with a way back, since a typing error could shut you out:")
    page.typed(f"mailwall adm add {COLLEAGUE} --confirm=60")
    page.words("She is in. Keep it, and let the next boot have it too:")
    is_(console(), "open", "she is in")
    page.typed("mailwall confirm")
    page.typed("mailwall diff", 1)
    page.typed("mailwall save")
    page.words("## A mistake\n\nA change that would cut the session that you type in is refused:")
    page.typed("mailwall adm remove 198.51.100.0/24", 1)
    page.words("Good night. Who changed what is in the kernel's log (`journalctl -k -g mailwall`), each change with its user and login.")


def main():
    topology()
    host()
    with Terminal("adm", GTW_ADM4) as admin:
        page = Evening(admin)
        evening(page)
    with open(PAGE, encoding="utf-8") as file:
        there, now = file.read().splitlines(), page.text.splitlines()
    if not ok(there == now, "docs/first-evening.md says the same", "\n".join(difflib.unified_diff(there, now, n=1))):
        for line in now:
            diag(f"page: {line}")
    must(mw_unload())
    done_testing()


main()
