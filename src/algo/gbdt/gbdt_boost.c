/*
 * gbdt_boost.c
 *		Rounds of boosting, and when to stop.
 *
 * Early stopping watches the loss of rows that trees are not grown from: those
 * of the validation set, or else a share of the training rows that is held
 * back. In that case the number of rounds that was best is then grown anew from
 * all rows, unless the share is so small that it would not change much.
 */
#include <math.h>
#include <string.h>

#include "algo/gbdt/gbdt.h"
#include "core/rng.h"

#define HOLD_OUT 10         /* one row of so many is held back ... */
#define HOLD_OUT_ROWS 20000 /* ... but not many more than this */
#define KEEP_MODEL \
	20 /* one row of so many, or fewer, are missed in the model: no need to begin anew */

/* Everything one training works with; freed by free_boost. */
typedef struct Boost
{
	MlEnv *env;
	const MlFitInput *input;
	GbdtOptions options;
	uint32_t *order;      /* training rows, the held-out ones last; NULL: as they come */
	MlRows tiled, others; /* rows with and without tiles */
	size_t n_fit;         /* of tiled: not held out */
	uint32_t hold_out;    /* one row of so many is held out; 0: none */
	MlBinned binned;
	GbdtObjective *objective;
	GbdtGrower *grower;
	uint16_t *leaf_of;
} Boost;

/* What a run of rounds has come to. */
typedef struct Rounds
{
	uint32_t n;    /* grown */
	uint32_t best; /* with the least spare loss; else n */
	double best_loss;
} Rounds;

/* ---- rows */

/* The hold-out within a class: rows come in turns of hold_out, and one of each turn is taken. */
typedef struct Turn
{
	uint32_t at;   /* rows of the turn so far */
	uint32_t take; /* which of them is held out */
} Turn;

/* Whether the next row of a class is held out. */
static bool
take_turn(Turn *turn, uint32_t hold_out, MlRng *rng)
{
	bool taken;

	if (turn->at == 0)
		turn->take = (uint32_t) ml_rng_below(rng, hold_out);
	taken = turn->at == turn->take;
	turn->at = (turn->at + 1) % hold_out;
	return taken;
}

/* Order the training rows: those held out, at random from each class alike, come last. */
static MlStatus
order_rows(Boost *b, Turn *turns, uint32_t n_turns, uint32_t *held)
{
	const MlRows *train = &b->input->train;
	size_t n_held = 0;
	double block[256];
	MlRng rng;

	ml_rng_seed(&rng, b->input->seed, 1);
	b->n_fit = 0;
	for (size_t i = 0; i < train->n; i++)
	{
		uint32_t row = train->index ? train->index[i] : (uint32_t) i;
		double class;

		if (i % 256 == 0)
		{
			ml_dataset_target(b->input->data, train, i, ML_MIN(train->n - i, (size_t) 256), block);
			ML_TRY(ml_poll(b->env));
		}
		class = n_turns > 1 ? block[i % 256] : 0;
		if (class >= 0 && class < n_turns && take_turn(&turns[(uint32_t) class], b->hold_out, &rng))
			held[n_held++] = row;
		else
			b->order[b->n_fit++] = row;
	}
	memcpy(b->order + b->n_fit, held, n_held * sizeof(*held));
	return ML_OK;
}

/* Hold some of the training rows out, where there are enough. */
static MlStatus
hold_out(Boost *b)
{
	size_t n = b->input->train.n;
	uint32_t n_turns = b->input->data->task == ML_CLASSIFICATION ? b->input->data->n_classes : 1;
	Turn *turns = ml_zalloc_array(b->env, n_turns, sizeof(*turns));
	uint32_t *held = ml_alloc_array(b->env, n, sizeof(*held));
	MlStatus status = ML_ENOMEM;

	b->hold_out = (uint32_t) ML_MAX(n / HOLD_OUT_ROWS, (size_t) HOLD_OUT);
	b->order = ml_alloc_array(b->env, n, sizeof(*b->order));
	if (turns && held && b->order)
	{
		status = order_rows(b, turns, n_turns, held);
		b->tiled.index = b->order;
	}
	ml_free(b->env, turns);
	ml_free(b->env, held);
	return status;
}

/* Which rows have tiles, and which of them trees are grown from at first. */
static MlStatus
choose_rows(Boost *b)
{
	b->tiled = b->input->train;
	b->others = b->input->valid;
	b->n_fit = b->tiled.n;
	if (b->options.early_stopping == 0 || b->others.n > 0)
		return ML_OK;
	ML_TRY(hold_out(b));
	if (b->n_fit == b->tiled.n || b->n_fit < 2)
	{
		/* too few rows to hold any back */
		b->n_fit = b->tiled.n;
		b->options.early_stopping = 0;
	}
	return ML_OK;
}

/* ---- rounds */

/* What the log says of a round. */
typedef struct RoundFacts
{
	double loss, spare_loss; /* after it */
	double gradient_norm;    /* that its trees were grown from: root of the mean square */
	double weight_norm;      /* of the values of its leaves: root of the sum of squares */
	uint32_t of;             /* rounds, at most */
} RoundFacts;

/* One line of the log. */
static void
log_round(Boost *b, MlFitReport *report, uint32_t round, const RoundFacts *facts)
{
	MlJsonWriter w;
	MlProgress line = {(int) round, (int) facts->of, facts->loss, facts->spare_loss};

	ml_report(b->env, &line);
	if (!report)
		return;
	if (report->log.len > 0)
		ml_put_bytes(&report->log, ",", 1);
	ml_json_writer(&w, &report->log);
	ml_json_open(&w, NULL, '{');
	ml_json_number(&w, "iteration", round);
	ml_json_number(&w, "loss", facts->loss);
	if (!isnan(facts->spare_loss))
		ml_json_number(&w, "valid_loss", facts->spare_loss);
	ml_json_number(&w, "gradient_norm", facts->gradient_norm);
	ml_json_number(&w, "weight_norm", facts->weight_norm);
	ml_json_number(&w, "step", b->options.learning_rate);
	ml_json_close(&w, '}');
}

/* The trees of one round. */
static MlStatus
grow_round(Boost *b, uint32_t round, MlArena *arena, MlTree *trees, RoundFacts *facts)
{
	uint32_t n_outputs = ml_gbdt_outputs(b->objective);
	double squares = 0;

	for (uint32_t k = 0; k < n_outputs; k++)
	{
		GbdtGradients gradients;
		MlRng rng;

		ml_rng_seed(&rng, b->options.seed, 2 + (uint64_t) round * n_outputs + k);
		ML_TRY(ml_gbdt_objective_gradients(b->objective, k, &gradients));
		ML_TRY(ml_gbdt_grow(b->grower, &gradients, &rng, arena, &trees[k], b->leaf_of));
		ML_TRY(ml_gbdt_objective_refit(b->objective, k, &trees[k], b->leaf_of,
									   ml_gbdt_leaf_bounds(b->grower), b->options.learning_rate));
		ML_TRY(ml_gbdt_objective_add(b->objective, k, &trees[k], b->leaf_of));
		for (uint32_t leaf = 0; leaf < trees[k].n_leaves; leaf++)
			squares += (double) trees[k].values[leaf] * (double) trees[k].values[leaf];
	}
	facts->gradient_norm = ml_gbdt_gradient_norm(b->objective);
	facts->weight_norm = sqrt(squares);
	return ML_OK;
}

/* Grow up to n_rounds from the first n_train tiled rows into trees; stop early after `patience` rounds, if > 0. */
static MlStatus
run_rounds(Boost *b, size_t n_train, uint32_t n_rounds, uint32_t patience, MlArena *arena,
		   MlTreeEnsemble *ensemble, MlFitReport *report, Rounds *rounds)
{
	const GbdtModel *previous = b->input->previous;
	uint32_t n_outputs = ensemble->n_outputs, n_old = previous ? previous->trees->n_trees : 0;
	RoundFacts facts = {.of = n_rounds};
	GbdtGrowInput grow = {&b->options, &b->binned, ensemble->features, n_train, b->binned.n_rows};

	*rounds = (Rounds){0, 0, INFINITY};
	ensemble->trees = ml_arena_array(arena, n_old + (size_t) n_rounds * n_outputs, sizeof(MlTree));
	if (!ensemble->trees)
		return ML_ENOMEM;
	if (previous)
		ML_TRY(ml_gbdt_copy_trees(arena, previous->trees, ensemble, ensemble->trees));
	ml_gbdt_grower_free(b->env, b->grower);
	b->grower = NULL;
	ML_TRY(ml_gbdt_grower_create(b->env, &grow, &b->grower));
	ML_TRY(ml_gbdt_objective_start(b->objective, n_train, ensemble->base));
	for (uint32_t round = 0;; round++)
	{
		ML_TRY(ml_gbdt_objective_round(b->objective, round, &facts.loss, &facts.spare_loss));
		if (round > 0)
			log_round(b, report, round, &facts);
		if ((round > 0 || previous) && facts.spare_loss < rounds->best_loss)
		{
			rounds->best = round;
			rounds->best_loss = facts.spare_loss;
		}
		if (round == n_rounds || (patience > 0 && round >= rounds->best + patience))
			break;
		ML_TRY(grow_round(b, round, arena, ensemble->trees + n_old + (size_t) round * n_outputs,
						  &facts));
		rounds->n = round + 1;
	}
	if (patience == 0 || isinf(rounds->best_loss))
		rounds->best = rounds->n;
	ensemble->n_trees = n_old + rounds->best * n_outputs;
	return ML_OK;
}

/* Find the best number of rounds with rows held out, then grow that many from all rows. */
static MlStatus
run_twice(Boost *b, MlArena *arena, MlTreeEnsemble *ensemble, MlFitReport *report, Rounds *rounds)
{
	MlArena trial;
	MlTreeEnsemble trial_ensemble = *ensemble;
	Rounds all;
	MlStatus status;

	ml_arena_init(&trial, b->env);
	status = run_rounds(b, b->n_fit, b->options.n_trees, b->options.early_stopping, &trial,
						&trial_ensemble, report, rounds);
	ml_arena_free(&trial);
	ML_TRY(status);
	return run_rounds(b, b->tiled.n, rounds->best, 0, arena, ensemble, NULL, &all);
}

/* ---- the whole */

/* What the summary says beside the log. */
static void
summarise(const MlTreeEnsemble *ensemble, const Rounds *rounds, MlFitReport *report)
{
	size_t n_leaves = 0;

	for (uint32_t t = 0; t < ensemble->n_trees; t++)
		n_leaves += ensemble->trees[t].n_leaves;
	ml_put_format(&report->summary, "\"trees\":%u,\"leaves\":%zu,\"rounds\":%u,\"best_round\":%u",
				  ensemble->n_trees, n_leaves, rounds->n, rounds->best);
}

static MlStatus
boost(Boost *b, MlArena *arena, MlFitReport *report, MlTreeEnsemble *ensemble)
{
	const MlDataset *data = b->input->data;
	MlBinnedInput bins = {.data = data, .tiled = &b->tiled, .others = &b->others};
	GbdtObjectiveInput target = {&b->options, data, &b->tiled, &b->others, b->input->previous};
	Rounds rounds;

	ML_TRY(ml_gbdt_options(b->env, b->input, &b->options));
	ML_TRY(choose_rows(b));
	bins.max_bins = b->options.max_bins;
	bins.seed = b->options.seed;
	if (target.previous)
		bins.previous = target.previous->trees->features;
	ensemble->n_features = data->schema->n_features;
	ensemble->features = ml_arena_array(arena, ensemble->n_features, sizeof(MlTreeFeature));
	if (!ensemble->features)
		return ML_ENOMEM;
	ML_TRY(ml_binned_create(b->env, arena, &bins, ensemble->features, &b->binned));
	ML_TRY(ml_gbdt_objective_create(b->env, &target, &b->objective));
	ensemble->n_outputs = ml_gbdt_outputs(b->objective);
	ensemble->base = ml_arena_array(arena, ensemble->n_outputs, sizeof(double));
	b->leaf_of = ml_alloc_array(b->env, b->binned.n_rows, sizeof(*b->leaf_of));
	if (!ensemble->base || !b->leaf_of)
		return ML_ENOMEM;
	if (b->n_fit < b->tiled.n && b->hold_out < KEEP_MODEL)
		ML_TRY(run_twice(b, arena, ensemble, report, &rounds));
	else
		ML_TRY(run_rounds(b, b->n_fit, b->options.n_trees,
						  b->n_fit < b->binned.n_rows ? b->options.early_stopping : 0, arena,
						  ensemble, report, &rounds));
	ML_TRY(ml_trees_compact(b->env, ensemble));
	ML_TRY(ml_trees_prepare(arena, ensemble));
	summarise(ensemble, &rounds, report);
	return report->log.status != ML_OK ? report->log.status : report->summary.status;
}

static void
free_boost(Boost *b)
{
	ml_gbdt_grower_free(b->env, b->grower);
	ml_gbdt_objective_free(b->env, b->objective);
	ml_binned_free(b->env, &b->binned);
	ml_gbdt_options_free(b->env, &b->options);
	ml_free(b->env, b->leaf_of);
	ml_free(b->env, b->order);
}

/* Train; the model is a GbdtModel in arena. */
MlStatus
ml_gbdt_fit(MlEnv *env, MlArena *arena, const MlFitInput *input, MlFitReport *report, void **out)
{
	Boost b = {.env = env, .input = input};
	GbdtModel *model = ml_arena_alloc(arena, sizeof(*model));
	MlTreeEnsemble *trees = ml_arena_alloc(arena, sizeof(*trees));
	MlStatus status = model && trees ? boost(&b, arena, report, trees) : ML_ENOMEM;

	if (status == ML_OK)
	{
		*model = (GbdtModel){.loss = b.options.loss, .trees = trees};
		*out = model;
	}
	free_boost(&b);
	return status;
}
