/*
 * bayes_state.c
 *		Naive Bayes row by row: sums by class, which merge and travel.
 *
 * Moments of a block of rows and a class are taken in two passes and merged (Chan,
 * Golub and LeVeque 1983), so that they keep their digits whatever the offset of a
 * column. Classes and levels are known by their codes, which grow as rows come:
 * tables grow with them, and stay in the arena where they were outgrown.
 */
#include <math.h>
#include <string.h>

#include "algo/bayes/bayes.h"

#define BLOCK 256
#define CELLS_A_POLL ((size_t) 1 << 20)

/* ---- kinds of features */

/* The word that the option gives a feature, by its own name or its column's; NULL: none. */
static const char *
word_for(const MlParams *params, const MlSchema *schema, uint32_t j)
{
	const MlJson *json = params->values[BAYES_LIKELIHOOD].json;
	const MlJson *word;

	if (json->type == ML_JSON_STRING)
		return json->string;
	word = ml_json_get(json, schema->features[j].name);
	if (!word)
		word = ml_json_get(json, schema->inputs[schema->features[j].input].name);
	return word ? word->string : NULL;
}

/* What fits the column: levels for categories and booleans, a normal distribution for other numbers. */
static MlBayesKind
kind_of(const MlParams *params, const MlSchema *schema, uint32_t j)
{
	const MlFeature *feature = &schema->features[j];
	const char *word = word_for(params, schema, j);

	if (feature->categorical)
		return ML_BAYES_LEVELS;
	if (word && strcmp(word, "multinomial") == 0)
		return ML_BAYES_COUNTS;
	if (word && strcmp(word, "gaussian") == 0)
		return ML_BAYES_NORMAL;
	return schema->inputs[feature->input].width == ML_WIDTH_BOOL ? ML_BAYES_LEVELS
																 : ML_BAYES_NORMAL;
}

/* Columns that the option names are there, and are numbers. */
static MlStatus
check_columns(MlEnv *env, const MlParams *params, const MlSchema *schema)
{
	const MlJson *json = params->values[BAYES_LIKELIHOOD].json;

	for (size_t i = 0; json->type == ML_JSON_OBJECT && i < json->n; i++)
	{
		bool found = false;

		for (uint32_t j = 0; j < schema->n_features && !found; j++)
		{
			const MlFeature *feature = &schema->features[j];

			found = strcmp(feature->name, json->keys[i]) == 0 ||
					strcmp(schema->inputs[feature->input].name, json->keys[i]) == 0;
			if (found && feature->categorical)
				return ml_fail(env, ML_EINVAL,
							   "option \"likelihood\": column \"%.64s\" has levels, and is "
							   "categorical",
							   json->keys[i]);
		}
		if (!found)
			return ml_fail(env, ML_EINVAL, "option \"likelihood\": there is no column \"%.64s\"",
						   json->keys[i]);
	}
	return ML_OK;
}

/* ---- room */

/* A copy of n_rows rows of old elements, with room for more rows of wide ones. */
static void *
widen(MlArena *arena, const void *from, size_t n_rows, size_t old, size_t rows, size_t wide)
{
	char *to = ml_arena_array(arena, ML_MAX(rows, 1), wide);

	for (size_t i = 0; to && old > 0 && i < n_rows; i++)
		memcpy(to + i * wide, (const char *) from + i * old, old);
	return to;
}

MlStatus
ml_bayes_grow(MlBayesState *s, uint32_t n)
{
	size_t old = s->class_capacity, capacity = ML_MAX(2, ML_MAX(n, 2 * old));
	size_t wide = capacity * sizeof(double), was = old * sizeof(double);

	s->n_classes = ML_MAX(s->n_classes, n);
	if (n <= old)
		return ML_OK;
	s->class_weight = widen(s->arena, s->class_weight, 1, was, 1, wide);
	if (!s->class_weight)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < s->n_features; j++)
	{
		MlBayesFeature *f = &s->features[j];

		if (f->kind == ML_BAYES_NORMAL)
			f->moments = widen(s->arena, f->moments, 1, old * sizeof(MlBayesMoments), 1,
							   capacity * sizeof(MlBayesMoments));
		else
			f->sum = widen(s->arena, f->sum, f->kind == ML_BAYES_LEVELS ? f->n_levels : 1, was,
						   f->kind == ML_BAYES_LEVELS ? f->level_capacity : 1, wide);
		if (f->kind == ML_BAYES_NORMAL ? !f->moments : !f->sum)
			return ML_ENOMEM;
	}
	s->class_capacity = (uint32_t) capacity;
	return ML_OK;
}

/* Room for n levels of a feature. */
static MlStatus
grow_levels(MlBayesState *s, MlBayesFeature *f, uint32_t n)
{
	size_t row = s->class_capacity * sizeof(double),
		   capacity = ML_MAX(4, ML_MAX(n, 2 * (size_t) f->level_capacity));

	if (n > f->level_capacity)
	{
		f->sum = widen(s->arena, f->sum, f->n_levels, row, capacity, row);
		if (!f->sum)
			return ML_ENOMEM;
		f->level_capacity = (uint32_t) capacity;
	}
	f->n_levels = ML_MAX(f->n_levels, n);
	return ML_OK;
}

MlStatus
ml_bayes_begin(MlArena *arena, const MlStreamInput *input, void **state)
{
	MlBayesState *s = ml_arena_alloc(arena, sizeof *s);

	if (!s)
		return ML_ENOMEM;
	s->arena = arena;
	s->params = input->params;
	s->schema = input->schema;
	s->n_features = input->n_features;
	ML_TRY(ml_bayes_check_options(arena->env, input->params));
	ML_TRY(check_columns(arena->env, input->params, input->schema));
	s->features = ml_arena_array(arena, s->n_features, sizeof *s->features);
	if (!s->features)
		return ML_ENOMEM;
	for (uint32_t j = 0; j < s->n_features; j++)
		s->features[j].kind = kind_of(input->params, input->schema, j);
	*state = s;
	ML_TRY(ml_bayes_grow(s, 1));
	s->n_classes = 0;
	return ML_OK;
}

/* ---- accumulating */

/* A block of rows, ordered by class: row[run[i]..run[i + 1] - 1] are those of class[i]. */
typedef struct Block
{
	const double *x, *w;
	size_t stride;
	uint16_t row[BLOCK];
	uint16_t run[BLOCK + 1];
	uint32_t class[BLOCK];
	size_t n_runs;
} Block;

/* Order the rows by class: a counting sort over the classes that are there. */
static void
order_rows(const MlBayesState *s, const double *y, size_t n, Block *b)
{
	uint16_t place[ML_MAX_STREAM_CLASSES] = {0};
	uint16_t at = 0;

	for (size_t i = 0; i < n; i++)
		place[(size_t) y[i]]++;
	b->n_runs = 0;
	for (uint32_t k = 0; k < s->n_classes; k++)
	{
		uint16_t count = place[k];

		place[k] = at;
		if (count == 0)
			continue;
		b->class[b->n_runs] = k;
		b->run[b->n_runs++] = at;
		at = (uint16_t) (at + count);
	}
	b->run[b->n_runs] = at;
	for (size_t i = 0; i < n; i++)
		b->row[place[(size_t) y[i]]++] = (uint16_t) i;
}

/* Merge moments. */
static void
merge_moments(MlBayesMoments *to, const MlBayesMoments *from)
{
	double weight = to->weight + from->weight, delta = from->mean - to->mean;

	if (!(from->weight > 0))
		return;
	to->m2 += from->m2 + delta * delta * (to->weight * from->weight / weight);
	to->mean += delta * (from->weight / weight);
	to->weight = weight;
}

/* The moments of column j in a run of rows. */
static MlBayesMoments
run_moments(const Block *b, size_t run, size_t j)
{
	MlBayesMoments m = {0, 0, 0};
	double sum = 0;

	for (size_t r = b->run[run]; r < b->run[run + 1]; r++)
	{
		double value = b->x[b->row[r] * b->stride + j], w = b->w ? b->w[b->row[r]] : 1;
		bool there = value == value;

		m.weight += there ? w : 0;
		sum += there ? w * value : 0;
	}
	m.mean = m.weight > 0 ? sum / m.weight : 0;
	for (size_t r = b->run[run]; r < b->run[run + 1]; r++)
	{
		double value = b->x[b->row[r] * b->stride + j], w = b->w ? b->w[b->row[r]] : 1;
		double d = value == value ? value - m.mean : 0;

		m.m2 += w * d * d;
	}
	return m;
}

static MlStatus
bad_value(const MlBayesState *s, uint32_t j, const char *what, const char *hint)
{
	ml_fail(s->arena->env, ML_EDATA, "feature \"%s\" has %s", s->schema->features[j].name, what);
	ml_hint(s->arena->env, "%s", hint);
	return ML_EDATA;
}

static MlStatus
add_normal(MlBayesState *s, const Block *b, uint32_t j)
{
	for (size_t run = 0; run < b->n_runs; run++)
	{
		MlBayesMoments m = run_moments(b, run, j);
		MlBayesMoments *total = &s->features[j].moments[b->class[run]];

		for (size_t r = b->run[run]; !isfinite(m.mean) && r < b->run[run + 1]; r++)
		{
			if (isinf(b->x[b->row[r] * b->stride + j]))
				return bad_value(s, j, "an infinite value",
								 "Clip it in the query, or exclude the feature.");
		}
		merge_moments(total, &m);
		if (!isfinite(total->mean) || !isfinite(total->m2))
			return bad_value(s, j, "values too large to be squared",
							 "Rescale it in the query, or exclude the feature.");
	}
	return ML_OK;
}

/* Categories by their codes, booleans by 0 and 1. */
static MlStatus
add_levels(MlBayesState *s, const Block *b, uint32_t j)
{
	MlBayesFeature *f = &s->features[j];

	for (size_t run = 0; run < b->n_runs; run++)
	{
		for (size_t r = b->run[run]; r < b->run[run + 1]; r++)
		{
			double code = b->x[b->row[r] * b->stride + j];

			if (!(code >= 0))
				continue;
			if (code >= f->n_levels)
				ML_TRY(grow_levels(s, f, (uint32_t) code + 1));
			f->sum[(size_t) code * s->class_capacity + b->class[run]] += b->w ? b->w[b->row[r]] : 1;
		}
	}
	return ML_OK;
}

static MlStatus
add_counts(MlBayesState *s, const Block *b, uint32_t j)
{
	for (size_t run = 0; run < b->n_runs; run++)
	{
		for (size_t r = b->run[run]; r < b->run[run + 1]; r++)
		{
			double value = b->x[b->row[r] * b->stride + j];

			if (value < 0 || isinf(value))
				return bad_value(s, j, value < 0 ? "a negative value" : "an infinite value",
								 "Likelihood \"multinomial\" is for counts: use \"gaussian\".");
			if (value == value)
				s->features[j].sum[b->class[run]] += value * (b->w ? b->w[b->row[r]] : 1);
		}
	}
	return ML_OK;
}

static MlStatus
add_block(MlBayesState *s, const double *x, const double *y, const double *w, size_t n)
{
	Block b = {.x = x, .w = w, .stride = s->n_features};
	uint32_t most = 0;

	for (size_t i = 0; i < n; i++)
		most = ML_MAX(most, (uint32_t) y[i]);
	ML_TRY(ml_bayes_grow(s, most + 1));
	order_rows(s, y, n, &b);
	for (size_t i = 0; i < n; i++)
		s->class_weight[(size_t) y[i]] += w ? w[i] : 1;
	for (uint32_t j = 0; j < s->n_features; j++)
	{
		if ((size_t) j * BLOCK % CELLS_A_POLL == 0)
			ML_TRY(ml_poll(s->arena->env));
		switch (s->features[j].kind)
		{
			case ML_BAYES_NORMAL:
				ML_TRY(add_normal(s, &b, j));
				break;
			case ML_BAYES_LEVELS:
				ML_TRY(add_levels(s, &b, j));
				break;
			case ML_BAYES_COUNTS:
				ML_TRY(add_counts(s, &b, j));
				break;
		}
	}
	s->n_rows += n;
	return ML_OK;
}

MlStatus
ml_bayes_accumulate(void *state, const double *x, const double *y, const double *w, size_t n)
{
	MlBayesState *s = state;

	for (size_t at = 0; at < n; at += BLOCK)
		ML_TRY(add_block(s, x + at * s->n_features, y + at, w ? w + at : NULL,
						 ML_MIN(n - at, (size_t) BLOCK)));
	return ML_OK;
}

/* ---- merging */

MlStatus
ml_bayes_merge(void *state, const void *from, const MlRecode *recode)
{
	MlBayesState *s = state;
	const MlBayesState *other = from;
	uint32_t most = 0;

	for (uint32_t k = 0; k < other->n_classes; k++)
		most = ML_MAX(most, recode->classes[k] + 1);
	ML_TRY(ml_bayes_grow(s, most));
	for (uint32_t k = 0; k < other->n_classes; k++)
		s->class_weight[recode->classes[k]] += other->class_weight[k];
	for (uint32_t j = 0; j < s->n_features; j++)
	{
		MlBayesFeature *f = &s->features[j];
		const MlBayesFeature *g = &other->features[j];
		const uint32_t *level = recode->feature[j];

		for (uint32_t l = 0; f->kind == ML_BAYES_LEVELS && l < g->n_levels; l++)
			ML_TRY(grow_levels(s, f, (level ? level[l] : l) + 1));
		for (uint32_t k = 0; k < other->n_classes; k++)
		{
			uint32_t to = recode->classes[k];

			if (f->kind == ML_BAYES_NORMAL)
				merge_moments(&f->moments[to], &g->moments[k]);
			else if (f->kind == ML_BAYES_COUNTS)
				f->sum[to] += g->sum[k];
			for (uint32_t l = 0; f->kind == ML_BAYES_LEVELS && l < g->n_levels; l++)
				f->sum[(size_t) (level ? level[l] : l) * s->class_capacity + to] +=
					g->sum[(size_t) l * other->class_capacity + k];
		}
		if (j % 64 == 0)
			ML_TRY(ml_poll(s->arena->env));
	}
	s->n_rows += other->n_rows;
	return ML_OK;
}

/* ---- travelling */

void
ml_bayes_save_state(const void *state, MlBuffer *out)
{
	const MlBayesState *s = state;

	ml_put_u64(out, s->n_rows);
	ml_put_u32(out, s->n_classes);
	ml_put_f64_array(out, s->class_weight, s->n_classes);
	for (uint32_t j = 0; j < s->n_features; j++)
	{
		const MlBayesFeature *f = &s->features[j];

		for (uint32_t k = 0; f->kind == ML_BAYES_NORMAL && k < s->n_classes; k++)
			ml_put_f64_array(out, &f->moments[k].weight, 3);
		if (f->kind == ML_BAYES_COUNTS)
			ml_put_f64_array(out, f->sum, s->n_classes);
		if (f->kind != ML_BAYES_LEVELS)
			continue;
		ml_put_u32(out, f->n_levels);
		for (uint32_t l = 0; l < f->n_levels; l++)
			ml_put_f64_array(out, f->sum + (size_t) l * s->class_capacity, s->n_classes);
	}
}

/* n numbers of at least `least`, finite. */
static bool
get_numbers(MlReader *in, double *out, size_t n, double least)
{
	bool sound = true;

	for (size_t i = 0; i < n; i++)
	{
		out[i] = ml_get_f64(in);
		sound &= out[i] >= least && out[i] <= 1.7976931348623157e308;
	}
	return sound && !in->failed;
}

static MlStatus
load_feature(MlReader *in, MlBayesState *s, uint32_t j)
{
	MlBayesFeature *f = &s->features[j];
	const MlInput *input = &s->schema->inputs[s->schema->features[j].input];
	uint32_t most = s->schema->features[j].categorical ? ml_dict_size(input->levels) : 2, n;
	bool sound = true;

	for (uint32_t k = 0; f->kind == ML_BAYES_NORMAL && k < s->n_classes; k++)
		sound &= get_numbers(in, &f->moments[k].weight, 1, 0) &&
				 get_numbers(in, &f->moments[k].mean, 1, -INFINITY) &&
				 get_numbers(in, &f->moments[k].m2, 1, 0) && isfinite(f->moments[k].mean);
	if (f->kind == ML_BAYES_COUNTS)
		sound &= get_numbers(in, f->sum, s->n_classes, 0);
	if (f->kind == ML_BAYES_LEVELS)
	{
		n = ml_get_u32(in);
		if (in->failed || n > most || (double) n * s->n_classes * 8 > (double) (in->len - in->pos))
			return ml_corrupt(in->env, "levels of a naive Bayes state");
		ML_TRY(grow_levels(s, f, n));
		for (uint32_t l = 0; l < n; l++)
			sound &= get_numbers(in, f->sum + (size_t) l * s->class_capacity, s->n_classes, 0);
	}
	return sound ? ML_OK : ml_corrupt(in->env, "figures of a naive Bayes state");
}

MlStatus
ml_bayes_load_state(MlReader *in, MlArena *arena, const MlStreamInput *input, void **state)
{
	MlBayesState *s;
	uint32_t n;

	ML_TRY(ml_bayes_begin(arena, input, state));
	s = *state;
	s->n_rows = ml_get_u64(in);
	n = ml_get_count(in, sizeof(double));
	ML_TRY(ml_reader_check(in, "naive Bayes state"));
	if (n > ML_MAX_STREAM_CLASSES)
		return ml_corrupt(in->env, "classes of a naive Bayes state");
	ML_TRY(ml_bayes_grow(s, n));
	if (!get_numbers(in, s->class_weight, n, 0))
		return ml_corrupt(in->env, "classes of a naive Bayes state");
	for (uint32_t j = 0; j < s->n_features; j++)
		ML_TRY(load_feature(in, s, j));
	return ML_OK;
}
