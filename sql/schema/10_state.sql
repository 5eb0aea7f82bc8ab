-- ---------------------------------------------------------------- the state of mergeable aggregates

CREATE TYPE mlplat.state;

CREATE FUNCTION mlplat.state_in(cstring) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION mlplat.state_out(mlplat.state) RETURNS cstring
    AS 'MODULE_PATHNAME', 'mlplat_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION mlplat.state_recv(internal) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION mlplat.state_send(mlplat.state) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mlplat_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE mlplat.state (
    INPUT = mlplat.state_in,
    OUTPUT = mlplat.state_out,
    RECEIVE = mlplat.state_recv,
    SEND = mlplat.state_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);

COMMENT ON TYPE mlplat.state IS 'state of a mergeable aggregate: can be stored, sent, and added up with mlplat.merge';
COMMENT ON FUNCTION mlplat.state_in(cstring) IS 'text input of mlplat.state (base64)';
COMMENT ON FUNCTION mlplat.state_out(mlplat.state) IS 'text output of mlplat.state (base64)';
COMMENT ON FUNCTION mlplat.state_recv(internal) IS 'binary input of mlplat.state';
COMMENT ON FUNCTION mlplat.state_send(mlplat.state) IS 'binary output of mlplat.state';
