-- train over a label and an array of features, and the state that travels: train_state, merge, finish.
\set SHOW_CONTEXT never
CREATE SCHEMA arrays;
SET search_path = arrays;
CREATE FUNCTION coef(image bytea) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(feature || ' ' || round(coefficient::numeric, 4), ', ' ORDER BY feature) FROM mlplat.coefficients(image) $$;
CREATE TABLE point AS SELECT i AS id, i % 4 AS part, i % 3 + 1 + 4 * (i % 17)::float8 - 2.5 * (i % 5) AS y, ARRAY[i % 17, i % 5]::float8[] AS x, (i % 17 > 8)::int AS class
FROM generate_series(1, 2000) i;

SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point WHERE id % 3 = 0;
SELECT id % 3 AS g, coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point GROUP BY 1 ORDER BY 1;
SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}') FILTER (WHERE id % 3 = 1)) AS filtered, coef(mlplat.train(y, x, '{"algorithm": "linear"}' ORDER BY id DESC)) AS ordered FROM point;
-- other types are cast
SELECT coef(mlplat.train(y::int, ARRAY[x[1]::int], '{"algorithm": "linear"}')) AS int, coef(mlplat.train(y::numeric, ARRAY[x[1]::numeric], '{"algorithm": "linear"}')) AS numeric,
       coef(mlplat.train(y::real, ARRAY[x[1]::real], '{"algorithm": "linear"}')) AS real FROM point WHERE id % 3 = 0 AND x[2] = 0;
-- two integers as labels are classes, where the algorithm knows them
SELECT mlplat.model_info(mlplat.train(class, x, '{"algorithm": "gbdt", "n_trees": 2}')) ->> 'task' AS task FROM point;
SELECT mlplat.predict(mlplat.train(class, x, '{"algorithm": "gbdt", "n_trees": 20}'), '{16,2}'::float8[]) > 0.5 AS high,
       mlplat.predict_class(mlplat.train(class, x, '{"algorithm": "gbdt", "n_trees": 20}'), '{1,2}'::float8[]) AS low FROM point;
-- NULL labels and NULL arrays are no rows, a NULL element is a value
SELECT mlplat.model_info(mlplat.train(CASE WHEN id % 10 <> 0 THEN y END, CASE WHEN id % 10 <> 1 THEN x END, '{"algorithm": "linear"}')) ->> 'rows' AS rows FROM point;
SELECT coef(mlplat.train(y, ARRAY[x[1], CASE WHEN id % 10 <> 1 THEN x[2] END], '{"algorithm": "linear"}')) FROM point WHERE id % 3 = 0;
SELECT mlplat.train(NULL, x, '{"algorithm": "linear"}') IS NULL AS no_rows FROM point;
SELECT mlplat.train('NaN', x, '{"algorithm": "linear"}') FROM point;
-- a window
SELECT id, round(coefficient::numeric, 4) AS slope FROM (SELECT id, mlplat.train(id * id, ARRAY[id], '{"algorithm": "linear"}') OVER (ORDER BY id) AS image FROM point WHERE id <= 5) w,
    mlplat.coefficients(image) WHERE feature = 'f1' ORDER BY id;

-- the state: from parts, in any order, through text, through a table, is what all at once is
CREATE TABLE parts AS SELECT part, mlplat.train_state(y, x, '{"algorithm": "linear"}') AS state FROM point GROUP BY part;
SELECT coef(mlplat.finish(mlplat.merge(state))) = (SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point) AS merged,
       coef(mlplat.finish(mlplat.merge(state ORDER BY part DESC))) = (SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point) AS reversed,
       coef(mlplat.finish(mlplat.merge(state::text::mlplat.state))) = (SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point) AS text FROM parts;
SELECT part, (mlplat.model_info(mlplat.finish(state)) ->> 'rows')::int AS rows, coef(mlplat.finish(state)) = (SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point p WHERE p.part = parts.part) AS same FROM parts ORDER BY part;
SELECT mlplat.finish(mlplat.merge(state)) = mlplat.finish(mlplat.merge(state)) AS finish_changes_nothing FROM parts;
-- yesterday's state and today's rows
SELECT coef(mlplat.finish(mlplat.state_combine((SELECT mlplat.merge(state) FROM parts WHERE part < 3), (SELECT mlplat.train_state(y, x, '{"algorithm": "linear"}') FROM point WHERE part = 3))))
     = (SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point) AS incremental;
-- double-double sums merge without any rounding: the same bytes
SELECT mlplat.finish(mlplat.merge(s)) = (SELECT mlplat.train(y, x, '{"algorithm": "linear", "precision": "extended"}') FROM point) AS bytes
FROM (SELECT mlplat.train_state(y, x, '{"algorithm": "linear", "precision": "extended"}') AS s FROM point GROUP BY part ORDER BY part) p;
-- collected rows travel too
SELECT mlplat.model_info(mlplat.finish(mlplat.merge(s))) ->> 'rows' AS rows, mlplat.predict(mlplat.finish(mlplat.merge(s)), '{16,2}'::float8[]) > 0.5 AS high
FROM (SELECT mlplat.train_state(class, x, '{"algorithm": "gbdt", "n_trees": 20}') AS s FROM point GROUP BY part) p;
SELECT mlplat.finish(mlplat.train_state(class, x, '{"algorithm": "gbdt", "n_trees": 20}')) = mlplat.train(class, x, '{"algorithm": "gbdt", "n_trees": 20}') AS same_bytes FROM point;
SELECT mlplat.finish(mlplat.train_state(class, x, '{"algorithm": "gbdt", "n_trees": 20}' ORDER BY id)::text::mlplat.state) = mlplat.train(class, x, '{"algorithm": "gbdt", "n_trees": 20}' ORDER BY id) AS same_bytes FROM point;

-- workers
ALTER TABLE point SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TABLE parallel AS SELECT mlplat.train(y, x, '{"algorithm": "linear"}') AS image, mlplat.train_state(y, x, '{"algorithm": "linear"}') AS state, mlplat.train(class, x, '{"algorithm": "gbdt", "n_trees": 20}') AS boosted FROM point;
EXPLAIN (COSTS OFF) SELECT mlplat.train(y, x, '{"algorithm": "linear"}') FROM point;
SET max_parallel_workers_per_gather = 0;
SELECT coef(image) = coef(mlplat.finish(state)) AS state, coef(image) = (SELECT coef(mlplat.train(y, x, '{"algorithm": "linear"}')) FROM point) AS serial,
       mlplat.predict(boosted, '{16,2}'::float8[]) > 0.5 AS high FROM parallel;
RESET ALL;
SET search_path = arrays;

-- errors
SELECT mlplat.train(y, '{}'::float8[], '{"algorithm": "linear"}') FROM point;
SELECT mlplat.train(y, CASE WHEN id = 9 THEN ARRAY[1::float8] ELSE x END, '{"algorithm": "linear"}' ORDER BY id) FROM point;
SELECT mlplat.train(CASE WHEN id = 9 THEN 'infinity' ELSE y END, x, '{"algorithm": "linear"}' ORDER BY id) FROM point;
SELECT mlplat.train(y, ARRAY[x[1], CASE WHEN id = 9 THEN 'infinity' ELSE x[2] END], '{"algorithm": "linear"}' ORDER BY id) FROM point;
SELECT mlplat.train(y, x, '{"algorithm": "linear", "weight": "w"}') FROM point;
SELECT mlplat.train(y, x, '{"algorithm": "linear", "exclude": ["f1"]}') FROM point;
SELECT mlplat.train(y, x, '{"algorithm": "linear", "prep": {"f1": {"as": "categorical"}}}') FROM point;
SELECT mlplat.train(y, x, '{"algorithm": "linaer"}') FROM point;
SELECT mlplat.train(y, array_fill(1::float8, ARRAY[70000]), '{"algorithm": "linear"}') FROM point WHERE id = 1;
SELECT mlplat.merge(s) FROM (SELECT mlplat.train_state(y, x, '{"algorithm": "linear"}') AS s FROM point UNION ALL SELECT mlplat.train_state(y, x, '{"algorithm": "linear", "l2": 1}') FROM point) u;
SELECT mlplat.merge(s) FROM (SELECT mlplat.train_state(y, x, '{"algorithm": "linear"}') AS s FROM point UNION ALL SELECT mlplat.train_state(y, x[1:1], '{"algorithm": "linear"}') FROM point) u;
SELECT mlplat.merge(s) FROM (SELECT mlplat.train_state(class, x, '{"algorithm": "gbdt"}') AS s FROM point UNION ALL SELECT mlplat.train_state(y, x, '{"algorithm": "linear"}') FROM point) u;
SELECT mlplat.finish(NULL) IS NULL AS strict, mlplat.finish(mlplat.train_state(y, x, '{"algorithm": "linear"}')) IS NULL AS no_rows FROM point WHERE false;
SELECT mlplat.finish(s) FROM (SELECT mlplat.train_state('NaN', x, '{"algorithm": "linear"}') FROM point) t(s);
SELECT mlplat.train_array_transfn(NULL, 1, '{1}', '{"algorithm": "linear"}');
SELECT mlplat.train_array_transfn(state, 1, '{1}', '{"algorithm": "linear"}') FROM parts LIMIT 1;
SELECT mlplat.train_finalfn(state) FROM parts LIMIT 1;
-- a state of another kind
CREATE AGGREGATE regression_state(float8, float8) (SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, COMBINEFUNC = mlplat.state_combine);
SELECT mlplat.finish(regression_state(y, x[1])) FROM point;

-- train_columns: what create_model writes
SELECT coef(mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', 'y', 'b'], x[1], y, x[2])) FROM point WHERE id % 3 = 0;
SELECT coef(mlplat.train_columns('{"algorithm": "linear", "exclude": ["b"], "weight": "w"}', 'y', ARRAY['a', 'y', 'b', 'w'], x[1], y, now(), 2)) FROM point WHERE id % 3 = 0 AND x[2] = 0;
SELECT mlplat.model_info(mlplat.train_columns('{"algorithm": "gbdt", "n_trees": 2}', 'y', ARRAY['a', 'y', 'b'], x[1], 'class ' || class, x[2])) -> 'classes' AS classes FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', 'y'], x[1], y, x[2]) FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', NULL], x[1], y) FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', NULL, x[1], y) FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', NULL, ARRAY['a', 'y'], x[1], y) FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['y', 'y'], x[1], y) FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', 'y'], VARIADIC x) FROM point;
SELECT coef(mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', 'y'], x, y)) FROM point WHERE id % 3 = 0;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', 'y'], NULL::float8[], y) FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', 'y'], 'literal', y) FROM point;
SELECT mlplat.train_columns('{"algorithm": "linear"}', 'y', ARRAY['a', 'y'], x[1], y) IS NULL AS no_rows FROM point WHERE false;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA arrays CASCADE;
