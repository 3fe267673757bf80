/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers, names, and answering later: guests ask for tea, and the kettle
 * answers them all once the water boils.
 */
#include <stdio.h>

#include <troupe.h>

enum { TEA, SERVED, WARMER, GUESTS_COME };
enum { GUESTS = 3, SEATS = 8 };

/* ------------------------------------------------------------ kettle ---- */

struct kettle {
	unsigned degrees;
	tr_timer heat; /* 0: off */
	unsigned waiting;
	tr_token guest[SEATS];
};

static int
kettle_tea(struct tr_self *self, struct kettle *k, const struct tr_msg *msg)
{
	if (k->waiting == SEATS)
		return tr_reply_error(self, msg, TR_EFULL);
	k->guest[k->waiting++] = tr_reply_token(self);
	if (k->heat == 0)
		k->heat = tr_every(self, TR_MS(10), WARMER, 0);
	return k->heat != 0 ? TR_OK : TR_ENOMEM;
}

static int
kettle_warmer(struct tr_self *self, struct kettle *k, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));

	if (tick == NULL)
		return tr_unhandled(self, msg);
	k->degrees += 20 * (1 + (unsigned)tick->missed);
	if (k->degrees < 100)
		return TR_OK;
	tr_timer_cancel(self, k->heat);
	k->heat = 0;
	k->degrees = 0;
	while (k->waiting > 0)
		tr_token_reply(self, &k->guest[--k->waiting], SERVED, NULL, 0);
	return TR_OK;
}

static int
kettle_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	switch (tr_tag(msg)) {
	case TEA: return kettle_tea(self, state, msg);
	case WARMER: return kettle_warmer(self, state, msg);
	default: return tr_unhandled(self, msg);
	}
}

static const struct tr_behavior kettle = {
	.name = "kettle",
	.state_size = sizeof(struct kettle),
	.receive = kettle_receive,
};

/* ------------------------------------------------------------- party ---- */

struct party {
	unsigned served;
};

static int
on_served(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct party *p = state;

	(void)answer, (void)cookie;
	if (outcome != TR_OK)
		return outcome;
	if (++p->served < GUESTS)
		return TR_OK;
	printf("%u guests served\n", p->served);
	return tr_exit(self, TR_NORMAL);
}

static int
party_ask(struct tr_self *self)
{
	tr_ref ref = tr_whereis(tr_system_of(self), "kettle");

	if (tr_ask(self, ref, TEA, NULL, 0, tr_in(self, TR_SECONDS(60)),
		on_served, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static int
party_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_spawn_options named = { .name = "kettle" };

	(void)state, (void)arg;
	if (!tr_ref_valid(tr_spawn(self, &kettle, NULL, &named)))
		return TR_ENOMEM;
	if (tr_after(self, TR_MS(20), GUESTS_COME, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static int
party_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	int error = TR_OK, i;

	(void)state;
	if (tr_tag(msg) != GUESTS_COME)
		return tr_unhandled(self, msg);
	for (i = 0; i < GUESTS && error == TR_OK; i++)
		error = party_ask(self);
	return error;
}

static const struct tr_behavior party = {
	.name = "party",
	.state_size = sizeof(struct party),
	.start = party_start,
	.receive = party_receive,
};

int
main(void)
{
	return tr_run(&party, NULL, NULL) == TR_OK ? 0 : 1;
}
