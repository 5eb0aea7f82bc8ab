/*
 * summary_merge.c
 *		Summaries of parts of a column put together, saved and loaded.
 */
#include <math.h>
#include <string.h>

#include "data/summary_inner.h"

/* ---- values */

/* Count the values of an exact tally, which may be the end of exact counts. */
static MlStatus
merge_exact(MlSummary *summary, const MlSummary *other)
{
	for (size_t slot = 0; slot < other->tally.n_slots; slot++)
	{
		MlTallyEntry entry = other->tally.slots[slot];
		const char *text = other->tally.keep_text ? other->tally.texts[slot] : NULL;
		bool is_new;

		if (entry.count == 0)
			continue;
		is_new = summary->tally.slots[ml_tally_find(&summary->tally, entry.key)].count == 0;
		if (is_new && ml_tally_full(&summary->tally))
			ML_TRY(ml_summary_end_exact_counts(summary));
		if (summary->hll)
			ML_TRY(ml_summary_feed(summary, other, slot));
		ML_TRY(ml_tally_add(&summary->tally, entry, text, text ? strlen(text) : 0));
	}
	return ML_OK;
}

static MlStatus
merge_sketches(MlSummary *summary, const MlSummary *other)
{
	if (!summary->hll)
		ML_TRY(ml_summary_end_exact_counts(summary));
	ml_hll_merge(summary->hll, other->hll);
	if (summary->kll && other->kll)
		ML_TRY(ml_kll_merge(summary->kll, other->kll));
	for (size_t slot = 0; slot < other->tally.n_slots; slot++)
	{
		const char *text = other->tally.keep_text ? other->tally.texts[slot] : NULL;

		if (other->tally.slots[slot].count > 0)
			ML_TRY(ml_tally_add(&summary->tally, other->tally.slots[slot], text,
								text ? strlen(text) : 0));
	}
	summary->tally.missed += other->tally.missed;
	return ML_OK;
}

/* ---- extremes */

static MlStatus
keep_other(MlSummary *summary, char **kept, const char *text)
{
	return text ? ml_summary_keep(summary, kept, text, strlen(text)) : ML_OK;
}

/* Digits before the point, from the first that is not 0; *fraction: what follows the point, or "". */
static size_t
whole_digits(const char **digits, const char **fraction)
{
	size_t n;

	*digits += strspn(*digits, "0");
	n = strspn(*digits, "0123456789");
	*fraction = (*digits)[n] == '.' ? *digits + n + 1 : "";
	return n;
}

/* The order of two decimal numbers without sign, whatever their length. A missing digit is a 0. */
static int
compare_digits(const char *a, const char *b)
{
	const char *a_rest, *b_rest;
	size_t a_len = whole_digits(&a, &a_rest), b_len = whole_digits(&b, &b_rest);
	int order = a_len == b_len ? strncmp(a, b, a_len) : a_len < b_len ? -1 : 1;

	while (order == 0 && (*a_rest || *b_rest))
	{
		order = (*a_rest ? *a_rest : '0') - (*b_rest ? *b_rest : '0');
		a_rest += *a_rest != '\0';
		b_rest += *b_rest != '\0';
	}
	return order;
}

int
ml_decimal_compare(const char *a, const char *b)
{
	bool a_minus = *a == '-', b_minus = *b == '-';

	if (a_minus != b_minus)
		return a_minus ? -1 : 1;
	return a_minus ? compare_digits(b + 1, a + 1) : compare_digits(a, b);
}

/* Numeric values that are the same double are told apart by their digits. */
static bool
number_is_less(const MlSummary *summary, double a, const char *a_text, double b, const char *b_text)
{
	if (a != b || summary->kind != ML_SUMMARY_NUMERIC || !a_text || !b_text || isinf(a))
		return a < b;
	return ml_decimal_compare(a_text, b_text) < 0;
}

static MlStatus
merge_number_range(MlSummary *summary, const MlSummary *other)
{
	bool first = summary->n_numbers == 0;
	bool less = first || (summary->kind == ML_SUMMARY_INTERVAL
							  ? other->least_key < summary->least_key
							  : number_is_less(summary, other->least, other->min, summary->least,
											   summary->min));
	bool greater = first || (summary->kind == ML_SUMMARY_INTERVAL
								 ? other->greatest_key > summary->greatest_key
								 : number_is_less(summary, summary->greatest, summary->max,
												  other->greatest, other->max));

	if (other->n_numbers == 0)
		return ML_OK;
	if (less)
		ML_TRY(keep_other(summary, &summary->min, other->min));
	if (greater)
		ML_TRY(keep_other(summary, &summary->max, other->max));
	summary->least = first ? other->least : ML_MIN(summary->least, other->least);
	summary->greatest = first ? other->greatest : ML_MAX(summary->greatest, other->greatest);
	return ML_OK;
}

static MlStatus
merge_texts(MlSummary *summary, const MlSummary *other)
{
	if (!other->shortest || !other->longest || !other->min || !other->max)
		return ML_OK;
	ML_TRY(ml_summary_add_range(summary, other->min, strlen(other->min), other->max,
								strlen(other->max)));
	ML_TRY(ml_summary_add_length(summary, other->shortest, strlen(other->shortest),
								 other->min_length));
	return ml_summary_add_length(summary, other->longest, strlen(other->longest),
								 other->max_length);
}

/* The extremes of whole keys; both have values. */
static void
merge_whole_range(MlSummary *summary, const MlSummary *other)
{
	bool first = summary->n_values == 0;

	summary->least_key = first ? other->least_key : ML_MIN(summary->least_key, other->least_key);
	summary->greatest_key =
		first ? other->greatest_key : ML_MAX(summary->greatest_key, other->greatest_key);
}

MlStatus
ml_summary_merge(MlSummary *summary, const MlSummary *other)
{
	if (summary->kind != other->kind)
		return ml_fail(summary->env, ML_EDATA, "profiles of different columns cannot be merged");
	if (other->n_values == 0)
		return ML_OK;
	ML_TRY(other->hll ? merge_sketches(summary, other) : merge_exact(summary, other));
	if (summary->kind == ML_SUMMARY_TEXT)
		ML_TRY(merge_texts(summary, other));
	else
		ML_TRY(merge_number_range(summary, other));
	merge_whole_range(summary, other);
	if (summary->n_values == 0)
		summary->block_length = other->block_length;
	else if (summary->block_length != other->block_length)
		summary->block_length = -1;
	summary->n_values += other->n_values;
	summary->n_numbers += other->n_numbers;
	summary->n_zeros += other->n_zeros;
	summary->n_bytes += other->n_bytes;
	summary->n_phrases += other->n_phrases;
	ml_spread_merge(&summary->spread, &other->spread);
	ml_comoments_merge(&summary->with_target, &other->with_target);
	return ml_groups_merge(&summary->by_target, &other->by_target);
}

/* ---- save and load */

static void
put_optional_text(MlBuffer *out, const char *text)
{
	ml_put_u8(out, text != NULL);
	if (!text)
		return;
	ml_put_u32(out, (uint32_t) strlen(text));
	ml_put_bytes(out, text, strlen(text));
}

static MlStatus
get_optional_text(MlReader *in, MlSummary *summary, char **kept)
{
	uint32_t len;
	const uint8_t *text;

	if (!ml_get_u8(in))
		return in->failed ? ml_corrupt(in->env, "text") : ML_OK;
	len = ml_get_u32(in);
	text = ml_get_bytes(in, len);
	if (!text || memchr(text, '\0', len))
		return ml_corrupt(in->env, "text");
	return ml_summary_keep(summary, kept, (const char *) text, len);
}

void
ml_summary_save(const MlSummary *summary, MlBuffer *out)
{
	const uint64_t whole[] = {summary->n_values,
							  summary->n_numbers,
							  summary->n_zeros,
							  summary->n_bytes,
							  summary->n_phrases,
							  summary->min_length,
							  summary->max_length,
							  (uint64_t) summary->least_key,
							  (uint64_t) summary->greatest_key,
							  (uint64_t) summary->block_length};

	ml_put_u8(out, (uint8_t) summary->kind);
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		ml_put_u64(out, whole[i]);
	ml_put_f64(out, summary->least);
	ml_put_f64(out, summary->greatest);
	put_optional_text(out, summary->min);
	put_optional_text(out, summary->max);
	put_optional_text(out, summary->shortest);
	put_optional_text(out, summary->longest);
	ml_tally_save(&summary->tally, out);
	if (summary->hll)
		ml_hll_save(summary->hll, out);
	if (summary->kll)
		ml_kll_save(summary->kll, out);
	ml_spread_save(&summary->spread, out);
	ml_comoments_save(&summary->with_target, out);
	ml_groups_save(&summary->by_target, out);
}

static size_t
text_size(const char *text)
{
	return 1 + (text ? 4 + strlen(text) : 0);
}

/* What ml_summary_save appends, so that a large one is written once. */
size_t
ml_summary_saved_size(const MlSummary *summary)
{
	size_t size = 1 + 10 * 8 + 2 * 8; /* kind, whole numbers, extremes */

	size += text_size(summary->min) + text_size(summary->max);
	size += text_size(summary->shortest) + text_size(summary->longest);
	size += ml_tally_saved_size(&summary->tally);
	size += summary->hll ? sizeof summary->hll->registers : 0;
	if (summary->kll)
		size += 4 * 8 + 4 + 4 * summary->kll->n_levels + 8 * summary->kll->n_items;
	size += 6 * 8 + 6 * 8; /* spread, comoments */
	return size + 4 + 1 + 4 + 40 * summary->by_target.n;
}

/* A tally that is no longer exact comes with the sketches. */
static MlStatus
load_counts(MlReader *in, MlSummary *summary)
{
	ML_TRY(ml_tally_load(in, &summary->tally));
	if (summary->tally.keep_text == ml_summary_key_is_value(summary->kind))
		return ml_corrupt(in->env, "counts of values");
	if (summary->tally.exact)
		return ML_OK;
	summary->hll = ml_zalloc(summary->env, sizeof(MlHll));
	if (!summary->hll)
		return ML_ENOMEM;
	ML_TRY(ml_hll_load(in, summary->hll));
	return ml_summary_is_number(summary->kind) ? ml_kll_load(in, &summary->kll) : ML_OK;
}

MlStatus
ml_summary_load(MlReader *in, MlSummary *summary)
{
	uint8_t kind = ml_get_u8(in);
	uint64_t whole[10];

	*summary = (MlSummary){.env = in->env, .kind = (MlSummaryKind) kind};
	ml_groups_init(&summary->by_target, in->env, 0);
	for (int i = 0; i < 10; i++)
		whole[i] = ml_get_u64(in);
	summary->n_values = whole[0];
	summary->n_numbers = whole[1];
	summary->n_zeros = whole[2];
	summary->n_bytes = whole[3];
	summary->n_phrases = whole[4];
	summary->min_length = whole[5];
	summary->max_length = whole[6];
	summary->least_key = (int64_t) whole[7];
	summary->greatest_key = (int64_t) whole[8];
	summary->block_length = (int64_t) whole[9];
	summary->least = ml_get_f64(in);
	summary->greatest = ml_get_f64(in);
	if (in->failed || kind > ML_SUMMARY_OTHER)
		return ml_corrupt(in->env, "column");
	ML_TRY(get_optional_text(in, summary, &summary->min));
	ML_TRY(get_optional_text(in, summary, &summary->max));
	ML_TRY(get_optional_text(in, summary, &summary->shortest));
	ML_TRY(get_optional_text(in, summary, &summary->longest));
	ML_TRY(load_counts(in, summary));
	ML_TRY(ml_spread_load(in, &summary->spread));
	ML_TRY(ml_comoments_load(in, &summary->with_target));
	return ml_groups_load(in, &summary->by_target);
}
