#!/usr/bin/perl
# The command itself: version, errors, usage, help, installation. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

my %once;

sub test_version {
	fresh();
	prints('version', "command  $release (ABI $abi)\nmodule   $release (ABI $abi)\n", 'version');
	prints('version: no module is no error', "command  $release (ABI $abi)\nmodule   not loaded\n",
		{ FAKE_SYSFS => 'none', FAKE_OPEN => 'ENOENT' }, 'version');
	prints('version: through the device where there is no /sys',
		"command  $release (ABI $abi)\nmodule   7.1 (ABI $abi)\n",
		{ FAKE_SYSFS => 'none', FAKE_RELEASE => '7.1' }, 'version');
	prints('version: for users without rights',
		"command  $release (ABI $abi)\nmodule   7.1 (ABI $abi)\n",
		{ FAKE_OPEN => 'EACCES', FAKE_RELEASE => '7.1' }, 'version');
	json('version --json', "j == {'command': {'release': '$release', 'abi': $abi}, " .
		"'module': {'release': '7.1', 'abi': $abi}}", { FAKE_RELEASE => '7.1' }, 'version', '--json');
	json('version --json: no module', "j['module'] is None",
		{ FAKE_SYSFS => 'none', FAKE_OPEN => 'ENOENT' }, 'version', '--json');
	is(run({ FAKE_ABI => 3 }, 'version'), 1, 'version: a newer ABI is an error');
	like($out . $err, qr/ABI 3.*upgrade the command/s, 'version: ... that names the cure');
}

sub test_abi {
	fresh();
	works('another release with the same ABI', { FAKE_RELEASE => '9.9.9' }, 'adm', 'add', '192.0.2.1');
	prints('... has done it', "192.0.2.1\n", 'adm', 'show');
	for my $command (['status'], ['adm', 'show'], ['adm', 'clear'], ['mode', 'off'], ['confirm'],
		['revert'], ['explain', 'in', '192.0.2.1:1', '192.0.2.2:2']) {
		fails("newer ABI: @$command", 1,
			qr/release 2\.0 with ABI 3.*release \Q$release\E with ABI $abi: upgrade the command/,
			{ FAKE_ABI => 3, FAKE_RELEASE => '2.0' }, @$command);
	}
	fails('older ABI', 1, qr/ABI 0.*modprobe -r mailwall && modprobe mailwall/, { FAKE_ABI => 0 },
		'mode', 'off');
	fails('a release that is no text is escaped', 1, qr/release a\\x1bb\\xff /,
		{ FAKE_ABI => 3, FAKE_RELEASE => "a\x1bb\xff" }, 'adm', 'show');
	prints('... and changed nothing', "192.0.2.1\n", 'adm', 'show');
}

# A module of release 0.1.0. What it can be asked for is in the tests that run against it too.
sub test_old_module {
	fresh();
	prints('version of an old module', "command  $release (ABI $abi)\nmodule   0.1.0 (ABI 1)\n", 'version');
	prints('... through the device', "command  $release (ABI $abi)\nmodule   0.1.0 (ABI 1)\n",
		{ FAKE_SYSFS => 'none' }, 'version');
	my $says = qr/the loaded module is release 0\.1\.0 with ABI 1, this command is release \Q$release\E with ABI $abi: load the newer module/;
	fails('an old module: explain', 1, qr/explain: $says/, 'explain', 'in', '192.0.2.1:1', '192.0.2.2:2');
	run('adm', 'set', '192.0.2.1', '--confirm=50');
	fails('an old module: confirm --extend', 1, qr/confirm --extend: $says/, 'confirm', '--extend=9');
	works('... confirm alone', 'confirm');
	policy_is('... keeps the change', '192.0.2.1', '');
	fails('an old module that fails', 1, qr/adm: Input\/output error/, { FAKE_FAIL => 'GET_POLICY=EIO' },
		'adm', 'show');
	fails('... at the version', 1, qr/does not answer like mailwall/, { FAKE_FAIL => 'GET_VERSION=EIO' },
		'adm', 'show');
}

sub test_without_rights {
	fresh();
	for my $error ('EACCES', 'EPERM') {
		works("status, open: $error", { FAKE_OPEN => $error }, 'status');
		like($out, qr/^mode +enforce/m, '... the mode');
		my $rows = join('|', map { s/ / +/gr } @table);
		is(scalar(() = $out =~ /^ *(?:$rows)$/mg), 11, '... the table');
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
		fails("no rights: @$command", 4, qr/\/dev\/mailwall: permission denied: .*as root/,
			{ FAKE_OPEN => 'EACCES' }, @$command);
		fails("no module: @$command", 5, qr/not loaded.*mailwall enable/,
			{ FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' }, @$command);
	}
	fails('no module: status', 5, qr/not loaded.*mailwall enable/,
		{ FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none' }, 'status');
	fails('stale device: status', 5, qr/not loaded.*mailwall enable/,
		{ FAKE_OPEN => 'ENXIO', FAKE_SYSFS => 'none' }, 'status');
	fails('no rights and no /sys: status', 4, qr/permission denied/,
		{ FAKE_OPEN => 'EACCES', FAKE_SYSFS => 'none' }, 'status');
	fails('no device in a container', 5, qr/module is loaded: .*container/, { FAKE_OPEN => 'ENOENT' },
		'adm', 'show');
	fails('something else behind the device', 1, qr/does not answer like mailwall/,
		{ FAKE_FAIL => 'GET_VERSION=ENOTTY' }, 'adm', 'show');
}

sub test_errors {
	fresh();
	for my $change (['adm', 'add', '192.0.2.1'], ['site', 'add', '22:ADM:GTW'], ['mode', 'off'],
		['log', 'kernel']) {
		fails("EPERM: @$change", 4, qr/$change->[0]: not permitted: .*CAP_NET_ADMIN.*root on the host/,
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
		[['satus'], qr/"satus": no such command: did you mean "status"\?/],
		[['stie', 'show'], qr/did you mean "site"\?/],
		[['modes'], qr/did you mean "mode"\?/],
		[['xy'], qr/"xy": no such command\n/],
		[["a\nb"], qr/"a\\x0ab": no such command/],
		[['adm'], qr/adm: write one of show, set, add, remove, clear/],
		[['try'], qr/try: write a change after it/],
		[['try', 'status'], qr/try: "status" changes nothing/],
		[['try', 'mode'], qr/try: "mode" changes nothing/],
		[['try', 'adm', 'clear'], qr/try: asks at a terminal, .*--confirm=SECONDS/],
		[['gtw'], qr/gtw: write one of show, set, add, remove/],
		[['gtw', 'clear'], qr/gtw "clear": write one of show, set, add, remove/],
		[['gtw', 'add'], qr/gtw: too little: write "mailwall gtw add GATEWAY\.\.\."/],
		[['gtw', 'show', 'x'], qr/"x" is too much: write "mailwall gtw show"/],
		[['adm', 'delete'], qr/adm "delete": write one of show/],
		[['site', 'put', '22:ADM:GTW'], qr/site "put": write one of show, set, add, remove, clear/],
		[['adm', 'add'], qr/adm: too little: write "mailwall adm add PREFIX\.\.\."/],
		[['adm', 'set'], qr/too little/],
		[['site', 'remove'], qr/too little: write "mailwall site remove PORT SOURCE TARGET/],
		[['adm', 'show', 'x'], qr/"x" is too much: write "mailwall adm show"/],
		[['adm', 'clear', 'x'], qr/"x" is too much/],
		[['status', 'x'], qr/"x" is too much/],
		[['version', 'x'], qr/"x" is too much/],
		[['confirm', '5'], qr/"5" is too much/],
		[['mode', 'audit', 'x'], qr/"x" is too much/],
		[['explain'], qr/explain: write one of in, out, forward/],
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
		[['explain', 'in', '192.0.2.1:1', '192.0.2.2:2', '--in=lo'],
			qr/explain in does not take this option: --in and --out are for forward/],
		[['explain', 'out', '192.0.2.1:1', '192.0.2.2:2', '--out=lo'], qr/--in and --out are for forward/],
		[['explain', 'forward', '192.0.2.1:1', '192.0.2.2:2', '--device=lo'],
			qr/explain forward does not take this option: --device is for in and out/],
		[['explain', 'forward', '192.0.2.1:1'], qr/too little: write "mailwall explain forward ADDRESS:PORT/],
		[['explain', 'forward', '192.0.2.1:1', '2001:db8::1:25'], qr/"2001:db8::1:25": write ADDRESS:PORT/],
		[['explain', 'forward', '192.0.2.1:1', '192.0.2.2:2', '--in'], qr/without a device are for watch: write --in=IFNAME/],
		[['status', '--in=lo'], qr/does not take this option: one of explain's/],
		[['mode', 'off', '--confirm=0'], qr/--confirm="0": write a number from 1 to 86400/],
		[['mode', 'off', '--confirm=86401'], qr/from 1 to 86400/],
		[['mode', 'off', '--confirm=-1'], qr/from 1 to 86400/],
		[['mode', 'off', '--confirm=5s'], qr/--confirm="5s"/],
		[['mode', 'off', '--confirm='], qr/from 1 to 86400/],
		[['confirm', '--extend=0'], qr/--extend="0": write a number from 1 to 86400/],
		[['confirm', '--extend=86401'], qr/from 1 to 86400/],
		[['confirm', '--extend'], qr/requires an argument/],
		[['revert', '--extend=5'], qr/does not take this option: --extend/],
		[['confirm', '--confirm=5'], qr/does not take this option: --confirm/],
		[['mode', 'off', '--confirm'], qr/requires an argument/],
		[['mode', '--confirm=5'], qr/are for a change/],
		[['log', '--force'], qr/are for a change/],
		[['mode', 'off', '--json'], qr/does not take this option: --json/],
		[['adm', 'show', '--confirm=5'], qr/does not take this option: --confirm/],
		[['adm', 'show', '--prometheus'], qr/does not take this option: --prometheus/],
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
	for (['-h'], ['help'], ['-?'], ['--adm=x', '--help'], ['help', 'nonsense'], ['try', '-h']) {
		works("@$_", @$_);
		is($out, $help, '... is the same');
	}
	my %commands = map { $_ => 1 } $help =~ /^  ([a-z]+) /mg;
	delete @commands{qw(try help)};
	cmp_ok(keys %commands, '>', 18, 'all commands are there');
	for my $command (sort keys %commands) {
		works("help $command", 'help', $command);
		my $of = $out;
		like($of, qr/^Usage: mailwall $command\b.*^Example: mailwall (?:try )?$command\b/ms, '... its forms and an example');
		my ($example) = $of =~ /^Example: mailwall (.*)/m;
		for (["$command", '--help'], ['try', $command, '-h'], [$command, 'words', '-h']) {
			run(@$_);
			is($out, $of, "... @$_ is the same");
		}
		# whatever else may be wrong, it is no error of usage; those that wait, or load, are told apart
		next if $command =~ /^(watch|enable|disable)$/ || $example =~ /^try/;
		cmp_ok(run(split(/ /, $example =~ s/ >.*//r)), '!=', 2, "... which is no wrong usage: $example") or diag($err);
	}
	works('help site', 'help', 'site');
	like($out, qr/^   or: mailwall site remove .*\n +--confirm=SECONDS\n +--force\n/m, '... names options of each form');
	fresh();
	like($help, qr/\b$_\b/, "--help names $_") for qw(status adm site gtw mode log confirm revert explain
		version show set add remove clear enforce audit off kernel nflog in out forward);
	like($help, qr/--$_\b/, "--help names --$_") for qw(confirm force extend json flags connection data-offset
		length device in out help usage version);
	unlike($help, qr/.{80}/, '--help fits a terminal');
	my ($lists) = $help =~ /^( Changing commands:\n.*?)^A port of a row/ms;
	like($lists, qr/^  help .*$/m, '... all of it is looked at');
	is(join("\n", grep { !/^$|^ ?\S.*:$|^(?: {2}| {6}| {29})\S/ } split(/\n/, $lists)), '', '... no line of it is broken');
	my $man = slurp("$top/tools/mailwall.8") =~ s/\\-/-/gr;
	like($man, qr/\Q$_\E\b/, "the man page has $_")
		for $help =~ /(--[a-z-]+)/g, $help =~ /^  ([a-z]+)/mg;
	prints('--version', "mailwall $release\n", '--version');
	works('--usage', '--usage');
}

sub test_install {
	my $root = "$temp/root";
	my $make = "make -s -C $top/tools O=$build DESTDIR=$root PREFIX=/usr";
	is(system("$make install"), 0, 'install');
	my @files = ('sbin/mailwall', 'share/man/man8/mailwall.8', 'share/man/man5/mailwall.conf.5',
		'share/man/man4/mailwall.4', 'share/bash-completion/completions/mailwall',
		'share/zsh/vendor-completions/_mailwall', 'share/fish/vendor_completions.d/mailwall.fish');
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
	completes('mailwall ', 'status adm site gtw mode log try confirm revert enable disable check save reload diff apply explain watch suggest report help version');
	completes('mailwall s', 'status site save suggest');
	completes('mailwall apply --', '--check --diff --force');
	completes('mailwall try mode e', 'enforce');
	completes('mailwall adm ', 'show add remove clear set');
	completes('mailwall site ', 'show add remove clear set');
	completes('mailwall gtw ', 'show add remove set');
	completes('mailwall gtw set 10.0.0.1 --', '--confirm= --force');
	completes('mailwall gtw show --', '');
	completes('mailwall gtw remove ', '192.0.2.0/24');
	completes('mailwall gtw add t', 'this');
	completes('mailwall mode a', 'audit');
	completes('mailwall mode audit --', '--confirm= --force');
	completes('mailwall status --', '--json --prometheus --check');
	completes('mailwall confirm --', '--extend=');
	completes('mailwall adm show --', '');
	completes('mailwall --', '--help --usage --version');
	completes('mailwall explain ', 'in out forward');
	completes('mailwall explain forward --', '--flags= --connection= --policy= --data-offset= --length= --json --in= --out=');
	completes('mailwall explain in --d', '--data-offset= --device=');
	completes('mailwall adm remove ', '192.0.2.0/24');
	completes('mailwall site add 22 ', 'ANY ADM GTW');
	completes('mailwall site add 22 ANY ', 'GTW');
	completes('mailwall site add 22 ANY GTW ', '');
	completes('mailwall site add 22 GTW ', 'ANY ADM');
}

# What zsh and fish offer: at the same places the same words.
sub test_other_shells {
	plan(skip_all => 'of files, so once is enough') if $once{shells}++;
	system("$top/tests/deps zsh fish >&2") == 0 or BAIL_OUT('zsh and fish are missing');
	spurt("$temp/zsh", <<'END');
_values() { shift; print -l -- "${@%%\[*}" }
_files() { print -- FILES }
mailwall() { print "22 ADM GTW" }
offered() { local file=$1; words=("${@:2}"); CURRENT=$#words; source $file }
offered "$@"
END
	my @commands = qw(status adm site gtw mode log try confirm revert enable disable check save reload diff apply
		explain watch suggest report help version);
	for (['', @commands], ['adm ', qw(show set add remove clear)], ['gtw ', qw(show set add remove)],
		['mode ', qw(enforce audit off)], ['try mode ', qw(enforce audit off)], ['log ', qw(off kernel nflog)],
		['explain ', qw(in out forward)], ['site remove ', '22:ADM:GTW']) {
		my ($line, @want) = @$_;
		my $want = join(' ', sort @want);
		open(my $zsh, '-|', 'zsh', '-f', "$temp/zsh", "$top/tools/mailwall.zsh-completion", 'mailwall', split(/ /, $line), '') or die;
		is(join(' ', sort map { s/\n|\\//gr } <$zsh>), $want, "zsh: \"mailwall $line\"");
		open(my $fish, '-|', 'fish', '--no-config', '-c',
			"function mailwall; echo 22 ADM GTW; end; source $top/tools/mailwall.fish; complete -C 'mailwall $line'") or die;
		is(join(' ', sort map { s/\t.*|\n//gr } <$fish>), $want, "fish: \"mailwall $line\"");
	}
}

in_builds(['version' => \&test_version], ['ABI' => \&test_abi],
	['an old module' => \&test_old_module, 'only'],
	['without rights' => \&test_without_rights], ['errors' => \&test_errors],
	['usage' => \&test_usage], ['help' => \&test_help], ['install' => \&test_install],
	['completion' => \&test_completion], ['other shells' => \&test_other_shells]);
