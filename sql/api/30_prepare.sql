-- prepare: look at data, split it.

CREATE OR REPLACE FUNCTION mlplat.part_of(key anyelement, fractions double precision[] DEFAULT '{0.8,0.2}', seed integer DEFAULT 0)
RETURNS integer LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mlplat_part_of';

COMMENT ON FUNCTION mlplat.part_of(anyelement, double precision[], integer) IS
'Part (1, 2, ...) of a random split that a row with this key belongs to; the same on every machine and version. NULL for a NULL key.';

CREATE OR REPLACE FUNCTION mlplat.uniform_of(key anyelement, seed integer DEFAULT 0)
RETURNS double precision LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mlplat_uniform_of';

COMMENT ON FUNCTION mlplat.uniform_of(anyelement, integer) IS
'Random number in [0, 1) of a key; the same on every machine and version. part_of holds it against the sums of its fractions. NULL for a NULL key.';

CREATE OR REPLACE FUNCTION mlplat.fold_of(key anyelement, k integer, seed integer DEFAULT 0)
RETURNS integer LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'mlplat_fold_of';

COMMENT ON FUNCTION mlplat.fold_of(anyelement, integer, integer) IS
'Fold (1 to k) for cross-validation that a row with this key belongs to; independent of part_of. NULL for a NULL key.';

CREATE OR REPLACE FUNCTION mlplat.profile(query text)
RETURNS TABLE (column_name text, type text, rows bigint, nulls bigint, distinct_values bigint, min text, max text,
    mean double precision, stddev double precision, q25 double precision, median double precision, q75 double precision,
    top_values jsonb, suggested_role text)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 20 AS 'MODULE_PATHNAME', 'mlplat_profile';

COMMENT ON FUNCTION mlplat.profile(text) IS
'Describe each column of a query in one reading. With more than 10,000 different values (1,000,000 over all columns), distinct_values has a standard error of 0.8 %, a quartile is off by less than 0.45 % of the rows, and top_values lists values of at least 1 % of the rows, with counts low by at most 0.4 % of the rows. NaN counts as a value, but not in min, max, mean, stddev and quartiles; infinities not in mean and stddev.';
