-- ---------------------------------------------------------------- adding up states

CREATE OR REPLACE FUNCTION mlplat.state_combine(mlplat.state, mlplat.state) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_state_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.state_combine(mlplat.state, mlplat.state) IS 'the sum of two states of one kind; a NULL counts as an empty state';

CREATE OR REPLACE FUNCTION mlplat.state_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_state_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.state_combine(internal, internal) IS 'combine function of aggregates over arguments of any type';

CREATE OR REPLACE FUNCTION mlplat.state_serialfn(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mlplat_state_serialfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.state_serialfn(internal) IS 'serial function of aggregates over arguments of any type';

CREATE OR REPLACE FUNCTION mlplat.state_deserialfn(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_state_deserialfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.state_deserialfn(bytea, internal) IS 'deserial function of aggregates over arguments of any type';

CREATE OR REPLACE AGGREGATE mlplat.merge(mlplat.state) (
    SFUNC = mlplat.state_combine,
    STYPE = mlplat.state,
    SSPACE = 4096,
    COMBINEFUNC = mlplat.state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlplat.merge(mlplat.state) IS 'adds up states of one kind from anywhere: shards, foreign servers, stored ones';
