#!/usr/bin/env bash
# import_json.sh: import_json of NDJSON and of one array against COPY of the same rows as CSV, in one run.
#
# Needs a running server with mlplat installed and the usual PG* variables; the role must be a superuser,
# as the files are written on the server. 1,000,000 rows x 21 float8 unless BENCH_ROWS says otherwise.
# Target: import_json <= 3 x COPY of the CSV, types and columns inferred included. Runs of all sides
# alternate; the least and the median of 5 are printed, with the ratio of the least to that of COPY.
set -eu
rows=${BENCH_ROWS:-1000000}
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v runs="${BENCH_RUNS:-5}" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS mlplat;
DROP SCHEMA IF EXISTS bench_json CASCADE;
CREATE SCHEMA bench_json;
SET search_path = bench_json;
SET jit = off;
SELECT setseed(0.5) \g /dev/null
SELECT 'CREATE TABLE dense AS SELECT ' || string_agg('random() AS x' || c, ', ') || ' FROM generate_series(1, ' || :rows || ')' FROM generate_series(0, 20) AS c \gexec
VACUUM ANALYZE dense;
CREATE FUNCTION file(suffix text) RETURNS text LANGUAGE sql AS $$SELECT current_setting('data_directory') || '/bench_json.' || suffix$$;
SELECT format('COPY dense TO %L CSV HEADER', file('csv')) \gexec
-- A quote and a delimiter that do not occur: the lines as they are.
SELECT format('COPY (SELECT row_to_json(dense) FROM dense) TO %L (FORMAT csv, QUOTE E''\x01'', DELIMITER E''\x02'')', file('ndjson')) \gexec
SELECT format('COPY (SELECT) TO PROGRAM %L', format('(echo "["; sed "2,\$s/^/,/" "%s"; echo "]") >"%s"', file('ndjson'), file('json'))) \gexec

CREATE TABLE work (id int, work text, query text);
INSERT INTO work VALUES
(1, 'COPY, CSV', format('CREATE TABLE loaded (LIKE dense); COPY loaded FROM %L CSV HEADER', file('csv'))),
(2, 'import_json, NDJSON', format('SELECT mlplat.import_json(''bench_json.loaded'', %L)', file('ndjson'))),
(3, 'import_json, array', format('SELECT mlplat.import_json(''bench_json.loaded'', %L)', file('json')));
CREATE TABLE times (id int, ms float8);
CREATE PROCEDURE run(runs int) LANGUAGE plpgsql AS $$
DECLARE w work; start timestamptz;
BEGIN
    FOR i IN 0 .. runs LOOP
        FOR w IN SELECT * FROM work ORDER BY id LOOP
            DROP TABLE IF EXISTS loaded;
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
    round((min(ms) / (SELECT min(ms) FROM times WHERE times.id = 1))::numeric, 2) AS ratio
FROM work JOIN times USING (id) GROUP BY id, work ORDER BY id;
COPY (SELECT) TO PROGRAM 'rm -f bench_json.csv bench_json.ndjson bench_json.json';
DROP SCHEMA bench_json CASCADE;
SQL
