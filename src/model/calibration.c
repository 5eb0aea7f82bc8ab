/*
 * calibration.c
 *		Platt's sigmoid and isotonic regression on held-out predictions.
 *
 * Platt: minimise over (a, b) the cross-entropy of p = 1 / (1 + exp(a f + b))
 * against smoothed targets, (N+ + 1) / (N+ + 2) and 1 / (N- + 2), by Newton's
 * method with backtracking: Lin, Lin, Weng, "A note on Platt's probabilistic
 * outputs for support vector machines", Machine Learning 68 (2007), Algorithm 1.
 * f is the log-odds of the model's probability. Where some probability is
 * exactly 0 or 1, as votes of a forest are, log-odds would be ruled by those,
 * and f is the probability itself.
 *
 * Isotonic: the non-decreasing function of least weighted squared error, by
 * pooling adjacent violators (Barlow et al. 1972), linear between the ends of
 * its level pieces. Its values stay within [1/(N+2), (N+1)/(N+2)] (Laplace's
 * rule), so that no event is ever called impossible, at an infinite log loss.
 *
 * Weights of rows count as numbers of rows.
 */
#include <math.h>

#include "metric/ranking.h"
#include "model/calibration.h"

#define POLL_EVERY (1 << 14) /* rows */
#define MAX_NEWTON 100
#define MIN_STEP 1e-10
#define GRADIENT_TOL 1e-10 /* a row */
#define RIDGE 1e-12        /* added to the Hessian's diagonal: sigma of the paper */
#define LOG_ODDS_LIMIT 40. /* of p nearer to 0 or 1 than a double can tell */

/* The log-odds of a probability, bounded. */
static double
log_odds(double p)
{
	double f = log(p) - log1p(-p);

	return f < -LOG_ODDS_LIMIT ? -LOG_ODDS_LIMIT : f > LOG_ODDS_LIMIT ? LOG_ODDS_LIMIT : f;
}

/* 1 / (1 + exp(-t)) without overflow. */
static double
sigmoid(double t)
{
	return t >= 0 ? 1 / (1 + exp(-t)) : exp(t) / (1 + exp(t));
}

static double
score_weight(const MlScores *scores, size_t i)
{
	return scores->weight ? scores->weight[i] : 1;
}

static double
total_weight(const MlScores *scores)
{
	double sum = 0;

	for (size_t i = 0; i < scores->n; i++)
		sum += score_weight(scores, i);
	return sum;
}

/* ---- Platt ---- */

typedef struct Platt
{
	MlEnv *env;
	const MlScores *of; /* f of the rest, f of the class */
	double count[2], target[2];
} Platt;

/* The objective at (a, b): sum of w (t z + log(1 + exp(-z))), z = a f + b, in the stable form of the paper. */
static MlStatus
platt_loss(const Platt *platt, double a, double b, double *loss)
{
	double sum = 0;

	for (int c = 0; c < 2; c++)
	{
		double t = platt->target[c];

		for (size_t i = 0; i < platt->of[c].n; i++)
		{
			double z = a * platt->of[c].score[i] + b;

			if (i % POLL_EVERY == 0)
				ML_TRY(ml_poll(platt->env));
			sum += score_weight(&platt->of[c], i) *
				   (z >= 0 ? t * z + log1p(exp(-z)) : (t - 1) * z + log1p(exp(z)));
		}
	}
	*loss = sum;
	return ML_OK;
}

/* Gradient g and Hessian h (aa, ab, bb) at (a, b). */
static MlStatus
platt_derivatives(const Platt *platt, double a, double b, double *g, double *h)
{
	h[0] = h[2] = RIDGE;
	h[1] = g[0] = g[1] = 0;
	for (int c = 0; c < 2; c++)
	{
		for (size_t i = 0; i < platt->of[c].n; i++)
		{
			double f = platt->of[c].score[i], weight = score_weight(&platt->of[c], i);
			double p = sigmoid(-(a * f + b));
			double d1 = weight * (platt->target[c] - p), d2 = weight * p * (1 - p);

			if (i % POLL_EVERY == 0)
				ML_TRY(ml_poll(platt->env));
			h[0] += f * f * d2;
			h[1] += f * d2;
			h[2] += d2;
			g[0] += f * d1;
			g[1] += d1;
		}
	}
	return ML_OK;
}

/* Go along (da, db) as far as the loss falls enough; false: it does not, within rounding. */
static MlStatus
line_search(const Platt *platt, const double *g, const double *d, double *ab, double *loss,
			bool *moved)
{
	double slope = g[0] * d[0] + g[1] * d[1];

	*moved = false;
	for (double step = 1; step >= MIN_STEP && !*moved; step /= 2)
	{
		double next;

		ML_TRY(platt_loss(platt, ab[0] + step * d[0], ab[1] + step * d[1], &next));
		if (!(next < *loss + 1e-4 * step * slope))
			continue;
		ab[0] += step * d[0];
		ab[1] += step * d[1];
		*loss = next;
		*moved = true;
	}
	return ML_OK;
}

/* Algorithm 1 from (0, log((N- + 1) / (N+ + 1))). */
static MlStatus
platt_newton(const Platt *platt, double *ab)
{
	double loss, g[2], h[3], enough = GRADIENT_TOL * (platt->count[0] + platt->count[1]);
	bool moved = true;

	ab[0] = 0;
	ab[1] = log((platt->count[0] + 1) / (platt->count[1] + 1));
	ML_TRY(platt_loss(platt, ab[0], ab[1], &loss));
	for (int iteration = 0; iteration < MAX_NEWTON && moved; iteration++)
	{
		double det, d[2];

		ML_TRY(platt_derivatives(platt, ab[0], ab[1], g, h));
		if (fabs(g[0]) < enough && fabs(g[1]) < enough)
			break;
		det = h[0] * h[2] - h[1] * h[1];
		d[0] = -(h[2] * g[0] - h[1] * g[1]) / det;
		d[1] = -(h[0] * g[1] - h[1] * g[0]) / det;
		ML_TRY(line_search(platt, g, d, ab, &loss, &moved));
	}
	return ML_OK;
}

/* Does some probability say never or always? */
static bool
has_certainty(const MlScores *scores)
{
	for (size_t i = 0; i < scores->n; i++)
	{
		if (scores->score[i] <= 0 || scores->score[i] >= 1)
			return true;
	}
	return false;
}

/* Fit the sigmoid; the scores become the f of the paper. */
static MlStatus
fit_platt(MlEnv *env, MlScores *of, MlCalibrationMap *map)
{
	Platt platt = {.env = env, .of = of};
	double ab[2];

	map->log_odds = !has_certainty(&of[0]) && !has_certainty(&of[1]);
	for (int c = 0; c < 2; c++)
	{
		platt.count[c] = total_weight(&of[c]);
		for (size_t i = 0; map->log_odds && i < of[c].n; i++)
		{
			if (i % POLL_EVERY == 0)
				ML_TRY(ml_poll(env));
			of[c].score[i] = log_odds(of[c].score[i]);
		}
	}
	platt.target[0] = 1 / (platt.count[0] + 2);
	platt.target[1] = (platt.count[1] + 1) / (platt.count[1] + 2);
	ML_TRY(platt_newton(&platt, ab));
	if (!isfinite(ab[0]) || !isfinite(ab[1]))
		return ml_fail(env, ML_ENOCONV, "Platt calibration did not converge");
	map->slope = -ab[0];
	map->intercept = -ab[1];
	return ML_OK;
}

/* ---- isotonic ---- */

/* A level piece: rows with probabilities from low to high, and their mean. */
typedef struct Piece
{
	double low, high, mean, weight;
} Piece;

/* Pool adjacent violators of the distinct scores, which come from the highest down. */
static MlStatus
pool_violators(MlEnv *env, MlRankWalk *walk, Piece *pieces, size_t *n)
{
	double tp = 0, fp = 0;
	size_t top = 0;

	for (size_t i = 0; ml_rank_walk_next(walk); i++)
	{
		double positive = walk->tp - tp, weight = positive + (walk->fp - fp);

		if (i % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		if (!(weight > 0))
			continue; /* too little beside the rest to be seen */
		pieces[top++] = (Piece){walk->score, walk->score, positive / weight, weight};
		for (; top > 1 && pieces[top - 2].mean <= pieces[top - 1].mean; top--)
		{
			Piece *above = &pieces[top - 2];
			const Piece *below = &pieces[top - 1];

			above->weight += below->weight;
			above->mean += (below->mean - above->mean) * (below->weight / above->weight);
			above->low = below->low;
		}
		tp = walk->tp;
		fp = walk->fp;
	}
	*n = top;
	return ML_OK;
}

/* The knots of the pieces, which are in falling order: both ends of each, means kept off 0 and 1. */
static MlStatus
write_knots(MlArena *arena, const Piece *pieces, size_t n, double total, MlCalibrationMap *map)
{
	double least = 1 / (total + 2);

	map->x = ml_arena_array(arena, 2 * n, sizeof(double));
	map->y = ml_arena_array(arena, 2 * n, sizeof(double));
	if (!map->x || !map->y)
		return ML_ENOMEM;
	for (size_t i = n; i-- > 0;)
	{
		double y = fmin(fmax(pieces[i].mean, least), 1 - least);

		for (int end = 0; end < (pieces[i].low < pieces[i].high ? 2 : 1); end++)
		{
			map->x[map->n_knots] = end == 0 ? pieces[i].low : pieces[i].high;
			map->y[map->n_knots++] = y;
		}
	}
	return ML_OK;
}

/* Fit the step function. */
static MlStatus
fit_isotonic(MlArena *arena, const MlScores *of, MlCalibrationMap *map)
{
	MlEnv *env = arena->env;
	MlRankWalk walk = {0};
	Piece *pieces = ml_alloc_array(env, of[0].n + of[1].n, sizeof(Piece));
	MlStatus status = pieces ? ml_rank_walk_begin(env, &walk, &of[0], &of[1]) : ML_ENOMEM;
	size_t n;

	if (status == ML_OK)
		status = pool_violators(env, &walk, pieces, &n);
	if (status == ML_OK)
		status = write_knots(arena, pieces, n, walk.tp + walk.fp, map);
	ml_rank_walk_end(env, &walk);
	ml_free(env, pieces);
	return status;
}

/* ---- all outputs ---- */

/* The probabilities of one output, those of rows of its class apart from the rest. */
static MlStatus
read_scores(MlEnv *env, const MlCalibrationRows *rows, uint32_t output, MlScores *of)
{
	double class = rows->n_outputs == 1 ? 1 : output;

	for (size_t i = 0; i < rows->n; i++)
	{
		if (i % POLL_EVERY == 0)
			ML_TRY(ml_poll(env));
		ML_TRY(ml_scores_add(env, &of[rows->actual[i] == class],
							 rows->probs[i * rows->n_outputs + output],
							 rows->weight ? rows->weight[i] : 1));
	}
	return of[0].n > 0 && of[1].n > 0
			   ? ML_OK
			   : ml_fail(env, ML_EDATA, "calibration needs rows of each class that are held out");
}

/* The map of one output. */
static MlStatus
fit_map(MlArena *arena, const MlCalibrationRows *rows, uint32_t output, MlCalibration *calibration)
{
	MlScores of[2] = {{0}, {0}};
	MlStatus status = read_scores(arena->env, rows, output, of);

	if (status == ML_OK)
		status = calibration->kind == ML_CALIBRATION_PLATT
					 ? fit_platt(arena->env, of, &calibration->maps[output])
					 : fit_isotonic(arena, of, &calibration->maps[output]);
	ml_scores_free(arena->env, &of[0]);
	ml_scores_free(arena->env, &of[1]);
	return status;
}

MlStatus
ml_calibration_fit(MlArena *arena, MlCalibrationKind kind, const MlCalibrationRows *rows,
				   MlCalibration **out)
{
	MlCalibration *calibration = ml_arena_alloc(arena, sizeof *calibration);

	if (!calibration)
		return ML_ENOMEM;
	calibration->kind = kind;
	calibration->n_maps = rows->n_outputs;
	calibration->maps = ml_arena_array(arena, rows->n_outputs, sizeof(MlCalibrationMap));
	if (!calibration->maps)
		return ML_ENOMEM;
	for (uint32_t k = 0; k < rows->n_outputs; k++)
		ML_TRY(fit_map(arena, rows, k, calibration));
	*out = calibration;
	return ML_OK;
}

/* ---- applying ---- */

/* The value at x of the line through the knots. */
static double
interpolate(const MlCalibrationMap *map, double x)
{
	uint32_t low = 0, high = map->n_knots - 1;

	if (x <= map->x[0])
		return map->y[0];
	if (x >= map->x[high])
		return map->y[high];
	while (high - low > 1)
	{
		uint32_t middle = low + (high - low) / 2;

		if (map->x[middle] <= x)
			low = middle;
		else
			high = middle;
	}
	return map->y[low] +
		   (map->y[high] - map->y[low]) * ((x - map->x[low]) / (map->x[high] - map->x[low]));
}

static double
apply_map(const MlCalibration *calibration, const MlCalibrationMap *map, double p)
{
	if (isnan(p))
		return p;
	if (calibration->kind == ML_CALIBRATION_ISOTONIC)
		return interpolate(map, p);
	return sigmoid(map->slope * (map->log_odds ? log_odds(p) : p) + map->intercept);
}

void
ml_calibration_apply(const MlCalibration *calibration, double *probs)
{
	uint32_t n = calibration->n_maps;
	double sum = 0;

	for (uint32_t k = 0; k < n; k++)
	{
		probs[k] = apply_map(calibration, &calibration->maps[k], probs[k]);
		sum += probs[k];
	}
	if (n == 1)
		return;
	for (uint32_t k = 0; k < n; k++)
		probs[k] = sum > 0 ? probs[k] / sum : 1.0 / n;
}

const char *
ml_calibration_name(MlCalibrationKind kind)
{
	static const char *const names[ML_N_CALIBRATIONS] = {"none", "platt", "isotonic"};

	return names[kind];
}

/* ---- bytes ---- */

void
ml_calibration_save(const MlCalibration *calibration, MlBuffer *out)
{
	ml_put_u8(out, (uint8_t) calibration->kind);
	ml_put_u32(out, calibration->n_maps);
	for (uint32_t k = 0; k < calibration->n_maps; k++)
	{
		const MlCalibrationMap *map = &calibration->maps[k];

		if (calibration->kind == ML_CALIBRATION_PLATT)
		{
			ml_put_u8(out, map->log_odds);
			ml_put_f64(out, map->slope);
			ml_put_f64(out, map->intercept);
			continue;
		}
		ml_put_u32(out, map->n_knots);
		ml_put_f64_array(out, map->x, map->n_knots);
		ml_put_f64_array(out, map->y, map->n_knots);
	}
}

/* Knots ascend: x strictly, y at least not down, y within [0, 1]. */
static bool
sound_knots(const MlCalibrationMap *map)
{
	for (uint32_t i = 0; i < map->n_knots; i++)
	{
		if (!isfinite(map->x[i]) || !(map->y[i] >= 0 && map->y[i] <= 1))
			return false;
		if (i > 0 && !(map->x[i] > map->x[i - 1] && map->y[i] >= map->y[i - 1]))
			return false;
	}
	return map->n_knots > 0;
}

static MlStatus
load_map(MlReader *in, MlArena *arena, MlCalibrationKind kind, MlCalibrationMap *map)
{
	if (kind == ML_CALIBRATION_PLATT)
	{
		uint8_t scale = ml_get_u8(in);

		map->log_odds = scale == 1;
		map->slope = ml_get_f64(in);
		map->intercept = ml_get_f64(in);
		ML_TRY(ml_reader_check(in, "calibration"));
		return scale > 1 || !isfinite(map->slope) || !isfinite(map->intercept)
				   ? ml_corrupt(in->env, "calibration")
				   : ML_OK;
	}
	map->n_knots = ml_get_count(in, 2 * sizeof(double));
	map->x = ml_get_f64_array(in, arena, map->n_knots);
	map->y = ml_get_f64_array(in, arena, map->n_knots);
	ML_TRY(ml_reader_check(in, "calibration"));
	return sound_knots(map) ? ML_OK : ml_corrupt(in->env, "calibration");
}

MlStatus
ml_calibration_load(MlReader *in, MlArena *arena, uint32_t n_outputs, MlCalibration **out)
{
	MlCalibration *calibration = ml_arena_alloc(arena, sizeof *calibration);
	uint8_t kind = ml_get_u8(in);

	if (!calibration)
		return ML_ENOMEM;
	calibration->n_maps = ml_get_count(in, 12); /* one knot, or the sigmoid */
	ML_TRY(ml_reader_check(in, "calibration"));
	if ((kind != ML_CALIBRATION_PLATT && kind != ML_CALIBRATION_ISOTONIC) ||
		calibration->n_maps != n_outputs)
		return ml_corrupt(in->env, "calibration");
	calibration->kind = (MlCalibrationKind) kind;
	calibration->maps = ml_arena_array(arena, n_outputs, sizeof(MlCalibrationMap));
	if (!calibration->maps)
		return ML_ENOMEM;
	for (uint32_t k = 0; k < n_outputs; k++)
		ML_TRY(load_map(in, arena, calibration->kind, &calibration->maps[k]));
	*out = calibration;
	return ML_OK;
}
