#!/usr/bin/perl
# The first start and its undoing: what listens and what would be cut, by real sockets in a
# network namespace of the test's own. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use lib dirname(__FILE__);
use Device;
use Test::More;

my $root = $> == 0;
my $own = '/etc/modprobe.d/mailwall.conf';
my $list = '/etc/modules-load.d/mailwall.conf';

# The namespace: a server on 2222 with a client, a client of a server elsewhere on 443, SMTP,
# and a service on loopback alone. $1 is typed.
spurt("$temp/sockets", <<'END');
import socket, subprocess, sys
def listen(address, port, family=socket.AF_INET):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen()
    return s
def connect(source, target):
    s = socket.socket()
    s.bind(source)
    s.connect(target)
    return s
subprocess.run("ip link set lo up; ip addr add 192.0.2.1/24 dev lo; ip addr add 192.0.2.7/24 dev lo",
               shell=True, check=True)
keep = [listen("", 2222), listen("::", 25, socket.AF_INET6), listen("127.0.0.1", 5432),
        listen("192.0.2.1", 8450)]
keep += [connect(("192.0.2.7", 50000), ("192.0.2.1", 2222)), keep[0].accept(),
         connect(("192.0.2.7", 50001), ("192.0.2.1", 25)), keep[1].accept()]
done = subprocess.run(sys.argv[2:], input=sys.argv[1].encode())
sys.exit(done.returncode)
END

# enables(TYPED, WORD...): in that namespace
sub enables {
	my ($typed, @words) = @_;
	my %env = ref $words[0] ? %{shift @words} : ();
	return run({ %env, BEFORE => "exec unshare -npf --mount-proc /usr/bin/python3 $temp/sockets '$typed' env" }, 'enable', @words);
}

sub test_enable {
	plan(skip_all => 'only root can make namespaces') unless $root;
	machine_to_enable();
	make_path("$dir/system/boot", "$dir/system/lib/modules/6.1");
	spurt("$dir/system/boot/vmlinuz-6.1", '');
	is(enables("yes\n", '--adm=10.0.0.0/8', '--site=443:GTW:ANY'), 0, 'enable') or diag("$out$err");
	like($out, qr/^next boot  UNGUARDED with kernel 6\.1 /m, 'a kernel without the module is told at once');
	like($out, qr/^loaded in audit: nothing is denied yet$/m, 'it loads in audit');
	is(slurp("$dir/modprobe"), "-C /dev/null mailwall mode=audit\n", '... whatever is configured');
	like($out, qr/^listens here:\n(.*\n)*?   2222  python3 +CLOSED TO ALL; to open it: --site 2222:ADM:GTW, or 2222:ANY:GTW$/m,
		'what listens, by process, with its row');
	like($out, qr/^     25  python3 +open to ANY$/m, '... what has one');
	like($out, qr/^   8450  python3 +open to ADM$/m, '... or another');
	unlike($out, qr/5432/, '... nothing of loopback');
	like($out, qr/^connected now, and cut by this:\n(.*\n)*?  192\.0\.2\.7 to 2222 here, python3; to keep it: --site 2222:ADM:GTW --adm 192\.0\.2\.7$/m,
		'what would be cut, with its row');
	like($out, qr/^  to 2222 at 192\.0\.2\.1, python3; to keep it: --site 2222:GTW:ANY$/m, '... outbound too');
	unlike($out, qr/192\.0\.2\.7 to 25 /, '... not what has a row');
	prints('... it enforces', "enforce\n", 'mode');
	policy_is('... with what was said', '10.0.0.0/8', '443 GTW ANY');
	prints('... is saved', '', 'diff');
	ok(!-e "$dir/system$list", '... and not listed, which would load it unchecked');
	is(enables('', ), 0, 'again: nothing is to be confirmed');
	unlike($out, qr/type yes/, '... nor asked');

	machine_to_enable();
	is(enables('', '--adm=10.0.0.0/8'), 1, 'nobody confirms');
	like($err, qr/not confirmed: it is taken back, and nothing was saved/, '... is said');
	prints('... it is audit again', "audit\n", 'mode');
	ok(!-e "$dir/system$_", "... $_ is not there") for $own, $list;
	is(enables("no\n"), 1, 'nor "no"');
	prints('... changes nothing', "audit\n", 'mode');

	# the session that it is typed in
	my $ssh = { SSH_CONNECTION => '192.0.2.7 50000 192.0.2.1 2222' };
	machine_to_enable();
	spurt("$dir/tcp", "  sl  local_address rem_address   st\n" .
		"   1: 010200C0:08AE 070200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 1\n");
	is(enables("yes\n", $ssh), 1, 'its own session is not cut');
	like($out, qr/^  192\.0\.2\.7 to 2222 here.*  <- YOUR SESSION$/m, '... but named');
	like($err, qr/enable: this would cut the SSH session in use, from 192\.0\.2\.7 to port 2222/, '... and nothing is done');
	prints('... nothing is enforced', "audit\n", 'mode');
	is(enables("yes\n", $ssh, '--adm=192.0.2.7', '--site=2222:ADM:GTW'), 0, '... with its row');
	prints('... it enforces', "enforce\n", 'mode');
	machine_to_enable();
	spurt("$dir/tcp", "  sl  local_address rem_address   st\n" .
		"   1: 010200C0:08AE 070200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 1\n");
	is(enables("yes\n", $ssh, '--force'), 0, '--force cuts it');
	like($err, qr/warning: this cuts the SSH session/, '... with a warning');

	machine_to_enable();
	spurt("$dir/system$own", "options mailwall adm=10.0.0.1\n# mine\n");
	is(enables("yes\n", '--adm=10.0.0.2', '--adm=10.0.0.3'), 0, 'what is configured stays');
	policy_is('... with more', '10.0.0.1,10.0.0.2,10.0.0.3', '');
	machine_to_enable();
	spurt("$dir/system$own", "options mailwall sites=x\n");
	is(enables("yes\n"), 1, 'a wrong configuration comes first');
	ok(-e "$dir/unloaded", '... nothing is loaded');
	is(enables("yes\n", '--adm=x'), 1, 'likewise a wrong word');
	like($err, qr/no such parameter/, '... is said');
}

sub test_disable {
	plan(skip_all => 'only root can make namespaces') unless $root;
	machine_to_enable();
	spurt("$dir/system$own", "# mine\n");
	spurt("$dir/system$list", "mailwall\n");
	enables("yes\n", '--adm=10.0.0.0/8');
	is(run('disable'), 0, 'disable');
	like($out, qr/no boot loads it any more\nunloaded: nothing is judged/, '... says what that means');
	like(slurp("$dir/modprobe"), qr/^-r -C \/dev\/null mailwall$/m, '... unloads it');
	is(slurp("$dir/system$own"), "# mine\n", '... and leaves what was there before');
	ok(!-e "$dir/system$list", '... and no list, which README of release 0.1.0 had written');
	is(run('disable'), 0, 'again');
	machine_to_enable();
	enables("yes\n", '--adm=10.0.0.0/8');
	run('disable');
	ok(!-e "$dir/system$own", 'a file with nothing else in it goes');
}

in_builds(['enable' => \&test_enable], ['disable' => \&test_disable]);
