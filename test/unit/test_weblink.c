/*
 * test_weblink.c
 *		The header "Link": which target is the next one, and that nothing is read beyond what is there.
 */
#include "unit.h"

#include "core/rng.h"
#include "data/weblink.h"

static const char *
next_of(const char *header)
{
	static char out[64];

	return ml_weblink_next(header, out, sizeof out) ? out : "(none)";
}

#define CHECK_NEXT(header, want) CHECK(strcmp(next_of(header), want) == 0)

static void
next_is_found(void)
{
	CHECK_NEXT("<https://h/a?page=2>; rel=\"next\"", "https://h/a?page=2");
	CHECK_NEXT("</a>; rel=next", "/a");
	CHECK_NEXT("<a>;rel=prev, <b> ; REL = \"Next\"", "b");
	CHECK_NEXT("<a>; rel=last,<b>; title=\"x, <y>; rel=next\"; rel=\"next last\"", "b");
	CHECK_NEXT("<a>; rel=\"first next\"", "a");
	CHECK_NEXT("<a,b>; rel=next", "a,b");
	CHECK_NEXT("<a>; title=\"quote \\\" ; rel=prev\"; rel=next", "a");
	CHECK_NEXT(", ,<a>; crossorigin; rel=next", "a");
	CHECK_NEXT("<a>; rel=next, <b>; rel=next", "a");
	CHECK_NEXT("<>; rel=next", "");
}

static void
others_are_not(void)
{
	CHECK_NEXT("", "(none)");
	CHECK_NEXT("<a>", "(none)");
	CHECK_NEXT("<a>; rel=prev", "(none)");
	CHECK_NEXT("<a>; rel=nextpage", "(none)");
	CHECK_NEXT("<a>; rel=\"prev-next\"", "(none)");
	CHECK_NEXT("<a>; xrel=next", "(none)");
	CHECK_NEXT("<a>; title=\"rel=next\"", "(none)");
	CHECK_NEXT("<a; rel=next", "(none)");
	CHECK_NEXT("a; rel=next", "(none)");
	CHECK_NEXT("<a> x; rel=next", "(none)");
	CHECK_NEXT("<a>; rel=", "(none)");
	CHECK_NEXT("<a>; rel=\"", "(none)");
	CHECK_NEXT("<a>; rel=\"\\", "(none)");
	CHECK_NEXT("<123456789012345678901234567890123456789012345678901234567890abcd>; rel=next",
			   "(none)");
}

static void
any_text_is_borne(void)
{
	static const char parts[] = "<>;=\"\\, relnxtREL\t";
	MlRng rng;

	ml_rng_seed(&rng, 7, 0);
	for (int round = 0; round < 20000; round++)
	{
		size_t len = ml_rng_below(&rng, 40);
		char *text = malloc(len + 1), out[8];

		for (size_t i = 0; i < len; i++)
			text[i] = parts[ml_rng_below(&rng, sizeof parts - 1)];
		text[len] = '\0';
		if (ml_weblink_next(text, out, sizeof out))
			CHECK(strlen(out) < sizeof out);
		free(text);
	}
}

int
main(void)
{
	RUN(next_is_found);
	RUN(others_are_not);
	RUN(any_text_is_borne);
	return unit_end();
}
