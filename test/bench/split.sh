#!/usr/bin/env bash
# split.sh: split_table against the same split written by hand, and what a view of a part costs to read, in one run.
#
# Needs a running server with mlplat installed and the usual PG* variables. 1,000,000 rows x 10 float8 with a class
# and a customer, unless BENCH_ROWS says otherwise. Runs of both sides alternate; the least and the median of 5 are
# printed, and the ratio to the line before.
set -eu
rows=${BENCH_ROWS:-1000000}
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v runs="${BENCH_RUNS:-5}" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS mlplat;
DROP SCHEMA IF EXISTS bench_split CASCADE;
CREATE SCHEMA bench_split;
SET search_path = bench_split;
SET jit = off;
SELECT setseed(0.5) \g /dev/null
SELECT 'CREATE TABLE t AS SELECT i AS id, i % 10 = 0 AS class, i * 7919 % 50000 AS customer, date ''2020-01-01'' + i % 1000 AS day, ' || string_agg('random() AS x' || c, ', ') || ' FROM generate_series(1, ' || :rows || ') AS i' FROM generate_series(0, 9) AS c \gexec
ALTER TABLE t ADD PRIMARY KEY (id);
VACUUM ANALYZE t;
SELECT mlplat.split_table('t', stratify => 'class', name => 'strata') \g /dev/null
SELECT mlplat.split_table('t', name => 'random') \g /dev/null

CREATE TABLE work (id int, work text, query text);
INSERT INTO work VALUES
(1, 'random into tables by hand', 'CREATE TABLE a AS SELECT * FROM t WHERE hashint4(id) % 5 <> 0; CREATE TABLE b AS SELECT * FROM t WHERE hashint4(id) % 5 = 0'),
(2, 'split_table, random, tables', 'SELECT mlplat.split_table(''t'', kind => ''table'', name => ''s'', parts => ''{a,b}'')'),
(3, 'stratified into tables by hand', 'CREATE TABLE a AS SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY class ORDER BY hashint4(id)) AS r, count(*) OVER (PARTITION BY class) AS n FROM t) s WHERE r <= 0.8 * n; CREATE TABLE b AS SELECT * FROM t WHERE id NOT IN (SELECT id FROM a)'),
(4, 'split_table, stratified, tables', 'SELECT mlplat.split_table(''t'', stratify => ''class'', kind => ''table'', name => ''s'', parts => ''{a,b}'')'),
(5, 'count(*) by class', 'SELECT class, count(*) FROM t GROUP BY class'),
(6, 'split_table, random, views', 'SELECT mlplat.split_table(''t'', name => ''s'', parts => ''{a,b}'')'),
(7, 'split_table, stratified, views', 'SELECT mlplat.split_table(''t'', stratify => ''class'', name => ''s'', parts => ''{a,b}'')'),
(8, 'split_table, by group, views', 'SELECT mlplat.split_table(''t'', group_by => ''customer'', name => ''s'', parts => ''{a,b}'')'),
(9, 'split_table, in order, views', 'SELECT mlplat.split_table(''t'', order_by => ''day'', name => ''s'', parts => ''{a,b}'')'),
(10, 'sum(x9) of the table', 'SELECT sum(x9) FROM t'),
(11, 'sum(x9) where hashint4(id) % 5 <> 0', 'SELECT sum(x9) FROM t WHERE hashint4(id) % 5 <> 0'),
(12, 'sum(x9) of the random view', 'SELECT sum(x9) FROM random_train'),
(13, 'sum(x9) of the stratified view', 'SELECT sum(x9) FROM strata_train');
CREATE TABLE times (id int, ms float8);
CREATE PROCEDURE run(runs int) LANGUAGE plpgsql AS $$
DECLARE w work; start timestamptz;
BEGIN
    FOR i IN 0 .. runs LOOP
        FOR w IN SELECT * FROM work ORDER BY id LOOP
            DROP TABLE IF EXISTS a, b;
            IF w.id IN (2, 4) THEN DROP TABLE IF EXISTS s_a, s_b; END IF;
            COMMIT;
            start := clock_timestamp();
            EXECUTE w.query;
            COMMIT;
            IF i > 0 THEN INSERT INTO times VALUES (w.id, extract(epoch FROM clock_timestamp() - start) * 1000); END IF;
            IF w.id IN (2, 4) THEN DROP TABLE s_a, s_b; END IF;
            IF w.id BETWEEN 6 AND 9 THEN DROP VIEW s_a, s_b; END IF;
        END LOOP;
    END LOOP;
END $$;
SET max_parallel_workers_per_gather = 0;
CALL run(:runs);
SELECT work, round(min(ms)::numeric) AS least, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::numeric) AS median,
    round((min(ms) / (SELECT min(ms) FROM times WHERE times.id = CASE WHEN work.id < 5 THEN (work.id - 1) / 2 * 2 + 1 WHEN work.id < 10 THEN 5 ELSE 10 END))::numeric, 2) AS ratio
FROM work JOIN times USING (id) GROUP BY id, work ORDER BY id;
DROP SCHEMA bench_split CASCADE;
SQL
