#!/usr/bin/env bash
# import_query.sh: import_query against what does the same in plain SQL, in one run.
#
# Needs a running server with mlplat installed and the usual PG* variables. 1,000,000 rows x 21 float8 unless
# BENCH_ROWS says otherwise. Targets: a new table <= 1.3 x CREATE TABLE AS; one that is there <= 1.3 x
# INSERT ... SELECT. Runs of both sides alternate; the least and the median of 5 are printed.
set -eu
rows=${BENCH_ROWS:-1000000}
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v runs="${BENCH_RUNS:-5}" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS mlplat;
DROP SCHEMA IF EXISTS bench_query CASCADE;
CREATE SCHEMA bench_query;
SET search_path = bench_query;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SELECT 'CREATE TABLE dense AS SELECT ' || string_agg('random() AS x' || c, ', ') || ' FROM generate_series(1, ' || :rows || ')' FROM generate_series(0, 20) AS c \gexec
CREATE TABLE narrow AS SELECT i AS id, i % 100 AS small, md5((i % 1000)::text) AS word, date '2020-01-01' + i % 1000 AS day FROM generate_series(1, :rows) AS i;
VACUUM ANALYZE dense;
VACUUM ANALYZE narrow;

CREATE TABLE work (id int, work text, prepare text, query text);
INSERT INTO work VALUES
(1, 'CREATE TABLE AS, 21 float8', 'SELECT', 'CREATE TABLE loaded AS TABLE dense'),
(2, 'import_query, new table', 'SELECT', 'SELECT mlplat.import_query(''loaded'', ''TABLE dense'')'),
(3, 'INSERT ... SELECT, 21 float8', 'CREATE TABLE loaded (LIKE dense)', 'INSERT INTO loaded TABLE dense'),
(4, 'import_query, table is there', 'CREATE TABLE loaded (LIKE dense)', 'SELECT mlplat.import_query(''loaded'', ''TABLE dense'')'),
(5, 'CREATE TABLE AS, 4 columns', 'SELECT', 'CREATE TABLE loaded AS TABLE narrow'),
(6, 'import_query, new table', 'SELECT', 'SELECT mlplat.import_query(''loaded'', ''TABLE narrow'')'),
(7, 'INSERT ... SELECT, 4 columns, primary key', 'CREATE TABLE loaded (LIKE narrow, PRIMARY KEY (id))', 'INSERT INTO loaded TABLE narrow'),
(8, 'import_query, table is there', 'CREATE TABLE loaded (LIKE narrow, PRIMARY KEY (id))', 'SELECT mlplat.import_query(''loaded'', ''TABLE narrow'')');
CREATE TABLE times (id int, ms float8);
CREATE PROCEDURE run(runs int) LANGUAGE plpgsql AS $$
DECLARE w work; start timestamptz;
BEGIN
    FOR i IN 0 .. runs LOOP
        FOR w IN SELECT * FROM work ORDER BY id LOOP
            DROP TABLE IF EXISTS loaded;
            EXECUTE w.prepare;
            COMMIT;
            start := clock_timestamp();
            EXECUTE w.query;
            COMMIT;
            IF i > 0 THEN INSERT INTO times VALUES (w.id, extract(epoch FROM clock_timestamp() - start) * 1000); END IF;
        END LOOP;
    END LOOP;
END $$;
CALL run(:runs);
SELECT work, round(min(ms)::numeric) AS least, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric) AS median,
    round((min(ms) / (SELECT min(ms) FROM times WHERE times.id = work.id - 1 + work.id % 2))::numeric, 2) AS ratio
FROM work JOIN times USING (id) GROUP BY id, work ORDER BY id;
DROP SCHEMA bench_query CASCADE;
SQL
