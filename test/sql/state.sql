-- The type mlplat.state: text and binary form, adding up, hostile bytes.
SET search_path = mlplat, public;

-- Aggregates that return their state, as training has them.
CREATE AGGREGATE class_state(text, text) (SFUNC = class_transfn, STYPE = mlplat.state, COMBINEFUNC = state_combine, PARALLEL = SAFE);
CREATE AGGREGATE ranking_state(bigint, float8) (SFUNC = ranking_transfn, STYPE = mlplat.state, COMBINEFUNC = state_combine, PARALLEL = SAFE);
CREATE AGGREGATE regression_state(float8, float8) (SFUNC = regression_transfn, STYPE = mlplat.state, COMBINEFUNC = state_combine, PARALLEL = SAFE);
CREATE AGGREGATE prob_loss_state(boolean, float8) (SFUNC = prob_loss_transfn, STYPE = mlplat.state, COMBINEFUNC = state_combine, PARALLEL = SAFE);

CREATE TABLE parts AS
SELECT i % 4 AS part, class_state('c' || i % 3, 'c' || i * i % 3) AS classes, ranking_state(i % 2, i * 37 % 100) AS scores,
       regression_state(i, i + i % 3) AS errors, prob_loss_state(i % 2 = 0, i % 10 / 10.0) AS losses
FROM generate_series(1, 200) i GROUP BY i % 4;

-- stored states add up to what one pass gives
SELECT accuracy_finalfn(merge(classes)) = (SELECT accuracy('c' || i % 3, 'c' || i * i % 3) FROM generate_series(1, 200) i) AS classes,
       roc_auc_finalfn(merge(scores)) = (SELECT roc_auc(i % 2, i * 37 % 100) FROM generate_series(1, 200) i) AS scores,
       mse_finalfn(merge(errors)) = (SELECT mse(i, i + i % 3) FROM generate_series(1, 200) i) AS errors,
       abs(r2_finalfn(merge(errors)) - (SELECT r2(i, i + i % 3) FROM generate_series(1, 200) i)) < 1e-12 AS r2,
       abs(log_loss_finalfn(merge(losses)) - (SELECT log_loss(i % 2 = 0, i % 10 / 10.0) FROM generate_series(1, 200) i)) < 1e-12 AS losses
FROM parts;

-- text and back, two by two, stored out of line, under parallel workers
SELECT bool_and(classes::text::mlplat.state::text = classes::text) AS text_form,
       accuracy_finalfn(merge(classes::text::mlplat.state)) = accuracy_finalfn(merge(classes)) AS same FROM parts;
CREATE TABLE large AS SELECT i % 2 AS part, ranking_state(i % 2, i * 37 % 1000) AS scores FROM generate_series(1, 20000) i GROUP BY i % 2;
SELECT bool_and(pg_column_size(scores) > 80000) AS not_compressed,
       roc_auc_finalfn(merge(scores)) = (SELECT roc_auc(i % 2, i * 37 % 1000) FROM generate_series(1, 20000) i) AS same FROM large;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE large SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT merge(scores) FROM large;
SELECT roc_auc_finalfn(merge(scores)) = (SELECT roc_auc(i % 2, i * 37 % 1000) FROM generate_series(1, 20000) i) AS same FROM large;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT accuracy_finalfn(state_combine(a.classes, b.classes)) = accuracy_finalfn(state_combine(b.classes, a.classes)) AS commutes,
       state_combine(a.classes, NULL)::text = a.classes::text AS right_null,
       state_combine(NULL, a.classes)::text = a.classes::text AS left_null,
       state_combine(NULL::mlplat.state, NULL) IS NULL AS both_null
FROM parts a, parts b WHERE a.part = 0 AND b.part = 1;
-- combining leaves its arguments as they are
SELECT count(*) FROM parts a, LATERAL (SELECT state_combine(a.errors, a.errors)) s(twice)
WHERE mse_finalfn(twice) = mse_finalfn(a.errors);

SELECT merge(s) IS NULL AS nothing FROM (VALUES (NULL::mlplat.state)) v(s);
SELECT mse_finalfn(merge(errors) OVER (ORDER BY part)) IS NOT NULL AS over FROM parts ORDER BY part;

-- many groups under hashed grouping take time in proportion to their number: a context for each would take minutes
SET enable_sort = off;
SET work_mem = '512MB';
SET statement_timeout = '20s';
SELECT count(*) AS groups, count(auc) AS defined FROM (SELECT i % 100000, roc_auc(i % 3 = 0, i) AS auc, mse(i, 1) FROM generate_series(1, 400000) i GROUP BY 1) q;
RESET statement_timeout;
RESET work_mem;
RESET enable_sort;

-- kinds do not mix
SELECT state_combine(classes, scores) FROM parts WHERE part = 0;
SELECT merge(s) FROM (SELECT classes FROM parts WHERE part = 0 UNION ALL SELECT errors FROM parts WHERE part = 1) u(s);
SELECT roc_auc_finalfn(classes) FROM parts WHERE part = 0;
-- nor do labels of different types, nor more than two labels of scores
CREATE AGGREGATE class_state(boolean, boolean) (SFUNC = class_transfn, STYPE = mlplat.state, COMBINEFUNC = state_combine, PARALLEL = SAFE);
SELECT merge(s) FROM (SELECT class_state('a'::text, 'b') UNION ALL SELECT class_state(true, false)) u(s);
SELECT merge(s) FROM (SELECT ranking_state(1, 1) UNION ALL SELECT ranking_state(2, 1) UNION ALL SELECT ranking_state(3, 1)) u(s);

-- not a state
SELECT ''::mlplat.state;
SELECT 'hello'::mlplat.state;
SELECT '====+++'::mlplat.state;
SELECT encode('MLST', 'base64')::mlplat.state;
SELECT encode('not a state, but long enough', 'base64')::mlplat.state;
-- a future version; a flipped byte; a truncated state
SELECT translate(encode(set_byte(state_send(errors), 4, 9), 'base64'), E'\n', '')::mlplat.state FROM parts WHERE part = 0;
SELECT translate(encode(set_byte(state_send(errors), 20, 255 - get_byte(state_send(errors), 20)), 'base64'), E'\n', '')::mlplat.state FROM parts WHERE part = 0;
SELECT translate(encode(substr(state_send(errors), 1, 40), 'base64'), E'\n', '')::mlplat.state FROM parts WHERE part = 0;

-- Bytes with a right checksum and wrong contents: seal() makes the envelope around any contents.
CREATE FUNCTION crc32c(data bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE crc bigint := 4294967295;
BEGIN
    FOR i IN 0 .. octet_length(data) - 1 LOOP
        crc := crc # get_byte(data, i);
        FOR k IN 1 .. 8 LOOP
            crc := (crc >> 1) # (CASE WHEN crc & 1 = 1 THEN 2197175160 ELSE 0 END);
        END LOOP;
    END LOOP;
    RETURN crc # 4294967295;
END $$;
CREATE FUNCTION seal(kind int, contents bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    data bytea := '\x4d4c535401'::bytea || set_byte('\x00', 0, kind) || '\x0000' || contents;
    crc bigint := crc32c(data);
BEGIN
    RETURN encode(data || decode(lpad(to_hex(crc & 255), 2, '0') || lpad(to_hex(crc >> 8 & 255), 2, '0') ||
        lpad(to_hex(crc >> 16 & 255), 2, '0') || lpad(to_hex(crc >> 24), 2, '0'), 'hex'), 'base64');
END $$;
SELECT crc32c('123456789') = 3808858755 AS crc_is_castagnoli; -- e3069283, the check value of CRC-32C
SELECT seal(200, '')::mlplat.state;
SELECT merge(seal(5, '\x00')::mlplat.state);
SELECT merge(seal(2, '\x09')::mlplat.state);
-- a count of labels that the bytes cannot hold; a pair of labels that are not there; a label that is there twice
SELECT merge(seal(2, '\x0000ffffffff')::mlplat.state);
SELECT merge(seal(2, '\x00000000000001000000050000000500000000000000000000f03f')::mlplat.state);
SELECT merge(seal(2, '\x010002000000010000000000000001000000000000000000000000')::mlplat.state);
-- text that is not valid in this database's encoding
SELECT merge(seal(2, '\x00000100000001000000ff00000000')::mlplat.state);
-- a count of scores that the bytes cannot hold; a score that is not a number
SELECT merge(seal(3, '\x01010100000000000000ffffffffffffff7f00')::mlplat.state);
SELECT merge(seal(3, '\x01010100000000000000010000000000000000000000000000f87f')::mlplat.state);
-- left over bytes
SELECT merge(seal(4, '\x010000')::mlplat.state);

DROP FUNCTION seal, crc32c;
DROP TABLE parts, large;
DROP AGGREGATE class_state(text, text), class_state(boolean, boolean), ranking_state(bigint, float8), regression_state(float8, float8), prob_loss_state(boolean, float8);
