#!/usr/bin/perl
# What passes by mailwall's hooks is found and named, from what other programs say. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use JSON::PP;
use Test::More;

my $links = 'ip -j -d link show';
my $flowtables = 'nft -j list flowtables';
my $qdiscs = 'tc -j qdisc show';

# Devices, as far as they matter here: NAME => what ip says of it.
sub links {
	my @links;
	while (my ($name, $more) = splice(@_, 0, 2)) {
		push(@links, { ifname => $name, %$more });
	}
	return encode_json(\@links);
}

sub kind {
	return (linkinfo => { info_kind => $_[0] });
}

sub port_of {
	my ($kind, $master) = @_;
	return (master => $master, linkinfo => { info_kind => 'tun', info_slave_kind => $kind });
}

sub flowtable {
	return encode_json({ nftables => [{ metainfo => { json_schema_version => 1 } }, { flowtable =>
		{ family => 'inet', table => 'filter', name => 'ft', hook => 'ingress', @_ } }] });
}

sub mirred {
	my ($action, $to) = @_;
	return encode_json([{ kind => 'u32', chain => 0 }, { kind => 'u32', options => { not_in_hw => JSON::PP::true,
		actions => [{ order => 1, kind => 'mirred', mirred_action => $action, to_dev => $to }] } }]);
}

my %tap = (tap0 => { port_of('bridge', 'br0') });
my $tap = links(%tap, eth0 => {});
my $clsact = '[{"kind":"noqueue","dev":"tap0"},{"kind":"clsact","dev":"tap0"},{"kind":"ingress","dev":"eth0"}]';
my $route = 'ip -j route get 10.9.0.2';
my $lan = '[{"dst":"10.9.0.2","dev":"lan0","flags":[]}]';

# [NAME, ITEMS, ANSWERS, [ITEM, KIND, PATTERN]...]
my @cases = (
	['nothing', 'port:tap0', { $links => $tap, $qdiscs => $clsact }],
	['nothing, a bridge with one port', 'port:br0', { $links => links(br0 => { kind('bridge') }, %tap) }],
	['for this host', 'this', { $links => links(eth0 => { xdp => {}, vfinfo_list => [{}] }),
		$flowtables => flowtable(dev => 'eth0') }],

	['no such device', 'this port:tap0 port:eth0', { $links => links(eth0 => {}) },
		['port:tap0', 'missing', qr/no device tap0 is here now: nothing is judged for it until/]],
	['macvtap', 'port:vm0', { $links => links(eth0 => {}, vm0 => { link => 'eth0', kind('macvtap') }) },
		['port:vm0', 'macvtap', qr/vm0 is a macvtap: .* give the gateway a tap or veth port of a bridge/]],
	(map { [$_, 'port:vm0', { $links => links(vm0 => { kind($_) }) }, ['port:vm0', $_, qr/vm0 is a $_:/]] }
		'macvlan', 'ipvlan', 'ipvtap'),
	['macvlan on it', 'port:eth0', { $links => links(eth0 => {}, vm0 => { link => 'eth0', kind('macvlan') },
			vm1 => { link => 'eth1', kind('macvlan') }, 'eth0.5' => { link => 'eth0', kind('vlan') }) },
		['port:eth0', 'macvlan', qr/vm0 is a macvlan on eth0: .* without the hooks; give it a tap/]],
	['Open vSwitch', 'port:tap0', { $links => links(tap0 => { port_of('openvswitch', 'ovs-system') }) },
		['port:tap0', 'openvswitch', qr/tap0 belongs to Open vSwitch.* give the gateway a port of a Linux bridge/]],
	['Open vSwitch, its own', 'port:br-int', { $links => links('br-int' => { kind('openvswitch') }) },
		['port:br-int', 'openvswitch', qr/br-int belongs to Open vSwitch/]],
	['part of a bond', 'port:eth0', { $links => links(eth0 => { port_of('bond', 'bond0') }) },
		['port:eth0', 'bond', qr/eth0 is part of bond0, which the hooks see in its place: name that, port:bond0/]],
	['part of a team', 'port:eth0', { $links => links(eth0 => { port_of('team', 'team0') }) },
		['port:eth0', 'team', qr/name that, port:team0/]],
	['part of a VRF', 'port:eth0', { $links => links(eth0 => { port_of('vrf', 'red') }) },
		['port:eth0', 'vrf', qr/eth0 is part of the VRF red, .* what the gateway sends is not judged.* name its address/]],
	['by address, in a VRF', '10.9.0.2', { $links => links(lan0 => { port_of('vrf', 'red') }), $route => $lan }],
	['a bridge with more ports', 'port:br0', { $links => links(br0 => { kind('bridge') }, %tap,
			tap1 => { port_of('bridge', 'br0') }, tap2 => { port_of('bridge', 'br1') }) },
		['port:br0', 'bridge', qr/br0 is a bridge with 2 ports: .* name the gateway's own port, with port:/]],
	['XDP, on any device', 'port:tap0', { $links => links(%tap, eth0 => { xdp => { mode => 1 } }) },
		['port:tap0', 'xdp', qr/an XDP program on eth0 .*: ip link set dev eth0 xdp off/]],
	['SR-IOV', 'port:eth0', { $links => links(eth0 => { vfinfo_list => [{ vf => 0 }, { vf => 1 }] }) },
		['port:eth0', 'sr-iov', qr/eth0 has 2 virtual functions .*echo 0 > .*eth0\/device\/sriov_numvfs/]],
	['SR-IOV, by number', 'port:eth0', { $links => links(eth0 => { num_vfs => 4, vfinfo_list => [] }) },
		['port:eth0', 'sr-iov', qr/eth0 has 4 virtual functions/]],
	['a switch chip', 'port:swp1', { $links => links(swp1 => { phys_switch_id => 'aabb' }) },
		['port:swp1', 'switch', qr/swp1 is a port of a switch chip.* connect the gateway to a card of its own/]],
	['hardware offload', 'port:tap0',
		{ $links => $tap, 'ethtool -k tap0' => "Features for tap0:\nhw-tc-offload: on\nesp-hw-offload: off [fixed]" },
		['port:tap0', 'hw-tc-offload', qr/the card of tap0 .*: ethtool -K tap0 hw-tc-offload off/]],
	['no hardware offload', 'port:tap0',
		{ $links => $tap, 'ethtool -k tap0' => "Features for tap0:\nhw-tc-offload: off [fixed]\nesp-hw-offload: on" }],

	['flowtable', 'port:tap0 port:eth0', { $links => $tap, $flowtables => flowtable(dev => ['lo', 'tap0']) },
		['port:tap0', 'flowtable', qr/the flowtable ft of nft's table inet filter .* without FORWARD; leave the gateway out of the rules with "flow add \@ft"/]],
	['flowtable, of one device', 'port:tap0', { $links => $tap, $flowtables => flowtable(dev => 'tap0') },
		['port:tap0', 'flowtable', qr/ft/]],
	['flowtable, of others', 'port:tap0', { $links => $tap, $flowtables => flowtable(dev => ['lo', 'eth0']) }],
	['flowtable, of none', 'port:tap0', { $links => $tap, $flowtables => flowtable() }],
	['flowtable, of the bridge', 'port:tap0', { $links => $tap, $flowtables => flowtable(dev => 'br0') },
		['port:tap0', 'flowtable', qr/ft/]],
	['flowtable, of a port', 'port:br0', { $links => links(br0 => {}, %tap), $flowtables => flowtable(dev => ['tap0']) },
		['port:br0', 'flowtable', qr/ft/]],
	['flowtable, below a VLAN', 'port:eth0.5', { $links => links('eth0.5' => { link => 'eth0', kind('vlan') }),
			$flowtables => flowtable(dev => 'eth0') },
		['port:eth0.5', 'flowtable', qr/ft/]],
	["flowtable, of a veth's other end", 'port:eth0', { $links => links(eth0 => { link => 'eth1', kind('veth') }),
			$flowtables => flowtable(dev => 'eth1') }],
	['flowtable in the card', 'port:tap0', { $links => $tap, $flowtables => flowtable(dev => 'tap0', flags => 'offload') },
		['port:tap0', 'flowtable', qr/without FORWARD, in the card too; leave/]],
	['flowtable with flags', 'port:tap0', { $links => $tap,
			$flowtables => flowtable(dev => 'tap0', flags => ['counter', 'offload']) },
		['port:tap0', 'flowtable', qr/in the card too/]],
	['flowtable with other flags', 'port:tap0', { $links => $tap, $flowtables => flowtable(dev => 'tap0', flags => ['counter']) },
		['port:tap0', 'flowtable', qr/without FORWARD; leave/]],
	['flowtable, for addresses', '10.9.0.2 2001:db8::/64', { $flowtables => flowtable(dev => ['eth7']) },
		['10.9.0.2', 'flowtable', qr/ft/], ['2001:db8::/64', 'flowtable', qr/ft/]],

	['redirect from it', 'port:tap0',
		{ $links => $tap, $qdiscs => $clsact, 'tc -j filter show dev tap0 ingress' => mirred('redirect', 'eth0') },
		['port:tap0', 'tc', qr/takes packets from tap0 \(ingress\) to eth0 .* tc filter show dev tap0 ingress/]],
	['redirect to it', 'port:tap0',
		{ $links => $tap, $qdiscs => $clsact, 'tc -j filter show dev eth0 ingress' => mirred('redirect', 'tap0') },
		['port:tap0', 'tc', qr/from eth0 \(ingress\) to tap0/]],
	['a copy to it', 'port:tap0',
		{ $links => $tap, $qdiscs => $clsact, 'tc -j filter show dev tap0 egress' => mirred('mirror', 'tap0') },
		['port:tap0', 'tc', qr/from tap0 \(egress\) to tap0/]],
	['a copy from it', 'port:tap0',
		{ $links => $tap, $qdiscs => $clsact, 'tc -j filter show dev tap0 ingress' => mirred('mirror', 'eth0') }],
	['redirect of what was judged', 'port:tap0',
		{ $links => $tap, $qdiscs => $clsact, 'tc -j filter show dev tap0 egress' => mirred('redirect', 'eth0') }],
	['redirect between others', 'port:tap0',
		{ $links => $tap, $qdiscs => $clsact, 'tc -j filter show dev eth0 ingress' => mirred('redirect', 'eth1') }],
	['redirect for shaping', 'port:tap0', { $links => links(%tap, ifb0 => { kind('ifb') }), $qdiscs => $clsact,
			'tc -j filter show dev tap0 ingress' => mirred('redirect', 'ifb0') }],
	['a BPF program', 'port:tap0', { $links => $tap, $qdiscs => $clsact, 'tc -j filter show dev tap0 egress' =>
			'[{"kind":"bpf","options":{"bpf_name":"p"}}]',
			'tc -j filter show dev eth0 ingress' => '[{"kind":"bpf"}]' },
		['port:tap0', 'tc', qr/a BPF program of tc on tap0 \(egress\) may redirect/]],

	['an address, the device of its route', '10.9.0.2', { $route => $lan, $links => links(lan0 => { phys_switch_id => 'a' }) },
		['10.9.0.2', 'switch', qr/lan0 is a port/]],
	['a prefix, the device of its first address', '10.9.0.2/31 10.9.4.0/24', {
			'ip -j route get 10.9.0.3' => $lan, 'ip -j route get 10.9.4.1' => '[{"dev":"lan1"}]',
			$links => links(lan0 => { phys_switch_id => 'a' }, lan1 => { num_vfs => 1 }) },
		['10.9.0.2/31', 'switch', qr/lan0/], ['10.9.4.0/24', 'sr-iov', qr/lan1/]],
	['IPv6 too', '2001:db8::/32 2001:db9::4', {
			'ip -j route get 2001:db8::1' => $lan, 'ip -j route get 2001:db9::4' => '[{"dev":"lan1"}]',
			$links => links(lan0 => { phys_switch_id => 'a' }, lan1 => { num_vfs => 1 }) },
		['2001:db8::/32', 'switch', qr/lan0/], ['2001:db9::4', 'sr-iov', qr/lan1/]],
	['an address without a route', '10.9.0.2', { $route => 2, $links => $tap }],
	['an address whose device is gone', '10.9.0.2', { $route => $lan, $links => $tap }],

	['more than one', 'port:vm0', { $links => links(vm0 => { kind('macvtap'), xdp => {} }), $flowtables => flowtable(dev => 'vm0') },
		['port:vm0', 'macvtap', qr/vm0/], ['port:vm0', 'xdp', qr/vm0/], ['port:vm0', 'flowtable', qr/ft/]],
	['a name that is no text', 'port:tap0', { $links => links(%tap, "e\x1b[1m" => { xdp => {} }) },
		['port:tap0', 'xdp', qr/an XDP program on e\?\[1m /]],

	# what is not looked for is said, once
	[['ip'], 'port:tap0', {}, [undef, 'unknown', qr/^ip is not installed: devices, XDP and SR-IOV not looked for$/]],
	[['nft'], 'port:tap0', { $links => $tap }, [undef, 'unknown', qr/^nft is not installed: flowtables not looked for$/]],
	[['tc'], 'port:tap0', { $links => $tap }, [undef, 'unknown', qr/^tc is not installed: redirects by tc not looked for$/]],
	[['ethtool'], 'port:tap0 port:eth0', { $links => $tap },
		[undef, 'unknown', qr/^ethtool is not installed: hardware offload not looked for$/]],
	[['ip', 'nft', 'tc', 'ethtool'], '10.9.0.2 port:tap0', {},
		map { [undef, 'unknown', qr/^$_ is not installed/] } 'ip', 'nft', 'tc'],
	['ip fails', 'port:tap0', { $links => 1 }, [undef, 'unknown', qr/^ip does not answer as it should: devices/]],
	['nft fails', 'port:tap0', { $links => $tap, $flowtables => 1 },
		[undef, 'unknown', qr/^nft does not answer as it should: flowtables not looked for$/]],
	['tc speaks no JSON', 'port:tap0', { $links => $tap, $qdiscs => 'qdisc noqueue' },
		[undef, 'unknown', qr/^tc does not answer as it should: redirects by tc not looked for$/]],
	['nor of filters', 'port:tap0', { $links => $tap, $qdiscs => $clsact,
			'tc -j filter show dev tap0 ingress' => '[{"kind":"u32", match 0a000001/', 'tc -j filter show dev eth0 ingress' => 1 },
		[undef, 'unknown', qr/^tc does not answer as it should: redirects by tc not looked for$/]],
	['answers of another form', 'port:tap0', { $links => '{"ifname":[]}', $flowtables => '["flowtable",{"nftables":1}]',
			$qdiscs => '[1,{"kind":2}]' }, ['port:tap0', 'missing', qr/tap0/]],
	['ethtool does not know the device', 'port:tap0', { $links => $tap, 'ethtool -k tap0' => 76 }],
);

sub test_cases {
	for (@cases) {
		my ($name, $items, $answers, @wanted) = @$_;
		my @missing = ref $name ? @$name : ();
		$name = "without @missing" if @missing;
		my @items = split(/ /, $items);
		fresh();
		run('gtw', 'set', @items);
		programs($answers, @missing);
		my $code = run('gtw', 'show');
		is("$code $out", '0 ' . join('', map { "$_\n" } @items), "$name: gtw show: the list alone on stdout");
		my @said = split(/\n/, $err);
		my $told = @said == @wanted;
		for my $i (0 .. $#wanted) {
			my ($item, $kind, $pattern) = @{$wanted[$i]};
			my $prefix = 'mailwall: note: ' . (defined $item ? "$item: " : '');
			$told &&= $said[$i] =~ /^\Q$prefix\E/ && substr($said[$i], length $prefix) =~ $pattern;
		}
		ok($told, "$name: a line for each thing that passes by") or diag($err);
		$code = run('status');
		my ($block) = $out =~ /^(passes by .*?)^(?=\S|$)/ms;
		my $words = join(' ', map { s/^mailwall: note: //r } @said);
		is("$code $err" . ($block // '') =~ s/^passes by//r =~ s/\s+/ /gr, '0 ' . (@said ? " $words " : ''),
			"$name: status says the same");
		unlike($out, qr/.{121}/, "$name: no line is longer than the page");
		$code = run('status', '--json');
		my $got = decode_json($out)->{passes_by};
		is_deeply([$code, map { [@$_{'item', 'kind', 'text'}] } @$got],
			[0, map { [@{$wanted[$_]}[0, 1], $said[$_] =~ s/^mailwall: note: //r] } 0 .. $#wanted],
			"$name: status --json as well");
	}
}

# A rule of DNAT, as nft shows it: what it matches, what it does.
sub dnat_rule {
	my ($ports, @do) = @_;
	return { rule => { family => 'inet', table => 'nat', chain => 'prerouting', handle => 8450, expr => [
		{ match => { op => '==', left => { meta => { key => 'iifname' } }, right => 'wan0' } },
		defined $ports ? { match => { op => '==', right => $ports,
			left => { payload => { protocol => 'tcp', field => 'dport' } } } } : (),
		{ counter => { packets => 8450, bytes => 8450 } }, @do] } };
}

sub test_published {
	my $ruleset = 'nft -j -t list ruleset';
	my $to = { dnat => { family => 'ip', addr => '10.9.0.2' } };
	my $map = { dnat => { addr => { map => { data => '@where',
		key => { payload => { protocol => 'tcp', field => 'dport' } } } } } };
	my $list = sub { my ($kind, @elements) = @_; ("nft -j list $kind inet nat where" =>
		encode_json({ nftables => [{ $kind => { name => 'where', elem => \@elements } }] })) };
	my $mail = dnat_rule({ set => [25, 110, 465, { range => [587, 995] }] }, $to);
	my @published = (
		['one port', dnat_rule(8450, $to)],
		['the last of a set', dnat_rule({ set => [25, 465, 8450] }, $to)],
		['in a range', dnat_rule({ range => [8000, 8450] }, $to)],
		['in a range of a set', dnat_rule({ set => [25, { range => [8450, 9000] }] }, $to)],
		['from another port', dnat_rule(443, { dnat => { addr => '10.9.0.2', port => 8450 } })],
		['by a map', dnat_rule(undef, { dnat => { addr => { map => { data => { set => [[25, '10.9.0.2'], [8450, '10.9.0.2']] } } } } })],
		['with an address', { rule => { family => 'inet', table => 'nat', chain => 'prerouting', expr => [
			{ match => { op => '==', left => { concat => [map { { payload => $_ } } { protocol => 'ip', field => 'daddr' },
				{ protocol => 'tcp', field => 'dport' }] }, right => { set => [{ concat => ['192.0.2.1', 8450] }] } } }, $to] } }],
		['by a named map', dnat_rule(undef, $map), $list->('map', [25, '10.9.0.2'], [8450, '10.9.0.2'])],
		['by a named set', dnat_rule('@where', $to), $list->('set', 25, 8450)]);
	my @not = (
		['only mail', $mail],
		['a range of source ports', { rule => { expr => [{ match => { op => '==', right => { range => [1024, 65535] },
			left => { payload => { protocol => 'tcp', field => 'sport' } } } }, $to] } }],
		['a mark', { rule => { expr => [{ match => { op => '==', right => 8450, left => { meta => { key => 'mark' } } } }, $to] } }],
		['all ports but it', { rule => { expr => [{ match => { op => '!=', right => 8450,
			left => { payload => { protocol => 'tcp', field => 'dport' } } } }, $to] } }],
		['ranges beside it', dnat_rule({ set => [{ range => [8000, 8449] }, { range => [8451, 9000] }] }, $to)],
		['a rule that lets it in', dnat_rule(8450, { accept => undef })],
		['a named set with other ports', dnat_rule('@where', $to), $list->('set', 25, 995)],
		['a named set that is gone', dnat_rule('@where', $to)],
		['answers of another form', { rule => [8450] }]);
	for (map([1, @$_], @published), map([0, @$_], @not)) {
		my ($want, $name, $rule, @more) = @$_;
		fresh();
		programs({ $ruleset => encode_json({ nftables => [{ metainfo => {} }, $mail, $rule] }), @more });
		my $text = "nft's table inet nat, chain prerouting, has 8450 in DNAT: that publishes the Management " .
			"Console, and ADM alone keeps others out; take it out there and reach the console by the gateway's own address\n";
		my $code = run('gtw', 'set', '10.9.0.2');
		is($code . join('', grep { /warning/ } split(/^/, $err)), $want ? "0mailwall: warning: $text" : '0',
			"8450 in DNAT, $name: gtw set warns");
		run('gtw', 'show');
		is($err, $want ? "mailwall: note: $text" : '', "8450 in DNAT, $name: gtw show tells");
		unlink("$dir/programs/asked");
		run(@$_) for ['adm', 'add', '192.0.2.0/24'], ['gtw', 'set', 'this'], ['gtw', 'show'];
		ok(!-e "$dir/programs/asked", 'others are not asked where gateways behind stay as they are, or there is none');
	}
}

# What iptables-save writes: [FOUND, FAMILY, NAME, RULE, TABLE]
my @iptables = (
	[1, 'ip', 'a port', '-A PRE -d 203.0.113.1/32 -p tcp -m tcp --dport 8450 -j DNAT --to-destination 10.9.0.2'],
	[1, 'ip', 'multiport', '-A PRE -p tcp -m multiport --dports 25,110,465,587,995,8450 -j DNAT --to-destination 10.9.0.2'],
	[1, 'ip', 'a range of multiport', '-A PRE -p tcp -m multiport --dports 25,8000:9000 -j DNAT --to-destination 10.9.0.2'],
	[1, 'ip', 'a range', '-A PRE -p tcp -m tcp --dport 8000:8450 -j DNAT --to-destination 10.9.0.2'],
	[1, 'ip', 'either end', '-A PRE -p tcp -m multiport --ports 8450 -j DNAT --to-destination 10.9.0.2'],
	[1, 'ip', 'to it', '-A PRE ! -i br-mail -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.9.0.2:8450'],
	[1, 'ip', 'to a range', '-A PRE -p tcp -j DNAT --to-destination 10.9.0.2:8400-8500 --random'],
	[1, 'ip', 'to a port alone', '-A PRE -p tcp -j DNAT --to-destination :8450'],
	[1, 'ip6', 'IPv6', '-A PRE -p tcp -m tcp --dport 8450 -j DNAT --to-destination fd00::2'],
	[1, 'ip6', 'to it', '-A PRE -p tcp -j DNAT --to-destination [fd00::2]:8450'],
	[1, 'ip', 'behind a comment', '-A PRE -p tcp -m comment --comment "mail \\"and more\\"" -m tcp --dport 8450 -j DNAT --to-destination 10.9.0.2'],
	[0, 'ip', 'mail', '-A PRE -p tcp -m multiport --dports 25,110,465,587,995 -j DNAT --to-destination 10.9.0.2'],
	[0, 'ip', 'beside it', '-A PRE -p tcp -m multiport --dports 8000:8449,8451:9000 -j DNAT --to-destination 10.9.0.2'],
	[0, 'ip', 'all but it', '-A PRE -p tcp -m tcp ! --dport 8450 -j DNAT --to-destination 10.9.0.2'],
	[0, 'ip', 'a source port', '-A PRE -p tcp -m tcp --sport 8450 -j DNAT --to-destination 10.9.0.2'],
	[0, 'ip', 'this host', '-A PRE -p tcp -m tcp --dport 8450 -j REDIRECT --to-ports 8450'],
	[0, 'ip', 'a comment', '-A PRE -p tcp -m comment --comment "as --dport 8450 was" -j DNAT --to-destination 10.9.0.2'],
	[0, 'ip', 'a word of comment', '-A PRE -p tcp -m comment --comment "\\"" -j DNAT --to-destination 10.9.0.2'],
	[0, 'ip6', 'an address', '-A PRE -p tcp -j DNAT --to-destination fd00::8450'],
	[0, 'ip', 'another table', '-A PRE -p tcp -m tcp --dport 8450 -j DNAT --to-destination 10.9.0.2', 'filter'],
	[0, 'ip', 'no ports', '-A PRE -p tcp -m tcp --dport -j DNAT --to-destination']);

sub test_iptables {
	for (@iptables) {
		my ($want, $family, $name, $rule, $table) = (@$_, 'nat');
		my $saved = join("\n", '# Generated', '*mangle', ':PRE ACCEPT [0:0]', 'COMMIT', "*$table", ':PRE ACCEPT [0:0]',
			'-A PRE -p udp -m udp --dport 53 -j DNAT --to-destination 10.9.0.3', $rule, 'COMMIT', '# Completed');

		fresh();
		programs({ ($family eq 'ip' ? 'iptables-save ' : 'ip6tables-save ') => $saved });
		run('gtw', 'set', '10.9.0.2');
		is(join('', grep { /warning/ } split(/^/, $err)), $want ? "mailwall: warning: iptables' table $family nat, chain PRE, " .
			"has 8450 in DNAT: that publishes the Management Console, and ADM alone keeps others out; take it out " .
			"there and reach the console by the gateway's own address\n" : '', "iptables: $name: " .
			($want ? 'found' : 'not the console'));
	}
}

# Which programs are run, and in which surroundings.
sub test_programs {
	fresh();
	run('gtw', 'set', 'this', 'port:tap0', '10.9.0.2');
	programs({ $links => $tap, $qdiscs => $clsact, $route => $lan });
	my %evil = (PATH => "$temp:/usr/bin:/bin", LC_ALL => 'de_DE.UTF-8', TC_LIB_DIR => $temp);
	spurt("$temp/$_", "#!/bin/sh\ntouch $temp/taken\n"), chmod(0755, "$temp/$_") for 'ip', 'nft', 'tc', 'ethtool';
	is(run(\%evil, 'gtw', 'show'), 0, 'gtw show with a PATH and a language of its own');
	ok(!-e "$temp/taken", 'none is taken from it');
	my @asked = split(/\n/, slurp("$dir/programs/asked"));
	is_deeply(\@asked, [$links, $flowtables, $qdiscs,
		map({ "tc -j filter show dev $_" } 'tap0 ingress', 'tap0 egress', 'eth0 ingress'), 'ethtool -k tap0', $route,
		'nft -j -t list ruleset', 'iptables-save ', 'ip6tables-save '], 'what is asked');
	is_deeply([grep { !/^export PWD=/ } split(/\n/, slurp("$dir/programs/environment"))],
		[("export LC_ALL='C'", "export PATH='/usr/sbin:/usr/bin:/sbin:/bin'") x @asked],
		'in a plain environment');
	unlink("$dir/programs/asked");
	run('gtw', 'set', 'this');
	run($_->[0], @$_[1 .. $#$_]) for ['gtw', 'show'], ['status'], ['status', '--json'];
	ok(!-e "$dir/programs/asked", 'of this host alone nothing is asked');
	run('gtw', 'set', 'port:tap0');
	unlink("$dir/programs/asked") or die;
	run({ FAKE_OPEN => 'EACCES' }, 'status');
	ok(!-e "$dir/programs/asked", 'nor without rights');
}

in_builds(['what passes by' => \&test_cases], ['published' => \&test_published],
	['published by iptables' => \&test_iptables], ['programs' => \&test_programs]);
