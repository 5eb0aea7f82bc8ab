-- Nearest neighbours: votes, means, ties, options, sizes, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA knn_test;
SET search_path = knn_test;

-- Rows on a line; the nearest of 6.2 are 6 and 7, the nearest three 6, 7 and 5.
CREATE TABLE line AS SELECT i AS id, i::float8 AS x, (i * i)::float8 AS y, CASE WHEN i > 6 THEN 'high' ELSE 'low' END AS side FROM generate_series(1, 10) i;
SELECT k, weights, round(mlplat.predict(image, ARRAY[6.2])::numeric, 4) AS y, round(mlplat.predict(image, ARRAY[6])::numeric, 4) AS at_a_row
FROM (VALUES (1, 'uniform'), (2, 'uniform'), (3, 'uniform'), (2, 'distance'), (1000, 'uniform')) v(k, weights),
     LATERAL (SELECT mlplat.train(t, 'y', jsonb_build_object('algorithm', 'knn', 'n_neighbors', k, 'weights', weights, 'scale', false)) AS image
              FROM (SELECT x, y FROM line ORDER BY id) t) m ORDER BY k, weights;
-- a tie: rows 5 and 6 are as near to 5.5, and the earlier one is taken
SELECT mlplat.predict(mlplat.train(t, 'y', '{"algorithm": "knn", "n_neighbors": 1}'), ARRAY[5.5]) AS ascending FROM (SELECT x, y FROM line ORDER BY id) t;
SELECT mlplat.predict(mlplat.train(t, 'y', '{"algorithm": "knn", "n_neighbors": 1}'), ARRAY[5.5]) AS descending FROM (SELECT x, y FROM line ORDER BY id DESC) t;
-- classes: shares of the votes
SELECT mlplat.predict_class(image, ARRAY[6.2]) AS class, round(mlplat.predict_proba(image, ARRAY[6.2], 'low')::numeric, 4) AS low, mlplat.predict_probs(image, ARRAY[100]) AS far
FROM (SELECT mlplat.train(t, 'side', '{"algorithm": "knn", "n_neighbors": 3}') AS image FROM (SELECT x, side FROM line ORDER BY id) t) m;
-- weights of rows count in the vote
SELECT round(mlplat.predict(image, ARRAY[6.2])::numeric, 4) AS weighted
FROM (SELECT mlplat.train(t, 'y', '{"algorithm": "knn", "n_neighbors": 2, "weight": "id"}') AS image FROM (SELECT id, x, y FROM line ORDER BY id) t) m;
-- levels, missing values, what training did not see
SELECT mlplat.predict(image, ROW('a', 1.0)) AS a, mlplat.predict(image, ROW('b', 1.0)) AS b, mlplat.predict(image, ROW('z', 1.0)) IN (1, 2) AS unseen, mlplat.predict(image, ROW(NULL, NULL)) IN (1, 2) AS missing
FROM (SELECT mlplat.train(t, 'y', '{"algorithm": "knn", "n_neighbors": 1}') AS image FROM (VALUES ('a', 1.0, 1.0), ('b', 1.0, 2.0)) t(c, x, y)) m;
-- what the summary says
SELECT mlplat.model_info(mlplat.train(t, 'y', '{"algorithm": "knn"}')) -> 'summary' AS summary FROM (SELECT x, y FROM line ORDER BY id) t;
-- manhattan and euclidean differ: (3, 3) is nearer by squares, (5, 0) by absolute values
SELECT distance, mlplat.predict(mlplat.train(t, 'y', jsonb_build_object('algorithm', 'knn', 'n_neighbors', 1, 'scale', false, 'distance', distance)), ARRAY[0, 0]) AS y
FROM (VALUES (3.0, 3.0, 33.0), (5.0, 0.0, 50.0)) t(a, b, y), unnest(ARRAY['euclidean', 'manhattan']) distance GROUP BY distance ORDER BY 1;

-- Errors.
SELECT mlplat.train(t, 'y', '{"algorithm": "knn", "n_neighbors": 0}') FROM (SELECT x, y FROM line) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "knn", "n_neighbors": 1001}') FROM (SELECT x, y FROM line) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "knn", "distance": "cosine"}') FROM (SELECT x, y FROM line) t;
SELECT mlplat.train(t, 'y', '{"algorithm": "knn", "n_neighbours": 3}') FROM (SELECT x, y FROM line) t;

SET client_min_messages = warning;
DROP SCHEMA knn_test CASCADE;
\set algorithm knn
\set task regression
\set options '{}'
\i test/sql/include/bad_input.sql
\set task classification
\i test/sql/include/bad_input.sql
