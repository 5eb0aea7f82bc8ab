-- prepare: look at data.

-- What a row costs is stated, or the planner takes workers for not worth their start.
CREATE OR REPLACE FUNCTION mlplat.profile_columns_transfn(internal, integer, boolean, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_profile_columns_transfn' LANGUAGE C STABLE PARALLEL SAFE COST 30;
COMMENT ON FUNCTION mlplat.profile_columns_transfn(internal, integer, boolean, VARIADIC "any") IS 'transition function of profile_columns';

CREATE OR REPLACE FUNCTION mlplat.profile_columns_finalfn(internal) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_profile_columns_finalfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.profile_columns_finalfn(internal) IS 'final function of profile_columns';

CREATE OR REPLACE AGGREGATE mlplat.profile_columns(integer, boolean, VARIADIC "any") (
    SFUNC = mlplat.profile_columns_transfn,
    STYPE = internal,
    SSPACE = 2000000,
    FINALFUNC = mlplat.profile_columns_finalfn,
    COMBINEFUNC = mlplat.state_combine,
    SERIALFUNC = mlplat.state_serialfn,
    DESERIALFUNC = mlplat.state_deserialfn,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlplat.profile_columns(integer, boolean, VARIADIC "any") IS
'What profile gathers of some columns, as a state: profile_columns(columns of the whole query, is the first one the target, columns...); profile writes such calls';

CREATE OR REPLACE FUNCTION mlplat.profile(query text, target text DEFAULT NULL)
RETURNS TABLE (column_name text, type text, rows bigint, nulls bigint, distinct_values bigint, min text, max text,
    mean double precision, stddev double precision, skewness double precision,
    q25 double precision, median double precision, q75 double precision, zeros bigint, outlier_share double precision,
    min_length bigint, max_length bigint, shortest text, longest text,
    top_values jsonb, target_correlation double precision, suggested_role text)
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 20 AS 'MODULE_PATHNAME', 'mlplat_profile';

COMMENT ON FUNCTION mlplat.profile(text, text) IS
'Describe each column of a query in one reading, in parallel where the query can run so. With more than 10,000 different values (1,000,000 over all columns), distinct_values has a standard error of 0.8 %, a quartile is off by less than 0.45 % of the rows and outlier_share by less than 0.009, and top_values lists values of at least 1 % of the rows, with counts low by at most 0.4 % of the rows. NaN counts as a value, but not in min, max, mean, stddev, skewness and quartiles; infinities not in mean, stddev and skewness. outlier_share: numbers farther than 1.5 times the distance of the quartiles outside of them. target_correlation: Pearson''s r between numbers (booleans, dates and times are ones; of a target with two levels the greater counts as 1, the other as 0), the correlation ratio between a number and a category, Cramer''s V between categories, both corrected for the number of levels; NULL with more than 1,000 levels or pairs of them (100,000 over all columns), or fewer than 2 rows a level. suggested_role leak: more than 0.98 in at least 30 rows, and 5 a level.';

CREATE OR REPLACE FUNCTION mlplat.correlation_columns_transfn(internal, VARIADIC "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_correlation_columns_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 30;
COMMENT ON FUNCTION mlplat.correlation_columns_transfn(internal, VARIADIC "any") IS 'transition function of correlation_columns';

CREATE OR REPLACE FUNCTION mlplat.correlation_columns_finalfn(internal) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_correlation_columns_finalfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.correlation_columns_finalfn(internal) IS 'final function of correlation_columns';

CREATE OR REPLACE AGGREGATE mlplat.correlation_columns(VARIADIC "any") (
    SFUNC = mlplat.correlation_columns_transfn,
    STYPE = internal,
    SSPACE = 1000000,
    FINALFUNC = mlplat.correlation_columns_finalfn,
    COMBINEFUNC = mlplat.state_combine,
    SERIALFUNC = mlplat.state_serialfn,
    DESERIALFUNC = mlplat.state_deserialfn,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlplat.correlation_columns(VARIADIC "any") IS
'What correlations gathers of numbers and booleans, as a state: of separate columns or of one row of them; correlations writes such calls';

CREATE OR REPLACE FUNCTION mlplat.correlations(query text)
RETURNS TABLE (column_a text, column_b text, correlation double precision, rows bigint)
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE ROWS 400 AS 'MODULE_PATHNAME', 'mlplat_correlations';

COMMENT ON FUNCTION mlplat.correlations(text) IS
'Pearson''s r of each two columns of numbers or booleans of a query, over the rows where both are finite numbers (pairwise complete, as pandas): the whole matrix in the order of the columns, both triangles and the diagonal. NULL where a column is constant, or its squares are too large for a double.';
