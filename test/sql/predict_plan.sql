-- The planner turns predict over a row into predict over its columns; the answer must not change.
\set SHOW_CONTEXT never
CREATE SCHEMA planned;
SET search_path = planned;
CREATE TABLE t (id int PRIMARY KEY, gone text, a float8, b float8, c text);
INSERT INTO t SELECT i, 'gone', i % 7, i * 3 % 11, chr(97 + i % 3) FROM generate_series(1, 100) i;
ALTER TABLE t DROP COLUMN gone;
ALTER TABLE t ADD COLUMN y float8;
UPDATE t SET y = 2 * a + 3 * b + ascii(c);
SELECT rows FROM mlplat.create_model('m', 'SELECT a, b, c, y FROM t', 'y', 'linear', holdout => 0);
-- is the call over columns (true), over a row (false)
CREATE FUNCTION rewritten(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; found boolean := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || query LOOP found := found OR line LIKE '%\_columns(%'; END LOOP;
    RETURN found;
END $$;
-- the predictions of a query
CREATE FUNCTION answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT string_agg(coalesce(round(q.p::numeric, 2)::text, ''NULL''), '' '' ORDER BY q.p) FROM (%s) q(p)', query) INTO result;
    RETURN result;
END $$;

CREATE VIEW v AS SELECT b AS a, a AS b, c, id FROM t;
CREATE VIEW deep AS SELECT * FROM v WHERE id < 4;
CREATE TABLE part (a float8, b float8, c text) PARTITION BY LIST (c);
CREATE TABLE part1 (junk int, c text, b float8, a float8);
ALTER TABLE part1 DROP COLUMN junk;
ALTER TABLE part ATTACH PARTITION part1 FOR VALUES IN ('a');
CREATE TABLE part2 PARTITION OF part FOR VALUES IN ('b', 'c');
INSERT INTO part SELECT a, b, c FROM t WHERE id <= 5;
CREATE TABLE parent (a float8, b float8, c text);
CREATE TABLE child (more text, z float8) INHERITS (parent);
INSERT INTO parent VALUES (1, 2, 'a');
INSERT INTO child VALUES (3, 4, 'b', 'more', 7);
CREATE FUNCTION rows_of_t() RETURNS SETOF t LANGUAGE sql AS $$ SELECT * FROM t WHERE id < 4 $$;
CREATE SEQUENCE s;

CREATE TABLE query (n int, what text, query text);
INSERT INTO query VALUES
(1, 'table', 'SELECT mlplat.predict(''m'', t) FROM t WHERE id < 4'),
(2, 'alias', 'SELECT mlplat.predict(''m'', x) FROM t x WHERE id < 4'),
(3, 'columns renamed by alias', 'SELECT mlplat.predict(''m'', x) FROM t x(id, b, a) WHERE id < 4'),
(4, 'view', 'SELECT mlplat.predict(''m'', v) FROM v WHERE id < 4'),
(5, 'view of view', 'SELECT mlplat.predict(''m'', deep) FROM deep'),
(6, 'sub-select', 'SELECT mlplat.predict(''m'', x) FROM (SELECT a + 1 AS a, b, c FROM t WHERE id < 4) x'),
(7, 'sub-select with a limit', 'SELECT mlplat.predict(''m'', x) FROM (SELECT a, b, c FROM t ORDER BY id LIMIT 3) x'),
(8, 'WITH', 'WITH x AS (SELECT * FROM t WHERE id < 4) SELECT mlplat.predict(''m'', x) FROM x'),
(9, 'WITH, kept', 'WITH x AS MATERIALIZED (SELECT * FROM t WHERE id < 4) SELECT mlplat.predict(''m'', x) FROM x'),
(10, 'ROW', 'SELECT mlplat.predict(''m'', ROW(a, b, c)) FROM t WHERE id < 4'),
(11, 'ROW of constants', 'SELECT mlplat.predict(''m'', ROW(1, 2, ''a''::text))'),
(12, 'VALUES', 'SELECT mlplat.predict(''m'', x) FROM (VALUES (1.5, 2, ''a''), (2, 3, ''b'')) x(a, b, c)'),
(13, 'function', 'SELECT mlplat.predict(''m'', f) FROM rows_of_t() f'),
(14, 'partitions', 'SELECT mlplat.predict(''m'', p) FROM part p'),
(15, 'one partition', 'SELECT mlplat.predict(''m'', p) FROM part1 p'),
(16, 'inheritance', 'SELECT mlplat.predict(''m'', p) FROM parent p'),
(17, 'only the parent', 'SELECT mlplat.predict(''m'', p) FROM ONLY parent p'),
(18, 'child as parent', 'SELECT mlplat.predict(''m'', p::parent) FROM child p'),
(19, 'inner join', 'SELECT mlplat.predict(''m'', x) FROM t x JOIN t z ON x.id = z.id + 1 WHERE x.id < 4'),
(20, 'left join, outer side', 'SELECT mlplat.predict(''m'', x) FROM t x LEFT JOIN t z ON z.id = x.id + 98 WHERE x.id < 4'),
(21, 'left join, inner side', 'SELECT mlplat.predict(''m'', z) FROM t x LEFT JOIN t z ON z.id = x.id + 98 WHERE x.id < 4'),
(22, 'right join', 'SELECT mlplat.predict(''m'', z) FROM t z RIGHT JOIN t x ON z.id = x.id + 98 WHERE x.id < 4'),
(23, 'full join', 'SELECT mlplat.predict(''m'', z) FROM (SELECT * FROM t WHERE id < 3) x FULL JOIN (SELECT * FROM t WHERE id IN (2, 3)) z USING (id)'),
(24, 'left join of a sub-select', 'SELECT mlplat.predict(''m'', z) FROM t x LEFT JOIN (SELECT id, a, b, c FROM t) z ON z.id = x.id + 98 WHERE x.id < 4'),
(25, 'left join made inner by WHERE', 'SELECT mlplat.predict(''m'', z) FROM t x LEFT JOIN t z ON z.id = x.id + 98 WHERE x.id < 4 AND z.a >= 0'),
(26, 'join as one row', 'SELECT mlplat.predict(''m'', j) FROM (t x(i, a, b, c, d) LEFT JOIN (SELECT id AS k FROM t) z ON z.k = x.i) j WHERE i < 4'),
(27, 'lateral', 'SELECT l.p FROM t x LEFT JOIN LATERAL (SELECT mlplat.predict(''m'', z) AS p FROM t z WHERE z.id = x.id + 98) l ON true WHERE x.id < 4'),
(28, 'lateral of the outer row', 'SELECT l.p FROM t x, LATERAL (SELECT mlplat.predict(''m'', x) AS p) l WHERE x.id < 4'),
(29, 'correlated', 'SELECT (SELECT mlplat.predict(''m'', x)) FROM t x WHERE id < 4'),
(30, 'correlated with its own row', 'SELECT (SELECT max(mlplat.predict(''m'', z)) FROM t z WHERE z.id < x.id) FROM t x WHERE id < 4'),
(31, 'semi-join', 'SELECT mlplat.predict(''m'', x) FROM t x WHERE id < 4 AND EXISTS (SELECT FROM t z WHERE z.id = x.id)'),
(32, 'anti-join', 'SELECT mlplat.predict(''m'', x) FROM t x WHERE id < 4 AND NOT EXISTS (SELECT FROM t z WHERE z.id = x.id AND z.id > 2)'),
(33, 'WHERE', 'SELECT id FROM t WHERE mlplat.predict(''m'', t) > 135'),
(34, 'aggregate', 'SELECT sum(mlplat.predict(''m'', t)) FROM t'),
(35, 'GROUP BY its columns', 'SELECT mlplat.predict(''m'', ROW(a, b, max(c))) FROM t WHERE id < 4 GROUP BY a, b'),
(36, 'GROUP BY the row', 'SELECT mlplat.predict(''m'', t) FROM t WHERE id < 4 GROUP BY t'),
(37, 'GROUP BY ROW', 'SELECT mlplat.predict(''m'', ROW(a, b, c)) FROM t WHERE id < 4 GROUP BY ROW(a, b, c)'),
(38, 'GROUP BY the key', 'SELECT mlplat.predict(''m'', t) FROM t WHERE id < 4 GROUP BY id'),
(39, 'GROUP BY the prediction', 'SELECT round(mlplat.predict(''m'', t)) FROM t WHERE id < 4 GROUP BY round(mlplat.predict(''m'', t))'),
(40, 'GROUPING SETS', 'SELECT mlplat.predict(''m'', ROW(a, b, ''a''::text)) FROM t WHERE id < 3 GROUP BY GROUPING SETS ((a, b), (a))'),
(41, 'ROLLUP over the row', 'SELECT mlplat.predict(''m'', t) FROM t WHERE id < 3 GROUP BY ROLLUP (t)'),
(42, 'DISTINCT', 'SELECT DISTINCT mlplat.predict(''m'', t) FROM t WHERE id < 4'),
(43, 'ORDER BY, LIMIT', 'SELECT mlplat.predict(''m'', t) FROM t ORDER BY mlplat.predict(''m'', t) DESC, 1 LIMIT 2'),
(44, 'window', 'SELECT max(mlplat.predict(''m'', t)) OVER (ORDER BY id) FROM t WHERE id < 4'),
(45, 'UNION ALL', 'SELECT mlplat.predict(''m'', u) FROM (SELECT a, b, c FROM t WHERE id < 3 UNION ALL SELECT a, b, c FROM part) u'),
(46, 'volatile column', 'SELECT round(mlplat.predict(''m'', x)) FROM (SELECT a + 0 * random() AS a, b, c FROM t WHERE id < 4) x'),
(47, 'volatile in ROW', 'SELECT mlplat.predict(''m'', ROW(nextval(''s''), 0, ''a''::text)) FROM generate_series(1, 3)'),
(48, 'NULL row', 'SELECT mlplat.predict(''m'', NULL::t)'),
(49, 'NULL row in a sub-select', 'SELECT mlplat.predict(''m'', r) FROM (SELECT NULL::t AS r UNION ALL SELECT t FROM t WHERE id = 1) u'),
(50, 'CASE', 'SELECT CASE WHEN id > 1 THEN mlplat.predict(''m'', t) END FROM t WHERE id < 4'),
(51, 'named arguments', 'SELECT mlplat.predict("row" => t, model => ''m'') FROM t WHERE id < 4'),
(52, 'a model a row', 'SELECT mlplat.predict(n, t) FROM t, (VALUES (''m''), (''m@1'')) v(n) WHERE id < 3'),
(53, 'whole row inside a row', 'SELECT mlplat.predict(''m'', (x).r) FROM (SELECT t AS r FROM t WHERE id < 4) x'),
(54, 'system catalog', 'SELECT mlplat.predict(''m'', r) FROM (SELECT relnatts AS a, 1 AS b, relname AS c FROM pg_class WHERE oid = ''planned.t''::regclass) r');
SELECT n, what, rewritten(query) AS rewritten, answer(query) AS answer FROM query ORDER BY n;
-- the same answers as without rewriting
CREATE FUNCTION plain(model text, r record) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN RETURN mlplat.predict(model, r); END $$;
SELECT setval('s', 1, false);
SELECT n, what FROM query WHERE answer(replace(query, 'mlplat.predict(', 'plain(')) IS DISTINCT FROM answer(query) AND n NOT IN (33, 47, 51) ORDER BY n;

-- class and probability, by image
SELECT rows FROM mlplat.create_model('k', 'SELECT a, b, c, y > 110 AS high FROM t', 'high', 'gbdt', '{"n_trees": 3, "min_leaf_rows": 5}', holdout => 0);
SELECT rewritten('SELECT mlplat.predict_class(''k'', t) FROM t') AS class, rewritten('SELECT mlplat.predict_proba(''k'', t) FROM t') AS proba,
       rewritten('SELECT mlplat.predict_proba(''k'', t, ''true'') FROM t') AS named, rewritten('SELECT mlplat.predict_probs(''k'', t) FROM t') AS probs;
SELECT image AS k FROM mlplat.version JOIN mlplat.registry USING (model_id) WHERE name = 'k' \gset
SELECT rewritten(format('SELECT mlplat.predict(%L::bytea, t) FROM t', :'k')) AS image;
SELECT count(*) FILTER (WHERE mlplat.predict_class(:'k'::bytea, t) = mlplat.predict_class('k', to_jsonb(t))) AS class,
       count(*) FILTER (WHERE mlplat.predict_proba(:'k'::bytea, t) = mlplat.predict_proba('k', to_jsonb(t))) AS proba FROM t;

-- a call has 100 arguments at most: wider rows stay rows
DO $$
BEGIN
    FOR n IN 98..99 LOOP
        EXECUTE (SELECT format('CREATE TABLE c%s AS SELECT %s', n, string_agg(format('%s::float8 AS x%s', i, i), ', ')) FROM generate_series(1, n) i);
    END LOOP;
END $$;
SELECT mlplat.save_model('wide', mlplat.train(w, 'x98', '{"algorithm": "linear"}')) FROM (SELECT * FROM c98) w;
SELECT rewritten('SELECT mlplat.predict(''wide'', c98) FROM c98') AS c98, rewritten('SELECT mlplat.predict(''wide'', c99) FROM c99') AS c99;
SELECT mlplat.predict('wide', c98) AS c98, mlplat.predict('wide', c99) AS c99 FROM c98, c99;

-- prepared statements: generic plans, changed tables, changed models
CREATE TABLE u AS SELECT id, a, b, c FROM t;
PREPARE by_id(int) AS SELECT round(mlplat.predict('m', u)::numeric, 2) AS p FROM u WHERE id = $1;
PREPARE by_model(text) AS SELECT round(mlplat.predict($1, u)::numeric, 2) AS p FROM u WHERE id = 1;
PREPARE by_image(bytea) AS SELECT round(mlplat.predict($1, u)::numeric, 2) AS p FROM u WHERE id = 1;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_id(1);
EXECUTE by_model('m');
EXECUTE by_model('k');
EXECUTE by_model('m@1');
EXECUTE by_model(NULL);
EXECUTE by_image(:'k');
SELECT image AS m FROM mlplat.version JOIN mlplat.registry USING (model_id) WHERE name = 'm' \gset
EXECUTE by_image(:'m');
ALTER TABLE u ADD COLUMN d int DEFAULT 5;
EXECUTE by_id(1);
ALTER TABLE u ALTER COLUMN a TYPE numeric;
EXECUTE by_id(1);
ALTER TABLE u RENAME COLUMN b TO e;
EXECUTE by_id(1);
ALTER TABLE u RENAME COLUMN e TO b;
ALTER TABLE u ALTER COLUMN a TYPE float8;
EXECUTE by_id(1);
ALTER TABLE u DROP COLUMN d;
EXECUTE by_id(1);
RESET plan_cache_mode;

-- parallel plans: in the target list, in WHERE and below an aggregate, by name and by image, a model a row
CREATE TABLE many AS SELECT g AS id, g % 7 AS a, g * 3 % 11 AS b, chr(97 + g % 3) AS c FROM generate_series(1, 20000) g;
ANALYZE many;
CREATE TABLE by_c AS SELECT c, image FROM (VALUES ('a'), ('b'), ('c')) v(c), mlplat.version JOIN mlplat.registry USING (model_id) WHERE name = 'm';
CREATE FUNCTION in_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text; below boolean := false; found boolean := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || query LOOP
        below := below OR line LIKE '%Workers Planned%';
        found := found OR (below AND line LIKE '%predict\_columns(%');
    END LOOP;
    RETURN found;
END $$;
CREATE TABLE many_queries (n int, query text);
INSERT INTO many_queries VALUES
(1, 'SELECT round(sum(mlplat.predict(''m'', x))::numeric, 3) FROM many x'),
(2, 'SELECT count(*) FROM many x WHERE mlplat.predict(''m'', x) > 135'),
(3, format('SELECT round(sum(mlplat.predict(%L::bytea, x))::numeric, 3) FROM many x', :'m')),
(4, 'SELECT round(sum(mlplat.predict(image, x))::numeric, 3) FROM many x JOIN by_c USING (c)');
CREATE TABLE serial AS SELECT n, answer(query) FROM many_queries;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT q.n, in_parallel(query) AS parallel, answer(query) = answer AS same FROM many_queries q JOIN serial USING (n) ORDER BY n;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- other statements than SELECT
UPDATE t SET y = mlplat.predict('m', t) WHERE id = 1;
UPDATE t SET y = mlplat.predict('m', x) FROM part x WHERE t.id = 1 AND x.c = 'a';
INSERT INTO t (id, a, b, c) VALUES (1001, 1, 2, 'a') RETURNING round(mlplat.predict('m', t)::numeric, 2) AS p;
INSERT INTO t (id, a, b, c) VALUES (1001, 3, 4, 'b') ON CONFLICT (id) DO UPDATE SET a = excluded.a, y = mlplat.predict('m', excluded)
    RETURNING round(y::numeric, 2) AS of_excluded, round(mlplat.predict('m', t)::numeric, 2) AS of_row;
DELETE FROM t USING part p WHERE t.id = 1001 AND p.c = 'a' RETURNING round(mlplat.predict('m', t)::numeric, 2) AS p, round(mlplat.predict('m', p)::numeric, 2) AS q;
CREATE FUNCTION on_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.y := mlplat.predict('m', NEW); RETURN NEW; END $$;
CREATE TRIGGER fill BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION on_insert();
CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW WHEN (mlplat.predict('m', NEW) > 1000) EXECUTE FUNCTION on_insert();
INSERT INTO t (id, a, b, c) VALUES (1002, 1, 2, 'a') RETURNING round(y::numeric, 2) AS y;
UPDATE t SET a = 2000 WHERE id = 1002 RETURNING round(y::numeric, 2) AS y;
-- a rule and row security
CREATE VIEW pick AS SELECT t.*, mlplat.predict('m', t) AS p FROM t;
SELECT round(p::numeric, 2) AS p FROM pick WHERE id = 1002;
CREATE VIEW guarded WITH (security_barrier) AS SELECT * FROM t WHERE id < 4;
SELECT rewritten('SELECT mlplat.predict(''m'', guarded) FROM guarded') AS barrier, answer('SELECT mlplat.predict(''m'', guarded) FROM guarded');

SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models;
DELETE FROM mlplat.run;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA planned CASCADE;
