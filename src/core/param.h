/*
 * param.h
 *		Parameter tables: the only source of validation, error texts and docs.
 *
 * A table is an array of MlParam that ends with a NULL name. Values are parsed
 * from a JSON object into an MlParams, and read by the index in the table:
 * declare an enum beside each table.
 */
#ifndef ML_PARAM_H
#define ML_PARAM_H

#include "core/json.h"

typedef enum MlParamType
{
	ML_PARAM_INT,
	ML_PARAM_REAL,
	ML_PARAM_BOOL,
	ML_PARAM_CHOICE, /* one of the words in choices; its value is the word's index */
	ML_PARAM_TEXT,
	ML_PARAM_JSON /* any JSON value; the owner checks it */
} MlParamType;

typedef struct MlParam
{
	const char *name;
	MlParamType type;
	const char *fallback; /* default, as JSON text: "0.1", "true", "\"auto\"", "null" = none */
	double min, max; /* closed range for INT and REAL; INT_MAX, INFINITY: no bound worth naming */
	const char *choices; /* "a|b|c" for CHOICE */
	const char *help;    /* one sentence for the user */
} MlParam;

typedef struct MlParamValue
{
	bool given;         /* by the user, not the default */
	bool null;          /* no value: the default is null */
	double number;      /* INT, REAL, BOOL (0/1), CHOICE (index) */
	const char *text;   /* TEXT */
	const MlJson *json; /* the value as it was given; never NULL */
} MlParamValue;

typedef struct MlParams
{
	const MlParam *table;
	size_t n;
	MlParamValue *values;
} MlParams;

/*
 * Read the members of object that the tables name. tables: n_tables parameter tables; results go to
 * out[0..n_tables-1], allocated in arena. A member that no table has is ML_EINVAL and names the nearest
 * one that does; a null member is as if it were not there. where: for the error, e.g. "gbdt". object may be NULL
 * (all defaults).
 */
extern MlStatus ml_params_parse(MlArena *arena, const char *where, const MlParam *const *tables,
								size_t n_tables, const MlJson *object, MlParams *out);

extern int ml_param_int(const MlParams *params, int index);
extern double ml_param_real(const MlParams *params, int index);
extern bool ml_param_bool(const MlParams *params, int index);
extern bool ml_param_given(const MlParams *params, int index);
extern const char *ml_param_text(const MlParams *params,
								 int index); /* TEXT or the word of a CHOICE; NULL: none */

/* The effective values of one table as a JSON object. */
extern void ml_params_write(const MlParams *params, MlJsonWriter *w, const char *key);

/* Of n names, the one nearest to name by edit distance, if near enough to be a typing error; else NULL. */
extern const char *ml_nearest(const char *name, const char *const *names, size_t n);

#endif /* ML_PARAM_H */
