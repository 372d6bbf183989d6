#!/usr/bin/perl
# Commands that show: status and explain. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

sub test_status {
	fresh();
	works('status', 'status');
	for my $i (0 .. $#table) {
		my ($port, $source, $target) = split(/ /, $table[$i]);
		my @count = (1 + $i, 100 + $i, 12345678900 + $i);
		like($out, qr/^ *$port +$source +$target +$count[0] +$count[1] +$count[2]$/m,
			"status: row $table[$i] with its counters");
	}
	like($out, qr/^mode +enforce:/m, 'status: mode');
	like($out, qr/^ADM +empty/m, 'status: ADM is empty');
	like($out, qr/^log +off .*rate limit: 7/m, 'status: log');
	like($out, qr/^change +none waits/m, 'status: no change waits');
	like($out, qr/\Amode .*\ngateways .*\nchange .*(?:\nsaved .*(?:\n .*)*)?\n\ndenied .*(?:\n  .*){2}\nwould-deny .*(?:\n  .*){2}\n\n PORT /,
		'status: first what matters at night, then the rows');
	like($out, qr/^generation +1$/m, 'status: generation');
	my ($module, $speaks) = $old ? ($old, 1) : ($release, $abi);
	like($out, qr/^module +\Q$module\E \(ABI $speaks\)$/m, 'status: module');
	like($out, $old ? qr/^gateways +this$/m : qr/^gateways +this  seen in 3000, out 4000$/m, 'status: gateways');
	unlike($out, qr/behind|^flows|^this host/m, '... none of them behind');
	my $reasons = qr/ +malformed +flags +peer +no-connection +closed\n/;
	like($out, qr/^denied$reasons  in +1000 +1001 +1002 +1003 +1004\n  out +1010 +1011 +1012 +1013 +1014$/m,
		'status: denied');
	like($out, qr/^would-deny$reasons  in +2000 +2001 +2002 +2003 +2004\n  out +2010 +2011 +2012 +2013 +2014$/m,
		'status: would-deny');
	unlike($out, qr/.{81}/, 'status: no line is longer than 80 columns');
	run('adm', 'set', '192.0.2.0/24', '2001:db8::/32');
	run('site', 'add', '22', 'ADM', 'GTW');
	run('log', 'nflog:5');
	run('mode', 'audit', '--confirm=100');
	works('status of a fuller policy', 'status');
	like($out, qr/^mode +audit:/m, '... mode');
	like($out, qr/^ADM +192\.0\.2\.0\/24\n +2001:db8::\/32$/m, '... ADM');
	like($out, qr/^ +22 +ADM +GTW +12 +111 +12345678911  site$/m, '... site row');
	like($out, qr/^log +nflog:5 /m, '... log');
	like($out, qr/^change +waits: reverts in (100|99|98) seconds/m, '... change that waits');
	json('status --json', "j['complete'] is True and j['mode'] == 'audit' and j['generation'] == 5"
		. " and j['adm'] == ['192.0.2.0/24', '2001:db8::/32'] and j['log'] == 'nflog:5'"
		. " and j['log_held'] == 7 and 90 < j['reverts_in_seconds'] <= 100"
		. " and j['module'] == {'release': '$module', 'abi': $speaks} and j['gtw'] == ['this']"
		. " and j['seen'] == {'this': " . ($old ? 'None' : "{'in': 3000, 'out': 4000}") . "}"
		. " and j['behind'] is None and j['flows'] is None"
		. " and j['command'] == {'release': '$release', 'abi': $abi}", 'status', '--json');
	json('status --json: rows', "[(r['port'], r['source'], r['target'], r['built_in'], r['openings'],"
		. " r['segments'], r['bytes']) for r in j['rows']] == ["
		. join(', ', map { my ($p, $s, $t) = split(/ /, (@table, '22 ADM GTW')[$_]);
			"($p, '$s', '$t', " . ($_ < 11 ? 'True' : 'False') . ', ' . (1 + $_) . ', '
			. (100 + $_) . ', ' . (12345678900 + $_) . ')' } 0 .. 11)
		. "] and all(r['description'].startswith('Access ') for r in j['rows'][:11])"
		. " and j['rows'][11]['description'] is None", 'status', '--json');
	json('status --json: denials', "j['denied'] == {'in': {'malformed': 1000, 'flags': 1001, 'peer': 1002,"
		. " 'no-connection': 1003, 'closed': 1004}, 'out': {'malformed': 1010, 'flags': 1011,"
		. " 'peer': 1012, 'no-connection': 1013, 'closed': 1014}}"
		. " and j['would_deny']['out']['closed'] == 2014", 'status', '--json');
	run('confirm');
	json('status --json: nothing waits', "j['reverts_in_seconds'] is None", 'status', '--json');
	fails('status: an error of the device', 1, qr/status: Input\/output error/,
		{ FAKE_FAIL => 'GET_COUNTERS=EIO' }, 'status');
}

# Gateways behind the host: each with what it saw, and counters apart from the host's own.
sub test_behind {
	fresh();
	run('site', 'add', '22:ADM:GTW');
	run('gtw', 'add', '2001:db8::/64', 'port:tap100i0');
	works('status with gateways behind', 'status');
	like($out, qr/^gateways +this           seen in 3000, out 4000\n +2001:db8::\/64  seen in 3001, out 4001\n +port:tap100i0  seen in 3002, out 4002\nflows +noted 5000, evicted 5001, missed 5002\n/m,
		'... each with what it saw, and the flows');
	my ($here, $behind) = $out =~ /^this host itself\n(.*)^gateways behind this host\n(.*)/ms;
	ok($behind, '... counters of this host and of gateways behind apart') or diag($out);
	for (['this host', $here, 0], ['gateways behind', $behind, 500]) {
		my ($name, $shown, $more) = @$_;
		for my $i (0 .. 11) {
			my ($port, $source, $target) = split(/ /, (@table, '22 ADM GTW')[$i]);
			my @count = map { $_ + $i + $more } 1, 100, 12345678900;
			like($shown, qr/^ *$port +$source +$target +$count[0] +$count[1] +$count[2](  site)?$/m,
				"... $name: row $port $source $target");
		}
		for (['denied', 1000], ['would-deny', 2000]) {
			my ($title, $first) = ($_->[0], $_->[1] + $more);
			my ($in, $out) = map { my $n = $_; join(' +', map { $n + $_ } 0 .. 4) } $first, $first + 10;
			like($shown, qr/^$title +malformed .*\n  in +$in\n  out +$out$/m, "... $name: $title");
		}
	}
	unlike($out, qr/.{81}/, '... no line is longer than 80 columns');
	json('status --json', "j['gtw'] == ['this', '2001:db8::/64', 'port:tap100i0'] and j['seen'] =="
		. " {'this': {'in': 3000, 'out': 4000}, '2001:db8::/64': {'in': 3001, 'out': 4001},"
		. " 'port:tap100i0': {'in': 3002, 'out': 4002}}"
		. " and j['flows'] == {'noted': 5000, 'evicted': 5001, 'missed': 5002}", 'status', '--json');
	json('... counters apart', "[(b['port'], b['source'], b['built_in'], b['openings'] - h['openings'],"
		. " b['segments'] - h['segments'], b['bytes'] - h['bytes'])"
		. " for h, b in zip(j['rows'], j['behind']['rows'], strict=True)]"
		. " == [(h['port'], h['source'], h['built_in'], 500, 500, 500) for h in j['rows']]"
		. " and len(j['rows']) == 12 and j['rows'][0]['openings'] == 1", 'status', '--json');
	json('... and denials', "all(j['behind'][a][b][c] == j[a][b][c] + 500 for a in ('denied', 'would_deny')"
		. " for b in ('in', 'out') for c in ('malformed', 'flags', 'peer', 'no-connection', 'closed'))"
		. " and j['denied']['in']['malformed'] == 1000", 'status', '--json');
	run('gtw', 'set', '10.0.0.1');
	json('status --json without this host', "j['seen'] == {'10.0.0.1': {'in': 3000, 'out': 4000}}", 'status',
		'--json');
}

# A module with a row and a reason more than the command knows of; and one that gets rows
# between two calls.
sub test_other_rows {
	fresh();
	run('site', 'add', '22:ADM:GTW');
	my $more = { FAKE_ROW => 2525 };
	works('status: a module with a row more', $more, 'status');
	like($out, qr/^ +2525 +ANY +GTW +12 +111 +12345678911$/m, '... has it as built-in');
	like($out, qr/^ +22 +ADM +GTW +13 +112 +12345678912  site$/m, '... and the site row as such');
	json('status --json: a module with a row more', "[(r['port'], r['built_in'], r['description'])"
		. " for r in j['rows'][11:]] == [(2525, True, None), (22, False, None)]", $more, 'status', '--json');
	json('... and of reasons those that it knows', "j['denied']['in'] == {'malformed': 1000, 'flags': 1001,"
		. " 'peer': 1002, 'no-connection': 1003, 'closed': 1004} and j['would_deny']['out']['malformed'] == 2010",
		$more, 'status', '--json');
	works('status without rights: a module with a row more', { %$more, FAKE_OPEN => 'EACCES' }, 'status');
	like($out, qr/^ +2525 +ANY +GTW$/m, '... has it as built-in');
	run('gtw', 'add', '10.0.0.1');
	json('... of gateways behind too', "[(r['port'], r['built_in']) for r in j['behind']['rows'][11:]]"
		. " == [(2525, True), (22, False)] and j['behind']['denied']['in'] == {'malformed': 1500,"
		. " 'flags': 1501, 'peer': 1502, 'no-connection': 1503, 'closed': 1504}", $more, 'status', '--json');
	run('gtw', 'set', 'this');
	json('status: a row comes in between', "[r['port'] for r in j['rows'][10:]] == [995, 22]",
		{ FAKE_LATE => 1 }, 'status', '--json');
	fails('status: more than the command has room for', 1, qr/status: .*upgrade the command/,
		{ FAKE_FAIL => 'GET_POLICY=ENOSPC' }, 'status');
}

sub test_explain {
	fresh();
	run('adm', 'set', '192.0.2.0/24', '2001:db8:1::/48');
	run('site', 'add', '22:ADM:GTW', '443:GTW:ANY', '5000:GTW:ADM');
	spurt("$dir/connections", "203.0.113.1 40000 198.51.100.1 587\n" .
		"2001:db8::1 40000 2001:db8::25 587\n");
	my ($peer, $gtw) = ('198.51.100.1', '203.0.113.1');
	my @cases = (
		# direction, source, target, options, first line, more
		['in', "$peer:40000", "$gtw:25", [], 'allowed by the row "25 ANY GTW"', qr/built-in row: Access from email servers to send/],
		['in', '[2001:db8::25]:40000', '[2001:db8::1]:995', [], 'allowed by the row "995 ANY GTW"'],
		['in', "192.0.2.9:40000", "$gtw:8450", [], 'allowed by the row "8450 ADM GTW"'],
		['in', '[2001:db8:1::9]:40000', '[2001:db8::1]:8450', [], 'allowed by the row "8450 ADM GTW"'],
		['in', "192.0.2.9:40000", "$gtw:22", [], 'allowed by the row "22 ADM GTW"', qr/site row/],
		['in', "$peer:40000", "$gtw:8450", [], 'denied: peer', qr/"8450 ADM GTW" is for ADM only.*mailwall\s+adm\s+add\s+\Q$peer\E/s],
		['out', "$gtw:8450", "$peer:40000", ['--flags=ACK'], 'denied: peer', qr/8450 ADM GTW/],
		['out', "$gtw:40000", "$peer:5000", [], 'denied: peer', qr/"5000 GTW ADM"/],
		['out', "$gtw:25", "$peer:5000", [], 'denied: peer', qr/"5000 GTW ADM"/],
		['in', "$peer:40000", "$gtw:8080", [], 'denied: closed', qr/no row opens port 8080 of this host: .*site\s+add\s+8080\s+ANY\s+GTW/s],
		['out', "$gtw:40000", "$peer:444", [], 'denied: closed', qr/connect to port 444 elsewhere: .*site\s+add\s+444\s+GTW\s+ANY/s],
		['in', "$peer:40000", "$gtw:8080", ['--flags=ACK'], 'denied: closed', qr/no row opens port 8080 .*to port 40000/s],
		['out', "$gtw:40000", "$peer:443", [], 'allowed by the row "443 GTW ANY"'],
		['in', "$peer:587", "$gtw:40000", ['--flags=SYN,ACK'], 'allowed by the row "587 GTW ANY"', qr/connection this host holds it/],
		['in', "[2001:db8::25]:587", "[2001:db8::1]:40000", ['--flags=ack'], 'allowed by the row "587 GTW ANY"'],
		['in', "$peer:587", "$gtw:40001", ['--flags=SYN,ACK'], 'denied: no-connection', qr/no connection from its port\s+40001 to\s+\Q$peer\E\s+port\s+587.*connection this host has none/s],
		['in', "$peer:587", "$gtw:40001", ['--flags=ACK', '--connection=held'], 'allowed by the row "587 GTW ANY"', qr/held, as stated/],
		['in', "$peer:587", "$gtw:40000", ['--flags=ACK', '--connection=none'], 'denied: no-connection', qr/none, as stated/],
		['in', "$peer:587", "$gtw:40000", ['--flags=ACK', '--connection=ask'], 'allowed by the row "587 GTW ANY"'],
		['in', "$peer:587", "$gtw:40000", ['--flags=SYN'], 'denied: closed'],
		['in', "$peer:1", "$gtw:25", ['--flags=SYN,FIN'], 'denied: flags', qr/FIN\+SYN is no combination/],
		['in', "$peer:1", "$gtw:25", ['--flags=none'], 'denied: flags', qr/no flags/],
		['in', "$peer:1", "$gtw:25", ['--flags=SYN,ECE,CWR'], 'allowed by the row "25 ANY GTW"', qr/SYN\+ECE\+CWR/],
		['in', "$peer:1", "$gtw:25", ['--data-offset=4'], 'denied: malformed', qr/16 bytes long .* of 16 bytes/],
		['in', "$peer:1", "$gtw:25", ['--data-offset=8', '--length=31'], 'denied: malformed', qr/32 bytes long .* of 31 bytes/],
		['in', "$peer:1", "$gtw:25", ['--data-offset=8', '--length=32'], 'allowed by the row "25 ANY GTW"'],
		['in', "$peer:1", "$gtw:25", ['--length=19'], 'denied: malformed'],
		['in', "$peer:1", "$gtw:8080", ['--device=lo'], 'not judged', qr/loopback/],
		['in', "$peer:0", "$gtw:0", [], 'denied: closed'],
	);
	for my $case (@cases) {
		my ($way, $source, $target, $options, $first, $more) = @$case;
		my $name = "explain $way $source $target @$options";
		my $code = run('explain', $way, $source, $target, @$options);
		my ($got) = $out =~ /^(.*)\n/;
		ok($code eq 0 && $err eq '' && $got eq $first && (!$more || $out =~ $more), $name)
			or diag("exit $code\n$out$err");
		my ($local, $remote) = $way eq 'in' ? ($target, $source) : ($source, $target);
		my ($local_port) = $local =~ /(\d+)$/;
		my ($other, $remote_port) = $remote =~ /^\[?(.*?)\]?:(\d+)$/;
		like($out, qr/^  local +port $local_port,.*\n  remote +port $remote_port,.*\n  peer +\Q$other\E$/m,
			'... which side is which');
	}
	my @denied = ('explain', 'in', "$peer:40000", "$gtw:8080");
	run(@denied);
	like($out, qr/outcome +mode enforce: it is dropped silently/, 'explain: enforce, in');
	run('explain', 'out', "$gtw:40000", "$peer:444");
	like($out, qr/outcome +mode enforce: .*Connection refused/, 'explain: enforce, out');
	json('explain --json: denied', "j['verdict'] == 'deny' and j['reason'] == 'closed' and j['row'] is None"
		. " and j['mode'] == 'enforce' and j['connection'] is None", @denied, '--json');
	json('explain --json: allowed', "j['verdict'] == 'allow' and j['reason'] is None"
		. " and j['row']['port'] == 587 and j['row']['source'] == 'GTW' and j['connection'] is True",
		'explain', 'in', "$peer:587", "$gtw:40000", '--flags=ACK', '--json');
	json('explain --json: no connection', "j['reason'] == 'no-connection' and j['connection'] is False",
		'explain', 'in', "$peer:587", "$gtw:40001", '--flags=ACK', '--json');
	json('explain --json: loopback', "j['verdict'] == 'unjudged' and j['reason'] is None and j['row'] is None",
		@denied, '--device=lo', '--json');
	run('mode', 'audit');
	run(@denied);
	like($out, qr/outcome +mode audit: it passes, counted as would-deny/, 'explain: audit');
	run('mode', 'off');
	run(@denied);
	like($out, qr/^not judged\n +why +the mode is off.*outcome +mode off: it passes, nothing is judged/s, 'explain: off');
	fails('explain: no such device', 1, qr/device "nosuch0": there is none/, @denied, '--device=nosuch0');
}

# A segment through this host: for which gateway, which way, by what, and its flow. The devices
# are those of fake_device.c: lo, wan0, gw0, and br0 with its ports tap0 and tap1.
sub test_forward {
	fresh();
	run('adm', 'set', '192.0.2.0/24');
	run('site', 'add', '5000:GTW:ADM', '26:ANY:GTW');
	run('gtw', 'set', '10.9.0.2', '2001:db8:9::/64', 'port:tap0', 'port:gw0');
	my ($any, $gw, $other) = ('198.51.100.1', '10.9.0.2', '10.9.0.3');
	spurt("$dir/routes", "$any wan0\n192.0.2.9 wan0\n$gw br0\n$other gw0\n2001:db8:9::2 gw0\n2001:db8::1 wan0\n");
	spurt("$dir/flows", "$gw 50000 $any 587 br0\n$other 50000 $any 587 wan0\n" .
		"2001:db8:9::2 50000 2001:db8::1 587 gw0\n$gw 50001 $any 587 tap0\n");
	my @by = ('--in=wan0', '--out=br0');
	my $routed = qr/devices +wan0 \(by this host's route\) -> br0 \(by this host's route\)\n/;
	my @cases = (
		# source, target, options, first line, what follows
		["$any:40000", "$gw:25", [], 'allowed by the row "25 ANY GTW"',
			qr/why +built-in row: Access.*forward +SYN \Q$any\E port 40000 -> \Q$gw\E port 25\n +${routed} +inbound +for the gateway 10\.9\.0\.2: allowed by the row "25 ANY GTW"\n +local +port 25, on that gateway \(\Q$gw\E\)\n +remote +port 40000, on the other side\n +peer +\Q$any\E\n +judged at +FORWARD$/sm],
		['[2001:db8::1]:40000', '[2001:db8:9::2]:995', [], 'allowed by the row "995 ANY GTW"',
			qr/for the gateway 2001:db8:9::\/64: allowed/],
		["$any:40000", "$gw:8080", [], 'denied: closed',
			qr/no row opens port 8080 of the gateway 10\.9\.0\.2: to open it, mailwall\s+site add 8080 ANY\s+GTW.*outcome +mode enforce: it is dropped silently/s],
		["$any:40000", "$gw:8450", [], 'denied: peer', qr/"8450 ADM GTW" is for ADM only/],
		["$any:1", "$gw:25", ['--flags=SYN,FIN'], 'denied: flags', qr/inbound +for the gateway.*denied: flags/],
		["$any:1", "$gw:25", ['--length=19'], 'denied: malformed', qr/denied: malformed/],
		# outbound: the flow
		["$gw:50000", "$any:587", [], 'allowed by the row "587 GTW ANY"',
			qr/outbound +for the gateway 10\.9\.0\.2: .*local +port 50000, on that gateway.*flow +noted: replies/s],
		["$gw:50000", "$any:587", ['--in=wan0'], 'allowed by the row "587 GTW ANY"',
			qr/devices +wan0 -> wan0 \(by.*flow +not noted, so that replies are denied: this host's\s+route/s],
		["$gw:50000", "$any:587", ['--flags=RST'], 'allowed by the row "587 GTW ANY"', qr/flow +not noted: it is a RST/],
		["$gw:25", "$any:587", [], 'allowed by the row "587 GTW ANY"', qr/flow +not needed: a row opens/],
		["$gw:25", "$any:40000", ['--flags=ACK'], 'allowed by the row "25 ANY GTW"', qr/flow +not needed/],
		["$gw:50000", "$any:444", [], 'denied: closed',
			qr/no row lets the gateway 10\.9\.0\.2\s+connect to port 444\s+elsewhere.*outcome +mode enforce: .*ICMP, "administratively/s],
		["$gw:50000", "$any:444", ['--flags=ACK'], 'denied: closed', qr/outcome +mode enforce: it is dropped silently/],
		["$gw:40000", "192.0.2.9:5000", [], 'allowed by the row "5000 GTW ADM"', qr/flow +noted/],
		# its replies
		["$any:587", "$gw:50000", ['--flags=SYN,ACK'], 'allowed by the row "587 GTW ANY"',
			qr/connection the gateway has sent on this flow\n/],
		["$any:587", "$gw:50002", ['--flags=SYN,ACK'], 'denied: no-connection',
			qr/the\s+gateway\s+10\.9\.0\.2\s+has\s+sent\s+nothing\s+lately\s+from\s+its\s+port\s+50002.*connection the gateway has not sent/s],
		["$any:587", "$gw:50000", ['--flags=SYN,ACK', '--out=gw0'], 'denied: no-connection', qr/-> gw0\n/],
		["$any:587", "$other:50000", ['--flags=SYN,ACK'], 'denied: no-connection',
			qr/inbound +for the gateway port:gw0: /],
		['[2001:db8::1]:587', '[2001:db8:9::2]:50000', ['--flags=ACK'], 'allowed by the row "587 GTW ANY"'],
		["$any:587", "$gw:50002", ['--flags=ACK', '--connection=held'], 'allowed by the row "587 GTW ANY"', qr/held, as stated/],
		["$any:587", "$gw:50000", ['--flags=ACK', '--connection=none'], 'denied: no-connection', qr/none, as stated/],
		# the port of a bridge first, then addresses
		["$gw:50000", "$any:587", ['--in=tap0', '--out=tap1'], 'allowed by the row "587 GTW ANY"',
			qr/outbound +for the gateway port:tap0: .*judged at  the bridge,.*flow +noted/s],
		["$gw:50000", "$any:444", ['--in=tap0', '--out=wan0'], 'denied: closed',
			qr/for the gateway port:tap0: .*outcome|outcome +mode enforce: it is dropped silently/s],
		["$gw:50000", "$any:587", ['--in=tap1', '--out=wan0'], 'allowed by the row "587 GTW ANY"',
			qr/outbound +for the gateway 10\.9\.0\.2: .*judged at  FORWARD\n.*flow +noted/s],
		["$any:40000", "$gw:25", ['--in=tap1', '--out=tap1'], 'allowed by the row "25 ANY GTW"',
			qr/judged at  FORWARD, but only if br_netfilter shows/],
		["$any:587", "$gw:50001", ['--in=tap1', '--out=tap0', '--flags=ACK'], 'allowed by the row "587 GTW ANY"',
			qr/inbound +for the gateway port:tap0: /],
		["$any:587", "$gw:50001", [@by, '--flags=ACK'], 'denied: no-connection', qr/10\.9\.0\.2/],
		["$any:587", "$gw:50001", ['--out=tap0', '--flags=ACK'], 'allowed by the row "587 GTW ANY"',
			qr/inbound +for the gateway port:tap0: /],
		# from one to another: outbound first, and both
		["$gw:50000", "$other:25", [], 'allowed by the row "25 ANY GTW"',
			qr/outbound +for the gateway 10\.9\.0\.2: allowed by the row "25 GTW ANY"\n.*inbound +for the gateway port:gw0: allowed by the row "25 ANY GTW"\n/s],
		["$gw:50000", "$other:26", [], 'denied: closed',
			qr/lets the gateway 10\.9\.0\.2\s+connect to port 26.*outbound +for the gateway 10\.9\.0\.2: denied: closed\n.*inbound +for the gateway port:gw0: allowed by the row "26 ANY GTW"\n/s],
		["$gw:50000", "$other:5000", [], 'denied: peer', qr/ADM does not hold the peer \Q$other\E/],
		["192.0.2.9:50000", "$other:587", ['--in=tap0'], 'allowed by the row "587 ANY GTW"'],
		# nobody's
		["$any:40000", "192.0.2.9:8080", [], 'not judged',
			qr/neither comes from a gateway nor goes to one.*outcome +it passes\n.*devices +wan0 .*-> wan0 [^\n]*\n$/s],
		["$any:40000", "203.0.113.99:8080", [], 'not judged', qr/-> \? \(by this host's route\)/],
		["$any:40000", "$gw:25", ['--in=lo'], 'not judged', qr/loopback/],
	);
	for my $case (@cases) {
		my ($source, $target, $options, $first, $more) = @$case;
		my $name = "explain forward $source $target @$options";
		my $code = run('explain', 'forward', $source, $target, @$options);
		my ($got) = $out =~ /^(.*)\n/;
		ok($code eq 0 && $err eq '' && $got eq $first && (!$more || $out =~ $more), $name)
			or diag("exit $code\n$out$err");
		unlike($out, qr/.{121}/, '... fits the page');
	}
	my @both = ('explain', 'forward', "$gw:50000", "$other:26", '--json');
	json('explain forward --json', "j['verdict'] == 'deny' and j['reason'] == 'closed' and j['row'] is None"
		. " and j['in'] == 'br0' and j['out'] == 'gw0' and [(o['gtw'], o['direction'], o['verdict'],"
		. " o['reason'], o['row'] and o['row']['port'], o['connection'], o['place'], o['notes_flow'])"
		. " for o in j['judgements']] == [('10.9.0.2', 'out', 'deny', 'closed', None, None, 'forward', False),"
		. " ('port:gw0', 'in', 'allow', None, 26, None, 'forward', False)]", @both);
	json('explain forward --json: a port', "j['in'] == 'tap0' and j['out'] == 'tap1' and [(o['gtw'], o['place'],"
		. " o['notes_flow']) for o in j['judgements']] == [('port:tap0', 'bridge', True)]", 'explain', 'forward',
		"$gw:50000", "$any:587", '--in=tap0', '--out=tap1', '--json');
	json('explain forward --json: a reply', "j['connection'] is True and j['judgements'][0]['connection'] is True",
		'explain', 'forward', "$any:587", "$gw:50000", '--flags=ACK', '--json');
	json('explain forward --json: nobody', "j['verdict'] == 'unjudged' and j['judgements'] == []"
		. " and j['in'] == 'wan0' and j['out'] is None", 'explain', 'forward', "$any:40000", '203.0.113.99:8080',
		'--json');
	fails('explain forward: no such device', 1, qr/device "nosuch0": there is none/, 'explain', 'forward',
		"$any:40000", "$gw:25", '--out=nosuch0');
	run('mode', 'audit');
	run('explain', 'forward', "$gw:50000", "$any:444");
	like($out, qr/outcome +mode audit: it passes/, 'explain forward: audit');
	run('mode', 'off');
	run('explain', 'forward', "$gw:50000", "$any:444");
	like($out, qr/^not judged\n +why +the mode is off/, 'explain forward: off');
}

# What this host itself exchanges with others, where there are gateways behind it.
sub test_beside {
	my ($gw, $own, $any) = ('10.9.0.2', '10.9.0.1', '198.51.100.1');
	my $start = sub {
		fresh();
		run('gtw', 'set', @_);
		spurt("$dir/routes", "$gw gw0\n$any wan0\n");
		spurt("$dir/connections", "$own 40000 $gw 25\n");
		spurt("$dir/flows", "$gw 50000 $own 587 gw0\n");
	};
	my $is = sub {
		my ($name, $want, @words) = @_;
		my $code = run('explain', @words, '--json');
		open(my $python, '-|', '/usr/bin/python3', '-c', <<'END', "$temp/out") or die;
import json, sys
with open(sys.argv[1]) as file:
    j = json.load(file)
print(j["verdict"], *(f"{o['gtw']}:{o['direction']}:{o['reason'] or o['row']['port']}:{o['place']}" for o in j["judgements"]))
END
		my $got = join('', <$python>);
		is("$code $got", "0 $want\n", "$name: @words") or diag($err);
	};

	$start->('port:gw0');
	$is->('this host is no GTW', 'unjudged', 'in', "$any:40000", "$own:8080");
	$is->('this host is no GTW', 'unjudged', 'out', "$own:40000", "$any:8080");
	$is->('but the gateway is', 'deny port:gw0:out:closed:host', 'in', "$gw:40000", "$own:8080");
	$is->('but the gateway is', 'allow port:gw0:out:25:host', 'in', "$gw:40000", "$own:25");
	$is->('by another device', 'unjudged', 'in', "$gw:40000", "$own:8080", '--device=wan0');
	$is->('to the gateway', 'deny port:gw0:in:closed:host', 'out', "$own:40000", "$gw:8080");
	$is->('a reply to it', 'allow port:gw0:in:587:host', 'out', "$own:587", "$gw:50000", '--flags=ACK');
	run('explain', 'out', "$own:40000", "$gw:8080");
	like($out, qr/no row opens port 8080 of the gateway port:gw0.*outcome .*Connection refused.*device +gw0 \(by this host's route\)\n +inbound +for the gateway port:gw0: denied: closed/s,
		'explain out to a gateway behind, in words');
	run('explain', 'in', "$gw:40000", "$own:8080");
	like($out, qr/outcome +mode enforce: it is dropped silently/, 'explain in from a gateway behind, in words');
	run('explain', 'in', "$any:40000", "$own:8080");
	like($out, qr/^not judged\n +why +it neither comes from a gateway nor goes to one/, 'no GTW, in words');

	$start->('this', $gw);
	$is->('both are', 'allow 10.9.0.2:out:25:host this:in:25:host', 'in', "$gw:40000", "$own:25");
	$is->('both are, outbound first', 'allow this:out:25:host 10.9.0.2:in:25:host', 'out', "$own:40000", "$gw:25");
	$is->('of this host the connection is its own', 'allow 10.9.0.2:out:25:host this:in:25:host', 'in', "$gw:25",
		"$own:40000", '--flags=ACK');
	$is->('which it has not', 'deny 10.9.0.2:out:25:host this:in:no-connection:host', 'in', "$gw:25", "$own:40001",
		'--flags=ACK');
	$is->('and no other', 'deny this:in:closed:host', 'in', "$any:40000", "$own:8080");
	run('explain', 'in', "$gw:25", "$own:40001", '--flags=ACK');
	like($out, qr/this host\s+has no connection from its\s+port\s+40001.*outbound +for the gateway 10\.9\.0\.2: allowed.*inbound +for this host: denied: no-connection.*connection this host has none\n$/s,
		'... in words');
}

in_builds(['forward' => \&test_forward], ['beside gateways' => \&test_beside],
	['status' => \&test_status, 'too'], ['gateways behind' => \&test_behind], ['other rows' => \&test_other_rows],
	['explain' => \&test_explain]);
