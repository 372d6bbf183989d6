"""Cases at a gateway behind: each packet is judged by itself, and what becomes of them is looked
at on the gateway's cable and behind its own reassembly."""
from ground import *
from differences import made, piece


def put_together(packets):
    """Lists of packets of which Linux makes a whole, in this order: of what overlaps it makes
    nothing (RFC 5722), and a copy it leaves aside."""
    wholes, queues = [], {}
    for packet in packets:
        found = piece(packet)
        if not found or not (found[1] or found[2]):
            wholes.append([packet])
            continue
        whose, offset, more, _, body = found
        parts = queues.setdefault(whose, {})
        end = offset + len(body)
        if (offset, end) in parts:
            continue
        if any(offset < other and start < end for start, other in parts):
            del queues[whose]
            continue
        parts[offset, end] = packet, more
        there = sorted(parts)
        if there[0][0] == 0 and not parts[there[-1]][1] and \
                all(one[1] == two[0] for one, two in zip(there, there[1:])):
            wholes.append([parts[where][0] for where in there])
            del queues[whose]
    return wholes


class Middle(Field):
    """Sends cases through the guarding host. `counted`: nothing but mailwall decides there."""

    def __init__(self, ground):
        super().__init__(ground.gateway, ground.twin)
        self.wire = Wire(ground.gateway)
        self.counted = True

    def arrived(self):
        """What came to the gateway's cable since the last call, without ICMP and settle()'s."""
        found = []
        for packet in self.wire.received():
            seen = parse(packet)
            if not (packet[9] == 1 if packet[0] >> 4 == 4 else 58 in (packet[6], packet[40])) and \
                    not (seen and seen[0].sport == 64999):
                found.append(packet)
        return found

    def forget(self):
        """Whatever the sockets here have heard."""
        for sock in [self.wire.sock, *self.behind.socks, *(p.sock for p in self.ports.values())]:
            with contextlib.suppress(BlockingIOError):
                while True:
                    sock.recv(1)

    def attack(self, name, cases, connected=False):
        """One point: each packet comes to the gateway's cable or not, as the page says, and what
        its TCP gets is what the ones that came make up. `connected`: Case.reason says what
        becomes of each, since the gateway has connections."""
        self.settle()
        self.wire.received()
        before = stats(behind=True)
        behind, replies = self.send(cases)
        after = stats(behind=True)
        arrived = collections.Counter(map(kept, self.arrived()))
        passed = {seen.window for seen in behind}
        wrong, reasons, sent = [], collections.Counter(), collections.Counter()
        for case in cases:
            fates = [case.reason if connected else fate(packet, case.ns == "adm")
                     for packet in case.packets]
            through = [packet for packet, reason in zip(case.packets, fates) if not reason]
            reasons.update(filter(None, fates))
            sent.update(map(kept, through))
            reaches = any(map(made, put_together(through))) and case.reason != "lost"
            if (case.window in passed) != reaches:
                wrong.append(f"{case.about}: {'did not reach' if reaches else 'reached'} TCP; "
                             f"{fates}, {case.reason}: {[p.hex() for p in case.packets]}")
        if self.counted:
            wrong += [f"on the cable {arrived[key]} times, not {sent[key]}: {key.hex()}"
                      for key in arrived | sent if arrived[key] != sent[key]]
            for reason in REASONS:
                count = after["in", reason] - before["in", reason]
                if count != reasons[reason]:
                    wrong.append(f"{reason}: {count} denied, not {reasons[reason]}")
        windows = {case.window for case in cases}
        wrong += [f"unknown segment behind: {seen}" for seen in behind
                  if seen.window not in windows]
        wrong += self.judge_replies(cases, replies)
        packets = sum(len(case.packets) for case in cases)
        return ok(not wrong and cases, f"{name} ({packets} packets, {sum(arrived.values())} came "
                  "to the gateway)", "\n".join(wrong[:15]))
