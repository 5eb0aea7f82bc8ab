-- ---------------------------------------------------------------- what trainings logged, iteration by iteration
-- security_barrier, and the policy once more, as for the other views of the registry. Logs come out of images,
-- which users can make: whatever they hold must not end in an error for those who see them.

CREATE OR REPLACE FUNCTION mlplat.log_number(value jsonb) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE pg_catalog.jsonb_typeof(value) WHEN 'number' THEN
        CASE WHEN pg_catalog.abs(value::pg_catalog.numeric) BETWEEN 1e-300 AND 1e300 THEN value::pg_catalog.float8
             WHEN pg_catalog.abs(value::pg_catalog.numeric) < 1e-300 THEN 0::pg_catalog.float8 END END $$;
COMMENT ON FUNCTION mlplat.log_number(jsonb) IS 'the number of a jsonb value; NULL when it is none, or out of range';

CREATE OR REPLACE VIEW mlplat.training_log WITH (security_barrier) AS
SELECT r.name AS model, v.version, r.owner, v.info ->> 'algorithm' AS algorithm,
       COALESCE(CASE WHEN mlplat.log_number(e.line -> 'iteration') BETWEEN 0 AND 2147483647
                     THEN mlplat.log_number(e.line -> 'iteration')::int END, e.n::int) AS iteration,
       mlplat.log_number(e.line -> 'loss') AS loss, mlplat.log_number(e.line -> 'valid_loss') AS valid_loss,
       mlplat.log_number(e.line -> 'gradient_norm') AS gradient_norm, mlplat.log_number(e.line -> 'weight_norm') AS weight_norm,
       mlplat.log_number(e.line -> 'step') AS step,
       CASE jsonb_typeof(e.line) WHEN 'object'
            THEN e.line - '{iteration,loss,valid_loss,gradient_norm,weight_norm,step,layers,features}'::text[] ELSE '{}' END AS more
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id,
     LATERAL jsonb_array_elements(CASE jsonb_typeof(v.info -> 'log') WHEN 'array' THEN v.info -> 'log' ELSE '[]' END)
         WITH ORDINALITY AS e(line, n)
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.training_log IS 'one row an iteration of the training of a version: its losses, norms and step; more: what else the algorithm tells';

CREATE OR REPLACE VIEW mlplat.weight_log WITH (security_barrier) AS
SELECT r.name AS model, v.version, r.owner, v.info ->> 'algorithm' AS algorithm,
       COALESCE(CASE WHEN mlplat.log_number(e.line -> 'iteration') BETWEEN 0 AND 2147483647
                     THEN mlplat.log_number(e.line -> 'iteration')::int END, e.n::int) AS iteration,
       p.kind, p.part, mlplat.log_number(p.line -> 'gradient_norm') AS gradient_norm,
       mlplat.log_number(p.line -> 'weight_norm') AS weight_norm, mlplat.log_number(p.line -> 'step') AS step
FROM mlplat.registry r JOIN mlplat.version v ON v.model_id = r.model_id,
     LATERAL jsonb_array_elements(CASE jsonb_typeof(v.info -> 'log') WHEN 'array' THEN v.info -> 'log' ELSE '[]' END)
         WITH ORDINALITY AS e(line, n),
     LATERAL (SELECT 'model' AS kind, NULL::text AS part, e.line WHERE e.line ?| '{gradient_norm,weight_norm,step}'
              UNION ALL
              SELECT 'layer', COALESCE(l.line ->> 'layer', l.n::text), l.line
              FROM jsonb_array_elements(CASE jsonb_typeof(e.line -> 'layers') WHEN 'array' THEN e.line -> 'layers' ELSE '[]' END)
                  WITH ORDINALITY AS l(line, n)
              UNION ALL
              SELECT 'feature', COALESCE(f.line ->> 'feature', f.n::text), f.line
              FROM jsonb_array_elements(CASE jsonb_typeof(e.line -> 'features') WHEN 'array' THEN e.line -> 'features' ELSE '[]' END)
                  WITH ORDINALITY AS f(line, n)) p
WHERE mlplat.is_owner(r.owner);
COMMENT ON VIEW mlplat.weight_log IS
    'gradients and weights over a training: one row an iteration for the whole model, and one for each layer or feature that the algorithm tells';

GRANT SELECT ON mlplat.training_log, mlplat.weight_log TO PUBLIC;
