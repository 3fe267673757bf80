/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree, and what chance there is that something in it breaks.
 *
 *     town                    ends when the customers have gone home
 *       shop                  rest_for_one
 *         ledger              whoever comes behind it depends on it
 *         tills               a supervisor of its own: one till's crash is
 *           till 1 .. 3       nobody else's business
 *         report              transient: once it has said all, it is done
 *       customers
 */
#include "shop.h"

/* How long a till waits to be mended. */
#define REPAIR                                                                \
	{                                                                     \
		.min_ns = TR_MS(1), .max_ns = TR_MS(50), .jitter_percent = 20 \
	}

static const struct tr_child till_list[] = {
	{ .id = "till 1",
	    .name = "till 1",
	    .behavior = &till,
	    .backoff = REPAIR },
	{ .id = "till 2",
	    .name = "till 2",
	    .behavior = &till,
	    .backoff = REPAIR },
	{ .id = "till 3",
	    .name = "till 3",
	    .behavior = &till,
	    .backoff = REPAIR },
};

static const struct tr_supervisor tills = {
	.name = "tills",
	.intensity = 100,
	.period_ns = TR_SECONDS(1),
	TR_CHILDREN(till_list),
};

static const struct tr_child shop_list[] = {
	{ .id = "ledger", .name = "ledger", .behavior = &ledger },
	{ .id = "tills", .supervisor = &tills },
	{ .id = "report",
	    .behavior = &report,
	    .restart = TR_TRANSIENT,
	    .backoff = { .min_ns = TR_MS(10), .max_ns = TR_SECONDS(1) } },
};

static const struct tr_supervisor shop = {
	.name = "shop",
	.strategy = TR_REST_FOR_ONE,
	.intensity = 50,
	.period_ns = TR_SECONDS(10),
	TR_CHILDREN(shop_list),
};

static const struct tr_child town_list[] = {
	{ .id = "shop", .name = "shop", .supervisor = &shop },
	{ .id = "customers",
	    .behavior = &customers,
	    .restart = TR_TRANSIENT,
	    .significant = true },
};

const struct tr_supervisor town = {
	.name = "town",
	.intensity = 3,
	.period_ns = TR_SECONDS(60),
	.auto_shutdown = TR_AUTO_SHUTDOWN_ANY,
	TR_CHILDREN(town_list),
};

/* -------------------------------------------------------------- chance -- */

struct paper paper;

/* splitmix64: a number that looks random, of the seed and two others. */
static uint64_t
draw(uint64_t a, uint64_t b)
{
	uint64_t z = paper.seed + (a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t
price(uint32_t number)
{
	return 1 + (int64_t)(draw(number, 0) % 10000);
}

bool
breaks(enum weak_spot spot, uint32_t number, uint32_t attempt)
{
	static const unsigned per_percent[] = { 100, 100, 10, 500 };
	uint64_t lot = draw(number, 1 + 4 * (uint64_t)attempt + spot) % 10000;

	return lot < (uint64_t)paper.crash_percent * per_percent[spot];
}
