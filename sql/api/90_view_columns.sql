-- ---------------------------------------------------------------- what the columns of the views are, for tools that show it
-- One text for a name, wherever it stands; where a view means something else by it, the view is named. A test finds
-- columns of views without a text. Views that come with their own comments are left as they are.

DO $do$
DECLARE
    c record;
BEGIN
    FOR c IN
        WITH help(view, name, text) AS (VALUES
            -- models and their versions
            (NULL, 'model', 'name of the model'), (NULL, 'name', 'name'), ('parameters', 'name', 'name of the option'),
            (NULL, 'owner', 'role that the model belongs to'), (NULL, 'version', 'number of the version'),
            (NULL, 'active_version', 'version that predicts when none is named; NULL: none'), (NULL, 'versions', 'number of versions'),
            (NULL, 'active', 'does this version predict when none is named?'),
            (NULL, 'algorithm', 'name of the algorithm'), (NULL, 'task', 'regression, classification, clustering, anomaly or decomposition'),
            (NULL, 'target', 'column that is predicted; NULL: none'), (NULL, 'rows', 'number of rows'),
            ('models', 'rows', 'rows that the active version was trained on'), ('model_versions', 'rows', 'rows that it was trained on'),
            ('runs', 'rows', 'rows that were trained on; of a failure, those that were read before it'),
            ('tree_nodes', 'rows', 'training rows that come to this node'), ('tree_rules', 'rows', 'training rows that the rule is true of'),
            ('confusion_matrices', 'rows', 'weight of the rows'), ('evaluations', 'rows', 'rows that were measured'), ('model_metrics', 'rows', 'rows that were measured'),
            (NULL, 'rows_dropped', 'rows without a target or weight, which were left out'), (NULL, 'rows_holdout', 'rows that were kept back to measure on'),
            (NULL, 'metric', 'name of the metric'), (NULL, 'score', 'value of the metric'), (NULL, 'metrics', 'all metrics, as an object'),
            (NULL, 'curves', 'all curves, as an object of arrays'), (NULL, 'params', 'options of the algorithm'), (NULL, 'options', 'what create_model was given'),
            (NULL, 'summary', 'what the training tells of itself'), ('algorithms', 'summary', 'what it does, in a line'),
            (NULL, 'image_bytes', 'size of the image'), (NULL, 'query', 'query whose rows were read'), (NULL, 'created_by', 'role that trained'),
            (NULL, 'created_at', 'when it was made'), (NULL, 'trained_at', 'when the active version was trained'),
            -- trainings
            (NULL, 'run_id', 'number of the training'), (NULL, 'started_at', 'when it began'), (NULL, 'seconds', 'how long it took'),
            (NULL, 'promoted', 'did the new version become the active one?'), (NULL, 'outcome', 'trained or failed'), (NULL, 'sqlstate', 'error code of a failure'),
            (NULL, 'error', 'error message of a failure'), (NULL, 'trial', 'number of the candidate'), (NULL, 'stddev', 'deviation of the score over the folds'),
            (NULL, 'fold_scores', 'score on each fold'), (NULL, 'share', 'share of the training rows that it was fitted on'),
            ('lift_curves', 'share', 'share of the rows, those with the highest scores'),
            (NULL, 'rank', 'place by the score, from 1'), (NULL, 'chosen', 'was it chosen?'),
            (NULL, 'iteration', 'number of the iteration'), (NULL, 'loss', 'loss on the training rows'), (NULL, 'valid_loss', 'loss on rows kept back for early stopping'),
            (NULL, 'gradient_norm', 'norm of the gradient'), (NULL, 'weight_norm', 'norm of the weights'), (NULL, 'step', 'length of the step'),
            (NULL, 'more', 'what else the algorithm tells'), (NULL, 'kind', 'model, layer or feature'), (NULL, 'part', 'which layer or feature; NULL: the whole model'),
            (NULL, 'pid', 'process of the training'), (NULL, 'usename', 'role that trains'), (NULL, 'datname', 'database'), (NULL, 'phase', 'what it does now'),
            ('training_progress', 'step', 'number of the phase'), (NULL, 'steps', 'number of phases'), (NULL, 'rows_read', 'rows read so far'),
            (NULL, 'of', 'iterations at most'), (NULL, 'started', 'when it began'), (NULL, 'elapsed', 'how long it has taken'), (NULL, 'remaining', 'how long it may still take'),
            -- metrics and curves
            (NULL, 'evaluation_id', 'what evaluate_model returned; NULL: measured by the training'),
            (NULL, 'data', 'holdout: rows kept back when the version was trained; training: those it was trained on, where none were kept back; query: rows given to evaluate_model'),
            (NULL, 'evaluated_by', 'role that measured'), (NULL, 'evaluated_at', 'when it was measured'), (NULL, 'value', 'its value; NULL where it is not defined'),
            (NULL, 'point', 'number of the point, from 1'), (NULL, 'threshold', 'rows with this score or a greater one are taken as positive'),
            (NULL, 'fpr', 'false positive rate'), (NULL, 'tpr', 'true positive rate'), (NULL, 'precision', 'share of the rows taken as positive that are'),
            (NULL, 'recall', 'share of the positive rows that are taken as such'), (NULL, 'cdf_negative', 'share of the negative rows with a lower score'),
            (NULL, 'cdf_positive', 'share of the positive rows with a lower score'), (NULL, 'gain', 'share of all positive rows that is among them'),
            (NULL, 'lift', 'how many times more than among as many rows at random'), (NULL, 'bin', 'number of the bin, from 1'),
            (NULL, 'predicted', 'what the model predicts'), (NULL, 'observed', 'share of positive rows'), (NULL, 'weight', 'weight of the rows'),
            (NULL, 'actual', 'what is true'), (NULL, 'residual', 'actual less predicted'),
            -- what models are made of
            (NULL, 'feature', 'name of the feature'), (NULL, 'importance', 'its share in the model'), (NULL, 'class', 'class, cluster or component that it is of'),
            (NULL, 'coefficient', 'value of the coefficient'), (NULL, 'std_error', 'its standard error'), (NULL, 'statistic', 'coefficient by standard error'),
            (NULL, 'p_value', 'probability of so great a statistic if the coefficient were zero'),
            (NULL, 'tree', 'number of the tree, from 0'), (NULL, 'node', 'number of the node, from 0, the root'), (NULL, 'parent', 'node above it'),
            (NULL, 'depth', 'nodes above it'), (NULL, 'leaf', 'is it a leaf?'), (NULL, 'rule', 'what is true of the rows that come here'),
            ('tree_nodes', 'feature', 'feature that the node splits by'), ('tree_nodes', 'threshold', 'rows with at most this go left'),
            (NULL, 'levels', 'rows with one of these go left'), (NULL, 'missing', 'where rows without a value go'), (NULL, 'impurity', 'impurity or variance of its rows'),
            ('tree_nodes', 'gain', 'what its split gains'), ('tree_nodes', 'value', 'what a row that ends here gets'), ('tree_rules', 'value', 'what a row gets that the rule is true of'),
            ('tree_nodes', 'class', 'most frequent class'), ('tree_rules', 'class', 'most frequent class'), (NULL, 'probabilities', 'share of each class'), (NULL, 'counts', 'rows of each class'),
            -- algorithms and their options
            ('algorithms', 'name', 'name of the algorithm'), (NULL, 'tasks', 'tasks that it is for'), (NULL, 'streaming', 'does it train in one pass, in parallel?'),
            (NULL, 'type', 'type of the value'), (NULL, 'default_value', 'value when it is not given'), (NULL, 'min', 'least value'), (NULL, 'max', 'greatest value'),
            (NULL, 'choices', 'words that it may be'), (NULL, 'help', 'what it does'))
        SELECT k.relname, a.attname, (SELECT h.text FROM help h WHERE h.name = a.attname AND COALESCE(h.view, k.relname) = k.relname ORDER BY h.view LIMIT 1) AS text
        FROM pg_catalog.pg_class k JOIN pg_catalog.pg_attribute a ON a.attrelid = k.oid
        WHERE k.relkind = 'v' AND k.relnamespace = 'mlplat'::regnamespace AND a.attnum > 0 AND pg_catalog.col_description(k.oid, a.attnum) IS NULL
    LOOP
        IF c.text IS NOT NULL THEN
            EXECUTE format('COMMENT ON COLUMN mlplat.%I.%I IS %L', c.relname, c.attname, c.text);
        END IF;
    END LOOP;
END $do$;
