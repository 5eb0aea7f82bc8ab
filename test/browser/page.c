/*
 * page.c
 *		From facts to a report page, and to each drawing on its own: page FACTS.json PAGE.html [FOLDER].
 *		For the browser test.
 */
#include "plot/plot.h"
#include "plot/report.h"

#include <stdio.h>
#include <stdlib.h>

/* The whole file in memory; NULL: cannot be read. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long size = -1;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 && fseek(file, 0, SEEK_SET) == 0)
		text = malloc((size_t) size + 1);
	if (text && fread(text, 1, (size_t) size, file) != (size_t) size)
	{
		free(text);
		text = NULL;
	}
	fclose(file);
	if (text)
		text[size] = '\0';
	*len = text ? (size_t) size : 0;
	return text;
}

/* Write a file. */
static MlStatus
write_file(MlEnv *env, const MlBuffer *text, const char *path)
{
	FILE *file = fopen(path, "wb");
	bool written = file && fwrite(text->data, 1, text->len, file) == text->len;

	if (file && fclose(file) != 0)
		written = false;
	return written ? ML_OK : ml_fail(env, ML_EINVAL, "cannot write %s", path);
}

/* Write the page of the facts. */
static MlStatus
write_page(MlEnv *env, const MlJson *facts, const char *path)
{
	MlBuffer page;
	MlStatus status;

	ml_buffer_init(&page, env);
	status = ml_report_html(env, facts, &page);
	if (status == ML_OK)
		status = write_file(env, &page, path);
	ml_buffer_free(&page);
	return status;
}

/* Write the drawing of a kind as KIND.svg; nothing where there is none. */
static MlStatus
write_plot(MlEnv *env, const MlJson *facts, size_t kind, const char *folder)
{
	const MlJson *given = ml_json_get(facts, "name");
	const char *name = given && given->type == ML_JSON_STRING ? given->string : "model";
	const MlPlotRequest request = {.subject = name, .facts = &facts, .labels = &name, .n = 1};
	char path[4096];
	MlBuffer svg;
	MlStatus status;
	bool drawn;

	ml_buffer_init(&svg, env);
	status = ml_plot_svg(env, kind, &request, &svg, &drawn);
	snprintf(path, sizeof path, "%s/%s.svg", folder, ml_plot_kind(kind)->name);
	if (status == ML_OK && drawn)
		status = write_file(env, &svg, path);
	ml_buffer_free(&svg);
	return status;
}

/* Write the page, and the drawings where there is a folder for them. */
static MlStatus
write_all(MlEnv *env, MlArena *arena, const char *text, size_t len, char **paths)
{
	MlJson *facts;

	ML_TRY(ml_json_parse(arena, text, len, &facts));
	ML_TRY(write_page(env, facts, paths[0]));
	for (size_t kind = 0; paths[1] && kind < ml_plot_count(); kind++)
		ML_TRY(write_plot(env, facts, kind, paths[1]));
	return ML_OK;
}

int
main(int argc, char **argv)
{
	MlEnv env;
	MlArena arena;
	MlStatus status;
	size_t len;
	char *text;

	if (argc != 3 && argc != 4)
	{
		fprintf(stderr, "usage: page FACTS.json PAGE.html [FOLDER]\n");
		return 2;
	}
	text = read_file(argv[1], &len);
	if (!text)
	{
		fprintf(stderr, "cannot read %s\n", argv[1]);
		return 1;
	}
	ml_env_init(&env);
	ml_arena_init(&arena, &env);
	status = write_all(&env, &arena, text, len, argv + 2);
	if (status != ML_OK)
		fprintf(stderr, "%s: %s\n", argv[1], env.error);
	ml_arena_free(&arena);
	ml_env_close(&env);
	free(text);
	return status != ML_OK;
}
