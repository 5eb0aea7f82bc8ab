/*
 * profile.h
 *		What is gathered of each column of a query while its rows pass.
 */
#ifndef MLPLAT_PROFILE_H
#define MLPLAT_PROFILE_H

#include "access/tupdesc.h"
#include "executor/tuptable.h"

#include "core/hll.h"
#include "core/kll.h"
#include "core/tally.h"

/* How values of a column are looked at. */
typedef enum ProfileKind
{
	PROFILE_BOOL,    /* key: 0, 1 */
	PROFILE_INTEGER, /* key: the value */
	PROFILE_FLOAT,   /* key: the bits of the double */
	PROFILE_NUMERIC, /* key: a hash; its text is kept */
	PROFILE_DATE,    /* key: the value */
	PROFILE_TIME,    /* key: microseconds of a time or interval */
	PROFILE_TEXT,    /* key: a hash */
	PROFILE_LABEL,   /* enum, uuid: compared for equality only; key: the value or a hash */
	PROFILE_BLOCK,   /* array of numbers; the same */
	PROFILE_OTHER    /* what training does not take; the same */
} ProfileKind;

typedef struct ProfileColumn
{
	const char *name;
	Oid type, base_type;
	int32 typmod;
	int16 typlen;
	bool typbyval;
	FmgrInfo output;
	ProfileKind kind;
	MlEnv *env;

	int64 n_values; /* not NULL */
	MlTally tally;  /* how often each value occurs */
	MlHll *hll;     /* from when there are too many different values on */
	MlKll *kll;     /* the same, numbers only */

	/* Numbers: NaN is left out; the moments are of finite values. */
	int64 n_numbers;
	int64 n_finite;
	double sum, rest; /* the sum, and what rounding took off it */
	double mean, m2;  /* Welford 1962: stable where a sum of squares is not */
	union
	{
		int64 integer; /* whole numbers and dates */
		double real;
	} least, greatest;

	Datum min, max; /* kinds with an order, when n_numbers or, for text, n_values > 0 */
	int64 n_bytes;  /* text: length of all values */
	int64 n_entered,
		n_phrases; /* text: values entered into the tally; of them, those of three words and more */
	int block_length; /* block: elements, -1: they differ */
} ProfileColumn;

typedef struct Profile
{
	MemoryContext context;
	int n_columns;
	int64 n_rows;
	ProfileColumn *columns;
} Profile;

/* Longest text that is kept of a value, in bytes. */
#define PROFILE_TEXT_LENGTH 100

extern Profile *mlplat_profile_begin(TupleDesc desc, MlEnv *env);

/* An MlplatRowFn over a Profile. */
extern void mlplat_profile_row(void *profile, TupleTableSlot *slot);

/* Of a slot of the tally: the value as text in the current context, and as a number (NaN where it is none). */
extern char *mlplat_profile_value_text(const ProfileColumn *column, size_t slot);
extern double mlplat_profile_value_number(const ProfileColumn *column, size_t slot);

/* Does the column hold numbers, with a mean and quartiles? */
extern bool mlplat_profile_is_number(const ProfileColumn *column);

#endif
