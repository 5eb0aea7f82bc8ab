-- ---------------------------------------------------------------- recorded cleanings
--
-- A cleaning belongs to the role that made it, as a model does. Names are unique per owner; cleaning anew
-- under a name takes the place of what was recorded.

CREATE TABLE mlplat.cleaning (
    cleaning_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner name NOT NULL DEFAULT current_user,
    name text NOT NULL CHECK (name <> '' AND octet_length(name) <= 255),
    cleaned_at timestamptz NOT NULL DEFAULT now(),
    query text NOT NULL,
    target text NOT NULL,
    steps jsonb NOT NULL,
    recipe jsonb NOT NULL,
    changes jsonb NOT NULL,
    rows_in bigint NOT NULL,
    rows_out bigint NOT NULL,
    seconds double precision NOT NULL,
    replay_of text,
    UNIQUE (owner, name)
);
COMMENT ON TABLE mlplat.cleaning IS 'what clean and apply_cleaning have done';
COMMENT ON COLUMN mlplat.cleaning.recipe IS 'an item a step: its columns, their types, and what was fitted: with the steps, all that a replay needs';
COMMENT ON COLUMN mlplat.cleaning.replay_of IS 'the recorded cleaning that was applied; null: this one was fitted on its own rows';

ALTER TABLE mlplat.cleaning ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON mlplat.cleaning USING (mlplat.is_owner(owner));

-- Column by column: who made what is not for users to write.
GRANT SELECT, DELETE ON mlplat.cleaning TO PUBLIC;
GRANT INSERT (name, query, target, steps, recipe, changes, rows_in, rows_out, seconds, replay_of),
    UPDATE (cleaned_at, query, target, steps, recipe, changes, rows_in, rows_out, seconds, replay_of) ON mlplat.cleaning TO PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('mlplat.cleaning', '');
SELECT pg_catalog.pg_extension_config_dump('mlplat.cleaning_cleaning_id_seq', '');

CREATE VIEW mlplat.cleanings WITH (security_barrier) AS
SELECT name, owner, cleaned_at, query, target, steps, recipe AS fitted, changes, rows_in, rows_out, seconds, replay_of
FROM mlplat.cleaning
WHERE mlplat.is_owner(owner);
COMMENT ON VIEW mlplat.cleanings IS 'one row a recorded cleaning: the steps, what was fitted, and what each step changed';
COMMENT ON COLUMN mlplat.cleanings.name IS 'name of the recipe';
COMMENT ON COLUMN mlplat.cleanings.owner IS 'role that it belongs to';
COMMENT ON COLUMN mlplat.cleanings.cleaned_at IS 'when it was done';
COMMENT ON COLUMN mlplat.cleanings.query IS 'query whose rows were cleaned';
COMMENT ON COLUMN mlplat.cleanings.target IS 'table that was made';
COMMENT ON COLUMN mlplat.cleanings.steps IS 'steps as they were given';
COMMENT ON COLUMN mlplat.cleanings.fitted IS 'an item a step: its columns, their types, and what was fitted';
COMMENT ON COLUMN mlplat.cleanings.changes IS 'an item a step: rows that it saw, rows that it dropped, cells that it changed';
COMMENT ON COLUMN mlplat.cleanings.rows_in IS 'rows of the query';
COMMENT ON COLUMN mlplat.cleanings.rows_out IS 'rows of the table';
COMMENT ON COLUMN mlplat.cleanings.seconds IS 'how long it took';
COMMENT ON COLUMN mlplat.cleanings.replay_of IS 'recipe that was applied; NULL: this one was fitted on its own rows';
GRANT SELECT ON mlplat.cleanings TO PUBLIC;
