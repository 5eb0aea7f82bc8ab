-- ---------------------------------------------------------------- metrics of predicted labels
--
-- Arguments: actual label, predicted label; precision, recall and f1 also take an option: the positive label, or
-- an average (macro, micro, weighted); last a weight, or none. A row with a NULL in any argument is skipped.
-- Labels that are both text, boolean, bigint or double precision have the state type, which merges across
-- processes and servers. Labels of other types, or of two types of which one is text, are compared as text.

CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, text, text) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_text_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, text, text) IS 'transition function of class metrics: text labels';
CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, text, text, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_text_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, text, text, double precision) IS 'transition function of class metrics: text labels, weight';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, text, text, text) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_text_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, text, text, text) IS 'transition function of class metrics: text labels, option';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, text, text, text, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_text_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, text, text, text, double precision) IS 'transition function of class metrics: text labels, option, weight';

CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, boolean, boolean) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_bool_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, boolean, boolean) IS 'transition function of class metrics: boolean labels';
CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, boolean, boolean, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_bool_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, boolean, boolean, double precision) IS 'transition function of class metrics: boolean labels, weight';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, boolean, boolean, text) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_bool_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, boolean, boolean, text) IS 'transition function of class metrics: boolean labels, option';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, boolean, boolean, text, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_bool_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, boolean, boolean, text, double precision) IS 'transition function of class metrics: boolean labels, option, weight';

CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, bigint, bigint) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_int_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, bigint, bigint) IS 'transition function of class metrics: bigint labels';
CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, bigint, bigint, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_int_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, bigint, bigint, double precision) IS 'transition function of class metrics: bigint labels, weight';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, bigint, bigint, text) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_int_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, bigint, bigint, text) IS 'transition function of class metrics: bigint labels, option';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, bigint, bigint, text, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_int_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, bigint, bigint, text, double precision) IS 'transition function of class metrics: bigint labels, option, weight';

CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_real_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, double precision, double precision) IS 'transition function of class metrics: double precision labels';
CREATE OR REPLACE FUNCTION mlplat.class_transfn(mlplat.state, double precision, double precision, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_real_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(mlplat.state, double precision, double precision, double precision) IS 'transition function of class metrics: double precision labels, weight';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, double precision, double precision, text) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_real_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, double precision, double precision, text) IS 'transition function of class metrics: double precision labels, option';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(mlplat.state, double precision, double precision, text, double precision) RETURNS mlplat.state
    AS 'MODULE_PATHNAME', 'mlplat_class_real_option_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(mlplat.state, double precision, double precision, text, double precision) IS 'transition function of class metrics: double precision labels, option, weight';

CREATE OR REPLACE FUNCTION mlplat.class_transfn(internal, "any", "any") RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_class_any_transfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(internal, "any", "any") IS 'transition function of class metrics: labels of any type, as text';
CREATE OR REPLACE FUNCTION mlplat.class_transfn(internal, "any", "any", double precision) RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_class_any_transfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_transfn(internal, "any", "any", double precision) IS 'transition function of class metrics: labels of any type, as text, weight';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(internal, "any", "any", text) RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_class_any_option_transfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(internal, "any", "any", text) IS 'transition function of class metrics: labels of any type, as text, option';
CREATE OR REPLACE FUNCTION mlplat.class_option_transfn(internal, "any", "any", text, double precision) RETURNS internal
    AS 'MODULE_PATHNAME', 'mlplat_class_any_option_transfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.class_option_transfn(internal, "any", "any", text, double precision) IS 'transition function of class metrics: labels of any type, as text, option, weight';

CREATE OR REPLACE FUNCTION mlplat.accuracy_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_accuracy_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.accuracy_finalfn(mlplat.state) IS 'final function of accuracy';
CREATE OR REPLACE FUNCTION mlplat.balanced_accuracy_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_balanced_accuracy_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.balanced_accuracy_finalfn(mlplat.state) IS 'final function of balanced_accuracy';
CREATE OR REPLACE FUNCTION mlplat.mcc_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_mcc_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.mcc_finalfn(mlplat.state) IS 'final function of mcc';
CREATE OR REPLACE FUNCTION mlplat.confusion_matrix_finalfn(mlplat.state) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_confusion_matrix_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.confusion_matrix_finalfn(mlplat.state) IS 'final function of confusion_matrix';
CREATE OR REPLACE FUNCTION mlplat.precision_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_precision_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.precision_finalfn(mlplat.state) IS 'final function of precision';
CREATE OR REPLACE FUNCTION mlplat.recall_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_recall_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.recall_finalfn(mlplat.state) IS 'final function of recall';
CREATE OR REPLACE FUNCTION mlplat.f1_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_f1_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.f1_finalfn(mlplat.state) IS 'final function of f1';

CREATE OR REPLACE FUNCTION mlplat.accuracy_finalfn(internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_accuracy_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.accuracy_finalfn(internal) IS 'final function of accuracy';
CREATE OR REPLACE FUNCTION mlplat.balanced_accuracy_finalfn(internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_balanced_accuracy_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.balanced_accuracy_finalfn(internal) IS 'final function of balanced_accuracy';
CREATE OR REPLACE FUNCTION mlplat.mcc_finalfn(internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_mcc_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.mcc_finalfn(internal) IS 'final function of mcc';
CREATE OR REPLACE FUNCTION mlplat.confusion_matrix_finalfn(internal) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mlplat_confusion_matrix_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.confusion_matrix_finalfn(internal) IS 'final function of confusion_matrix';
CREATE OR REPLACE FUNCTION mlplat.precision_finalfn(internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_precision_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.precision_finalfn(internal) IS 'final function of precision';
CREATE OR REPLACE FUNCTION mlplat.recall_finalfn(internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_recall_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.recall_finalfn(internal) IS 'final function of recall';
CREATE OR REPLACE FUNCTION mlplat.f1_finalfn(internal) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_f1_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.f1_finalfn(internal) IS 'final function of f1';

CREATE OR REPLACE AGGREGATE mlplat.accuracy(text, text) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(text, text) IS 'share of rows whose label was predicted right';
CREATE OR REPLACE AGGREGATE mlplat.accuracy(text, text, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(text, text, double precision) IS 'share of rows whose label was predicted right, weighted';
CREATE OR REPLACE AGGREGATE mlplat.accuracy(boolean, boolean) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(boolean, boolean) IS 'share of rows whose label was predicted right';
CREATE OR REPLACE AGGREGATE mlplat.accuracy(boolean, boolean, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(boolean, boolean, double precision) IS 'share of rows whose label was predicted right, weighted';
CREATE OR REPLACE AGGREGATE mlplat.accuracy(bigint, bigint) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(bigint, bigint) IS 'share of rows whose label was predicted right';
CREATE OR REPLACE AGGREGATE mlplat.accuracy(bigint, bigint, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(bigint, bigint, double precision) IS 'share of rows whose label was predicted right, weighted';
CREATE OR REPLACE AGGREGATE mlplat.accuracy(double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(double precision, double precision) IS 'share of rows whose label was predicted right';
CREATE OR REPLACE AGGREGATE mlplat.accuracy(double precision, double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy(double precision, double precision, double precision) IS 'share of rows whose label was predicted right, weighted';
CREATE OR REPLACE AGGREGATE mlplat.accuracy("any", "any") (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy("any", "any") IS 'share of rows whose label was predicted right';
CREATE OR REPLACE AGGREGATE mlplat.accuracy("any", "any", double precision) (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.accuracy("any", "any", double precision) IS 'share of rows whose label was predicted right, weighted';

CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(text, text) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(text, text) IS 'mean of the recall of all classes';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(text, text, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(text, text, double precision) IS 'mean of the recall of all classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(boolean, boolean) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(boolean, boolean) IS 'mean of the recall of all classes';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(boolean, boolean, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(boolean, boolean, double precision) IS 'mean of the recall of all classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(bigint, bigint) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(bigint, bigint) IS 'mean of the recall of all classes';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(bigint, bigint, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(bigint, bigint, double precision) IS 'mean of the recall of all classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(double precision, double precision) IS 'mean of the recall of all classes';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy(double precision, double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy(double precision, double precision, double precision) IS 'mean of the recall of all classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy("any", "any") (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy("any", "any") IS 'mean of the recall of all classes';
CREATE OR REPLACE AGGREGATE mlplat.balanced_accuracy("any", "any", double precision) (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.balanced_accuracy_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.balanced_accuracy("any", "any", double precision) IS 'mean of the recall of all classes, weighted';

CREATE OR REPLACE AGGREGATE mlplat.mcc(text, text) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(text, text) IS 'Matthews correlation coefficient of two or more classes';
CREATE OR REPLACE AGGREGATE mlplat.mcc(text, text, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(text, text, double precision) IS 'Matthews correlation coefficient of two or more classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.mcc(boolean, boolean) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(boolean, boolean) IS 'Matthews correlation coefficient of two or more classes';
CREATE OR REPLACE AGGREGATE mlplat.mcc(boolean, boolean, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(boolean, boolean, double precision) IS 'Matthews correlation coefficient of two or more classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.mcc(bigint, bigint) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(bigint, bigint) IS 'Matthews correlation coefficient of two or more classes';
CREATE OR REPLACE AGGREGATE mlplat.mcc(bigint, bigint, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(bigint, bigint, double precision) IS 'Matthews correlation coefficient of two or more classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.mcc(double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(double precision, double precision) IS 'Matthews correlation coefficient of two or more classes';
CREATE OR REPLACE AGGREGATE mlplat.mcc(double precision, double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc(double precision, double precision, double precision) IS 'Matthews correlation coefficient of two or more classes, weighted';
CREATE OR REPLACE AGGREGATE mlplat.mcc("any", "any") (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc("any", "any") IS 'Matthews correlation coefficient of two or more classes';
CREATE OR REPLACE AGGREGATE mlplat.mcc("any", "any", double precision) (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.mcc_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.mcc("any", "any", double precision) IS 'Matthews correlation coefficient of two or more classes, weighted';

CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(text, text) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(text, text) IS 'classes in ascending order, and a matrix of row counts: actual by predicted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(text, text, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(text, text, double precision) IS 'classes in ascending order, and a matrix of row counts: actual by predicted, weighted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(boolean, boolean) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(boolean, boolean) IS 'classes in ascending order, and a matrix of row counts: actual by predicted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(boolean, boolean, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(boolean, boolean, double precision) IS 'classes in ascending order, and a matrix of row counts: actual by predicted, weighted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(bigint, bigint) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(bigint, bigint) IS 'classes in ascending order, and a matrix of row counts: actual by predicted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(bigint, bigint, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(bigint, bigint, double precision) IS 'classes in ascending order, and a matrix of row counts: actual by predicted, weighted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(double precision, double precision) IS 'classes in ascending order, and a matrix of row counts: actual by predicted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix(double precision, double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix(double precision, double precision, double precision) IS 'classes in ascending order, and a matrix of row counts: actual by predicted, weighted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix("any", "any") (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix("any", "any") IS 'classes in ascending order, and a matrix of row counts: actual by predicted';
CREATE OR REPLACE AGGREGATE mlplat.confusion_matrix("any", "any", double precision) (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.confusion_matrix_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.confusion_matrix("any", "any", double precision) IS 'classes in ascending order, and a matrix of row counts: actual by predicted, weighted';

CREATE OR REPLACE AGGREGATE mlplat.precision(text, text) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(text, text) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.precision(text, text, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(text, text, double precision) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision(text, text, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(text, text, text) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.precision(text, text, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(text, text, text, double precision) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision(boolean, boolean) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(boolean, boolean) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.precision(boolean, boolean, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(boolean, boolean, double precision) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision(boolean, boolean, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(boolean, boolean, text) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.precision(boolean, boolean, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(boolean, boolean, text, double precision) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision(bigint, bigint) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(bigint, bigint) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.precision(bigint, bigint, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(bigint, bigint, double precision) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision(bigint, bigint, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(bigint, bigint, text) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.precision(bigint, bigint, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(bigint, bigint, text, double precision) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision(double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(double precision, double precision) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.precision(double precision, double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(double precision, double precision, double precision) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision(double precision, double precision, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(double precision, double precision, text) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.precision(double precision, double precision, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision(double precision, double precision, text, double precision) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision("any", "any") (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision("any", "any") IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.precision("any", "any", double precision) (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision("any", "any", double precision) IS 'share of true positives among the rows predicted as positive: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.precision("any", "any", text) (
    SFUNC = mlplat.class_option_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision("any", "any", text) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.precision("any", "any", text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.precision_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.precision("any", "any", text, double precision) IS 'share of true positives among the rows predicted as positive: third argument the positive label, or macro, micro or weighted; weighted rows';

CREATE OR REPLACE AGGREGATE mlplat.recall(text, text) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(text, text) IS 'share of true positives among the positive rows: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.recall(text, text, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(text, text, double precision) IS 'share of true positives among the positive rows: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall(text, text, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(text, text, text) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.recall(text, text, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(text, text, text, double precision) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall(boolean, boolean) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(boolean, boolean) IS 'share of true positives among the positive rows: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.recall(boolean, boolean, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(boolean, boolean, double precision) IS 'share of true positives among the positive rows: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall(boolean, boolean, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(boolean, boolean, text) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.recall(boolean, boolean, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(boolean, boolean, text, double precision) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall(bigint, bigint) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(bigint, bigint) IS 'share of true positives among the positive rows: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.recall(bigint, bigint, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(bigint, bigint, double precision) IS 'share of true positives among the positive rows: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall(bigint, bigint, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(bigint, bigint, text) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.recall(bigint, bigint, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(bigint, bigint, text, double precision) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall(double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(double precision, double precision) IS 'share of true positives among the positive rows: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.recall(double precision, double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(double precision, double precision, double precision) IS 'share of true positives among the positive rows: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall(double precision, double precision, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(double precision, double precision, text) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.recall(double precision, double precision, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall(double precision, double precision, text, double precision) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall("any", "any") (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall("any", "any") IS 'share of true positives among the positive rows: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.recall("any", "any", double precision) (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall("any", "any", double precision) IS 'share of true positives among the positive rows: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.recall("any", "any", text) (
    SFUNC = mlplat.class_option_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall("any", "any", text) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.recall("any", "any", text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.recall_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.recall("any", "any", text, double precision) IS 'share of true positives among the positive rows: third argument the positive label, or macro, micro or weighted; weighted rows';

CREATE OR REPLACE AGGREGATE mlplat.f1(text, text) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(text, text) IS 'harmonic mean of precision and recall: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.f1(text, text, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(text, text, double precision) IS 'harmonic mean of precision and recall: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1(text, text, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(text, text, text) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.f1(text, text, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(text, text, text, double precision) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1(boolean, boolean) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(boolean, boolean) IS 'harmonic mean of precision and recall: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.f1(boolean, boolean, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(boolean, boolean, double precision) IS 'harmonic mean of precision and recall: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1(boolean, boolean, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(boolean, boolean, text) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.f1(boolean, boolean, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(boolean, boolean, text, double precision) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1(bigint, bigint) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(bigint, bigint) IS 'harmonic mean of precision and recall: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.f1(bigint, bigint, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(bigint, bigint, double precision) IS 'harmonic mean of precision and recall: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1(bigint, bigint, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(bigint, bigint, text) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.f1(bigint, bigint, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(bigint, bigint, text, double precision) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1(double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(double precision, double precision) IS 'harmonic mean of precision and recall: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.f1(double precision, double precision, double precision) (
    SFUNC = mlplat.class_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(double precision, double precision, double precision) IS 'harmonic mean of precision and recall: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1(double precision, double precision, text) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(double precision, double precision, text) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.f1(double precision, double precision, text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = mlplat.state, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1(double precision, double precision, text, double precision) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1("any", "any") (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1("any", "any") IS 'harmonic mean of precision and recall: the greater of two labels is positive';
CREATE OR REPLACE AGGREGATE mlplat.f1("any", "any", double precision) (
    SFUNC = mlplat.class_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1("any", "any", double precision) IS 'harmonic mean of precision and recall: the greater of two labels is positive; weighted rows';
CREATE OR REPLACE AGGREGATE mlplat.f1("any", "any", text) (
    SFUNC = mlplat.class_option_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1("any", "any", text) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted';
CREATE OR REPLACE AGGREGATE mlplat.f1("any", "any", text, double precision) (
    SFUNC = mlplat.class_option_transfn, STYPE = internal, SSPACE = 4096, FINALFUNC = mlplat.f1_finalfn,
    COMBINEFUNC = mlplat.state_combine, SERIALFUNC = mlplat.state_serialfn, DESERIALFUNC = mlplat.state_deserialfn, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.f1("any", "any", text, double precision) IS 'harmonic mean of precision and recall: third argument the positive label, or macro, micro or weighted; weighted rows';

