#!/usr/bin/perl
# "explain" over the worked examples of POLICY.md. Prints TAP.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Device;
use Test::More;

my (%policy, @vectors);

sub read_vectors {
	for (split(/\n/, slurp("$top/tests/vectors/decision.tsv") // BAIL_OUT('no vectors'))) {
		next if /^#/;
		my @field = split(/\t/, $_, -1);
		if ($field[0] eq 'policy') {
			$policy{$field[1]} = { adm => $field[2], site => $field[3] // '' };
			next;
		}
		next if $field[0] eq 'behind';
		my %vector;
		@vector{qw(name direction source source_port target target_port flags offset length
			connection policy expected line)} = @field;
		push(@vectors, \%vector);
	}
}

sub endpoint {
	my ($address, $port) = @_;
	return ($address =~ /:/ ? "[$address]" : $address) . ":$port";
}

# set_policy(POLICY): a device with it, set by the command
sub set_policy {
	my ($policy) = @_;
	my @adm = split(/ /, $policy->{adm});
	my @site = split(/, */, $policy->{site});

	fresh();
	return (!@adm || run('adm', 'set', @adm) eq 0) && (!@site || run('site', 'add', @site) eq 0);
}

sub test_vectors {
	my %count;

	for my $name (sort(keys(%policy))) {
		ok(set_policy($policy{$name}), "policy $name is set") or diag($err);
		for my $v (grep { $_->{policy} eq $name } @vectors) {
			my $in = $v->{direction} eq 'in';
			my @local = $in ? @$v{qw(target target_port)} : @$v{qw(source source_port)};
			my @peer = $in ? @$v{qw(source source_port)} : @$v{qw(target target_port)};
			my $want = $v->{expected} =~ / / ? "allowed by the row \"$v->{expected}\"" :
				"denied: $v->{expected}";

			# stated, against what the socket table says; and found in the table
			for my $connection ($v->{connection}, 'ask') {
				my $there = ($v->{connection} eq 'held') == ($connection eq 'ask');
				spurt("$dir/connections", $there ? "@local @peer\n" : '');
				my $code = run('explain', $v->{direction}, endpoint(@$v{qw(source source_port)}),
					endpoint(@$v{qw(target target_port)}), "--flags=$v->{flags}",
					"--data-offset=$v->{offset}", "--length=$v->{length}",
					"--connection=$connection");
				my ($got) = $out =~ /^(.*)\n/;
				is("$code $err" . ($got // ''), "0 $want", "$v->{name}, connection: $connection")
					or diag($v->{line});
			}
			$count{$v->{expected}}++;
		}
	}
	cmp_ok(scalar(@vectors), '>=', 40, 'there are vectors: ' . @vectors);
	ok($count{$_}, "some are expected to give: $_")
		for qw(malformed flags peer no-connection closed), @table;
	is(scalar(grep { !$policy{$_->{policy}} } @vectors), 0, 'each names a policy that is there');
}

read_vectors();
in_builds(['vectors' => \&test_vectors]);
