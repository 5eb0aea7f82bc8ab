-- ---------------------------------------------------------------- drawings
-- STABLE also for images: options may name models and evaluations of the registry.

CREATE OR REPLACE FUNCTION mlplat.plot(model text, kind text, options jsonb DEFAULT '{}') RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_plot' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.plot(text, text, jsonb) IS
    'one drawing of a model by name as SVG; mlplat.plots tells the kinds that it has; options: tree, max_depth, layer, evaluation, compare, cost_fp, cost_fn';

CREATE OR REPLACE FUNCTION mlplat.plot(image bytea, kind text, options jsonb DEFAULT '{}') RETURNS text
    AS 'MODULE_PATHNAME', 'mlplat_plot' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.plot(bytea, text, jsonb) IS
    'one drawing of a model by its image as SVG; mlplat.plots tells the kinds that it has; options: tree, max_depth, layer, compare, cost_fp, cost_fn';

CREATE OR REPLACE FUNCTION mlplat.plots(model text, OUT kind text, OUT description text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_plots' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION mlplat.plots(text) IS 'the kinds of drawings that mlplat.plot has of a model by name';

CREATE OR REPLACE FUNCTION mlplat.plots(image bytea, OUT kind text, OUT description text) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'mlplat_plots' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION mlplat.plots(bytea) IS 'the kinds of drawings that mlplat.plot has of a model by its image';
