# import_json where documents are large, compressed, damaged, cancelled, or in a database of another encoding.
use strict;
use warnings;

use IO::Compress::Gzip qw(gzip $GzipError);
use Mlplat;
use POSIX qw(mkfifo);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('import_json');
my $dir = PostgreSQL::Test::Utils::tempdir();

# Write a file; returns its path.
sub put
{
    my ($name, @pieces) = @_;
    open(my $file, '>:raw', "$dir/$name") or die "$dir/$name: $!";
    print $file @pieces;
    close $file;
    return "$dir/$name";
}

sub packed
{
    my ($content) = @_;
    my $out;
    gzip(\$content => \$out) or die $GzipError;
    return $out;
}

# Import; returns the rows loaded or the first line of the error.
sub import_file
{
    my ($target, $path, $options, $database) = @_;
    my ($status, $out, $err) = $node->psql($database // 'postgres',
        sprintf("SELECT rows_loaded FROM mlplat.import_json('%s', '%s', '%s')", $target, $path, $options // '{}'));
    return $status == 0 ? $out : (split /\n/, $err)[0] =~ s/^.*?ERROR:\s*//r;
}

mkfifo("$dir/fifo", 0600) or die "mkfifo: $!";
is(import_file('t', "$dir/fifo"), "\"$dir/fifo\" is not a regular file", 'a fifo is refused without waiting');

# The same rows as in the table that they come from, as lines and as an array inside a document, plain and compressed.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE source AS
SELECT i, sin(i) AS x, CASE WHEN i % 3 = 0 THEN E'a "quoted" \\text\twith\nlines, ' || chr(200 + i % 30000) END AS words, date '2020-01-01' + i % 1000 AS day,
    i % 2 = 0 AS even, jsonb_build_object('i', i, 'list', ARRAY[E'\\', '"']) AS nested
FROM generate_series(1, 50000) AS i;
SQL
my $lines = $node->safe_psql('postgres', 'SELECT row_to_json(source) FROM source') . "\n";
my $array = $lines =~ s/\}\n(?=\{)/},\n/gr;
my $document = "{\"count\": 50000, \"data\": {\"skipped\": [$array], \"rows\": [$array]}, \"end\": true}";
put('lines', $lines);
put('lines.gz', packed($lines));
put('document', $document);
put('document.gz', packed($document));
for my $kind ('lines', 'lines.gz', 'document', 'document.gz')
{
    my $path = $kind =~ /lines/ ? '$' : '$.data.rows';
    is(import_file('copied', "$dir/$kind", "{\"path\": \"$path\"}"), 50000, "$kind: rows are loaded");
    is( $node->safe_psql('postgres', 'SELECT count(*) FROM (TABLE source EXCEPT TABLE copied) d'),
        0, "$kind: all rows are those of the source");
    is( $node->safe_psql('postgres', "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'copied'::regclass AND attnum > 0"),
        'integer, double precision, text, date, boolean, jsonb', "$kind: the types are those of the source");
    $node->safe_psql('postgres', 'DROP TABLE copied');
}

# Damage far behind the sample.
my $gz = packed($lines);
is(import_file('t', put('cut.gz', substr($gz, 0, length($gz) - 1000))), "gzip file \"$dir/cut.gz\" is truncated", 'a truncated gzip file');
is( import_file('t', put('cut', substr($document, 0, length($document) - 1)), '{"path": "$.data.rows"}'),
    "invalid JSON at line 100001, column 16 of file \"$dir/cut\": the text ends within a value", 'a document that is cut off behind the rows');
like(import_file('t', put('late', $lines, "{\"i\":\"none\"}\n")), qr/invalid input syntax for type integer: "none"/, 'a wrong value in the last row');
like(import_file('t', put('late', $lines, "{\"i\":1,}\n")), qr/invalid JSON at line 50001, column 8 /, 'no JSON in the last row');
is($node->safe_psql('postgres', "SELECT to_regclass('t') IS NULL"), 't', 'nothing is left of imports that failed');
is(import_file('t', put('late', $lines, "{\"i\":1,}\n{\"i\":2}\n"), '{"on_error": "reject"}'), 50001, 'reading goes on behind a bad line');
is($node->safe_psql('postgres', 'SELECT line, content FROM mlplat.import_rejects'), '50001|{"i":1,}', 'which is kept');
$node->safe_psql('postgres', 'DROP TABLE t');

# Rows larger than all buffers.
is(import_file('wide', put('wide', '{"a":1,"b":"', 'x' x 100_000_000, "\"}\n{\"a\":2,\"b\":\"", '\\n' x 5_000_000, "\"}\n")), 2, 'texts of 100 and 5 MB');
is($node->safe_psql('postgres', "SELECT string_agg(length(b)::text, ' ' ORDER BY a) FROM wide"), '100000000 5000000', 'nothing of them is missing');
unlink "$dir/wide";

# A document of 1.2 GB: ten rows of 1 MB, a gzip member of which there are 120.
my $row = '{"a":1,"pad":"' . ('x' x 1_000_000) . '"}';
my $member = packed(join('', map { ",$row" } 1 .. 10));
put('large.gz', packed("[$row"), $member x 120, packed(']'));
like(import_file('t', "$dir/large.gz", '{"columns": ["a"]}'), qr/holds more than \d+ bytes/, 'what a small file may hold has a limit');
is(import_file('large', "$dir/large.gz", '{"columns": ["a"], "max_bytes": 2e9}'), 1201, 'an array of more than 1 GB');
is(import_file('t', "$dir/large.gz", '{"path": "$.a", "max_bytes": 2e9}'),
    "path \$.a does not fit line 1 of file \"$dir/large.gz\": the document is not an object", 'a path that is not there');

# A cancel is answered in the sample, while what is not wanted is passed over, and while rows are loaded.
put('skipped.gz', packed('{"skipped":[' . $row), $member x 120, packed('],"rows":[{"a":1}]}'));
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE slow (i int);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END$$;
CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION wait();
SQL
for my $case (
    [ 'the sample', 't', 'large.gz', '{"sample_rows": 0, "max_bytes": 2e9}' ],
    [ 'what is passed over', 't', 'skipped.gz', '{"path": "$.rows", "max_bytes": 2e9}' ],
    [ 'loading', 'slow', 'lines', '{"columns": ["i"]}' ])
{
    my ($what, $target, $name, $options) = @$case;
    my ($status, $out, $err) = $node->psql('postgres',
        "SET statement_timeout = '300ms'; SELECT mlplat.import_json('$target', '$dir/$name', '$options')");
    like($err, qr/canceling statement due to statement timeout/, "$what ends at a cancel");
}
is($node->safe_psql('postgres', "SELECT count(*), to_regclass('t') IS NULL FROM slow"), '0|t', 'nothing is left of it');

# Databases of other encodings.
for my $encoding ('latin1', 'sql_ascii')
{
    $node->safe_psql('postgres', "CREATE DATABASE $encoding ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
    $node->safe_psql($encoding, 'CREATE EXTENSION mlplat');
    is(import_file('t', put('utf8', "{\"k\xc3\xa9y\":\"\\u00e9\xc3\xa9\"}\n"), '{}', $encoding), 1, "$encoding: UTF-8 is loaded");
    is( $node->safe_psql($encoding, "SELECT encode(convert_to(attname, '$encoding'), 'hex') FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0"),
        $encoding eq 'latin1' ? '6be979' : '6bc3a979', "$encoding: the name of the column");
    is( $node->safe_psql($encoding, "SELECT encode(convert_to(t::text, '$encoding'), 'hex') FROM t"),
        unpack('H*', $encoding eq 'latin1' ? "(\xe9\xe9)" : "(\xc3\xa9\xc3\xa9)"), "$encoding: the value");
    is(import_file('t', "$dir/utf8", '{}', $encoding), 1, "$encoding: it binds to the column");
}
like(import_file('t', put('euro', "{\"k\xc3\xa9y\":\"\\u20ac\"}\n"), '{}', 'latin1'),
    qr/has no equivalent in encoding "LATIN1"/, 'a character that the database lacks');
like(import_file('t2', put('euro', "{\"\\u20ac\":1}\n"), '{}', 'latin1'),
    qr/has no equivalent in encoding "LATIN1"/, 'a key that the database lacks');

$node->stop;
done_testing();
