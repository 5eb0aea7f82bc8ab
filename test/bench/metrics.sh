#!/usr/bin/env bash
# metrics.sh: metric aggregates over 1,000,000 rows against what plain SQL takes, both in one run.
#
# Needs a running server with mlplat installed and the usual PG* variables. Target: roc_auc <= 0.5 s, and less
# than the sort alone. Prints the least and the median of 7 warm runs, serial, then with 2 parallel workers.
set -eu
rows=${1:-1000000}
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS mlplat;
DROP SCHEMA IF EXISTS bench_metrics CASCADE;
CREATE SCHEMA bench_metrics;
SET search_path = bench_metrics, mlplat, public;
SELECT setseed(0.5) \g /dev/null
CREATE UNLOGGED TABLE scored AS
SELECT u < p AS late, p, (u < p)::int AS label, 'class ' || floor(5 * u) AS actual, 'class ' || floor(5 * p) AS predicted, 100 * u AS y, 100 * p AS y_hat
FROM (SELECT random() AS u, random() AS p FROM generate_series(1, :rows)) r;
VACUUM ANALYZE scored;

CREATE FUNCTION timed(query text) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE ms float8[]; start timestamptz;
BEGIN
    FOR i IN 0 .. 7 LOOP
        start := clock_timestamp();
        EXECUTE query;
        IF i > 0 THEN ms := ms || extract(epoch FROM clock_timestamp() - start)::float8 * 1000; END IF;
    END LOOP;
    RETURN ms;
END $$;

CREATE TABLE work (id int, work text, query text);
INSERT INTO work VALUES
(1, 'count: reading alone', 'SELECT count(p) FROM scored'),
(2, 'roc_auc', 'SELECT roc_auc(late, p) FROM scored'),
(3, 'the sort in SQL alone', 'SELECT count(p) FROM (SELECT p FROM scored ORDER BY p OFFSET 0) s'),
(4, 'roc_auc in SQL by ranks', 'SELECT (sum(r) FILTER (WHERE late) - 0.5 * count(*) FILTER (WHERE late) * (count(*) FILTER (WHERE late) + 1))
    / (count(*) FILTER (WHERE late)::float8 * count(*) FILTER (WHERE NOT late))
    FROM (SELECT late, (rank() OVER w + (count(*) OVER w)) / 2.0 AS r FROM scored WINDOW w AS (ORDER BY p)) s'),
(5, 'log_loss and brier', 'SELECT log_loss(late, p), brier(late, p) FROM scored'),
(6, 'log loss in SQL', 'SELECT -avg(ln(CASE WHEN late THEN p ELSE 1 - p END)) FROM scored'),
(7, 'accuracy, f1, mcc of 5 text classes', 'SELECT accuracy(actual, predicted), f1(actual, predicted, ''macro''), mcc(actual, predicted) FROM scored'),
(8, 'accuracy in SQL', 'SELECT avg((actual = predicted)::int) FROM scored'),
(9, 'rmse, mae, r2', 'SELECT rmse(y, y_hat), mae(y, y_hat), r2(y, y_hat) FROM scored'),
(10, 'regr_r2 of PostgreSQL', 'SELECT regr_r2(y, y_hat) FROM scored');

SET work_mem = '256MB';
SET jit = off;
SET max_parallel_workers_per_gather = 0;
\echo 'serial, ms'
SELECT work, round((SELECT min(m) FROM unnest(ms) m)::numeric, 1) AS least,
       round((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY m) FROM unnest(ms) m)::numeric, 1) AS median
FROM (SELECT id, work, timed(query) AS ms FROM work ORDER BY id) t ORDER BY id;
SET max_parallel_workers_per_gather = 2;
\echo '2 parallel workers, ms'
SELECT work, round((SELECT min(m) FROM unnest(ms) m)::numeric, 1) AS least,
       round((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY m) FROM unnest(ms) m)::numeric, 1) AS median
FROM (SELECT id, work, timed(query) AS ms FROM work WHERE id IN (1, 2, 5, 7, 9) ORDER BY id) t ORDER BY id;
DROP SCHEMA bench_metrics CASCADE;
SQL
