/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring: tokens run around a ring of actors.
 *
 * Each token is one message that is taken and sent on, never copied; its drop
 * function must run once.  A token may not overtake another one: between two
 * neighbours messages keep their order, so all around the ring, too.
 *
 * One of the ring brings them all into it: if somebody else did, the first could
 * be back before that one has sent the last, for between two senders there is
 * no order.
 */
#define KIT_STRESS
#include "kit.h"

enum { ACTORS = 300, TOKENS = 20, LAPS = TEST_SCALE(1000) };

enum { TOKEN, BEGIN };

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

/* All tokens to the next one in the ring. */
static int
member_begin(struct tr_self *self, uint64_t i)
{
	for (uint32_t number = 0; number < TOKENS; number++) {
		struct tr_msg *msg =
		    tr_msg_new(self, TOKEN, sizeof(struct token), token_drop);

		KIT_CHECK(msg != NULL);
		*(struct token *)tr_msg_data(msg) =
		    (struct token){ .number = number };
		KIT_CHECK(tr_send_msg(self, ring.ref[(i + 1) % ACTORS], &msg) ==
		    TR_OK);
	}
	return TR_OK;
}

/* Behind the last token comes the first one again. */
static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t i = *(uint64_t *)state;
	struct tr_msg *mine;
	struct token *token;

	if (tr_tag(msg) == BEGIN)
		return member_begin(self, i);
	mine = tr_take(self, msg);
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
	(void)state;
	(void)arg;
	for (uint64_t i = 0; i < ACTORS; i++) {
		ring.ref[i] = tr_spawn(self, &member, &i, NULL);
		KIT_CHECK(tr_ref_valid(ring.ref[i]));
	}
	KIT_CHECK(tr_send(self, ring.ref[0], BEGIN, NULL, 0) == TR_OK);
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
