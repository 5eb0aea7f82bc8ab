/*
 * prepplan.c
 *		The option prep seen on the columns of a training: what is to be fitted, or what is wrong.
 *
 * prepstep.c says what is asked of each column; here they come together, with the
 * products of two.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/prep/prep_inner.h"

/* ---- products ---- */

/* The columns that may be factors, and what they want to be multiplied with. */
typedef struct Factor
{
	const char *name;
	uint32_t step;
	const MlJson *wants; /* an array of names, true, or NULL */
} Factor;

static bool
wants(const Factor *a, const Factor *b)
{
	if (!a->wants)
		return false;
	if (a->wants->type == ML_JSON_BOOL)
		return a->wants->boolean;
	for (size_t i = 0; i < a->wants->n; i++)
	{
		if (strcmp(a->wants->items[i].string, b->name) == 0)
			return true;
	}
	return false;
}

/* The names in "products" must be those of other numbers. */
static MlStatus
check_factor(const MlPrepAsked *c, const Factor *factors, size_t n, const MlJson *wanted)
{
	if (wanted->type == ML_JSON_BOOL)
		return ML_OK;
	if (wanted->type != ML_JSON_ARRAY)
		return ml_prep_refuse(c, ML_PREP_PRODUCTS, "needs an array of columns, or true",
							  "Write \"products\": [\"width\", \"depth\"].");
	for (size_t i = 0; i < wanted->n; i++)
	{
		const char *name = wanted->items[i].type == ML_JSON_STRING ? wanted->items[i].string : "";
		size_t k = 0;

		while (k < n && strcmp(factors[k].name, name) != 0)
			k++;
		if (strcmp(name, c->name) == 0)
			return ml_prep_refuse(c, ML_PREP_PRODUCTS, "is multiplied with itself",
								  "Use \"polynomial\": 2.");
		if (k < n)
			continue;
		ml_fail(c->env, ML_EINVAL,
				"option \"products\" of prep: column \"%.64s\" cannot be multiplied with \"%.64s\"",
				c->name, name);
		ml_hint(c->env, "Factors are columns of numbers that are not cut into bins.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* All pairs that one of the two wants. */
static MlStatus
add_products(const MlPrepAsked *c, const Factor *factors, size_t n)
{
	size_t capacity = 0;

	for (int pass = 0; pass < 2; pass++)
	{
		size_t count = 0;

		for (size_t i = 0; i < n; i++)
		{
			ML_TRY(ml_poll(c->env));
			for (size_t k = i + 1; k < n; k++)
			{
				if (!wants(&factors[i], &factors[k]) && !wants(&factors[k], &factors[i]))
					continue;
				if (pass > 0 && count < capacity)
					c->plan->products[count] = (MlPrepProduct){factors[i].step, factors[k].step};
				count++;
			}
		}
		if (count > ML_MAX_SLOTS)
			return ml_fail(c->env, ML_EINVAL,
						   "option \"products\" of prep asks for %zu products; "
						   "a model has at most %d features",
						   count, ML_MAX_SLOTS);
		if (pass == 0)
			c->plan->products = ml_arena_array(c->arena, count + 1, sizeof(MlPrepProduct));
		if (!c->plan->products)
			return ML_ENOMEM;
		c->plan->n_products = capacity = count;
	}
	return ML_OK;
}

/* What a number wants to be multiplied with, after its step was planned. */
static void
note_factor(const MlPrepAsked *c, Factor *factors, size_t *n)
{
	const MlPrepStep *step = c->plan->n > 0 ? &c->plan->steps[c->plan->n - 1] : NULL;

	if (!(c->class & ML_PREP_CLASS_NUMBERS) || c->input->n_slots != 1 ||
		step->column.form != ML_PREP_NUMBER)
		return;
	factors[(*n)++] =
		(Factor){c->name, (uint32_t) c->plan->n - 1, ml_prep_json_of(c, ML_PREP_PRODUCTS)};
}

/* ---- the plan ---- */

/* The options of every name must be for a column that is there. */
static MlStatus
check_names(MlEnv *env, const MlPrepSpec *spec, const MlSchema *schema)
{
	for (size_t i = 0; i < spec->n; i++)
	{
		const char *name = spec->wishes[i].name;

		if (strcmp(name, "*") == 0 || ml_schema_find(schema, name) >= 0)
			continue;
		ml_fail(env, ML_EINVAL, "option \"prep\" names column \"%.64s\", which is not a feature",
				name);
		ml_hint(env, "Target, weight and excluded columns are not prepared.");
		return ML_EINVAL;
	}
	return ML_OK;
}

/* The option as text, to compare with that of another training. */
static MlStatus
keep_options(MlArena *arena, const MlPrepSpec *spec, char **out)
{
	MlBuffer text;
	MlJsonWriter w;

	ml_buffer_init(&text, arena->env);
	ml_json_writer(&w, &text);
	if (spec->json)
		ml_json_value(&w, NULL, spec->json);
	*out = text.status == ML_OK
			   ? ml_arena_text(arena, text.len > 0 ? (const char *) text.data : "", text.len)
			   : NULL;
	ml_buffer_free(&text);
	return *out ? ML_OK : ML_ENOMEM;
}

/* What is said of the column by its name. */
static const MlParams *
own_wish(const MlPrepSpec *spec, const char *name)
{
	for (size_t i = 0; i < spec->n; i++)
	{
		if (strcmp(spec->wishes[i].name, name) == 0)
			return &spec->wishes[i].params;
	}
	return NULL;
}

/* The steps of all columns; *prepares: some of them do something. */
static MlStatus
plan_columns(MlPrepAsked *c, Factor *factors, size_t *n_factors, bool *prepares)
{
	for (uint32_t i = 0; i < c->schema->n_inputs; i++)
	{
		c->input = &c->schema->inputs[i];
		c->name = c->schema->features[c->input->first_feature].name;
		if (c->input->name[0])
			c->name = c->input->name;
		c->own = own_wish(c->spec, c->name);
		c->class = ml_prep_class(c->input->kind);
		ML_TRY(ml_poll(c->env));
		ML_TRY(ml_prep_plan_column(c));
		note_factor(c, factors, n_factors);
		*prepares |= ml_prep_is_asked(c);
	}
	return ML_OK;
}

/* The products that were asked for. */
static MlStatus
plan_products(MlPrepAsked *c, const Factor *factors, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
	{
		c->name = factors[i].name;
		if (factors[i].wants)
			ML_TRY(check_factor(c, factors, n, factors[i].wants));
		any |= factors[i].wants != NULL;
	}
	return any ? add_products(c, factors, n) : ML_OK;
}

MlStatus
ml_prep_plan_create(MlArena *arena, const MlPrepSpec *spec, MlSchema *schema, bool has_target,
					MlPrepPlan **out)
{
	MlPrepPlan *plan;
	MlPrepAsked c = {.arena = arena,
					 .env = arena->env,
					 .spec = spec,
					 .schema = schema,
					 .has_target = has_target};
	Factor *factors;
	size_t n_factors = 0;
	bool prepares = false;

	*out = NULL;
	if (!spec->json && !spec->automatic)
		return ML_OK;
	ML_TRY(check_names(arena->env, spec, schema));
	plan = c.plan = ml_arena_alloc(arena, sizeof *plan);
	factors = ml_arena_array(arena, (size_t) schema->n_inputs + 1, sizeof *factors);
	if (!plan || !factors)
		return ML_ENOMEM;
	plan->schema = schema;
	/* A date has three parts more than features. */
	plan->steps = ml_arena_array(arena, (size_t) schema->n_features + 3 * (size_t) schema->n_inputs,
								 sizeof *plan->steps);
	if (!plan->steps)
		return ML_ENOMEM;
	ML_TRY(keep_options(arena, spec, &plan->options));
	ML_TRY(plan_columns(&c, factors, &n_factors, &prepares));
	ML_TRY(plan_products(&c, factors, n_factors));
	if (prepares)
		*out = plan;
	return ML_OK;
}

MlStatus
ml_prep_plan_adopt(MlPrepPlan *plan, MlEnv *env, const MlPrep *prep, const char *model)
{
	if (strcmp(plan->options, prep->options) != 0)
	{
		ml_fail(env, ML_EINVAL, "model \"%.64s\" was prepared in another way", model);
		ml_hint(env, "Its option \"prep\" is %.400s; a continued training keeps its recipe.",
				prep->options[0] ? prep->options : "not given");
		return ML_EINVAL;
	}
	plan->adopted = prep;
	return ML_OK;
}
