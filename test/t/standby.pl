# A hot standby predicts, sees what the primary promotes, and goes on as a primary.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary');

$primary->safe_psql('postgres', q{
CREATE TABLE t AS SELECT i AS id, (i % 37)::float8 AS x, 'level ' || i % 7 AS c, (i % 37 * 2 + i % 7)::float8 AS y, i % 37 > 18 AS flag FROM generate_series(1, 2000) i;
CREATE FUNCTION slope(g float8) RETURNS bytea LANGUAGE sql AS $$ SELECT mlplat.train(x * g, ARRAY[x], '{"algorithm": "linear"}') FROM generate_series(1, 5) x $$;
SELECT mlplat.create_model('linear', 'SELECT x, c, y FROM t', 'y', 'linear');
SELECT mlplat.create_model('boosted', 'SELECT x, c, flag FROM t', 'flag', 'gbdt', '{"n_trees": 20}');
SELECT mlplat.save_model('m', slope(1)), mlplat.save_model('m', slope(2));
});
$primary->backup('start');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'start', has_streaming => 1);
$standby->start;

sub sync { $primary->wait_for_catchup($standby); }

my $predictions = q{SELECT md5(string_agg(concat_ws(' ', mlplat.predict('linear', t), mlplat.predict_class('boosted', t), mlplat.predict_probs('boosted', to_jsonb(t)), mlplat.predict('m', ARRAY[x])), ';' ORDER BY id)) FROM t};
sync();
is($standby->safe_psql('postgres', $predictions), $primary->safe_psql('postgres', $predictions), 'the same predictions');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM mlplat.models'), '3', 'the same models');
like($standby->safe_psql('postgres', "SELECT mlplat.report('boosted')"), qr/<\/html>/, 'the report');
is($standby->safe_psql('postgres', "SELECT round(coefficient::numeric, 6) FROM mlplat.coefficients(slope(3)) WHERE feature = 'f1'"), '3.000000', 'the train aggregate');

# What writes is refused before it costs anything.
for my $call ("mlplat.create_model('m', 'TABLE t', 'y')", "mlplat.save_model('m', slope(1))", "mlplat.promote_model('m\@1')", "mlplat.rollback_model('m')", "mlplat.drop_model('m')")
{
	my ($out, $err);

	$standby->psql('postgres', "SELECT $call", stdout => \$out, stderr => \$err);
	like($err, qr/cannot execute mlplat\.\w+\(\) in a read-only transaction/, "refused: $call");
}

# One session on the standby lives through what the primary does.
my ($in, $out, $err) = ('', '', '');
my $timer = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $standby->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err, $timer);

# ask(SQL): the answer of the open session.
sub ask
{
	my ($sql) = @_;

	$out = '';
	$in .= "$sql;\n\\echo done\n";
	$session->pump until $out =~ /done/ || $timer->is_expired;
	$out =~ s/\s*done\s*//;
	return $out;
}
my $answer = q{EXECUTE answer};
ask(q{PREPARE answer AS SELECT round(mlplat.predict('m', ARRAY[1]::float8[]))});
is(ask($answer), '2', 'the active version');
$primary->safe_psql('postgres', "SELECT mlplat.promote_model('m\@1')");
sync();
is(ask($answer), '1', 'a promotion is seen');
$primary->psql('postgres', "BEGIN; SELECT mlplat.save_model('m', slope(9)); ROLLBACK");
sync();
is(ask($answer), '1', 'one that was taken back is not');
$primary->safe_psql('postgres', "SELECT mlplat.save_model('m', slope(3))");
sync();
is(ask($answer), '3', 'a new version is seen');
$primary->safe_psql('postgres', "SELECT mlplat.rollback_model('m')");
sync();
is(ask($answer), '1', 'a roll-back is seen');
is(ask(q{SELECT round(mlplat.predict('m@3', ARRAY[1]::float8[]))}), '3', 'a version by number');
$primary->safe_psql('postgres', "SELECT mlplat.drop_model('m')");
sync();
is(ask($answer), '', 'a model that was dropped is gone');
$primary->safe_psql('postgres', "DROP EXTENSION mlplat; CREATE EXTENSION mlplat; SELECT mlplat.save_model('m', slope(5))");
sync();
is(ask($answer), '5', 'the extension made anew');
$in .= "\\q\n";
$session->finish;

# The standby takes over: numbers go on where the primary's ended.
$primary->safe_psql('postgres', "SELECT mlplat.save_model('m', slope(6))");
sync();
$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', "SELECT mlplat.save_model('m', slope(7))"), '3', 'the next version');
is($standby->safe_psql('postgres', "SELECT count(DISTINCT version_id) FROM mlplat.version"), '3', 'ids are not used twice');
is($standby->safe_psql('postgres', "SELECT round(mlplat.predict('m', ARRAY[1]::float8[]))"), '7', 'predicts as a primary');
is($standby->safe_psql('postgres', "SELECT rows FROM mlplat.create_model('new', 'SELECT x, flag FROM t', 'flag', 'gbdt', '{\"n_trees\": 3}')"), '2000', 'trains as a primary');
$standby->stop;
done_testing();
