-- ---------------------------------------------------------------- models for elsewhere

CREATE OR REPLACE FUNCTION mlplat.to_sql(model text, class text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_to_sql' LANGUAGE C STABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mlplat.to_sql(text, text) IS
    'a model by name as an expression of plain SQL over the columns of its inputs: the value, the probability of the positive class, or that of a class';

CREATE OR REPLACE FUNCTION mlplat.to_sql(image bytea, class text DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_to_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mlplat.to_sql(bytea, text) IS
    'a model by its image as an expression of plain SQL over the columns of its inputs: the value, the probability of the positive class, or that of a class';

CREATE OR REPLACE FUNCTION mlplat.export_model(model text, format text DEFAULT 'json') RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_export_model' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mlplat.export_model(text, text) IS
    'a model by name as JSON: inputs and levels, formula, columns with coefficients, trees with thresholds, parameters and metrics';

CREATE OR REPLACE FUNCTION mlplat.export_model(image bytea, format text DEFAULT 'json') RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_export_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mlplat.export_model(bytea, text) IS
    'a model by its image as JSON: inputs and levels, formula, columns with coefficients, trees with thresholds, parameters and metrics';
