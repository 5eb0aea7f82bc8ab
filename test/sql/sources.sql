-- Sources: tables that are refreshed from queries and files.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DELETE FROM mlplat.import_log;
CREATE SCHEMA sources;
SET search_path = sources;
SET datestyle = 'ISO';
SET timezone = 'UTC';
\pset null '(null)'
CREATE FUNCTION data() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$SELECT pg_catalog.current_setting('data_directory')$$;
CREATE FUNCTION refresh(source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    message text; hint text;
BEGIN
    SELECT * INTO r FROM mlplat.refresh_source(source);
    RETURN format('loaded %s, rejected %s, inserted %s, updated %s, deleted %s', r.rows_loaded, r.rows_rejected, r.rows_inserted, r.rows_updated, r.rows_deleted);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN regexp_replace(replace(concat_ws(E'\n', message, nullif(hint, '')), sources.data(), 'DATA'), 'delivery_\d+', 'delivery_N');
END $$;
CREATE TABLE orders (id int PRIMARY KEY, item text, at timestamptz);
INSERT INTO orders SELECT i, 'item ' || i, timestamptz '2024-01-01' + i * interval '1 hour' FROM generate_series(1, 5) AS i;

-- replace: the default. Grants, indexes and views of the target stay.
SELECT mlplat.create_source('all', 'query', 'SELECT id, item FROM orders', 'copied');
SELECT name, owner = current_user AS mine, kind, location, target, refresh, key, high_water_column, high_water, options, refreshed_at, outcome FROM mlplat.sources;
SELECT refresh('all');
CREATE ROLE regress_ml_reader;
GRANT SELECT ON copied TO regress_ml_reader;
CREATE INDEX ON copied (item);
CREATE VIEW seen AS SELECT count(*), max(item) FROM copied;
ALTER TABLE copied ADD COLUMN length int GENERATED ALWAYS AS (length(item)) STORED, ADD COLUMN noted date DEFAULT '2000-01-01';
UPDATE orders SET item = 'changed' WHERE id = 2;
DELETE FROM orders WHERE id = 1;
INSERT INTO orders VALUES (6, 'item 6', '2024-01-01 06:00');
SELECT refresh('all');
SELECT * FROM copied ORDER BY id;
TABLE seen;
SELECT has_table_privilege('regress_ml_reader', 'copied', 'SELECT');
SELECT rows, outcome, error, refreshed_at BETWEEN now() - interval '1 minute' AND clock_timestamp() AS lately FROM mlplat.sources;

-- append: rows above the greatest value so far; one that is equal comes too late.
SELECT mlplat.create_source('new', 'query', 'SELECT * FROM orders -- all of them;', 'appended', '{"refresh": "append", "high_water": "at"}');
SELECT refresh('new');
SELECT refresh('new');
UPDATE orders SET item = 'not seen' WHERE id = 3;
INSERT INTO orders VALUES (7, 'tie', '2024-01-01 06:00'), (8, 'later', '2024-01-02');
SET datestyle = 'SQL, DMY';
SET timezone = 'Asia/Tokyo';
SELECT refresh('new');
SELECT refresh('new');
RESET datestyle;
SET datestyle = 'ISO';
SET timezone = 'UTC';
SELECT * FROM appended ORDER BY id;
SELECT high_water FROM mlplat.sources WHERE name = 'new';
-- Rows without a value have no place.
INSERT INTO orders VALUES (9, 'never', NULL);
SELECT refresh('new');
DELETE FROM orders WHERE id = 9;
-- The table has rows already: from its greatest value on.
CREATE TABLE started AS SELECT * FROM orders WHERE id < 5;
SELECT mlplat.create_source('go on', 'query', 'TABLE orders', 'started', '{"refresh": "append", "high_water": "id"}');
SELECT refresh('go on'), (SELECT count(*) FROM started);
SELECT refresh('go on');
-- Types of marks: numbers with all digits, text, what has no order.
CREATE TABLE marks AS SELECT 0.1::float8 + 0.2 AS f, 'a''b\'::text AS t, interval '1 year 2 days' AS i, '{}'::json AS j;
SET extra_float_digits = 0;
SELECT mlplat.create_source('float', 'query', 'SELECT f FROM marks', 'm1', '{"refresh": "append", "high_water": "f"}'),
    mlplat.create_source('text', 'query', 'SELECT t FROM marks', 'm2', '{"refresh": "append", "high_water": "t"}'),
    mlplat.create_source('interval', 'query', 'SELECT i FROM marks', 'm3', '{"refresh": "append", "high_water": "i"}'),
    mlplat.create_source('json', 'query', 'SELECT j FROM marks', 'm4', '{"refresh": "append", "high_water": "j"}');
SELECT s, refresh(s), refresh(s) FROM unnest('{float,text,interval,json}'::text[]) AS s;
SELECT name, high_water FROM mlplat.sources WHERE target LIKE 'sources.m_' ORDER BY name;
RESET extra_float_digits;

-- upsert: by key, which a new table gets as its primary key; rows that are the same are left alone.
SELECT mlplat.create_source('keyed', 'query', 'TABLE orders', 'upserted', '{"refresh": "upsert", "key": ["id"]}');
SELECT refresh('keyed');
SELECT indexdef FROM pg_indexes WHERE schemaname = 'sources' AND tablename = 'upserted';
UPDATE orders SET item = 'changed again' WHERE id IN (2, 3);
UPDATE orders SET item = NULL WHERE id = 4;
DELETE FROM orders WHERE id = 5;
INSERT INTO orders VALUES (10, 'ten', NULL);
SELECT refresh('keyed');
SELECT refresh('keyed');
SELECT * FROM upserted ORDER BY id;
-- With a mark, only rows from it on are read, the last ones again.
SELECT mlplat.create_source('changes', 'query', 'SELECT * FROM orders WHERE at IS NOT NULL', 'upserted', '{"refresh": "upsert", "key": "id", "high_water": "at"}');
SELECT refresh('changes');
UPDATE orders SET item = 'at the mark' WHERE id = 8;
UPDATE orders SET item = 'below' WHERE id = 2;
SELECT refresh('changes');
SELECT id, item FROM upserted WHERE id IN (2, 8) ORDER BY id;
-- Keys that come twice, are missing, or have no index.
SELECT mlplat.create_source('twice', 'query', 'SELECT 1 + id % 2 AS id, item FROM orders', 'upserted', '{"refresh": "upsert", "key": "id"}');
SELECT refresh('twice');
SELECT mlplat.create_source('none', 'query', 'SELECT NULL::int AS id, item FROM orders', 'upserted', '{"refresh": "upsert", "key": "id"}');
SELECT refresh('none');
SELECT mlplat.create_source('no index', 'query', 'SELECT id, item FROM orders', 'copied', '{"refresh": "upsert", "key": ["id", "item"]}');
SELECT refresh('no index');
CREATE UNIQUE INDEX ON copied (item, id) WHERE id > 0;
SELECT refresh('no index');
CREATE UNIQUE INDEX ON copied (item, id);
SELECT refresh('no index');
SELECT mlplat.create_source('no key', 'query', 'SELECT id, item FROM orders', 'upserted', '{"refresh": "upsert", "key": "idd"}');
SELECT refresh('no key');
SELECT mlplat.create_source('no mark', 'query', 'SELECT id, item FROM orders', 'copied', '{"refresh": "append", "high_water": "ids"}');
SELECT refresh('no mark');
SELECT count(*) FROM upserted;
-- A key of several columns, one of a wider type; only keys; columns without an equality.
CREATE TABLE pairs (a bigint, b text, doc json, PRIMARY KEY (b, a));
SELECT mlplat.create_source('pairs', 'query', 'SELECT id AS a, ''x'' AS b, json_build_object(''i'', item) AS doc FROM orders', 'pairs', '{"refresh": "upsert", "key": ["a", "b"]}');
SELECT refresh('pairs'), refresh('pairs');
SELECT mlplat.create_source('only keys', 'query', 'SELECT id FROM orders', 'ids', '{"refresh": "upsert", "key": "id"}');
SELECT refresh('only keys'), refresh('only keys');

-- A refresh that fails leaves the old rows, and a line in the log.
CREATE TABLE checked (id int CHECK (id < 100), item text);
SELECT mlplat.create_source('checked', 'query', 'SELECT id, item FROM orders', 'checked');
SELECT refresh('checked');
INSERT INTO orders VALUES (100, 'too many', now());
SELECT refresh('checked');
SELECT count(*), max(id) FROM checked;
SELECT rows, outcome, error FROM mlplat.sources WHERE name = 'checked';
DELETE FROM orders WHERE id = 100;
SELECT refresh('checked');
-- Columns that come, go, or change their type.
ALTER TABLE orders ADD COLUMN price numeric;
SELECT mlplat.create_source('shape', 'query', 'TABLE orders', 'shaped');
SELECT refresh('shape');
ALTER TABLE orders ADD COLUMN discount numeric;
SELECT refresh('shape');
ALTER TABLE shaped ADD COLUMN discount float8;
SELECT refresh('shape');
ALTER TABLE orders DROP COLUMN price;
SELECT refresh('shape');
ALTER TABLE orders ADD COLUMN price text;
SELECT refresh('shape');
ALTER TABLE orders DROP COLUMN price, DROP COLUMN discount;
SELECT count(*) FROM shaped;
-- Partitions are the target's rows, those of a table that inherits from it are not.
CREATE TABLE parts (id int, item text, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT mlplat.create_source('parts', 'query', 'SELECT id, item FROM orders', 'parts');
SELECT mlplat.create_source('parts by key', 'query', 'SELECT id, upper(item) AS item FROM orders WHERE id <> 2', 'parts', '{"refresh": "upsert", "key": "id"}');
SELECT refresh('parts'), refresh('parts'), refresh('parts by key');
CREATE TABLE parent (id int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child VALUES (1);
SELECT mlplat.create_source('parent', 'query', 'SELECT id FROM orders', 'parent');
SELECT refresh('parent'), refresh('parent');
SELECT count(*) FROM child;
-- The target is what is read; it has a foreign key to it; a trigger that writes, one that refuses.
SELECT mlplat.create_source('itself', 'query', 'SELECT id + 1 AS id FROM ONLY parent', 'parent');
SELECT refresh('itself'), (SELECT min(id) FROM ONLY parent);
CREATE TABLE head (id int PRIMARY KEY, item text);
SELECT mlplat.create_source('head', 'query', 'SELECT id, item FROM orders', 'head');
SELECT refresh('head');
CREATE TABLE referring (id int REFERENCES head);
INSERT INTO referring VALUES (2);
SELECT refresh('head'), (SELECT count(*) FROM head);
ALTER TABLE referring DROP CONSTRAINT referring_id_fkey, ADD FOREIGN KEY (id) REFERENCES head DEFERRABLE INITIALLY DEFERRED;
SELECT refresh('head');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON parent FOR EACH ROW WHEN (NEW.id = 8) EXECUTE FUNCTION refuse();
SELECT refresh('parent'), (SELECT count(*) FROM ONLY parent);
-- The target is gone; the source is gone.
DROP TABLE checked;
SELECT refresh('checked');
ALTER TABLE orders RENAME TO orders_gone;
SELECT refresh('all'), (SELECT count(*) FROM copied);
ALTER TABLE orders_gone RENAME TO orders;
SELECT refresh('nosuch');
SELECT refresh(NULL);

-- Files: types are those of the table, whatever this delivery holds.
CREATE FUNCTION put(content text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE object oid := lo_from_bytea(0, convert_to(content, 'UTF8'));
BEGIN
    PERFORM lo_export(object, data() || '/mlplat_source.csv');
    PERFORM lo_unlink(object);
END $$;
SELECT mlplat.create_source('file', 'csv', data() || '/mlplat_source.csv', 'filed', '{"refresh": "upsert", "key": "id", "types": {"code": "text"}}');
SELECT put(E'id,code,x\n1,001,1.5\n2,002,2\n'), refresh('file');
SELECT put(E'x,id,code\n,2,\n,3,7\n'), refresh('file');
SELECT * FROM filed ORDER BY id;
SELECT put(E'id,code,x\n4,004,none\n'), refresh('file');
SELECT put(E'id,code,x,more\n4,004,1,2\n'), split_part(refresh('file'), E'\n', 1);
SELECT put(E'id,code\n4,004\n'), refresh('file');
SELECT mlplat.create_source('tail', 'csv', data() || '/mlplat_source.csv', 'tailed', '{"refresh": "append", "high_water": "id"}');
SELECT put(E'id,code\n1,a\n2,b\n'), refresh('tail');
SELECT put(E'id,code\n2,b\n3,c\n1,a\n'), refresh('tail');
SELECT * FROM tailed ORDER BY id;
SELECT put(''), refresh('tail');
SELECT mlplat.create_source('lines', 'json', data() || '/mlplat_source.csv', 'lined', '{"refresh": "upsert", "key": "id", "flatten": true}');
SELECT put(E'{"id": 1, "a": {"b": "x"}}\n{"id": 2, "a": {"b": "y"}}\n'), refresh('lines');
SELECT put(E'{"id": 2, "a": {"b": null}}\n{"id": 3, "a": {"b": "z"}}\n'), refresh('lines');
SELECT * FROM lined ORDER BY id;
ALTER TABLE lined ADD COLUMN noted text DEFAULT 'by default', ADD COLUMN rank int;
UPDATE lined SET noted = 'by hand' WHERE id = 3;
SELECT put(E'{"id": 3, "a": {"b": "zz"}}\n{"id": 4}\n'), refresh('lines');
SELECT put(E'{"id": 4, "rank": 1}\n'), refresh('lines');
SELECT * FROM lined ORDER BY id;
SELECT mlplat.create_source('items', 'json', data() || '/mlplat_source.csv', 'lined', '{"path": "$.items", "flatten": true}');
SELECT put('{"items": []}'), refresh('items');
SELECT count(*) FROM lined;
SELECT put('{"items": [{"id": 1}, {"id": 2, "a": {"b": "y"}}]}'), refresh('items');
SELECT * FROM lined ORDER BY id;
SELECT put(E'{"id": 2, "c": 1}\n'), split_part(refresh('lines'), E'\n', 1);
SELECT put(E'{"id": 2}\n'), refresh('lines');
SELECT mlplat.create_source('missing', 'csv', data() || '/no such file', 'filed');
SELECT refresh('missing'), (SELECT count(*) FROM filed);
SELECT l.kind, l.target, l.rows, l.rejected, l.bytes, l.outcome, s.name FROM mlplat.import_log l JOIN mlplat.source s USING (source_id) WHERE s.kind = 'csv' ORDER BY import_id;

-- What cannot be a source.
SELECT mlplat.create_source('all', 'query', 'TABLE orders', 'copied');
SELECT mlplat.create_source('', 'query', 'TABLE orders', 'copied');
SELECT mlplat.create_source(repeat('x', 256), 'query', 'TABLE orders', 'copied');
SELECT mlplat.create_source('bad', 'querry', 'TABLE orders', 'copied');
SELECT mlplat.create_source('bad', 'query', 'DELETE FROM orders', 'copied');
SELECT mlplat.create_source('bad', 'query', 'TABLE nosuch', 'copied');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'pg_temp.copied');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'nosuch.copied');
SELECT mlplat.create_source('bad', 'query', 'SELECT ''postgresql://u:secret@h/d''', 'copied');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"refesh": "append"}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"refresh": "upsrt"}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"refresh": "upsert"}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"refresh": "upsert", "key": []}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"refresh": "upsert", "key": [1]}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"refresh": "upsert", "key": ["id", "id"]}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"refresh": "append"}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"key": "id"}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '{"high_water": "id"}');
SELECT mlplat.create_source('bad', 'query', 'TABLE orders', 'copied', '[]');
SELECT mlplat.create_source('bad', 'query', NULL, 'copied');

-- Rights: a source is its owner's and the owner's members'; what it reads and writes is up to who refreshes.
CREATE ROLE regress_ml_team;
CREATE ROLE regress_ml_member IN ROLE regress_ml_team;
GRANT USAGE, CREATE ON SCHEMA sources TO regress_ml_team, regress_ml_reader;
GRANT SELECT ON orders TO regress_ml_team;
SET ROLE regress_ml_team;
SELECT mlplat.create_source('all', 'query', 'SELECT id, current_user AS reader FROM orders', 'teams');
SELECT refresh('all');
SELECT name, target FROM mlplat.sources ORDER BY 1;
SET ROLE regress_ml_member;
SELECT refresh('all');
SELECT DISTINCT reader FROM teams;
SELECT name, owner, rows, outcome FROM mlplat.sources;
SELECT mlplat.create_source('all', 'query', 'SELECT 1 AS own', 'members');
SELECT refresh('all');
SELECT mlplat.drop_source('all');
SET ROLE regress_ml_reader;
SELECT refresh('all');
SELECT mlplat.drop_source('all');
SELECT name FROM mlplat.sources;
SELECT count(*) FROM mlplat.source;
UPDATE mlplat.source SET location = 'TABLE orders';
UPDATE mlplat.source SET high_water = NULL;
INSERT INTO mlplat.source (name, kind, location, target, refresh, options) VALUES ('by hand', 'query', 'TABLE orders', 'x', 'upsert', '{}');
INSERT INTO mlplat.source (name, kind, location, target, refresh, options) VALUES ('by hand', 'query', 'SELECT sources.readers()', 'nosuch.x', 'replace', '[]');
SELECT refresh('by hand');
INSERT INTO mlplat.import_log (kind, location, target, started_at, seconds, rows, rejected, outcome, source_id)
SELECT 'query', 'forged', 'forged', now(), 0, 0, 0, 'loaded', id FROM generate_series(1, 100) AS id;
SELECT mlplat.create_source('theirs', 'query', 'SELECT id FROM orders', 'readers');
SELECT refresh('theirs');
RESET ROLE;
SELECT count(*) FROM mlplat.sources s JOIN mlplat.import_log l USING (import_id) WHERE l.location = 'forged' AND l.owner <> s.owner;
SELECT refresh('all');
BEGIN READ ONLY;
SELECT refresh('all');
SELECT mlplat.create_source('x', 'query', 'SELECT 1', 'x');
ROLLBACK;

-- Dropped: the table stays, or goes.
SELECT mlplat.drop_source('all');
SELECT mlplat.drop_source('all');
SELECT to_regclass('copied') IS NOT NULL AS stays;
SELECT mlplat.drop_source('keyed', drop_target => true);
SELECT to_regclass('upserted') IS NULL AS gone;
SELECT mlplat.drop_source('all', NULL);

DELETE FROM mlplat.source;
DELETE FROM mlplat.import_log;
DROP SCHEMA sources CASCADE;
DROP ROLE regress_ml_reader, regress_ml_member, regress_ml_team;
