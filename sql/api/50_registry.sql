-- ---------------------------------------------------------------- models in the registry

CREATE OR REPLACE FUNCTION mlplat.create_model(
    name text, query text, target text DEFAULT NULL, algorithm text DEFAULT 'auto', params jsonb DEFAULT '{}',
    prep jsonb DEFAULT '{}', exclude text[] DEFAULT '{}', weight text DEFAULT NULL,
    holdout float8 DEFAULT 0.2, metric text DEFAULT NULL, promote text DEFAULT 'if_better', seed int DEFAULT 0,
    continue_from text DEFAULT NULL, group_by text DEFAULT NULL, order_by text DEFAULT NULL, folds int DEFAULT 0,
    search jsonb DEFAULT NULL, time_budget float8 DEFAULT NULL)
    RETURNS mlplat.created_model
    AS 'MODULE_PATHNAME', 'mlplat_create_model' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.create_model(text, text, text, text, jsonb, jsonb, text[], text, float8, text, text, int, text, text, text, int, jsonb, float8) IS
    'train on a query, compare candidates, evaluate on a hold-out, register the version, and promote it by the rule';

CREATE OR REPLACE FUNCTION mlplat.promote_model(model text) RETURNS int
    AS 'MODULE_PATHNAME', 'mlplat_promote_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.promote_model(text) IS 'make a version the active one: promote_model(''name@3'')';

CREATE OR REPLACE FUNCTION mlplat.rollback_model(model text) RETURNS int
    AS 'MODULE_PATHNAME', 'mlplat_rollback_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.rollback_model(text) IS 'make the version active again that was active before';

CREATE OR REPLACE FUNCTION mlplat.drop_model(model text) RETURNS void
    AS 'MODULE_PATHNAME', 'mlplat_drop_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.drop_model(text) IS 'drop a model, or one version that is not active: drop_model(''name@3'')';

CREATE OR REPLACE FUNCTION mlplat.save_model(name text, image bytea) RETURNS int
    AS 'MODULE_PATHNAME', 'mlplat_save_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION mlplat.save_model(text, bytea) IS 'register an image, for instance of train, as the new active version';

-- ---------------------------------------------------------------- what can be trained

CREATE OR REPLACE FUNCTION mlplat.list_algorithms(OUT name text, OUT summary text, OUT tasks text[], OUT streaming boolean)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_list_algorithms' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.list_algorithms() IS 'the rows of the view algorithms';

CREATE OR REPLACE FUNCTION mlplat.list_parameters(OUT algorithm text, OUT name text, OUT type text,
    OUT default_value text, OUT min float8, OUT max float8, OUT choices text[], OUT help text)
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'mlplat_list_parameters' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION mlplat.list_parameters() IS 'the rows of the view parameters';

CREATE OR REPLACE VIEW mlplat.algorithms AS SELECT * FROM mlplat.list_algorithms();
COMMENT ON VIEW mlplat.algorithms IS 'the algorithms that can be trained, with the tasks that they do';

CREATE OR REPLACE VIEW mlplat.parameters AS SELECT * FROM mlplat.list_parameters();
COMMENT ON VIEW mlplat.parameters IS 'every option of every algorithm: type, default, range and meaning; algorithm NULL: of all; algorithm prep: the steps of one column in the option prep';

GRANT SELECT ON mlplat.algorithms, mlplat.parameters TO PUBLIC;
