/*
 * hll.c
 *		HyperLogLog: about how many different values there are, in 16 kB.
 *
 * Flajolet, Fusy, Gandouet and Meunier 2007, with the estimator of Ertl 2017
 * ("New cardinality estimation algorithms for HyperLogLog sketches", Algorithm
 * 6): it is unbiased from nothing to 2^64 without tables of corrections.
 */
#include <math.h>
#include <string.h>

#include "core/hll.h"

#define Q (64 - ML_HLL_BITS)

/* x + sum over k >= 1 of x^(2^k) 2^(k-1) */
static double
sigma(double x)
{
	double y = 1.0, z = x, before;

	if (x == 1.0)
		return INFINITY;
	do
	{
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

/* (1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 2^-k) / 3 */
static double
tau(double x)
{
	double y = 1.0, z = 1.0 - x, before;

	if (x == 0.0 || x == 1.0)
		return 0.0;
	do
	{
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1.0 - x) * (1.0 - x) * y;
	} while (z != before);
	return z / 3.0;
}

double
ml_hll_estimate(const MlHll *hll)
{
	const double m = ML_HLL_REGISTERS;
	uint32_t counts[Q + 2] = {0}; /* registers of each value */
	double z;

	for (uint32_t i = 0; i < ML_HLL_REGISTERS; i++)
		counts[hll->registers[i]]++;
	z = m * tau(1.0 - counts[Q + 1] / m);
	for (int k = Q; k >= 1; k--)
		z = 0.5 * (z + counts[k]);
	z += m * sigma(counts[0] / m);
	return m * m / (2.0 * 0.69314718055994531 * z);
}

void
ml_hll_merge(MlHll *hll, const MlHll *other)
{
	for (uint32_t i = 0; i < ML_HLL_REGISTERS; i++)
		hll->registers[i] = ML_MAX(hll->registers[i], other->registers[i]);
}

void
ml_hll_save(const MlHll *hll, MlBuffer *out)
{
	ml_put_bytes(out, hll->registers, sizeof hll->registers);
}

MlStatus
ml_hll_load(MlReader *in, MlHll *hll)
{
	const uint8_t *registers = ml_get_bytes(in, sizeof hll->registers);

	if (!registers)
		return ml_corrupt(in->env, "count of distinct values");
	memcpy(hll->registers, registers, sizeof hll->registers);
	for (uint32_t i = 0; i < ML_HLL_REGISTERS; i++)
		if (hll->registers[i] > Q + 1)
			return ml_corrupt(in->env, "count of distinct values");
	return ML_OK;
}
