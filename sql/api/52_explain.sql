-- ---------------------------------------------------------------- why: contributions of the features

CREATE OR REPLACE FUNCTION mlplat.explain(model text, "row" record, top int DEFAULT 10,
    OUT feature text, OUT value text, OUT contribution float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_explain' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 11;
COMMENT ON FUNCTION mlplat.explain(text, record, int) IS
    'what each feature contributes to one prediction of a model by name, strongest first, after the base; they add up to the value, or the log-odds of the class';

CREATE OR REPLACE FUNCTION mlplat.explain_json(model text, "row" record, top int DEFAULT 10) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_explain_json' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mlplat.explain_json(text, record, int) IS 'explain as one jsonb value, for a column of a query; a model by name';

CREATE OR REPLACE FUNCTION mlplat.explain(model text, "row" jsonb, top int DEFAULT 10,
    OUT feature text, OUT value text, OUT contribution float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_explain' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 11;
COMMENT ON FUNCTION mlplat.explain(text, jsonb, int) IS
    'what each feature contributes to one prediction of a model by name, strongest first, after the base; they add up to the value, or the log-odds of the class';

CREATE OR REPLACE FUNCTION mlplat.explain_json(model text, "row" jsonb, top int DEFAULT 10) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_explain_json' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mlplat.explain_json(text, jsonb, int) IS 'explain as one jsonb value, for a column of a query; a model by name';

CREATE OR REPLACE FUNCTION mlplat.explain(model text, "row" float8[], top int DEFAULT 10,
    OUT feature text, OUT value text, OUT contribution float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_explain' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 11;
COMMENT ON FUNCTION mlplat.explain(text, float8[], int) IS
    'what each feature contributes to one prediction of a model by name, strongest first, after the base; they add up to the value, or the log-odds of the class';

CREATE OR REPLACE FUNCTION mlplat.explain_json(model text, "row" float8[], top int DEFAULT 10) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_explain_json' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mlplat.explain_json(text, float8[], int) IS 'explain as one jsonb value, for a column of a query; a model by name';

CREATE OR REPLACE FUNCTION mlplat.explain(image bytea, "row" record, top int DEFAULT 10,
    OUT feature text, OUT value text, OUT contribution float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_explain' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 11;
COMMENT ON FUNCTION mlplat.explain(bytea, record, int) IS
    'what each feature contributes to one prediction of a model by its image, strongest first, after the base; they add up to the value, or the log-odds of the class';

CREATE OR REPLACE FUNCTION mlplat.explain_json(image bytea, "row" record, top int DEFAULT 10) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_explain_json' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mlplat.explain_json(bytea, record, int) IS 'explain as one jsonb value, for a column of a query; a model by its image';

CREATE OR REPLACE FUNCTION mlplat.explain(image bytea, "row" jsonb, top int DEFAULT 10,
    OUT feature text, OUT value text, OUT contribution float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_explain' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 11;
COMMENT ON FUNCTION mlplat.explain(bytea, jsonb, int) IS
    'what each feature contributes to one prediction of a model by its image, strongest first, after the base; they add up to the value, or the log-odds of the class';

CREATE OR REPLACE FUNCTION mlplat.explain_json(image bytea, "row" jsonb, top int DEFAULT 10) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_explain_json' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mlplat.explain_json(bytea, jsonb, int) IS 'explain as one jsonb value, for a column of a query; a model by its image';

CREATE OR REPLACE FUNCTION mlplat.explain(image bytea, "row" float8[], top int DEFAULT 10,
    OUT feature text, OUT value text, OUT contribution float8) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_explain' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 11;
COMMENT ON FUNCTION mlplat.explain(bytea, float8[], int) IS
    'what each feature contributes to one prediction of a model by its image, strongest first, after the base; they add up to the value, or the log-odds of the class';

CREATE OR REPLACE FUNCTION mlplat.explain_json(image bytea, "row" float8[], top int DEFAULT 10) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_explain_json' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mlplat.explain_json(bytea, float8[], int) IS 'explain as one jsonb value, for a column of a query; a model by its image';
