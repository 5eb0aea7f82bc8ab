-- silhouette: values, faces, merging, order, NULLs, weights of equal rows, a sample of many, errors
CREATE SCHEMA silhouette;
SET search_path = silhouette, public;
-- by hand: points 0, 1 and 10, 12: a = 1, 1, 2, 2; b = 11, 10, 9.5, 11.5
CREATE TABLE four (label text, x float8);
INSERT INTO four VALUES ('a', 0), ('a', 1), ('b', 10), ('b', 12);
SELECT round(mlplat.silhouette(label, ARRAY[x])::numeric, 12) AS got, round((10.0 / 11 + 9.0 / 10 + 7.5 / 9.5 + 9.5 / 11.5) / 4, 12) AS want FROM four;
-- a cluster of one counts as 0; one cluster alone, or none, has no silhouette
SELECT round(mlplat.silhouette(label, ARRAY[x])::numeric, 12) AS got, round((9.0 / 10 + 8.0 / 9 + 0) / 3, 12) AS want FROM four WHERE x < 12;
SELECT mlplat.silhouette(label, ARRAY[x]) IS NULL AS one, mlplat.silhouette(label, ARRAY[x]) FILTER (WHERE false) IS NULL AS none FROM four WHERE label = 'a';
-- numbers as labels; NULL rows are skipped; GROUP BY, OVER
SELECT round(mlplat.silhouette(CASE label WHEN 'a' THEN 0 ELSE 1 END, ARRAY[x])::numeric, 9) AS numbers, round(mlplat.silhouette(nullif(label, 'c'), CASE WHEN x < 50 THEN ARRAY[x] END)::numeric, 9) AS skipped
FROM (SELECT * FROM four UNION ALL VALUES ('c', 5), ('a', 99)) f;
SELECT x, round(mlplat.silhouette(label, ARRAY[x]) OVER (ORDER BY x)::numeric, 6) AS so_far FROM four ORDER BY x;

-- rows that occur twice, in another order, by parallel workers: the same
CREATE TABLE many AS SELECT i % 3 AS k, ARRAY[10 * (i % 3) + sin(i), cos(3 * i)] AS x FROM generate_series(1, 3000) i;
SELECT mlplat.silhouette(k, x) AS s FROM many \gset
SELECT mlplat.silhouette(k, x ORDER BY x DESC) = :s AS ordered, mlplat.silhouette(k, x) > 0.8 AS apart FROM many;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT mlplat.silhouette(k, x) = :s AS parallel FROM many;
-- more distinct rows than are measured exactly: a sample, whatever the order or plan
CREATE TABLE large AS SELECT i % 2 AS k, ARRAY[(i % 2) * 4 + sin(i), cos(i * 1.7)] AS x FROM generate_series(1, 45000) i;
ANALYZE large;
SELECT mlplat.silhouette(k, x) AS s FROM large \gset
SELECT round(:s::numeric, 1) AS about;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; SET max_parallel_workers_per_gather = 0;
SELECT mlplat.silhouette(k, x) = :s AS serial, mlplat.silhouette(k, x ORDER BY x) = :s AS ordered FROM large;
RESET max_parallel_workers_per_gather;
-- what kmeans tells of itself is near to it
SELECT abs((mlplat.model_info(m.image) #>> '{summary,silhouette}')::float8 - s.value) < 0.02 AS near
FROM (SELECT mlplat.train(NULL, x, '{"algorithm": "kmeans", "n_clusters": 3, "scale": false}') AS image FROM many) m,
     LATERAL (SELECT mlplat.silhouette(mlplat.predict(m.image, x), x) AS value FROM many) s;

SELECT mlplat.silhouette(label, ARRAY[x, NULL]) FROM four;
SELECT mlplat.silhouette(label, ARRAY[x, 'NaN']) FROM four;
SELECT mlplat.silhouette(label, CASE WHEN x > 5 THEN ARRAY[x] ELSE ARRAY[x, x] END) FROM four;
SELECT mlplat.silhouette('infinity'::float8, ARRAY[x]) FROM four;
SELECT mlplat.silhouette(label, '{}'::float8[]) FROM four;
DROP SCHEMA silhouette CASCADE;
RESET search_path;
