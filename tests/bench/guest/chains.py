"""The firewalls that are compared, each put up on the gateway and taken down."""
import ipaddress
import subprocess

from lib import must, mw_load, mw_unload, run
from packets import EMPTY, LOOKUP, NONE

ANY_PORTS = (25, 110, 465, 587, 995)
PORTS = ", ".join(map(str, ANY_PORTS))
MULTIPORT = ",".join(map(str, ANY_PORTS))
# Ports that no built-in row has; 32 is the most.
SITE_ROWS = [f"{port} ANY GTW" for port in range(2001, 2017)] + \
    [f"{port} GTW ANY" for port in range(3001, 3017)]


def adm_prefixes(version, count):
    """So many prefixes of one family, apart from one another, of several lengths; they hold
    the ADM host and not the ANY host."""
    if version == 4:
        spare = [f"10.{i}.0.0/16" for i in range(0, 64, 2)] + \
            [f"172.16.{i}.0/24" for i in range(1, 32, 2)] + \
            [f"203.0.113.{i}/32" for i in range(1, 64, 2)]
        own = "198.51.100.0/24"
    else:
        spare = [f"2001:db8:{i:x}::/48" for i in range(0x100, 0x140, 2)] + \
            [f"2001:db8:9:{i:x}::/64" for i in range(1, 32, 2)] + \
            [f"2001:db8:8::{i:x}/128" for i in range(1, 64, 2)]
        own = "2001:db8:b::/48"
    return sorted([own] + spare[:count - 1], key=ipaddress.ip_network)


def feed(text, *command):
    """Run a command with this input."""
    must(subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, check=False))


class Chain:
    """One firewall."""

    name = ""
    tracked = False
    # classes that it denies
    denies = frozenset()
    # classes that it is measured with, if not with all
    only = ()

    def up(self, version, adm):
        """Put it up, with these ADM prefixes of one family."""

    def down(self):
        """Take it down whole."""


class NoHook(Chain):
    """Nothing."""

    name = "none"


class Empty(Chain):
    """A hook that returns NF_ACCEPT, or another of the bench module's own."""

    def __init__(self, bench, name="empty", kind=EMPTY):
        self.bench = bench
        self.name = name
        self.kind = kind

    def up(self, version, adm):
        self.bench.hooks(self.kind)

    def down(self):
        self.bench.hooks(NONE)


class LookUp(Empty):
    """A hook that asks the kernel for the socket behind a segment, and nothing else."""

    # what a look-up is for
    only = ("reply-587-lookup", "stray-reply")

    def __init__(self, bench):
        super().__init__(bench, "lookup", LOOKUP)


class Mailwall(Chain):
    """Ours."""

    denies = frozenset(("deny-8450-64", "deny-closed", "deny-out", "deny-flags", "stray-reply"))

    def __init__(self, name="mailwall", mode="enforce", site=(), gtw="this"):
        self.name = name
        self.mode = mode
        self.site = site
        self.gtw = gtw
        if mode != "enforce":
            self.denies = frozenset()

    def up(self, version, adm):
        site = ",".join(row.replace(" ", ":") for row in self.site)
        must(mw_load(f"mode={self.mode}", f"gtw={self.gtw}", "adm=" + ",".join(adm), *[f"site={site}"] * bool(site)))

    def down(self):
        must(mw_unload())


def nft_sets(version, adm):
    """The table's ports and ADM as sets; what passes is counted for each port, as mailwall does."""
    kind = "ipv4_addr" if version == 4 else "ipv6_addr"
    return f"""
	set any_in {{
		type inet_service
		counter
		elements = {{ {PORTS} }}
	}}
	set any_out {{
		type inet_service
		counter
		elements = {{ {PORTS} }}
	}}
	set adm {{
		type {kind}
		flags interval
		elements = {{ {", ".join(adm)} }}
	}}
"""


def nft_rows(version, stateful):
    """What decides over inbound and outbound segments, frequent ports first. With conntrack a reply
    needs a connection, and what conntrack calls invalid is dropped; without, a reply is known by
    its port alone."""
    ip = "ip" if version == 4 else "ip6"
    invalid = "ct state invalid counter drop" if stateful else ""
    reply = "ct state established" if stateful else "tcp flags & (syn | ack) != syn"
    return f"""
		{invalid}
		tcp dport @any_in accept
		tcp dport 8450 {ip} saddr @adm counter accept
		tcp dport 8450 counter drop
		tcp sport @any_out {reply} accept
		counter drop
""", f"""
		{invalid}
		tcp dport @any_out accept
		tcp sport @any_in tcp flags & (syn | ack) != syn accept
		tcp sport 8450 {ip} daddr @adm counter accept
		counter drop
"""


def nft_rules(version, adm, stateful=False):
    """The table as nft says it."""
    inbound, outbound = nft_rows(version, stateful)
    return f"""
table inet gateway {{
{nft_sets(version, adm)}
	chain input {{
		type filter hook input priority filter; policy accept;
		iif lo accept
		meta l4proto != tcp accept
{inbound}
	}}
	chain output {{
		type filter hook output priority filter; policy accept;
		oif lo accept
		meta l4proto != tcp accept
{outbound}
	}}
}}
"""


def nft_forward_rules(version, adm, gateways):
    """The table for gateways behind, with conntrack."""
    ip, kind = ("ip", "ipv4_addr") if version == 4 else ("ip6", "ipv6_addr")
    inbound, outbound = nft_rows(version, True)
    return f"""
table inet gateway {{
{nft_sets(version, adm)}
	set gateways {{
		type {kind}
		elements = {{ {", ".join(gateways)} }}
	}}
	chain inbound {{
{inbound}
	}}
	chain outbound {{
{outbound}
	}}
	chain forward {{
		type filter hook forward priority filter; policy accept;
		meta l4proto != tcp accept
		{ip} daddr @gateways jump inbound
		{ip} saddr @gateways jump outbound
	}}
}}
"""


class Nft(Chain):
    """nftables without state."""

    name = "nft"
    denies = frozenset(("deny-8450-64", "deny-closed", "deny-out"))
    stateful = False

    def rules(self, version, adm):
        """What nft is told."""
        return nft_rules(version, adm, self.stateful)

    def up(self, version, adm):
        feed(self.rules(version, adm), "nft", "-f", "-")

    def down(self):
        must(run("nft", "flush", "ruleset"))


class NftConntrack(Nft):
    """nftables with conntrack: it decides and counts what mailwall does, as nearly as it can."""

    name = "nft-ct"
    denies = Nft.denies | {"deny-flags", "stray-reply"}
    tracked = True
    stateful = True

    def down(self):
        super().down()
        # Nothing of an earlier run's flows is found again.
        must(run("conntrack", "-F"))


class NftForward(NftConntrack):
    """The same for gateways behind."""

    denies = frozenset(("denied",))

    def __init__(self, gateways):
        self.gateways = gateways

    def rules(self, version, adm):
        return nft_forward_rules(version, adm, self.gateways[version])


def iptables_rules(adm):
    """The same by iptables; multiport saves a rule for each port."""
    lines = ["*filter", ":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":ADMIN - [0:0]",
             ":ADMOUT - [0:0]",
             "-A INPUT -i lo -j ACCEPT", "-A INPUT ! -p tcp -j ACCEPT",
             f"-A INPUT -p tcp -m multiport --dports {MULTIPORT} -j ACCEPT",
             "-A INPUT -p tcp --dport 8450 -j ADMIN",
             f"-A INPUT -p tcp ! --syn -m multiport --sports {MULTIPORT} -j ACCEPT",
             "-A INPUT -j DROP",
             "-A OUTPUT -o lo -j ACCEPT", "-A OUTPUT ! -p tcp -j ACCEPT",
             f"-A OUTPUT -p tcp -m multiport --dports {MULTIPORT} -j ACCEPT",
             f"-A OUTPUT -p tcp ! --syn -m multiport --sports {MULTIPORT} -j ACCEPT",
             "-A OUTPUT -p tcp --sport 8450 -j ADMOUT", "-A OUTPUT -j DROP"]
    lines += [f"-A ADMIN -s {prefix} -j ACCEPT" for prefix in adm] + ["-A ADMIN -j DROP"]
    lines += [f"-A ADMOUT -d {prefix} -j ACCEPT" for prefix in adm] + ["-A ADMOUT -j DROP"]
    return "\n".join(lines + ["COMMIT", ""])


class Iptables(Chain):
    """iptables with multiport, no state."""

    denies = Nft.denies

    def __init__(self, flavour):
        self.name = "ipt-" + flavour
        self.flavour = flavour
        self.command = ""

    def up(self, version, adm):
        self.command = ("iptables-" if version == 4 else "ip6tables-") + self.flavour
        feed(iptables_rules(adm), self.command + "-restore")

    def down(self):
        if self.flavour == "nft":
            must(run("nft", "flush", "ruleset"))
            return
        must(run(self.command, "-F"))
        must(run(self.command, "-X"))
        # the hooks stay as long as the table does
        must(run("rmmod", "iptable_filter" if self.command.startswith("ipt") else "ip6table_filter"))
