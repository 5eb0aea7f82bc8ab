-- Clean: every action, what it changes, what it fits, and the same again on new data.
CREATE SCHEMA clean;
SET search_path = clean;

CREATE TABLE people (id int, name text, age int, income float8, city varchar(10), signed_up date, balance numeric(8, 2));
INSERT INTO people VALUES
(1, ' Ann ', 30, 1000, 'Berlin', '2026-01-01', 10.25), (1, 'Ann', 31, 1100, 'Berlin', '2026-02-01', 10.5),
(2, 'BOB', NULL, 2000, 'Berlin', '2026-01-03', -3), (3, E'Cat\u00a0 \t Lee', 40, 1e9, 'Rome', NULL, 0.01),
(4, NULL, 50, 'NaN', 'Berlin', '2026-01-05', NULL), (5, 'eve', 61, 900, NULL, '2026-01-05', 'NaN'),
(6, '', 33, NULL, 'Paris', '2026-01-09', 99999);

-- a whole recipe
SELECT * FROM mlplat.clean('TABLE people', 'clean.people_clean', '[
    {"drop_duplicates": {"key": "id", "keep": "last", "order_by": "signed_up"}},
    {"fill": {"columns": ["age", "income"], "with": "median"}},
    {"normalize": {"columns": "name", "case": "lower", "empty_to_null": true}},
    {"clip": "income"},
    {"filter": "age > 30"}]');
SELECT * FROM people_clean ORDER BY id;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'people_clean'::regclass AND attnum > 0 ORDER BY attnum;
SELECT name, query, target, steps, fitted, changes, rows_in, rows_out, replay_of FROM mlplat.cleanings \gx
-- the same treatment of other rows: the first time's median and bounds
CREATE TABLE later AS SELECT 7 AS id, '  ZOE ' AS name, NULL::int AS age, -1e6::float8 AS income, true AS extra UNION ALL SELECT 8, NULL, 99, NULL, false;
SELECT * FROM mlplat.apply_cleaning('clean.people_clean', 'SELECT *, NULL::date AS signed_up FROM later', 'later_clean', name => 'later');
SELECT * FROM later_clean ORDER BY id;
SELECT name, replay_of, rows_in, rows_out FROM mlplat.cleanings ORDER BY name;
-- and of that recipe in turn
SELECT * FROM mlplat.apply_cleaning('later', 'TABLE people', 'again');
SELECT count(*) AS differ FROM (TABLE again EXCEPT ALL TABLE people_clean) d;

-- one action after the other; run(query, steps) shows the steps and the rows
CREATE FUNCTION run(query text, steps jsonb, OUT step int, OUT action text, OUT columns text[], OUT rows_in bigint, OUT dropped bigint, OUT changed bigint, OUT fitted jsonb)
RETURNS SETOF record LANGUAGE sql AS $$ SELECT * FROM mlplat.clean(query, 'clean.out', steps, 'out', true) $$;

-- drop_duplicates: all columns, with NULL and NaN equal to themselves; first and last by the order of the query
SELECT * FROM run('SELECT * FROM (VALUES (1, ''a'', ''NaN''::float8), (1, ''a'', ''NaN''), (NULL, NULL, 0), (NULL, NULL, ''-0'')) v(x, c, f)', '["drop_duplicates"]');
SELECT * FROM out ORDER BY x;
SELECT * FROM run('SELECT i AS id, i % 3 AS k FROM generate_series(1, 10) i', '[{"drop_duplicates": "k"}]');
SELECT * FROM out ORDER BY id;
SELECT * FROM run('SELECT i AS id, i % 3 AS k FROM generate_series(1, 10) i', '[{"drop_duplicates": {"key": "k", "keep": "last"}}]');
SELECT * FROM out ORDER BY id;
-- what has no place in the order never wins
SELECT * FROM run('SELECT * FROM (VALUES (1, NULL), (2, 7), (3, 9)) v(id, at), (VALUES (0)) k(k)', '[{"drop_duplicates": {"key": "k", "order_by": "at"}}]');
TABLE out;
SELECT * FROM run('SELECT * FROM (VALUES (1, NULL), (2, 7), (3, 9)) v(id, at), (VALUES (0)) k(k)', '[{"drop_duplicates": {"key": ["k"], "keep": "last", "order_by": ["at", "id"]}}]');
TABLE out;

-- drop_missing
SELECT * FROM run('SELECT * FROM (VALUES (1, 1.0::float8, ''a''), (2, ''NaN'', ''b''), (3, NULL, NULL), (4, ''Infinity'', ''d'')) v(id, x, c)', '["drop_missing"]');
SELECT * FROM out ORDER BY id;
SELECT * FROM run('SELECT * FROM (VALUES (1, 1.0::float8, ''a''), (2, ''NaN'', ''b''), (3, NULL, NULL)) v(id, x, c)', '[{"drop_missing": {"columns": ["x", "c"], "how": "all"}}]');
SELECT * FROM out ORDER BY id;

-- fill: statistics of what is not missing, by the column's type
CREATE TABLE holes (id int, i int, f float8, n numeric(6, 2), c text, b boolean, d date);
INSERT INTO holes VALUES (1, 1::int, 1.5::float8, 1.25::numeric(6,2), 'a', true, '2026-01-01'::date), (2, 2, 2.5, 1.30, 'b', true, '2026-01-04'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL), (4, 4, 'NaN', 'NaN', 'b', false, '2026-01-03'), (5, 9, 4, 2.45, 'a', NULL, '2026-01-02');
SELECT * FROM run('TABLE holes', '[{"fill": {"columns": ["i", "f", "n"], "with": "mean"}}]');
SELECT * FROM out ORDER BY id;
SELECT * FROM run('TABLE holes', '[{"fill": {"columns": ["i", "f", "n", "d"], "with": "median"}}]');
SELECT * FROM out ORDER BY id;
SELECT * FROM run('TABLE holes', '[{"fill": {"with": "mode"}}]');
SELECT * FROM out ORDER BY id;
SELECT * FROM run('TABLE holes', '[{"fill": {"columns": ["i", "n"], "value": 7}}, {"fill": {"columns": "c", "value": "none"}}, {"fill": {"columns": "b", "with": "constant", "value": false}}]');
SELECT * FROM out ORDER BY id;
SELECT * FROM run('SELECT * FROM (VALUES (1, 1, 10.0, ''x''), (2, 1, NULL, NULL), (3, 2, NULL, ''y''), (4, 2, 20, NULL), (5, 1, NULL, ''z''), (6, 2, NULL, NULL)) v(id, g, x, c)', '[{"fill": {"with": "previous", "order_by": "id", "group_by": "g"}}]');
SELECT * FROM out ORDER BY g, id;
SELECT * FROM run('SELECT * FROM (VALUES (1, 10.0), (3, NULL), (2, 12.5), (0, NULL)) v(id, x)', '[{"fill": {"columns": "x", "with": "previous", "order_by": "id"}}]');
SELECT * FROM out ORDER BY id;
-- at the ends of the types
SELECT fitted FROM run('SELECT * FROM (VALUES (9223372036854775807, ''Infinity''::float8), (9223372036854775807, ''-Infinity''), (NULL, NULL)) v(x, f)', '[{"fill": {"columns": "x", "with": "mean"}}, {"fill": {"columns": "f", "with": "mean"}}, {"fill": {"columns": "f", "with": "median"}}]');
SELECT * FROM out ORDER BY f;
SELECT fitted FROM run('SELECT * FROM (VALUES (9223372036854775807), (-9223372036854775808), (1)) v(x)', '[{"clip": {"factor": 0.1}}, {"clip": {"by": "zscore", "factor": 100}}, {"clip": {"columns": "x", "by": "bounds", "lower": -1e300, "upper": 1e300}}]');
-- nothing to fill with
SELECT * FROM run('SELECT NULL::int AS x, ''NaN''::float8 AS y', '[{"fill": {"with": "median"}}, {"fill": {"with": "mean"}}]');
TABLE out;

-- text
SELECT * FROM run(E'SELECT * FROM (VALUES (1, ''  two  words ''), (2, E''\\t''), (3, NULL), (4, ''ok'')) v(id, c)', '[{"trim": {"empty_to_null": true}}]');
SELECT id, '<' || c || '>' AS c FROM out ORDER BY id;
SELECT * FROM run($q$SELECT * FROM (VALUES (1, U&'\FF21\FB01  x\3000'), (2, U&'e\0301'), (3, '  '), (4, 'plain')) v(id, c)$q$, '["normalize"]');
SELECT id, '<' || c || '>' AS c, length(c) FROM out ORDER BY id;
SELECT * FROM run('SELECT ''Ab c'' AS c UNION ALL SELECT ''X''', '["upper", {"normalize": {"case": "upper"}}]');
SELECT * FROM out ORDER BY c;
SELECT * FROM run($q$SELECT 1 AS id, ' AB '::char(6) AS fixed, ' AB '::varchar(6) AS short$q$, '["trim", "lower"]');
SELECT '<' || fixed::text || '>' AS fixed, '<' || short || '>' AS short, pg_typeof(fixed), pg_typeof(short) FROM out;

-- map
SELECT * FROM run('SELECT * FROM (VALUES (1, ''M'', 1.0), (2, ''f'', 2), (3, ''?'', 3), (4, NULL, NULL)) v(id, c, n)', '[{"map": {"columns": "c", "values": {"M": "male", "f": "female", "?": null}, "missing": "unknown"}}, {"map": {"columns": "n", "values": {"1": 10, "3.00": 30}, "other": "null"}}]');
SELECT * FROM out ORDER BY id;

-- cast: each rule; what cannot be cast is counted
SELECT * FROM run('SELECT * FROM (VALUES (1, ''12'', ''1.5''), (2, ''x'', ''1e400''), (3, NULL, NULL), (4, '' 7 '', ''NaN'')) v(id, a, b)', '[{"cast": {"columns": "a", "type": "integer", "on_error": "null"}}, {"cast": {"columns": "b", "type": "float8", "on_error": "default", "default": -1}}]');
SELECT *, pg_typeof(a), pg_typeof(b) FROM out ORDER BY id;
SELECT * FROM run('SELECT * FROM (VALUES (1, ''2026-02-28''), (2, ''2026-02-30''), (3, ''soon'')) v(id, a)', '[{"cast": {"columns": "a", "type": "date", "on_error": "drop_row"}}, {"fill": {"columns": "a", "with": "mode"}}]');
SELECT * FROM out ORDER BY id;
SELECT * FROM run('SELECT v, v AS s, v AS f FROM unnest(''{9999,-9999,32768,99999,999999999,1e2,+5,-7.,.5,007}''::text[]) v', '[{"cast": {"columns": "s", "type": "smallint", "on_error": "null"}}, {"cast": {"columns": "f", "type": "real", "on_error": "null"}}]');
SELECT * FROM out ORDER BY v;
SELECT * FROM run('SELECT 1234.567::numeric AS x', '[{"cast": {"columns": "x", "type": "numeric(6,1)"}}, {"cast": {"columns": "x", "type": "text"}}]');
SELECT x, pg_typeof(x) FROM out;

-- outliers; a bound fits the column's type, towards the inside
CREATE TABLE spread (id int, i int, f float8, n numeric(4, 2));
INSERT INTO spread SELECT i AS id, CASE i WHEN 1 THEN -1000 WHEN 20 THEN 1000 ELSE i END AS i, CASE i WHEN 1 THEN '-Infinity' WHEN 20 THEN 'Infinity' ELSE i / 7.0 END::float8,
    CASE i WHEN 1 THEN -99.99 WHEN 20 THEN 99.99 ELSE i / 7.0 END FROM generate_series(1, 20) i;
SELECT * FROM run('TABLE spread', '[{"clip": ["i", "f", "n"]}]');
SELECT * FROM out WHERE id IN (1, 2, 20) ORDER BY id;
SELECT dropped, changed FROM run('TABLE out', '[{"clip": ["i", "f", "n"]}]');
SELECT * FROM run('TABLE spread', '[{"drop_outliers": {"columns": ["i", "n"], "by": "zscore", "factor": 2}}]');
SELECT count(*), min(id), max(id) FROM out;
SELECT * FROM run('TABLE spread', '[{"clip": {"columns": ["i", "f", "n"], "by": "quantile", "lower": 0.1, "upper": 0.9}}]');
SELECT * FROM out WHERE id IN (1, 2, 3, 20) ORDER BY id;
SELECT * FROM run('TABLE spread', '[{"clip": {"columns": ["i", "n"], "by": "bounds", "lower": 2.5, "upper": 1e9}}, {"drop_outliers": {"columns": "f", "by": "bounds", "upper": 2}}]');
SELECT * FROM out WHERE id < 5 ORDER BY id;
SELECT fitted FROM run('SELECT 1::smallint AS x, 2::bigint AS y', '["clip", {"clip": {"by": "quantile"}}, {"clip": {"by": "zscore"}}]');
-- no whole number lies between 1.25 and 1.75
SELECT fitted, changed FROM run('SELECT * FROM (VALUES (1), (2)) v(x)', '[{"clip": {"by": "quantile", "lower": 0.25, "upper": 0.75}}]');
SELECT fitted, dropped FROM run('SELECT * FROM (VALUES (1), (2)) v(x)', '[{"drop_outliers": {"by": "quantile", "lower": 0.25, "upper": 0.75}}]');

-- columns
SELECT * FROM run('SELECT i AS id, 1 AS same, NULL::text AS nothing, CASE WHEN i > 3 THEN 1 END AS half, NULLIF(i, 3) AS most FROM generate_series(1, 6) i', '["drop_constant", {"drop_empty": {"max_missing": 0.3}}]');
TABLE out ORDER BY id;
SELECT * FROM run('SELECT 1 AS a, 2 AS b, 3 AS c', '[{"drop_columns": ["a", "c"]}, {"fill": {"with": "mean"}}]');
TABLE out;

-- rare levels
SELECT * FROM run('SELECT CASE WHEN i <= 60 THEN ''a'' WHEN i <= 90 THEN ''b'' WHEN i <= 99 THEN ''c'' || i END AS c FROM generate_series(1, 100) i', '[{"group_rare": {"min_share": 0.05}}]');
SELECT c, count(*) FROM out GROUP BY c ORDER BY c;
SELECT fitted FROM run('SELECT unnest(''{a,a,b,other}''::text[]) AS c', '[{"group_rare": {"min_count": 2, "other": "few"}}]');
SELECT c, count(*) FROM out GROUP BY c ORDER BY c;
SELECT * FROM mlplat.apply_cleaning('out', 'SELECT unnest(''{a,b,new,few,NULL}''::text[]) AS c', 'grouped');
SELECT c, count(*) FROM grouped GROUP BY c ORDER BY c;

-- a step sees what the step before has left, however readings are shared
SELECT * FROM run('SELECT * FROM (VALUES (1.0::float8), (2), (3), (NULL), (NULL), (NULL), (100)) v(x)', '[{"fill": {"columns": "x", "value": 0}}, {"fill": {"columns": "x", "with": "mean"}}, {"clip": {"columns": "x", "by": "quantile", "lower": 0, "upper": 0.5}}, {"filter": "x > 0"}, {"clip": {"columns": "x", "by": "quantile", "lower": 0, "upper": 0.5}}]');
SELECT * FROM run('SELECT i AS id, i::float8 AS x, i::text AS c FROM generate_series(1, 10) i', '[{"filter": "id % 2 = 0"}, {"fill": {"columns": "id", "with": "mean"}}, {"cast": {"columns": "c", "type": "int"}}, {"clip": {"columns": "x", "by": "zscore", "factor": 1}}, {"fill": {"columns": "c", "with": "median"}}, {"drop_outliers": {"columns": "c", "by": "bounds", "lower": 5}}, {"fill": {"columns": "x", "with": "mean"}}]');
-- an earlier filter guards a later expression
SELECT * FROM run('SELECT * FROM (VALUES (0), (5), (NULL)) v(x)', '[{"filter": "x <> 0"}, {"filter": "10 / x = 2"}]');
TABLE out;
-- a filter may hold anything but a sub-select: functions, collations, CASE, comments
SELECT * FROM run('SELECT * FROM (VALUES (''Ab'', ''{1,2}''::int[]), (''cd'', ''{}'')) v("Quoted ""name", a)', $s$[{"filter": "CASE WHEN lower(\"Quoted \"\"name\" COLLATE \"C\") = 'ab' /* yes */ THEN cardinality(a) > 1 ELSE false END -- the end"}]$s$);
TABLE out;

-- domains and enums stay what they are
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE feelings (p positive, m mood);
INSERT INTO feelings VALUES (1, 'ok'), (NULL, NULL), (3, 'happy');
SELECT * FROM run('TABLE feelings', '[{"fill": {"columns": "p", "with": "mean"}}, {"fill": {"columns": "m", "value": "sad"}}, {"map": {"columns": "m", "values": {"happy": "ok"}}}]');
SELECT *, pg_typeof(p), pg_typeof(m) FROM out ORDER BY p, m;
-- types of every other kind pass through
SELECT * FROM run('SELECT ''{"a": 1}''::jsonb AS j, ARRAY[1,2] AS a, ''a'' COLLATE "C" AS c, now() AS t, ''(1,2)''::point AS p, NULL::xml AS x, int4range(1, 3) AS r', '["drop_missing"]');
SELECT dropped, columns FROM run('SELECT ''{"a": 1}''::jsonb AS j, ARRAY[1,2] AS a, ''a'' COLLATE "C" AS c', '["drop_duplicates", {"fill": {"with": "mode"}}]');
SELECT attname, format_type(atttypid, atttypmod), collname FROM pg_attribute a LEFT JOIN pg_collation c ON c.oid = attcollation WHERE attrelid = 'out'::regclass AND attnum > 0 ORDER BY attnum;
-- long values
SELECT changed FROM run('SELECT repeat(''Ab '', 1000000) AS c, NULL::text AS d UNION ALL SELECT NULL, NULL', '["lower", {"fill": {"columns": "c", "with": "mode"}}, {"drop_duplicates": "c"}]');
SELECT length(c), left(c, 6) FROM out;

-- names that need quotes; a temporary target; replacing what the query reads
SELECT rows_in FROM mlplat.clean('SELECT id FROM holes', '"Odd ""name"', '[{"filter": "id < 3"}]');
TABLE "Odd ""name";
SELECT rows_in FROM mlplat.clean('TABLE holes', 'pg_temp.passing', '[{"filter": "id < 3"}]');
SELECT count(*) FROM pg_temp.passing;
SELECT rows_in, rows_dropped FROM mlplat.clean('TABLE "Odd ""name"', '"Odd ""name"', '[{"filter": "id < 2"}]', replace => true);
SELECT id FROM "Odd ""name";
SELECT relname FROM pg_class WHERE relnamespace = 'clean'::regnamespace AND relname LIKE '%clean%' ORDER BY 1;
-- texts of a recipe do not depend on the session
SET datestyle = 'German, DMY';
SELECT fitted FROM run('SELECT ''03.02.2026''::date AS d UNION ALL SELECT NULL', '[{"fill": {"columns": "d", "with": "median"}}]');
SET datestyle = 'SQL, MDY';
SELECT * FROM mlplat.apply_cleaning('out', 'SELECT NULL::date AS d', 'dated');
TABLE dated;
RESET datestyle;

-- rows beyond work_mem
SET work_mem = '64kB';
SELECT rows_in, dropped, changed, fitted FROM run('SELECT i % 20000 AS id, NULLIF(i % 5, 4) AS x, ''name '' || i % 7 AS c FROM generate_series(1, 40000) i', '[{"drop_duplicates": "id"}, {"fill": {"columns": "x", "with": "median"}}, {"group_rare": {"columns": "c", "min_share": 0.1}}, {"fill": {"columns": "x", "with": "previous", "order_by": "id"}}]');
SELECT count(*), sum(x), min(id), max(id) FROM out;
RESET work_mem;

SELECT mlplat.drop_cleaning('later');
SELECT name FROM mlplat.cleanings ORDER BY name;
DELETE FROM mlplat.cleaning;
SET client_min_messages = warning;
DROP SCHEMA clean CASCADE;
