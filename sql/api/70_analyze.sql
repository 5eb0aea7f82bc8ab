-- ---------------------------------------------------------------- looking into models

CREATE OR REPLACE FUNCTION mlplat.model_info(model text) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_model_info' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.model_info(text) IS 'the facts of a model by name: parameters, the recipe for its columns, summary, metrics, curves, log, importance';

CREATE OR REPLACE FUNCTION mlplat.coefficients(model text, OUT feature text, OUT class text, OUT coefficient float8,
    OUT std_error float8, OUT statistic float8, OUT p_value float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_coefficients' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION mlplat.coefficients(text) IS 'the coefficients of a linear model, a model by name, with standard errors where they are defined';

CREATE OR REPLACE FUNCTION mlplat.feature_importance(model text, kind text DEFAULT 'gain', OUT feature text, OUT importance float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_feature_importance' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION mlplat.feature_importance(text, text) IS
    'the share of each feature in a model by name: gain for trees, size of effect for linear models; kind split: how many splits of trees use it';

CREATE OR REPLACE FUNCTION mlplat.model_info(image bytea) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_model_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.model_info(bytea) IS 'the facts of a model by its image: parameters, the recipe for its columns, summary, metrics, curves, log, importance';

CREATE OR REPLACE FUNCTION mlplat.coefficients(image bytea, OUT feature text, OUT class text, OUT coefficient float8,
    OUT std_error float8, OUT statistic float8, OUT p_value float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_coefficients' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION mlplat.coefficients(bytea) IS 'the coefficients of a linear model, a model by its image, with standard errors where they are defined';

CREATE OR REPLACE FUNCTION mlplat.feature_importance(image bytea, kind text DEFAULT 'gain', OUT feature text, OUT importance float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_feature_importance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION mlplat.feature_importance(bytea, text) IS
    'the share of each feature in a model by its image: gain for trees, size of effect for linear models; kind split: how many splits of trees use it';

CREATE OR REPLACE FUNCTION mlplat.report(model text) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_report' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.report(text) IS 'one self-contained HTML page about a model: what it is, how good, why, and how it was trained';
