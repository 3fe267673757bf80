/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * churn: a million actors are born and die, while messages are on the way to
 * them.
 *
 * Families spawn one short-lived child after the other and keep the references
 * of their dead.  Children get a few messages and a death sentence of random
 * kind; the dead get messages, too, when their slots have long been given to
 * others.  A message names the child it is meant for: no other may see it.
 * Each child's stop() runs once, and the number of slots is small, so that
 * they are used again and again.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	FAMILIES = 32,
	CHILDREN = TEST_SCALE(1000000) / FAMILIES,
	GRAVES = 64,
	SLOTS = 1024,
};

enum { NAMED, EXIT, FAIL, NEXT };

static atomic_ullong born, started, stopped, misled, refused;

struct grave {
	tr_ref ref;
	uint64_t name;
};

struct family {
	uint64_t seed, next_name;
	int left;
	struct grave grave[GRAVES];
	int graves;
};

struct child {
	uint64_t name;
	unsigned char filler[64]; /* not in the cell */
};

static int
child_start(struct tr_self *self, void *state, const void *arg)
{
	struct child *child = state;

	(void)self;
	KIT_CHECK(child->name == 0 && child->filler[63] == 0);
	child->name = *(const uint64_t *)arg;
	child->filler[63] = 1;
	atomic_fetch_add(&started, 1);
	return TR_OK;
}

static int
child_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct child *child = state;

	if (kit_u64(msg) != child->name)
		atomic_fetch_add(&misled, 1);
	if (tr_tag(msg) == EXIT)
		return tr_exit(self, TR_NORMAL);
	if (tr_tag(msg) == FAIL)
		return TR_EINVAL;
	return TR_OK;
}

static void
child_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct child *child = state;

	(void)self;
	(void)why;
	KIT_CHECK(child->name != 0 && child->filler[63] == 1);
	atomic_fetch_add(&stopped, 1);
}

static const struct tr_behavior child_behavior = {
	.name = "child",
	.state_size = sizeof(struct child),
	.arg_size = sizeof(uint64_t),
	.start = child_start,
	.receive = child_receive,
	.stop = child_stop,
};

static void
name_it(struct tr_self *self, const struct grave *to, uint32_t tag)
{
	KIT_CHECK(
	    tr_send(self, to->ref, tag, &to->name, sizeof(to->name)) == TR_OK);
}

static void
sentence(struct tr_self *self, struct family *f, const struct grave *child)
{
	switch (kit_below(&f->seed, 5)) {
	case 0: name_it(self, child, FAIL); break;
	case 1:
		KIT_CHECK(tr_stop(self, child->ref, tr_forever()) == TR_OK);
		break;
	case 2: KIT_CHECK(tr_kill(self, child->ref) == TR_OK); break;
	case 3:
		KIT_CHECK(
		    tr_stop(self, child->ref, tr_in(self, 1000)) == TR_OK);
		break;
	default: name_it(self, child, EXIT);
	}
}

/* One life: spawn, send, condemn, send again, and visit the graves. */
static bool
raise_one(struct tr_self *self, struct family *f)
{
	struct grave child = { .name = f->next_name };

	child.ref = tr_spawn(self, &child_behavior, &child.name, NULL);
	if (!tr_ref_valid(child.ref)) {
		atomic_fetch_add(&refused, 1);
		return false;
	}
	atomic_fetch_add(&born, 1);
	f->next_name += FAMILIES;
	for (uint64_t i = kit_below(&f->seed, 4); i > 0; i--)
		name_it(self, &child, NAMED);
	sentence(self, f, &child);
	/* It may be dying now, or be dead and its slot in use again. */
	for (uint64_t i = kit_below(&f->seed, 8); i > 0; i--)
		name_it(self, &child, NAMED);
	f->grave[f->graves++ % GRAVES] = child;
	for (uint64_t i = 0; i < 2; i++)
		name_it(self,
		    &f->grave[kit_below(&f->seed,
			(uint64_t)(f->graves < GRAVES ? f->graves : GRAVES))],
		    EXIT);
	return true;
}

static atomic_int families_left;

static int
family_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct family *f = state;

	(void)msg;
	for (int i = 0; i < 16 && f->left > 0; i++) {
		if (!raise_one(self, f))
			break;
		f->left--;
	}
	if (f->left > 0)
		kit_tell(self, tr_self_ref(self), NEXT);
	else if (atomic_fetch_sub(&families_left, 1) == 1)
		return kit_finish(self);
	return TR_OK;
}

static int
family_start(struct tr_self *self, void *state, const void *arg)
{
	struct family *f = state;

	f->next_name = *(const uint64_t *)arg;
	f->seed = f->next_name * 31;
	f->left = CHILDREN;
	return tr_send(self, tr_self_ref(self), NEXT, NULL, 0);
}

static const struct tr_behavior family_behavior = {
	.name = "family",
	.state_size = sizeof(struct family),
	.arg_size = sizeof(uint64_t),
	.start = family_start,
	.receive = family_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed, name;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	families_left = FAMILIES;
	kit_new_with(&k,
	    (struct tr_options){ .workers = workers, .max_actors = SLOTS });
	for (uint64_t i = 0; i < FAMILIES; i++) {
		/* Names of one family differ from all others' for ever. */
		name = (seed << 32) / FAMILIES * FAMILIES + FAMILIES + i;
		KIT_CHECK(tr_ref_valid(
		    tr_system_spawn(k.sys, &family_behavior, &name, NULL)));
	}
	kit_run(&k);
	KIT_CHECK(born == (uint64_t)FAMILIES * CHILDREN);
	KIT_CHECK(k.stats.spawned == born + FAMILIES);
	KIT_CHECK(misled == 0);
	KIT_CHECK(started == stopped);
	KIT_CHECK(started <= born);
	printf("churn: %llu actors in %d slots (%llu had to wait), %llu "
	       "started and stopped, no message misled\n",
	    born, SLOTS, refused, started);
	kit_print_stats(&k.stats);
	return 0;
}
