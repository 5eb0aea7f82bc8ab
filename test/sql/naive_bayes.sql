-- naive Bayes: streaming with text targets and levels, kinds of columns, priors, and the list of bad inputs
CREATE SCHEMA bayes;
SET search_path = bayes, public;
CREATE TABLE flowers AS
    SELECT i AS id, 5 + (i % 3) + sin(i) AS length, 3 + cos(i * 2) AS width, CASE WHEN i % 4 = 0 THEN 'high' WHEN i % 5 = i % 3 THEN 'low' END AS place,
           i % 2 = 0 AS dry, (i * 7) % 5 * (1 + i % 3) AS seeds, i % 11 AS leaves, (ARRAY['rose', 'tulip', 'lily'])[1 + i % 3] AS kind
    FROM generate_series(1, 3000) i;

SELECT name, algorithm, task, rows, metric FROM mlplat.create_model('flower', 'SELECT length, width, place, dry, kind FROM flowers', 'kind', 'naive_bayes', holdout => 0);
SELECT mlplat.predict_class('flower', f) AS predicted, kind, count(*) > 100 AS many FROM flowers f GROUP BY 1, 2 HAVING mlplat.predict_class('flower', f) = kind ORDER BY 2;
-- the aggregate, by parallel workers or without: the same figures
CREATE FUNCTION figures(image bytea) RETURNS TABLE (feature text, class text, value numeric) LANGUAGE sql AS
    $$ SELECT feature, class, round(coefficient::numeric, 9) FROM mlplat.coefficients(image) $$;
CREATE TABLE images (how text, image bytea);
INSERT INTO images SELECT 'serial', mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "exclude": ["id"]}') FROM flowers f;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "exclude": ["id"]}') AS image FROM flowers f \gset
INSERT INTO images VALUES ('parallel', :'image');
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
-- rows kept in a frame
INSERT INTO images SELECT 'frame', mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "exclude": ["id"], "class_weight": {"rose": 1}}') FROM flowers f;
SELECT how, (SELECT md5(string_agg(c::text, ';' ORDER BY feature, class)) FROM figures(image) c) = (SELECT md5(string_agg(c::text, ';' ORDER BY feature, class)) FROM images i, figures(i.image) c WHERE how = 'serial') AS same
FROM images ORDER BY how;
SELECT feature, class, round(value, 6) AS value FROM images, figures(image) WHERE how = 'serial' AND feature IN ('(prior)', 'dry=true', 'length', 'length (deviation)', 'place=high') ORDER BY feature, class;

-- contributions add up to the log-odds
SELECT count(*), max(abs(e.sum - ln(p / (1 - p)))) < 1e-9 AS exact FROM (
    SELECT f.*, mlplat.predict(m.image, f) AS p, m.image FROM flowers f, (SELECT mlplat.train(f, 'late', '{"algorithm": "naive_bayes"}') AS image FROM (SELECT length, width, place, kind = 'rose' AS late FROM flowers) f) m WHERE id <= 50) f,
    LATERAL (SELECT sum(contribution) FROM mlplat.explain(image, ROW(length, width, place)::record)) e;
SELECT feature, importance > 0 AS tells FROM mlplat.feature_importance((SELECT image FROM images WHERE how = 'serial')) ORDER BY feature;

-- kinds of columns, smoothing, priors
SELECT feature, class, round(value, 6) AS value FROM figures((SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "likelihood": {"seeds": "multinomial", "leaves": "multinomial"}, "alpha": 0.5, "priors": {"rose": 0.5, "tulip": 0.25, "lily": 0.25}}') FROM (SELECT seeds, leaves, kind FROM flowers) f)) ORDER BY feature, class;
SELECT feature, class, value FROM figures((SELECT mlplat.train(f, 'dry', '{"algorithm": "naive_bayes", "priors": "uniform", "likelihood": "multinomial"}') FROM (SELECT seeds, dry FROM flowers) f)) ORDER BY feature, class;
-- integers are classes, labels of arrays too; one model a group
SELECT mlplat.model_info(mlplat.train(leaves, ARRAY[length, width], '{"algorithm": "naive_bayes"}')) -> 'classes' AS classes FROM flowers;
SELECT dry, mlplat.model_info(mlplat.train(f, 'kind', '{"algorithm": "naive_bayes"}')) ->> 'rows' AS rows FROM flowers f GROUP BY dry ORDER BY dry;
-- states of parts that met the classes in other orders, one through its bytes
SELECT (SELECT md5(string_agg(c::text, ';' ORDER BY feature, class)) FROM figures(mlplat.finish(parts)) c) = (SELECT md5(string_agg(c::text, ';' ORDER BY feature, class)) FROM figures(whole) c) AS same
FROM (SELECT mlplat.merge(s ORDER BY part) AS parts FROM (
    SELECT 1 AS part, mlplat.train_state(leaves, ARRAY[length, width], '{"algorithm": "naive_bayes"}' ORDER BY id) AS s FROM flowers WHERE id <= 1000
    UNION ALL SELECT 2, mlplat.train_state(leaves, ARRAY[length, width], '{"algorithm": "naive_bayes"}' ORDER BY id DESC)::text::mlplat.state FROM flowers WHERE id > 1000) p) a,
    (SELECT mlplat.train(leaves, ARRAY[length, width], '{"algorithm": "naive_bayes"}') AS whole FROM flowers) b;
-- with a hold-out the rows are kept
SELECT rows, metric, score > 0 AS scored FROM mlplat.create_model('flower', 'SELECT length, width, place, kind FROM flowers', 'kind', 'naive_bayes', holdout => 0.2);

SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "likelihood": "poisson"}') FROM flowers f;
SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "likelihood": {"place": "gaussian"}}') FROM flowers f;
SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "likelihood": {"nobody": "gaussian"}}') FROM flowers f;
SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "likelihood": "multinomial"}') FROM (SELECT -1 AS n, kind FROM flowers) f;
SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "priors": {"rose": 1}}') FROM flowers f;
SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "priors": {"rose": 0.5, "tulip": 0.4, "lily": 0.4}}') FROM flowers f;
SELECT mlplat.train(f, 'kind', '{"algorithm": "naive_bayes", "priors": 3}') FROM flowers f;
SELECT mlplat.train(f, 'id', '{"algorithm": "naive_bayes"}') FROM flowers f;
SELECT count(*) FROM (SELECT mlplat.drop_model('flower')) s;
DROP SCHEMA bayes CASCADE;
RESET search_path;
\set algorithm naive_bayes
\set task classification
\set options '{}'
\i test/sql/include/bad_input.sql
