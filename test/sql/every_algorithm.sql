-- What holds for each algorithm and task: the same seed gives the same image whatever the threads, a plan with
-- workers the model of one without, groups the models of their rows, and no memory stays.
CREATE TABLE every AS
    SELECT i AS id, (i * 7919 % 37)::float8 AS x, (i % 11)::float8 AS z, CASE WHEN i % 13 > 0 THEN 'level ' || i % 7 END AS c, i % 5 AS g,
           (i * 7919 % 37 * 2 + i % 11 + i * i % 17 / 10.0)::float8 AS y, i * 7919 % 37 > 18 AS flag, 'k' || i * 7919 % 37 / 13 AS k FROM generate_series(1, 1500) i;
CREATE TABLE every_case AS
    SELECT name AS algorithm, task, target, streaming, jsonb_build_object('algorithm', name, 'task', task, 'seed', 7) || coalesce(small, '{}') AS options,
           format('SELECT id, g, x, z, c%s FROM every', coalesce(', ' || target, '')) AS query
    FROM mlplat.algorithms CROSS JOIN unnest(tasks) task
         JOIN (VALUES ('regression', 'y'), ('classification', 'flag'), ('classification', 'k'), ('clustering', NULL), ('anomaly', NULL), ('decomposition', NULL)) t(of, target) ON of = task
         LEFT JOIN (SELECT algorithm, jsonb_object_agg(name, value) AS small FROM mlplat.parameters p JOIN (VALUES ('n_trees', 5), ('max_iter', 5), ('n_clusters', 3)) v(name, value) USING (name)
                    WHERE algorithm IN ('gbdt', 'forest', 'extra_trees', 'isolation_forest', 'mlp', 'kmeans') AND (name <> 'max_iter' OR algorithm = 'mlp') GROUP BY algorithm) s ON algorithm = mlplat.algorithms.name;

CREATE FUNCTION image(one every_case, query text) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE image bytea;
BEGIN
    EXECUTE format('SELECT mlplat.train(q, %L, %L) FROM (%s) q', one.target, one.options || '{"exclude": ["id", "g"]}', query) INTO image;
    RETURN image;
END $$;

-- threads
CREATE FUNCTION by_threads(one every_case) RETURNS int LANGUAGE plpgsql AS $$
DECLARE images bytea[];
BEGIN
    FOR n IN 1..3 LOOP
        PERFORM set_config('mlplat.threads', n::text, true);
        images[n] := image(one, one.query || ' ORDER BY id');
    END LOOP;
    RETURN (SELECT count(DISTINCT i) FROM unnest(images) i);
END $$;
SELECT algorithm, task, target FROM every_case e WHERE by_threads(e) <> 1 ORDER BY 1, 2, 3;

-- the largest difference of what two images say of the rows
CREATE FUNCTION difference(one every_case, a bytea, b bytea) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE d float8; face text := CASE one.task WHEN 'decomposition' THEN 'mlplat.transform(%L::bytea, q)' ELSE 'ARRAY[mlplat.predict(%L::bytea, q)]' END;
BEGIN
    EXECUTE format('SELECT max(abs(u.a - u.b)) FROM (%s) q, unnest(' || face || ', ' || face || ') u(a, b)', one.query, a, b) INTO d;
    RETURN d;
END $$;

-- workers; a resident training takes the rows in the order in which it gets them, one worker's after another's
CREATE FUNCTION in_workers(one every_case) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE serial bytea; parallel bytea; query text := replace(one.query, ', c', '');
BEGIN
    PERFORM set_config('max_parallel_workers_per_gather', '0', true);
    serial := image(one, query);
    PERFORM set_config('max_parallel_workers_per_gather', '2', true), set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true), set_config('min_parallel_table_scan_size', '0', true);
    parallel := image(one, query);
    RETURN difference(one, serial, parallel);
END $$;
SELECT algorithm, task, target FROM every_case e WHERE streaming AND NOT coalesce(in_workers(e) < 1e-9, false) ORDER BY 1, 2, 3;

-- groups
CREATE FUNCTION by_group(one every_case) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE d float8;
BEGIN
    EXECUTE format('SELECT max(difference($1, image, image($1, $1.query || '' WHERE g = '' || g || '' ORDER BY id''))) FROM (SELECT g, mlplat.train(q, %L, %L) AS image FROM (%s ORDER BY g, id) q GROUP BY g) m',
                   one.target, one.options || '{"exclude": ["id", "g"]}', one.query) INTO d USING one;
    RETURN d;
END $$;
SELECT algorithm, task, target FROM every_case e WHERE NOT coalesce(by_group(e) < 1e-9, false) ORDER BY 1, 2, 3;

-- a small budget: a model, or an error that says what to do
CREATE FUNCTION on_a_budget(one every_case) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('mlplat.training_memory', '1MB', true);
    RETURN CASE WHEN image(one, 'SELECT e.* FROM (' || one.query || ') e, generate_series(1, 10)') IS NULL THEN 'no image' END;
EXCEPTION WHEN out_of_memory THEN
    RETURN CASE WHEN sqlerrm NOT LIKE 'training needs more than its memory budget of 1 MB%' THEN sqlerrm END;
END $$;
SELECT algorithm, task, target, on_a_budget(e) FROM every_case e WHERE on_a_budget(e) IS NOT NULL ORDER BY 1, 2, 3;

-- what the session holds does not grow
CREATE FUNCTION growth(one every_case) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE early bigint;
BEGIN
    FOR i IN 1..12 LOOP
        PERFORM image(one, one.query || ' WHERE id <= 200');
        IF i = 6 THEN SELECT sum(total_bytes) INTO early FROM pg_backend_memory_contexts WHERE name LIKE 'mlplat%'; END IF;
    END LOOP;
    RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'mlplat%') - early;
END $$;
SELECT algorithm, task, target, growth(e) FROM every_case e WHERE growth(e) > 0 ORDER BY 1, 2, 3;
SELECT count(*) > 20 AS many, count(*) FILTER (WHERE streaming) > 5 AS streaming FROM every_case;

DROP FUNCTION image, by_threads, difference, in_workers, by_group, on_a_budget, growth;
DROP TABLE every_case, every;
