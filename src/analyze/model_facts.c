/*
 * model_facts.c
 *		The facts of a model as one JSON object (plot/report.h says which), for the report and the plots.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "analyze/model_facts.h"
#include "analyze/tree_view.h"
#include "pg/bridge.h"

/* What the registry knows of a version and its model, as one JSON object. */
static char *
registry_facts(const MlplatModelRef *ref)
{
	static const char *const sql =
		"SELECT pg_catalog.jsonb_build_object("
		" 'name', r.name, 'version', v.version, 'owner', r.owner,"
		" 'created', pg_catalog.to_char(v.created_at, 'YYYY-MM-DD HH24:MI TZ'), 'query', v.query,"
		" 'active', v.version OPERATOR(pg_catalog.=) "
		"r.active_history[pg_catalog.cardinality(r.active_history)],"
		" 'image_bytes', pg_catalog.octet_length(v.image),"
		" 'seconds', (SELECT u.seconds FROM mlplat.run u WHERE u.model OPERATOR(pg_catalog.=) "
		"r.name"
		"   AND u.version OPERATOR(pg_catalog.=) v.version ORDER BY u.run_id DESC LIMIT 1),"
		" 'history', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('version', "
		"h.version,"
		"   'score', h.score, 'metric', h.metric, 'created', pg_catalog.to_char(h.created_at, "
		"'YYYY-MM-DD HH24:MI'),"
		"   'active', h.version OPERATOR(pg_catalog.=) "
		"r.active_history[pg_catalog.cardinality(r.active_history)])"
		"   ORDER BY h.version DESC)"
		"   FROM mlplat.version h WHERE h.model_id OPERATOR(pg_catalog.=) "
		"r.model_id))::pg_catalog.text"
		" FROM mlplat.registry r JOIN mlplat.version v ON v.model_id OPERATOR(pg_catalog.=) "
		"r.model_id"
		" WHERE v.version_id OPERATOR(pg_catalog.=) $1";
	MemoryContext caller = CurrentMemoryContext;
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(ref->version_id)};
	bool isnull;
	char *facts;

	mlplat_spi_begin();
	if (SPI_execute_with_args(sql, 1, types, values, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "version of model \"%s\" not found", ref->name);
	MemoryContextSwitchTo(caller);
	facts = TextDatumGetCString(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	mlplat_spi_end();
	return facts;
}

/* The members of one JSON object, to be put into another. */
static void
put_members(MlJsonWriter *w, const char *object, size_t len)
{
	if (len <= 2)
		return;
	if (w->comma)
		ml_put_u8(w->out, ',');
	ml_put_bytes(w->out, object + 1, len - 2);
	w->comma = true;
}

typedef struct CoefficientWriter
{
	MlJsonWriter *w;
	const MlModel *model;
} CoefficientWriter;

static MlStatus
write_coefficient(void *arg, const MlCoefficient *row)
{
	CoefficientWriter *writer = arg;
	MlJsonWriter *w = writer->w;
	const char *label = mlplat_group_label(writer->model, row->class_index);

	ml_json_open(w, NULL, '{');
	ml_json_text(w, "feature", row->feature);
	if (label)
		ml_json_text(w, "class", label);
	ml_json_number(w, "value", row->value);
	ml_json_number(w, "std_error", row->std_error);
	ml_json_number(w, "statistic", row->statistic);
	ml_json_number(w, "p_value", row->p_value);
	ml_json_close(w, '}');
	return ML_OK;
}

/* "features" and "coefficients", which the facts of the image do not hold. */
static void
write_model(MlplatInspected *inspected, MlJsonWriter *w)
{
	const MlModel *model = inspected->model;
	CoefficientWriter writer = {w, model};

	ml_json_text(w, "algorithm_summary", model->algo->summary);
	ml_json_open(w, "features", '[');
	for (uint32 i = 0; i < model->schema->n_inputs; i++)
	{
		ml_json_open(w, NULL, '{');
		ml_json_text(w, "name", model->schema->inputs[i].name);
		ml_json_text(w, "type", model->schema->inputs[i].type_name);
		ml_json_text(w, "kind", ml_kind_name(model->schema->inputs[i].kind));
		ml_json_close(w, '}');
	}
	ml_json_close(w, ']');
	if (!model->algo->coefficients)
		return;
	ml_json_open(w, "coefficients", '[');
	mlplat_check(inspected->env,
				 model->algo->coefficients(inspected->env, model->fitted, ml_model_features(model),
										   write_coefficient, &writer));
	ml_json_close(w, ']');
}

void
mlplat_model_facts(MlplatInspected *inspected, const MlplatTreeWish *tree, MlBuffer *json)
{
	MlJsonWriter w;

	ml_json_writer(&w, json);
	ml_json_open(&w, NULL, '{');
	if (inspected->registered)
	{
		char *registered = registry_facts(&inspected->ref);

		put_members(&w, registered, strlen(registered));
	}
	put_members(&w, inspected->info, inspected->info_len);
	write_model(inspected, &w);
	if (tree)
		mlplat_write_tree(inspected, tree, &w);
	ml_json_close(&w, '}');
	mlplat_check(inspected->env, json->status);
}
