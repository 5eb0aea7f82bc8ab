-- plot and plots: the kinds that models of each task have, what the drawings are, and how wrong wishes end.
SET client_min_messages = warning;
CREATE TABLE plotted AS
SELECT i AS id, i % 97 AS a, (i * 7) % 31 AS b, 'level ' || i % 3 AS "C ""c""",
       CASE WHEN (i * 13) % 101 + i % 97 > 100 THEN 'yes' ELSE 'no' END AS late,
       3 * (i % 97) - (i * 7) % 31 + (i * 13) % 11 AS price, 'kind ' || (i % 97) / 25 AS kind
FROM generate_series(1, 1000) i;
DO $$
DECLARE name text; target text; algorithm text; holdout float8;
BEGIN
    FOR name, target, algorithm, holdout IN VALUES ('late', 'late', 'gbdt', 0.3), ('late', 'late', 'logistic', 0.3), ('grown', 'late', 'tree', 0.3),
        ('price', 'price', 'linear', 0.3), ('net', 'kind', 'mlp', 0.3), ('woods', 'kind', 'forest', 0.3), ('blind', 'late', 'tree', 0),
        ('<script>alert("x")</script> ''&amp;'' ' || repeat('é', 109), 'late', 'tree', 0.3),
        ('groups', NULL, 'kmeans', 0), ('parts', NULL, 'pca', 0), ('odd', NULL, 'isolation_forest', 0) LOOP
        PERFORM mlplat.create_model(name, CASE WHEN target IS NULL THEN 'SELECT a, b FROM plotted'
            ELSE format('SELECT a, b, "C ""c""", %I FROM plotted', target) END, target, algorithm, holdout => holdout, promote => 'always');
    END LOOP;
END $$;

-- which there are
SELECT left(m.name, 12) AS model, m.task, string_agg(p.kind, ' ') AS kinds
FROM mlplat.models m, LATERAL mlplat.plots(m.name) p GROUP BY m.name, m.task ORDER BY m.name COLLATE "C";
SELECT kind, description FROM mlplat.plots('late@1');
SELECT count(*) FROM mlplat.model_versions v, LATERAL mlplat.plots(v.name || '@' || v.version) p;

-- every drawing has style, title and text, and loads nothing (that it is XML is seen in test/unit and test/browser)
CREATE TABLE drawn AS
SELECT v.name, v.version, p.kind, mlplat.plot(v.name || '@' || v.version, p.kind) AS svg
FROM mlplat.model_versions v, LATERAL mlplat.plots(v.name || '@' || v.version) p;
SELECT count(*) FILTER (WHERE svg !~ '^<svg class="ch( wd)?" role="img" viewBox="0 0 \d+ \d+" width="\d+" height="\d+" xmlns="http://www.w3.org/2000/svg"><title>.*</title><desc>.*</desc><style>.*prefers-color-scheme:dark.*</svg>$') AS otherwise,
       count(*) FILTER (WHERE svg ~ '<script|<bdi|href|url\(|@import|nan') AS worse
FROM drawn;
SELECT svg LIKE '%<title>ROC curve · &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &#39;&amp;amp;&#39; é%' AS title
FROM drawn WHERE name ~ 'script' AND kind = 'roc';

-- an image, which has no name
CREATE TABLE trained AS SELECT mlplat.train(p, 'late', '{"algorithm": "tree", "exclude": ["id", "price", "kind"]}') AS image FROM plotted p;
SELECT kind, mlplat.plot(image, kind) ~ '</title><desc>' AS drawn FROM trained, LATERAL mlplat.plots(image);

-- a tree, as deep as it is wished
SELECT depth, (length(svg) - length(replace(svg, '<rect class="bx', ''))) / length('<rect class="bx') AS boxes, svg ~ '>all rows<' AS root
FROM generate_series(1, 6) depth, mlplat.plot('grown', 'tree', jsonb_build_object('max_depth', depth)) svg WHERE depth < 3;
SELECT mlplat.plot('woods', 'tree', '{"tree": 3}') <> mlplat.plot('woods', 'tree') AS another;

-- a layer of a network
SELECT layer, mlplat.plot('net', 'weight_distribution', jsonb_build_object('layer', layer)) ~ ('>Weight in layer ' || layer || '<') AS drawn FROM generate_series(1, 2) layer;
SELECT mlplat.plot('net', 'weight_distribution', '{"layer": 100}');

-- costs
SELECT mlplat.plot('late', 'threshold_cost') ~ 'Where a false alarm costs 1 and a miss 1,' AS alike,
       mlplat.plot('late', 'threshold_cost', '{"cost_fp": 2, "cost_fn": 10}') ~ 'Where a false alarm costs 2 and a miss 10,' AS priced;

-- stored evaluations, and models side by side
SELECT evaluation_id AS id FROM mlplat.evaluate_model('blind', 'SELECT * FROM plotted WHERE id % 2 = 0') \gset
SELECT mlplat.plot('blind', 'roc', jsonb_build_object('evaluation', :id)) ~ ('>blind@1, evaluation ' || :id || '<') AS evaluated;
SELECT kind, mlplat.plot('late', kind, jsonb_build_object('compare', jsonb_build_array('late@1', 'grown', :id))) ~ '>late@2<.*>late@1<.*>grown@1<.*>blind@1, evaluation' AS compared
FROM unnest('{roc,pr,gain,lift,calibration}'::text[]) kind;

-- wrong wishes
\set VERBOSITY default
SELECT mlplat.plot('late', 'rok');
SELECT mlplat.plot('groups', 'something');
SELECT mlplat.plot('price', 'roc');
SELECT mlplat.plot('blind', 'roc');
SELECT mlplat.plot('late', 'tree');
SELECT mlplat.plot('nobody', 'roc');
SELECT mlplat.plot('late', 'roc', '{"evalaution": 1}');
SELECT mlplat.plot('late', 'roc', '[]');
SELECT mlplat.plot('late', 'roc', jsonb_build_object('evaluation', 2000000000));
SELECT mlplat.plot('late', 'ks', '{"compare": ["grown"]}');
SELECT mlplat.plot('late', 'roc', '{"compare": "grown"}');
SELECT mlplat.plot('late', 'roc', '{"compare": [true]}');
SELECT mlplat.plot('late', 'roc', '{"compare": ["grown", "nobody"]}');
SELECT mlplat.plot('late', 'roc', '{"compare": ["blind"]}');
\set VERBOSITY sqlstate
SELECT mlplat.plot('late', 'roc', jsonb_build_object('evaluation', :id));
SELECT mlplat.plot(image, 'roc', jsonb_build_object('evaluation', :id)) FROM trained;
\set VERBOSITY default
SELECT mlplat.plot('late', 'roc', '{"compare": [1, 2, 3, 4, 5, 6]}');
SELECT mlplat.plot('grown', 'tree', '{"tree": 1}');
SELECT mlplat.plot('grown', 'tree', '{"max_depth": 7}');
SELECT mlplat.plot('late', 'threshold_cost', '{"cost_fn": 0}');
SELECT mlplat.plot('\x00'::bytea, 'roc');
SELECT * FROM mlplat.plots('\x00'::bytea);
SELECT mlplat.plot(NULL::text, 'roc') IS NULL AS model, mlplat.plot('late', NULL) IS NULL AS kind;

-- those who may not see a model
CREATE ROLE regress_plot_stranger;
GRANT USAGE ON SCHEMA mlplat TO regress_plot_stranger;
SET ROLE regress_plot_stranger;
SELECT mlplat.plot('late', 'roc');
SELECT * FROM mlplat.plots('late');
SELECT mlplat.plot('\x00'::bytea, 'rok');

-- a user's own model
CREATE TEMP TABLE own AS SELECT i AS a, CASE WHEN i % 3 = 0 THEN 'yes' ELSE 'no' END AS late FROM generate_series(1, 300) i;
SELECT version FROM mlplat.create_model('own', 'SELECT * FROM own', 'late', 'tree');
SELECT evaluation_id AS own FROM mlplat.evaluate_model('own', 'SELECT * FROM own') \gset
SELECT mlplat.plot('own', 'roc', jsonb_build_object('evaluation', :own, 'compare', jsonb_build_array(:own))) ~ 'ROC curve' AS drawn;
\set VERBOSITY sqlstate
SELECT mlplat.plot('own', 'roc', jsonb_build_object('compare', jsonb_build_array(:id)));
\set VERBOSITY default
SELECT mlplat.drop_model('own') IS NOT NULL AS dropped;
DROP TABLE own;
RESET ROLE;
REVOKE USAGE ON SCHEMA mlplat FROM regress_plot_stranger;
DROP ROLE regress_plot_stranger;
SET search_path = pg_temp, public;
SELECT mlplat.plot('late', 'roc') ~ 'ROC curve' AS drawn;
RESET search_path;

SELECT count(mlplat.drop_model(name)) AS dropped FROM mlplat.models WHERE name IN ('late', 'grown', 'price', 'net', 'woods', 'blind', 'groups', 'parts', 'odd') OR name LIKE '<script>alert("x")%';
DROP TABLE plotted, drawn, trained;
