-- import_json: files are written into the data directory, messages are shown without its name.
CREATE FUNCTION import_dir() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$SELECT current_setting('data_directory')$$;
CREATE FUNCTION import_path() RETURNS text LANGUAGE sql AS $$SELECT import_dir() || '/mlplat_regress.json'$$;
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
    SELECT * INTO r FROM mlplat.import_json(target, path, options);
    RETURN format('%s rows, %s rejected, seconds %s', r.rows_loaded, r.rows_rejected, CASE WHEN r.seconds BETWEEN 0 AND 60 THEN 'fine' ELSE 'odd' END);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    context := array_to_string(ARRAY(SELECT line FROM unnest(string_to_array(context, E'\n')) AS line WHERE line LIKE 'COPY %'), E'\n');
    RETURN replace(concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, ''), nullif(context, '')), import_dir(), 'DATA');
END $$;
CREATE FUNCTION columns_of(target text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped$$;
\pset null '(null)'
SET timezone = 'UTC';

-- A new table, with types.
SELECT put(E'{"id":1,"big":3000000000,"price":1.5,"exact":12345678901234567.891,"flag":true,"day":"2024-02-29","at":"2024-02-29 12:30","zone":"2024-02-29T12:30:00Z","name":"a, \\"b\\"","tags":["x",1],"nothing":null}
{"id":2,"big":7,"price":-2e3,"exact":0.1,"flag":false,"day":"2023-01-01","at":"2024-03-01","zone":"2024-03-01 00:00:00+01","name":"","tags":{"x":null},"nothing":null}
{"price":null}\n');
SELECT import('plain');
SELECT columns_of('plain');
SELECT * FROM plain;
-- Once more into the same table; then with the keys in another order, in another case, and some left out.
SELECT import('plain');
SELECT put(E'{"Name":"x","ID":3}\n{"exact":1e-3}\n');
SELECT import('public.plain');
SELECT id, name, exact FROM plain WHERE big IS NULL ORDER BY id;
DROP TABLE plain;

-- The ways rows can be there: lines, an array, an array inside, documents one after another.
SELECT put('[{"a":1},{"a":2}]'), import('forms');
SELECT put('{"a":3}{"a":4} {"a":5}'), import('forms');
SELECT put(E'{\n  "a": 6\n}\n{\n  "a": 7\n}'), import('forms');
SELECT put('{"count":2,"data":{"items":[{"a":8},{"a":9}],"next":null}}'), import('forms', '{"path": "$.data.items"}');
SELECT put('{"data":{"a":10}}{"data":[{"a":11}]}'), import('forms', '{"path": "$.data"}');
SELECT put('{"o\u0064d \"name\"":[{"a":12}]}'), import('forms', '{"path": "$.\"odd \\\"name\\\"\"[*]"}');
SELECT array_agg(a ORDER BY a) FROM forms;
DROP TABLE forms;

-- Mixed and missing values: nothing is lost.
SELECT put(E'{"mixed":1,"flags":true,"nested":1,"none":null}\n{"mixed":"x","flags":"perhaps","nested":{"a":"b"}}\n{"mixed":false,"nested":"text \\u00e9"}'), import('mixed');
SELECT columns_of('mixed');
SELECT * FROM mixed;
DROP TABLE mixed;
SELECT put('{"n":' || repeat('9', 400) || ',"small":1e-400,"text":"' || repeat('9', 400) || '"}'), import('long');
SELECT columns_of('long');
SELECT n = repeat('9', 400)::numeric AS n, small = 1e-400 AS small, length(text) FROM long;
DROP TABLE long;
SELECT put('{"n":1e400}'), import('wide_number', '{"types": {"n": "float8"}}');

-- Escapes.
SELECT put(E'{"a":"tab\\tline\\nback\\\\slash\\/\\"q\\" \\\\N \\u0001\\u000a\\u005c \\ud83d\\ude00","j":["\\n\\\\",\n{"\\u0061":"\\""}]}'), import('escapes');
SELECT a = E'tab\tline\nback\\slash/"q" \\N \x01\n\\ ' || chr(128512) AS a, j = '["\n\\", {"a": "\""}]' AS j FROM escapes;
DROP TABLE escapes;
SELECT put('{"a":"\\N","b":"","c":"\\."}'), import('markers');
SELECT a, b = '' AS b, c FROM markers;
DROP TABLE markers;

-- Flattening.
SELECT put(E'{"id":1,"address":{"city":"x","geo":{"lat":1.5,"lon":2}},"tags":[{"a":1}],"empty":{}}\n{"id":2,"address":null}\n{"id":3,"address":{"geo":{"lat":3}}}');
SELECT import('flat');
SELECT columns_of('flat');
DROP TABLE flat;
SELECT import('flat', '{"flatten": true}');
SELECT columns_of('flat');
SELECT * FROM flat ORDER BY id;
SELECT import('flat', '{"flatten": true}');
DROP TABLE flat;
SELECT import('flat', '{"flatten": 1, "separator": "."}');
SELECT columns_of('flat');
DROP TABLE flat;
CREATE TABLE flat (id int, address jsonb, tags json, empty text);
SELECT import('flat', '{"flatten": true}');
SELECT * FROM flat ORDER BY id;
DROP TABLE flat;
SELECT put(E'{"a":1}\n{"a":{"b":2}}'), import('flat', '{"flatten": true}');
SELECT * FROM flat;
DROP TABLE flat;
SELECT put('{"a":{"b":1},"a_b":2}'), import('nothing', '{"flatten": true}');
SELECT import('nothing', '{"flatten": -1}'), import('nothing', '{"flatten": "yes"}'), import('nothing', '{"separator": "."}');

-- Choice and names of columns.
SELECT put('{"a":1,"b":2,"c":{"d":3}}');
SELECT import('chosen', '{"columns": ["c", "a"]}');
SELECT * FROM chosen;
SELECT import('chosen', '{"columns": {"c": null, "b": null}}');
SELECT import('chosen', '{"columns": {"a": "c", "b": "a", "c": null}}');
SELECT * FROM chosen;
DROP TABLE chosen;
SELECT import('chosen', '{"columns": {"c_d": "Deep"}, "flatten": true}');
SELECT columns_of('chosen');
DROP TABLE chosen;
SELECT import('nothing', '{"columns": ["bb"]}');
SELECT import('nothing', '{"columns": ["nosuch key"]}');
SELECT import('nothing', '{"columns": {"a": "b"}}');
SELECT import('nothing', '{"columns": {"a": 1}}');
SELECT import('nothing', '{"columns": []}');
SELECT import('nothing', '{"columns": "a"}');
SELECT put('{"Customer Id":1,"Größe":2,"":3,"' || repeat('ü', 50) || '":4,"select":5}'), import('"Odd ""Name"""');
SELECT columns_of('"Odd ""Name"""');
DROP TABLE "Odd ""Name""";

-- Types and the sample.
SELECT put((SELECT string_agg(format('{"a":%s}', CASE WHEN i = 10001 THEN '1.5' ELSE '1' END), E'\n') FROM generate_series(1, 10001) AS i));
SELECT import('typed');
SELECT import('typed', '{"sample_rows": 0}');
SELECT columns_of('typed');
DROP TABLE typed;
SELECT import('typed', '{"types": {"a": "numeric(10,2)"}}');
SELECT columns_of('typed');
SELECT import('typed', '{"types": {"a": "text"}}');
DROP TABLE typed;
SELECT import('typed', '{"types": {"b": "text"}}');
SELECT import('typed', '{"types": {"a": "nosuch"}}');
SELECT import('typed', '{"types": 7}');

-- Keys without a column: an error, unless they are null; or left out, and counted.
SELECT put(E'{"a":1}\n{"a":2,"late":null}\n{"a":3,"late":7}');
SELECT import('late', '{"sample_rows": 1}');
SELECT import('late', '{"sample_rows": 1, "extra": "ignore"}');
SELECT * FROM late;
SELECT import('late');
SELECT import('late', '{"columns": ["a"]}');
SELECT import('late', '{"on_error": "reject"}');
ALTER TABLE late ADD COLUMN latex int, ADD COLUMN late int DEFAULT 5;
SELECT import('late', '{"sample_rows": 1}');
SELECT import('late', '{"sample_rows": 0}');
ALTER TABLE late ALTER COLUMN late DROP DEFAULT;
SELECT import('late', '{"sample_rows": 1}');
SELECT * FROM late ORDER BY a, late;
SELECT put('{"latey":1}'), import('late');
SELECT put('{"A":1,"a":2}'), import('late');
SELECT put('{"other":1}'), import('late');
SELECT put('{"a":1}'), import('late', '{"columns": {"a": "nosuch"}}');
DROP TABLE late;

-- Rows that are rejected.
CREATE FUNCTION rejects() RETURNS TABLE (line bigint, column_name text, reason text, content text) LANGUAGE sql AS $$
    SELECT line, column_name, reason, left(content, 60) FROM mlplat.import_rejects WHERE import_id = (SELECT max(import_id) FROM mlplat.import_log) ORDER BY line$$;
SELECT put(convert_to(E'{"a":1}\n{"a":2,}\n[1]\n"text"\n{"a":3,"a":4}\n{"a":"\\u0000"}\n{"a":"\\ud800"}\n{"a":"', 'UTF8') || '\xff'::bytea ||
    convert_to(E'"}\n{"a":5}\n\n{"a":6\n{"a":7,"b":8}\n{"\\u0000":1}\n\x01\n{"a":9}', 'UTF8'));
SELECT import('good', '{"on_error": "reject"}');
SELECT * FROM rejects();
SELECT array_agg(a) FROM good;
SELECT import('good', '{"on_error": "reject", "sample_rows": 1, "max_rejects": 9}');
SELECT import('good', '{"on_error": "reject", "max_rejects": 0.5}');
SELECT import('good', '{"max_rejects": 9}');
SELECT import('good');
SELECT count(*) FROM good;
SELECT put('[{"a":1},2,{"a":3}]'), import('good', '{"on_error": "reject"}');
SELECT * FROM rejects();
SELECT put('[{"a":1},{"a":x},{"a":3}]'), import('good', '{"on_error": "reject"}');
SELECT put(E'oops\n'), import('good', '{"on_error": "reject"}'), import('nothing', '{"on_error": "reject"}');
DROP TABLE good;

-- Values that the table does not take: rejected one by one; else the line is told, also where rows are not lines.
CREATE DOMAIN import_positive AS int CHECK (VALUE > 0);
CREATE TYPE import_mood AS ENUM ('y', 'z');
CREATE TABLE strict (a int, b date, c varchar(3) NOT NULL, d jsonb, e import_mood, f import_positive, g int[]);
SELECT put(E'{"a":1,"b":"2024-01-01","c":"x","d":{"x":1},"e":"y","f":2}\n{"a":"x","c":"x"}\n{"b":"2024-02-30","c":"x"}\n{"a":3.5,"c":"x"}\n{"a":99999999999,"c":"x"}\n{"c":null}\n{"c":"long"}
{"c":"x","d":{"n":1e999999}}\n{"a":2,"c":"\\u0041","d":1e5,"e":"z"}\n{"c":"x","e":"no"}\n{"c":"x","f":-1}\n{"a":[1],"c":"x"}\n{"a":"3","c":"x"}\n{"a":true,"c":"x"}\n{"c":"x","g":[1]}');
SELECT import('strict', '{"on_error": "reject"}');
SELECT * FROM strict;
SELECT line, column_name, reason FROM rejects();
SELECT import('strict');
SELECT put(E'[\n{"c":"x"},\n\n{"c":\n"x",\n"a":1.5}\n]');
DO $$
DECLARE context text;
BEGIN
    PERFORM mlplat.import_json('strict', import_path());
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RAISE NOTICE '%', replace(array_to_string((string_to_array(context, E'\n'))[:2], '; '), import_dir(), 'DATA');
END $$;
DROP TABLE strict;
DROP DOMAIN import_positive;
DROP TYPE import_mood;

-- No JSON, each said by line and column.
CREATE FUNCTION try(content text) RETURNS text LANGUAGE sql AS $$SELECT put(content); SELECT import('nothing')$$;
SELECT try(''), try(E' \n\t ');
SELECT try('{"a":1'), try('[{"a":1},'), try('[{"a":1}'), try('{"a":"x');
SELECT try('[{"a":1},]'), try('[{"a":1,}]');
SELECT try('[{"a":1}] x'), try('[{"a":1}]{"a":1}'), try(E'{"a":1}\n[{"a":1}]');
SELECT try('[1,2,3]'), try('[[1],[2]]'), try('7'), try('null'), try('"text"');
SELECT try(E'// comment\n{"a":1}'), try('{"a":/* 1 */2}'), try(E'# comment');
SELECT try('{"a":NaN}'), try('{"a":-Infinity}'), try('{"a":01}'), try('{"a":True}'), try('{a:1}'), try('{''a'':1}');
SELECT try(E'{"a":"line\nfeed"}');
SELECT try('{"a":"\ud800"}'), try('{"a":"\udc00"}'), try('{"a":"\u0000"}'), try('{"\u0000":1}'), try('{"a":["\ud800"]}');
SELECT try('{"a":1,"a":2}'), try('{"a":{"b":1,"b":2}}');
SELECT columns_of('nothing');
DROP TABLE nothing;
SELECT try(repeat('[', 100000)), try('{"a":' || repeat('[', 100000) || repeat(']', 100000) || '}'), try(repeat('{"a":', 100000));
SELECT put(convert_to('{"a":"x', 'UTF8') || '\xff'::bytea || convert_to('"}', 'UTF8')), import('nothing');
SELECT put(convert_to('{"a":1}', 'UTF8') || '\x00'::bytea), import('nothing');
SELECT put('\xfffe7b00'::bytea), import('nothing');
SELECT put('\xfffe7b00220061002200'::bytea || '\x3a003100'::bytea || '\x7d00'::bytea), import('utf16');
SELECT * FROM utf16;
DROP TABLE utf16;
SELECT try('{}'), try('[]'), try('[{"a":{}}]'), import('nothing', '{"flatten": true}');
SELECT columns_of('nothing');
DROP TABLE nothing;
SELECT put('\xefbbbf'::bytea || convert_to(E'{"a":1}\r\n{"a":2}\r\n', 'UTF8')), import('marked');
SELECT array_agg(a) FROM marked;
SELECT put('[]'), import('marked');
DROP TABLE marked;
-- As deep as is allowed, into a column of JSON.
SELECT put('{"a":' || repeat('[', 1000) || repeat(']', 1000) || '}'), import('deep');
SELECT length(a::text) FROM deep;
DROP TABLE deep;

-- Many keys.
SELECT put((SELECT '{' || string_agg(format('"k%s":%s', i, i), ',') || '}' FROM generate_series(1, 1600) AS i)), import('wide');
SELECT k1, k800, k1600 FROM wide;
DROP TABLE wide;
SELECT put((SELECT '{' || string_agg(format('"k%s":%s', i, i), ',') || '}' FROM generate_series(1, 1601) AS i)), import('nothing');
SELECT put((SELECT '{"a":1}' || E'\n{' || string_agg(format('"k%s":%s', i, i), ',') || '}' FROM generate_series(1, 30000) AS i));
CREATE TABLE narrow (a int);
SELECT import('narrow', '{"extra": "ignore"}');
SELECT import('narrow', '{"sample_rows": 1}');
SELECT import('narrow', '{"columns": ["a"]}');
SELECT * FROM narrow;
DROP TABLE narrow;

-- gzip: one member, two members, damage.
\set member '\\x1f8b0800000000000203ab564a54b232ac0500afac1b5607000000'
SELECT put(:'member'::bytea), import('zipped');
SELECT put(:'member'::bytea || :'member'::bytea || '\x0000'), import('zipped');
SELECT put(substr(:'member'::bytea, 1, 16)), import('zipped');
SELECT put(overlay(:'member'::bytea PLACING '\xffff' FROM 14)), import('zipped');
SELECT import('zipped', '{"max_bytes": 3}'), put(:'member'::bytea), import('zipped', '{"max_bytes": 3}');
SELECT count(*) FROM zipped;
DROP TABLE zipped;

-- Paths.
SELECT put('{"data":{"items":[{"a":1}],"n":1},"list":[1]}');
SELECT import('nothing', '{"path": "$.data.item"}'), import('nothing', '{"path": "$.list.items"}'), import('nothing', '{"path": "$.nosuch"}');
SELECT import('nothing', '{"path": "$.data[*]"}'), import('nothing', '{"path": "$[*]"}'), import('nothing', '{"path": "$.list"}');
SELECT import('nothing', '{"path": "data"}'), import('nothing', '{"path": "$.data.items[0]"}'), import('nothing', '{"path": "$..items"}'), import('nothing', '{"path": "$.data["}');
SELECT import('nothing', jsonb_build_object('path', '$' || repeat('.a', 10000)));
SELECT put('{"items":[{"a":1}],"items":[{"a":2}]}'), import('nothing', '{"path": "$.items"}');
SELECT put(E'{"items":[{"a":1}]}\n{"other":[{"a":2}]}'), import('nothing', '{"path": "$.items"}');
SELECT put(E'{"items":[{"a":1}],"x":"\\u0000"}\n{"items":null}'), import('paged', '{"path": "$.items"}');
DROP TABLE paged;

-- Files and arguments that are none.
SELECT import('nothing', path => import_dir() || '/no such file');
SELECT import('nothing', path => import_dir());
SELECT import('nothing', path => '/dev/zero');
SELECT import('nothing', path => 'relative.json');
SELECT import('nothing', path => NULL), import(NULL), import('nothing', NULL);
SELECT put('{"a":1,"b":2}');
SELECT import('nothing', '{"flaten": true}'), import('nothing', '{"extra": "perhaps"}'), import('nothing', '{"on_error": "skip"}'), import('nothing', '[]'), import('nothing', '{"sample_rows": -1}');
SELECT to_regclass('nothing') IS NULL AS nothing_left;

-- Targets.
SELECT import('one.two.three.four'), import(''), import('nosuch.t');
CREATE VIEW import_view AS SELECT 1 AS a, 2 AS b;
SELECT import('import_view');
DROP VIEW import_view;
CREATE TABLE checked (a int CHECK (a < 3), b int DEFAULT 7, c int GENERATED ALWAYS AS (a * 2) STORED, d serial, e int GENERATED BY DEFAULT AS IDENTITY, f text);
SELECT put(E'{"a":1}\n{"a":2}\n'), import('checked');
SELECT * FROM checked;
SELECT put(E'{"a":1}\n{"a":5}\n'), import('checked');
SELECT put('{"c":1}'), import('checked');
SELECT put('{"a":"x"}'), import('checked');
SELECT put('{"a":[1]}'), import('checked');
SELECT count(*) FROM checked;
CREATE FUNCTION double_b() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.b := 2 * NEW.b; RETURN NEW; END$$;
CREATE TRIGGER double_b BEFORE INSERT ON checked FOR EACH ROW EXECUTE FUNCTION double_b();
SELECT put('{"b":10}'), import('checked');
SELECT a, b FROM checked WHERE b > 7;
DROP TABLE checked;
CREATE TABLE parts (a int, b text) PARTITION BY LIST (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
SELECT put('{"a":1,"b":"x"}'), import('parts');
SELECT put('[{"a":1,"b":"x"},{"a":2,"b":"y"}]'), import('parts');
SELECT count(*) FROM parts;
DROP TABLE parts;
CREATE DOMAIN json_domain AS jsonb;
CREATE TABLE kinds (j json, b jsonb, d json_domain, t text);
SELECT put(E'{"j":"x","b":"x\\u00e9\\n","d":1,"t":"x"}\n{"j":{"a":1},"b":[1],"d":null,"t":{"a":"\\n"}}\n{"t":true}'), import('kinds');
SELECT * FROM kinds;
DROP TABLE kinds;
DROP DOMAIN json_domain;
-- A trigger may import too.
CREATE TABLE outer_rows (a int);
CREATE FUNCTION import_inner() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'inner: %', import('inner_rows'); RETURN NEW; END$$;
CREATE TRIGGER import_inner BEFORE INSERT ON outer_rows FOR EACH ROW EXECUTE FUNCTION import_inner();
SELECT put('[{"a":1},{"a":2},{"a":3}]'), import('outer_rows');
SELECT (SELECT count(*) FROM outer_rows) AS outer_rows, (SELECT count(*) FROM inner_rows) AS inner_rows;
DROP TABLE outer_rows, inner_rows;

-- Rights: the file's, the table's, row security, read-only.
CREATE ROLE regress_mlplat_json;
GRANT USAGE ON SCHEMA mlplat TO regress_mlplat_json;
CREATE TABLE owned (a int, b int, c int);
SELECT put('{"a":1,"b":2}');
SET ROLE regress_mlplat_json;
SELECT import('owned');
RESET ROLE;
GRANT pg_read_server_files TO regress_mlplat_json;
SET ROLE regress_mlplat_json;
SELECT import('owned');
RESET ROLE;
GRANT INSERT (a) ON owned TO regress_mlplat_json;
SET ROLE regress_mlplat_json;
SELECT import('owned');
SELECT import('owned', '{"columns": ["a"]}');
RESET ROLE;
GRANT INSERT ON owned TO regress_mlplat_json;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
SET ROLE regress_mlplat_json;
SELECT import('owned');
RESET ROLE;
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
SELECT import('owned');
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE;
SELECT * FROM owned;
DROP TABLE owned;
REVOKE ALL ON SCHEMA mlplat FROM regress_mlplat_json;
DROP ROLE regress_mlplat_json;

-- What is on record.
SELECT put('[{"a":1},2]'), import('pg_temp.logged', '{"on_error": "reject"}');
SELECT kind, replace(location, import_dir(), 'DATA') AS location, target, rows, rejected, bytes, outcome, error FROM mlplat.import_log ORDER BY import_id DESC LIMIT 1;
SELECT try('[{"a":1},2]');
SELECT kind, rows, rejected, bytes, outcome, sqlstate, replace(error, import_dir(), 'DATA') AS error FROM mlplat.import_log ORDER BY import_id DESC LIMIT 1;
COPY (SELECT) TO PROGRAM 'rm -f mlplat_regress.json';
DROP FUNCTION import(text, jsonb, text), put(text), put(bytea), import_path(), import_dir(), columns_of(text), rejects(), try(text), double_b(), import_inner();
