-- ---------------------------------------------------------------- metrics of clusterings
--
-- Arguments: the label of the cluster, the features. A row with a NULL in any argument is skipped. Up to 10,000
-- distinct rows the silhouette is exact; beyond, it is that of a sample which depends on the rows alone.

CREATE OR REPLACE FUNCTION mlplat.silhouette_transfn(mlplat.state, text, double precision[]) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_silhouette_text_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.silhouette_transfn(mlplat.state, text, double precision[]) IS 'transition function of silhouette: text labels';
CREATE OR REPLACE FUNCTION mlplat.silhouette_transfn(mlplat.state, double precision, double precision[]) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_silhouette_real_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.silhouette_transfn(mlplat.state, double precision, double precision[]) IS 'transition function of silhouette: numbers as labels';
CREATE OR REPLACE FUNCTION mlplat.silhouette_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_silhouette_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.silhouette_finalfn(mlplat.state) IS 'final function of silhouette';

CREATE OR REPLACE AGGREGATE mlplat.silhouette(text, double precision[]) (
    SFUNC = mlplat.silhouette_transfn, STYPE = mlplat.state, SSPACE = 8192, FINALFUNC = mlplat.silhouette_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.silhouette(text, double precision[]) IS 'how well clusters are apart, -1 to 1: (label, features)';
CREATE OR REPLACE AGGREGATE mlplat.silhouette(double precision, double precision[]) (
    SFUNC = mlplat.silhouette_transfn, STYPE = mlplat.state, SSPACE = 8192, FINALFUNC = mlplat.silhouette_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.silhouette(double precision, double precision[]) IS 'how well clusters are apart, -1 to 1: (label, features)';
