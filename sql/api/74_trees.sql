-- ---------------------------------------------------------------- trees

CREATE OR REPLACE FUNCTION mlplat.tree_nodes(model text, tree_number int DEFAULT NULL, OUT tree int, OUT node int, OUT parent int, OUT depth int, OUT leaf bool, OUT rule text,
    OUT feature text, OUT threshold float8, OUT levels text[], OUT missing text, OUT rows float8, OUT impurity float8, OUT gain float8, OUT value float8,
    OUT class text, OUT probabilities jsonb, OUT counts jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_tree_nodes' LANGUAGE C STABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION mlplat.tree_nodes(text, int) IS 'the nodes of the trees of a model by name, or of one tree: the rule that leads there, the split, rows, impurity, value, shares and counts of classes';

CREATE OR REPLACE FUNCTION mlplat.tree_rules(model text, tree_number int DEFAULT NULL, OUT tree int, OUT node int, OUT rule text, OUT rows float8, OUT value float8, OUT class text,
    OUT probabilities jsonb, OUT counts jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_tree_rules' LANGUAGE C STABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION mlplat.tree_rules(text, int) IS 'one readable rule for each leaf of the trees of a model by name, or of one tree, with its rows, value, and shares and counts of classes';

CREATE OR REPLACE FUNCTION mlplat.tree_text(model text, tree int DEFAULT 0) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_tree_text' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.tree_text(text, int) IS 'a tree of a model by name as text, a line a node';

CREATE OR REPLACE FUNCTION mlplat.tree_dot(model text, tree int DEFAULT 0) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_tree_dot' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.tree_dot(text, int) IS 'a tree of a model by name as a graph in the language of Graphviz';

CREATE OR REPLACE FUNCTION mlplat.tree_nodes(image bytea, tree_number int DEFAULT NULL, OUT tree int, OUT node int, OUT parent int, OUT depth int, OUT leaf bool, OUT rule text,
    OUT feature text, OUT threshold float8, OUT levels text[], OUT missing text, OUT rows float8, OUT impurity float8, OUT gain float8, OUT value float8,
    OUT class text, OUT probabilities jsonb, OUT counts jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_tree_nodes' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION mlplat.tree_nodes(bytea, int) IS 'the nodes of the trees of a model by its image, or of one tree: the rule that leads there, the split, rows, impurity, value, shares and counts of classes';

CREATE OR REPLACE FUNCTION mlplat.tree_rules(image bytea, tree_number int DEFAULT NULL, OUT tree int, OUT node int, OUT rule text, OUT rows float8, OUT value float8, OUT class text,
    OUT probabilities jsonb, OUT counts jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_tree_rules' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION mlplat.tree_rules(bytea, int) IS 'one readable rule for each leaf of the trees of a model by its image, or of one tree, with its rows, value, and shares and counts of classes';

CREATE OR REPLACE FUNCTION mlplat.tree_text(image bytea, tree int DEFAULT 0) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_tree_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.tree_text(bytea, int) IS 'a tree of a model by its image as text, a line a node';

CREATE OR REPLACE FUNCTION mlplat.tree_dot(image bytea, tree int DEFAULT 0) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_tree_dot' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.tree_dot(bytea, int) IS 'a tree of a model by its image as a graph in the language of Graphviz';
