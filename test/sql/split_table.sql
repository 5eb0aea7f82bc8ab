-- split_table: views and tables to train and to test on.
\set SHOW_CONTEXT never
CREATE SCHEMA split;
SET search_path = split;
-- A view's condition; from 16 on, the server writes columns without the alias.
CREATE FUNCTION condition(regclass) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(substring(pg_get_viewdef($1) FROM 'WHERE.*'), '\mt\.', '', 'g') $$;
-- 1,000 rows: a tenth in class yes, one in a class of its own, one without; 50 customers; ten rows an hour.
CREATE TABLE orders (id int PRIMARY KEY, class text, customer int, at timestamptz, amount float8);
INSERT INTO orders SELECT i, CASE WHEN i % 10 = 0 THEN 'yes' WHEN i = 7 THEN NULL WHEN i = 8 THEN 'solo' ELSE 'no' END,
    NULLIF(i % 50, 49), '2024-01-01 00:00+00'::timestamptz + (i / 10) * interval '1 hour', i * 0.1 FROM generate_series(1, 1000) AS i;

-- At random: part_of the primary key.
SELECT * FROM mlplat.split_table('orders');
SELECT condition('orders_train'), obj_description('orders_train'::regclass);
SELECT (SELECT count(*) FROM orders_train) + (SELECT count(*) FROM orders_test) AS both, (SELECT count(*) FROM orders_train JOIN orders_test USING (id)) AS twice,
    (SELECT bool_and(mlplat.part_of(id) = 1) FROM orders_train) AS by_part_of;
-- A part holds the same rows as a table, whatever the order of rows; another seed splits otherwise; the view follows new rows.
SELECT part, part_relation, rows FROM mlplat.split_table('orders', kind => 'table', name => 'frozen');
SELECT count(*) FROM (TABLE frozen_test EXCEPT TABLE orders_test) s;
SELECT part, rows FROM mlplat.split_table('orders', seed => 42, name => 'other');
SELECT count(*) FROM other_test JOIN orders_test USING (id);
INSERT INTO orders SELECT i, 'no' FROM generate_series(1001, 1100) AS i;
SELECT (SELECT count(*) FROM orders_train) + (SELECT count(*) FROM orders_test) AS both, (SELECT count(*) FROM frozen_test) AS frozen;
DELETE FROM orders WHERE id > 1000;

-- Stratified: exact shares of each class, also as a view; a class of one row trains; NULL is a class.
SELECT * FROM mlplat.split_table('orders', '{0.7,0.2,0.1}', stratify => 'class', name => 'strata');
SELECT condition('strata_valid');
SELECT * FROM mlplat.split_table('orders', stratify => 'class', kind => 'table', name => 'strata2', seed => 3, parts => '{learn,check}');
SELECT count(*), count(DISTINCT id) FROM (TABLE strata_train UNION ALL TABLE strata_valid UNION ALL TABLE strata_test) s;
-- Later rows go by the shares, in classes that were not there, too.
INSERT INTO orders SELECT i, CASE WHEN i % 2 = 0 THEN 'new' ELSE 'no' END FROM generate_series(10001, 20000) AS i;
SELECT class, abs(avg((id IN (SELECT id FROM strata_test))::int) - 0.1) < 0.02 AS tenth FROM orders WHERE id > 10000 GROUP BY class ORDER BY class;
DELETE FROM orders WHERE id > 1000;
-- A hundred classes of three rows: 20 % of all, not a third.
CREATE TABLE small (id int PRIMARY KEY, class int);
INSERT INTO small SELECT i, i % 100 FROM generate_series(1, 300) AS i;
SELECT part, rows, share FROM mlplat.split_table('small', stratify => 'class') WHERE class_share IS NULL;
SELECT count(DISTINCT class) FROM small_train;

-- By group: a customer is never on both sides; without a customer, a row trains.
SELECT * FROM mlplat.split_table('orders', group_by => 'customer', classes => 'class', name => 'grouped');
SELECT count(*) FROM grouped_train a JOIN grouped_test b USING (customer);
SELECT count(*) FILTER (WHERE customer IS NULL) AS train, (SELECT count(*) FROM grouped_test WHERE customer IS NULL) AS test FROM grouped_train;
SELECT part, rows FROM mlplat.split_table('orders', '{0.4,0.3,0.3}', group_by => 'customer', name => 'grouped3', kind => 'table');
SELECT condition('grouped_test');

-- In order: the earliest rows train; the rows of one time are never apart; fractions below 1 leave the latest out.
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SELECT * FROM mlplat.split_table('orders', '{0.604,0.2,0.1}', order_by => 'at', name => 'ordered');
RESET timezone;
RESET datestyle;
SELECT (SELECT max(at) FROM ordered_train) < (SELECT min(at) FROM ordered_valid) AS earlier, (SELECT max(at) FROM ordered_valid) < (SELECT min(at) FROM ordered_test) AS later;
SELECT condition('ordered_valid');
INSERT INTO orders (id) VALUES (0);
SELECT count(*) FROM ordered_train WHERE at IS NULL;
DELETE FROM orders WHERE id = 0;
-- One value holds the first two thirds: the cut goes to the nearer end.
CREATE TABLE ties (x) AS SELECT CASE WHEN i < 66 THEN 1 ELSE i END FROM generate_series(1, 100) AS i;
SELECT part, rows FROM mlplat.split_table('ties', '{0.5,0.5}', order_by => 'x');
SELECT part, rows FROM mlplat.split_table('ties', '{0.1,0.1,0.8}', order_by => 'x', name => 'ties3');
-- Any type with an order; values that settings write otherwise.
CREATE TABLE ordered_types AS SELECT i / 3.0::float8 AS f, i * interval '-1 day 2 hours' AS span, (i * 7 % 100)::text COLLATE "C" AS word, B'1'::bit(8) >> (i % 8) AS bits,
    ('2024-01-01'::date + i) AS day, md5(i::text)::uuid AS u, ARRAY[i] AS a FROM generate_series(1, 100) AS i;
SET extra_float_digits = 0;
SET intervalstyle = 'sql_standard';
SELECT by, rows FROM unnest('{f,span,word,bits,day,u,a}'::text[]) AS by, mlplat.split_table('ordered_types', order_by => by, name => 'ordered_' || by) WHERE part = 'test';
SELECT by, count(*), min(share), max(share) FROM unnest('{day,bits,word}'::text[]) AS by, mlplat.split_table('ordered_types', '{0.5,0.5}', stratify => by, key => '{u}', name => 'strata_' || by) WHERE class_share IS NULL GROUP BY by ORDER BY by;
RESET extra_float_digits;
RESET intervalstyle;

-- What tells rows apart.
CREATE TABLE pairs (a int, b text, PRIMARY KEY (b, a));
INSERT INTO pairs SELECT i % 20, i / 20 FROM generate_series(0, 399) AS i;
SELECT part, rows FROM mlplat.split_table('pairs');
SELECT condition('pairs_train');
SELECT part, rows FROM mlplat.split_table('pairs', key => '{a}', name => 'by_a');
SELECT count(*) FROM by_a_train JOIN by_a_test USING (a);
-- Without a primary key, equal rows are on one side.
CREATE TABLE keyless AS SELECT i % 100 AS x, CASE WHEN i % 3 = 0 THEN i % 100 END AS y FROM generate_series(1, 1000) AS i;
SELECT sum(rows) FROM mlplat.split_table('keyless');
SELECT count(*) FROM (TABLE keyless_train INTERSECT TABLE keyless_test) s;
ALTER TABLE keyless ADD COLUMN j jsonb;
SELECT * FROM mlplat.split_table('keyless', name => 'keyless2');
SELECT count(*) FROM mlplat.split_table('keyless', key => '{x}', name => 'keyless2');
-- A key that may be NULL: such rows train.
SELECT sum(rows) FROM mlplat.split_table('keyless', '{0.01,0.99}', key => '{y}', name => 'keyless3');
SELECT count(*) FROM keyless3_test WHERE y IS NULL;
SELECT sum(rows) FROM mlplat.split_table('keyless', '{0.01,0.99}', key => '{y}', stratify => 'x', name => 'keyless4') WHERE class_share IS NULL;
SELECT count(*) FROM keyless4_test WHERE y IS NULL;

-- Views, materialized views, partitioned and temporary tables; quoted, long and foreign names; dropped and generated columns.
CREATE VIEW seen AS SELECT id, class FROM orders WHERE id <= 500;
SELECT part, part_relation, rows FROM mlplat.split_table('seen', key => '{id}', stratify => 'class') WHERE class_share IS NULL;
CREATE MATERIALIZED VIEW kept AS TABLE seen;
SELECT part, part_relation, rows FROM mlplat.split_table('kept', kind => 'table', key => '{id}');
-- A view whose rows are others at every reading: still, each is in one part.
CREATE VIEW dice AS SELECT id, random() AS x FROM orders;
SELECT sum(rows) FROM mlplat.split_table('dice', '{0.3,0.3,0.4}', kind => 'table', key => '{x}');
SELECT count(*), count(DISTINCT id) FROM (TABLE dice_train UNION ALL TABLE dice_valid UNION ALL TABLE dice_test) s;
CREATE TABLE months (id int, m int, PRIMARY KEY (id, m)) PARTITION BY LIST (m);
CREATE TABLE months_1 PARTITION OF months FOR VALUES IN (1);
CREATE TABLE months_2 PARTITION OF months FOR VALUES IN (2);
INSERT INTO months SELECT i, 1 + i % 2 FROM generate_series(1, 500) AS i;
SELECT part, part_relation, rows FROM mlplat.split_table('months', order_by => 'id');
CREATE TEMP TABLE passing (id int PRIMARY KEY);
INSERT INTO passing SELECT generate_series(1, 100);
SELECT part, rows FROM mlplat.split_table('passing');
SELECT relname, relpersistence FROM pg_class WHERE relname LIKE 'passing\__%' AND relkind = 'v' ORDER BY 1;
SELECT part, rows FROM mlplat.split_table('passing', kind => 'table', name => 'pg_temp.lasting');
CREATE TABLE "Ünïcode ""quoted"" table, of a name that is long, long and lo" ("Id "" 1" int PRIMARY KEY, "select" text, gone int, "t" int GENERATED ALWAYS AS ("Id "" 1" % 3) STORED);
ALTER TABLE "Ünïcode ""quoted"" table, of a name that is long, long and lo" DROP COLUMN gone;
INSERT INTO "Ünïcode ""quoted"" table, of a name that is long, long and lo" SELECT i, i % 2 FROM generate_series(1, 100) AS i;
SELECT part, part_relation, class, rows FROM mlplat.split_table('"Ünïcode ""quoted"" table, of a name that is long, long and lo"', stratify => 'select');
SELECT part, part_relation, class, rows FROM mlplat.split_table('"Ünïcode ""quoted"" table, of a name that is long, long and lo"', stratify => 't', kind => 'table', name => '"Two ""Words"""', parts => '{"a b","c''d"}');
\d "Two ""Words""_a b"

-- Nothing, one row, one class.
CREATE TABLE empty (id int PRIMARY KEY, class text);
SELECT * FROM mlplat.split_table('empty');
SELECT * FROM mlplat.split_table('empty', stratify => 'class', name => 'empty2');
SELECT * FROM mlplat.split_table('empty', kind => 'table', name => 'empty3');
SELECT * FROM mlplat.split_table('empty', group_by => 'id', name => 'empty4');
SELECT * FROM mlplat.split_table('empty', order_by => 'id', name => 'empty4');
INSERT INTO empty VALUES (1, 'a');
SELECT * FROM mlplat.split_table('empty', stratify => 'class', name => 'one');
SELECT * FROM mlplat.split_table('empty', '{1}', order_by => 'id', name => 'whole');
SELECT * FROM mlplat.split_table('empty', '{1}', group_by => 'id', name => 'whole2');
SELECT * FROM mlplat.split_table('empty', '{1}', stratify => 'class', name => 'whole3', kind => 'table');
SELECT * FROM mlplat.split_table('empty', order_by => 'id', name => 'one2');
SELECT * FROM mlplat.split_table('ties', '{0.1,0.1,0.1,0.7}', group_by => 'x', name => 'one2', parts => '{a,b,c,d}') WHERE false;

-- Fractions, names, kinds.
SELECT * FROM mlplat.split_table('orders', '{}');
SELECT * FROM mlplat.split_table('orders', '{0.5,NULL}');
SELECT * FROM mlplat.split_table('orders', '{{0.5,0.5}}');
SELECT * FROM mlplat.split_table('orders', '{0.8,0.3}');
SELECT * FROM mlplat.split_table('orders', '{0.8,-0.2}');
SELECT * FROM mlplat.split_table('orders', '{0.8,0}');
SELECT * FROM mlplat.split_table('orders', '{NaN,0.2}');
SELECT * FROM mlplat.split_table('orders', '{Infinity}');
SELECT * FROM mlplat.split_table('orders', array_fill(0.005, '{200}'));
SELECT * FROM mlplat.split_table('orders', '{0.25,0.25,0.25,0.25}');
SELECT * FROM mlplat.split_table('orders', parts => '{a}');
SELECT * FROM mlplat.split_table('orders', parts => '{a,a}');
SELECT * FROM mlplat.split_table('orders', parts => '{a,""}');
SELECT * FROM mlplat.split_table('orders', parts => '{a,NULL}');
SELECT * FROM mlplat.split_table('orders', parts => '{}');
SELECT * FROM mlplat.split_table('orders', parts => ARRAY['a', repeat('b', 41)]);
SELECT * FROM mlplat.split_table('orders', kind => 'views');
SELECT * FROM mlplat.split_table(NULL);
SELECT * FROM mlplat.split_table('orders', NULL);
SELECT * FROM mlplat.split_table('orders', kind => NULL);
SELECT * FROM mlplat.split_table('nowhere');
SELECT * FROM mlplat.split_table(4294967295::oid::regclass);
SELECT * FROM mlplat.split_table('orders_pkey');
-- Columns.
SELECT * FROM mlplat.split_table('orders', stratify => 'clas');
SELECT * FROM mlplat.split_table('orders', group_by => 'Customer');
SELECT * FROM mlplat.split_table('orders', order_by => 'ctid');
SELECT * FROM mlplat.split_table('orders', key => '{id,x}');
SELECT * FROM mlplat.split_table('orders', classes => '');
SELECT * FROM mlplat.split_table('orders', stratify => 'class', group_by => 'customer');
SELECT * FROM mlplat.split_table('orders', group_by => 'customer', order_by => 'at');
SELECT * FROM mlplat.split_table('orders', group_by => 'customer', key => '{id}');
SELECT * FROM mlplat.split_table('orders', order_by => 'at', seed => 1);
CREATE TABLE odd (id int PRIMARY KEY, j json, p point, i interval, n int);
INSERT INTO odd SELECT i, '{}', point(i, i), i * interval '1 day', i FROM generate_series(1, 2000) AS i;
SELECT * FROM mlplat.split_table('odd', stratify => 'j');
SELECT * FROM mlplat.split_table('odd', order_by => 'p');
SELECT * FROM mlplat.split_table('odd', group_by => 'i');
SELECT * FROM mlplat.split_table('odd', key => '{j}');
SELECT * FROM mlplat.split_table('odd', classes => 'j');
SELECT * FROM mlplat.split_table('odd', stratify => 'n');
SELECT * FROM mlplat.split_table('odd', classes => 'n');
SELECT * FROM mlplat.split_table('odd', classes => 'n', kind => 'table');
SELECT count(*) FROM pg_class WHERE relname LIKE 'odd\_%' AND relkind IN ('r', 'v');

-- Names that are there already.
SELECT * FROM mlplat.split_table('orders');
SELECT part, rows FROM mlplat.split_table('orders', seed => 1, replace => true);
SELECT part, rows FROM mlplat.split_table('orders', seed => 1, replace => true, kind => 'table');
SELECT part, rows FROM mlplat.split_table('orders', replace => true, kind => 'table');
SELECT part, rows FROM mlplat.split_table('orders', replace => true);
CREATE VIEW depends AS SELECT 1 AS one FROM orders_test;
SELECT part, rows FROM mlplat.split_table('orders', replace => true, kind => 'table');
SELECT part, rows FROM mlplat.split_table('orders_train', name => 'orders', key => '{id}', replace => true);
SELECT count(*) FROM mlplat.split_table('small', '{0.7,0.2,0.1}', replace => true);
SELECT count(*) FROM mlplat.split_table('small', replace => true);
CREATE SEQUENCE line_train;
SELECT part, rows FROM mlplat.split_table('orders', name => 'line', replace => true);
SELECT part, rows FROM mlplat.split_table('orders', name => 'no_such_schema.x');
SELECT part, rows FROM mlplat.split_table('orders', name => 'a.b.c');
SELECT part, rows FROM mlplat.split_table('orders', name => '');
-- All or nothing: the second name is taken.
CREATE TABLE half_test (x int);
SELECT part, rows FROM mlplat.split_table('orders', name => 'half');
SELECT to_regclass('half_train');

-- Another's operators and functions do not come in between.
CREATE SCHEMA evil;
CREATE FUNCTION evil.less(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil operator'; END $$;
CREATE OPERATOR evil.< (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.less);
CREATE OPERATOR evil.= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.less);
CREATE OPERATOR evil.>= (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.less);
CREATE FUNCTION evil.count() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil function'; END $$;
SET search_path = evil, split, pg_catalog;
SELECT part, rows FROM mlplat.split_table('orders', order_by => 'id', name => 'safe1', classes => 'class') WHERE class_share IS NULL;
SELECT part, rows FROM mlplat.split_table('orders', '{0.5,0.2,0.3}', stratify => 'customer', name => 'safe2', kind => 'table') WHERE class_share IS NULL;
SELECT part, rows FROM mlplat.split_table('orders', '{0.5,0.2,0.3}', group_by => 'customer', name => 'safe3');
SET search_path = split;

-- Roles: rights on the relation, on the schema; row security; another's views.
CREATE ROLE regress_split_owner;
GRANT USAGE ON SCHEMA split, mlplat TO regress_split_owner;
CREATE TABLE mine (id int PRIMARY KEY, who text);
INSERT INTO mine SELECT i, CASE WHEN i % 2 = 0 THEN 'regress_split_owner' ELSE 'another' END FROM generate_series(1, 100) AS i;
SET ROLE regress_split_owner;
SELECT * FROM mlplat.split_table('mine');
RESET ROLE;
GRANT CREATE ON SCHEMA split TO regress_split_owner;
SET ROLE regress_split_owner;
SELECT * FROM mlplat.split_table('mine');
RESET ROLE;
GRANT SELECT ON mine TO regress_split_owner;
ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON mine USING (who = current_user);
SET ROLE regress_split_owner;
SELECT part, rows FROM mlplat.split_table('mine');
SELECT part, rows FROM mlplat.split_table('mine', kind => 'table', name => 'my_own');
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('mine_train', 'my_own_train') ORDER BY 1;
SELECT part, rows FROM mlplat.split_table('mine', name => 'grouped', replace => true);
RESET ROLE;
-- A transaction that only reads.
BEGIN READ ONLY;
SELECT * FROM mlplat.split_table('orders', name => 'never');
ROLLBACK;
SET client_min_messages = warning;
DROP SCHEMA split, evil CASCADE;
DROP OWNED BY regress_split_owner;
DROP ROLE regress_split_owner;
