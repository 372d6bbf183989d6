#!/usr/bin/perl
# No change cuts the SSH session that it is made from unasked. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

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
	fails('session: adm clear would cut it', 1, qr/adm: this would cut.*\(peer\).*\n.*to keep it: this change itself takes away .*198\.51\.100\.7.*\n(?!.*(adm|site) add)/,
		{ SSH_CONNECTION => $four }, 'adm', 'clear');
	fails('session: adm set would cut it', 1, qr/adm: this would cut/, { SSH_CONNECTION => $four },
		'adm', 'set', '198.51.100.8');
	fails('session: site remove would cut it, and to add the row first is no help', 1,
		qr/site: this would cut.*\(closed\).*\n(?!.*(adm|site) add).*leave that in/,
		{ SSH_CONNECTION => $four }, 'site', 'remove', '22:ADM:GTW');
	run({ SSH_CONNECTION => $four }, 'site', 'add', '443', 'GTW', 'ANY');
	fails('session: a row with the same port and direction', 1, qr/"22 ADM GTW".*\n.*in one step: mailwall site set 22 ANY GTW 443 GTW ANY\n$/,
		{ SSH_CONNECTION => $four }, 'site', 'add', '22', 'ANY', 'GTW');
	works('... is replaced in one step as told', { SSH_CONNECTION => $four }, 'site', 'set', '22', 'ANY', 'GTW',
		'443', 'GTW', 'ANY');
	policy_is('... with the others kept', '198.51.100.7', '22 ANY GTW,443 GTW ANY');
	works('... and back', { SSH_CONNECTION => $four }, 'site', 'set', '22:ADM:GTW');
	run('adm', 'add', '10.0.0.1', '--confirm=50');
	fails('session: where a change waits, it is told first', 1, qr/^mailwall: adm: a change waits.*\n$/,
		{ SSH_CONNECTION => $four }, 'adm', 'clear');
	run('revert');
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
	$start->();
	fails('session: found above a terminal that remembers another one', 1, qr/198\.51\.100\.7 to port 22/,
		{ SSH_CONNECTION => $four, BEFORE => "env SSH_CONNECTION='198.51.100.9 1 203.0.113.1 22'" },
		'mode', 'enforce');
	spurt("$dir/tcp", $head . socket_line("\xcb\0\x71\x01", 22, "\xcb\0\x71\x01", 50000));
	works('session: one on a loopback device is not judged', { SSH_CONNECTION => '203.0.113.1 50000 203.0.113.1 22' },
		'mode', 'enforce');
	$start->();
	spurt("$dir/tcp", $head . $four_line =~ s/ 01 00000000:/ 06 00000000:/r);
	works('session: one that is over, in TIME-WAIT', { SSH_CONNECTION => $four }, 'mode', 'enforce');
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

# Which computers are GTW decides whether it is cut.
sub test_gateways {
	my $four = "198.51.100.7 50000 203.0.113.1 22";
	my $start = sub {
		fresh();
		run('mode', 'off');
		spurt("$dir/tcp", socket_line("\xcb\0\x71\x01", 22, "\xc6\x33\x64\x07", 50000));
	};

	for my $items ('10.0.0.1', 'port:eth0', '2001:db8::7') {
		$start->();
		works("session: this host is not GTW, but $items", { SSH_CONNECTION => $four }, 'gtw', 'set', $items);
		works('... so nothing is cut', { SSH_CONNECTION => $four }, 'mode', 'enforce');
		fails('... but if it becomes GTW', 1, qr/gtw: this would cut.*\(closed\).*\n.*adm add.*\n.*site add 22 ADM GTW/,
			{ SSH_CONNECTION => $four }, 'gtw', 'add', 'this');
	}
	$start->();
	works('session: from a gateway behind', { SSH_CONNECTION => $four }, 'gtw', 'set', '198.51.100.0/24');
	fails('... is cut as its own', 1, qr/mode: this would cut.*\(closed\).*\n(?!.*adm add).*site add 22 GTW ANY, since 198\.51\.100\.7 is a gateway/,
		{ SSH_CONNECTION => $four }, 'mode', 'enforce');
	works('... as told', { SSH_CONNECTION => $four }, 'site', 'add', '22', 'GTW', 'ANY');
	works('... it goes on', { SSH_CONNECTION => $four }, 'mode', 'enforce');
	fails('... and with this host GTW too', 1, qr/gtw: this would cut.*\(closed\).*\n.*\n.*site add 22 ADM GTW/,
		{ SSH_CONNECTION => $four }, 'gtw', 'add', 'this');
}

# A process that an SSH session left its addresses to, of another login if there is a number for it.
sub elsewhere {
	my ($session, $login) = @_;
	my $pid = fork() // die "fork: $!";

	if (!$pid) {
		$ENV{SSH_CONNECTION} = $session;
		spurt('/proc/self/loginuid', $login) if defined($login);
		exec('sleep', '600');
	}
	# until its environment is that
	select(undef, undef, undef, 0.01) until (slurp("/proc/$pid/cmdline") // '') =~ /^sleep/;
	return $pid;
}

# tmux, whose window has the variable of the session that it was started from.
sub test_multiplexer {
	my $head = "  sl  local_address rem_address   st tx_queue rx_queue\n";
	my ($old, $new) = map { "198.51.100.$_ 50000 203.0.113.1 22" } (7, 9);
	my ($old_line, $new_line) = map { socket_line("\xcb\0\x71\x01", 22, "\xc6\x33\x64" . chr($_), 50000) } (7, 9);
	my $inside = { SSH_CONNECTION => $old, BEFORE => "sh $temp/in-tmux env" };
	my $start = sub {
		fresh();
		run('mode', 'off');
		spurt("$dir/tcp", join('', $head, @_));
		spurt("$dir/tcp6", $head);
	};
	my $pid;

	spurt("$temp/in-tmux", <<'END');
here=${0%/*}/tmux
mkdir -p "$here"
cat >"$here/window" <<'WINDOW'
"$@" >"${0%/*}/out" 2>"${0%/*}/err"
echo $? >"${0%/*}/code"
WINDOW
tmux -f /dev/null -S "$here/socket" new-session -d sh "$here/window" "$@"
while [ ! -s "$here/code" ]; do sleep 0.05; done
cat "$here/out"
cat "$here/err" >&2
code=$(cat "$here/code")
rm -r "$here"
exit "$code"
END
	$start->();
	works('tmux: nobody is there any more', $inside, 'mode', 'enforce');
	$start->($old_line);
	fails('tmux: from its first session', 1, qr/cut the SSH session in use, from 198\.51\.100\.7 /, $inside,
		'mode', 'enforce');
	$pid = elsewhere($new);
	$start->($new_line);
	fails('tmux: from a session that came later', 1,
		qr/cut an SSH session of this login, from 198\.51\.100\.9 to port 22 \(closed\).*\n.*adm add 198\.51\.100\.9\n/,
		$inside, 'mode', 'enforce');
	is(run({ %$inside }, 'mode', 'enforce', '--force'), 0, '... --force');
	like($err, qr/warning: this cuts an SSH session of this login from 198\.51\.100\.9 to port 22$/, '... with a warning');
	$start->($old_line, $new_line);
	run('adm', 'add', '198.51.100.7');
	run('site', 'add', '22:ADM:GTW');
	fails('tmux: from a later one, while the first seems to be there', 1,
		qr/cut an SSH session of this login, from 198\.51\.100\.9 to port 22 \(peer\)/, $inside, 'mode', 'enforce');
	works('no terminal: nobody looks', { SSH_CONNECTION => $old }, 'mode', 'enforce');
	kill('KILL', $pid);
	waitpid($pid, 0);
	$start->($new_line);
	$pid = elsewhere($new, 4711);
	works('tmux: the session of another login', $inside, 'mode', 'enforce');
	kill('KILL', $pid);
	waitpid($pid, 0);
}

system("$top/tests/deps tmux >&2") == 0 or BAIL_OUT('tmux is missing');
in_builds(['the SSH session' => \&test_session, 'too'], ['gateways' => \&test_gateways],
	['a terminal multiplexer' => \&test_multiplexer]);
