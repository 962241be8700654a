/* One number that is retained across a reset. */
#ifndef PNC_RETAIN_H
#define PNC_RETAIN_H

#include <stdint.h>

/* Retain a number. May be called from the handler of a fatal error. */
void retain_set(uint32_t number);

/* Return the retained number and clear it. After power-on it may be any number. From the main thread. */
uint32_t retain_take(void);

#endif
