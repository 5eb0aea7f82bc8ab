-- source: queries, foreign schemas, and sources that are read again and again.

CREATE OR REPLACE FUNCTION mlplat.import_query(target text, query text, options jsonb DEFAULT '{}',
    OUT rows_loaded bigint, OUT rows_rejected bigint, OUT seconds double precision,
    OUT import_id bigint)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_import_query';

COMMENT ON FUNCTION mlplat.import_query(text, text, jsonb) IS
'Load what a query returns, also from other servers through foreign tables or dblink, into a table, which is created when it does not exist. The query must not change anything.';
