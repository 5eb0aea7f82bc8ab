/*
 * hosts.h
 *		Which hosts may be contacted: a list of rules, and what kind of address one is.
 *
 * A list is text, rules apart by commas or blanks:
 *
 *	api.example.com		that host; also localhost, which stands for its addresses as well
 *	*.example.com		every host below that domain
 *	*					every host
 *	192.0.2.7, fd00::1	that address
 *	10.0.0.0/8			every address of that network
 *
 * and after each may come a port, ":8080", or ":*" for all ports (an IPv6 address then stands in
 * brackets); without one a rule is about the scheme's own port.
 *
 * An address is *public* when the internet routes it to one machine. Others lead
 * into the server's own surroundings and have to be named by an address or a network.
 */
#ifndef ML_HOSTS_H
#define ML_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#define ML_HOST_SIZE 256 /* a name of DNS has up to 253 characters */

/* An IPv6 address; one of IPv4 as ::ffff:a.b.c.d. */
typedef struct MlAddress
{
	uint8_t bytes[16];
} MlAddress;

typedef enum MlHostKind
{
	ML_HOST_ANY,
	ML_HOST_NAME,
	ML_HOST_SUBDOMAINS, /* of name */
	ML_HOST_NETWORK
} MlHostKind;

#define ML_PORT_OF_SCHEME 0
#define ML_PORT_ANY (-1)

typedef struct MlHostRule
{
	MlHostKind kind;
	char name[ML_HOST_SIZE]; /* in lower case */
	MlAddress network;
	int bits; /* of network that count */
	int port; /* or one of the constants above */
} MlHostRule;

/* Where a request wants to go. */
typedef struct MlHostPort
{
	const char *host; /* as in a URL; an IPv6 address with or without brackets */
	int port, scheme_port;
} MlHostPort;

/*
 * Take the next rule off *list. False at the end, and at a rule that is wrong: then *error is a word group that goes on
 * from the rule's text, which is in rule->name ("has no valid port").
 */
extern bool ml_hosts_next(const char **list, MlHostRule *rule, const char **error);

/* May a request go to that host by name, or by an address written in place of a name? */
extern bool ml_hosts_admit(const char *list, const MlHostPort *to);

/* May it, after the name was looked up, connect to this address? Public ones, and those that a rule names. */
extern bool ml_hosts_admit_address(const char *list, const MlHostPort *to,
								   const MlAddress *address);

extern bool ml_address_parse(const char *text, MlAddress *out);
extern bool ml_address_is_public(const MlAddress *address);
extern bool ml_address_is_loopback(const MlAddress *address);

#endif /* ML_HOSTS_H */
