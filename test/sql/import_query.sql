-- import_query: into new tables, and into those that are there, as INSERT does it.
CREATE SCHEMA imported;
SET search_path = imported;
CREATE FUNCTION columns_of(target text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod), CASE WHEN attcollation <> typcollation THEN ' ' || attcollation::regcollation END), ', ' ORDER BY attnum)
    FROM pg_attribute JOIN pg_type t ON t.oid = atttypid WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped$$;
CREATE TABLE source AS SELECT i AS id, 'n' || i AS name, (i * 1.5)::numeric(8, 2) AS price, date '2024-01-01' + i AS day FROM generate_series(1, 3000) AS i;
\pset null '(null)'

-- A new table has the query's columns and types.
SELECT rows_loaded, rows_rejected, seconds BETWEEN 0 AND 60 AS in_time FROM mlplat.import_query('plain', 'TABLE source');
SELECT columns_of('plain');
SELECT count(*) FROM (TABLE source EXCEPT TABLE plain) d;
SELECT rows_loaded FROM mlplat.import_query('"Odd ""Name"""', 'SELECT 1 AS "Größe", NULL AS "a b", ''x''::varchar(5) COLLATE "C" AS c, ''{1,2}''::int[] AS d, now()::timestamptz(0) AS "?column?";');
SELECT columns_of('"Odd ""Name"""');
SELECT rows_loaded FROM mlplat.import_query('empty', 'SELECT * FROM source WHERE false');
SELECT columns_of('empty'), (SELECT count(*) FROM empty);
SELECT rows_loaded FROM mlplat.import_query('typed', 'SELECT id, price FROM source', '{"types": {"id": "bigint", "price": "float8"}}');
SELECT columns_of('typed'), (SELECT sum(price) FROM typed);
SELECT rows_loaded FROM mlplat.import_query('pg_temp.for_now', 'VALUES (1, ''a''), (2, ''b'')');
SELECT * FROM for_now;
SELECT rows_loaded FROM mlplat.import_query('imported.with_cte', 'WITH a AS (SELECT 1 AS x) SELECT x + 1 AS y FROM a ORDER BY x -- and no more');
TABLE with_cte;

-- What stands out of line stays whole.
SELECT rows_loaded FROM mlplat.import_query('wide', 'SELECT i, repeat(md5(i::text), 100000) AS t FROM generate_series(1, 5) AS i');
SELECT rows_loaded FROM mlplat.import_query('wide', 'TABLE wide');
SELECT count(*), count(DISTINCT t), sum(length(t)) FROM wide;
-- 1,600 columns, and one more.
SELECT rows_loaded FROM mlplat.import_query('many', (SELECT 'SELECT ' || string_agg(format('%s::int2 AS c%s', i, i), ', ') FROM generate_series(1, 1600) AS i));
SELECT c1, c1600 FROM many;
SELECT rows_loaded FROM mlplat.import_query('many', 'TABLE many');
SELECT rows_loaded FROM mlplat.import_query('more', (SELECT 'SELECT ' || string_agg(format('%s::int2 AS c%s', i, i), ', ') FROM generate_series(1, 1601) AS i));

-- A parallel plan for a new table.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT rows_loaded FROM mlplat.import_query('in_parallel', 'SELECT id, repeat(name, 1000) AS name FROM source WHERE id % 3 = 0');
SELECT count(*), sum(id), sum(length(name)) FROM in_parallel;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- A table that is there: by name, in any order and case, with casts, defaults, generated columns, a dropped column.
CREATE TABLE there (gone int, number int GENERATED ALWAYS AS IDENTITY, "Name" varchar(20), price text, twice bigint GENERATED ALWAYS AS (id * 2) STORED, at date DEFAULT '2000-01-01', id bigint PRIMARY KEY CHECK (id > 0));
ALTER TABLE there DROP COLUMN gone;
SELECT rows_loaded FROM mlplat.import_query('there', 'SELECT price, id::int4, name FROM source ORDER BY id');
SELECT * FROM there WHERE id IN (1, 1500, 3000) ORDER BY id;
SELECT rows_loaded FROM mlplat.import_query('there', 'SELECT id + 3000 AS id FROM there');
SELECT count(*), max(number), max(twice) FROM there;
SELECT rows_loaded FROM mlplat.import_query('there', 'SELECT 1 AS id WHERE false');

-- Rows pass through: they need no room in temporary files.
SET work_mem = '64kB';
SET temp_file_limit = 0;
SELECT rows_loaded FROM mlplat.import_query('passed', 'SELECT i AS id, i * 2 AS twice FROM generate_series(1, 5) AS i', '{"types": {"id": "bigint"}}');
SELECT rows_loaded FROM mlplat.import_query('passed', 'SELECT s.id, t.id AS twice FROM source s, (SELECT id FROM source LIMIT 20) t');
SELECT count(*), sum(id) FROM passed;
RESET work_mem;
RESET temp_file_limit;

-- Triggers: of rows, of the statement once, with all its rows; they may write, and import themselves.
CREATE TABLE log (line text);
CREATE FUNCTION on_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = 2 THEN RETURN NULL; END IF;
    IF NEW.id = 3 THEN
        INSERT INTO log SELECT 'nested: ' || rows_loaded FROM mlplat.import_query('nested', 'SELECT generate_series(1, 1200) AS i');
        INSERT INTO log SELECT 'nested: ' || rows_loaded FROM mlplat.import_query('nested', 'SELECT generate_series(1, 1200) AS i');
    END IF;
    NEW.note := 'trigger';
    RETURN NEW;
END $$;
CREATE FUNCTION on_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log SELECT format('statement: %s rows', count(*)) FROM new_rows;
    RETURN NULL;
END $$;
CREATE TABLE watched (id int, note text);
CREATE TRIGGER r BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION on_row();
CREATE TRIGGER s AFTER INSERT ON watched REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION on_statement();
SELECT rows_loaded FROM mlplat.import_query('watched', 'SELECT id FROM source');
SELECT count(*), min(note), max(note) FROM watched;
TABLE log;

-- Partitions, views with and without triggers, inheritance.
CREATE TABLE parts (id int, name text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
SELECT rows_loaded FROM mlplat.import_query('parts', 'SELECT name, id FROM source');
SELECT tableoid::regclass, count(*) FROM parts GROUP BY 1 ORDER BY 1;
CREATE VIEW window_on AS SELECT id, name FROM parts WHERE id > 0 WITH CHECK OPTION;
SELECT rows_loaded FROM mlplat.import_query('window_on', 'SELECT 5000 AS id');
SELECT rows_loaded FROM mlplat.import_query('window_on', 'SELECT -1 AS id');

-- Row security: the policies are those of INSERT.
CREATE ROLE regress_ml_importer;
GRANT USAGE, CREATE ON SCHEMA imported TO regress_ml_importer;
GRANT SELECT ON source TO regress_ml_importer;
CREATE TABLE guarded (id int, owner name DEFAULT current_user);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (owner = current_user) WITH CHECK (id < 10);
GRANT SELECT, INSERT ON guarded TO regress_ml_importer;
SET ROLE regress_ml_importer;
SELECT rows_loaded FROM mlplat.import_query('guarded', 'SELECT id FROM source WHERE id < 10');
SELECT rows_loaded FROM mlplat.import_query('guarded', 'SELECT id FROM source');
SELECT rows_loaded FROM mlplat.import_query('own', 'SELECT * FROM guarded');
SELECT kind, location, target, rows, outcome, sqlstate, error FROM mlplat.import_log ORDER BY import_id;
RESET ROLE;

-- One transaction: what is rolled back leaves neither rows nor a line.
BEGIN;
SELECT rows_loaded FROM mlplat.import_query('undone', 'TABLE source');
SELECT count(*) FROM mlplat.import_log WHERE target = 'undone';
ROLLBACK;
SELECT to_regclass('undone'), (SELECT count(*) FROM mlplat.import_log WHERE target = 'undone');

SET client_min_messages = warning;
DELETE FROM mlplat.import_log;
DROP SCHEMA imported CASCADE;
DROP ROLE regress_ml_importer;
