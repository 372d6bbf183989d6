#!/usr/bin/perl
# What the next boot loads: check, save, reload, diff and apply, over a root directory of
# the test's own. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use lib dirname(__FILE__);
use Device;
use Test::More;

my $own = '/etc/modprobe.d/mailwall.conf';

# file(PATH, TEXT): in the root directory
sub file {
	my ($path, $text) = @_;
	make_path(dirname("$dir/system$path"));
	spurt("$dir/system$path", $text);
}

# machine(TEXT, PATH => TEXT...): one with this in the administrator's own file, loaded at boot
sub machine {
	my ($options, %more) = @_;
	fresh();
	make_path("$dir/system/etc/modprobe.d");
	file('/etc/systemd/system/multi-user.target.wants/mailwall.service', '');
	file('/proc/cmdline', "BOOT_IMAGE=/vmlinuz root=/dev/vda \"x=a b\" quiet\n");
	file($own, $options) if defined $options;
	file($_, $more{$_}) for keys %more;
}

# wrong(NAME, PATTERN, OPTIONS, PATH => TEXT...): check finds it
sub wrong {
	my ($name, $pattern) = splice(@_, 0, 2);
	machine(@_);
	fails("check: $name", 1, $pattern, 'check');
}

my $good = "options mailwall adm=192.0.2.0/24 site=22:ADM:GTW,443:GTW:ANY\n";
my $means = "mode enforce\ngtw this\nadm 192.0.2.0/24\nsite 22 ADM GTW\nsite 443 GTW ANY\nlog off\n";

sub test_check {
	machine($good);
	prints('check: all is well', $means, 'check');
	for my $written ("options mailwall adm=192.0.2.0/24 \\\n\tsite=22:ADM:GTW,443:GTW:ANY\n",
		"# mailwall\n\noptions\tmailwall  adm=192.0.2.0/24\noptions mailwall site=22:ADM:GTW,443:GTW:ANY",
		"options mailwall \"site=22:ADM:GTW,443:GTW:ANY\" adm=\"192.0.2.0/24\"\n",
		"options mailwall site=\"22 ADM GTW,443 GTW ANY\" adm=192.0.2.0/24\noptions other x=1\nalias a mailwall\n") {
		machine($written);
		run('check');
		is($out, $means, "check: so is this: $written");
	}
	# the three that loaded, and said nothing
	wrong('an unknown parameter', qr{^mailwall: \Q$own\E:2: "sites": no such parameter: write one of mode, adm, site,},
		"#\noptions mailwall sites=22:ADM:GTW\n");
	wrong('rows apart by a blank', qr{\Q$own\E:1: "443:GTW:ANY" is no parameter: .*commas},
		"options mailwall site=22:ADM:GTW 443:GTW:ANY\n");
	wrong('a parameter on two lines', qr{\Q$own\E:4: adm "10\.0\.0\.1": given twice: write it once},
		"options mailwall adm=192.0.2.0/24 \\\n\tmode=enforce\n# more\noptions mailwall adm=10.0.0.1\n");

	wrong('a parameter in two files', qr{/etc/modprobe\.d/zz\.conf:1: adm ".*given twice}, $good,
		'/etc/modprobe.d/zz.conf' => "options mailwall adm=10.0.0.1\n");
	wrong('and on the command line', qr{kernel command line: adm ".*given twice}, $good,
		'/proc/cmdline' => "quiet mailwall.adm=10.0.0.1\n");
	wrong('a wrong value', qr{mailwall\.conf:1: adm "192\.0\.2\.1/24": .*write 192\.0\.2\.0/24},
		"options mailwall adm=192.0.2.1/24\n");
	wrong('two rows for a port', qr{mailwall\.conf:1: site "22:ANY:GTW": there is one row},
		"options mailwall site=22:ADM:GTW,22:ANY:GTW\n");
	wrong('confirm in audit', qr{confirm: with mode=audit}, "options mailwall mode=audit confirm=60\n");
	wrong('no value', qr{"adm" is no parameter}, "options mailwall adm\n");
	wrong('nothing', qr{mailwall\.conf:1: no parameters}, "options mailwall\n");
	wrong('a word misspelt', qr{:1: "option" is nothing that modprobe knows}, "option mailwall adm=10.0.0.1\n");
	wrong('the name misspelt', qr{:1: these are the options of "mailwal"}, "options mailwal adm=10.0.0.1\n");
	wrong('a blank before a comment', qr{:1: "#" is nothing}, " # comment\n$good");
	wrong('the name of the file', qr{/etc/modprobe\.d/mailwall is not read, .*mailwall\.conf}, $good,
		'/etc/modprobe.d/mailwall' => $good);
	wrong('blacklisted', qr{/lib/modprobe\.d/a\.conf:2: mailwall is blacklisted}, $good,
		'/lib/modprobe.d/a.conf' => "blacklist pcspkr\nblacklist mailwall\n");
	wrong('replaced by a command', qr{b\.conf:1: this command is run in place of loading}, $good,
		'/run/modprobe.d/b.conf' => "install mailwall /bin/true\n");
	wrong('kept out by the kernel', qr{kernel command line: THE MODULE IS KEPT OUT by module_blacklist=}, $good,
		'/proc/cmdline' => "ro module_blacklist=floppy,mailwall\n");
	wrong('kept out by modprobe', qr{KEPT OUT by modprobe\.blacklist=mailwall}, $good,
		'/proc/cmdline' => "modprobe.blacklist=mailwall\n");
	wrong('the list misspelt', qr{/etc/modules-load\.d/mailwall\.conf: the list has "mailwal"}, $good,
		'/etc/modules-load.d/mailwall.conf' => "mailwal\n");
	machine($good, '/etc/modprobe.d/a.conf' => "softdep e1000 pre: mailwall\n",
		'/etc/modules-load.d/mailwall.conf' => "# mailwall\n",
		'/proc/cmdline' => "module_blacklist=mailwall2,xmailwall mailwalls.adm=1\n");
	is(run('check'), 0, 'check: worth knowing is not wrong');
	like($err, qr{note: .*a\.conf:1: softdep: mailwall is loaded with e1000}, '... and is said');
	unlike($err, qr/modules-load/, '... nothing of a list that does not load it');
	machine($good, '/etc/modules-load.d/own.conf' => "mailwall\n");
	is(run('check'), 0, 'check: so is a list');
	like($err, qr{note: /etc/modules-load\.d/own\.conf: this list loads the module before mailwall\.service has checked}, '... which loads it too soon');
	machine($good, '/proc/cmdline' => "modules_load=floppy,mailwall\n");
	is(run('check'), 0, 'check: so is one of the kernel');
	like($err, qr{note: kernel command line: this list loads the module before}, '... likewise');
	machine($good, '/run/modprobe.d/mailwall.conf' => "options mailwall mode=off\n",
		'/etc/modprobe.d/mailwall.conf.old' => "options mailwall mode=off\n");
	prints('check: a name in /etc hides the same elsewhere, and only *.conf is read', $means, 'check');
	fresh();
	prints('check: nothing there', "nothing is configured: no boot loads mailwall\n", 'check');

	machine("options mailwall adm=10.0.0.1 sites=x\n");
	spurt("$temp/new.conf", $good);
	prints('check FILE: in place of the own file', $means, 'check', "$temp/new.conf");
	spurt("$temp/new.conf", "\n\noptions mailwall mode=on\n");
	fails('... wrong', 1, qr{\Q$temp\E/new\.conf:3: mode "on": no mode}, 'check', "$temp/new.conf");
	fails('... not there', 1, qr{none\.conf: No such file}, 'check', "$temp/none.conf");
}

# what modprobe itself makes of the same files
sub test_modprobe {
	my @cases = ("options mailwall a=1\\\n2 b=3\n# c \\\noptions mailwall d=4\noptions mailwall e=5\n",
		"options mailwall a=1\\x2\n\toptions mailwall b=\"2 3\"\noptions mail-wall c=1\n", "options mailwall a=1\\",
		"options mailwall  a=1   b=2  \\\n\\\n c=3\n\noptions  mailwall\td=1");
	for my $text (@cases) {
		machine($text);
		open(my $modprobe, '-|', 'sh', '-c', 'PATH=$PATH:/usr/sbin:/sbin exec modprobe -C "$1" -c', 'sh', "$dir/system/etc/modprobe.d")
			or die;
		my %theirs = map { /^options mailwall (.*)/ ? map { tr/"//dr => 1 } $1 =~ /(\w+=(?:"[^"]*"|[^\s"]*))/g : () } <$modprobe>;
		run('check');
		my %ours = map { /: "(\w)": no such parameter/ ? ($1 => 1) : () } split(/\n/, $err);
		is(join(' ', sort keys %ours), join(' ', sort map { /^(\w)/ } keys %theirs), 'modprobe reads the same: ' . $text)
			or diag($err);
		ok(%ours || $text =~ /\\$/, '... which is something');
	}
}

sub test_save {
	machine();
	run('adm', 'add', '192.0.2.0/24');
	ok($unsaved, 'a change is not saved, and says so');
	is(run('diff'), 1, 'diff: they differ');
	is($out, "+mode enforce\n+gtw this\n+adm 192.0.2.0/24\n+log off\n", '... in all, since nothing is configured');
	run('status');
	like($out, qr/^saved      no: nothing is configured, so no boot loads the module: "mailwall\s+save"$/m, 'status says so');
	prints('save', "saved in $own\n", 'save');
	prints('... diff: none', '', 'diff');
	run('status');
	like($out, qr/^saved      yes/m, '... status says so');
	run('adm', 'add', '192.0.3.0/24');
	is(run('diff'), 1, 'one more: they differ');
	is($out, "+adm 192.0.3.0/24\n", '... in this');
	run('status');
	like($out, qr/^saved      no: the next boot loads another policy: see "mailwall diff"$/m, '... status says so');
	run('reload');
	is((stat("$dir/system$own"))[2] & 07777, 0644, '... for all to read');
	run('site', 'add', '22:ADM:GTW', '--confirm=50');
	ok(!$unsaved, 'a change that waits is not to be saved');
	fails('... nor can it be', 1, qr/save: a change waits (50|4\d) more seconds/, 'save');
	run('confirm');
	ok($unsaved, '... once confirmed it is');
	run('adm', 'remove', '192.0.2.0/24');
	run('adm', 'add', '192.0.2.0/24');
	run('site', 'clear');
	ok(!$unsaved, 'back at what is saved, nothing is said');

	# what stands around it
	machine("# ours\noptions mailwall adm=10.0.0.1 \\\n  flows=2048\n#options mailwall mode=audit\nsoftdep x pre: y\noptions mailwall \\\nconfirm=60\noptions other a=b\n# end");
	run('mode', 'enforce');
	run('adm', 'set', '192.0.2.0/24', '2001:db8::/32');
	run('site', 'add', '22:ADM:GTW', '443:GTW:ANY');
	run('gtw', 'set', 'this', 'port:tap100i0') unless $old;
	run('log', 'nflog:5');
	prints('save: over what others wrote', "saved in $own\n", 'save');
	my $saved = slurp("$dir/system$own");
	my $gtw = $old ? '' : 'gtw=this,port:tap100i0 ';
	is($saved, <<END . '# end', '... only our own line is another, whole, below a comment');
# ours
# Written by "mailwall save", which replaces this line and no other:
options mailwall ${gtw}adm=192.0.2.0/24,2001:db8::/32 site=22:ADM:GTW,443:GTW:ANY log=nflog:5 flows=2048 confirm=60
#options mailwall mode=audit
softdep x pre: y
options other a=b
END
	prints('save again', "saved in $own\n", 'save');
	is(slurp("$dir/system$own"), $saved, '... changes nothing');
	run('mode', 'audit');
	run('save');
	like(slurp("$dir/system$own"), qr/^options mailwall mode=audit (?!.*confirm)/m, 'confirm= goes where it would be refused');
	run('check');
	like($out, qr/^mode audit\n/, '... and check finds nothing');
	is(join(' ', map { s/.*\///r } glob("$dir/system/etc/modprobe.d/*")), 'mailwall.conf', 'no other file is left');

	machine("options mailwall adm=10.0.0.1\n", '/etc/modprobe.d/zz.conf' => "options mailwall mode=audit\n");
	fails('save: options elsewhere', 1, qr{zz\.conf:1 has options of mailwall too}, 'save');
	is(slurp("$dir/system$own"), "options mailwall adm=10.0.0.1\n", '... changes nothing');
	machine();
	symlink('elsewhere', "$dir/system$own") or die;
	fails('save: a symbolic link', 1, qr{is no plain file}, 'save');
	fresh();
	fails('save: no modprobe.d', 1, qr{/etc/modprobe\.d: No such file}, 'save');
	machine("options mailwall sites=x\n");
	prints('save: over a wrong line', "saved in $own\n", 'save');
	like(slurp("$dir/system$own"), qr/^options mailwall mode=enforce$/m, '... a line with something in it');
	is(run('check'), 0, '... which is right then');
	machine($good, '/etc/modprobe.d/b.conf' => "blacklist mailwall\n");
	is(run('save'), 1, 'save: what is wrong elsewhere is not forgotten');
	like($err, qr/b\.conf:1: mailwall is blacklisted/, '... but told');
}

sub test_reload {
	machine($good);
	prints('reload', '', 'reload');
	policy_is('... is in force', '192.0.2.0/24', '22 ADM GTW,443 GTW ANY');
	prints('reload again', '', 'reload');
	file($own, "options mailwall mode=audit\n");
	prints('reload --confirm', "reverts in 50 seconds unless confirmed: mailwall confirm\n", 'reload', '--confirm=50');
	policy_is('... is in force', '', '');
	run('revert');
	policy_is('... and goes back', '192.0.2.0/24', '22 ADM GTW,443 GTW ANY');
	file($own, "options mailwall adm=10.0.0.1 sites=22:ADM:GTW\n");
	fails('reload: a wrong file', 1, qr/"sites": no such.*\n.*reload: nothing was changed/, 'reload');
	policy_is('... changes nothing', '192.0.2.0/24', '22 ADM GTW,443 GTW ANY');
	run('diff');
	like($err, qr/"sites": no such parameter/, 'diff tells it too');
	fresh();
	fails('reload: nothing saved', 1, qr/reload: nothing is saved/, 'reload');
	is(run('diff'), 1, 'diff: nothing saved');
	like($out, qr/^\+mode enforce$/m, '... all is more');
	run('adm', 'add', '10.0.0.1');
	ok($unsaved, 'and a change says so');
}

sub test_apply {
	machine("# ours\n");
	spurt("$temp/fleet.conf", $good);
	is(run('apply', '--check', '--diff', "$temp/fleet.conf"), 3, 'apply --check: it would change');
	is($out, "+adm 192.0.2.0/24\n+site 22 ADM GTW\n+site 443 GTW ANY\n", '... this');
	policy_is('... and did not', '', '');
	is(slurp("$dir/system$own"), "# ours\n", '... nor save');
	is(run('apply', "$temp/fleet.conf"), 3, 'apply: changed');
	is("$out$err", '', '... silently');
	policy_is('... runs', '192.0.2.0/24', '22 ADM GTW,443 GTW ANY');
	prints('... is saved', '', 'diff');
	prints('apply again: unchanged', '', 'apply', "$temp/fleet.conf");
	prints('apply --check: unchanged', '', 'apply', '--check', '--diff', "$temp/fleet.conf");
	run('mode', 'audit');
	is(run('apply', "$temp/fleet.conf"), 3, 'what was changed by hand is changed back');
	prints('... to this', "enforce\n", 'mode');
	file($own, '');
	is(run('apply', "$temp/fleet.conf"), 3, 'so is what was not saved');
	prints('... which is', '', 'diff');
	spurt("$temp/fleet.conf", $good . "options mailwall mode=on\n");
	fails('apply: a wrong file', 1, qr/fleet\.conf:2: mode "on".*\n.*apply: nothing was changed/, 'apply', "$temp/fleet.conf");
	prints('... changes nothing', '', 'diff');
	fails('apply without FILE', 2, qr/apply: too little/, 'apply');
	fails('diff takes no --check', 2, qr/does not take this option: --check/, 'diff', '--check');
}

# kernel(RELEASE, MODULES, MODINFO): one that can be booted, with this in its modules.dep, and
# what modinfo says of the module there
sub kernel {
	my ($kernel, $modules, $modinfo) = @_;
	file("/boot/vmlinuz-$kernel", '');
	file("/lib/modules/$kernel/modules.dep", $modules);
	spurt("$dir/programs/answers/modinfo -k $kernel mailwall", $modinfo // "version:        $release\ndepends:        \n");
}

# plugin(NAME, CODE, LINE): what monitoring is told
sub plugin {
	my ($name, $code, $line) = splice(@_, 0, 3);
	is(run(@_, 'status', '--check'), $code, "status --check: $name");
	like($out, qr/^MAILWALL $line.*\n\z/, '... in one line');
	is($err, '', '... and no other');
}

sub test_status {
	machine($good);
	run('reload');
	kernel('6.1.0-1', "kernel/a.ko:\nupdates/dkms/mailwall.ko.xz:\n");
	file('/lib/modules/5.10.0-9/modules.dep', ''); # left by a kernel that is gone
	plugin('all is well', 0, 'OK - mode enforce, 2 site rows, saved');
	run('status');
	unlike($out, qr/^next boot/m, 'status: each kernel has the module');
	my $dep = "updates/dkms/mailwall.ko:\n";
	kernel('6.12.0-1', "updates/dkms/mailwall2.ko:\nupdates/mailwall.c:\n");
	plugin('a kernel without the module', 2, 'CRITICAL - mode enforce, but kernel 6\.12\.0-1 is unguarded if booted: NO MODULE: see "dkms');
	run('status');
	like($out, qr/^next boot  UNGUARDED with kernel 6\.12\.0-1 \(the newest\): NO MODULE: /m, 'status: says so');
	file('/var/lib/mailwall/failed/6.12.0-1', "release 9 cannot be built\n");
	plugin('... with why, if that is on record', 2, 'CRITICAL - .*NO MODULE: release 9 cannot be built');
	kernel('6.12.0-1', $dep, '1');
	plugin('a module that is cut short', 2, 'CRITICAL - .*6\.12\.0-1 is unguarded if booted: its module cannot be read');
	kernel('6.12.0-1', $dep, "filename:       /x\nversion:        0.0.9\n");
	plugin('a stand-in of another release', 1, 'WARNING - .*of kernel 6\.12\.0-1: its module is of release 0\.0\.9.*: release 9 cannot be built');
	kernel('6.2.0-1', '');
	plugin('the worse one is told', 2, 'CRITICAL - .*kernel 6\.2\.0-1 is unguarded');
	run('status');
	like($out, qr/^next boot  kernel 6\.12\.0-1 \(the newest\): its module is of.*\nnext boot  UNGUARDED with kernel 6\.2\.0-1: /m,
		'status: tells both, the newest first');
	json('status --json: likewise', '[(k["release"], k["newest"], k["module"], k["guarded"], k["problem"] is None) for k in j["next_boot"]["kernels"]] == '
		. '[("6.12.0-1", True, "0.0.9", True, False), ("6.2.0-1", False, None, False, False), '
		. qq{("6.1.0-1", False, "$release", True, True)] and j["next_boot"]["saved"] and j["next_boot"]["unit"] and not j["next_boot"]["list"]},
		'status', '--json');
	kernel('6.2.0-1', $dep, "version: 0.0.9\n");
	kernel('6.12.0-1', '');
	plugin('... whichever that is', 2, 'CRITICAL - .*kernel 6\.12\.0-1 is unguarded');
	unlink("$dir/system/boot/vmlinuz-6.2.0-1", "$dir/system/var/lib/mailwall/failed/6.12.0-1");

	# who may load what
	my $guid = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
	my $mok = '/sys/firmware/efi/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23';
	my $signed = "version:        $release\nsigner:         gateway Secure Boot\nsig_key:        1F:02:03:04:05:06:07:08:09\n";
	kernel('6.12.0-1', $dep);
	plugin('no signature, and none wanted', 0, 'OK');
	for my $wants (["/sys/firmware/efi/efivars/SecureBoot-$guid" => "\6\0\0\0\1"],
		['/sys/module/module/parameters/sig_enforce' => "Y\n"],
		['/sys/kernel/security/lockdown' => "none [integrity] confidentiality\n"]) {
		file(@$wants);
		kernel('6.12.0-1', $dep);
		kernel('6.1.0-1', $dep, $signed);
		file($mok, "\7\0\0\0....\2\x09\x1f\2\3\4\5\6\7\x08\x09....");
		plugin("not signed: $wants->[0]", 2, 'CRITICAL - .*kernel 6\.12\.0-1 is unguarded.*not signed');
		kernel('6.12.0-1', $dep, $signed);
		plugin('... signed, by a key that is enrolled', 0, 'OK');
		file($mok, "\7\0\0\0....\2\x09\x1f\2\3\4\5\6\7\x08\x0a....");
		plugin('... by one that is not', 2, 'CRITICAL - .*signed by "gateway Secure Boot", whose key is not enrolled: "mokutil');
		file('/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f', "\x1f\2\3\4\5\6\7\x08\x09");
		plugin("... that the firmware's own list has", 0, 'OK');
		unlink("$dir/system$wants->[0]", map { "$dir/system$_" } $mok, '/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f');
	}
	for my $wants (["/sys/firmware/efi/efivars/SecureBoot-$guid" => "\6\0\0\0\0"], ['/sys/module/module/parameters/sig_enforce' => "N\n"],
		['/sys/kernel/security/lockdown' => "[none] integrity\n"]) {
		file(@$wants);
		plugin("nothing is wanted: $wants->[0]", 0, 'OK');
	}

	# who loads it
	my $unit = 'etc/systemd/system/multi-user.target.wants/mailwall.service';
	unlink("$dir/system/$unit");
	plugin('the unit is not enabled', 2, 'CRITICAL - .*NOTHING LOADS THE MODULE: mailwall\.service is not enabled');
	run('status');
	like($out, qr/^next boot  NOTHING LOADS THE MODULE/m, 'status: says so');
	file('/etc/modules-load.d/mailwall.conf', "# at boot\nmailwall\n");
	plugin('... but there is a list', 1, 'WARNING - .*mailwall\.service is not enabled, so nobody tells');
	unlink("$dir/system/etc/modules-load.d/mailwall.conf");
	file("/$unit", '');
	symlink('/dev/null', "$dir/system/etc/systemd/system/mailwall.service") or die;
	plugin('... unless it is masked', 2, 'CRITICAL - .*NOTHING LOADS THE MODULE: mailwall\.service is masked');
	unlink("$dir/system/etc/systemd/system/mailwall.service");
	run('adm', 'add', '10.0.0.1');
	plugin('not saved', 1, 'WARNING - mode enforce, but the next boot loads another');
	run('adm', 'remove', '10.0.0.1');
	run('log', 'kernel', '--confirm=50');
	plugin('a change waits', 1, 'WARNING - .*waits to be confirmed');
	run('revert');
	run('mode', 'audit');
	plugin('audit, unsaved', 2, 'CRITICAL - the mode is audit, and that is not what is saved');
	run('save');
	plugin('audit, saved', 1, 'WARNING - the mode is audit as saved: nothing is denied');
	run('mode', 'enforce');
	file($own, "options mailwall sites=x\n");
	plugin('a wrong configuration', 2, 'CRITICAL - .*configuration is wrong: .*:1: "sites"');
	unlink("$dir/system$own");
	plugin('nothing loads it', 2, 'CRITICAL - mode enforce, but no boot loads');
	plugin('no rights', 3, 'UNKNOWN - only root', { FAKE_OPEN => 'EACCES' });
	plugin('no device', 3, 'UNKNOWN - there is no', { FAKE_OPEN => 'ENOENT' });
	plugin('not loaded', 2, 'CRITICAL - the module is not loaded', { FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' });
	plugin('no answer', 3, 'UNKNOWN - the module does not', { FAKE_FAIL => 'GET_POLICY=EIO' });
}

in_builds(['status --check' => \&test_status, 'too'], ['check' => \&test_check], ['modprobe' => \&test_modprobe], ['save' => \&test_save, 'too'],
	['reload' => \&test_reload, 'too'], ['apply' => \&test_apply, 'too']);
