/*
 * url.c
 *		Addresses of the web, and the rules about which of them may be asked.
 *
 * libcurl parses a URL here as it does when it connects, so that what is checked
 * is what is asked. Before it sees one, anything but printable ASCII is refused:
 * no blank or line break gets into a request, no two spellings of a host differ.
 *
 * A server may send us on, by a redirect or a link to the next page, within
 * itself: to the same scheme, host and port, or from http to https of the same
 * host (each on its scheme's own port). The request's headers and token go with
 * it, which is why nothing else is allowed.
 *
 * Strings of libcurl are copied into fixed buffers and freed before anything can
 * throw.
 */
#include "postgres.h"

#include <curl/curl.h>

#include "pg/guc.h"
#include "source/web/url.h"

#define HTTP_PORT 80
#define HTTPS_PORT 443

/* ---- parsing; these return what is wrong, or NULL */

static const char *
get_part(CURLU *handle, CURLUPart part, unsigned flags, char *out, size_t size)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(handle, part, &text, flags);
	const char *error = NULL;

	*out = '\0';
	if (code == CURLUE_NO_QUERY)
		return NULL;
	if (code != CURLUE_OK)
		return "it has no host";
	if (strlcpy(out, text, size) >= size)
		error = "it is too long";
	curl_free(text);
	return error;
}

static bool
is_http(const char *scheme)
{
	return strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
}

/* A name of letters, digits, hyphens, underscores and dots, or an IPv6 address without a zone. */
static bool
is_plain_host(const char *host)
{
	MlAddress address;

	if (host[0] == '[')
		return ml_address_parse(host, &address);
	return host[0] != '\0' &&
		   host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
							 "0123456789.-_")] == '\0';
}

/* The query with a * for each value. */
static void
hide_values(const char *query, char *out, size_t size)
{
	size_t n = 0;
	bool hidden = strchr(query, '=') == NULL;

	if (hidden && *query && size > 2)
		out[n++] = '*';
	for (; *query && n + 2 < size; query++)
	{
		if (*query == '&' || *query == ';')
			hidden = false;
		if (hidden)
			continue;
		out[n++] = *query;
		if (*query == '=')
		{
			out[n++] = '*';
			hidden = true;
		}
	}
	out[n] = '\0';
}

static void
make_shown(MlplatUrl *url, const char *query)
{
	const char *mark = strchr(url->text, '?');
	size_t len = mark ? (size_t) (mark - url->text) + 1 : strlen(url->text);

	memcpy(url->shown, url->text, len);
	hide_values(mark ? query : "", url->shown + len, sizeof url->shown - len);
}

static const char *
read_parts(CURLU *handle, MlplatUrl *url)
{
	char port[8], query[MLPLAT_URL_SIZE];
	const char *error;

	(void) curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
	if ((error = get_part(handle, CURLUPART_SCHEME, 0, url->scheme, sizeof url->scheme)) ||
		!is_http(url->scheme))
		return "only http and https are supported";
	if ((error = get_part(handle, CURLUPART_HOST, 0, url->host, sizeof url->host)))
		return error;
	if (!is_plain_host(url->host))
		return "its host is neither a name in ASCII nor an address";
	if ((error = get_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port)) ||
		(error = get_part(handle, CURLUPART_PATH, 0, url->path, sizeof url->path)) ||
		(error = get_part(handle, CURLUPART_QUERY, 0, query, sizeof query)) ||
		(error = get_part(handle, CURLUPART_URL, 0, url->text, sizeof url->text)))
		return error;
	url->port = (int) strtol(port, NULL, 10);
	url->scheme_port = strcmp(url->scheme, "https") == 0 ? HTTPS_PORT : HTTP_PORT;
	make_shown(url, query);
	return NULL;
}

/* Only now may libcurl read it: text is printable ASCII and not too long. */
static const char *
check_text(const char *text)
{
	if (strlen(text) >= MLPLAT_URL_SIZE)
		return "it is too long";
	for (; *text; text++)
		if ((unsigned char) *text <= ' ' || (unsigned char) *text >= 0x7f)
			return "it has a blank or a character beyond ASCII: write it as %XX";
	return NULL;
}

static const char *
set_url(CURLU *handle, const char *text)
{
	const char *error = check_text(text);
	CURLUcode code;

	if (error)
		return error;
	code = curl_url_set(handle, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (code == CURLUE_UNSUPPORTED_SCHEME)
		return "only http and https are supported";
	if (code == CURLUE_USER_NOT_ALLOWED)
		return "a user and password in it would be logged: use a user mapping";
	if (code == CURLUE_BAD_PORT_NUMBER)
		return "its port is no valid number";
	return code == CURLUE_OK ? NULL : "it is not of the form https://host/path";
}

/* The URL text, or that a link means in the context of base; its query with a parameter "name=value" more, or NULL. */
static const char *
build(const char *base, const char *link, const char *parameter, MlplatUrl *url)
{
	CURLU *handle = curl_url();
	const char *error;

	if (!handle)
		return "memory ran out";
	error = set_url(handle, base);
	if (!error && link)
		error = set_url(handle, link);
	if (!error && parameter &&
		curl_url_set(handle, CURLUPART_QUERY, parameter, CURLU_APPENDQUERY | CURLU_URLENCODE) !=
			CURLUE_OK)
		error = "memory ran out";
	if (!error)
		error = read_parts(handle, url);
	curl_url_cleanup(handle);
	return error;
}

MlplatUrl *
mlplat_url_parse(const char *text)
{
	MlplatUrl *url = palloc0(sizeof(MlplatUrl));
	const char *error = build(text, NULL, NULL, url);

	if (error)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the URL cannot be used: %s", error)));
	return url;
}

const char *
mlplat_url_shown(const char *text)
{
	MlplatUrl *url = palloc0(sizeof(MlplatUrl));

	return build(text, NULL, NULL, url) ? "(a URL that cannot be used)" : url->shown;
}

MlplatUrl *
mlplat_url_resolve(const MlplatUrl *base, const char *link)
{
	MlplatUrl *url = palloc0(sizeof(MlplatUrl));
	const char *error = build(base->text, link, NULL, url);

	if (error)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION),
						errmsg("a link from \"%s\" cannot be followed: %s", base->shown, error)));
	return url;
}

MlplatUrl *
mlplat_url_with_parameter(const MlplatUrl *base, const char *name, const char *value)
{
	MlplatUrl *url = palloc0(sizeof(MlplatUrl));
	const char *error = build(base->text, NULL, psprintf("%s=%s", name, value), url);

	if (error)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("parameter \"%s\" cannot be added to the URL: %s", name, error)));
	return url;
}

/* ---- what may be asked */

static MlHostPort
destination(const MlplatUrl *url)
{
	return (MlHostPort){url->host, url->port, url->scheme_port};
}

void
mlplat_url_check_allowed(const MlplatUrl *url)
{
	MlHostPort to = destination(url);

	if (mlplat_allowed_hosts[strspn(mlplat_allowed_hosts, ", \t\r\n")] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("import_url is switched off"),
				 errhint("An administrator lists the hosts that may be asked in the setting "
						 "mlplat.allowed_hosts.")));
	if (!ml_hosts_admit(mlplat_allowed_hosts, &to))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("host \"%s\", port %d, is not in mlplat.allowed_hosts", url->host,
							   url->port),
						errhint("An administrator lists the hosts that may be asked; a port other "
								"than that of the scheme is written as host:port.")));
}

bool
mlplat_url_allows_address(const MlplatUrl *url, const MlAddress *address)
{
	MlHostPort to = destination(url);

	return ml_hosts_admit_address(mlplat_allowed_hosts, &to, address);
}

void
mlplat_url_check_same_server(const MlplatUrl *from, const MlplatUrl *to, const char *what)
{
	bool same_host = pg_strcasecmp(from->host, to->host) == 0;
	bool upgrade = from->port == HTTP_PORT && strcmp(from->scheme, "http") == 0 &&
				   to->port == HTTPS_PORT && strcmp(to->scheme, "https") == 0;
	bool same_place = from->port == to->port && strcmp(from->scheme, to->scheme) == 0;

	if (!same_host || !(same_place || upgrade))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("\"%s\" %s to another server", from->shown, what),
						errdetail("It leads to \"%s\".", to->shown),
						errhint("If that is right and allowed, ask for that URL yourself.")));
}

bool
mlplat_url_is_private(const MlplatUrl *url)
{
	MlAddress address;

	if (strcmp(url->scheme, "https") == 0 || pg_strcasecmp(url->host, "localhost") == 0)
		return true;
	return ml_address_parse(url->host, &address) && ml_address_is_loopback(&address);
}
