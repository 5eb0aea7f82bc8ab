/*
 * foreign.h
 *		Models of other libraries: their files become images of boosted trees.
 *
 * A file says what a tree does in its library's words; the image says the same in ours, so that everything that works
 * on a trained model works on an imported one.
 */
#ifndef ML_FOREIGN_H
#define ML_FOREIGN_H

#include "core/param.h"
#include "model/model.h"

/* What the user may say about a file; the options of import_model. */
extern const MlParam ml_foreign_params[];

/* Names of the formats, then NULL. */
extern const char *const ml_foreign_formats[];

/*
 * Append the image of a file. format: one of ml_foreign_formats; options: an object, or NULL. ML_EINVAL: the
 * options; ML_EDATA: what the file holds cannot be had here, or it is damaged.
 */
extern MlStatus ml_foreign_import(MlEnv *env, const char *format, const void *data, size_t len,
								  const MlJson *options, MlBuffer *image);

#endif /* ML_FOREIGN_H */
