-- prepare: split data.

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
