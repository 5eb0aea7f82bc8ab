/*
 * versions.c
 *		The registry in SQL: promote, roll back, drop, save; and telling the caches.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/rel.h"

#include "model/model.h"
#include "pg/bridge.h"
#include "pg/catalog.h"

PG_FUNCTION_INFO_V1(mlplat_registry_changed);
PG_FUNCTION_INFO_V1(mlplat_registry_deleted);
PG_FUNCTION_INFO_V1(mlplat_version_deleted);
PG_FUNCTION_INFO_V1(mlplat_run_deleted);
PG_FUNCTION_INFO_V1(mlplat_promote_model);
PG_FUNCTION_INFO_V1(mlplat_rollback_model);
PG_FUNCTION_INFO_V1(mlplat_drop_model);
PG_FUNCTION_INFO_V1(mlplat_save_model);

/*
 * Trigger on the registry's tables: every session must look again. Caches listen on mlplat.registry, so a
 * change of mlplat.version tells that relation too. Sent at commit, replayed on standbys.
 */
Datum
mlplat_registry_changed(PG_FUNCTION_ARGS)
{
	Oid registry = mlplat_registry_relid();

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("registry_changed is a trigger function")));
	if (OidIsValid(registry))
		CacheInvalidateRelcacheByRelid(registry);
	return PointerGetDatum(NULL);
}

/*
 * The id, its first column, of a row of a table of ours that is about to be deleted. Throws when the function is the
 * trigger of anything else.
 */
static int64
deleted_id(FunctionCallInfo fcinfo, const char *table)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	bool isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_DELETE(data->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		RelationGetNamespace(data->tg_relation) != get_namespace_oid("mlplat", true) ||
		strcmp(RelationGetRelationName(data->tg_relation), table) != 0)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("%s_deleted is a trigger function of mlplat.%s", table, table)));
	return DatumGetInt64(
		heap_getattr(data->tg_trigtuple, 1, RelationGetDescr(data->tg_relation), &isnull));
}

static Datum
let_it_go(FunctionCallInfo fcinfo)
{
	return PointerGetDatum(((TriggerData *) fcinfo->context)->tg_trigtuple);
}

/* What goes with a row goes before it, while the policies still show it: versions with a model, ... */
Datum
mlplat_registry_deleted(PG_FUNCTION_ARGS)
{
	mlplat_delete_versions(deleted_id(fcinfo, "registry"));
	return let_it_go(fcinfo);
}

/* ... evaluations with a version, ... */
Datum
mlplat_version_deleted(PG_FUNCTION_ARGS)
{
	mlplat_delete_evaluations(deleted_id(fcinfo, "version"));
	return let_it_go(fcinfo);
}

/* ... trials with a run. */
Datum
mlplat_run_deleted(PG_FUNCTION_ARGS)
{
	mlplat_delete_trials(deleted_id(fcinfo, "run"));
	return let_it_go(fcinfo);
}

/* promote_model('name@3'): make a version the active one; returns its number. */
Datum
mlplat_promote_model(PG_FUNCTION_ARGS)
{
	MlplatModelRef ref;
	bool has_version;

	PreventCommandIfReadOnly("mlplat.promote_model()");
	ref = mlplat_find_model_for_change(text_to_cstring(PG_GETARG_TEXT_PP(0)), &has_version);
	if (!has_version)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("promote_model needs a version"),
				 errhint("Write \"%s@version\"; the view mlplat.model_versions lists them.",
						 ref.name)));
	mlplat_set_active(ref.model_id, ref.version);
	PG_RETURN_INT32(ref.version);
}

/* rollback_model(name): make the version active that was so before; returns its number. */
Datum
mlplat_rollback_model(PG_FUNCTION_ARGS)
{
	MlplatModelRef ref;
	bool has_version;
	int version;

	PreventCommandIfReadOnly("mlplat.rollback_model()");
	ref = mlplat_find_model_for_change(text_to_cstring(PG_GETARG_TEXT_PP(0)), &has_version);
	if (has_version)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rollback_model takes a name without a version"),
				 errhint("To make version %d active, use mlplat.promote_model.", ref.version)));
	version = mlplat_pop_active(ref.model_id);
	if (version == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("model \"%s\" has no earlier active version to go back to", ref.name)));
	PG_RETURN_INT32(version);
}

/* drop_model('name' or 'name@3'): a model with all versions, or one version that is not active. */
Datum
mlplat_drop_model(PG_FUNCTION_ARGS)
{
	MlplatModelRef ref;
	bool has_version;

	PreventCommandIfReadOnly("mlplat.drop_model()");
	ref = mlplat_find_model_for_change(text_to_cstring(PG_GETARG_TEXT_PP(0)), &has_version);
	if (!has_version)
		mlplat_delete_model(ref.model_id);
	else if (ref.version == ref.active)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
						errmsg("version %d of model \"%s\" is active", ref.version, ref.name),
						errhint("Promote another version first, or drop the whole model.")));
	else
		mlplat_delete_version(ref.model_id, ref.version);
	PG_RETURN_VOID();
}

/* The facts of an image that decodes: no bytes get into the registry that cannot predict. */
static char *
check_image(bytea *image)
{
	MlEnv *env = mlplat_env_create(CurrentMemoryContext, "save_model");
	MlArena arena;
	MlModel *model;
	const char *info;
	size_t len;
	char *copy;

	ml_arena_init(&arena, env);
	mlplat_check(env,
				 ml_image_decode(&arena, VARDATA_ANY(image), VARSIZE_ANY_EXHDR(image), &model));
	mlplat_check(env, ml_image_open(&arena, VARDATA_ANY(image), VARSIZE_ANY_EXHDR(image), &model,
									&info, &len));
	copy = pnstrdup(info, len);
	mlplat_env_delete(env);
	return copy;
}

/* save_model(name, image): register an image as a new, active version; returns its number. */
Datum
mlplat_save_model(PG_FUNCTION_ARGS)
{
	bytea *image = PG_GETARG_BYTEA_PP(1);
	MlplatNewVersion version = {.score = NAN, .image = PointerGetDatum(image)};
	MlplatModelRef ref;
	int number;

	PreventCommandIfReadOnly("mlplat.save_model()");
	version.info = check_image(image);
	ref = mlplat_lock_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	number = mlplat_add_version(ref.model_id, &version);
	mlplat_set_active(ref.model_id, number);
	PG_RETURN_INT32(number);
}
