/*
 * http.c
 *		One exchange over HTTP or HTTPS: a GET request and its answer.
 *
 * libcurl inside a backend:
 *
 * - It looks names up in a thread of its own. Threads inherit the signal mask, so
 *   all signals are blocked around each call that may start one: handlers of
 *   PostgreSQL must run on the main thread only.
 * - It runs by steps (the "multi" interface), with waits of at most WAIT_MS
 *   between which cancel is polled. A look-up that hangs cannot be stopped: it is
 *   left behind, and its thread, which knows nothing of ours, ends by the
 *   resolver's own timeout.
 * - Its callbacks (httptake.c) never throw through it: an error while the body is
 *   written is caught, kept on the error stack, and goes on its way once libcurl
 *   has returned.
 * - Its handles are freed when their memory context goes, so that no error
 *   anywhere leaves a connection open.
 *
 * What the environment of the server's process says about proxies is ignored, as
 * are .netrc and cookies: nothing but the URL decides where a request goes, and
 * the address of each connection is checked when its socket is made.
 *
 * The body is not decompressed here: gunzip.c does that, which sees where a body
 * was cut off and how large it becomes (libcurl says nothing of the first).
 */
#include "postgres.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>

#include <curl/curl.h>

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"

#include "pg/guc.h"
#include "source/web/http_inner.h"

#if LIBCURL_VERSION_NUM < 0x074200
#error mlplat needs libcurl 7.66 or later
#endif

#define WAIT_MS 50
#define BUFFER_SIZE (128 * 1024)
#define USER_AGENT "mlplat"

/* ---- open and close */

static void
release(void *arg)
{
	MlplatHttp *http = arg;

	if (http->added)
		curl_multi_remove_handle(http->multi, http->easy);
	if (http->easy)
		curl_easy_cleanup(http->easy);
	if (http->multi)
		curl_multi_cleanup(http->multi);
	curl_slist_free_all(http->headers);
	if (http->has_descriptor)
		ReleaseExternalFD();
	http->added = http->has_descriptor = false;
	http->easy = NULL;
	http->multi = NULL;
	http->headers = NULL;
}

static void
out_of_memory(void)
{
	ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

static void
init_library(void)
{
	static bool ready = false;

	if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		out_of_memory();
	ready = true;
}

static void
add_header(MlplatHttp *http, const char *line)
{
	struct curl_slist *longer = curl_slist_append(http->headers, line);

	if (!longer)
		out_of_memory();
	http->headers = longer;
}

static void
add_headers(MlplatHttp *http, const MlplatHttpSettings *settings)
{
	const MlJson *given = settings->headers;

	add_header(http, "Accept-Encoding: gzip");
	if (settings->credentials.token)
		add_header(http, psprintf("Authorization: Bearer %s", settings->credentials.token));
	/* A semicolon in place of the colon is libcurl's word for a header without a value. */
	for (size_t i = 0; given && i < given->n; i++)
		add_header(http, given->items[i].string[0]
							 ? psprintf("%s: %s", given->keys[i], given->items[i].string)
							 : psprintf("%s;", given->keys[i]));
}

/* curl_easy_setopt, which fails only where memory runs out or the library lacks something. */
#define SET(http, option, value) \
	do \
	{ \
		CURLcode code_ = curl_easy_setopt((http)->easy, option, value); \
		if (code_ != CURLE_OK) \
			ereport(ERROR, \
					(errcode(ERRCODE_SYSTEM_ERROR), \
					 errmsg("libcurl refuses %s: %s", #option, curl_easy_strerror(code_)))); \
	} while (0)

/* Nothing but the URL decides where a request goes and what it says. */
static void
set_rules(MlplatHttp *http)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(http, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(http, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(http, CURLOPT_FOLLOWLOCATION, 0L);
	SET(http, CURLOPT_PROXY, "");
	SET(http, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(http, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(http, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(http, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (mlplat_ca_file[0])
	{
		SET(http, CURLOPT_CAINFO, mlplat_ca_file);
		SET(http, CURLOPT_CAPATH, NULL);
	}
}

static void
set_callbacks(MlplatHttp *http)
{
	SET(http, CURLOPT_OPENSOCKETFUNCTION, mlplat_http_open_socket);
	SET(http, CURLOPT_OPENSOCKETDATA, &http->exchange);
	SET(http, CURLOPT_HEADERFUNCTION, mlplat_http_take_header);
	SET(http, CURLOPT_HEADERDATA, &http->exchange);
	SET(http, CURLOPT_WRITEFUNCTION, mlplat_http_take_body);
	SET(http, CURLOPT_WRITEDATA, http);
	SET(http, CURLOPT_ERRORBUFFER, http->problem);
	SET(http, CURLOPT_BUFFERSIZE, (long) BUFFER_SIZE);
	SET(http, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(http, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void
set_request(MlplatHttp *http, const MlplatHttpSettings *settings)
{
	SET(http, CURLOPT_HTTPHEADER, http->headers);
	SET(http, CURLOPT_USERAGENT, USER_AGENT);
	SET(http, CURLOPT_CONNECTTIMEOUT_MS, (long) settings->connect_timeout);
	SET(http, CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(http, CURLOPT_LOW_SPEED_TIME, (long) settings->idle_timeout);
	if (settings->credentials.token || !settings->credentials.user)
		return;
	SET(http, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC);
	SET(http, CURLOPT_USERNAME, settings->credentials.user);
	SET(http, CURLOPT_PASSWORD, settings->credentials.password);
}

MlplatHttp *
mlplat_http_open(const MlplatHttpSettings *settings)
{
	MlplatHttp *http = palloc0(sizeof(MlplatHttp));

	init_library();
	http->on_reset = (MemoryContextCallback){.func = release, .arg = http};
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &http->on_reset);
	http->has_descriptor = AcquireExternalFD();
	if (!http->has_descriptor)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("no connection can be made"),
				 errdetail("There are too many open files in this process.")));
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->multi || !http->easy)
		out_of_memory();
	add_headers(http, settings);
	set_rules(http);
	set_callbacks(http);
	set_request(http, settings);
	return http;
}

void
mlplat_http_close(MlplatHttp *http)
{
	release(http);
}

/* ---- headers that the user gives */

/* Those that say where the request goes or how it is framed are ours. */
static bool
is_ours(const char *name)
{
	static const char *const ours[] = {
		"Host",    "Connection",      "Content-Length", "Transfer-Encoding",
		"Upgrade", "Accept-Encoding", "Range",          "TE",
		"Trailer", "Expect"};

	for (int i = 0; i < (int) lengthof(ours); i++)
		if (pg_strcasecmp(name, ours[i]) == 0)
			return true;
	return pg_strncasecmp(name, "Proxy-", 6) == 0;
}

/* A token as RFC 9110 has it. */
static bool
is_header_name(const char *name)
{
	return name[0] != '\0' &&
		   name[strspn(name, "!#$%&'*+-.^_`|~0123456789"
							 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] == '\0';
}

static bool
is_header_value(const char *value)
{
	for (; *value; value++)
		if (((unsigned char) *value < ' ' && *value != '\t') || *value == 0x7f)
			return false;
	return true;
}

void
mlplat_http_check_headers(const MlJson *headers)
{
	if (headers->type != ML_JSON_OBJECT)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"headers\" must be an object of names and values")));
	for (size_t i = 0; i < headers->n; i++)
	{
		const char *name = headers->keys[i];

		if (!is_header_name(name))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("\"%s\" is no name of a header", name)));
		if (is_ours(name))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("header \"%s\" cannot be set", name)));
		if (headers->items[i].type != ML_JSON_STRING || !is_header_value(headers->items[i].string))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("header \"%s\" must be a string of one line", name)));
	}
}

/* ---- the exchange */

/* One step of libcurl, in which threads that it starts get no signals. Returns how many transfers go on: 1 or 0. */
static int
step(MlplatHttp *http)
{
	sigset_t all, before;
	int running = 0;
	CURLMcode code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = curl_multi_perform(http->multi, &running);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (http->exchange.stop == STOP_THROWN)
		PG_RE_THROW();
	if (code != CURLM_OK)
		ereport(ERROR, (errcode(ERRCODE_SYSTEM_ERROR),
						errmsg("libcurl failed: %s", curl_multi_strerror(code))));
	return running;
}

static void
wait_for_network(MlplatHttp *http)
{
	pgstat_report_wait_start(PG_WAIT_EXTENSION);
	(void) curl_multi_poll(http->multi, NULL, 0, WAIT_MS, NULL);
	pgstat_report_wait_end();
}

static CURLcode
run(MlplatHttp *http)
{
	CURLcode result = CURLE_RECV_ERROR;
	CURLMsg *message;
	int left;

	if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
		out_of_memory();
	http->added = true;
	while (step(http) > 0)
	{
		wait_for_network(http);
		CHECK_FOR_INTERRUPTS();
	}
	while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			result = message->data.result;
	http->added = false;
	(void) curl_multi_remove_handle(http->multi, http->easy);
	return result;
}

static MlplatHttpFailure
classify(CURLcode code)
{
	switch (code)
	{
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_USE_SSL_FAILED:
			return HTTP_NOT_TRUSTED;
		case CURLE_UNSUPPORTED_PROTOCOL:
		case CURLE_URL_MALFORMAT:
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_BAD_CONTENT_ENCODING:
		case CURLE_HTTP2:
			return HTTP_UNUSABLE;
		default:
			return HTTP_BROKE;
	}
}

/* Say in the answer how it ended. */
static void
judge(MlplatHttp *http, CURLcode code, int timeout)
{
	const HttpExchange *exchange = &http->exchange;
	MlplatHttpAnswer *answer = exchange->answer;
	curl_off_t micros = 0;
	const char *problem = http->problem[0] ? http->problem : curl_easy_strerror(code);

	answer->failure = code == CURLE_OK ? HTTP_ANSWERED : classify(code);
	(void) curl_easy_getinfo(http->easy, CURLINFO_TOTAL_TIME_T, &micros);
	if (exchange->stop == STOP_EXCERPT)
		answer->failure = HTTP_ANSWERED;
	else if (exchange->stop == STOP_ROOM)
		answer->failure = HTTP_TOO_LARGE;
	else if (exchange->stop == STOP_HEADERS)
	{
		answer->failure = HTTP_UNUSABLE;
		problem = "Its headers are longer than 256 kB";
	}
	else if (code == CURLE_OPERATION_TIMEDOUT && micros / 1000 + WAIT_MS >= timeout)
		answer->failure = HTTP_TOO_LONG;
	else if (exchange->refused[0] && !exchange->connected)
	{
		answer->failure = HTTP_ADDRESS_REFUSED;
		problem = exchange->refused;
	}
	mlplat_printable(answer->problem, sizeof answer->problem, problem, strlen(problem));
	answer->problem[0] = (char) pg_toupper((unsigned char) answer->problem[0]);
}

/* An answer of HTTP/1 without a length ends with the connection; only encryption tells an end from a cut. */
static bool
is_end_unsure(MlplatHttp *http)
{
	curl_off_t length = -1;
	long version = 0;

	(void) curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	(void) curl_easy_getinfo(http->easy, CURLINFO_HTTP_VERSION, &version);
	return length < 0 && !http->exchange.chunked && version <= CURL_HTTP_VERSION_1_1 &&
		   strcmp(http->exchange.url->scheme, "http") == 0;
}

static void
read_info(MlplatHttp *http, MlplatHttpAnswer *answer)
{
	curl_off_t seconds = 0;
	long status = 0;
	char *location = NULL;

	(void) curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	(void) curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &seconds);
	(void) curl_easy_getinfo(http->easy, CURLINFO_REDIRECT_URL, &location);
	answer->status = (int) status;
	answer->retry_after = (int) Max(0, Min(seconds, INT_MAX / 1000));
	if (location)
		strlcpy(answer->location, location, sizeof answer->location);
	answer->end_unsure = is_end_unsure(http);
}

void
mlplat_http_get(MlplatHttp *http, const MlplatUrl *url, MlplatSpool *body, int64 room, int timeout,
				MlplatHttpAnswer *answer)
{
	CURLcode code;

	memset(answer, 0, sizeof *answer);
	http->exchange = (HttpExchange){.url = url, .body = body, .room = room, .answer = answer};
	http->problem[0] = '\0';
	SET(http, CURLOPT_URL, url->text);
	SET(http, CURLOPT_TIMEOUT_MS, (long) timeout);
	code = run(http);
	judge(http, code, timeout);
	read_info(http, answer);
}
