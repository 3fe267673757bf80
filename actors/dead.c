/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dead letters: counted by reason, and shown to the hook at a bounded rate.
 *
 * The budget of the hook is one word: the second (of the monotonic clock) and
 * the calls made in it.
 */
#include "actors/system.h"

static bool
hook_may_be_called(struct tr_system *sys)
{
	uint64_t second = (uint64_t)(sys->env->now(sys->env) / TR_SECONDS(1));
	uint64_t budget = tri_load_relaxed(&sys->hook_budget), want;

	do {
		if (budget >> 16 != second)
			want = second << 16 | 1;
		else if ((budget & 0xffff) >= TRI_HOOK_CALLS)
			return false;
		else
			want = budget + 1;
		/* No data hangs on it: only the count has to be right. */
	} while (!tri_cas_weak_acq_rel(&sys->hook_budget, &budget, want));
	return true;
}

void
tri_dead_letter(struct tri_desk *d, enum tr_dead_reason reason, tr_ref to,
    const struct tr_msg *m)
{
	tri_count(&d->counts.dead[reason], (uint64_t)1);
	tri_seen(d->sys, TRI_EVENT_DEAD, to, m, reason, 0);
	tri_dead_tell(d->sys, reason, to, m);
}

/* Names, where they are known: a message's name is its receiver's affair; an
 * answer is of the protocol of who sent it. */
static void
letter_names(struct tr_system *sys, struct tr_dead_letter *letter)
{
	const struct tr_behavior *b = tri_behavior_of(sys, letter->target);

	if (b != NULL)
		letter->behavior = tri_behavior_name(b);
	letter->message = tri_message_name(b, letter->tag);
	if (letter->message == NULL)
		letter->message =
		    tri_message_name(tri_behavior_of(sys, letter->sender),
			letter->tag);
}

void
tri_dead_tell(struct tr_system *sys, enum tr_dead_reason reason, tr_ref to,
    const struct tr_msg *m)
{
	struct tr_dead_letter letter;

	if (sys->options.on_dead_letter == NULL || !hook_may_be_called(sys))
		return;
	letter = (struct tr_dead_letter){
		.reason = reason,
		.target = to,
		.sender = { m->sender },
		.tag = m->tag,
		.size = m->size,
	};
	letter_names(sys, &letter);
	sys->options.on_dead_letter(&letter, sys->dead_ctx);
}
