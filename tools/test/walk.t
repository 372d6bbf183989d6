#!/usr/bin/perl
# "explain --connection", from SYN to FIN and both ways; and "explain --policy", by a file and without a module, over the worked examples too. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

my ($gtw, $any, $adm) = ('203.0.113.1', '198.51.100.9', '192.0.2.9');
my @nobody = ({ FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' });

# walk_is(NAME, VERDICT, STEPS, WORD...): STEPS are "-> SYN row|reason" with the flags left out
my @life = map { [split(/ /)] } ('-> SYN', '<- SYN+ACK', '-> ACK', '-> PSH+ACK', '<- PSH+ACK', '-> FIN+ACK',
	'<- FIN+ACK', '-> ACK');

sub walk_is {
	my ($name, $verdict, $steps, @words) = @_;
	works($name, @words);
	my @got = $out =~ /^  ((?:->|<-)  .*)$/mg;
	my @want = map { my $step = $steps->[$_ % @$steps];
		sprintf('%s  %-8s  %s', @{$life[$_]},
			$step =~ /^\d/ ? "allowed by the row \"$step\"" : $step eq '' ? 'not judged' : "denied: $step") } 0 .. 7;
	is("$verdict\n" . join("\n", @got), ($out =~ /^([^:\n]*):/)[0] . "\n" . join("\n", @want), '... step by step');
	unlike($out, qr/.{121}/, '... fits the page');
}

sub test_walk {
	fresh();
	run('adm', 'set', '192.0.2.0/24');
	run('site', 'add', '22:ADM:GTW', '443:GTW:ANY');
	spurt("$dir/connections", '');
	walk_is('a mail comes', 'allowed', ['25 ANY GTW'], 'explain', 'in', "$any:40000", "$gtw:25", '--connection');
	like($out, qr/^allowed: from \Q$any\E port 40000 to \Q$gtw\E port 25\n.*\n  why  each of its segments is allowed, both ways\n\z/s,
		'... the whole of it');
	walk_is('a mail goes', 'allowed', ['25 GTW ANY'], 'explain', '--connection', 'out', "$gtw:40000", "$any:25");
	walk_is('an administrator', 'allowed', ['22 ADM GTW'], 'explain', 'in', "$adm:40000", "$gtw:22", '--connection');
	walk_is('no administrator', 'denied', ['peer'], 'explain', 'in', "$any:40000", "$gtw:22", '--connection');
	like($out, qr/\n  why  the row "22 ADM GTW" is for ADM only.*mailwall adm\s+add \Q$any\E\n  mode enforce: nothing behind/s,
		'... why, the cure, and what it means');
	walk_is('a port that is closed', 'denied', ['closed'], 'explain', 'in', "$any:40000", "$gtw:8080", '--connection');
	walk_is('a client with the port of a row', 'denied', ['peer', 'peer'], 'explain', 'out', "$gtw:8450", "$any:25",
		'--connection');
	json('as JSON', "j['verdict'] == 'deny' and j['mode'] == 'enforce' and 'adm add' in j['explanation']"
		. " and [(s['from'], s['flags'], s['verdict'], s['reason'], s['row']) for s in j['segments']][:2]"
		. " == [('client', 'SYN', 'deny', 'peer', None), ('server', 'SYN+ACK', 'deny', 'peer', None)]"
		. " and len(j['segments']) == 8", 'explain', 'in', "$any:40000", "$gtw:22", '--connection', '--json');
	json('... allowed', "j['verdict'] == 'allow' and {s['row'] for s in j['segments']} == {'443 GTW ANY'}",
		'explain', 'out', "$gtw:40000", "$any:443", '--connection', '--json');
	walk_is('over a loopback device', 'not judged', [''], 'explain', 'in', "$any:1", "$gtw:25", '--connection', '--device=lo');
	run('mode', 'audit');
	works('audit', 'explain', 'in', "$any:40000", "$gtw:22", '--connection');
	like($out, qr/mode audit: it passes, each "denied" above is counted as would-deny/, '... says what it means');
	run('mode', 'off');
	works('off', 'explain', 'in', "$any:40000", "$gtw:22", '--connection');
	like($out, qr/^not judged: .*why  the mode is off\n\z/s, '... says so');
	fails('options of one segment', 2, qr/--connection alone is for all segments/, 'explain', 'in', "$any:1", "$gtw:25",
		'--connection', '--flags=ACK');
	run('mode', 'enforce');
	fails('the module fails', 1, qr/Input\/output error/, { FAKE_FAIL => 'EXPLAIN=EIO' }, 'explain', 'in', "$any:1",
		"$gtw:25", '--connection');
	fails('no module', 5, qr/mailwall enable/, @nobody, 'explain', 'in', "$any:1", "$gtw:25", '--connection');
	works('the next word as the value', 'explain', 'in', "$any:587", "$gtw:40000", '--flags', 'ACK', '--connection', 'held');
	like($out, qr/^allowed by the row "587 GTW ANY"\n.*held, as stated/s, '... is one segment');
}

# Gateways behind: a reply is let in from when the gateway has sent what notes its flow.
sub test_behind {
	my $gw = '10.9.0.2';
	fresh();
	run('gtw', 'set', '10.9.0.2');
	spurt("$dir/routes", "$gw gw0\n$any wan0\n");
	walk_is('a gateway behind sends', 'allowed', ['587 GTW ANY'], 'explain', 'forward', "$gw:50000", "$any:587", '--connection');
	walk_is('... from where no route leads to it', 'denied', [map { $_ ? '587 GTW ANY' : 'no-connection' } 1, 0, 1, 1, 0, 1, 0, 1],
		'explain', 'forward', "$gw:50000", "$any:587", '--connection', '--in=wan0');
	walk_is('... gets', 'allowed', ['25 ANY GTW'], 'explain', 'forward', "$any:50000", "$gw:25", '--connection');
}

sub file_says {
	my ($text) = @_;
	spurt("$dir/policy", $text);
	return "--policy=$dir/policy";
}

sub test_file {
	fresh();
	my $policy = file_says("# mine\noptions mailwall adm=192.0.2.0/24,2001:db8::/32 \\\n  site=22:ADM:GTW,443:GTW:ANY flows=2048\n"
		. "options other site=1\n\nsoftdep mailwall pre: x\noptions\tmailwall\tconfirm=60\n");
	walk_is('a file, without a module', 'allowed', ['22 ADM GTW'], @nobody, 'explain', 'in', "$adm:40000", "$gtw:22",
		'--connection', $policy);
	walk_is('... a connection out', 'allowed', ['443 GTW ANY'], @nobody, 'explain', 'out', "$gtw:40000", "$any:443",
		'--connection', $policy);
	walk_is('... and what it does not open', 'denied', ['closed'], @nobody, 'explain', 'in', "$any:1", "$gtw:23",
		'--connection', $policy);
	works('one segment', @nobody, 'explain', 'in', "$any:443", "$gtw:40000", '--flags=ACK', $policy);
	like($out, qr/^denied: no-connection\n/, '... no connection but one that is stated');
	works('... which is stated', @nobody, 'explain', 'in', "$any:443", "$gtw:40000", '--flags=ACK', '--connection=held', $policy);
	like($out, qr/^allowed by the row "443 GTW ANY"\n/, '... is there');
	$policy = file_says("options mailwall gtw=10.9.0.2,port:no-such0 mode=audit log=nflog:3\n");
	my @forward = (@nobody, 'explain', 'forward');
	walk_is('gateways behind', 'allowed', ['587 GTW ANY'], @forward, '10.9.0.2:50000', "$any:587", '--connection', $policy);
	walk_is('... by a device that is not there', 'denied', ['closed'], @forward, "$any:50000", '10.0.0.7:26', '--connection',
		'--in=up0', '--out=no-such0', $policy);
	like($out, qr/port 26 of the gateway port:no-such0.*mode audit/s, '... in its mode');
	walk_is('... by another', 'not judged', [''], @forward, "$any:50000", '10.0.0.7:26', '--connection', '--in=up0',
		'--out=down0', $policy);
	works('... names the devices', @forward, "$any:50000", '10.9.0.2:25', '--in=up0', '--out=down0', $policy);
	like($out, qr/^  devices +up0 -> down0$/m, '... as they were named');
	works('... loopback', @forward, "$any:50000", '10.9.0.2:25', '--in=lo', '--out=down0', $policy);
	like($out, qr/^not judged\n +why +traffic over a loopback/, '... is not judged');
	my $in = "in $any:1 $gtw:25";
	for (["options mailwall sites=22:ADM:GTW\n", qr/policy:1: "sites": no such parameter/],
		["\n\noptions mailwall adm=192.0.2.1 \\\n adm=192.0.2.2\n", qr/policy:3: adm "192\.0\.2\.2": given twice/],
		["options mailwall adm=192.0.2.1\noptions mailwall adm=192.0.2.2\n", qr/policy:2: adm "192\.0\.2\.2": given twice/],
		["options mailwall site=22:ADM:GTW 443:GTW:ANY\n", qr/policy:1: "443:GTW:ANY" is no parameter/],
		["options mailwall adm=192.0.2.5/24\n", qr/policy:1: adm "192\.0\.2\.5\/24": .*192\.0\.2\.0\/24/],
		["options mailwall mode=enforced", qr/policy:1: mode "enforced"/],
		["options mailwall site=8450:ANY:GTW\n", qr/policy.*8450/],
		["options mailwall \e[1m=1\n", qr/"\\x1b\[1m": no such/],
		["options other a=1\n", qr/policy: no line "options mailwall/]) {
		my ($text, $says) = @$_;
		my $name = $text =~ s/\s+/ /gr;
		fails("refused: $name", 1, $says, @nobody, 'explain', split(/ /, $in), file_says($text));
	}
	fails('no file', 1, qr/nosuch: No such file/, @nobody, 'explain', split(/ /, $in), "--policy=$dir/nosuch");
	fails('no file of an odd name', 1, qr/no\\x1bsuch: No such file/, @nobody, 'explain', split(/ /, $in), "--policy=$dir/no\esuch");
	fails('a folder', 1, qr/\Q$dir\E: Is a directory/, @nobody, 'explain', split(/ /, $in), "--policy=$dir");
}

# The worked examples by files.
sub test_vectors {
	my (%policy, $count);
	fresh();
	for (split(/\n/, slurp("$top/tests/vectors/decision.tsv") // BAIL_OUT('no vectors'))) {
		next if /^#/;
		my @field = split(/\t/, $_, -1);
		if ($field[0] eq 'policy') {
			my ($adm, $site) = ($field[2] =~ tr/ /,/r, join(',', map { tr/ /:/r } split(/, */, $field[3] // '')));
			$policy{$field[1]} = "options mailwall adm=$adm site=$site\n";
			next;
		}
		next if $field[0] eq 'behind';
		my ($name, $way, $source, $sport, $target, $tport, $flags, $offset, $length, $connection, $by, $expected) = @field;
		($source, $target) = map { /:/ ? "[$_]" : $_ } $source, $target;
		my $code = run(@nobody, 'explain', $way, "$source:$sport", "$target:$tport", "--flags=$flags",
			"--data-offset=$offset", "--length=$length", "--connection=$connection", file_says($policy{$by}));
		my ($got) = $out =~ /^(.*)\n/;
		my $want = $expected =~ / / ? "allowed by the row \"$expected\"" : "denied: $expected";
		is("$code $err" . ($got // ''), "0 $want", $name);
		$count++;
	}
	cmp_ok($count, '>=', 40, 'there are vectors');
}

in_builds(['walk', \&test_walk], ['behind', \&test_behind], ['file', \&test_file], ['vectors', \&test_vectors]);
