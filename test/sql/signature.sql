-- Functions of an older script that meet this library: those with fewer arguments, or with other columns.
CREATE SCHEMA older;
CREATE FUNCTION older.call(f regprocedure) RETURNS text LANGUAGE plpgsql AS $$
DECLARE p pg_proc; arguments text; tip text; name text;
BEGIN
    SELECT * INTO p FROM pg_proc WHERE oid = f;
    SELECT string_agg(format_type(t, NULL), ', ' ORDER BY i) INTO arguments FROM unnest(p.proargtypes) WITH ORDINALITY u(t, i) WHERE i < p.pronargs;
    EXECUTE format('CREATE FUNCTION older.%I(%s) RETURNS %s %s AS %L, %L LANGUAGE C', p.proname, arguments, CASE WHEN p.proretset THEN 'SETOF' ELSE '' END,
        format_type(p.prorettype, NULL), p.probin, p.prosrc);
    SELECT string_agg(CASE WHEN t = 'anyelement'::regtype THEN '1' ELSE 'NULL::' || CASE WHEN t = 'record'::regtype THEN 'pg_type' ELSE format_type(t, NULL) END END, ', ' ORDER BY i)
        INTO arguments FROM unnest(p.proargtypes) WITH ORDINALITY u(t, i) WHERE i < p.pronargs;
    EXECUTE format('SELECT older.%I(%s)', p.proname, arguments);
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS tip = PG_EXCEPTION_HINT;
    RETURN sqlstate || ' ' || sqlerrm || ' (' || tip || ')';
END $$;
SELECT f, older.call(f) FROM (SELECT oid::regprocedure AS f FROM pg_proc WHERE pronamespace = 'mlplat'::regnamespace AND pronargdefaults > 0 AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')) p ORDER BY f::text;
-- one column less, one more
SELECT format('CREATE FUNCTION older.algorithms(OUT a text, OUT b text, OUT c text[]) RETURNS SETOF record AS %L, %L LANGUAGE C', probin, prosrc) AS fewer,
       format('CREATE FUNCTION older.progress(%s, OUT more text) RETURNS SETOF record AS %L, %L LANGUAGE C', (SELECT string_agg('OUT c' || i || ' text', ', ') FROM generate_series(1, 16) i), probin, 'mlplat_list_training_progress') AS more
FROM pg_proc WHERE proname = 'list_algorithms' \gset
:fewer;
:more;
SELECT * FROM older.algorithms();
SELECT * FROM older.progress();
SET client_min_messages = warning;
DROP SCHEMA older CASCADE;
