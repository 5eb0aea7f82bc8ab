-- part_of and fold_of. The answers below must never change: rows would change sides.
SELECT key, mlplat.part_of(key), mlplat.part_of(key, '{0.7,0.2,0.1}') AS of_3, mlplat.part_of(key, '{0.5,0.5}', 42) AS seed_42,
    mlplat.fold_of(key, 5), mlplat.fold_of(key, 10, 7) AS of_10
FROM generate_series(-3, 8) AS key;
SELECT key, mlplat.fold_of(key, 1000), mlplat.fold_of(key, 1000, -1) AS seed_minus_1
FROM unnest(ARRAY['', 'a', 'customer-17', 'a text of more than thirty-two bytes, which takes another way']) AS key;
SELECT mlplat.fold_of('\xdeadbeef'::bytea, 1000) AS bytea, mlplat.fold_of('6f2d1c40-0a3b-4a5e-9d7e-0123456789ab'::uuid, 1000) AS uuid,
    mlplat.fold_of('2024-02-29'::date, 1000) AS date, mlplat.fold_of('2024-02-29 12:34:56.789'::timestamp, 1000) AS timestamp,
    mlplat.fold_of('2024-02-29 12:34:56.789+00'::timestamptz, 1000) AS timestamptz, mlplat.fold_of('12:34'::time, 1000) AS time,
    mlplat.fold_of(0.1::float8, 1000) AS float8, mlplat.fold_of(12345.6789, 1000) AS numeric, mlplat.fold_of('10.0.0.1'::inet, 1000) AS inet;

-- One value is one key, whatever its type.
SELECT count(DISTINCT fold) FROM (VALUES (mlplat.fold_of(5::smallint, 1000000)), (mlplat.fold_of(5, 1000000)), (mlplat.fold_of(5::bigint, 1000000)),
    (mlplat.fold_of(5::oid, 1000000)), (mlplat.fold_of(5.000, 1000000)), (mlplat.fold_of(5::float4, 1000000)), (mlplat.fold_of(5::float8, 1000000))) AS v (fold);
SELECT mlplat.fold_of(1.50, 1000000) = mlplat.fold_of(1.5, 1000000) AS scale, mlplat.fold_of(0.0::float8, 1000000) = mlplat.fold_of('-0'::float8, 1000000) AS zero,
    mlplat.fold_of(0.5::float4, 1000000) = mlplat.fold_of(0.5::float8, 1000000) AS width,
    mlplat.fold_of('NaN'::float8, 1000000) = mlplat.fold_of('NaN'::numeric, 1000000) AS nan,
    mlplat.fold_of(true, 1000000) = mlplat.fold_of(1, 1000000) AS boolean,
    mlplat.fold_of(12345678901234567890, 1000000) = mlplat.fold_of(12345678901234567890.00, 1000000) AS long;
SELECT count(DISTINCT fold) FROM (VALUES (mlplat.fold_of('ab'::text, 1000000)), (mlplat.fold_of('ab'::varchar, 1000000)), (mlplat.fold_of('ab'::char(5), 1000000)),
    (mlplat.fold_of('ab'::name, 1000000)), (mlplat.fold_of('ab'::bytea, 1000000))) AS v (fold);
CREATE TYPE split_mood AS ENUM ('sad', 'happy');
CREATE DOMAIN split_code AS text CHECK (value <> '');
SELECT mlplat.fold_of('happy'::split_mood, 1000000) = mlplat.fold_of('happy'::text, 1000000) AS enum,
    mlplat.fold_of('x1'::split_code, 1000000) = mlplat.fold_of('x1'::text, 1000000) AS domain;

SELECT mlplat.fold_of('Infinity'::float4, 1000000) = mlplat.fold_of('Infinity'::float8, 1000000) AS infinity,
    mlplat.fold_of('x'::"char", 1000000) = mlplat.fold_of('x'::text, 1000000) AS char, mlplat.fold_of(1.5::numeric(10,4), 1000000) = mlplat.fold_of(1.5::numeric, 1000000) AS numeric_typmod,
    mlplat.fold_of('2024-02-29 12:34:56'::timestamp(0), 1000000) = mlplat.fold_of('2024-02-29 12:34:56'::timestamp(6), 1000000) AS timestamp_typmod;

-- Types without a number: their text. Rows and arrays: value by value.
CREATE TYPE split_pair AS (a int, b text);
SELECT mlplat.fold_of(B'0101', 1000) AS bit, mlplat.fold_of('fe80::1:0:0:7/64'::inet, 1000) AS inet6, mlplat.fold_of('10.1.0.0/16'::cidr, 1000) AS cidr,
    mlplat.fold_of('08:00:2b:01:02:03'::macaddr, 1000) AS macaddr, mlplat.fold_of('12:34:56.789+02'::timetz, 1000) AS timetz,
    mlplat.fold_of('16/B374D848'::pg_lsn, 1000) AS lsn, mlplat.fold_of('happy'::split_mood, 1000) AS enum, mlplat.fold_of('\377'::"char", 1000) AS char,
    mlplat.fold_of(true, 1000) AS boolean, mlplat.fold_of('infinity'::date, 1000) AS forever;
SELECT mlplat.fold_of(ROW(1, 'a'::text), 1000) AS row, mlplat.fold_of(ROW(1, 'a')::split_pair, 1000) AS pair, mlplat.fold_of(ROW(1::bigint, 'a'::name), 1000) AS other_types,
    mlplat.fold_of(ROW('ab'::text, 'c'::text), 1000) AS ab_c, mlplat.fold_of(ROW('a'::text, 'bc'::text), 1000) AS a_bc,
    mlplat.fold_of(ROW(NULL::int, 1), 1000) AS null_1, mlplat.fold_of(ROW(1, NULL::int), 1000) AS "1_null", mlplat.fold_of(ROW(ROW(1, 2), 3), 1000) AS nested;
SELECT mlplat.fold_of(ARRAY[1, 2], 1000) AS ints, mlplat.fold_of(ARRAY[1, 2]::float8[], 1000) AS floats, mlplat.fold_of(ARRAY['1', '2'], 1000) AS texts,
    mlplat.fold_of('{}'::int[], 1000) AS empty, mlplat.fold_of(ARRAY[NULL]::int[], 1000) AS of_null, mlplat.fold_of('{{1,2},{3,4}}'::int[], 1000) AS matrix,
    mlplat.fold_of('[0:1]={1,2}'::int[], 1000) AS from_0, mlplat.fold_of(ARRAY[ROW(1, 'a')::split_pair], 1000) AS pairs;
SELECT count(DISTINCT mlplat.fold_of(p, 1000000)) FROM (VALUES (ROW(1, 'a')::split_pair), (ROW(1, 'b')::split_pair), (NULL), (ROW(NULL, NULL)::split_pair)) AS v (p);
ALTER TYPE split_pair DROP ATTRIBUTE a;
SELECT mlplat.fold_of(ROW('a')::split_pair, 1000) = mlplat.fold_of(ROW('a'::text), 1000) AS dropped;
DROP TYPE split_pair;

-- The number behind part_of.
SELECT key, mlplat.uniform_of(key), mlplat.uniform_of(key, 42) AS seed_42 FROM generate_series(0, 3) AS key;
SELECT bool_and((mlplat.part_of(i) = 1) = (mlplat.uniform_of(i) < 0.8)) AS same, min(mlplat.uniform_of(i)) < 0.0001 AS low, max(mlplat.uniform_of(i)) BETWEEN 0.9999 AND 1 AS high,
    mlplat.uniform_of(NULL::int) IS NULL AS of_null FROM generate_series(1, 100000) AS i;

-- No setting changes an answer.
CREATE TEMP TABLE split_before AS SELECT mlplat.fold_of('2024-02-29 12:34:56.789+00'::timestamptz, 1000000) AS t, mlplat.fold_of('2024-02-29'::date, 1000000) AS d, mlplat.fold_of(0.1::float8, 1000000) AS f;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SET extra_float_digits = -5;
SELECT t = mlplat.fold_of('2024-02-29 12:34:56.789+00'::timestamptz, 1000000) AS t, d = mlplat.fold_of('2024-02-29'::date, 1000000) AS d, f = mlplat.fold_of(0.1::float8, 1000000) AS f FROM split_before;
RESET timezone;
RESET datestyle;
RESET extra_float_digits;

-- NULL in, NULL out.
SELECT mlplat.part_of(NULL::int) IS NULL AS part, mlplat.fold_of(NULL::text, 5) IS NULL AS fold;

-- The shares come out, folds inside a part are as even as outside, and other seeds split otherwise.
WITH s AS (SELECT mlplat.part_of(i, '{0.7,0.2,0.1}') AS part, mlplat.fold_of(i, 5) AS fold FROM generate_series(1, 100000) AS i),
    g AS (SELECT part, fold, count(*) AS n, sum(count(*)) OVER (PARTITION BY part) AS total FROM s GROUP BY part, fold)
SELECT part, abs(max(total) / 100000.0 - (ARRAY[0.7, 0.2, 0.1])[part]) < 0.005 AS share, max(abs(n / (0.2 * total) - 1)) < 0.06 AS even_folds
FROM g GROUP BY part ORDER BY part;
WITH s AS (SELECT mlplat.part_of(i, '{0.5,0.5}') AS a, mlplat.part_of(i, '{0.5,0.5}', 1) AS b FROM generate_series(1, 100000) AS i)
SELECT abs(avg((a = b)::int) - 0.5) < 0.01 AS independent FROM s;
SELECT min(mlplat.fold_of(i, 3)), max(mlplat.fold_of(i, 3)), min(mlplat.fold_of(i, 1)), max(mlplat.fold_of(i, 1)), min(mlplat.part_of(i, '{1}')), max(mlplat.part_of(i, '{1}')) FROM generate_series(1, 1000) AS i;

-- In WHERE, in an index, in a generated column.
CREATE TEMP TABLE split_rows (id int, part int GENERATED ALWAYS AS (mlplat.part_of(id)) STORED);
INSERT INTO split_rows SELECT generate_series(1, 1000);
CREATE INDEX ON split_rows (mlplat.fold_of(id, 5));
SELECT count(*) = (SELECT count(*) FROM split_rows WHERE mlplat.part_of(id) = 1) AS same FROM split_rows WHERE part = 1;

-- Errors.
SELECT mlplat.part_of(1, '{}');
SELECT mlplat.part_of(1, '{0.5,NULL}');
SELECT mlplat.part_of(1, '{{0.5,0.5}}');
SELECT mlplat.part_of(1, '{0.5,0.4}');
SELECT mlplat.part_of(1, '{1.5,-0.5}');
SELECT mlplat.part_of(1, '{1,0}');
SELECT mlplat.part_of(1, '{NaN,1}');
SELECT mlplat.part_of(1, '{Infinity,1}');
SELECT mlplat.fold_of(1, 0);
SELECT mlplat.fold_of(ARRAY[point(1, 2)], 5);
SELECT mlplat.part_of(ROW(1, '1 day'::interval));
SELECT mlplat.part_of('{}'::jsonb);
SELECT mlplat.part_of(point(1, 2));
SELECT mlplat.part_of(int4range(1, 2));
SELECT mlplat.part_of('1 day'::interval);
DROP TYPE split_mood;
DROP DOMAIN split_code;
