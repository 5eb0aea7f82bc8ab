-- Roles: what somebody without privileges can do, and cannot.
\set SHOW_CONTEXT never
CREATE SCHEMA rights;
SET search_path = rights;
GRANT USAGE ON SCHEMA rights TO PUBLIC;
CREATE ROLE regress_ml_ann;
CREATE ROLE regress_ml_bob;
CREATE ROLE regress_ml_team;
CREATE ROLE regress_ml_cat IN ROLE regress_ml_team;
CREATE ROLE regress_ml_dan NOINHERIT IN ROLE regress_ml_team;
CREATE TABLE open AS SELECT i AS id, i::float8 AS x, 2.0 * i AS y, CASE WHEN i % 2 = 0 THEN 'regress_ml_ann' ELSE 'regress_ml_bob' END AS owner FROM generate_series(1, 20) i;
CREATE TABLE secret AS SELECT * FROM open;
CREATE TABLE sliced AS SELECT * FROM open;
CREATE TABLE rowwise AS SELECT id, x, CASE owner WHEN 'regress_ml_ann' THEN 2 * x ELSE 30 * x END AS y, owner FROM open;
ALTER TABLE rowwise ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON rowwise USING (owner = current_user);
GRANT SELECT ON open, rowwise TO PUBLIC;
GRANT SELECT (x, y) ON sliced TO PUBLIC;
CREATE FUNCTION slope(model text) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RETURN round(mlplat.predict(model, ARRAY[1]::float8[])::numeric, 3); END $$;

-- everybody may train, keep and use models of their own
SET ROLE regress_ml_ann;
SELECT version, active FROM mlplat.create_model('m', 'SELECT x, y FROM open', 'y', 'linear');
SELECT slope('m');
SELECT name, owner, versions FROM mlplat.models;
SELECT mlplat.save_model('kept', mlplat.train(o, 'y', '{"algorithm": "linear"}')) FROM (SELECT x, 3 * x AS y FROM open) o;
SELECT slope('kept');
-- on the rows and columns that they may read
SELECT mlplat.create_model('bad', 'SELECT x, y FROM secret', 'y', 'linear');
SELECT mlplat.create_model('bad', 'SELECT x, y FROM secret', 'y', 'linear', holdout => 0);
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FROM secret s;
SELECT mlplat.create_model('bad', 'TABLE sliced', 'y', 'linear');
SELECT mlplat.train(s, 'y', '{"algorithm": "linear"}') FROM sliced s;
SELECT rows FROM mlplat.create_model('sliced', 'SELECT x, y FROM sliced', 'y', 'linear');
SELECT mlplat.predict('m', s) FROM sliced s;
SELECT rows, slope('rowwise') FROM mlplat.create_model('rowwise', 'SELECT x, y FROM rowwise', 'y', 'linear', holdout => 0);
SELECT slope('rowwise');
SELECT sum(mlplat.predict('m', r)) > 0 AS some, count(*) FROM rowwise r;
SET ROLE regress_ml_bob;
SELECT rows FROM mlplat.create_model('rowwise', 'SELECT x, y FROM rowwise', 'y', 'linear', holdout => 0);
SELECT slope('rowwise');

-- nobody sees the models of others, nor that they are there
SELECT name, owner FROM mlplat.models;
SELECT name, version, query FROM mlplat.model_versions;
SELECT model, owner FROM mlplat.runs;
SELECT count(*) FROM mlplat.registry;
SELECT count(*) FROM mlplat.version;
SELECT slope('m');
SELECT slope('m@1');
SELECT mlplat.model_info('m');
SELECT * FROM mlplat.coefficients('m');
SELECT * FROM mlplat.feature_importance('m');
SELECT mlplat.report('m');
SELECT mlplat.promote_model('m@1');
SELECT mlplat.rollback_model('m');
SELECT mlplat.drop_model('m');
UPDATE mlplat.registry SET owner = 'regress_ml_bob' WHERE name = 'm';
DELETE FROM mlplat.version;
SELECT count(*) FROM mlplat.version;
TRUNCATE mlplat.registry;
UPDATE mlplat.version SET info = '{}';
-- a function that tells what it sees gets nothing to see
CREATE FUNCTION pg_temp.tell(name text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'sees %', name; RETURN true; END $$;
SELECT name FROM mlplat.models WHERE pg_temp.tell(name);
SELECT name FROM mlplat.model_versions WHERE pg_temp.tell(name);
SELECT model FROM mlplat.runs WHERE pg_temp.tell(model);
-- the same name is free for each; nothing can be put under another's name or into another's model
SELECT mlplat.save_model('m', mlplat.train(o, 'y', '{"algorithm": "linear"}')) FROM (SELECT x, 7 * x AS y FROM open) o;
SELECT slope('m');
INSERT INTO mlplat.registry (name, owner) VALUES ('planted', 'regress_ml_ann');
UPDATE mlplat.registry SET owner = 'regress_ml_ann' WHERE name = 'm';
INSERT INTO mlplat.registry (model_id, name) OVERRIDING SYSTEM VALUE VALUES (1000000, 'ahead');
INSERT INTO mlplat.version (version_id, model_id, version, info, image) OVERRIDING SYSTEM VALUE SELECT 1000000, model_id, 9, '{}', '' FROM mlplat.registry;
INSERT INTO mlplat.version (model_id, version, info, image, created_by) SELECT model_id, 9, '{}', '', 'regress_ml_ann' FROM mlplat.registry;
INSERT INTO mlplat.version (model_id, version, info, image) SELECT 1 + n, 77, '{}', '\x00' FROM generate_series(0, 100) n;
INSERT INTO mlplat.run (model, owner, started_at, seconds, query, algorithm, options, rows, rows_dropped, rows_holdout, promoted) VALUES ('m', 'regress_ml_ann', now(), 0, '', '', '{}', 0, 0, 0, false);
SELECT nextval('mlplat.registry_model_id_seq');
SET ROLE regress_ml_ann;
SELECT slope('m');
SELECT name, owner, versions FROM mlplat.models ORDER BY name;

-- a member acts for its group; one that does not inherit does not
SET ROLE regress_ml_team;
SELECT mlplat.save_model('shared', mlplat.train(o, 'y', '{"algorithm": "linear"}')) FROM (SELECT x, 5 * x AS y FROM open) o;
SET ROLE regress_ml_cat;
SELECT slope('shared');
SELECT mlplat.save_model('shared', mlplat.train(o, 'y', '{"algorithm": "linear"}')) FROM (SELECT x, 6 * x AS y FROM open) o;
SELECT slope('shared'), (SELECT array_agg(owner ORDER BY owner) FROM mlplat.models) AS owners;
SELECT mlplat.drop_model('shared');
SELECT slope('shared');
SET ROLE regress_ml_dan;
SELECT slope('shared');
RESET ROLE;
-- a superuser sees all; a name that several have must be told apart by being one of them
SELECT name, owner FROM mlplat.models ORDER BY 1, 2;
SELECT slope('m');
SELECT slope('shared');
-- roles change within a session, a transaction, a statement; caches do not mix them up
SET ROLE regress_ml_ann;
PREPARE mine AS SELECT round(mlplat.predict('m', ARRAY[1]::float8[])::numeric, 3) AS slope;
EXECUTE mine;
SET ROLE regress_ml_bob;
EXECUTE mine;
SET ROLE regress_ml_cat;
EXECUTE mine;
RESET ROLE;
CREATE FUNCTION as_ann() RETURNS numeric LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN round(mlplat.predict('m', ARRAY[1]::float8[])::numeric, 3); END $$;
ALTER FUNCTION as_ann() OWNER TO regress_ml_ann;
SET ROLE regress_ml_bob;
SELECT slope('m') AS bob, as_ann() AS ann, slope('m') AS bob_again;
DO $$ BEGIN RAISE NOTICE 'bob %, ann %', slope('m'), as_ann(); SET LOCAL ROLE regress_ml_bob; RAISE NOTICE 'bob %', slope('m'); END $$;
-- a view reads its own tables with its owner's rights, and the caller's models
RESET ROLE;
CREATE VIEW scored AS SELECT id, round(mlplat.predict('m', o)::numeric, 3) AS p FROM (SELECT id, x, x AS f1 FROM secret) o;
ALTER VIEW scored OWNER TO regress_ml_ann;
GRANT SELECT ON scored TO PUBLIC;
GRANT SELECT ON secret TO regress_ml_ann;
SET ROLE regress_ml_bob;
SELECT p FROM scored WHERE id = 1;
SET ROLE regress_ml_ann;
SELECT p FROM scored WHERE id = 1;

-- support functions do no harm
SELECT mlplat.state_combine(NULL::mlplat.state, NULL) IS NULL AS harmless;
SELECT mlplat.train_array_transfn(NULL, 1, '{1}', '{}');
SELECT mlplat.train_finalfn(NULL::mlplat.state);
SELECT mlplat.registry_changed();
SELECT count(*) > 0 AS algorithms FROM mlplat.algorithms;
SELECT count(*) > 0 AS parameters FROM mlplat.parameters;
SELECT mlplat.is_owner('regress_ml_bob') AS bob, mlplat.is_owner('regress_ml_ann') AS ann, mlplat.is_owner('nobody') AS nobody;
CREATE TABLE mlplat.mine (x int);
CREATE FUNCTION mlplat.predict(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
DROP FUNCTION mlplat.model_info(text);
ALTER TABLE mlplat.registry DISABLE ROW LEVEL SECURITY;
DROP POLICY owner ON mlplat.registry;
-- a search_path of the caller's own does not lead internal queries astray
RESET ROLE;
SELECT current_database() AS db \gset
GRANT CREATE ON DATABASE :db TO regress_ml_ann;
SET ROLE regress_ml_ann;
CREATE SCHEMA AUTHORIZATION regress_ml_ann;
SET search_path = regress_ml_ann, pg_catalog;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['bigint', 'int', 'text', 'name'] LOOP
        EXECUTE format('CREATE FUNCTION astray(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN RAISE NOTICE ''astray''; RETURN true; END $f$', t);
        EXECUTE format('CREATE OPERATOR = (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = astray)', t);
        EXECUTE format('CREATE OPERATOR <> (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = astray)', t);
        EXECUTE format('CREATE OPERATOR > (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = astray)', t);
    END LOOP;
END $$;
CREATE FUNCTION max(int) RETURNS int LANGUAGE sql AS 'SELECT 1000';
SELECT rights.slope('m');
SELECT version, active FROM mlplat.create_model('m', 'SELECT x, y FROM rights.open', 'y', 'linear', promote => 'always');
SELECT mlplat.promote_model('m@1'), mlplat.rollback_model('m'), mlplat.promote_model('m@1');
SELECT mlplat.drop_model('m@2');
SELECT length(mlplat.report('m')) BETWEEN 1000 AND 10000000 AS report;
SET search_path = rights;
SET client_min_messages = warning;
DROP SCHEMA regress_ml_ann CASCADE;
RESET client_min_messages;
RESET ROLE;
REVOKE CREATE ON DATABASE :db FROM regress_ml_ann;
-- a role that is renamed or dropped: its models stay for superusers
ALTER ROLE regress_ml_cat RENAME TO regress_ml_kat;
SELECT count(*) FROM mlplat.registry WHERE owner = 'regress_ml_kat';
SELECT count(*) AS dropped FROM (SELECT mlplat.drop_model(name || '') FROM mlplat.models WHERE owner = 'regress_ml_team') d;
DELETE FROM mlplat.registry;
DELETE FROM mlplat.run;
DROP OWNED BY regress_ml_ann, regress_ml_bob, regress_ml_team, regress_ml_kat, regress_ml_dan;
DROP ROLE regress_ml_ann, regress_ml_bob, regress_ml_team, regress_ml_kat, regress_ml_dan;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA rights CASCADE;
