-- import_url where no server is asked: settings, rights, URLs, options. What takes one is in test/t/import_url.pl.
CREATE FUNCTION get_url(url text, options jsonb DEFAULT '{}', target text DEFAULT 't') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    PERFORM mlplat.import_url(target, url, options);
    RETURN 'loaded';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', message, nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on

-- Off without a list of hosts.
LOAD 'mlplat';
SELECT name, setting, context FROM pg_settings WHERE name IN ('mlplat.allowed_hosts', 'mlplat.ca_file') ORDER BY 1;
SELECT get_url('https://example.com/data.csv');
SET mlplat.allowed_hosts = ' , ';
SELECT get_url('https://example.com/data.csv');

-- Lists that are none.
SET mlplat.allowed_hosts = 'ok.example, https://example.com';
SET mlplat.allowed_hosts = 'ok.example:99999';
SET mlplat.allowed_hosts = '10.0.0.0/40';
SET mlplat.allowed_hosts = 'a*.example';
SET mlplat.allowed_hosts = '10.0.0.300';
SET mlplat.ca_file = 'relative.crt';

-- Hosts that are not in the list; one whose addresses are not.
SET mlplat.allowed_hosts = 'api.example, *.data.example:8443, 192.0.2.0/24';
SELECT get_url('https://other.example/');
SELECT get_url('https://api.example:444/');
SELECT get_url('https://API.example.evil.example/');
SELECT get_url('https://data.example:8443/');
SELECT get_url('https://x.data.example/');
SELECT get_url('https://198.51.100.1/');
SET mlplat.allowed_hosts = '*:*';
SELECT get_url('http://127.0.0.1:1/');
SELECT get_url('http://169.254.169.254/latest/meta-data/');

-- URLs that are none.
SELECT get_url('');
SELECT get_url('data.csv');
SELECT get_url('file:///etc/passwd');
SELECT get_url('FTP://example.com/x');
SELECT get_url('https://user:secret@example.com/');
SELECT get_url('https://user@example.com/');
SELECT get_url('https://example.com/a b');
SELECT get_url(E'https://example.com/\nX: y');
SELECT get_url('https://exämple.com/');
SELECT get_url('https://example.com:0x50/');
SELECT get_url('https://example.com:99999/');
SELECT get_url('https://');
SELECT get_url('https://example.com/' || repeat('x', 9000));
SELECT get_url(NULL);
SELECT get_url('https://example.com/', NULL);
SELECT get_url('https://example.com/', '{}', NULL);

-- Options that are none: nobody is asked.
SET mlplat.allowed_hosts = 'api.example';
SELECT get_url('https://api.example/', '[]');
SELECT get_url('https://api.example/', '{"fromat": "csv"}');
SELECT get_url('https://api.example/', '{"format": "xml"}');
SELECT get_url('https://api.example/', '{"format": "json", "delimiter": ";"}');
SELECT get_url('https://api.example/', '{"format": "csv", "path": "$.x"}');
SELECT get_url('https://api.example/', '{"delimiter": 7}');
SELECT get_url('https://api.example/', '{"timeout": 0}');
SELECT get_url('https://api.example/', '{"retries": 1.5}');
SELECT get_url('https://api.example/', '{"max_bytes": -1}');
SELECT get_url('https://api.example/', '{"headers": "X: y"}');
SELECT get_url('https://api.example/', '{"headers": {"X": 5}}');
SELECT get_url('https://api.example/', '{"headers": {"X y": "z"}}');
SELECT get_url('https://api.example/', '{"headers": {"X": "a\r\nHost: b"}}');
SELECT get_url('https://api.example/', '{"headers": {"host": "b"}}');
SELECT get_url('https://api.example/', '{"headers": {"Proxy-Authorization": "b"}}');
SELECT get_url('https://api.example/', '{"pages": 3}');
SELECT get_url('https://api.example/', '{"pages": {}}');
SELECT get_url('https://api.example/', '{"pages": {"nextlink": "$.next"}}');
SELECT get_url('https://api.example/', '{"pages": {"next_link": "$.next", "page": "page"}}');
SELECT get_url('https://api.example/', '{"pages": {"cursor": "$.next"}}');
SELECT get_url('https://api.example/', '{"pages": {"param": "x", "page": "page"}}');
SELECT get_url('https://api.example/', '{"pages": {"next_link": "next"}}');
SELECT get_url('https://api.example/', '{"pages": {"next_link": "$"}}');
SELECT get_url('https://api.example/', '{"pages": {"next_link": "$.a[*]"}}');
SELECT get_url('https://api.example/', '{"pages": {"page": "a&b"}}');
SELECT get_url('https://api.example/', '{"pages": {"next_link": "$.next", "start": 3}}');
SELECT get_url('https://api.example/', '{"pages": {"page": "page", "step": 0}}');
SELECT get_url('https://api.example/', '{"token_file": "/no/such/file"}');
SELECT get_url('https://api.example/', '{"user_mapping": "no_such_server"}');
SELECT get_url('https://api.example/', '{"token_file": "/x", "user_mapping": "x"}');

-- Secrets need a server with an address, that of the URL, and encryption.
CREATE FOREIGN DATA WRAPPER regress_mlplat_web;
CREATE SERVER regress_mlplat_api FOREIGN DATA WRAPPER regress_mlplat_web;
SELECT get_url('https://api.example/', '{"user_mapping": "regress_mlplat_api"}');
ALTER SERVER regress_mlplat_api OPTIONS (ADD url 'https://other.example');
SELECT get_url('https://api.example/', '{"user_mapping": "regress_mlplat_api"}');
ALTER SERVER regress_mlplat_api OPTIONS (SET url 'http://api.example');
SELECT regexp_replace(get_url('http://api.example/', '{"user_mapping": "regress_mlplat_api"}'), 'for .*', '');
CREATE USER MAPPING FOR PUBLIC SERVER regress_mlplat_api OPTIONS ("user" 'me');
SELECT get_url('http://api.example/', '{"user_mapping": "regress_mlplat_api"}');
ALTER USER MAPPING FOR PUBLIC SERVER regress_mlplat_api OPTIONS (ADD token 'open sesame');
SELECT get_url('http://api.example/', '{"user_mapping": "regress_mlplat_api"}');
ALTER USER MAPPING FOR PUBLIC SERVER regress_mlplat_api OPTIONS (SET token 'sesame');
SELECT get_url('http://api.example/?key=sesame', '{"user_mapping": "regress_mlplat_api"}');
DROP FOREIGN DATA WRAPPER regress_mlplat_web CASCADE;

-- What failed is in the log of imports, without what may be secret.
SELECT count(*) > 50, count(*) FILTER (WHERE l::text LIKE '%sesame%') FROM mlplat.import_log l WHERE kind = 'url';
SELECT DISTINCT location FROM mlplat.import_log WHERE location LIKE '%key%' OR location LIKE '(%' ORDER BY 1;

-- Nobody may call it without a grant, or allow hosts; and it writes.
CREATE ROLE regress_mlplat_url;
GRANT USAGE ON SCHEMA mlplat TO regress_mlplat_url;
SET ROLE regress_mlplat_url;
SELECT get_url('https://api.example/');
SET mlplat.allowed_hosts = '*';
RESET ROLE;
GRANT EXECUTE ON FUNCTION mlplat.import_url TO regress_mlplat_url;
SET mlplat.allowed_hosts = 'x.example';
SET ROLE regress_mlplat_url;
SELECT get_url('https://api.example/');
SELECT get_url('https://x.example/', '{"token_file": "/etc/hostname"}');
RESET ROLE;
REVOKE ALL ON FUNCTION mlplat.import_url FROM regress_mlplat_url;
REVOKE ALL ON SCHEMA mlplat FROM regress_mlplat_url;
BEGIN READ ONLY;
SELECT get_url('https://x.example/');
ROLLBACK;
DELETE FROM mlplat.import_log WHERE kind = 'url';
DROP ROLE regress_mlplat_url;
DROP FUNCTION get_url(text, jsonb, text);
