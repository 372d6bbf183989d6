#!/usr/bin/perl
# "watch": denied segments from nfnetlink_log's own messages, those lost, and the summary. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Socket qw(AF_INET AF_INET6 inet_pton);
use Test::More;

my ($SYN, $RST, $ACK) = (2, 4, 16);

sub attribute {
	my ($type, $value) = @_;
	my $length = 4 + length($value);
	return pack('SS', $length, $type) . $value . "\0" x (-$length & 3);
}

sub tcp {
	my ($source, $target, $flags) = @_;
	return pack('nnNNCCnnn', $source, $target, 1, 0, 5 << 4, $flags, 1, 0, 0);
}

sub ipv4 {
	my ($source, $target, $payload, %more) = @_;
	return pack('CCnnnCCn', $more{head} // 0x45, 0, 20 + length($payload), 1, $more{fragment} // 0, 64, 6, 0)
		. inet_pton(AF_INET, $source) . inet_pton(AF_INET, $target) . $payload;
}

sub ipv6 {
	my ($source, $target, $next, $payload) = @_;
	return pack('NnCC', 6 << 28, length($payload), $next, 64)
		. inet_pton(AF_INET6, $source) . inet_pton(AF_INET6, $target) . $payload;
}

# logged(SEQUENCE, PREFIX, PACKET, [IN, OUT, PROTOCOL]): a message of linux/netfilter/nfnetlink_log.h
sub logged {
	my ($sequence, $prefix, $packet, %more) = @_;
	my $body = pack('CCn', 2, 0, 5)
		. attribute(1, pack('nCC', $more{protocol} // 0x0800, 1, 0))
		. attribute(10, "$prefix\0")
		. (defined $more{in} ? attribute(4, pack('N', $more{in})) : '')
		. (defined $more{out} ? attribute(5, pack('N', $more{out})) : '')
		. attribute(9, $packet) . attribute(12, pack('N', $sequence))
		. attribute(700, 'of a newer kernel');
	return pack('LSSLL', 16 + length($body), 4 << 8, 0, 0, 0) . $body;
}

# comes(DATAGRAM...): what the kernel sends; an empty one stands for those that did not fit
sub comes {
	spurt("$dir/nflog", join('', map { pack('L', length) . $_ } @_));
}

my ($gtw, $any, $gtw6, $any6) = ('192.0.2.1', '198.51.100.9', '2001:db8::1', '2001:db8:5::9');
my $deny = 'mailwall: deny';

sub ready {
	fresh();
	run('log', 'nflog:5');
	comes(@_);
}

sub test_lines {
	ready(logged(0, "$deny in closed ", ipv4($any, $gtw, tcp(40000, 8080, $SYN)), in => 2),
		logged(1, 'mailwall: would-deny out peer ', ipv6($gtw6, $any6, 6, tcp(8450, 50000, $SYN | $ACK)),
			out => 3, protocol => 0x86dd)
		# one datagram may hold several
		. logged(2, 'of another rule', ipv4($any, $gtw, tcp(1, 2, $SYN)))
		. logged(3, "$deny in malformed ", ipv4($any, $gtw, "\0" x 8), in => 99));
	works('watch', 'watch');
	my @lines = split(/\n/, $out);
	is(@lines, 3, '... a line for each of ours') or diag($out);
	like($lines[0], qr/^\d\d:\d\d:\d\d deny in closed 198\.51\.100\.9:40000 -> 192\.0\.2\.1:8080 SYN in by wan0$/,
		'... IPv4');
	like($lines[1], qr/^\S+ would-deny out peer \[2001:db8::1\]:8450 -> \[2001:db8:5::9\]:50000 SYN\+ACK out by gw0$/,
		'... IPv6');
	like($lines[2], qr/^\S+ deny in malformed 198\.51\.100\.9 -> 192\.0\.2\.1 in by \?$/,
		'... one without a TCP header, by a device that is gone');
	my $asked = slurp("$dir/nflog.asked");
	my (undef, $type, $flags) = unpack('LSS', $asked);
	is("$type $flags", '1025 5', 'what is asked is a configuration, to be answered');
	is(unpack('n', substr($asked, 18, 2)), 5, '... of the group that the policy has');
	ok(index($asked, attribute(6, pack('n', 1))) > 0, '... with numbers');
	json('watch --json', "j == {'time': j['time'], 'verdict': 'deny', 'direction': 'in', 'reason': 'closed',"
		. " 'source': '$any', 'source_port': 40000, 'target': '$gtw', 'target_port': 8080, 'flags': 'SYN',"
		. " 'in': 'wan0', 'out': None} and j['time'][-1] == 'Z'", 'watch', '--json', '--port=8080');
	works('watch --json', 'watch', '--json');
	like($out, qr/^(\{[^\n]*\}\n){3}\z/, '... a line each');
	like($out, qr/"reason":"malformed","source":"\Q$any\E","source_port":null,.*"flags":null,"in":"\?"/,
		'... null for what cannot be told');
	for (['--in', 2], ['--out', 1], ['--port=50000', 1], ['--port=8080', 1], ['--port=25', 0], ['--in', '--out', 3]) {
		my @options = @$_;
		my $want = pop(@options);
		works("watch @options", 'watch', @options);
		is(scalar(() = $out =~ /\n/g), $want, '... has what it asks for') or diag($out);
	}
	fails('watch --for', 2, qr/write a number from 1 to 604800/, 'watch', '--for=0');
	fails("watch --in=DEVICE", 2, qr/--in and --out take no device with watch/,
		'watch', '--in=lo');
}

# The ways in which a packet may look.
sub test_packets {
	my $tcp = tcp(40000, 8080, $SYN);
	my $hop = pack('CC', 6, 0) . "\0" x 6;
	my @packets = (
		['IPv4 with options', ipv4($any, $gtw, "\1\1\1\0$tcp", head => 0x46), 0x0800, 1],
		['a later fragment of IPv4', ipv4($any, $gtw, $tcp, fragment => 5), 0x0800, 0],
		['IPv6 with hop-by-hop options', ipv6($any6, $gtw6, 0, $hop . $tcp), 0x86dd, 1],
		['a first fragment of IPv6', ipv6($any6, $gtw6, 44, pack('CCnN', 6, 0, 1, 7) . $tcp), 0x86dd, 1],
		['a later fragment of IPv6', ipv6($any6, $gtw6, 44, pack('CCnN', 6, 0, 9, 7) . $tcp), 0x86dd, 0],
		['an authentication header', ipv6($any6, $gtw6, 51, pack('CC', 6, 1) . "\0" x 10 . $tcp), 0x86dd, 1],
		['a VLAN tag', pack('nn', 7, 0x0800) . ipv4($any, $gtw, $tcp), 0x8100, 1],
		['two VLAN tags', pack('nnnn', 7, 0x8100, 8, 0x86dd) . ipv6($any6, $gtw6, 6, $tcp), 0x88a8, 1],
		['PPPoE', pack('CCnnn', 0x11, 0, 1, 42, 0x21) . ipv4($any, $gtw, $tcp), 0x8864, 1],
		['IPv6 in PPPoE', pack('CCnnn', 0x11, 0, 1, 62, 0x57) . ipv6($any6, $gtw6, 6, $tcp), 0x8864, 1],
		['a chain that ends nowhere', ipv6($any6, $gtw6, 0, pack('CC', 6, 200) . "\0" x 6), 0x86dd, 0],
		['a header cut short', substr(ipv4($any, $gtw, $tcp), 0, 33), 0x0800, 0],
	);
	for (@packets) {
		my ($name, $packet, $protocol, $ports) = @$_;
		ready(logged(0, "$deny in closed ", $packet, protocol => $protocol));
		works($name, 'watch');
		my ($from, $to) = ($protocol == 0x86dd || $name =~ /IPv6|two/ ? ($any6, $gtw6) : ($any, $gtw));
		($from, $to) = $from =~ /:/ && $ports ? ("[$from]", "[$to]") : ($from, $to);
		my $want = $ports ? "$from:40000 -> $to:8080 SYN" : "$from -> $to";
		like($out, qr/ deny in closed \Q$want\E$/m, '... is read') or diag($out);
	}
	for my $packet ('', 'E', "\0" x 60) {
		ready(logged(0, "$deny in malformed ", $packet));
		works('what is no packet', 'watch');
		like($out, qr/ deny in malformed \? -> \?$/m, '... says so');
	}
}

sub test_lost {
	my @packets = map { logged($_, "$deny in closed ", ipv4($any, $gtw, tcp(40000, 8080, $SYN))) } 0 .. 9;
	ready(@packets[0, 1, 5]);
	works('some are lost', 'watch');
	like($out, qr/\n.*\n\(3 lost.*\)\n.*\n\z/, '... as many as the numbers miss, where they are missed');
	works('... as JSON', 'watch', '--json');
	like($out, qr/\}\n\{"lost":3\}\n\{/, '... an object of their own');
	ready(@packets[2, 3]);
	works('the first ones are lost', 'watch');
	like($out, qr/^\(2 lost/, '... they too');
	ready($packets[0], '', @packets[1, 2]);
	works('the buffer ran over, but nothing was lost', 'watch');
	unlike($out, qr/lost/, '... the numbers say so');
	ready($packets[0], '');
	works('the buffer ran over at the end', 'watch');
	like($out, qr/\(1 lost/, '... at least one');
	ready(logged(0xffffffff, 'of another', ''), $packets[0]);
	works('numbers begin anew', 'watch');
	like($out, qr/^\(4294967295 lost.*\)\n[^(]*\z/, '... without a gap');
	ready(@packets[0, 4]);
	works('... in the summary', 'watch', '--summary');
	like($out, qr/^3 lost/m, '... are told at its end');
}

sub test_summary {
	my $n = 0;
	ready(map { logged($n++, "mailwall: would-deny $_->[0] ", ipv4($_->[1], $_->[2], tcp(@$_[3 .. 5]))) } (
		(map { ['in closed', "203.0.113.$_", $gtw, 50000, 23, $SYN] } 1 .. 12),
		(['in closed', '203.0.113.7', $gtw, 50001, 23, $SYN]) x 3,
		['in no-connection', $any, $gtw, 443, 50000, $ACK],
		['out closed', $gtw, $any, 50000, 636, $SYN],
		(['out peer', $gtw, $any, 22, 50000, $ACK]) x 2,
	));
	works('watch --summary', 'watch', '--summary');
	my @heads = $out =~ /^((?:in|out).*)$/mg;
	is(join('|', @heads), 'out from port 22: 2 segments|out to port 636: 1 segment|in to port 23: 15 segments'
		. '|in from port 443: 1 segment', '... outbound first, then what is most') or diag($out);
	like($out, qr/^in to port 23: .*\n +4  203\.0\.113\.7 +would-deny closed, last at [\d:]+\n +1  203\.0\.113\.1 /m,
		'... the peer that sent most first');
	like($out, qr/and 2 lines more/, '... of many peers ten');
	works('watch --summary --json', 'watch', '--summary', '--json');
	is(scalar(() = $out =~ /\n/g), 16, '... all of them') or diag($out);
	like($out, qr/^\{"direction":"out","port":22,"side":"local","peer":"\Q$any\E","verdict":"would-deny","reason":"peer","segments":2,"first":\d+,"last":\d+\}\n\{"direction":"out","port":636,"side":"remote",.*"lost":0\}\n\z/s,
		'... in the same order');
	works('watch --summary --out', 'watch', '--summary', '--out');
	unlike($out, qr/^in /m, '... has nothing inbound');
	ready();
	prints('nothing came', "nothing was denied meanwhile\n", 'watch', '--summary');
}

# What is missing is named, with the cure.
sub test_missing {
	fresh();
	comes();
	fails('log=off', 1, qr/nowhere \(log off\).*first "mailwall log nflog", afterwards "mailwall log off"/, 'watch');
	run('log', 'kernel');
	fails('log=kernel', 1, qr/to the kernel's log.*first "mailwall log nflog"/, 'watch');
	run('log', 'nflog:5');
	fails('no nfnetlink_log', 1, qr/no nfnetlink_log: modprobe nfnetlink_log/, { FAKE_NFLOG => 'EINVAL' }, 'watch');
	fails('another reader', 1, qr/another program reads group 5 .*mailwall log nflog:6/, { FAKE_NFLOG => 'EBUSY' },
		'watch');
	mkdir("$dir/netfilter");
	spurt("$dir/netfilter/nfnetlink_log", "    4   4711 0 2 65535  10 1\n    5   4712     0 2   512     10  1\n");
	fails('another reader, as the kernel says it', 1, qr/another program reads group 5 /, { FAKE_NFLOG => 'EPERM' }, 'watch');
	spurt("$dir/netfilter/nfnetlink_log", "   55   4711 0 2 65535  10 1\n    4   5     5 5   5     5  5\n");
	fails('no right to', 1, qr/CAP_NET_ADMIN.*sudo/, { FAKE_NFLOG => 'EPERM' }, 'watch');
	fails('no module', 5, qr/mailwall enable/, { FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' }, 'watch');
	fails('the log is set to something else meanwhile', 1, qr/set the log to off, nothing more comes/,
		{ FAKE_LOG_OFF => 1 }, 'watch', '--for=9');
	run('log', 'nflog:5');
	run('mode', 'off');
	is(run('watch'), 0, 'mode=off');
	like($err, qr/^mailwall: note: the mode is off/, '... is told');
	run('mode', 'audit');
	my $full = run({ TO => '/dev/full' }, 'watch', '--summary');
	is($full, 1, 'a full disk is no success');
}

in_builds(['lines', \&test_lines], ['packets', \&test_packets], ['lost', \&test_lost],
	['summary', \&test_summary], ['missing', \&test_missing]);
