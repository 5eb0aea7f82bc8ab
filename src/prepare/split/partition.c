/*
 * partition.c
 *		part_of, uniform_of and fold_of: to which part of a split a row belongs.
 *
 * The answer is a function of the key's value and the seed alone, so a split
 * needs no extra column and stays the same when rows come and go. Parts and
 * folds count from 1. uniform_of is the number in [0, 1) that part_of holds
 * against the fractions: part 1 of '{0.8,0.2}' is where it is below 0.8. The
 * other two functions hash with different seeds: folds are
 * made inside a part, and with one hash for both, the rows of a part of 80 %
 * would leave the last folds empty.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

#include "core/rng.h"
#include "data/split.h"
#include "pg/keyhash.h"
#include "pg/signature.h"

PG_FUNCTION_INFO_V1(mlplat_part_of);
PG_FUNCTION_INFO_V1(mlplat_uniform_of);
PG_FUNCTION_INFO_V1(mlplat_fold_of);

#define PART_STREAM UINT64CONST(0x7061727400000000) /* "part" */
#define FOLD_STREAM UINT64CONST(0x666f6c6400000000) /* "fold" */

#define MAX_PARTS 1000
/* Decimal fractions such as 0.7, 0.2, 0.1 do not sum to 1 in binary. */
#define SUM_TOLERANCE 1e-6

/* The hash of argument 0; how its type is hashed is kept in fn_extra. */
static uint64
hash_key(FunctionCallInfo fcinfo, uint64 stream, int32 seed)
{
	MlplatKeyType *key = fcinfo->flinfo->fn_extra;

	if (key == NULL)
	{
		Oid type = get_fn_expr_argtype(fcinfo->flinfo, 0);

		if (!OidIsValid(type))
			elog(ERROR, "could not determine the type of the key");
		key = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(MlplatKeyType));
		mlplat_key_type_init(key, type, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = key;
	}
	return mlplat_key_hash(key, PG_GETARG_DATUM(0), ml_mix64(stream ^ (uint32) seed));
}

static void
check_fractions(const ArrayType *array, const double *fractions, int n)
{
	double sum = 0.0;

	if (ARR_NDIM(array) != 1 || n > MAX_PARTS || ARR_HASNULL(array))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("fractions must be an array of 1 to %d numbers", MAX_PARTS)));
	for (int i = 0; i < n; i++)
	{
		if (!(fractions[i] > 0.0) || isinf(fractions[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("fraction %d must be greater than 0, not %g", i + 1, fractions[i])));
		sum += fractions[i];
	}
	if (fabs(sum - 1.0) > SUM_TOLERANCE)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("fractions must sum to 1, not %.9g", sum)));
}

Datum
mlplat_part_of(PG_FUNCTION_ARGS)
{
	ArrayType *array;
	const double *fractions;
	int n;

	mlplat_need_arguments(fcinfo, 3);
	array = PG_GETARG_ARRAYTYPE_P(1);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	fractions = (const double *) ARR_DATA_PTR(array);
	check_fractions(array, fractions, n);
	PG_RETURN_INT32(ml_part_of(hash_key(fcinfo, PART_STREAM, PG_GETARG_INT32(2)), fractions, n) +
					1);
}

Datum
mlplat_uniform_of(PG_FUNCTION_ARGS)
{
	mlplat_need_arguments(fcinfo, 2);
	PG_RETURN_FLOAT8(ml_split_uniform(hash_key(fcinfo, PART_STREAM, PG_GETARG_INT32(1)), 0));
}

Datum
mlplat_fold_of(PG_FUNCTION_ARGS)
{
	uint64 hash;
	int32 k;

	mlplat_need_arguments(fcinfo, 3);
	k = PG_GETARG_INT32(1);
	if (k < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the number of folds must be at least 1, not %d", k)));
	hash = hash_key(fcinfo, FOLD_STREAM, PG_GETARG_INT32(2));
	/* The upper 32 bits, scaled to 0..k-1 by a multiplication. */
	PG_RETURN_INT32((int32) (((hash >> 32) * (uint64) k) >> 32) + 1);
}
