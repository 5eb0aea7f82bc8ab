-- The registry: versions, promotion, roll-back, names, hostile content.
\set SHOW_CONTEXT never
CREATE SCHEMA registry;
SET search_path = registry;

-- images that predict their slope, so that a prediction tells the version
CREATE FUNCTION slope(g float8) RETURNS bytea LANGUAGE sql AS
$$ SELECT mlplat.train(x * g, ARRAY[x], '{"algorithm": "linear"}') FROM generate_series(1, 5) x $$;
CREATE FUNCTION answer(model text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN round(mlplat.predict(model, ARRAY[1]::float8[])); END $$;
SELECT mlplat.save_model('m', slope(1)) AS version, answer('m') AS answer;
SELECT mlplat.save_model('m', slope(2)) AS version, answer('m') AS answer;
SELECT mlplat.save_model('m', slope(3)) AS version, answer('m') AS answer;
SELECT answer('m@1') AS one, answer('m@2') AS two, answer('m@3') AS three;
SELECT name, active_version, versions, algorithm, task, target, rows, metric, score FROM mlplat.models;
SELECT name, version, active, algorithm, rows, metric, query IS NULL AS no_query, image_bytes > 100 AS image FROM mlplat.model_versions ORDER BY version;

-- forth and back
SELECT mlplat.promote_model('m@1') AS version, answer('m') AS answer;
SELECT mlplat.promote_model('m@1') AS version, answer('m') AS answer;
SELECT active_history FROM mlplat.registry WHERE name = 'm';
SELECT mlplat.rollback_model('m') AS version, answer('m') AS answer;
SELECT mlplat.rollback_model('m') AS version, answer('m') AS answer;
SELECT mlplat.rollback_model('m') AS version, answer('m') AS answer;
SELECT mlplat.rollback_model('m');
SELECT answer('m');
-- a version that is gone is not gone back to, and no turn is counted twice
SELECT mlplat.promote_model('m@2'), mlplat.promote_model('m@1'), mlplat.promote_model('m@3');
SELECT mlplat.drop_model('m@3');
SELECT mlplat.drop_model('m@2');
SELECT active_history FROM mlplat.registry WHERE name = 'm';
SELECT mlplat.rollback_model('m') AS version, answer('m') AS answer;
SELECT mlplat.rollback_model('m');
SELECT mlplat.save_model('m', slope(4)) AS version, answer('m') AS answer;
SELECT mlplat.drop_model('m@3');
-- a number is not used again
SELECT mlplat.save_model('m', slope(5)) AS version;
SELECT mlplat.promote_model('m@1'), mlplat.drop_model('m@5');
SELECT mlplat.save_model('m', slope(6)) AS version, answer('m') AS answer;

-- errors
SELECT mlplat.promote_model('m');
SELECT mlplat.promote_model('m@9');
SELECT mlplat.promote_model('m@');
SELECT mlplat.promote_model('nobody@1');
SELECT mlplat.rollback_model('nobody');
SELECT mlplat.rollback_model('m@1');
SELECT mlplat.drop_model('nobody');
SELECT mlplat.drop_model('m@9');
SELECT mlplat.drop_model('m@6');
SELECT mlplat.promote_model(NULL) IS NULL AS strict;
SELECT mlplat.save_model('bad', '');
SELECT mlplat.save_model('bad', 'garbage');
SELECT mlplat.save_model('bad', convert_to('MLPLATIM and then garbage', 'UTF8'));
SELECT mlplat.save_model('bad', substr(slope(1), 1, 100));
SELECT mlplat.save_model('bad', slope(1) || '\x00');
SELECT mlplat.save_model('bad@1', slope(1));
SELECT mlplat.save_model('', slope(1));
SELECT mlplat.save_model(repeat('x', 256), slope(1));
SELECT mlplat.save_model(repeat('€', 10000), slope(1));
SELECT mlplat.predict(repeat('€', 10000), ARRAY[1]::float8[]);
SELECT mlplat.predict(repeat('€', 10000) || '@x', ARRAY[1]::float8[]);
SELECT count(*) AS models FROM mlplat.models;

-- names may be anything else
CREATE TABLE name (name text);
INSERT INTO name VALUES ('Upper Case'), ('it''s "quoted"'), ('emoji 🚀 über'), (E'tab\tnewline\n'), ('a; DROP TABLE name; --'), ('1'), (' blank '), (repeat('n', 255)), ('$1'), ('%s'), ('\x41');
SELECT count(mlplat.save_model(name, slope(7))) AS saved, count(DISTINCT answer(name)) AS answers FROM name;
SELECT bool_and(answer(name) = 7) AS right, bool_and(answer(name || '@1') = 7) AS version FROM name;
SELECT count(*) FROM mlplat.create_model('it''s "quoted"', 'SELECT x::float8 AS "X ""x"" 🚀", x * 8.0 AS "y''y" FROM generate_series(1, 5) x', 'y''y', 'linear', holdout => 0);
SELECT answer('it''s "quoted"'), (SELECT count(*) FROM mlplat.coefficients('it''s "quoted"') WHERE feature = 'X "x" 🚀') AS feature;
SELECT count(mlplat.drop_model(name)) AS dropped FROM name;

-- what a transaction did and took back was never there
SELECT mlplat.save_model('t', slope(1)) AS version;
BEGIN;
SELECT mlplat.save_model('t', slope(2)) AS version, answer('t') AS answer;
SAVEPOINT s;
SELECT mlplat.save_model('t', slope(3)) AS version, answer('t') AS answer;
ROLLBACK TO s;
SELECT answer('t') AS answer;
SELECT mlplat.save_model('t', slope(4)) AS version, answer('t') AS answer;
ROLLBACK;
SELECT answer('t') AS answer;
SELECT mlplat.save_model('t', slope(5)) AS version, answer('t') AS answer, answer('t@2') AS two;
-- also in one expression that lives through it
DO $$
BEGIN
    FOR i IN 1..3 LOOP
        BEGIN
            PERFORM mlplat.save_model('t', slope(10 + i));
            RAISE NOTICE 'inside %', answer('t');
            RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'after %', answer('t');
        END;
    END LOOP;
    PERFORM mlplat.promote_model('t@1');
    RAISE NOTICE 'promoted %', answer('t');
    PERFORM mlplat.drop_model('t');
    RAISE NOTICE 'dropped %', answer('t');
EXCEPTION WHEN undefined_object THEN RAISE NOTICE 'gone, with what came before in this block: %', answer('t');
END $$;
-- a statement sees the registry as it was when it began
SELECT answer('t') AS before, mlplat.promote_model('t@1') AS promoted, mlplat.predict('t', ARRAY[1]::float8[])::int AS after;
SELECT answer('t');
-- a cursor too
BEGIN;
DECLARE c CURSOR FOR SELECT round(mlplat.predict('t', ARRAY[x]::float8[])) AS answer FROM generate_series(1, 3) x;
FETCH c;
SELECT mlplat.promote_model('t@2');
FETCH c;
SELECT mlplat.drop_model('t');
FETCH c;
COMMIT;
SELECT answer('t');
-- no active version
SELECT mlplat.save_model('idle', slope(1)) AS version;
UPDATE mlplat.registry SET active_history = '{}' WHERE name = 'idle';
SELECT answer('idle');
SELECT answer('idle@1');
SELECT mlplat.model_info('idle');
SELECT active_version FROM mlplat.models WHERE name = 'idle';
SELECT mlplat.rollback_model('idle');
SELECT mlplat.promote_model('idle@1'), answer('idle');

-- facts of an image are what its maker wrote; whoever looks at the registry sees no error
INSERT INTO mlplat.version (model_id, version, info, image)
SELECT model_id, v, info::jsonb, '\x00' FROM mlplat.registry, (VALUES (10, '{"rows": "many", "dropped": 1e300, "holdout_rows": -1, "classes": 1, "metrics": []}'), (11, '[]'), (12, '"text"'), (13, 'null'), (14, '{"rows": null, "metrics": {"auc": {}}}')) i(v, info)
WHERE name = 'idle';
UPDATE mlplat.registry SET active_history = '{10}' WHERE name = 'idle';
SELECT name, active_version, rows FROM mlplat.models WHERE name = 'idle';
SELECT version, rows, rows_dropped, rows_holdout FROM mlplat.model_versions WHERE name = 'idle' ORDER BY version;
SELECT answer('idle');
SELECT mlplat.report('idle');
SELECT mlplat.model_info('idle');
\set VERBOSITY terse
INSERT INTO mlplat.version (model_id, version, info, image) SELECT model_id, 0, '{}', '' FROM mlplat.registry LIMIT 1;
INSERT INTO mlplat.registry (name) VALUES ('a@b');
UPDATE mlplat.registry SET name = '' WHERE name = 'idle';
\set VERBOSITY default
-- versions that an active_history names need not be there
UPDATE mlplat.registry SET active_history = '{99}' WHERE name = 'idle';
SELECT answer('idle');
SELECT active_version FROM mlplat.models WHERE name = 'idle';

-- rows that go by hand take their versions with them
DELETE FROM mlplat.registry WHERE name = 'idle';
SELECT count(*) FROM mlplat.version v WHERE NOT EXISTS (SELECT FROM mlplat.registry r WHERE r.model_id = v.model_id);
CREATE TRIGGER misused BEFORE DELETE ON name FOR EACH ROW EXECUTE FUNCTION mlplat.registry_deleted();
DELETE FROM name;
DROP TRIGGER misused ON name;
-- dropping and making the extension anew in one session
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
SELECT mlplat.save_model('again', slope(1)), answer('again');
PREPARE again AS SELECT round(mlplat.predict('again', ARRAY[1]::float8[])) AS answer;
EXECUTE again;
EXECUTE again;
DROP EXTENSION mlplat;
SELECT count(*) AS left_over FROM pg_depend d WHERE deptype = 'e' AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.oid = refobjid);
SELECT count(*) AS objects FROM pg_namespace WHERE nspname = 'mlplat';
EXECUTE again;
CREATE EXTENSION mlplat;
EXECUTE again;
SELECT mlplat.save_model('again', slope(2)), answer('again');
SELECT version_id FROM mlplat.version;
EXECUTE again;
SELECT mlplat.drop_model('again');
\set VERBOSITY terse
DROP SCHEMA registry CASCADE;
