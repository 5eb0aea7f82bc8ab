-- source: JSON into tables.

CREATE OR REPLACE FUNCTION mlplat.import_json(target text, path text, options jsonb DEFAULT '{}',
    OUT rows_loaded bigint, OUT rows_rejected bigint, OUT seconds double precision,
    OUT import_id bigint)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_import_json';

COMMENT ON FUNCTION mlplat.import_json(text, text, jsonb) IS
'Load a JSON file on the server, plain or gzip (NDJSON, an array of objects, or rows inside a document), into a table, which is created with inferred types when it does not exist. Needs the rights of pg_read_server_files.';
