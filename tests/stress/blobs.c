/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blobs: actors and a foreign thread that pass blobs on, cut, keep and drop
 * them, and die with some in their hands and mailboxes.
 *
 * Every wrapped block is given back exactly once, after all of them; nobody
 * ever sees bytes that are not those of its block.
 */
#define KIT_STRESS
#include "kit.h"

enum {
	ACTORS = 32,
	BLOCKS = TEST_SCALE(20000),
	BYTES = 256,
	KEPT = 8,
	HOPS = 6,
};

enum { PASS, NEXT };

struct block {
	atomic_int freed;
	unsigned char byte[BYTES]; /* all of them its number's lowest */
};

static struct {
	struct tr_system *sys;
	tr_ref root;
	_Atomic uint64_t actor[ACTORS]; /* references; they change */
	atomic_ullong freed, passed;
	struct block *block;
} storm;

static void
give_back(void *data, size_t size, void *ctx)
{
	struct block *b = ctx;

	KIT_CHECK(data == b->byte && size == BYTES);
	KIT_CHECK(atomic_fetch_add(&b->freed, 1) == 0);
	memset(b->byte, 0xee, sizeof(b->byte));
	atomic_fetch_add(&storm.freed, 1);
}

static tr_blob
wrap(size_t i)
{
	struct block *b = &storm.block[i];
	tr_blob blob;

	memset(b->byte, (int)(i % 200), sizeof(b->byte));
	KIT_CHECK(tr_blob_wrap(storm.sys, b->byte, BYTES, give_back, b,
		      &blob) == TR_OK);
	return blob;
}

/* Whose bytes they are is in the tag, above the hops. */
static void
look(const tr_blob *b, uint32_t tag)
{
	const unsigned char *at = tr_blob_data(b);
	unsigned char byte = (unsigned char)(tag / (HOPS + 1) % 200);

	for (size_t i = 0; i < tr_blob_size(b); i++)
		KIT_CHECK(at[i] == byte);
}

/* ------------------------------------------------------------ actors --- */

struct actor {
	uint64_t seed, place;
	tr_blob kept[KEPT];
	uint32_t tag[KEPT];
	struct tr_msg *taken;
};

static tr_ref
somebody(uint64_t *seed)
{
	return (tr_ref){ atomic_load(&storm.actor[kit_below(seed, ACTORS)]) };
}

static void
actor_keep(struct actor *a, const tr_blob *b, uint32_t tag)
{
	size_t i = kit_below(&a->seed, KEPT);

	look(&a->kept[i], a->tag[i]);
	tr_blob_drop(&a->kept[i]);
	a->kept[i] = tr_blob_ref(b);
	a->tag[i] = tag;
}

static int
actor_pass(struct tr_self *self, struct actor *a, const struct tr_msg *msg)
{
	const tr_blob *b = tr_msg_blob(msg);
	uint32_t tag = tr_tag(msg);
	size_t size = tr_blob_size(b);
	tr_blob slice;

	KIT_CHECK(b != NULL);
	look(b, tag);
	atomic_fetch_add(&storm.passed, 1);
	if (kit_below(&a->seed, 4) == 0)
		actor_keep(a, b, tag);
	if (kit_below(&a->seed, 500) == 0)
		return tr_exit(self, TR_NORMAL);
	if (tag % (HOPS + 1) == HOPS)
		return TR_OK;
	KIT_CHECK(tr_blob_slice(b, size / 8, size / 2, &slice) == TR_OK);
	(void)tr_send_blob(self, somebody(&a->seed), tag + 1, &slice);
	tr_blob_drop(&slice);
	if (kit_below(&a->seed, 4) == 0) {
		(void)tr_send_blob(self, somebody(&a->seed), tag + 1, b);
	} else if (kit_below(&a->seed, 4) == 0) {
		tr_msg_drop(&a->taken);
		a->taken = tr_take(self, msg);
	}
	return TR_OK;
}

static int
actor_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	return actor_pass(self, state, msg);
}

static int
actor_start(struct tr_self *self, void *state, const void *arg)
{
	struct actor *a = state;

	a->place = *(const uint64_t *)arg;
	a->seed = tr_self_ref(self).bits;
	return TR_OK;
}

static void
actor_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct actor *a = state;

	(void)why;
	for (size_t i = 0; i < KEPT; i++)
		tr_blob_drop(&a->kept[i]);
	tr_msg_drop(&a->taken);
	(void)tr_send(self, storm.root, NEXT, &a->place, sizeof(a->place));
}

static const struct tr_behavior actor = {
	.name = "actor",
	.state_size = sizeof(struct actor),
	.arg_size = sizeof(uint64_t),
	.start = actor_start,
	.receive = actor_receive,
	.stop = actor_stop,
};

static void
place_actor(struct tr_self *self, uint64_t i)
{
	tr_ref ref = tr_spawn(self, &actor, &i, NULL);

	if (tr_ref_valid(ref)) /* not when it is stopping */
		atomic_store(&storm.actor[i], ref.bits);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	(void)arg;
	for (uint64_t i = 0; i < ACTORS; i++)
		place_actor(self, i);
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	place_actor(self, kit_u64(msg));
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.start = root_start,
	.receive = root_receive,
};

/* Everybody is there; or everything that was sent has arrived. */
static bool
is_quiet(struct tr_system *sys)
{
	struct tr_stats s;

	KIT_CHECK(tr_stats(sys, &s) == TR_OK);
	for (int i = 0; i < ACTORS; i++)
		if (atomic_load(&storm.actor[i]) == 0)
			return false;
	return s.queued == 0;
}

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	storm.block = calloc(BLOCKS, sizeof(*storm.block));
	KIT_CHECK(storm.block != NULL);
	kit_new(&k, workers);
	storm.sys = k.sys;
	storm.root = kit_root(&k, &root, NULL);
	kit_begin(&k);
	while (!is_quiet(k.sys))
		kit_nap();
	for (size_t i = 0; i < BLOCKS; i++) {
		tr_blob b = wrap(i);

		KIT_CHECK(tr_post_blob(k.sys, somebody(&seed),
			      (uint32_t)(i * (HOPS + 1)), &b) == TR_OK);
		look(&b, (uint32_t)(i * (HOPS + 1)));
		tr_blob_drop(&b);
	}
	while (!is_quiet(k.sys))
		kit_nap();
	kit_stop(&k);
	KIT_CHECK(storm.freed == BLOCKS);
	for (size_t i = 0; i < BLOCKS; i++)
		KIT_CHECK(storm.block[i].freed == 1);
	printf("blobs: %d blocks, each given back once; %llu times passed\n",
	    BLOCKS, storm.passed);
	kit_print_stats(&k.stats);
	free(storm.block);
	return 0;
}
