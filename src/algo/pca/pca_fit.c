/*
 * pca_fit.c
 *		Principal components of a frame: for categorical features, whose levels the rows must tell first.
 *
 * Cross products are kept in double-double (linear/ddgram.h), row by row over the columns
 * that are not zero: no one-hot matrix is formed, and subtracting the means costs no digit.
 */
#include <string.h>

#include "algo/linear/ddgram.h"
#include "algo/pca/pca.h"

#define READ_ROWS 256
#define PRODUCTS_A_POLL 1000000

typedef struct Pass
{
	MlEnv *env;
	const MlDataset *data;
	const MlRows *rows;
	const MlDesign *design;
	MlDdGram *gram;
	double *dense;
	uint32_t *active, *column;
	double *value;
} Pass;

/* One row: the ones, the numbers, the active levels. */
static void
add_row(const Pass *p, size_t i, double weight)
{
	const MlDesign *design = p->design;
	size_t n = 0;

	p->column[n] = 0;
	p->value[n++] = 1;
	for (uint32_t c = 0; c < design->n_dense; c++)
	{
		p->column[n] = 1 + c;
		p->value[n++] = p->dense[(size_t) c * READ_ROWS + i];
	}
	for (uint32_t f = 0; f < design->n_factors; f++)
	{
		uint32_t column = p->active[(size_t) f * READ_ROWS + i];

		if (column == ML_NO_COLUMN)
			continue;
		p->column[n] = 1 + column;
		p->value[n++] = 1;
	}
	ml_ddgram_add_sparse(p->gram, p->column, p->value, n, weight);
}

static MlStatus
add_rows(const Pass *p)
{
	size_t cells = (size_t) p->design->n_dense + p->design->n_factors + 1;
	size_t rows_a_poll = 1 + PRODUCTS_A_POLL / (cells * cells);
	double w[READ_ROWS];

	for (size_t first = 0; first < p->rows->n; first += READ_ROWS)
	{
		size_t n = ML_MIN(p->rows->n - first, (size_t) READ_ROWS);

		ml_design_block(p->design, p->data, p->rows, first, n, READ_ROWS, p->dense, p->active);
		ml_dataset_weight(p->data, p->rows, first, n, w);
		for (size_t i = 0; i < n; i++)
		{
			if (i % rows_a_poll == 0)
				ML_TRY(ml_poll(p->env));
			add_row(p, i, w[i]);
		}
	}
	return ML_OK;
}

/* X'X from the cross products: less the means, in double-double, and rounded. */
static MlStatus
centre(const MlDdGram *g, MlEnv *env, MlPcaScatter *out)
{
	size_t n = out->m;
	MlDd total = ml_ddgram_at(g, 0, 0);

	out->weight = ml_dd_value(total);
	for (size_t i = 0; i < n; i++)
	{
		MlDd mean = ml_dd_div(ml_ddgram_at(g, 0, 1 + i), total);

		ML_TRY(ml_poll(env));
		out->mean[i] = ml_dd_value(mean);
		for (size_t j = 0; j < n; j++)
			out->a[i * n + j] = ml_dd_value(ml_dd_sub(ml_ddgram_at(g, 1 + i, 1 + j),
													  ml_dd_mul(mean, ml_ddgram_at(g, 0, 1 + j))));
	}
	return ML_OK;
}

static MlStatus
fit_in(Pass *p, MlArena *scratch, MlPcaScatter *scatter)
{
	const MlDesign *design = p->design;
	size_t n = design->n_columns, cells = (size_t) design->n_dense + design->n_factors + 1;

	ML_TRY(ml_ddgram_create(scratch, n + 1, &p->gram));
	p->dense = ml_arena_array(scratch, (size_t) design->n_dense + 1, READ_ROWS * sizeof(double));
	p->active =
		ml_arena_array(scratch, (size_t) design->n_factors + 1, READ_ROWS * sizeof(uint32_t));
	p->column = ml_arena_array(scratch, cells, sizeof(uint32_t));
	p->value = ml_arena_array(scratch, cells, sizeof(double));
	scatter->a = ml_arena_array(scratch, n + 1, (n + 1) * sizeof(double));
	scatter->mean = ml_arena_array(scratch, n + 1, sizeof(double));
	if (!p->dense || !p->active || !p->column || !p->value || !scatter->a || !scatter->mean)
		return ML_ENOMEM;
	scatter->m = n;
	ML_TRY(add_rows(p));
	return centre(p->gram, p->env, scatter);
}

MlStatus
ml_pca_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **model)
{
	MlDesignOptions options = {.max_levels = (uint32_t) ml_param_int(input->params, PCA_MAX_LEVELS),
							   .no_indicators = true};
	Pass pass = {.env = env, .data = input->data, .rows = &input->train};
	MlPcaScatter scatter = {.squared = true, .n_rows = input->train.n};
	MlDesign *design;
	MlArena scratch;
	MlStatus status;

	ML_TRY(ml_pca_check_options(env, input->params));
	ML_TRY(ml_design_fit(env, arena, input->data, &input->train, &options, &design));
	pass.design = design;
	ml_arena_init(&scratch, env);
	status = fit_in(&pass, &scratch, &scatter);
	if (status == ML_OK)
		status = ml_pca_make(env, arena, input->params, input->data->schema, design, &scatter,
							 report, model);
	ml_arena_free(&scratch);
	return status;
}
