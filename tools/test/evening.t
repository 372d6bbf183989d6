#!/usr/bin/perl
# The first evening with mailwall, docs/first-evening.md: what it quotes is what the command says.
# MAILWALL_WRITE=1 writes the page. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use lib dirname(__FILE__);
use Device;
use Test::More;

my $page = "$top/docs/first-evening.md";
my $ssh = '198.51.100.7 50000 198.51.100.1 22';

# The host: sshd with the administrator's session, MailStore Gateway, and a resolver elsewhere. $1 is typed.
spurt("$temp/host", <<'END');
import os, signal, socket, subprocess, sys
def called(name):
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(name)
subprocess.run("mount -t tmpfs tmpfs /run; ip link set lo up; ip addr add 192.0.2.1/24 dev lo; ip netns add far; "
               "ip link add veth0 type veth peer name eth0 netns far; ip addr add 198.51.100.1/24 dev veth0; "
               "ip link set veth0 up; ip -n far addr add 198.51.100.7/24 dev eth0; ip -n far link set eth0 up",
               shell=True, check=True)
ready, tell = os.pipe()
if not os.fork():
    called("mailstore-gtw")
    gateway = [socket.create_server(("", port)) for port in (25, 8450)]
    os.write(tell, b"1")
    signal.pause()
os.read(ready, 1)
sshd = socket.create_server(("", 22))
far = subprocess.Popen(["ip", "netns", "exec", "far", "python3", "-c", """
import socket
s = socket.socket()
s.bind(("198.51.100.7", 50000))
s.connect(("198.51.100.1", 22))
print(flush=True)
input()"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
far.stdout.readline()
session = sshd.accept()
called("sshd")
done = subprocess.run(sys.argv[2:], input=sys.argv[1].encode(), check=False)
far.kill()
sys.exit(done.returncode)
END

my $text = '';

sub words {
	$text .= "\n" . join(' ', @_) . "\n";
}

# typed(KEYS, CODE, WORD...): a command as the page quotes it
sub typed {
	my ($keys, $want, @words) = @_;
	my $code = run({ SSH_CONNECTION => $ssh,
		BEFORE => "exec 2>&1; unshare -nmpf --mount-proc python3 $temp/host '$keys' env" }, @words);
	my $typed = $keys =~ s/\n//gr;
	$out =~ s/(type yes: )/$1$typed\n/;
	is($code, $want, "mailwall @words") or diag($out);
	$text .= "\n    # mailwall @words\n" . join('', map { $_ eq "\n" ? $_ : "    $_" } split(/(?<=\n)/, $out));
}

sub test_evening {
	plan(skip_all => 'only root can make namespaces') unless $> == 0;
	machine_to_enable();
	spurt("$dir/tcp", "  sl  local_address rem_address   st\n" .
		"   1: 016433C6:0016 076433C6:C350 01 00000000:00000000 00:00000000 00000000     0        0 1\n");
	# as the packages leave it
	make_path("$dir/system/etc/systemd/system/multi-user.target.wants", "$dir/system/etc/apt");
	spurt("$dir/system/etc/systemd/system/multi-user.target.wants/mailwall.service", '');
	spurt("$dir/system/etc/resolv.conf", "nameserver 192.0.2.53\n");
	spurt("$dir/system/etc/apt/sources.list", "deb http://deb.example.org/debian bookworm main\n");
	$text = "# A first evening with mailwall\n";
	words('MailStore Gateway runs on this host, and you came by SSH from 198.51.100.7. The packages are installed, nothing is',
		"loaded.\nThis page is written by `tools/test/evening.t`, which types it all.");
	words("## What does this host need?\n\nThe built-in table has the ports of the gateway. What else does the host do?");
	typed('', 0, 'suggest');
	words("## Too little\n\nYou forget SSH. `enable` loads the module in audit, shows what would be cut, and stops there:");
	typed('', 1, 'enable', '--adm=198.51.100.0/24');
	words("## Enough");
	typed("yes\n", 0, 'enable', '--adm=198.51.100.0/24', '--site=22:ADM:GTW,53:GTW:ANY,80:GTW:ANY');
	words("Is all well, and does the next boot know?");
	typed('', 0, 'status', '--check');
	words("## A colleague\n\nShe administers from 203.0.113.5, and the console does not open. Why?");
	typed('', 0, 'explain', 'in', '203.0.113.5:40000', '198.51.100.1:8450');
	words("A change with a way back, since a typing error could shut you out:");
	typed('', 0, 'adm', 'add', '203.0.113.5', '--confirm=60');
	words("She is in. Keep it, and let the next boot have it too:");
	typed('', 0, 'confirm');
	typed('', 1, 'diff');
	typed('', 0, 'save');
	words("## A mistake\n\nA change that would cut the session that you type in is refused:");
	typed('', 1, 'adm', 'remove', '198.51.100.0/24');
	words("Good night. Who changed what is in the kernel's log (`journalctl -k -g mailwall`), each change with its user and login.");
	if ($ENV{MAILWALL_WRITE}) {
		spurt($page, $text);
	}
	is($text, slurp($page) // '', 'docs/first-evening.md says the same');
}

in_builds(['the first evening' => \&test_evening]);
