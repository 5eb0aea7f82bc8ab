/*
 * loadjson.h
 *		JSON from any stream of bytes into a table.
 */
#ifndef MLPLAT_LOADJSON_H
#define MLPLAT_LOADJSON_H

#include "core/param.h"
#include "source/bytes.h"
#include "source/importlog.h"

/* The options of JSON, for ml_params_parse: as those of CSV, they may be parsed together with others (loadcsv.h). */
extern const MlParam mlplat_json_params[];

/*
 * Load bytes, gzip or not, into the table import->target, which is created if it is not there; adds to
 * import->rows, rejected and bytes, so that it can be called for one page after another. options: as parsed by
 * mlplat_json_params. Closes bytes. Errors name bytes->name. To be called by the work of mlplat_import_run.
 */
extern void mlplat_load_json(MlplatImport *import, MlplatBytes *bytes, MlEnv *env,
							 const MlParams *options);

#endif
