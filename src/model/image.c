/*
 * image.c
 *		The bytes of a model: encode, decode, and open for the facts alone.
 *
 * The layout stands in model.h. The decoder treats the bytes as hostile: the
 * checksum keeps accidents out, but an attacker can compute it, so every count,
 * enum and reference is checked all the same.
 */
#include <string.h>

#include "model/model.h"

#define MAGIC "MLPLATIM"
#define MAGIC_LEN 8
#define HEADER_LEN (MAGIC_LEN + 4 * 4) /* magic, format, writer, checksum, number of sections */
#define SECTION_ENTRY (4 + 8)          /* tag, length */
#define MAX_SECTIONS 64
#define WRITER_VERSION 1 /* of mlplat, counting releases */
#define MODEL_NAME_MAX 64

/* Tags as u32, little-endian. */
#define TAG(a, b, c, d) \
	((uint32_t) (a) | (uint32_t) (b) << 8 | (uint32_t) (c) << 16 | (uint32_t) (d) << 24)
#define TAG_HEAD TAG('H', 'E', 'A', 'D')
#define TAG_SCHM TAG('S', 'C', 'H', 'M')
#define TAG_MODL TAG('M', 'O', 'D', 'L')
#define TAG_INFO TAG('I', 'N', 'F', 'O')
#define TAG_DECI TAG('D', 'E', 'C', 'I')
#define TAG_PREP TAG('P', 'R', 'E', 'P')

/* The sections that we know, in the order of writing; PREP and DECI only where a model has them. */
enum
{
	HEAD,
	SCHM,
	PREP,
	MODL,
	INFO,
	DECI,
	N_SECTIONS
};

static const uint32_t section_tags[N_SECTIONS] = {TAG_HEAD, TAG_SCHM, TAG_PREP,
												  TAG_MODL, TAG_INFO, TAG_DECI};

typedef struct Section
{
	const uint8_t *data;
	size_t len;
} Section;

/* ---- encode ---- */

static void
put_head(const MlModel *model, MlBuffer *out)
{
	ml_put_text(out, model->algo->name);
	ml_put_u8(out, (uint8_t) model->task);
	ml_put_text(out, model->target);
	ml_put_u32(out, model->n_classes);
	for (uint32_t k = 0; k < model->n_classes; k++)
		ml_put_text(out, model->classes[k]);
	ml_put_u32(out, model->n_outputs);
}

/* Does the model decide otherwise than by the algorithm's probabilities and a half? */
static bool
has_decision(const MlModel *model)
{
	return model->calibration ||
		   (model->n_classes == 2 && model->threshold != ML_THRESHOLD_DEFAULT);
}

/* Is the section one of the model's? */
static bool
has_section(const MlModel *model, int section)
{
	if (section == DECI)
		return has_decision(model);
	return section != PREP || model->prep;
}

static void
put_decision(const MlModel *model, MlBuffer *out)
{
	ml_put_f64(out, model->n_classes == 2 ? model->threshold : ML_THRESHOLD_DEFAULT);
	ml_put_u8(out, model->calibration != NULL);
	if (model->calibration)
		ml_calibration_save(model->calibration, out);
}

/* Overwrite four bytes of what was written. */
static void
patch_u32(MlBuffer *out, size_t at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out->data[at + i] = (uint8_t) (value >> (8 * i));
}

/* Append one section and note its length at its entry in the table. */
static void
put_section(MlBuffer *out, size_t entry, int section, const MlModel *model, const char *info,
			size_t info_len)
{
	size_t start = out->len, len;

	switch (section)
	{
		case HEAD:
			put_head(model, out);
			break;
		case SCHM:
			ml_schema_save(model->schema, out);
			break;
		case MODL:
			model->algo->save(model->fitted, out);
			break;
		case INFO:
			ml_put_bytes(out, info, info_len);
			break;
		case DECI:
			put_decision(model, out);
			break;
		case PREP:
			ml_prep_save(model->prep, out);
			break;
	}
	if (out->status != ML_OK)
		return;
	len = out->len - start;
	patch_u32(out, entry + 4, (uint32_t) len);
	patch_u32(out, entry + 8, (uint32_t) ((uint64_t) len >> 32));
}

MlStatus
ml_image_encode(MlEnv *env, const MlModel *model, const char *info, size_t info_len, MlBuffer *out)
{
	size_t start = out->len;
	size_t entry = start + HEADER_LEN;
	uint32_t n_sections = 0;

	(void) env;
	ml_put_bytes(out, MAGIC, MAGIC_LEN);
	ml_put_u32(out, ML_IMAGE_FORMAT);
	ml_put_u32(out, WRITER_VERSION);
	ml_put_u32(out, 0); /* checksum */
	for (int section = 0; section < N_SECTIONS; section++)
		n_sections += has_section(model, section);
	ml_put_u32(out, n_sections);
	for (int section = 0; section < N_SECTIONS; section++)
	{
		if (!has_section(model, section))
			continue;
		ml_put_u32(out, section_tags[section]);
		ml_put_u64(out, 0);
	}
	for (int section = 0; section < N_SECTIONS; section++)
	{
		if (!has_section(model, section))
			continue;
		put_section(out, entry, section, model, info, info_len);
		entry += SECTION_ENTRY;
	}
	if (out->status == ML_OK)
		patch_u32(out, start + MAGIC_LEN + 8,
				  ml_crc32c(out->data + start + MAGIC_LEN + 12, out->len - start - MAGIC_LEN - 12));
	return out->status;
}

/* ---- decode ---- */

/* Magic, version and checksum; *in stands at the number of sections afterwards. */
static MlStatus
check_header(MlReader *in)
{
	const uint8_t *magic = ml_get_bytes(in, MAGIC_LEN);
	uint32_t format, checksum;

	if (!magic || memcmp(magic, MAGIC, MAGIC_LEN) != 0)
		return ml_fail(in->env, ML_ECORRUPT, "these bytes are not a model image");
	format = ml_get_u32(in);
	ml_get_u32(in); /* writer: for people */
	checksum = ml_get_u32(in);
	if (in->failed)
		return ml_corrupt(in->env, "it is cut off");
	if (format < 1 || format > ML_IMAGE_FORMAT)
	{
		ml_fail(in->env, ML_ECORRUPT,
				"model image has format version %u, but this server reads up to %d", format,
				ML_IMAGE_FORMAT);
		ml_hint(in->env, "Upgrade mlplat on this server.");
		return ML_ECORRUPT;
	}
	if (ml_crc32c(in->data + in->pos, in->len - in->pos) != checksum)
		return ml_corrupt(in->env, "its checksum does not match");
	return ML_OK;
}

/* Find the sections; each of ours once, others are skipped, the lengths add up to the whole. */
static MlStatus
find_sections(MlReader *in, Section *sections)
{
	uint32_t n = ml_get_u32(in);
	uint32_t tags[MAX_SECTIONS];
	uint64_t lengths[MAX_SECTIONS];

	memset(sections, 0, sizeof(Section) * N_SECTIONS);
	if (n > MAX_SECTIONS)
		return ml_corrupt(in->env, "number of sections");
	for (uint32_t i = 0; i < n; i++)
	{
		tags[i] = ml_get_u32(in);
		lengths[i] = ml_get_u64(in);
	}
	for (uint32_t i = 0; i < n; i++)
	{
		const uint8_t *data = lengths[i] <= in->len ? ml_get_bytes(in, (size_t) lengths[i]) : NULL;

		if (in->failed || !data)
			return ml_corrupt(in->env, "length of a section");
		for (int section = 0; section < N_SECTIONS; section++)
		{
			if (section_tags[section] != tags[i])
				continue;
			if (sections[section].data)
				return ml_corrupt(in->env, "a section occurs twice");
			sections[section] = (Section){data, (size_t) lengths[i]};
		}
	}
	for (int section = 0; section < N_SECTIONS; section++)
	{
		if (!sections[section].data && section != PREP && section != DECI)
			return ml_corrupt(in->env, "a section is missing");
	}
	return ml_reader_end(in, "bytes after the last section");
}

/* Class labels: distinct, and as many as the task allows. */
static MlStatus
get_classes(MlReader *in, MlArena *arena, MlModel *model)
{
	model->n_classes = ml_get_count(in, 4);
	if (model->n_classes > ML_MAX_CLASSES ||
		(model->task == ML_CLASSIFICATION ? model->n_classes < 2 : model->n_classes != 0))
		return ml_corrupt(in->env, "number of classes");
	model->classes = ml_arena_array(arena, (size_t) model->n_classes + 1, sizeof(char *));
	if (!model->classes)
		return ML_ENOMEM;
	for (uint32_t k = 0; k < model->n_classes; k++)
	{
		model->classes[k] = ml_get_text(in, arena);
		ML_TRY(ml_reader_check(in, "label of a class"));
		for (uint32_t other = 0; other < k; other++)
		{
			if (strcmp(model->classes[k], model->classes[other]) == 0)
				return ml_corrupt(in->env, "two classes have one label");
		}
	}
	return ML_OK;
}

static MlStatus
get_head(MlArena *arena, const Section *section, MlModel *model)
{
	MlReader in;
	char *name;
	uint8_t task;

	ml_reader_init(&in, arena->env, section->data, section->len);
	name = ml_get_text(&in, arena);
	task = ml_get_u8(&in);
	model->target = ml_get_text(&in, arena);
	ML_TRY(ml_reader_check(&in, "names in its head"));
	model->algo = ml_algo_find(name);
	if (!model->algo)
	{
		ml_fail(arena->env, ML_ECORRUPT,
				"model image needs algorithm \"%.*s\", which this server does not have",
				ml_utf8_cut(name, MODEL_NAME_MAX), name);
		ml_hint(arena->env, "Upgrade mlplat on this server.");
		return ML_ECORRUPT;
	}
	if (task >= ML_N_TASKS || !(model->algo->tasks & ML_TASK_BIT(task)))
		return ml_corrupt(arena->env, "task");
	model->task = (MlTask) task;
	ML_TRY(get_classes(&in, arena, model));
	model->n_outputs = ml_get_u32(&in);
	if (model->n_outputs != (model->n_classes > 2 ? model->n_classes : 1))
		return ml_corrupt(arena->env, "number of outputs");
	return ml_reader_end(&in, "head");
}

static MlStatus
get_schema(MlArena *arena, const Section *section, MlModel *model)
{
	MlReader in;

	ml_reader_init(&in, arena->env, section->data, section->len);
	ML_TRY(ml_schema_load(&in, arena, &model->schema));
	return ml_reader_end(&in, "schema");
}

/* The recipe that stands between the columns and the algorithm. */
static MlStatus
get_prep(MlArena *arena, const Section *section, MlModel *model)
{
	MlReader in;

	ml_reader_init(&in, arena->env, section->data, section->len);
	ML_TRY(ml_prep_load(&in, arena, model->schema, &model->prep));
	return ml_reader_end(&in, "recipe");
}

/* Threshold and calibration, which only classes have. */
static MlStatus
get_decision(MlArena *arena, const Section *section, MlModel *model)
{
	MlReader in;
	uint8_t calibrated;

	ml_reader_init(&in, arena->env, section->data, section->len);
	model->threshold = ml_get_f64(&in);
	calibrated = ml_get_u8(&in);
	ML_TRY(ml_reader_check(&in, "threshold"));
	if (model->task != ML_CLASSIFICATION || calibrated > 1 ||
		!(model->threshold > 0 && model->threshold <= 1))
		return ml_corrupt(arena->env, "threshold");
	if (calibrated)
		ML_TRY(ml_calibration_load(&in, arena, model->n_outputs, &model->calibration));
	return ml_reader_end(&in, "threshold and calibration");
}

/* Everything but the algorithm's own section. */
static MlStatus
open_image(MlArena *arena, const void *data, size_t len, Section *sections, MlModel **out)
{
	MlModel *model = ml_arena_alloc(arena, sizeof *model);
	MlReader in;

	if (!model)
		return ML_ENOMEM;
	ml_reader_init(&in, arena->env, data, len);
	ML_TRY(check_header(&in));
	ML_TRY(find_sections(&in, sections));
	ML_TRY(get_head(arena, &sections[HEAD], model));
	ML_TRY(get_schema(arena, &sections[SCHM], model));
	model->threshold = ML_THRESHOLD_DEFAULT;
	if (sections[DECI].data)
		ML_TRY(get_decision(arena, &sections[DECI], model));
	if (sections[PREP].data)
		ML_TRY(get_prep(arena, &sections[PREP], model));
	*out = model;
	return ML_OK;
}

MlStatus
ml_image_open(MlArena *arena, const void *data, size_t len, MlModel **model, const char **info,
			  size_t *info_len)
{
	Section sections[N_SECTIONS];

	ML_TRY(open_image(arena, data, len, sections, model));
	if (!ml_utf8_valid((const char *) sections[INFO].data, sections[INFO].len))
		return ml_corrupt(arena->env, "its facts are not valid UTF-8");
	*info = (const char *) sections[INFO].data;
	*info_len = sections[INFO].len;
	return ML_OK;
}

MlStatus
ml_image_decode(MlArena *arena, const void *data, size_t len, MlModel **out)
{
	Section sections[N_SECTIONS];
	MlModel *model;
	MlReader in;

	ML_TRY(open_image(arena, data, len, sections, &model));
	ml_reader_init(&in, arena->env, sections[MODL].data, sections[MODL].len);
	ML_TRY(
		model->algo->load(&in, arena, ml_model_features(model), model->n_outputs, &model->fitted));
	ML_TRY(ml_reader_end(&in, "model"));
	*out = model;
	return ML_OK;
}
