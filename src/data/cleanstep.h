/*
 * cleanstep.h
 *		The steps of a cleaning: which actions there are, their options, and how they are written.
 *
 * A step is {"action": {options}}, or "action" where no option is needed, or {"action": value}
 * with a string or an array in place of the options, which stands for the first option.
 */
#ifndef ML_CLEANSTEP_H
#define ML_CLEANSTEP_H

#include "core/param.h"

#define ML_CLEAN_MAX_STEPS 100

typedef enum MlCleanAction
{
	ML_CLEAN_DROP_DUPLICATES = 0,
	ML_CLEAN_DROP_MISSING,
	ML_CLEAN_FILL,
	ML_CLEAN_TRIM,
	ML_CLEAN_LOWER,
	ML_CLEAN_UPPER,
	ML_CLEAN_NORMALIZE,
	ML_CLEAN_MAP,
	ML_CLEAN_CAST,
	ML_CLEAN_CLIP,
	ML_CLEAN_DROP_OUTLIERS,
	ML_CLEAN_DROP_COLUMNS,
	ML_CLEAN_DROP_CONSTANT,
	ML_CLEAN_DROP_EMPTY,
	ML_CLEAN_GROUP_RARE,
	ML_CLEAN_FILTER
} MlCleanAction;

/* Places of the options in their tables. The first option of each action is 0: its columns. */
enum
{
	ML_CLEAN_COLUMNS = 0
};
enum
{
	ML_CLEAN_DUPLICATES_KEEP = 1, /* 0: first, 1: last */
	ML_CLEAN_DUPLICATES_ORDER
};
enum
{
	ML_CLEAN_MISSING_HOW = 1 /* 0: any, 1: all */
};
enum
{
	ML_CLEAN_FILL_WITH = 1, /* an MlCleanFill */
	ML_CLEAN_FILL_VALUE,
	ML_CLEAN_FILL_ORDER,
	ML_CLEAN_FILL_GROUP
};
enum
{
	ML_CLEAN_TRIM_EMPTY = 1
};
enum
{
	ML_CLEAN_NORMALIZE_CASE = 1, /* 0: keep, 1: lower, 2: upper */
	ML_CLEAN_NORMALIZE_EMPTY
};
enum
{
	ML_CLEAN_MAP_VALUES = 1,
	ML_CLEAN_MAP_MISSING,
	ML_CLEAN_MAP_OTHER /* an MlCleanOther */
};
enum
{
	ML_CLEAN_CAST_TYPE = 1,
	ML_CLEAN_CAST_ON_ERROR, /* an MlCleanOnError */
	ML_CLEAN_CAST_DEFAULT
};
enum
{
	ML_CLEAN_CLIP_BY = 1, /* an MlCleanBy */
	ML_CLEAN_CLIP_FACTOR,
	ML_CLEAN_CLIP_LOWER,
	ML_CLEAN_CLIP_UPPER
};
enum
{
	ML_CLEAN_EMPTY_MAX = 1
};
enum
{
	ML_CLEAN_RARE_SHARE = 1,
	ML_CLEAN_RARE_COUNT,
	ML_CLEAN_RARE_OTHER
};

typedef enum MlCleanFill
{
	ML_CLEAN_MEAN = 0,
	ML_CLEAN_MEDIAN,
	ML_CLEAN_MODE,
	ML_CLEAN_CONSTANT,
	ML_CLEAN_PREVIOUS
} MlCleanFill;

typedef enum MlCleanOther
{
	ML_CLEAN_OTHER_KEEP = 0,
	ML_CLEAN_OTHER_NULL,
	ML_CLEAN_OTHER_ERROR
} MlCleanOther;

typedef enum MlCleanOnError
{
	ML_CLEAN_ON_ERROR_ERROR = 0,
	ML_CLEAN_ON_ERROR_NULL,
	ML_CLEAN_ON_ERROR_DEFAULT,
	ML_CLEAN_ON_ERROR_DROP
} MlCleanOnError;

typedef enum MlCleanBy
{
	ML_CLEAN_BY_IQR = 0,
	ML_CLEAN_BY_ZSCORE,
	ML_CLEAN_BY_QUANTILE,
	ML_CLEAN_BY_BOUNDS
} MlCleanBy;

typedef struct MlCleanStep
{
	MlCleanAction action;
	MlParams params;
} MlCleanStep;

extern const char *ml_clean_action_name(MlCleanAction action);

/* The options of an action; ends with a NULL name. NULL: no such action. */
extern const MlParam *ml_clean_action_params(int action);

/* Read and check the array of steps, as far as that is possible without the columns; into arena. */
extern MlStatus ml_clean_parse(MlArena *arena, const MlJson *steps, MlCleanStep **out, size_t *n);

/* The i-th name of an option that is a name or an array of names, and how many there are (0: not given). */
extern size_t ml_clean_n_names(const MlCleanStep *step, int option);
extern const char *ml_clean_name(const MlCleanStep *step, int option, size_t i);

/* The text of a scalar that a column's type is to read; NULL for null. The value must be a scalar. */
extern const char *ml_clean_scalar(const MlJson *value);

/* The factor of iqr (1.5) and zscore (3), and the share of a quantile (0.01, 0.99), with their defaults. */
extern double ml_clean_factor(const MlCleanStep *step);
extern double ml_clean_share(const MlCleanStep *step, int option);

#endif /* ML_CLEANSTEP_H */
