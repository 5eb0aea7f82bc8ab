-- transform: every face, plans, NULLs, by name and by image, and what it refuses
CREATE SCHEMA transform;
SET search_path = transform, public;
CREATE TABLE rows AS SELECT i AS id, sin(i) AS a, cos(2 * i) AS b, sin(i) + 0.1 * cos(i) AS c FROM generate_series(1, 500) i;
CREATE VIEW seen AS SELECT a, b, c, id FROM rows;
SELECT count(*) FROM mlplat.create_model('axes', 'SELECT a, b, c FROM rows ORDER BY id', algorithm => 'pca', params => '{"n_components": 2}');
SELECT mlplat.train(r, NULL, '{"algorithm": "pca", "n_components": 2}' ORDER BY r.a) AS image FROM (SELECT a, b, c FROM rows) r \gset
SELECT mlplat.train(r, 'c', '{"algorithm": "linear", "exclude": ["id"]}') AS line FROM rows r \gset

-- rows, jsonb, arrays; by name and by image
SELECT bool_and(t = mlplat.transform('axes', to_jsonb(r)) AND t = mlplat.transform('axes', ARRAY[a, b, c]) AND t = mlplat.transform('axes@1', r) AND array_length(t, 1) = 2) AS same
FROM rows r, mlplat.transform('axes', r) t;
SELECT max(abs(x - y)) < 1e-12 AS same FROM rows r, unnest(mlplat.transform('axes', r), mlplat.transform(:'image'::bytea, r)) u(x, y);
-- the planner passes columns
EXPLAIN (VERBOSE, COSTS OFF) SELECT mlplat.transform('axes', r) FROM rows r;
EXPLAIN (VERBOSE, COSTS OFF) SELECT mlplat.transform('axes', s) FROM seen s;
-- NULL rows and models give NULL; missing values the mean
SELECT mlplat.transform('axes', NULL::rows) IS NULL AS row, mlplat.transform(NULL::text, r) IS NULL AS model FROM rows r LIMIT 1;
SELECT round(t[1]::numeric, 9) + 0 AS first, round(t[2]::numeric, 9) + 0 AS second FROM mlplat.transform('axes', ROW(NULL, NULL, NULL)::record) t;
SELECT mlplat.transform('axes', ARRAY[NULL, 'NaN', NULL]::float8[]) = mlplat.transform('axes', ROW(NULL::float8, NULL::float8, NULL::float8)) AS same;
-- features for another model: train on the components
SELECT mlplat.r2(id, mlplat.predict(image, ARRAY[t[1], t[2]])) IS NOT NULL AS works
FROM (SELECT id, mlplat.transform('axes', r) AS t FROM rows r) s,
     (SELECT mlplat.train(id, mlplat.transform('axes', r), '{"algorithm": "linear"}') AS image FROM rows r) m;
-- in a generated column, by image
CREATE TABLE kept (a float8, b float8, c float8);
SELECT format('ALTER TABLE kept ADD COLUMN t float8[] GENERATED ALWAYS AS (mlplat.transform(%L::bytea, ROW(a, b, c))) STORED', :'image') AS ddl \gset
:ddl;
INSERT INTO kept SELECT a, b, c FROM rows WHERE id <= 3;
SELECT count(*), bool_and(array_length(t, 1) = 2) FROM kept;

SELECT mlplat.transform(:'line'::bytea, r) FROM rows r LIMIT 1;
SELECT mlplat.transform('nobody', r) FROM rows r LIMIT 1;
SELECT mlplat.transform('axes', ARRAY[1, 2]::float8[]);
SELECT mlplat.transform('axes', '{"a": 1, "b": 2}'::jsonb);
SELECT mlplat.transform('\x00'::bytea, r) FROM rows r LIMIT 1;
SELECT count(*) FROM (SELECT mlplat.drop_model('axes')) s;
DROP SCHEMA transform CASCADE;
