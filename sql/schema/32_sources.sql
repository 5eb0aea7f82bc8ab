-- ---------------------------------------------------------------- sources: imports that are done again and again
--
-- A source belongs to the role that made it (owner; members of that role count as the owner); others do not see it.
-- Names are unique per owner, as those of models.

CREATE TABLE mlplat.source (
    source_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner name NOT NULL DEFAULT current_user,
    name text NOT NULL CHECK (name <> '' AND octet_length(name) <= 255),
    kind text NOT NULL CHECK (kind IN ('csv', 'json', 'url', 'query')),
    location text NOT NULL,
    target text NOT NULL,
    refresh text NOT NULL CHECK (refresh IN ('replace', 'append', 'upsert')),
    key text[],
    high_water_column text,
    options jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    columns text[],
    high_water text,
    UNIQUE (owner, name),
    CHECK ((refresh = 'upsert') = (COALESCE(cardinality(key), 0) > 0)),
    CHECK (array_position(key, NULL) IS NULL),
    CHECK (CASE refresh WHEN 'append' THEN high_water_column IS NOT NULL WHEN 'replace' THEN high_water_column IS NULL ELSE true END)
);
COMMENT ON TABLE mlplat.source IS 'where a table gets its rows from, and how it is refreshed';
COMMENT ON COLUMN mlplat.source.source_id IS 'never given twice: import_log refers to it';
COMMENT ON COLUMN mlplat.source.owner IS 'the role that made it';
COMMENT ON COLUMN mlplat.source.name IS 'unique for the owner';
COMMENT ON COLUMN mlplat.source.kind IS 'which import reads it: csv, json, url or query';
COMMENT ON COLUMN mlplat.source.location IS 'path, address or query';
COMMENT ON COLUMN mlplat.source.target IS 'table that the rows go to, with its schema';
COMMENT ON COLUMN mlplat.source.refresh IS 'replace, append or upsert';
COMMENT ON COLUMN mlplat.source.key IS 'upsert: columns by which a row is found again';
COMMENT ON COLUMN mlplat.source.high_water_column IS 'column that grows: only rows from the mark on are loaded';
COMMENT ON COLUMN mlplat.source.options IS 'options of the import';
COMMENT ON COLUMN mlplat.source.created_at IS 'when it was made';
COMMENT ON COLUMN mlplat.source.columns IS 'columns of the target that the last refresh loaded; null: there was none';
COMMENT ON COLUMN mlplat.source.high_water IS 'the mark: greatest value of the column that was loaded; null: none';

ALTER TABLE mlplat.source ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON mlplat.source USING (mlplat.is_owner(owner));
GRANT SELECT, DELETE ON mlplat.source TO PUBLIC;
GRANT INSERT (name, kind, location, target, refresh, key, high_water_column, options),
    UPDATE (columns, high_water) ON mlplat.source TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('mlplat.source', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.source_source_id_seq', '');

-- The view runs with its owner's rights, so it repeats the policy. A line of the log is believed to be about a source
-- when its writer may act for the source's owner: everybody can write lines.
CREATE VIEW mlplat.sources WITH (security_barrier) AS
SELECT s.name, s.owner, s.kind, s.location, s.target, s.refresh, s.key, s.high_water_column, s.high_water, s.options,
       s.created_at, l.started_at AS refreshed_at, l.seconds, l.rows, l.rejected, l.outcome, l.error, l.import_id
FROM mlplat.source s
LEFT JOIN LATERAL (
    SELECT * FROM mlplat.import_log i
    WHERE i.source_id = s.source_id
      AND pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(i.owner)),
                                 pg_catalog.to_regrole(pg_catalog.quote_ident(s.owner)), 'MEMBER')
    ORDER BY i.import_id DESC LIMIT 1) l ON true
WHERE mlplat.is_owner(s.owner);
COMMENT ON VIEW mlplat.sources IS 'one row a source, with what became of its last refresh';
COMMENT ON COLUMN mlplat.sources.name IS 'unique for the owner';
COMMENT ON COLUMN mlplat.sources.owner IS 'the role that made it';
COMMENT ON COLUMN mlplat.sources.kind IS 'which import reads it: csv, json, url or query';
COMMENT ON COLUMN mlplat.sources.location IS 'path, address or query';
COMMENT ON COLUMN mlplat.sources.target IS 'table that the rows go to, with its schema';
COMMENT ON COLUMN mlplat.sources.refresh IS 'replace, append or upsert';
COMMENT ON COLUMN mlplat.sources.key IS 'upsert: columns by which a row is found again';
COMMENT ON COLUMN mlplat.sources.high_water_column IS 'column that grows: only rows from the mark on are loaded';
COMMENT ON COLUMN mlplat.sources.high_water IS 'the mark: greatest value of that column that was loaded; null: none';
COMMENT ON COLUMN mlplat.sources.options IS 'options of the import';
COMMENT ON COLUMN mlplat.sources.created_at IS 'when it was made';
COMMENT ON COLUMN mlplat.sources.refreshed_at IS 'when the last refresh began; null, as all that follows: there was none';
COMMENT ON COLUMN mlplat.sources.seconds IS 'how long it took';
COMMENT ON COLUMN mlplat.sources.rows IS 'rows that it inserted or updated';
COMMENT ON COLUMN mlplat.sources.rejected IS 'rows that it rejected: see import_rejects';
COMMENT ON COLUMN mlplat.sources.outcome IS 'loaded or failed';
COMMENT ON COLUMN mlplat.sources.error IS 'error message of a failure';
COMMENT ON COLUMN mlplat.sources.import_id IS 'its line in import_log';
GRANT SELECT ON mlplat.sources TO PUBLIC;
