"""Sessions that are open while the policy changes under them."""
from session import Session, peek
from wire import *


def silent(sessions, ports, behind, name):
    """One point: both ends of each session speak, and nothing of it passes in 3 s, in
    either direction."""
    before = [(peek(s.client), peek(s.server)) for s in sessions]
    for port in ports.values():
        port.received()
    behind.received()
    for session in sessions:
        session.speak()
    time.sleep(3)
    clients = {session.client.getsockname()[:2] for session in sessions}
    out = [seen for port in ports.values() for seen in port.received()
           if (seen.dst, seen.dport) in clients]
    inward = [seen for seen in behind.received() if (seen.src, seen.sport) in clients]
    after = [(peek(s.client), peek(s.server)) for s in sessions]
    ok(before == after and not out and not inward, name,
       f"{len(out)} left the gateway, {len(inward)} reached its TCP\n{before}\n{after}")


def check():
    """All points."""
    ports = {ns: Port(ns) for ns in ("any", "adm")}
    behind = Behind()
    adm4, adm6 = "198.51.100.0/24", "2001:db8:b::/64"
    for name, text in (("mode", "enforce"), ("site", "\n"), ("adm", f"{adm4} {adm6}")):
        is_(mw_write(name, text), 0, f"{name} {text.strip() or 'is emptied'}")
    sessions = [Session("adm", "gtw", address, CONSOLE, source_port)
                for address in (GTW_ADM4, GTW_ADM6) for source_port in (0, 25, 995)]
    for session in sessions:
        session.speak()
    ok(all(s.heard() for s in sessions), "sessions of ADM to 8450, some from source ports 25 and 995")
    is_(mw_write("adm", f"-{adm4} {adm6}"), 0, "their prefixes are taken out of ADM")
    silent(sessions, ports, behind, "they stop at once, both ways, also those from 25 and 995")
    is_(mw_write("adm", f"+{adm4}"), 0, "the IPv4 prefix returns")
    ok(all(s.heard() for s in sessions[:3]), "its sessions go on, with all that was sent")
    silent(sessions[3:], ports, behind, "those over IPv6 do not")
    is_(mw_write("adm", f"+{adm6}"), 0, "the IPv6 prefix returns")
    ok(all(s.heard(60) for s in sessions), "all go on")
    for session in sessions:
        session.close()

    # Opened before mailwall had a say, as over SSH by whoever loads it.
    is_(mw_write("mode", "off"), 0, "mode off")
    sessions = [Session("any", "gtw", address, 22) for address in (GTW_ANY4, GTW_ANY6)]
    odd = [Session("any", "gtw", address, 8080, 25) for address in (GTW_ANY4, GTW_ANY6)]
    for session in sessions + odd:
        session.speak()
    ok(all(s.heard() for s in sessions + odd), "sessions to 22, and from 25 to 8080")
    is_(mw_write("mode", "audit"), 0, "mode audit")
    before = stats()
    for session in sessions:
        session.speak()
    ok(all(s.heard() for s in sessions), "an established session with no row survives in audit")
    after = stats()
    ok(after["would", "in", "closed"] > before["would", "in", "closed"] and
       after["would", "out", "closed"] > before["would", "out", "closed"],
       "and is counted as one that would be denied")
    is_(mw_write("mode", "enforce"), 0, "mode enforce")
    silent(sessions, ports, behind, "it is cut in enforce, both ways")
    for session in odd:
        session.speak()
    ok(all(s.heard() for s in odd),
       "one from an outbound row's port, open before, cannot be told from the gateway's own")
    is_(mw_write("site", "22 ANY GTW"), 0, "a row for 22")
    ok(all(s.heard(60) for s in sessions), "the cut session goes on")
    is_(mw_write("site", "\n"), 0, "the row goes")
    silent(sessions, ports, behind, "it is cut again")
    for session in sessions + odd:
        session.close()
