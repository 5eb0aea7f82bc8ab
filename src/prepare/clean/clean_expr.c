/*
 * clean_expr.c
 *		SQL expressions over the columns of a cleaning: filters and casts.
 *
 * A filter is the user's text. It must parse as one expression, alone in the
 * list of a SELECT, so that no statement, clause or second expression can come
 * with it. It is then analysed as a WHERE clause whose only names are the
 * columns; sub-selects are refused, because they would need a plan of their own
 * for each reading of the rows. It runs while the transaction is read-only, as
 * the query does.
 *
 * A cast that may fail is made in a subtransaction, a cell each: nothing else
 * can undo what a type's input function may have done before it gave up. Plain
 * numbers, most of what is cast, cannot fail, and go without.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parse_clause.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_node.h"
#include "parser/parse_type.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "data/plainnumber.h"
#include "pg/attempt.h"
#include "prepare/clean/clean.h"

/* What a filter is parsed behind. */
#define PREFIX "SELECT "

/* The filter being read, for names and messages. */
typedef struct FilterText
{
	const char *sql;
	char *select; /* the same behind the prefix, which positions refer to */
	CleanStep *step;
	Cleaning *cleaning;
	bool *used; /* by column */
} FilterText;

/* ---- the row as expressions see it */

/* A slot whose values are the row's own array. */
static TupleTableSlot *
make_row_slot(CleanStep *step)
{
	return MakeSingleTupleTableSlot(step->desc, &TTSOpsVirtual);
}

static void
show_row(CleanStep *step, CleanRow *row)
{
	TupleTableSlot *slot = step->slot;

	slot->tts_values = row->values;
	slot->tts_isnull = row->nulls;
	slot->tts_nvalid = slot->tts_tupleDescriptor->natts;
	slot->tts_flags &= (uint16) ~TTS_FLAG_EMPTY;
	row->econtext->ecxt_scantuple = slot;
}

static Var *
make_column_var(const CleanColumn *column, int j)
{
	return makeVar(1, (AttrNumber) (j + 1), column->type, column->typmod, column->collation, 0);
}

/* ---- the filter's text */

/* Point an error into the expression, not into the statement that called us. */
static void
filter_error_callback(void *arg)
{
	const FilterText *text = arg;
	int position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(Max(position - (int) strlen(PREFIX), 1));
		internalerrquery(text->sql);
	}
}

static _Noreturn void
refuse_filter(const FilterText *text, const char *why)
{
	ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
					errmsg("step %d (filter) must be one SQL expression over the columns%s",
						   text->step->number, why)));
}

/* A star stands for all columns in a SELECT only; analysis of an expression does not expect it. */
static bool
is_star(const Node *node)
{
	return IsA(node, ColumnRef) && IsA(llast(((const ColumnRef *) node)->fields), A_Star);
}

/* The one expression of "SELECT <text>", when the SELECT has nothing else. */
static Node *
parse_filter(const FilterText *text)
{
	List *statements = pg_parse_query(text->select);
	SelectStmt *select;
	ResTarget *target;

	if (list_length(statements) != 1)
		refuse_filter(text, ", without a semicolon");
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	if (!IsA(select, SelectStmt) || select->op != SETOP_NONE || select->valuesLists ||
		list_length(select->targetList) != 1 || select->distinctClause || select->intoClause ||
		select->fromClause || select->whereClause || select->groupClause || select->havingClause ||
		select->windowClause || select->sortClause || select->limitOffset || select->limitCount ||
		select->lockingClause || select->withClause)
		refuse_filter(text, "");
	target = linitial_node(ResTarget, select->targetList);
	if (target->name || target->indirection)
		refuse_filter(text, ", without a name");
	if (is_star(target->val))
		refuse_filter(text, "");
	return target->val;
}

/* A name alone is a column, and nothing else is. */
static Node *
resolve_column(ParseState *pstate, ColumnRef *reference)
{
	FilterText *text = pstate->p_ref_hook_state;
	Node *field = linitial(reference->fields);
	int j;

	if (list_length(reference->fields) != 1 || !IsA(field, String))
		return NULL;
	j = mlplat_clean_find_column(text->cleaning, text->step, strVal(field));
	text->used[j] = true;
	return (Node *) make_column_var(&text->cleaning->columns[j], j);
}

static Node *
analyze_filter(FilterText *text)
{
	ParseState *pstate = make_parsestate(NULL);
	Node *node = parse_filter(text);

	pstate->p_pre_columnref_hook = resolve_column;
	pstate->p_ref_hook_state = text;
	pstate->p_sourcetext = text->select;
	node = transformWhereClause(pstate, node, EXPR_KIND_WHERE, "filter");
	if (pstate->p_hasSubLinks)
		refuse_filter(text, ": sub-selects belong into the query");
	assign_expr_collations(pstate, node);
	free_parsestate(pstate);
	return node;
}

/* The columns that the filter names are its cells. */
static void
note_columns(const FilterText *text)
{
	CleanStep *step = text->step;

	step->cells = palloc0(sizeof(CleanCell) * text->cleaning->n_columns);
	for (int j = 0; j < text->cleaning->n_columns; j++)
	{
		if (!text->used[j])
			continue;
		step->cells[step->n_cells].index = j;
		step->cells[step->n_cells].column = text->cleaning->columns[j];
		step->n_cells++;
	}
}

void
mlplat_clean_bind_filter(CleanStep *step, Cleaning *cleaning)
{
	FilterText text = {.step = step, .cleaning = cleaning};
	ErrorContextCallback callback = {
		.callback = filter_error_callback, .arg = &text, .previous = error_context_stack};
	Node *node;

	text.sql = ml_param_text(&step->spec->params, 0);
	text.select = psprintf(PREFIX "%s", text.sql);
	text.used = palloc0(sizeof(bool) * cleaning->n_columns);
	error_context_stack = &callback;
	node = analyze_filter(&text);
	step->filter = ExecInitExpr(expression_planner((Expr *) node), NULL);
	error_context_stack = callback.previous;
	note_columns(&text);
	step->slot = make_row_slot(step);
}

bool
mlplat_clean_keeps(CleanStep *step, CleanRow *row)
{
	bool isnull;
	Datum value;

	show_row(step, row);
	value = ExecEvalExprSwitchContext(step->filter, row->econtext, &isnull);
	return !isnull && DatumGetBool(value);
}

/* ---- casts */

static void
parse_type(const CleanStep *step, Oid *type, int32 *typmod)
{
	const char *name = ml_param_text(&step->spec->params, ML_CLEAN_CAST_TYPE);

	mlplat_parse_type(name, type, typmod);
	if (get_typtype(*type) == TYPTYPE_PSEUDO)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("step %d (cast) cannot cast to pseudo-type %s", step->number,
							   format_type_be(*type))));
}

/*
 * Digits that a number in text may have so that its cast cannot fail, and needs no subtransaction. Types with a
 * modifier or below a domain may refuse more.
 */
static void
find_sure_casts(CleanCell *cell)
{
	if (!mlplat_clean_is_text(cell->column.type) || cell->to_typmod >= 0)
		return;
	switch (cell->to_type)
	{
		case INT2OID:
			cell->sure_digits = 4;
			break;
		case INT4OID:
			cell->sure_digits = 9;
			break;
		case INT8OID:
			cell->sure_digits = 18;
			break;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			cell->sure_digits = 30;
			cell->sure_fraction = true;
			break;
		default:
			break;
	}
}

static bool
is_sure(const CleanCell *cell, Datum value)
{
	text *flat;

	if (cell->sure_digits == 0)
		return false;
	flat = DatumGetTextPP(value);
	return ml_is_plain_number(VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat), cell->sure_digits,
							  cell->sure_fraction);
}

Oid
mlplat_clean_bind_cast(CleanStep *step, CleanCell *cell)
{
	const CleanColumn *column = &cell->column;
	Node *node;

	parse_type(step, &cell->to_type, &cell->to_typmod);
	node = coerce_to_target_type(NULL, (Node *) make_column_var(column, cell->index), column->type,
								 cell->to_type, cell->to_typmod, COERCION_EXPLICIT,
								 COERCE_EXPLICIT_CAST, -1);
	if (!node)
		ereport(ERROR, (errcode(ERRCODE_CANNOT_COERCE),
						errmsg("step %d (cast) cannot cast column \"%s\" from %s to %s",
							   step->number, column->name, format_type_be(column->type),
							   format_type_be(cell->to_type))));
	assign_expr_collations(NULL, node);
	find_sure_casts(cell);
	cell->cast = ExecInitExpr(expression_planner((Expr *) node), NULL);
	if (!step->slot)
		step->slot = make_row_slot(step);
	return exprCollation(node);
}

/* Is it an error of the value? All others, such as a cancel, are not ours to handle. */
static bool
is_value_error(int code)
{
	return ERRCODE_TO_CATEGORY(code) == ERRCODE_DATA_EXCEPTION ||
		   ERRCODE_TO_CATEGORY(code) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION;
}

/* A cast that may fail. */
typedef struct Trial
{
	CleanCell *cell;
	ExprContext *econtext;
	Datum value;
	bool isnull;
} Trial;

static void
evaluate_cast(void *arg)
{
	Trial *trial = arg;

	trial->value = ExecEvalExprSwitchContext(trial->cell->cast, trial->econtext, &trial->isnull);
}

/* Cast in a subtransaction; false: the value cannot be cast. */
static bool
try_cast(CleanCell *cell, CleanRow *row)
{
	Trial trial = {.cell = cell, .econtext = row->econtext};
	ErrorData *error = mlplat_attempt(evaluate_cast, &trial);

	if (error && !is_value_error(error->sqlerrcode))
		ReThrowError(error);
	if (!error)
	{
		row->values[cell->index] = trial.value;
		row->nulls[cell->index] = trial.isnull;
	}
	return error == NULL;
}

bool
mlplat_clean_cast(CleanStep *step, CleanCell *cell, CleanRow *row)
{
	MlCleanOnError rule =
		(MlCleanOnError) ml_param_int(&step->spec->params, ML_CLEAN_CAST_ON_ERROR);
	Datum *value = &row->values[cell->index];
	bool *isnull = &row->nulls[cell->index];

	show_row(step, row);
	if (rule == ML_CLEAN_ON_ERROR_ERROR || *isnull || is_sure(cell, *value))
	{
		*value = ExecEvalExprSwitchContext(cell->cast, row->econtext, isnull);
		return true;
	}
	if (try_cast(cell, row))
		return true;
	step->cells_changed += rule != ML_CLEAN_ON_ERROR_DROP;
	*isnull = rule != ML_CLEAN_ON_ERROR_DEFAULT;
	*value = *isnull ? (Datum) 0 : cell->value;
	if (rule == ML_CLEAN_ON_ERROR_NULL)
		mlplat_clean_check_domain(step, cell, *value, true);
	return rule != ML_CLEAN_ON_ERROR_DROP;
}
