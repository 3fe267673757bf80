/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An actor with a state, and another that sends to it.
 */
#include <inttypes.h>
#include <stdio.h>

#include <troupe.h>

enum { ADD, TELL, TOTAL };

/* ----------------------------------------------------------- counter ---- */

struct counter {
	int64_t total;
};

static int
counter_start(struct tr_self *self, void *state, const void *arg)
{
	struct counter *c = state;

	(void)self;
	c->total = *(const int64_t *)arg;
	return TR_OK;
}

static int
counter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct counter *c = state;
	const int64_t *amount;

	switch (tr_tag(msg)) {
	case ADD:
		amount = tr_data(msg, sizeof(*amount));
		if (amount == NULL)
			return tr_fail(self, TR_EINVAL, "ADD without amount");
		c->total += *amount;
		return TR_OK;
	case TELL:
		return tr_reply(self, msg, TOTAL, &c->total, sizeof(c->total));
	default: return tr_unhandled(self, msg);
	}
}

static void
counter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	const struct counter *c = state;

	(void)self;
	printf("counter: ends with %" PRId64 ": %s\n", c->total,
	    tr_strerror(why->code));
}

static const struct tr_behavior counter = {
	.name = "counter",
	.state_size = sizeof(struct counter),
	.arg_size = sizeof(int64_t),
	.start = counter_start,
	.receive = counter_receive,
	.stop = counter_stop,
};

/* -------------------------------------------------------------- user ---- */

static int
user_start(struct tr_self *self, void *state, const void *arg)
{
	int64_t amount = 100;
	tr_ref ref = tr_spawn(self, &counter, &amount, NULL);

	(void)state, (void)arg;
	if (!tr_ref_valid(ref))
		return TR_ENOMEM;
	for (amount = 1; amount <= 3; amount++)
		tr_send(self, ref, ADD, &amount, sizeof(amount));
	return tr_send(self, ref, TELL, NULL, 0);
}

static int
user_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const int64_t *total = tr_data(msg, sizeof(*total));

	(void)state;
	if (tr_tag(msg) != TOTAL || total == NULL)
		return tr_unhandled(self, msg);
	printf("user: the total is %" PRId64 "\n", *total);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior user = {
	.name = "user",
	.start = user_start,
	.receive = user_receive,
};

int
main(void)
{
	return tr_run(&user, NULL, NULL) == TR_OK ? 0 : 1;
}
