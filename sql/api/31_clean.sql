-- ---------------------------------------------------------------- prepare: clean data

CREATE OR REPLACE FUNCTION mlplat.clean(query text, target text, steps jsonb, name text DEFAULT NULL, replace boolean DEFAULT false)
RETURNS TABLE (step integer, action text, columns text[], rows_in bigint, rows_dropped bigint, cells_changed bigint, fitted jsonb)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'mlplat_clean';

COMMENT ON FUNCTION mlplat.clean(text, text, jsonb, text, boolean) IS
'Send the rows of a query through steps into a new table, and record the recipe with what was fitted. name: of the recipe, by default the target as it is written. replace: drop a table that is there.';

CREATE OR REPLACE FUNCTION mlplat.apply_cleaning(recipe text, query text, target text, name text DEFAULT NULL, replace boolean DEFAULT false)
RETURNS TABLE (step integer, action text, columns text[], rows_in bigint, rows_dropped bigint, cells_changed bigint, fitted jsonb)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'mlplat_apply_cleaning';

COMMENT ON FUNCTION mlplat.apply_cleaning(text, text, text, text, boolean) IS
'Do to the rows of a query what a recorded cleaning did, with the statistics that it fitted; recorded as well, under name. A filter of the recipe runs with the rights of the caller, whoever wrote it.';

CREATE OR REPLACE FUNCTION mlplat.drop_cleaning(name text) RETURNS void
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_drop_cleaning';

COMMENT ON FUNCTION mlplat.drop_cleaning(text) IS
'Forget a recorded cleaning; the table that it made stays.';

CREATE OR REPLACE FUNCTION mlplat.list_clean_options(OUT action text, OUT name text, OUT type text, OUT default_value text,
    OUT min double precision, OUT max double precision, OUT choices text[], OUT help text)
RETURNS SETOF record LANGUAGE c STABLE PARALLEL SAFE ROWS 50 AS 'MODULE_PATHNAME', 'mlplat_list_clean_options';

COMMENT ON FUNCTION mlplat.list_clean_options() IS 'the rows of the view clean_options';

CREATE OR REPLACE VIEW mlplat.clean_options AS SELECT * FROM mlplat.list_clean_options();
COMMENT ON VIEW mlplat.clean_options IS 'every option of every action of clean: type, default, range and meaning; the first one of an action may be given alone';
COMMENT ON COLUMN mlplat.clean_options.action IS 'action of a step';
COMMENT ON COLUMN mlplat.clean_options.name IS 'name of the option';
GRANT SELECT ON mlplat.clean_options TO PUBLIC;
