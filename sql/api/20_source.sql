-- source: get data into tables.

CREATE OR REPLACE FUNCTION mlplat.import_csv(target text, path text, options jsonb DEFAULT '{}',
    OUT rows_loaded bigint, OUT rows_rejected bigint, OUT seconds double precision,
    OUT import_id bigint)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_import_csv';

COMMENT ON FUNCTION mlplat.import_csv(text, text, jsonb) IS
'Load a CSV file on the server, plain or gzip, into a table, which is created with inferred types when it does not exist. Needs the rights of pg_read_server_files.';

CREATE OR REPLACE FUNCTION mlplat.import_url(target text, url text, options jsonb DEFAULT '{}',
    OUT rows_loaded bigint, OUT rows_rejected bigint, OUT seconds double precision,
    OUT import_id bigint)
LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'mlplat_import_url';

COMMENT ON FUNCTION mlplat.import_url(text, text, jsonb) IS
'Load CSV or JSON from a web server into a table. Needs EXECUTE, which an administrator grants, and a host that mlplat.allowed_hosts has.';

-- It makes the server open connections: whoever may call it is the administrator's choice.
REVOKE ALL ON FUNCTION mlplat.import_url(text, text, jsonb) FROM PUBLIC;
