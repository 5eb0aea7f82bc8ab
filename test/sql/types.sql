-- Types of columns: as features, as targets, as levels, in arrays; and what is refused.
\set SHOW_CONTEXT never
CREATE SCHEMA typed;
SET search_path = typed;
CREATE FUNCTION features(image bytea) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(feature, ', ' ORDER BY feature) FROM mlplat.coefficients(image) WHERE feature <> '(intercept)' $$;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN age AS int CHECK (value >= 0);
CREATE DOMAIN old_age AS age CHECK (value > 60);
CREATE DOMAIN feeling AS mood;
CREATE DOMAIN word AS varchar(10);
CREATE DOMAIN padded AS char(6);
CREATE DOMAIN precise AS real;
CREATE DOMAIN vector AS float8[];
CREATE TABLE every AS SELECT i AS id,
    i % 2 = 0 AS bool, (i % 3)::int2 AS int2, (i % 5)::int4 AS int4, (i % 7)::int8 AS int8, (i % 4 / 2.0)::float4 AS float4, (i % 9)::float8 AS float8, (i % 6 / 10.0)::numeric AS numeric,
    date '2024-01-01' + i % 90 AS date, time '08:00' + i % 11 * interval '5 min' AS time, timestamp '2024-01-01' + i % 13 * interval '10 hours' AS timestamp,
    timestamptz '2024-01-01 00:00+00' + i % 17 * interval '11 hours' AS timestamptz, i % 8 * interval '1 day 2 hours' AS interval,
    ('t' || i % 3) AS text, ('v' || i % 3)::varchar(5) AS varchar, ('c' || i % 3)::char(8) AS char, ('n' || i % 3)::name AS name, chr(97 + i % 3)::"char" AS "char""",
    (ARRAY['sad','ok','happy'])[1 + i % 3]::mood AS enum, ('00000000-0000-0000-0000-00000000000' || i % 3)::uuid AS uuid,
    (i % 10)::age AS domain_int, ('d' || i % 3)::padded AS domain_char, (i % 4 / 10.0)::precise AS domain_real, ARRAY[i % 4 / 10.0]::precise[] AS precises, (61 + i % 10)::old_age AS domain_domain, (ARRAY['sad','ok','happy'])[1 + i % 3]::feeling AS domain_enum, ('w' || i % 3)::word AS domain_text,
    ARRAY[i % 3, i % 4]::int[] AS ints, ARRAY[i % 3, i % 5]::float8[] AS floats, ARRAY[i % 2, i % 5]::float4[] AS reals, ARRAY[i % 3, i % 7]::int8[] AS longs, ARRAY[i % 3, i % 7]::numeric[] AS numerics,
    ARRAY[i % 3, i % 7]::int2[] AS shorts, ARRAY[i % 3, i % 7]::vector AS domain_array, ARRAY[i % 3, i % 7]::age[] AS array_of_domain, (i % 97)::float8 AS y
FROM generate_series(1, 300) i;

-- each alone: its features; the prediction of the row, of its jsonb, after a dump of the value to text and back
CREATE TABLE model (name text, type text, image bytea);
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT attname, atttypid::regtype AS type FROM pg_attribute WHERE attrelid = 'every'::regclass AND attnum > 0 AND attname NOT IN ('id', 'y') ORDER BY attnum LOOP
        EXECUTE format('INSERT INTO model SELECT %L, %L, mlplat.train(s, ''y'', ''{"algorithm": "linear"}'') FROM (SELECT %I, y FROM every) s', c.attname, c.type, c.attname);
    END LOOP;
END $$;
SELECT name, type, features(image) FROM model;
SELECT m.name, count(*) FILTER (WHERE mlplat.predict(image, e) = mlplat.predict(image, to_jsonb(e))) AS jsonb,
       count(*) FILTER (WHERE mlplat.predict(image, e) = mlplat.predict(image, jsonb_populate_record(NULL::every, to_jsonb(e)))) AS through_text
FROM model m, every e GROUP BY m.name HAVING count(*) FILTER (WHERE mlplat.predict(image, e) = mlplat.predict(image, to_jsonb(e))) < 300 OR count(*) FILTER (WHERE mlplat.predict(image, e) = mlplat.predict(image, jsonb_populate_record(NULL::every, to_jsonb(e)))) < 300;
-- the same in another session's settings
CREATE TABLE before AS SELECT m.name, e.id, mlplat.predict(image, e) AS p FROM model m, every e;
SET timezone = 'Pacific/Chatham';
SET datestyle = 'German';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -5;
SELECT count(*) AS rows, count(*) FILTER (WHERE p = mlplat.predict(image, e)) AS same FROM before JOIN model m USING (name) JOIN every e USING (id);
-- and trained there
SELECT count(*) AS different FROM model, LATERAL (SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') AS again FROM (SELECT timestamptz, y FROM every) s) a WHERE name = 'timestamptz' AND again <> image;
RESET timezone;
RESET datestyle;
RESET intervalstyle;
RESET extra_float_digits;

-- any number fits a number, any text a level, timestamps a date
SELECT mlplat.predict(image, r) IS NOT NULL AS fits FROM model, (SELECT 1::numeric AS int4) r WHERE name = 'int4';
SELECT mlplat.predict(image, ROW(true)) = mlplat.predict(image, ROW(1::int8)) AS bool_is_one FROM model WHERE name = 'int4';
SELECT mlplat.predict(image, ROW('c1'::text)) = mlplat.predict(image, ROW('c1'::char(30))) AS blanks, mlplat.predict(image, ROW('c1   '::text)) = mlplat.predict(image, ROW('c1'::text)) AS of_text FROM model WHERE name = 'char';
SELECT mlplat.predict(image, ROW(timestamp '2024-01-02 00:00')) = mlplat.predict(image, ROW(date '2024-01-02')) AS midnight FROM model WHERE name = 'date';
SELECT mlplat.predict(image, ROW(3600)) = mlplat.predict(image, ROW(time '01:00')) AS seconds, mlplat.predict(image, ROW(interval '1 hour')) = mlplat.predict(image, ROW(3600::float8)) AS interval FROM model WHERE name = 'time';
SELECT mlplat.predict(image, ROW(ARRAY[1, 2]::numeric[])) = mlplat.predict(image, ROW(ARRAY[1, 2]::float8[])) AS arrays, mlplat.predict(image, '{1,2}'::float8[]) = mlplat.predict(image, ROW(ARRAY[1, 2])) AS slots FROM model WHERE name = 'ints';
SELECT mlplat.predict(image, ROW(ARRAY[1])) FROM model WHERE name = 'ints';
SELECT mlplat.predict(image, ROW(1)) FROM model WHERE name = 'ints';
SELECT mlplat.predict(image, '{"ints": [1]}'::jsonb) FROM model WHERE name = 'ints';
SELECT mlplat.predict(image, '{"ints": [1, "a"]}'::jsonb) FROM model WHERE name = 'ints';
SELECT mlplat.predict(image, '{"ints": [[1, 2], [3, 4]]}'::jsonb) FROM model WHERE name = 'ints';
SELECT mlplat.predict(image, '{"ints": [1, null]}'::jsonb) = mlplat.predict(image, ROW(ARRAY[1, NULL])) AS null_element, mlplat.predict(image, '{"ints": null}'::jsonb) = mlplat.predict(image, ROW(NULL::int[])) AS null_array FROM model WHERE name = 'ints';
SELECT mlplat.predict(image, ROW('text'::text)) FROM model WHERE name = 'int4';
SELECT mlplat.predict(image, ROW(date '2024-01-01')) FROM model WHERE name = 'int4';
SELECT mlplat.predict(image, ROW(1)) FROM model WHERE name = 'date';
SELECT mlplat.predict(image, ROW(ARRAY['a'])) FROM model WHERE name = 'text';
SELECT mlplat.predict(image, ROW(interval '1 day')) FROM model WHERE name = 'text';
SELECT mlplat.predict(image, ROW('(1,2)'::point)) FROM model WHERE name = 'text';

-- anything as levels
CREATE TABLE level AS SELECT i, (i % 3)::float8 / 10 AS f8, (i % 3)::float4 / 10 AS f4, 1e20 * (i % 3)::float8 AS large, (i % 3 + 0.10)::numeric(5,2) AS n, i % 3 AS i4, i % 2 = 0 AS b, date '2024-02-28' + i % 3 AS d,
    timestamp '2024-02-28 12:00:00.5' + i % 3 * interval '1 day' AS ts, timestamptz '2024-03-30 23:00+00' + i % 3 * interval '1 day' AS tz, time '23:59:59.5' - i % 3 * interval '1 hour' AS t, (i % 3 * 5)::float8 AS y FROM generate_series(1, 90) i;
SELECT mlplat.train(l, 'y', '{"algorithm": "linear", "exclude": ["i"], "prep": {"f8": {"as": "categorical"}, "f4": {"as": "categorical"}, "large": {"as": "categorical"}, "n": {"as": "categorical"}, "i4": {"as": "categorical"},
    "b": {"as": "categorical"}, "d": {"as": "categorical"}, "ts": {"as": "categorical"}, "tz": {"as": "categorical"}, "t": {"as": "categorical"}}}') AS levels FROM level l \gset
SELECT features(:'levels'::bytea);
SET timezone = 'America/New_York';
SET datestyle = 'SQL';
SET extra_float_digits = 0;
SELECT count(*) FILTER (WHERE abs(mlplat.predict(:'levels'::bytea, l) - y) < 1e-6) AS right, count(*) FILTER (WHERE mlplat.predict(:'levels'::bytea, l) = mlplat.predict(:'levels'::bytea, to_jsonb(l))) AS jsonb FROM level l;
RESET timezone;
RESET datestyle;
RESET extra_float_digits;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear", "prep": {"interval": {"as": "categorical"}}}') FROM (SELECT interval, y FROM every) s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear", "prep": {"ints": {"as": "categorical"}}}') FROM (SELECT ints, y FROM every) s;

SELECT mlplat.predict('\x4d4c', ROW(1));
-- infinite dates, the ends of their range, years BC
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') AS dates FROM (SELECT date '2024-01-01' + i AS d, timestamp '2024-01-01' + i * interval '1 day' AS t, i::float8 AS y FROM generate_series(1, 100) i) s \gset
SELECT d, mlplat.predict(:'dates'::bytea, r) IS NOT NULL AS predicted, mlplat.predict(:'dates'::bytea, r) = mlplat.predict(:'dates'::bytea, to_jsonb(r)) AS jsonb
FROM (VALUES (date 'infinity', timestamp '-infinity'), ('-infinity', 'infinity'), ('4713-01-01 BC', '4713-01-01 BC'), ('0001-01-01 BC', '0001-12-31 23:59:59.999999 BC'), ('5874897-12-31', '294276-12-31 23:59:59.999999'), ('2000-02-29', '1999-12-31 23:59:59.999999'), (NULL, NULL)) r(d, t);

-- targets
SELECT t AS target, mlplat.model_info(image) ->> 'task' AS task, mlplat.model_info(image) -> 'classes' AS classes FROM (
    SELECT 'bool' AS t, mlplat.train(s, 'bool', '{"algorithm": "gbdt", "n_trees": 1}') AS image FROM (SELECT bool, y FROM every) s
    UNION ALL SELECT 'int2, three values', mlplat.train(s, 'int2', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT int2, y FROM every) s
    UNION ALL SELECT 'int2, two values', mlplat.train(s, 'int2', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT int2, y FROM every WHERE int2 > 0) s
    UNION ALL SELECT 'int2, asked for', mlplat.train(s, 'int2', '{"algorithm": "gbdt", "n_trees": 1, "task": "classification"}') FROM (SELECT int2, y FROM every) s
    UNION ALL SELECT 'int2, two, not asked for', mlplat.train(s, 'int2', '{"algorithm": "gbdt", "n_trees": 1, "task": "regression"}') FROM (SELECT int2, y FROM every WHERE int2 > 0) s
    UNION ALL SELECT 'float8, two values', mlplat.train(s, 'float8', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT float8, y FROM every WHERE float8 < 2) s
    UNION ALL SELECT 'float4, as classes', mlplat.train(s, 'float4', '{"algorithm": "gbdt", "n_trees": 1, "task": "classification"}') FROM (SELECT float4, y FROM every) s
    UNION ALL SELECT 'numeric', mlplat.train(s, 'numeric', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT numeric, y FROM every) s
    UNION ALL SELECT 'text', mlplat.train(s, 'text', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT text, y FROM every) s
    UNION ALL SELECT 'char', mlplat.train(s, 'char', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT "char", y FROM every) s
    UNION ALL SELECT 'name', mlplat.train(s, 'name', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT name, y FROM every) s
    UNION ALL SELECT 'enum', mlplat.train(s, 'enum', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT enum, y FROM every) s
    UNION ALL SELECT 'uuid', mlplat.train(s, 'uuid', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT uuid, y FROM every) s
    UNION ALL SELECT 'domain', mlplat.train(s, 'domain_enum', '{"algorithm": "gbdt", "n_trees": 1}') FROM (SELECT domain_enum, y FROM every) s) q;
SELECT mlplat.train(e, 'date', '{"algorithm": "linear"}') FROM every e;
SELECT mlplat.train(e, 'interval', '{"algorithm": "linear"}') FROM every e;
SELECT mlplat.train(e, 'ints', '{"algorithm": "linear"}') FROM every e;
SELECT mlplat.train(s, 'p', '{"algorithm": "linear"}') FROM (SELECT '(1,2)'::point AS p, y FROM every) s;

-- what cannot be a feature
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['''\x00''::bytea', '''{}''::json', '''{}''::jsonb', '1::money', '''12:00+02''::timetz', '''(1,2)''::point', '''127.0.0.1''::inet', '''1''::bit', '''{}''::text[]', '''{t}''::bool[]', '''{2024-01-01}''::date[]',
        '''[1,2)''::int4range', '1::oid', '''pg_class''::regclass', 'ROW(1, 2)', 'NULL::every', '''a''::tsvector', '''{{1}}''::int[][]'] LOOP
        BEGIN
            EXECUTE format('SELECT mlplat.train(s, ''y'', ''{"algorithm": "linear"}'') FROM (SELECT %s AS x, y FROM every) s', t);
            RAISE NOTICE '% is taken', t;
        EXCEPTION WHEN feature_not_supported THEN RAISE NOTICE '%', SQLERRM;
        END;
    END LOOP;
END $$;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FROM (SELECT '{}'::jsonb AS "my doc", y FROM every) s;
-- arrays of one length only, and known at the first row
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FROM (SELECT CASE WHEN id < 9 THEN ints ELSE ints[1:1] END AS ints, y FROM every ORDER BY id) s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FROM (SELECT CASE WHEN id > 1 THEN ints END AS ints, y FROM every ORDER BY id) s;
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FROM (SELECT '{}'::int[] AS ints, y FROM every ORDER BY id) s;
SELECT features(mlplat.train(s, 'y', '{"algorithm": "linear"}')) FROM (SELECT CASE WHEN id < 5 THEN ints END AS ints, y FROM every ORDER BY id) s;
SELECT rows FROM mlplat.create_model('arrays', 'SELECT ints, floats, y FROM every', 'y', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('arrays', 'SELECT ints, floats, y FROM every WHERE false', 'y', 'linear', holdout => 0);
SELECT mlplat.drop_model('arrays');
DELETE FROM mlplat.run;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA typed CASCADE;
