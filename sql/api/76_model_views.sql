-- ---------------------------------------------------------------- what models are made of, for BI tools
-- The same as the functions of these names, for all versions that the reader may see. security_barrier, and the policy
-- once more, as for the other views of the registry. Bytes that are no sound image have no rows here, and end in no error.

CREATE OR REPLACE FUNCTION mlplat.image_has(image bytea, part text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'mlplat_image_has' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mlplat.image_has(bytea, text) IS 'are the bytes a sound image of a model that has coefficients, or nodes of trees?';

CREATE OR REPLACE VIEW mlplat.feature_importance WITH (security_barrier) AS
SELECT r.name AS model, v.version, r.owner, i.line ->> 'feature' AS feature, mlplat.log_number(i.line -> 'gain') AS importance
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id, LATERAL jsonb_array_elements(mlplat.log_array(v.info -> 'importance')) i(line)
WHERE mlplat.is_owner(r.owner) AND jsonb_typeof(i.line) = 'object';
COMMENT ON VIEW mlplat.feature_importance IS 'one row a feature of a version: its share in the model';

CREATE OR REPLACE VIEW mlplat.coefficients WITH (security_barrier) AS
SELECT r.name AS model, v.version, r.owner, c.feature, c.class, c.coefficient, c.std_error, c.statistic, c.p_value
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id,
     LATERAL mlplat.coefficients(CASE WHEN mlplat.image_has(v.image, 'coefficients') THEN v.image END) c
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.coefficients IS 'one row a coefficient of a version, with standard error and test where they are defined';

CREATE OR REPLACE VIEW mlplat.tree_nodes WITH (security_barrier) AS
SELECT r.name AS model, v.version, r.owner, n.*
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id,
     LATERAL mlplat.tree_nodes(CASE WHEN mlplat.image_has(v.image, 'nodes') THEN v.image END) n
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.tree_nodes IS 'one row a node of the trees of a version; filter by model and version, as there may be many';

CREATE OR REPLACE VIEW mlplat.tree_rules WITH (security_barrier) AS
SELECT r.name AS model, v.version, r.owner, n.*
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id,
     LATERAL mlplat.tree_rules(CASE WHEN mlplat.image_has(v.image, 'nodes') THEN v.image END) n
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.tree_rules IS 'one row a leaf of the trees of a version: the rule that leads there and what is predicted; filter by model and version';

GRANT SELECT ON mlplat.feature_importance, mlplat.coefficients, mlplat.tree_nodes, mlplat.tree_rules TO PUBLIC;
