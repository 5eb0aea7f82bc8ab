-- source: queries, foreign schemas, and sources that are read again and again.

CREATE OR REPLACE FUNCTION mlplat.import_query(target text, query text, options jsonb DEFAULT '{}',
    OUT rows_loaded bigint, OUT rows_rejected bigint, OUT seconds double precision,
    OUT import_id bigint)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_import_query';

COMMENT ON FUNCTION mlplat.import_query(text, text, jsonb) IS
'Load what a query returns, also from other servers through foreign tables or dblink, into a table, which is created when it does not exist. The query must not change anything.';

CREATE OR REPLACE FUNCTION mlplat.import_foreign(server text, remote_schema text, tables text[] DEFAULT NULL,
    options jsonb DEFAULT '{}',
    OUT table_name text, OUT rows_loaded bigint, OUT seconds double precision, OUT import_id bigint)
RETURNS SETOF record
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_import_foreign';

COMMENT ON FUNCTION mlplat.import_foreign(text, text, text[], jsonb) IS
'Copy tables of a schema on a foreign server, all or those that are named, into new tables: all of them or, after an error, none.';

CREATE OR REPLACE FUNCTION mlplat.create_source(name text, kind text, location text, target text,
    options jsonb DEFAULT '{}') RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_create_source';

COMMENT ON FUNCTION mlplat.create_source(text, text, text, text, jsonb) IS
'Remember where a table gets its rows from (kind csv, json, url or query; location a path, an address, a query) and how it is refreshed. Nothing is loaded yet.';

CREATE OR REPLACE FUNCTION mlplat.refresh_source(name text,
    OUT rows_loaded bigint, OUT rows_rejected bigint, OUT rows_inserted bigint, OUT rows_updated bigint,
    OUT rows_deleted bigint, OUT seconds double precision, OUT import_id bigint)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_refresh_source';

COMMENT ON FUNCTION mlplat.refresh_source(text) IS
'Read a source again and bring its table up to date. After an error the table is as it was.';

CREATE OR REPLACE FUNCTION mlplat.drop_source(name text, drop_target boolean DEFAULT false) RETURNS void
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_drop_source';

COMMENT ON FUNCTION mlplat.drop_source(text, boolean) IS
'Forget a source. Its table stays, unless it is to be dropped as well.';
