/* Sizes of the core, fixed when it is compiled; each can be given with -D. */
#ifndef PNC_CONFIG_H
#define PNC_CONFIG_H

#ifndef PNC_QUEUE_SLOTS
#define PNC_QUEUE_SLOTS 64u /* picture packets a board holds; 1 to 254 */
#endif

#ifndef PNC_CONTROL_SLOTS
#define PNC_CONTROL_SLOTS 12u /* control packets on their way through a board, both directions; 2 to 254 */
#endif

#ifndef PNC_PEERS
#define PNC_PEERS 8u /* radio connections of an edge board; 1 to 16 (the source field) */
#endif

#ifndef PNC_IN_FLIGHT_MAX
#define PNC_IN_FLIGHT_MAX 8u /* the most packets of one connection inside the radio; 1 to 16 */
#endif

#endif
