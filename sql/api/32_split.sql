-- prepare: split a table into parts.

CREATE OR REPLACE FUNCTION mlplat.split_table(relation regclass, fractions double precision[] DEFAULT '{0.8,0.2}',
    stratify text DEFAULT NULL, group_by text DEFAULT NULL, order_by text DEFAULT NULL, seed integer DEFAULT 0,
    kind text DEFAULT 'view', key text[] DEFAULT NULL, classes text DEFAULT NULL, parts text[] DEFAULT NULL,
    name text DEFAULT NULL, replace boolean DEFAULT false)
RETURNS TABLE (part text, part_relation regclass, class text, rows bigint, share double precision, class_share double precision)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'mlplat_split_table';

COMMENT ON FUNCTION mlplat.split_table(regclass, double precision[], text, text, text, integer, text, text[], text, text[], text, boolean) IS
'Split a table or view into views or tables to train and to test on: at random, stratified by a class, by group, or in order of a time. Returns a row a part, and a row a part and class: its rows, their share of all rows (of the class), and the share of the class in the part.';
