-- Bad input: a clear error or the documented result, and nothing half done.
\set SHOW_CONTEXT never
CREATE SCHEMA bad;
SET search_path = bad;
CREATE TABLE good AS SELECT i AS id, (i % 13)::float8 AS x, (i % 7)::float8 AS z, chr(97 + i % 3) AS c, (i % 13 * 2 + i % 7)::float8 AS y, i % 13 > 6 AS flag FROM generate_series(1, 500) i;
-- what training says, for each algorithm
CREATE FUNCTION try(query text, target text, options jsonb DEFAULT '{}') RETURNS TABLE (algorithm text, says text) LANGUAGE plpgsql AS $$
DECLARE sql text; info jsonb; tip text;
BEGIN
    FOR algorithm IN SELECT a.name FROM mlplat.algorithms a WHERE a.name IN ('linear', 'logistic', 'gbdt') ORDER BY 1 LOOP
        BEGIN
            EXECUTE format('SELECT mlplat.model_info(mlplat.train(q, %L, %L)) FROM (%s) q', target, jsonb_build_object('algorithm', algorithm) || options, query) INTO info;
            says := coalesce((info ->> 'task') || ' of ' || (info ->> 'rows') || ' rows', 'NULL');
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS tip = PG_EXCEPTION_HINT;
            says := sqlstate || ' ' || sqlerrm || CASE WHEN tip <> '' THEN ' (' || tip || ')' ELSE '' END;
        END;
        RETURN NEXT;
    END LOOP;
END $$;

-- an empty query, one row, two rows
SELECT * FROM try('SELECT x, y FROM good WHERE false', 'y');
SELECT * FROM try('SELECT x, flag FROM good WHERE id = 1', 'flag');
SELECT * FROM try('SELECT x, y FROM good WHERE id = 1', 'y');
SELECT * FROM try('SELECT x, y FROM good WHERE id < 3', 'y');
-- all targets NULL, one class only, classes as many as rows
SELECT * FROM try('SELECT x, NULL::float8 AS y FROM good', 'y');
SELECT * FROM try('SELECT x, NULL::boolean AS y FROM good', 'y');
SELECT * FROM try('SELECT x, NULL::text AS y FROM good', 'y');
SELECT * FROM try('SELECT x, true AS y FROM good', 'y');
SELECT * FROM try('SELECT x, ''only''::text AS y FROM good', 'y');
SELECT * FROM try('SELECT x, repeat(''€'', 30) AS y FROM good', 'y');
SELECT * FROM try('SELECT x, 5 AS y FROM good', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT x, 5 AS y FROM good', 'y', '{"task": "classification"}');
SELECT * FROM try('SELECT i::float8 AS x, i::text AS y FROM generate_series(1, 1001) i', 'y') WHERE algorithm <> 'linear';
-- no features, constant features, all NULL features, the same feature twice
SELECT * FROM try('SELECT y FROM good', 'y');
SELECT * FROM try('SELECT y, x FROM good', 'y', '{"exclude": ["x"]}');
SELECT * FROM try('SELECT flag, 7.5 AS x, NULL::float8 AS n, ''same''::text AS c, false AS b FROM good', 'flag');
SELECT * FROM try('SELECT y, 7.5 AS x, NULL::float8 AS n, ''same''::text AS c, NULL::text AS d, NULL::date AS e FROM good', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT x, x AS x2, z, -x AS x3, y FROM good', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT x, x, y FROM good', 'y');
SELECT * FROM try('SELECT x, y, y FROM good', 'y');
-- a target, weight, excluded or prepared column that isn't there
SELECT * FROM try('SELECT * FROM good', 'Y');
SELECT * FROM try('SELECT * FROM good', 'y', '{"weight": "id2"}') LIMIT 1;
SELECT * FROM try('SELECT * FROM good', 'y', '{"exclude": ["id", "zz"]}') LIMIT 1;
SELECT * FROM try('SELECT * FROM good', 'y', '{"prep": {"C": {"as": "categorical"}}}') LIMIT 1;
-- options that do not exist, of the wrong type, out of range
SELECT * FROM try('SELECT * FROM good', 'y', '{"nonsense": 1}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"L2": 1}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"Seed": 1}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"seed": "one"}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"seed": 1e300}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"exclude": {"id": true}}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"task": "clairvoyance"}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"class_weight": "heavy"}');
SELECT * FROM try('SELECT * FROM good', 'y', '{"metric": 7}');
SELECT * FROM try('SELECT * FROM good', 'flag', '{"positive": "maybe"}') WHERE algorithm <> 'linear';
SELECT * FROM try('SELECT x, z, c FROM good', 'c', '{"positive": "a"}') WHERE algorithm <> 'linear';
SELECT mlplat.train(g, 'y', '{"algorithm": "gbdt", "n_trees": 0}') FROM good g;
SELECT mlplat.train(g, 'y', '{"algorithm": "gbdt", "n_trees": 1.5}') FROM good g;
SELECT mlplat.train(g, 'y', '{"algorithm": "gbdt", "learning_rate": -1}') FROM good g;
SELECT mlplat.train(g, 'y', '{"algorithm": "gbdt", "learning_rat": 0.1}') FROM good g;
SELECT mlplat.train(g, 'y', '{"algorithm": "gbdt", "l2": [1]}') FROM good g;
SELECT mlplat.train(g, 'y', '{"algorithm": "linear", "l2": 1e999}') FROM good g;
SELECT mlplat.train(g, 'y', jsonb_build_object('algorithm', repeat('x', 100000))) FROM good g;
SELECT * FROM try('SELECT * FROM good', 'y', jsonb_build_object(repeat('€', 1000), 1)) LIMIT 1;
-- infinities: in the target always an error, in a feature where the algorithm cannot take it
SELECT * FROM try('SELECT x, CASE WHEN id = 5 THEN ''infinity'' ELSE y END AS y FROM good ORDER BY id', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT CASE WHEN id = 5 THEN ''-infinity'' ELSE x END AS x, flag FROM good ORDER BY id', 'flag');
SELECT * FROM try('SELECT CASE WHEN id = 5 THEN ''-infinity'' ELSE x END AS x, y FROM good ORDER BY id', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT CASE WHEN id = 5 THEN ''NaN'' ELSE x END AS x, CASE WHEN id = 6 THEN ''NaN'' ELSE y END AS y FROM good', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT CASE WHEN id = 5 THEN 1e308 ELSE x END AS x, CASE WHEN id < 3 THEN -1e308 ELSE y END AS y FROM good', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT 1e400::numeric * x::numeric AS x, flag FROM good', 'flag');
-- infinities at prediction
SELECT mlplat.train(g, 'y', '{"algorithm": "linear", "exclude": ["id", "c", "flag"]}') AS linear, mlplat.train(g, 'flag', '{"algorithm": "gbdt", "n_trees": 3, "exclude": ["id", "y"]}') AS gbdt FROM good g \gset
SELECT mlplat.predict(:'linear'::bytea, ARRAY['infinity', 1]::float8[]) AS infinite, mlplat.predict(:'linear'::bytea, ARRAY['NaN', 1]::float8[]) IS NOT NULL AS missing,
       mlplat.predict(:'gbdt'::bytea, ROW('-infinity'::float8, 1, 'a'::text)) BETWEEN 0 AND 1 AS gbdt;

-- many columns: 1,600 of a table, and what a query can return
DO $$ BEGIN EXECUTE (SELECT format('CREATE TABLE wide AS SELECT i AS y, %s FROM generate_series(1, 300) i', string_agg(format('(i * %s %% 101)::int2 AS c%s', k, k), ', ')) FROM generate_series(1, 1599) k); END $$;
SELECT mlplat.model_info(mlplat.train(w, 'y', '{"algorithm": "gbdt", "n_trees": 2}')) ->> 'rows' AS rows FROM wide w;
SELECT mlplat.save_model('wide', mlplat.train(w, 'y', '{"algorithm": "linear", "l2": 1}')) FROM (SELECT * FROM wide LIMIT 60) w;
SELECT count(*) AS coefficients FROM mlplat.coefficients('wide');
SELECT max(abs(mlplat.predict('wide', w) - mlplat.predict('wide', to_jsonb(w)))) AS difference FROM (SELECT * FROM wide LIMIT 5) w;
SELECT rows FROM mlplat.create_model('wide', 'SELECT * FROM wide LIMIT 60', 'y', 'linear', '{"l2": 1}', holdout => 0);
SELECT mlplat.drop_model('wide');

-- large texts: one level of tens of megabytes, many levels, levels that differ late
CREATE TABLE long AS SELECT i AS id, CASE WHEN i = 1 THEN repeat('x', 20000000) WHEN i = 2 THEN repeat('x', 20000000) || 'y' ELSE 'short ' || i % 3 END AS c, (i % 3)::float8 AS y FROM generate_series(1, 60) i;
CREATE TABLE long_image AS SELECT mlplat.train(l, 'y', '{"algorithm": "gbdt", "n_trees": 2, "min_leaf_rows": 5, "exclude": ["id"]}') AS image FROM long l;
SELECT length(image) > 40000000 AS large, mlplat.predict(image, l) IS NOT NULL AS predicted FROM long_image, long l WHERE id = 1;
SELECT rows FROM mlplat.create_model('long', 'SELECT c, y FROM long', 'y', 'linear', holdout => 0);
SELECT count(*) FROM mlplat.coefficients('long');
SELECT mlplat.predict('long', l) = mlplat.predict('long', jsonb_build_object('c', c)) AS same FROM long l WHERE id < 4;
SELECT mlplat.drop_model('long');
SELECT says FROM try('SELECT i::text AS c, i::float8 AS y FROM generate_series(1, 20000) i', 'y') WHERE algorithm <> 'logistic';
SELECT * FROM try('SELECT 1 AS x, repeat(''long label '', 100000) || id % 2 AS y FROM good', 'y') WHERE algorithm = 'gbdt';

-- damaged images: cut off anywhere, every seventh byte flipped; also with the checksum made right
CREATE TABLE crc_table AS SELECT array_agg(c ORDER BY n) AS t FROM (WITH RECURSIVE t(n, k, c) AS (SELECT n, 0, n::bigint FROM generate_series(0, 255) n
    UNION ALL SELECT n, k + 1, CASE WHEN c & 1 = 1 THEN (c >> 1) # 2197175160 ELSE c >> 1 END FROM t WHERE k < 8) SELECT n, c FROM t WHERE k = 8) x;
CREATE FUNCTION crc32c(data bytea) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
DECLARE crc bigint := 4294967295; tab bigint[] := (SELECT t FROM crc_table);
BEGIN
    FOR i IN 0 .. length(data) - 1 LOOP crc := (crc >> 8) # tab[1 + ((crc # get_byte(data, i)) & 255)]; END LOOP;
    crc := crc # 4294967295;
    RETURN decode(string_agg(lpad(to_hex((crc >> 8 * k) & 255), 2, '0'), '' ORDER BY k), 'hex') FROM generate_series(0, 3) k;
END $$;
CREATE FUNCTION sign_image(image bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT substr(image, 1, 16) || crc32c(substr(image, 21)) || substr(image, 21) $$;
SELECT sign_image(:'linear'::bytea) = :'linear'::bytea AS linear, sign_image(:'gbdt'::bytea) = :'gbdt'::bytea AS gbdt;
CREATE FUNCTION use(image bytea, r anyelement, right_one float8) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mlplat.model_info(image);
    PERFORM count(*) FROM mlplat.feature_importance(image);
    RETURN CASE mlplat.predict(image, r) WHEN right_one THEN 'the same' ELSE 'predicts' END;
EXCEPTION WHEN data_corrupted OR data_exception OR invalid_parameter_value OR undefined_column OR datatype_mismatch OR array_subscript_error OR feature_not_supported OR out_of_memory THEN RETURN 'error';
END $$;
CREATE TABLE image AS SELECT *, mlplat.predict(image, g) AS p FROM (VALUES ('linear', :'linear'::bytea), ('gbdt', :'gbdt'::bytea)) v(name, image), (SELECT x, z, c FROM good LIMIT 1) g;
SELECT name, use(substr(image, 1, n), g, p) AS result FROM image, (SELECT x, z, c FROM good LIMIT 1) g, generate_series(0, 5000, 13) n WHERE n < length(image) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT name, use(set_byte(image, n, get_byte(image, n) # 255), g, p) AS result FROM image, (SELECT x, z, c FROM good LIMIT 1) g, generate_series(0, 5000, 7) n WHERE n < length(image) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT name, count(*) FILTER (WHERE result = 'error') > 20 AS some_errors, count(*) FILTER (WHERE result <> 'error') > 20 AS some_predictions
FROM (SELECT name, use(sign_image(set_byte(image, n, get_byte(image, n) # flip)), g, p) AS result FROM image, (SELECT x, z, c FROM good LIMIT 1) g, generate_series(20, 5000, 7) n, (VALUES (1), (255)) f(flip) WHERE n < length(image) AND n < 700) x GROUP BY name ORDER BY name;
SELECT name, use(sign_image(substr(image, 1, n)), g, p) AS result FROM image, (SELECT x, z, c FROM good LIMIT 1) g, generate_series(20, 5000, 29) n WHERE n < length(image) GROUP BY 1, 2 ORDER BY 1, 2;
-- a future version, another algorithm, nothing
SELECT mlplat.predict(set_byte(image, 8, 2), ARRAY[1, 2]::float8[]) FROM image WHERE name = 'linear';
SELECT mlplat.predict(sign_image(overlay(image PLACING 'lineup'::bytea FROM position('linear'::bytea IN image))), ARRAY[1, 2]::float8[]) FROM image WHERE name = 'linear';
SELECT mlplat.predict(sign_image(set_byte(image, 20, 3)), ARRAY[1, 2]::float8[]) FROM image WHERE name = 'linear';
SELECT mlplat.coefficients(substr(image, 1, 400)) FROM image WHERE name = 'linear';
SELECT mlplat.coefficients(image) FROM image WHERE name = 'gbdt';
SELECT mlplat.model_info('\x'::bytea);
SELECT mlplat.feature_importance('nobody');
SELECT mlplat.report('nobody');

-- hostile states
CREATE FUNCTION sign_state(state bytea) RETURNS text LANGUAGE sql AS $$ SELECT translate(encode(substr(state, 1, length(state) - 4) || crc32c(substr(state, 1, length(state) - 4)), 'base64'), E'\n', '') $$;
CREATE FUNCTION use_state(state text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mlplat.finish(mlplat.merge(s)) FROM (SELECT state::mlplat.state AS s UNION ALL SELECT state::mlplat.state) u;
    RETURN 'finishes';
EXCEPTION WHEN data_corrupted OR data_exception OR invalid_parameter_value OR invalid_text_representation OR feature_not_supported OR out_of_memory OR datatype_mismatch OR array_subscript_error OR program_limit_exceeded THEN RETURN 'error';
END $$;
CREATE TABLE state AS SELECT 'linear' AS name, decode(mlplat.train_state(y, ARRAY[x, z], '{"algorithm": "linear"}')::text, 'base64') AS state FROM good
UNION ALL SELECT 'gbdt', decode(mlplat.train_state(flag::int, ARRAY[x, z], '{"algorithm": "gbdt", "n_trees": 2, "min_leaf_rows": 1}')::text, 'base64') FROM good WHERE id < 20;
SELECT name, sign_state(state) = translate(encode(state, 'base64'), E'\n', '') AS signed, use_state(sign_state(state)) FROM state;
SELECT name, use_state(encode(substr(state, 1, n), 'base64')) AS result FROM state, generate_series(0, 5000, 31) n WHERE n < length(state) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT name, count(*) FILTER (WHERE result = 'error') > 20 AS some_errors, count(*) FILTER (WHERE result = 'finishes') > 5 AS some_results
FROM (SELECT name, use_state(sign_state(set_byte(state, n, get_byte(state, n) # flip))) AS result FROM state, generate_series(8, 5000, 7) n, (VALUES (1), (255)) f(flip) WHERE n < length(state) - 4 AND n < 700) x GROUP BY name ORDER BY name;

-- the budget of memory: rows beyond it go to a temporary file, and give the same model
CREATE TABLE many AS SELECT i::float8 AS a, i * 2.5 AS b, (i * 7919 % 1000003)::float8 AS c, i % 17 + i % 31 > 20 AS y FROM generate_series(1, 100000) i;
SELECT rows FROM mlplat.create_model('many', 'TABLE many', 'y', 'gbdt', '{"n_trees": 2, "max_bins": 15}');
SET mlplat.training_memory = '2MB';
SELECT rows FROM mlplat.create_model('many', 'TABLE many', 'y', 'gbdt', '{"n_trees": 2, "max_bins": 15}');
SELECT count(DISTINCT image) AS images, count(*) AS versions FROM mlplat.version;
SET temp_file_limit = '64kB';
SELECT mlplat.create_model('many', 'TABLE many', 'y', 'gbdt', '{"n_trees": 2, "max_bins": 15}');
SELECT mlplat.train(m, 'y', '{"algorithm": "gbdt", "n_trees": 2}') FROM many m;
RESET temp_file_limit;
RESET mlplat.training_memory;
SELECT count(*) AS temporary_files FROM pg_ls_tmpdir();
SET mlplat.training_memory = '1kB';
SET mlplat.threads = -1;
SET mlplat.threads = 1000;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA bad CASCADE;
