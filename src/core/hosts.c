/*
 * hosts.c
 *		Which hosts may be contacted: a list of rules, and what kind of address one is.
 *
 * Both questions are asked of each request: the list must admit the host as it
 * is written, and then the address that is really connected to must be public
 * or named by an address or a network of the list. The second is what stops a
 * name whose owner points it at 127.0.0.1 or at a metadata service.
 *
 * Nothing is allocated: the list is read anew each time, which costs nothing
 * beside a connection.
 */
#include <arpa/inet.h>
#include <string.h>

#include "core/env.h"
#include "core/hosts.h"

#define V4_BITS 96 /* before an IPv4 address in one of IPv6 */

/* ---- addresses */

typedef struct Network
{
	uint8_t bytes[8];
	int bits;
} Network;

#define N_NETWORKS(table) (sizeof(table) / sizeof(Network))

/* What the registries of IANA call not globally reachable. */
static const Network v4_not_public[] = {
	{{0}, 8},             /* this network */
	{{10}, 8},            /* private */
	{{100, 64}, 10},      /* behind a provider's address translation */
	{{127}, 8},           /* loopback */
	{{169, 254}, 16},     /* link-local, metadata services */
	{{172, 16}, 12},      /* private */
	{{192, 0, 0}, 24},    /* protocol assignments */
	{{192, 0, 2}, 24},    /* documentation */
	{{192, 88, 99}, 24},  /* relays of 6to4 */
	{{192, 168}, 16},     /* private */
	{{198, 18}, 15},      /* benchmarks */
	{{198, 51, 100}, 24}, /* documentation */
	{{203, 0, 113}, 24},  /* documentation */
	{{224}, 3},           /* multicast, reserved, broadcast */
};

/* Of 2000::/3; outside it nothing is public but translated IPv4. */
static const Network v6_not_public[] = {
	{{0x20, 0x01}, 23},             /* protocol assignments, Teredo */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x3f, 0xff}, 20},             /* documentation */
};

static const Network v6_global = {{0x20}, 3};
static const Network v6_nat64 = {{0x00, 0x64, 0xff, 0x9b}, 64}; /* and 32 zero bits more */
static const Network v6_6to4 = {{0x20, 0x02}, 16};
static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool
same_bits(const uint8_t *a, const uint8_t *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, (size_t) whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool
in_any(const uint8_t *address, const Network *networks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (same_bits(address, networks[i].bytes, networks[i].bits))
			return true;
	return false;
}

static bool
is_public_v4(const uint8_t *address)
{
	return !in_any(address, v4_not_public, N_NETWORKS(v4_not_public));
}

bool
ml_address_is_public(const MlAddress *address)
{
	static const uint8_t zeros[4];
	const uint8_t *bytes = address->bytes;

	if (memcmp(bytes, v4_prefix, sizeof v4_prefix) == 0)
		return is_public_v4(bytes + 12);
	/* An address that only wraps one of IPv4 leads to that. */
	if (same_bits(bytes, v6_nat64.bytes, v6_nat64.bits) && memcmp(bytes + 8, zeros, 4) == 0)
		return is_public_v4(bytes + 12);
	if (same_bits(bytes, v6_6to4.bytes, v6_6to4.bits))
		return is_public_v4(bytes + 2);
	return same_bits(bytes, v6_global.bytes, v6_global.bits) &&
		   !in_any(bytes, v6_not_public, N_NETWORKS(v6_not_public));
}

bool
ml_address_is_loopback(const MlAddress *address)
{
	static const uint8_t one[16] = {[15] = 1};

	return memcmp(address->bytes, one, sizeof one) == 0 ||
		   (memcmp(address->bytes, v4_prefix, sizeof v4_prefix) == 0 && address->bytes[12] == 127);
}

bool
ml_address_parse(const char *text, MlAddress *out)
{
	size_t len = strlen(text);
	char bare[ML_HOST_SIZE];

	if (inet_pton(AF_INET, text, out->bytes + 12) == 1)
	{
		memcpy(out->bytes, v4_prefix, sizeof v4_prefix);
		return true;
	}
	if (len > 2 && len < sizeof bare && text[0] == '[' && text[len - 1] == ']')
	{
		memcpy(bare, text + 1, len - 2);
		bare[len - 2] = '\0';
		text = bare;
	}
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

/* ---- reading a list */

static bool
is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* A decimal number up to max that is the whole text; -1: it is none. */
static int
read_number(const char *text, int max)
{
	int value = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++)
	{
		if (*text < '0' || *text > '9' || value > max)
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value <= max ? value : -1;
}

/* Cut the port off the end of a rule. A lone colon starts one; several are an IPv6 address. */
static const char *
read_port(char *text, MlHostRule *rule)
{
	char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

	rule->port = ML_PORT_OF_SCHEME;
	if (!colon || (bracket ? colon < bracket : strchr(text, ':') != colon))
		return NULL;
	rule->port = strcmp(colon + 1, "*") == 0 ? ML_PORT_ANY : read_number(colon + 1, 65535);
	if (rule->port == 0 || (rule->port < 0 && strcmp(colon + 1, "*") != 0))
		return "has no valid port";
	*colon = '\0';
	return NULL;
}

/* An address, or a network if a slash follows. *is_name: it is neither, so it may be a name. */
static const char *
read_network(char *text, MlHostRule *rule, bool *is_name)
{
	char *slash = strchr(text, '/');
	bool v4 = !strchr(text, ':');
	int bits;

	*is_name = false;
	if (slash)
		*slash = '\0';
	if (!ml_address_parse(text, &rule->network))
	{
		*is_name = !slash;
		return slash ? "is no network address" : NULL;
	}
	rule->kind = ML_HOST_NETWORK;
	rule->bits = 128;
	if (!slash)
		return NULL;
	bits = read_number(slash + 1, v4 ? 32 : 128);
	if (bits < 0)
		return "has no valid number of bits after the slash";
	rule->bits = bits + (v4 ? V4_BITS : 0);
	return NULL;
}

/* Labels of letters, digits, hyphens and underscores, apart by dots. A last one of digits would be an address. */
static bool
is_host_name(const char *text)
{
	const char *dot = strrchr(text, '.');
	char before = '.';

	if (strlen(text) > 253 || read_number(dot ? dot + 1 : text, 65535) >= 0)
		return false;
	for (; *text; before = *text++)
	{
		bool word = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') ||
					*text == '-' || *text == '_';

		if (!word && (*text != '.' || before == '.'))
			return false;
	}
	return before != '.';
}

static const char *
read_name(const char *text, MlHostRule *rule)
{
	if (strcmp(text, "*") == 0)
	{
		rule->kind = ML_HOST_ANY;
		return NULL;
	}
	rule->kind = strncmp(text, "*.", 2) == 0 ? ML_HOST_SUBDOMAINS : ML_HOST_NAME;
	text += rule->kind == ML_HOST_SUBDOMAINS ? 2 : 0;
	if (!is_host_name(text))
		return strchr(text, '*') ? "has a * that is not in place of the first names"
								 : "is neither a host name nor an address";
	memmove(rule->name, text, strlen(text) + 1);
	return NULL;
}

static const char *
read_rule(char *text, MlHostRule *rule)
{
	const char *error;
	bool is_name;

	if (strstr(text, "://"))
		return "is a URL, not a host";
	error = read_port(text, rule);
	if (error)
		return error;
	error = read_network(text, rule, &is_name);
	return is_name ? read_name(text, rule) : error;
}

bool
ml_hosts_next(const char **list, MlHostRule *rule, const char **error)
{
	const char *start = *list;
	char text[ML_HOST_SIZE];
	size_t len = 0;

	*error = NULL;
	while (is_separator(*start))
		start++;
	while (start[len] && !is_separator(start[len]))
		len++;
	*list = start + len;
	if (len == 0)
		return false;
	if (len >= sizeof text)
		*error = "is too long";
	len = ML_MIN(len, sizeof text - 1);
	for (size_t i = 0; i < len; i++)
		text[i] = lower(start[i]);
	text[len] = '\0';
	if (!*error)
		*error = read_rule(text, rule);
	if (*error)
	{
		memcpy(rule->name, start, len);
		rule->name[len] = '\0';
	}
	return !*error;
}

/* ---- asking it */

static bool
admits_port(const MlHostRule *rule, const MlHostPort *to)
{
	return rule->port == ML_PORT_ANY ||
		   to->port == (rule->port == ML_PORT_OF_SCHEME ? to->scheme_port : rule->port);
}

static bool
same_name(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return *a == '\0' && *b == '\0';
}

static bool
admits_host(const MlHostRule *rule, const char *host)
{
	size_t len = strlen(host), suffix = strlen(rule->name);
	MlAddress address;

	switch (rule->kind)
	{
		case ML_HOST_ANY:
			return true;
		case ML_HOST_NAME:
			return same_name(host, rule->name);
		case ML_HOST_SUBDOMAINS:
			return len > suffix + 1 && host[len - suffix - 1] == '.' &&
				   same_name(host + len - suffix, rule->name);
		case ML_HOST_NETWORK:
			return ml_address_parse(host, &address) &&
				   same_bits(address.bytes, rule->network.bytes, rule->bits);
	}
	return false;
}

bool
ml_hosts_admit(const char *list, const MlHostPort *to)
{
	MlHostRule rule = {0};
	const char *error;

	while (ml_hosts_next(&list, &rule, &error))
		if (admits_port(&rule, to) && admits_host(&rule, to->host))
			return true;
	return false;
}

bool
ml_hosts_admit_address(const char *list, const MlHostPort *to, const MlAddress *address)
{
	bool to_localhost = same_name(to->host, "localhost") && ml_address_is_loopback(address);
	MlHostRule rule = {0};
	const char *error;

	if (ml_address_is_public(address))
		return true;
	while (ml_hosts_next(&list, &rule, &error))
	{
		if (!admits_port(&rule, to))
			continue;
		if (rule.kind == ML_HOST_NETWORK &&
			same_bits(address->bytes, rule.network.bytes, rule.bits))
			return true;
		if (to_localhost && rule.kind == ML_HOST_NAME && strcmp(rule.name, "localhost") == 0)
			return true;
	}
	return false;
}
