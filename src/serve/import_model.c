/*
 * import_model.c
 *		Models that other libraries trained, in SQL: their file in, an image or a version out.
 *
 * The file comes as a value, so that nothing here reads the server's disk: psql
 * sends what the client has, and pg_read_file is there for those who may.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "model/foreign.h"
#include "pg/bridge.h"
#include "pg/catalog.h"
#include "pg/signature.h"

PG_FUNCTION_INFO_V1(mlplat_import_model);
PG_FUNCTION_INFO_V1(mlplat_model_image);

/* What becomes of a file. */
typedef struct Imported
{
	bytea *image;
	char *info; /* JSON text */
} Imported;

/* The options as pure code reads them, in the arena. */
static MlJson *
parse_options(MlArena *arena, Jsonb *options)
{
	char *text = JsonbToCString(NULL, &options->root, VARSIZE(options));
	MlJson *json;

	if (!JB_ROOT_IS_OBJECT(options))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("options must be a JSON object, not %s", text)));
	mlplat_check(arena->env, ml_json_parse(arena, text, strlen(text), &json));
	return json;
}

/* A buffer's bytes as a bytea in the current context. */
static bytea *
to_bytea(const MlBuffer *buffer)
{
	bytea *result;

	if (buffer->len > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the image of the model would be larger than 1 GB")));
	result = palloc(VARHDRSZ + buffer->len);
	SET_VARSIZE(result, VARHDRSZ + buffer->len);
	memcpy(VARDATA(result), buffer->data, buffer->len);
	return result;
}

/* Import the file; the image is decoded once, so that none comes out that cannot predict. */
static Imported
import_file(const char *format, struct varlena *data, Jsonb *options)
{
	MlEnv *env = mlplat_env_create(CurrentMemoryContext, "import_model");
	Imported imported;
	MlArena arena;
	MlBuffer image;
	MlModel *model;
	const char *info;
	size_t len;

	ml_arena_init(&arena, env);
	ml_buffer_init(&image, env);
	mlplat_check(env, ml_foreign_import(env, format, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data),
										parse_options(&arena, options), &image));
	mlplat_check(env, ml_image_decode(&arena, image.data, image.len, &model));
	mlplat_check(env, ml_image_open(&arena, image.data, image.len, &model, &info, &len));
	imported.image = to_bytea(&image);
	imported.info = pnstrdup(info, len);
	mlplat_env_delete(env);
	return imported;
}

/* model_image(format, data, options) -> image; data is a text or a bytea. */
Datum
mlplat_model_image(PG_FUNCTION_ARGS)
{
	Imported imported;

	mlplat_need_arguments(fcinfo, 3);
	imported = import_file(text_to_cstring(PG_GETARG_TEXT_PP(0)),
						   PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1)), PG_GETARG_JSONB_P(2));
	PG_RETURN_BYTEA_P(imported.image);
}

/* import_model(name, format, data, options): register it as a new, active version; returns its number. */
Datum
mlplat_import_model(PG_FUNCTION_ARGS)
{
	MlplatNewVersion version = {.score = NAN};
	MlplatModelRef ref;
	Imported imported;
	int number;

	mlplat_need_arguments(fcinfo, 4);
	PreventCommandIfReadOnly("mlplat.import_model()");
	imported = import_file(text_to_cstring(PG_GETARG_TEXT_PP(1)),
						   PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(2)), PG_GETARG_JSONB_P(3));
	version.image = PointerGetDatum(imported.image);
	version.info = imported.info;
	ref = mlplat_lock_model(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	number = mlplat_add_version(ref.model_id, &version);
	mlplat_set_active(ref.model_id, number);
	PG_RETURN_INT32(number);
}
