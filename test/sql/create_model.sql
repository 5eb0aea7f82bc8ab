-- create_model: what it returns, writes and refuses.
\set SHOW_CONTEXT never
CREATE SCHEMA created;
SET search_path = created;

CREATE TABLE house (id int PRIMARY KEY, area float8, rooms int, street text, price float8, w float8);
INSERT INTO house
SELECT i, 40 + i % 97, 1 + i % 5, 'street ' || i % 4, 1000 + 12.5 * (40 + i % 97) + 300 * (1 + i % 5) + (i * 7919 % 101 - 50) / 10.0, 1 + i % 3
FROM generate_series(1, 1000) i;
UPDATE house SET price = NULL WHERE id % 100 = 0;

-- the same as the aggregate, without a hold-out: through train_columns where it streams
SELECT name, version, algorithm, task, rows, metric, score, seconds > 0 AS timed, active
FROM mlplat.create_model('house', 'SELECT area, rooms, price FROM house', 'price', 'linear', holdout => 0);
SELECT feature, round(coefficient::numeric, 6) AS coefficient, round(std_error::numeric, 6) AS std_error
FROM mlplat.coefficients('house') ORDER BY feature;
SELECT (SELECT image FROM mlplat.version v JOIN mlplat.registry r USING (model_id) WHERE r.name = 'house')
     = (SELECT mlplat.train(h, 'price', '{"algorithm": "linear", "seed": 0}') FROM (SELECT area, rooms, price FROM house) h) AS same_image;

-- with a hold-out: rows are kept, the rest evaluates
SELECT name, version, algorithm, task, rows, metric, round(score::numeric, 2) AS score, active
FROM mlplat.create_model('house', 'SELECT area, rooms, price FROM house', 'price', 'linear');
SELECT name, version, active, algorithm, rows, rows_dropped, rows_holdout, metric, round(score::numeric, 2) AS score,
       round((metrics ->> 'r2')::numeric, 4) AS r2, round((summary ->> 'r2')::numeric, 4) AS r2_train, query
FROM mlplat.model_versions WHERE name = 'house' ORDER BY version;
SELECT model, version, target, algorithm, rows, rows_dropped, rows_holdout, metric, options, promoted FROM mlplat.runs
WHERE model = 'house' ORDER BY run_id;
-- the same seed: the same split, and the same bytes; another seed: another split
SELECT version FROM mlplat.create_model('house', 'SELECT area, rooms, price FROM house', 'price', 'linear', seed => 7);
SELECT version FROM mlplat.create_model('house', 'SELECT area, rooms, price FROM house', 'price', 'linear', seed => 7);
SELECT a.version, b.version, a.image = b.image AS same FROM mlplat.version a JOIN mlplat.version b USING (model_id)
JOIN mlplat.registry r USING (model_id) WHERE r.name = 'house' AND (a.version, b.version) IN ((3, 4), (2, 3)) ORDER BY 1;
-- the aggregate does the same as create_model on rows in memory
SELECT algorithm, rows, active FROM mlplat.create_model('refitted', 'SELECT area, rooms, price FROM house', 'price', 'linear',
    '{"refit": true}');
SELECT max(abs(mlplat.predict('refitted', h) - mlplat.predict('house@1', h))) < 1e-6 AS refitted_on_all_rows FROM house h;

-- exclude, weight, prep, levels: in both ways
SELECT rows, active FROM mlplat.create_model('ways', 'SELECT * FROM house', 'price', 'linear', exclude => '{id,street}', weight => 'w', holdout => 0);
SELECT string_agg(feature, ' ' ORDER BY feature) AS features FROM mlplat.coefficients('ways');
SELECT rows, active FROM mlplat.create_model('ways', 'TABLE house', 'price', 'linear', exclude => '{id}', weight => 'w');
SELECT string_agg(feature, ' ' ORDER BY feature) AS features FROM mlplat.coefficients('ways');
SELECT rows FROM mlplat.create_model('ways', 'SELECT * FROM house', 'price', 'linear', prep => '{"rooms": {"as": "categorical"}}',
    exclude => '{id,w,area}', holdout => 0, promote => 'always');
SELECT string_agg(feature, ' ' ORDER BY feature) AS features FROM mlplat.coefficients('ways');
-- excluded columns may have any type, and the target may be excluded without harm
SELECT rows FROM mlplat.create_model('ways', $$SELECT area, price, '(1,2)'::point AS place FROM house$$, 'price', 'linear', exclude => '{place,price}', holdout => 0);
SELECT rows FROM mlplat.create_model('ways', $$SELECT area, price, '(1,2)'::point AS place FROM house$$, 'price', 'linear', exclude => '{place}');

-- any one query will do
SELECT rows FROM mlplat.create_model('query', 'SELECT area, price FROM house; ', 'price', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('query', 'SELECT area, price FROM house ; -- that is all', 'price', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('query', '/* all */ SELECT area, price FROM house -- that is all', 'price', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('query', 'WITH h AS (SELECT * FROM house) SELECT area, price FROM h ORDER BY id LIMIT 500', 'price', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('query', 'VALUES (1, 2.5), (2, 4.0), (3, 5.5)', 'column2', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('query', 'SELECT rooms, avg(price) AS price FROM house GROUP BY rooms', 'price', 'linear', holdout => 0);
SELECT rows FROM mlplat.create_model('query', 'SELECT area AS "a ""b"" c", price AS "Price €" FROM house', 'Price €', 'linear', holdout => 0);
SELECT feature FROM mlplat.coefficients('query') ORDER BY feature;
-- and must be one that only reads
SELECT mlplat.create_model('bad', 'INSERT INTO house VALUES (0) RETURNING *', 'price', 'linear');
SELECT mlplat.create_model('bad', 'WITH gone AS (DELETE FROM house RETURNING *) SELECT * FROM gone', 'price', 'linear');
SELECT mlplat.create_model('bad', 'SELECT 1 AS a, 2 AS price; DROP TABLE house', 'price', 'linear');
SELECT mlplat.create_model('bad', 'SELECT * INTO copy FROM house', 'price', 'linear');
SELECT mlplat.create_model('bad', 'SELECT * FROM house FOR UPDATE', 'price', 'linear');
SELECT mlplat.create_model('bad', '', 'price', 'linear');
SELECT mlplat.create_model('bad', 'house', 'price', 'linear');
SELECT mlplat.create_model('bad', 'SELECT * FROM nowhere', 'price', 'linear');
SELECT mlplat.create_model('bad', 'SELECT area, pric FROM house', 'price', 'linear');
SELECT mlplat.create_model('bad', 'SELECT', 'price', 'linear');
CREATE FUNCTION sneaky() RETURNS float8 LANGUAGE plpgsql VOLATILE AS $$ BEGIN INSERT INTO house VALUES (-1); RETURN 1; END $$;
SELECT mlplat.create_model('bad', 'SELECT area, sneaky() AS price FROM house', 'price', 'linear', holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT area, sneaky() AS price FROM house', 'price', 'linear');
-- an error in the rows
SELECT mlplat.create_model('bad', 'SELECT area / (id - 500) AS a, price FROM house', 'price', 'linear', holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT area / (id - 500) AS a, price FROM house', 'price', 'linear');
-- the transaction is as it was afterwards
BEGIN;
SELECT rows FROM mlplat.create_model('query', 'SELECT area, price FROM house', 'price', 'linear');
CREATE TABLE made_after AS SELECT 1;
SAVEPOINT s;
SELECT mlplat.create_model('bad', 'SELECT area, sneaky() AS price FROM house', 'price', 'linear');
ROLLBACK TO s;
INSERT INTO made_after VALUES (2);
COMMIT;
SELECT count(*) FROM made_after;
SHOW synchronize_seqscans;
SELECT count(*) AS bad_models FROM mlplat.models WHERE name = 'bad';

-- arguments
SELECT mlplat.create_model(NULL, 'TABLE house', 'price');
SELECT mlplat.create_model('bad', NULL, 'price');
SELECT mlplat.create_model('bad', 'TABLE house', NULL);
SELECT mlplat.create_model('a@b', 'TABLE house', 'price');
SELECT mlplat.create_model('', 'TABLE house', 'price');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linaer');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'no such thing');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '[]');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"l3": 1}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"l2": -1}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"l2": "much"}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"precision": "triple"}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"algorithm": "linear"}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"seed": 1}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"exclude": ["id"]}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"weight": "w"}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"holdout": 0.5}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"promote": "never"}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', holdout => 1);
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', holdout => -0.1);
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', holdout => 'NaN');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', promote => 'perhaps');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', exclude => '{street,NULL}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', exclude => '{streat}', holdout => 0);
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', exclude => '{streat}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', weight => 'weight');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', weight => 'street');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', prep => '{"room": {"as": "categorical"}}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', prep => '{"rooms": "categorical"}');
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', prep => '[1]');
SELECT mlplat.create_model('bad', 'TABLE house', 'prise', 'linear');
\set VERBOSITY terse
SELECT mlplat.create_model('bad', 'TABLE house', 'street', 'linear');
\set VERBOSITY default
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', metric => 'accuracy');
SELECT mlplat.create_model('bad', 'SELECT area, rooms, price FROM house', 'price', 'linear', metric => 'rmsee', holdout => 0);
SELECT mlplat.create_model('bad', 'SELECT area, rooms, price FROM house', 'price', 'linear', metric => 'accuracy', holdout => 0);
\set VERBOSITY terse
SELECT mlplat.create_model('bad', 'TABLE house', 'price', 'linear', params => '{"task": "classification"}');
\set VERBOSITY default
-- NULL arguments stand for the defaults; no hold-out is what a NULL hold-out means
SELECT algorithm, rows, metric FROM mlplat.create_model('nulls', 'SELECT area, price FROM house', 'price', 'linear', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT algorithm, rows, metric FROM mlplat.create_model('nulls', 'SELECT area, price FROM house', 'price', 'linear', '{"l2": null}', holdout => 0.5);
SELECT count(*) AS bad_models FROM mlplat.models WHERE name = 'bad';

-- the rule of promotion
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, rooms, price FROM house', 'price', 'linear');
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, price FROM house', 'price', 'linear');
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, price FROM house', 'price', 'linear', promote => 'always');
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, rooms, price FROM house', 'price', 'linear', promote => 'never');
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, rooms, price FROM house', 'price', 'linear');
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, price FROM house', 'price', 'linear', metric => 'r2');
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, rooms, price FROM house', 'price', 'linear', metric => 'r2');
SELECT version, active FROM mlplat.create_model('rule', 'SELECT area, price FROM house', 'price', 'linear', metric => 'r2');
SELECT active_version, versions, metric FROM mlplat.models WHERE name = 'rule';

-- in a function, with what the transaction did before
CREATE FUNCTION retrain() RETURNS int LANGUAGE plpgsql AS $$
DECLARE made mlplat.created_model;
BEGIN
    INSERT INTO house SELECT i, 50, 2, 'new', 2225, 1 FROM generate_series(2001, 2010) i;
    made := mlplat.create_model('inside', 'SELECT area, price FROM house', 'price', 'linear', holdout => 0);
    RETURN made.rows;
END $$;
SELECT retrain();
-- read-only transactions cannot train into the registry, but predict
BEGIN READ ONLY;
SELECT round(mlplat.predict('house@1', ROW(50, 2))::numeric, 1) AS predicted;
SELECT mlplat.create_model('house', 'SELECT area, price FROM house', 'price', 'linear');
ROLLBACK;

SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
\set VERBOSITY terse
DROP SCHEMA created CASCADE;
