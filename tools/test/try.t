#!/usr/bin/perl
# "try" at a terminal: Enter keeps the change, Ctrl-C, time and a lost terminal do not. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

system("$top/tests/deps expect >&2") == 0 or BAIL_OUT("expect is missing");

# at(KEYS, WORD...): run at a terminal of its own, where KEYS are typed once it counts down
sub at {
	my ($keys, @words) = @_;
	my $code = run({ BEFORE => "expect -f $temp/terminal '$keys' env" }, @words);
	$out =~ s/\r\n?/\n/g;
	return $code;
}

sub mode_is {
	my ($mode, $name) = @_;
	run('mode');
	is($out, "$mode\n", $name);
}

sub test_try {
	spurt("$temp/terminal", <<'END2');
set timeout 60
set keys [subst -nocommands -novariables [lindex $argv 0]]
spawn -noecho {*}[lrange $argv 1 end]
if {$keys ne ""} {
	expect -re {reverts in .*reverts in \d+ seconds.*reverts in \d+ seconds} { send -- $keys } eof exit
}
expect eof
exit [lindex [wait] 3]
END2
	fresh();
	run('mode', 'audit');
	is(at('\n', 'try', 'mode', 'enforce'), 0, 'Enter');
	like($out, qr/reverts in 60 seconds.*second SSH session.*reverts in 60 seconds.*reverts in 59 seconds.*confirmed: the change stays/s,
		'... a countdown');
	mode_is('enforce', '... keeps it');
	fails('... nothing waits', 1, qr/no change waits/, 'confirm');
	is(at('\003', 'try', 'mode', 'off', '--confirm=30'), 1, 'Ctrl-C, with a time of its own');
	like($out, qr/reverts in 30 seconds.*reverted: all is as it was/s, '... says so');
	mode_is('enforce', '... undoes it');
	is(at('', 'try', 'mode', 'off', '--confirm=1'), 1, 'no answer in time');
	like($out, qr/reverted: its time ran out/, '... says so');
	mode_is('enforce', '... undoes it');
	is(at('\004', 'try', 'mode', 'off'), 1, 'no terminal any more');
	like($out, qr/the change reverts unless "mailwall confirm" comes from elsewhere/, '... says so');
	run('mode');
	is($out, "off\n", '... leaves it to the clock');
	works('... and to a confirm from elsewhere', 'confirm');
	is(at('', 'try', 'mode', 'off'), 0, 'what is so already');
	like($out, qr/nothing to change/, '... asks nothing');
	for my $words (['status'], ['mode'], ['nonsense'], ['--help']) {
		at('', @$words);
		unlike($out, qr/\e/, "@$words: no colour at a terminal, so NO_COLOR has nothing to switch off");
	}
	fails('no terminal', 2, qr/asks at a terminal/, 'try', 'mode', 'enforce');
	mode_is('off', '... changes nothing');
}

in_builds(['try' => \&test_try]);
