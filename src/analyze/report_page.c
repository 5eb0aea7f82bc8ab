/*
 * report_page.c
 *		report(name): the page of a model; plot/ draws it from the model's facts.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "utils/builtins.h"

#include "analyze/model_facts.h"
#include "pg/bridge.h"
#include "plot/report.h"

PG_FUNCTION_INFO_V1(mlplat_report);

/* report(model text): HTML */
Datum
mlplat_report(PG_FUNCTION_ARGS)
{
	static const MlplatTreeWish first = {.number = 0, .max_depth = MLPLAT_TREE_DEPTH};
	MlplatInspected *inspected = mlplat_inspect(fcinfo);
	MlEnv *env = inspected->env;
	/* Where there are many trees, one of them tells nothing about the model. */
	bool one_tree = strcmp(inspected->model->algo->name, "tree") == 0;
	MlBuffer json, html;
	MlJson *facts;
	text *page;

	ml_buffer_init(&json, env);
	ml_buffer_init(&html, env);
	mlplat_model_facts(inspected, one_tree ? &first : NULL, &json);
	mlplat_check(env, ml_json_parse(&inspected->arena, (char *) json.data, json.len, &facts));
	mlplat_check(env, ml_report_html(env, facts, &html));
	mlplat_check(env, html.status);
	page = cstring_to_text_with_len((char *) html.data, (int) html.len);
	mlplat_env_delete(env);
	PG_RETURN_TEXT_P(page);
}
