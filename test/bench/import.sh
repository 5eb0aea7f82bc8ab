#!/usr/bin/env bash
# import.sh: import_csv against COPY of the same file, in one run.
#
# Needs a running server with mlplat installed and the usual PG* variables; the role must be a superuser,
# as the file is written on the server. 1,000,000 rows x 21 float8 unless BENCH_ROWS says otherwise.
# Targets: import_csv <= 1.15 x COPY, types inferred included; with 1 % of the rows rejected <= 1.5 x a clean file.
# Runs of both sides alternate; the least and the median of 5 are printed.
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
CREATE FUNCTION dirty() RETURNS text LANGUAGE sql AS $$SELECT current_setting('data_directory') || '/bench_import_dirty.csv'$$;
CREATE FUNCTION comma() RETURNS text LANGUAGE sql AS $$SELECT current_setting('data_directory') || '/bench_import_comma.csv'$$;
SELECT format('COPY (SELECT CASE WHEN row_number() OVER () %% 100 = 0 THEN ''none'' ELSE x0::text END AS x0, %s FROM dense) TO %L CSV HEADER',
    string_agg('x' || c, ', '), dirty()) FROM generate_series(1, 20) AS c \gexec
SELECT format('COPY (SELECT %s FROM dense) TO %L CSV HEADER DELIMITER '';''',
    string_agg(format('replace(x%s::text, ''.'', '','') AS x%s', c, c), ', '), comma()) FROM generate_series(0, 20) AS c \gexec

CREATE TABLE work (id int, work text, query text);
INSERT INTO work VALUES
(1, 'COPY, plain file', format('CREATE TABLE loaded (LIKE dense); COPY loaded FROM %L CSV HEADER', file())),
(2, 'import_csv, plain file', format('SELECT mlplat.import_csv(''bench_import.loaded'', %L)', file())),
(3, 'COPY FROM PROGRAM gzip', format('CREATE TABLE loaded (LIKE dense); COPY loaded FROM PROGRAM %L CSV HEADER', format('gzip -dc <"%s.gz"', file()))),
(4, 'import_csv, gzip', format('SELECT mlplat.import_csv(''bench_import.loaded'', %L)', file() || '.gz')),
(5, 'import_csv into a table that is there', format('CREATE TABLE loaded (LIKE dense); SELECT mlplat.import_csv(''bench_import.loaded'', %L)', file())),
(6, 'import_csv, rows checked, none rejected', format('CREATE TABLE loaded (LIKE dense); SELECT mlplat.import_csv(''bench_import.loaded'', %L, ''{"on_error": "reject"}'')', file())),
(7, 'import_csv, 1 % of the rows rejected', format('CREATE TABLE loaded (LIKE dense); SELECT mlplat.import_csv(''bench_import.loaded'', %L, ''{"on_error": "reject"}'')', dirty())),
(8, 'import_csv, decimal comma', format('CREATE TABLE loaded (LIKE dense); SELECT mlplat.import_csv(''bench_import.loaded'', %L)', comma()));
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
CALL run(1, 8, :runs);
SELECT work, round(min(ms)::numeric) AS least, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric) AS median,
    round((min(ms) / (SELECT min(ms) FROM times WHERE times.id = CASE WHEN work.id IN (2, 5) THEN 1 WHEN work.id = 4 THEN 3 WHEN work.id > 5 THEN 5 ELSE work.id END))::numeric, 2) AS ratio
FROM work JOIN times USING (id) GROUP BY id, work ORDER BY id;

COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f bench_import.csv bench_import.csv.gz bench_import_dirty.csv bench_import_comma.csv';
SQL
psql -X -q -c 'SET client_min_messages = warning' -c 'DROP SCHEMA bench_import CASCADE'
