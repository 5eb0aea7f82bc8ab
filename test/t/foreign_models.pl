# foreign_models.pl: imported models predict and explain as their libraries do, on real models and rows.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Mlplat;
use PostgreSQL::Test::Utils;
use Test::More;

my $here = dirname(abs_path(__FILE__));
my ($data) = grep { defined && -d } (($ENV{MLPLAT_DATA} // "$here/../../../shared/data") . '/foreign', "$here/../../../../shared/data/foreign");
my $python = '/usr/bin/python3';
my $node = new_node('foreign_models');

# Load a CSV file into a table, "nan" as NULL; the types are found by the import.
sub load_csv
{
	my ($table, $file) = @_;
	my $copy = $node->basedir . "/$table.csv";

	append_to_file($copy, slurp_file($file) =~ s/\bnan\b//gr);
	$node->safe_psql('postgres', "SELECT mlplat.import_csv('$table', '$copy')");
	$node->safe_psql('postgres', "ALTER TABLE $table ADD COLUMN id bigserial");
}

# The greatest relative difference of a query's columns got and want.
sub worst
{
	my ($query) = @_;

	return $node->safe_psql('postgres',
		"SELECT coalesce(max(CASE WHEN got IS NULL OR want IS NULL OR got = 'NaN' THEN 1e9 "
		  . "ELSE abs(got - want) / greatest(1, abs(want)) END), 1e9) FROM ($query) q");
}

sub is_near
{
	my ($query, $what) = @_;
	my $worst = worst($query);

	cmp_ok($worst, '<', 1e-5, "$what: at most $worst apart");
}

# Register the model of a file.
sub import_file
{
	my ($name, $format, $file, $options) = @_;

	$options //= '{}';
	$node->safe_psql('postgres',
		"SELECT mlplat.import_model('$name', '$format', pg_read_binary_file('$file'), '$options')");
}

# Contributions of a row by feature, in the order of the model's features, the base last; as an array.
my $contributions = q{
    CREATE FUNCTION contributions(model text, r anyelement) RETURNS float8[] LANGUAGE sql AS
    $$ SELECT array_agg(e.contribution ORDER BY f.position NULLS LAST)
       FROM mlplat.explain(model, r, 1000) e
       LEFT JOIN (SELECT a.attname::text AS feature, a.attnum AS position FROM pg_attribute a
                  WHERE a.attrelid = (SELECT typrelid FROM pg_type WHERE oid = pg_typeof(r))) f USING (feature) $$};
$node->safe_psql('postgres', $contributions);

SKIP:
{
	skip 'the models of LightGBM are not here (set MLPLAT_DATA to the folder that has "foreign" in it)', 9 unless $data;
	for my $kind ('binary', 'regression')
	{
		my $model = "lightgbm_$kind";
		import_file($model, 'lightgbm', "$data/$model.txt");
		load_csv($model, "$data/${model}_rows.csv");
		load_csv("${model}_shap", "$data/${model}_contributions.csv");
		is_near("SELECT mlplat.predict('$model', r) AS got, prediction AS want FROM $model r", "$model predicts the same");
		is_near("SELECT g.v AS got, w.v AS want FROM $model r JOIN ${model}_shap s USING (id),
			unnest(contributions('$model', r)) WITH ORDINALITY g(v, i)
			JOIN LATERAL (SELECT value::float8 AS v, substr(key, 2)::int + 1 AS i FROM jsonb_each_text(to_jsonb(s)) WHERE key LIKE 'c%') w USING (i)",
			"$model explains the same");
	}
	import_file('multi', 'lightgbm', "$data/lightgbm_multiclass.txt", '{"classes": ["setosa", "versicolor", "virginica"]}');
	load_csv('multi', "$data/lightgbm_multiclass_rows.csv");
	my %class = (0 => 'setosa', 1 => 'versicolor', 2 => 'virginica');
	for my $k (0 .. 2)
	{
		is_near("SELECT mlplat.predict_proba('multi', r, '$class{$k}') AS got, prediction_$k AS want FROM multi r",
			"multiclass predicts the same P($class{$k})");
	}
	is($node->safe_psql('postgres', q{SELECT count(*) FROM mlplat.tree_nodes('multi') WHERE depth = 0}), '60', 'its trees can be looked at');
	like($node->safe_psql('postgres', q{SELECT mlplat.report('lightgbm_binary')}), qr/<svg/, 'it has a report');
}

SKIP:
{
	skip 'python3-xgboost is not installed', 1 if system("$python -c 'import xgboost, numpy' 2>/dev/null");
	my $out = $node->basedir . '/xgboost';
	mkdir $out;
	system($python, "$here/../golden/xgboost_models.py", $out) == 0 or die 'xgboost_models.py failed';
	for my $rows (sort glob("$out/*.csv"))
	{
		next if $rows =~ /_shap\.csv$/;
		my ($model) = $rows =~ m{([^/]+)\.csv$};
		load_csv($model, $rows);
		my $n = $node->safe_psql('postgres', "SELECT count(*) FROM pg_attribute WHERE attrelid = '$model'::regclass AND attname LIKE 'prediction%'");
		for my $ending ('json', 'ubj')
		{
			import_file("$model", 'xgboost', "$out/$model.$ending");
			if ($n == 1)
			{
				is_near("SELECT mlplat.predict('$model', r) AS got, prediction AS want FROM $model r", "$model.$ending predicts the same");
			}
			else
			{
				is_near(join(' UNION ALL ', map { "SELECT mlplat.predict_proba('$model', r, '$_'), prediction_$_ FROM $model r" } 0 .. $n - 1)
					  =~ s/\),/) AS got,/r =~ s/(prediction_0)/$1 AS want/r, "$model.$ending predicts the same");
			}
		}
		next unless -e "$out/${model}_shap.csv";
		load_csv("${model}_shap", "$out/${model}_shap.csv");
		is_near("SELECT g.v AS got, w.v AS want FROM $model r JOIN ${model}_shap s USING (id),
			unnest(contributions('$model', r)) WITH ORDINALITY g(v, i)
			JOIN LATERAL (SELECT value::float8 AS v, substr(key, 2)::int + 1 AS i FROM jsonb_each_text(to_jsonb(s)) WHERE key LIKE 'c%') w USING (i)",
			"$model explains the same");
	}
}

$node->stop;
done_testing();
