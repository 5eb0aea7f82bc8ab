-- Looking into trees: nodes, rules, text, Graphviz; names and levels that need quotes.
\set SHOW_CONTEXT never
CREATE SCHEMA tree_nodes_test;
SET search_path = tree_nodes_test;
CREATE TABLE t AS
    SELECT i AS id, (i * 37 % 101)::float8 AS "Size in ""cm""", CASE WHEN i % 7 <> 0 THEN (i * 53 % 89)::float8 END AS b, CASE WHEN i % 13 <> 0 THEN (ARRAY['red', 'gr''een', 'blue', 'dark "grey"'])[1 + i % 4] END AS colour,
           CASE WHEN i * 37 % 101 <= 40 THEN 'small' WHEN i % 4 IN (1, 2) AND i % 13 <> 0 THEN 'two "q"' WHEN i % 7 = 0 THEN 'three' ELSE 'two "q"' END AS kind,
           (i * 37 % 101) > 50 AND i % 4 = 2 AND i % 13 <> 0 AS yes, (i * 37 % 101) / 10 + CASE WHEN i % 7 = 0 THEN 100 ELSE 0 END AS y
    FROM generate_series(1, 400) i;
CREATE FUNCTION image(target text, options jsonb) RETURNS bytea LANGUAGE sql AS $$
    SELECT mlplat.train(q, target, options || jsonb_build_object('exclude', (SELECT jsonb_agg(c) FROM unnest('{id,kind,yes,y}'::text[]) c WHERE c <> target))) FROM (SELECT * FROM t ORDER BY id) q $$;
CREATE TABLE images AS
    SELECT 'kind' AS name, image('kind', '{"algorithm": "tree"}') AS image
    UNION ALL SELECT 'y', image('y', '{"algorithm": "tree", "max_depth": 2}')
    UNION ALL SELECT 'yes', image('yes', '{"algorithm": "tree", "max_depth": 2}')
    UNION ALL SELECT 'forest', image('kind', '{"algorithm": "forest", "n_trees": 4}')
    UNION ALL SELECT 'boosted', image('y', '{"algorithm": "gbdt", "n_trees": 3, "max_leaves": 4}')
    UNION ALL SELECT 'boosted kind', image('kind', '{"algorithm": "gbdt", "n_trees": 2, "max_leaves": 3}');

SELECT n.tree, n.node, n.parent, n.depth, n.leaf, n.rule, n.feature, n.threshold, n.levels, n.missing FROM images, mlplat.tree_nodes(image) n WHERE name = 'kind';
SELECT n.node, n.rows, round(n.impurity::numeric, 4) AS impurity, round(n.gain::numeric, 4) AS gain, n.value, n.class, n.counts, (SELECT round(sum(value::numeric), 9) FROM jsonb_each_text(n.probabilities)) AS sum FROM images, mlplat.tree_nodes(image) n WHERE name = 'kind';
SELECT n.node, n.rule, n.rows, round(n.impurity::numeric, 4) AS impurity, round(n.value::numeric, 4) AS value, n.class, n.counts FROM images, mlplat.tree_nodes(image) n WHERE name = 'y';
-- The numbers are those of the data.
SELECT count(*) AS rows, round(var_pop(y)::numeric, 4) AS impurity, round(avg(y), 4) AS value FROM t;
SELECT r.node, r.rule, r.rows, r.class, r.counts FROM images, mlplat.tree_rules(image) r WHERE name = 'kind';
SELECT r.rule, r.rows, round(r.value::numeric, 3) AS value FROM images, mlplat.tree_rules(image) r WHERE name = 'y';
\pset format unaligned
SELECT mlplat.tree_text(image) FROM images WHERE name = 'kind';
SELECT mlplat.tree_text(image) FROM images WHERE name = 'yes';
SELECT mlplat.tree_dot(image) FROM images WHERE name = 'kind';
SELECT mlplat.tree_text(image, 1) FROM images WHERE name = 'boosted';
\pset format aligned

-- Forests and boosting: every tree, parents before children, rows add up.
SELECT name, count(DISTINCT n.tree) AS trees, bool_and(n.parent < n.node) AS ordered, count(*) FILTER (WHERE n.leaf) - count(*) FILTER (WHERE NOT n.leaf) AS one_more_leaf_a_tree,
       bool_and(n.impurity IS NULL) AS no_impurity, bool_and(n.counts IS NULL) AS no_counts, count(DISTINCT n.class) AS classes
FROM images, mlplat.tree_nodes(image) n GROUP BY name ORDER BY name;
SELECT name, count(*) FILTER (WHERE p.rows <> c.rows) AS wrong, count(*) FILTER (WHERE abs(p.value - c.value) > 1e-6) AS wrong_values
FROM images, LATERAL (SELECT * FROM mlplat.tree_nodes(image) WHERE NOT leaf) p,
     LATERAL (SELECT sum(c.rows) AS rows, sum(c.rows * c.value) / sum(c.rows) AS value FROM mlplat.tree_nodes(image) c WHERE c.tree = p.tree AND c.parent = p.node) c
GROUP BY name ORDER BY name;
SELECT name, count(*) AS rules, count(DISTINCT r.rule) = count(*) AS distinct_rules FROM images, mlplat.tree_rules(image, 0) r GROUP BY name ORDER BY name;
-- Rules are SQL: each holds for as many rows as its leaf has.
CREATE FUNCTION holds(rule text) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM tree_nodes_test.t WHERE ' || rule INTO n; RETURN n; END $$;
SELECT name, count(*) AS rules, count(*) FILTER (WHERE holds(r.rule) <> r.rows) AS wrong FROM images, mlplat.tree_rules(image) r WHERE name NOT IN ('forest') GROUP BY name ORDER BY name;
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE holds(r.rule) <> r.rows) AS wrong FROM mlplat.tree_rules(image('kind', '{"algorithm": "extra_trees", "n_trees": 10}')) r;

-- By name, one tree, NULLs, errors.
SELECT version FROM mlplat.create_model('shown', 'SELECT b, colour, yes FROM t ORDER BY id', 'yes', 'forest', '{"n_trees": 2, "max_depth": 1}');
SELECT n.tree, count(*) FROM mlplat.tree_nodes('shown', 1) n GROUP BY 1;
SELECT count(*) FROM mlplat.tree_rules('shown');
SELECT mlplat.tree_text('shown@1', 1) LIKE 'all rows: %' AS text, mlplat.tree_dot('shown', 1) LIKE 'digraph tree_1 {%}%' AS dot;
SELECT count(*) FROM mlplat.tree_nodes(NULL::text);
SELECT mlplat.tree_text(NULL::text) IS NULL AS text, mlplat.tree_dot('shown', NULL) IS NULL AS dot;
SELECT * FROM mlplat.tree_nodes('shown', 2);
SELECT mlplat.tree_text('shown', -1);
SELECT * FROM mlplat.tree_rules('nobody');
SELECT * FROM mlplat.tree_nodes('\x00'::bytea);
SELECT mlplat.tree_text(image('y', '{"algorithm": "linear"}'));
-- A tree without splits.
SELECT rule, rows, value FROM mlplat.tree_rules((SELECT mlplat.train(q, 'y', '{"algorithm": "tree"}') FROM (SELECT 1 AS x, 7 AS y FROM generate_series(1, 5)) q));
SELECT mlplat.tree_text((SELECT mlplat.train(q, 'y', '{"algorithm": "tree"}') FROM (SELECT 1 AS x, 7 AS y FROM generate_series(1, 5)) q));
-- Many levels: the view has them all, texts are cut short.
SELECT cardinality(levels) AS levels, length(rule) < 200 AS short FROM mlplat.tree_nodes((SELECT mlplat.train(q, 'y', '{"algorithm": "tree", "max_depth": 1}') FROM (SELECT 'level ' || i % 200 AS c, i % 200 % 2 AS y FROM generate_series(1, 2000) i) q)) WHERE node < 2;

SELECT mlplat.drop_model('shown');
SET client_min_messages = warning;
DROP SCHEMA tree_nodes_test CASCADE;
DELETE FROM mlplat.run;
