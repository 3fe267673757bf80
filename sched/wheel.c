/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timing wheel: see wheel.h.
 *
 * Level and slot follow from the deadline's tick t and the present tick n
 * alone: the level is that of the highest bit in which t and n differ (six
 * bits a level), the slot is those six bits of t.  So within a level slots in
 * use are ahead of the present one, and the lowest level in use holds the
 * earliest timer.
 */
#include "sched/wheel.h"

#include <string.h>

#define TICK_MAX (((uint64_t)1 << (6 * TRI_WHEEL_LEVELS)) - 1)

static uint64_t
tick_up(int64_t ns)
{
	uint64_t t;

	if (ns <= 0)
		return 0;
	t = ((uint64_t)ns + ((1u << TRI_WHEEL_SHIFT) - 1)) >> TRI_WHEEL_SHIFT;
	return t > TICK_MAX ? TICK_MAX : t;
}

static void
wheel_place(const struct tri_wheel *wheel, uint64_t tick, unsigned *level,
    unsigned *slot)
{
	uint64_t differs = tick ^ wheel->tick;

	*level =
	    differs == 0 ? 0 : (63u - (unsigned)__builtin_clzll(differs)) / 6;
	*slot = (unsigned)(tick >> (6 * *level)) & (TRI_WHEEL_SLOTS - 1);
}

void
tri_wheel_init(struct tri_wheel *wheel, int64_t now)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->tick = (uint64_t)now >> TRI_WHEEL_SHIFT;
}

void
tri_wheel_add(struct tri_wheel *wheel, struct tri_timer_node *node)
{
	uint64_t tick = tick_up(node->deadline);
	struct tri_timer_node **head;
	unsigned level, slot;

	TR_DASSERT(node->prev == NULL);
	if (tick <= wheel->tick)
		tick = wheel->tick + 1; /* due at the next tick */
	wheel_place(wheel, tick, &level, &slot);
	head = &wheel->slot[level][slot];
	node->next = *head;
	if (node->next != NULL)
		node->next->prev = &node->next;
	node->prev = head;
	*head = node;
	wheel->used[level] |= (uint64_t)1 << slot;
}

void
tri_wheel_remove(struct tri_wheel *wheel, struct tri_timer_node *node)
{
	size_t at;

	if (node->prev == NULL)
		return;
	*node->prev = node->next;
	if (node->next != NULL) {
		node->next->prev = node->prev;
	} else if (node->prev >= &wheel->slot[0][0] &&
	    node->prev < &wheel->slot[0][0] +
		    (size_t)TRI_WHEEL_LEVELS * TRI_WHEEL_SLOTS &&
	    *node->prev == NULL) {
		at = (size_t)(node->prev - &wheel->slot[0][0]);
		wheel->used[at / TRI_WHEEL_SLOTS] &=
		    ~((uint64_t)1 << at % TRI_WHEEL_SLOTS);
	}
	node->prev = NULL;
	node->next = NULL;
}

/* The first tick of the earliest slot in use; its level; or UINT64_MAX. */
static uint64_t
wheel_earliest(const struct tri_wheel *wheel, unsigned *level)
{
	unsigned l;

	for (l = 0; l < TRI_WHEEL_LEVELS; l++) {
		unsigned shift = 6 * l;
		uint64_t base;

		if (wheel->used[l] == 0)
			continue;
		*level = l;
		base = wheel->tick >> (shift + 6) << (shift + 6);
		return base |
		    (uint64_t)__builtin_ctzll(wheel->used[l]) << shift;
	}
	return UINT64_MAX;
}

int64_t
tri_wheel_next(const struct tri_wheel *wheel)
{
	unsigned level;
	uint64_t tick = wheel_earliest(wheel, &level);

	if (tick > (uint64_t)INT64_MAX >> TRI_WHEEL_SHIFT)
		return INT64_MAX;
	return (int64_t)(tick << TRI_WHEEL_SHIFT);
}

/* Put the timers of a slot whose time has come one or more levels lower. */
static void
wheel_cascade(struct tri_wheel *wheel, unsigned level, uint64_t tick)
{
	unsigned slot = (unsigned)(tick >> (6 * level)) & (TRI_WHEEL_SLOTS - 1);
	struct tri_timer_node *n = wheel->slot[level][slot];

	wheel->slot[level][slot] = NULL;
	wheel->used[level] &= ~((uint64_t)1 << slot);
	/* As seen from the slot's first tick they land below this level. */
	wheel->tick = tick;
	while (n != NULL) {
		struct tri_timer_node *next = n->next;
		unsigned l, s;
		uint64_t t = tick_up(n->deadline);

		wheel_place(wheel, t < tick ? tick : t, &l, &s);
		n->next = wheel->slot[l][s];
		if (n->next != NULL)
			n->next->prev = &n->next;
		n->prev = &wheel->slot[l][s];
		wheel->slot[l][s] = n;
		wheel->used[l] |= (uint64_t)1 << s;
		n = next;
	}
}

struct tri_timer_node *
tri_wheel_expire(struct tri_wheel *wheel, int64_t now)
{
	uint64_t present = (uint64_t)now >> TRI_WHEEL_SHIFT;
	struct tri_timer_node *n;
	unsigned level = 0;
	uint64_t tick;

	for (;;) {
		tick = wheel_earliest(wheel, &level);
		if (tick > present) {
			/* Nothing is due up to now. */
			if (present > wheel->tick)
				wheel->tick = present;
			return NULL;
		}
		if (level == 0)
			break;
		wheel_cascade(wheel, level, tick);
	}
	n = wheel->slot[0][tick & (TRI_WHEEL_SLOTS - 1)];
	wheel->tick = tick;
	tri_wheel_remove(wheel, n);
	return n;
}
