-- Logistic regression: known results, more than two classes, options, data without an optimum.
\set SHOW_CONTEXT never
CREATE SCHEMA logistic_test;
SET search_path = logistic_test;

-- Motor Trend 1974 (Henderson and Velleman 1981), as R's mtcars.
CREATE TABLE cars (name text, wt float8, hp int, gear text, cyl int, am bool);
INSERT INTO cars VALUES
    ('Mazda RX4', 2.620, 110, 'four', 6, true), ('Mazda RX4 Wag', 2.875, 110, 'four', 6, true),
    ('Datsun 710', 2.320, 93, 'four', 4, true), ('Hornet 4 Drive', 3.215, 110, 'three', 6, false),
    ('Hornet Sportabout', 3.440, 175, 'three', 8, false), ('Valiant', 3.460, 105, 'three', 6, false),
    ('Duster 360', 3.570, 245, 'three', 8, false), ('Merc 240D', 3.190, 62, 'four', 4, false),
    ('Merc 230', 3.150, 95, 'four', 4, false), ('Merc 280', 3.440, 123, 'four', 6, false),
    ('Merc 280C', 3.440, 123, 'four', 6, false), ('Merc 450SE', 4.070, 180, 'three', 8, false),
    ('Merc 450SL', 3.730, 180, 'three', 8, false), ('Merc 450SLC', 3.780, 180, 'three', 8, false),
    ('Cadillac Fleetwood', 5.250, 205, 'three', 8, false), ('Lincoln Continental', 5.424, 215, 'three', 8, false),
    ('Chrysler Imperial', 5.345, 230, 'three', 8, false), ('Fiat 128', 2.200, 66, 'four', 4, true),
    ('Honda Civic', 1.615, 52, 'four', 4, true), ('Toyota Corolla', 1.835, 65, 'four', 4, true),
    ('Toyota Corona', 2.465, 97, 'three', 4, false), ('Dodge Challenger', 3.520, 150, 'three', 8, false),
    ('AMC Javelin', 3.435, 150, 'three', 8, false), ('Camaro Z28', 3.840, 245, 'three', 8, false),
    ('Pontiac Firebird', 3.845, 175, 'three', 8, false), ('Fiat X1-9', 1.935, 66, 'four', 4, true),
    ('Porsche 914-2', 2.140, 91, 'five', 4, true), ('Lotus Europa', 1.513, 113, 'five', 4, true),
    ('Ford Pantera L', 3.170, 264, 'five', 8, true), ('Ferrari Dino', 2.770, 175, 'five', 6, true),
    ('Maserati Bora', 3.570, 335, 'five', 8, true), ('Volvo 142E', 2.780, 109, 'four', 4, true);

-- As R's summary(glm(am ~ wt, binomial)): 12.040 (4.510), -4.024 (1.436), log likelihood -9.588.
CREATE TABLE images AS
    SELECT 'plain' AS name, mlplat.train(t, 'am', '{"algorithm": "logistic", "l2": 0}') AS image
    FROM (SELECT wt, am FROM cars ORDER BY name) t;
SELECT c.feature, c.class, round(c.coefficient::numeric, 6) AS coefficient, round(c.std_error::numeric, 5) AS std_error,
       round(c.statistic::numeric, 4) AS z, round(c.p_value::numeric, 5) AS p
FROM images, mlplat.coefficients(image) c;
SELECT round((s ->> 'log_likelihood')::numeric, 6) AS log_likelihood, round((s ->> 'null_log_likelihood')::numeric, 4) AS null,
       round((s ->> 'pseudo_r2')::numeric, 5) AS pseudo_r2, round((s ->> 'aic')::numeric, 5) AS aic,
       s ->> 'converged' AS converged, s ->> 'n' AS n
FROM images, LATERAL (SELECT mlplat.model_info(image) -> 'summary' AS s) i;
SELECT c.name, round(mlplat.predict(image, c)::numeric, 6) AS p, mlplat.predict_class(image, c) AS class
FROM images, cars c WHERE c.name LIKE 'M%' ORDER BY c.name COLLATE "C";

-- A penalty: no standard errors; every level has a coefficient.
SELECT c.feature, round(c.coefficient::numeric, 3) AS coefficient, c.std_error
FROM (SELECT mlplat.train(t, 'am', '{"algorithm": "logistic"}') AS image FROM (SELECT wt, gear, am FROM cars ORDER BY name) t) m,
     mlplat.coefficients(image) c;

-- Three classes: a set of coefficients each; probabilities sum to one.
INSERT INTO images
    SELECT 'three', mlplat.train(t, 'cyl', '{"algorithm": "logistic", "task": "classification"}')
    FROM (SELECT wt, hp, cyl FROM cars ORDER BY name) t;
SELECT c.feature, c.class, round(c.coefficient::numeric, 3) AS coefficient
FROM images, mlplat.coefficients(image) c WHERE name = 'three';
SELECT round(mlplat.predict_proba(image, c, '4')::numeric, 3) AS p4, round(mlplat.predict_proba(image, c, '6')::numeric, 3) AS p6,
       round(mlplat.predict_proba(image, c, '8')::numeric, 3) AS p8
FROM images, cars c WHERE images.name = 'three' AND c.name LIKE 'F%' ORDER BY c.name COLLATE "C";

-- Missing values and levels not seen in training are no error.
SELECT round(mlplat.predict(image, ROW(NULL, 'six'))::numeric, 3) AS p
FROM (SELECT mlplat.train(t, 'am', '{"algorithm": "logistic"}') AS image FROM (SELECT wt, gear, am FROM cars ORDER BY name) t) m;

-- Classes that a column tells apart have no finite fit: the model says so, and what to do.
SELECT s ->> 'converged' AS converged, s ->> 'advice' AS advice
FROM (SELECT mlplat.model_info(mlplat.train(t, 'am', '{"algorithm": "logistic", "l2": 0}')) -> 'summary' AS s
      FROM (SELECT am::int AS answer, am FROM cars) t) i;

-- A constant column, and a column twice.
SELECT c.feature, round(c.coefficient::numeric, 3) AS coefficient, round(c.std_error::numeric, 3) AS std_error
FROM (SELECT mlplat.train(t, 'am', '{"algorithm": "logistic", "l2": 0}') AS image
      FROM (SELECT 7 AS seven, wt, wt * 2 AS again, am FROM cars ORDER BY name) t) m, mlplat.coefficients(image) c;

-- A lasso penalty leaves columns out; going on from a model takes fewer iterations to the same end.
SELECT (mlplat.create_model('sparse', 'SELECT wt, hp, cyl, gear, am FROM cars', 'am', 'logistic', params => '{"l1": 2, "l2": 0}', holdout => 0)).rows;
SELECT feature, round(coefficient::numeric, 3) AS coefficient, std_error FROM mlplat.coefficients('sparse') ORDER BY feature COLLATE "C";
SELECT mlplat.model_info('sparse') -> 'summary' -> 'nonzero' AS nonzero;
SELECT (mlplat.create_model('cold', 'SELECT wt, hp, gear, am FROM cars', 'am', 'logistic', holdout => 0)).rows;
SELECT (mlplat.create_model('warm', 'SELECT wt, hp, gear, am FROM cars', 'am', 'logistic', holdout => 0, continue_from => 'cold')).rows;
SELECT (mlplat.model_info('warm') #>> '{summary,iterations}')::int < (mlplat.model_info('cold') #>> '{summary,iterations}')::int AS fewer,
       (SELECT bool_and(abs(a.coefficient - b.coefficient) < 1e-3) FROM mlplat.coefficients('cold') a JOIN mlplat.coefficients('warm') b USING (feature)) AS same;
SELECT mlplat.create_model('other', 'SELECT wt, am FROM cars', 'am', 'logistic', holdout => 0, continue_from => 'cold');

-- Errors.
SELECT mlplat.train(t, 'am', '{"algorithm": "logistic", "l1": "all"}') FROM (SELECT wt, am FROM cars) t;
SELECT mlplat.train(t, 'am', '{"algorithm": "logistic", "l2": -1}') FROM (SELECT wt, am FROM cars) t;
SELECT mlplat.train(t, 'am', '{"algorithm": "logistic", "lambda2": 1}') FROM (SELECT wt, am FROM cars) t;
SELECT mlplat.train(t, 'am', '{"algorithm": "logistic", "max_itr": 1}') FROM (SELECT wt, am FROM cars) t;
SELECT mlplat.train(t, 'am', '{"algorithm": "logistic"}') FROM (SELECT 'infinity'::float8 AS much, wt, am FROM cars) t;
SELECT mlplat.train(t, 'am', '{"algorithm": "logistic"}') FROM (SELECT wt, true AS am FROM cars) t;

SET client_min_messages = warning;
SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DROP SCHEMA logistic_test CASCADE;
RESET client_min_messages;

\set algorithm logistic
\set task classification
\set options '{}'
\i test/sql/include/bad_input.sql
\set options '{"l1": 1, "l2": 0.1}'
\i test/sql/include/bad_input.sql
