-- ---------------------------------------------------------------- points of curves

CREATE TYPE mlplat.roc_point AS (threshold double precision, fpr double precision, tpr double precision);
COMMENT ON TYPE mlplat.roc_point IS 'a point of roc_curve: the rates when rows from this score on are taken as positive';
CREATE TYPE mlplat.pr_point AS (threshold double precision, "precision" double precision, recall double precision);
COMMENT ON TYPE mlplat.pr_point IS 'a point of pr_curve: precision and recall when rows from this score on are taken as positive';
CREATE TYPE mlplat.ks_point AS (threshold double precision, cdf_negative double precision, cdf_positive double precision);
COMMENT ON TYPE mlplat.ks_point IS 'a point of ks_curve: the share of each class with a score below the threshold';
CREATE TYPE mlplat.lift_point AS (share double precision, gain double precision, lift double precision);
COMMENT ON TYPE mlplat.lift_point IS 'a point of lift_curve: of the share of rows with the highest scores, the share of all positives, and how many times more than at random';
CREATE TYPE mlplat.calibration_point AS (predicted double precision, observed double precision, count double precision);
COMMENT ON TYPE mlplat.calibration_point IS 'a bin of calibration_curve: mean probability, share of positives, weight of the rows';
