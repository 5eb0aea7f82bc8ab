-- predict_batch: the predictions for all rows of a query, the same as predict gives for each.
\set SHOW_CONTEXT never
CREATE SCHEMA batch;
SET search_path = batch;
CREATE SEQUENCE q;
CREATE TABLE sale (id int, "the Key" text, price float8, kind text, day date, y float8, late boolean, grade text);
INSERT INTO sale SELECT i, 'no ' || i, 10 + i % 23, (ARRAY['red','green','blue'])[1 + i % 3], date '2024-01-31' + i % 400, i % 23 * 2 + (i % 3) * 5, i % 23 + (i % 3) * 5 > 14,
    (ARRAY['good','fair','poor'])[1 + ((i % 23) / 5 + i % 3) % 3] FROM generate_series(1, 300) i;
UPDATE sale SET price = NULL, kind = NULL, "the Key" = NULL WHERE id = 7;
SELECT rows FROM mlplat.create_model('value', 'SELECT price, kind, day, y FROM sale', 'y', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('binary', 'SELECT price, kind, day, late FROM sale', 'late', 'gbdt', '{"n_trees": 5, "min_leaf_rows": 5}', holdout => 0);
SELECT rows FROM mlplat.create_model('several', 'SELECT price, kind, day, grade FROM sale', 'grade', 'gbdt', '{"n_trees": 5, "min_leaf_rows": 5}', holdout => 0);
SELECT rows FROM mlplat.create_model('cluster', 'SELECT price FROM sale', algorithm => 'kmeans', params => '{"n_clusters": 3}');
SELECT rows FROM mlplat.create_model('odd', 'SELECT price FROM sale', algorithm => 'isolation_forest', params => '{"n_trees": 10}');
SELECT rows FROM mlplat.create_model('prepared', 'SELECT price, kind, day, y FROM sale', 'y', 'linear', prep => '{"price": {"impute": "mean", "scale": "standard"}}', holdout => 0);

-- the same as row by row, by name and by image
CREATE VIEW image AS SELECT name, image FROM mlplat.version JOIN mlplat.registry USING (model_id);
SELECT m.name, count(*) AS rows, count(*) FILTER (WHERE b.row_number = s.id) AS numbered, count(*) FILTER (WHERE b.row_key IS NOT DISTINCT FROM s."the Key") AS keyed,
       count(*) FILTER (WHERE b.prediction = mlplat.predict(m.name, s)) AS predictions,
       count(b.class) AS classes, count(b.probabilities) AS probabilities, count(*) FILTER (WHERE b = i) AS by_image
FROM image m, LATERAL mlplat.predict_batch(m.name, 'SELECT * FROM batch.sale ORDER BY id', 'the Key') b JOIN sale s ON s.id = b.row_number
    JOIN LATERAL mlplat.predict_batch(m.image, 'SELECT * FROM batch.sale ORDER BY id', key => 'the Key') i USING (row_number)
GROUP BY m.name ORDER BY m.name;
SELECT b.class = mlplat.predict_class('several', s) AND b.probabilities = mlplat.predict_probs('several', s) AS same, count(*)
FROM mlplat.predict_batch('several', 'TABLE sale', 'id') b JOIN sale s ON s.id = b.row_key::int GROUP BY 1;
SELECT b.class = mlplat.predict_class('cluster', s) AS same, count(*) FROM mlplat.predict_batch('cluster', 'TABLE sale', 'id') b JOIN sale s ON s.id = b.row_key::int GROUP BY 1;
SELECT row_number, row_key, round(prediction::numeric, 3) AS prediction, class, probabilities FROM mlplat.predict_batch('value@1', 'SELECT * FROM sale ORDER BY id LIMIT 2');
-- extra columns and their order do not matter; in other places than FROM; a query with a semicolon
SELECT count(*) AS rows FROM mlplat.predict_batch('value', 'SELECT late, day, kind, price FROM sale;');
SELECT count(b) AS rows FROM (SELECT mlplat.predict_batch('value', 'TABLE sale') AS b) s;

-- nothing, and NULL
SELECT * FROM mlplat.predict_batch('value', 'SELECT * FROM sale WHERE false');
SELECT * FROM mlplat.predict_batch(NULL::text, 'SELECT * FROM sale ORDER BY id LIMIT 2', 'id');
SELECT * FROM mlplat.predict_batch(NULL::bytea, 'SELECT 1');
SELECT * FROM mlplat.predict_batch('value', NULL);
SELECT row_key, prediction IS NOT NULL AS predicted FROM mlplat.predict_batch('value', 'SELECT * FROM sale WHERE id = 7', 'the Key');

-- a row that does not fit, no such key, model, query; what only transforms
SELECT * FROM mlplat.predict_batch('value', 'SELECT price, day FROM sale');
SELECT * FROM mlplat.predict_batch('value', 'SELECT price, day AS kind, kind AS day FROM sale');
SELECT * FROM mlplat.predict_batch('value', 'TABLE sale', 'the key');
SELECT * FROM mlplat.predict_batch('nobody', 'TABLE sale');
SELECT * FROM mlplat.predict_batch('value@9', 'TABLE sale');
SELECT * FROM mlplat.predict_batch('\x4d4c'::bytea, 'TABLE sale');
SELECT * FROM mlplat.predict_batch('value', 'sale');
SELECT * FROM mlplat.predict_batch('value', 'TABLE sale; TABLE sale');
SELECT * FROM mlplat.predict_batch('value', 'DELETE FROM sale RETURNING *');
SELECT * FROM mlplat.predict_batch('value', 'SELECT s.*, setval(''q'', 1) FROM sale s');
SELECT * FROM mlplat.predict_batch('value', 'SELECT *, 1 / (id - 5) FROM sale');
SELECT rows FROM mlplat.create_model('axes', 'SELECT price, y FROM sale', algorithm => 'pca');
SELECT * FROM mlplat.predict_batch('axes', 'TABLE sale');
-- a query that predicts, a model that is promoted and dropped between two calls of one prepared statement
SELECT count(*) AS rows FROM mlplat.predict_batch('value', 'SELECT kind, day, b.prediction AS price FROM sale JOIN mlplat.predict_batch(''value'', ''TABLE batch.sale'', ''id'') b ON b.row_key::int = id');
PREPARE batch AS SELECT round(sum(prediction)::numeric, 3) AS total FROM mlplat.predict_batch('value', 'TABLE sale');
EXECUTE batch;
SELECT version FROM mlplat.create_model('value', 'SELECT price, kind, day, y + 1 AS y FROM sale', 'y', 'linear', holdout => 0, promote => 'always');
EXECUTE batch;
ALTER TABLE sale ALTER COLUMN price TYPE numeric, ADD COLUMN more int;
EXECUTE batch;
SELECT mlplat.drop_model('value');
EXECUTE batch;
-- who may not read the rows gets no predictions of them
CREATE ROLE batch_guest;
GRANT USAGE ON SCHEMA batch TO batch_guest;
SELECT image AS binary FROM image WHERE name = 'binary' \gset
SET ROLE batch_guest;
SELECT * FROM mlplat.predict_batch(:'binary'::bytea, 'TABLE sale');
SELECT * FROM mlplat.predict_batch('binary', 'SELECT 1');
RESET ROLE;

SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA batch CASCADE;
DROP ROLE batch_guest;
