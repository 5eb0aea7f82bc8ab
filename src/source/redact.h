/*
 * redact.h
 *		Texts that people write passwords into, fit to be kept and shown.
 */
#ifndef MLPLAT_REDACT_H
#define MLPLAT_REDACT_H

/*
 * A copy in which the values of password=... and the passwords of addresses (scheme://user:password@host) are ***.
 * *found, if not NULL: there was one.
 */
extern char *mlplat_redact(const char *text, bool *found);

#endif
