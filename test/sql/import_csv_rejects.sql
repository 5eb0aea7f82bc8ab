-- import_csv with on_error = reject: rows that do not fit go to import_rejects, with line, raw text and reason.
SET client_min_messages = warning;
SET datestyle = 'ISO, MDY';
SET timezone = 'UTC';
CREATE FUNCTION import_dir() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$SELECT current_setting('data_directory')$$;
CREATE FUNCTION import_path() RETURNS text LANGUAGE sql AS $$SELECT import_dir() || '/mlplat_regress_rejects.csv'$$;
CREATE FUNCTION put(content bytea) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE object oid := lo_from_bytea(0, content);
BEGIN
    PERFORM lo_export(object, import_path());
    PERFORM lo_unlink(object);
END $$;
CREATE FUNCTION import(target text, content bytea, options jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    message text; detail text; hint text; context text;
BEGIN
    PERFORM put(content);
    SELECT * INTO r FROM mlplat.import_csv(target, import_path(), '{"on_error": "reject"}' || options);
    RETURN format('%s rows, %s rejected', r.rows_loaded, r.rows_rejected);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    context := array_to_string(ARRAY(SELECT line FROM unnest(string_to_array(context, E'\n')) AS line WHERE line ~ '^(COPY|column|import of) '), E'\n');
    RETURN replace(concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, ''), nullif(context, '')), import_dir(), 'DATA');
END $$;
CREATE FUNCTION import(target text, content text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$SELECT import(target, convert_to(content, 'UTF8'), options)$$;
CREATE VIEW last_rejects AS
SELECT line, column_name, reason, replace(replace(content, E'\r', '<CR>'), E'\n', '<LF>') AS content
FROM mlplat.import_rejects WHERE import_id = (SELECT max(import_id) FROM mlplat.import_log) ORDER BY line;
\pset null '(null)'

-- Fields, numbers, dates, lines: the file's lines are counted, whatever a record spans and whatever is left out.
CREATE TABLE sales (id int PRIMARY KEY, price float8 CHECK (price < 100), day date, name varchar(10) NOT NULL);
SELECT import('sales', E'\nid,price,day,name\n1,1.5,2024-01-01,x\n2,abc,2024-01-01,y\n\n3,2.5\n4,2.5,2024-13-01,z\n5,1e999,2024-01-02,"multi\nline"\n6,"3.5",2024-01-03,"multi\nline ok"\n7,2,2024-01-01,\n8,2,2024-01-01,"much too long"\n9,1,2024-01-05,a,b\n10,1,2024-01-05,last');
SELECT * FROM last_rejects;
SELECT id, price, day, replace(name, E'\n', '<LF>') AS name FROM sales ORDER BY id;
SELECT i.rows, i.rejected, i.outcome, i.bytes, replace(r.location, import_dir(), 'DATA') AS location, count(*)
FROM mlplat.import_log AS i JOIN mlplat.import_rejects AS r USING (import_id) GROUP BY i.import_id, r.location;
TRUNCATE sales;
SELECT import('sales', E'id,price,day,name\r\n1,x,,a\r\n2,1,,"a\r\nb"\r\n3,y,,c\r\n\r\n4,z,,d');
SELECT * FROM last_rejects;
SELECT import('sales', E'id,price,day,name\r11,x,,a\r12,1,,b\r13,y,,c\r');
SELECT * FROM last_rejects;
-- What depends on other rows or on the table ends the import, and names the line of the file.
SELECT import('sales', E'id,price,day,name\n21,x,,a\n\n22,1,,b\n22,2,,c\n');
SELECT import('sales', E'id,price,day,name\n21,x,,a\n22,1,,b\n23,200,,c\n');
SELECT id FROM sales ORDER BY id;
DROP TABLE sales;

-- Types that only their own input functions know, domains, ranges.
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN present AS text NOT NULL;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE typed (n int, a positive, b present, c uuid, d inet, e numeric(5,2), f smallint, g boolean, h timestamptz, i char(3), j mood, k int[], l json, m bigint, o real);
SELECT import('typed', E'n,a,b,c,d,e,f,g,h,i,j,k,l,m,o
1,1,x,550e8400-e29b-41d4-a716-446655440000,10.0.0.1,999.99,-32768,yes,2024-01-01 10:00+02,abc,good,"{1,2}","{""a"": 1}",9223372036854775807,1e-40
2,0,x,,,,,,,,,,,,
3,1,,,,,,,,,,,,,
4,,x,550e8400,,,,,,,,,,,
5,,x,,10.0.0.256,,,,,,,,,,
6,,x,,,1000,,,,,,,,,
7,,x,,,999.995,,,,,,,,,
8,,x,,,,32768,,,,,,,,
9,,x,,,,,maybe,,,,,,,
10,,x,,,,,,10:00,,,,,,
11,,x,,,,,,,abcd,,,,,
12,,x,,,,,,,,so,,,,
13,,x,,,,,,,,,"{1,",,,
14,,x,,,,,,,,,,{,,
15,,x,,,,,,,,,,,9223372036854775808,
16,,x,,,,,,,,,,,,1e-50
17,,x,,,999.994,,,2024-02-29,"ab ",,,,,
');
SELECT line, column_name, reason, content FROM last_rejects;
SELECT * FROM typed ORDER BY n;
DROP TABLE typed;
DROP TYPE mood;

-- Quotes that are never closed, a row too long, lines of "\.".
CREATE TABLE texts (a int, b text);
SELECT import('texts', E'a,b\n1,x\n2,"never\n3,y\n4,z\n');
SELECT * FROM last_rejects;
SELECT import('texts', E'a,b\n5,"' || repeat('x', 17000000) || E'"\r\n6,y\n7,' || repeat('x', 17000000));
SELECT line, column_name, reason, length(content) FROM last_rejects;
SELECT import('texts', E'a,b\n8,x\n\\.\n9,"y\n\\.\nz"\n10,z\n\\.\n');
SELECT * FROM last_rejects;
SELECT import('texts', E'a,b\n' || repeat(E'\\"\n', 6000), '{"escape": "\\", "quote": "\"", "delimiter": ","}') ~ 'rows without an end|rejected' AS bounded;
SELECT a, length(b) FROM texts ORDER BY a;
TRUNCATE texts;

-- Bytes that are no characters; a table of one column, where a blank line is a row.
SELECT import('texts', 'a,b
1,é
2,'::bytea || '\xe9'::bytea || E'\n3,a'::bytea || '\x00'::bytea || E'b\n4,ok\n'::bytea);
SELECT * FROM last_rejects;
SELECT import('texts', '\x612c620a352ce90a362c810a372cfc0a'::bytea, '{"encoding": "WIN1252"}');
SELECT * FROM last_rejects;
SELECT * FROM texts ORDER BY a;
SELECT import('texts', E'a,b\n1,x\n', '{"encoding": "SJIS"}');
CREATE TABLE numbers (a int);
SELECT import('numbers', E'a\n1\n\nx\n2\n""\n\\.\n3\n\\.\n');
SELECT * FROM last_rejects;
SELECT a FROM numbers;

-- Decimal comma and rejects together; a new table.
SELECT import('fresh', E'id;price;day\n' || repeat(E'1;1,5;31.1.2024\n', 10000) || E'2;1.5;1.2.2024\n3;2,5;2/13/2024\n4;2.000,5;1.2.2024\n5;7,25;1.2.2024\n');
SELECT * FROM last_rejects;
SELECT id, price, day, count(*) FROM fresh GROUP BY 1, 2, 3 ORDER BY 1;
DROP TABLE fresh;

-- How many are too many.
TRUNCATE texts;
SELECT import('texts', E'a,b\n1,x\nx,\ny,\nz,\n', '{"max_rejects": 3}');
SELECT import('texts', E'a,b\n1,x\nx,\ny,\nz,\n', '{"max_rejects": 2}');
SELECT import('texts', E'a,b\n1,x\nx,\ny,\nz,\n', '{"max_rejects": 0.75}');
SELECT import('texts', E'a,b\n1,x\nx,\ny,\nz,\n', '{"max_rejects": 0.7}');
SELECT import('texts', E'a,b\n1,x\nx,\ny,\nz,\n', '{"max_rejects": 0}');
SELECT import('texts', E'a,b\n1,x\n', '{"max_rejects": 1, "on_error": "stop"}');
SELECT import('texts', E'a,b\n1,x\n', '{"on_error": "ignore"}');
SELECT import('texts', E'a,b\n1,x\n', '{"max_rejects": -1}');
SELECT count(*) FROM texts;
SELECT rows, rejected, outcome, error FROM mlplat.import_log ORDER BY import_id DESC LIMIT 2;

-- A trigger may fill in what is missing, and may refuse; a view with a trigger; a generated column; partitions.
CREATE TABLE filled (a int, b text NOT NULL, c int GENERATED ALWAYS AS (a + 1) STORED);
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.b := coalesce(NEW.b, 'filled'); IF NEW.a = 13 THEN RAISE 'not this one'; END IF; RETURN NEW; END$$;
SELECT import('filled', E'a,b\n1,\n2,x\n');
SELECT * FROM last_rejects;
CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill();
SELECT import('filled', E'a,b\n3,\nx,\n');
SELECT import('filled', E'a,b\n4,\nx,\n13,\n');
SELECT import('filled', E'a,b,c\n4,,5\n');
SELECT * FROM filled ORDER BY a;
CREATE VIEW faces AS SELECT a, b FROM filled;
SELECT import('faces', E'a,b\n5,\nx,\n');
CREATE FUNCTION into_filled() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO filled (a, b) VALUES (NEW.a, NEW.b); RETURN NEW; END$$;
CREATE TRIGGER into_filled INSTEAD OF INSERT ON faces FOR EACH ROW EXECUTE FUNCTION into_filled();
SELECT import('faces', E'a,b\n5,\nx,\n');
SELECT count(*) FROM filled;
CREATE TABLE parts (a int, b text) PARTITION BY LIST (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
SELECT import('parts', E'a,b\n1,x\ny,y\n');
SELECT import('parts', E'a,b\n1,x\ny,y\n2,z\n');
SELECT count(*) FROM parts;
DROP VIEW faces;
DROP TABLE filled, parts;

-- All or nothing: what is rejected goes with the transaction.
BEGIN;
SELECT import('texts', E'a,b\n1,x\nx,\n');
SELECT count(*) FROM last_rejects;
ROLLBACK;
SELECT count(*) FROM texts;

-- Every form of date and time that is let through unasked is one that COPY takes.
CREATE TABLE moments (d date, t timestamp, z timestamptz);
SELECT import('moments', (
    SELECT E'd,t,z\n' || string_agg(format('%1$s,%1$s%2$s,%1$s%2$s%3$s', CASE WHEN day ~ ',' THEN '"' || day || '"' ELSE day END, '', ''), E'\n')
    FROM unnest('{2024-02-29,2024/02/29,29.2.2024,29/02/2024,29-2-2024,29-Feb-2024,29 February 2024,"Feb 29, 2024",May 1 2024,0001-01-01,9999-12-31}'::text[]) AS day), '{"date_order": "dmy"}');
SELECT import('moments', (
    SELECT E't,z\n' || string_agg(format('"%1$s%2$s","%1$s%2$s%3$s"', day, clock, zone), E'\n')
    FROM unnest('{2024-02-29,2024/02/29,29.2.2024,29/02/2024,29-2-2024,29-Feb-2024,29 February 2024,"Feb 29, 2024",May 1 2024,0001-01-01,9999-12-31}'::text[]) AS day,
        unnest('{" 10:20"," 9:05","T10:20:30","T9:05"," 23:59:59.999999999"," 0:00:00"," 12:00 AM"," 1:30:15 pm"," 12:59:59.5 PM"}'::text[]) AS clock,
        unnest('{"",Z,z,+02,-0530,+14:59}'::text[]) AS zone), '{"date_order": "dmy"}');
SELECT * FROM last_rejects LIMIT 10;
SELECT count(*), count(DISTINCT t), count(DISTINCT z) FROM moments;
DROP TABLE moments;

-- Others' rejects are not seen.
CREATE ROLE regress_mlplat_rejects;
GRANT USAGE ON SCHEMA mlplat TO regress_mlplat_rejects;
GRANT pg_read_server_files TO regress_mlplat_rejects;
GRANT INSERT ON texts TO regress_mlplat_rejects;
GRANT SELECT ON last_rejects TO regress_mlplat_rejects;
SET ROLE regress_mlplat_rejects;
SELECT import('texts', E'a,b\n1,x\nmine,\n');
SELECT count(*), min(content) FROM mlplat.import_rejects;
RESET ROLE;
SELECT count(*) > 20 AS many FROM mlplat.import_rejects;
DROP TABLE texts, numbers;
REVOKE ALL ON last_rejects FROM regress_mlplat_rejects;
REVOKE ALL ON SCHEMA mlplat FROM regress_mlplat_rejects;
DROP ROLE regress_mlplat_rejects;
DROP VIEW last_rejects;
DROP DOMAIN positive, present;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f mlplat_regress_rejects.csv';
DROP FUNCTION import(text, text, jsonb), import(text, bytea, jsonb), put(bytea), import_path(), import_dir(), fill(), into_filled();
