"""Who administers the gateway over SSH, at a terminal: sshd, and sessions from other hosts."""
import pexpect

from lib import *

KEY = "/run/sshd/administrator"
PROMPT = "ready[$] "


def start_sshd():
    """On port 22 of the gateway, for root with a key."""
    os.makedirs("/run/sshd", 0o700)
    for key in (KEY, "/run/sshd/key"):
        must(run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key))
    must(run("/usr/sbin/sshd", "-f", "/dev/null", "-o", "HostKey=/run/sshd/key", "-o", "UsePAM=no",
             "-o", f"AuthorizedKeysFile={KEY}.pub", "-o", "StrictModes=no", "-o", "PermitRootLogin=yes"))


class Terminal(pexpect.spawn):
    """An SSH session from a host, at a prompt."""

    def __init__(self, ns, address, seconds=20):
        super().__init__("ip", ["netns", "exec", ns, "ssh", "-tt", "-q", "-o", "StrictHostKeyChecking=no",
                                "-o", "UserKnownHostsFile=/dev/null", "-o", f"ConnectTimeout={seconds}",
                                "-i", KEY, f"root@{address}",
                                f"exec env PATH={os.environ['PATH']} TERM=dumb PS1='ready$ ' bash --norc"],
                         timeout=30, encoding="utf-8", dimensions=(24, 120))
        self.expect(PROMPT)

    def type(self, line):
        """What a command prints, and its exit code."""
        self.sendline(line)
        self.expect(PROMPT)
        text = self.before.replace("\r", "")
        self.sendline("echo code=$?")
        self.expect(r"code=(\d+)\s+" + PROMPT)
        return text, int(self.match[1])

    def silent(self, seconds):
        """Whether nothing comes for so long, though something is typed."""
        self.sendline("echo st'ill' there")
        silent = self.expect(["still there", pexpect.TIMEOUT], timeout=seconds) == 1
        if not silent:
            self.expect(PROMPT)
        return silent


def opens(ns, address, seconds=20):
    """Whether one more session is let in within that time."""
    try:
        Terminal(ns, address, seconds).close()
    except pexpect.EOF:
        return False
    return True
