# standby.pl: models on a streaming standby, and in a dump restored elsewhere.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', q{
    CREATE EXTENSION mlplat;
    CREATE TABLE homes AS SELECT i AS id, i % 90 AS area, (ARRAY['north', 'south', 'west'])[1 + i % 3] AS district,
        (i % 90) * 2.5 + 10 * (i % 3) AS price FROM generate_series(1, 900) i;
    SELECT mlplat.create_model('price', 'SELECT area, district, price FROM homes', 'price', 'linear');
    SELECT mlplat.create_model('price', 'SELECT area, district, price FROM homes', 'price', 'gbdt', '{"n_trees": 5}', promote => 'never');
});
$primary->backup('copy');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

my $sum = q{SELECT round(sum(mlplat.predict('price', h))::numeric, 3) FROM homes h};
my $linear = $primary->safe_psql('postgres', $sum);
is($standby->safe_psql('postgres', $sum), $linear, 'a standby predicts the same');

# One session on the standby stays open across the promotion on the primary.
my $session = $standby->background_psql('postgres', on_error_stop => 1) if $standby->can('background_psql');
my $ask = sub { return $session ? $session->query_safe($sum) : $standby->safe_psql('postgres', $sum) };
is($ask->(), $linear, 'so does a session that stays open');
$primary->safe_psql('postgres', "SELECT mlplat.promote_model('price\@2')");
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
my $boosted = $primary->safe_psql('postgres', $sum);
isnt($boosted, $linear, 'the promoted version predicts otherwise');
is($ask->(), $boosted, 'a promotion on the primary reaches open sessions of the standby');
$session->quit if $session;

my ($status, $out, $err) = $standby->psql('postgres',
    "SELECT mlplat.create_model('other', 'SELECT area, price FROM homes', 'price', 'linear')");
like($err, qr/read-only|recovery/, 'training on a standby is refused');
is($standby->safe_psql('postgres', "SELECT mlplat.rmse(price::float8, mlplat.predict('price', h)) < 100 FROM homes h"),
    't', 'and the standby is alive');

# A dump, restored into a database of another name.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$primary->command_ok([ 'pg_dump', '-f', $dump, $primary->connstr('postgres') ], 'pg_dump takes a database with models');
$primary->safe_psql('postgres', 'CREATE DATABASE restored');
$primary->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $primary->connstr('restored') ], 'it restores');
is($primary->safe_psql('restored', $sum), $boosted, 'the restored model predicts the same');
is($primary->safe_psql('restored', 'SELECT string_agg(version::text || active::text, q ORDER BY version) FROM mlplat.model_versions, (VALUES (\' \')) v(q)'),
    '1false 2true', 'with its versions');
is($primary->safe_psql('restored', q{
        SELECT version FROM mlplat.create_model('price', 'SELECT area, district, price FROM homes', 'price', 'linear')}),
    '3', 'and takes new ones');
is($primary->safe_psql('restored', "SELECT count(*) FROM mlplat.runs"), '3', 'its runs came along');

# The extension dropped and made anew in one session: nothing of the old models is left.
is($primary->safe_psql('restored', q{
        SELECT 1 FROM homes h WHERE mlplat.predict('price', h) IS NULL;
        DROP EXTENSION mlplat;
        CREATE EXTENSION mlplat;
        SELECT count(*) FROM mlplat.models}),
    '0', 'a new extension begins empty');
is($primary->safe_psql('restored', q{
        DROP EXTENSION mlplat;
        SELECT count(*) FROM pg_namespace WHERE nspname = 'mlplat'}),
    '0', 'a dropped one leaves nothing behind');

$standby->stop;
$primary->stop;
done_testing();
