#!/usr/bin/perl
# Commands that change the policy. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

sub test_adm {
	fresh();
	prints('adm show: empty', '', 'adm', 'show');
	prints('adm set', '', 'adm', 'set', '2001:DB8:0:0::/32', '192.0.2.0/24', '10.0.0.1');
	policy_is('... canonical, in order', '10.0.0.1,192.0.2.0/24,2001:db8::/32', '');
	works('adm add', 'adm', 'add', '192.0.2.128/25', '10.0.0.1,::1');
	policy_is('... nested ones stay, duplicates collapse',
		'10.0.0.1,192.0.2.0/24,192.0.2.128/25,::1,2001:db8::/32', '');
	works('adm remove', 'adm', 'remove', '10.0.0.1', '2001:db8::/32');
	policy_is('... are gone', '192.0.2.0/24,192.0.2.128/25,::1', '');
	works('adm set replaces', 'adm', 'set', '192.0.2.0/24');
	my @refused = (
		['adm', qr/adm "192\.0\.2\.5\/24": .*write 192\.0\.2\.0\/24 for the network or 192\.0\.2\.5\/32/,
			'192.0.2.5/24'],
		['second', qr/adm "2001:db8::1\/32": .*write 2001:db8::\/32/, '10.0.0.1', '2001:db8::1/32'],
		['mapped', qr/adm "::ffff:192\.0\.2\.1": IPv4-mapped.*write 192\.0\.2\.1/, '::ffff:192.0.2.1'],
		['zero', qr/adm "192\.0\.02\.1": no address/, '192.0.02.1'],
		['zone', qr/adm "fe80::1%eth0": a prefix has no zone/, 'fe80::1%eth0'],
		['length', qr/adm "192\.0\.2\.0\/33": no prefix length.*0 to 32/, '192.0.2.0/33'],
		['no length', qr/adm "192\.0\.2\.0\/": no prefix length/, '192.0.2.0/'],
		['left over', qr/adm "192\.0\.2\.0\/24x": no prefix length/, '192.0.2.0/24x'],
		['name', qr/adm "admin\.example": no address/, 'admin.example'],
		['sign', qr/adm "\+192\.0\.2\.1": /, '+192.0.2.1'],
		['second sign', qr/adm "\+192\.0\.2\.1": one sign/, '10.0.0.1', '+192.0.2.1'],
		['bytes', qr/adm "\\x1b\[31m\\"\\\\\\xc3\\xa4": no address/, "\x1b[31m\"\\\xc3\xa4"],
		['long', qr/adm "1{240,256}\.\.\.": no address/, '1' x 5000],
		['65 of them', qr/adm "10\.0\.0\.65": more than 64/, map { "10.0.0.$_" } 1 .. 65],
	);
	for my $case (@refused) {
		my ($name, $pattern, @words) = @$case;
		fails("adm set refused: $name", 1, $pattern, 'adm', 'set', @words);
		fails("adm add refused: $name", 1, $pattern, 'adm', 'add',
			$name eq '65 of them' ? @words[1 .. 64] : @words) unless $name =~ /sign|65/;
	}
	fails('adm set refused: minus sign', 1, qr/adm "-192\.0\.2\.1": signs are for sysfs/, 'adm', 'set',
		'--', '-192.0.2.1');
	fails('adm set of nothing', 1, qr/nothing to set.*mailwall adm clear/, 'adm', 'set', '');
	fails('adm set of white space', 1, qr/nothing to set.*mailwall adm clear/, 'adm', 'set', ' ', ', ');
	fails('adm add of nothing', 1, qr/adm "": nothing follows the sign/, 'adm', 'add', '');
	fails('adm remove of what is not there', 1, qr/adm "192\.0\.2\.0\/25": not in ADM/, 'adm', 'remove',
		'192.0.2.0/25');
	fails('adm remove is whole or nothing', 1, qr/adm "10\.9\.9\.9": not in ADM/, 'adm', 'remove',
		'192.0.2.0/24', '10.9.9.9');
	policy_is('refused changes change nothing', '192.0.2.0/24', '');
	works('adm set: 64 of them', 'adm', 'set', map { "10.0.0.$_" } 1 .. 64);
	fails('adm add: a 65th', 1, qr/adm "10\.0\.0\.65": more than 64/, 'adm', 'add', '10.0.0.65');
	works('adm clear', 'adm', 'clear');
	policy_is('... empties it', '', '');
	for my $any ('0.0.0.0/0', '::/0') {
		is(run('adm', 'add', $any), 0, "$any is accepted");
		like($err, qr/^mailwall: warning: adm "\Q$any\E" .*open to the world$/, '... with a warning');
		works('... and removed without one', 'adm', 'remove', $any);
	}
	is(run('adm', 'set', '::/0'), 0, 'adm set ::/0 is accepted');
	like($err, qr/warning: adm "::\/0"/, '... with a warning');
	works('mode needs no warning of ADM', 'mode', 'audit');
}

sub test_site {
	fresh();
	prints('site show: empty', '', 'site', 'show');
	is(run('site', 'add', '22', 'ADM', 'GTW', '443:GTW:ANY'), 0, 'site add: for ADM, which is empty');
	like($err, qr/^mailwall: warning: site "22 ADM GTW": ADM is empty, so this row is closed to all: mailwall adm add PREFIX\n$/,
		'... with a warning');
	works('... said once', 'site', 'add', '80', 'ANY', 'GTW');
	works('site set', 'site', 'set', '53', 'GTW', 'ANY', '80:ANY:GTW');
	policy_is('... replaces them', '', '53 GTW ANY,80 ANY GTW');
	fails('site set of nothing', 1, qr/nothing to set.*mailwall site clear/, 'site', 'set', '');
	fails('site set refused: sign', 1, qr/signs are for sysfs/, 'site', 'set', '+22:ADM:GTW');
	works('site clear', 'site', 'clear');
	works('adm add', 'adm', 'add', '192.0.2.1');
	works('site add: three words', 'site', 'add', '22', 'ADM', 'GTW');
	works('site add: one word', 'site', 'add', '443:GTW:ANY');
	works('site add: quoted', 'site', 'add', '80 ANY GTW');
	works('site add: several', 'site', 'add', '53', 'GTW', 'ANY', '636:GTW:ANY', '2525', 'ANY', 'GTW',
		'111:ADM:GTW,112:ADM:GTW');
	policy_is('... are there', '192.0.2.1', '22 ADM GTW,443 GTW ANY,80 ANY GTW,53 GTW ANY,636 GTW ANY,' .
		'2525 ANY GTW,111 ADM GTW,112 ADM GTW');
	works('site add of one that is there', 'site', 'add', '22', 'ADM', 'GTW');
	works('site remove: both forms', 'site', 'remove', '443', 'GTW', 'ANY', '636:GTW:ANY', '111:ADM:GTW',
		'112:ADM:GTW', '2525:ANY:GTW', '53', 'GTW', 'ANY', '80:ANY:GTW');
	policy_is('... are gone', '192.0.2.1', '22 ADM GTW');
	my @refused = (
		['built-in', qr/site "8450 ANY GTW": the built-in table has this port/, '8450', 'ANY', 'GTW'],
		['built-in, one word', qr/site "25:ADM:GTW": the built-in table/, '25:ADM:GTW'],
		['built-in after another', qr/site "995 GTW ANY": the built-in/, '24', 'ANY', 'GTW', '995', 'GTW',
			'ANY'],
		['clash', qr/site "22 ANY GTW": there is one row for a port and direction, "22 ADM GTW": .*\n.*mailwall site set 22 ANY GTW$/,
			'22', 'ANY', 'GTW'],
		['port 0', qr/site "0 ANY GTW": the port is/, '0', 'ANY', 'GTW'],
		['port 65536', qr/site "65536 ANY GTW": the port is/, '65536', 'ANY', 'GTW'],
		['leading zero', qr/site "022 ANY GTW": .*leading zeros/, '022', 'ANY', 'GTW'],
		['service name', qr/site "ssh ANY GTW": the port is/, 'ssh', 'ANY', 'GTW'],
		['small letters', qr/site "any": SOURCE is one of .*in capitals/, '24', 'any', 'gtw'],
		['a prefix as a source', qr/site "192\.0\.2\.0\/24": SOURCE is one of ANY, ADM and GTW/, '24', '192.0.2.0/24', 'GTW'],
		['a prefix as a target', qr/site "10\.0\.0\.1": TARGET is one of/, '24:GTW:10.0.0.1'],
		['both GTW', qr/site "24 GTW GTW": exactly one/, '24', 'GTW', 'GTW'],
		['none GTW', qr/site "24 ANY ADM": exactly one/, '24', 'ANY', 'ADM'],
		['too few', qr/site "24 ANY": a row is PORT SOURCE TARGET/, '24', 'ANY'],
		['too few before another', qr/site "24 ANY": a row is PORT/, '24', 'ANY', '26', 'ANY', 'GTW'],
		['too many', qr/site "24 ANY GTW x": a row is PORT SOURCE TARGET and no more/, '24', 'ANY', 'GTW',
			'x'],
		['33 of them', qr/site "133:ANY:GTW": more than 32/, map { "$_:ANY:GTW" } 101 .. 109, 111 .. 133],
		['bytes', qr/site "\\x07:ANY:GTW": /, "\a:ANY:GTW"],
	);
	for my $case (@refused) {
		my ($name, $pattern, @words) = @$case;
		fails("site add refused: $name", 1, $pattern, 'site', 'add', @words);
	}
	fails('site remove of what is not there', 1, qr/site "23 ADM GTW": no such site row/, 'site', 'remove',
		'23', 'ADM', 'GTW');
	fails('site remove of a built-in row', 1, qr/site "8450 ADM GTW": no such site row/, 'site', 'remove',
		'8450', 'ADM', 'GTW');
	policy_is('refused changes change nothing', '192.0.2.1', '22 ADM GTW');
	fails('site remove of a port that no row has', 1, qr/site "23": no site row has this port/, 'site', 'remove', '23');
	works('more rows', 'site', 'add', '22:GTW:ANY', '443:GTW:ANY', '2000:ANY:GTW', '2001:ANY:GTW');
	fails('site remove of a port that two rows have', 1,
		qr/site "22": two rows have this port: write 22 (ADM GTW or 22 GTW ANY|GTW ANY or 22 ADM GTW)/, 'site', 'remove', '22');
	fails('... of two, one of which no row has', 1, qr/site "444": no site row/, 'site', 'remove', '443', '444');
	works('site remove by ports and by rows', 'site', 'remove', '443', '22', 'GTW', 'ANY', '2000', '2001:ANY:GTW');
	policy_is('... leaves the rest', '192.0.2.1', '22 ADM GTW');
	works('site remove by its port', 'site', 'remove', '22');
	policy_is('... it is the last', '192.0.2.1', '');
	run('site', 'add', '22:ADM:GTW');
	works('site clear', 'site', 'clear');
	policy_is('... removes all', '192.0.2.1', '');
}

sub test_mode_and_log {
	fresh();
	for my $mode ('audit', 'off', 'enforce') {
		prints("mode $mode", '', 'mode', $mode);
		prints("... is in force", "$mode\n", 'mode');
		prints("... as the device says", "$mode\n", { FAKE_SYSFS => 'none' }, 'mode');
	}
	fails('mode refused', 1, qr/mode "paranoid": no mode: write enforce, audit or off/, 'mode', 'paranoid');
	fails('mode refused: nothing', 1, qr/mode "": no mode/, 'mode', '');
	prints('... changes nothing', "enforce\n", 'mode');
	for my $log ('kernel', 'nflog:5', 'nflog:65535', 'off') {
		prints("log $log", '', 'log', $log);
		prints("... is in force", "$log\n", 'log');
	}
	works('log nflog', 'log', 'nflog');
	prints('... is group 0', "nflog:0\n", 'log');
	fails('log refused', 1, qr/log "syslog": no kind of log/, 'log', 'syslog');
	fails('log refused: group', 1, qr/log "nflog:65536": the nflog group/, 'log', 'nflog:65536');
	prints('... changes nothing', "nflog:0\n", 'log');
	fails('log: no such logger', 1, qr/log "kernel": .*modprobe nf_log_syslog/,
		{ FAKE_FAIL => 'SET_POLICY=ENOENT' }, 'log', 'kernel');
	fails('log: no such logger, nflog', 1, qr/log "nflog:9": .*modprobe nfnetlink_log/,
		{ FAKE_FAIL => 'SET_POLICY=ENOENT' }, 'log', 'nflog:9');
}

sub test_confirm {
	fresh();
	fails('confirm: nothing waits', 1, qr/confirm: no change waits/, 'confirm');
	fails('revert: nothing waits', 1, qr/revert: no change waits/, 'revert');
	prints('a change that waits', "reverts in 50 seconds unless confirmed: mailwall confirm\n",
		'adm', 'set', '192.0.2.1', '--confirm=50');
	for my $change (['adm', 'add', '10.0.0.1'], ['mode', 'off'], ['adm', 'clear'],
		$old ? ['site', 'add', '22:ADM:GTW', '--confirm=9'] : ()) {
		fails("... others are refused: @$change", 1,
			qr/a change waits (50|4\d) more seconds.*mailwall confirm.*mailwall revert/, @$change);
	}
	fails('... also one that finds what it wants', 1, qr/mode: a change waits.*mailwall confirm/, 'mode', 'enforce');
	for my $show (['adm', 'show'], ['site', 'show'], ['gtw', 'show'], ['mode'], ['log']) {
		is(run(@$show), 0, "@$show while a change waits");
		like($err, qr/^mailwall: note: a change waits, .* reverts in (50|4\d) seconds unless "mailwall confirm".*\n$/,
			'... says so');
	}
	prints('confirm', '', 'confirm');
	policy_is('... keeps it, and the refused ones changed nothing', '192.0.2.1', '');
	works('... and others are taken', 'mode', 'audit');
	test_confirm_again() unless $old;
	is(run('mode', 'enforce', '--confirm', '50'), 0, '--confirm SECONDS in two words');
	prints('revert', '', 'revert');
	prints('... undoes it', "audit\n", 'mode');
	run('site', 'add', '22:ADM:GTW', '--confirm=1');
	run('site', 'show');
	is($out, "22 ADM GTW\n", 'a change of one second');
	select(undef, undef, undef, 1.2);
	policy_is('... is gone after it', '192.0.2.1', '');
	fails('... and cannot be confirmed', 1, qr/confirm: no change waits.*reverted/, 'confirm');
	prints('--confirm with nothing to change', "nothing to change, nothing waits to be confirmed\n",
		'adm', 'add', '192.0.2.1', '--confirm=50');
	fails('... nothing waits', 1, qr/no change waits/, 'confirm');
	fails('EBUSY, but the wait is over', 1, qr/was waiting to be confirmed until now/,
		{ FAKE_FAIL => 'SET_POLICY=EBUSY' }, 'mode', 'off');
	fails('confirm without rights', 4, qr/confirm: not permitted: .*CAP_NET_ADMIN/,
		{ FAKE_FAIL => 'CONFIRM=EPERM' }, 'confirm');
	fails('revert without rights', 4, qr/revert: not permitted: .*CAP_NET_ADMIN/,
		{ FAKE_FAIL => 'REVERT=EPERM' }, 'revert');
}

# waits(SECONDS, WORDS): a change waits that long
sub waits {
	my ($seconds, $name) = @_;
	run('status', '--json');
	my ($left) = $out =~ /"reverts_in_seconds": (\d+)/;
	ok(defined($left) && $left <= $seconds && $left > $seconds - 5, $name)
		or diag($left // 'nothing waits');
}

# While a change waits: what carries a time itself is taken, and the time can be extended.
sub test_confirm_again {
	run('adm', 'set', '10.0.0.1', '--confirm=50');
	prints('a change with a time of its own over one that waits',
		"reverts in 90 seconds, with all that waited before, unless confirmed: mailwall confirm\n",
		'site', 'add', '22:ADM:GTW', '--confirm=90');
	waits(90, '... and starts the time anew');
	prints('the same change once more', "reverts in 70 seconds, with all that waited before, unless confirmed: mailwall confirm\n",
		'site', 'add', '22:ADM:GTW', '--confirm=70');
	waits(70, '... starts it anew too');
	prints('confirm --extend', "reverts in 600 seconds unless confirmed: mailwall confirm\n",
		'confirm', '--extend=600');
	waits(600, '... lets it wait');
	works('revert', 'revert');
	policy_is('... goes back before the first of them', '192.0.2.1', '');
	fails('confirm --extend: nothing waits', 1, qr/confirm: no change waits/, 'confirm', '--extend=9');
}

sub test_rivals {
	fresh();
	rivals('adm +198.51.100.1');
	works('adm add over another change', 'adm', 'add', '192.0.2.1');
	policy_is('... keeps both', '192.0.2.1,198.51.100.1', '');
	rivals('site +22 ADM GTW');
	works('adm remove over another change', 'adm', 'remove', '198.51.100.1');
	rivals('adm +198.51.100.1');
	works('site add over another change', 'site', 'add', '23', 'ADM', 'GTW');
	rivals('adm -198.51.100.1');
	works('site remove over another change', 'site', 'remove', '23', 'ADM', 'GTW');
	policy_is('... keeps all', '192.0.2.1', '22 ADM GTW');
	rivals('adm -192.0.2.1');
	fails('adm remove of what another one removed', 1,
		qr/adm "192\.0\.2\.1": not in ADM.*\n.*another administrator changed/, 'adm', 'remove',
		'192.0.2.1');
	rivals('site +24 ANY GTW');
	fails('site add that clashes with another one', 1,
		qr/site "24 ADM GTW": there is one row.*\n.*site set 22 ADM GTW 24 ADM GTW\n.*another administrator changed/, 'site', 'add',
		'24', 'ADM', 'GTW');
	rivals('adm +10.0.0.1', 'adm +10.0.0.2', 'adm +10.0.0.3');
	fails('adm add gives up after two', 1, qr/another administrator changed.*nothing was changed/, 'adm',
		'add', '10.0.0.9');
	policy_is('... and changed nothing itself', '10.0.0.1,10.0.0.2', '22 ADM GTW,24 ANY GTW');
	for my $change (['adm', 'set', '10.0.0.9'], ['adm', 'clear'], ['site', 'clear'], ['mode', 'audit'],
		['log', 'kernel']) {
		rivals('adm -10.0.0.1', 'adm +10.0.0.1');
		fails("not done again: @$change", 1, qr/$change->[0]: another administrator changed/, @$change);
		is(slurp("$dir/rival"), "adm +10.0.0.1\n", '... one try only');
		rivals();
		run('adm', 'add', '10.0.0.1');
	}
	policy_is('... nothing of it', '10.0.0.1,10.0.0.2', '22 ADM GTW,24 ANY GTW');
	prints('... nor the mode', "enforce\n", 'mode');
}

sub test_gtw {
	fresh();
	prints('gtw show', "this\n", 'gtw', 'show');
	fails('gtw show without rights', 4, qr/permission denied/, { FAKE_OPEN => 'EACCES' }, 'gtw', 'show');
	works('gtw set of what is there', 'gtw', 'set', 'this');
	if ($old) {
		my $says = qr/gtw: gateways behind this host: the loaded module is release 0\.1\.0 with ABI 1, this command is release \Q$release\E with ABI $abi: load the newer module/;
		fails("an old module: gtw @$_", 1, $says, 'gtw', @$_)
			for ['set', '192.0.2.1'], ['add', 'port:eth0'], ['set', 'this', '2001:db8::/64', '--confirm=9'];
		fails('an old module: an item that is none', 1, qr/gtw "x": a gateway is this/, 'gtw', 'add', 'x');
		prints('... changes nothing', "this\n", 'gtw', 'show');
		return;
	}
	works('gtw add', 'gtw', 'add', '192.0.2.1', 'port:tap100i0', '2001:DB8::/64');
	prints('... in the order given', "this\n192.0.2.1\nport:tap100i0\n2001:db8::/64\n", 'gtw', 'show');
	works('gtw add of what is there', 'gtw', 'add', 'port:tap100i0', 'this');
	works('gtw remove', 'gtw', 'remove', 'this', '2001:db8::/64');
	prints('... are gone', "192.0.2.1\nport:tap100i0\n", 'gtw', 'show');
	works('gtw set replaces', 'gtw', 'set', 'port:br-gtw,10.0.0.0/8');
	prints('... all of them', "port:br-gtw\n10.0.0.0/8\n", 'gtw', 'show');
	my @refused = (
		['no item', qr/gtw "that": a gateway is this, an address, a prefix, or port: and the name/, 'that'],
		['a device without port:', qr/gtw "eth0": a gateway is this/, 'eth0'],
		['host bits', qr/gtw "192\.0\.2\.5\/24": .*write 192\.0\.2\.0\/24/, '192.0.2.5/24'],
		['mapped', qr/gtw "::ffff:192\.0\.2\.1": IPv4-mapped.*write 192\.0\.2\.1/, '::ffff:192.0.2.1'],
		['multicast', qr/gtw "224\.0\.0\.1": no gateway has a multicast address: write the gateway's own/,
			'192.0.2.9', '224.0.0.1'],
		['multicast, IPv6', qr/gtw "ff02::1": no gateway has a multicast/, 'ff02::1'],
		['loopback', qr/gtw "127\.0\.0\.1": no gateway has a loopback/, '127.0.0.1'],
		['loopback, IPv6', qr/gtw "::1": no gateway has a loopback/, '::1'],
		['unspecified', qr/gtw "0\.0\.0\.0": no gateway has an unspecified/, '0.0.0.0'],
		['a long name', qr/gtw "port:0123456789abcdef": a device's name has at most 15 characters/,
			'port:0123456789abcdef'],
		['no name', qr/gtw "port:": no device can have that name: write port: and the name that "ip link"/,
			'port:'],
		['no name of a device', qr/gtw "port:a\/b": no device can have that name/, 'port:a/b'],
		['bytes', qr/gtw "\\x1b": a gateway is/, "\x1b"],
		['33 of them', qr/gtw "10\.0\.0\.33": more than 32 gateways: write prefixes/,
			map { "10.0.0.$_" } 1 .. 33],
	);
	for my $case (@refused) {
		my ($name, $pattern, @words) = @$case;
		fails("gtw set refused: $name", 1, $pattern, 'gtw', 'set', @words);
		fails("gtw add refused: $name", 1, $pattern, 'gtw', 'add',
			$name =~ /33/ ? ('10.0.0.0/8', map { "10.0.0.$_" } 3 .. 33) : @words);
	}
	for my $nothing (['set', ''], ['set', ' ', ', '], ['remove', 'port:br-gtw', '10.0.0.0/8']) {
		fails("gtw @$nothing: none would be left", 1,
			qr/no gateway would be left: name one, or set the mode off/, 'gtw', @$nothing);
	}
	fails('gtw set refused: sign', 1, qr/gtw "\+this": signs are for sysfs: .*gtw add/, 'gtw', 'set', '+this');
	fails('gtw add of nothing', 1, qr/gtw "": nothing follows the sign/, 'gtw', 'add', '');
	fails('gtw remove of what is not there', 1, qr/gtw "this": not among the gateways/, 'gtw', 'remove', 'this');
	fails('gtw: not in this kernel', 1, qr/gtw: this kernel cannot do it: .*journalctl/,
		{ FAKE_FAIL => 'SET_POLICY=EOPNOTSUPP' }, 'gtw', 'add', 'port:eth0');
	prints('refused changes change nothing', "port:br-gtw\n10.0.0.0/8\n", 'gtw', 'show');
	prints('gtw --confirm', "reverts in 50 seconds unless confirmed: mailwall confirm\n", 'gtw', 'set', 'this',
		'--confirm=50');
	run('gtw', 'show');
	is($out, "this\n", '... is in force');
	works('... until reverted', 'revert');
	prints('... and is not then', "port:br-gtw\n10.0.0.0/8\n", 'gtw', 'show');
	rivals('gtw +10.9.9.9');
	works('gtw add over another change', 'gtw', 'add', 'this');
	rivals('adm +192.0.2.1');
	works('gtw remove over another change', 'gtw', 'remove', 'port:br-gtw');
	prints('... keeps all', "10.0.0.0/8\n10.9.9.9\nthis\n", 'gtw', 'show');
	rivals('gtw -this');
	fails('gtw set over another change', 1, qr/gtw: another administrator changed/, 'gtw', 'set', 'port:a');
	works('gtw set: 32 of them', 'gtw', 'set', map { "10.0.1.$_" } 1 .. 32);
	run('gtw', 'show');
	works('gtw set of what show prints', 'gtw', 'set', split(/\n/, $out));
}

sub test_round_trip {
	fresh();
	my @adm = ('0.0.0.0/1', '10.0.0.0/8', '255.255.255.255', '::/1', '2001:db8::/127', 'ffff::ffff');
	my @site = ('1 ANY GTW', '65535 GTW ADM', '22 ADM GTW');
	works('round trip: adm', 'adm', 'set', @adm);
	works('round trip: site', 'site', 'add', @site);
	works('round trip: log', 'log', 'nflog:77');
	run('adm', 'show');
	my @again = split(/\n/, $out);
	run('site', 'show');
	my @rows = map { split(/ /) } split(/\n/, $out);
	run('log');
	chomp(my $log = $out);
	fresh();
	works('... what show prints', 'adm', 'set', @again);
	works('... is taken back', 'site', 'add', @rows);
	works('... part by part', 'log', $log);
	policy_is('... and is the same', join(',', @adm), join(',', @site));
	prints('... as is the log', "nflog:77\n", 'log');
}

in_builds(['adm' => \&test_adm, 'too'], ['site' => \&test_site, 'too'],
	['mode and log' => \&test_mode_and_log, 'too'], ['confirm and revert' => \&test_confirm, 'too'],
	['another administrator' => \&test_rivals, 'too'], ['gateways' => \&test_gtw, 'too'],
	['round trip' => \&test_round_trip, 'too']);
