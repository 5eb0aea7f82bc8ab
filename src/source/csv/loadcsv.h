/*
 * loadcsv.h
 *		CSV from any stream of bytes into a table.
 */
#ifndef MLPLAT_LOADCSV_H
#define MLPLAT_LOADCSV_H

#include "core/param.h"
#include "source/bytes.h"
#include "source/importlog.h"

/*
 * The options of CSV, for ml_params_parse: an import with options of its own parses both tables at once, so that an
 * unknown name is refused by one message.
 */
extern const MlParam mlplat_csv_params[];

/*
 * Load bytes, gzip or not, into the table import->target, which is created if it is not there; adds to
 * import->rows, rejected and bytes, so that it can be called for one page after another. options: as parsed by
 * mlplat_csv_params. Closes bytes. Errors name bytes->name. To be called by the work of mlplat_import_run.
 */
extern void mlplat_load_csv(MlplatImport *import, MlplatBytes *bytes, MlEnv *env,
							const MlParams *options);

#endif
