-- Which types the metric aggregates take: every common pair of types finds exactly one function.
SET search_path = mlplat, public;
SET extra_float_digits = 0;
CREATE TYPE color AS ENUM ('red', 'green', 'blue');
CREATE DOMAIN grade AS text CHECK (length(VALUE) = 1);

-- two of three right, whatever the types
SELECT accuracy(a, b) AS int_int, accuracy(a::smallint, b) AS small_int, accuracy(a, b::bigint) AS int_big,
       accuracy(a::bigint, b::bigint) AS big_big, accuracy(a::numeric, b) AS numeric_int,
       accuracy(a::real, b::float8) AS real_float, accuracy(a::text, b::text) AS text_text,
       accuracy(a::varchar, b::text) AS varchar_text, accuracy(a::varchar(5), b::varchar(5)) AS varchar_varchar,
       accuracy(a::char(5), b::text) AS char_text, accuracy(a::char(5), b::char(3)) AS char_char,
       accuracy(a::text::name, b::text) AS name_text, accuracy(a::text::grade, b::text) AS domain_text,
       accuracy(a, b::text) AS int_text, accuracy(a::text, b) AS text_int,
       accuracy(a = 1, b = 1) AS bool_bool, accuracy(a = 1, (b = 1)::text) AS bool_text,
       accuracy('2000-01-01'::date + a, '2000-01-01'::date + b) AS date_date,
       accuracy(c, d) AS enum_enum, accuracy(c, d::text) AS enum_text, accuracy(c::text, d) AS text_enum,
       accuracy(c::text::char(9), d) AS char_enum, accuracy(a::text::bytea, b::text::bytea) AS bytea_bytea
FROM (VALUES (1, 1, 'red'::color, 'red'::color), (2, 2, 'green', 'green'), (1, 2, 'blue', 'red')) v(a, b, c, d) \gx

-- literals take the type of the other argument
SELECT accuracy(a, 1) AS int_lit, accuracy(a, '1') AS int_unknown, accuracy(a::text, '1') AS text_unknown,
       accuracy(a = 1, 't') AS bool_unknown, accuracy(a = 1, true) AS bool_lit, accuracy('1', '1') AS unknown_unknown,
       accuracy(a, 1, 2) AS with_weight, accuracy(a, 1, NULL) AS null_weight, accuracy(a::text, '1', '2') AS text_weight
FROM (VALUES (1), (2)) v(a) \gx

-- precision, recall, f1: the option is a positive label or an average, and the weight comes last
SELECT mlplat.precision(a, b) AS plain, mlplat.precision(a, b, 0.5) AS weight, mlplat.precision(a, b, '1') AS label,
       mlplat.precision(a, b, 'macro') AS macro, mlplat.precision(a, b, 'macro', 2) AS macro_weight,
       mlplat.precision(a = 2, b = 2, 'false') AS bool_label, mlplat.precision(a::numeric, b, '1.0') AS numeric_label,
       mlplat.precision(a::text, b, '1') AS any_label, mlplat.precision(a::text, b::text) AS greater_text,
       mlplat.precision(a::text, b::text, '7') AS no_such_label
FROM (VALUES (1, 1), (2, 2), (1, 2)) v(a, b) \gx
-- a label that has the name of an average: compare
SELECT mlplat.precision(a = 'macro', b = 'macro') FROM (VALUES ('macro', 'macro'), ('x', 'macro')) v(a, b);

-- scores: which label is positive
SELECT roc_auc(y, p) AS int01, roc_auc(y::bigint, p) AS big01, roc_auc(y::float8, p) AS float01,
       roc_auc(y::numeric, p::numeric) AS numeric01, roc_auc(y = 1, p::real) AS bool, roc_auc(2 * y - 1, p) AS minus1_1,
       roc_auc(y + 1, p) AS one_two, roc_auc(-y, p) AS minus1_0, roc_auc(y::text, p, '1') AS text1,
       roc_auc(y::text, p, '0') AS text0, roc_auc(y::varchar, p, '1', 2) AS text_weight, roc_auc(y, p, 3) AS weight
FROM (VALUES (0, 0.1), (0, 0.4), (1, 0.35), (1, 0.8)) v(y, p) \gx
SELECT log_loss(y, p) AS int01, log_loss(y = 1, p) AS bool, log_loss(2 * y - 1, p) AS minus1_1,
       log_loss(y::text, p, '1') AS text1, brier(y, p) AS brier, brier(y::text, 1 - p, '0') AS brier0
FROM (VALUES (0, 0.1), (0, 0.4), (1, 0.35), (1, 0.8)) v(y, p) \gx
SELECT r2(y::int, p::numeric) AS int_numeric, r2(y::real, p::float8) AS real_float, r2(y, p, 1) AS weight
FROM (VALUES (0, 0.1), (0, 0.4), (1, 0.35), (1, 0.8)) v(y, p) \gx

-- types that say nothing to each other
SELECT accuracy(a, b) FROM (VALUES (1, true)) v(a, b);
SELECT accuracy(a, b) FROM (VALUES (now(), 1)) v(a, b);
SELECT roc_auc(a, 0.5) FROM (VALUES ('yes'::text)) v(a);

-- every aggregate: parallel safe, state of an exact type with a combine function or an internal one, no text
-- result, no extra final arguments, a comment
SELECT count(*) AS aggregates,
       count(*) FILTER (WHERE proparallel <> 's') AS not_parallel,
       count(*) FILTER (WHERE aggcombinefn = 0) AS no_combine,
       count(*) FILTER (WHERE aggtransspace = 0) AS no_space,
       count(*) FILTER (WHERE aggfinalextra) AS final_extra,
       count(*) FILTER (WHERE prorettype = 'text'::regtype) AS text_result,
       count(*) FILTER (WHERE obj_description(p.oid, 'pg_proc') IS NULL) AS no_comment,
       count(*) FILTER (WHERE (aggtranstype = 'internal'::regtype) <> ('"any"'::regtype = ANY (proargtypes))) AS wrong_state
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
WHERE pronamespace = 'mlplat'::regnamespace AND aggtransfn::text ~ '(class|class_option|ranking|prob_loss|regression)_transfn$';

DROP TYPE color;
DROP DOMAIN grade;
