/*
 * plot.c
 *		One drawing of a model as an SVG document of its own: the table of kinds.
 */
#include "plot/plot.h"

#include <string.h>

#include "core/param.h"
#include "plot/page.h"

#define BINARY "a binary classifier that was measured on a hold-out or by evaluate_model"
#define CLASSES "a classifier that was measured on a hold-out or by evaluate_model"
#define REGRESSION "a regression that was measured on a hold-out or by evaluate_model"
#define ITERATIONS "an algorithm that logs its iterations"

/* A kind and how it is drawn. */
typedef struct Kind
{
	MlPlotKind kind;
	MlStatus (*draw)(MlPage *page);
} Kind;

static const Kind kinds[] = {
	{{"roc", "true positive rate over false positive rate", BINARY, true}, ml_page_roc},
	{{"pr", "precision over recall", BINARY, true}, ml_page_pr},
	{{"ks", "distribution of the probability in both classes", BINARY, false}, ml_page_ks},
	{{"gain", "share of positives found over share of rows", BINARY, true}, ml_page_gain},
	{{"lift", "times more positives than at random over share of rows", BINARY, true},
	 ml_page_lift},
	{{"calibration", "observed share over predicted probability", BINARY, true},
	 ml_page_calibration},
	{{"threshold_cost", "cost of the errors over the threshold", BINARY, false}, ml_page_cost},
	{{"confusion", "rows by actual and predicted class", CLASSES, false}, ml_page_heat_map},
	{{"predicted", "predicted over actual value", REGRESSION, false}, ml_page_scatter},
	{{"residuals", "actual minus predicted over predicted value", REGRESSION, false},
	 ml_page_errors_by_prediction},
	{{"residual_histogram", "rows by size of their error", REGRESSION, false}, ml_page_errors},
	{{"importance", "share of each feature", "an algorithm that tells the importance of features",
	  false},
	 ml_page_importance},
	{{"coefficients", "coefficients with their 95 % intervals", "a linear model", false},
	 ml_page_coefficients},
	{{"tree", "a tree with its rules", "an algorithm of trees", false}, ml_page_tree},
	{{"loss", "loss over the iterations", ITERATIONS, false}, ml_page_learning_curve},
	{{"gradients", "norm of the gradient over the iterations", ITERATIONS " with gradients", false},
	 ml_page_gradients},
	{{"weights", "norm of the weights over the iterations", ITERATIONS " with weights", false},
	 ml_page_weights},
	{{"weight_distribution", "how the weights of a layer spread at the start, middle and end",
	  "a network whose log has this layer", false},
	 ml_page_weight_distribution},
	{{"cluster_sizes", "share of the rows in each cluster", "a clustering", false}, ml_page_sizes},
	{{"explained_variance", "share of the variance of each component", "a decomposition", false},
	 ml_page_variance},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

size_t
ml_plot_count(void)
{
	return N_KINDS;
}

const MlPlotKind *
ml_plot_kind(size_t index)
{
	return &kinds[index].kind;
}

size_t
ml_plot_find(const char *name)
{
	size_t i = 0;

	while (i < N_KINDS && strcmp(kinds[i].kind.name, name) != 0)
		i++;
	return i;
}

const char *
ml_plot_nearest(const char *name)
{
	const char *names[N_KINDS];

	for (size_t i = 0; i < N_KINDS; i++)
		names[i] = kinds[i].kind.name;
	return ml_nearest(name, names, N_KINDS);
}

/* Draw onto a page whose words go elsewhere. */
static MlStatus
draw(MlPage *page, const Kind *kind, const MlPlotRequest *request)
{
	MlPageModel others[ML_PAGE_OTHERS];
	size_t n;

	page->label = request->labels ? request->labels[0] : NULL;
	page->others = others;
	page->n_others = kind->kind.compares ? ML_MIN(request->n - 1, (size_t) ML_PAGE_OTHERS) : 0;
	for (size_t i = 0; i < page->n_others; i++)
		others[i] = (MlPageModel){request->labels[i + 1],
								  ml_fact_array(request->facts[i + 1], "curves", &n)};
	ML_TRY(ml_poll(page->env));
	ML_TRY(ml_page_open(page));
	ML_TRY(kind->draw(page));
	return page->words->status;
}

MlStatus
ml_plot_svg(MlEnv *env, size_t kind, const MlPlotRequest *request, MlBuffer *out, bool *drawn)
{
	size_t before = out->len;
	MlBuffer words;
	MlPage page = {.env = env,
				   .facts = request->facts[0],
				   .out = out,
				   .words = &words,
				   .subject = request->subject,
				   .cost_fp = request->cost_fp,
				   .cost_fn = request->cost_fn,
				   .layer = request->layer};
	MlStatus status;

	ml_buffer_init(&words, env);
	ml_arena_init(&page.arena, env);
	status = draw(&page, &kinds[kind], request);
	ml_arena_free(&page.arena);
	ml_buffer_free(&words);
	*drawn = out->len > before;
	return status == ML_OK ? out->status : status;
}
