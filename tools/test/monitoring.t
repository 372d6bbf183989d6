#!/usr/bin/perl
# What monitoring gets: "status --json" against its schema, "status --prometheus" and the alert rules by promtool, the dashboard's expressions, the timer. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

system("$top/tests/deps prometheus python3-jsonschema python3-minimal systemd >&2") == 0
	or BAIL_OUT('packages are missing');

my %nobody = (FAKE_OPEN => 'ENOENT', FAKE_SYSFS => 'none');

# said(COMMAND...): exit status and what it says
sub said {
	open(my $pipe, '-|', 'sh', '-c', '"$@" 2>&1', 'sh', @_) or BAIL_OUT("$_[0]: $!");
	my $text = do { local $/; <$pipe> } // '';
	close($pipe);
	return ($? >> 8) . ":$text";
}

# fits(NAME, CODE, [ENVIRONMENT]): the output is as the schema says, by Debian's own Python
sub fits {
	my ($name, $want, @env) = @_;
	my $code = run(@env, 'status', '--json');
	my $said = said('/usr/bin/python3', '-c', <<'END', "$top/docs/status.schema.json", "$temp/out");
import json, sys, jsonschema
schema, text = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.validate(text, schema, cls=jsonschema.Draft202012Validator)
strange = set(text) - set(schema["properties"])
sys.exit(f"not in the schema: {strange}" if strange else 0)
END
	is("$code $said", "$want 0:", $name);
}

sub test_json {
	fresh();
	fits('after a load', 0);
	run('adm', 'set', '192.0.2.0/24', '2001:db8::/32');
	run('site', 'add', '22:ADM:GTW');
	run('log', 'nflog:5');
	run('mode', 'audit', '--confirm=100');
	fits('a fuller policy, a change that waits', 0);
	json('... with its number', "j['schema'] == 1", 'status', '--json');
	run('confirm');
	fits('what any user may read', 0, { FAKE_OPEN => 'EACCES' });
	fits('no module', 5, { %nobody });
	like($err, qr/mailwall enable/, '... which is told people too');
	json_of('... and programs', "j == {'schema': 1, 'complete': False, 'command': j['command'], 'module': None,"
		. " 'mode': None, 'rows': []}");
	fits('another ABI', 1, { FAKE_ABI => 99 });
	fits('an error of the device', 1, { FAKE_FAIL => 'GET_COUNTERS=EIO' });
	return if $old;
	run('gtw', 'add', '10.9.0.2', 'port:tap100i0');
	fits('gateways behind', 0);
	fits('a module with a row and a reason more', 0, { FAKE_ROW => 2525 });
}

# json_of(NAME, CONDITION): of the last output
sub json_of {
	my ($name, $condition) = @_;
	is(said('/usr/bin/python3', '-c', 'import json, sys; j = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))',
		"$temp/out", $condition), '0:', $name) or diag($out);
}

# lint(NAME, [ENVIRONMENT]): promtool has nothing to say against the metrics
sub lint {
	my ($name, @env) = @_;
	works($name, @env, 'status', '--prometheus');
	is(said('sh', '-c', "exec promtool check metrics <'$temp/out'"), '0:', '... promtool finds nothing');
}

sub test_metrics {
	fresh();
	lint('after a load');
	like($out, qr/^mailwall_up 1$/m, '... it is up');
	like($out, qr/^mailwall_mode\{mode="enforce"\} 1$/m, '... its mode');
	like($out, qr/^mailwall_mode\{mode="audit"\} 0$/m, '... and those that are not');
	like($out, qr/^mailwall_row_bytes_total\{gateways="here",port="8450",source="ADM",target="GTW"\} 12345678904$/m, '... rows');
	like($out, qr/^mailwall_row_openings_total\{gateways="here",port="25",source="ANY",target="GTW"\} 2$/m, '... openings');
	like($out, qr/^mailwall_row_segments_total\{gateways="here",port="995",source="ANY",target="GTW"\} 110$/m, '... segments');
	like($out, qr/^mailwall_denied_segments_total\{gateways="here",direction="out",reason="peer"\} 1012$/m, '... denials');
	like($out, qr/^mailwall_would_deny_segments_total\{gateways="here",direction="in",reason="closed"\} 2004$/m, '... would-be ones');
	like($out, qr/^mailwall_log_held_total 7$/m, '... what the log held back');
	like($out, qr/^mailwall_change_waits 0$/m, '... nothing waits');
	run('adm', 'set', '192.0.2.0/24', '--confirm=100');
	lint('a change that waits');
	like($out, qr/^mailwall_change_waits 1$/m, '... waits');
	like($out, qr/^mailwall_change_reverts_seconds (100|9\d)$/m, '... so long');
	like($out, qr/^mailwall_adm_prefixes 1$/m, '... ADM');
	run('confirm');
	is(run({ %nobody }, 'status', '--prometheus'), 0, 'no module is no error of the metrics');
	like($out, qr/^mailwall_up 0$/m, '... it is not up');
	unlike($out, qr/^mailwall_(?!up)/m, '... and that is all');
	is(said('sh', '-c', "exec promtool check metrics <'$temp/out'"), '0:', '... promtool finds nothing');
	lint('what any user may read', { FAKE_OPEN => 'EACCES' });
	like($out, qr/^mailwall_up 0$/m, '... is not enough');
	fails('one of both', 2, qr/one of --json, --prometheus and --check/, 'status', '--json', '--prometheus');
	fails('a full disk', 1, qr/cannot write/, { TO => '/dev/full' }, 'status', '--prometheus');
	return if $old;
	run('gtw', 'add', '10.9.0.2', 'port:a"\\b');
	lint('gateways behind');
	like($out, qr/^mailwall_gateway_segments_total\{gateway="port:a\\"\\\\b",direction="out"\} 4002$/m,
		'... a device with a name that needs it is escaped') or diag($err);
	like($out, qr/^mailwall_flows_evicted_total 5001$/m, '... flows');
	like($out, qr/^mailwall_denied_segments_total\{gateways="behind",direction="in",reason="flags"\} 1501$/m, '... denials');
}

# What is asked of Prometheus is there, and its language is right.
my %once;

sub test_rules {
	plan(skip_all => 'of files, so once is enough') if $once{rules}++;
	my $in = "$top/contrib/prometheus";
	fresh();
	run('gtw', 'add', '10.9.0.2');
	works('metrics', 'status', '--prometheus');
	my %there = map { $_ => 1 } $out =~ /^# TYPE (\S+)/mg;
	my $rules = slurp("$in/mailwall.rules.yml");
	like(said('promtool', 'check', 'rules', "$in/mailwall.rules.yml"), qr/^0:.*SUCCESS: \d+ rules/s, 'promtool check rules');
	like(said('promtool', 'test', 'rules', "$in/mailwall.test.yml"), qr/^0:.*SUCCESS/s, 'promtool test rules');
	my @alerts = $rules =~ /alert: (\S+)/g;
	my $tests = slurp("$in/mailwall.test.yml");
	is(join(' ', grep { $tests !~ /alertname="$_"/ } @alerts), '', 'each alert is in the test of the rules');
	my $said = said('/usr/bin/python3', '-c', <<'END', "$top/contrib/grafana/mailwall.json");
import json, sys
board = json.load(open(sys.argv[1]))
for panel in board["panels"]:
    for target in panel["targets"]:
        print(target["expr"])
END
	my ($first, $list) = split(/\n/, $said =~ s/^(\d+):/$1\n/r, 2);
	is($first, 0, 'the dashboard is JSON');
	my @expressions = split(/\n/, $list);
	cmp_ok(scalar(@expressions), '>', 10, '... with expressions');
	spurt("$temp/board.yml", "groups:\n- name: board\n  rules:\n" . join('', map { "  - record: board:x$_\n    expr: '"
		. $expressions[$_] =~ s/\$__rate_interval/5m/gr . "'\n" } 0 .. $#expressions));
	like(said('promtool', 'check', 'rules', "$temp/board.yml"), qr/^0:.*SUCCESS/s, '... that promtool understands');
	my %asked = map { $_ => 1 } "$rules $list" =~ /\b(mailwall_\w+)/g;
	is(join(' ', grep { !$there{$_} } sort(keys(%asked))), '', 'no metric is asked for that is not there');
}

# The unit writes the file whole, or leaves it.
sub test_timer {
	plan(skip_all => 'of files, so once is enough') if $once{timer}++;
	my $in = "$top/contrib/prometheus";
	my $unit = slurp("$in/mailwall-metrics.service");
	my ($script) = $unit =~ /^ExecStart=\/bin\/sh -c '(.*)'$/m;
	my $bin = "$temp/bin";
	mkdir($bin);
	mkdir("$temp/textfile");
	for (['echo whole', "0:whole\n"], ['echo half; exit 1', "1:whole\n"]) {
		my ($does, $want) = @$_;
		spurt("$bin/mailwall", "#!/bin/sh\n$does\n");
		chmod(0755, "$bin/mailwall");
		my $code = system('sh', '-c', "cd '$temp/textfile' && PATH='$bin':\$PATH && $script") >> 8;
		is("$code:" . slurp("$temp/textfile/mailwall.prom"), $want, "mailwall does \"$does\"");
	}
	system('cp', "$in/mailwall-metrics.service", "$in/mailwall-metrics.timer", $temp);
	is(said('systemd-analyze', 'verify', '--man=no', "$temp/mailwall-metrics.timer", "$temp/mailwall-metrics.service"), '0:',
		'systemd-analyze has nothing against the units');
	my $security = said('systemd-analyze', 'security', '--offline=yes', '--threshold=30', '--no-pager',
		"$temp/mailwall-metrics.service");
	like($security, qr/^0:/, '... and the service may do little: exposure below 3.0 of 10') or diag($security);
}

in_builds(['json', \&test_json, 'too'], ['metrics', \&test_metrics, 'too'], ['rules', \&test_rules],
	['timer', \&test_timer]);
