/*
 * decision.c
 *		Class weights, calibration and threshold: what a training decides beside the fit.
 *
 * A model's own training rows look better to it than new ones do, so that maps
 * and thresholds learnt on them would be wrong. They are learnt *out of fold*:
 * the training rows are divided at random into folds, each class evenly; each
 * fold is predicted by a model of the others; the maps are fitted on all these
 * predictions, and serve the model that was trained on all rows. Where every
 * class has rows in plenty, one fold is enough: a fifth is held out, once.
 *
 * Class weights change what the algorithm sees; calibration and threshold are
 * measured on the rows as they are.
 */
#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "metric/prob_loss.h"
#include "model/decision.h"

#define BLOCK 1024
#define FOLDS 5         /* unless the option says otherwise */
#define PLENTY 5000     /* rows of each class from which on one fold is enough */
#define SEED_STREAM 101 /* of the folds, apart from other uses of the seed */

/* ---- options ---- */

/* "none", "balanced", or {"class": weight}. */
static MlStatus
check_class_weight(MlEnv *env, MlTrainSpec *spec)
{
	const MlJson *option = spec->class_weight;

	if (option->type == ML_JSON_NULL || option->type == ML_JSON_STRING)
	{
		const char *word = option->type == ML_JSON_STRING ? option->string : "none";

		spec->balanced = strcmp(word, "balanced") == 0;
		if (!spec->balanced && strcmp(word, "none") != 0)
			return ml_fail(env, ML_EINVAL,
						   "option \"class_weight\" must be none, balanced or an object with the "
						   "weight of each class, not \"%.64s\"",
						   word);
		spec->class_weight = NULL;
		return ML_OK;
	}
	if (option->type != ML_JSON_OBJECT)
		return ml_fail(env, ML_EINVAL,
					   "option \"class_weight\" must be none, balanced or an object with the "
					   "weight of each class, not %s",
					   ml_json_type_name(option->type));
	for (size_t i = 0; i < option->n; i++)
	{
		const MlJson *weight = &option->items[i];

		if (weight->type != ML_JSON_NUMBER || !(weight->number > 0 && isfinite(weight->number)))
			return ml_fail(env, ML_EINVAL,
						   "option \"class_weight\" of class \"%.64s\" must be a number above 0",
						   option->keys[i]);
	}
	return ML_OK;
}

MlStatus
ml_decision_check(MlEnv *env, MlTrainSpec *spec)
{
	ML_TRY(check_class_weight(env, spec));
	return ml_threshold_parse(env, spec->common.values[ML_TRAIN_THRESHOLD].json, &spec->threshold);
}

/* Is something to be learnt on held-out predictions? */
static bool
needs_predictions(const MlTrainSpec *spec)
{
	return spec->calibration != ML_CALIBRATION_NONE || spec->threshold.kind != ML_THRESHOLD_FIXED;
}

bool
ml_decision_needs_rows(const MlTrainSpec *spec)
{
	return needs_predictions(spec) || spec->balanced || spec->class_weight;
}

/* Regression has no classes to weigh or decide on. */
static MlStatus
refuse_regression(MlEnv *env, const MlTrainSpec *spec)
{
	if (spec->calibration != ML_CALIBRATION_NONE)
		return ml_fail(env, ML_EINVAL, "option \"calibration\" is for classification");
	if (ml_param_given(&spec->common, ML_TRAIN_THRESHOLD))
		return ml_fail(env, ML_EINVAL, "option \"threshold\" is for classification");
	return ML_OK;
}

/* ---- class weights ---- */

/* Factors that give each class the same total weight: n / (K * n_k). */
static MlStatus
balance_classes(MlArena *arena, const MlDataset *data, const MlRows *rows, double *weights)
{
	double *y = ml_arena_array(arena, BLOCK, sizeof(double));
	double *w = ml_arena_array(arena, BLOCK, sizeof(double));
	double sum = 0;

	if (!y || !w)
		return ML_ENOMEM;
	for (size_t first = 0; first < rows->n; first += BLOCK)
	{
		size_t n = ML_MIN((size_t) BLOCK, rows->n - first);

		ML_TRY(ml_poll(arena->env));
		ml_dataset_target(data, rows, first, n, y);
		ml_dataset_weight(data, rows, first, n, w);
		for (size_t i = 0; i < n; i++)
		{
			weights[(size_t) y[i]] += w[i];
			sum += w[i];
		}
	}
	for (uint32_t k = 0; k < data->n_classes; k++)
		weights[k] = weights[k] > 0 ? sum / (data->n_classes * weights[k]) : 1;
	return ML_OK;
}

/* The weights that the user gave; a class that is not named has 1. */
static MlStatus
read_class_weights(MlEnv *env, const MlJson *option, const MlClasses *classes, double *weights)
{
	for (uint32_t k = 0; k < classes->n; k++)
		weights[k] = 1;
	for (size_t i = 0; i < option->n; i++)
	{
		uint32_t k = 0;

		while (k < classes->n && strcmp(classes->labels[k], option->keys[i]) != 0)
			k++;
		if (k == classes->n)
		{
			const char *near =
				ml_nearest(option->keys[i], (const char *const *) classes->labels, classes->n);

			ml_fail(env, ML_EINVAL,
					"option \"class_weight\" names class \"%.64s\", which the data does not have",
					option->keys[i]);
			ml_hint(env, "One of its classes is \"%.64s\".", near ? near : classes->labels[0]);
			return ML_EINVAL;
		}
		weights[k] = option->items[i].number;
	}
	return ML_OK;
}

MlStatus
ml_class_weights(MlArena *arena, const MlTrainSpec *spec, const MlClasses *classes,
				 const MlDataset *data, const MlRows *rows, double **weights)
{
	*weights = NULL;
	if (classes->task != ML_CLASSIFICATION)
		return refuse_regression(arena->env, spec);
	if (!spec->balanced && !spec->class_weight)
		return ML_OK;
	*weights = ml_arena_array(arena, classes->n, sizeof(double));
	if (!*weights)
		return ML_ENOMEM;
	return spec->class_weight
			   ? read_class_weights(arena->env, spec->class_weight, classes, *weights)
			   : balance_classes(arena, data, rows, *weights);
}

/* ---- folds ---- */

/* Predictions of rows that were held out, and how they came to be. */
typedef struct HeldOut
{
	const MlTrainSpec *spec;
	const MlFitInput *fit;
	const MlSplitInput *split;
	const MlModel *model;
	MlEnv *env;
	MlArena temp;
	uint32_t n_folds, n_fits; /* fits: the first n_fits folds are predicted */
	uint8_t *fold;            /* of each row of fit->train */
	size_t n;                 /* rows predicted */
	double *probs, *actual, *weight;
} HeldOut;

/* Rows of each class in counts. */
static MlStatus
count_rows(const HeldOut *h, size_t *counts)
{
	double y[BLOCK];

	for (size_t first = 0; first < h->fit->train.n; first += BLOCK)
	{
		size_t n = ML_MIN((size_t) BLOCK, h->fit->train.n - first);

		ML_TRY(ml_poll(h->env));
		ml_dataset_target(h->fit->data, &h->fit->train, first, n, y);
		for (size_t i = 0; i < n; i++)
			counts[(size_t) y[i]]++;
	}
	return ML_OK;
}

/* How many folds, and how many of them are predicted. */
static MlStatus
choose_folds(HeldOut *h)
{
	uint32_t n_classes = h->model->n_classes, rarest = 0;
	int wish = ml_param_int(&h->spec->common, ML_TRAIN_CALIBRATION_FOLDS);
	size_t *counts = ml_arena_array(&h->temp, n_classes, sizeof(size_t));

	if (!counts)
		return ML_ENOMEM;
	ML_TRY(count_rows(h, counts));
	for (uint32_t k = 1; k < n_classes; k++)
	{
		if (counts[k] < counts[rarest])
			rarest = k;
	}
	if (counts[rarest] < 2)
		return ml_fail(h->env, ML_EDATA,
					   "calibration and threshold need two rows of each class at least; class "
					   "\"%.64s\" has %zu",
					   h->model->classes[rarest], counts[rarest]);
	h->n_folds = wish > 1 ? (uint32_t) wish : FOLDS;
	h->n_fits = wish == 1 || (wish == 0 && counts[rarest] >= PLENTY) ? 1 : h->n_folds;
	return ML_OK;
}

/* A random order of the folds. */
static void
shuffle_folds(MlRng *rng, uint8_t *order, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		order[i] = (uint8_t) i;
	for (uint32_t i = n - 1; i > 0; i--)
	{
		uint32_t j = (uint32_t) ml_rng_below(rng, i + 1);
		uint8_t swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

/* The fold of each row: every n_folds rows of one class, in their order, get all folds at random. */
static MlStatus
assign_at_random(HeldOut *h)
{
	const MlRows *rows = &h->fit->train;
	uint32_t n_classes = h->model->n_classes;
	uint8_t *order = ml_arena_array(&h->temp, (size_t) n_classes, h->n_folds);
	uint32_t *next = ml_arena_array(&h->temp, n_classes, sizeof(uint32_t));
	double y[BLOCK];
	MlRng rng;

	if (!order || !next)
		return ML_ENOMEM;
	ml_rng_seed(&rng, h->fit->seed, SEED_STREAM);
	for (size_t first = 0; first < rows->n; first += BLOCK)
	{
		size_t n = ML_MIN((size_t) BLOCK, rows->n - first);

		ML_TRY(ml_poll(h->env));
		ml_dataset_target(h->fit->data, rows, first, n, y);
		for (size_t i = 0; i < n; i++)
		{
			size_t k = (size_t) y[i];
			uint8_t *mine = order + k * h->n_folds;

			if (next[k] % h->n_folds == 0)
				shuffle_folds(&rng, mine, h->n_folds);
			h->fold[first + i] = mine[next[k]++ % h->n_folds];
		}
	}
	return ML_OK;
}

/* Whole groups to the folds; or the last fifth in order of time, once. */
static MlStatus
assign_by_column(HeldOut *h)
{
	static const double fifth[2] = {0.8, 0.2};
	const MlSplitInput *split = h->split;
	bool ordered = split->order_column >= 0;
	uint16_t *part = ml_arena_array(&h->temp, split->rows.n, sizeof(uint16_t));
	double *shares = ml_arena_array(&h->temp, h->n_folds, sizeof(double));

	if (!part || !shares)
		return ML_ENOMEM;
	for (uint32_t f = 0; f < h->n_folds; f++)
		shares[f] = 1.0 / h->n_folds;
	if (ordered)
		h->n_fits = 1;
	ML_TRY(ordered ? ml_parts_in_order(h->env, split, fifth, 2, part)
				   : ml_parts_by_group(h->env, split, shares, h->n_folds, part));
	for (size_t i = 0; i < split->rows.n; i++)
		h->fold[i] = (uint8_t) (ordered ? part[i] == 0 : part[i]);
	return ML_OK;
}

/* The fold of each row, and how many rows are predicted. */
static MlStatus
assign_folds(HeldOut *h)
{
	bool by_column = h->split->group_column >= 0 || h->split->order_column >= 0;

	h->fold = ml_arena_array(&h->temp, h->fit->train.n, 1);
	if (!h->fold)
		return ML_ENOMEM;
	ML_TRY(by_column ? assign_by_column(h) : assign_at_random(h));
	for (size_t i = 0; i < h->fit->train.n; i++)
		h->n += h->fold[i] < h->n_fits;
	return ML_OK;
}

/* The rows of a fold, and those of the others, as indexes of the frame; in one array, freed by the caller. */
static MlStatus
divide_rows(const HeldOut *h, uint32_t fold, uint32_t **index, MlRows *train, MlRows *held)
{
	const MlRows *rows = &h->fit->train;
	size_t n_held = 0, i_train = 0, i_held;

	*index = ml_alloc_array(h->env, rows->n, sizeof(uint32_t));
	if (!*index)
		return ML_ENOMEM;
	for (size_t i = 0; i < rows->n; i++)
		n_held += h->fold[i] == fold;
	i_held = rows->n - n_held;
	*train = (MlRows){*index, rows->n - n_held};
	*held = (MlRows){*index + i_held, n_held};
	for (size_t i = 0; i < rows->n; i++)
	{
		size_t to = h->fold[i] == fold ? i_held++ : i_train++;

		(*index)[to] = rows->index ? rows->index[i] : (uint32_t) i;
	}
	return ML_OK;
}

/* ---- predictions ---- */

/* Fit on the training part, predict the other into the place that begins with row first. */
static MlStatus
fit_and_predict(HeldOut *h, const MlRows *train, const MlRows *held, size_t first)
{
	MlDataset plain = *h->fit->data;
	MlFitInput input = *h->fit;
	MlModel model = *h->model;
	MlFitReport report = {0};
	MlArena arena;
	MlStatus status;

	ML_TRY(ml_check_classes(h->env, &plain, train));
	plain.class_weight = NULL;
	input.train = *train;
	model.calibration = NULL;
	ml_arena_init(&arena, h->env);
	ml_buffer_init(&report.summary, h->env);
	ml_buffer_init(&report.log, h->env);
	status = ml_model_fit(h->env, &arena, &input, &report, &model);
	if (status == ML_OK)
		status = ml_model_predict_rows(h->env, &model, h->fit->data, held,
									   h->probs + first * model.n_outputs);
	ml_buffer_free(&report.summary);
	ml_buffer_free(&report.log);
	ml_arena_free(&arena);
	ML_TRY(status);
	ml_dataset_target(&plain, held, 0, held->n, h->actual + first);
	ml_dataset_weight(&plain, held, 0, held->n, h->weight + first);
	return ML_OK;
}

/* Predict every fold that is wanted by a model of the others. */
static MlStatus
predict_folds(HeldOut *h)
{
	size_t first = 0;

	h->probs = ml_alloc_array(h->env, h->n * h->model->n_outputs, sizeof(double));
	h->actual = ml_alloc_array(h->env, h->n, sizeof(double));
	h->weight = ml_alloc_array(h->env, h->n, sizeof(double));
	if (!h->probs || !h->actual || !h->weight)
		return ML_ENOMEM;
	for (uint32_t fold = 0; fold < h->n_fits; fold++)
	{
		uint32_t *index = NULL;
		MlRows train, held;
		MlStatus status = divide_rows(h, fold, &index, &train, &held);

		ml_phase(h->env, "calibrating", (int) fold + 1, (int) h->n_fits);
		if (status == ML_OK && held.n > 0)
			status = fit_and_predict(h, &train, &held, first);
		ml_free(h->env, index);
		ML_TRY(status);
		first += held.n;
	}
	return ML_OK;
}

/* The mean log loss of the predictions. */
static double
log_loss(const HeldOut *h)
{
	uint32_t n_outputs = h->model->n_outputs;
	double sum = 0, total = 0;

	for (size_t i = 0; i < h->n; i++)
	{
		const double *p = h->probs + i * n_outputs;
		double right = n_outputs > 1 ? p[(size_t) h->actual[i]] : h->actual[i] == 1 ? *p : 1 - *p;

		sum += h->weight[i] * ml_log_loss_of(right);
		total += h->weight[i];
	}
	return sum / total;
}

/* ---- the whole ---- */

/* Fit the maps, and let the predictions pass through them. */
static MlStatus
calibrate(HeldOut *h, MlArena *arena, MlModel *model, MlJsonWriter *w)
{
	MlCalibrationRows rows = {
		.n = h->n,
		.n_outputs = model->n_outputs,
		.probs = h->probs,
		.actual = h->actual,
		.weight = h->weight,
	};

	ml_json_text(w, "calibration", ml_calibration_name(h->spec->calibration));
	ml_json_number(w, "log_loss_before", log_loss(h));
	ML_TRY(ml_calibration_fit(arena, h->spec->calibration, &rows, &model->calibration));
	for (size_t i = 0; i < h->n; i++)
	{
		if (i % BLOCK == 0)
			ML_TRY(ml_poll(h->env));
		ml_calibration_apply(model->calibration, h->probs + i * model->n_outputs);
	}
	ml_json_number(w, "log_loss_after", log_loss(h));
	return ML_OK;
}

/* The threshold that the rule asks for. */
static MlStatus
choose_threshold(const HeldOut *h, MlModel *model, MlJsonWriter *w)
{
	double score;

	ML_TRY(ml_threshold_choose(h->env, &h->spec->threshold, h->n, h->probs, h->actual, h->weight,
							   &model->threshold, &score));
	ml_json_text(w, "threshold_for", ml_threshold_name(h->spec->threshold.kind));
	ml_json_number(w, "threshold_score", score);
	return ML_OK;
}

/* Everything that is learnt on held-out predictions. */
static MlStatus
learn(HeldOut *h, MlArena *arena, MlModel *model, MlJsonWriter *w)
{
	ML_TRY(choose_folds(h));
	ML_TRY(assign_folds(h));
	ML_TRY(predict_folds(h));
	ml_json_number(w, "folds", h->n_fits);
	ml_json_number(w, "rows", (double) h->n);
	if (h->spec->calibration != ML_CALIBRATION_NONE)
		ML_TRY(calibrate(h, arena, model, w));
	if (h->spec->threshold.kind != ML_THRESHOLD_FIXED)
		ML_TRY(choose_threshold(h, model, w));
	return ML_OK;
}

MlStatus
ml_decision_fit(MlArena *arena, const MlTrainSpec *spec, const MlFitInput *fit,
				const MlSplitInput *split, MlModel *model, MlBuffer *facts)
{
	HeldOut h = {.spec = spec, .fit = fit, .split = split, .model = model, .env = arena->env};
	MlStatus status = ML_OK;
	MlJsonWriter w;

	if (model->task != ML_CLASSIFICATION)
		return ML_OK;
	if (ml_param_given(&spec->common, ML_TRAIN_THRESHOLD) && model->n_classes != 2)
		return ml_fail(arena->env, ML_EINVAL,
					   "option \"threshold\" is for two classes; the target has %u",
					   model->n_classes);
	model->threshold = spec->threshold.value;
	ml_json_writer(&w, facts);
	if (needs_predictions(spec))
	{
		ml_arena_init(&h.temp, arena->env);
		status = learn(&h, arena, model, &w);
		ml_free(arena->env, h.probs);
		ml_free(arena->env, h.actual);
		ml_free(arena->env, h.weight);
		ml_arena_free(&h.temp);
	}
	if (status == ML_OK && ml_param_given(&spec->common, ML_TRAIN_THRESHOLD))
		ml_json_number(&w, "threshold", model->threshold);
	return status == ML_OK ? facts->status : status;
}
