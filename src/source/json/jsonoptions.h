/*
 * jsonoptions.h
 *		The indexes of mlplat_json_params (loadjson.h).
 */
#ifndef MLPLAT_JSONOPTIONS_H
#define MLPLAT_JSONOPTIONS_H

enum
{
	JSON_PATH,
	JSON_FLATTEN,
	JSON_SEPARATOR,
	JSON_COLUMNS,
	JSON_TYPES,
	JSON_EXTRA,
	JSON_SAMPLE_ROWS,
	JSON_ON_ERROR,
	JSON_MAX_REJECTS,
	JSON_MAX_BYTES
};

#endif
