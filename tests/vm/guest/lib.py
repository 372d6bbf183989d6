#!/usr/bin/python3
"""What Python scripts inside the guest share; also small servers and clients.

    from lib import *        (PYTHONPATH is set in the guest)
    topology()
    mw_load("adm=198.51.100.0/24")
    ok(connect("any", GTW_ANY4, 25) == "open", "25 is open to any")
    done_testing()
"""
import contextlib
import ctypes
import errno
import os
import re
import selectors
import socket
import subprocess
import sys
import threading
import time

from tap import *

GUEST = os.path.dirname(os.path.abspath(__file__))
MW_SYS = "/sys/class/misc/mailwall"
MW_KO = os.environ.get("MW_KO", "/mailwall/mailwall.ko")
GTW_ANY4, ANY4 = "192.0.2.1", "192.0.2.2"
GTW_ANY6, ANY6 = "2001:db8:a::1", "2001:db8:a::2"
GTW_ADM4, ADM4 = "198.51.100.1", "198.51.100.2"
GTW_ADM6, ADM6 = "2001:db8:b::1", "2001:db8:b::2"
CLONE_NEWNET = 0x40000000

# Whoever skips says so to machine.py, which has the reasons that count.
def skip(name, reason):
    """One point that cannot be tried here."""
    ok(True, f"{name} # SKIP {reason}")


def skip_all(reason):
    """The whole script cannot be tried here."""
    print(f"1..0 # SKIP {reason}", flush=True)
    sys.exit(0)


class CommandFailed(Exception):
    """A command that a test cannot do without."""


def wait_until(condition, seconds=30):
    """Poll until condition() is true; its last value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() >= end:
            return value
        time.sleep(0.05)


# ---- commands, the module, three hosts ----
def run(*command, **options):
    """Run a command, its output captured as text."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)


def sh(script):
    """Run shell code that may call the functions of lib.sh and mail.sh."""
    return run("bash", "-c", f". {GUEST}/lib.sh; . {GUEST}/mail.sh; {script}")


def must(done):
    """The command's result; CommandFailed if it failed."""
    if done.returncode:
        raise CommandFailed(f"exit {done.returncode}: {done.args}\n{done.stdout}")
    return done


def mw_load(*parameters):
    """Load the module."""
    return run("insmod", MW_KO, *parameters)


def hooks_stay():
    """Where there are two processors: the first hook of its kind patches the kernel's text, and QEMU's
    multi-threaded emulation may go on executing the breakpoint that stands there meanwhile, for
    ever. Hooks that stay spare it that; arrays of hooks change all the same."""
    must(run("nft", """table inet keep {
        chain in { type filter hook input priority 10; }
        chain out { type filter hook output priority 10; }
        }"""))


def mw_unload():
    """Unload the module."""
    return run("rmmod", "mailwall")


def mw_install():
    """Have the module where modprobe finds it, as DKMS leaves it."""
    release = f"/lib/modules/{os.uname().release}"
    must(sh("mkdir -p /run/modules/upper /run/modules/work && mount -t overlay overlay "
            f"-o lowerdir={release},upperdir=/run/modules/upper,workdir=/run/modules/work {release} && "
            f"mkdir -p {release}/updates/dkms && cp {MW_KO} {release}/updates/dkms/mailwall.ko && depmod -a && "
            "mkdir -p /etc/modprobe.d"))


def mw_read(name, ns="gtw"):
    """A sysfs attribute, as a process in that namespace reads it."""
    with netns(ns), open(f"{MW_SYS}/{name}", encoding="ascii") as file:
        return file.read()


def mw_write(name, text, ns="gtw"):
    """Write a sysfs attribute in one system call: 0 or the errno."""
    with netns(ns):
        fd = os.open(f"{MW_SYS}/{name}", os.O_WRONLY)
        try:
            os.write(fd, text if isinstance(text, bytes) else text.encode())
        except OSError as error:
            return error.errno
        finally:
            os.close(fd)
    return 0


def set_sysctl(name, value, ns="gtw"):
    """Set a kernel parameter; what it was."""
    with netns(ns), open("/proc/sys/" + name.replace(".", "/"), "r+", encoding="ascii") as file:
        old = file.read().strip()
        file.seek(0)
        file.write(str(value))
    return old


@contextlib.contextmanager
def sysctl(name, value, ns="gtw"):
    """A kernel parameter for a while."""
    old = set_sysctl(name, value, ns)
    try:
        yield
    finally:
        set_sysctl(name, old, ns)


def keep_fragments(ns="gtw"):
    """Fragments that never make a whole must not use the room of those that do."""
    for fam in ("ipv4.ipfrag", "ipv6.ip6frag"):
        set_sysctl(f"net.{fam}_high_thresh", 64 << 20, ns)


def nft_counters():
    """{name: packets} of each counter that an nft table has by name."""
    text = must(run("nft", "list", "counters")).stdout
    return {name: int(count) for name, count in
            re.findall(r"counter (\w+) \{\s*packets (\d+)", text)}


def topology():
    """Make the three hosts (see lib.sh)."""
    must(sh("topology"))


_libc = ctypes.CDLL(None, use_errno=True)


def _setns(path):
    with open(path, "rb") as file:
        if _libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + path)


@contextlib.contextmanager
def netns(name):
    """The calling thread is in that host's namespace; a socket that it makes
    there stays there. "gtw" is the gateway."""
    if name == "gtw":
        yield
        return
    here = f"/proc/self/task/{threading.get_native_id()}/ns/net"
    with open(here, "rb") as back:
        _setns(f"/run/netns/{name}")
        try:
            yield
        finally:
            if _libc.setns(back.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns back")


def family(address):
    """AF_INET or AF_INET6."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp_socket(ns, fam):
    """A TCP socket of that host."""
    with netns(ns):
        return socket.socket(fam, socket.SOCK_STREAM)


def open_connection(ns, address, port, timeout=5, source_port=0, source=None):
    """A connected socket, or the OSError."""
    sock = tcp_socket(ns, family(address))
    sock.settimeout(timeout)
    if source_port or source:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((source or ("::" if ":" in address else "0.0.0.0"), source_port))
    try:
        # this has the link of a link-local address, after "%"
        sock.connect(socket.getaddrinfo(address, port, sock.family)[0][-1])
    except OSError:
        sock.close()
        raise
    return sock


def connect(ns, address, port, timeout=5, source_port=0):
    """How a connection fares: open, refused, time-out, or an error's name."""
    try:
        open_connection(ns, address, port, timeout, source_port).close()
    except (TimeoutError, socket.timeout):
        return "time-out"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "open"


# ---- servers ----
class Listener(threading.Thread):
    """Listens on ports of a host, both families: greets with "port PORT", then
    sends back what it gets. Ready as soon as it is made."""

    def __init__(self, *ports, ns="gtw", greet=True):
        super().__init__(daemon=True)
        self.greet = greet
        self.selector = selectors.DefaultSelector()
        for port in ports:
            for fam in (socket.AF_INET, socket.AF_INET6):
                sock = tcp_socket(ns, fam)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if fam == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(("", port))
                sock.listen(1024)
                sock.setblocking(False)
                self.selector.register(sock, selectors.EVENT_READ, port)
        self.wake, wake = socket.socketpair()
        self.selector.register(wake, selectors.EVENT_READ, "stop")
        self.start()

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.data == "stop":
                    for other in list(self.selector.get_map().values()):
                        other.fileobj.close()
                    self.selector.close()
                    return
                with contextlib.suppress(OSError):
                    self.serve(key.fileobj, key.data)

    def serve(self, sock, port):
        """A new connection, or data on an old one."""
        if port is not None:
            peer, _ = sock.accept()
            self.selector.register(peer, selectors.EVENT_READ, None)
            if self.greet:
                peer.sendall(f"port {port}\n".encode())
            return
        data = b""
        try:
            data = sock.recv(65536)
            sock.sendall(data)
        finally:
            if not data:
                self.selector.unregister(sock)
                sock.close()

    def stop(self):
        """Close every socket."""
        self.wake.send(b"x")
        self.join()
        self.wake.close()


def serve_http(port, text):
    """An HTTP server that answers every GET with the text, both families."""
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        """One answer to all."""

        def do_GET(self):
            """Answer."""
            body = text.encode() + b"\n"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Server(http.server.ThreadingHTTPServer):
        """On one socket for both families."""

        address_family = socket.AF_INET6

        def server_bind(self):
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            # HTTPServer's own would ask for the host's name, and there is no DNS.
            self.socket.bind(("::", port))
            self.server_name, self.server_port = "gateway", port

    Server(("::", port), Handler).serve_forever()


def main(argv):
    """lib.py listen PORT... | http PORT TEXT | connect ADDRESS PORT [SECONDS [SOURCE_PORT]]"""
    if len(argv) >= 2 and argv[0] == "listen":
        Listener(*map(int, argv[1:])).join()
    elif len(argv) == 3 and argv[0] == "http":
        serve_http(int(argv[1]), argv[2])
    elif 3 <= len(argv) <= 5 and argv[0] == "connect":
        rest = [float(argv[3])] if len(argv) > 3 else []
        rest += [int(argv[4])] if len(argv) > 4 else []
        print(connect("gtw", argv[1], int(argv[2]), *rest))
    else:
        sys.exit(main.__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
