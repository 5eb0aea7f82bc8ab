-- ---------------------------------------------------------------- metrics and curves of scores and probabilities of two classes
--
-- Arguments: label, score, and then a weight, or none; of a curve, after the weight, the number of points at most. The
-- greater of two labels is positive: true, 1 of 0 and 1, 1 of -1 and 1. A text label needs the positive label as third
-- argument. A row with a NULL in any argument is skipped.
--
-- All of a kind share their transition functions, and with them one state over the same arguments. Which faces there
-- are, and what the functions are called, stands in the tables below.

DO $do$
DECLARE
    face record;
    metric record;
    faces CONSTANT text := $$
    SELECT kind, arguments || more AS arguments, more LIKE '%integer' AS points, 'mlplat_' || kind || '_' || name || '_transfn' AS symbol,
        name || ' label' || said AS in_words, note || remark AS note
    FROM (VALUES ('bool', 'boolean, double precision', ''), ('int', 'bigint, double precision', ''),
            ('real', 'double precision, double precision', ''),
            ('text', 'text, double precision, text', ': label, score, positive label')) AS l(name, arguments, note),
        (VALUES ('', '', ''), (', double precision', ', weight', '; weighted rows'),
            (', double precision, integer', ', weight, points', '; weighted rows, points at most')) AS m(more, said, remark),
        (VALUES ('ranking'), ('prob_loss')) AS k(kind)
    WHERE kind = 'ranking' OR more NOT LIKE '%integer'$$;
BEGIN
    FOR face IN EXECUTE faces LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION mlplat.%I(mlplat.state, %s) RETURNS mlplat.state
            AS ''MODULE_PATHNAME'', %L LANGUAGE C IMMUTABLE PARALLEL SAFE', face.kind || '_transfn', face.arguments, face.symbol);
        EXECUTE format('COMMENT ON FUNCTION mlplat.%I(mlplat.state, %s) IS %L', face.kind || '_transfn', face.arguments,
            'transition function of metrics of ' || CASE face.kind WHEN 'ranking' THEN 'scores: ' ELSE 'probabilities: ' END || face.in_words);
    END LOOP;

    FOR metric IN
        SELECT * FROM (VALUES
            ('roc_auc', 'ranking', 'double precision', false, 'area under the ROC curve; a tie counts half'),
            ('pr_auc', 'ranking', 'double precision', false, 'area under the precision-recall curve, as average precision'),
            ('ks', 'ranking', 'double precision', false, 'Kolmogorov-Smirnov distance of the scores of the two classes'),
            ('gini', 'ranking', 'double precision', false, 'Gini coefficient of the scores: 2 roc_auc - 1'),
            ('log_loss', 'prob_loss', 'double precision', false, 'mean negative log-likelihood of the labels, natural logarithm'),
            ('brier', 'prob_loss', 'double precision', false, 'mean squared distance of probability and label'),
            ('roc_curve', 'ranking', 'mlplat.roc_point[]', true, 'ROC curve, from a threshold above all scores down'),
            ('pr_curve', 'ranking', 'mlplat.pr_point[]', true, 'precision-recall curve, from a threshold above all scores down'),
            ('ks_curve', 'ranking', 'mlplat.ks_point[]', true, 'distribution functions of the scores of the two classes, from the lowest score up'),
            ('lift_curve', 'ranking', 'mlplat.lift_point[]', true, 'cumulative gain and lift, from the highest score down'),
            ('calibration_curve', 'ranking', 'mlplat.calibration_point[]', false,
                'what is predicted against what happens, in ten bins of equal width without the empty ones')
        ) AS m(name, kind, result, points, help)
    LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION mlplat.%I(mlplat.state) RETURNS %s
            AS ''MODULE_PATHNAME'', %L LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE',
            metric.name || '_finalfn', metric.result, 'mlplat_' || metric.name || '_finalfn');
        EXECUTE format('COMMENT ON FUNCTION mlplat.%I(mlplat.state) IS %L', metric.name || '_finalfn', 'final function of ' || metric.name);
        FOR face IN EXECUTE faces LOOP
            CONTINUE WHEN face.kind <> metric.kind OR (face.points AND NOT metric.points);
            EXECUTE format('CREATE OR REPLACE AGGREGATE mlplat.%I(%s) (SFUNC = mlplat.%I, STYPE = mlplat.state, SSPACE = %s,
                FINALFUNC = mlplat.%I, COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE)', metric.name, face.arguments,
                metric.kind || '_transfn', CASE metric.kind WHEN 'ranking' THEN 16384 ELSE 2048 END, metric.name || '_finalfn');
            EXECUTE format('COMMENT ON AGGREGATE mlplat.%I(%s) IS %L', metric.name, face.arguments, metric.help || face.note);
        END LOOP;
    END LOOP;
END $do$;

CREATE OR REPLACE FUNCTION mlplat.psi_finalfn(mlplat.state) RETURNS double precision
    AS 'MODULE_PATHNAME', 'mlplat_psi_finalfn' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.psi_finalfn(mlplat.state) IS 'final function of psi';
CREATE OR REPLACE AGGREGATE mlplat.psi(boolean, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.psi_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.psi(boolean, double precision) IS
'population stability index of values (true) against reference values (false), in ten bins of equal reference weight; below 0.1 little has changed, above 0.25 much';
CREATE OR REPLACE AGGREGATE mlplat.psi(boolean, double precision, double precision) (
    SFUNC = mlplat.ranking_transfn, STYPE = mlplat.state, SSPACE = 16384, FINALFUNC = mlplat.psi_finalfn,
    COMBINEFUNC = mlplat.state_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE mlplat.psi(boolean, double precision, double precision) IS
'population stability index of values (true) against reference values (false), in ten bins of equal reference weight; weighted rows';
