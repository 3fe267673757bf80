/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring: tokens run around a ring of actors.
 *
 * Each token is one message that is taken and sent on, never copied; its drop
 * function must run once.  A token may not overtake another one: between two
 * neighbours messages keep their order, so all around the ring, too.
 */
#define KIT_STRESS
#include "kit.h"

enum { ACTORS = 300, TOKENS = 20, LAPS = TEST_SCALE(1000) };

enum { TOKEN };

struct token {
	uint32_t number, laps;
};

static struct {
	tr_ref ref[ACTORS];
	uint32_t expected[ACTORS]; /* number of the next token */
	atomic_int drops;
	int finished;
} ring;

static void
token_drop(void *payload, size_t size)
{
	const struct token *token = payload;

	KIT_CHECK(size == sizeof(*token));
	KIT_CHECK(token->laps == LAPS);
	atomic_fetch_add(&ring.drops, 1);
}

/* Behind the last token comes the first one again. */
static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t i = *(uint64_t *)state;
	struct tr_msg *mine = tr_take(self, msg);
	struct token *token;

	KIT_CHECK(mine != NULL);
	token = tr_msg_data(mine);
	KIT_CHECK(token->number == ring.expected[i]);
	ring.expected[i] = (ring.expected[i] + 1) % TOKENS;
	if (i == 0 && ++token->laps == LAPS) {
		tr_msg_drop(&mine);
		return ++ring.finished == TOKENS ? kit_finish(self) : TR_OK;
	}
	return tr_send_msg(self, ring.ref[(i + 1) % ACTORS], &mine);
}

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	memcpy(state, arg, sizeof(uint64_t));
	return TR_OK;
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(uint64_t),
	.arg_size = sizeof(uint64_t),
	.start = member_start,
	.receive = member_receive,
};

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_msg *msg;
	struct token *token;

	(void)state;
	(void)arg;
	for (uint64_t i = 0; i < ACTORS; i++) {
		ring.ref[i] = tr_spawn(self, &member, &i, NULL);
		KIT_CHECK(tr_ref_valid(ring.ref[i]));
	}
	for (uint32_t i = 0; i < TOKENS; i++) {
		msg = tr_msg_new(self, TOKEN, sizeof(*token), token_drop);
		KIT_CHECK(msg != NULL);
		token = tr_msg_data(msg);
		*token = (struct token){ .number = i };
		KIT_CHECK(tr_send_msg(self, ring.ref[1], &msg) == TR_OK);
	}
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.start = root_start,
	.receive = kit_ignore,
};

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	struct kit k;

	kit_play(&k, workers, &root, NULL);
	KIT_CHECK(ring.drops == TOKENS);
	KIT_CHECK(kit_dead(&k.stats) == 0);
	printf("ring: %d tokens, %d laps of %d actors, none overtook, each "
	       "dropped once\n",
	    TOKENS, LAPS, ACTORS);
	kit_print_stats(&k.stats);
	return 0;
}
