-- linear: least squares and ridge regression, their figures, and what they make of difficult tables.
\set SHOW_CONTEXT never
CREATE SCHEMA linear_test;
SET search_path = linear_test;

-- Longley (NIST, public domain); certified: 15.0618722713733 (84.9149257747669), -3482258.63459582 (890420.383607373), ...
CREATE TABLE longley (y float8, x1 float8, x2 float8, x3 float8, x4 float8, x5 float8, x6 float8);
INSERT INTO longley VALUES
    (60323, 83, 234289, 2356, 1590, 107608, 1947),
    (61122, 88.5, 259426, 2325, 1456, 108632, 1948),
    (60171, 88.2, 258054, 3682, 1616, 109773, 1949),
    (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
    (63221, 96.2, 328975, 2099, 3099, 112075, 1951),
    (63639, 98.1, 346999, 1932, 3594, 113270, 1952),
    (64989, 99, 365385, 1870, 3547, 115094, 1953),
    (63761, 100, 363112, 3578, 3350, 116219, 1954),
    (66019, 101.2, 397469, 2904, 3048, 117388, 1955),
    (67857, 104.6, 419180, 2822, 2857, 118734, 1956),
    (68169, 108.4, 442769, 2936, 2798, 120445, 1957),
    (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
    (68655, 112.6, 482704, 3813, 2552, 123366, 1959),
    (69564, 114.2, 502601, 3931, 2514, 125368, 1960),
    (69331, 115.7, 518173, 4806, 2572, 127852, 1961),
    (70551, 116.9, 554894, 4007, 2827, 130081, 1962);
SELECT rows FROM mlplat.create_model('longley', 'TABLE longley', 'y', 'linear', holdout => 0);
SELECT feature, round(coefficient::numeric, 8) AS coefficient, round(std_error::numeric, 8) AS std_error,
       round(statistic::numeric, 8) AS t, round(p_value::numeric, 10) AS p
FROM mlplat.coefficients('longley') ORDER BY feature COLLATE "C";
SELECT key, round(value::text::numeric, 9) FROM mlplat.model_versions, jsonb_each(summary) WHERE name = 'longley' ORDER BY key;
-- many times over and in parallel workers: the same coefficients
CREATE TABLE longley_often AS SELECT l.* FROM longley l, generate_series(1, 2000);
ALTER TABLE longley_often SET (parallel_workers = 3);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT rows FROM mlplat.create_model('longley_often', 'TABLE longley_often', 'y', 'linear', holdout => 0);
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT count(*), bool_and(abs(a.coefficient / b.coefficient - 1) < 1e-9) AS same
FROM mlplat.coefficients('longley') a JOIN mlplat.coefficients('longley_often') b USING (feature);

-- Wampler5 (NIST): a residual of 10^4 times the signal; every coefficient is 1. Many times over, so that rows are folded.
CREATE TABLE wampler AS SELECT x, x ^ 2 AS x2, x ^ 3 AS x3, x ^ 4 AS x4, x ^ 5 AS x5, y
FROM (VALUES (0, 7590001), (1, -20479994), (2, 20480063), (3, -20479636), (4, 25231365), (5, -20476094), (6, 20489331), (7, -20460392), (8, 18417449), (9, -20413570), (10, 20591111), (11, -20302844), (12, 18651453), (13, -20077766), (14, 21059195), (15, -19666384), (16, 26348481), (17, -18971402), (18, 22480719), (19, -17866340), (20, 10958421)) v (x, y), generate_series(1, 100);
ALTER TABLE wampler ALTER x TYPE float8, ALTER y TYPE float8, ALTER x2 TYPE float8, ALTER x3 TYPE float8, ALTER x4 TYPE float8, ALTER x5 TYPE float8;
SELECT (mlplat.create_model('wampler', 'TABLE wampler', 'y', 'linear', params => '{"precision": "extended"}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 11) AS coefficient FROM mlplat.coefficients('wampler') ORDER BY feature COLLATE "C";

-- without an intercept (NIST NoInt1: 2.07438016528926, 0.0165289256198347)
SELECT (mlplat.create_model('through_zero', 'SELECT 60 + i AS x, 130 + i AS y FROM generate_series(0, 10) i', 'y', 'linear',
    params => '{"intercept": false}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 12) AS coefficient, round(std_error::numeric, 12) AS std_error FROM mlplat.coefficients('through_zero') ORDER BY feature COLLATE "C";

-- ridge: x'y / (x'x + l2) after centring; no standard errors
SELECT (mlplat.create_model('ridge', 'SELECT i AS x, 2 * i AS y FROM generate_series(-5, 5) i', 'y', 'linear', params => '{"l2": 110}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 12) AS coefficient, std_error, p_value FROM mlplat.coefficients('ridge') ORDER BY feature COLLATE "C";

-- constant, doubled and always missing columns, factors, missing levels: aliased coefficients are 0 without an error
CREATE TABLE mixed AS SELECT i % 7 AS a, (i % 7) * 2 AS a_twice, 3 AS constant, NULL::float8 AS never, CASE WHEN i % 5 > 0 THEN (i % 11)::float8 END AS b,
    CASE i % 4 WHEN 0 THEN 'x' WHEN 1 THEN 'y' WHEN 2 THEN 'z' END AS f, (i % 7) + coalesce(i % 5, 0) * 0.5 + (i % 4) AS y FROM generate_series(1, 3000) i;
SELECT (mlplat.create_model('mixed', 'TABLE mixed', 'y', 'linear', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 6) AS coefficient, round(std_error::numeric, 6) AS std_error FROM mlplat.coefficients('mixed') ORDER BY feature COLLATE "C";
-- levels that were never seen and NULL everywhere: a number all the same
SELECT round(mlplat.predict('mixed', '{"a": 1, "a_twice": 2, "constant": 3, "never": null, "b": 4, "f": "new"}'::jsonb)::numeric, 6) AS unseen,
       round(mlplat.predict('mixed', '{"a": null, "a_twice": null, "constant": null, "never": 5, "b": null, "f": null}'::jsonb)::numeric, 6) AS nulls;

-- fewer rows than columns, one row, a constant target
SELECT (mlplat.create_model('few', 'SELECT * FROM longley ORDER BY x6 LIMIT 3', 'y', 'linear', holdout => 0)).rows;
SELECT round(max(abs(mlplat.predict('few', l) - y))::numeric, 6) AS exact FROM (SELECT * FROM longley ORDER BY x6 LIMIT 3) l;
SELECT (mlplat.create_model('one', 'SELECT 1 AS x, 5 AS y', 'y', 'linear', holdout => 0)).rows;
SELECT mlplat.predict('one', '{"x": 7}'::jsonb);
SELECT feature, coefficient, std_error FROM mlplat.coefficients('one') ORDER BY feature COLLATE "C";
SELECT (mlplat.create_model('flat', 'SELECT i AS x, 5 AS y FROM generate_series(1, 50) i', 'y', 'linear', holdout => 0)).rows;
SELECT round(mlplat.predict('flat', '{"x": 7}'::jsonb)::numeric, 9) AS flat;

-- one model a group, each as if it were alone
SELECT count(*), bool_and(abs(mlplat.predict(model, '{"x": 1}'::jsonb) - (10 + 2 * g)) < 1e-9) AS right
FROM (SELECT g, mlplat.train(t, 'y', '{"algorithm": "linear", "exclude": ["g"]}') AS model
      FROM (SELECT g, x::float8, (10 + 2 * g * x)::float8 AS y FROM generate_series(1, 200) g, generate_series(1, 5) x) t GROUP BY g) m;

-- errors
SELECT mlplat.create_model('bad', 'TABLE longley', 'y', 'linear', params => '{"l2": -1}');
SELECT mlplat.create_model('bad', 'TABLE longley', 'y', 'linear', params => '{"precision": "quadruple"}');
SELECT mlplat.create_model('bad', 'TABLE longley', 'y', 'linear', params => '{"intercpt": false}');
SELECT mlplat.create_model('bad', 'TABLE longley', 'y', 'linear', params => '{"max_levels": 0}');
SELECT mlplat.create_model('bad', $$SELECT x1, 'Infinity'::float8 AS wide, y FROM longley$$, 'y', 'linear', holdout => 0);
SELECT mlplat.create_model('bad', $$SELECT x1, 'Infinity'::float8 AS y FROM longley$$, 'y', 'linear', holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT x1, y * 1e300 AS y FROM longley', 'y', 'linear', holdout => 0);

SET client_min_messages = warning;
SELECT mlplat.drop_model(name) FROM mlplat.models ORDER BY name;
DROP SCHEMA linear_test CASCADE;
RESET client_min_messages;

\set algorithm linear
\set task regression
\set options '{}'
\i test/sql/include/bad_input.sql
