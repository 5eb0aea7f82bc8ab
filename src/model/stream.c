/*
 * stream.c
 *		The streaming side of a trainer: rows into a state, states merged, the state into a model.
 *
 * A classifier's target becomes class codes, in order of appearance; two workers
 * meet levels and classes in different orders, so merging translates codes by the
 * text of the level or the value of the class. A loaded state is hostile: codes in
 * its waiting rows are checked here, its own by the algorithm.
 */
#include <math.h>
#include <string.h>

#include "model/decision.h"
#include "model/trainer_state.h"

_Static_assert(ML_MAX_STREAM_CLASSES == ML_MAX_CLASSES, "a class code fits a model");

/* All features are numbers. */
static bool
all_numeric(const MlSchema *schema)
{
	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		if (schema->features[j].categorical)
			return false;
	}
	return true;
}

bool
ml_stream_can(const MlTrainer *trainer, MlTask task)
{
	const MlAlgo *algo = trainer->spec->algo;
	const MlStreaming *streaming = algo->streaming;
	uint32_t both = ML_TASKS_WITH_TARGET;

	if (!streaming || trainer->plan || ml_decision_needs_rows(trainer->spec))
		return false;
	/* An integer may yet turn out to be a class. */
	if ((algo->tasks & both) == both && trainer->spec->auto_task &&
		trainer->target_kind == ML_TARGET_INTEGER)
		return false;
	if (task == ML_CLASSIFICATION)
		return streaming->finish_classes != NULL;
	return streaming->finish && all_numeric(trainer->schema);
}

static void
describe_stream(MlTrainer *trainer, MlTask task)
{
	trainer->streaming = trainer->spec->algo->streaming;
	trainer->stream_input.params = &trainer->spec->params;
	trainer->stream_input.n_features = trainer->schema->n_features;
	trainer->stream_input.task = task;
	trainer->stream_input.schema = trainer->schema;
}

/* The waiting block, and the table of classes. */
static MlStatus
make_room(MlTrainer *trainer)
{
	size_t p = trainer->schema->n_features;

	trainer->block_x = ml_arena_array(trainer->arena, ML_TRAINER_BLOCK * p, sizeof(double));
	trainer->block_y = ml_arena_array(trainer->arena, ML_TRAINER_BLOCK, sizeof(double));
	trainer->block_w = ml_arena_array(trainer->arena, ML_TRAINER_BLOCK, sizeof(double));
	return trainer->block_x && trainer->block_y && trainer->block_w ? ML_OK : ML_ENOMEM;
}

MlStatus
ml_stream_begin(MlTrainer *trainer, MlTask task)
{
	describe_stream(trainer, task);
	ML_TRY(make_room(trainer));
	return trainer->streaming->begin(trainer->arena, &trainer->stream_input, &trainer->stream);
}

/* ---- classes */

/* The position of the first class whose value is not less. */
static uint32_t
find_position(const MlStreamClasses *c, double value)
{
	uint32_t low = 0, high = c->n;

	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (c->value[c->order[middle]] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Room for one class more. */
static MlStatus
grow_classes(MlTrainer *trainer)
{
	MlStreamClasses *c = &trainer->classes;
	double *value;
	uint32_t *order;

	if (c->n == ML_MAX_CLASSES)
		return ml_target_too_many(trainer);
	if (c->n > 1 && (c->n & (c->n - 1)) != 0) /* room for a power of two, at least 2 */
		return ML_OK;
	value = ml_arena_array(trainer->arena, ML_MAX(2 * (size_t) c->n, 2), sizeof *value);
	order = ml_arena_array(trainer->arena, ML_MAX(2 * (size_t) c->n, 2), sizeof *order);
	if (!value || !order)
		return ML_ENOMEM;
	if (c->n > 0)
	{
		memcpy(value, c->value, c->n * sizeof *value);
		memcpy(order, c->order, c->n * sizeof *order);
	}
	c->value = value;
	c->order = order;
	return ML_OK;
}

/* The code of a target value; a new one gets the next. */
static MlStatus
class_code(MlTrainer *trainer, double y, uint32_t *code)
{
	MlStreamClasses *c = &trainer->classes;
	double value = y == 0 ? 0 : y; /* no minus zero */
	uint32_t at;

	if (c->n > 0 && c->value[c->last] == value)
	{
		*code = c->last;
		return ML_OK;
	}
	at = find_position(c, value);
	if (at == c->n || c->value[c->order[at]] != value)
	{
		ML_TRY(grow_classes(trainer));
		memmove(c->order + at + 1, c->order + at, (c->n - at) * sizeof *c->order);
		c->order[at] = c->n;
		c->value[c->n++] = value;
	}
	*code = c->last = c->order[at];
	return ML_OK;
}

/* ---- rows */

/* Give the waiting block to the streaming algorithm. */
static MlStatus
flush(MlTrainer *trainer)
{
	size_t n = trainer->n_block;

	trainer->n_block = 0;
	if (n == 0)
		return ML_OK;
	return trainer->streaming->accumulate(trainer->stream, trainer->block_x, trainer->block_y,
										  trainer->has_weight ? trainer->block_w : NULL, n);
}

MlStatus
ml_stream_add(MlTrainer *trainer, const double *raw, double y, double weight)
{
	uint32_t code;

	if (trainer->stream_input.task == ML_CLASSIFICATION)
	{
		ML_TRY(class_code(trainer, y, &code));
		y = code;
	}
	ml_schema_expand(trainer->schema, raw,
					 trainer->block_x + trainer->n_block * trainer->schema->n_features);
	trainer->block_y[trainer->n_block] = y;
	trainer->block_w[trainer->n_block] = weight;
	return ++trainer->n_block == ML_TRAINER_BLOCK ? flush(trainer) : ML_OK;
}

/* ---- merging */

/* Other's codes in ours, of levels and of classes; both dictionaries grow. */
static MlStatus
recode(MlTrainer *trainer, const MlTrainer *other, const uint32_t **levels, uint32_t *classes)
{
	const MlSchema *schema = trainer->schema;
	const uint32_t *target = NULL;

	for (uint32_t j = 0; j < schema->n_features; j++)
	{
		uint32_t input = schema->features[j].input;

		if (schema->features[j].categorical)
			ML_TRY(ml_trainer_recode(trainer, schema->inputs[input].levels,
									 other->schema->inputs[input].levels, &levels[j]));
	}
	if (trainer->target_kind == ML_TARGET_TEXT)
		ML_TRY(ml_trainer_recode(trainer, trainer->target_levels, other->target_levels, &target));
	for (uint32_t k = 0; k < other->classes.n; k++)
	{
		double value = other->classes.value[k];

		ML_TRY(class_code(trainer, target ? target[(size_t) value] : value, &classes[k]));
	}
	return ML_OK;
}

/* Other's waiting rows, in our codes, one by one: there are few. */
static MlStatus
take_waiting(MlTrainer *trainer, const MlTrainer *other, const MlRecode *codes)
{
	uint32_t p = trainer->schema->n_features;

	for (size_t i = 0; i < other->n_block; i++)
	{
		double *x = trainer->block_x + trainer->n_block * p;

		memcpy(x, other->block_x + i * p, p * sizeof(double));
		for (uint32_t j = 0; j < p && codes; j++)
		{
			if (codes->feature[j] && x[j] >= 0)
				x[j] = codes->feature[j][(size_t) x[j]];
		}
		trainer->block_y[trainer->n_block] =
			codes ? codes->classes[(size_t) other->block_y[i]] : other->block_y[i];
		trainer->block_w[trainer->n_block] = other->block_w[i];
		if (++trainer->n_block == ML_TRAINER_BLOCK)
			ML_TRY(flush(trainer));
	}
	return ML_OK;
}

MlStatus
ml_stream_merge(MlTrainer *trainer, const MlTrainer *other)
{
	uint32_t p = trainer->schema->n_features;
	const uint32_t **levels;
	uint32_t *classes;
	MlRecode codes;

	ML_TRY(flush(trainer));
	if (trainer->stream_input.task != ML_CLASSIFICATION)
	{
		ML_TRY(trainer->streaming->merge(trainer->stream, other->stream));
		return take_waiting(trainer, other, NULL);
	}
	levels = ml_arena_array(trainer->arena, p, sizeof *levels);
	classes = ml_arena_array(trainer->arena, (size_t) other->classes.n + 1, sizeof *classes);
	if (!levels || !classes)
		return ML_ENOMEM;
	ML_TRY(recode(trainer, other, levels, classes));
	codes = (MlRecode){levels, classes};
	ML_TRY(trainer->streaming->merge_codes(trainer->stream, other->stream, &codes));
	return take_waiting(trainer, other, &codes);
}

/* ---- the end */

/* The class of each code. */
static MlStatus
classes_of_codes(const MlTrainer *trainer, MlArena *arena, const MlClasses *classes, uint32_t **out)
{
	const MlStreamClasses *c = &trainer->classes;
	uint32_t *class_of = ml_arena_array(arena, (size_t) c->n + 1, sizeof *class_of);

	if (!class_of)
		return ML_ENOMEM;
	for (uint32_t at = 0; at < c->n; at++)
	{
		uint32_t code = c->order[at];

		/* Of numbers, classes->class_of goes by their rank. */
		class_of[code] = trainer->target_kind == ML_TARGET_TEXT
							 ? classes->class_of[(size_t) c->value[code]]
							 : classes->class_of[at];
	}
	*out = class_of;
	return ML_OK;
}

MlStatus
ml_stream_finish(MlTrainer *trainer, MlArena *arena, const MlClasses *classes, MlFitReport *report,
				 void **model)
{
	MlStreamEnd end = {
		.schema = trainer->schema, .n_classes = classes->n, .labels = classes->labels};
	uint32_t *class_of;

	ML_TRY(flush(trainer));
	if (classes->task != ML_CLASSIFICATION)
		return trainer->streaming->finish(trainer->stream, arena, trainer->schema, report, model);
	ML_TRY(classes_of_codes(trainer, arena, classes, &class_of));
	end.class_of = class_of;
	return trainer->streaming->finish_classes(trainer->stream, arena, &end, report, model);
}

/* ---- travelling */

/* The waiting block travels too: a saver cannot flush it. */
void
ml_stream_save(const MlTrainer *trainer, MlBuffer *out)
{
	ml_put_u8(out, (uint8_t) trainer->stream_input.task);
	ml_put_u32(out, trainer->classes.n);
	ml_put_f64_array(out, trainer->classes.value, trainer->classes.n);
	ml_put_u32(out, (uint32_t) trainer->n_block);
	ml_put_f64_array(out, trainer->block_x, trainer->n_block * trainer->schema->n_features);
	ml_put_f64_array(out, trainer->block_y, trainer->n_block);
	ml_put_f64_array(out, trainer->block_w, trainer->n_block);
	trainer->streaming->save(trainer->stream, out);
}

/* A whole number from 0 below n. */
static bool
is_code(double value, uint32_t n)
{
	return value >= 0 && value < n && value == floor(value);
}

/* The classes: distinct values, codes of levels where the target is text. */
static MlStatus
load_classes(MlReader *in, MlTrainer *trainer)
{
	uint32_t n = ml_get_count(in, sizeof(double)), code;
	bool text = trainer->target_kind == ML_TARGET_TEXT;

	ML_TRY(ml_reader_check(in, "classes of a state"));
	if (n > 0 && trainer->stream_input.task != ML_CLASSIFICATION)
		return ml_corrupt(trainer->env, "classes of a state");
	for (uint32_t k = 0; k < n; k++)
	{
		double value = ml_get_f64(in);

		if (!isfinite(value) || (text && !is_code(value, ml_dict_size(trainer->target_levels))))
			return ml_corrupt(trainer->env, "a class of a state");
		ML_TRY(class_code(trainer, value, &code));
		if (code != k)
			return ml_corrupt(trainer->env, "a class appears twice");
	}
	return ML_OK;
}

/* Are the codes in the waiting rows those of levels and classes that are there? */
static bool
sound_rows(const MlTrainer *trainer)
{
	const MlSchema *schema = trainer->schema;

	for (size_t i = 0; i < trainer->n_block; i++)
	{
		if (trainer->stream_input.task == ML_CLASSIFICATION &&
			!is_code(trainer->block_y[i], trainer->classes.n))
			return false;
		for (uint32_t j = 0; j < schema->n_features; j++)
		{
			double x = trainer->block_x[i * schema->n_features + j];

			if (schema->features[j].categorical && !isnan(x) &&
				!is_code(x, ml_dict_size(schema->inputs[schema->features[j].input].levels)))
				return false;
		}
	}
	return true;
}

/* The waiting rows. */
static MlStatus
load_block(MlReader *in, MlTrainer *trainer)
{
	size_t p = trainer->schema->n_features, n = ml_get_u32(in);
	double *x, *y, *w;

	if (n >= ML_TRAINER_BLOCK)
		return ml_corrupt(trainer->env, "waiting rows");
	x = ml_get_f64_array(in, trainer->arena, n * p);
	y = ml_get_f64_array(in, trainer->arena, n);
	w = ml_get_f64_array(in, trainer->arena, n);
	if (!x || !y || !w)
		return ml_reader_check(in, "waiting rows");
	ML_TRY(make_room(trainer));
	memcpy(trainer->block_x, x, n * p * sizeof(double));
	memcpy(trainer->block_y, y, n * sizeof(double));
	memcpy(trainer->block_w, w, n * sizeof(double));
	trainer->n_block = n;
	return sound_rows(trainer) ? ML_OK : ml_corrupt(trainer->env, "waiting rows");
}

MlStatus
ml_stream_load(MlReader *in, MlTrainer *trainer)
{
	uint8_t task = ml_get_u8(in);
	bool untargeted = trainer->target_kind == ML_TARGET_NONE;

	if (task >= ML_N_TASKS || !(trainer->spec->algo->tasks & ML_TASK_BIT(task)) ||
		untargeted == ((ML_TASK_BIT(task) & ML_TASKS_WITH_TARGET) != 0) ||
		!ml_stream_can(trainer, (MlTask) task))
		return ml_corrupt(trainer->env, "streaming state");
	describe_stream(trainer, (MlTask) task);
	ML_TRY(load_classes(in, trainer));
	ML_TRY(load_block(in, trainer));
	return trainer->streaming->load(in, trainer->arena, &trainer->stream_input, &trainer->stream);
}
