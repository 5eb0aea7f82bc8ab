/*
 * jsonpick.c
 *		The value at one place of a JSON document.
 *
 * One pass over the tokens. The way along the path is one number, of the names
 * that led into the innermost object on it: an object that is on the path is at
 * depth n_matched + 1, and whatever is deeper is off it.
 */
#include <string.h>

#include "data/json/jsonpick.h"

typedef struct Walk
{
	const MlJsonPath *path;
	MlJsonPick *pick;
	MlJsonNest nest;
	MlBuffer name; /* of a key that has escapes */
	size_t n_matched;
	bool on_path;     /* the root is an object, so that there is a way at all */
	bool hit;         /* the value that comes is the member of the next name */
	bool just_opened; /* the token before opened the value that was looked for */
} Walk;

/* Is a key the next name of the path? */
static MlStatus
is_next_name(Walk *walk, const MlJsonToken *key, bool *equal)
{
	const char *text = key->start + 1, *want = walk->path->names[walk->n_matched];
	size_t len = (size_t) (key->end - key->start) - 2;

	if (key->flags & ML_STRING_UNSTORABLE)
	{
		*equal = false;
		return ML_OK;
	}
	if (key->flags & ML_STRING_ESCAPED)
	{
		walk->name.len = 0;
		ml_json_put_string(&walk->name, key);
		if (walk->name.status != ML_OK)
			return walk->name.status;
		text = (const char *) walk->name.data;
		len = walk->name.len;
	}
	*equal = len == walk->path->lens[walk->n_matched] && memcmp(text, want, len) == 0;
	return ML_OK;
}

/* A value starts that the path led to, by all its names or by some. */
static void
take_hit(Walk *walk, const MlJsonToken *token)
{
	walk->hit = false;
	if (walk->n_matched + (walk->path->n > 0) == walk->path->n)
	{
		walk->pick->token = *token;
		walk->just_opened =
			token->kind == ML_TOKEN_OPEN_ARRAY || token->kind == ML_TOKEN_OPEN_OBJECT;
	}
	else if (token->kind == ML_TOKEN_OPEN_OBJECT)
		walk->n_matched++;
}

/* After nest has taken the token; before is what it wanted then, depth how deep it was. */
static MlStatus
follow(Walk *walk, const MlJsonToken *token, MlJsonWants before, size_t depth)
{
	bool closes = token->kind == ML_TOKEN_CLOSE_OBJECT || token->kind == ML_TOKEN_CLOSE_ARRAY;

	if (walk->just_opened)
		walk->pick->empty = closes;
	walk->just_opened = false;
	if (walk->pick->token.kind != ML_TOKEN_NONE)
		return ML_OK;
	if (depth == 0)
	{
		walk->on_path = token->kind == ML_TOKEN_OPEN_OBJECT;
		if (walk->path->n == 0)
			take_hit(walk, token);
	}
	else if (walk->on_path && closes && depth == walk->n_matched + 1 && depth > 1)
		walk->n_matched--;
	else if (walk->on_path && walk->nest.wants == ML_WANTS_COLON && depth == walk->n_matched + 1)
		return is_next_name(walk, token, &walk->hit);
	else if (walk->hit && before == ML_WANTS_VALUE)
		take_hit(walk, token);
	return ML_OK;
}

static MlStatus
walk_document(MlEnv *env, Walk *walk, const char *p, const char *end)
{
	MlJsonToken token = {.end = p};
	const char *problem = NULL;

	do
	{
		MlJsonWants before = walk->nest.wants;
		size_t depth = walk->nest.depth;

		ml_json_scan(token.end, end, true, &token);
		if (token.kind == ML_TOKEN_MORE)
			return ml_fail(env, ML_EDATA, "the JSON document ends too early");
		problem = token.kind == ML_TOKEN_BAD ? token.problem : ml_json_step(&walk->nest, &token);
		if (problem)
			return ml_fail(env, ML_EDATA, "the document is no JSON at byte %zu: %s",
						   (size_t) (token.start - p) + 1, problem);
		ML_TRY(follow(walk, &token, before, depth));
		if ((token.start - p) % 65536 < 16)
			ML_TRY(ml_poll(env));
	} while (walk->nest.depth > 0);
	return ML_OK;
}

MlStatus
ml_json_pick(MlEnv *env, const char *text, size_t len, const MlJsonPath *path, MlJsonPick *pick)
{
	Walk walk = {.path = path, .pick = pick};
	MlStatus status;

	*pick = (MlJsonPick){0};
	ml_json_nest_init(&walk.nest);
	ml_buffer_init(&walk.name, env);
	status = walk_document(env, &walk, text, text + len);
	ml_buffer_free(&walk.name);
	return status;
}
