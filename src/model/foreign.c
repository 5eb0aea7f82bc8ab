/*
 * foreign.c
 *		From a file of another library to an image.
 */
#include <string.h>

#include "model/foreign_inner.h"
#include "model/info.h"

enum
{
	TARGET,
	CLASSES,
	FEATURES,
	CATEGORIES
};

const MlParam ml_foreign_params[] = {
	{"target", ML_PARAM_TEXT, "\"target\"", 0, 0, NULL, "name of what is predicted"},
	{"classes", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "labels of classes 0, 1, ..., which most files do not have; of two the second is the positive "
	 "one"},
	{"features", ML_PARAM_JSON, "null", 0, 0, NULL, "names in the place of the file's"},
	{"categories", ML_PARAM_JSON, "null", 0, 0, NULL,
	 "labels of codes 0, 1, ... by feature: {\"job\": [\"fixed\", \"other\"]}"},
	{0},
};

const char *const ml_foreign_formats[] = {"lightgbm", "xgboost", NULL};

/* The options, checked. */
static MlStatus
read_options(MlArena *arena, const MlJson *options, MlForeignNames *names)
{
	static const MlParam *const tables[] = {ml_foreign_params};
	MlParams params;
	const MlJson **const wanted[] = {&names->classes, &names->features, &names->categories};

	ML_TRY(ml_params_parse(arena, "import", tables, 1, options, &params));
	names->target = ml_param_text(&params, TARGET);
	for (int i = 0; i < 3; i++)
		if (ml_param_given(&params, CLASSES + i))
			*wanted[i] = params.values[CLASSES + i].json;
	return ML_OK;
}

/* The sizes of the trees. */
static void
write_summary(const MlForeign *f, const GbdtModel *fitted, MlJsonWriter *w)
{
	double n_leaves = 0;

	for (size_t t = 0; t < f->n_trees; t++)
		for (uint32_t i = 0; i < f->trees[t].n_cells; i++)
			n_leaves += f->trees[t].cells[i].leaf;
	ml_json_open(w, "summary", '{');
	ml_json_text(w, "imported_from", f->library);
	ml_json_text(w, "objective", f->objective);
	ml_json_number(w, "trees", (double) f->n_trees);
	ml_json_number(w, "leaves", n_leaves);
	ml_json_number(w, "ensembles", 1.0 + fitted->n_more);
	if (f->best_iteration >= 0)
		ml_json_number(w, "best_iteration", (double) f->best_iteration);
	ml_json_close(w, '}');
}

/* The INFO section: what a trained model says, as far as a file tells it. */
static MlStatus
write_info(const MlForeign *f, const MlModel *model, MlBuffer *out)
{
	MlJsonWriter w;

	ml_json_writer(&w, out);
	ml_json_open(&w, NULL, '{');
	ml_json_text(&w, "algorithm", model->algo->name);
	ml_json_text(&w, "task", ml_task_name(model->task));
	ml_json_text(&w, "target", model->target);
	ml_json_open(&w, "classes", '[');
	for (uint32_t k = 0; k < model->n_classes; k++)
		ml_json_text(&w, NULL, model->classes[k]);
	ml_json_close(&w, ']');
	write_summary(f, model->fitted, &w);
	ML_TRY(ml_info_importance(f->arena, model, &w));
	ml_json_close(&w, '}');
	return out->status;
}

/* The model in the arena. */
static MlStatus
read_model(MlArena *arena, const char *format, const void *data, size_t len, const MlJson *options,
		   MlForeign *f, MlModel *model)
{
	MlForeignNames names = {0};

	ML_TRY(read_options(arena, options, &names));
	f->arena = arena;
	if (strcmp(format, "lightgbm") == 0)
		ML_TRY(ml_foreign_lightgbm(arena, data, len, f));
	else if (strcmp(format, "xgboost") == 0)
		ML_TRY(ml_foreign_xgboost(arena, data, len, f));
	else
	{
		const char *near = ml_nearest(format, ml_foreign_formats, 2);

		ml_fail(arena->env, ML_EINVAL, "there is no format \"%.64s\" of models", format);
		if (near)
			ml_hint(arena->env, "Did you mean \"%s\"?", near);
		else
			ml_hint(arena->env, "There are lightgbm and xgboost.");
		return ML_EINVAL;
	}
	model->algo = ml_algo_find("gbdt");
	ML_TRY(ml_foreign_schema(f, &names, model));
	return ml_foreign_fit(f, model);
}

MlStatus
ml_foreign_import(MlEnv *env, const char *format, const void *data, size_t len,
				  const MlJson *options, MlBuffer *image)
{
	MlForeign f = {0};
	MlModel model = {0};
	MlArena arena;
	MlBuffer info;
	MlStatus status;

	ml_arena_init(&arena, env);
	ml_buffer_init(&info, env);
	status = read_model(&arena, format, data, len, options, &f, &model);
	if (status == ML_OK)
		status = write_info(&f, &model, &info);
	if (status == ML_OK)
		status = ml_image_encode(env, &model, (const char *) info.data, info.len, image);
	ml_buffer_free(&info);
	ml_arena_free(&arena);
	return status;
}
