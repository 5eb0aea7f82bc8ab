# Trainings beyond mlplat.training_memory: the same model from temporary files, clear errors where there is no room.

use strict;
use warnings;
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('spill', restart_after_crash => 'on');

$node->safe_psql('postgres', q{
CREATE UNLOGGED TABLE big AS SELECT i::float8 AS a, i * 2.5 AS b, (i::bigint * 7919 % 1000003)::float8 AS c, 'level ' || i % 30 AS d, i % 1000 AS e, i % 17 + i % 31 > 20 AS flag, (i % 101)::float8 AS y
FROM generate_series(1, 400000) i;
CREATE FUNCTION image(name text) RETURNS text LANGUAGE sql AS $$ SELECT md5(v.image) FROM mlplat.version v JOIN mlplat.registry r USING (model_id) WHERE r.name = $1 ORDER BY v.version DESC LIMIT 1 $$;
});

my %training = (
	gbdt => q{mlplat.create_model('gbdt', 'SELECT a, b, c, d, e, flag FROM big', 'flag', 'gbdt', '{"n_trees": 3}')},
	logistic => q{mlplat.create_model('logistic', 'SELECT a, b, c, d, e, flag FROM big', 'flag', 'logistic')},
	linear => q{mlplat.create_model('linear', 'SELECT a, b, c, d, e, y FROM big', 'y', 'linear')},
);
my @algorithms = split /\n/, $node->safe_psql('postgres', "SELECT name FROM mlplat.algorithms WHERE name IN ('gbdt', 'linear', 'logistic') ORDER BY 1");

# The same bytes, whatever the memory and the number of threads.
for my $algorithm (@algorithms)
{
	my %image;

	for my $setting ("mlplat.training_memory = '1GB'", "mlplat.training_memory = '4MB'", "mlplat.threads = 1", "mlplat.threads = 7")
	{
		$image{$setting} = $node->safe_psql('postgres', "SET $setting; SELECT rows FROM $training{$algorithm}; SELECT image('$algorithm')");
	}
	is(scalar(keys %{ { reverse %image } }), 1, "$algorithm: one image with all settings") or diag(explain(\%image));
}
$node->safe_psql('postgres', "SET mlplat.training_memory = '4MB'; SELECT length(mlplat.train(r, 'flag', '{\"algorithm\": \"gbdt\", \"n_trees\": 2}')) FROM big r");
is(temporary_files($node), '0', 'no temporary files are left');

# temp_file_limit, and no room on the disk
sub refused
{
	my ($what, $settings, $training, $message) = @_;
	my ($out, $err);

	is($node->psql('postgres', "$settings; SELECT $training", stdout => \$out, stderr => \$err), 3, "$what: is an error");
	like($err, $message, "$what: says why");
	like($err, qr/HINT:  (Raise|Free)/, "$what: says what to do");
	is(temporary_files($node), '0', "$what: leaves nothing behind");
}

for my $algorithm (@algorithms)
{
	refused("$algorithm beyond temp_file_limit", "SET mlplat.training_memory = '4MB'; SET temp_file_limit = '8MB'",
		$training{$algorithm}, qr/temporary file size exceeds temp_file_limit \(8192kB\)/);
}
# A session that was refused goes on.
is($node->safe_psql('postgres', qq{
SET mlplat.training_memory = '4MB';
SET temp_file_limit = '8MB';
DO \$\$ BEGIN PERFORM $training{gbdt}; EXCEPTION WHEN configuration_limit_exceeded THEN NULL; END \$\$;
RESET temp_file_limit;
SELECT rows FROM $training{gbdt};
}), '400000', 'trains after it was refused');

SKIP:
{
	my $disk = $ENV{MLPLAT_SMALL_DISK};

	skip 'no small disk (only root can mount one)', 4 * @algorithms + 3 unless $disk;
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$disk'");
	for my $algorithm (@algorithms)
	{
		refused("$algorithm on a full disk", "SET mlplat.training_memory = '4MB'; SET temp_tablespaces = small",
			$training{$algorithm}, qr/could not reserve .* for training data: No space left on device/);
	}
	# Where there is room in it, the training is there and not elsewhere.
	my $job = start_background($node, "SET mlplat.training_memory = '1MB'; SET temp_tablespaces = small; SELECT rows FROM mlplat.create_model('fits', 'SELECT a, e, flag FROM big LIMIT 60000', 'flag', 'gbdt', '{\"n_trees\": 3}')");
	is(finish_background($job), "60000\n", 'a training that fits on the small disk');
	is(temporary_files($node), '0', 'and leaves nothing there');
	$node->safe_psql('postgres', 'DROP TABLESPACE small');
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_tablespace WHERE spcname = 'small'"), '0', 'the small disk is free');
}

# Killed in the middle: files are unlinked when they are mapped, so a crash leaves none.
my $job = start_background($node, "SET mlplat.training_memory = '1MB'; /*victim*/ SELECT mlplat.create_model('killed', 'SELECT a, b, c, flag FROM big', 'flag', 'gbdt', '{\"n_trees\": 5000}')");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE '%/*victim*/%' AND pid <> pg_backend_pid() AND state = 'active'");
$node->safe_psql('postgres', 'SELECT pg_sleep(0.4)');
my $pid = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE query LIKE '%/*victim*/%' AND pid <> pg_backend_pid()");
kill 'KILL', $pid;
finish_background($job);
# The postmaster notices a moment later, and ends all sessions.
$node->wait_for_log(qr/all server processes terminated; reinitializing/);
$node->poll_query_until('postgres', 'SELECT true');
is(temporary_files($node), '0', 'a killed training leaves no files');
is($node->safe_psql('postgres', "SELECT count(*) FROM mlplat.models WHERE name = 'killed'"), '0', 'and no model');
$node->stop;
done_testing();
