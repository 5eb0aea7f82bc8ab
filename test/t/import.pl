# import_csv where it takes files of all kinds, sizes, rights, and a second session.
use strict;
use warnings;

use IO::Compress::Gzip qw(gzip $GzipError);
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('import');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION mlplat');
my $dir = PostgreSQL::Test::Utils::tempdir();

# Write a file; returns its path.
sub put
{
    my ($name, $content) = @_;
    open(my $file, '>:raw', "$dir/$name") or die "$dir/$name: $!";
    print $file $content;
    close $file;
    return "$dir/$name";
}

# Import; returns the rows loaded or the first line of the error.
sub import_file
{
    my ($target, $path, $options, $database) = @_;
    my ($status, $out, $err) = $node->psql($database // 'postgres',
        sprintf("SELECT rows_loaded FROM mlplat.import_csv('%s', '%s', '%s')", $target, $path, $options // '{}'));
    return $status == 0 ? $out : ($err =~ /ERROR:\s*(.*)/)[0];
}

sub exists_table
{
    return $node->safe_psql('postgres', "SELECT to_regclass('$_[0]') IS NOT NULL") eq 't';
}

# Files that must not be read.
mkfifo("$dir/fifo", 0600) or die "mkfifo: $!";
is(import_file('t', "$dir/fifo"), "\"$dir/fifo\" is not a regular file", 'a fifo is refused without waiting');
is(import_file('t', $dir), "\"$dir\" is a directory", 'a directory is refused');
chmod 0000, put('secret', "a\n1\n");
is(import_file('t', "$dir/secret"), "could not open file \"$dir/secret\": Permission denied",
    'a file that the server may not read');
symlink('/dev/zero', "$dir/link");
is(import_file('t', "$dir/link"), "\"$dir/link\" is not a regular file", 'a link to a device is refused');

# The same rows as COPY, plain and compressed, in files that are larger than all buffers.
$node->safe_psql('postgres', <<"SQL");
CREATE TABLE source AS
SELECT i, sin(i) AS x, CASE WHEN i % 3 = 0 THEN E'a "quoted"\\ntext, ' || i END AS words, date '2020-01-01' + i % 1000 AS day, i % 2 = 0 AS even
FROM generate_series(1, 100000) AS i;
COPY source TO '$dir/large.csv' CSV HEADER;
SQL
my $plain = slurp_file("$dir/large.csv");
gzip(\$plain => "$dir/large.csv.gz") or die $GzipError;
for my $kind ('large.csv', 'large.csv.gz')
{
    is(import_file('copied', "$dir/$kind"), 100000, "$kind is loaded");
    is( $node->safe_psql('postgres', 'SELECT count(*) FROM (TABLE source EXCEPT TABLE copied) d'),
        0, "$kind: all rows are those of the source");
    is( $node->safe_psql('postgres', "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'copied'::regclass AND attnum > 0"),
        'integer, double precision, text, date, boolean', "$kind: the types are those of the source");
    $node->safe_psql('postgres', 'DROP TABLE copied');
}

# What the file leaves open is told.
{
    my (undef, undef, $said) = $node->psql('postgres', sprintf("SELECT mlplat.import_csv('open_numbers', '%s')", put('numbers_two_ways.csv', "a;b\n1,234;x\n")));
    like($said, qr/NOTICE:  numbers of column "a" of file ".*" can be read in two ways: it is text/, 'numbers that can be read in two ways');
    (undef, undef, $said) = $node->psql('postgres', sprintf("SELECT mlplat.import_csv('open_dates', '%s')", put('dates_two_ways.csv', "a,b\n03/04/2024,x\n")));
    like($said, qr/NOTICE:  dates of column "a" of file ".*" can be read in two ways: it is text/, 'dates that can be read in two ways');
}

# Damage far behind the sample.
my $packed = slurp_file("$dir/large.csv.gz");
is(import_file('t', put('cut.gz', substr($packed, 0, length($packed) - 1000))), "gzip file \"$dir/cut.gz\" is truncated", 'a truncated file');
substr($packed, length($packed) - 5, 1) ^= "\xff";
is(import_file('t', put('bad.gz', $packed)), "gzip file \"$dir/bad.gz\" is damaged", 'a wrong length at the end');
is(import_file('t', put('late.csv', $plain . "none,1,x,2020-01-01,t\n")), 'invalid input syntax for type integer: "none"', 'a wrong value in the last row');
like(import_file('t', put('open.csv', "a,b\n1,\"" . ("x\n" x 12_000_000))), qr/unterminated CSV quoted field/, 'a quote that is never closed');
like(import_file('t', put('marker.csv', $plain . "\\.\n" . $plain)), qr/holds only "\\\."/, 'rows behind an end marker are not lost in silence');
ok(!exists_table('t'), 'nothing is left of imports that failed');

# What was tried is in the log, whatever came of it.
sub last_line
{
    return $node->safe_psql('postgres', "SELECT outcome, rows, rejected, sqlstate, error FROM mlplat.import_log ORDER BY import_id DESC LIMIT 1");
}
import_file('logged', "$dir/large.csv.gz");
is( $node->safe_psql('postgres', "SELECT kind, location = '$dir/large.csv.gz', target, outcome, rows, rejected, bytes, sqlstate IS NULL, owner = current_user FROM mlplat.import_log ORDER BY import_id DESC LIMIT 1"),
    'csv|t|logged|loaded|100000|0|' . (-s "$dir/large.csv.gz") . '|t|t', 'a success is logged, with the bytes that were read');
for my $case (
    [ '/dev/zero', '{}', '"/dev/zero" is not a regular file', '42809' ],
    [ "$dir/none", '{}', "could not open file \"$dir/none\": No such file or directory", '58P01' ],
    [ "$dir/cut.gz", '{}', "gzip file \"$dir/cut.gz\" is truncated", 'XX001' ],
    [ "$dir/late.csv", '{}', 'invalid input syntax for type integer: "none"', '22P02' ],
    [ "$dir/late.csv", '{"delimeter": ";"}', 'unknown option "delimeter" for import_csv', '22023' ])
{
    my ($path, $options, $error, $state) = @$case;
    import_file('t', $path, $options);
    is(last_line(), "failed|0|0|$state|$error", "logged: $error");
}

# A small file that holds a large one: the limit, by default and by option.
my $bomb = '';
my $content = ('1,' . 'x' x 7_000_000 . "\n") x 2;
gzip(\$content => \$bomb, -Level => 9) or die $GzipError;
put('bomb.gz', $bomb);
is(import_file('t', "$dir/bomb.gz", '{"max_bytes": 1000000}'), "gzip file \"$dir/bomb.gz\" holds more than 1000000 bytes", 'a zip bomb, by option');
# Members may follow one another: 100 of them are 1.4 GB, of some 1.4 MB.
put('bombs.gz', $bomb x 100);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE sink (a int, b text);
CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE TRIGGER drop_row BEFORE INSERT ON sink FOR EACH ROW EXECUTE FUNCTION drop_row();
SQL
like(import_file('sink', "$dir/bombs.gz"), qr/^gzip file "\Q$dir\E\/bombs.gz" holds more than 1073741824 bytes/, 'a zip bomb, by default');
like(import_file('t', "$dir/bombs.gz", '{"on_error": "reject", "sample_rows": 0, "max_bytes": 1e8}'), qr/holds more than 100000000 bytes/, 'a zip bomb, with a sample without end');
like(last_line(), qr/^failed\|0\|0\|54000\|/, 'is logged');
ok(!exists_table('t'), 'nothing is left of it');

# Rejects far behind the sample, with their lines; quotes that are never closed take no row with them but their own.
my @lines = split /^/, "id,price,words\n" . join('', map {"$_,1.5,\"two\nlines\"\n"} 1 .. 50_000);
push @lines, "none,1,x\n", "50001,1\n", "50002,1,\"open\n", "50003,1,\xff\n", map {"$_,2.5,x\n"} 50_004 .. 50_100;
$content = join('', @lines);
put('rejects.csv', $content);
is(import_file('rejecting', "$dir/rejects.csv"), 'invalid input syntax for type integer: "none"', 'stops at the first bad row');
is(import_file('rejecting', "$dir/rejects.csv", '{"on_error": "reject"}'), 50_097, 'or loads the good rows');
is(last_line(), 'loaded|50097|4||', 'the log counts both');
is( $node->safe_psql('postgres', 'SELECT line, column_name, content FROM mlplat.import_rejects WHERE import_id = (SELECT max(import_id) FROM mlplat.import_log) ORDER BY line'),
    join("\n", '100002|id|none,1,x', '100003||50001,1', '100004||50002,1,"open', '100005||50003,1,\xff'), 'the bad rows are there, with their lines');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id), sum(price), max(length(words)) FROM rejecting'), '50097|50097|75242.5|9', 'and the good rows are right');
gzip(\$content => "$dir/rejects.csv.gz") or die $GzipError;
is(import_file('rejecting', "$dir/rejects.csv.gz", '{"on_error": "reject"}'), 50_097, 'from a gzip file as well');
my $binary = put('binary', pack('C*', map { ($_ * 7919) % 251 } 1 .. 100_000));
like(import_file('t', $binary), qr/has no equivalent in encoding "UTF8"|has a zero byte/, 'no text at all');
like(import_file('t', $binary, '{"columns": ["a"], "header": true, "on_error": "reject", "max_rejects": 10}'), qr/^more than 10 rows of file/, 'nor behind a header');

# Memory stays within bounds where no quote ever closes.
put('quotes.csv', "a,b\n" . "1,\"x\n2,y\"z\"\"\n" x 200_000);
like(import_file('quotes', "$dir/quotes.csv", '{"on_error": "reject", "columns": ["a", "b"], "header": true, "types": {"a": "int"}}'), qr/^\d+$|rows without an end/, 'quotes all over');

# Long fields, before and behind the sample.
is(import_file('wide', put('wide.csv', "a,b\n1," . ('x' x 30_000_000) . "\n2,\"" . ("y\n" x 10_000_000) . "\"\n")), 2, 'fields of 30 and 20 MB');
is($node->safe_psql('postgres', "SELECT string_agg(length(b)::text, ' ' ORDER BY a) FROM wide"), '30000000 20000000', 'nothing of them is missing');

is(import_file('huge', put('huge.csv', "a;b\n1,5;" . ('x' x 100_000_000) . "\n2,5;\"" . ("y;\n" x 1000) . "\"\n"), '{"decimal": ",", "types": {"a": "float8"}}'), 2, 'a field of 100 MB, with a decimal comma');
is($node->safe_psql('postgres', "SELECT string_agg(a || ':' || length(b), ' ' ORDER BY a) FROM huge"), '1.5:100000000 2.5:3000', 'is whole');
put('huge2.csv', "a,b\n1," . ('x' x 100_000_000) . "\n2,y\n");
is(import_file('huge2', "$dir/huge2.csv"), 2, 'a field of 100 MB, plain');
is(import_file('huge2', "$dir/huge2.csv", '{"on_error": "reject"}'), 1, 'is rejected where rows are checked');

# Failing again and again leaves no file open.
SKIP:
{
    skip 'no /proc here', 1 unless -d '/proc/self/fd';
    my ($before, $after) = split /\n/, $node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION open_files() RETURNS bigint LANGUAGE sql AS \$\$SELECT count(*) FROM pg_ls_dir('/proc/self/fd')\$\$;
CREATE FUNCTION fail(n int) RETURNS int LANGUAGE plpgsql AS \$\$
BEGIN
    FOR i IN 1 .. n LOOP
        BEGIN
            PERFORM mlplat.import_csv('t', '$dir/cut.gz');
            RAISE 'the import did not fail';
        EXCEPTION WHEN data_corrupted THEN NULL;
        END;
    END LOOP;
    RETURN n;
END \$\$;
SELECT fail(1) AS n, open_files() INTO TEMP before;
SELECT fail(50) AS n INTO TEMP again;
SELECT open_files FROM before;
SELECT open_files();
SQL
    cmp_ok($after - $before, '<', 25, 'no file stays open after errors');
}

# Another session sees the progress; a cancel ends the import at once, and nothing is left.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE slow (a int);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END$$;
CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION wait();
SQL
my $numbers = put('numbers.csv', "a\n" . join('', map {"$_\n"} 1 .. 300_000));
my ($out, $err) = ('', '');
my $session = IPC::Run::start(
    [ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "SELECT rows_loaded FROM mlplat.import_csv('slow', '$numbers')" ],
    '>', \$out, '2>', \$err);
ok( $node->poll_query_until('postgres',
        "SELECT count(*) = 1 FROM pg_stat_progress_copy WHERE relid = 'slow'::regclass AND command = 'COPY FROM' AND tuples_processed > 10"),
    'the progress is shown');
my $start = time;
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%import_csv%' AND pid <> pg_backend_pid()");
$session->finish;
like($err, qr/canceling statement due to user request/, 'a cancel ends the import');
cmp_ok(time - $start, '<', 10, 'at once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM slow'), 0, 'nothing is left of it');
$node->poll_query_until('postgres', "SELECT sqlstate = '57014' FROM mlplat.import_log ORDER BY import_id DESC LIMIT 1"); # nobody waits for it
is(last_line(), 'failed|0|0|57014|canceling statement due to user request', 'and the log tells of it');
$out = $err = '';
put('bad_numbers.csv', "a\n" . join('', map { "x$_\n$_\n" } 1 .. 300_000));
$session = IPC::Run::start(
    [ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "SELECT rows_loaded FROM mlplat.import_csv('slow', '$dir/bad_numbers.csv', '{\"on_error\": \"reject\"}')" ],
    '>', \$out, '2>', \$err);
ok( $node->poll_query_until('postgres',
        "SELECT count(*) = 1 FROM pg_stat_progress_copy WHERE relid = 'slow'::regclass AND tuples_processed > 10"),
    'rows come through while others are rejected');
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%import_csv%' AND pid <> pg_backend_pid()");
$session->finish;
like($err, qr/canceling statement due to user request/, 'a cancel is no reason to reject a row');
is($node->safe_psql('postgres', "SELECT (SELECT count(*) FROM slow), (SELECT count(*) FROM mlplat.import_rejects WHERE location LIKE '%bad_numbers%')"),
    '0|0', 'no row and no reject is left of it');

# Databases of other encodings: files are converted, keys are hashed alike.
$node->safe_psql('postgres', "CREATE DATABASE latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('latin1', 'CREATE EXTENSION mlplat');
is(import_file('t', put('utf8.csv', "a\n\xc3\xa9\n"), '{}', 'latin1'), 1, 'a UTF-8 file into a LATIN1 database');
is($node->safe_psql('latin1', 'SELECT ascii(a) FROM t'), 233, 'is converted');
is(import_file('t', put('latin1.csv', "a\n\xe9\n"), '{}', 'latin1'), 1, 'a file that is no UTF-8 is taken for one of the database');
is(import_file('t', put('euro.csv', "a\n\xe2\x82\xac\n"), '{}', 'latin1'),
    'character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"',
    'a character that the database lacks');
is( $node->safe_psql('latin1', "SELECT mlplat.fold_of(a, 1000000) FROM t LIMIT 1"),
    $node->safe_psql('postgres', "SELECT mlplat.fold_of(chr(233), 1000000)"), 'a key has one hash in all encodings');

$node->stop;
done_testing();
