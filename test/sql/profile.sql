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

-- A parallel plan gives the same.
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT column_name, rows, nulls, distinct_values, min, max, abs(median - 50000) < 450 AS near, median = 4999.5 AS exact FROM mlplat.profile('SELECT n, last_exact FROM profile_many');
DROP TABLE profiled, profile_many;
DROP FUNCTION profile_write();
DROP TYPE profile_mood;
DROP DOMAIN profile_money;
REVOKE ALL ON SCHEMA mlplat FROM regress_mlplat_profile;
DROP ROLE regress_mlplat_profile;
