#!/usr/bin/python3
"""The same segments to a gateway behind a host with mailwall and to one behind a host with nft,
over a router and over a bridge: whether each reaches the gateway is compared, and every
difference must be on a closed list.

nft_behind.py SEED NUMBER [long]"""
from nft import *
from middle import *
import differences_behind

INCLUDE = 'include "/mailwall/tests/attack/behind.nft"'
TABLES = {
    "router": f"""table inet mailgateway {{
        {INCLUDE}
        chain forward {{
            type filter hook forward priority filter; policy accept;
            meta l4proto != tcp accept
            ip daddr {INNER[4]} jump inbound
            ip6 daddr {INNER[6]} jump inbound
            ip saddr {INNER[4]} jump outbound
            ip6 saddr {INNER[6]} jump outbound
        }}
    }}""",
    "bridge": f"""table bridge mailgateway {{
        {INCLUDE}
        chain forward {{
            type filter hook forward priority filter; policy accept;
            meta protocol != {{ ip, ip6 }} accept
            meta l4proto != tcp accept
            oifname gw0 jump inbound
            iifname gw0 jump outbound
        }}
    }}""",
}


class BehindPair(Pair):
    """The two gateways behind. Who sends is told nothing at once."""
    tells = False
    bridged = False

    def compare(self, trials, other=None):
        """With the reasons that those have."""
        for trial in trials:
            trial.bridged = self.bridged
            # one packet alone that is lost is the kernel's to drop
            if trial.reason != "lost" or len(trial.packets) > 1:
                trial.reason = differences_behind.verdict(trial)
        super().compare(trials, other)


def ended(pair, rng, number):
    """Segments of connections that have ended, when conntrack knows no more of them; and of those
    that it begins none with."""
    trials = {name: [] for name in pair.fields}
    for count in range(number):
        ns, fam, port = rng.choice(("any", "adm")), rng.choice((4, 6)), rng.choice(OPEN)
        flags = (ACK, SYN | ACK, PSH | ACK, FIN | ACK)[count // 2 % 4]
        for name, field in pair.fields.items():
            field.window = 30000 + count
            peer = Peer(field, ns, fam, port, 30000 + count)
            if count % 2:
                state = "picked up" if flags & (SYN | FIN) else "held"
                peer.seq, peer.ack = 9, 7
                packet = segment(peer.gtw, peer.own, peer.gtw_port, port, flags, 5, seq=7, ack=9)
                pair.raws[name][family(peer.own)].sendto(packet, (peer.own, 0))
            else:
                state = "gone"
                if not (peer.called() and peer.answer()):
                    pair.wrong.append(f"{name}: connection {count} did not come about")
                peer.send(RST | ACK)
                peer.sock.close()
            field.settle()
            trials[name].append(Trial([peer.packet(ACK, window=1 + count)], 1 + count, ns,
                                      awaited=peer.seq, connection=state,
                                      about=f"IPv{fam} {state}, flags {flags:#x}"))
    time.sleep(3)   # nf_conntrack_tcp_timeout_close, below
    pair.compare(trials["mailwall"], trials["nft"])


def main():
    seed, number, long = int(sys.argv[1]), int(sys.argv[2]), "long" in sys.argv
    diag(f"seed {seed}")
    topology()
    ghosts()
    twin()
    must(run("modprobe", "nf_conntrack_bridge"))
    grounds = {"mailwall": Ground(), "nft": Ground("gw2", "2")}
    for ground in grounds.values():
        keep_fragments(ground.gateway)
    pair = BehindPair({name: Middle(ground) for name, ground in grounds.items()},
                      differences_behind)
    for name in [arg for arg in sys.argv[1:] if arg in TABLES] or TABLES:
        for ground in grounds.values():
            {"router": ground.routed, "bridge": ground.bridged}[name]()
        with netns("gw2"):
            run("nft", "flush", "ruleset")
            must(run("nft", TABLES[name]))
            set_sysctl("net.netfilter.nf_conntrack_tcp_timeout_close", 1)
        room_for_conntrack()
        must(mw_load("adm=" + ADM.replace(" ", ","), f"gtw={INNER[4]},{INNER[6]}"
                     if name == "router" else "gtw=port:gw0"))
        diag(f"---- {name} ----")
        pair.bridged = name == "bridge"
        rng = compare_all(pair, seed, number, 20000 if long else 1500)
        ended(pair, rng, max(number // 20, 16))
        pair.point("with connections that ended, or began oddly", "GTW")
        is_(mw_unload().returncode, 0, f"{name}: the module unloads")
    pair.entries(long)
    for field in pair.fields.values():
        field.listener.stop()
    done_testing()


if __name__ == "__main__":
    main()
