/*
 * prep.h
 *		The fitted recipe: from the features of the columns to those that an algorithm sees.
 *
 * raw row -> ml_schema_expand -> recipe -> prepared features -> algorithm
 *
 * Words: the *spec* is the option `prep` as it was given; the *plan* is the spec
 * seen on the columns of a training, checked, nothing fitted; the *recipe*
 * (MlPrep) is the plan fitted to training rows. A *step column* of a recipe takes
 * one source value (a feature, or a part of a date) and gives one or more
 * *outputs*. Columns that the option does not name pass as they are.
 *
 * The steps of one column apply in this order, each only where it was asked for:
 * dates -> clip -> impute (and indicator) -> power -> bins or scale -> encode;
 * then polynomial powers of what came out, and products of two columns' results.
 *
 * A recipe sees training rows only. Target encodings of the training rows
 * themselves are out of fold (MlPrepView); a row at prediction, or one that was
 * not trained on, gets the encoding of all training rows.
 */
#ifndef ML_PREP_H
#define ML_PREP_H

#include "core/param.h"
#include "data/dataset.h"

/* ---- the option ---- */

/* Indexes of ml_prep_params: the options of one column. */
enum
{
	ML_PREP_AS,
	ML_PREP_DATES,
	ML_PREP_CYCLIC,
	ML_PREP_CLIP,
	ML_PREP_IMPUTE,
	ML_PREP_FILL,
	ML_PREP_INDICATOR,
	ML_PREP_POWER,
	ML_PREP_BINS,
	ML_PREP_SCALE,
	ML_PREP_ENCODE,
	ML_PREP_TOP,
	ML_PREP_ORDER,
	ML_PREP_SMOOTHING,
	ML_PREP_BUCKETS,
	ML_PREP_POLYNOMIAL,
	ML_PREP_PRODUCTS,
	ML_PREP_N_PARAMS
};

extern const MlParam ml_prep_params[];

/* What the option says of one column; name "*": of every column, where a step can apply. */
typedef struct MlPrepWish
{
	const char *name;
	MlParams params;
} MlPrepWish;

typedef struct MlPrepSpec
{
	const MlJson *json; /* as given; NULL: nothing was */
	size_t n;
	MlPrepWish *wishes;
	const MlParams *defaults; /* of "*", or NULL */
	MlParams fallback;        /* the tables' own defaults */
	bool automatic; /* algorithm 'prep': what is not said is chosen by the column's type */
} MlPrepSpec;

/* Read the option; what cannot be checked without the columns is left to the plan. json may be NULL. */
extern MlStatus ml_prep_spec_parse(MlArena *arena, const MlJson *json, bool automatic,
								   MlPrepSpec **spec);

/* How a column has to be read: as levels whatever its type; into so many buckets (0: every level by itself). */
extern bool ml_prep_reads_levels(const MlPrepSpec *spec, const char *column);
extern uint32_t ml_prep_buckets(const MlPrepSpec *spec, const char *column);

/* ---- the recipe ---- */

typedef enum MlPrepForm
{
	ML_PREP_NUMBER = 0, /* one number, and its powers */
	ML_PREP_LEVELS,     /* levels for algorithms that know levels: the feature's own, or bins */
	ML_PREP_CYCLE,      /* sine and cosine */
	ML_PREP_ONE_HOT,    /* 0 or 1 for each kept level */
	ML_PREP_TABLE       /* numbers by level */
} MlPrepForm;
#define ML_PREP_N_FORMS 5

/* Words of the options, in their order. */
typedef enum MlPrepPower
{
	ML_POWER_NONE = 0,
	ML_POWER_LOG,
	ML_POWER_LOG1P,
	ML_POWER_SQRT,
	ML_POWER_SQUARE,
	ML_POWER_YEO_JOHNSON
} MlPrepPower;
#define ML_N_POWERS 6

typedef enum MlPrepEncoding
{
	ML_ENCODE_AUTO = 0,
	ML_ENCODE_NONE,
	ML_ENCODE_ONE_HOT,
	ML_ENCODE_ORDINAL,
	ML_ENCODE_TARGET,
	ML_ENCODE_FREQUENCY,
	ML_ENCODE_HASH
} MlPrepEncoding;
#define ML_N_ENCODINGS 7

#define ML_PREP_MAX_DEGREE 5
#define ML_PREP_MAX_BINS 1000

typedef struct MlPrepColumn
{
	uint32_t feature; /* of the columns' schema: the source */
	MlPart part;      /* QUARTER, WEEK, DOY of that epoch feature; else VALUE: the feature itself */
	MlPrepForm form;
	MlPrepEncoding encoding; /* of ONE_HOT and TABLE */
	bool indicator;          /* one more output: is the value missing? */

	/* numbers */
	double low, high;     /* clip */
	double fill;          /* for what is missing, before the power; NaN: it stays missing */
	MlPrepPower power;    /* what it is not defined for is missing */
	double lambda;        /* of Yeo and Johnson */
	double center, scale; /* (value - center) / scale */
	uint32_t degree;      /* powers 1..degree of the result */
	bool binned;
	uint32_t
		n_edges; /* ascending; bin k has the values from edge k-1 up to, not including, edge k */
	double *edges;

	/* levels: codes 0..n_codes-1 of the feature, or bins */
	uint32_t n_codes;
	uint32_t fill_code; /* for what is missing, or ML_NO_LEVEL */
	uint32_t n_kept;    /* ONE_HOT: codes in the order of the outputs; n_codes: missing */
	uint32_t *kept;
	uint32_t
		n_values; /* TABLE: rows of so many numbers: one for each code, one for missing, one for unseen */
	double *table;

	/* what follows from the above */
	double filled; /* fill after the power */
	uint32_t
		*output_of; /* ONE_HOT: by code and missing; the place among the outputs or ML_NO_LEVEL */
	uint32_t first, n_outputs;
} MlPrepColumn;

/* The product of the numbers that two columns of the recipe give. */
typedef struct MlPrepProduct
{
	uint32_t a, b;
} MlPrepProduct;

typedef struct MlPrep
{
	char *options; /* JSON text of the option; "": none was given */
	const MlSchema *from;
	uint32_t n_columns;
	MlPrepColumn *columns;
	uint32_t n_products;
	MlPrepProduct *products;
	uint32_t n_labels; /* classes of target encodings with a number for each; else 0 */
	char **labels;

	/* what follows */
	MlSchema *schema;    /* of what comes out: names, levels */
	uint32_t *column_of; /* by output, products excluded */
} MlPrep;

/* x: features of the columns; out: features that the algorithm sees. No allocation, thread safe. */
extern void ml_prep_row(const MlPrep *prep, const double *x, double *out);

/* Lay out outputs, names and tables from the columns; ML_EDATA where there are too many outputs. */
extern MlStatus ml_prep_layout(MlArena *arena, const MlSchema *from, MlPrep *prep);

extern void ml_prep_save(const MlPrep *prep, MlBuffer *out);
extern MlStatus ml_prep_load(MlReader *in, MlArena *arena, const MlSchema *from, MlPrep **prep);

/* The recipe as an array of objects, one for each column that it changes, up to 10,000. */
extern void ml_prep_write(const MlPrep *prep, MlJsonWriter *w, const char *key);

/* ---- the plan ---- */

typedef struct MlPrepPlan MlPrepPlan;

/*
 * What the spec asks for on these columns; *plan is NULL where that is nothing. Unknown columns, steps that a column
 * cannot take and contradictions are ML_EINVAL. A constant that stands for missing levels becomes a level.
 */
extern MlStatus ml_prep_plan_create(MlArena *arena, const MlPrepSpec *spec, MlSchema *schema,
									bool has_target, MlPrepPlan **plan);

/*
 * Take the recipe of a model as it is, instead of fitting one; it must live as long as the plan. ML_EINVAL where it was
 * asked for by other options.
 */
extern MlStatus ml_prep_plan_adopt(MlPrepPlan *plan, MlEnv *env, const MlPrep *prep,
								   const char *model);

/* Training rows as the algorithm sees them: what MlDataset.view stands for. */
typedef struct MlPrepView
{
	MlEnv *env;
	const MlPrep *prep;
	const MlDataset *data; /* the rows as they are */
	uint8_t *
		fold; /* by row of the frame: 0 not trained on, else 1 + its fold; NULL: no target encoding */
	double *
		*tables; /* by column: the table of fold 0, then that of fold 1, ...; NULL: it has none */
} MlPrepView;

/* Fit the recipe to the rows, in arena, and begin a view of the dataset, which ml_prep_view_free ends. */
extern MlStatus ml_prep_fit(MlArena *arena, const MlPrepPlan *plan, const MlDataset *data,
							const MlRows *rows, uint64_t seed, MlPrepView *view);
extern void ml_prep_view_free(MlPrepView *view);

/* One output, or all of them row by row, of rows[first..first+n-1]. */
extern void ml_prep_view_feature(const MlPrepView *view, uint32_t output, const MlRows *rows,
								 size_t first, size_t n, double *out);
extern void ml_prep_view_block(const MlPrepView *view, const MlRows *rows, size_t first, size_t n,
							   double *out);

#endif /* ML_PREP_H */
