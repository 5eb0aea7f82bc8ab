-- profile: every column of a query, one row each.
\pset null '(null)'
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TYPE profile_mood AS ENUM ('sad', 'happy');
CREATE DOMAIN profile_money AS numeric(8,2);
CREATE TABLE profiled AS
SELECT i AS id, (i % 7)::smallint AS small, i::bigint * 1000000007 AS big, (i % 10) / 4.0::float8 AS real, (i % 3)::float4 AS real4,
    (i * 1.25)::profile_money AS money, i % 4 = 0 AS flag, date '2024-01-01' + i % 30 AS day, timestamp '2024-01-01' + i * interval '1 hour' AS at,
    timestamptz '2024-01-01 00:00+00' + i * interval '1 day' AS zone, time '00:00' + (i % 24) * interval '1 hour' AS clock, i % 5 * interval '1 day' AS wait,
    (ARRAY['red', 'green', 'blue'])[1 + i % 3] AS colour, 'code-' || i AS code, 'a sentence that is different in each row, number ' || i AS words,
    (ARRAY['sad', 'happy'])[1 + i % 2]::profile_mood AS mood, md5(i::text)::uuid AS key, ARRAY[i, 2, 3]::float8[] AS vector,
    CASE WHEN i % 2 = 0 THEN ARRAY[1, 2] ELSE ARRAY[1] END AS ragged, jsonb_build_object('a', i % 2) AS document, 'always'::text AS same, NULL::int AS nothing, '10.0.0.1'::inet AS address
FROM generate_series(1, 100) AS i;
UPDATE profiled SET real = NULL, colour = NULL WHERE id % 10 = 1;
SELECT column_name, type, rows, nulls, distinct_values AS "distinct", min, max, suggested_role FROM mlplat.profile('SELECT * FROM profiled ORDER BY id');
SELECT column_name, round(mean::numeric, 6) AS mean, round(stddev::numeric, 6) AS stddev, q25, median, q75 FROM mlplat.profile('TABLE profiled') WHERE mean IS NOT NULL;
SELECT column_name, top_values FROM mlplat.profile('SELECT small, real, money, flag, day, clock, wait, colour, mood, vector, document, nothing FROM profiled WHERE id <= 12');

-- The same as SQL says.
SELECT p.mean = a.mean AND round(p.stddev::numeric, 10) = round(a.stddev::numeric, 10) AND p.q25 = a.q[1] AND p.median = a.q[2] AND p.q75 = a.q[3] AS same
FROM mlplat.profile('SELECT real FROM profiled') AS p, (SELECT avg(real) AS mean, stddev(real) AS stddev, percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY real) AS q FROM profiled) AS a;

-- NaN, infinities, zeros of both signs.
SELECT rows, nulls, distinct_values, min, max, mean, stddev, q25, median, q75, top_values FROM mlplat.profile($$SELECT x::float8 FROM unnest(ARRAY['NaN', 'NaN', '0', '-0', '2', '4', 'Infinity', NULL]) AS x$$);
SELECT rows, nulls, distinct_values, min, max, mean, q25, median, q75, suggested_role FROM mlplat.profile($$SELECT 'NaN'::float8 AS x UNION ALL SELECT 'NaN'$$);
SELECT min, max, mean, median, q75 FROM mlplat.profile($$SELECT x::float8 FROM unnest(ARRAY['-Infinity', 'Infinity', '-Infinity', 'Infinity']) AS x$$);
SELECT distinct_values, min, max, mean, top_values FROM mlplat.profile($$SELECT x::numeric FROM unnest(ARRAY['1.0', '1.00', '12345678901234567890.5', 'NaN']) AS x$$);
-- Whole numbers beyond the digits of a double.
SELECT distinct_values, min, max FROM mlplat.profile('SELECT 9007199254740992 + i FROM generate_series(0, 3) AS i');

-- No rows, no values, one row, columns of one name, very long text, many columns.
SELECT column_name, type, rows, nulls, distinct_values, min, mean, stddev, median, top_values, suggested_role FROM mlplat.profile('SELECT id, real, colour, day, flag FROM profiled WHERE false');
SELECT column_name, rows, nulls, distinct_values, min, max, mean, stddev, median, suggested_role FROM mlplat.profile('SELECT 1 AS x, 2 AS x, NULL AS x, NULL::float8 AS x');
SELECT column_name, length(min), length(max), distinct_values, length(top_values::text), suggested_role FROM mlplat.profile($$SELECT repeat(c, 20000000) AS wide, repeat('ä', 200) AS cut FROM unnest(ARRAY['x', 'y']) AS c$$);
SELECT count(*), min(distinct_values), max(distinct_values) FROM mlplat.profile((SELECT 'SELECT ' || string_agg('i * ' || c || ' AS c' || c, ', ') || ' FROM generate_series(1, 50) AS i' FROM generate_series(1, 1600) AS c));

-- Many different values: estimates within what is promised.
CREATE TABLE profile_many AS SELECT i AS n, sin(i) AS x, md5(i::text) AS t, CASE WHEN i % 5 = 0 THEN 'often' WHEN i % 50 = 1 THEN 'at times' ELSE 'row ' || i END AS mixed, (i % 10000) AS last_exact, (i % 10001)::numeric AS first_estimate
FROM generate_series(1, 100000) AS i;
SELECT column_name, type, abs(distinct_values - n) <= 0.03 * n AS near, distinct_values = n AS exact, suggested_role
FROM mlplat.profile('TABLE profile_many') JOIN (SELECT unnest(ARRAY['n', 'x', 't', 'mixed', 'last_exact', 'first_estimate']) AS column_name, unnest(ARRAY[100000, 100000, 100000, 78002, 10000, 10001]) AS n) AS want USING (column_name);
SELECT column_name, abs((SELECT count(*) FROM profile_many WHERE n <= q25) / 100000.0 - 0.25) < 0.0045 AS q25, abs((SELECT count(*) FROM profile_many WHERE n <= median) / 100000.0 - 0.5) < 0.0045 AS median, abs((SELECT count(*) FROM profile_many WHERE n <= q75) / 100000.0 - 0.75) < 0.0045 AS q75
FROM mlplat.profile('SELECT n FROM profile_many');
SELECT column_name, abs(q25 - 2500) < 45 AS q25, abs(median - 5000) < 45 AS median, abs(q75 - 7500) < 45 AS q75 FROM mlplat.profile('SELECT first_estimate FROM profile_many');
SELECT top ->> 'value' AS value, (top ->> 'count')::int BETWEEN c - 400 AND c AS count
FROM mlplat.profile('SELECT mixed FROM profile_many'), LATERAL jsonb_array_elements(top_values) AS top JOIN (VALUES ('often', 20000), ('at times', 2000)) AS want (v, c) ON v = top ->> 'value';
SELECT column_name, jsonb_array_length(top_values) AS top FROM mlplat.profile('SELECT n, x, t, mixed, last_exact FROM profile_many');

-- Roles.
SELECT column_name, suggested_role FROM mlplat.profile($$SELECT i AS sequence, i * 1000003 AS customer_id, i * 1000003 AS revenue, i % 2 AS yes, 'x' || i % 90 AS repeated, 'x' || i AS sku, repeat('long ', 20) || i AS long FROM generate_series(1, 100) AS i$$);
SELECT column_name, suggested_role FROM mlplat.profile($$SELECT i AS sequence, 'x' || i AS sku FROM generate_series(1, 5) AS i$$);

-- Shape: skewness as pandas says it (test/golden/sketches.py), zeros, outliers, lengths of texts.
SELECT round(skewness::numeric, 9) AS skewness, round(stddev::numeric, 9) AS stddev FROM mlplat.profile('SELECT (i * 7919 % 1009) ^ 2 / 1000.0::float8 AS x FROM generate_series(0, 999) AS i');
SELECT column_name, skewness, zeros, q25, q75, outlier_share FROM mlplat.profile($$SELECT x, x::numeric(6,2) AS n, x * interval '1 day' AS span, x > 2 AS flag, time '00:00' AS clock FROM unnest(ARRAY[0, 0, 1, 2, 3, 4, 5, 6, 100, NULL]) AS x$$);
SELECT column_name, min, max, top_values FROM mlplat.profile($$SELECT 1.50::numeric(6,2) AS scaled, 1.50 AS free, 12 AS whole UNION ALL SELECT 10::numeric(6,2), 10.0, 12$$);
SELECT min, max, distinct_values FROM mlplat.profile($$SELECT x::numeric FROM unnest(ARRAY['100000000000000000000.1', '100000000000000000000.10', '100000000000000000000.09', '1e400', '-1e400']) AS x$$) \gset huge_
SELECT :'huge_min' = (-1e400)::text AS min, :'huge_max' = 1e400::text AS max, :huge_distinct_values AS "distinct";
SELECT min_length, max_length, shortest, longest FROM mlplat.profile($$SELECT x FROM unnest(ARRAY['bb', 'äöü', 'aa', NULL, 'xyz']) AS x$$);
SELECT min_length, max_length, shortest, length(longest) FROM mlplat.profile($$SELECT '' AS x UNION ALL SELECT repeat('long', 1000000)$$);
SELECT count(*) FROM mlplat.profile(NULL);
SELECT mlplat.profile(NULL, 'x');

-- With a target: numbers, booleans, two levels, many levels; as numpy and scipy say it.
CREATE VIEW profile_pairs AS SELECT (i * 104729 % 1013) / 10.0::float8 - 2 * (i % 7) + 20 * (i * 17 % 5) AS y, 1e9 + (i * 7919 % 1009) ^ 2 / 1000.0::float8 AS x,
    'level ' || i * 17 % 5 AS a, 'b' || (i * 17 % 5 + (i % 4 = 0)::int) % 6 AS b, i * 17 % 5 >= 2 AS half, CASE WHEN i * 17 % 5 >= 2 THEN 'yes' ELSE 'no' END AS answer,
    i / 5 % 4 || '' AS unrelated, i AS id, 'row ' || i AS label, ARRAY[i] AS block, '10.0.0.1'::inet AS address, date '2024-01-01' + i AS day, NULL::float8 AS nothing
FROM generate_series(0, 999) AS i;
SELECT column_name, round(target_correlation::numeric, 9) AS y, suggested_role FROM mlplat.profile('TABLE profile_pairs', 'y');
SELECT column_name, round(target_correlation::numeric, 9) AS a, suggested_role FROM mlplat.profile('TABLE profile_pairs', target => 'a');
SELECT column_name, round(target_correlation::numeric, 9) AS answer, suggested_role FROM mlplat.profile('TABLE profile_pairs', 'answer');
SELECT column_name, round(target_correlation::numeric, 9) AS half, suggested_role FROM mlplat.profile('TABLE profile_pairs', 'half');
-- What comes after the target, and what only looks so: few rows, a level a row.
SELECT column_name, round(target_correlation::numeric, 3) AS r, suggested_role FROM mlplat.profile($$SELECT i % 97 AS paid, 3.0 * (i % 97) + (i % 2) / 10.0 AS gross, 'band ' || i % 97 / 5 AS band, 'code ' || i % 97 AS code, md5(i::text) AS hash, i AS id FROM generate_series(1, 900) AS i$$, 'paid');
SELECT column_name, round(target_correlation::numeric, 3) AS r, suggested_role FROM mlplat.profile($$SELECT i AS t, 2 * i AS twice, 'x' || i AS x FROM generate_series(1, 29) AS i$$, 't');
SELECT column_name, round(target_correlation::numeric, 3) AS r, suggested_role FROM mlplat.profile($$SELECT i % 2 AS t, 'x' || least(i, 98) AS unique_but_one, 'y' || i % 40 AS two_each, 'z' || i % 4 AS many_each FROM generate_series(1, 100) AS i$$, 't');
-- More than 1,000 levels or pairs of levels: nothing is said.
SELECT column_name, target_correlation IS NULL AS unknown FROM mlplat.profile($$SELECT i % 1000 || '' AS limit_levels, i % 1001 || '' AS too_many, i % 10 AS y FROM generate_series(1, 4000) AS i$$, 'y');
SELECT column_name, target_correlation IS NULL AS unknown FROM mlplat.profile($$SELECT i % 100 || '' AS a, i % 91 || '' AS pairs, i % 10 || '' AS y FROM generate_series(1, 9100) AS i$$, 'y');
SELECT column_name, target_correlation FROM mlplat.profile($$SELECT x::float8, y::float8 FROM (VALUES ('NaN', 1), ('Infinity', 2), ('1', 3), ('2', NULL)) AS v (x, y)$$, 'y');
SELECT column_name, rows, target_correlation, suggested_role FROM mlplat.profile('SELECT * FROM profile_pairs WHERE false', 'y') LIMIT 2;
SELECT mlplat.profile('TABLE profile_pairs', 'nosuch');
SELECT mlplat.profile('TABLE profile_pairs', 'block');
SELECT mlplat.profile('SELECT 1 AS x, 2 AS x', 'x');
DROP VIEW profile_pairs;
-- A call takes 90 columns; the target is set against those of all calls.
SELECT count(*), count(target_correlation), min(abs(target_correlation)), count(*) FILTER (WHERE suggested_role = 'target') FROM mlplat.profile((SELECT 'SELECT ' || string_agg('i * ' || c || ' AS c' || c, ', ') || ' FROM generate_series(1, 50) AS i' FROM generate_series(1, 271) AS c), 'c100');

-- Types without an order, or of their own.
CREATE TYPE profile_pair AS (a int, b text);
SELECT column_name, type, distinct_values, min, suggested_role FROM mlplat.profile($$SELECT ROW(i % 3, 'x')::profile_pair AS pair, ROW(1, i % 2) AS record, point(i % 2, 0) AS point, ('{"a": ' || i % 2 || '}')::json AS json, int4range(i % 2, 5) AS range, ARRAY['a', NULL] AS texts, '1'::bit(3) AS bits, '\x00ff'::bytea AS bytes FROM generate_series(1, 30) AS i$$);
SELECT column_name, left(min, 12) AS min, length(max), mean, stddev, skewness FROM mlplat.profile($$SELECT interval '178000000 years' AS span, 'infinity'::date AS day, '1e131071'::numeric AS digits, 1e308::float8 AS real UNION ALL SELECT '-178000000 years', '2020-01-01', -1e131071::numeric, -1e308$$);
DROP TYPE profile_pair;

-- The aggregate behind it, called by hand; its state cannot be changed into another.
SELECT mlplat.profile_columns(1, false) FROM generate_series(1, 3) AS i;
SELECT mlplat.profile_columns(1, true, i) FROM generate_series(1, 3) AS i;
SELECT mlplat.profile_columns(NULL, NULL, i, i || '') IS NOT NULL FROM generate_series(1, 3) AS i;
SELECT length(mlplat.merge(s)::text) > 100 AS merged FROM (SELECT mlplat.profile_columns(2, false, i, i / 2.0) AS s FROM generate_series(1, 50000) AS i GROUP BY i % 4) AS parts;
SELECT mlplat.merge(s) FROM (SELECT mlplat.profile_columns(1, false, i) AS s FROM generate_series(1, 3) AS i UNION ALL SELECT mlplat.profile_columns(1, false, i::text) FROM generate_series(1, 3) AS i) AS parts;
SELECT mlplat.merge(s) FROM (SELECT mlplat.profile_columns(2, false, i) AS s FROM generate_series(1, 3) AS i UNION ALL SELECT mlplat.profile_columns(2, false, i, i) FROM generate_series(1, 3) AS i) AS parts;

-- What the query may be.
SELECT count(*) FROM mlplat.profile('VALUES (1, 2), (3, 4);');
SELECT count(*) FROM mlplat.profile('WITH p AS (TABLE profiled) SELECT * FROM p');
SELECT mlplat.profile('profiled');
SELECT mlplat.profile('SELECT nosuch FROM profiled');
SELECT mlplat.profile('SELECT id FROM profiled ORDER BY id LIMIT x');
SELECT mlplat.profile('');
SELECT mlplat.profile('SELECT 1; SELECT 2');
SELECT mlplat.profile('SELECT');
SELECT mlplat.profile('DELETE FROM profiled');
SELECT mlplat.profile('WITH gone AS (DELETE FROM profiled RETURNING *) SELECT * FROM gone');
SELECT mlplat.profile('SELECT 1 AS x INTO profile_into');
SELECT mlplat.profile('SELECT * FROM profiled FOR UPDATE');
SELECT mlplat.profile('EXPLAIN SELECT 1');
SELECT mlplat.profile('SELECT $1');
SELECT mlplat.profile('SELECT 1 / (id - 50) FROM profiled');
CREATE FUNCTION profile_write() RETURNS int LANGUAGE plpgsql AS $$BEGIN DELETE FROM profiled; RETURN 1; END$$;
SELECT mlplat.profile('SELECT profile_write()');
-- After an error inside, the transaction may write again, and scans are as they were.
BEGIN;
SAVEPOINT s;
SELECT mlplat.profile('SELECT profile_write()');
ROLLBACK TO s;
SELECT current_setting('transaction_read_only') AS read_only, current_setting('synchronize_seqscans') AS synchronize;
INSERT INTO profiled (id) VALUES (101);
SELECT rows FROM mlplat.profile('SELECT id FROM profiled');
SELECT current_setting('transaction_read_only') AS read_only, current_setting('synchronize_seqscans') AS synchronize;
ROLLBACK;
SELECT count(*) FROM profiled;
SET statement_timeout = '100ms';
SELECT mlplat.profile('SELECT a.id FROM profiled a, profiled b, profiled c, profiled d');
RESET statement_timeout;

-- With the caller's rights and row security.
CREATE ROLE regress_mlplat_profile;
GRANT USAGE ON SCHEMA mlplat TO regress_mlplat_profile;
SET ROLE regress_mlplat_profile;
SELECT mlplat.profile('SELECT id FROM profiled');
RESET ROLE;
GRANT SELECT ON profiled TO regress_mlplat_profile;
ALTER TABLE profiled ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON profiled USING (id <= 10);
SET ROLE regress_mlplat_profile;
SELECT rows FROM mlplat.profile('SELECT id FROM profiled');
RESET ROLE;
SELECT rows FROM mlplat.profile('SELECT id FROM profiled');

-- A parallel plan gives the same: all that is exact, and estimates of distinct values.
CREATE TABLE profile_parts AS SELECT i AS id, i % 1000 AS few, (i * 7919::bigint % 10001)::int AS just_more, sin(i) AS real, (i % 5000)::numeric / 8 AS money, 'name ' || i % 700 AS name, 'text ' || i * 7919::bigint % 100003 AS text,
    date '2000-01-01' + i % 3000 AS day, i % 3 = 0 AS flag, interval '1 hour' * (i % 99) AS span, CASE WHEN i % 7 <> 0 THEN i % 11 END AS gaps, 'class ' || i % 3 AS class FROM generate_series(1, 60000) AS i;
ANALYZE profile_parts;
CREATE TABLE profile_exact (plan text, column_name text, facts jsonb, near numeric[]);
CREATE FUNCTION keep_profile(plan text, target text) RETURNS void LANGUAGE sql AS $$
INSERT INTO profile_exact SELECT plan || ', target ' || target, column_name, jsonb_build_array(type, rows, nulls, distinct_values, min, max, zeros, min_length, max_length, shortest, longest, suggested_role,
    CASE WHEN distinct_values <= 9900 THEN jsonb_build_array(q25, median, q75, outlier_share, top_values) END), ARRAY[round(mean::numeric, 6), round(stddev::numeric, 6), round(skewness::numeric, 6), round(target_correlation::numeric, 6)]
FROM mlplat.profile('SELECT * FROM profile_parts WHERE id > 0', target) $$;
SELECT keep_profile('serial', 'few'), keep_profile('serial', 'class');
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
CREATE FUNCTION plan_lines(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS off) ' || query; END$$;
SELECT count(*) FILTER (WHERE line LIKE '%Partial Aggregate%') AS partial, count(*) FILTER (WHERE line LIKE '%Gather%') AS gather FROM plan_lines('SELECT mlplat.profile_columns(2, false, id, few), mlplat.correlation_columns(id, few) FROM profile_parts') AS line;
SELECT keep_profile('parallel', 'few'), keep_profile('parallel', 'class');
SELECT count(*) AS columns, count(DISTINCT p.facts) AS different, count(*) FILTER (WHERE p.facts <> s.facts) AS facts, count(*) FILTER (WHERE p.near <> s.near) AS near FROM profile_exact AS p JOIN profile_exact AS s ON s.plan = 'serial' || substr(p.plan, 9) AND s.column_name = p.column_name WHERE p.plan LIKE 'parallel%';
SELECT s.plan, column_name, p.facts, s.facts FROM profile_exact AS p JOIN profile_exact AS s USING (column_name) WHERE p.plan LIKE 'parallel%' AND s.plan = 'serial' || substr(p.plan, 9) AND p.facts <> s.facts;
SELECT column_name, rows, nulls, distinct_values, min, max, abs(median - 50000) < 450 AS near, median = 4999.5 AS exact FROM mlplat.profile('SELECT n, last_exact FROM profile_many');
SELECT mlplat.profile('SELECT 1 / (id - 50) FROM profiled');
SELECT mlplat.profile('SELECT profile_write(), n FROM profile_many');
DROP TABLE profile_parts, profile_exact;
DROP FUNCTION keep_profile(text, text), plan_lines(text);
DROP TABLE profiled, profile_many;
DROP FUNCTION profile_write();
DROP TYPE profile_mood;
DROP DOMAIN profile_money;
REVOKE ALL ON SCHEMA mlplat FROM regress_mlplat_profile;
DROP ROLE regress_mlplat_profile;
