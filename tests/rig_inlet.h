/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_inlet.h - what the tests of mailbox/inlet.h share: a look at its word,
 * and messages to push.
 */
#ifndef TESTS_RIG_INLET_H
#define TESTS_RIG_INLET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailbox/inlet.h"
#include "scale.h"

enum {
	GENERATION = 7,
	TOO_LONG_S = 100,
};

static inline uint64_t
head_of(struct tri_inlet *in)
{
	return atomic_load(&in->head);
}

/* n messages, pushed in the order of their tags. */
static inline struct tr_msg *
messages(uint32_t n)
{
	struct tr_msg *all = aligned_alloc(TRI_LINE,
	    (n * sizeof(*all) + TRI_LINE - 1) / TRI_LINE * TRI_LINE);

	assert_non_null(all);
	memset(all, 0, n * sizeof(*all));
	for (uint32_t i = 0; i < n; i++) {
		all[i].tag = i;
		all[i].generation = GENERATION;
	}
	return all;
}

#endif /* TESTS_RIG_INLET_H */
