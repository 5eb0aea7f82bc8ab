-- ---------------------------------------------------------------- what functions return

CREATE TYPE mlplat.created_model AS (
    name text, version int, algorithm text, task text, rows bigint, metric text, score float8, seconds float8,
    active boolean
);
COMMENT ON TYPE mlplat.created_model IS 'what create_model returns';
