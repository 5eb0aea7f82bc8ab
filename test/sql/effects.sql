-- permutation_importance, partial_dependence.
CREATE TABLE flat AS
SELECT i, (i * 37 % 101) / 101.0::float8 AS size, (i::bigint * 7919 % 1009) / 1009.0::float8 AS luck, 'k' || i % 4 AS kind,
       DATE '2024-01-01' + (i * 13 % 365) AS sold, (CASE WHEN i % 9 = 0 THEN NULL ELSE i % 7 END)::int AS age,
       3 * ((i * 37 % 101) / 101.0) + (i % 4) * 0.5 + extract(month FROM DATE '2024-01-01' + (i * 13 % 365)) * 0.1 AS rent
FROM generate_series(1, 1000) i;
SELECT mlplat.create_model('rent', 'SELECT size, luck, kind, sold, age, rent FROM flat', 'rent', 'gbdt', '{"n_trees": 30, "learning_rate": 0.2}') IS NOT NULL AS trained;
SELECT mlplat.create_model('dear', 'SELECT size, luck, kind, age, rent > 2.9 AS dear FROM flat', 'dear', 'gbdt', '{"n_trees": 30, "learning_rate": 0.2}') IS NOT NULL AS trained;
SELECT mlplat.create_model('kind', 'SELECT size, age, sold, rent, kind FROM flat', 'kind', 'gbdt', '{"n_trees": 10}') IS NOT NULL AS trained;
SELECT mlplat.create_model('line', 'SELECT size, luck, rent FROM flat', 'rent', 'linear') IS NOT NULL AS trained;

-- by input column: the parts of a date are shuffled together
SELECT row_number() OVER () AS rank, feature, importance > 0.3 AS matters, stddev < 0.05 AS sure FROM mlplat.permutation_importance('rent', 'TABLE flat') LIMIT 3;
SELECT array_agg(feature ORDER BY feature) FROM mlplat.permutation_importance('rent', 'TABLE flat');
-- other metrics, other repeats; the same seed gives the same
SELECT feature, importance > 0.1 AS matters, stddev FROM mlplat.permutation_importance('dear', 'SELECT *, rent > 2.9 AS dear FROM flat', 'roc_auc', repeats => 1) LIMIT 1;
SELECT feature FROM mlplat.permutation_importance('dear', 'SELECT *, rent > 2.9 AS dear FROM flat', 'accuracy', seed => 7) LIMIT 1;
SELECT count(*) AS same FROM (SELECT mlplat.permutation_importance('dear', 'SELECT *, rent > 2.9 AS dear FROM flat', seed => 3)
                              INTERSECT SELECT mlplat.permutation_importance('dear', 'SELECT *, rent > 2.9 AS dear FROM flat', seed => 3)) s;
SELECT feature IN ('sold', 'age', 'rent', 'size') AS known, importance > 0 AS matters FROM mlplat.permutation_importance('kind', 'TABLE flat', 'accuracy', 2) LIMIT 1;
-- the truth in another column, of another type; with weights
SELECT a.feature = b.feature AND abs(a.importance - b.importance) < 1e-12 AS same FROM
    (SELECT * FROM mlplat.permutation_importance('dear', 'SELECT *, rent > 2.9 AS dear FROM flat') LIMIT 1) a,
    (SELECT * FROM mlplat.permutation_importance('dear', 'SELECT *, (rent > 2.9)::text AS truth, 2 AS w FROM flat', target => 'truth', weight => 'w') LIMIT 1) b;
-- rows without a truth are left out, and so are those of weight zero
SELECT a.importance = b.importance AS same FROM
    (SELECT * FROM mlplat.permutation_importance('rent', 'SELECT * FROM flat WHERE i <= 500') LIMIT 1) a,
    (SELECT * FROM mlplat.permutation_importance('rent', $$SELECT size, luck, kind, sold, age, CASE WHEN i <= 500 THEN rent END AS rent FROM flat$$) LIMIT 1) b;
SELECT a.importance = b.importance AS same FROM
    (SELECT * FROM mlplat.permutation_importance('rent', 'SELECT * FROM flat WHERE i <= 500') LIMIT 1) a,
    (SELECT * FROM mlplat.permutation_importance('rent', 'SELECT *, (i <= 500)::int AS w FROM flat', weight => 'w') LIMIT 1) b;
-- an image that was trained by position
SELECT feature, importance > 0.5 AS matters FROM mlplat.permutation_importance(
    (SELECT mlplat.train(rent::float8, ARRAY[luck, size], '{"algorithm": "linear"}') FROM flat), 'SELECT luck AS f1, size AS f2, rent FROM flat', target => 'rent');

-- partial dependence of a linear model is its line, whatever the other columns
SELECT count(*) AS points, round(regr_slope(prediction, value)::numeric, 9) = round(c.coefficient::numeric, 9) AS slope, round(regr_r2(prediction, value)::numeric, 9) AS r2
FROM mlplat.partial_dependence('line', 'TABLE flat', 'size', 11) p, mlplat.coefficients('line') c WHERE c.feature = 'size' GROUP BY c.coefficient;
-- against the definition
SELECT bool_and(abs(prediction - mean) < 1e-9) AS exact, count(*) AS points, min(n) AS n FROM mlplat.partial_dependence('rent', 'TABLE flat', 'age') p,
    LATERAL (SELECT avg(mlplat.predict('rent', x)) AS mean FROM (SELECT size, luck, kind, sold, p.value::int AS age FROM flat) x) d;
SELECT level, value IS NULL AS no_number, abs(prediction - mean) < 1e-9 AS exact FROM mlplat.partial_dependence('rent', 'TABLE flat', 'kind') p,
    LATERAL (SELECT avg(mlplat.predict('rent', x)) AS mean FROM (SELECT size, luck, p.level AS kind, sold, age FROM flat) x) d ORDER BY level;
SELECT level, value, abs(prediction - mean) < 1e-9 AS exact FROM mlplat.partial_dependence('rent', 'TABLE flat', 'sold', 3) p,
    LATERAL (SELECT avg(mlplat.predict('rent', x)) AS mean FROM (SELECT size, luck, kind, p.level::date AS sold, age FROM flat) x) d ORDER BY level;
SELECT value, level FROM mlplat.partial_dependence('rent', 'TABLE flat', 'sold.month', 12) ORDER BY value;
-- classes; quantiles of single predictions
SELECT class, count(*) AS points, min(prediction) >= 0 AND max(prediction) <= 1 AS probabilities FROM mlplat.partial_dependence('dear', 'TABLE flat', 'size', 5) GROUP BY class;
SELECT round(value::numeric, 2) AS value, round(sum(prediction)::numeric, 9) AS total, count(*) AS classes FROM mlplat.partial_dependence('kind', 'TABLE flat', 'size', 2) GROUP BY value ORDER BY value;
SELECT bool_and(prediction_quantiles[1] <= prediction_quantiles[2] AND prediction_quantiles[2] <= prediction_quantiles[3] AND prediction BETWEEN prediction_quantiles[1] AND prediction_quantiles[3]) AS ordered
FROM mlplat.partial_dependence('rent', 'TABLE flat', 'size', 5, '{0,0.5,1}');

-- gain is a share, split a count; whether a feature is used, they agree
SELECT round(sum(g.importance)::numeric, 9) AS sum, bool_and((g.importance > 0) = (s.importance > 0)) AS agree, bool_and(s.importance = floor(s.importance)) AND sum(s.importance) > 30 AS counts
FROM mlplat.feature_importance('rent') g JOIN mlplat.feature_importance('rent', 'split') s USING (feature);

-- what is wrong
SELECT mlplat.feature_importance('rent', 'cover');
SELECT mlplat.feature_importance('line', 'split');
SELECT mlplat.permutation_importance('rent', 'SELECT size, luck, kind, sold FROM flat');
SELECT mlplat.permutation_importance('rent', 'SELECT size, luck, kind, sold, age FROM flat');
SELECT mlplat.permutation_importance('rent', 'TABLE flat', 'roc_auc');
SELECT mlplat.permutation_importance('rent', 'TABLE flat', 'rsme');
SELECT mlplat.permutation_importance('rent', 'TABLE flat', repeats => 0);
SELECT mlplat.permutation_importance('rent', 'SELECT * FROM flat WHERE false');
SELECT mlplat.permutation_importance('kind', $$SELECT size, age, sold, rent, 'new' AS kind FROM flat$$);
SELECT mlplat.permutation_importance('rent', 'SELECT *, -1 AS w FROM flat', weight => 'w');
SELECT mlplat.permutation_importance('rent', 'TABLE flat', weight => 'w');
SELECT mlplat.permutation_importance('rent', NULL);
SELECT mlplat.permutation_importance('nobody', 'TABLE flat');
SELECT mlplat.permutation_importance('rent', 'DELETE FROM flat');
SELECT mlplat.permutation_importance((SELECT mlplat.train(rent::float8, ARRAY[size], '{"algorithm": "linear"}') FROM flat), 'SELECT size AS f1, rent FROM flat');
SELECT mlplat.partial_dependence('rent', 'TABLE flat', 'sizes');
SELECT mlplat.partial_dependence('rent', 'TABLE flat', NULL);
SELECT mlplat.partial_dependence('rent', 'TABLE flat', 'size', 0);
SELECT mlplat.partial_dependence('rent', 'TABLE flat', 'size', 5, '{0.5,2}');
SELECT mlplat.partial_dependence('rent', 'TABLE flat', 'size', 5, '{0.5,NULL}');
SELECT mlplat.partial_dependence('rent', 'SELECT size FROM flat', 'size');
SELECT mlplat.partial_dependence('rent', 'SELECT * FROM flat WHERE false', 'size');
DELETE FROM mlplat.registry WHERE name IN ('rent', 'dear', 'kind', 'line');
DELETE FROM mlplat.run WHERE model IN ('rent', 'dear', 'kind', 'line');
DROP TABLE flat;
