/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long an idle worker spins before it sleeps.
 *
 * Who sleeps has to be woken: a system call for the one that has work for it,
 * some us, and tens of us until it is up.  Who spins takes a core meanwhile.  As
 * with skis, which one rents until that has cost as much as to buy them (Karlin,
 * Manasse, Rudolph, Sleator: "Competitive Snoopy Caching", Algorithmica 3, 1988),
 * it spins for about as long as a wake-up costs, the LEAST.
 *
 * But a worker that is called again soon after each time it has fallen asleep
 * pays for both, and so does who calls it, each time: behind handlers that take
 * 20 to 60 us, say, that each wake one actor.  So with every sleep that was over
 * before MOST the next spin is twice as long, up to MOST; and one that lasted
 * longer, or was not ended by a call, is followed by the LEAST again: as
 * Linux's KVM polls before it halts a cpu (halt_poll_ns).  Descriptors and timers
 * are not looked at in a spin, so they have to wait for no longer than they did.
 */
#ifndef TROUPE_SCHED_SPIN_H
#define TROUPE_SCHED_SPIN_H

#include <stdbool.h>
#include <stdint.h>

/* Of one worker. */
struct tri_spin {
	int64_t least_ns, most_ns; /* not above 0: it does not spin */
	int64_t ns; /* the next one */
	int64_t since; /* when the last was over, in vain */
};

static inline void
tri_spin_init(struct tri_spin *spin, int64_t least_ns, int64_t most_ns)
{
	*spin = (struct tri_spin){ .least_ns = least_ns, .most_ns = most_ns };
	spin->ns = least_ns;
}

/* The sleep behind it is over `now`, because somebody called, or not. */
static inline void
tri_spin_slept(struct tri_spin *spin, int64_t now, bool called)
{
	if (!called || now - spin->since > spin->most_ns)
		spin->ns = spin->least_ns;
	else if (spin->ns > spin->most_ns / 2)
		spin->ns = spin->most_ns;
	else
		spin->ns *= 2;
}

#endif
