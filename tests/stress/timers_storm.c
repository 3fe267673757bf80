/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timers_storm: timers armed, cancelled and repeating, in actors that compute
 * and therefore move between workers.
 *
 * No tick is early, no timer fires twice, no cancelled one is seen, a
 * repeating one never counts more than time has passed; and whatever is armed
 * and not cancelled does fire.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	ACTORS = 40,
	SLOTS = 64, /* timers of one actor at once */
	EACH = TEST_SCALE(8000), /* armed by each actor in all */
	FAR_US = 8000,
};

enum { ONCE, EVERY, WORK, DONE };

static atomic_ullong armed, fired, cancelled, beats, missed, moved;

struct slot {
	tr_timer timer; /* 0: free */
	int64_t due; /* or, of a repeating one, its start */
	int64_t period; /* 0: one shot */
	int64_t counted; /* ticks seen and missed */
	uint64_t cookie; /* fresh for each */
};

struct actor {
	uint64_t seed, cookie;
	int left, open;
	bool over;
	unsigned worker;
	struct slot slot[SLOTS];
};

static tr_ref root_ref;

static void
arm(struct tr_self *self, struct actor *a, struct slot *slot)
{
	int64_t delay = TR_US(kit_below(&a->seed, FAR_US));

	*slot = (struct slot){ .cookie = ++a->cookie * SLOTS +
		    (uint64_t)(slot - a->slot),
		.due = tr_now(self) };
	if (kit_below(&a->seed, 8) == 0) {
		slot->period = delay + TR_US(100);
		slot->timer = tr_every(self, slot->period, EVERY, slot->cookie);
	} else {
		slot->due += delay;
		slot->timer = tr_after(self, delay, ONCE, slot->cookie);
	}
	KIT_CHECK(slot->timer != 0);
	a->left--;
	a->open++;
	atomic_fetch_add(&armed, 1);
}

static void
disarm(struct tr_self *self, struct actor *a, struct slot *slot)
{
	KIT_CHECK(tr_timer_cancel(self, slot->timer) == TR_OK);
	KIT_CHECK(tr_timer_cancel(self, slot->timer) == TR_EINVAL);
	slot->timer = 0;
	a->open--;
	atomic_fetch_add(&cancelled, 1);
}

static void
on_tick(struct tr_self *self, struct actor *a, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));
	struct slot *slot;

	KIT_CHECK(tick != NULL);
	slot = &a->slot[tick->cookie % SLOTS];
	KIT_CHECK(slot->timer != 0 && slot->timer == tick->timer);
	KIT_CHECK(slot->cookie == tick->cookie);
	KIT_CHECK((tr_tag(msg) == EVERY) == (slot->period != 0));
	if (slot->period == 0) {
		KIT_CHECK(tick->missed == 0);
		KIT_CHECK(tr_now(self) >= slot->due);
		KIT_CHECK(tr_timer_cancel(self, tick->timer) == TR_EINVAL);
		slot->timer = 0;
		a->open--;
		atomic_fetch_add(&fired, 1);
		return;
	}
	slot->counted += 1 + (int64_t)tick->missed;
	KIT_CHECK(tr_now(self) >= slot->due + slot->counted * slot->period);
	atomic_fetch_add(&beats, 1);
	atomic_fetch_add(&missed, tick->missed);
	if (a->left == 0 || kit_below(&a->seed, 4) == 0)
		disarm(self, a, slot);
}

/* Arm some, cancel some, compute a little. */
static void
stir(struct tr_self *self, struct actor *a)
{
	struct slot *slot;

	for (int i = 0; i < 8; i++) {
		slot = &a->slot[kit_below(&a->seed, SLOTS)];
		if (slot->timer == 0 && a->left > 0)
			arm(self, a, slot);
		else if (slot->timer != 0 && kit_below(&a->seed, 3) == 0)
			disarm(self, a, slot);
	}
	kit_spin_for(self, TR_US(kit_below(&a->seed, 30)));
	if (a->left == 0)
		return;
	/* At times there is nothing to do: then the others look around. */
	if (kit_below(&a->seed, 2) == 0)
		kit_tell(self, tr_self_ref(self), WORK);
	else
		KIT_CHECK(tr_after(self, TR_US(kit_below(&a->seed, 2000)), WORK,
			      0) != 0);
}

static int
actor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct actor *a = state;

	if (a->worker != tr_self_worker(self))
		atomic_fetch_add(&moved, 1);
	a->worker = tr_self_worker(self);
	if (tr_tag(msg) == WORK)
		stir(self, a);
	else
		on_tick(self, a, msg);
	if (a->left == 0 && a->open == 0 && !a->over) {
		a->over = true;
		kit_tell(self, root_ref, DONE);
	}
	return TR_OK;
}

static int
actor_start(struct tr_self *self, void *state, const void *arg)
{
	struct actor *a = state;

	a->seed = *(const uint64_t *)arg;
	a->left = EACH;
	a->worker = tr_self_worker(self);
	return tr_send(self, tr_self_ref(self), WORK, NULL, 0);
}

static const struct tr_behavior actor = {
	.name = "actor",
	.state_size = sizeof(struct actor),
	.arg_size = sizeof(uint64_t),
	.start = actor_start,
	.receive = actor_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t seed = *(const uint64_t *)arg, own;

	(void)state;
	root_ref = tr_self_ref(self);
	for (int i = 0; i < ACTORS; i++) {
		own = kit_random(&seed);
		KIT_CHECK(tr_ref_valid(tr_spawn(self, &actor, &own, NULL)));
	}
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)msg;
	return ++*(int *)state == ACTORS ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(int),
	.arg_size = sizeof(uint64_t),
	.start = root_start,
	.receive = root_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	kit_play(&k, workers, &root, &seed);
	KIT_CHECK(armed == (uint64_t)ACTORS * EACH);
	KIT_CHECK(armed == fired + cancelled);
	printf("timers_storm: %llu armed = %llu fired + %llu cancelled; %llu "
	       "beats, %llu missed, %llu moves, none early\n",
	    armed, fired, cancelled, beats, missed, moved);
	kit_print_stats(&k.stats);
	return 0;
}
