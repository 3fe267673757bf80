/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bee: what it does with what it gets.  See swarm.h.
 */
#include "swarm.h"

uint64_t
draw(struct bee *b, uint64_t below)
{
	uint64_t z = b->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

tr_ref
somebody(struct bee *b)
{
	if (draw(b, 100) == 0)
		return (tr_ref){ draw(b, 2) ? 0 : b->seed };
	if (swarm.routers > 0 && draw(b, 5) == 0)
		return swarm.router[draw(b, swarm.routers)];
	return swarm.bees == 0 ? TR_REF_NONE : swarm.bee[draw(b, swarm.bees)];
}

/* Keep a message, and be done with what was kept in its place. */
static void
keep(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	struct tr_msg **at = &b->kept[draw(b, KEPT)];

	if (*at != NULL && draw(b, 2))
		(void)tr_reply(self, *at, REQUEST, NULL, 0);
	if (*at != NULL && draw(b, 3) == 0 &&
	    tr_forward_msg(self, somebody(b), at) == TR_OK)
		*at = NULL;
	if (*at != NULL && draw(b, 4) == 0)
		(void)tr_send_msg(self, somebody(b), at);
	tr_msg_drop(at);
	*at = tr_take(self, msg);
}

static int
stash(struct tr_self *self, const struct tr_msg *msg)
{
	int rc = tr_stash(self, msg);

	return rc == TR_EFULL || rc == TR_EINVAL || rc == TR_ENOMEM ? TR_OK :
								      rc;
}

/* With a blob, if there is one. */
static int
reply_blob(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	if (tr_blob_size(&b->blob) == 0)
		return tr_reply(self, msg, REQUEST, "x", 1);
	return tr_reply_blob(self, msg, REQUEST, &b->blob);
}

static int
on_request(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	switch (draw(b, 10)) {
	case 0: return TR_OK; /* TR_ENOREPLY */
	case 1: return tr_reply_error(self, msg, TR_EEXIST);
	case 2: (void)tr_forward(self, somebody(b), msg); return TR_OK;
	case 3:
		if (tr_token_cancelled(self, &b->token))
			(void)tr_token_reply(self, &b->token, REQUEST, NULL, 0);
		(void)tr_token_reply_error(self, &b->token, TR_EBUSY);
		b->token = tr_reply_token(self);
		return TR_OK;
	case 4: keep(b, self, msg); return TR_OK;
	case 5: return stash(self, msg);
	case 6: (void)reply_blob(b, self, msg); return TR_OK;
	case 7: return tr_unhandled(self, msg);
	case 8:
		if (tr_cancelled(self) || tr_deadline(self) < tr_now(self))
			return TR_OK;
		(void)tr_reply(self, msg, REQUEST, NULL, 0);
		return TR_OK;
	default: (void)tr_reply(self, msg, REQUEST, NULL, 0); return TR_OK;
	}
}

static void
on_plain(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	const tr_blob *blob = tr_msg_blob(msg);

	if (blob != NULL && draw(b, 2)) {
		tr_blob_drop(&b->blob);
		b->blob = tr_blob_ref(blob);
	}
	if (draw(b, 8) == 0)
		keep(b, self, msg);
	else if (draw(b, 8) == 0)
		(void)stash(self, msg);
	else if (draw(b, 20) == 0)
		(void)tr_unhandled(self, msg);
}

/* What a typed message or ask is answered with. */
static int
on_typed(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	if (hive_is_wax(msg))
		(void)hive_reply_count(self);
	if (hive_is_count(msg))
		(void)hive_reply_honey(self,
		    (struct hive_honey){ .jar = held_new(8) });
	if (hive_is_honey(msg) && draw(b, 3) == 0)
		keep(b, self, msg);
	return TR_OK;
}

static int
on_message(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	if (tr_protocol_find(&hive_protocol, tr_tag(msg)) != NULL)
		return on_typed(b, self, msg);
	switch (tr_tag(msg)) {
	case REQUEST: return on_request(b, self, msg);
	case PASS:
		/* Else it might multiply: a broadcast is passed by many. */
		if (b->left > 0 && draw(b, 4) != 0)
			(void)tr_forward(self, somebody(b), msg);
		break;
	case PLAIN: on_plain(b, self, msg); break;
	case TICK:
	case DOWN:
	case EXIT:
		if (draw(b, 4) == 0)
			(void)stash(self, msg);
		break;
	default: break;
	}
	return TR_OK;
}

static int
bee_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct bee *b = state;
	int rc = on_message(b, self, msg);

	if (rc != TR_OK && draw(b, 10) == 0)
		return rc;
	if (b->left == 0) {
		(void)tr_timer_cancel(self, b->timer);
		(void)tr_unstash(self);
		for (unsigned i = 0; i < KEPT; i++)
			tr_msg_drop(&b->kept[i]);
		(void)tr_token_reply_error(self, &b->token, TR_EBUSY);
		return TR_OK;
	}
	b->left--;
	rc = bee_act(b, self);
	if (b->left > 0)
		(void)tr_send(self, tr_self_ref(self), ORDER, NULL, 0);
	if (b->left == 0 && draw(b, 3) == 0)
		return draw(b, 2) ? tr_fail(self, -5, "bee %d", 1) :
				    tr_exit(self, TR_NORMAL);
	return rc;
}

static int
bee_start(struct tr_self *self, void *state, const void *arg)
{
	const struct bee_arg *given = arg;
	struct bee *b = state;

	b->seed = given->seed;
	if (swarm.lives == 0)
		return TR_OK;
	swarm.lives--;
	b->left = given->left;
	if (draw(b, 20) == 0)
		return TR_EINVAL;
	(void)tr_trap_exit(self, draw(b, 4) != 0, EXIT);
	(void)tr_send(self, tr_self_ref(self), ORDER, NULL, 0);
	return TR_OK;
}

static void
bee_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct bee *b = state;

	(void)why;
	if (draw(b, 2))
		(void)tr_send(self, somebody(b), PLAIN, "bye", 3);
	if (draw(b, 2))
		(void)tr_token_reply(self, &b->token, REQUEST, NULL, 0);
	for (unsigned i = 0; i < KEPT; i++) {
		if (b->kept[i] != NULL && draw(b, 3) == 0)
			(void)tr_reply(self, b->kept[i], REQUEST, NULL, 0);
		tr_msg_drop(&b->kept[i]);
	}
	tr_blob_drop(&b->blob);
}

const struct tr_behavior bee = {
	.name = "bee",
	.state_size = sizeof(struct bee),
	.arg_size = sizeof(struct bee_arg),
	.start = bee_start,
	.receive = bee_receive,
	.stop = bee_stop,
	.protocol = &hive_protocol,
};

/* What a bee may become, */
const struct tr_behavior drone = {
	.name = "drone",
	.state_size = sizeof(struct bee),
	.arg_size = sizeof(struct bee_arg),
	.receive = bee_receive,
	.stop = bee_stop,
};

/* and is while it waits for an answer. */
const struct tr_behavior waiter = {
	.name = "waiter",
	.state_size = sizeof(struct bee),
	.arg_size = sizeof(struct bee_arg),
	.receive = tr_stash_all,
	.stop = bee_stop,
};
