#!/usr/bin/env bash
# import.sh: import_csv against COPY of the same file, profile against avg() of the same columns, in one run.
#
# Needs a running server with mlplat installed and the usual PG* variables; the role must be a superuser,
# as the file is written on the server. 1,000,000 rows x 21 float8 unless BENCH_ROWS says otherwise.
# Targets: import_csv <= 1.15 x COPY, types inferred included; profile <= 6 x avg(). Runs of both sides
# alternate; the least and the median of 5 are printed.
set -eu
rows=${BENCH_ROWS:-1000000}
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v runs="${BENCH_RUNS:-5}" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS mlplat;
DROP SCHEMA IF EXISTS bench_import CASCADE;
CREATE SCHEMA bench_import;
SET search_path = bench_import;
SET jit = off;
SELECT setseed(0.5) \g /dev/null
SELECT 'CREATE TABLE dense AS SELECT ' || string_agg('random() AS x' || c, ', ') || ' FROM generate_series(1, ' || :rows || ')' FROM generate_series(0, 20) AS c \gexec
VACUUM ANALYZE dense;
CREATE FUNCTION file() RETURNS text LANGUAGE sql AS $$SELECT current_setting('data_directory') || '/bench_import.csv'$$;
SELECT format('COPY dense TO %L CSV HEADER', file()) \gexec
SELECT format('COPY (SELECT) TO PROGRAM %L', format('gzip -1 <"%s" >"%s.gz"', file(), file())) \gexec
CREATE TABLE narrow AS SELECT i AS id, i % 100 AS small, md5((i % 1000)::text) AS word, date '2020-01-01' + i % 1000 AS day FROM generate_series(1, :rows) AS i;
VACUUM ANALYZE narrow;

CREATE TABLE work (id int, work text, query text);
INSERT INTO work VALUES
(1, 'COPY, plain file', format('CREATE TABLE loaded (LIKE dense); COPY loaded FROM %L CSV HEADER', file())),
(2, 'import_csv, plain file', format('SELECT mlplat.import_csv(''bench_import.loaded'', %L)', file())),
(3, 'COPY FROM PROGRAM gzip', format('CREATE TABLE loaded (LIKE dense); COPY loaded FROM PROGRAM %L CSV HEADER', format('gzip -dc <"%s.gz"', file()))),
(4, 'import_csv, gzip', format('SELECT mlplat.import_csv(''bench_import.loaded'', %L)', file() || '.gz')),
(5, 'avg() of 21 float8', (SELECT 'SELECT ' || string_agg('avg(x' || c || ')', ', ') || ' FROM dense' FROM generate_series(0, 20) AS c)),
(6, 'profile of 21 float8', 'SELECT count(*) FROM mlplat.profile(''TABLE dense'')'),
(7, 'min() and max() of 4 columns', 'SELECT min(id), max(id), min(small), max(small), min(word), max(word), min(day), max(day) FROM narrow'),
(8, 'count(DISTINCT) of 4 columns', 'SELECT count(DISTINCT id), count(DISTINCT small), count(DISTINCT word), count(DISTINCT day) FROM narrow'),
(9, 'profile of 4 columns', 'SELECT count(*) FROM mlplat.profile(''TABLE narrow'')');
CREATE TABLE times (id int, ms float8);
CREATE PROCEDURE run(first int, last int, runs int) LANGUAGE plpgsql AS $$
DECLARE w work; start timestamptz;
BEGIN
    FOR i IN 0 .. runs LOOP
        FOR w IN SELECT * FROM work WHERE id BETWEEN first AND last ORDER BY id LOOP
            DROP TABLE IF EXISTS loaded;
            COMMIT;
            start := clock_timestamp();
            EXECUTE w.query;
            COMMIT;
            IF i > 0 THEN INSERT INTO times VALUES (w.id, extract(epoch FROM clock_timestamp() - start) * 1000); END IF;
        END LOOP;
    END LOOP;
END $$;
CALL run(1, 4, :runs);
SET max_parallel_workers_per_gather = 0;
CALL run(5, 9, :runs);
SELECT work, round(min(ms)::numeric) AS least, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric) AS median,
    round((min(ms) / (SELECT min(ms) FROM times WHERE times.id = work.id - CASE WHEN work.id IN (2, 4, 6, 9) THEN 1 ELSE 0 END))::numeric, 2) AS ratio
FROM work JOIN times USING (id) GROUP BY id, work ORDER BY id;


CREATE FUNCTION resident() RETURNS int LANGUAGE sql AS $$SELECT (regexp_match(pg_read_file('/proc/self/status', 0, 10000, true), 'RssAnon:\s+(\d+)'))[1]::int / 1024$$;
COPY (SELECT) TO PROGRAM 'rm -f bench_import.csv bench_import.csv.gz';
SQL
# In a new session each: what the process has grown by when the last row is read.
for times in 1 10; do
    psql -X -q -At -v ON_ERROR_STOP=1 -v times="$times" <<'SQL'
SET search_path = bench_import;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SELECT count(*), resident() AS before FROM mlplat.profile('SELECT 1 AS x') \gset
SELECT format('profile of 21 float8, %s x the rows: memory grows by %s MB', :times, max::int - :before)
FROM mlplat.profile('SELECT x.*, NULL::int AS resident FROM generate_series(1, ' || :times || '), dense AS x
    UNION ALL SELECT x.*, resident() FROM (SELECT * FROM dense LIMIT 1) AS x') WHERE column_name = 'resident';
SQL
done
psql -X -q -c 'SET client_min_messages = warning' -c 'DROP SCHEMA bench_import CASCADE'
