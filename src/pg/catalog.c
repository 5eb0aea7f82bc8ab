/*
 * catalog.c
 *		The registry in tables: find a model, add a version, change which is active.
 *
 * All statements are schema-qualified, take their values as parameters, and run
 * as the caller, whose row policies decide what there is. A name that several
 * owners use means the caller's own model.
 */
#include "postgres.h"

#include <math.h>

#include "pg/compat.h"
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/apart.h"
#include "pg/catalog.h"

/* ---- small SPI ---- */

void
mlplat_spi_begin(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

void
mlplat_spi_end(void)
{
	SPI_finish();
}

/* Run one statement with parameters; returns the number of rows. nulls may be NULL. */
static uint64
run(const char *sql, int n, Oid *types, Datum *values, const char *nulls, bool read_only)
{
	int result = SPI_execute_with_args(sql, n, types, values, nulls, read_only, 0);

	if (result < 0)
		elog(ERROR, "statement on the registry failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

typedef enum ResultType
{
	RESULT_BOOL,
	RESULT_INT4,
	RESULT_INT8
} ResultType;

/* Column (from 1) of a result row as a number; 0 for NULL. */
static int64
result_int(uint64 row, int column, ResultType type)
{
	bool isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	if (isnull)
		return 0;
	switch (type)
	{
		case RESULT_BOOL:
			return DatumGetBool(value);
		case RESULT_INT4:
			return DatumGetInt32(value);
		case RESULT_INT8:
			break;
	}
	return DatumGetInt64(value);
}

/* ---- references ---- */

#define NAME_MAX_BYTES 255

/* How many bytes of a name to show in a message: whole characters, as many as a name may have. */
static int
shown(const char *name)
{
	return pg_mbcliplen(name, (int) strlen(name), NAME_MAX_BYTES);
}

void
mlplat_check_model_name(const char *name)
{
	if (name[0] == '\0' || strchr(name, '@') || strlen(name) > NAME_MAX_BYTES)
		ereport(ERROR, (errcode(ERRCODE_INVALID_NAME),
						errmsg("invalid model name \"%.*s\"", shown(name), name),
						errdetail("A name has 1 to 255 bytes and no @, which marks a version.")));
}

/* Split 'name@3'; a version of 0 stands for the active one. */
static char *
split_reference(const char *reference, int *version)
{
	const char *at = strrchr(reference, '@');
	char *end;
	long number;

	*version = 0;
	if (!at)
		return pstrdup(reference);
	errno = 0;
	number = strtol(at + 1, &end, 10);
	if (end == at + 1 || *end != '\0' || errno || number < 1 || number > PG_INT32_MAX ||
		at[1] == '+' || at[1] == ' ')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid model reference \"%.*s\"", shown(reference), reference),
				 errhint("Write \"name\" or \"name@version\" with a version of 1 or more.")));
	*version = (int) number;
	return pnstrdup(reference, at - reference);
}

static _Noreturn void
no_such_model(const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("model \"%.*s\" does not exist", shown(name), name),
					strncmp(name, "\\x", 2) == 0
						? errhint("An image must be of type bytea: '...'::bytea.")
						: errhint("The view mlplat.models lists the models that you may use.")));
}

/* The model of that name, with one version of it: the caller's own first, else the only visible one. */
static bool
lookup_model(const char *name, int version, MlplatModelRef *ref)
{
	static const char *const sql =
		"SELECT r.model_id, r.active_history[pg_catalog.cardinality(r.active_history)],"
		" r.owner OPERATOR(pg_catalog.=) current_user AS own, v.version_id, v.version"
		" FROM mlplat.registry r LEFT JOIN mlplat.version v ON v.model_id OPERATOR(pg_catalog.=) "
		"r.model_id"
		" AND v.version OPERATOR(pg_catalog.=) CASE WHEN $2 OPERATOR(pg_catalog.>) 0 THEN $2"
		" ELSE r.active_history[pg_catalog.cardinality(r.active_history)] END"
		" WHERE r.name OPERATOR(pg_catalog.=) $1 ORDER BY 3 DESC, 1 LIMIT 2";
	Oid types[2] = {TEXTOID, INT4OID};
	Datum values[2] = {CStringGetTextDatum(name), Int32GetDatum(version)};
	uint64 n = run(sql, 2, types, values, NULL, true);

	if (n == 0)
		return false;
	if (n == 2 && result_int(0, 3, RESULT_BOOL) == 0)
		ereport(ERROR, (errcode(ERRCODE_AMBIGUOUS_ALIAS),
						errmsg("several models that you may use are named \"%s\"", name)));
	ref->model_id = result_int(0, 1, RESULT_INT8);
	ref->active = (int) result_int(0, 2, RESULT_INT4);
	ref->version_id = result_int(0, 4, RESULT_INT8);
	ref->version = (int) result_int(0, 5, RESULT_INT4);
	return true;
}

static void
pg_attribute_noreturn() no_such_version(const char *name, int version)
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
					errmsg("model \"%s\" has no version %d", name, version),
					errhint("The view mlplat.model_versions lists them.")));
}

MlplatModelRef
mlplat_find_model(const char *reference)
{
	MlplatModelRef ref = {0};
	int version;

	ref.name = split_reference(reference, &version);
	mlplat_spi_begin();
	if (!lookup_model(ref.name, version, &ref))
		no_such_model(ref.name);
	mlplat_spi_end();
	if (version > 0 && ref.version == 0)
		no_such_version(ref.name, version);
	return ref;
}

int64
mlplat_lookup_version(const char *reference)
{
	MlplatModelRef ref = {0};
	int version;

	ref.name = split_reference(reference, &version);
	mlplat_spi_begin();
	lookup_model(ref.name, version, &ref);
	mlplat_spi_end();
	return ref.version_id;
}

MlplatModelRef
mlplat_find_version(const char *reference)
{
	MlplatModelRef ref = mlplat_find_model(reference);

	if (ref.version == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has no active version", ref.name),
						errhint("Name one, \"%s@version\", or promote one: "
								"mlplat.promote_model('%s@version').",
								ref.name, ref.name)));
	return ref;
}

MlplatModelRef
mlplat_find_model_for_change(const char *reference, bool *has_version)
{
	MlplatModelRef ref = mlplat_find_model(reference);
	Oid types[2] = {INT8OID, INT4OID};
	Datum values[2] = {Int64GetDatum(ref.model_id), Int32GetDatum(ref.version)};

	*has_version = strchr(reference, '@') != NULL;
	mlplat_spi_begin();
	if (run("SELECT active_history[pg_catalog.cardinality(active_history)] FROM mlplat.registry"
			" WHERE model_id OPERATOR(pg_catalog.=) $1 FOR UPDATE",
			1, types, values, NULL, false) == 0)
		no_such_model(ref.name);
	ref.active = (int) result_int(0, 1, RESULT_INT4);
	if (*has_version && run("SELECT version FROM mlplat.version"
							" WHERE model_id OPERATOR(pg_catalog.=) $1"
							" AND version OPERATOR(pg_catalog.=) $2",
							2, types, values, NULL, false) == 0)
		no_such_version(ref.name, ref.version);
	mlplat_spi_end();
	return ref;
}

Oid
mlplat_registry_relid(void)
{
	Oid schema = get_namespace_oid("mlplat", true);

	return OidIsValid(schema) ? get_relname_relid("registry", schema) : InvalidOid;
}

bytea *
mlplat_fetch_image(int64 version_id)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(version_id)};
	bytea *image;
	bool isnull;

	mlplat_spi_begin();
	if (run("SELECT image FROM mlplat.version WHERE version_id OPERATOR(pg_catalog.=) $1", 1, types,
			values, NULL, true) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the version of the model is gone")));
	MemoryContextSwitchTo(caller);
	image =
		DatumGetByteaPCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	mlplat_spi_end();
	return image;
}

/* ---- changes ---- */

/* Lock the caller's own model of that name; false: there is none. */
static bool
lock_own_model(const char *name, MlplatModelRef *ref)
{
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(name)};

	if (run("SELECT model_id, active_history[pg_catalog.cardinality(active_history)] FROM "
			"mlplat.registry"
			" WHERE name OPERATOR(pg_catalog.=) $1 AND owner OPERATOR(pg_catalog.=) current_user "
			"FOR UPDATE",
			1, types, values, NULL, false) == 0)
		return false;
	ref->model_id = result_int(0, 1, RESULT_INT8);
	ref->active = (int) result_int(0, 2, RESULT_INT4);
	return true;
}

MlplatModelRef
mlplat_lock_model(const char *name)
{
	MlplatModelRef ref = {0};
	Oid types[1] = {TEXTOID};
	Datum values[1] = {CStringGetTextDatum(name)};

	mlplat_check_model_name(name);
	ref.name = pstrdup(name);
	mlplat_spi_begin();
	if (!lock_own_model(name, &ref))
	{
		run("INSERT INTO mlplat.registry (name) VALUES ($1) ON CONFLICT (owner, name) DO NOTHING",
			1, types, values, NULL, false);
		if (!lock_own_model(name, &ref))
			elog(ERROR, "model \"%s\" could not be registered", name);
	}
	ref.version = ref.active;
	mlplat_spi_end();
	return ref;
}

int
mlplat_add_version(int64 model_id, const MlplatNewVersion *version)
{
	Oid types[8] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, BYTEAOID, INT4OID};
	Datum values[8] = {Int64GetDatum(model_id)};
	char nulls[9] = "        ";
	int number;

	mlplat_spi_begin();
#define SET_TEXT(i, text) \
	do \
	{ \
		if (text) \
			values[i] = CStringGetTextDatum(text); \
		else \
			nulls[i] = 'n'; \
	} while (0)
	SET_TEXT(1, version->query);
	SET_TEXT(2, version->options);
	SET_TEXT(3, version->metric);
	SET_TEXT(5, version->info);
#undef SET_TEXT
	values[4] = Float8GetDatum(version->score);
	if (isnan(version->score))
		nulls[4] = 'n';
	values[6] = version->image;
	if (run("UPDATE mlplat.registry r SET last_version = 1 OPERATOR(pg_catalog.+) GREATEST("
			"r.last_version, (SELECT pg_catalog.max(v.version) FROM mlplat.version v"
			" WHERE v.model_id OPERATOR(pg_catalog.=) $1))"
			" WHERE r.model_id OPERATOR(pg_catalog.=) $1 RETURNING last_version",
			1, types, values, NULL, false) == 0)
		elog(ERROR, "model %lld is gone", (long long) model_id);
	number = (int) result_int(0, 1, RESULT_INT4);
	values[7] = Int32GetDatum(number);
	run("INSERT INTO mlplat.version (model_id, version, query, options, metric, score, info, image)"
		" VALUES ($1, $8, $2, $3::pg_catalog.jsonb, $4, $5, $6::pg_catalog.jsonb, $7)",
		8, types, values, nulls, false);
	mlplat_spi_end();
	return number;
}

void
mlplat_set_active(int64 model_id, int version)
{
	Oid types[2] = {INT8OID, INT4OID};
	Datum values[2] = {Int64GetDatum(model_id), Int32GetDatum(version)};

	mlplat_spi_begin();
	run("UPDATE mlplat.registry SET active_history = pg_catalog.array_append(active_history, $2)"
		" WHERE model_id OPERATOR(pg_catalog.=) $1"
		" AND (pg_catalog.cardinality(active_history) OPERATOR(pg_catalog.=) 0"
		" OR active_history[pg_catalog.cardinality(active_history)] OPERATOR(pg_catalog.<>) $2)",
		2, types, values, NULL, false);
	mlplat_spi_end();
}

int
mlplat_pop_active(int64 model_id)
{
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(model_id)};
	int version = 0;

	mlplat_spi_begin();
	if (run("UPDATE mlplat.registry SET active_history ="
			" active_history[1:pg_catalog.cardinality(active_history) OPERATOR(pg_catalog.-) 1]"
			" WHERE model_id OPERATOR(pg_catalog.=) $1"
			" AND pg_catalog.cardinality(active_history) OPERATOR(pg_catalog.>) 1"
			" RETURNING active_history[pg_catalog.cardinality(active_history)]",
			1, types, values, NULL, false) > 0)
		version = (int) result_int(0, 1, RESULT_INT4);
	mlplat_spi_end();
	return version;
}

void
mlplat_delete_model(int64 model_id)
{
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(model_id)};

	mlplat_spi_begin();
	run("DELETE FROM mlplat.registry WHERE model_id OPERATOR(pg_catalog.=) $1", 1, types, values,
		NULL, false);
	mlplat_spi_end();
}

void
mlplat_delete_versions(int64 model_id)
{
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(model_id)};

	mlplat_spi_begin();
	run("DELETE FROM mlplat.version WHERE model_id OPERATOR(pg_catalog.=) $1", 1, types, values,
		NULL, false);
	mlplat_spi_end();
}

/* A statement whose only parameter is an id. */
static void
run_with_id(const char *sql, int64 id)
{
	Oid types[1] = {INT8OID};
	Datum values[1] = {Int64GetDatum(id)};

	mlplat_spi_begin();
	run(sql, 1, types, values, NULL, false);
	mlplat_spi_end();
}

void
mlplat_delete_trials(int64 run_id)
{
	run_with_id("DELETE FROM mlplat.trial WHERE run_id OPERATOR(pg_catalog.=) $1", run_id);
}

void
mlplat_delete_evaluations(int64 version_id)
{
	run_with_id("DELETE FROM mlplat.evaluation WHERE version_id OPERATOR(pg_catalog.=) $1",
				version_id);
}

/*
 * The version also leaves the history, so that a roll-back cannot go to it; where it stood between two
 * turns of one version, they become one.
 */
void
mlplat_delete_version(int64 model_id, int version)
{
	Oid types[2] = {INT8OID, INT4OID};
	Datum values[2] = {Int64GetDatum(model_id), Int32GetDatum(version)};

	mlplat_spi_begin();
	run("UPDATE mlplat.registry SET active_history = ARRAY(SELECT h.version FROM"
		" (SELECT u.version, u.turn, pg_catalog.lag(u.version) OVER (ORDER BY u.turn) AS before"
		" FROM pg_catalog.unnest(pg_catalog.array_remove(active_history, $2))"
		" WITH ORDINALITY u (version, turn)) h"
		" WHERE h.before IS NULL OR h.version OPERATOR(pg_catalog.<>) h.before ORDER BY h.turn)"
		" WHERE model_id OPERATOR(pg_catalog.=) $1",
		2, types, values, NULL, false);
	run("DELETE FROM mlplat.version WHERE model_id OPERATOR(pg_catalog.=) $1"
		" AND version OPERATOR(pg_catalog.=) $2",
		2, types, values, NULL, false);
	mlplat_spi_end();
}

/* With a new snapshot: another session may have made the active version since the statement began. */
bool
mlplat_version_score(int64 model_id, int version, char **metric, double *score)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid types[2] = {INT8OID, INT4OID};
	Datum values[2] = {Int64GetDatum(model_id), Int32GetDatum(version)};
	bool found;

	mlplat_spi_begin();
	found =
		run("SELECT metric, score FROM mlplat.version WHERE model_id OPERATOR(pg_catalog.=) $1"
			" AND version OPERATOR(pg_catalog.=) $2 AND metric IS NOT NULL AND score IS NOT NULL",
			2, types, values, NULL, false) > 0;
	if (found)
	{
		bool isnull;
		Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);

		*score = DatumGetFloat8(value);
		MemoryContextSwitchTo(caller);
		*metric = TextDatumGetCString(
			SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	}
	mlplat_spi_end();
	return found;
}

/* What a run has compared; the numbers come from our own writer. */
static void
log_trials(int64 run_id, const char *trials)
{
	Oid types[2] = {INT8OID, TEXTOID};
	Datum values[2] = {Int64GetDatum(run_id), CStringGetTextDatum(trials)};

	run("INSERT INTO mlplat.trial (run_id, trial, algorithm, params, score, stddev, fold_scores, "
		"rank, "
		"share, seconds, chosen, error)"
		" SELECT $1, trial, algorithm, params, score, stddev, fold_scores, rank, share, seconds, "
		"chosen, error"
		" FROM pg_catalog.jsonb_to_recordset($2::pg_catalog.jsonb) AS t(trial pg_catalog.int4,"
		" algorithm pg_catalog.text, params pg_catalog.jsonb, score pg_catalog.float8,"
		" stddev pg_catalog.float8, fold_scores pg_catalog.float8[], rank pg_catalog.int4,"
		" share pg_catalog.float8, seconds pg_catalog.float8, chosen pg_catalog.bool,"
		" error pg_catalog.text)",
		2, types, values, NULL, false);
}

/* seconds counts back from now, as the whole training is one transaction. */
void
mlplat_log_run(const MlplatRun *r)
{
	Oid types[13] = {TEXTOID, INT4OID, FLOAT8OID, TEXTOID, TEXTOID,   TEXTOID, TEXTOID,
					 INT8OID, INT8OID, INT8OID,   TEXTOID, FLOAT8OID, BOOLOID};
	Datum values[13];
	char nulls[14] = "             ";

	values[0] = CStringGetTextDatum(r->model);
	values[1] = Int32GetDatum(r->version);
	values[2] = Float8GetDatum(r->seconds);
	values[3] = CStringGetTextDatum(r->query);
	nulls[4] = r->target ? ' ' : 'n';
	values[4] = r->target ? CStringGetTextDatum(r->target) : (Datum) 0;
	values[5] = CStringGetTextDatum(r->algorithm);
	values[6] = CStringGetTextDatum(r->options);
	values[7] = Int64GetDatum(r->rows);
	values[8] = Int64GetDatum(r->dropped);
	values[9] = Int64GetDatum(r->holdout);
	values[10] = r->metric ? CStringGetTextDatum(r->metric) : (Datum) 0;
	nulls[10] = r->metric ? ' ' : 'n';
	values[11] = Float8GetDatum(r->score);
	nulls[11] = r->metric && !isnan(r->score) ? ' ' : 'n';
	values[12] = BoolGetDatum(r->promoted);
	mlplat_spi_begin();
	run("INSERT INTO mlplat.run (model, version, started_at, seconds, query, target, algorithm, "
		"options, rows,"
		" rows_dropped, rows_holdout, metric, score, promoted)"
		" VALUES ($1, $2, pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
		" pg_catalog.make_interval(secs => $3), $3, $4, $5, $6, $7::pg_catalog.jsonb, $8, $9, $10, "
		"$11, $12, $13) RETURNING run_id",
		13, types, values, nulls, false);
	if (r->trials)
		log_trials(result_int(0, 1, RESULT_INT8), r->trials);
	mlplat_spi_end();
}

int64
mlplat_add_evaluation(const MlplatNewEvaluation *e)
{
	Oid types[7] = {INT8OID, TEXTOID, INT8OID, TEXTOID, FLOAT8OID, TEXTOID, TEXTOID};
	Datum values[7] = {Int64GetDatum(e->version_id),  CStringGetTextDatum(e->query),
					   Int64GetDatum(e->rows),        CStringGetTextDatum(e->metric),
					   Float8GetDatum(e->score),      CStringGetTextDatum(e->metrics),
					   CStringGetTextDatum(e->curves)};
	char nulls[8] = "       ";
	int64 id;

	if (isnan(e->score))
		nulls[4] = 'n';
	mlplat_spi_begin();
	run("INSERT INTO mlplat.evaluation (version_id, query, rows, metric, score, metrics, curves)"
		" VALUES ($1, $2, $3, $4, $5, $6::pg_catalog.jsonb, $7::pg_catalog.jsonb)"
		" RETURNING evaluation_id",
		7, types, values, nulls, false);
	id = result_int(0, 1, RESULT_INT8);
	mlplat_spi_end();
	return id;
}

void
mlplat_log_failed_run(const MlplatRun *r, const ErrorData *error)
{
	const char *values[9] = {r->model,
							 psprintf("%.6f", r->seconds),
							 r->query,
							 r->target,
							 r->algorithm,
							 r->options,
							 psprintf(INT64_FORMAT, r->rows),
							 pstrdup(unpack_sql_state(error->sqlerrcode)),
							 error->message};

	if (!mlplat_log_apart(
			error,
			"INSERT INTO mlplat.run (model, started_at, seconds, query, target, algorithm, options,"
			" rows, rows_dropped, rows_holdout, promoted, outcome, sqlstate, error)"
			" VALUES ($1, pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
			" pg_catalog.make_interval(secs => $2::pg_catalog.float8), $2::pg_catalog.float8, $3, "
			"$4, $5, COALESCE($6, '{}')::pg_catalog.jsonb, $7::pg_catalog.int8, 0, 0, false, "
			"'failed', $8, $9)",
			lengthof(values), values))
		ereport(WARNING, (errmsg("the failure of the training could not be written to mlplat.run"),
						  errhint("A background worker writes it: see the server's log, and "
								  "max_worker_processes.")));
}
