/*
 * page_text.c
 *		What metrics mean: a label and a sentence for each, and the plain words for the headline.
 */
#include "plot/page.h"

#include <math.h>
#include <string.h>

static const MlPageMetric metric_texts[] = {
	{"roc_auc", "ROC AUC", 1,
	 "Chance that a positive row is ranked above a negative one: 0.5 is a coin toss, 1 perfect."},
	{"pr_auc", "PR AUC", 1,
	 "Precision averaged over all recalls; a random ranking gets the share of positives."},
	{"accuracy", "Accuracy", 1, "Share of rows whose class was predicted right."},
	{"balanced_accuracy", "Balanced accuracy", 1,
	 "Recall averaged over the classes, so that rare classes count as much as common ones."},
	{"precision", "Precision", 1, "Of the rows predicted positive, the share that are."},
	{"recall", "Recall", 1, "Of the rows that are positive, the share that was found."},
	{"f1", "F1", 1, "Harmonic mean of precision and recall: high only when both are."},
	{"mcc", "Matthews correlation", 1,
	 "Correlation of predicted and actual class: 0 is chance, 1 perfect."},
	{"log_loss", "Log loss", -1,
	 "Mean negative log of the probability given to what happened; punishes confident errors."},
	{"brier", "Brier score", -1, "Mean squared error of the probabilities: 0 is perfect."},
	{"ks", "KS distance", 1,
	 "Largest gap between the score distributions of the two classes: 0 none, 1 fully apart."},
	{"gini", "Gini coefficient", 1, "ROC AUC on a scale from 0 (chance) to 1 (perfect)."},
	{"rmse", "RMSE", -1,
	 "Root of the mean squared error, in the target's unit; large errors weigh more."},
	{"mae", "MAE", -1, "Mean absolute error, in the target's unit."},
	{"mse", "MSE", -1, "Mean squared error, in the target's unit squared."},
	{"mape", "MAPE", -1, "Mean absolute error as a share of the actual value."},
	{"r2", "R\xC2\xB2", 1,
	 "Share of the target's variance that is explained: 0 is as good as the mean, 1 perfect."},
	{"explained_variance", "Explained variance", 1,
	 "Like R\xC2\xB2, but a constant offset of the predictions is forgiven."},
	{"silhouette", "Silhouette", 1,
	 "How much nearer a row is to its own cluster than to the next: 1 well apart, 0 on the "
	 "border."},
	{"inertia", "Inertia", -1, "Sum of the squared distances of the rows to their centers."},
	{"explained_variance_ratio", "Explained variance", 1,
	 "Share of the columns' variance that the components hold."},
};

/* The texts of a metric; NULL: unknown. */
const MlPageMetric *
ml_page_metric_text(const char *name)
{
	for (size_t i = 0; i < sizeof(metric_texts) / sizeof(metric_texts[0]); i++)
		if (strcmp(metric_texts[i].name, name) == 0)
			return &metric_texts[i];
	return NULL;
}

/* Entropy of the actual classes: the log loss of always answering with their shares. NaN: not known. */
static double
class_entropy(const MlPage *page)
{
	double total = 0.0, sum = 0.0;
	size_t n = page->n_confusion;

	for (size_t i = 0; page->confusion && i < n * n; i++)
		total += page->confusion[i];
	if (!(total > 0.0))
		return NAN;
	for (size_t row = 0; row < n; row++)
	{
		double share = 0.0;

		for (size_t column = 0; column < n; column++)
			share += page->confusion[row * n + column] / total;
		sum -= share > 0.0 ? share * log(share) : 0.0;
	}
	return sum;
}

/* Standard deviation of the actual values in the residual sample; NaN: not known. */
static double
actual_deviation(MlPage *page)
{
	size_t n;
	const MlJson *actual = ml_fact_array(ml_json_get(page->curves, "residuals"), "actual", &n);
	double mean = 0.0, sum = 0.0;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
	{
		double value = actual->items[i].number, delta = value - mean;

		if (actual->items[i].type != ML_JSON_NUMBER)
			continue;
		/* Welford 1962 */
		mean += delta / (double) ++count;
		sum += delta * (value - mean);
	}
	return count > 1 ? sqrt(sum / (double) count) : NAN;
}

/* "87 of 100" */
static void
put_of_100(MlPage *page, double share)
{
	ml_put_format(page->words, "%.0f of 100", floor(100.0 * share + 0.5));
}

/* The sentence for accuracy, beside the answer that needs no model. */
static void
accuracy_sentence(MlPage *page, double value)
{
	size_t majority;
	double share = ml_page_majority(page, &majority);

	put_of_100(page, value);
	ml_page_raw(page, " rows are put into the right class.");
	if (isnan(share))
		return;
	ml_page_raw(page, " Always answering \xE2\x80\x9C");
	ml_page_name(page, page->confusion_labels[majority], 20.0);
	ml_page_raw(page, "\xE2\x80\x9D would be right for ");
	put_of_100(page, share);
	ml_page_raw(page, ".");
}

/* The sentence for log loss: as a probability, beside that of knowing the shares alone. */
static void
log_loss_sentence(MlPage *page, double value)
{
	double entropy = class_entropy(page);

	ml_page_raw(page, "What really happened had been given a probability of ");
	ml_page_percent(page, exp(-value));
	ml_page_raw(page, " (geometric mean)");
	if (!isnan(entropy))
	{
		ml_page_raw(page, "; going by class frequencies alone, ");
		ml_page_percent(page, exp(-entropy));
	}
	ml_page_raw(page, ".");
}

/* The sentence for the root mean squared error, beside that of always answering the mean. */
static void
rmse_sentence(MlPage *page, double value)
{
	double deviation = actual_deviation(page);

	ml_page_raw(page, "A prediction is typically off by ");
	ml_page_number(page, value, 3);
	if (!isnan(deviation))
	{
		ml_page_raw(page, "; always answering the mean would be off by ");
		ml_page_number(page, deviation, 3);
	}
	ml_page_raw(page, ".");
}

/* The sentence for the area under the ROC curve. */
static void
roc_auc_sentence(MlPage *page, double value)
{
	ml_page_raw(page, "Of a random pair with one \xE2\x80\x9C");
	ml_page_name(page, page->positive ? page->positive : "positive", 20.0);
	ml_page_raw(page, "\xE2\x80\x9D row, that row gets the higher probability in ");
	put_of_100(page, value);
	ml_page_raw(page, " cases; a coin toss would manage 50.");
}

/* What a value of a metric means, in plain words. */
void
ml_page_metric_sentence(MlPage *page, const char *metric, double value)
{
	const MlPageMetric *text = ml_page_metric_text(metric);

	if (isnan(value))
		ml_page_raw(page, "Not defined for these rows.");
	else if (strcmp(metric, "accuracy") == 0)
		accuracy_sentence(page, value);
	else if (strcmp(metric, "log_loss") == 0)
		log_loss_sentence(page, value);
	else if (strcmp(metric, "rmse") == 0)
		rmse_sentence(page, value);
	else if (strcmp(metric, "roc_auc") == 0 && page->task == ML_PAGE_BINARY)
		roc_auc_sentence(page, value);
	else if (strcmp(metric, "mae") == 0)
	{
		ml_page_raw(page, "On average a prediction is off by ");
		ml_page_number(page, value, 3);
		ml_page_raw(page, ", up or down.");
	}
	else if (strcmp(metric, "r2") == 0 && value < 0.0)
		ml_page_raw(page, "Worse than always answering the mean.");
	else if (strcmp(metric, "r2") == 0)
	{
		ml_page_raw(page, "The model explains ");
		ml_page_percent(page, value);
		ml_page_raw(page, " of the variance of ");
		ml_page_name(page, page->target ? page->target : "the target", 20.0);
		ml_page_raw(page, ".");
	}
	else if (text)
		ml_page_raw(page, text->help);
}
