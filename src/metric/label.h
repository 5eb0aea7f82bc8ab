/*
 * label.h
 *		Labels of classes as metrics see them, and the two labels of a binary metric.
 *
 * A label is a text, a truth value, an integer or a real number. Numbers are kept as their bits.
 */
#ifndef ML_LABEL_H
#define ML_LABEL_H

#include "core/buffer.h"

typedef enum MlLabelType
{
	ML_LABEL_TEXT,
	ML_LABEL_BOOL,
	ML_LABEL_INT,
	ML_LABEL_REAL
} MlLabelType;

#define ML_LABEL_TYPES 4

typedef struct MlLabel
{
	uint64_t bits;    /* all but TEXT: 0 or 1, the integer, or the number's bits (never -0.0) */
	const char *text; /* TEXT; need not end with a zero byte */
	size_t len;
} MlLabel;

#define ML_LABEL_NAME_MAX 128 /* room that ml_label_name asks for */

extern MlLabel ml_label_bool(bool value);
extern MlLabel ml_label_int(int64_t value);
extern MlLabel ml_label_real(double value); /* finite */
extern MlLabel ml_label_text(const char *text, size_t len);

/* < 0, 0, > 0: texts by their bytes, numbers by value, false before true. */
extern int ml_label_compare(MlLabelType type, const MlLabel *a, const MlLabel *b);

/* As a reader wants to see it, texts cut to fit; out has ML_LABEL_NAME_MAX bytes. */
extern const char *ml_label_name(MlLabelType type, const MlLabel *label, char *out);

/* Whether the bits can be a label of this type: for decoders. */
extern bool ml_label_valid(MlLabelType type, uint64_t bits);

/*
 * The labels of a binary metric, in the order of their appearance: slot 0, slot 1. The greater one is
 * positive. While only one has been seen, 1 and true are taken as positive, 0, -1 and false as
 * negative, and of any other it is not known.
 */
typedef struct MlLabelPair
{
	MlLabelType type; /* not TEXT */
	uint32_t n;
	uint64_t bits[2];
} MlLabelPair;

/* The slot of a label; a third label is ML_EDATA and the error names all three. */
extern MlStatus ml_label_pair_slot(MlEnv *env, MlLabelPair *pair, MlLabelType type, uint64_t bits,
								   uint32_t *slot);

/* The slot of the positive label, which need not have been seen; -1: not known. */
extern int ml_label_pair_positive(const MlLabelPair *pair);

extern void ml_label_pair_save(const MlLabelPair *pair, MlBuffer *out);
extern MlStatus ml_label_pair_load(MlReader *in, MlLabelPair *pair);

#endif /* ML_LABEL_H */
