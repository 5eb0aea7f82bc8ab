/*
 * simplify.c
 *		Planner support: predict(model, whole row) becomes predict_columns(model, names, columns).
 *
 * Forming a row costs more than most models take to predict (0.2 us for 20
 * columns, and as much again to read it). So a whole-row reference, or the row
 * of a view or sub-select that was pulled up, is replaced by its columns.
 *
 * Not replaced, so that the answer stays what it was: the row of a relation on
 * the nullable side of an outer join (the row is NULL there, its columns would
 * make a row of NULLs), OLD and NEW of RETURNING, rows under GROUPING SETS, of outer queries, with
 * volatile columns, or with more columns than a call can take.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(mlplat_predict_support);

#define MAX_COLUMNS (FUNC_MAX_ARGS - 2)

/* The columns that stand for a row. */
typedef struct RowColumns
{
	Datum *names;
	List *columns;
	int n;
} RowColumns;

/* Add one column; false: there are too many. */
static bool
add_column(RowColumns *row, const char *name, Node *column)
{
	if (row->n == MAX_COLUMNS)
		return false;
	row->names[row->n++] = CStringGetTextDatum(name);
	row->columns = lappend(row->columns, column);
	return true;
}

/* Is the relation below an outer join that may make its row NULL? */
static bool
is_nullable(Node *node, int varno, bool nullable)
{
	ListCell *cell;
	JoinExpr *join;

	if (node == NULL)
		return false;
	if (IsA(node, RangeTblRef))
		return nullable && ((RangeTblRef *) node)->rtindex == varno;
	if (IsA(node, FromExpr))
	{
		foreach (cell, ((FromExpr *) node)->fromlist)
		{
			if (is_nullable(lfirst(cell), varno, nullable))
				return true;
		}
		return false;
	}
	if (!IsA(node, JoinExpr))
		return true;
	join = (JoinExpr *) node;
	return is_nullable(join->larg, varno,
					   nullable || join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL) ||
		   is_nullable(join->rarg, varno,
					   nullable || join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL);
}

/* A whole-row reference to a table of this query level. */
static bool
columns_of_relation(PlannerInfo *root, Var *var, RowColumns *row)
{
	RangeTblEntry *rte;
	Relation relation;
	bool fits = true;

	if (var->varattno != 0 || var->varlevelsup != 0 ||
		var->varno >= (int) list_length(root->parse->rtable) + 1 || mlplat_is_old_or_new(var))
		return false;
	rte = rt_fetch(var->varno, root->parse->rtable);
	if (rte->rtekind != RTE_RELATION || get_rel_type_id(rte->relid) != var->vartype ||
		is_nullable((Node *) root->parse->jointree, var->varno, false))
		return false;
	relation = relation_open(rte->relid, NoLock);
	for (int i = 0; i < RelationGetDescr(relation)->natts && fits; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);

		if (!attribute->attisdropped)
			fits = add_column(row, NameStr(attribute->attname),
							  (Node *) makeVar(var->varno, attribute->attnum, attribute->atttypid,
											   attribute->atttypmod, attribute->attcollation, 0));
	}
	relation_close(relation, NoLock);
	return fits;
}

/* ROW(...), or what is left of a view or sub-select that was pulled up. */
static bool
columns_of_row_expr(RowExpr *expr, RowColumns *row)
{
	TupleDesc desc = NULL;
	bool fits = true;

	if (contain_volatile_functions((Node *) expr->args))
		return false;
	if (expr->row_typeid != RECORDOID)
		desc = lookup_rowtype_tupdesc_noerror(expr->row_typeid, -1, true);
	if (desc ? desc->natts != list_length(expr->args)
			 : list_length(expr->colnames) != list_length(expr->args))
		fits = false;
	for (int i = 0; i < list_length(expr->args) && fits; i++)
	{
		if (desc && TupleDescAttr(desc, i)->attisdropped)
			continue;
		fits = add_column(row,
						  desc ? NameStr(TupleDescAttr(desc, i)->attname)
							   : strVal(list_nth(expr->colnames, i)),
						  list_nth(expr->args, i));
	}
	if (desc)
		ReleaseTupleDesc(desc);
	return fits;
}

/* The function <name>_columns(model, text[], VARIADIC "any") beside the original; InvalidOid: none. */
static Oid
find_target(Oid original, Oid model_type)
{
	Oid types[3] = {model_type, TEXTARRAYOID, ANYOID};
	char *name = psprintf("%s_columns", get_func_name(original));

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, 3)),
						   ObjectIdGetDatum(get_func_namespace(original)));
}

/* The call over columns, or NULL to leave the call as it is. */
static Node *
simplify(SupportRequestSimplify *request)
{
	FuncExpr *call = request->fcall;
	PlannerInfo *root = request->root;
	RowColumns row = {0};
	Node *model, *arg;
	Const *names;
	Oid target;
	FuncExpr *result;

	/* Without a query there are rows of columns too: those of indexes, which those of queries must match. */
	if (list_length(call->args) != 2 || (root && root->parse->groupingSets != NIL))
		return NULL;
	model = linitial(call->args);
	arg = lsecond(call->args);
	row.names = palloc(sizeof(Datum) * MAX_COLUMNS);
	if (IsA(arg, Var))
	{
		if (!root || !columns_of_relation(root, (Var *) arg, &row))
			return NULL;
	}
	else if (!IsA(arg, RowExpr) || !columns_of_row_expr((RowExpr *) arg, &row))
		return NULL;
	target = find_target(call->funcid, exprType(model));
	if (row.n == 0 || !OidIsValid(target))
		return NULL;
	names = makeConst(
		TEXTARRAYOID, -1, DEFAULT_COLLATION_OID, -1,
		PointerGetDatum(construct_array(row.names, row.n, TEXTOID, -1, false, TYPALIGN_INT)), false,
		false);
	result = makeFuncExpr(target, call->funcresulttype, lcons(model, lcons(names, row.columns)),
						  call->funccollid, call->inputcollid, COERCE_EXPLICIT_CALL);
	return (Node *) result;
}

Datum
mlplat_predict_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(simplify((SupportRequestSimplify *) request));
	PG_RETURN_POINTER(NULL);
}
