/*
 * profile_role.c
 *		What a column most likely is for a model, and how it goes together with the target.
 *
 * The role is a suggestion, by simple rules that are stated at mlplat_profile_role; nothing depends on it.
 */
#include "postgres.h"

#include <math.h>

#include "pg/bridge.h"
#include "prepare/profile/profile.h"

/* With fewer values, being different from each other says nothing. */
#define FEW_VALUES 20

/* A column that says this much of the target in this many rows most likely came after it. */
#define LEAK_CORRELATION 0.98
#define LEAK_ROWS 30

/* Rows a level, on average, that it takes to measure anything, and to call it a leak: few agree by chance. */
#define ROWS_OF_LEVEL 2
#define LEAK_ROWS_OF_LEVEL 5

/* ---- the target */

/* The text of a level of the target, or NULL. */
static const char *
level_text(const ProfileShown *target, uint64 key)
{
	const MlTally *tally = &target->summary->tally;
	size_t slot = ml_tally_find(tally, key);

	return tally->slots[slot].count > 0 && tally->keep_text ? tally->texts[slot] : NULL;
}

/* Of a target with two levels the greater text counts as 1, the other as 0. */
static double
contrast(const MlGroups *groups, const ProfileShown *target)
{
	uint64 keys[2];
	const char *texts[2];
	int n = 0;

	for (size_t i = 0; i < groups->n_slots && n < 2; i++)
		if (groups->slots[i].n > 0)
			keys[n++] = groups->slots[i].a;
	if (n < 2)
		return NAN;
	texts[0] = level_text(target, keys[0]);
	texts[1] = level_text(target, keys[1]);
	return ml_groups_contrast(
		groups, texts[0] && texts[1] && strcmp(texts[0], texts[1]) > 0 ? keys[0] : keys[1]);
}

/*
 * Two numbers (booleans, dates and times are ones): Pearson's r. A number and a category: the correlation ratio, with
 * its sign where the target has two levels. Two categories: Cramer's V.
 */
double
mlplat_profile_with_target(const ProfileShown *column, const ProfileShown *target, uint64 *rows)
{
	const MlSummary *summary = column->summary;
	const MlGroups *groups = &summary->by_target;
	bool by_category = mlplat_profile_is_category(target->summary->kind);
	double v;

	*rows = 0;
	if (column->is_target)
		return NAN;
	if (mlplat_profile_has_number(summary->kind) && !by_category)
	{
		*rows = summary->with_target.n;
		return ml_comoments_correlation(&summary->with_target);
	}
	*rows = ml_groups_rows(groups);
	if (*rows < ROWS_OF_LEVEL * groups->n)
		return NAN;
	if (mlplat_profile_has_number(summary->kind))
		return groups->n == 2 ? contrast(groups, target) : ml_groups_eta(groups);
	if (!mlplat_profile_is_category(summary->kind))
		return NAN;
	if (!by_category)
		return ml_groups_eta(groups);
	mlplat_check(groups->env, ml_groups_cramers_v(groups, &v));
	return v;
}

/* ---- roles */

static bool
name_says_id(const char *name)
{
	size_t len = strlen(name);

	return pg_strcasecmp(name, "id") == 0 || pg_strcasecmp(name, "uuid") == 0 ||
		   (len > 3 && pg_strcasecmp(name + len - 3, "_id") == 0) ||
		   (len > 2 && strcmp(name + len - 2, "Id") == 0) ||
		   (len > 2 && strcmp(name + len - 2, "ID") == 0);
}

/* Nearly all values differ; an estimate is believed within three standard errors. */
static bool
is_unique(const ProfileShown *column)
{
	double n = (double) column->summary->n_values;

	return n >= FEW_VALUES &&
		   (double) column->n_distinct >= (column->summary->hll ? 0.975 : 1.0) * n;
}

/* Unique whole numbers that leave few gaps, as a sequence gives them, or are called so. */
static bool
is_integer_id(const ProfileShown *column)
{
	const MlSummary *summary = column->summary;
	double range = (double) summary->greatest_key - (double) summary->least_key;

	return is_unique(column) &&
		   (name_says_id(column->name) || range < 4.0 * (double) summary->n_values);
}

/* Values that repeat are categories, unless they are long; others are ids when unique and of few words. */
static const char *
text_role(const ProfileShown *column)
{
	const MlSummary *summary = column->summary;
	double length = (double) summary->n_bytes / (double) summary->n_values;
	bool repeats = 2 * column->n_distinct <= summary->n_values || summary->n_values < FEW_VALUES;

	if (length > 200)
		return "text";
	if (repeats)
		return "category";
	if (length > 60 || 2 * summary->n_phrases > summary->n_values)
		return "text";
	return is_unique(column) || name_says_id(column->name) ? "id" : "text";
}

/* All but determines the target, in more rows than chance explains. */
static bool
is_leak(const ProfileShown *column, uint64 n_with_target)
{
	return fabs(column->with_target) > LEAK_CORRELATION && n_with_target >= LEAK_ROWS &&
		   n_with_target >= LEAK_ROWS_OF_LEVEL * column->summary->by_target.n;
}

/*
 * target: what was given as such. unsupported: training does not take the type. constant: at most one value. leak: all
 * but determines the target. date: dates and timestamps. id: unique, and a sequence of whole numbers, a name that says
 * so, or a short text or uuid. text: long or hardly repeating. category: other texts, enums, booleans. feature: other
 * numbers, times, arrays of one length.
 */
const char *
mlplat_profile_role(const ProfileShown *column, uint64 n_rows, uint64 n_with_target)
{
	const MlSummary *summary = column->summary;

	if (column->is_target)
		return "target";
	if (summary->kind == ML_SUMMARY_OTHER)
		return "unsupported";
	if (summary->kind == ML_SUMMARY_BLOCK && summary->n_values > 0 && summary->block_length < 1)
		return "unsupported";
	if (n_rows > 0 && column->n_distinct <= 1)
		return "constant";
	if (is_leak(column, n_with_target))
		return "leak";
	switch (summary->kind)
	{
		case ML_SUMMARY_DATE:
			return "date";
		case ML_SUMMARY_BOOL:
			return "category";
		case ML_SUMMARY_INTEGER:
			return is_integer_id(column) ? "id" : "feature";
		case ML_SUMMARY_TEXT:
			return summary->n_values > 0 ? text_role(column) : "category";
		case ML_SUMMARY_LABEL:
			return is_unique(column) ? "id" : "category";
		default:
			return "feature";
	}
}
