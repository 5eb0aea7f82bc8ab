-- ---------------------------------------------------------------- what evaluate_model measured

CREATE TABLE mlplat.evaluation (
    evaluation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version_id bigint NOT NULL, -- of mlplat.version; no foreign key, as pg_restore -j loads the tables in any order
    evaluated_at timestamptz NOT NULL DEFAULT now(),
    evaluated_by name NOT NULL DEFAULT current_user,
    query text NOT NULL,
    rows bigint NOT NULL,
    metric text NOT NULL,
    score double precision,
    metrics jsonb NOT NULL,
    curves jsonb NOT NULL
);
COMMENT ON TABLE mlplat.evaluation IS 'one row for each data set that a version was evaluated on';
CREATE INDEX evaluation_version_id ON mlplat.evaluation (version_id);

CREATE FUNCTION mlplat.version_deleted() RETURNS trigger
    AS 'MODULE_PATHNAME', 'mlplat_version_deleted' LANGUAGE C;
COMMENT ON FUNCTION mlplat.version_deleted() IS 'deletes the evaluations of a version that is deleted';
CREATE TRIGGER version_deleted BEFORE DELETE ON mlplat.version
    FOR EACH ROW EXECUTE FUNCTION mlplat.version_deleted();

ALTER TABLE mlplat.evaluation ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON mlplat.evaluation USING (EXISTS (SELECT FROM mlplat.version v WHERE v.version_id = evaluation.version_id));
GRANT SELECT, DELETE ON mlplat.evaluation TO PUBLIC;
GRANT INSERT (version_id, query, rows, metric, score, metrics, curves) ON mlplat.evaluation TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('mlplat.evaluation', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.evaluation_evaluation_id_seq', '');
