#!/usr/bin/python3
"""Each vector of tests/vectors as a packet that arrives at the gateway or leaves it, in both
modes, and as a question to "mailwall explain"."""
import json

import vectors
from field import *

TCP_REPAIR = 19


def bytes_of(vector):
    """The packet, whose TCP part has the vector's length and data offset."""
    whole = tcp(vector.source, vector.target, vector.source_port, vector.target_port,
                vectors.flag_byte(vector.flags), 1, ack=1, doff=vector.offset,
                data=bytes(max(0, vector.length - 20)))
    return ip(vector.source, vector.target, whole[:vector.length])


def hold(vector):
    """A connection that the gateway holds, though nobody ever spoke at its other end."""
    here, there = (vector.target, vector.target_port), (vector.source, vector.source_port)
    if vector.direction == "out":
        here, there = there, here
    sock = socket.socket(family(here[0]), socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.bind(here)
    sock.connect(there)
    return sock


def explain(vector, connection, mode):
    """What the command says that differs from the vector, or None."""
    ends = [f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address, port in
            ((vector.source, vector.source_port), (vector.target, vector.target_port))]
    done = run("mailwall", "explain", "--json", vector.direction, *ends,
               "--flags=" + (",".join(vector.flags) or "none"),
               f"--data-offset={vector.offset}", f"--length={vector.length}",
               *([f"--connection={connection}"] if connection else []))
    if done.returncode:
        return f"exit {done.returncode}: {done.stdout}"
    answer = json.loads(done.stdout)
    got = answer["reason"] if answer["verdict"] == "deny" else \
        "{port} {source} {target}".format(**answer["row"])
    if got != vector.expected or answer["mode"] != mode:
        return f"explain, connection {connection or 'asked for'}: {done.stdout}"
    return None


def send(gateway, vector, mode, site, adm):
    """What differs when the packet is sent."""
    packet = bytes_of(vector)
    denied = vector.expected in REASONS
    dropped = denied and mode == "enforce"
    ledger = Ledger(mode, site, adm)
    wrong = []
    ns = "adm" if "198.51.100." in vector.source or ":b::" in vector.source else "any"
    if denied:
        ledger.deny(vector.direction, vector.expected)
    else:
        ledger.allow(vector.expected, len(packet), "SYN" in vector.flags and
                     "ACK" not in vector.flags)
    gateway.reached()
    with counted() as diff:
        error = 0
        if vector.direction == "in":
            gateway.cables[ns].send(packet)
        else:
            error = gateway.inject(packet)
        came = gateway.settle(ledger)[ns]
        for reply in [] if vector.direction == "out" else came:
            if parse(reply)[0].flags == SYN | ACK:
                gateway.cables[ns].send(rst_for(reply))
                ledger.judge("in", rst_for(reply), True)
        late = gateway.settle(ledger)[ns]
    passed = len(came + late) if vector.direction == "out" else len(
        [seen for seen in gateway.reached() if seen.window == 1])
    if vector.direction == "in":
        for reply in came + late:
            ledger.judge("out", reply)
    if passed != (not dropped):
        wrong.append(f"{passed} passed")
    if error != (errno.ECONNREFUSED if dropped and vector.direction == "out" else 0):
        wrong.append(f"error {error}")
    if diff != ledger.expected():
        wrong.append(f"counted {diff}, must be {ledger.expected()}")
    return wrong


def judged(gateway, mode, name, policy, cases):
    """The vectors of one policy."""
    site = [(int(row.split()[0]), *row.split()[1:]) for row in policy.site]
    is_(mw_write("adm", "\n".join(policy.adm) + "\n"), 0, f"{mode}: ADM of {name}")
    is_(mw_write("site", "\n".join(policy.site) + "\n"), 0, f"{mode}: site rows of {name}")
    for vector in cases:
        if vector.policy != name:
            continue
        sock = hold(vector) if vector.connection == "held" else None
        wrong = []
        if mode == "enforce":
            wrong = [explain(vector, connection, mode)
                     for connection in (None, vector.connection)]
        wrong += send(gateway, vector, mode, site, policy.adm)
        if sock:
            sock.close()
        ok(not any(wrong), f"{mode}: {vector.name}: {vector.expected}",
           "\n".join([item for item in wrong if item] + [vector.line]))


def main():
    policies, cases = vectors.load()
    topology()
    ghosts()
    must(mw_load())
    gateway = Gateway()
    for mode in ("enforce", "audit"):
        mw_write("mode", mode)
        for name, policy in policies.items():
            part(judged, gateway, mode, name, policy, cases)
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()
