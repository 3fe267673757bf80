/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pool of workers: a group, a router in front of it, and a blob.
 *
 * The counters join a group.  The root sends the group one text, which is not
 * copied, and asks a router that follows the group how often each byte occurs;
 * the router gives each question to the counter with the fewest unanswered.
 * One counter leaves early: nobody has to tell the router.
 *
 *     pool [COUNTERS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <troupe.h>

enum { READY, TEXT, COUNT, COUNTED, AGAIN };
enum { TEXT_BYTES = 100 * 1000, BYTES = 256, COUNTERS_MAX = 1000 };

/* ---------------------------------------------------------- counters ---- */

struct counter {
	tr_ref root;
	tr_blob text;
	unsigned answers;
	bool leaves; /* after some answers */
};

static int
counter_start(struct tr_self *self, void *state, const void *arg)
{
	const struct counter *told = arg;
	struct counter *c = state;
	int rc = tr_pg_join(self, "counters");

	*c = *told;
	return rc != TR_OK ? rc : tr_send(self, c->root, READY, NULL, 0);
}

/* The text is kept by taking a hold of it. */
static int
counter_keep(struct counter *c, const struct tr_msg *msg)
{
	tr_blob_drop(&c->text);
	c->text = tr_blob_ref(tr_msg_blob(msg));
	return TR_OK;
}

static int
counter_count(struct tr_self *self, struct counter *c, const struct tr_msg *msg)
{
	const unsigned char *byte = tr_data(msg, 1), *at;
	uint64_t found = 0;
	size_t i;

	if (byte == NULL)
		return tr_unhandled(self, msg);
	at = tr_blob_data(&c->text);
	for (i = 0; i < tr_blob_size(&c->text); i++)
		found += at[i] == *byte;
	if (++c->answers == 5 && c->leaves)
		(void)tr_exit(self, TR_NORMAL);
	return tr_reply(self, msg, COUNTED, &found, sizeof(found));
}

static int
counter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	switch (tr_tag(msg)) {
	case TEXT: return counter_keep(state, msg);
	case COUNT: return counter_count(self, state, msg);
	default: return tr_unhandled(self, msg);
	}
}

static void
counter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct counter *c = state;

	(void)self, (void)why;
	tr_blob_drop(&c->text);
}

static const struct tr_behavior counter = {
	.name = "counter",
	.state_size = sizeof(struct counter),
	.arg_size = sizeof(struct counter),
	.start = counter_start,
	.receive = counter_receive,
	.stop = counter_stop,
};

/* -------------------------------------------------------------- root ---- */

struct root {
	unsigned counters, ready, open, again;
	tr_ref router;
	uint64_t sum;
};

static int
root_counted(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	unsigned char byte = (unsigned char)cookie;
	const uint64_t *found =
	    outcome == TR_OK ? tr_data(answer, sizeof(*found)) : NULL;
	struct root *r = state;

	if (outcome == TR_EDEAD) { /* the counter left before it got to it */
		r->again++;
		return tr_send(self, tr_self_ref(self), AGAIN, &byte, 1);
	}
	if (found == NULL)
		return tr_fail(self, outcome, "byte %u", byte);
	r->sum += *found;
	if (--r->open > 0)
		return TR_OK;
	printf("%u counters, one left early: %llu bytes counted, %u asked "
	       "again\n",
	    r->counters, (unsigned long long)r->sum, r->again);
	return r->sum == TEXT_BYTES ? tr_exit(self, TR_NORMAL) :
				      tr_fail(self, TR_EINVAL, "bytes lost");
}

static int
root_ask(struct tr_self *self, struct root *r, unsigned char byte)
{
	return tr_ask(self, r->router, COUNT, &byte, 1,
		   tr_in(self, TR_SECONDS(30)), root_counted, byte) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static int
root_send_text(struct tr_self *self)
{
	size_t reached, i;
	unsigned char *at;
	tr_blob text;
	int rc;

	at = tr_blob_alloc(tr_system_of(self), TEXT_BYTES, &text);
	if (at == NULL)
		return TR_ENOMEM;
	for (i = 0; i < TEXT_BYTES; i++)
		at[i] = (unsigned char)(i * i / 7);
	rc = tr_pg_send_blob(self, "counters", TEXT, &text, &reached);
	tr_blob_drop(&text);
	printf("one text of %d bytes for %zu counters\n", TEXT_BYTES, reached);
	return rc;
}

/* All counters have joined: the text first, then the questions. */
static int
root_begin(struct tr_self *self, struct root *r)
{
	int rc = root_send_text(self);

	for (r->open = 0; rc == TR_OK && r->open < BYTES; r->open++)
		rc = root_ask(self, r, (unsigned char)r->open);
	return rc;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const unsigned char *byte = tr_data(msg, 1);
	struct root *r = state;

	if (tr_tag(msg) == AGAIN && byte != NULL)
		return root_ask(self, r, *byte);
	if (tr_tag(msg) != READY)
		return tr_unhandled(self, msg);
	return ++r->ready < r->counters ? TR_OK : root_begin(self, r);
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct counter told = { .root = tr_self_ref(self) };
	struct root *r = state;
	unsigned i;

	r->counters = *(const unsigned *)arg;
	r->router = tr_router_spawn(self,
	    &(struct tr_router_options){
		.strategy = TR_ROUTE_LEAST_LOADED,
		.group = "counters",
	    });
	if (!tr_ref_valid(r->router))
		return TR_ENOMEM;
	for (i = 0; i < r->counters; i++) {
		told.leaves = i == 1;
		if (!tr_ref_valid(tr_spawn(self, &counter, &told, NULL)))
			return TR_ENOMEM;
	}
	return TR_OK;
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(unsigned),
	.start = root_start,
	.receive = root_receive,
};

int
main(int argc, char **argv)
{
	unsigned counters = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4;

	if (counters < 2 || counters > COUNTERS_MAX) {
		fprintf(stderr, "usage: pool [COUNTERS, 2 to %d]\n",
		    COUNTERS_MAX);
		return 2;
	}
	return tr_run(&root, &counters, NULL) == TR_OK ? 0 : 1;
}
