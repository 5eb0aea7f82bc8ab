-- ---------------------------------------------------------------- the registry of models
--
-- A model belongs to the role that made it (owner; members of that role count as the owner); others do
-- not see it. Names are unique per owner, so that nobody learns of another's models by a clash.

CREATE TABLE mlplat.registry (
    model_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner name NOT NULL DEFAULT current_user,
    name text NOT NULL CHECK (name <> '' AND position('@' IN name) = 0 AND octet_length(name) <= 255),
    active_history int[] NOT NULL DEFAULT '{}',
    last_version int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner, name)
);
COMMENT ON TABLE mlplat.registry IS 'models: a name and which version is active';
COMMENT ON COLUMN mlplat.registry.active_history IS 'versions in the order they became active; the last one is active';

COMMENT ON COLUMN mlplat.registry.last_version IS 'the highest number given so far: that of a dropped version is not given again';

CREATE TABLE mlplat.version (
    version_id bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- never used twice: what caches go by
    model_id bigint NOT NULL, -- of mlplat.registry; no foreign key, as pg_restore -j loads the tables in any order
    version int NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by name NOT NULL DEFAULT current_user,
    query text,
    options jsonb,
    metric text,
    score double precision,
    info jsonb NOT NULL,
    image bytea NOT NULL,
    PRIMARY KEY (model_id, version)
);
ALTER TABLE mlplat.version ALTER COLUMN image SET STORAGE EXTERNAL;
COMMENT ON TABLE mlplat.version IS 'the trained images of each model';

CREATE TABLE mlplat.run (
    run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model text NOT NULL,
    version int,
    owner name NOT NULL DEFAULT current_user,
    started_at timestamptz NOT NULL,
    seconds double precision NOT NULL,
    query text NOT NULL,
    target text,
    algorithm text NOT NULL,
    options jsonb NOT NULL,
    rows bigint NOT NULL,
    rows_dropped bigint NOT NULL,
    rows_holdout bigint NOT NULL,
    metric text,
    score double precision,
    promoted boolean NOT NULL,
    outcome text NOT NULL DEFAULT 'trained' CHECK (outcome IN ('trained', 'failed')),
    sqlstate text,
    error text
);
COMMENT ON TABLE mlplat.run IS 'one line for each training by create_model, those that failed as well';
COMMENT ON COLUMN mlplat.run.rows IS 'rows that were trained on; of a failure, those that were read before it';

CREATE TABLE mlplat.trial (
    run_id bigint NOT NULL, -- of mlplat.run; no foreign key, as above
    trial int NOT NULL,
    algorithm text NOT NULL,
    params jsonb NOT NULL,
    score double precision,
    stddev double precision,
    fold_scores double precision[],
    rank int,
    share double precision,
    seconds double precision NOT NULL,
    chosen boolean NOT NULL,
    error text,
    PRIMARY KEY (run_id, trial)
);
COMMENT ON TABLE mlplat.trial IS 'one line for each candidate that a training compared';
COMMENT ON COLUMN mlplat.trial.share IS 'share of the training rows that the candidate was fitted on: less than 1 where a halving left it behind';

-- A change of the registry must reach the caches of all sessions: inserts and updates of rows do not by
-- themselves invalidate anything.
CREATE FUNCTION mlplat.registry_changed() RETURNS trigger
    AS 'MODULE_PATHNAME', 'mlplat_registry_changed' LANGUAGE C;
COMMENT ON FUNCTION mlplat.registry_changed() IS 'tells the model caches of all sessions that the registry has changed';

-- What a foreign key would do. Before the row goes, while the policies still show its versions.
CREATE FUNCTION mlplat.registry_deleted() RETURNS trigger
    AS 'MODULE_PATHNAME', 'mlplat_registry_deleted' LANGUAGE C;
COMMENT ON FUNCTION mlplat.registry_deleted() IS 'deletes the versions of a model that is deleted';
CREATE TRIGGER registry_deleted BEFORE DELETE ON mlplat.registry
    FOR EACH ROW EXECUTE FUNCTION mlplat.registry_deleted();

CREATE FUNCTION mlplat.run_deleted() RETURNS trigger
    AS 'MODULE_PATHNAME', 'mlplat_run_deleted' LANGUAGE C;
COMMENT ON FUNCTION mlplat.run_deleted() IS 'deletes the trials of a run that is deleted';
CREATE TRIGGER run_deleted BEFORE DELETE ON mlplat.run
    FOR EACH ROW EXECUTE FUNCTION mlplat.run_deleted();

CREATE TRIGGER registry_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON mlplat.registry
    FOR EACH STATEMENT EXECUTE FUNCTION mlplat.registry_changed();
CREATE TRIGGER version_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON mlplat.version
    FOR EACH STATEMENT EXECUTE FUNCTION mlplat.registry_changed();

-- Is the current role the owner, or a member of it? False for a role that is gone. One expression without a
-- sub-select and not STRICT, so that the planner puts it in the place of the call: it runs for each row.
CREATE FUNCTION mlplat.is_owner(owner name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT COALESCE(pg_catalog.pg_has_role(pg_catalog.to_regrole(pg_catalog.quote_ident(owner)), 'USAGE'), false) $$;
COMMENT ON FUNCTION mlplat.is_owner(name) IS 'is the current role this one, or a member of it?';

ALTER TABLE mlplat.registry ENABLE ROW LEVEL SECURITY;
ALTER TABLE mlplat.version ENABLE ROW LEVEL SECURITY;
ALTER TABLE mlplat.run ENABLE ROW LEVEL SECURITY;
ALTER TABLE mlplat.trial ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON mlplat.registry USING (mlplat.is_owner(owner));
-- By EXISTS, so that one version looks for its own model only.
CREATE POLICY owner ON mlplat.version USING (EXISTS (SELECT FROM mlplat.registry r WHERE r.model_id = version.model_id));
CREATE POLICY owner ON mlplat.run USING (mlplat.is_owner(owner));
CREATE POLICY owner ON mlplat.trial USING (EXISTS (SELECT FROM mlplat.run r WHERE r.run_id = trial.run_id));

GRANT USAGE ON SCHEMA mlplat TO PUBLIC;
-- Column by column: numbers that are given once, and who made what and when, are not for users to write; what
-- was trained never changes.
GRANT SELECT, DELETE ON mlplat.registry, mlplat.version, mlplat.run, mlplat.trial TO PUBLIC;
GRANT INSERT (owner, name), UPDATE (owner, name, active_history, last_version) ON mlplat.registry TO PUBLIC;
GRANT INSERT (model_id, version, query, options, metric, score, info, image) ON mlplat.version TO PUBLIC;
GRANT INSERT (model, version, started_at, seconds, query, target, algorithm, options, rows, rows_dropped, rows_holdout,
    metric, score, promoted, outcome, sqlstate, error) ON mlplat.run TO PUBLIC;
GRANT INSERT ON mlplat.trial TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('mlplat.registry', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.version', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.run', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.trial', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.registry_model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.version_version_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.run_run_id_seq', '');

-- ---------------------------------------------------------------- the registry's views
-- security_barrier: a leaky function of the reader's cannot see rows before the policy. The views run with
-- their owner's rights, so they repeat the policy. Facts come out of images, which users can make: whatever
-- they hold must not end in an error for those who see them.

CREATE VIEW mlplat.models WITH (security_barrier) AS
SELECT r.name, r.owner, v.version AS active_version,
       (SELECT count(*)::int FROM mlplat.version x WHERE x.model_id = r.model_id) AS versions,
       v.info ->> 'algorithm' AS algorithm, v.info ->> 'task' AS task, v.info ->> 'target' AS target,
       CASE jsonb_typeof(v.info -> 'rows') WHEN 'number' THEN least(greatest((v.info -> 'rows')::numeric, 0), 9e18)::bigint END AS rows,
       v.metric, v.score, v.created_at AS trained_at, r.created_at
FROM mlplat.registry r
LEFT JOIN mlplat.version v ON v.model_id = r.model_id AND v.version = r.active_history[cardinality(r.active_history)]
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.models IS 'one row a model, with its active version';

CREATE VIEW mlplat.model_versions WITH (security_barrier) AS
SELECT r.name, v.version, v.version = r.active_history[cardinality(r.active_history)] IS TRUE AS active,
       r.owner, v.info ->> 'algorithm' AS algorithm, v.info ->> 'task' AS task, v.info ->> 'target' AS target,
       CASE jsonb_typeof(v.info -> 'rows') WHEN 'number' THEN least(greatest((v.info -> 'rows')::numeric, 0), 9e18)::bigint END AS rows,
       CASE jsonb_typeof(v.info -> 'dropped') WHEN 'number' THEN least(greatest((v.info -> 'dropped')::numeric, 0), 9e18)::bigint END AS rows_dropped,
       CASE jsonb_typeof(v.info -> 'holdout_rows') WHEN 'number' THEN least(greatest((v.info -> 'holdout_rows')::numeric, 0), 9e18)::bigint END AS rows_holdout,
       v.metric, v.score, v.info -> 'metrics' AS metrics,
       v.info -> 'params' AS params, v.info -> 'summary' AS summary, octet_length(v.image) AS image_bytes,
       v.query, v.created_by, v.created_at
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.model_versions IS 'one row a trained version of a model';

CREATE VIEW mlplat.runs WITH (security_barrier) AS
SELECT run_id, model, version, owner, started_at, seconds, query, target, algorithm, options, rows, rows_dropped,
       rows_holdout, metric, score, promoted, outcome, sqlstate, error
FROM mlplat.run
WHERE mlplat.is_owner(owner);
COMMENT ON VIEW mlplat.runs IS 'one row a training by create_model, those that failed as well';

CREATE VIEW mlplat.trials WITH (security_barrier) AS
SELECT r.run_id, r.model, r.version, t.trial, t.algorithm, t.params, r.metric, t.score, t.stddev, t.fold_scores, t.share,
       t.seconds, t.rank, t.chosen, t.error
FROM mlplat.run r JOIN mlplat.trial t USING (run_id)
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.trials IS 'one row a candidate that create_model compared: its parameters, its scores on folds of the training rows, its rank';

GRANT SELECT ON mlplat.models, mlplat.model_versions, mlplat.runs, mlplat.trials TO PUBLIC;
