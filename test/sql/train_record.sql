-- train over records: GROUP BY, FILTER, ORDER BY, OVER, parallel workers, NULLs, weights.
\set SHOW_CONTEXT never
CREATE SCHEMA trained;
SET search_path = trained;
CREATE FUNCTION coef(image bytea) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(feature || ' ' || round(coefficient::numeric, 4), ', ' ORDER BY feature) FROM mlplat.coefficients(image) $$;
CREATE TABLE point (id int, grp text, x float8, z int, y float8, w float8, label text, flag boolean);
INSERT INTO point SELECT i, chr(97 + i % 3), i % 17, i % 5, 3 + (1 + i % 3) * (i % 17) - 2 * (i % 5), 1 + i % 4,
    (ARRAY['no','maybe','yes'])[1 + (i % 17 + i % 5) / 8], i % 17 > 8 FROM generate_series(1, 3000) i;

SELECT coef(mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": ["id", "grp", "w", "label", "flag"]}')) FROM point p WHERE grp = 'a';
SELECT grp, coef(mlplat.train(p, 'y', '{"algorithm": "linear"}')) FROM (SELECT grp AS g, x, z, y FROM point) p(grp, x, z, y) GROUP BY grp ORDER BY grp;
-- the row of a sub-select, of a table, of a view, of a function, without names
CREATE VIEW narrow AS SELECT x, z, y FROM point WHERE grp = 'b';
SELECT coef(mlplat.train(n, 'y', '{"algorithm": "linear"}')) FROM narrow n;
SELECT coef(mlplat.train(s, 'y', '{"algorithm": "linear"}')) FROM (SELECT * FROM narrow) s;
CREATE FUNCTION points() RETURNS TABLE (x float8, y float8) LANGUAGE sql AS $$ SELECT x, 2 * x FROM point $$;
SELECT coef(mlplat.train(f, 'y', '{"algorithm": "linear"}')) FROM points() f;
SELECT coef(mlplat.train(ROW(x, z, y), 'f3', '{"algorithm": "linear"}')) FROM narrow;
SELECT coef(mlplat.train(r, 'z', '{"algorithm": "linear"}')) FROM (VALUES (1, 2), (2, 4), (3, 6)) r(x, z);
-- FILTER, DISTINCT, ORDER BY, several at once
SELECT coef(mlplat.train(s, 'y', '{"algorithm": "linear"}') FILTER (WHERE x < 9)) AS filtered,
       coef(mlplat.train(DISTINCT s, 'y', '{"algorithm": "linear"}')) AS distinct,
       coef(mlplat.train(s, 'y', '{"algorithm": "linear"}' ORDER BY x DESC, z)) AS ordered, count(*)
FROM (SELECT x, z, y FROM point WHERE grp = 'c') s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FILTER (WHERE false) IS NULL AS no_rows FROM narrow s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') IS NULL AS no_rows FROM narrow s WHERE false;
SELECT grp, mlplat.train(s, 'y', '{"algorithm": "linear"}') IS NULL AS nothing FROM (SELECT grp, x, y FROM point) s WHERE false GROUP BY grp;
-- a growing window: the model of the rows so far
SELECT x, (SELECT round(coefficient::numeric, 4) FROM mlplat.coefficients(image) WHERE feature = 'x') AS slope
FROM (SELECT s.x, mlplat.train(s, 'y', '{"algorithm": "linear"}') OVER (ORDER BY s.x) AS image
      FROM (SELECT x::float8, CASE WHEN x < 4 THEN x ELSE 3 * x END::float8 AS y FROM generate_series(1, 6) x) s) w ORDER BY x;
SELECT x, (SELECT round(coefficient::numeric, 4) FROM mlplat.coefficients(image) WHERE feature = 'x') AS slope
FROM (SELECT s.x, mlplat.train(s, 'y', '{"algorithm": "linear"}') OVER (ORDER BY s.x ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS image
      FROM (SELECT x::float8, CASE WHEN x < 4 THEN x ELSE 3 * x END::float8 AS y FROM generate_series(1, 6) x) s) w ORDER BY x;
-- so too of collected rows
SELECT id, round(mlplat.predict(image, ROW(x))::numeric, 4) AS mean FROM
(SELECT id, x, mlplat.train(s, 'y', '{"algorithm": "gbdt", "n_trees": 1, "exclude": ["id"]}') OVER (ORDER BY s.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING) AS image
 FROM (SELECT id, x, x * x AS y FROM point WHERE id <= 7) s) w ORDER BY id;
-- GROUPING SETS
SELECT grp, coef(mlplat.train(s, 'y', '{"algorithm": "linear", "exclude": ["grp"]}')) FROM (SELECT grp, x, y FROM point) s GROUP BY GROUPING SETS ((grp), ()) ORDER BY grp;

-- NULL rows are no rows; a NULL target is left out and counted; NULL features are values
SELECT coef(mlplat.train(s, 'y', '{"algorithm": "linear"}')) FROM (SELECT n FROM narrow n UNION ALL SELECT NULL) u(s);
SELECT (mlplat.model_info(mlplat.train(s, 'y', '{"algorithm": "linear"}')) - '{params,summary,curves,metrics,log,importance,score}'::text[]) AS info
FROM (SELECT x, CASE WHEN id % 10 > 0 THEN y END AS y FROM point) s;
SELECT coef(mlplat.train(s, 'y', '{"algorithm": "linear"}')) FROM (SELECT CASE WHEN id % 10 > 0 THEN x END AS x, 2 * x AS y FROM point) s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FROM (SELECT x, NULL::float8 AS y FROM point) s;
-- weights: a weight of two is two rows, a weight of zero none
SELECT coef(mlplat.train(s, 'y', '{"algorithm": "linear", "weight": "w"}')) = coef(mlplat.train(s, 'y', '{"algorithm": "linear", "exclude": ["w"]}')) AS equal_weights
FROM (SELECT x, y, 2.5 AS w FROM point) s;
SELECT (SELECT coef(mlplat.train(s, 'y', '{"algorithm": "linear", "weight": "w"}')) FROM (SELECT x, y, w FROM point) s)
     = (SELECT coef(mlplat.train(s, 'y', '{"algorithm": "linear"}')) FROM (SELECT x, y FROM point, generate_series(1, w::int)) s) AS repeated;
SELECT (mlplat.model_info(image) ->> 'rows')::int AS rows, (mlplat.model_info(image) ->> 'dropped')::int AS dropped
FROM (SELECT mlplat.train(s, 'y', '{"algorithm": "linear", "weight": "w"}') FROM (SELECT x, y, id % 2 AS w FROM point) s) t(image);
SELECT mlplat.train(s, 'y', '{"algorithm": "linear", "weight": "w"}') FROM (SELECT x, y, CASE WHEN id <> 7 THEN w END AS w FROM point ORDER BY id) s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear", "weight": "w"}') FROM (SELECT x, y, CASE WHEN id = 7 THEN -1 ELSE w END AS w FROM point ORDER BY id) s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear", "weight": "w"}') FROM (SELECT x, y, CASE WHEN id = 7 THEN 'Infinity' ELSE w END AS w FROM point ORDER BY id) s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear", "weight": "w"}') FROM (SELECT x, y, 0 AS w FROM point) s;

-- parallel workers: the same within rounding
ALTER TABLE point SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": ["id", "grp", "label", "flag"]}') AS linear,
    mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": ["id", "w"]}') AS levels,
    mlplat.train(p, 'label', '{"algorithm": "gbdt", "n_trees": 3, "exclude": ["id", "w"]}') AS boosted FROM point p;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT mlplat.train(p, 'y', '{"algorithm": "linear"}') FROM point p;
CREATE TABLE parallel AS SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": ["id", "grp", "label", "flag"]}') AS linear,
    mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": ["id", "w"]}') AS levels,
    mlplat.train(p, 'label', '{"algorithm": "gbdt", "n_trees": 3, "exclude": ["id", "w"]}') AS boosted FROM point p;
SET max_parallel_workers_per_gather = 0;
SELECT coef(s.linear) = coef(p.linear) AS linear, mlplat.model_info(s.boosted) ->> 'rows' AS rows, mlplat.model_info(p.boosted) ->> 'rows' AS parallel_rows,
       mlplat.model_info(s.boosted) -> 'classes' = mlplat.model_info(p.boosted) -> 'classes' AS classes FROM serial s, parallel p;
SELECT max(abs(mlplat.predict(s.levels, t) - mlplat.predict(p.levels, t))) < 1e-9 AS levels,
       count(*) FILTER (WHERE mlplat.predict_class(s.boosted, t) = label) > 2900 AS serial, count(*) FILTER (WHERE mlplat.predict_class(p.boosted, t) = label) > 2900 AS parallel
FROM serial s, parallel p, point t;
SET max_parallel_workers_per_gather = 2;
SELECT grp, coef(mlplat.train(p, 'y', '{"algorithm": "linear"}')) FROM (SELECT grp AS g, x, z, y FROM point) p(grp, x, z, y) GROUP BY grp ORDER BY grp;
-- the owner's query through create_model, too
SELECT rows FROM mlplat.create_model('parallel', 'SELECT x, z, y, w FROM point', 'y', 'linear', weight => 'w', holdout => 0);
RESET ALL;
SET search_path = trained;
SELECT coef(image) = (SELECT coef(mlplat.train(p, 'y', '{"algorithm": "linear", "weight": "w"}')) FROM (SELECT x, z, y, w FROM point) p) AS same
FROM mlplat.version;
-- predictions in workers, by name
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT sum(mlplat.predict('parallel', p)) FROM point p;
SELECT round(sum(w * mlplat.predict('parallel', p))::numeric, 2) = (SELECT round(sum(w * y)::numeric, 2) FROM point) AS sum FROM point p;
SET force_parallel_mode = on;
SELECT round(mlplat.predict('parallel', ROW(1, 2))::numeric, 2) IS NOT NULL AS forced;
RESET ALL;
SET search_path = trained;

-- what is wrong with the call
SELECT mlplat.train(p, NULL, '{"algorithm": "linear"}') FROM narrow p;
SELECT mlplat.train(p, 'why', '{"algorithm": "linear"}') FROM narrow p;
SELECT mlplat.train(p, 'Y', '{"algorithm": "linear"}') FROM narrow p;
SELECT mlplat.train(p, '', '{"algorithm": "linear"}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": "x"}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": [1]}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": ["x", "z"]}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "exclude": ["xx"]}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "exlude": ["x"]}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "weigth": "z"}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "weight": 3}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": 7}') FROM narrow p;
SELECT mlplat.train(p, 'y', '["linear"]') FROM narrow p;
SELECT mlplat.train(p, 'y', '"linear"') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "seed": -1}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "seed": 1.5}') FROM narrow p;
SELECT mlplat.train(p, 'y', '{"algorithm": "linear", "prep": {"x": {"as": "number"}}}') FROM narrow p;
SELECT mlplat.train(u.r, 'f1', '{"algorithm": "linear"}') FROM (SELECT ROW(1, 2) AS r UNION ALL SELECT ROW(1, 'text'::text)) u;
-- NULL options are none, a NULL algorithm is the default one
SELECT mlplat.model_info(mlplat.train(p, 'y', NULL)) ->> 'algorithm' AS algorithm FROM narrow p;
SELECT mlplat.model_info(mlplat.train(p, 'y', '{"algorithm": null}')) ->> 'algorithm' AS algorithm FROM narrow p;
-- inheritance, partitions and dropped columns
CREATE TABLE parent (gone int, x float8, y float8) PARTITION BY RANGE (x);
CREATE TABLE child1 PARTITION OF parent FOR VALUES FROM (0) TO (10);
CREATE TABLE child2 (y float8, other text, x float8, gone int);
ALTER TABLE child2 DROP COLUMN other;
ALTER TABLE parent ATTACH PARTITION child2 FOR VALUES FROM (10) TO (20);
INSERT INTO parent SELECT 1, x, 5 * x FROM generate_series(1, 19) x;
ALTER TABLE parent DROP COLUMN gone;
SELECT coef(mlplat.train(p, 'y', '{"algorithm": "linear"}')) FROM parent p;
SELECT coef(mlplat.train(c, 'y', '{"algorithm": "linear"}')) FROM child2 c;

SELECT mlplat.drop_model('parallel');
DELETE FROM mlplat.run;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA trained CASCADE;
