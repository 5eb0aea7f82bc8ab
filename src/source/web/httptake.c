/*
 * httptake.c
 *		What comes in an exchange over HTTP: libcurl's callbacks.
 *
 * They are called from inside libcurl, which must not be left by a longjmp: they
 * never throw, say in the exchange why they stop it, and return an error.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "source/web/http_inner.h"

#define MAX_HEADER_BYTES (256 * 1024)

void
mlplat_printable(char *out, size_t size, const char *text, size_t len)
{
	size_t n = Min(len, size - 1);

	for (size_t i = 0; i < n; i++)
		out[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : strchr("\t\n\r", text[i]) ? ' ' : '?';
	out[n] = '\0';
}

/* ---- the connection */

/* An IPv4 or IPv6 address as one of IPv6. */
static bool
read_address(const struct sockaddr *from, MlAddress *out)
{
	if (from->sa_family == AF_INET6)
	{
		memcpy(out->bytes, &((const struct sockaddr_in6 *) from)->sin6_addr, 16);
		return true;
	}
	if (from->sa_family != AF_INET)
		return false;
	memset(out->bytes, 0, 10);
	memset(out->bytes + 10, 0xff, 2);
	memcpy(out->bytes + 12, &((const struct sockaddr_in *) from)->sin_addr, 4);
	return true;
}

static void
note_refused(HttpExchange *exchange, const MlAddress *address)
{
	static const uint8 v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	bool v4 = memcmp(address->bytes, v4_prefix, sizeof v4_prefix) == 0;

	(void) inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), exchange->refused,
					 sizeof exchange->refused);
}

/* Make the socket of a connection, if its address is one that may be connected to. */
curl_socket_t
mlplat_http_open_socket(void *arg, curlsocktype purpose pg_attribute_unused(),
						struct curl_sockaddr *to)
{
	HttpExchange *exchange = arg;
	MlAddress address;
	int fd;

	if (!read_address(&to->addr, &address))
		return CURL_SOCKET_BAD;
	if (!mlplat_url_allows_address(exchange->url, &address))
	{
		note_refused(exchange, &address);
		return CURL_SOCKET_BAD;
	}
	exchange->connected = true;
	fd = socket(to->family, to->socktype, to->protocol);
	if (fd >= 0)
		(void) fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/* ---- the headers */

/* If line is the header of that name, append its value to out, after a comma if there is one already. */
static void
keep_header(const char *line, size_t len, const char *name, char *out, size_t size)
{
	size_t n_name = strlen(name), used = strlen(out);

	if (len <= n_name || line[n_name] != ':' || pg_strncasecmp(line, name, n_name) != 0)
		return;
	line += n_name + 1;
	len -= n_name + 1;
	while (len > 0 && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len > 0 && (unsigned char) line[len - 1] <= ' ')
		len--;
	if (used > 0 && used + 2 < size)
		out[used++] = ',';
	mlplat_printable(out + used, size - used, line, len);
}

/* Each answer has its own headers; there may be provisional ones before the last. */
static void
forget_headers(HttpExchange *exchange)
{
	MlplatHttpAnswer *answer = exchange->answer;

	answer->content_type[0] = answer->content_encoding[0] = answer->link[0] = '\0';
	exchange->chunked = false;
}

size_t
mlplat_http_take_header(char *line, size_t size, size_t n, void *arg)
{
	HttpExchange *exchange = arg;
	MlplatHttpAnswer *answer = exchange->answer;
	char coding[16] = "";

	n *= size;
	exchange->n_header_bytes += n;
	if (exchange->n_header_bytes > MAX_HEADER_BYTES)
	{
		exchange->stop = STOP_HEADERS;
		return 0;
	}
	if (n >= 5 && pg_strncasecmp(line, "HTTP/", 5) == 0)
		forget_headers(exchange);
	keep_header(line, n, "Content-Type", answer->content_type, sizeof answer->content_type);
	keep_header(line, n, "Content-Encoding", answer->content_encoding,
				sizeof answer->content_encoding);
	keep_header(line, n, "Link", answer->link, sizeof answer->link);
	keep_header(line, n, "Transfer-Encoding", coding, sizeof coding);
	exchange->chunked |= coding[0] != '\0';
	return n;
}

/* ---- the body */

/* The body of an answer that is no success: its start, for the error message. */
static size_t
take_excerpt(HttpExchange *exchange, const char *data, size_t n)
{
	char *out = exchange->answer->excerpt;
	size_t size = sizeof exchange->answer->excerpt, used = exchange->n_excerpt;

	mlplat_printable(out + used, size - used, data, n);
	exchange->n_excerpt = Min(used + n, size - 1);
	if (exchange->n_excerpt < size - 1)
		return n;
	exchange->stop = STOP_EXCERPT;
	return 0;
}

/* Is there room for n bytes more, and for all that the answer says will come? */
static bool
has_room(MlplatHttp *http, size_t n)
{
	const HttpExchange *exchange = &http->exchange;
	curl_off_t length = -1;

	if (exchange->answer->n_bytes == 0)
		(void) curl_easy_getinfo(http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return (int64) n <= exchange->room && (int64) length <= exchange->room;
}

/* Append to the body. An error stays on the error stack until rethrow. */
static bool
append_body(HttpExchange *exchange, const char *data, size_t n)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		mlplat_spool_append(exchange->body, data, n);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		exchange->stop = STOP_THROWN;
	}
	PG_END_TRY();
	return exchange->stop == STOP_NONE;
}

size_t
mlplat_http_take_body(char *data, size_t size, size_t n, void *arg)
{
	MlplatHttp *http = arg;
	HttpExchange *exchange = &http->exchange;
	long status = 0;

	n *= size;
	(void) curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 != 2)
		return take_excerpt(exchange, data, n);
	if (!has_room(http, n))
	{
		exchange->stop = STOP_ROOM;
		return 0;
	}
	exchange->room -= (int64) n;
	exchange->answer->n_bytes += (int64) n;
	return append_body(exchange, data, n) ? n : 0;
}
