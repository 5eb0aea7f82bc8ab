/*
 * test_dataset.c
 *		Features, targets and weights of a frame seen through its schema.
 */
#include "unit.h"
#include "data/dataset.h"

#define N_ROWS 1000
#define TARGET 3
#define WEIGHT 4

typedef struct Fixture
{
	MlEnv env;
	MlArena arena;
	MlSchema *schema;
	MlFrame *frame;
	MlDataset data;
} Fixture;

/* Columns: x, city, day, target (level), weight. Row i can be told from its values. */
static void
set_up(Fixture *f)
{
	static const MlKind kinds[] = {ML_NUMERIC, ML_CATEGORICAL, ML_DATE};
	static const MlWidth widths[] = {ML_WIDTH_FLOAT64, ML_WIDTH_LEVEL, ML_WIDTH_FLOAT64,
									 ML_WIDTH_LEVEL, ML_WIDTH_FLOAT32};
	static char *const names[] = {"x", "city", "day"};

	ml_env_init(&f->env);
	ml_arena_init(&f->arena, &f->env);
	CHECK(ml_schema_create(&f->arena, 3, &f->schema) == ML_OK);
	for (uint32_t i = 0; i < 3; i++)
	{
		f->schema->inputs[i].name = f->schema->inputs[i].type_name = names[i];
		f->schema->inputs[i].kind = kinds[i];
		f->schema->inputs[i].n_slots = 1;
	}
	CHECK(ml_schema_layout(f->schema) == ML_OK);
	CHECK(ml_frame_create(&f->env, widths, 5, &f->frame) == ML_OK);
	for (int i = 0; i < N_ROWS; i++)
	{
		double row[5] = {i, i % 9 == 0 ? ML_UNSEEN : i % 4, i * 86400e6, i % 3, 1 + i % 2};

		if (i % 10 == 0)
			row[0] = row[2] = NAN;
		CHECK(ml_frame_append(f->frame, row) == ML_OK);
	}
	f->data = (MlDataset){.schema = f->schema,
						  .frame = f->frame,
						  .task = ML_CLASSIFICATION,
						  .n_classes = 3,
						  .target_column = TARGET,
						  .weight_column = -1};
}

static void
tear_down(Fixture *f)
{
	ml_frame_free(f->frame);
	ml_arena_free(&f->arena);
	CHECK(f->env.used == 0);
}

static bool
same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void
features_are_slots_and_parts(void)
{
	Fixture f;
	double out[N_ROWS];
	MlRows all = {NULL, N_ROWS};

	set_up(&f);
	ml_dataset_feature(&f.data, 0, &all, 5, 990, out);
	for (int i = 0; i < 990; i++)
		CHECK(same(out[i], (i + 5) % 10 == 0 ? NAN : i + 5));
	ml_dataset_feature(&f.data, 1, &all, 0, N_ROWS, out);
	for (int i = 0; i < N_ROWS; i++)
		CHECK(out[i] == (i % 9 == 0 ? -1 : i % 4));
	ml_dataset_feature(&f.data, 2, &all, 0, N_ROWS, out);
	CHECK(isnan(out[0]) && out[1] == 1 && out[999] == 999); /* epoch */
	ml_dataset_feature(&f.data, 6, &all, 0, N_ROWS, out);
	CHECK(isnan(out[10]) && out[1] == 0 && out[2] == 1); /* dow: 2000-01-02 was a Sunday */
	tear_down(&f);
}

static void
a_block_is_the_features_of_a_row(void)
{
	Fixture f;
	uint32_t index[N_ROWS];
	MlRows some = {index, 0};
	double *block, column[N_ROWS];

	set_up(&f);
	for (uint32_t i = 1; i < N_ROWS; i += 1 + i % 3)
		index[some.n++] = i;
	block = malloc(some.n * f.schema->n_features * sizeof(double));
	ml_dataset_block(&f.data, &some, 3, some.n - 3, block);
	for (uint32_t j = 0; j < f.schema->n_features; j++)
	{
		ml_dataset_feature(&f.data, j, &some, 3, some.n - 3, column);
		for (size_t i = 0; i < some.n - 3; i++)
			CHECK(same(block[i * f.schema->n_features + j], column[i]));
	}
	ml_dataset_feature(&f.data, 0, &some, 0, some.n, column);
	for (size_t i = 0; i < some.n; i++)
		CHECK(same(column[i], index[i] % 10 == 0 ? NAN : index[i]));
	free(block);
	tear_down(&f);
}

static void
targets_are_classes(void)
{
	static const uint32_t class_of[] = {2, 0, 1};
	Fixture f;
	double out[N_ROWS];
	MlRows all = {NULL, N_ROWS};

	set_up(&f);
	ml_dataset_target(&f.data, &all, 0, N_ROWS, out);
	CHECK(out[0] == 0 && out[1] == 1 && out[999] == 0);
	f.data.class_of = class_of;
	ml_dataset_target(&f.data, &all, 1, 3, out);
	CHECK(out[0] == 0 && out[1] == 1 && out[2] == 2);
	tear_down(&f);
}

static void
numbers_are_classes_by_their_position(void)
{
	/* The first column holds 0..999 and NaN in every tenth row. */
	static double values[N_ROWS];
	static const uint32_t swap[] = {1, 0};
	static const double two[] = {-3.5, 1};
	Fixture f;
	double out[N_ROWS];
	MlRows all = {NULL, N_ROWS};

	set_up(&f);
	for (int i = 0; i < N_ROWS; i++)
		values[i] = i;
	f.data.target_column = 0;
	f.data.class_value = values;
	for (uint32_t n = 1; n <= N_ROWS; n += 13)
	{
		f.data.n_classes = n;
		ml_dataset_target(&f.data, &all, 0, n, out);
		for (uint32_t i = 0; i < n; i++)
			CHECK(same(out[i], i % 10 == 0 ? NAN : i));
	}
	f.data.class_value = two;
	f.data.class_of = swap;
	f.data.n_classes = 2;
	ml_dataset_target(&f.data, &all, 1, 1, out);
	CHECK(out[0] == 0);
	tear_down(&f);
}

static void
weights_multiply(void)
{
	static const uint32_t class_of[] = {2, 0, 1};
	static const double class_weight[] = {1, 10, 100};
	Fixture f;
	double out[N_ROWS];
	MlRows all = {NULL, N_ROWS};

	set_up(&f);
	ml_dataset_weight(&f.data, &all, 0, N_ROWS, out);
	for (int i = 0; i < N_ROWS; i++)
		CHECK(out[i] == 1);
	f.data.weight_column = WEIGHT;
	ml_dataset_weight(&f.data, &all, 0, N_ROWS, out);
	for (int i = 0; i < N_ROWS; i++)
		CHECK(out[i] == 1 + i % 2);
	f.data.class_of = class_of;
	f.data.class_weight = class_weight;
	ml_dataset_weight(&f.data, &all, 0, N_ROWS, out);
	for (int i = 0; i < N_ROWS; i++)
		CHECK(out[i] == (1 + i % 2) * class_weight[class_of[i % 3]]);
	tear_down(&f);
}

static void
tasks_have_names(void)
{
	for (int task = 0; task < ML_N_TASKS; task++)
		CHECK(ml_task_name((MlTask) task)[0]);
	CHECK(strcmp(ml_task_name(ML_ANOMALY), "anomaly") == 0);
}

int
main(void)
{
	RUN(features_are_slots_and_parts);
	RUN(a_block_is_the_features_of_a_row);
	RUN(targets_are_classes);
	RUN(numbers_are_classes_by_their_position);
	RUN(weights_multiply);
	RUN(tasks_have_names);
	return unit_end();
}
