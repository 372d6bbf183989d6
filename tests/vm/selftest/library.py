#!/usr/bin/python3
"""lib.py over the three hosts, with no module: everything is open."""
from lib import *

topology()
servers = Listener(8450, 8080)
away = Listener(25, ns="any")
is_(connect("adm", GTW_ADM4, 8450), "open", "IPv4 from ADM")
is_(connect("any", GTW_ANY6, 8080, source_port=110), "open", "IPv6 from ANY, with a source port")
is_(connect("gtw", ANY4, 25), "open", "from the gateway")
is_(connect("any", GTW_ANY4, 81), "refused", "a closed port")
is_(connect("any", "192.0.2.77", 80, timeout=1), "time-out", "a silent peer")
is_(connect("any", GTW_ADM4, 8450), "ENETUNREACH", "there is no route between the hosts")
session = open_connection("any", GTW_ANY4, 8450)
session.sendall(b"echo")
ok(wait_until(lambda: b"echo" in session.recv(100, socket.MSG_PEEK), 10), "a session")
servers.stop()
away.stop()
is_(connect("any", GTW_ANY4, 8450), "refused", "a server that was stopped")
is_(sh("is 1 2 wrong").returncode, 1, "shell functions tell of failure")
done_testing()
