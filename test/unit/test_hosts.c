/*
 * test_hosts.c
 *		Lists of allowed hosts, and which addresses are public.
 */
#include "unit.h"

#include "core/hosts.h"

/* The first rule of a list as text: its kind, what it names, its port. */
static const char *
first_rule(const char *list)
{
	static char out[400];
	static const char *const kinds[] = {"any", "name", "below", "network"};
	MlHostRule rule;
	const char *error;

	if (ml_hosts_next(&list, &rule, &error))
		snprintf(out, sizeof out, "%s %s/%d:%d", kinds[rule.kind],
				 rule.kind == ML_HOST_NAME || rule.kind == ML_HOST_SUBDOMAINS ? rule.name : "",
				 rule.kind == ML_HOST_NETWORK ? rule.bits : 0, rule.port);
	else
		snprintf(out, sizeof out, "%s %s", error ? rule.name : "", error ? error : "end");
	return out;
}

#define CHECK_RULE(list, want) CHECK(strcmp(first_rule(list), want) == 0)

static void
rules_are_read(void)
{
	CHECK_RULE("", " end");
	CHECK_RULE(" ,\n\t,", " end");
	CHECK_RULE("api.Example.com", "name api.example.com/0:0");
	CHECK_RULE("  localhost:8080, other", "name localhost/0:8080");
	CHECK_RULE("*.example.com:*", "below example.com/0:-1");
	CHECK_RULE("*", "any /0:0");
	CHECK_RULE("*:8443", "any /0:8443");
	CHECK_RULE("10.0.0.5", "network /128:0");
	CHECK_RULE("10.0.0.0/8", "network /104:0");
	CHECK_RULE("10.0.0.0/8:80", "network /104:80");
	CHECK_RULE("0.0.0.0/0", "network /96:0");
	CHECK_RULE("fd00::/8", "network /8:0");
	CHECK_RULE("::1", "network /128:0");
	CHECK_RULE("[::1]:443", "network /128:443");
	CHECK_RULE("[fd00::]/8:443", "network /8:443");
}

static void
wrong_rules_are_named(void)
{
	char long_name[600];

	CHECK_RULE("https://example.com", "https://example.com is a URL, not a host");
	CHECK_RULE("ok.com:0", "ok.com:0 has no valid port");
	CHECK_RULE("ok.com:65536", "ok.com:65536 has no valid port");
	CHECK_RULE("ok.com:99999999999999999999", "ok.com:99999999999999999999 has no valid port");
	CHECK_RULE("ok.com:", "ok.com: has no valid port");
	CHECK_RULE("ok.com:8o", "ok.com:8o has no valid port");
	CHECK_RULE("10.0.0.0/33", "10.0.0.0/33 has no valid number of bits after the slash");
	CHECK_RULE("fd00::/129", "fd00::/129 has no valid number of bits after the slash");
	CHECK_RULE("10.0.0.0/", "10.0.0.0/ has no valid number of bits after the slash");
	CHECK_RULE("example.com/8", "example.com/8 is no network address");
	CHECK_RULE("10.0.0.256", "10.0.0.256 is neither a host name nor an address");
	CHECK_RULE("10.0.0", "10.0.0 is neither a host name nor an address");
	CHECK_RULE("a..b", "a..b is neither a host name nor an address");
	CHECK_RULE(".", ". is neither a host name nor an address");
	CHECK_RULE("a.", "a. is neither a host name nor an address");
	CHECK_RULE("a;b", "a;b is neither a host name nor an address");
	CHECK_RULE("\xc3\xa9.fr", "\xc3\xa9.fr is neither a host name nor an address");
	CHECK_RULE("*.*.com", "*.*.com has a * that is not in place of the first names");
	CHECK_RULE("a*.com", "a*.com has a * that is not in place of the first names");
	CHECK_RULE("*.", "*. is neither a host name nor an address");
	CHECK_RULE("[::1", "[::1 is neither a host name nor an address");
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	CHECK(strstr(first_rule(long_name), "aaa is too long") != NULL);
	long_name[254] = '\0';
	CHECK(strstr(first_rule(long_name), "aaa is neither a host name nor an address") != NULL);
}

static bool
admits(const char *list, const char *host, int port)
{
	return ml_hosts_admit(list, &(MlHostPort){host, port, 443});
}

static void
hosts_are_admitted_by_name_and_port(void)
{
	CHECK(!admits("", "example.com", 443));
	CHECK(admits("a.com, example.com", "EXAMPLE.com", 443));
	CHECK(!admits("example.com", "example.com", 8443));
	CHECK(!admits("example.com", "example.com", 80));
	CHECK(admits("example.com:8443", "example.com", 8443));
	CHECK(!admits("example.com:8443", "example.com", 443));
	CHECK(admits("example.com:*", "example.com", 1));
	CHECK(!admits("example.com", "www.example.com", 443));
	CHECK(!admits("example.com", "example.com.evil.org", 443));
	CHECK(admits("*.example.com", "a.b.example.com", 443));
	CHECK(!admits("*.example.com", "example.com", 443));
	CHECK(!admits("*.example.com", ".example.com", 443));
	CHECK(!admits("*.example.com", "badexample.com", 443));
	CHECK(admits("*", "anything.org", 443));
	CHECK(admits("10.0.0.0/8", "10.1.2.3", 443));
	CHECK(!admits("10.0.0.0/8", "11.1.2.3", 443));
	CHECK(!admits("10.0.0.0/8", "ten.example.com", 443));
	CHECK(admits("::1", "[::1]", 443));
	CHECK(admits("127.0.0.1", "[::ffff:127.0.0.1]", 443));
	/* What follows a rule that is wrong does not count. */
	CHECK(!admits("a..b, example.com", "example.com", 443));
}

static bool
admits_address(const char *list, const char *host, const char *text)
{
	MlAddress address;

	CHECK(ml_address_parse(text, &address));
	return ml_hosts_admit_address(list, &(MlHostPort){host, 443, 443}, &address);
}

static void
addresses_that_are_not_public_need_a_rule(void)
{
	CHECK(admits_address("example.com", "example.com", "93.184.216.34"));
	CHECK(!admits_address("example.com", "example.com", "127.0.0.1"));
	CHECK(!admits_address("*", "example.com", "169.254.169.254"));
	CHECK(admits_address("example.com 10.0.0.0/8", "example.com", "10.9.9.9"));
	CHECK(!admits_address("example.com 10.0.0.0/8:80", "example.com", "10.9.9.9"));
	CHECK(!admits_address("example.com 10.0.0.0/8", "example.com", "127.0.0.1"));
	CHECK(admits_address("localhost", "localhost", "127.0.0.1"));
	CHECK(admits_address("localhost", "LocalHost", "::1"));
	CHECK(!admits_address("localhost", "localhost", "10.0.0.1"));
	CHECK(!admits_address("localhost, evil.org", "evil.org", "127.0.0.1"));
	CHECK(!admits_address("localhost:80", "localhost", "127.0.0.1"));
	CHECK(admits_address("10.0.0.5/9", "x", "10.127.255.255"));
	CHECK(!admits_address("10.0.0.5/9", "x", "10.128.0.0"));
}

static void
public_is_what_the_internet_routes(void)
{
	static const char *const inside[] = {
		"0.0.0.0",
		"10.0.0.1",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.1",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.9",
		"224.0.0.1",
		"239.1.1.1",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"fe80::1",
		"fec0::1",
		"fc00::1",
		"fdff::1",
		"ff02::1",
		"::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"::127.0.0.1",
		"64:ff9b::7f00:1",
		"64:ff9b::a9fe:a9fe",
		"64:ff9b:1::808:808",
		"64:ff9b:0:0:1::808:808",
		"2001::1",
		"2001:db8::1",
		"2002:7f00:1::",
		"2002:a00:1::1",
		"3fff::1",
		"100::1",
		"4000::1",
		"5f00::1",
	};
	static const char *const outside[] = {
		"1.1.1.1",     "9.255.255.255",   "11.0.0.0",     "100.63.255.255", "100.128.0.0",
		"126.0.0.1",   "128.0.0.1",       "172.15.0.1",   "172.32.0.1",     "192.0.1.1",
		"223.255.0.1", "2606:4700::1",    "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808",
		"2001:200::1", "2002:808:808::1",
	};
	MlAddress address;

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
	{
		CHECK(ml_address_parse(inside[i], &address));
		CHECK(!ml_address_is_public(&address) || printf("# %s\n", inside[i]) == 0);
	}
	for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
	{
		CHECK(ml_address_parse(outside[i], &address));
		CHECK(ml_address_is_public(&address) || printf("# %s\n", outside[i]) == 0);
	}
}

static void
addresses_are_parsed_strictly(void)
{
	MlAddress address;

	CHECK(ml_address_parse("[fe80::1]", &address));
	CHECK(!ml_address_parse("", &address));
	CHECK(!ml_address_parse("[]", &address));
	CHECK(!ml_address_parse("0x7f.1", &address));
	CHECK(!ml_address_parse("2130706433", &address));
	CHECK(!ml_address_parse("127.1", &address));
	CHECK(!ml_address_parse("fe80::1%eth0", &address));
	CHECK(!ml_address_parse("example.com", &address));
}

static void
loopback_is_known(void)
{
	MlAddress address;

	CHECK(ml_address_parse("127.3.2.1", &address) && ml_address_is_loopback(&address));
	CHECK(ml_address_parse("::1", &address) && ml_address_is_loopback(&address));
	CHECK(ml_address_parse("::ffff:127.0.0.1", &address) && ml_address_is_loopback(&address));
	CHECK(ml_address_parse("::2", &address) && !ml_address_is_loopback(&address));
	CHECK(ml_address_parse("128.0.0.1", &address) && !ml_address_is_loopback(&address));
}

int
main(void)
{
	RUN(rules_are_read);
	RUN(wrong_rules_are_named);
	RUN(hosts_are_admitted_by_name_and_port);
	RUN(addresses_that_are_not_public_need_a_rule);
	RUN(public_is_what_the_internet_routes);
	RUN(addresses_are_parsed_strictly);
	RUN(loopback_is_known);
	return unit_end();
}
