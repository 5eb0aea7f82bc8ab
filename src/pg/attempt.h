/*
 * attempt.h
 *		Do something that may fail, and have its error in hand with nothing of it left over.
 */
#ifndef MLPLAT_ATTEMPT_H
#define MLPLAT_ATTEMPT_H

typedef void (*MlplatWorkFn)(void *arg);

/*
 * Do the work in a subtransaction. NULL when it succeeded; else its error, allocated in the current context, after
 * all that it did was rolled back: no lock, open file or buffer of it is left, so that the failure can be logged
 * (apart.h) before ReThrowError sends it on. Memory is the caller's: the work runs in the current context.
 */
extern ErrorData *mlplat_attempt(MlplatWorkFn work, void *arg);

#endif
