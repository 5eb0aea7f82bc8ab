-- correlations: each two columns of a query.
\pset null '(null)'
CREATE TABLE correlated AS SELECT i AS id, 1e9 + (i * 7919 % 1009) ^ 2 / 1000.0::float8 AS x, (i * 104729 % 1013) / 10.0::float8 - 2 * (i % 7) + 20 * (i * 17 % 5) AS y,
    CASE WHEN i % 3 > 0 THEN i * 31 % 17 + ((i * 104729 % 1013) / 10.0::float8 - 2 * (i % 7) + 20 * (i * 17 % 5)) / 50 END AS z, (i * 17 % 5)::smallint AS a FROM generate_series(0, 999) AS i;
-- As pandas.DataFrame.corr says it (test/golden/sketches.py).
SELECT column_a, column_b, round(correlation::numeric, 9) AS correlation, rows FROM mlplat.correlations('SELECT x, y, z, a FROM correlated');
-- As SQL says it, for each type.
SELECT bool_and(abs(m.correlation - c.r) < 1e-9) AS same FROM mlplat.correlations('SELECT y, a, a::numeric AS n, a::real AS f, a::bigint AS big, a > 2 AS flag FROM correlated') AS m,
    LATERAL (SELECT CASE column_b WHEN 'y' THEN 1 WHEN 'flag' THEN (SELECT corr(y, (a > 2)::int) FROM correlated) ELSE (SELECT corr(y, a) FROM correlated) END AS r) AS c WHERE column_a = 'y';
-- Symmetric, with ones on the diagonal; columns of other types are passed over.
SELECT count(*), count(*) FILTER (WHERE column_a = column_b AND correlation = 1) AS diagonal FROM mlplat.correlations('SELECT *, id::text AS t, now() AS at, NULL AS u, ARRAY[id] AS v FROM correlated');
SELECT count(*) FROM mlplat.correlations('TABLE correlated') AS m JOIN mlplat.correlations('TABLE correlated') AS w ON w.column_a = m.column_b AND w.column_b = m.column_a AND w.correlation = m.correlation AND w.rows = m.rows;
-- The strongest pairs, each once.
SELECT column_a, column_b, round(correlation::numeric, 3) AS correlation FROM mlplat.correlations('TABLE correlated') WHERE column_a < column_b ORDER BY abs(correlation) DESC LIMIT 2;

-- Constant columns, no values, NaN and infinities, huge numbers, no rows, one row, one column, columns of one name.
SELECT * FROM mlplat.correlations($$SELECT x::float8, 0.1 AS same, NULL::int AS nothing, x::float8 AS x FROM unnest(ARRAY['1', '2', '4', 'NaN', 'Infinity', NULL]) AS x$$);
SELECT column_b, correlation, rows FROM mlplat.correlations('SELECT i, i * 1e300 AS big, i * 1e400::numeric AS beyond FROM generate_series(1, 100) AS i') WHERE column_a = 'i';
SELECT * FROM mlplat.correlations('SELECT x, y FROM correlated WHERE false');
SELECT * FROM mlplat.correlations('SELECT 1 AS x, 2 AS y');
SELECT * FROM mlplat.correlations('SELECT id FROM correlated');
SELECT count(*) FROM mlplat.correlations(NULL);
-- Constant where the other is there.
SELECT column_a, column_b, correlation, rows FROM mlplat.correlations('SELECT CASE WHEN i % 2 = 0 THEN i END AS even, CASE WHEN i % 2 = 0 THEN 7.7 ELSE i END AS odd FROM generate_series(1, 1000) AS i') WHERE column_a < column_b;

-- As many columns as a call takes, more, and with missing values in some: the same as SQL says.
CREATE FUNCTION wide_query(n int, gaps bool) RETURNS text LANGUAGE sql AS $$SELECT 'SELECT ' || string_agg(CASE WHEN gaps AND c % 3 = 0 THEN format('CASE WHEN i %% 5 <> %s THEN sin(i * %s) + i / 200.0 END AS c%s', c % 5, c, c) ELSE format('sin(i * %s) + i / 200.0 AS c%s', c, c) END, ', ') || ' FROM generate_series(1, 300) AS i' FROM generate_series(1, n) AS c$$;
SELECT n, gaps, count(*) = n * n AS all, count(correlation) = n * n AS known, round(max(correlation) FILTER (WHERE column_a = 'c3' AND column_b = 'c4')::numeric, 9) AS r FROM (VALUES (98, false), (99, false), (99, true), (400, true)) AS v (n, gaps), LATERAL mlplat.correlations(wide_query(n, gaps)) GROUP BY n, gaps ORDER BY n, gaps;
SELECT round(corr(sin(i * 3) + i / 200.0, sin(i * 4) + i / 200.0)::numeric, 9) AS complete, round(corr(CASE WHEN i % 5 <> 3 THEN sin(i * 3) + i / 200.0 END, sin(i * 4) + i / 200.0)::numeric, 9) AS gaps FROM generate_series(1, 300) AS i;
SELECT count(*) FROM mlplat.correlations(wide_query(1000, false));

-- What the query may be.
SELECT mlplat.correlations('correlated');
SELECT mlplat.correlations('SELECT nosuch FROM correlated');
SELECT mlplat.correlations($$SELECT 'a' AS x, now() AS y$$);
SELECT mlplat.correlations('SELECT');
SELECT mlplat.correlations('DELETE FROM correlated');
SELECT mlplat.correlations('SELECT 1 / (id - 50) AS x FROM correlated');
CREATE FUNCTION correlations_write() RETURNS int LANGUAGE plpgsql AS $$BEGIN DELETE FROM correlated; RETURN 1; END$$;
SELECT mlplat.correlations('SELECT correlations_write() AS x');
SELECT count(*) FROM correlated;
SET statement_timeout = '100ms';
SELECT mlplat.correlations('SELECT a.id, b.x FROM correlated a, correlated b, correlated c');
\set SHOW_CONTEXT never
SELECT mlplat.correlations(wide_query(1600, true) || ', generate_series(1, 1000)');
\set SHOW_CONTEXT errors
RESET statement_timeout;

-- The aggregate behind it, called by hand.
SELECT mlplat.correlation_columns('text'::text);
SELECT mlplat.correlation_columns(ROW(i, now())) FROM generate_series(1, 2) AS i;
SELECT mlplat.correlation_columns(NULL::record);
SELECT mlplat.correlation_columns(CASE i WHEN 1 THEN ROW(1, 2) ELSE ROW(1.5, 2, 3) END) FROM generate_series(1, 2) AS i;
SELECT mlplat.correlation_columns() FROM generate_series(1, 2) AS i;
SELECT mlplat.merge(s) FROM (SELECT mlplat.correlation_columns(i) AS s FROM generate_series(1, 3) AS i UNION ALL SELECT mlplat.correlation_columns(i, i) FROM generate_series(1, 3) AS i) AS parts;

-- A parallel plan gives the same, complete or not.
CREATE TABLE correlated_parts AS SELECT i AS id, sin(i) + i / 1e4 AS x, cos(i * 3) + i / 2e4 AS y, CASE WHEN i > 30000 AND i % 10 > 0 THEN sin(i) * cos(i) END AS late FROM generate_series(1, 60000) AS i;
ANALYZE correlated_parts;
CREATE TABLE correlations_serial AS SELECT * FROM mlplat.correlations('TABLE correlated_parts');
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
SELECT count(*), count(*) FILTER (WHERE p.rows <> s.rows OR abs(p.correlation - s.correlation) > 1e-12) AS different FROM mlplat.correlations('TABLE correlated_parts') AS p JOIN correlations_serial AS s USING (column_a, column_b);
SELECT count(*) AS mixed FROM mlplat.correlations('SELECT x, y FROM correlated_parts') AS p JOIN correlations_serial AS s USING (column_a, column_b) WHERE abs(p.correlation - s.correlation) <= 1e-12;
DROP TABLE correlated, correlated_parts, correlations_serial;
DROP FUNCTION correlations_write(), wide_query(int, bool);
