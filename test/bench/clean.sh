#!/usr/bin/env bash
# clean.sh: clean with 5 steps against the hand-written CREATE TABLE AS for the same, in one run.
#
# Needs a running server with mlplat installed and the usual PG* variables. 1,000,000 rows x 8 columns unless
# BENCH_ROWS says otherwise; one row in 20 is a duplicate, and one value in 10 of the filled column is
# missing. Target: clean <= 2 x by hand. Runs of both sides alternate; the least and the median of 5 are
# printed, and whether both tables hold the same.
set -eu
rows=${BENCH_ROWS:-1000000}
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -v runs="${BENCH_RUNS:-5}" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS mlplat;
DROP SCHEMA IF EXISTS bench_clean CASCADE;
CREATE SCHEMA bench_clean;
SET search_path = bench_clean;
SET jit = off;
SELECT setseed(0.5) \g /dev/null
CREATE TABLE raw AS
SELECT i * 20 / 21 AS id, i AS seen, CASE WHEN random() < 0.9 THEN 1000 * random() END AS age,
       CASE WHEN random() < 0.01 THEN 1e6 ELSE 1 END * random() AS income,
       '  Name ' || (random() * 1000)::int || ' ' AS name, random() AS score, (random() * 100)::int AS visits,
       date '2020-01-01' + (random() * 1000)::int AS day
FROM generate_series(1, :rows) AS i ORDER BY random();
VACUUM ANALYZE raw;

CREATE TABLE work (id int, work text, query text);
INSERT INTO work VALUES
(1, 'by hand, CREATE TABLE AS', $$
CREATE TABLE by_hand AS
WITH first AS MATERIALIZED (SELECT DISTINCT ON (id) * FROM raw ORDER BY id, seen),
     fitted AS (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY age) AS median,
                       percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY income) AS q FROM first),
     bounds AS (SELECT median, q[1] - 1.5 * (q[2] - q[1]) AS lower, q[2] + 1.5 * (q[2] - q[1]) AS upper FROM fitted)
SELECT id, seen, coalesce(age, median) AS age, least(greatest(income, lower), upper) AS income, lower(btrim(name)) AS name, score, visits, day
FROM first, bounds WHERE visits > 10 $$),
(2, 'clean', $$
SELECT count(*) FROM mlplat.clean('TABLE raw', 'cleaned', '[
    {"drop_duplicates": {"key": "id", "order_by": "seen"}}, {"fill": {"columns": "age", "with": "median"}},
    {"normalize": {"columns": "name", "case": "lower"}}, {"clip": "income"}, {"filter": "visits > 10"}]') $$),
(3, 'apply_cleaning, as fitted before', $$
SELECT count(*) FROM mlplat.apply_cleaning('cleaned', 'TABLE raw', 'applied', 'applied') $$);
CREATE TABLE times (id int, ms float8);
CREATE PROCEDURE run(runs int) LANGUAGE plpgsql AS $$
DECLARE w work; start timestamptz;
BEGIN
    FOR i IN 0 .. runs LOOP
        FOR w IN SELECT * FROM work ORDER BY id LOOP
            DROP TABLE IF EXISTS by_hand, cleaned, applied;
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
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) / (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FROM times WHERE id = 1))::numeric, 2) AS ratio
FROM work JOIN times USING (id) GROUP BY id, work ORDER BY id;
DROP TABLE IF EXISTS by_hand, cleaned, applied;
SELECT query FROM work WHERE id < 3 \gexec
SELECT count(*) AS rows, (SELECT count(*) FROM (TABLE by_hand EXCEPT ALL TABLE cleaned) d) AS rows_that_differ FROM cleaned;
SELECT mlplat.drop_cleaning(name) FROM mlplat.cleanings WHERE target LIKE 'bench_clean.%' \g /dev/null
DROP SCHEMA bench_clean CASCADE;
SQL
