-- ---------------------------------------------------------------- transform
-- The row in the model's own space: the components of a decomposition, the distance to each center of a
-- clustering. Volatility and NULLs as with predict.

CREATE OR REPLACE FUNCTION mlplat.transform_columns(model text, names text[], VARIADIC columns "any") RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.transform_columns(text, text[], VARIADIC "any") IS 'transform over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.transform_columns(image bytea, names text[], VARIADIC columns "any") RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.transform_columns(bytea, text[], VARIADIC "any") IS 'transform over separate columns; the planner writes such calls for whole rows';

CREATE OR REPLACE FUNCTION mlplat.transform(model text, "row" record) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C STABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.transform(text, record) IS 'what a recipe makes of the row, its components, or its distance to each cluster; a model by name, or name@version; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.transform(model text, "row" jsonb) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.transform(text, jsonb) IS 'what a recipe makes of the row, its components, or its distance to each cluster; a model by name, or name@version; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.transform(model text, "row" float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.transform(text, float8[]) IS 'what a recipe makes of the row, its components, or its distance to each cluster; a model by name, or name@version; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.transform(image bytea, "row" record) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 SUPPORT mlplat.predict_support;
COMMENT ON FUNCTION mlplat.transform(bytea, record) IS 'what a recipe makes of the row, its components, or its distance to each cluster; a model by its image; a row; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.transform(image bytea, "row" jsonb) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.transform(bytea, jsonb) IS 'what a recipe makes of the row, its components, or its distance to each cluster; a model by its image; a JSON object; features bind by name';

CREATE OR REPLACE FUNCTION mlplat.transform(image bytea, "row" float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'mlplat_transform' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mlplat.transform(bytea, float8[]) IS 'what a recipe makes of the row, its components, or its distance to each cluster; a model by its image; an array; features bind by position';

CREATE OR REPLACE FUNCTION mlplat.transform_names(model text) RETURNS text[]
    AS 'MODULE_PATHNAME', 'mlplat_transform_names' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.transform_names(text) IS 'the names of the numbers that transform returns, in their order; a model by name, or name@version';

CREATE OR REPLACE FUNCTION mlplat.transform_names(image bytea) RETURNS text[]
    AS 'MODULE_PATHNAME', 'mlplat_transform_names' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.transform_names(bytea) IS 'the names of the numbers that transform returns, in their order; a model by its image';
