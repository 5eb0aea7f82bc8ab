-- ---------------------------------------------------------------- training as an aggregate

CREATE OR REPLACE FUNCTION mlplat.train_record_transfn(internal, record, text, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_train_record_transfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.train_record_transfn(internal, record, text, jsonb) IS 'transition function of train over records';

CREATE OR REPLACE FUNCTION mlplat.train_columns_transfn(internal, jsonb, text, text[], VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_train_columns_transfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.train_columns_transfn(internal, jsonb, text, text[], VARIADIC "any") IS 'transition function of train_columns';

CREATE OR REPLACE FUNCTION mlplat.train_array_transfn(mlplat.state, float8, float8[], jsonb) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_train_array_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.train_array_transfn(mlplat.state, float8, float8[], jsonb) IS 'transition function of train over arrays';

CREATE OR REPLACE FUNCTION mlplat.train_finalfn(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mlplat_train_finalfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.train_finalfn(internal) IS 'final function of train over records and columns';

CREATE OR REPLACE FUNCTION mlplat.train_finalfn(mlplat.state) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mlplat_train_finalfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.train_finalfn(mlplat.state) IS 'final function of train over arrays';

CREATE OR REPLACE AGGREGATE mlplat.train(record, text, jsonb) (
    SFUNC = mlplat.train_record_transfn,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = mlplat.train_finalfn,
    COMBINEFUNC = mlplat.state_combine,
    SERIALFUNC = mlplat.state_serialfn,
    DESERIALFUNC = mlplat.state_deserialfn,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlplat.train(record, text, jsonb) IS
    'train a model on whole rows: train(row, target column, options); returns its image';

CREATE OR REPLACE AGGREGATE mlplat.train_columns(jsonb, text, text[], VARIADIC "any") (
    SFUNC = mlplat.train_columns_transfn,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = mlplat.train_finalfn,
    COMBINEFUNC = mlplat.state_combine,
    SERIALFUNC = mlplat.state_serialfn,
    DESERIALFUNC = mlplat.state_deserialfn,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlplat.train_columns(jsonb, text, text[], VARIADIC "any") IS
    'train a model on separate columns: train_columns(options, target column, names, columns...); returns its image';

CREATE OR REPLACE AGGREGATE mlplat.train(float8, float8[], jsonb) (
    SFUNC = mlplat.train_array_transfn,
    STYPE = mlplat.state,
    SSPACE = 65536,
    FINALFUNC = mlplat.train_finalfn,
    COMBINEFUNC = mlplat.state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlplat.train(float8, float8[], jsonb) IS
    'train a model on numbers: train(label, features, options); returns its image';

CREATE OR REPLACE AGGREGATE mlplat.train_state(float8, float8[], jsonb) (
    SFUNC = mlplat.train_array_transfn,
    STYPE = mlplat.state,
    SSPACE = 65536,
    COMBINEFUNC = mlplat.state_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlplat.train_state(float8, float8[], jsonb) IS
    'the state of a training, to store, send and merge; finish makes the image';

CREATE OR REPLACE FUNCTION mlplat.finish(state mlplat.state) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mlplat_finish' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.finish(mlplat.state) IS 'the image of a training state';
