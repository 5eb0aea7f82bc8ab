/*
 * clean_row.c
 *		What the steps of a cleaning do to one row.
 *
 * All that steps allocate is in the row's memory, which is emptied before the
 * next row.
 */
#include "postgres.h"

#include "pg/compat.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"

#include "core/blanks.h"
#include "prepare/clean/clean.h"

static void
set_null(CleanStep *step, CleanCell *cell, CleanRow *row)
{
	mlplat_clean_check_domain(step, cell, (Datum) 0, true);
	step->cells_changed++;
	row->values[cell->index] = (Datum) 0;
	row->nulls[cell->index] = true;
}

static void
set_value(CleanStep *step, const CleanCell *cell, CleanRow *row, Datum value)
{
	step->cells_changed++;
	row->values[cell->index] = value;
	row->nulls[cell->index] = false;
}

static bool
is_missing(const CleanCell *cell, const CleanRow *row)
{
	return mlplat_clean_is_missing(&cell->column, row->values[cell->index],
								   row->nulls[cell->index]);
}

/* ---- text */

static bool
is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((text[i] & 0x80) != 0)
			return false;
	return true;
}

typedef struct Words
{
	const char *text;
	size_t len;
} Words;

/* The bytes of a text; the blanks that fill a character(n) do not count. */
static Words
words_of(const CleanCell *cell, Datum value)
{
	text *flat = DatumGetTextPP(value);
	Words words = {VARDATA_ANY(flat), VARSIZE_ANY_EXHDR(flat)};

	while (cell->column.base_type == BPCHAROID && words.len > 0 && words.text[words.len - 1] == ' ')
		words.len--;
	return words;
}

/* Unicode's NFKC, where the database is in UTF-8; ASCII is in that form. */
static Words
compose(Words words)
{
	text *form;

	if (GetDatabaseEncoding() != PG_UTF8 || is_ascii(words.text, words.len))
		return words;
	form = DatumGetTextPP(
		DirectFunctionCall2(unicode_normalize_func,
							PointerGetDatum(cstring_to_text_with_len(words.text, (int) words.len)),
							CStringGetTextDatum("NFKC")));
	return (Words){VARDATA_ANY(form), VARSIZE_ANY_EXHDR(form)};
}

static Words
change_case(const CleanCell *cell, Words words, bool upper)
{
	Oid collation =
		OidIsValid(cell->column.collation) ? cell->column.collation : DEFAULT_COLLATION_OID;
	char *text = upper ? str_toupper(words.text, words.len, collation)
					   : str_tolower(words.text, words.len, collation);

	return (Words){text, strlen(text)};
}

static Words
trim(Words words)
{
	words.text = ml_trim_blanks(words.text, &words.len, GetDatabaseEncoding() == PG_UTF8);
	return words;
}

/* Compatible forms, single blanks, none at the ends, and the case that is asked for. */
static Words
normalize(const CleanStep *step, const CleanCell *cell, Words words)
{
	int letters = ml_param_int(&step->spec->params, ML_CLEAN_NORMALIZE_CASE);
	char *out;

	words = compose(words);
	out = palloc(words.len + 1);
	words.len = ml_collapse_blanks(words.text, words.len, GetDatabaseEncoding() == PG_UTF8, out);
	words.text = out;
	return letters == 0 ? words : change_case(cell, words, letters == 2);
}

/* The words as a value of the column's type, which may check, cut or fill them. */
static Datum
words_to_value(CleanStep *step, CleanCell *cell, Words words)
{
	if (cell->column.type == TEXTOID ||
		(cell->column.type == VARCHAROID && cell->column.typmod < 0))
		return PointerGetDatum(cstring_to_text_with_len(words.text, (int) words.len));
	return mlplat_clean_read_value(step, cell, pnstrdup(words.text, words.len));
}

static void
change_text(CleanStep *step, CleanCell *cell, CleanRow *row)
{
	Words before, words;
	int empty_option = -1;

	if (row->nulls[cell->index])
		return;
	words = before = words_of(cell, row->values[cell->index]);
	switch (step->spec->action)
	{
		case ML_CLEAN_TRIM:
			words = trim(words);
			empty_option = ML_CLEAN_TRIM_EMPTY;
			break;
		case ML_CLEAN_NORMALIZE:
			words = normalize(step, cell, words);
			empty_option = ML_CLEAN_NORMALIZE_EMPTY;
			break;
		default:
			words = change_case(cell, words, step->spec->action == ML_CLEAN_UPPER);
			break;
	}
	if (words.len == 0 && empty_option >= 0 && ml_param_bool(&step->spec->params, empty_option))
		set_null(step, cell, row);
	else if (words.len != before.len || memcmp(words.text, before.text, words.len) != 0)
		set_value(step, cell, row, words_to_value(step, cell, words));
}

/* ---- other actions */

static bool
has_enough(const CleanStep *step, const CleanRow *row)
{
	int n_missing = 0;

	for (int i = 0; i < step->n_cells; i++)
		n_missing += is_missing(&step->cells[i], row);
	if (ml_param_int(&step->spec->params, ML_CLEAN_MISSING_HOW) == 0)
		return n_missing == 0;
	return n_missing < step->n_cells || step->n_cells == 0;
}

static _Noreturn void
value_not_mapped(const CleanStep *step, const CleanCell *cell, Datum value)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("step %d (map) has no new value for \"%s\" in column \"%s\"", step->number,
					mlplat_clean_value_text(&cell->column, value), cell->column.name),
			 errhint("Add it to \"values\", or use \"other\": \"keep\" or \"null\".")));
}

static void
map_value(CleanStep *step, CleanCell *cell, CleanRow *row)
{
	Datum value = row->values[cell->index];
	MlCleanOther other = (MlCleanOther) ml_param_int(&step->spec->params, ML_CLEAN_MAP_OTHER);
	int level;

	if (is_missing(cell, row))
	{
		if (cell->has_value)
			set_value(step, cell, row, cell->value);
		return;
	}
	level = mlplat_clean_find_level(cell, value);
	if (level < 0 && other == ML_CLEAN_OTHER_ERROR)
		value_not_mapped(step, cell, value);
	if (level < 0 ? other == ML_CLEAN_OTHER_NULL : cell->levels.new_nulls[level])
		set_null(step, cell, row);
	else if (level >= 0 && mlplat_clean_compare(cell, value, cell->levels.news[level]) != 0)
		set_value(step, cell, row, cell->levels.news[level]);
}

/* -1: below the lower bound, 1: above the upper one, 0: neither, or missing. */
static int
side_of_bounds(CleanCell *cell, const CleanRow *row)
{
	Datum value = row->values[cell->index];

	if (is_missing(cell, row))
		return 0;
	if (cell->has_low && mlplat_clean_compare(cell, value, cell->low) < 0)
		return -1;
	return cell->has_high && mlplat_clean_compare(cell, value, cell->high) > 0;
}

static void
clip_value(CleanStep *step, CleanCell *cell, CleanRow *row)
{
	int side = side_of_bounds(cell, row);
	Datum bound = side < 0 ? cell->low : cell->high;

	if (side == 0)
		return;
	mlplat_clean_check_domain(step, cell, bound, false);
	set_value(step, cell, row, bound);
}

static bool
is_inside(const CleanStep *step, const CleanRow *row)
{
	for (int i = 0; i < step->n_cells; i++)
		if (side_of_bounds(&step->cells[i], row) != 0)
			return false;
	return true;
}

/* A level that is not among the frequent ones. */
static void
group_value(CleanStep *step, CleanCell *cell, CleanRow *row)
{
	Datum value = row->values[cell->index];

	if (!row->nulls[cell->index] && mlplat_clean_find_level(cell, value) < 0 &&
		mlplat_clean_compare(cell, value, cell->value) != 0)
		set_value(step, cell, row, cell->value);
}

/* False: the row goes. */
static bool
change_cell(CleanStep *step, CleanCell *cell, CleanRow *row)
{
	switch (step->spec->action)
	{
		case ML_CLEAN_FILL:
			if (cell->has_value && is_missing(cell, row))
				set_value(step, cell, row, cell->value);
			break;
		case ML_CLEAN_TRIM:
		case ML_CLEAN_LOWER:
		case ML_CLEAN_UPPER:
		case ML_CLEAN_NORMALIZE:
			change_text(step, cell, row);
			break;
		case ML_CLEAN_MAP:
			map_value(step, cell, row);
			break;
		case ML_CLEAN_CAST:
			return mlplat_clean_cast(step, cell, row);
		case ML_CLEAN_CLIP:
			clip_value(step, cell, row);
			break;
		case ML_CLEAN_GROUP_RARE:
			group_value(step, cell, row);
			break;
		case ML_CLEAN_DROP_COLUMNS:
		case ML_CLEAN_DROP_CONSTANT:
		case ML_CLEAN_DROP_EMPTY:
			if (cell->has_value)
				row->nulls[cell->index] = true;
			break;
		default:
			break;
	}
	return true;
}

/* Does the row stay? Cells are changed on the way. */
static bool
treat_row(CleanStep *step, CleanRow *row)
{
	switch (step->spec->action)
	{
		case ML_CLEAN_DROP_MISSING:
			return has_enough(step, row);
		case ML_CLEAN_DROP_OUTLIERS:
			return is_inside(step, row);
		case ML_CLEAN_FILTER:
			return mlplat_clean_keeps(step, row);
		default:
			break;
	}
	for (int i = 0; i < step->n_cells; i++)
	{
		step->place->cell = &step->cells[i];
		if (!change_cell(step, &step->cells[i], row))
			return false;
	}
	return true;
}

bool
mlplat_clean_apply(CleanStep *step, CleanRow *row)
{
	bool stays;

	step->rows_in++;
	*step->place = (CleanPlace){.step = step};
	stays = treat_row(step, row);
	*step->place = (CleanPlace){0};
	step->rows_dropped += !stays;
	return stays;
}
