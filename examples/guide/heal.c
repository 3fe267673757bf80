/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kitchen that heals: the toaster jams, and its supervisor starts it again.
 */
#include <inttypes.h>
#include <stdio.h>

#include <troupe.h>

enum { TOAST, BAGEL };

/* ------------------------------------------------------------ toaster --- */

struct toaster {
	uint32_t slices; /* in this life */
};

static int
toaster_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const uint32_t *slices = tr_data(msg, sizeof(*slices));
	struct toaster *t = state;

	if (tr_tag(msg) == BAGEL)
		return tr_fail(self, TR_EINVAL, "a bagel is stuck");
	if (tr_tag(msg) != TOAST || slices == NULL)
		return tr_unhandled(self, msg);
	t->slices += *slices;
	return tr_reply(self, msg, TOAST, &t->slices, sizeof(t->slices));
}

static const struct tr_behavior toaster = {
	.name = "toaster",
	.state_size = sizeof(struct toaster),
	.receive = toaster_receive,
};

/* -------------------------------------------------------------- guest --- */

struct order {
	uint32_t what;
	uint32_t slices;
};

static const struct order orders[] = {
	{ TOAST, 2 },
	{ TOAST, 3 },
	{ BAGEL, 1 },
	{ TOAST, 1 },
};

enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };

struct guest {
	unsigned served;
};

static int
on_served(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct order *o = &orders[cookie];
	const uint32_t *made =
	    outcome == TR_OK ? tr_data(answer, sizeof(*made)) : NULL;
	struct guest *g = state;

	printf("%s for %" PRIu32 ": ", o->what == BAGEL ? "a bagel" : "toast",
	    o->slices);
	if (made != NULL)
		printf("that makes %" PRIu32 "\n", *made);
	else
		printf("(%s)\n", tr_strerror(outcome));
	return ++g->served < ORDERS ? TR_OK : tr_exit(self, TR_NORMAL);
}

/* All at once: what comes behind the bagel waits in the toaster's mailbox. */
static int
guest_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref ref = tr_whereis(tr_system_of(self), "toaster");
	unsigned i;

	(void)state, (void)arg;
	for (i = 0; i < ORDERS; i++)
		if (tr_ask(self, ref, orders[i].what, &orders[i].slices,
			sizeof(orders[i].slices), tr_in(self, TR_SECONDS(10)),
			on_served, i) == 0)
			return TR_ENOMEM;
	return TR_OK;
}

static int
guest_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior guest = {
	.name = "guest",
	.state_size = sizeof(struct guest),
	.start = guest_start,
	.receive = guest_receive,
};

/* ------------------------------------------------------------ kitchen --- */

static const struct tr_child children[] = {
	{ .id = "toaster", .name = "toaster", .behavior = &toaster },
	{ .id = "guest",
	    .behavior = &guest,
	    .restart = TR_TRANSIENT,
	    .significant = true },
};

static const struct tr_supervisor kitchen = {
	.name = "kitchen",
	.intensity = 3,
	.period_ns = TR_SECONDS(10),
	.auto_shutdown = TR_AUTO_SHUTDOWN_ANY,
	TR_CHILDREN(children),
};

int
main(void)
{
	int error = tr_run_supervisor(&kitchen, NULL);

	printf("the kitchen closes: %s\n", tr_strerror(error));
	return error == TR_OK ? 0 : 1;
}
