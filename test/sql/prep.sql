-- Prepared columns: recipes inside models and as models, the same by every face, without leaks; what is refused.
CREATE SCHEMA prep;
SET search_path = prep, public;
CREATE TABLE trips AS
    SELECT i AS id, CASE WHEN i % 7 <> 0 THEN (i * 37 % 101)::float8 END AS age, CASE WHEN i % 13 <> 0 THEN 'z' || i * i % 23 END AS zip, timestamp '2020-01-01' + i * interval '7 hours' AS at,
           (i % 5) * 10.0 AS price, i % 3 = 0 AS member, (i * 37 % 101)::float8 / 10 + i % 5 + i * i % 23 / 5.0 AS y, i * 37 % 101 + i % 5 * 20 > 90 AS late, 'k' || i * i % 3 + i % 2 AS kind FROM generate_series(1, 1500) i;

-- a model of its own: columns prepared by their types
SELECT mlplat.train(t, NULL, '{"algorithm": "prep", "exclude": ["id", "y", "late", "kind"]}' ORDER BY id) AS auto FROM trips t \gset
SELECT mlplat.transform_names(:'auto'::bytea);
SELECT id, (SELECT array_agg(round(x::numeric, 4)) FROM unnest(mlplat.transform(:'auto'::bytea, t)) x) AS x FROM trips t WHERE id IN (1, 13, 14) ORDER BY id;
SELECT n, round(avg(x)::numeric, 9) + 0 AS mean, round(stddev_pop(x)::numeric, 9) AS stddev FROM trips t, unnest(mlplat.transform_names(:'auto'::bytea), mlplat.transform(:'auto'::bytea, t)) u(n, x)
WHERE n !~ 'zip|missing' GROUP BY n ORDER BY n;
SELECT name, task, algorithm, rows, metric, score FROM mlplat.create_model('ready', 'SELECT age, zip, at, price FROM trips', algorithm => 'prep', prep => '{"zip": {"encode": "frequency"}, "at": {"dates": ["dow"], "cyclic": true}}');
SELECT mlplat.transform_names('ready');
SELECT jsonb_pretty(mlplat.model_info('ready') -> 'prep' -> 1);
SELECT mlplat.predict('ready', t) FROM trips t LIMIT 1;
-- with a target, for the encodings that look at it
SELECT mlplat.train(t, 'kind', '{"algorithm": "prep", "exclude": ["id", "y", "late"], "prep": {"zip": {"encode": "target"}, "price": {"bins": [15, 25]}}}' ORDER BY id) AS three FROM trips t \gset
SELECT mlplat.transform_names(:'three'::bytea);
SELECT mlplat.model_info(:'three'::bytea) ->> 'task' AS task, mlplat.model_info(:'three'::bytea) -> 'classes' AS classes;
-- names of other transforms
SELECT mlplat.train(t, NULL, '{"algorithm": "pca", "n_components": 2, "exclude": ["id", "y", "late", "kind", "zip", "at"]}') AS pca, mlplat.train(t, NULL, '{"algorithm": "kmeans", "n_clusters": 2, "exclude": ["id", "y", "late", "kind", "zip", "at"]}') AS kmeans FROM trips t \gset
SELECT mlplat.transform_names(:'pca'::bytea), mlplat.transform_names(:'kmeans'::bytea), mlplat.transform_names(NULL::text) IS NULL AS strict;
-- over arrays
SELECT mlplat.transform_names(mlplat.train(NULL, ARRAY[age, price]::float8[], '{"algorithm": "prep", "prep": {"f2": {"scale": "minmax"}}}')) FROM trips;

-- every step at once, in models: what is seen of them is the prepared features
\set steps '{"*": {"indicator": false}, "age": {"clip": [0.01, 0.99], "impute": "median", "indicator": true, "power": "log1p", "scale": "robust", "polynomial": 2, "products": ["price"]}, "zip": {"encode": "target", "smoothing": 10}, "at": {"dates": ["month", "dow", "hour"], "cyclic": true}, "member": {"as": "categorical", "encode": "one_hot"}}'
SELECT task, metric, score > 0.9 AS good FROM mlplat.create_model('late', 'SELECT age, zip, at, price, member, late FROM trips ORDER BY id', 'late', 'logistic', prep => :'steps', metric => 'roc_auc');
SELECT feature FROM mlplat.coefficients('late');
SELECT feature, value FROM mlplat.explain('late', '{"age": null, "zip": "unseen", "at": "2020-03-02T00:00:00", "price": 10, "member": true}'::jsonb) WHERE feature ~ 'missing|member|dow|base' ORDER BY 1;
SELECT column_name, importance > 0 AS matters FROM (SELECT feature AS column_name, importance FROM mlplat.permutation_importance('late', 'SELECT * FROM trips')) s WHERE column_name IN ('age', 'price') ORDER BY 1;
SELECT count(*) > 3 AS points FROM mlplat.partial_dependence('late', 'TABLE trips', 'zip');
SELECT bool_or(rule ~ '"age is missing"|"zip \(target\)"|price') AS speaks_of_features FROM mlplat.tree_rules((SELECT mlplat.train(t, 'late', jsonb_build_object('algorithm', 'tree', 'prep', :'steps'::jsonb, 'exclude', '["id", "y", "kind"]'::jsonb)) FROM trips t));
SELECT length(mlplat.report('late')) > 10000 AS reports;

-- every algorithm predicts the same by row, jsonb and name, in workers and serially, with the same bytes for the same rows
CREATE TABLE cases AS
    SELECT name AS algorithm, task, target, CASE WHEN name IN ('gbdt', 'forest', 'extra_trees', 'isolation_forest') THEN '{"n_trees": 5}'::jsonb WHEN name = 'mlp' THEN '{"max_iter": 5}' WHEN name = 'kmeans' THEN '{"n_clusters": 3}' ELSE '{}' END AS small
    FROM mlplat.algorithms CROSS JOIN unnest(tasks) task
    JOIN (VALUES ('regression', 'y'), ('classification', 'late'), ('classification', 'kind'), ('clustering', NULL), ('anomaly', NULL), ('decomposition', NULL)) t(of, target) ON of = task;
CREATE VIEW few AS SELECT id, age, zip, at, price, y, late, kind FROM trips WHERE id <= 300;
CREATE FUNCTION check_case(one cases, OUT differs bigint, OUT images bigint, OUT has_recipe boolean) LANGUAGE plpgsql AS $$
DECLARE a bytea; b bytea; steps jsonb := '{"age": {"impute": "mean", "indicator": true, "scale": "standard"}, "at": {"dates": ["month", "hour"], "cyclic": true}, "zip": {"encode": "one_hot", "top": 5}, "price": {"bins": 3}}';
    face text := CASE one.task WHEN 'decomposition' THEN 'mlplat.transform' ELSE 'mlplat.predict' END;
    options jsonb := jsonb_build_object('algorithm', one.algorithm, 'task', one.task, 'exclude', '["id"]'::jsonb) || one.small;
BEGIN
    IF one.target IS NOT NULL THEN steps := steps || '{"zip": {"encode": "target"}}'; END IF;
    options := options || jsonb_build_object('prep', steps);
    EXECUTE format('SELECT mlplat.train(q, %L, %L ORDER BY id), mlplat.train(q, %1$L, %2$L ORDER BY id) FROM (SELECT id, age, zip, at, price%s FROM few) q', one.target, options, coalesce(', ' || one.target, '')) INTO a, b;
    PERFORM mlplat.save_model('one', a);
    EXECUTE format('SELECT count(*) FROM few t WHERE id %% 3 = 0 AND (%s($1, t) IS DISTINCT FROM %1$s($1, to_jsonb(t)) OR %1$s($1, t) IS DISTINCT FROM %1$s(''one'', t) OR %1$s($1, t) IS DISTINCT FROM %1$s($1, ROW(age, zip, at, price)))', face) INTO differs USING a;
    images := (a <> b)::int + 1;
    has_recipe := position('PREP'::bytea IN a) > 0;
    PERFORM mlplat.drop_model('one');
END $$;
SELECT algorithm, task, target, c.* FROM cases e, check_case(e) c WHERE differs <> 0 OR images <> 1 OR NOT has_recipe ORDER BY 1, 2, 3;
SELECT count(*) > 20 AS many FROM cases;
-- without steps there is no recipe in the image, and streaming algorithms stream
SELECT position('PREP'::bytea IN mlplat.train(t, 'y', '{"algorithm": "linear", "exclude": ["id", "late", "kind"], "prep": {"price": {"as": "categorical"}}}')) = 0 AS none FROM trips t;
-- workers collect rows, which merge before the recipe is fitted: the same numbers, but for the order of rows
BEGIN;
SELECT mlplat.train(t, 'y', '{"algorithm": "linear", "exclude": ["id", "late", "kind"], "prep": {"age": {"impute": "mean"}, "zip": {"encode": "ordinal"}}}') AS serial FROM trips t \gset
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SELECT mlplat.train(t, 'y', '{"algorithm": "linear", "exclude": ["id", "late", "kind"], "prep": {"age": {"impute": "mean"}, "zip": {"encode": "ordinal"}}}') AS parallel FROM trips t \gset
COMMIT;
SELECT max(abs(mlplat.predict(:'serial'::bytea, t) - mlplat.predict(:'parallel'::bytea, t))) < 1e-9 AS same FROM trips t;
-- states travel
SELECT mlplat.finish(a) IS NOT NULL AS finished FROM (SELECT mlplat.train_state(y, ARRAY[age, price]::float8[], '{"algorithm": "linear", "prep": {"*": {"impute": "median"}}}')::text::mlplat.state AS a FROM trips) s;

-- rare levels do not give their rows' targets away: on a random category the ranking of rows that were held out is chance
CREATE TABLE chance AS SELECT mlplat.part_of(i, '{0.5, 0.5}', 1) = 1 AS y, 'c' || (abs(hashint4(i)::bigint) % 4000) AS category, i FROM generate_series(1, 40000) i;
SELECT a.name, s.smoothing, abs(m.score - 0.5) <= 0.02 AS chance FROM unnest('{logistic,gbdt,tree}'::text[]) a(name), unnest('{auto,0}'::text[]) s(smoothing),
    mlplat.create_model('chance', 'SELECT y, category FROM chance ORDER BY i', 'y', a.name, prep => jsonb_build_object('category', jsonb_build_object('encode', 'target', 'smoothing', CASE s.smoothing WHEN 'auto' THEN '"auto"'::jsonb ELSE s.smoothing::jsonb END)),
        holdout => 0.5, metric => 'roc_auc') m ORDER BY 1, 2;
-- nor do folds: each has a recipe of its own training rows
SELECT abs((mlplat.model_info('chance@1') ->> 'score')::float8 - 0.5) <= 0.02 AS holdout, abs(score - 0.5) <= 0.02 AS folds
FROM mlplat.create_model('chance_folds', 'SELECT y, category FROM chance WHERE i <= 20000 ORDER BY i', 'y', 'logistic', prep => '{"category": {"encode": "target", "smoothing": 0}}', folds => 4, holdout => 0, metric => 'roc_auc');
-- calibration and threshold learn on rows whose recipe has not seen them
SELECT score < 0.7 AS calibrated FROM mlplat.create_model('calibrated', 'SELECT y, category FROM chance ORDER BY i', 'y', 'gbdt', prep => '{"category": {"encode": "target"}}', params => '{"calibration": "platt", "n_trees": 20}');

-- hashing: new levels fall into buckets as known ones do, and the dictionary stays small
SELECT mlplat.train(c, NULL, '{"algorithm": "prep", "exclude": ["i", "y"], "prep": {"category": {"encode": "hash", "buckets": 8}}}') AS hashed FROM chance c \gset
SELECT mlplat.transform_names(:'hashed'::bytea), length(:'hashed'::bytea) < 3000 AS small;
SELECT sum(x) AS one_bucket FROM unnest(mlplat.transform(:'hashed'::bytea, '{"category": "never seen"}'::jsonb)) x;
SELECT sum(x) AS no_bucket FROM unnest(mlplat.transform(:'hashed'::bytea, '{"category": null}'::jsonb)) x;
-- ordinal levels in an order that is given
SELECT v, mlplat.transform(m, r) FROM (SELECT mlplat.train(q, NULL, '{"algorithm": "prep", "prep": {"size": {"encode": "ordinal", "order": ["S", "M", "L"]}}}') AS m FROM (VALUES ('L'), ('S'), ('M'), ('XXL')) q(size)) t, (VALUES ('S'), ('M'), ('L'), ('XXL'), ('?'), (NULL)) r(v), LATERAL (SELECT v AS size) x(size), LATERAL (SELECT jsonb_build_object('size', x.size)) y(r) ORDER BY 2;
-- products of all pairs, for every number
SELECT mlplat.transform_names(mlplat.train(q, NULL, '{"algorithm": "prep", "prep": {"*": {"products": true, "scale": "none"}}}')) FROM (SELECT i AS a, i + 1 AS b, i * i AS c FROM generate_series(1, 5) i) q;

-- a training that goes on keeps the recipe
SELECT mlplat.train(t, 'late', '{"algorithm": "gbdt", "n_trees": 5, "exclude": ["id", "y", "kind"], "prep": {"age": {"scale": "standard"}}}') IS NOT NULL AS trained FROM trips t;
SELECT name FROM mlplat.create_model('goes_on', 'SELECT age, zip, late FROM trips WHERE id < 700', 'late', 'gbdt', prep => '{"age": {"scale": "standard"}, "zip": {"encode": "target"}}', params => '{"n_trees": 5}');
SELECT name FROM mlplat.create_model('goes_on', 'SELECT age, zip, late FROM trips', 'late', 'gbdt', prep => '{"age": {"scale": "standard"}, "zip": {"encode": "target"}}', params => '{"n_trees": 5}', continue_from => 'goes_on@1');
SELECT mlplat.model_info('goes_on@2') -> 'prep' = mlplat.model_info('goes_on@1') -> 'prep' AS same;
SELECT mlplat.create_model('goes_on', 'SELECT age, zip, late FROM trips', 'late', 'gbdt', prep => '{"age": {"scale": "minmax"}}', params => '{"n_trees": 5}', continue_from => 'goes_on@1');
SELECT mlplat.create_model('goes_on', 'SELECT age, zip, late FROM trips', 'late', 'gbdt', params => '{"n_trees": 5}', continue_from => 'goes_on@1');

-- poor data
SELECT mlplat.train(t, NULL, '{"algorithm": "prep"}') FROM trips t WHERE false;
SELECT mlplat.transform(m, q) FROM (SELECT mlplat.train(q, NULL, '{"algorithm": "prep"}') AS m FROM (VALUES (1.0, NULL::float8, NULL::text, NULL::date)) q(a, b, c, d)) t, (VALUES (NULL::float8, 7.0::float8, 'x'::text, 'infinity'::date)) q(a, b, c, d);
SELECT mlplat.transform(m, q) FROM (SELECT mlplat.train(q, 'y', '{"algorithm": "prep", "prep": {"Weird \"name\" ü": {"encode": "target"}}}') AS m FROM (SELECT 'ß' AS "Weird ""name"" ü", 1.5 AS y) q) t, LATERAL (SELECT 'ß' AS "Weird ""name"" ü") q;
SELECT mlplat.train(q, NULL, '{"algorithm": "prep", "prep": {"a": {"scale": "standard"}}}') FROM (VALUES (1), ('infinity'::float8)) q(a);
SELECT mlplat.transform(mlplat.train(q, NULL, '{"algorithm": "prep", "prep": {"a": {"clip": [0, 0.5]}}}'), ROW(7::float8)) FROM (VALUES (1), (2), ('infinity'::float8)) q(a);

-- mistakes name the column, and what to do
CREATE FUNCTION refuse(prep jsonb, target text DEFAULT 'y', more jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
    EXECUTE format('SELECT mlplat.train(t, %L, %L) FROM (SELECT age, zip, at, price, member, y FROM prep.trips) t', target, '{"algorithm": "tree"}'::jsonb || jsonb_build_object('prep', prep) || more);
    RETURN NEXT 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN NEXT sqlstate || ' ' || sqlerrm || coalesce('; hint: ' || nullif(hint, ''), '');
END $$;
SELECT refuse(p) FROM unnest(ARRAY['{"zip": {"scale": "standard"}}', '{"zip": {"bins": 3}}', '{"zip": {"impute": "mean"}}', '{"age": {"encode": "one_hot"}}', '{"age": {"order": ["a"]}}', '{"age": {"dates": ["year"]}}',
    '{"at": {"power": "log"}}', '{"at": {"dates": ["moth"]}}', '{"at": {"dates": []}}', '{"at": {"dates": [7]}}', '{"age": {"bins": 3, "scale": "robust"}}', '{"age": {"bins": 3, "polynomial": 2}}', '{"age": {"bins": "many"}}',
    '{"age": {"bins": {"edge": [3]}}}', '{"age": {"bins": {"edges": [3, 1]}}}', '{"age": {"clip": [1, 0]}}', '{"age": {"clip": {"min": 3, "max": 1}}}', '{"age": {"clip": {"low": 3}}}', '{"age": {"impute": "constant"}}',
    '{"age": {"impute": "constant", "fill": "x"}}', '{"age": {"fill": 3}}', '{"zip": {"impute": "constant", "fill": 3}}', '{"zip": {"encode": "onehot"}}', '{"zip": {"encode": "target", "smoothing": "much"}}', '{"zip": {"top": 3}}',
    '{"zip": {"buckets": 3}}', '{"zip": {"encode": "ordinal", "order": ["a", "a"]}}', '{"zip": {"encode": "ordinal", "order": ["a"]}}', '{"age": {"products": ["zip"]}}', '{"age": {"products": ["agee"]}}', '{"age": {"products": ["age"]}}',
    '{"age": {"products": 3}}', '{"age": {"impute": "avg"}}', '{"age": {"imput": "mean"}}', '{"age": {"polynomial": 9}}', '{"agee": {"impute": "mean"}}', '{"y": {"impute": "mean"}}', '{"*": {"as": "categorical"}}', '{"age": []}', '3',
    '{"age": {"power": "log", "impute": "constant", "fill": 0}}', '{"price": {"cyclic": true}}']::jsonb[]) p;
SELECT refuse('{"zip": {"encode": "target"}}', NULL, '{"algorithm": "kmeans", "n_clusters": 2}');
SELECT refuse('{"zip": {"encode": "none"}}', NULL, '{"algorithm": "prep"}');
SELECT refuse('{}', 'y', '{"algorithm": "prep", "metric": "rmse"}');
SELECT refuse('{}', 'y', '{"algorithm": "prep", "class_weight": "balanced"}');
SELECT refuse('{}', NULL, '{"algorithm": "prep", "n_trees": 3}');
SELECT mlplat.transform_names('late');
SELECT mlplat.transform_names('nobody');
SELECT mlplat.transform_names('\x00'::bytea);
SELECT mlplat.create_model('ready', 'SELECT age FROM trips', algorithm => 'prep', folds => 3);
-- wide: 1,200 columns, and more features than a model may have
SELECT format('SELECT %s FROM generate_series(1, 30) i', string_agg(format('i %% %s + 0.5 AS c%s', 2 + k % 17, k), ', ')) AS wide FROM generate_series(1, 1200) k \gset
SELECT name FROM mlplat.create_model('wide', :'wide', algorithm => 'prep');
SELECT array_length(mlplat.transform_names('wide'), 1);
SELECT mlplat.create_model('wide', :'wide', algorithm => 'prep', prep => '{"*": {"products": true}}');

-- the table of steps
SELECT name, type, default_value, choices FROM mlplat.parameters WHERE algorithm = 'prep';
SELECT count(*) FROM (SELECT mlplat.drop_model(name) FROM mlplat.models WHERE name IN ('ready', 'late', 'chance', 'chance_folds', 'calibrated', 'goes_on', 'wide')) s;
DROP SCHEMA prep CASCADE;
