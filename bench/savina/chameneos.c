/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chameneos.c - Savina 7, Chameneos: many creatures meet in one place.
 *
 * A chameneos goes to the mall.  Whoever comes first waits there; the mall
 * hands the second one's request on to the first, which thus knows whom it met:
 * it takes on the colour that is neither's, and answers with that colour.  Both
 * then go to the mall again.  When the meetings are used up each is told to
 * fade, and says how often it met somebody.
 *
 * It shows one mailbox that everybody sends to.  The original keeps the sum of
 * the creatures' counts and does not look at it; here it has to be two for each
 * meeting, and nobody may meet itself.
 */
#include "savina.h"

enum color { BLUE, RED, YELLOW, COLORS };

#define MALL(MSG, P)                          \
	MSG(P, meet, { enum color color; })   \
	MSG(P, change, { enum color color; }) \
	MSG(P, fade, TR_EMPTY)                \
	MSG(P, met, { uint64_t meetings; })
TR_PROTOCOL(mall, MALL);

struct creature_arg {
	mall_ref mall;
	enum color color;
};

struct creature {
	mall_ref mall;
	enum color color;
	uint64_t meetings;
};

struct mall {
	struct bench *b;
	mall_ref waiting; /* mall_none: nobody */
	uint64_t left; /* meetings to come */
	uint64_t creatures; /* that have not faded */
	uint64_t sum; /* of their counts */
};

/* ----------------------------------------------------------- creature --- */

/* What two of one colour become is that colour, what two others do the third:
 * the three numbers add up to a multiple of three. */
static enum color
complement(enum color a, enum color b)
{
	return (enum color)((2 * COLORS - a - b) % COLORS);
}

static int
creature_meet(struct tr_self *self, const struct creature *creature)
{
	return mall_send_meet(self, creature->mall,
	    (struct mall_meet){ creature->color });
}

static int
creature_start(struct tr_self *self, void *state, const void *arg)
{
	const struct creature_arg *given = arg;
	struct creature *creature = state;

	creature->mall = given->mall;
	creature->color = given->color;
	return creature_meet(self, creature);
}

static int
on_met(struct tr_self *self, struct creature *creature,
    const struct mall_meet *other)
{
	int error;

	bench_check(!tr_ref_equal(tr_sender(tr_msg_in_hand(self)),
			tr_self_ref(self)),
	    "chameneos: nobody meets itself");
	creature->color = complement(creature->color, other->color);
	creature->meetings++;
	error =
	    mall_reply_change(self, (struct mall_change){ creature->color });
	return error != TR_OK ? error : creature_meet(self, creature);
}

static int
on_change(struct tr_self *self, struct creature *creature,
    const struct mall_change *change)
{
	creature->color = change->color;
	creature->meetings++;
	return creature_meet(self, creature);
}

static int
on_fade(struct tr_self *self, struct creature *creature)
{
	int error;

	error = mall_reply_met(self, (struct mall_met){ creature->meetings });
	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

TR_ACTOR(creature, struct creature, mall, MALL, .meet = on_met,
    .change = on_change, .fade = on_fade);

static const struct tr_behavior creature_behavior = {
	.name = "chameneos",
	.state_size = sizeof(struct creature),
	.arg_size = sizeof(struct creature_arg),
	.start = creature_start,
	.receive = creature_receive,
	.protocol = &mall_protocol,
};

/* --------------------------------------------------------------- mall --- */

static int
mall_start(struct tr_self *self, void *state, const void *arg)
{
	struct creature_arg given = { mall_of(tr_self_ref(self)), BLUE };
	struct mall *mall = state;
	mall_ref creature;

	mall->b = bench_of(arg);
	mall->left = bench_param(mall->b, "meetings");
	mall->creatures = bench_param(mall->b, "creatures");
	bench_begin(mall->b, self);
	for (uint64_t i = 0; i < mall->creatures; i++) {
		given.color = (enum color)(i % COLORS);
		creature = mall_spawn(self, &creature_behavior, &given, NULL);
		bench_check(tr_ref_valid(creature.ref), "chameneos: spawn");
	}
	return TR_OK;
}

static int
on_meet(struct tr_self *self, struct mall *mall, const struct mall_meet *meet)
{
	const struct tr_msg *msg = tr_msg_in_hand(self);
	mall_ref first = mall->waiting;

	(void)meet;
	if (mall->left == 0)
		return mall_reply_fade(self);
	if (!tr_ref_valid(first.ref)) {
		mall->waiting = mall_of(tr_sender(msg));
		return TR_OK;
	}
	mall->left--;
	mall->waiting = mall_none;
	return tr_forward(self, first.ref, msg);
}

static int
on_count(struct tr_self *self, struct mall *mall, const struct mall_met *met)
{
	uint64_t meetings;

	mall->sum += met->meetings;
	if (--mall->creatures > 0)
		return TR_OK;
	meetings = bench_param(mall->b, "meetings");
	bench_check(mall->sum == 2 * meetings, "chameneos: two for a meeting");
	return bench_end(mall->b, self, meetings);
}

TR_ACTOR(mall, struct mall, mall, MALL, .meet = on_meet, .met = on_count);

static const struct tr_behavior mall_behavior = {
	.name = "mall",
	.state_size = sizeof(struct mall),
	.arg_size = sizeof(struct bench *),
	.start = mall_start,
	.receive = mall_receive,
	.protocol = &mall_protocol,
};

const struct bench_case savina_chameneos = {
	.name = "chameneos",
	.suite = SAVINA_SUITE,
	.group = SAVINA_MESSAGES,
	.op = "a meeting: four messages, three of them by the mall",
	.note = "no priorities",
	.params = { { "meetings", { 2000, 200000, 8000000 } },
	    { "creatures", { 100, 100, 100 } } },
	.root = &mall_behavior,
};
