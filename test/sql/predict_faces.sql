-- predict and its relatives: every face of a model gives the same answer.
\set SHOW_CONTEXT never
CREATE SCHEMA faces;
SET search_path = faces;

CREATE TABLE sale (id int, price float8, size real, kind text, open boolean, day date, at timestamptz, stay interval, due time, code int8, y float8, late boolean, grade text);
INSERT INTO sale
SELECT i, 10 + i % 23, (i % 7) / 10.0, (ARRAY['red','green','blue'])[1 + i % 3], i % 2 = 0, date '2024-01-31' + i % 400,
       timestamptz '2024-03-10 12:00:00.25+02' + i * interval '7 hours 13 minutes', i * interval '37 minutes',
       time '00:00' + i * interval '1 minute 1.5 seconds', 4611686018427387905 + i,
       i % 23 * 2 + i % 7 + (i % 3) * 5 + extract(epoch FROM i * interval '37 minutes') / 3600, i % 23 + (i % 3) * 5 > 14,
       (ARRAY['good','fair','poor'])[1 + ((i % 23) / 5 + i % 3) % 3]
FROM generate_series(1, 600) i;
UPDATE sale SET price = NULL, kind = NULL, at = NULL WHERE id % 50 = 0;
UPDATE sale SET size = NULL, open = NULL, day = NULL, stay = NULL, due = NULL, code = NULL WHERE id % 50 = 1;
UPDATE sale SET day = 'infinity', at = '-infinity', price = 'NaN' WHERE id % 50 = 2;

SELECT rows FROM mlplat.create_model('value', 'SELECT * FROM sale', 'y', 'linear', exclude => '{id,late,grade}', holdout => 0);
SELECT rows FROM mlplat.create_model('binary', 'SELECT * FROM sale', 'late', 'gbdt', '{"n_trees": 5, "max_leaves": 7, "min_leaf_rows": 5}', exclude => '{id,y,grade}', holdout => 0);
SELECT rows FROM mlplat.create_model('several', 'SELECT * FROM sale', 'grade', 'gbdt', '{"n_trees": 5, "max_leaves": 7, "min_leaf_rows": 5}', exclude => '{id,y,late}', holdout => 0);
SELECT rows FROM mlplat.create_model('numbers', 'SELECT price, size::float8, y FROM sale', 'y', 'linear', holdout => 0);
CREATE VIEW image AS SELECT name, version, image FROM mlplat.version JOIN mlplat.registry USING (model_id);

-- by name, by version, by image; a row, its jsonb
SELECT m.name, count(*) AS rows,
       count(*) FILTER (WHERE mlplat.predict(m.name, s) = mlplat.predict(m.name || '@1', s)) AS version,
       count(*) FILTER (WHERE mlplat.predict(m.name, s) = mlplat.predict(m.image, s)) AS image,
       count(*) FILTER (WHERE mlplat.predict(m.name, s) = mlplat.predict(m.name, to_jsonb(s))) AS jsonb,
       count(*) FILTER (WHERE mlplat.predict(m.name, s) = mlplat.predict(m.image, to_jsonb(s))) AS image_jsonb,
       count(*) FILTER (WHERE mlplat.predict(m.name, s) = mlplat.predict(m.name, ROW(price, size, kind, open, day, at, stay, due, code))) AS position
FROM sale s, image m WHERE m.name <> 'numbers' GROUP BY m.name ORDER BY m.name;
-- names as constants: through the planner's rewriting
SELECT count(*) FILTER (WHERE mlplat.predict('value', s) = mlplat.predict('value', to_jsonb(s))) AS value,
       count(*) FILTER (WHERE mlplat.predict('binary', s) = mlplat.predict('binary', to_jsonb(s))) AS binary,
       count(*) FILTER (WHERE mlplat.predict_class('several', s) = mlplat.predict_class('several', to_jsonb(s))) AS class,
       count(*) FILTER (WHERE mlplat.predict_proba('several', s) = mlplat.predict_proba('several', to_jsonb(s))) AS proba,
       count(*) FILTER (WHERE mlplat.predict_probs('several', s) = mlplat.predict_probs('several', to_jsonb(s))) AS probs,
       count(*) FILTER (WHERE mlplat.predict_proba('several', s, 'fair') = mlplat.predict_proba('several', to_jsonb(s), 'fair')) AS named
FROM sale s;
-- arrays hold numbers
SELECT count(*) FILTER (WHERE mlplat.predict('numbers', ARRAY[price, size]) = mlplat.predict('numbers', ROW(price, size::float8))) AS by_name,
       count(*) FILTER (WHERE mlplat.predict(image, ARRAY[price, size]) = mlplat.predict('numbers', s)) AS by_image,
       count(*) FILTER (WHERE mlplat.predict(image, ARRAY[price, size]::float8[]) = mlplat.predict('numbers', jsonb_build_object('price', price, 'size', size::float8, 'more', 1))) AS jsonb
FROM sale s, image m WHERE m.name = 'numbers' AND price <> 'NaN';
-- settings of the session do not matter
CREATE TABLE before AS SELECT id, mlplat.predict('value', s) AS value, mlplat.predict('value', to_jsonb(s)) AS as_json, mlplat.predict('binary', s) AS p FROM sale s;
SET timezone = 'Asia/Kolkata';
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = -10;
SELECT count(*) FILTER (WHERE value = mlplat.predict('value', s)) AS row, count(*) FILTER (WHERE as_json = mlplat.predict('value', to_jsonb(s))) AS jsonb,
       count(*) FILTER (WHERE p = mlplat.predict('binary', s)) AS p FROM sale s JOIN before USING (id);
SET intervalstyle = 'postgres_verbose';
SET timezone = 'America/St_Johns';
SELECT count(*) FILTER (WHERE value = mlplat.predict('value', s)) AS row, count(*) FILTER (WHERE as_json = mlplat.predict('value', to_jsonb(s))) AS jsonb,
       count(*) FILTER (WHERE p = mlplat.predict('binary', s)) AS p FROM sale s JOIN before USING (id);
RESET timezone;
RESET datestyle;
RESET intervalstyle;
RESET extra_float_digits;

-- what they mean
SELECT bool_and(mlplat.predict('binary', s) = mlplat.predict_proba('binary', s)) AS p_of_positive,
       bool_and(mlplat.predict('binary', s) = mlplat.predict_proba('binary', s, 'true')) AS is_of_true,
       bool_and(abs(1 - mlplat.predict_proba('binary', s, 'true') - mlplat.predict_proba('binary', s, 'false')) < 1e-12) AS sum_is_one,
       bool_and(mlplat.predict_class('binary', s) = (mlplat.predict('binary', s) >= 0.5)::text) AS class_at_half,
       bool_and((mlplat.predict_probs('binary', s) ->> 'true')::float8 = mlplat.predict('binary', s)) AS probs FROM sale s;
SELECT mlplat.predict('several', s) AS index, mlplat.predict_class('several', s) AS class, count(*) > 0 AS some,
       bool_and(mlplat.predict_proba('several', s) = greatest(mlplat.predict_proba('several', s, 'good'), mlplat.predict_proba('several', s, 'fair'), mlplat.predict_proba('several', s, 'poor'))) AS greatest,
       bool_and(abs((SELECT sum(value::float8) FROM jsonb_each_text(mlplat.predict_probs('several', s))) - 1) < 1e-12) AS sum_is_one
FROM sale s GROUP BY 1, 2 ORDER BY 1;
-- the positive class is a choice
SELECT rows FROM mlplat.create_model('other', 'SELECT * FROM sale', 'late', 'gbdt', '{"n_trees": 5, "max_leaves": 7, "min_leaf_rows": 5, "positive": "false"}', exclude => '{id,y,grade}', holdout => 0);
SELECT max(abs(mlplat.predict('other', s) + mlplat.predict('binary', s) - 1)) < 1e-4 AS mirrored FROM sale s;

-- NULL: no model or no row gives NULL; a row of NULLs is a row
SELECT mlplat.predict(NULL::text, ROW(1)) IS NULL AS no_name, mlplat.predict(NULL::bytea, ROW(1)) IS NULL AS no_image,
       mlplat.predict('value', NULL::sale) IS NULL AS no_row, mlplat.predict('value', NULL::jsonb) IS NULL AS no_jsonb,
       mlplat.predict('value', NULL::float8[]) IS NULL AS no_array, mlplat.predict_class('several', NULL::sale) IS NULL AS no_class,
       mlplat.predict_probs('several', NULL::sale) IS NULL AS no_probs, mlplat.predict_proba('several', NULL::sale, 'x') IS NULL AS no_proba,
       mlplat.predict_proba('several', ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::record, NULL) IS NULL AS no_label;
SELECT mlplat.predict('value', r) IS NOT NULL AS value, mlplat.predict('binary', r) BETWEEN 0 AND 1 AS p
FROM (SELECT (sale).* FROM (SELECT NULL::sale) s(sale)) r;
SELECT mlplat.predict('numbers', ARRAY[NULL, 1]::float8[]) = mlplat.predict('numbers', '{"price": null, "size": 1}'::jsonb) AS null_element;
SELECT mlplat.predict('numbers', ROW(NULL, 1)) = mlplat.predict('numbers', ROW(NULL::float8, 1)) AS untyped_null,
       mlplat.predict('value', ROW(1, 2, 'red', true, NULL, NULL, NULL, NULL, NULL)) = mlplat.predict('value', ROW(1, 2, 'red'::text, true, NULL::date, NULL, NULL, NULL, NULL)) AS untyped_level;
-- levels never seen
SELECT mlplat.predict('value', r) = mlplat.predict('value', jsonb_set(to_jsonb(r), '{kind}', '"a level of jsonb"')) AS unseen_are_alike
FROM (SELECT price, size, 'never seen' AS kind, open, day, at, stay, due, code FROM sale WHERE id = 7) r;

-- rows that do not fit
SELECT mlplat.predict('value', r) FROM (SELECT price, size FROM sale LIMIT 1) r;
SELECT mlplat.predict('value', r) FROM (SELECT price, size, kind AS kinds, open, day, at, stay, due, code FROM sale LIMIT 1) r;
SELECT mlplat.predict('value', '{"price": 1}'::jsonb);
SELECT mlplat.predict('value', '[1, 2]'::jsonb);
SELECT mlplat.predict('value', '17'::jsonb);
SELECT mlplat.predict('value', ARRAY[1.0]::float8[]);
SELECT mlplat.predict('value', ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9]::float8[]);
SELECT mlplat.predict('numbers', ARRAY[1, 2, 3]::float8[]);
SELECT mlplat.predict('numbers', '{}'::float8[]);
SELECT mlplat.predict('numbers', ROW(1));
SELECT mlplat.predict('numbers', ROW(1, 2, 3));
SELECT mlplat.predict('numbers', ROW('text', 2));
SELECT mlplat.predict('numbers', ROW(ARRAY[1], 2));
SELECT mlplat.predict('numbers', '{"price": "much", "size": 1}'::jsonb);
SELECT mlplat.predict('numbers', '{"price": [1], "size": 1}'::jsonb);
SELECT mlplat.predict('value', to_jsonb(s) || '{"day": "2024-02-30"}') FROM sale s WHERE id = 1;
SELECT mlplat.predict('value', to_jsonb(s) || '{"day": "31/01/2024"}') FROM sale s WHERE id = 1;
SELECT mlplat.predict('value', to_jsonb(s) || '{"day": 5}') FROM sale s WHERE id = 1;
SELECT mlplat.predict('value', to_jsonb(s) || '{"stay": "a while"}') FROM sale s WHERE id = 1;
SELECT mlplat.predict('value', to_jsonb(s) || '{"kind": ["red"]}') FROM sale s WHERE id = 1;
SELECT mlplat.predict_class('value', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict_proba('value', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict_probs('value', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict_proba('several', s, 'excellent') FROM sale s WHERE id = 1;
SELECT mlplat.predict('nobody', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict('value@2', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict('value@', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict('value@0', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict('value@one', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict('value@99999999999', s) FROM sale s WHERE id = 1;
SELECT mlplat.predict(''::text, s) FROM sale s WHERE id = 1;
SELECT mlplat.predict('\x00'::bytea, s) FROM sale s WHERE id = 1;
SELECT mlplat.predict(''::bytea, s) FROM sale s WHERE id = 1;
-- names of columns as data
SELECT mlplat.predict_columns('numbers', ARRAY['size', 'price'], 0.5, 12) = mlplat.predict('numbers', ROW(12, 0.5)) AS same;
SELECT mlplat.predict_columns('numbers', ARRAY['size', 'price'], 0.5);
SELECT mlplat.predict_columns('numbers', ARRAY['size', NULL], 0.5, 1);
SELECT mlplat.predict_columns('numbers', NULL, 0.5, 1);
SELECT mlplat.predict_columns('numbers', ARRAY['size', 'price'], VARIADIC ARRAY[0.5, 12]);
SELECT mlplat.predict_columns('numbers', n, 0.5, 12) FROM (VALUES (ARRAY['size', 'price']), (ARRAY['price', 'size'])) v(n);

-- where predictions live: a generated column, an index, a constraint, a materialized view, functions
SELECT image AS numbers FROM image WHERE name = 'numbers' \gset
CREATE TABLE scored (a float8, b float8, p float8 GENERATED ALWAYS AS (mlplat.predict(:'numbers'::bytea, ARRAY[a, b])) STORED,
    r float8 GENERATED ALWAYS AS (mlplat.predict(:'numbers'::bytea, ROW(a, b))) STORED);
INSERT INTO scored SELECT price, size FROM sale;
SELECT count(*) FILTER (WHERE p = r AND p = mlplat.predict('numbers', ARRAY[a, b])) AS same, count(*) AS rows FROM scored;
CREATE INDEX by_array ON scored (mlplat.predict(:'numbers'::bytea, ARRAY[a, b]));
CREATE INDEX by_row ON scored (mlplat.predict(:'numbers'::bytea, ROW(a, b)));
CREATE INDEX by_name ON scored (mlplat.predict('numbers', ARRAY[a, b]));
CREATE FUNCTION uses(query text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; found boolean := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || query LOOP found := found OR position(what IN line) > 0; END LOOP;
    RETURN found;
END $$;
SET enable_seqscan = off;
SELECT uses(format('SELECT * FROM scored WHERE mlplat.predict(%L::bytea, ARRAY[a, b]) > 60', :'numbers'), 'by_array') AS by_array,
       uses(format('SELECT * FROM scored WHERE mlplat.predict(%L::bytea, ROW(a, b)) > 60', :'numbers'), 'by_row') AS by_row;
SELECT count(*) = (SELECT count(*) FROM scored WHERE p > 60) AS same FROM scored WHERE mlplat.predict(:'numbers'::bytea, ROW(a, b)) > 60;
RESET enable_seqscan;
ALTER TABLE scored ADD CONSTRAINT plausible CHECK (mlplat.predict('numbers', ARRAY[a, b]) < 1000);
\set VERBOSITY terse
INSERT INTO scored VALUES (1e6, 0);
\set VERBOSITY default
CREATE MATERIALIZED VIEW kept AS SELECT id, mlplat.predict('value', s) AS p, mlplat.predict_class('several', s) AS c FROM sale s;
REFRESH MATERIALIZED VIEW kept;
SELECT count(*) AS same FROM kept JOIN sale s USING (id) WHERE p = mlplat.predict('value', s) AND c = mlplat.predict_class('several', s);
CREATE FUNCTION in_sql(sale) RETURNS float8 LANGUAGE sql STABLE AS $$ SELECT mlplat.predict('value', $1) $$;
CREATE FUNCTION in_plpgsql() RETURNS float8 LANGUAGE plpgsql STABLE AS $$
DECLARE s sale; total float8 := 0;
BEGIN
    FOR s IN SELECT * FROM sale LOOP total := total + mlplat.predict('value', s); END LOOP;
    RETURN total;
END $$;
SELECT round((in_plpgsql() - sum(mlplat.predict('value', s)))::numeric, 6) AS plpgsql, round((sum(in_sql(s)) - sum(mlplat.predict('value', s)))::numeric, 6) AS sql FROM sale s;
UPDATE sale s SET y = mlplat.predict('value', s) WHERE id = 3 RETURNING y = mlplat.predict('value', s) AS returned;
INSERT INTO sale SELECT (s).* FROM sale s WHERE id = 3 RETURNING mlplat.predict('value', sale) = y AS inserted;
DELETE FROM sale s WHERE id = 3 RETURNING mlplat.predict('value', s) = y AS deleted;

-- a model a row: by name, and by image, each looked up once
CREATE TABLE product (g int, x float8, y float8);
INSERT INTO product SELECT g, x, g * x + 1 FROM generate_series(1, 1000) g, generate_series(1, 5) x;
CREATE TABLE per_group AS SELECT g, mlplat.train(y, ARRAY[x], '{"algorithm": "linear"}') AS image FROM product GROUP BY g;
SELECT count(*) AS rows, max(abs(mlplat.predict(image, ARRAY[x]) - y)) < 1e-9 AS right FROM product JOIN per_group USING (g);
SELECT count(mlplat.save_model('group ' || g, image)) AS saved FROM per_group WHERE g <= 50;
SELECT count(*) AS rows, max(abs(mlplat.predict('group ' || g, ARRAY[x]) - y)) < 1e-9 AS right
FROM (SELECT * FROM product WHERE g <= 50 ORDER BY x, g) p;
CREATE TYPE other AS (z int, k text, x int);
-- over rows: models of like inputs share how a row is read, others do not; levels are each model's own
CREATE TABLE mixed AS SELECT g, x, x * x AS z, chr(97 + (x + g) % 3) AS k, g * x + 10 * ((x + g) % 3) AS y FROM generate_series(1, 60) g, generate_series(1, 12) x;
CREATE TABLE mixed_models AS SELECT g, CASE g % 3 WHEN 0 THEN mlplat.train(m, 'y', '{"algorithm": "linear", "exclude": ["g", "k"]}')
    WHEN 1 THEN mlplat.train(m, 'y', '{"algorithm": "linear", "exclude": ["g", "z"]}')
    ELSE mlplat.train(m, 'y', '{"algorithm": "linear", "exclude": ["g", "x", "k"]}') END AS image FROM (SELECT * FROM mixed ORDER BY (x + g) % 7) m GROUP BY g;
SELECT count(*) AS rows, count(*) FILTER (WHERE p = mlplat.predict(image, to_jsonb(m))) AS same FROM (SELECT m, image, mlplat.predict(image, m) AS p FROM mixed m JOIN mixed_models USING (g) ORDER BY x, g) s;
SELECT count(*) AS rows, count(*) FILTER (WHERE mlplat.predict(image, (m.z, m.k, m.x)::other) = mlplat.predict(image, to_jsonb(m))) AS same, count(DISTINCT mlplat.predict(image, m)) > 100 AS differ
FROM mixed m JOIN mixed_models USING (g);
-- also when they do not fit into the cache
SET mlplat.cache_memory = '20kB';
SELECT count(*) AS rows, max(abs(mlplat.predict('group ' || g, ARRAY[x]) - y)) < 1e-9 AS right
FROM (SELECT * FROM product WHERE g <= 50 ORDER BY x, g) p;
SELECT count(*) AS rows, max(abs(mlplat.predict(image, ARRAY[x]) - y)) < 1e-9 AS right FROM product JOIN per_group USING (g) WHERE g <= 100;
SET mlplat.cache_memory = 0;
SELECT count(*) AS rows, max(abs(mlplat.predict('group ' || g, ARRAY[x]) - y)) < 1e-9 AS right
FROM (SELECT * FROM product WHERE g <= 50 ORDER BY x, g) p;
RESET mlplat.cache_memory;

-- row types that change while the expressions of a function live on
CREATE TABLE changing (f1 float8, extra text);
INSERT INTO changing VALUES (2, 'text');
DO $$
DECLARE c changing;
BEGIN
    FOR i IN 1..3 LOOP
        SELECT * INTO c FROM changing;
        RAISE NOTICE 'round %: %', i, round(mlplat.predict('group 7', c)::numeric, 6);
        IF i = 1 THEN
            ALTER TABLE changing DROP COLUMN f1;
            ALTER TABLE changing ALTER COLUMN extra TYPE int USING 5, ADD COLUMN f1 numeric DEFAULT 3;
        ELSE
            ALTER TABLE changing RENAME COLUMN f1 TO other;
        END IF;
    END LOOP;
EXCEPTION WHEN undefined_column THEN RAISE NOTICE '%', SQLERRM;
END $$;

SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA faces CASCADE;
