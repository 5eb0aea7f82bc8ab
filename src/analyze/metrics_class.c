/*
 * metrics_class.c
 *		Aggregates over (actual, predicted) labels: accuracy, balanced_accuracy, mcc, precision,
 *		recall, f1, confusion_matrix.
 *
 * Faces: both text, boolean, bigint or double precision, with the state type, so that they merge
 * anywhere; and any two types that can be compared as text (enum and text, date and date), with an
 * internal state. precision, recall and f1 take an option: an average (macro, micro, weighted) or the
 * positive label. All share their transition functions, so that several metrics over the same
 * arguments keep one state.
 *
 * Trap: labels are compared by their bytes, so two texts that only a collation calls equal differ.
 */
#include "postgres.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#include "analyze/metrics_common.h"
#include "core/json.h"
#include "metric/class_counts.h"

#define MAX_CONFUSION 1000 /* classes: a million cells */

PG_FUNCTION_INFO_V1(mlplat_class_bool_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_int_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_real_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_text_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_any_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_bool_option_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_int_option_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_real_option_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_text_option_transfn);
PG_FUNCTION_INFO_V1(mlplat_class_any_option_transfn);
PG_FUNCTION_INFO_V1(mlplat_accuracy_finalfn);
PG_FUNCTION_INFO_V1(mlplat_balanced_accuracy_finalfn);
PG_FUNCTION_INFO_V1(mlplat_mcc_finalfn);
PG_FUNCTION_INFO_V1(mlplat_precision_finalfn);
PG_FUNCTION_INFO_V1(mlplat_recall_finalfn);
PG_FUNCTION_INFO_V1(mlplat_f1_finalfn);
PG_FUNCTION_INFO_V1(mlplat_confusion_matrix_finalfn);

/* ---- the state */

static void
class_merge(void *data, const void *other, MemoryContext context)
{
	MlEnv *env = mlplat_metric_env(context);

	mlplat_check(env, ml_class_counts_merge(env, data, other));
}

static void
class_save(const void *data, MlBuffer *out)
{
	ml_class_counts_save(data, out);
}

static size_t
class_size(const void *data)
{
	return ml_class_counts_size(data);
}

static void *
class_load(MlReader *in, MemoryContext context)
{
	MlClassCounts *counts = MemoryContextAllocZero(context, sizeof(MlClassCounts));

	if (!mlplat_state_loaded(in, ml_class_counts_load(in, counts), counts))
		return NULL;
	if (counts->option)
		pg_verifymbstr(counts->option, (int) strlen(counts->option), false);
	if (counts->type == ML_LABEL_TEXT)
		for (uint32 i = 0; i < counts->n_labels; i++)
			pg_verifymbstr(counts->labels[i].label.text, (int) counts->labels[i].label.len, false);
	return counts;
}

static const MlStateKind class_kind = {
	.code = MLPLAT_STATE_CLASS_COUNTS,
	.name = "class metrics",
	.merge = class_merge,
	.save = class_save,
	.load = class_load,
	.size = class_size,
};

void
mlplat_class_metrics_register(void)
{
	mlplat_state_register(&class_kind);
}

/* ---- transition functions */

/* Add the row; argument `option` is the option (0: none), and the weight comes after the others. */
static Datum
class_add(FunctionCallInfo fcinfo, MlLabelType type, const MlLabel *actual,
		  const MlLabel *predicted, int option)
{
	double weight = mlplat_metric_weight(fcinfo, option ? option + 1 : 3);
	MlState *state = mlplat_metric_state(fcinfo, &class_kind, sizeof(MlClassCounts));
	MlEnv *env = mlplat_metric_env(mlplat_state_context(state));
	MlClassCounts *counts = state->data;

	if (counts->n_labels == 0)
		counts->type = type;
	if (counts->type != type)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("labels of different types cannot be put together")));
	if (option)
	{
		text *word = PG_GETARG_TEXT_PP(option);

		mlplat_check(env, ml_class_counts_set_option(env, counts, VARDATA_ANY(word),
													 VARSIZE_ANY_EXHDR(word)));
	}
	mlplat_check(env, ml_class_counts_add(env, counts, actual, predicted, weight));
	PG_RETURN_DATUM(MlStateGetDatum(state));
}

/* Labels of a type with bits. */
static Datum
class_bits_transfn(FunctionCallInfo fcinfo, MlLabelType type, int option)
{
	MlLabel actual = {0}, predicted = {0};

	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	actual.bits = mlplat_metric_label(fcinfo, 1, type);
	predicted.bits = mlplat_metric_label(fcinfo, 2, type);
	return class_add(fcinfo, type, &actual, &predicted, option);
}

static Datum
class_text_transfn(FunctionCallInfo fcinfo, int option)
{
	text *actual, *predicted;
	MlLabel a, p;

	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	actual = PG_GETARG_TEXT_PP(1);
	predicted = PG_GETARG_TEXT_PP(2);
	a = ml_label_text(VARDATA_ANY(actual), VARSIZE_ANY_EXHDR(actual));
	p = ml_label_text(VARDATA_ANY(predicted), VARSIZE_ANY_EXHDR(predicted));
	return class_add(fcinfo, ML_LABEL_TEXT, &a, &p, option);
}

/* How the labels of an "any" face become text; in fn_extra. */
typedef struct LabelOutput
{
	Oid type[2];
	FmgrInfo output[2];
} LabelOutput;

static bool
is_string(Oid type)
{
	char category;
	bool preferred;

	if (type == UNKNOWNOID)
		return true;
	get_type_category_preferred(type, &category, &preferred);
	return category == TYPCATEGORY_STRING;
}

static LabelOutput *
label_output(FunctionCallInfo fcinfo)
{
	LabelOutput *out = fcinfo->flinfo->fn_extra;

	if (out)
		return out;
	out = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(LabelOutput));
	for (int i = 0; i < 2; i++)
	{
		Oid function;
		bool is_varlena;

		out->type[i] = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, i + 1));
		if (!OidIsValid(out->type[i]))
			elog(ERROR, "could not determine the type of a label");
		getTypeOutputInfo(out->type[i], &function, &is_varlena);
		fmgr_info_cxt(function, &out->output[i], fcinfo->flinfo->fn_mcxt);
	}
	if (out->type[0] != out->type[1] && !is_string(out->type[0]) && !is_string(out->type[1]))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("cannot compare labels of type %s with labels of type %s",
							   format_type_be(out->type[0]), format_type_be(out->type[1])),
						errhint("Cast one of them to the type of the other, or both to text.")));
	fcinfo->flinfo->fn_extra = out;
	return out;
}

static MlLabel
label_as_text(FunctionCallInfo fcinfo, LabelOutput *out, int arg)
{
	Datum value = PG_GETARG_DATUM(arg);
	char *label;
	size_t len;

	/* As casts to text do it: true and false in full, no trailing blanks of character(n). */
	if (out->type[arg - 1] == BOOLOID)
		label = DatumGetBool(value) ? "true" : "false";
	else
		label = OutputFunctionCall(&out->output[arg - 1], value);
	len = strlen(label);
	if (out->type[arg - 1] == BPCHAROID)
		while (len > 0 && label[len - 1] == ' ')
			len--;
	return ml_label_text(label, len);
}

static Datum
class_any_transfn(FunctionCallInfo fcinfo, int option)
{
	LabelOutput *out = label_output(fcinfo);
	MlLabel actual, predicted;

	if (mlplat_metric_skips(fcinfo))
		return mlplat_return_state(fcinfo);
	actual = label_as_text(fcinfo, out, 1);
	predicted = label_as_text(fcinfo, out, 2);
	return class_add(fcinfo, ML_LABEL_TEXT, &actual, &predicted, option);
}

Datum
mlplat_class_bool_transfn(PG_FUNCTION_ARGS)
{
	return class_bits_transfn(fcinfo, ML_LABEL_BOOL, 0);
}

Datum
mlplat_class_int_transfn(PG_FUNCTION_ARGS)
{
	return class_bits_transfn(fcinfo, ML_LABEL_INT, 0);
}

Datum
mlplat_class_real_transfn(PG_FUNCTION_ARGS)
{
	return class_bits_transfn(fcinfo, ML_LABEL_REAL, 0);
}

Datum
mlplat_class_text_transfn(PG_FUNCTION_ARGS)
{
	return class_text_transfn(fcinfo, 0);
}

Datum
mlplat_class_any_transfn(PG_FUNCTION_ARGS)
{
	return class_any_transfn(fcinfo, 0);
}

Datum
mlplat_class_bool_option_transfn(PG_FUNCTION_ARGS)
{
	return class_bits_transfn(fcinfo, ML_LABEL_BOOL, 3);
}

Datum
mlplat_class_int_option_transfn(PG_FUNCTION_ARGS)
{
	return class_bits_transfn(fcinfo, ML_LABEL_INT, 3);
}

Datum
mlplat_class_real_option_transfn(PG_FUNCTION_ARGS)
{
	return class_bits_transfn(fcinfo, ML_LABEL_REAL, 3);
}

Datum
mlplat_class_text_option_transfn(PG_FUNCTION_ARGS)
{
	return class_text_transfn(fcinfo, 3);
}

Datum
mlplat_class_any_option_transfn(PG_FUNCTION_ARGS)
{
	return class_any_transfn(fcinfo, 3);
}

/* ---- final functions */

static const MlClassCounts *
class_counts(FunctionCallInfo fcinfo)
{
	return mlplat_state_get_ro(PG_GETARG_DATUM(0), &class_kind)->data;
}

static Datum
class_result(FunctionCallInfo fcinfo, double (*metric)(const MlClassTotals *))
{
	const MlClassCounts *counts = class_counts(fcinfo);
	MlEnv *env = mlplat_metric_env(CurrentMemoryContext);
	MlClassTotals totals;
	double value;

	mlplat_check(env, ml_class_counts_totals(env, counts, &totals));
	if (isinf(totals.total))
		float_overflow_error();
	value = metric(&totals);
	ml_class_totals_free(env, &totals);
	return mlplat_metric_result(fcinfo, value);
}

/* The option as a label of the state's type. */
static MlLabel
option_label(const MlClassCounts *counts)
{
	const char *word = counts->option;
	bool truth = false, sound = word[0] != '\0';
	MlLabel label = ml_label_text(word, strlen(word));
	char *end = NULL;

	errno = 0;
	if (counts->type == ML_LABEL_BOOL)
	{
		sound = parse_bool(word, &truth);
		label = ml_label_bool(truth);
	}
	else if (counts->type == ML_LABEL_INT)
		label = ml_label_int(strtoll(word, &end, 10));
	else if (counts->type == ML_LABEL_REAL)
		label = ml_label_real(strtod(word, &end));
	if (counts->type != ML_LABEL_TEXT && (!sound || errno != 0 || (end && *end != '\0')))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" is neither a label nor an average", word),
						errhint("The averages are macro, micro and weighted.")));
	return label;
}

static Datum
rate_result(FunctionCallInfo fcinfo, MlRate rate)
{
	const MlClassCounts *counts = class_counts(fcinfo);
	MlEnv *env = mlplat_metric_env(CurrentMemoryContext);
	bool is_label = counts->option &&
					ml_average_find(counts->option, strlen(counts->option)) == ML_AVERAGE_NONE;
	MlLabel positive = {0};
	double value;

	if (is_label)
		positive = option_label(counts);
	mlplat_check(env, ml_class_counts_rate(env, counts, rate, is_label ? &positive : NULL, &value));
	return mlplat_metric_result(fcinfo, value);
}

Datum
mlplat_accuracy_finalfn(PG_FUNCTION_ARGS)
{
	return class_result(fcinfo, ml_class_accuracy);
}

Datum
mlplat_balanced_accuracy_finalfn(PG_FUNCTION_ARGS)
{
	return class_result(fcinfo, ml_class_balanced_accuracy);
}

Datum
mlplat_mcc_finalfn(PG_FUNCTION_ARGS)
{
	return class_result(fcinfo, ml_class_mcc);
}

Datum
mlplat_precision_finalfn(PG_FUNCTION_ARGS)
{
	return rate_result(fcinfo, ML_PRECISION);
}

Datum
mlplat_recall_finalfn(PG_FUNCTION_ARGS)
{
	return rate_result(fcinfo, ML_RECALL);
}

Datum
mlplat_f1_finalfn(PG_FUNCTION_ARGS)
{
	return rate_result(fcinfo, ML_F1);
}

static void
append_label(StringInfo json, const MlClassCounts *counts, uint32 index)
{
	const MlLabel *label = &counts->labels[index].label;
	char name[ML_LABEL_NAME_MAX];

	if (counts->type == ML_LABEL_TEXT)
		escape_json(json, pnstrdup(label->text, label->len));
	else
		escape_json(json, ml_label_name(counts->type, label, name));
}

/* matrix[place of actual][place of predicted], places by ascending label. */
static double *
confusion_cells(const MlClassCounts *counts, uint32 *order)
{
	Size n = counts->n_labels;
	uint32 *place = palloc(n * sizeof(uint32));
	double *cells = palloc0(n * n * sizeof(double));

	ml_class_counts_order(counts, order);
	for (uint32 i = 0; i < n; i++)
		place[order[i]] = i;
	for (uint32 i = 0; i < counts->n_pairs; i++)
	{
		const MlPairCount *pair = &counts->pairs[i];

		if (isinf(pair->weight))
			float_overflow_error();
		cells[place[pair->actual] * n + place[pair->predicted]] = pair->weight;
	}
	return cells;
}

Datum
mlplat_confusion_matrix_finalfn(PG_FUNCTION_ARGS)
{
	const MlClassCounts *counts = class_counts(fcinfo);
	uint32 n = counts->n_labels;
	uint32 *order;
	double *cells;
	char number[ML_LABEL_NAME_MAX];
	StringInfoData json;

	if (n > MAX_CONFUSION)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a confusion matrix of %u labels is too large", n),
						errdetail("The limit is %d.", MAX_CONFUSION)));
	if (n == 0)
		PG_RETURN_NULL();
	order = palloc(n * sizeof(uint32));
	cells = confusion_cells(counts, order);
	initStringInfo(&json);
	appendStringInfoString(&json, "{\"classes\":[");
	for (uint32 i = 0; i < n; i++)
	{
		appendStringInfoString(&json, i ? "," : "");
		append_label(&json, counts, order[i]);
	}
	appendStringInfoString(&json, "],\"matrix\":[");
	for (uint32 i = 0; i < n; i++)
	{
		appendStringInfoString(&json, i ? ",[" : "[");
		for (uint32 k = 0; k < n; k++)
		{
			number[ml_format_double(number, cells[(Size) i * n + k])] = '\0';
			appendStringInfo(&json, "%s%s", k ? "," : "", number);
		}
		appendStringInfoChar(&json, ']');
	}
	appendStringInfoString(&json, "]}");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}
