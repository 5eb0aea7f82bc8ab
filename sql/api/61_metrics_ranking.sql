-- ---------------------------------------------------------------- metrics of scores and probabilities of two classes
--
-- Arguments: label, score, and last a weight, or none. The greater of two labels is positive: true, 1 of 0 and 1, 1 of
-- -1 and 1. A text label needs the positive label as third argument. A row with a NULL in any argument is skipped.

CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, boolean, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_bool_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, boolean, double precision) IS 'transition function of metrics of scores: boolean label';
CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, boolean, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_bool_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, boolean, double precision, double precision) IS 'transition function of metrics of scores: boolean label, weight';
CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, bigint, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_int_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, bigint, double precision) IS 'transition function of metrics of scores: bigint label';
CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, bigint, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_int_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, bigint, double precision, double precision) IS 'transition function of metrics of scores: bigint label, weight';
CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_real_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, double precision, double precision) IS 'transition function of metrics of scores: double precision label';
CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, double precision, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_real_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, double precision, double precision, double precision) IS 'transition function of metrics of scores: double precision label, weight';
CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, text, double precision, text) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_text_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, text, double precision, text) IS 'transition function of metrics of scores: text label';
CREATE OR REPLACE FUNCTION mlplat.ranking_transfn(mlplat.state, text, double precision, text, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_ranking_text_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ranking_transfn(mlplat.state, text, double precision, text, double precision) IS 'transition function of metrics of scores: text label, weight';

CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, boolean, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_bool_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, boolean, double precision) IS 'transition function of metrics of probabilities: boolean label';
CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, boolean, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_bool_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, boolean, double precision, double precision) IS 'transition function of metrics of probabilities: boolean label, weight';
CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, bigint, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_int_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, bigint, double precision) IS 'transition function of metrics of probabilities: bigint label';
CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, bigint, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_int_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, bigint, double precision, double precision) IS 'transition function of metrics of probabilities: bigint label, weight';
CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_real_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, double precision, double precision) IS 'transition function of metrics of probabilities: double precision label';
CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, double precision, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_real_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, double precision, double precision, double precision) IS 'transition function of metrics of probabilities: double precision label, weight';
CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, text, double precision, text) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_text_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, text, double precision, text) IS 'transition function of metrics of probabilities: text label';
CREATE OR REPLACE FUNCTION mlplat.prob_loss_transfn(mlplat.state, text, double precision, text, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_prob_loss_text_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.prob_loss_transfn(mlplat.state, text, double precision, text, double precision) IS 'transition function of metrics of probabilities: text label, weight';

CREATE OR REPLACE FUNCTION mlplat.roc_auc_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_roc_auc_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.roc_auc_finalfn(mlplat.state) IS 'final function of roc_auc';
CREATE OR REPLACE FUNCTION mlplat.pr_auc_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_pr_auc_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.pr_auc_finalfn(mlplat.state) IS 'final function of pr_auc';
CREATE OR REPLACE FUNCTION mlplat.ks_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_ks_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.ks_finalfn(mlplat.state) IS 'final function of ks';
CREATE OR REPLACE FUNCTION mlplat.gini_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_gini_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.gini_finalfn(mlplat.state) IS 'final function of gini';
CREATE OR REPLACE FUNCTION mlplat.log_loss_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_log_loss_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.log_loss_finalfn(mlplat.state) IS 'final function of log_loss';
CREATE OR REPLACE FUNCTION mlplat.brier_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_brier_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.brier_finalfn(mlplat.state) IS 'final function of brier';

CREATE OR REPLACE AGGREGATE mlplat.roc_auc(boolean, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(boolean, double precision) IS 'area under the ROC curve; a tie counts half';
CREATE OR REPLACE AGGREGATE mlplat.roc_auc(boolean, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(boolean, double precision, double precision) IS 'area under the ROC curve; a tie counts half; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.roc_auc(bigint, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(bigint, double precision) IS 'area under the ROC curve; a tie counts half';
CREATE OR REPLACE AGGREGATE mlplat.roc_auc(bigint, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(bigint, double precision, double precision) IS 'area under the ROC curve; a tie counts half; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.roc_auc(double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(double precision, double precision) IS 'area under the ROC curve; a tie counts half';
CREATE OR REPLACE AGGREGATE mlplat.roc_auc(double precision, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(double precision, double precision, double precision) IS 'area under the ROC curve; a tie counts half; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.roc_auc(text, double precision, text) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(text, double precision, text) IS 'area under the ROC curve; a tie counts half: label, score, positive label';
CREATE OR REPLACE AGGREGATE mlplat.roc_auc(text, double precision, text, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.roc_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.roc_auc(text, double precision, text, double precision) IS 'area under the ROC curve; a tie counts half: label, score, positive label; weighted rows';

CREATE OR REPLACE AGGREGATE mlplat.pr_auc(boolean, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(boolean, double precision) IS 'area under the precision-recall curve, as average precision';
CREATE OR REPLACE AGGREGATE mlplat.pr_auc(boolean, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(boolean, double precision, double precision) IS 'area under the precision-recall curve, as average precision; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.pr_auc(bigint, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(bigint, double precision) IS 'area under the precision-recall curve, as average precision';
CREATE OR REPLACE AGGREGATE mlplat.pr_auc(bigint, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(bigint, double precision, double precision) IS 'area under the precision-recall curve, as average precision; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.pr_auc(double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(double precision, double precision) IS 'area under the precision-recall curve, as average precision';
CREATE OR REPLACE AGGREGATE mlplat.pr_auc(double precision, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(double precision, double precision, double precision) IS 'area under the precision-recall curve, as average precision; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.pr_auc(text, double precision, text) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(text, double precision, text) IS 'area under the precision-recall curve, as average precision: label, score, positive label';
CREATE OR REPLACE AGGREGATE mlplat.pr_auc(text, double precision, text, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.pr_auc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.pr_auc(text, double precision, text, double precision) IS 'area under the precision-recall curve, as average precision: label, score, positive label; weighted rows';

CREATE OR REPLACE AGGREGATE mlplat.ks(boolean, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(boolean, double precision) IS 'Kolmogorov-Smirnov distance of the scores of the two classes';
CREATE OR REPLACE AGGREGATE mlplat.ks(boolean, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(boolean, double precision, double precision) IS 'Kolmogorov-Smirnov distance of the scores of the two classes; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.ks(bigint, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(bigint, double precision) IS 'Kolmogorov-Smirnov distance of the scores of the two classes';
CREATE OR REPLACE AGGREGATE mlplat.ks(bigint, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(bigint, double precision, double precision) IS 'Kolmogorov-Smirnov distance of the scores of the two classes; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.ks(double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(double precision, double precision) IS 'Kolmogorov-Smirnov distance of the scores of the two classes';
CREATE OR REPLACE AGGREGATE mlplat.ks(double precision, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(double precision, double precision, double precision) IS 'Kolmogorov-Smirnov distance of the scores of the two classes; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.ks(text, double precision, text) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(text, double precision, text) IS 'Kolmogorov-Smirnov distance of the scores of the two classes: label, score, positive label';
CREATE OR REPLACE AGGREGATE mlplat.ks(text, double precision, text, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.ks_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.ks(text, double precision, text, double precision) IS 'Kolmogorov-Smirnov distance of the scores of the two classes: label, score, positive label; weighted rows';

CREATE OR REPLACE AGGREGATE mlplat.gini(boolean, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(boolean, double precision) IS 'Gini coefficient: 2 roc_auc - 1';
CREATE OR REPLACE AGGREGATE mlplat.gini(boolean, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(boolean, double precision, double precision) IS 'Gini coefficient: 2 roc_auc - 1; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.gini(bigint, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(bigint, double precision) IS 'Gini coefficient: 2 roc_auc - 1';
CREATE OR REPLACE AGGREGATE mlplat.gini(bigint, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(bigint, double precision, double precision) IS 'Gini coefficient: 2 roc_auc - 1; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.gini(double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(double precision, double precision) IS 'Gini coefficient: 2 roc_auc - 1';
CREATE OR REPLACE AGGREGATE mlplat.gini(double precision, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(double precision, double precision, double precision) IS 'Gini coefficient: 2 roc_auc - 1; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.gini(text, double precision, text) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(text, double precision, text) IS 'Gini coefficient: 2 roc_auc - 1: label, score, positive label';
CREATE OR REPLACE AGGREGATE mlplat.gini(text, double precision, text, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.gini_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.gini(text, double precision, text, double precision) IS 'Gini coefficient: 2 roc_auc - 1: label, score, positive label; weighted rows';

CREATE OR REPLACE AGGREGATE mlplat.log_loss(boolean, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(boolean, double precision) IS 'mean negative log-likelihood of the labels, natural logarithm';
CREATE OR REPLACE AGGREGATE mlplat.log_loss(boolean, double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(boolean, double precision, double precision) IS 'mean negative log-likelihood of the labels, natural logarithm; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.log_loss(bigint, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(bigint, double precision) IS 'mean negative log-likelihood of the labels, natural logarithm';
CREATE OR REPLACE AGGREGATE mlplat.log_loss(bigint, double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(bigint, double precision, double precision) IS 'mean negative log-likelihood of the labels, natural logarithm; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.log_loss(double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(double precision, double precision) IS 'mean negative log-likelihood of the labels, natural logarithm';
CREATE OR REPLACE AGGREGATE mlplat.log_loss(double precision, double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(double precision, double precision, double precision) IS 'mean negative log-likelihood of the labels, natural logarithm; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.log_loss(text, double precision, text) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(text, double precision, text) IS 'mean negative log-likelihood of the labels, natural logarithm: label, score, positive label';
CREATE OR REPLACE AGGREGATE mlplat.log_loss(text, double precision, text, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.log_loss_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.log_loss(text, double precision, text, double precision) IS 'mean negative log-likelihood of the labels, natural logarithm: label, score, positive label; weighted rows';

CREATE OR REPLACE AGGREGATE mlplat.brier(boolean, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(boolean, double precision) IS 'mean squared distance of probability and label';
CREATE OR REPLACE AGGREGATE mlplat.brier(boolean, double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(boolean, double precision, double precision) IS 'mean squared distance of probability and label; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.brier(bigint, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(bigint, double precision) IS 'mean squared distance of probability and label';
CREATE OR REPLACE AGGREGATE mlplat.brier(bigint, double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(bigint, double precision, double precision) IS 'mean squared distance of probability and label; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.brier(double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(double precision, double precision) IS 'mean squared distance of probability and label';
CREATE OR REPLACE AGGREGATE mlplat.brier(double precision, double precision, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(double precision, double precision, double precision) IS 'mean squared distance of probability and label; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.brier(text, double precision, text) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(text, double precision, text) IS 'mean squared distance of probability and label: label, score, positive label';
CREATE OR REPLACE AGGREGATE mlplat.brier(text, double precision, text, double precision) (
    SFUNC = mlplat.prob_loss_transfn, STYPE = mlplat.state, SSPACE = 2048, FINALFUNC = mlplat.brier_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.brier(text, double precision, text, double precision) IS 'mean squared distance of probability and label: label, score, positive label; weighted rows';

