/*
 * label.c
 *		Labels of classes as metrics see them, and the two labels of a binary metric.
 */
#include "metric/label.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"

MlLabel
ml_label_bool(bool value)
{
	return (MlLabel){.bits = value};
}

MlLabel
ml_label_int(int64_t value)
{
	return (MlLabel){.bits = (uint64_t) value};
}

MlLabel
ml_label_real(double value)
{
	MlLabel label = {0};

	value += 0.0; /* -0.0 becomes 0.0 */
	memcpy(&label.bits, &value, sizeof(value));
	return label;
}

MlLabel
ml_label_text(const char *text, size_t len)
{
	return (MlLabel){.text = text, .len = len};
}

static double
real_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static int
compare_text(const MlLabel *a, const MlLabel *b)
{
	int order = memcmp(a->text, b->text, ML_MIN(a->len, b->len));

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int
compare_bits(MlLabelType type, uint64_t a, uint64_t b)
{
	if (type == ML_LABEL_REAL)
		return (real_of(a) > real_of(b)) - (real_of(a) < real_of(b));
	return ((int64_t) a > (int64_t) b) - ((int64_t) a < (int64_t) b);
}

int
ml_label_compare(MlLabelType type, const MlLabel *a, const MlLabel *b)
{
	return type == ML_LABEL_TEXT ? compare_text(a, b) : compare_bits(type, a->bits, b->bits);
}

/* The length of text cut to at most limit bytes, at the start of a UTF-8 character. */
static size_t
cut_text(const MlLabel *label, size_t limit)
{
	size_t len = label->len;

	if (len <= limit)
		return len;
	for (len = limit; len > 0 && ((unsigned char) label->text[len] & 0xC0) == 0x80;)
		len--;
	return len;
}

const char *
ml_label_name(MlLabelType type, const MlLabel *label, char *out)
{
	size_t len;

	switch (type)
	{
		case ML_LABEL_TEXT:
			len = cut_text(label, ML_LABEL_NAME_MAX - 8);
			snprintf(out, ML_LABEL_NAME_MAX, "\"%.*s%s\"", (int) len, label->text,
					 len < label->len ? "..." : "");
			break;
		case ML_LABEL_BOOL:
			snprintf(out, ML_LABEL_NAME_MAX, "%s", label->bits ? "true" : "false");
			break;
		case ML_LABEL_INT:
			snprintf(out, ML_LABEL_NAME_MAX, "%" PRId64, (int64_t) label->bits);
			break;
		case ML_LABEL_REAL:
			out[ml_format_double(out, real_of(label->bits))] = '\0';
			break;
	}
	return out;
}

bool
ml_label_valid(MlLabelType type, uint64_t bits)
{
	if (type == ML_LABEL_BOOL)
		return bits <= 1;
	if (type == ML_LABEL_REAL)
		return isfinite(real_of(bits)) && ml_label_real(real_of(bits)).bits == bits;
	return type == ML_LABEL_INT;
}

/* A third label: name them all, in order. */
static MlStatus
third_label(MlEnv *env, const MlLabelPair *pair, uint64_t bits)
{
	MlLabel labels[3] = {{.bits = pair->bits[0]}, {.bits = pair->bits[1]}, {.bits = bits}};
	char names[3][ML_LABEL_NAME_MAX];

	for (int i = 0; i < 3; i++)
		for (int k = i; k > 0 && compare_bits(pair->type, labels[k].bits, labels[k - 1].bits) < 0;
			 k--)
		{
			MlLabel swap = labels[k];

			labels[k] = labels[k - 1];
			labels[k - 1] = swap;
		}
	for (int i = 0; i < 3; i++)
		ml_label_name(pair->type, &labels[i], names[i]);
	ml_fail(env, ML_EDATA, "this metric needs two labels, but there are at least three: %s, %s, %s",
			names[0], names[1], names[2]);
	ml_hint(env, "Compare the label with the positive one: label = %s.", names[2]);
	return ML_EDATA;
}

MlStatus
ml_label_pair_slot(MlEnv *env, MlLabelPair *pair, MlLabelType type, uint64_t bits, uint32_t *slot)
{
	if (pair->n == 0)
		pair->type = type;
	if (pair->type != type)
		return ml_fail(env, ML_EDATA, "labels of different types cannot be put together");
	for (uint32_t i = 0; i < pair->n; i++)
		if (pair->bits[i] == bits)
		{
			*slot = i;
			return ML_OK;
		}
	if (pair->n == 2)
		return third_label(env, pair, bits);
	*slot = pair->n;
	pair->bits[pair->n++] = bits;
	return ML_OK;
}

int
ml_label_pair_positive(const MlLabelPair *pair)
{
	double value;

	if (pair->n == 2)
		return compare_bits(pair->type, pair->bits[1], pair->bits[0]) > 0;
	if (pair->n == 0)
		return -1;
	value = pair->type == ML_LABEL_REAL ? real_of(pair->bits[0]) : (double) (int64_t) pair->bits[0];
	if (value == 1.0)
		return 0;
	return value == 0.0 || value == -1.0 ? 1 : -1;
}

void
ml_label_pair_save(const MlLabelPair *pair, MlBuffer *out)
{
	ml_put_u8(out, (uint8_t) pair->type);
	ml_put_u8(out, (uint8_t) pair->n);
	for (uint32_t i = 0; i < pair->n; i++)
		ml_put_u64(out, pair->bits[i]);
}

MlStatus
ml_label_pair_load(MlReader *in, MlLabelPair *pair)
{
	uint8_t type = ml_get_u8(in);

	pair->n = ml_get_u8(in);
	if (type == ML_LABEL_TEXT || type >= ML_LABEL_TYPES || pair->n > 2)
		return ml_corrupt(in->env, "labels");
	pair->type = (MlLabelType) type;
	for (uint32_t i = 0; i < pair->n; i++)
	{
		pair->bits[i] = ml_get_u64(in);
		if (!ml_label_valid(pair->type, pair->bits[i]))
			return ml_corrupt(in->env, "labels");
	}
	if (pair->n == 2 && pair->bits[0] == pair->bits[1])
		return ml_corrupt(in->env, "labels");
	return in->failed ? ml_corrupt(in->env, "labels") : ML_OK;
}
