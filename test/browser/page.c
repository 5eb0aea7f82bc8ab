/*
 * page.c
 *		From facts to a report page: page FACTS.json PAGE.html. For the browser test.
 */
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

/* Write the page of the facts in text. */
static MlStatus
write_page(MlEnv *env, MlArena *arena, const char *text, size_t len, const char *path)
{
	MlJson *facts;
	MlBuffer page;
	MlStatus status;
	FILE *file;

	ML_TRY(ml_json_parse(arena, text, len, &facts));
	ml_buffer_init(&page, env);
	status = ml_report_html(env, facts, &page);
	file = status == ML_OK ? fopen(path, "wb") : NULL;
	if (status == ML_OK && (!file || fwrite(page.data, 1, page.len, file) != page.len))
		status = ml_fail(env, ML_EINVAL, "cannot write %s", path);
	if (file && fclose(file) != 0 && status == ML_OK)
		status = ml_fail(env, ML_EINVAL, "cannot write %s", path);
	ml_buffer_free(&page);
	return status;
}

int
main(int argc, char **argv)
{
	MlEnv env;
	MlArena arena;
	MlStatus status;
	size_t len;
	char *text;

	if (argc != 3)
	{
		fprintf(stderr, "usage: page FACTS.json PAGE.html\n");
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
	status = write_page(&env, &arena, text, len, argv[2]);
	if (status != ML_OK)
		fprintf(stderr, "%s: %s\n", argv[1], env.error);
	ml_arena_free(&arena);
	ml_env_close(&env);
	free(text);
	return status != ML_OK;
}
