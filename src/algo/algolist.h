/*
 * algolist.h
 *		All algorithms, one line each; included with ML_ALGORITHM defined.
 */
