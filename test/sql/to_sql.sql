-- Models as plain SQL: the same predictions without the extension.
\set SHOW_CONTEXT never
CREATE SCHEMA to_sql;
SET search_path = to_sql;

CREATE TABLE house ("Area ""m2""" float8, rooms int, old boolean, built date, seen timestamptz, zone text, price float8, class text);
INSERT INTO house
SELECT CASE WHEN i % 17 = 0 THEN NULL WHEN i % 19 = 0 THEN 'NaN' ELSE (50 + i % 83)::float8 END, nullif(i % 6, 0), i % 3 = 0, date '1990-01-01' + i * 11,
       timestamptz '2020-02-29 23:30:00+05' + i * interval '7 hours', CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN 'it''s' WHEN 2 THEN E'b\\c' WHEN 3 THEN 'ü' ELSE 'd' END,
       100 + i % 83 + 10 * (i % 5) + 3 * (i % 6) + (i % 7), CASE WHEN i % 83 < 25 THEN 'low' WHEN i % 83 < 60 THEN 'mid' ELSE 'high' END
FROM generate_series(1, 400) i;
-- rows that training did not see: levels, infinities, dates out of range
CREATE TABLE new AS TABLE house WITH NO DATA;
INSERT INTO new SELECT * FROM house;
INSERT INTO new VALUES ('Infinity', 3, true, 'infinity', '-infinity', 'new', 0, NULL), ('-Infinity', 3, NULL, '0044-03-15 BC', '0044-03-15 12:34:56+00 BC', 'd', 0, NULL),
    (NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL), (1e300, -7, false, '5000-12-31', '5000-12-31 23:00+00', '', 0, NULL);

-- The greatest relative difference between predict and the expression, over all rows.
CREATE FUNCTION differs(model text, class text DEFAULT NULL) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE worst float8;
BEGIN
    EXECUTE format('SELECT max(CASE WHEN got IS NULL OR got = want THEN CASE WHEN got = want THEN 0 ELSE 1e9 END ELSE abs(got - want) / greatest(abs(want), 1e-9) END)
                    FROM (SELECT %s AS got, %s AS want FROM new h OFFSET 0) q', mlplat.to_sql(model, class),
                   CASE WHEN class IS NULL THEN format('mlplat.predict(%L, h)', model) ELSE format('mlplat.predict_proba(%L, h, %L)', model, class) END) INTO worst;
    RETURN worst;
END $$;
CREATE VIEW regression AS SELECT "Area ""m2""", rooms, old, built, seen, zone, price FROM house;
CREATE VIEW yes_no AS SELECT "Area ""m2""", rooms, old, built, seen, zone, price > 150 AS dear FROM house;
CREATE VIEW multi AS SELECT "Area ""m2""", rooms, old, built, seen, zone, class FROM house;

-- linear methods take no infinite numbers: those rows aside
CREATE TABLE all_new AS TABLE new;
DELETE FROM new WHERE abs("Area ""m2""") > 1e200;
SELECT a AS algorithm, (mlplat.create_model(a, 'TABLE regression', 'price', a, holdout => 0)).rows, differs(a) < 1e-9 AS same
FROM unnest('{linear,ridge,lasso,elastic_net}'::text[]) a;
SELECT a AS algorithm, (mlplat.create_model(a || '2', 'TABLE yes_no', 'dear', a, holdout => 0)).rows, differs(a || '2') < 1e-9 AS same, differs(a || '2', 'false') < 1e-9 AS other
FROM unnest('{logistic,svm}'::text[]) a;
SELECT a AS algorithm, (mlplat.create_model(a || '3', 'TABLE multi', 'class', a, holdout => 0)).rows, differs(a || '3', 'low') < 1e-9 AS low, differs(a || '3', 'high') < 1e-9 AS high
FROM unnest('{logistic,svm}'::text[]) a;
TRUNCATE new;
INSERT INTO new SELECT * FROM all_new;
SELECT a AS algorithm, (mlplat.create_model(a, 'TABLE regression', 'price', a, params, holdout => 0)).rows, differs(a) < 1e-9 AS same
FROM (VALUES ('tree', '{}'::jsonb), ('forest', '{"n_trees": 10}'), ('extra_trees', '{"n_trees": 10}'), ('gbdt', '{"n_trees": 30}')) t(a, params);
SELECT a AS algorithm, (mlplat.create_model(a || '2', 'TABLE yes_no', 'dear', a, params, holdout => 0)).rows, differs(a || '2') < 1e-9 AS same, differs(a || '2', 'false') < 1e-9 AS other
FROM (VALUES ('tree', '{}'::jsonb), ('forest', '{"n_trees": 10}'), ('gbdt', '{"n_trees": 30}')) t(a, params);
SELECT a AS algorithm, (mlplat.create_model(a || '3', 'TABLE multi', 'class', a, params, holdout => 0)).rows, differs(a || '3', 'low') < 1e-9 AS low, differs(a || '3', 'high') < 1e-9 AS high
FROM (VALUES ('tree', '{}'::jsonb), ('extra_trees', '{"n_trees": 10}'), ('gbdt', '{"n_trees": 30}')) t(a, params);
SELECT (mlplat.create_model('poisson', 'TABLE regression', 'price', 'gbdt', '{"n_trees": 30, "objective": "poisson"}', holdout => 0)).rows, differs('poisson') < 1e-9 AS same;
-- many trees: the parser's stack holds
SELECT (mlplat.create_model('many', 'TABLE regression', 'price', 'gbdt', '{"n_trees": 1000, "max_leaves": 4, "min_leaf_rows": 1}', holdout => 0)).rows, differs('many') < 1e-9 AS same;

-- blocks, times, levels of other types, and a constant model
CREATE TABLE odd AS SELECT ARRAY[i, i % 7, i % 3]::float8[] AS pixels, time '00:00' + i * interval '1 minute' AS at, i * interval '1 hour' AS took, (i % 4)::numeric(5, 2) AS zip, i % 2 = 0 AS flag,
    i + (i % 7) * 10 + (i % 4) AS y FROM generate_series(1, 200) i;
SELECT (mlplat.create_model('odd', 'TABLE odd', 'y', 'gbdt', '{"n_trees": 20}', prep => '{"zip": {"as": "categorical"}, "flag": {"as": "categorical"}}', holdout => 0)).rows;
SELECT 'SELECT max(abs(mlplat.predict(''odd'', o) - ' || mlplat.to_sql('odd') || ')) < 1e-9 AS same FROM odd o' AS query \gset
:query;
SELECT (mlplat.create_model('flat', 'SELECT 1 AS x, 5.5 AS y FROM generate_series(1, 30)', 'y', 'tree', holdout => 0)).rows;
SELECT mlplat.to_sql('flat') AS text;
-- by image; it depends on no search_path, and a row's columns win over names inside
SELECT mlplat.to_sql(mlplat.train(t, 'y', '{"algorithm": "linear"}')) AS text FROM (SELECT i AS x0, i AS s0, 2 * i + 1 AS y FROM generate_series(1, 5) i) t \gset
CREATE SCHEMA evil;
CREATE FUNCTION evil.less(float8, float8) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR evil.<= (FUNCTION = evil.less, LEFTARG = float8, RIGHTARG = float8);
CREATE OPERATOR evil.> (FUNCTION = evil.less, LEFTARG = float8, RIGHTARG = float8);
CREATE DOMAIN evil.float8 AS text;
CREATE DOMAIN evil.text AS int;
SELECT mlplat.to_sql('tree') AS tree \gset
SET search_path = evil, to_sql, pg_catalog;
SELECT bool_and(abs(:tree - mlplat.predict('tree', h)) OPERATOR(pg_catalog.<) 1e-6) AS same FROM house h;
SELECT x0, round((:text)::numeric, 6) AS y FROM (VALUES (1, 1), (7, 7)) t(x0, s0);
RESET search_path;
SET search_path = to_sql;
CREATE VIEW plain AS SELECT price, :tree AS estimate FROM house;
SELECT count(estimate) FROM plain;

-- errors
SELECT mlplat.to_sql('nobody');
SELECT mlplat.to_sql('gbdt3');
SELECT mlplat.to_sql('gbdt3', 'lowe');
SELECT mlplat.to_sql('gbdt', 'low');
SELECT mlplat.to_sql(NULL) IS NULL AS strict;
SELECT (mlplat.create_model('near', 'TABLE regression', 'price', 'knn', holdout => 0)).rows;
SELECT mlplat.to_sql('near');
SELECT (mlplat.create_model('calibrated', 'TABLE yes_no', 'dear', 'tree', '{"calibration": "platt"}', holdout => 0)).rows;
SELECT mlplat.to_sql('calibrated');

SET client_min_messages = warning;
SELECT count(mlplat.drop_model(name)) > 10 AS dropped FROM mlplat.models;
DROP SCHEMA to_sql, evil CASCADE;
