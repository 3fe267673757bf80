/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bank's test: whatever the schedule, and however slow things are, not a
 * cent is made or lost.
 *
 *     bank_sim [--seeds N] [--seed S --trace] [--help]
 */
#include <troupe/sim.h>

#include "bank.h"

enum { ACCOUNTS = 4, TELLERS = 3, TRANSFERS = 6, OPENING = 1000 /* cents */ };

/* ------------------------------------------------------------ tellers --- */

struct plan {
	bank_ref account[ACCOUNTS];
	uint32_t seed, first; /* number of its first transfer */
};

struct teller {
	struct plan plan;
	uint32_t made;
};

static uint32_t
teller_random(struct teller *t, uint32_t below)
{
	t->plan.seed = t->plan.seed * 1664525u + 1013904223u;
	return (t->plan.seed >> 8) % below;
}

/* The next transfer, between two different accounts; `fn` hears of it. */
static int
teller_next(struct tr_self *self, struct teller *t, tr_answer_fn *fn)
{
	uint32_t from = teller_random(t, ACCOUNTS);
	uint32_t to = (from + 1 + teller_random(t, ACCOUNTS - 1)) % ACCOUNTS;
	struct bank_transfer transfer = {
		.to = t->plan.account[to],
		.number = t->plan.first + t->made,
		.cents = 1 + teller_random(t, OPENING),
	};

	if (t->made++ == TRANSFERS)
		return tr_exit(self, TR_NORMAL);
	return bank_ask_transfer(self, t->plan.account[from], transfer,
		   tr_in(self, TR_SECONDS(1)), fn, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static int
on_transferred(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)outcome; /* refused, or done: what counts is the sum */
	(void)answer;
	(void)cookie;
	return teller_next(self, state, on_transferred);
}

static int
teller_start(struct tr_self *self, void *state, const void *arg)
{
	struct teller *t = state;

	t->plan = *(const struct plan *)arg;
	return teller_next(self, t, on_transferred);
}

static int
teller_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior teller_behavior = {
	.name = "teller",
	.state_size = sizeof(struct teller),
	.arg_size = sizeof(struct plan),
	.start = teller_start,
	.receive = teller_receive,
};

/* ----------------------------------------------------------- scenario --- */

/* Ask every account what it has. */
static int64_t
total_cents(struct tr_sim *sim, const struct plan *plan)
{
	struct tr_probe *auditor = tr_probe_new(sim, "auditor");
	const struct tr_msg *answer;
	int64_t total = 0;
	int i;

	for (i = 0; i < ACCOUNTS; i++) {
		int rc = tr_probe_ask(auditor, plan->account[i].ref,
		    bank_tag_show, NULL, 0, TR_SECONDS(1), &answer);

		tr_sim_check(sim, rc == TR_OK, "account %d: %s", i,
		    tr_strerror(rc));
		total += bank_get_balance(answer)->cents;
	}
	return total;
}

static void
money_is_conserved(struct tr_sim *sim, void *arg)
{
	int64_t opening = OPENING, total;
	struct plan plan;
	uint32_t i;

	(void)arg;
	for (i = 0; i < ACCOUNTS; i++)
		plan.account[i] =
		    bank_of(tr_sim_spawn(sim, &account_behavior, &opening));
	for (i = 0; i < TELLERS; i++) {
		plan.seed = (uint32_t)tr_sim_random(sim, UINT32_MAX);
		plan.first = 1 + i * TRANSFERS;
		(void)tr_sim_spawn(sim, &teller_behavior, &plan);
	}
	tr_sim_faults(sim, TR_FAULT_SLOW | TR_FAULT_WAKE | TR_FAULT_CLOCK);
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(60)) == TR_OK,
	    "it does not come to rest");
	/* The audit is not part of the test. */
	tr_sim_faults(sim, 0);
	total = total_cents(sim, &plan);
	tr_sim_check(sim, total == (int64_t)ACCOUNTS * OPENING,
	    "money created or lost: %lld cents, %d at the opening",
	    (long long)total, ACCOUNTS * OPENING);
}

int
main(int argc, char **argv)
{
	return tr_sim_main(argc, argv, money_is_conserved, NULL);
}
