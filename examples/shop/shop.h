/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shop that stays open: what its files share.
 *
 * town.c has the tree, shop.c the actors in it, street.c the customers, tree.c
 * a printer of trees, main.c the program and simulate.c its test.
 */
#ifndef SHOP_SHOP_H
#define SHOP_SHOP_H

#include <troupe.h>

enum { SALES_MAX = 100000 };

/* Asks: SELL and BOOK carry a struct sale, TOTAL is answered with a struct
 * total.  Then what actors tell themselves. */
enum { SELL, SOLD, BOOK, BOOKED, TOTAL, REPORT, AGAIN, ALL_SOLD, PRINTED };

struct sale {
	uint32_t number; /* one for one purchase, however often it is tried */
	uint32_t attempt;
	int64_t cents;
};

struct total {
	uint32_t sales;
	int64_t cents;
};

/*
 * What is on paper: it is still there when whoever wrote it has died.  Here
 * that is memory which belongs to main(); in a real shop it would be a file or
 * a table.  Each part has one writer.
 */
struct paper {
	/* Nobody, once the shop is open. */
	unsigned sales; /* to make; at most SALES_MAX */
	unsigned crash_percent;
	uint64_t seed;
	bool quiet; /* nothing is printed */

	/* The ledger's. */
	struct sale journal[SALES_MAX];
	uint32_t booked; /* lines of the journal */

	/* The customers'. */
	int64_t receipt[SALES_MAX]; /* cents, by number; 0: none yet */
	uint64_t restarts; /* counted when the last one left */
};

extern struct paper paper;

/* The price of a sale: 0.01 to 100.00. */
int64_t price(uint32_t number);

/* Where something breaks. */
enum weak_spot { BEFORE_BOOKING, AFTER_BOOKING, IN_LEDGER, IN_REPORT };

/* Whether it breaks this time.  It is a matter of the seed, the sale and the
 * attempt; an actor that drew lots in its state would draw the same ones in
 * each of its lives. */
bool breaks(enum weak_spot spot, uint32_t number, uint32_t attempt);

extern const struct tr_behavior ledger, till, report; /* shop.c */
extern const struct tr_behavior customers; /* street.c */
extern const struct tr_supervisor town; /* town.c */

/* tree.c: prints the children of a supervisor, those of its children, and so
 * on, and ends.  Its argument is a tr_ref. */
extern const struct tr_behavior tree_printer;

#endif
