-- ---------------------------------------------------------------- what inputs do to predictions, on the rows of a query

CREATE OR REPLACE FUNCTION mlplat.permutation_importance(model text, query text, metric text DEFAULT NULL, repeats int DEFAULT 5,
    seed int DEFAULT 0, target text DEFAULT NULL, weight text DEFAULT NULL, OUT feature text, OUT importance float8, OUT stddev float8)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_permutation_importance' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION mlplat.permutation_importance(text, text, text, int, int, text, text) IS
    'how much worse a model by name gets by a metric when one input is shuffled among the rows of a query; mean and deviation over repeats';

CREATE OR REPLACE FUNCTION mlplat.partial_dependence(model text, query text, feature text, points int DEFAULT 20,
    quantiles float8[] DEFAULT NULL, OUT value float8, OUT level text, OUT class text, OUT prediction float8,
    OUT prediction_quantiles float8[], OUT n bigint)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_partial_dependence' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION mlplat.partial_dependence(text, text, text, int, float8[]) IS
    'the mean prediction of a model by name over the rows of a query, with one feature set to each of its values in turn';

CREATE OR REPLACE FUNCTION mlplat.permutation_importance(image bytea, query text, metric text DEFAULT NULL, repeats int DEFAULT 5,
    seed int DEFAULT 0, target text DEFAULT NULL, weight text DEFAULT NULL, OUT feature text, OUT importance float8, OUT stddev float8)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_permutation_importance' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION mlplat.permutation_importance(bytea, text, text, int, int, text, text) IS
    'how much worse a model by its image gets by a metric when one input is shuffled among the rows of a query; mean and deviation over repeats';

CREATE OR REPLACE FUNCTION mlplat.partial_dependence(image bytea, query text, feature text, points int DEFAULT 20,
    quantiles float8[] DEFAULT NULL, OUT value float8, OUT level text, OUT class text, OUT prediction float8,
    OUT prediction_quantiles float8[], OUT n bigint)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_partial_dependence' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION mlplat.partial_dependence(bytea, text, text, int, float8[]) IS
    'the mean prediction of a model by its image over the rows of a query, with one feature set to each of its values in turn';
