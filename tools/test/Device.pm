# What the tests of the command share: it is run as an administrator runs it,
# against a device that fake_device.c stands for; built plainly, again with ASan and
# UBSan, and so too against a module of release 0.1.0.
package Device;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

our @EXPORT = qw(slurp spurt fresh machine_to_enable programs run works fails prints json policy_is rivals in_builds
	$top $temp $build $dir $out $err $unsaved $unserved $release $abi $old @table);

our $top = abs_path(dirname(__FILE__) . '/../..');
our $temp = tempdir(CLEANUP => 1);
our $build; # of the command under test
our $dir; # state of the fake device
our ($out, $err, $unsaved, $unserved); # of the last run()
our $old; # release of the module, if it is an old one
my @preload;
my %known; # command lines that were run, with what shall go wrong

our ($abi) = slurp("$top/include/uapi/linux/mailwall.h") =~ /MAILWALL_ABI (\d+)/;
our ($release) = slurp("$top/kmod/version.h") =~ /MAILWALL_RELEASE "(.*)"/;
our @table = ('25 GTW ANY', '25 ANY GTW', '110 GTW ANY', '110 ANY GTW', '8450 ADM GTW',
	'465 GTW ANY', '465 ANY GTW', '587 GTW ANY', '587 ANY GTW', '995 GTW ANY', '995 ANY GTW');

sub slurp {
	my ($path) = @_;
	local $/;
	open(my $file, '<', $path) or return undef;
	return scalar <$file>;
}

sub spurt {
	my ($path, $text) = @_;
	open(my $file, '>', $path) or die "$path: $!";
	print $file $text;
	close($file) or die "$path: $!";
}

# fresh(): a device in the state that a plain load leaves (enforce, ADM empty)
sub fresh {
	$dir = tempdir(DIR => $temp);
	programs({});
}

# programs(ANSWERS, MISSING...): what the programs that the command asks print, by
# "NAME ARGUMENT..."; a number is an exit code. Without more, nothing but the devices
# that the tests name is there. What was asked is in $dir/programs/asked, with which
# variables in $dir/programs/environment.
sub programs {
	my ($answers, @missing) = @_;
	my %answers = ('ip -j -d link show' => '[{"ifname":"tap100i0"},{"ifname":"br-gtw"}]', %$answers);
	system('rm', '-rf', "$dir/programs");
	mkdir($_) or die "$_: $!" for "$dir/programs", "$dir/programs/answers";
	spurt("$dir/programs/answers/$_", $answers{$_} =~ s/\n*\z/\n/r) for keys %answers;
	for my $program ('ip', 'nft', 'tc', 'ethtool', 'modinfo', 'iptables-save', 'ip6tables-save') {
		next if grep { $_ eq $program } @missing;
		spurt("$dir/programs/$program", <<'END');
#!/bin/sh
# asked thousands of times: one process
here=${0%/*}
asked="${0##*/} $*"
echo "$asked" >>"$here/asked"
export -p >>"$here/environment"
[ -e "$here/answers/$asked" ] || exit 0
read -r answer <"$here/answers/$asked"
case $answer in
[0-9]*) exit "$answer" ;;
esac
exec cat "$here/answers/$asked"
END
		chmod(0755, "$dir/programs/$program") or die;
	}
}

sub run {
	my %env = (ref $_[0] ? %{+shift} : ());
	my $before = delete $env{BEFORE}; # a shell between the test and the command
	my $to = delete $env{TO} // "$temp/out";
	my @command = ("$build/mailwall", @_);
	my $again = $known{join("\0", $build, %env{sort(keys(%env))}, @_)}++;
	my $pid = fork() // die "fork: $!";

	if (!$pid) {
		delete $ENV{SSH_CONNECTION};
		delete $ENV{$_} for grep { /^FAKE_/ } keys %ENV;
		$ENV{FAKE_DIR} = $dir;
		$ENV{FAKE_PROGRAMS} = "$dir/programs";
		$ENV{FAKE_MODULE} = $old if $old;
		# looking for leaks takes as long as all the rest: once, and where leaks.c says
		$ENV{LSAN_OPTIONS} = 'use_globals=0';
		$ENV{ASAN_OPTIONS} = 'detect_leaks=0' if $again;
		$ENV{$_} = $env{$_} for keys %env;
		open(STDOUT, '>', $to) or die;
		open(STDERR, '>', "$temp/err") or die;
		open(STDIN, '<', '/dev/null') or die;
		my $load = join(' ', @preload, "$build/fake_device.so");
		if ($before) {
			exec('sh', '-c', "$before LD_PRELOAD='$load' \"\$@\"; exit \$?", 'sh', @command);
		} else {
			$ENV{LD_PRELOAD} = $load;
			exec(@command);
		}
		die "exec: $!";
	}
	waitpid($pid, 0);
	my $status = $?;
	$out = -f $to ? slurp($to) : '';
	$err = slurp("$temp/err") // '';
	# what every change says: persist.t asks for it
	$unsaved = $out =~ s/^not saved: .*\n//m;
	# and every row that opens a port, where the tests run: suggest.t asks for it
	$unserved = $err =~ s/^mailwall: warning: site .*: nothing listens on port .*\n//mg;
	return $status & 127 ? "signal " . ($status & 127) : $status >> 8;
}

# works(NAME, WORD...): it exits with 0 and complains of nothing
sub works {
	my $name = shift;
	my $code = run(@_);
	ok($code eq 0 && $err eq '', $name) or diag("exit $code\n$out$err");
}

# fails(NAME, CODE, PATTERN, WORD...): it exits with CODE, says on stderr what
# matches, on lines of its own kind, and prints nothing
sub fails {
	my ($name, $want, $pattern) = splice(@_, 0, 3);
	my $code = run(@_);
	my $kind = !grep { !/^(mailwall: |Try `mailwall --help')/ } split(/\n/, $err);
	ok($code eq $want && $err =~ $pattern && $out eq '' && $kind, $name)
		or diag("exit $code, wanted $want and $pattern\n$out$err");
}

# prints(NAME, TEXT, WORD...)
sub prints {
	my ($name, $want) = splice(@_, 0, 2);
	my $code = run(@_);
	is("$code:$out$err", "0:$want", $name);
}

# json(NAME, CONDITION, WORD...): the output is JSON, j, that the Python condition holds for
sub json {
	my ($name, $condition) = splice(@_, 0, 2);
	my $code = run(@_);
	open(my $python, '|-', '/usr/bin/python3', '-c', <<'END', "$temp/out", $condition) or die;
import json, sys
with open(sys.argv[1]) as file:
    j = json.load(file)
if not eval(sys.argv[2]):
    sys.exit(f"{sys.argv[2]} does not hold for {json.dumps(j)}")
END
	my $held = close($python);
	ok($code eq 0 && $err eq '' && $held, $name) or diag("exit $code\n$err");
}

sub policy_is {
	my ($name, $adm, $site) = @_;
	my $got = '';
	for my $part ('adm', 'site') {
		run($part, 'show');
		# that a change waits is another matter
		$err =~ s/^mailwall: note: a change waits.*\n//;
		$got .= "$part: " . join(',', split(/\n/, $out)) . "$err\n";
	}
	is($got, "adm: $adm\nsite: $site\n", $name);
}

# rivals(LINE...): the changes that others make before each of ours is written
sub rivals {
	spurt("$dir/rival", join('', map { "$_\n" } @_));
}

# machine_to_enable(): one where the module is not loaded and can be, and nothing is configured
sub machine_to_enable {
	fresh();
	make_path(map { "$dir/system/etc/$_" } 'modprobe.d', 'modules-load.d');
	run('mode', 'audit'); # as "modprobe mailwall mode=audit" leaves it
	spurt("$dir/unloaded", '');
	spurt("$dir/programs/modprobe", <<'END');
#!/bin/sh
cd "${0%/*}/.." || exit
echo "$*" >>modprobe
case $1 in
-r) : >unloaded ;;
*) rm unloaded ;;
esac
END
	chmod(0755, "$dir/programs/modprobe") or die;
}

# make(KIND, VARIABLE...): builds into a directory that other tests use as well
sub make {
	my ($kind, @variables) = @_;

	# of a "make check" above: it would speak of directories and job servers
	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
	$build = "$top/build/tools-test/$kind";
	system('mkdir', '-p', $build) == 0 or BAIL_OUT("no directory $build");
	open(my $lock, '>', "$build/lock") or BAIL_OUT("$build/lock: $!");
	flock($lock, LOCK_EX) or BAIL_OUT("$build/lock: $!");
	open(my $make, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', 'make', '-s', '-C', "$top/tools",
		"O=$build", 'CC=gcc', @variables, 'all', 'fake') or BAIL_OUT("make: $!");
	my $said = join('', <$make>);
	my $built = close($make);
	$said = join('', grep { !/^  (CC|LD) / } split(/^/, $said));
	ok($built && $said eq '', "build: $kind, without a warning") or diag($said);
	$built or BAIL_OUT('the command does not build');
}

# in_builds([NAME, TEST, OLD]...): run tests in each build, with OLD 'too' also against an
# old module, with 'only' against nothing else; MAILWALL_BUILDS=plain leaves all but the
# plain one out. The script's last act.
sub in_builds {
	my @tests = @_;
	my $sanitize = '-fsanitize=address,undefined -fno-sanitize-recover=all';
	my %flags = (
		plain => [],
		sanitizers => ["CFLAGS=-O1 -g -fno-omit-frame-pointer $sanitize -fPIE", 'CPPFLAGS=',
			'LDFLAGS=-pie'],
	);
	my @kinds = split(/ /, $ENV{MAILWALL_BUILDS} // 'plain sanitizers old');

	system("$top/tests/deps make gcc libc6-dev libjansson-dev libmnl-dev pkg-config python3-minimal perl >&2") == 0
		or BAIL_OUT('packages are missing');
	for my $kind (@kinds) {
		$old = $kind eq 'old' ? '0.1.0' : undef;
		my @these = grep { ($_->[2] // 'never') ne ($old ? 'never' : 'only') } @tests;
		next unless @these;
		my $make = $old ? 'sanitizers' : $kind;
		make($make, @{$flags{$make}});
		chomp(@preload = $make eq 'plain' ? () : `gcc -print-file-name=libasan.so`);
		subtest(($old ? "module $old" : $kind) . ": $_->[0]" => $_->[1]) for @these;
	}
	done_testing();
}

1;
