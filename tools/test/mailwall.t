#!/usr/bin/perl
# The command as an administrator runs it, against a device that fake_device.c
# stands for: built plainly, and again with ASan and UBSan. Prints TAP.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $test = abs_path(dirname(__FILE__));
my $top = abs_path("$test/../..");
my $temp = tempdir(CLEANUP => 1);
my $build; # of the command under test
my @preload;
my $dir; # state of the fake device

system("$top/tests/deps make gcc libc6-dev libjansson-dev pkg-config python3-minimal perl >&2") == 0
	or BAIL_OUT('packages are missing');

sub slurp {
	my ($path) = @_;
	local $/;
	open(my $file, '<', $path) or return undef;
	return scalar <$file>;
}

sub spurt {
	my ($path, $text) = @_;
	open(my $file, '>', $path) or die "$path: $!";
	print $file $text;
	close($file) or die "$path: $!";
}

# fresh(): a device in the state that a plain load leaves (enforce, ADM empty)
sub fresh {
	$dir = tempdir(DIR => $temp);
}

# run([{ENVIRONMENT},] WORD...): the command; sets these, returns the exit code
our ($out, $err);
sub run {
	my %env = (ref $_[0] ? %{+shift} : ());
	my $before = delete $env{BEFORE}; # a shell between the test and the command
	my $to = delete $env{TO} // "$temp/out";
	my @command = ("$build/mailwall", @_);
	my $pid = fork() // die "fork: $!";

	if (!$pid) {
		delete $ENV{SSH_CONNECTION};
		delete $ENV{$_} for grep { /^FAKE_/ } keys %ENV;
		$ENV{FAKE_DIR} = $dir;
		$ENV{$_} = $env{$_} for keys %env;
		open(STDOUT, '>', $to) or die;
		open(STDERR, '>', "$temp/err") or die;
		open(STDIN, '<', '/dev/null') or die;
		my $load = join(' ', @preload, "$build/fake_device.so");
		if ($before) {
			exec('sh', '-c', "$before LD_PRELOAD='$load' \"\$@\"; exit \$?", 'sh', @command);
		} else {
			$ENV{LD_PRELOAD} = $load;
			exec(@command);
		}
		die "exec: $!";
	}
	waitpid($pid, 0);
	my $status = $?;
	$out = -f $to ? slurp($to) : '';
	$err = slurp("$temp/err") // '';
	return $status & 127 ? "signal " . ($status & 127) : $status >> 8;
}

# works(NAME, WORD...): it exits with 0 and complains of nothing
sub works {
	my $name = shift;
	my $code = run(@_);
	ok($code eq 0 && $err eq '', $name) or diag("exit $code\n$out$err");
}

# fails(NAME, CODE, PATTERN, WORD...): it exits with CODE, says on stderr what
# matches, on lines of its own kind, and prints nothing
sub fails {
	my ($name, $want, $pattern) = splice(@_, 0, 3);
	my $code = run(@_);
	my $kind = !grep { !/^(mailwall: |Try `mailwall --help')/ } split(/\n/, $err);
	ok($code eq $want && $err =~ $pattern && $out eq '' && $kind, $name)
		or diag("exit $code, wanted $want and $pattern\n$out$err");
}

# prints(NAME, TEXT, WORD...)
sub prints {
	my ($name, $want) = splice(@_, 0, 2);
	my $code = run(@_);
	is("$code:$out$err", "0:$want", $name);
}

# json(NAME, CONDITION, WORD...): the output is JSON, j, that the Python condition holds for
sub json {
	my ($name, $condition) = splice(@_, 0, 2);
	my $code = run(@_);
	open(my $python, '|-', 'python3', '-c', <<'END', "$temp/out", $condition) or die;
import json, sys
with open(sys.argv[1]) as file:
    j = json.load(file)
if not eval(sys.argv[2]):
    sys.exit(f"{sys.argv[2]} does not hold for {json.dumps(j)}")
END
	my $held = close($python);
	ok($code eq 0 && $err eq '' && $held, $name) or diag("exit $code\n$err");
}

sub policy_is {
	my ($name, $adm, $site) = @_;
	my $got = '';
	for my $part ('adm', 'site') {
		run($part, 'show');
		$got .= "$part: " . join(',', split(/\n/, $out)) . "$err\n";
	}
	is($got, "adm: $adm\nsite: $site\n", $name);
}

my @table = ('25 GTW ANY', '25 ANY GTW', '110 GTW ANY', '110 ANY GTW', '8450 ADM GTW',
	'465 GTW ANY', '465 ANY GTW', '587 GTW ANY', '587 ANY GTW', '995 GTW ANY', '995 ANY GTW');
my ($release) = slurp("$top/kmod/version.h") =~ /MAILWALL_RELEASE "(.*)"/;

sub test_version {
	fresh();
	prints('version', "command  $release (ABI 1)\nmodule   $release (ABI 1)\n", 'version');
	prints('version: no module is no error', "command  $release (ABI 1)\nmodule   not loaded\n",
		{ FAKE_SYSFS => 'none', FAKE_OPEN => 'ENOENT' }, 'version');
	prints('version: through the device where there is no /sys',
		"command  $release (ABI 1)\nmodule   7.1 (ABI 1)\n",
		{ FAKE_SYSFS => 'none', FAKE_RELEASE => '7.1' }, 'version');
	prints('version: for users without rights',
		"command  $release (ABI 1)\nmodule   7.1 (ABI 1)\n",
		{ FAKE_OPEN => 'EACCES', FAKE_RELEASE => '7.1' }, 'version');
	json('version --json', "j == {'command': {'release': '$release', 'abi': 1}, " .
		"'module': {'release': '7.1', 'abi': 1}}", { FAKE_RELEASE => '7.1' }, 'version', '--json');
	json('version --json: no module', "j['module'] is None",
		{ FAKE_SYSFS => 'none', FAKE_OPEN => 'ENOENT' }, 'version', '--json');
	is(run({ FAKE_ABI => 2 }, 'version'), 1, 'version: another ABI is an error');
	like($out . $err, qr/ABI 2.*upgrade the command/s, 'version: ... that names the cure');
}

sub test_abi {
	fresh();
	works('another release with the same ABI', { FAKE_RELEASE => '9.9.9' }, 'adm', 'add', '192.0.2.1');
	prints('... has done it', "192.0.2.1\n", 'adm', 'show');
	for my $command (['status'], ['adm', 'show'], ['adm', 'clear'], ['mode', 'off'], ['confirm'],
		['revert'], ['explain', 'in', '192.0.2.1:1', '192.0.2.2:2']) {
		fails("newer ABI: @$command", 1,
			qr/release 2\.0 with ABI 2.*release \Q$release\E with ABI 1: upgrade the command/,
			{ FAKE_ABI => 2, FAKE_RELEASE => '2.0' }, @$command);
	}
	fails('older ABI', 1, qr/ABI 0.*modprobe -r mailwall && modprobe mailwall/, { FAKE_ABI => 0 },
		'mode', 'off');
	fails('a release that is no text is escaped', 1, qr/release a\\x1bb\\xff /,
		{ FAKE_ABI => 2, FAKE_RELEASE => "a\x1bb\xff" }, 'adm', 'show');
	prints('... and changed nothing', "192.0.2.1\n", 'adm', 'show');
}

sub test_status {
	fresh();
	works('status', 'status');
	for my $i (0 .. $#table) {
		my ($port, $source, $target) = split(/ /, $table[$i]);
		my @count = (1 + $i, 100 + $i, 12345678900 + $i);
		like($out, qr/^ *$port +$source +$target +$count[0] +$count[1] +$count[2]  Access /m,
			"status: row $table[$i] with its counters");
	}
	like($out, qr/^mode +enforce:/m, 'status: mode');
	like($out, qr/^ADM +empty/m, 'status: ADM is empty');
	like($out, qr/^log +off .*rate limit: 7/m, 'status: log');
	like($out, qr/^change +none waits/m, 'status: no change waits');
	like($out, qr/^generation +1$/m, 'status: generation');
	like($out, qr/^module +\Q$release\E \(ABI 1\)$/m, 'status: module');
	my $reasons = qr/ +malformed +flags +peer +no-connection +closed\n/;
	like($out, qr/^denied$reasons  in +1000 +1001 +1002 +1003 +1004\n  out +1010 +1011 +1012 +1013 +1014$/m,
		'status: denied');
	like($out, qr/^would-deny$reasons  in +2000 +2001 +2002 +2003 +2004\n  out +2010 +2011 +2012 +2013 +2014$/m,
		'status: would-deny');
	unlike($out, qr/.{121}/, 'status: no line is longer than the page');
	run('adm', 'set', '192.0.2.0/24', '2001:db8::/32');
	run('site', 'add', '22', 'ADM', 'GTW');
	run('log', 'nflog:5');
	run('mode', 'audit', '--confirm=100');
	works('status of a fuller policy', 'status');
	like($out, qr/^mode +audit:/m, '... mode');
	like($out, qr/^ADM +192\.0\.2\.0\/24\n +2001:db8::\/32$/m, '... ADM');
	like($out, qr/^ +22 +ADM +GTW +12 +111 +12345678911  \(site row\)$/m, '... site row');
	like($out, qr/^log +nflog:5 /m, '... log');
	like($out, qr/^change +waits: reverts in (100|99|98) seconds/m, '... change that waits');
	json('status --json', "j['complete'] is True and j['mode'] == 'audit' and j['generation'] == 5"
		. " and j['adm'] == ['192.0.2.0/24', '2001:db8::/32'] and j['log'] == 'nflog:5'"
		. " and j['log_held'] == 7 and 90 < j['reverts_in_seconds'] <= 100"
		. " and j['module'] == {'release': '$release', 'abi': 1}", 'status', '--json');
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

sub test_without_rights {
	fresh();
	for my $error ('EACCES', 'EPERM') {
		works("status, open: $error", { FAKE_OPEN => $error }, 'status');
		like($out, qr/^mode +enforce/m, '... the mode');
		my $rows = join('|', map { s/ / +/gr } @table);
		is(scalar(() = $out =~ /^ *(?:$rows) +Access /mg), 11, '... the table');
		like($out, qr/root's to read.*sudo/, '... and what is missing');
		unlike($out, qr/^(denied|ADM {2}|generation)/m, '... and no word of what it cannot know');
	}
	json('status --json without rights', "j['complete'] is False and j['mode'] == 'enforce'"
		. " and len(j['rows']) == 11 and 'adm' not in j and 'openings' not in j['rows'][0]"
		. " and 'denied' not in j", { FAKE_OPEN => 'EACCES' }, 'status', '--json');
	prints('mode without rights', "enforce\n", { FAKE_OPEN => 'EACCES' }, 'mode');
	works('status: module loaded, no device here', { FAKE_OPEN => 'ENOENT' }, 'status');
	like($out, qr/through \/dev\/mailwall, which is not here/, '... says so');
	for my $command (['adm', 'show'], ['site', 'show'], ['adm', 'add', '192.0.2.1'], ['mode', 'off'],
		['log'], ['confirm'], ['explain', 'in', '192.0.2.1:1', '192.0.2.2:2']) {
		fails("no rights: @$command", 1, qr/\/dev\/mailwall: permission denied: .*as root/,
			{ FAKE_OPEN => 'EACCES' }, @$command);
		fails("no module: @$command", 1, qr/not loaded.*modprobe mailwall/,
			{ FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' }, @$command);
	}
	fails('no module: status', 1, qr/not loaded.*modprobe mailwall/,
		{ FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' }, 'status');
	fails('stale device: status', 1, qr/not loaded.*modprobe mailwall/,
		{ FAKE_OPEN => 'ENXIO', FAKE_SYSFS => 'none' }, 'status');
	fails('no rights and no /sys: status', 1, qr/permission denied/,
		{ FAKE_OPEN => 'EACCES', FAKE_SYSFS => 'none' }, 'status');
	fails('no device in a container', 1, qr/module is loaded: .*container/, { FAKE_OPEN => 'ENOENT' },
		'adm', 'show');
	fails('something else behind the device', 1, qr/does not answer like mailwall/,
		{ FAKE_FAIL => 'GET_VERSION=ENOTTY' }, 'adm', 'show');
}

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
	works('site add: three words', 'site', 'add', '22', 'ADM', 'GTW');
	works('site add: one word', 'site', 'add', '443:GTW:ANY');
	works('site add: quoted', 'site', 'add', '80 ANY GTW');
	works('site add: several', 'site', 'add', '53', 'GTW', 'ANY', '636:GTW:ANY', '2525', 'ANY', 'GTW',
		'111:ADM:GTW,112:ADM:GTW');
	policy_is('... are there', '', '22 ADM GTW,443 GTW ANY,80 ANY GTW,53 GTW ANY,636 GTW ANY,' .
		'2525 ANY GTW,111 ADM GTW,112 ADM GTW');
	works('site add of one that is there', 'site', 'add', '22', 'ADM', 'GTW');
	works('site remove: both forms', 'site', 'remove', '443', 'GTW', 'ANY', '636:GTW:ANY', '111:ADM:GTW',
		'112:ADM:GTW', '2525:ANY:GTW', '53', 'GTW', 'ANY', '80:ANY:GTW');
	policy_is('... are gone', '', '22 ADM GTW');
	my @refused = (
		['built-in', qr/site "8450 ANY GTW": the built-in table has this port/, '8450', 'ANY', 'GTW'],
		['built-in, one word', qr/site "25:ADM:GTW": the built-in table/, '25:ADM:GTW'],
		['built-in after another', qr/site "995 GTW ANY": the built-in/, '24', 'ANY', 'GTW', '995', 'GTW',
			'ANY'],
		['clash', qr/site "22 ANY GTW": one|site "22 ANY GTW": there is one row.*remove "22 ADM GTW" first/,
			'22', 'ANY', 'GTW'],
		['port 0', qr/site "0 ANY GTW": the port is/, '0', 'ANY', 'GTW'],
		['port 65536', qr/site "65536 ANY GTW": the port is/, '65536', 'ANY', 'GTW'],
		['leading zero', qr/site "022 ANY GTW": .*leading zeros/, '022', 'ANY', 'GTW'],
		['service name', qr/site "ssh ANY GTW": the port is/, 'ssh', 'ANY', 'GTW'],
		['small letters', qr/site "24 any gtw": .*in capitals/, '24', 'any', 'gtw'],
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
	policy_is('refused changes change nothing', '', '22 ADM GTW');
	works('site clear', 'site', 'clear');
	policy_is('... removes all', '', '');
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
	policy_is('... is in force', '192.0.2.1', '');
	for my $change (['adm', 'add', '10.0.0.1'], ['mode', 'off'], ['adm', 'clear'],
		['site', 'add', '22:ADM:GTW', '--confirm=9']) {
		fails("... others are refused: @$change", 1,
			qr/a change waits (50|4\d) more seconds.*mailwall confirm.*mailwall revert/, @$change);
	}
	policy_is('... and change nothing', '192.0.2.1', '');
	prints('confirm', '', 'confirm');
	policy_is('... keeps it', '192.0.2.1', '');
	works('... and others are taken', 'mode', 'audit');
	run('mode', 'enforce', '--confirm', '50');
	prints('... --confirm SECONDS in two words', "enforce\n", 'mode');
	prints('revert', '', 'revert');
	prints('... undoes it', "audit\n", 'mode');
	run('site', 'add', '22:ADM:GTW', '--confirm=1');
	policy_is('a change of one second', '192.0.2.1', '22 ADM GTW');
	select(undef, undef, undef, 1.2);
	policy_is('... is gone after it', '192.0.2.1', '');
	fails('... and cannot be confirmed', 1, qr/confirm: no change waits.*reverted/, 'confirm');
	prints('--confirm with nothing to change', "nothing to change, nothing waits to be confirmed\n",
		'adm', 'add', '192.0.2.1', '--confirm=50');
	fails('... nothing waits', 1, qr/no change waits/, 'confirm');
	fails('EBUSY, but the wait is over', 1, qr/was waiting to be confirmed until now/,
		{ FAKE_FAIL => 'SET_POLICY=EBUSY' }, 'mode', 'off');
	fails('confirm without rights', 1, qr/confirm: not permitted: .*CAP_NET_ADMIN/,
		{ FAKE_FAIL => 'CONFIRM=EPERM' }, 'confirm');
	fails('revert without rights', 1, qr/revert: not permitted: .*CAP_NET_ADMIN/,
		{ FAKE_FAIL => 'REVERT=EPERM' }, 'revert');
}

# rivals(LINE...): the changes that others make before each of ours is written
sub rivals {
	spurt("$dir/rival", join('', map { "$_\n" } @_));
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
		qr/site "24 ADM GTW": there is one row.*\n.*another administrator changed/, 'site', 'add',
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

sub test_errors {
	fresh();
	for my $change (['adm', 'add', '192.0.2.1'], ['site', 'add', '22:ADM:GTW'], ['mode', 'off'],
		['log', 'kernel']) {
		fails("EPERM: @$change", 1, qr/$change->[0]: not permitted: .*CAP_NET_ADMIN.*root on the host/,
			{ FAKE_FAIL => 'SET_POLICY=EPERM' }, @$change);
		fails("EINVAL: @$change", 1, qr/$change->[0]: refused by the module.*journalctl -k/,
			{ FAKE_FAIL => 'SET_POLICY=EINVAL' }, @$change);
		fails("ENOMEM: @$change", 1, qr/$change->[0]: .*no memory/,
			{ FAKE_FAIL => 'SET_POLICY=ENOMEM' }, @$change);
	}
	fails('an older module', 1, qr/explain: .*too old.*modprobe -r mailwall/,
		{ FAKE_FAIL => 'EXPLAIN=ENOTTY' }, 'explain', 'in', '192.0.2.1:1', '192.0.2.2:2');
	fails('a question it does not take', 1, qr/explain: the module does not take this question/,
		{ FAKE_FAIL => 'EXPLAIN=EINVAL' }, 'explain', 'in', '192.0.2.1:1', '192.0.2.2:2');
	fails('an error without a word of its own', 1, qr/adm: Input\/output error/,
		{ FAKE_FAIL => 'GET_POLICY=EIO' }, 'adm', 'show');
	for my $command (['status'], ['status', '--json'], ['adm', 'show'], ['version'], ['--help']) {
		run('adm', 'set', '192.0.2.1');
		is(run({ TO => '/dev/full' }, @$command), 1, "a full disk is no success: @$command");
		like($err, qr/cannot write/, '... and is named');
	}
}

sub test_usage {
	fresh();
	my @wrong = (
		[[], qr/no command/],
		[['frobnicate'], qr/"frobnicate": no such command/],
		[["a\nb"], qr/"a\\x0ab": no such command/],
		[['adm'], qr/adm: write one of show, set, add, remove, clear/],
		[['adm', 'delete'], qr/adm "delete": write one of show/],
		[['site', 'set', '22:ADM:GTW'], qr/site "set": write one of show, add, remove, clear/],
		[['adm', 'add'], qr/adm: too little: write "mailwall adm add PREFIX\.\.\."/],
		[['adm', 'set'], qr/too little/],
		[['site', 'remove'], qr/too little: write "mailwall site remove PORT SOURCE TARGET/],
		[['adm', 'show', 'x'], qr/"x" is too much: write "mailwall adm show"/],
		[['adm', 'clear', 'x'], qr/"x" is too much/],
		[['status', 'x'], qr/"x" is too much/],
		[['version', 'x'], qr/"x" is too much/],
		[['confirm', '5'], qr/"5" is too much/],
		[['mode', 'audit', 'x'], qr/"x" is too much/],
		[['explain'], qr/explain: write one of in, out/],
		[['explain', 'up', '192.0.2.1:1', '192.0.2.2:2'], qr/explain "up": write one of in, out/],
		[['explain', 'in', '192.0.2.1:1'], qr/too little: write "mailwall explain in ADDRESS:PORT/],
		[['explain', 'in', '192.0.2.1', '192.0.2.2:2'], qr/"192\.0\.2\.1": write ADDRESS:PORT/],
		[['explain', 'in', '192.0.2.1:65536', '192.0.2.2:2'], qr/"192\.0\.2\.1:65536": write/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:02'], qr/"192\.0\.2\.2:02": write/],
		[['explain', 'in', '2001:db8::1:25', '[::1]:2'], qr/"2001:db8::1:25": write/],
		[['explain', 'in', '[192.0.2.1]:25', '192.0.2.1:2'], qr/"\[192\.0\.2\.1\]:25": write/],
		[['explain', 'in', '[fe80::1%lo]:25', '[::1]:2'], qr/write ADDRESS:PORT/],
		[['explain', 'in', '[::1]', '[::1]:2'], qr/write ADDRESS:PORT/],
		[['explain', 'in', ':25', '192.0.2.1:2'], qr/write ADDRESS:PORT/],
		[['explain', 'in', '[]:25', '[::1]:2'], qr/write ADDRESS:PORT/],
		[['explain', 'in', '', '[::1]:2'], qr/write ADDRESS:PORT/],
		[['explain', 'in', '192.0.2.1:1', '[::1]:2'], qr/two addresses of one family/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--flags=SYN,NACK'], qr/--flags="SYN,NACK"/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--flags='], qr/--flags=""/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--flags=SYN,'], qr/--flags="SYN,"/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--connection=maybe'], qr/write ask, none or held/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--data-offset=16'], qr/from 0 to 15/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--length=65536'], qr/from 0 to 65535/],
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--confirm=5'], qr/does not take.*--confirm/],
		[['mode', 'off', '--confirm=0'], qr/--confirm="0": write a number from 1 to 86400/],
		[['mode', 'off', '--confirm=86401'], qr/from 1 to 86400/],
		[['mode', 'off', '--confirm=-1'], qr/from 1 to 86400/],
		[['mode', 'off', '--confirm=5s'], qr/--confirm="5s"/],
		[['mode', 'off', '--confirm='], qr/from 1 to 86400/],
		[['mode', 'off', '--confirm'], qr/requires an argument/],
		[['mode', '--confirm=5'], qr/are for a change/],
		[['log', '--force'], qr/are for a change/],
		[['mode', 'off', '--json'], qr/does not take this option: --json/],
		[['adm', 'show', '--confirm=5'], qr/does not take this option: --confirm/],
		[['status', '--force'], qr/does not take this option: --force/],
		[['status', '--flags=SYN'], qr/does not take this option: one of explain's/],
		[['status', '--frobnicate'], qr/unrecognized option/],
		[['adm', 'add', '-192.0.2.1'], qr/invalid option/],
	);
	for my $case (@wrong) {
		my ($words, $pattern) = @$case;
		fails('usage: ' . join(' ', map { s/\n/\\n/gr } 'mailwall', @$words), 2, $pattern, @$words);
	}
	policy_is('... none of it changes anything', '', '');
	prints('... nor the mode', "enforce\n", 'mode');
}

sub test_help {
	fresh();
	works('--help', '--help');
	my $help = $out;
	like($help, qr/\b$_\b/, "--help names $_") for qw(status adm site mode log confirm revert explain
		version show set add remove clear enforce audit off kernel nflog in out);
	like($help, qr/--$_\b/, "--help names --$_") for qw(confirm force json flags connection data-offset
		length device help usage version);
	unlike($help, qr/.{81}/, '--help fits a terminal');
	my $man = slurp("$top/tools/mailwall.8") =~ s/\\-/-/gr;
	like($man, qr/\Q$_\E\b/, "the man page has $_")
		for $help =~ /(--[a-z-]+)/g, $help =~ /^  ([a-z]+)/mg;
	prints('--version', "mailwall $release\n", '--version');
	works('--usage', '--usage');
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
	like($out, qr/outcome +mode audit: it passes, counted and logged as would-deny/, 'explain: audit');
	run('mode', 'off');
	run(@denied);
	like($out, qr/^denied: closed.*outcome +mode off: it passes, nothing is judged/s, 'explain: off');
	fails('explain: no such device', 1, qr/device "nosuch0": there is none/, @denied, '--device=nosuch0');
}

# the line of /proc/net/tcp or tcp6 for a session
sub socket_line {
	my ($local, $local_port, $peer, $peer_port) = @_;
	my $hex = sub { join('', map { sprintf('%08X', unpack('L', $_)) } unpack('(a4)*', $_[0])) };
	return sprintf("   1: %s:%04X %s:%04X 01 00000000:00000000 00:00000000 00000000     0        0 1\n",
		$hex->($local), $local_port, $hex->($peer), $peer_port);
}

sub test_session {
	my $head = "  sl  local_address rem_address   st tx_queue rx_queue\n";
	my $four = "198.51.100.7 50000 203.0.113.1 22";
	my $four_line = socket_line("\xcb\0\x71\x01", 22, "\xc6\x33\x64\x07", 50000);
	my $six = "2001:db8::7 50000 2001:db8::1 2222";
	my $six_line = socket_line("\x20\x01\x0d\xb8" . "\0" x 11 . "\x01", 2222,
		"\x20\x01\x0d\xb8" . "\0" x 11 . "\x07", 50000);
	my $start = sub {
		fresh();
		run('mode', 'off');
		spurt("$dir/tcp", $head . $four_line);
		spurt("$dir/tcp6", $head . $six_line);
	};

	$start->();
	fails('session: enforce would cut it', 1, qr/mode: this would cut the SSH session.*198\.51\.100\.7 to port 22 \(closed\): nothing was changed\n.*mailwall adm add 198\.51\.100\.7\n.*mailwall site add 22 ADM GTW\n.*--confirm=60.*--force/,
		{ SSH_CONNECTION => $four }, 'mode', 'enforce');
	prints('... nothing was changed', "off\n", 'mode');
	works('audit cuts nothing', { SSH_CONNECTION => $four }, 'mode', 'audit');
	works('no session, no guard', 'mode', 'enforce');
	$start->();
	is(run({ SSH_CONNECTION => $four }, 'mode', 'enforce', '--confirm=60'), 0, '--confirm is a way back');
	like($err, qr/^mailwall: warning: this cuts the SSH session from 198\.51\.100\.7 to port 22; it comes back in 60 seconds/,
		'... with a warning');
	run('revert');
	is(run({ SSH_CONNECTION => $four }, 'mode', 'enforce', '--force'), 0, '--force');
	like($err, qr/^mailwall: warning: this cuts the SSH session from 198\.51\.100\.7 to port 22$/,
		'... with a warning');

	# what the refusal tells to do is enough
	$start->();
	works('session: adm add as told', { SSH_CONNECTION => $four }, 'adm', 'add', '198.51.100.7');
	fails('session: a row is missing', 1, qr/\(closed\).*\n(?!.*adm add).*site add 22 ADM GTW/,
		{ SSH_CONNECTION => $four }, 'mode', 'enforce');
	works('session: site add as told', { SSH_CONNECTION => $four }, 'site', 'add', '22', 'ADM', 'GTW');
	works('session: enforce', { SSH_CONNECTION => $four }, 'mode', 'enforce');
	fails('session: adm remove would cut it', 1, qr/adm: this would cut.*\(peer\)/, { SSH_CONNECTION => $four },
		'adm', 'remove', '198.51.100.7');
	fails('session: adm clear would cut it', 1, qr/adm: this would cut.*\(peer\).*\n.*mailwall adm add 198\.51\.100\.7\n(?!.*site add)/,
		{ SSH_CONNECTION => $four }, 'adm', 'clear');
	fails('session: adm set would cut it', 1, qr/adm: this would cut/, { SSH_CONNECTION => $four },
		'adm', 'set', '198.51.100.8');
	fails('session: site remove would cut it', 1, qr/site: this would cut.*\(closed\)/,
		{ SSH_CONNECTION => $four }, 'site', 'remove', '22:ADM:GTW');
	works('session: a wider prefix keeps it', { SSH_CONNECTION => $four }, 'adm', 'set', '198.51.100.0/24');
	works('session: a change of the log keeps it', { SSH_CONNECTION => $four }, 'log', 'kernel');
	rivals('adm -198.51.100.0/24', '-');
	fails('session: judged anew over another change', 1, qr/site: this would cut/,
		{ SSH_CONNECTION => $four }, 'site', 'add', '443:GTW:ANY');

	$start->();
	fails('session: IPv6', 1, qr/2001:db8::7 to port 2222 \(closed\).*\n.*adm add 2001:db8::7\n.*site add 2222 ADM GTW/,
		{ SSH_CONNECTION => $six }, 'mode', 'enforce');
	run('adm', 'add', '2001:db8::/64');
	run('site', 'add', '2222:ADM:GTW');
	works('session: IPv6 with its row', { SSH_CONNECTION => $six }, 'mode', 'enforce');
	$start->();
	spurt("$dir/tcp", $head);
	spurt("$dir/tcp6", $head . socket_line("\0" x 10 . "\xff\xff\xcb\0\x71\x01", 22,
		"\0" x 10 . "\xff\xff\xc6\x33\x64\x07", 50000));
	fails('session: IPv4 on a socket of both families', 1, qr/198\.51\.100\.7 to port 22/,
		{ SSH_CONNECTION => $four }, 'mode', 'enforce');
	fails('session: written as mapped', 1, qr/198\.51\.100\.7 to port 22/,
		{ SSH_CONNECTION => '::ffff:198.51.100.7 50000 ::ffff:203.0.113.1 22' }, 'mode', 'enforce');
	spurt("$dir/tcp6", $head . socket_line("\xfe\x80" . "\0" x 13 . "\x01", 22,
		"\xfe\x80" . "\0" x 13 . "\x02", 50000));
	fails('session: link-local with its zone', 1, qr/fe80::2 to port 22/,
		{ SSH_CONNECTION => 'fe80::2%eth0 50000 fe80::1%eth0 22' }, 'mode', 'enforce');

	# sudo takes the variable away
	$start->();
	fails('session: found above sudo', 1, qr/198\.51\.100\.7 to port 22/,
		{ SSH_CONNECTION => $four, BEFORE => 'env -u SSH_CONNECTION' }, 'mode', 'enforce');
	works('session: one on a loopback device is not judged', { SSH_CONNECTION => '203.0.113.1 50000 203.0.113.1 22' },
		'mode', 'enforce');
	for my $other ('198.51.100.7 50001 203.0.113.1 22', '198.51.100.7 50000 203.0.113.1 23',
		'198.51.100.8 50000 203.0.113.1 22', '198.51.100.7 50000 203.0.113.2 22') {
		$start->();
		works("session: $other is not in this namespace", { SSH_CONNECTION => $other }, 'mode', 'enforce');
	}
	for my $junk ('', 'x', '198.51.100.7 50000', 'a b c d', '198.51.100.7 50000 2001:db8::1 22', '9' x 9999) {
		$start->();
		works('session: junk in the variable: ' . substr($junk, 0, 40), { SSH_CONNECTION => $junk },
			'mode', 'enforce');
	}
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

sub test_install {
	my $root = "$temp/root";
	my $make = "make -s -C $top/tools O=$build DESTDIR=$root PREFIX=/usr";
	is(system("$make install"), 0, 'install');
	my @files = ('sbin/mailwall', 'share/man/man8/mailwall.8',
		'share/bash-completion/completions/mailwall');
	ok(-s "$root/usr/$_", "... /usr/$_") for @files;
	is(sprintf('%o', (stat("$root/usr/sbin/mailwall"))[2] & 07777), '755', '... mode of the command');
	is(`$root/usr/sbin/mailwall --version`, "mailwall $release\n", '... which runs');
	is(system("$make uninstall"), 0, 'uninstall');
	is(`find $root ! -type d`, '', '... leaves nothing');
}

# complete(LINE, CANDIDATES): what bash offers at the end of the line
sub completes {
	my ($line, $want) = @_;
	my $script = <<'END';
. "$1"
mailwall() { echo "192.0.2.0/24"; }
COMP_LINE=$2 COMP_POINT=${#2}
read -ra COMP_WORDS <<<"$2"
[[ $2 != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_mailwall
echo "${COMPREPLY[*]}"
END
	open(my $bash, '-|', 'bash', '-c', $script, 'bash', "$top/tools/mailwall.bash-completion", $line) or die;
	chomp(my $got = <$bash> // '');
	is($got, $want, "completion of \"$line\"");
}

sub test_completion {
	completes('mailwall ', 'status adm site mode log confirm revert explain version');
	completes('mailwall s', 'status site');
	completes('mailwall adm ', 'show add remove clear set');
	completes('mailwall site ', 'show add remove clear');
	completes('mailwall mode a', 'audit');
	completes('mailwall mode audit --', '--confirm= --force');
	completes('mailwall status --', '--json');
	completes('mailwall adm show --', '');
	completes('mailwall --', '--help --usage --version');
	completes('mailwall explain ', 'in out');
	completes('mailwall adm remove ', '192.0.2.0/24');
	completes('mailwall site add 22 ', 'ANY ADM GTW');
	completes('mailwall site add 22 ANY ', 'GTW');
	completes('mailwall site add 22 ANY GTW ', '');
	completes('mailwall site add 22 GTW ', 'ANY ADM');
}

my $sanitize = '-fsanitize=address,undefined -fno-sanitize-recover=all';
my @builds = (
	{ name => 'plain', flags => '' },
	{ name => 'sanitizers', flags => "CFLAGS='-O1 -g -fno-omit-frame-pointer $sanitize -fPIE' CPPFLAGS= LDFLAGS=-pie",
	  preload => 'libasan.so' },
);
for my $kind (@builds) {
	my $asan = $kind->{preload} && `gcc -print-file-name=$kind->{preload}`;

	$build = "$top/build/tools-test/$kind->{name}";
	is(system("make -s -j2 -C $top/tools O=$build CC=gcc $kind->{flags} all fake >&2"), 0,
		"build: $kind->{name}") or BAIL_OUT('the command does not build');
	chomp($asan) if $asan;
	@preload = $asan ? ($asan) : ();
	subtest("$kind->{name}: $_->[0]" => $_->[1]) for (
		['version' => \&test_version], ['ABI' => \&test_abi], ['status' => \&test_status],
		['without rights' => \&test_without_rights], ['adm' => \&test_adm], ['site' => \&test_site],
		['mode and log' => \&test_mode_and_log], ['confirm and revert' => \&test_confirm],
		['another administrator' => \&test_rivals], ['errors' => \&test_errors],
		['usage' => \&test_usage], ['help' => \&test_help], ['explain' => \&test_explain],
		['the SSH session' => \&test_session], ['round trip' => \&test_round_trip]);
	if (!$asan) {
		subtest('install' => \&test_install);
		subtest('completion' => \&test_completion);
	}
}
done_testing();
