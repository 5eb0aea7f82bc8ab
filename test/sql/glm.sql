-- Generalised linear models: known results, exposure, options, targets that a family does not take, bad input.
\set SHOW_CONTEXT never
CREATE SCHEMA glm_test;
SET search_path = glm_test;

-- Breaks of yarn (Tippett 1950), as R's warpbreaks.
CREATE TABLE warp AS
    SELECT row_number() OVER () AS id, b.breaks, w.wool, t.tension
    FROM unnest(ARRAY[26,30,54,25,70,52,51,26,67, 18,21,29,17,12,18,35,30,36, 36,21,24,18,10,43,28,15,26,
                      27,14,29,19,29,31,41,20,44, 42,26,19,16,39,28,21,39,29, 20,21,24,17,13,15,15,16,28]) WITH ORDINALITY b(breaks, i),
         LATERAL (SELECT CASE WHEN b.i <= 27 THEN 'A' ELSE 'B' END AS wool) w,
         LATERAL (SELECT (ARRAY['L', 'M', 'H'])[1 + (b.i - 1) / 9 % 3] AS tension) t;

-- As R's glm(breaks ~ wool + tension, poisson), tension from H on: 3.17347, -0.20599, 0.51849, 0.19717; deviance 210.39, null 297.37, AIC 493.06.
CREATE TABLE images AS
    SELECT 'poisson' AS name, mlplat.train(t, 'breaks', '{"algorithm": "glm", "family": "poisson"}') AS image
    FROM (SELECT breaks, wool, tension FROM warp ORDER BY id) t;
SELECT c.feature, round(c.coefficient::numeric, 6) AS coefficient, round(c.std_error::numeric, 6) AS std_error,
       round(c.statistic::numeric, 4) AS z, round(c.p_value::numeric, 6) AS p
FROM images, mlplat.coefficients(image) c;
SELECT round((s ->> 'deviance')::numeric, 4) AS deviance, round((s ->> 'null_deviance')::numeric, 4) AS null_deviance,
       round((s ->> 'aic')::numeric, 4) AS aic, s ->> 'df_residual' AS df, round((s ->> 'pseudo_r2')::numeric, 5) AS pseudo_r2,
       s ->> 'converged' AS converged
FROM images, LATERAL (SELECT mlplat.model_info(image) -> 'summary' AS s) i;
SELECT wool, tension, round(mlplat.predict(image, ROW(wool, tension))::numeric, 4) AS breaks
FROM images, (SELECT DISTINCT wool, tension FROM warp) w ORDER BY 1, 2;
-- Contributions add up to the logarithm of the prediction.
SELECT round(sum(e.contribution)::numeric, 9) = round(ln(min(mlplat.predict(image, ROW('A', 'M'))))::numeric, 9) AS adds_up
FROM images, mlplat.explain(image, ROW('A', 'M')) e;
-- The log of the solver.
SELECT l ->> 'iteration' AS iteration, l ? 'deviance' AND l ? 'gradient_norm' AND l ? 'weight_norm' AND l ? 'step' AS has_all
FROM images, jsonb_array_elements(mlplat.model_info(image) -> 'log') l WHERE l ->> 'iteration' = '1';

-- As R's glm.nb: theta 9.944, intercept and slopes; AIC 408.76.
SELECT round((s ->> 'theta')::numeric, 4) AS theta, round((s ->> 'theta_std_error')::numeric, 3) AS theta_std_error,
       round((s ->> 'aic')::numeric, 3) AS aic, round((s ->> 'deviance')::numeric, 4) AS deviance
FROM (SELECT mlplat.model_info(mlplat.train(t, 'breaks', '{"algorithm": "glm", "family": "negative_binomial"}')) -> 'summary' AS s
      FROM (SELECT breaks, wool, tension FROM warp ORDER BY id) t) m;

-- Every family and its default link; t where the dispersion is estimated.
SELECT f AS family, s ->> 'link' AS link, s ->> 'converged' AS converged, round((s ->> 'deviance')::numeric, 3) AS deviance,
       round((s ->> 'dispersion')::numeric, 4) AS dispersion, round((s ->> 'aic')::numeric, 2) AS aic
FROM unnest(ARRAY['gaussian', 'poisson', 'gamma', 'tweedie', 'inverse_gaussian']) f,
     LATERAL (SELECT mlplat.model_info(mlplat.train(t, 'breaks', format('{"algorithm": "glm", "family": "%s"}', f)::jsonb)) -> 'summary' AS s
              FROM (SELECT breaks, wool, tension FROM warp ORDER BY id) t) m;

-- Exposure: breaks on threads of unlike length; a prediction is for the row's own length.
INSERT INTO images
    SELECT 'exposure', mlplat.train(t, 'breaks', '{"algorithm": "glm", "family": "poisson", "exposure": "length"}')
    FROM (SELECT breaks * (1 + id % 3) AS breaks, wool, tension, 1 + id % 3 AS length FROM warp ORDER BY id) t;
SELECT c.feature, round(c.coefficient::numeric, 4) AS coefficient FROM images, mlplat.coefficients(image) c WHERE name = 'exposure';
SELECT length, round(mlplat.predict(image, ROW('A', 'M', length))::numeric, 4) AS breaks
FROM images, unnest(ARRAY[1, 2, NULL]) length WHERE name = 'exposure';

-- Shares and their trials; a penalty has no standard errors; training goes on from an image.
SELECT c.feature, round(c.coefficient::numeric, 4) AS coefficient, round(c.std_error::numeric, 4) AS std_error
FROM (SELECT mlplat.train(t, 'share', '{"algorithm": "glm", "family": "binomial", "weight": "trials"}') AS image
      FROM (VALUES (1, 0.1, 20), (2, 0.25, 20), (3, 0.5, 40), (4, 0.8, 20)) t(dose, share, trials)) m, mlplat.coefficients(image) c;
SELECT c.feature, round(c.coefficient::numeric, 4) AS coefficient, c.std_error
FROM (SELECT mlplat.train(t, 'breaks', '{"algorithm": "glm", "family": "poisson", "l2": 50}') AS image
      FROM (SELECT breaks, wool, tension FROM warp ORDER BY id) t) m, mlplat.coefficients(image) c;

-- Going on from a model that was trained on the same rows: there is little left to do.
SELECT (mlplat.create_model('glm_test_cold', 'SELECT breaks, wool, tension FROM glm_test.warp ORDER BY id', 'breaks', 'glm', '{"family": "gamma"}', holdout => 0)).rows;
SELECT (mlplat.create_model('glm_test_warm', 'SELECT breaks, wool, tension FROM glm_test.warp ORDER BY id', 'breaks', 'glm', '{"family": "gamma"}', holdout => 0, continue_from => 'glm_test_cold')).rows;
SELECT count(*) FILTER (WHERE l.model = 'glm_test_warm') < count(*) FILTER (WHERE l.model = 'glm_test_cold') AS fewer_iterations
FROM mlplat.training_log l WHERE l.model LIKE 'glm\_test\_%';
SELECT max(abs(w.coefficient - c.coefficient)) < 1e-6 AS same_place
FROM mlplat.coefficients('glm_test_warm') w JOIN mlplat.coefficients('glm_test_cold') c USING (feature);
SELECT mlplat.drop_model('glm_test_cold'), mlplat.drop_model('glm_test_warm');

-- A level without events: no finite coefficient; the model says so, and what to do.
SELECT s ->> 'converged' AS converged, s ->> 'advice' AS advice
FROM (SELECT mlplat.model_info(mlplat.train(t, 'n', '{"algorithm": "glm", "family": "poisson"}')) -> 'summary' AS s
      FROM (SELECT CASE WHEN i % 3 = 0 THEN 0 ELSE i % 5 END AS n, 'level ' || i % 3 AS level FROM generate_series(1, 60) i) t) m;

-- What a family does not take, and options that do not go together.
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson"}') FROM (VALUES (1, 2), (2, -3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "gamma"}') FROM (VALUES (1, 2), (2, 0), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "binomial"}') FROM (VALUES (1, 0.2), (2, 1.5), (3, 0.1)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson"}') FROM (VALUES (1, 0.0), (2, 0), (3, 0)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "cauchy"}') FROM (VALUES (1, 2), (2, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "gamma", "link": "logit"}') FROM (VALUES (1, 2), (2, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "gamma", "power": 1.5}') FROM (VALUES (1, 2), (2, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson", "theta": 2}') FROM (VALUES (1, 2), (2, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson", "exposure": "area"}') FROM (VALUES (1, 2), (2, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson", "exposure": "c"}') FROM (VALUES (1, 2, 'a'), (2, 3, 'b'), (3, 5, 'a')) t(x, y, c);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson", "exposure": "x"}') FROM (VALUES (1, 2), (0, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson", "exposure": "x"}') FROM (VALUES (1, 2), (NULL, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "exposure": "x"}') FROM (VALUES (1, 2), (2, 3), (3, 5)) t(x, y);
SELECT mlplat.train(t, 'y', '{"algorithm": "glm", "family": "poisson", "exposure": "x", "offset": "x"}') FROM (VALUES (1, 2), (2, 3), (3, 5)) t(x, y);

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA glm_test CASCADE;
RESET client_min_messages;

-- The common list.
\set algorithm glm
\set task regression
\set options '{"family": "poisson"}'
\i test/sql/include/bad_input.sql
