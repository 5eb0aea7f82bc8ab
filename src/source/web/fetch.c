/*
 * fetch.c
 *		The content of a URL, within limits: redirects are followed, failures that may pass are tried again.
 *
 * Only GET is ever sent, so that trying again is safe. Tried again is what breaks
 * on the way and what the server calls passing (408, 429, 500, 502, 503, 504);
 * a refusal, a certificate or a limit is final at once. The waits double, with a
 * random part so that many clients do not come back together; a server that
 * names its own time (Retry-After) gets it, if it is within ours.
 *
 * Redirects are followed here and not by libcurl: each is checked as a URL of
 * the user's is, and must stay with the server (url.c).
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "portability/instr_time.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "core/rng.h"
#include "source/web/fetch.h"

#define MAX_REDIRECTS 5
#define MAX_WAIT 30.0 /* seconds between two tries, unless the server asks for more */

struct MlplatFetch
{
	MlplatHttp *http;
	MlplatFetchLimits limits;
	MlplatCredentials credentials;
	instr_time start;
	int64 n_bytes;
	MlRng rng; /* for waits */
};

MlplatFetch *
mlplat_fetch_open(const MlplatHttpSettings *settings, const MlplatFetchLimits *limits)
{
	MlplatFetch *fetch = palloc0(sizeof(MlplatFetch));

	fetch->limits = *limits;
	fetch->credentials = settings->credentials;
	fetch->http = mlplat_http_open(settings);
	INSTR_TIME_SET_CURRENT(fetch->start);
	ml_rng_seed(&fetch->rng, (uint64_t) GetCurrentTimestamp(), (uint64_t) MyProcPid);
	return fetch;
}

void
mlplat_fetch_close(MlplatFetch *fetch)
{
	mlplat_http_close(fetch->http);
}

int64
mlplat_fetch_bytes(const MlplatFetch *fetch)
{
	return fetch->n_bytes;
}

static double
seconds_left(const MlplatFetch *fetch)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, fetch->start);
	return fetch->limits.timeout - INSTR_TIME_GET_DOUBLE(now);
}

/* ---- errors */

/* The one error message about what came back; what_then: a hint, or NULL. */
static void
could_not_read(const MlplatUrl *url, int code, const char *detail, const char *what_then)
{
	ereport(ERROR, (errcode(code), errmsg("could not read URL \"%s\"", url->shown),
					errdetail("%s", detail), what_then ? errhint("%s", what_then) : 0));
}

static void
took_too_long(const MlplatFetch *fetch, const MlplatUrl *url)
{
	could_not_read(url, ERRCODE_CONNECTION_FAILURE,
				   psprintf("It took longer than the %g seconds of the option timeout.",
							fetch->limits.timeout),
				   NULL);
}

/* What else there is to say about the last of some tries. */
static const char *
after_tries(const MlplatHttpAnswer *answer, int n_tries)
{
	const char *tries = n_tries > 1 ? psprintf(" This was try %d, the last.", n_tries) : "";

	if (answer->retry_after == 0)
		return tries;
	return psprintf(" It asks to wait %d seconds.%s", answer->retry_after, tries);
}

/* What the server says, unless it repeats our secret. */
static const char *
quote(const MlplatFetch *fetch, const MlplatHttpAnswer *answer)
{
	const char *secrets[] = {fetch->credentials.token, fetch->credentials.password};

	for (int i = 0; i < (int) lengthof(secrets); i++)
		if (secrets[i] && secrets[i][0] && strstr(answer->excerpt, secrets[i]))
			return "";
	return answer->excerpt[0] ? psprintf(": %s", answer->excerpt) : "";
}

/* An answer that is no success. */
static void
refused_by_server(const MlplatFetch *fetch, const MlplatUrl *url, const MlplatHttpAnswer *answer,
				  int n_tries)
{
	bool unknown = answer->status == 401 || answer->status == 403;

	could_not_read(url, unknown ? ERRCODE_INSUFFICIENT_PRIVILEGE : ERRCODE_CONNECTION_EXCEPTION,
				   psprintf("The server answered with status %d%s.%s", answer->status,
							quote(fetch, answer), after_tries(answer, n_tries)),
				   unknown ? "See the options token_file, user_mapping and headers." : NULL);
}

static void
address_refused(const MlplatUrl *url, const MlplatHttpAnswer *answer)
{
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					errmsg("host \"%s\" has the address %s, which is not public", url->host,
						   answer->problem),
					errhint("An administrator can add the address, or its network, to "
							"mlplat.allowed_hosts.")));
}

static void
fail(const MlplatFetch *fetch, const MlplatUrl *url, const MlplatHttpAnswer *answer, int n_tries)
{
	switch (answer->failure)
	{
		case HTTP_ANSWERED:
			refused_by_server(fetch, url, answer, n_tries);
			break;
		case HTTP_ADDRESS_REFUSED:
			address_refused(url, answer);
			break;
		case HTTP_TOO_LONG:
			took_too_long(fetch, url);
			break;
		case HTTP_TOO_LARGE:
			could_not_read(url, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
						   psprintf("It has more than the " INT64_FORMAT
									" bytes of the option max_bytes.",
									fetch->limits.max_bytes),
						   "If it is meant to be so large, say so with the option max_bytes.");
			break;
		case HTTP_NOT_TRUSTED:
			could_not_read(url, ERRCODE_CONNECTION_EXCEPTION, psprintf("%s.", answer->problem),
						   "An administrator names a private certificate authority by the setting "
						   "mlplat.ca_file.");
			break;
		case HTTP_UNUSABLE:
			could_not_read(url, ERRCODE_PROTOCOL_VIOLATION, psprintf("%s.", answer->problem), NULL);
			break;
		case HTTP_BROKE:
			could_not_read(url, ERRCODE_CONNECTION_FAILURE,
						   psprintf("%s.%s", answer->problem, after_tries(answer, n_tries)), NULL);
			break;
	}
}

/* ---- redirects */

static bool
is_redirect(const MlplatHttpAnswer *answer)
{
	static const int statuses[] = {301, 302, 303, 307, 308};

	if (answer->failure != HTTP_ANSWERED || answer->location[0] == '\0')
		return false;
	for (int i = 0; i < (int) lengthof(statuses); i++)
		if (answer->status == statuses[i])
			return true;
	return false;
}

/* One exchange within what is left of time and bytes. */
static void
exchange(MlplatFetch *fetch, const MlplatUrl *url, MlplatSpool *body, MlplatHttpAnswer *answer)
{
	double left = seconds_left(fetch);

	mlplat_url_check_allowed(url);
	mlplat_credentials_check(&fetch->credentials, url);
	if (left <= 0)
		took_too_long(fetch, url);
	mlplat_http_get(fetch->http, url, body, fetch->limits.max_bytes - fetch->n_bytes,
					(int) Max(1, Min(left * 1000, INT_MAX)), answer);
}

/* Get the URL, or what it redirects to; *last is where the answer came from. */
static void
follow(MlplatFetch *fetch, const MlplatUrl *url, MlplatSpool *body, MlplatHttpAnswer *answer,
	   const MlplatUrl **last)
{
	*last = url;
	exchange(fetch, url, body, answer);
	for (int n = 0; is_redirect(answer); n++)
	{
		const MlplatUrl *to = mlplat_url_resolve(*last, answer->location);

		if (n == MAX_REDIRECTS)
			could_not_read(url, ERRCODE_CONNECTION_EXCEPTION,
						   psprintf("It redirects more than %d times.", MAX_REDIRECTS), NULL);
		mlplat_url_check_same_server(*last, to, "redirects");
		*last = to;
		exchange(fetch, to, body, answer);
	}
}

/* ---- trying again */

static bool
is_success(const MlplatHttpAnswer *answer)
{
	return answer->failure == HTTP_ANSWERED && answer->status / 100 == 2 && answer->status != 206;
}

static bool
may_pass(const MlplatHttpAnswer *answer)
{
	static const int statuses[] = {408, 429, 500, 502, 503, 504};

	if (answer->failure != HTTP_ANSWERED)
		return answer->failure == HTTP_BROKE;
	for (int i = 0; i < (int) lengthof(statuses); i++)
		if (answer->status == statuses[i])
			return true;
	return false;
}

/* Seconds before the next try, the n-th after the first. */
static double
wait_before(MlplatFetch *fetch, const MlplatHttpAnswer *answer, int n)
{
	double wait = Min(ldexp(fetch->limits.retry_wait, n), MAX_WAIT);

	wait *= 0.5 + 0.5 * ml_rng_uniform(&fetch->rng);
	return Max(wait, answer->retry_after);
}

static void
pause_for(double seconds)
{
	instr_time start, now;
	double left = seconds;

	INSTR_TIME_SET_CURRENT(start);
	while (left > 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 (long) ceil(left * 1000), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, start);
		left = seconds - INSTR_TIME_GET_DOUBLE(now);
	}
}

/* A body that is encoded can be read only if it is gzip, which shows by itself. */
static void
check_encoding(const MlplatUrl *url, const MlplatHttpAnswer *answer)
{
	static const char *const known[] = {"", "identity", "gzip", "x-gzip"};

	for (int i = 0; i < (int) lengthof(known); i++)
		if (pg_strcasecmp(answer->content_encoding, known[i]) == 0)
			return;
	could_not_read(url, ERRCODE_FEATURE_NOT_SUPPORTED,
				   psprintf("Its content has the encoding %s, which was not asked for.",
							answer->content_encoding),
				   NULL);
}

const MlplatUrl *
mlplat_fetch_get(MlplatFetch *fetch, const MlplatUrl *url, MlplatSpool *body,
				 MlplatHttpAnswer *answer)
{
	const MlplatUrl *last;

	for (int n = 0;; n++)
	{
		double wait;

		follow(fetch, url, body, answer, &last);
		if (is_success(answer))
			break;
		if (n == fetch->limits.retries || !may_pass(answer))
			fail(fetch, last, answer, n + 1);
		wait = wait_before(fetch, answer, n);
		if (wait >= seconds_left(fetch))
			fail(fetch, last, answer, n + 1);
		mlplat_spool_clear(body);
		pause_for(wait);
	}
	fetch->n_bytes += answer->n_bytes;
	check_encoding(last, answer);
	if (answer->end_unsure)
		ereport(WARNING,
				(errmsg("whether the content of \"%s\" is complete cannot be told", last->shown),
				 errdetail("The server did not say how long it is, and closed the connection.")));
	return last;
}
