-- explain: contributions add up, for every algorithm, over every face.
CREATE TABLE homes AS
SELECT 40 + i % 90 AS area, (ARRAY['north', 'south', 'west'])[1 + i % 3] AS district, DATE '2024-01-01' + i % 300 AS sold,
       CASE WHEN i % 11 = 0 THEN NULL ELSE i % 7 END AS age,
       2.5 * (40 + i % 90) + 10 * (i % 3) + (i * 7919 % 13) AS price
FROM generate_series(1, 600) i;
SELECT name, task FROM mlplat.create_model('lin', 'TABLE homes', 'price', 'linear');
SELECT name, task FROM mlplat.create_model('gb', 'TABLE homes', 'price', 'gbdt', '{"n_trees": 20}');
SELECT name, task FROM mlplat.create_model('bin', 'SELECT area, district, age, price > 200 AS dear FROM homes', 'dear', 'gbdt', '{"n_trees": 20}');
SELECT name, task FROM mlplat.create_model('log', 'SELECT area, district, age, price > 200 AS dear FROM homes', 'dear', 'logistic');
SELECT name, task FROM mlplat.create_model('multi', 'SELECT area, age, price, district FROM homes', 'district', 'gbdt', '{"n_trees": 10}');

-- A value, or the log-odds.
SELECT m, count(*) AS homes, bool_and(abs(total - value) < 1e-9 * greatest(1, abs(value))) AS adds_up
FROM (SELECT m, (SELECT sum(contribution) FROM mlplat.explain(m, h, NULL)) AS total, mlplat.predict(m, h) AS value
      FROM homes h, unnest('{lin,gb}'::text[]) m
      UNION ALL
      SELECT m, (SELECT sum(contribution) FROM mlplat.explain(m, h, NULL)), ln(p / (1 - p))
      FROM (SELECT m, h, mlplat.predict(m, h) AS p FROM homes h, unnest('{bin,log}'::text[]) m) q) s
GROUP BY m ORDER BY m;

-- The base comes first, then the strongest; a value as people read it.
SELECT feature, value, contribution > 0 AS positive FROM homes h, mlplat.explain('lin', h, 2) WHERE h = (SELECT x FROM homes x ORDER BY x LIMIT 1);
SELECT feature, value FROM mlplat.explain('bin', '{"area": 50, "district": "east", "age": null}'::jsonb) ORDER BY feature;
SELECT count(*) FROM mlplat.explain('lin', (SELECT h FROM homes h LIMIT 1), 0);
SELECT j ->> 'class' IN ('north', 'south', 'west') AS class, jsonb_array_length(j -> 'features') AS features, j ? 'base' AS base
FROM (SELECT mlplat.explain_json('multi', '{"area": 50, "age": 3, "price": 140}'::jsonb, 2) AS j) s;
SELECT mlplat.explain_json('multi', '{"area": 50, "age": 3, "price": 140}'::jsonb) ->> 'class'
       = mlplat.predict_class('multi', '{"area": 50, "age": 3, "price": 140}'::jsonb) AS same_class;

-- By image and by position, the same.
SELECT bool_and(a = b) AS same
FROM (SELECT mlplat.explain_json(image, ROW(50, 3, 140)) AS a, mlplat.explain_json('multi', ARRAY[50, 3, 140]::float8[]) AS b
      FROM mlplat.version v JOIN mlplat.registry r USING (model_id) WHERE r.name = 'multi') s;

-- NULL, and bad input.
SELECT mlplat.explain_json('lin', NULL::homes), (SELECT count(*) FROM mlplat.explain(NULL::text, (SELECT h FROM homes h LIMIT 1)));
SELECT mlplat.explain_json('lin', h, -1) FROM homes h LIMIT 1;
SELECT * FROM mlplat.explain('nobody', (SELECT h FROM homes h LIMIT 1));
SELECT * FROM mlplat.explain('lin', '{"area": 3}'::jsonb);
SELECT mlplat.drop_model(m) FROM unnest('{lin,gb,bin,log,multi}'::text[]) m;
DROP TABLE homes;
