-- import_query: what it refuses, and that nothing is left of it.
\set SHOW_CONTEXT never
CREATE SCHEMA refused;
SET search_path = refused;
CREATE TABLE source AS SELECT i AS id, 'n' || i AS name FROM generate_series(1, 1000) AS i;
CREATE SEQUENCE numbers;
CREATE TABLE target (id int CHECK (id < 900), name text, computed int GENERATED ALWAYS AS (id + 1) STORED, number int GENERATED ALWAYS AS IDENTITY);

-- Queries that change something, in the open or by a function.
CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO refused.source VALUES (0) RETURNING id';
CREATE FUNCTION unlocks() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET transaction_read_only = off; RETURN refused.writes(); END $$;
CREATE FUNCTION imports() RETURNS bigint LANGUAGE sql AS $$ SELECT rows_loaded FROM mlplat.import_query('refused.source', 'SELECT 0 AS id') $$;
SELECT mlplat.import_query('target', 'INSERT INTO source VALUES (0) RETURNING id');
SELECT mlplat.import_query('target', 'WITH w AS (DELETE FROM source RETURNING id) SELECT id FROM w');
SELECT mlplat.import_query('target', 'SELECT id FROM source FOR UPDATE');
SELECT mlplat.import_query('target', 'SELECT 1 AS id INTO other');
SELECT mlplat.import_query('target', 'SELECT 1 AS id; DROP TABLE source');
SELECT mlplat.import_query('target', 'DROP TABLE source');
SELECT mlplat.import_query('target', 'CREATE TABLE other AS SELECT 1 AS id');
SELECT mlplat.import_query('target', 'EXPLAIN ANALYZE SELECT 1');
SELECT mlplat.import_query('target', 'COPY source TO STDOUT');
SELECT mlplat.import_query('target', 'SELECT writes() AS id');
SELECT mlplat.import_query('new', 'SELECT writes() AS id');
SELECT mlplat.import_query('target', 'SELECT unlocks() AS id');
SELECT mlplat.import_query('target', 'SELECT imports()::int AS id');
SELECT mlplat.import_query('target', 'SELECT nextval(''numbers'')::int AS id');
SELECT mlplat.import_query('target', 'SELECT id FROM source WHERE id < 800 OR writes() = 0');
SELECT count(*), min(id) FROM source;

-- Queries that are none, or return what has no place.
SELECT mlplat.import_query('target', '');
SELECT mlplat.import_query('target', ';');
SELECT mlplat.import_query('target', 'SELECT');
SELECT mlplat.import_query('target', 'source');
SELECT mlplat.import_query('target', 'SELEC 1');
SELECT mlplat.import_query('target', 'SELECT * FROM nosuch');
SELECT mlplat.import_query('target', 'SELECT id AS nam FROM source');
SELECT mlplat.import_query('target', 'SELECT id AS something_else FROM source');
SELECT mlplat.import_query('target', 'SELECT 1 AS id, 2 AS "ID"');
SELECT mlplat.import_query('target', 'SELECT 1 AS id, 2 AS name, 3 AS id');
SELECT mlplat.import_query('new', 'SELECT 1 AS id, 2 AS name, 3 AS id');
SELECT mlplat.import_query('new', 'SELECT 1 AS ctid');
SELECT mlplat.import_query('new', 'SELECT ROW(1, 2) AS r');
SELECT mlplat.import_query('target', 'SELECT name AS id FROM source');
SELECT mlplat.import_query('target', 'SELECT 1 AS computed');
SELECT mlplat.import_query('target', 'SELECT 1 AS number');

-- Rows that do not fit, far behind the first; a query that fails in the middle.
SELECT mlplat.import_query('target', 'SELECT id FROM source');
SELECT mlplat.import_query('target', 'SELECT 100 / (id - 700) AS id FROM source');
SELECT mlplat.import_query('new', 'SELECT 100 / (id - 700) AS id FROM source');
SELECT mlplat.import_query('target', 'SELECT 3000000000 AS id');
SELECT count(*) FROM target;
SELECT to_regclass('new') IS NULL AND to_regclass('other') IS NULL AS nothing_left;

-- Targets that cannot be.
CREATE VIEW readonly AS SELECT count(*) AS id FROM source;
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id;
CREATE TABLE ruled (id int);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO target (id) VALUES (NEW.id);
CREATE TABLE elsewhere (id int);
CREATE RULE elsewhere AS ON INSERT TO elsewhere DO INSTEAD INSERT INTO target (id) VALUES (NEW.id);
SELECT mlplat.import_query('readonly', 'SELECT 1::bigint AS id');
SELECT mlplat.import_query('kept', 'SELECT 1 AS id');
SELECT mlplat.import_query('numbers', 'SELECT 1 AS id');
SELECT mlplat.import_query('ruled', 'SELECT 1 AS id');
SELECT rows_loaded FROM mlplat.import_query('elsewhere', 'SELECT 1 AS id');
SELECT id FROM target;
SELECT mlplat.import_query('nosuch.table', 'SELECT 1 AS id');
SELECT mlplat.import_query('', 'SELECT 1 AS id');
SELECT mlplat.import_query('a b', 'SELECT 1 AS id');
SELECT mlplat.import_query('pg_catalog.pg_new', 'SELECT 1 AS id');

-- Arguments and options.
SELECT mlplat.import_query(NULL, 'SELECT 1');
SELECT mlplat.import_query('target', NULL);
SELECT mlplat.import_query('target', 'SELECT 1', NULL);
SELECT mlplat.import_query('new', 'SELECT 1 AS id', '{"type": {"id": "text"}}');
SELECT mlplat.import_query('new', 'SELECT 1 AS id', '{"types": {"idd": "text"}}');
SELECT mlplat.import_query('new', 'SELECT 1 AS id', '{"types": {"id": "text; DROP TABLE refused.source"}}');
SELECT mlplat.import_query('new', 'SELECT ''x'' AS id', '{"types": {"id": "int"}}');
SELECT mlplat.import_query('new', 'SELECT 1 AS id', '[]');

-- Rights: to read, to create, to insert; a transaction that is read-only.
CREATE ROLE regress_ml_nobody;
GRANT USAGE ON SCHEMA refused TO regress_ml_nobody;
SET ROLE regress_ml_nobody;
SELECT mlplat.import_query('pg_temp.mine', 'SELECT id FROM source');
SELECT mlplat.import_query('new', 'SELECT 1 AS id');
SELECT mlplat.import_query('target', 'SELECT 1 AS id');
SELECT outcome, sqlstate, count(*) FROM mlplat.import_log GROUP BY 1, 2 ORDER BY 2;
RESET ROLE;
BEGIN READ ONLY;
SELECT mlplat.import_query('new', 'SELECT 1 AS id');
ROLLBACK;

-- Passwords are not written down.
SELECT mlplat.import_query('new', 'SELECT * FROM nosuch(''host=h password=s3cret user=u'')');
SELECT mlplat.import_query('new', 'SELECT * FROM nosuch(''host=h PASSWORD = ''''s3c ret'''' user=u'')');
SELECT mlplat.import_query('new', 'SELECT * FROM nosuch(''postgresql://u:s3cret@h/db'')');
SELECT mlplat.import_query('new', 'SELECT * FROM nosuch(''postgresql://u@h/db?sslmode=require&password=s3cret&x=y'')');
SELECT mlplat.import_query('new', 'SELECT * FROM nosuch(E''password=\''s3c\\\''ret\'' x'')');
SELECT mlplat.import_query('new', 'SELECT password, passwords = 1 AS p FROM nosuch(''http://host/a:b'')');
SELECT mlplat.import_query('new', 'SELECT * FROM nosuch(password => ''s3cret'', x => 1), nosuch(''http://host:8080/users/@me'')');
SELECT location FROM mlplat.import_log WHERE location LIKE '%nosuch(%' ORDER BY import_id;

SET client_min_messages = warning;
DELETE FROM mlplat.import_log;
DROP SCHEMA refused CASCADE;
DROP ROLE regress_ml_nobody;
