/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recycle: everybody sends to the same few actors, each of which ends at its
 * first message; its successor, or that one's, gets the same slot.
 *
 * So a sender often has looked up an actor that is gone, and its slot in use
 * again, before the message is in the mailbox.  A message names the actor that
 * it is meant for: no other may see it.  Senders are actors on all workers,
 * and foreign threads, which the kernel may stop at any place for long.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	PLACES = 3,
	SENDERS = 8,
	THREADS = 3,
	EACH = TEST_SCALE(6000000), /* looks of one sender */
	BURST = 8,
};

enum { MEANT, GO, DONE };

static struct {
	struct kit k;
	tr_ref keeper;
	_Atomic uint64_t place[PLACES]; /* who is there now */
	atomic_ullong misled, hit, born;
	int done;
} game;

/* ---------------------------------------------------- the short-lived --- */

struct target {
	const struct tr_behavior *behavior;
	uint64_t place;
};

static void
fill(struct tr_self *self, const struct target *next)
{
	tr_ref ref = tr_spawn(self, next->behavior, next, NULL);

	if (!tr_ref_valid(ref))
		return; /* the end */
	atomic_fetch_add(&game.born, 1);
	atomic_store(&game.place[next->place], ref.bits);
}

static int
target_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	if (kit_u64(msg) != tr_self_ref(self).bits)
		atomic_fetch_add(&game.misled, 1);
	atomic_fetch_add(&game.hit, 1);
	fill(self, state);
	return tr_exit(self, TR_NORMAL);
}

static int
target_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(struct target));
	return TR_OK;
}

static const struct tr_behavior target = {
	.name = "target",
	.state_size = sizeof(struct target),
	.arg_size = sizeof(struct target),
	.start = target_start,
	.receive = target_receive,
};

/* --------------------------------------------------------- the senders --- */

/*
 * Who is to be sent to; TR_REF_NONE when that one got a message from here
 * already: a flood would only bury everybody.
 */
static tr_ref
pick(uint64_t *seed, uint64_t *last)
{
	uint64_t place = kit_below(seed, PLACES);
	uint64_t bits = atomic_load(&game.place[place]);

	if (bits == last[place])
		return TR_REF_NONE;
	last[place] = bits;
	return (tr_ref){ bits };
}

struct sender {
	uint64_t seed, last[PLACES];
	int left;
};

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct sender *s = state;
	tr_ref to;

	(void)msg;
	for (int i = 0; i < BURST && s->left > 0; i++, s->left--) {
		to = pick(&s->seed, s->last);
		if (tr_ref_valid(to))
			KIT_CHECK(tr_send(self, to, MEANT, &to.bits,
				      sizeof(to.bits)) == TR_OK);
	}
	kit_tell(self, s->left > 0 ? tr_self_ref(self) : game.keeper,
	    s->left > 0 ? GO : DONE);
	return TR_OK;
}

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	struct sender *s = state;

	s->seed = *(const uint64_t *)arg;
	s->left = EACH;
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(struct sender),
	.arg_size = sizeof(uint64_t),
	.start = sender_start,
	.receive = sender_receive,
};

static void *
thread_main(void *arg)
{
	uint64_t seed = *(uint64_t *)arg, last[PLACES] = { 0 };
	tr_ref to;

	for (int i = 0; i < EACH; i++) {
		to = pick(&seed, last);
		if (tr_ref_valid(to))
			KIT_CHECK(tr_post(game.k.sys, to, MEANT, &to.bits,
				      sizeof(to.bits)) == TR_OK);
	}
	KIT_CHECK(tr_post(game.k.sys, game.keeper, DONE, NULL, 0) == TR_OK);
	return NULL;
}

/* ---------------------------------------------------------- the keeper --- */

static int
keeper_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t seed = *(const uint64_t *)arg, own;

	(void)state;
	for (uint64_t i = 0; i < PLACES; i++)
		fill(self, &(struct target){ &target, i });
	for (int i = 0; i < SENDERS; i++) {
		own = kit_random(&seed);
		KIT_CHECK(tr_ref_valid(tr_spawn(self, &sender, &own, NULL)));
	}
	return TR_OK;
}

static int
keeper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return ++game.done == SENDERS + THREADS ? kit_finish(self) : TR_OK;
}

static const struct tr_behavior keeper = {
	.name = "keeper",
	.arg_size = sizeof(uint64_t),
	.start = keeper_start,
	.receive = keeper_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed, own[THREADS];
	unsigned workers = kit_stress_args(argc, argv, &seed);
	pthread_t thread[THREADS];

	kit_new_with(&game.k,
	    (struct tr_options){ .workers = workers, .max_actors = 1024 });
	game.keeper = kit_root(&game.k, &keeper, &seed);
	for (int i = 0; i < THREADS; i++)
		own[i] = kit_random(&seed);
	kit_begin(&game.k);
	for (int i = 0; i < THREADS; i++)
		KIT_CHECK(pthread_create(&thread[i], NULL, thread_main,
			      &own[i]) == 0);
	for (int i = 0; i < THREADS; i++)
		KIT_CHECK(pthread_join(thread[i], NULL) == 0);
	KIT_CHECK(pthread_join(game.k.thread, NULL) == 0);
	kit_end(&game.k);
	KIT_CHECK(game.misled == 0);
	KIT_CHECK(game.hit > 0 && game.hit <= game.born);
	printf("recycle: %llu actors in %d places, %llu hit, no message "
	       "misled\n",
	    game.born, PLACES, game.hit);
	kit_print_stats(&game.k.stats);
	return 0;
}
