/* One number that outlives a reset, for who comes after it. */
#ifndef PNC_RETAIN_H
#define PNC_RETAIN_H

#include <stdint.h>

/* Keeps it; also from a fatal error's handler, where RAM outlives a reset. */
void retain_set(uint32_t number);

/* What was kept, once: then, and after power on, any number may be there. From the main thread. */
uint32_t retain_take(void);

#endif
