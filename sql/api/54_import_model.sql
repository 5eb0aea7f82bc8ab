-- ---------------------------------------------------------------- models that other libraries trained

CREATE OR REPLACE FUNCTION mlplat.import_model(name text, format text, data text, options jsonb DEFAULT '{}') RETURNS int
    AS 'MODULE_PATHNAME', 'mlplat_import_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.import_model(text, text, text, jsonb) IS
    'register a model of another library, given as the text of its file, as the new active version; formats: lightgbm, xgboost';

CREATE OR REPLACE FUNCTION mlplat.import_model(name text, format text, data bytea, options jsonb DEFAULT '{}') RETURNS int
    AS 'MODULE_PATHNAME', 'mlplat_import_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.import_model(text, text, bytea, jsonb) IS
    'register a model of another library, given as the bytes of its file, as the new active version; formats: lightgbm, xgboost';

CREATE OR REPLACE FUNCTION mlplat.model_image(format text, data text, options jsonb DEFAULT '{}') RETURNS bytea
    AS 'MODULE_PATHNAME', 'mlplat_model_image' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mlplat.model_image(text, text, jsonb) IS
    'the image of a model of another library, given as the text of its file; formats: lightgbm, xgboost';

CREATE OR REPLACE FUNCTION mlplat.model_image(format text, data bytea, options jsonb DEFAULT '{}') RETURNS bytea
    AS 'MODULE_PATHNAME', 'mlplat_model_image' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mlplat.model_image(text, bytea, jsonb) IS
    'the image of a model of another library, given as the bytes of its file; formats: lightgbm, xgboost';
