#!/usr/bin/perl
# "suggest", what "site add" says of a port that nobody serves, and "report": by real sockets in
# a network namespace of the test's own. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use lib dirname(__FILE__);
use Device;
use Test::More;

my $root = $> == 0;

# sshd's port is served, and so is one on loopback alone; one connection goes elsewhere, one
# comes in
spurt("$temp/sockets", <<'END');
import socket, subprocess, sys
def listen(address, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen()
    return s
subprocess.run("ip link set lo up; ip addr add 192.0.2.1/24 dev lo; ip addr add 192.0.2.7/24 dev lo; "
               "ip netns add far; ip link add veth0 type veth peer name eth0 netns far; "
               "ip addr add 198.51.100.1/24 dev veth0; ip link set veth0 up; "
               "ip -n far addr add 198.51.100.2/24 dev eth0; ip -n far link set eth0 up", shell=True, check=True)
far = subprocess.Popen(["ip", "netns", "exec", "far", "/usr/bin/python3", "-c",
                        "import socket; s = socket.create_server(('198.51.100.2', 636)); print(flush=True); kept = s.accept(); s.accept()"],
                       stdout=subprocess.PIPE)
far.stdout.readline()
keep = [listen("", 22), listen("", 25), listen("127.0.0.1", 5432), listen("", 9100),
        socket.create_connection(("198.51.100.2", 636))]
done = subprocess.run(sys.argv[1:], check=False)
far.kill()
sys.exit(done.returncode)
END

# there(WORD...): in that namespace
sub there {
	my @words = @_;
	my %env = ref $words[0] ? %{shift @words} : ();
	return run({ %env, BEFORE => "exec unshare -nmpf --mount-proc sh -c 'mount -t tmpfs tmpfs /run && exec \"\$\@\"' sh /usr/bin/python3 $temp/sockets env" }, @words);
}

sub test_suggest {
	plan(skip_all => 'only root can make namespaces') unless $root;
	fresh();
	make_path("$dir/system/etc/apt/sources.list.d");
	run('site', 'add', '22:ADM:GTW');
	is(there('suggest'), 0, 'suggest') or diag("$out$err");
	is($out, <<'END', '... what listens and is connected, save what a row covers already');
9100 ADM GTW     # python3 listens
636 GTW ANY      # python3 is connected to 198.51.100.2
# take out what you do not want; ADM may be ANY:
# mailwall site add 9100 ADM GTW 636 GTW ANY
END
	spurt("$dir/system/etc/resolv.conf", "# a comment\nnameserver 192.0.2.53\n");
	spurt("$dir/system/etc/apt/sources.list", "#deb http://old.example.org/ x y\ndeb https://deb.example.org/ x y\n");
	spurt("$dir/system/etc/apt/sources.list.d/debian.sources", "Types: deb\nURIs: http://deb.example.org/debian\n");
	make_path("$dir/system/etc/letsencrypt");
	is(there('suggest'), 0, 'suggest with files');
	like($out, qr/^53 GTW ANY +# DNS .*\n443 GTW ANY +# package archive, etc\/apt\/sources\.list\n80 GTW ANY +# package archive, debian\.sources\n80 ANY GTW +# Let's Encrypt asks/m,
		'... names what they say is used now and then');
	is(there({ FAKE_OPEN => 'ENOENT' }, 'suggest'), 0, 'without the module too');
	like($out, qr/^22 ADM GTW +# python3 listens$/m, '... where no row is there yet');
	my ($add) = $out =~ /^# mailwall (site add .*)/m;
	fresh();
	run('adm', 'set', '192.0.2.0/24');
	works('the command that it prints', split(/ /, $add));
	is(there('suggest'), 0, '... leaves');
	is($out, "# nothing that no row covers\n", '... nothing to suggest');
}

sub test_unserved {
	plan(skip_all => 'only root can make namespaces') unless $root;
	fresh();
	is(there('site', 'add', '9100:ADM:GTW', '443:GTW:ANY'), 0, 'rows for what is served, and elsewhere');
	ok(!$unserved, '... no warning') or diag($err);
	is(there('site', 'add', '9101:ANY:GTW'), 0, 'a row whose port nobody serves is taken');
	ok($unserved, '... with a warning');
	is(there('site', 'add', '5432:ANY:GTW'), 0, 'so is one whose port is served on loopback alone');
	ok($unserved, '... with a warning');
	is(there('mode', 'audit'), 0, 'another change');
	ok(!$unserved, '... says no word of rows that were there');
	run('gtw', 'set', '10.0.0.1');
	is(there('site', 'add', '9102:ANY:GTW'), 0, 'a row for a gateway behind');
	ok(!$unserved, '... whose sockets are not seen');
}

sub test_report {
	fresh();
	run('adm', 'set', '192.0.2.0/24', '2001:db8:77::/48');
	run('site', 'add', '22:ADM:GTW');
	run('gtw', 'set', 'this', '10.9.8.7', 'port:secret0');
	works('report', 'report');
	like($out, qr/^$_$/m, "... tells $_") for 'mode enforce', 'adm ADDRESS1/24 \(IPv4\)', 'adm ADDRESS2/48 \(IPv6\)',
		'site 22 ADM GTW', 'gtw this', 'gtw GATEWAY2/32 \(IPv4\)', 'gtw port:DEVICE3', 'host in closed: 1004 denied, 2004 would-deny',
		'behind out flags: 1511 denied, 2511 would-deny', 'host 25 ANY GTW: \d+ opened, \d+ segments, \d+ bytes';
	unlike($out, qr/192\.0\.2|2001:db8|10\.9\.8|secret/, '... and no address or name');
	works('report without the module', { FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' }, 'report');
	like($out, qr/^command .*\nkernel .*\nmodule not loaded\n\z/, '... says so');
	is(run({ FAKE_OPEN => 'EACCES' }, 'report'), 4, 'report without rights');
}

in_builds(['suggest' => \&test_suggest], ['a port that nobody serves' => \&test_unserved], ['report' => \&test_report]);
