/**
 * @file
 * @brief Sizes of the core, fixed at compile time. Each can be set with -D.
 */
#ifndef PNC_CONFIG_H
#define PNC_CONFIG_H

#ifndef PNC_QUEUE_SLOTS
#define PNC_QUEUE_SLOTS 64u /* picture packets that the queue holds; 1 to 254 */
#endif

#ifndef PNC_CONTROL_SLOTS
#define PNC_CONTROL_SLOTS 12u /* control packets that pass through a board at a time, both directions; 2 to 254 */
#endif

#ifndef PNC_SENT_FRAMES
#define PNC_SENT_FRAMES 11u /* frames to the host kept to be sent again; 1 to 32, which one repeat can name */
#endif

#ifndef PNC_PEERS
#define PNC_PEERS 8u /* radio connections of an edge board; 1 to 16, the range of a picture's source field */
#endif

#ifndef PNC_IN_FLIGHT_MAX
#define PNC_IN_FLIGHT_MAX 8u /* upper bound of the packets in flight of one connection; 1 to 16 */
#endif

/** Before an array of bytes that are copied: it begins at a word, so that whole words can be copied. */
#if defined(__FRAMAC__) /* does not know it */
#define PNC_WORDWISE
#else
#define PNC_WORDWISE _Alignas(uint32_t)
#endif

#endif
