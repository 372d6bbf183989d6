#!/usr/bin/perl
# The Ansible role of contrib/ansible, run by ansible-playbook against a host with a root directory of the test's own. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use lib dirname(__FILE__);
use Device;
use Test::More;

my $own = '/etc/modprobe.d/mailwall.conf';

system("$top/tests/deps ansible-core >&2") == 0 or BAIL_OUT('ansible-core is missing');

# plays(NAME, CODE, RECAP, VARIABLES, OPTION...): the role on this host, with the command under test
sub plays {
	my ($name, $want, $recap, $variables, @options) = @_;
	spurt("$temp/play.yml", <<"END");
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {$variables, mailwall_command: "$temp/mailwall"}
  roles: [mailwall]
END
	local $ENV{ANSIBLE_ROLES_PATH} = "$top/contrib/ansible/roles";
	local $ENV{ANSIBLE_LOCAL_TEMP} = "$temp/ansible";
	local $ENV{ANSIBLE_REMOTE_TEMP} = "$temp/ansible";
	local $ENV{LC_ALL} = 'C.UTF-8';
	my $said = `ansible-playbook -i localhost, @options $temp/play.yml 2>&1 </dev/null`;
	is($? >> 8, $want, $name) or diag($said);
	like($said, $recap, '... as Ansible counts it');
	return $said;
}

sub test_role {
	fresh();
	make_path("$dir/system/etc/modprobe.d");
	spurt("$temp/mailwall", "#!/bin/sh\nexport FAKE_DIR='$dir' FAKE_PROGRAMS='$dir/programs' LD_PRELOAD='$build/fake_device.so'\nexec '$build/mailwall' \"\$\@\"\n");
	chmod(0755, "$temp/mailwall") or die;
	my $policy = 'mailwall_adm: [192.0.2.0/24, "2001:db8::/32"], mailwall_site: ["22:ADM:GTW", "443:GTW:ANY"]';
	plays('--check', 0, qr/changed=1 .*failed=0/, $policy, '--check');
	policy_is('... changes nothing', '', '');
	ok(!-e "$dir/system$own", '... nor what is saved');
	plays('the first run', 0, qr/changed=1 .*failed=0/, $policy);
	policy_is('... sets it', '192.0.2.0/24,2001:db8::/32', '22 ADM GTW,443 GTW ANY');
	like(slurp("$dir/system$own"), qr/adm=192\.0\.2\.0\/24,2001:db8::\/32/, '... and saves it');
	plays('the second run', 0, qr/changed=0 .*failed=0/, $policy);
	plays('another mode', 0, qr/changed=1 .*failed=0/, "$policy, mailwall_mode: audit, mailwall_log: \"nflog:5\"");
	prints('... is set', "audit\n", 'mode');
	like(plays('a wrong prefix', 2, qr/changed=0 .*failed=1/, 'mailwall_adm: [192.0.2.5/24]'), qr/192\.0\.2\.5\/24.*write 192\.0\.2\.0\/24 for the network/s,
		'... is named');
	prints('... and changes nothing', "audit\n", 'mode');
}

# One build: what the role does is Ansible's.
$ENV{MAILWALL_BUILDS} = 'plain';
in_builds(['the role' => \&test_role]);
