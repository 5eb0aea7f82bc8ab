-- import_csv: how numbers, dates, missing values and characters are written, and how that is found out.
SET client_min_messages = warning;
CREATE FUNCTION import_dir() RETURNS text LANGUAGE sql AS $$SELECT current_setting('data_directory')$$;
CREATE FUNCTION import_path() RETURNS text LANGUAGE sql AS $$SELECT import_dir() || '/mlplat_regress_values.csv'$$;
CREATE FUNCTION put(content bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE object oid := lo_from_bytea(0, content);
BEGIN
    PERFORM lo_export(object, import_path());
    PERFORM lo_unlink(object);
END $$;
-- Import what is put; says how it went, and the columns of the new table.
CREATE FUNCTION import(content bytea, options jsonb DEFAULT '{}', target text DEFAULT 'fresh') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    message text; hint text; context text;
BEGIN
    IF target = 'fresh' THEN DROP TABLE IF EXISTS fresh; END IF;
    PERFORM put(content);
    SELECT * INTO r FROM mlplat.import_csv(target, import_path(), options);
    RETURN format('%s rows, %s rejected: %s', r.rows_loaded, r.rows_rejected, (
        SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped));
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    context := array_to_string(ARRAY(SELECT line FROM unnest(string_to_array(context, E'\n')) AS line WHERE line ~ '^(COPY|column|import of) '), E'\n');
    RETURN replace(concat_ws(E'\n', message, nullif(hint, ''), nullif(context, '')), import_dir(), 'DATA');
END $$;
CREATE FUNCTION import(content text, options jsonb DEFAULT '{}', target text DEFAULT 'fresh') RETURNS text LANGUAGE sql AS $$SELECT import(convert_to(content, 'UTF8'), options, target)$$;
\pset null '(null)'
SET datestyle = 'ISO, MDY';
SET timezone = 'UTC';

-- Decimal comma, thousands.
SELECT import(E'id;price;share\n1;1,5;3\n2;-0,25;4\n');
SELECT * FROM fresh;
SELECT import(E'id;price;units\n1;1.234.567,89;1.000\n2;12,5;999\n');
SELECT * FROM fresh;
SELECT import(E'id,price,units\n1,"1,234.5","1,234,567"\n2,7.25,8\n');
SELECT * FROM fresh;
SELECT import(E'id;price\n1;1 234,5\n2;1\u00a0234\u202f567,25\n');
SELECT * FROM fresh;
SELECT import(E'id\tprice\n1\t1''234.5\n2\t12\n');
SELECT * FROM fresh;
SELECT import(E'a;b\n"1,5";x\n;y\n"2,5";"z;""u"\n');
SELECT * FROM fresh;
SELECT import(E'a;b\n1,5;NaN\n-2,5e-3;1e5\n');
SELECT * FROM fresh;
-- What can be read in two ways, or only looks like a number, stays text; options decide.
\set VERBOSITY terse
SELECT import(E'a;b\n1,234;x\n') ~ 'a text' AS text;
SELECT import(E'a;b\n1,234;x\n', '{"decimal": ","}');
SELECT * FROM fresh;
SELECT import(E'a;b\n1,234;x\n', '{"thousands": ","}');
SELECT * FROM fresh;
SELECT import(E'a;b\n1.234;5\n', '{"decimal": ","}');
SELECT * FROM fresh;
SELECT import(E'a;b\n1,234;5\n', '{"types": {"a": "numeric"}}');
SELECT import(E'telephone;address;code\n0301 234;10.0.0.1;1.234.567\n123 456 789;192.168.100.200;2.345.678\n');
SELECT import(E'a;b\n1.234,5;1,234.5\n');
SELECT import('a', '{"decimal": ";"}');
SELECT import('a', '{"decimal": ""}');
SELECT import('a', '{"thousands": "''''"}');
SELECT import('a', '{"decimal": ",", "thousands": ","}');
-- Into a table that is there its types decide; a number written otherwise stops the import at its line.
CREATE TABLE priced (id int, price numeric(10,2), note text);
SELECT import(E'id;price;note\n1;1,5;1,5\n2;;"two\nlines; ""quoted"""\n\n', target => 'priced');
SELECT * FROM priced ORDER BY id;
SELECT import(E'id;price;note\n' || repeat(E'1;1,5;"a\nb"\n', 10000) || E'2;1.5;x\n', target => 'priced');
SELECT import(E'id;price;note\n1;1,5\n2;2,5;x\n', target => 'priced');
SELECT import(E'id;price;note\n1;1,5;x\n\n2;2,5;x\n', target => 'priced');
SELECT import(E'id;price;note\n1;1,5;x\n\\.\n2;2,5;x\n', target => 'priced');
SELECT import(E'id;price;note\n1;1,5;x\n2;2,5;"x\n', target => 'priced');
SELECT import(E'id;price;note\n1;12345678901;x\n2;2,5;x\n', target => 'priced');
SELECT import(E'price\n1,5\n""\n', '{"delimiter": ";"}', target => 'priced');
SELECT count(*) FROM priced;

-- Dates.
SELECT import(E'a,b,c\n31.12.2024,2024-01-31 10:00,31-Mar-2024\n1.2.2024,2024/02/01 23:59:59.5,"1 April 2024"\n');
SELECT * FROM fresh;
SELECT import(E'a,b\n12/31/2024,1/2/2024 9:05 PM\n');
SELECT * FROM fresh;
SELECT import(E'a,b\n31/12/2024,1/2/2024 21:05:06+02\n');
SELECT * FROM fresh;
SHOW datestyle;
SELECT import(E'a,b\n1/2/2024,x\n') ~ 'a text' AS text;
SELECT import(E'a,b\n1/2/2024,x\n', '{"date_order": "mdy"}');
SELECT * FROM fresh;
SELECT import(E'a,b\n31/12/2024,1/2/2024\n12/31/2024,1/2/2024\n');
SELECT import(E'a,b\n31/12/2024,1/2/2024\n', '{"date_order": "mdy"}');
SELECT import(E'a\n1/2/2024\n', '{"date_order": "ydm"}');
CREATE TABLE dated (a date, b text);
SELECT import(E'a,b\n1/2/2024,x\n', target => 'dated');
SELECT import(E'a,b\n1/2/2024,x\n', '{"date_order": "dmy"}', target => 'dated');
SELECT import(E'a,b\n1/2/2024,x\n13/2/2024,x\n', target => 'dated');
SELECT import(E'a,b\n' || repeat(E'13/2/2024,x\n', 10000) || E'2/13/2024,x\n', target => 'dated');
-- A sample without dates of another order wants the year first.
SELECT import(E'a,b\n' || repeat(E',x\n', 10000) || E'2/3/2024,x\n', target => 'dated');
SELECT a, count(*) FROM dated GROUP BY a ORDER BY a;
SHOW datestyle;
DROP TABLE priced, dated;

-- Missing values: several words.
SELECT import(E'a,b,c\n1,NA,x\n,2.5,NA\n3,-,y\n');
SELECT * FROM fresh;
SELECT import(E'a,b,c\n1,NA,x\n,2.5,NA\n3,"NA",""\n', '{"null": ["", "NA"]}');
SELECT * FROM fresh;
SELECT import(E'a,b\n1,x\nnone,\nnil,z\n', '{"null": ["none", "nil"]}');
SELECT * FROM fresh;
SELECT import(E'a,b\n1,x\n', '{"null": 5}');
SELECT import(E'a,b\n1,x\n', '{"null": []}');
SELECT import(E'a,b\n1,x\n', '{"null": ["a", 1]}');

-- Encodings: UTF-8 that is damaged is not taken for another one.
SELECT import('\x4e616d650a4772fcdf650a'::bytea);
SELECT * FROM fresh;
SELECT import('\x4e616d65ff2c500a61e92c310a'::bytea);
SELECT * FROM fresh;
SELECT import(E'n,b\né,1\n'::bytea || '\xe92c320a'::bytea);
SELECT import('\x6e0ae90a'::bytea, '{"encoding": "UTF8"}');
SELECT import('\x6e0a810a'::bytea);
-- UTF-16, either way round; half a pair, half a unit.
SELECT import('\xfffe6e000a006500e900ac203dd800de0a00'::bytea);
SELECT * FROM fresh;
SELECT import('\xfeff006e000a006500e920acd83dde00'::bytea);
SELECT * FROM fresh;
SELECT import('\xfffe6e000a006500e9003dd861000a00'::bytea);
SELECT import('\xfffe6e000a006500e90061'::bytea);
SELECT import('\xfffe6e000a006500'::bytea, '{"encoding": "LATIN1"}');
SELECT import('\xff'::bytea);
DROP TABLE IF EXISTS fresh;
SELECT to_regclass('fresh') IS NULL AS nothing_left;

COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f mlplat_regress_values.csv';
DROP FUNCTION import(text, jsonb, text), import(bytea, jsonb, text), put(bytea), import_path(), import_dir();
