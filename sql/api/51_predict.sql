-- ---------------------------------------------------------------- predictions
-- By name: STABLE, since a promotion changes the answer. By image: IMMUTABLE, for generated columns and
-- indexes. Not STRICT: a row of NULLs is a row; a NULL row or model gives NULL.

CREATE OR REPLACE FUNCTION mlplat.predict_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_predict_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.predict_support(internal) IS 'planner support: predict over a whole row becomes predict_columns';

CREATE OR REPLACE FUNCTION mlplat.predict_columns(model text, names text[], VARIADIC columns "any") RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_columns(text, text[], VARIADIC "any") IS 'predict over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.predict_columns(image bytea, names text[], VARIADIC columns "any") RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_columns(bytea, text[], VARIADIC "any") IS 'predict over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.predict_class_columns(model text, names text[], VARIADIC columns "any") RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class_columns(text, text[], VARIADIC "any") IS 'predict_class over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.predict_class_columns(image bytea, names text[], VARIADIC columns "any") RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class_columns(bytea, text[], VARIADIC "any") IS 'predict_class over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.predict_proba_columns(model text, names text[], VARIADIC columns "any") RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba_columns(text, text[], VARIADIC "any") IS 'predict_proba over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.predict_proba_columns(image bytea, names text[], VARIADIC columns "any") RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba_columns(bytea, text[], VARIADIC "any") IS 'predict_proba over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.predict(model text, "row" record) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C STABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.predict(text, record) IS 'the prediction: a value, or P(positive) of two classes, or the index of the class; a model by name, or name@version; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict(model text, "row" jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict(text, jsonb) IS 'the prediction: a value, or P(positive) of two classes, or the index of the class; a model by name, or name@version; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict(model text, "row" float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict(text, float8[]) IS 'the prediction: a value, or P(positive) of two classes, or the index of the class; a model by name, or name@version; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict(image bytea, "row" record) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.predict(bytea, record) IS 'the prediction: a value, or P(positive) of two classes, or the index of the class; a model by its image; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict(image bytea, "row" jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict(bytea, jsonb) IS 'the prediction: a value, or P(positive) of two classes, or the index of the class; a model by its image; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict(image bytea, "row" float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict(bytea, float8[]) IS 'the prediction: a value, or P(positive) of two classes, or the index of the class; a model by its image; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_class(model text, "row" record) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.predict_class(text, record) IS 'the label of the most probable class; a model by name, or name@version; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(model text, "row" jsonb) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(text, jsonb) IS 'the label of the most probable class; a model by name, or name@version; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(model text, "row" float8[]) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(text, float8[]) IS 'the label of the most probable class; a model by name, or name@version; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_class(image bytea, "row" record) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.predict_class(bytea, record) IS 'the label of the most probable class; a model by its image; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(image bytea, "row" jsonb) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(bytea, jsonb) IS 'the label of the most probable class; a model by its image; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(image bytea, "row" float8[]) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(bytea, float8[]) IS 'the label of the most probable class; a model by its image; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_class(model text, "row" record, threshold float8) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(text, record, float8) IS 'the label of the positive class where its probability is above the threshold, else of the other; a model by name, or name@version; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(model text, "row" jsonb, threshold float8) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(text, jsonb, float8) IS 'the label of the positive class where its probability is above the threshold, else of the other; a model by name, or name@version; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(model text, "row" float8[], threshold float8) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(text, float8[], float8) IS 'the label of the positive class where its probability is above the threshold, else of the other; a model by name, or name@version; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_class(image bytea, "row" record, threshold float8) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(bytea, record, float8) IS 'the label of the positive class where its probability is above the threshold, else of the other; a model by its image; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(image bytea, "row" jsonb, threshold float8) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(bytea, jsonb, float8) IS 'the label of the positive class where its probability is above the threshold, else of the other; a model by its image; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_class(image bytea, "row" float8[], threshold float8) RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_predict_class' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_class(bytea, float8[], float8) IS 'the label of the positive class where its probability is above the threshold, else of the other; a model by its image; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(model text, "row" record) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.predict_proba(text, record) IS 'the probability of the positive class, or of the most probable of many; a model by name, or name@version; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(model text, "row" record, class text) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(text, record, text) IS 'the probability of a class; a model by name, or name@version; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(model text, "row" jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(text, jsonb) IS 'the probability of the positive class, or of the most probable of many; a model by name, or name@version; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(model text, "row" jsonb, class text) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(text, jsonb, text) IS 'the probability of a class; a model by name, or name@version; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(model text, "row" float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(text, float8[]) IS 'the probability of the positive class, or of the most probable of many; a model by name, or name@version; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(model text, "row" float8[], class text) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(text, float8[], text) IS 'the probability of a class; a model by name, or name@version; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(image bytea, "row" record) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.predict_proba(bytea, record) IS 'the probability of the positive class, or of the most probable of many; a model by its image; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(image bytea, "row" record, class text) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(bytea, record, text) IS 'the probability of a class; a model by its image; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(image bytea, "row" jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(bytea, jsonb) IS 'the probability of the positive class, or of the most probable of many; a model by its image; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(image bytea, "row" jsonb, class text) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(bytea, jsonb, text) IS 'the probability of a class; a model by its image; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(image bytea, "row" float8[]) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(bytea, float8[]) IS 'the probability of the positive class, or of the most probable of many; a model by its image; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_proba(image bytea, "row" float8[], class text) RETURNS float8
    AS 'MODULE_PATHNAME', 'mlplat_predict_proba' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_proba(bytea, float8[], text) IS 'the probability of a class; a model by its image; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_probs(model text, "row" record) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_predict_probs' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_probs(text, record) IS 'the probabilities of all classes: {label: probability}; a model by name, or name@version; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_probs(model text, "row" jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_predict_probs' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_probs(text, jsonb) IS 'the probabilities of all classes: {label: probability}; a model by name, or name@version; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_probs(model text, "row" float8[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_predict_probs' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_probs(text, float8[]) IS 'the probabilities of all classes: {label: probability}; a model by name, or name@version; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_probs(image bytea, "row" record) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_predict_probs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_probs(bytea, record) IS 'the probabilities of all classes: {label: probability}; a model by its image; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_probs(image bytea, "row" jsonb) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_predict_probs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_probs(bytea, jsonb) IS 'the probabilities of all classes: {label: probability}; a model by its image; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.predict_probs(image bytea, "row" float8[]) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_predict_probs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.predict_probs(bytea, float8[]) IS 'the probabilities of all classes: {label: probability}; a model by its image; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.predict_batch(model text, query text, key text DEFAULT NULL, OUT row_number bigint, OUT row_key text,
    OUT prediction float8, OUT class text, OUT probabilities jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_predict_batch' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION mlplat.predict_batch(text, text, text) IS
    'the predictions of a model by name for all rows of a query, numbered as they come, beside the text of the column key';

CREATE OR REPLACE FUNCTION mlplat.predict_batch(image bytea, query text, key text DEFAULT NULL, OUT row_number bigint, OUT row_key text,
    OUT prediction float8, OUT class text, OUT probabilities jsonb) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_predict_batch' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION mlplat.predict_batch(bytea, text, text) IS
    'the predictions of a model by its image for all rows of a query, numbered as they come, beside the text of the column key';
