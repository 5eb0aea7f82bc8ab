/*
 * metric_rows.h
 *		The rows behind golden_metrics.h; test/golden/metrics.py makes the same.
 */
#ifndef METRIC_ROWS_H
#define METRIC_ROWS_H

#include "golden_metrics.h"
#include "unit.h"

#define N_ROWS 1000

typedef struct MetricRow
{
	int label; /* 0 or 1 */
	double p, weight;
	int actual, predicted; /* 0 to 4 */
	double y, y_hat;
} MetricRow;

static inline MetricRow
metric_row(int i)
{
	int a = i * 7919 % 101, b = (int) (i * 104729L % 1013);
	MetricRow row;

	row.label = b + 5 * a > 760;
	row.p = a / 100.0;
	row.weight = 1 + (i % 7) / 4.0;
	row.actual = i * 31 % 5;
	row.predicted = i * 17 % 10 < 7 ? row.actual : (row.actual + i % 3) % 4;
	row.y = 100 + (i * 7919 % 1009) / 10.0;
	row.y_hat = row.y + (b - 506) / 100.0;
	return row;
}

/* The golden value of a metric, of weighted rows or not. */
static inline double
golden_metric(const char *name, bool weighted)
{
	char full[150];

	snprintf(full, sizeof(full), "%s%s", name, weighted ? "_weighted_rows" : "");
	for (size_t i = 0; i < sizeof(golden_metrics) / sizeof(golden_metrics[0]); i++)
		if (strcmp(golden_metrics[i].name, full) == 0)
			return golden_metrics[i].value;
	printf("# no golden value of %s\n", full);
	unit_case_failed++;
	return NAN;
}

#endif
