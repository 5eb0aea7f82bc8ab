/*
 * logistic_model.c
 *		A fitted logistic regression: prediction, explanation, bytes.
 *
 * Prediction goes straight from the feature vector: a number adds slope times
 * value, or what a missing one is worth; a factor adds the term of its level's
 * column. Terms are the coefficients with the groups of a column side by side,
 * and a row of zeros for levels without a column. They follow from the design
 * and the coefficients, so that an image stores only those.
 */
#include <math.h>
#include <string.h>

#include "algo/logistic/logistic.h"
#include "core/stats.h"

/* ---- tables */

/* Intercept of group k. */
static inline double
intercept_of(const MlLogisticModel *model, uint32_t k)
{
	return model->coef[(size_t) k * (model->design->n_columns + 1)];
}

/* Coefficient of a column of the design for group k. */
static inline double
coef_of(const MlLogisticModel *model, uint32_t k, uint32_t column)
{
	return model->terms[(size_t) column * model->n_groups + k];
}

static MlStatus
allocate_tables(MlArena *arena, MlLogisticModel *model)
{
	const MlDesign *design = model->design;
	size_t groups = model->n_groups;

	model->terms = ml_arena_array(arena, (size_t) design->n_columns + 1, groups * sizeof(double));
	model->missing = ml_arena_array(arena, design->n_numeric, groups * sizeof(double));
	model->center = ml_arena_array(arena, design->n_numeric, groups * sizeof(double));
	model->factor_mean = ml_arena_array(arena, design->n_factors, groups * sizeof(double));
	model->base = ml_arena_array(arena, groups, sizeof(double));
	if (!model->terms || !model->missing || !model->center || !model->factor_mean || !model->base)
		return ML_ENOMEM;
	return ML_OK;
}

/*
 * Worth of a missing value and mean contribution of the numbers. A missing value stands for the mean, and
 * switches the indicator on, if there is one: both come in the order of features.
 */
static void
fill_numbers(MlLogisticModel *model, uint32_t k)
{
	const MlDesign *design = model->design;
	uint32_t groups = model->n_groups, next = design->n_numeric;

	for (uint32_t j = 0; j < design->n_numeric; j++)
	{
		size_t at = (size_t) j * groups + k;
		double mean = coef_of(model, k, j) * design->columns[j].mean;

		model->missing[at] = model->center[at] = mean;
		if (next < design->n_dense && design->dense_feature[next] == design->dense_feature[j])
		{
			model->missing[at] += coef_of(model, k, next);
			model->center[at] += coef_of(model, k, next) * design->columns[next].mean;
			next++;
		}
		model->base[k] += model->center[at];
	}
}

/* Mean contribution of the factors. */
static void
fill_factors(MlLogisticModel *model, uint32_t k)
{
	const MlDesign *design = model->design;

	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		double mean = 0;

		for (uint32_t code = 0; code <= design->factor_levels[f]; code++)
		{
			uint32_t column = design->factor_column[f][code];

			if (column != ML_NO_COLUMN)
				mean += coef_of(model, k, column) * model->level_share[column - design->n_dense];
		}
		model->factor_mean[(size_t) f * model->n_groups + k] = mean;
		model->base[k] += mean;
	}
}

/* Make the tables from design, coef and level_share. */
MlStatus
ml_logistic_model_tables(MlArena *arena, MlLogisticModel *model)
{
	uint32_t groups = model->n_groups, columns = model->design->n_columns;

	ML_TRY(allocate_tables(arena, model));
	for (uint32_t k = 0; k < groups; k++)
	{
		for (uint32_t c = 0; c < columns; c++)
			model->terms[(size_t) c * groups + k] = model->coef[(size_t) k * (columns + 1) + 1 + c];
		model->base[k] = intercept_of(model, k);
		fill_numbers(model, k);
		fill_factors(model, k);
	}
	return ML_OK;
}

/* ---- going on from a model */

/* The column of a design that another one has as well, or ML_NO_COLUMN. */
static uint32_t
find_column(const MlDesign *design, const MlDesignColumn *wanted)
{
	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		uint32_t n_levels = design->factor_levels[f];

		if (design->factor_feature[f] != wanted->feature)
			continue;
		if (wanted->level == ML_DESIGN_MISSING)
			return design->factor_column[f][n_levels];
		return (uint32_t) wanted->level < n_levels ? design->factor_column[f][wanted->level]
												   : ML_NO_COLUMN;
	}
	for (uint32_t c = 0; c < design->n_dense; c++)
		if (design->columns[c].feature == wanted->feature &&
			design->columns[c].level == wanted->level)
			return c;
	return ML_NO_COLUMN;
}

/* Columns that the model does not have begin at 0. */
void
ml_logistic_take_over(const MlLogisticModel *model, const MlLogisticProblem *problem, double *b)
{
	uint32_t columns = problem->n_columns;

	for (uint32_t k = 0; k < problem->n_groups; k++)
		b[(size_t) k * columns] = problem->options.intercept ? intercept_of(model, k) : 0;
	for (uint32_t c = 0; c + 1 < columns; c++)
	{
		uint32_t from = find_column(model->design, &problem->design->columns[c]);
		bool dense = c < problem->n_dense;

		for (uint32_t k = 0; k < problem->n_groups && from != ML_NO_COLUMN; k++)
		{
			double coef = coef_of(model, k, from);

			b[(size_t) k * columns + 1 + c] = dense ? coef * problem->scale[c] : coef;
			if (dense)
				b[(size_t) k * columns] += coef * problem->center[c];
		}
	}
}

/* ---- prediction */

/* What factor f of x adds, for all groups; zeros for an unseen level, whatever its code. */
static inline const double *
factor_term(const MlLogisticModel *model, uint32_t f, const double *x)
{
	const MlDesign *design = model->design;
	uint32_t n_levels = design->factor_levels[f], column = ML_NO_COLUMN;
	double code = x[design->factor_feature[f]];

	if (code != code)
		column = design->factor_column[f][n_levels];
	else if (code >= 0 && code < n_levels)
		column = design->factor_column[f][(uint32_t) code];
	return model->terms +
		   (size_t) (column == ML_NO_COLUMN ? design->n_columns : column) * model->n_groups;
}

/* Log-odds of class 1. Two sums, so that additions overlap. */
static double
score_binary(const MlLogisticModel *model, const double *x)
{
	const MlDesign *design = model->design;
	const uint32_t *feature = design->dense_feature;
	double even = model->coef[0], odd = 0;
	uint32_t j = 0;

	for (; j + 2 <= design->n_numeric; j += 2)
	{
		double a = x[feature[j]], b = x[feature[j + 1]];

		even += a == a ? a * model->terms[j] : model->missing[j];
		odd += b == b ? b * model->terms[j + 1] : model->missing[j + 1];
	}
	if (j < design->n_numeric)
	{
		double a = x[feature[j]];

		even += a == a ? a * model->terms[j] : model->missing[j];
	}
	for (uint32_t f = 0; f < design->n_factors; f++)
		odd += *factor_term(model, f, x);
	return even + odd;
}

/* Scores of all classes. */
static void
score_classes(const MlLogisticModel *model, const double *x, double *out)
{
	const MlDesign *design = model->design;
	uint32_t groups = model->n_groups;

	for (uint32_t k = 0; k < groups; k++)
		out[k] = intercept_of(model, k);
	for (uint32_t j = 0; j < design->n_numeric; j++)
	{
		double value = x[design->dense_feature[j]];
		const double *slope = model->terms + (size_t) j * groups,
					 *missing = model->missing + (size_t) j * groups;

		for (uint32_t k = 0; k < groups; k++)
			out[k] += value == value ? value * slope[k] : missing[k];
	}
	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		const double *term = factor_term(model, f, x);

		for (uint32_t k = 0; k < groups; k++)
			out[k] += term[k];
	}
}

/* P(class 1), or the probabilities of all classes. */
void
ml_logistic_predict(const void *fitted, const double *x, double *out)
{
	const MlLogisticModel *model = fitted;
	double most, sum = 0;

	if (model->n_groups == 1)
	{
		out[0] = ml_sigmoid(score_binary(model, x));
		return;
	}
	score_classes(model, x, out);
	most = out[0];
	for (uint32_t k = 1; k < model->n_groups; k++)
		most = out[k] > most ? out[k] : most;
	for (uint32_t k = 0; k < model->n_groups; k++)
		sum += out[k] = exp(out[k] - most);
	for (uint32_t k = 0; k < model->n_groups; k++)
		out[k] /= sum;
}

void
ml_logistic_formula(const void *fitted, uint32_t k, MlFormula *formula)
{
	const MlLogisticModel *model = fitted;
	const double *coefficient = model->coef + (size_t) k * (1 + (size_t) model->design->n_columns);

	*formula = (MlFormula){model->n_groups == 1 ? ML_LINK_SIGMOID : ML_LINK_SOFTMAX,
						   intercept_of(model, k), 1, model->design, coefficient + 1};
}

/* ---- explanation */

/* What each feature adds to the score of group k, compared with an average row; base: that row's score. */
MlStatus
ml_logistic_contributions(MlEnv *env, const void *fitted, const double *x, uint32_t k,
						  double *contributions, double *base)
{
	const MlLogisticModel *model = fitted;
	const MlDesign *design = model->design;
	uint32_t groups = model->n_groups;

	(void) env;
	if (groups == 1)
		k = 0;
	for (uint32_t j = 0; j < design->n_numeric; j++)
	{
		size_t at = (size_t) j * groups + k;
		double value = x[design->dense_feature[j]];

		contributions[design->dense_feature[j]] =
			(value == value ? value * model->terms[at] : model->missing[at]) - model->center[at];
	}
	for (uint32_t f = 0; f < design->n_factors; f++)
		contributions[design->factor_feature[f]] =
			factor_term(model, f, x)[k] - model->factor_mean[(size_t) f * groups + k];
	*base = model->base[k];
	return ML_OK;
}

/* The variance, over the training rows, of what factor f adds to the score of group k. */
static double
factor_variance(const MlLogisticModel *model, uint32_t f, uint32_t k)
{
	const MlDesign *design = model->design;
	double mean = model->factor_mean[(size_t) f * model->n_groups + k], rest = 1, square = 0;

	for (uint32_t code = 0; code <= design->factor_levels[f]; code++)
	{
		uint32_t column = design->factor_column[f][code];
		double share, off;

		if (column == ML_NO_COLUMN)
			continue;
		share = model->level_share[column - design->n_dense];
		off = coef_of(model, k, column) - mean;
		square += share * off * off;
		rest -= share;
	}
	return square + fmax(rest, 0) * mean * mean;
}

/*
 * The standard deviation, over the training rows, of what each feature adds; classes are averaged. For a
 * number that is |coefficient| times its standard deviation, an indicator beside it taken as independent.
 */
void
ml_logistic_importance(const void *fitted, double *gain)
{
	const MlLogisticModel *model = fitted;
	const MlDesign *design = model->design;
	uint32_t groups = model->n_groups;

	for (uint32_t j = 0; j < design->n_numeric + design->n_factors; j++)
		gain[j] = 0;
	for (uint32_t k = 0; k < groups; k++)
	{
		uint32_t next = design->n_numeric;

		for (uint32_t j = 0; j < design->n_numeric; j++)
		{
			double deviation = coef_of(model, k, j) * design->columns[j].scale;

			if (next < design->n_dense && design->dense_feature[next] == design->dense_feature[j])
			{
				deviation = hypot(deviation, coef_of(model, k, next) * design->columns[next].scale);
				next++;
			}
			gain[design->dense_feature[j]] += fabs(deviation) / groups;
		}
		for (uint32_t f = 0; f < design->n_factors; f++)
			gain[design->factor_feature[f]] += sqrt(factor_variance(model, f, k)) / groups;
	}
}

/* Emit one coefficient; at: 0 the intercept, else a column of the design + 1. */
static MlStatus
emit_coefficient(const MlLogisticModel *model, const MlSchema *schema, uint32_t k, uint32_t at,
				 MlBuffer *name, MlCoefficientFn emit, void *arg)
{
	MlCoefficient row = {.feature = "(intercept)",
						 .class_index = model->n_groups == 1 ? -1 : (int) k};

	row.value = model->coef[(size_t) k * (model->design->n_columns + 1) + at];
	row.std_error = model->std_error ? model->std_error[at] : NAN;
	row.statistic = row.value / row.std_error;
	row.p_value = ml_normal_p_two_sided(row.statistic);
	if (at > 0)
	{
		row.feature = ml_design_name(model->design, schema, at - 1, name);
		if (!row.feature)
			return ML_ENOMEM;
	}
	return emit(arg, &row);
}

/* All coefficients, class by class, on the scale of the data. */
MlStatus
ml_logistic_coefficients(MlEnv *env, const void *fitted, const MlSchema *schema,
						 MlCoefficientFn emit, void *arg)
{
	const MlLogisticModel *model = fitted;
	MlStatus status = ML_OK;
	MlBuffer name;

	ml_buffer_init(&name, env);
	for (uint32_t k = 0; k < model->n_groups && status == ML_OK; k++)
		for (uint32_t at = model->intercept ? 0 : 1;
			 at <= model->design->n_columns && status == ML_OK; at++)
			status = emit_coefficient(model, schema, k, at, &name, emit, arg);
	ml_buffer_free(&name);
	return status;
}

/* ---- bytes */

/* Design, flags, coefficients, shares of levels, standard errors. */
void
ml_logistic_save(const void *fitted, MlBuffer *out)
{
	const MlLogisticModel *model = fitted;
	const MlDesign *design = model->design;

	ml_design_save(design, out);
	ml_put_u32(out, model->n_groups);
	ml_put_u8(out, model->intercept);
	ml_put_u8(out, model->std_error != NULL);
	ml_put_f64_array(out, model->coef, (size_t) model->n_groups * (design->n_columns + 1));
	ml_put_f64_array(out, model->level_share, design->n_columns - design->n_dense);
	if (model->std_error)
		ml_put_f64_array(out, model->std_error, (size_t) design->n_columns + 1);
}

/* Every number that prediction uses is checked here. */
static MlStatus
check_numbers(MlReader *in, const MlLogisticModel *model)
{
	const MlDesign *design = model->design;
	size_t n = (size_t) model->n_groups * (design->n_columns + 1);

	for (size_t i = 0; i < n; i++)
		if (!isfinite(model->coef[i]))
			return ml_corrupt(in->env, "logistic: a coefficient");
	for (size_t l = 0; l < design->n_columns - design->n_dense; l++)
		if (!(model->level_share[l] >= 0 && model->level_share[l] <= 1 + 1e-9))
			return ml_corrupt(in->env, "logistic: the share of a level");
	for (size_t i = 0; model->std_error && i <= design->n_columns; i++)
		if (model->std_error[i] < 0)
			return ml_corrupt(in->env, "logistic: a standard error");
	return ML_OK;
}

/* Read a model from hostile bytes. */
MlStatus
ml_logistic_load_model(MlReader *in, MlArena *arena, const MlSchema *schema, uint32_t n_outputs,
					   void **out)
{
	MlLogisticModel *model = ml_arena_alloc(arena, sizeof(*model));
	MlDesign *design;
	uint8_t intercept, errors;

	if (!model)
		return ML_ENOMEM;
	ML_TRY(ml_design_load(in, arena, schema, &design));
	model->design = design;
	model->n_groups = ml_get_u32(in);
	intercept = ml_get_u8(in);
	errors = ml_get_u8(in);
	ML_TRY(ml_reader_check(in, "logistic flags"));
	if (model->n_groups != n_outputs || model->n_groups == 2 || intercept > 1 || errors > 1 ||
		(errors && model->n_groups != 1))
		return ml_corrupt(in->env, "logistic: flags");
	model->intercept = intercept;
	if ((uint64_t) model->n_groups * (design->n_columns + 1) > in->len / sizeof(double))
		return ml_corrupt(in->env, "logistic: number of coefficients");
	model->coef = ml_get_f64_array(in, arena, (size_t) model->n_groups * (design->n_columns + 1));
	model->level_share = ml_get_f64_array(in, arena, design->n_columns - design->n_dense);
	if (errors)
		model->std_error = ml_get_f64_array(in, arena, (size_t) design->n_columns + 1);
	ML_TRY(ml_reader_check(in, "logistic coefficients"));
	if (!model->coef || !model->level_share || (errors && !model->std_error))
		return ML_ENOMEM;
	ML_TRY(check_numbers(in, model));
	ML_TRY(ml_logistic_model_tables(arena, model));
	*out = model;
	return ML_OK;
}
