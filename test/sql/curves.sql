-- Curves and psi: against brute force in SQL, on the rows of the metrics' golden values.
CREATE TABLE scored AS
SELECT i, (i * 104729::bigint % 1013 + 5 * (i * 7919 % 101)) > 760 AS y, (i * 7919 % 101) / 100.0::float8 AS p, 1 + (i % 7) / 4.0::float8 AS w
FROM generate_series(0, 999) AS i;
\pset null '(null)'

-- Every point of each curve, counted from the rows; all but the one that precision-recall, KS and lift add.
CREATE VIEW steps AS
SELECT t AS threshold, sum(w) FILTER (WHERE y AND p >= t) AS tp, sum(w) FILTER (WHERE NOT y AND p >= t) AS fp,
    sum(w) FILTER (WHERE y) AS positive, sum(w) FILTER (WHERE NOT y) AS negative
FROM (SELECT DISTINCT p AS t FROM scored) s CROSS JOIN scored GROUP BY t;
CREATE FUNCTION near(a float8, b float8) RETURNS boolean LANGUAGE sql AS $$SELECT abs(a - coalesce(b, 0)) < 1e-12$$;

SELECT count(*) AS points, count(*) FILTER (WHERE near(fpr, fp / negative) AND near(tpr, tp / positive)) AS as_counted,
    min(threshold), max(threshold), min(fpr), min(tpr), max(fpr), max(tpr)
FROM unnest((SELECT mlplat.roc_curve(y, p, w) FROM scored)) LEFT JOIN steps USING (threshold);
SELECT count(*) AS points, count(*) FILTER (WHERE near("precision", tp / (tp + coalesce(fp, 0))) AND near(recall, tp / positive)) AS as_counted
FROM unnest((SELECT mlplat.pr_curve(y, p, w) FROM scored)) LEFT JOIN steps USING (threshold);
SELECT count(*) AS points, count(*) FILTER (WHERE near(cdf_negative, 1 - fp / negative) AND near(cdf_positive, 1 - tp / positive)) AS as_counted,
    near(max(cdf_negative - cdf_positive), (SELECT mlplat.ks(y, p, w) FROM scored)) AS ks
FROM unnest((SELECT mlplat.ks_curve(y, p, w) FROM scored)) LEFT JOIN steps USING (threshold);
SELECT count(*) AS points, count(*) FILTER (WHERE near(gain, tp / positive) AND near(lift, gain / nullif(share, 0))) AS as_counted
FROM unnest((SELECT mlplat.lift_curve(y, p, w) FROM scored)) l LEFT JOIN steps ON near(l.share, (tp + coalesce(fp, 0)) / (positive + negative));
SELECT count(*) AS bins, count(*) FILTER (WHERE near(predicted, mean) AND near(observed, rate) AND near(count, rows)) AS as_counted
FROM unnest((SELECT mlplat.calibration_curve(y, p, w) FROM scored)) WITH ORDINALITY AS c(predicted, observed, count, bin)
JOIN (SELECT greatest(ceil(p::numeric * 10), 1) AS bin, sum(w * p) / sum(w) AS mean, sum(w * y::int) / sum(w) AS rate, sum(w) AS rows FROM scored GROUP BY 1) b USING (bin);

-- The area below the points is the metric.
SELECT near(area, mlplat.roc_auc(y, p)) AS roc_auc FROM scored,
    (SELECT sum(width * height) AS area FROM (SELECT fpr - lag(fpr) OVER points AS width, (tpr + lag(tpr) OVER points) / 2 AS height
        FROM unnest((SELECT mlplat.roc_curve(y, p) FROM scored)) WITH ORDINALITY AS c(threshold, fpr, tpr, i) WINDOW points AS (ORDER BY i)) s) a
GROUP BY area;

-- Few points: the ends and the point of the greatest KS distance stay.
SELECT count(*) BETWEEN 5 AND 10 AS few, min(fpr), max(tpr), near(max(abs(tpr - fpr)), (SELECT mlplat.ks(y, p) FROM scored)) AS ks
FROM unnest((SELECT mlplat.roc_curve(y, p, 1, 10) FROM scored));
SELECT cardinality(mlplat.roc_curve(i % 3 = 0, i, 1, 8)) <= 8 AS eight, cardinality(mlplat.pr_curve(i % 3 = 0, i, 1, 100000)) AS all_points,
    cardinality(mlplat.ks_curve(i % 3 = 0, i)) BETWEEN 900 AND 1000 AS by_default
FROM generate_series(1, 20000) AS i;

-- The faces agree; GROUP BY, FILTER, OVER; parts that are merged; several curves over one state.
SELECT mlplat.roc_curve(y, p) = mlplat.roc_curve(y::int, p) AND mlplat.roc_curve(y, p) = mlplat.roc_curve(y::int::float8 * 2 - 1, p)
    AND mlplat.roc_curve(y, p) = mlplat.roc_curve(CASE WHEN y THEN 'a' ELSE 'b' END, p, 'a')
    AND mlplat.roc_curve(y, p) = mlplat.roc_curve(y, p, 2, 1000) AS same
FROM scored;
SELECT i % 2 AS half, cardinality(mlplat.lift_curve(y, p)), cardinality(mlplat.lift_curve(y, p) FILTER (WHERE i < 100)),
    cardinality(mlplat.lift_curve(y, p) FILTER (WHERE false))
FROM scored GROUP BY 1 ORDER BY 1;
SELECT DISTINCT i % 2 AS half, cardinality(mlplat.ks_curve(y, p) OVER (PARTITION BY i % 2)) FROM scored ORDER BY 1;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TEMP TABLE serial AS SELECT mlplat.roc_curve(y, p, w) AS roc, mlplat.psi(y, p) AS psi FROM scored WHERE NOT pg_catalog.pg_is_in_recovery();
ALTER TABLE scored SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT mlplat.roc_curve(y, p, w) FROM scored;
SELECT mlplat.roc_curve(y, p, w) = roc AS same_curve, near(mlplat.psi(y, p), psi) AS same_psi FROM scored, serial GROUP BY roc, psi;
ROLLBACK;

-- What is not defined is NULL; NULLs are skipped; ties.
SELECT mlplat.roc_curve(true, p), mlplat.ks_curve(false, p), mlplat.psi(true, p), mlplat.pr_curve(7, p), mlplat.lift_curve(NULL::boolean, p) FROM scored;
SELECT mlplat.roc_curve(y, p), mlplat.calibration_curve(y, p), mlplat.psi(y, p) FROM scored WHERE false;
SELECT mlplat.roc_curve(y, p) FROM (VALUES (true, 0.5), (false, 0.5), (true, NULL), (NULL, 0.1)) AS v(y, p);
SELECT mlplat.calibration_curve(true, p) FROM (VALUES (0), (0.05), (1)) AS v(p);

-- psi: nothing has changed; all has, beyond a reference of one value; a few values; ten bins of the reference, counted in SQL.
SELECT mlplat.psi(i % 2 = 0, i / 2 % 100) AS same, round(mlplat.psi(i % 2 = 0, i % 2)::numeric, 6) AS apart FROM generate_series(1, 1000) AS i;
WITH rows AS (SELECT i % 2 = 0 AS current, CASE WHEN i % 2 = 0 THEN i * i / 1000.0 ELSE i END::float8 AS value FROM generate_series(1, 1000) AS i),
edges AS (SELECT array_agg(value ORDER BY value) AS edge FROM (SELECT value, row_number() OVER (ORDER BY value DESC) AS n FROM rows WHERE NOT current) r WHERE n IN (50, 100, 150, 200, 250, 300, 350, 400, 450)),
shares AS (SELECT width_bucket(value, edge) AS bin, greatest(count(*) FILTER (WHERE current) / 500.0, 1e-4) AS a, greatest(count(*) FILTER (WHERE NOT current) / 500.0, 1e-4) AS r FROM rows, edges GROUP BY 1)
SELECT near(sum((a - r) * ln(a / r))::float8, (SELECT mlplat.psi(current, value) FROM rows)) AS as_counted FROM shares;
SELECT mlplat.psi(i % 2 = 0, 5) AS constant, mlplat.psi(i % 2 = 0, i / 2 % 2, 0.5) AS weighted FROM generate_series(1, 100) AS i;

-- Bad input.
SELECT mlplat.roc_curve(i, i) FROM generate_series(1, 3) AS i;
SELECT mlplat.roc_curve(i = 1, 'NaN') FROM generate_series(1, 3) AS i;
SELECT mlplat.roc_curve(i = 1, i, 1, 7) FROM generate_series(1, 3) AS i;
SELECT mlplat.roc_curve(i = 1, i, 1, 100001) FROM generate_series(1, 3) AS i;
SELECT mlplat.roc_curve(i = 1, i, -1) FROM generate_series(1, 3) AS i;
SELECT mlplat.calibration_curve(i = 1, i) FROM generate_series(1, 3) AS i;
SELECT mlplat.psi(i = 1, 'Infinity') FROM generate_series(1, 3) AS i;
DROP TABLE scored CASCADE;
DROP FUNCTION near;
