-- ---------------------------------------------------------------- trainings that run

CREATE OR REPLACE FUNCTION mlplat.list_training_progress(OUT pid int, OUT usename text, OUT datname text, OUT model text,
    OUT algorithm text, OUT phase text, OUT step int, OUT steps int, OUT rows_read bigint, OUT iteration int, OUT of int,
    OUT loss float8, OUT valid_loss float8, OUT started timestamptz, OUT elapsed interval, OUT remaining interval)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_list_training_progress' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 5;
COMMENT ON FUNCTION mlplat.list_training_progress() IS 'the rows of the view training_progress';

CREATE OR REPLACE VIEW mlplat.training_progress AS SELECT * FROM mlplat.list_training_progress();
COMMENT ON VIEW mlplat.training_progress IS
    'trainings that run now, one''s own and those of roles that one is a member of; empty unless mlplat is in shared_preload_libraries';

GRANT SELECT ON mlplat.training_progress TO PUBLIC;
