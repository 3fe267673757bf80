/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shop's test: whoever is killed, and whenever, each purchase is paid once
 * and booked once.
 *
 *     shop_sim [--seeds N] [--seed S --trace] [--help]
 *
 * Any actor may be killed, also the supervisors and the town itself.  A town
 * that has ended opens again the next morning, with what is on paper.
 */
#include <inttypes.h>
#include <string.h>

#include <troupe/sim.h>

#include "shop.h"

enum { SALES = 30, MORNINGS = 20 };

/* In the journal once if there is a receipt; never twice; at its price. */
static void
check_paper(struct tr_sim *sim)
{
	bool booked[SALES] = { false };
	const struct sale *s;
	uint32_t i;

	for (i = 0; i < paper.booked; i++) {
		s = &paper.journal[i];
		tr_sim_check(sim, !booked[s->number],
		    "sale %" PRIu32 " is booked twice", s->number);
		tr_sim_check(sim, s->cents == price(s->number),
		    "sale %" PRIu32 " is booked with a wrong sum", s->number);
		booked[s->number] = true;
	}
	for (i = 0; i < paper.sales; i++) {
		if (paper.receipt[i] == 0)
			continue;
		tr_sim_check(sim, booked[i],
		    "sale %" PRIu32 " is paid and not booked", i);
		tr_sim_check(sim, paper.receipt[i] == price(i),
		    "sale %" PRIu32 " is paid with a wrong sum", i);
	}
}

/* Whether there is a receipt for each sale. */
static bool
is_all_sold(void)
{
	uint32_t i;

	for (i = 0; i < paper.sales && paper.receipt[i] != 0; i++)
		;
	return i == paper.sales;
}

/* One day: until the town has ended, or all in it is at rest. */
static void
pass_a_day(struct tr_sim *sim, unsigned faults)
{
	struct tr_system *system = tr_sim_system(sim);
	tr_ref ref = tr_supervisor_system_spawn(system, &town, NULL);

	tr_sim_check(sim, tr_ref_valid(ref), "the town does not open");
	tr_sim_faults(sim, faults);
	tr_sim_check(sim, tr_sim_run_until_quiet(sim, TR_SECONDS(600)) == TR_OK,
	    "it does not come to rest");
	tr_sim_faults(sim, 0);
	check_paper(sim);
	tr_sim_check(sim, !tr_ref_valid(tr_whereis(system, "shop")),
	    "the town is at rest, but did not end");
}

static void
money_is_conserved(struct tr_sim *sim, void *arg)
{
	unsigned day;

	(void)arg;
	memset(&paper, 0, sizeof(paper));
	paper.quiet = true;
	paper.sales = SALES;
	paper.crash_percent = (unsigned)tr_sim_random(sim, 15);
	paper.seed = tr_sim_random(sim, UINT64_MAX);
	pass_a_day(sim,
	    TR_FAULT_KILL | TR_FAULT_SLOW | TR_FAULT_WAKE | TR_FAULT_CLOCK |
		TR_FAULT_NOMEM);
	for (day = 1; day < MORNINGS && !is_all_sold(); day++)
		pass_a_day(sim, 0);
	tr_sim_check(sim, is_all_sold() && paper.booked == SALES,
	    "after %u days %" PRIu32 " sales are booked", day, paper.booked);
}

int
main(int argc, char **argv)
{
	return tr_sim_main(argc, argv, money_is_conserved, NULL);
}
