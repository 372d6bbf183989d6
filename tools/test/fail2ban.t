#!/usr/bin/perl
# fail2ban's own fail2ban-regex over contrib/fail2ban: whom its filter finds in the kernel's log, and whom not. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

system("$top/tests/deps fail2ban >&2") == 0 or BAIL_OUT('fail2ban is missing');
# beside the one that it includes, as it is installed
system('cp', '/etc/fail2ban/filter.d/common.conf', "$top/contrib/fail2ban/mailwall.conf", $temp) == 0
	or BAIL_OUT('no filter');

my $mac = 'MAC=02:00:00:00:0a:01:02:00:00:00:0a:02:08:00';
my $to = 'DST=192.0.2.1 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=50001 DPT=8080 SEQ=1 ACK=0 WINDOW=1 RES=0x00 SYN URGP=0';
my $six = 'DST=2001:0db8:0000:0000:0000:0000:0000:0001 LEN=60 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=TCP SPT=1 DPT=2 SEQ=1 ACK=0 WINDOW=1 RES=0x00 SYN URGP=0';

# found(LINE...): the addresses that the filter finds
sub found {
	spurt("$temp/log", join('', map { "Nov 28 09:00:0" . $_ % 10 . " gtw $_[$_]\n" } 0 .. $#_));
	open(my $regex, '-|', 'fail2ban-regex', '-o', 'ip', "$temp/log", "$temp/mailwall.conf")
		or BAIL_OUT("fail2ban-regex: $!");
	return join(' ', map { s/\n//r } <$regex>);
}

is(found(map { "kernel: mailwall: deny in $_ IN=eth0 OUT= $mac SRC=198.51.100.9 $to" } qw(closed peer flags)),
	join(' ', ('198.51.100.9') x 3), 'closed ports, wrong peers, scanners');
is(found("kernel: mailwall: deny in closed IN=eth0 OUT= $mac SRC=2001:0db8:0000:0000:0000:0000:0000:0009 $six"),
	'2001:db8::9', 'by IPv6');
is(found("kernel: [ 1234.567890] mailwall: deny in closed IN=eth0 OUT= $mac SRC=198.51.100.9 $to",
		"kernel: mailwall: deny in peer IN=tun0 OUT= SRC=198.51.100.10 $to",
		"kernel: mailwall: deny in closed IN=br0 OUT=br0 PHYSIN=in0 PHYSOUT=gw0 $mac SRC=198.51.100.11 $to"),
	'198.51.100.9 198.51.100.10 198.51.100.11', 'with the time of the kernel, without an Ethernet header, in a bridge');
is(found((map { "kernel: mailwall: deny in $_ IN=eth0 OUT= $mac SRC=198.51.100.9 $to" } qw(no-connection malformed)),
		"kernel: mailwall: would-deny in closed IN=eth0 OUT= $mac SRC=198.51.100.9 $to",
		"kernel: mailwall: deny out closed IN= OUT=eth0 SRC=192.0.2.1 $to"),
	'', 'not what nobody is to be banned for');
is(found("kernel: mailwall: adm refused: \"deny in closed IN=eth0 OUT= SRC=198.51.100.9 DST=x PROTO=TCP\": write",
		"evil: mailwall: deny in closed IN=eth0 OUT= $mac SRC=198.51.100.9 $to",
		"evil: kernel: mailwall: deny in closed IN=eth0 OUT= $mac SRC=198.51.100.9 $to",
		"kernel: other: mailwall: deny in closed IN=eth0 OUT= $mac SRC=198.51.100.9 $to"),
	'', 'nor what others write into the log');
done_testing();
