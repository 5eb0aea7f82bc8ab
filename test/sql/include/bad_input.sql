-- What every algorithm must bear: a clear error or a model that predicts, on the same list of bad inputs.
-- Before: \set algorithm ... \set task regression|classification|clustering|anomaly|decomposition
--         \set options '{"n_trees": 3}' (beside the algorithm). Leaves nothing behind.
\set ECHO none
SET client_min_messages = warning;
CREATE SCHEMA bad_input;
CREATE TABLE bad_input.good AS
    SELECT i AS id, (i % 13)::float8 AS x, (i % 7)::float8 AS z, chr(97 + i % 3) AS c, 1 + i % 13 * 2 + i % 7 AS y, (i % 13 + i % 3) > 6 AS flag
    FROM generate_series(1, 300) i;

-- The cases; {y} stands for the target column and its comma, and is nothing where there is no target.
CREATE TABLE bad_input.cases (n int GENERATED ALWAYS AS IDENTITY, title text, query text, options jsonb DEFAULT '{}', supervised bool DEFAULT false);
INSERT INTO bad_input.cases (title, query) VALUES
    ('ordinary rows', 'SELECT {y} x, z, c FROM bad_input.good ORDER BY id'),
    ('no row', 'SELECT {y} x, z FROM bad_input.good WHERE false'),
    ('one row', 'SELECT {y} x, z FROM bad_input.good WHERE id = 1'),
    ('two rows', 'SELECT {y} x, z FROM bad_input.good WHERE id IN (1, 9) ORDER BY id'),
    ('the same row 300 times', 'SELECT {y} x, z, c FROM (SELECT g.* FROM bad_input.good g, generate_series(1, 300) WHERE id = 9) q'),
    ('missing values', 'SELECT {y} nullif(x, 3) AS x, CASE WHEN id % 2 = 0 THEN z END AS z, nullif(c, ''a'') AS c FROM bad_input.good ORDER BY id'),
    ('columns that are missing or constant', 'SELECT {y} x, NULL::float8 AS n, NULL::text AS t, NULL::date AS d, 7.5 AS k, ''same''::text AS s, false AS b FROM bad_input.good ORDER BY id'),
    ('only constant columns', 'SELECT {y} 7.5 AS k, ''same''::text AS s FROM bad_input.good ORDER BY id'),
    ('only missing values', 'SELECT {y} NULL::float8 AS n, NULL::text AS t FROM bad_input.good ORDER BY id'),
    ('collinear columns', 'SELECT {y} x, 2 * x AS x2, -x AS x3, x + z AS xz, z FROM bad_input.good ORDER BY id'),
    ('an infinite value', 'SELECT {y} CASE WHEN id = 5 THEN ''infinity'' ELSE x END AS x, z FROM bad_input.good ORDER BY id'),
    ('a value that is not a number', 'SELECT {y} CASE WHEN id = 5 THEN ''NaN'' ELSE x END AS x, z FROM bad_input.good ORDER BY id'),
    ('huge values', 'SELECT {y} x * 1e307 AS x, z * -1e307 AS z FROM bad_input.good ORDER BY id'),
    ('tiny values', 'SELECT {y} x * 1e-307 AS x, z * 1e-300 AS z FROM bad_input.good ORDER BY id'),
    ('huge beside tiny values', 'SELECT {y} x * 1e100 AS x, z * 1e-100 AS z FROM bad_input.good ORDER BY id'),
    ('10,000 levels', 'SELECT {y} i::text AS t, x FROM bad_input.good, generate_series(id * 1000, id * 1000 + 99) i WHERE id <= 100 ORDER BY i'),
    ('dates and booleans', 'SELECT {y} date ''2020-01-01'' + id AS d, timestamp ''2020-01-01 10:00'' + id * interval ''7 hours'' AS t, id % 2 = 0 AS b FROM bad_input.good ORDER BY id'),
    ('names with quotes and capitals', 'SELECT {y} x AS "X ""y""", z AS "sel''ect", c AS "é{}\n" FROM bad_input.good ORDER BY id');
INSERT INTO bad_input.cases (title, query)
    SELECT 'more columns than rows', format('SELECT {y} %s FROM bad_input.good WHERE id <= 12 ORDER BY id', string_agg(format('(id * %s %% 37)::float8 AS c%s', k * k + 1, k), ', ')) FROM generate_series(1, 40) k;
INSERT INTO bad_input.cases (title, query, options) VALUES
    ('weights of zero', 'SELECT {y} x, z, id % 2 AS w FROM bad_input.good ORDER BY id', '{"weight": "w"}'),
    ('all weights zero', 'SELECT {y} x, z, 0 AS w FROM bad_input.good ORDER BY id', '{"weight": "w"}'),
    ('a negative weight', 'SELECT {y} x, z, 1 - 2 * (id = 9)::int AS w FROM bad_input.good ORDER BY id', '{"weight": "w"}'),
    ('a missing weight', 'SELECT {y} x, z, nullif(id, 9) AS w FROM bad_input.good ORDER BY id', '{"weight": "w"}'),
    ('a huge and a tiny weight', 'SELECT {y} x, z, CASE id WHEN 1 THEN 1e150 WHEN 2 THEN 1e-150 ELSE 1 END AS w FROM bad_input.good ORDER BY id', '{"weight": "w"}'),
    ('an unknown option', 'SELECT {y} x FROM bad_input.good ORDER BY id', '{"nonsense": 1}'),
    ('an option of another type', 'SELECT {y} x FROM bad_input.good ORDER BY id', '{"seed": "one"}'),
    ('an unknown column left out', 'SELECT {y} x FROM bad_input.good ORDER BY id', '{"exclude": ["nobody"]}');
INSERT INTO bad_input.cases (title, query, supervised) VALUES
    ('a target that is missing', 'SELECT NULL::int AS y, x FROM bad_input.good ORDER BY id', true),
    ('a constant target', 'SELECT 5 AS y, x FROM bad_input.good ORDER BY id', true),
    ('a target that is the feature', 'SELECT y, y::text AS copy FROM (SELECT {y} id FROM bad_input.good ORDER BY id) q', true),
    ('a target of text', 'SELECT c AS y, x FROM bad_input.good ORDER BY id', true),
    ('no feature', 'SELECT {y} id FROM bad_input.good ORDER BY id', true),
    ('classes that a column separates', 'SELECT id > 150 AS y, id AS x, z FROM bad_input.good ORDER BY id', true),
    ('a class of one row', 'SELECT (id = 150)::int AS y, x, z FROM bad_input.good ORDER BY id', true),
    ('an infinite target', 'SELECT CASE WHEN id = 5 THEN ''infinity'' ELSE x END AS y, z FROM bad_input.good ORDER BY id', true),
    ('a target that does not exist', 'SELECT x, z FROM bad_input.good ORDER BY id', true);
UPDATE bad_input.cases SET options = '{"exclude": ["id"]}' WHERE title = 'no feature';

-- Train, then use the model on the same rows, on missing values and on what training did not see.
CREATE FUNCTION bad_input.try(query text, options jsonb, task text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    image bytea; says text; tip text; n bigint; bad bigint; unseen jsonb;
    face text := CASE task WHEN 'decomposition' THEN 'mlplat.transform(%L::bytea, %s)' ELSE 'ARRAY[mlplat.predict(%L::bytea, %s)]' END;
    target text := CASE WHEN task IN ('regression', 'classification') THEN '''y''' ELSE 'NULL' END;
BEGIN
    EXECUTE format('SELECT mlplat.train(q, %s, %L) FROM (%s) q', target, options, query) INTO image;
    IF image IS NULL THEN RETURN 'no image'; END IF;
    says := (mlplat.model_info(image) ->> 'task') || ' of ' || (mlplat.model_info(image) ->> 'rows') || ' rows';
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE p IS NULL OR EXISTS (SELECT FROM unnest(p) v WHERE v IS NULL OR v::text IN (''NaN'', ''Infinity'', ''-Infinity''))) FROM (SELECT ' || face || ' AS p FROM (%s) q) s', image, 'q', query) INTO n, bad;
    IF bad > 0 THEN says := says || ', ' || bad || ' of ' || n || ' predictions unusable'; END IF;
    EXECUTE format('SELECT jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = ''string'' AND value #>> ''{}'' !~ ''^[0-9]{4}-'' THEN ''"never seen"'' ELSE ''null''::jsonb END) FROM (SELECT to_jsonb(q) AS j FROM (%s) q LIMIT 1) s, jsonb_each(j)', query) INTO unseen;
    EXECUTE format('SELECT count(*) FROM (SELECT ' || face || ' AS p) s WHERE p IS NULL OR EXISTS (SELECT FROM unnest(p) v WHERE v IS NULL OR v::text IN (''NaN'', ''Infinity'', ''-Infinity''))', image, quote_literal(unseen) || '::jsonb') INTO bad;
    RETURN says || CASE WHEN bad > 0 THEN ', no prediction for missing values and unseen levels' ELSE '' END;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS tip = PG_EXCEPTION_HINT;
    RETURN sqlstate || ' ' || sqlerrm || CASE WHEN tip <> '' THEN ' (' || tip || ')' ELSE '' END;
END $$;
\pset format unaligned
SELECT title, bad_input.try(replace(query, '{y}', CASE :'task' WHEN 'regression' THEN 'y,' WHEN 'classification' THEN 'flag AS y,' ELSE '' END),
                            jsonb_build_object('algorithm', :'algorithm', 'task', :'task') || options || :'options'::jsonb, :'task') AS says
FROM bad_input.cases WHERE NOT supervised OR :'task' IN ('regression', 'classification') ORDER BY n;
-- other tasks
SELECT task, regexp_replace(bad_input.try('SELECT ' || target || ' x, z FROM bad_input.good ORDER BY id', jsonb_build_object('algorithm', :'algorithm', 'task', task) || :'options'::jsonb, task), ' \(Algorithms for.*', '') AS says
FROM (VALUES ('regression', 'y,'), ('classification', 'flag AS y,'), ('clustering', ''), ('anomaly', ''), ('decomposition', '')) t(task, target)
WHERE task <> :'task';
\pset format aligned
DROP SCHEMA bad_input CASCADE;
RESET client_min_messages;
\set ECHO all
