-- ---------------------------------------------------------------- metrics of predicted numbers
--
-- Arguments: actual value, predicted value, and last a weight, or none. A row with a NULL in any argument is skipped.

CREATE OR REPLACE FUNCTION mlplat.regression_transfn(mlplat.state, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_regression_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.regression_transfn(mlplat.state, double precision, double precision) IS 'transition function of regression metrics: actual, predicted';
CREATE OR REPLACE FUNCTION mlplat.regression_transfn(mlplat.state, double precision, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_regression_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.regression_transfn(mlplat.state, double precision, double precision, double precision) IS 'transition function of regression metrics: actual, predicted, weight';
CREATE OR REPLACE FUNCTION mlplat.mse_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_mse_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.mse_finalfn(mlplat.state) IS 'final function of mse';
CREATE OR REPLACE FUNCTION mlplat.rmse_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_rmse_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.rmse_finalfn(mlplat.state) IS 'final function of rmse';
CREATE OR REPLACE FUNCTION mlplat.mae_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_mae_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.mae_finalfn(mlplat.state) IS 'final function of mae';
CREATE OR REPLACE FUNCTION mlplat.mape_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_mape_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.mape_finalfn(mlplat.state) IS 'final function of mape';
CREATE OR REPLACE FUNCTION mlplat.r2_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_r2_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.r2_finalfn(mlplat.state) IS 'final function of r2';
CREATE OR REPLACE FUNCTION mlplat.explained_variance_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_explained_variance_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.explained_variance_finalfn(mlplat.state) IS 'final function of explained_variance';

CREATE OR REPLACE AGGREGATE mlplat.mse(double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.mse_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mse(double precision, double precision) IS 'mean squared error';
CREATE OR REPLACE AGGREGATE mlplat.mse(double precision, double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.mse_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mse(double precision, double precision, double precision) IS 'mean squared error; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.rmse(double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.rmse_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.rmse(double precision, double precision) IS 'root of the mean squared error';
CREATE OR REPLACE AGGREGATE mlplat.rmse(double precision, double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.rmse_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.rmse(double precision, double precision, double precision) IS 'root of the mean squared error; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.mae(double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.mae_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mae(double precision, double precision) IS 'mean absolute error';
CREATE OR REPLACE AGGREGATE mlplat.mae(double precision, double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.mae_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mae(double precision, double precision, double precision) IS 'mean absolute error; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.mape(double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.mape_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mape(double precision, double precision) IS 'mean absolute error relative to the actual value';
CREATE OR REPLACE AGGREGATE mlplat.mape(double precision, double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.mape_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mape(double precision, double precision, double precision) IS 'mean absolute error relative to the actual value; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.r2(double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.r2_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.r2(double precision, double precision) IS 'coefficient of determination; NULL when all actual values are the same';
CREATE OR REPLACE AGGREGATE mlplat.r2(double precision, double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.r2_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.r2(double precision, double precision, double precision) IS 'coefficient of determination; NULL when all actual values are the same; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.explained_variance(double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.explained_variance_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.explained_variance(double precision, double precision) IS 'share of the variance that is explained, whatever the mean error';
CREATE OR REPLACE AGGREGATE mlplat.explained_variance(double precision, double precision, double precision) (
    SFUNC = mlplat.regression_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.explained_variance_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.explained_variance(double precision, double precision, double precision) IS 'share of the variance that is explained, whatever the mean error; weighted rows';

