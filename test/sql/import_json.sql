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

COPY (SELECT) TO PROGRAM 'rm -f mlplat_regress.json';
DROP FUNCTION import(text, jsonb, text), put(text), put(bytea), import_path(), import_dir(), columns_of(text);
