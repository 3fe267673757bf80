/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracles' tables: open hash tables with linear probing; a key that is
 * removed is not marked, those behind it move up (Knuth, TAOCP 3, 6.4,
 * algorithm R).  Their memory is the machine's: without it nothing can go on.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

void *
sim_grow(void *p, size_t had, size_t wanted)
{
	char *grown = realloc(p, wanted);

	if (grown == NULL)
		abort();
	memset(grown + had, 0, wanted - had);
	return grown;
}

static size_t
map_at(const struct sim_map *m, uint64_t key)
{
	uint64_t x = key * UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(x >> 32) & (m->size - 1);

	while (m->slot[2 * at] != 0 && m->slot[2 * at] != key)
		at = (at + 1) & (m->size - 1);
	return at;
}

static void
map_grow(struct sim_map *m)
{
	struct sim_map grown = {
		.size = m->size == 0 ? 64 : m->size * 2,
		.used = m->used,
	};
	size_t i;

	grown.slot = sim_grow(NULL, 0, grown.size * 2 * sizeof(*grown.slot));
	for (i = 0; i < m->size; i++)
		if (m->slot[2 * i] != 0) {
			size_t at = map_at(&grown, m->slot[2 * i]);

			grown.slot[2 * at] = m->slot[2 * i];
			grown.slot[2 * at + 1] = m->slot[2 * i + 1];
		}
	free(m->slot);
	*m = grown;
}

uint64_t
sim_map_get(const struct sim_map *m, uint64_t key)
{
	return m->size == 0 ? 0 : m->slot[2 * map_at(m, key) + 1];
}

void
sim_map_set(struct sim_map *m, uint64_t key, uint64_t value)
{
	size_t at;

	if (m->used * 2 >= m->size)
		map_grow(m);
	at = map_at(m, key);
	m->used += m->slot[2 * at] == 0;
	m->slot[2 * at] = key;
	m->slot[2 * at + 1] = value;
}

uint64_t
sim_map_remove(struct sim_map *m, uint64_t key)
{
	uint64_t value;
	size_t at, hole;

	if (m->size == 0)
		return 0;
	at = map_at(m, key);
	if (m->slot[2 * at] == 0)
		return 0;
	value = m->slot[2 * at + 1];
	m->slot[2 * at] = m->slot[2 * at + 1] = 0;
	m->used--;
	for (;;) {
		uint64_t moved, with;

		at = (at + 1) & (m->size - 1);
		moved = m->slot[2 * at];
		with = m->slot[2 * at + 1];
		if (moved == 0)
			return value;
		m->slot[2 * at] = m->slot[2 * at + 1] = 0;
		hole = map_at(m, moved);
		m->slot[2 * hole] = moved;
		m->slot[2 * hole + 1] = with;
	}
}
