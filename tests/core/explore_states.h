/* The states that an exploration has found, in the order in which it found them, each once. */
#ifndef PNC_EXPLORE_STATES_H
#define PNC_EXPLORE_STATES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
	uint64_t key;
	uint32_t parent;
	uint16_t call;
	uint16_t depth;
};

static struct state *states;
static size_t states_count, states_room;
static uint32_t *table; /* number of a state + 1, 0: free */
static size_t table_size;

static inline uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 31) * 0x9E3779B97F4A7C15u;
	return v ^ v >> 29;
}

static inline void *resized(void *memory, size_t bytes)
{
	void *more = realloc(memory, bytes);
	if (more == NULL) {
		printf("no memory for more states\n");
		exit(2);
	}
	return more;
}

/* Note a state, unless it is known. */
static inline void visit(uint64_t key, uint32_t parent, uint16_t call)
{
	if (states_count * 2u >= table_size) {
		table_size = table_size == 0 ? 1024u : table_size * 2u;
		table = resized(table, table_size * sizeof(*table));
		memset(table, 0, table_size * sizeof(*table));
		for (size_t i = 0; i < states_count; i++) {
			size_t at = mix(states[i].key) & (table_size - 1u);
			while (table[at] != 0) {
				at = (at + 1u) & (table_size - 1u);
			}
			table[at] = (uint32_t)i + 1u;
		}
	}
	size_t at = mix(key) & (table_size - 1u);
	while (table[at] != 0) {
		if (states[table[at] - 1u].key == key) {
			return;
		}
		at = (at + 1u) & (table_size - 1u);
	}
	if (states_count == states_room) {
		states_room = states_room == 0 ? 1024u : states_room * 2u;
		states = resized(states, states_room * sizeof(*states));
	}
	uint16_t depth = states_count == 0 ? 0 : (uint16_t)(states[parent].depth + 1u);
	states[states_count++] = (struct state){.key = key, .parent = parent, .call = call, .depth = depth};
	table[at] = (uint32_t)states_count;
}

#endif
