-- Clean: bad input ends in a clear error, and with nothing half done.
\set SHOW_CONTEXT errors
CREATE SCHEMA clean_errors;
SET search_path = clean_errors;
CREATE TABLE t AS SELECT i AS id, i % 3 AS g, CASE WHEN i % 4 = 0 THEN NULL ELSE i::float8 END AS x, 'v' || i % 2 AS c, i::text AS num FROM generate_series(1, 20) i;
CREATE VIEW seen AS SELECT * FROM t;

-- arguments
SELECT * FROM mlplat.clean(NULL, 'a', '["trim"]');
SELECT * FROM mlplat.clean('TABLE t', NULL, '["trim"]');
SELECT * FROM mlplat.clean('TABLE t', 'a', NULL);
SELECT * FROM mlplat.clean('TABLE t', 'a', '["trim"]', replace => NULL);
SELECT * FROM mlplat.apply_cleaning(NULL, 'TABLE t', 'a');
SELECT mlplat.drop_cleaning(NULL) IS NULL AS nothing;

-- the query
SELECT * FROM mlplat.clean('', 'a', '["trim"]');
SELECT * FROM mlplat.clean('t', 'a', '["trim"]');
SELECT * FROM mlplat.clean('DELETE FROM t', 'a', '["trim"]');
SELECT * FROM mlplat.clean('SELECT 1; SELECT 2', 'a', '["trim"]');
SELECT * FROM mlplat.clean('SELECT 1, 2', 'a', '["trim"]');
SELECT * FROM mlplat.clean('SELECT 1 AS x, 2 AS x', 'a', '["trim"]');
SELECT * FROM mlplat.clean('SELECT ROW(1, 2) AS r', 'a', '["trim"]');
SELECT * FROM mlplat.clean('SELECT num::int / (id - 7) AS x FROM t', 'a', '["trim"]');
CREATE FUNCTION empty_t() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM clean_errors.t; RETURN 1; END $$;
SELECT * FROM mlplat.clean('SELECT empty_t() AS x', 'a', '["trim"]');
SELECT * FROM mlplat.clean('SELECT (mlplat.clean(''TABLE t'', ''b'', ''["trim"]'')).step AS x', 'a', '["trim"]');

-- the target
SELECT * FROM mlplat.clean('TABLE t', '', '["trim"]');
SELECT * FROM mlplat.clean('TABLE t', 'a.b.c.d', '["trim"]');
SELECT * FROM mlplat.clean('TABLE t', 'nosuch.a', '["trim"]');
SELECT * FROM mlplat.clean('TABLE t', 't', '["trim"]');
SELECT * FROM mlplat.clean('TABLE t', 'seen', '["trim"]', replace => true);
SELECT * FROM mlplat.clean('TABLE t', 't', '["trim"]', replace => true);
BEGIN READ ONLY;
SELECT * FROM mlplat.clean('TABLE t', 'a', '["trim"]');
ROLLBACK;

-- the form of steps
SELECT * FROM mlplat.clean('TABLE t', 'a', '{}');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[1]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"trim": {}, "lower": {}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"trim": 1}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '["trim", "normalise"]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"column": "x"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', (SELECT jsonb_agg('trim'::text) FROM generate_series(1, 101)));

-- options
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"trim": {"columns": []}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"trim": {"columns": [1]}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '["fill"]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"with": "medain"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"with": "median", "value": 1}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"with": "constant", "columns": "x"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"value": 1}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"value": [1], "columns": "x"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"with": "previous"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"with": "mean", "order_by": "id"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"drop_duplicates": {"order_by": "id"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '["map"]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"map": {"columns": "c", "values": []}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"map": {"columns": "c", "values": {"a": {}}}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"cast": "c"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"cast": {"columns": "c", "type": "int", "default": 1}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"cast": {"columns": "c", "type": "int", "on_error": "default"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"clip": {"by": "quantile", "lower": 2}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"clip": {"by": "quantile", "lower": 0.99}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"clip": {"by": "zscore", "lower": 2}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"clip": {"by": "bounds", "columns": "x"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"clip": {"by": "bounds", "columns": "x", "lower": 2, "upper": 1}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"clip": {"factor": -1}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '["drop_columns"]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"group_rare": {"min_share": 2}}]');

-- columns
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"columns": "X", "with": "median"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"columns": "c", "with": "mean"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"columns": "c", "with": "median"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"lower": ["c", "id"]}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"lower": ["c", "c"]}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"drop_duplicates": {"key": "g", "order_by": "when"}}]');
SELECT * FROM mlplat.clean('SELECT ''{}''::json AS j', 'a', '["drop_duplicates"]');
SELECT * FROM mlplat.clean('SELECT ''{}''::json AS j, 1 AS k', 'a', '[{"drop_duplicates": {"key": "k", "order_by": "j"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"drop_columns": "x"}, {"fill": {"columns": "x", "with": "median"}}]');
SELECT * FROM mlplat.clean('SELECT id, 1 AS one FROM t', 'a', '["drop_constant", {"filter": "one = 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"drop_columns": ["id", "g", "x", "c", "num"]}]');
SELECT * FROM mlplat.clean('SELECT 1 AS x', 'a', '["drop_constant"]');
SELECT * FROM mlplat.clean((SELECT 'SELECT ' || string_agg('1 AS c' || i, ', ') FROM generate_series(1, 1601) i), 'a', '["trim"]');

-- values
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"fill": {"columns": "x", "value": "many"}}]');
SELECT * FROM mlplat.clean('SELECT date ''2026-01-01'' AS d', 'a', '[{"fill": {"columns": "d", "value": "01/02/2026"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"map": {"columns": "id", "values": {"one": 1}}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"map": {"columns": "c", "values": {"v0": "zero"}, "other": "error"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"cast": {"columns": ["num", "c"], "type": "integer"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"cast": {"columns": "c", "type": "nosuch"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"cast": {"columns": "c", "type": "record"}}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"cast": {"columns": "x", "type": "json"}}]');
SELECT * FROM mlplat.clean('SELECT c::varchar(2) FROM t', 'a', '[{"map": {"columns": "c", "values": {"v0": "zero"}}}]');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
SELECT * FROM mlplat.clean('SELECT id::positive AS p FROM t', 'a', '[{"clip": {"columns": "p", "by": "bounds", "upper": -1}}]');
SELECT fitted FROM mlplat.clean('SELECT id::positive AS p FROM t', 'pg_temp.bounded', '[{"clip": {"columns": "p", "by": "iqr", "factor": 5}}]');
SELECT * FROM mlplat.clean('SELECT g FROM t', 'a', '[{"cast": {"columns": "g", "type": "positive"}}]');
CREATE DOMAIN filled AS text NOT NULL;
SELECT * FROM mlplat.clean('SELECT ''''::filled AS c', 'a', '[{"trim": {"empty_to_null": true}}]');
CREATE DOMAIN needed AS int NOT NULL;
SELECT * FROM mlplat.clean('SELECT c FROM t', 'a', '[{"cast": {"columns": "c", "type": "needed", "on_error": "null"}}]');
SELECT * FROM mlplat.clean('SELECT ''L'' || i AS c FROM generate_series(1, 10001) i', 'a', '[{"group_rare": {"min_count": 1}}]');

-- filters
SELECT * FROM mlplat.clean('TABLE t', 'a', '["filter"]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": ""}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": ["x > 1"]}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1; DROP TABLE t"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1) OR (true"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1 FROM t"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1 INTO other"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1 UNION SELECT true"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1 LIMIT 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "DISTINCT x > 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1 AS y"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > 1, true"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "*"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "t.*"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "ROW(t.*) IS NULL"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "xx > 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "t.x > 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > $1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > DEFAULT"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > avg(x)"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "rank() OVER (ORDER BY x) > 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "generate_series(1, 2) > 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "x > (SELECT avg(x) FROM t)"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "EXISTS (SELECT FROM t)"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "nosuch(x)"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "1 / (id - 5) > 0"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "empty_t() = 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '["drop_duplicates", {"filter": "empty_t() = 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"drop_duplicates": "id"}, {"fill": {"columns": "x", "with": "mean"}}, {"filter": "empty_t() = 1"}]');
-- nor when it claims to be immutable, and is evaluated beforehand
CREATE FUNCTION sly() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT clean_errors.empty_t()';
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "sly() = 1"}]');
SELECT * FROM mlplat.clean('TABLE t', 'a', '[{"filter": "''a long text before'' = c AND nosuch(x)"}]');
-- the mark of a read-only transaction does not outlive an error
DO $$ BEGIN PERFORM mlplat.clean('TABLE clean_errors.t', 'clean_errors.a', '["drop_duplicates", {"filter": "1 / (id - 5) > 0"}]'); EXCEPTION WHEN division_by_zero THEN CREATE TABLE clean_errors.after (); END $$;

-- replays
SELECT * FROM mlplat.apply_cleaning('nosuch', 'TABLE t', 'a');
SELECT mlplat.drop_cleaning('nosuch');
SELECT count(*) FROM mlplat.clean('SELECT id, x, c, 1 AS one FROM t', 'first', '[{"fill": {"columns": "x", "with": "mean"}}, "drop_constant", {"group_rare": "c"}, {"filter": "id > 3"}]');
SELECT * FROM mlplat.apply_cleaning('first', 'SELECT id, c FROM t', 'a');
SELECT * FROM mlplat.apply_cleaning('first', 'SELECT id, x::int, c FROM t', 'a');
SELECT * FROM mlplat.apply_cleaning('first', 'SELECT id::text, x, c FROM t', 'a');
SELECT rows_in, cells_changed FROM mlplat.apply_cleaning('first', 'SELECT id, x, c, c AS other FROM t', 'a');
DROP TABLE a;
SELECT * FROM mlplat.clean('TABLE t', 'a', '["trim"]', '');
SELECT * FROM mlplat.clean('TABLE t', 'a', '["trim"]', repeat('n', 256));
-- an owner may write nonsense into its rows
UPDATE mlplat.cleaning SET recipe = '[]';
SELECT * FROM mlplat.apply_cleaning('first', 'TABLE t', 'a');
UPDATE mlplat.cleaning SET recipe = '[{"columns": ["x"], "types": ["double precision"]}, {"columns": [], "types": []}, {"columns": [], "types": []}, {"columns": [], "types": []}]';
SELECT * FROM mlplat.apply_cleaning('first', 'TABLE t', 'a');
UPDATE mlplat.cleaning SET recipe = '[{"columns": ["x"], "types": ["double precision"], "fitted": {"x": "many"}}, {"columns": ["id"], "types": ["integer"], "fitted": {"dropped": 7}}, {"columns": [], "types": []}, {"columns": [], "types": []}]';
SELECT * FROM mlplat.apply_cleaning('first', 'TABLE t', 'a');
UPDATE mlplat.cleaning SET recipe = '[{"columns": ["x"], "types": ["double precision"], "fitted": {"x": 1}}, {"columns": ["id"], "types": ["integer"], "fitted": {"dropped": 7}}, {"columns": [], "types": []}, {"columns": [], "types": []}]';
SELECT * FROM mlplat.apply_cleaning('first', 'TABLE t', 'a');
UPDATE mlplat.cleaning SET recipe = '[{"columns": ["c"], "types": ["text"], "fitted": {"c": 1}}, {"columns": [], "types": [], "fitted": {"dropped": []}}, {"columns": ["c"], "types": ["text"], "fitted": {"c": [null]}}, {"columns": [], "types": []}]';
SELECT * FROM mlplat.apply_cleaning('first', 'TABLE t', 'a');
UPDATE mlplat.cleaning SET steps = '["nosuch"]', recipe = '[1]';
SELECT * FROM mlplat.apply_cleaning('first', 'TABLE t', 'a');

-- roles: one's own cleanings only, and the rights of SQL on everything else
CREATE ROLE regress_clean_ann;
CREATE ROLE regress_clean_bob;
GRANT USAGE ON SCHEMA clean_errors TO PUBLIC;
CREATE TABLE open AS SELECT * FROM t;
CREATE TABLE rowwise AS SELECT * FROM t;
ALTER TABLE rowwise ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON rowwise USING (id <= 2);
GRANT SELECT ON open, rowwise TO PUBLIC;
CREATE FUNCTION hidden(float8) RETURNS boolean LANGUAGE sql AS 'SELECT true';
REVOKE EXECUTE ON FUNCTION hidden FROM PUBLIC;
SET ROLE regress_clean_ann;
SELECT rows_in FROM mlplat.clean('TABLE open', 'clean_errors.a', '["trim"]');
SELECT rows_in FROM mlplat.clean('TABLE t', 'pg_temp.a', '["trim"]');
SELECT rows_in FROM mlplat.clean('TABLE open', 'pg_temp.a', '[{"filter": "hidden(x)"}]');
SELECT rows_in FROM mlplat.clean('TABLE open', 'clean_errors.open', '["trim"]', replace => true);
SELECT rows_in FROM mlplat.clean('TABLE rowwise', 'pg_temp.a', '["trim"]', 'ann');
SELECT name, owner FROM mlplat.cleanings;
INSERT INTO mlplat.cleaning (owner, name, query, target, steps, recipe, changes, rows_in, rows_out, seconds) VALUES ('regress_clean_bob', 'x', '', '', '[]', '[]', '[]', 0, 0, 0);
UPDATE mlplat.cleaning SET owner = 'regress_clean_bob';
SET ROLE regress_clean_bob;
SELECT name, owner FROM mlplat.cleanings;
SELECT count(*) FROM mlplat.cleaning;
SELECT * FROM mlplat.apply_cleaning('ann', 'TABLE open', 'pg_temp.b');
SELECT mlplat.drop_cleaning('ann');
SELECT rows_in FROM mlplat.clean('SELECT 1 AS x', 'pg_temp.b', '["clip"]', 'ann');
RESET ROLE;
SELECT name, owner FROM mlplat.cleanings ORDER BY name, owner;
SELECT * FROM mlplat.apply_cleaning('ann', 'TABLE open', 'a');
SELECT mlplat.drop_cleaning('ann');
GRANT CREATE ON SCHEMA clean_errors TO regress_clean_ann;
SET ROLE regress_clean_ann;
SELECT rows_in FROM mlplat.clean('TABLE open', 'clean_errors.open', '["trim"]', replace => true);
RESET ROLE;

-- an event trigger that changes what is made
CREATE FUNCTION add_index() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF to_regclass('clean_errors.a') IS NOT NULL THEN CREATE INDEX ON clean_errors.a (id); END IF; END $$;
CREATE EVENT TRIGGER regress_clean ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION add_index();
SELECT * FROM mlplat.clean('TABLE t', 'a', '["trim"]');
DROP EVENT TRIGGER regress_clean;

-- nothing was half done
SELECT relname FROM pg_class WHERE relnamespace = 'clean_errors'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1;
SELECT count(*) FROM t;
DELETE FROM mlplat.cleaning;
SET client_min_messages = warning;
DISCARD TEMP;
DROP SCHEMA clean_errors CASCADE;
DROP ROLE regress_clean_ann, regress_clean_bob;
