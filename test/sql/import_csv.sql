-- import_csv: files are written into the data directory, messages are shown without its name.
SET client_min_messages = warning;
CREATE FUNCTION import_dir() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$SELECT current_setting('data_directory')$$;
CREATE FUNCTION import_path() RETURNS text LANGUAGE sql AS $$SELECT import_dir() || '/mlplat_regress.csv'$$;
CREATE FUNCTION put(content bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE object oid := lo_from_bytea(0, content);
BEGIN
    PERFORM lo_export(object, import_path());
    PERFORM lo_unlink(object);
END $$;
CREATE FUNCTION put(content text) RETURNS void LANGUAGE sql AS $$SELECT put(convert_to(content, 'UTF8'))$$;
CREATE FUNCTION import(target text, options jsonb DEFAULT '{}', path text DEFAULT import_path()) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    message text; detail text; hint text; context text;
BEGIN
    SELECT * INTO r FROM mlplat.import_csv(target, path, options);
    RETURN format('%s rows, %s rejected, seconds %s', r.rows_loaded, r.rows_rejected, CASE WHEN r.seconds BETWEEN 0 AND 60 THEN 'fine' ELSE 'odd' END);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    context := array_to_string(ARRAY(SELECT line FROM unnest(string_to_array(context, E'\n')) AS line WHERE line LIKE 'COPY %'), E'\n');
    RETURN replace(concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, ''), nullif(context, '')), import_dir(), 'DATA');
END $$;
CREATE FUNCTION columns_of(target text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped$$;
\pset null '(null)'

-- A new table, with types.
SELECT put(E'id,big,price,exact,flag,day,at,zone,name,empty\n1,3000000000,1.5,12345678901234567.891,true,2024-02-29,2024-02-29 12:30,2024-02-29T12:30:00Z,"a, b",\n2,7,-2e3,0.1,false,2023-01-01,2024-03-01,2024-03-01 00:00:00+01,,\n');
SELECT import('plain');
SELECT columns_of('plain');
SET timezone = 'UTC';
SELECT * FROM plain;
-- Once more into the same table; then with the columns in another order, in another case, and some left out.
SELECT import('plain');
SELECT put(E'Name,ID\nx,3\n');
SELECT import('public.plain');
SELECT id, name, big FROM plain ORDER BY id;
SELECT put(E'name,surname\nx,3\n');
SELECT import('plain');
DROP TABLE plain;

-- gzip: one member, two members, padding, damage.
\set member '\\x1f8b08000000000002034bd449e232d431e232d231e6020047182b390c000000'
SELECT put(:'member'::bytea), import('zipped');
SELECT * FROM zipped;
SELECT put((:'member'::bytea || decode('1f8b080000000000020333d131e50200c624be2d04000000', 'hex') || '\x0000')), import('zipped');
SELECT put(substr(:'member'::bytea, 1, 25)), import('zipped');
SELECT put(overlay(:'member'::bytea PLACING '\xffff' FROM 14)), import('zipped');
SELECT put(:'member'::bytea || 'and more'), import('zipped');
SELECT count(*) FROM zipped;
DROP TABLE zipped;

-- Byte order mark, CR LF, quoted newlines, quoted quotes, blank lines at the end, no newline at the end.
SELECT put('\xefbbbf'::bytea || convert_to(E'id,text\r\n1,"two\r\nlines"\r\n2,"say ""hi"""\r\n3,last\r\n\r\n\r\n', 'UTF8')), import('lines');
SELECT id, replace(replace(text, E'\r', '<CR>'), E'\n', '<LF>') AS text FROM lines;
SELECT put(E'id,text\n4,no newline'), import('lines');
SELECT put(E'id,text\n5,x\n\\.\n'), import('lines');
SELECT put(E'id,text\n6,x\n\\.\n7,y\n'), import('lines');
SELECT put(E'id,text\n8,\\.\n9,\\.x\n'), import('lines');
SELECT count(*), min(id), max(id) FROM lines;
DROP TABLE lines;
SELECT put(E'only\n1\n\n3\n\n'), import('one_column');
SELECT * FROM one_column;
DROP TABLE one_column;

SELECT put(E'\n\r\n\na,b\n1,2\nx,4\n'), import('blank_start', '{"types": {"a": "text"}}');
SELECT * FROM blank_start;
DROP TABLE blank_start;
SELECT put(E'a\n1\n""\n'), import('one_column');
SELECT columns_of('one_column'), array_agg(a) FROM one_column;
DROP TABLE one_column;
SELECT put(E'\n1\n\n2'), import('one_column', '{"header": false}');
SELECT * FROM one_column;
DROP TABLE one_column;

-- Dialects and missing values.
SELECT put(E'a;b\n1,5;x\n2,5;y\n'), import('dialect');
SELECT * FROM dialect;
DROP TABLE dialect;
SELECT put(E'a\tb\n1\t''x\ty''\n2\t''it''''s''\n'), import('dialect');
SELECT * FROM dialect;
DROP TABLE dialect;
SELECT put(E'a,b,c\n1,NA,NA\nNA,2024-01-01,x\n'), import('dialect');
SELECT columns_of('dialect');
SELECT * FROM dialect;
DROP TABLE dialect;
SELECT put(E'a|b\n1|-\n2|"x\\"y"\n'), import('dialect', '{"delimiter": "|", "escape": "\\", "null": "-"}');
SELECT * FROM dialect;
DROP TABLE dialect;
SELECT put(E'1,x\n2,y\n'), import('dialect');
SELECT * FROM dialect;
DROP TABLE dialect;
SELECT put(E'x,y\nz,u\n'), import('dialect', '{"header": false}');
SELECT * FROM dialect;
SELECT put(E'1,2\n'), import('dialect', '{"columns": ["column_2", "column_1"]}');
SELECT * FROM dialect;
DROP TABLE dialect;

-- Names: as they are written, without blanks around, numbered when empty.
SELECT put(E'Customer Id, "Größe" ,,Select\n1,2,3,4\n'), import('"Odd ""Name"""');
SELECT columns_of('"Odd ""Name"""');
DROP TABLE "Odd ""Name""";
SELECT put(E'a,b,a\n1,2,3\n'), import('twice');
SELECT import('twice', '{"columns": ["a", "b", "c"]}');
SELECT * FROM twice;
DROP TABLE twice;
SELECT put(E'x,y\n1,2\n'), import('pg_temp.for_now');
SELECT * FROM for_now;

-- Types: named by the user, or inferred from more rows.
SELECT put(E'a,b\n' || repeat(E'1,2\n', 10000) || E'1,2.5\n');
SELECT import('typed');
SELECT import('typed', '{"sample_rows": 0}');
SELECT columns_of('typed');
DROP TABLE typed;
SELECT import('typed', '{"types": {"b": "numeric(10,2)", "a": "pg_catalog.text"}}');
SELECT columns_of('typed');
DROP TABLE typed;
SELECT import('typed', '{"types": {"b": "text, c int"}}');
SELECT import('typed', '{"types": {"b": "nosuch"}}');
SELECT import('typed', '{"types": {"b": 5}}');
SELECT import('typed', '{"types": ["b"]}');
SELECT put(E'price,name\n1,2\n'), import('typed', '{"types": {"prise": "text"}}');

-- Encodings.
SELECT put('id,name
1,'::bytea || '\xe9'), import('encoded');
SELECT import('encoded', '{"encoding": "LATIN1"}');
SELECT * FROM encoded;
SELECT put('n'::bytea || '\xe9' || ',b
1,2'), import('encoded');
SELECT put('id,name
1,a'::bytea || '\x00' || 'b'), import('encoded');
DROP TABLE encoded;

-- Files and paths that are none.
SELECT put(''), import('nothing');
SELECT put(E'\n\n'), import('nothing');
SELECT put(E'a,b\n'), import('header_only');
SELECT columns_of('header_only'), (SELECT count(*) FROM header_only);
DROP TABLE header_only;
SELECT import('nothing', path => import_dir() || '/no such file');
SELECT import('nothing', path => import_dir());
SELECT import('nothing', path => '/dev/zero');
SELECT import('nothing', path => 'relative.csv');
SELECT import('nothing', path => NULL);
SELECT import(NULL);
SELECT import('nothing', NULL);

-- Rows that do not fit: the line is named, and nothing is left behind.
SELECT put(E'a,b\n1,2\n3\n'), import('nothing');
SELECT put(E'a,b\n1,2\n3,4,5\n'), import('nothing');
SELECT put(E'a,b\n1,2\n3,"4\n'), import('nothing');
SELECT put(E'a,b\r\n1,2\r\n3,4\n5,6\r\n'), import('nothing');
SELECT put((SELECT string_agg('c' || g, ',') FROM generate_series(1, 1700) AS g)), import('nothing');
SELECT put((SELECT string_agg('c' || g, ',') FROM generate_series(1, 1600) AS g) || E'\n' || repeat('t,', 1599) || E't\n'), import('wide');
SELECT put(repeat(',', 2000)), import('wide');
SELECT put(repeat(',', 70000)), import('wide');
SELECT put('a,b' || repeat(E'\n1,2', 3) || E'\n' || repeat(',', 70000)), import('nothing');
SELECT count(*) FROM pg_attribute WHERE attrelid = 'wide'::regclass AND attnum > 0;
DROP TABLE wide;
SELECT to_regclass('nothing') IS NULL AS nothing_left;

-- Options that are none.
SELECT put(E'a,b\n1,2\n');
SELECT import('nothing', '{"delimeter": ";"}');
SELECT import('nothing', '{"header": "perhaps"}');
SELECT import('nothing', '{"delimiter": "ab"}');
SELECT import('nothing', '{"delimiter": "\n"}');
SELECT import('nothing', '{"encoding": "klingon"}');
SELECT import('nothing', '{"columns": ["a"]}');
SELECT import('nothing', '{"columns": [1, 2]}');
SELECT import('nothing', '{"sample_rows": -1}');
SELECT import('nothing', '[]');

-- Targets.
SELECT import('one.two.three.four');
SELECT import('');
SELECT import('nosuch.t');
CREATE VIEW import_view AS SELECT 1 AS a, 2 AS b;
SELECT import('import_view');
DROP VIEW import_view;
CREATE TABLE checked (a int CHECK (a < 3), b int DEFAULT 7, c int GENERATED ALWAYS AS (a * 2) STORED, d serial);
SELECT put(E'a\n1\n2\n'), import('checked');
SELECT * FROM checked;
SELECT put(E'a\n1\n5\n'), import('checked');
SELECT put(E'c\n1\n'), import('checked');
SELECT count(*) FROM checked;
CREATE FUNCTION double_b() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.b := 2 * NEW.b; RETURN NEW; END$$;
CREATE TRIGGER double_b BEFORE INSERT ON checked FOR EACH ROW EXECUTE FUNCTION double_b();
SELECT put(E'a,b\n1,10\n'), import('checked');
SELECT a, b FROM checked WHERE b > 7;
DROP TABLE checked;
CREATE TABLE parts (a int, b text) PARTITION BY LIST (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
SELECT put(E'a,b\n1,x\n'), import('parts');
SELECT put(E'a,b\n1,x\n2,y\n'), import('parts');
SELECT count(*) FROM parts;
DROP TABLE parts;
-- A trigger may import too.
SET client_min_messages = notice;
CREATE TABLE outer_rows (a int);
CREATE FUNCTION import_inner() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'inner: %', import('inner_rows'); RETURN NEW; END$$;
CREATE TRIGGER import_inner BEFORE INSERT ON outer_rows FOR EACH ROW EXECUTE FUNCTION import_inner();
SELECT put(E'a\n1\n2\n3\n'), import('outer_rows');
SELECT (SELECT count(*) FROM outer_rows) AS outer_rows, (SELECT count(*) FROM inner_rows) AS inner_rows;
DROP TABLE outer_rows, inner_rows;
SET client_min_messages = warning;

-- Rights: the file's, the table's, row security, read-only.
CREATE ROLE regress_mlplat_import;
GRANT USAGE ON SCHEMA mlplat TO regress_mlplat_import;
CREATE TABLE owned (a int, b int);
SELECT put(E'a,b\n1,2\n');
SET ROLE regress_mlplat_import;
SELECT import('owned');
SELECT import('owned', '{}', '/dev/zero');
RESET ROLE;
GRANT pg_read_server_files TO regress_mlplat_import;
SET ROLE regress_mlplat_import;
SELECT import('owned');
RESET ROLE;
GRANT INSERT (a) ON owned TO regress_mlplat_import;
SET ROLE regress_mlplat_import;
SELECT import('owned');
RESET ROLE;
GRANT INSERT ON owned TO regress_mlplat_import;
SET ROLE regress_mlplat_import;
SELECT import('owned');
RESET ROLE;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
SET ROLE regress_mlplat_import;
SELECT import('owned');
RESET ROLE;
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
SELECT import('owned');
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE;
SELECT count(*) FROM owned;
DROP TABLE owned;
REVOKE ALL ON SCHEMA mlplat FROM regress_mlplat_import;
DROP ROLE regress_mlplat_import;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f mlplat_regress.csv';
DROP FUNCTION import(text, jsonb, text), put(text), put(bytea), import_path(), import_dir(), columns_of(text), double_b(), import_inner();
