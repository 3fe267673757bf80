/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending: order, sizes, limits, and receivers that are not there.  Owned
 * messages and their drop functions are in actors_own.c.
 */
#include "kit.h"

enum { DATA, ASKED, ANSWER, DONE, POISON, GO };

/* ------------------------------------------------------------ order --- */

enum { ORDERED = 20000 };

struct order {
	tr_ref sink;
	uint64_t next; /* what the sink expects */
	int wrong;
	uint64_t seed;
	int answers;
};

static int
order_sink_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct order *o = kit_ctx(state);

	if (kit_u64(msg) != o->next)
		o->wrong++;
	o->next++;
	if (tr_tag(msg) == ASKED)
		return tr_reply(self, msg, ANSWER, NULL, 0);
	if (tr_tag(msg) == DONE)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior order_sink = {
	.name = "sink",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = order_sink_receive,
};

static int
order_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct order *o = kit_ctx(state);

	(void)self;
	(void)answer;
	(void)cookie;
	if (outcome == TR_OK)
		o->answers++;
	return TR_OK;
}

/* Send number `i` in a way that chance picks. */
static int
order_send(struct tr_self *self, struct order *o, uint64_t i)
{
	struct tr_msg *msg;

	switch (kit_below(&o->seed, 5)) {
	case 0: return tr_send(self, o->sink, DATA, &i, sizeof(i));
	case 1: return tr_try_send(self, o->sink, DATA, &i, sizeof(i));
	case 2:
		return tr_ask(self, o->sink, ASKED, &i, sizeof(i), tr_forever(),
			   order_answer, 0) == 0 ?
		    TR_ENOMEM :
		    TR_OK;
	case 3: msg = tr_msg_new(self, DATA, 300, NULL); break;
	default: msg = tr_msg_new(self, DATA, sizeof(i), NULL);
	}
	if (msg == NULL)
		return TR_ENOMEM;
	memcpy(tr_msg_data(msg), &i, sizeof(i));
	return tr_send_msg(self, o->sink, &msg);
}

/* Bursts, so that the sink's mailbox is at times empty and at times long. */
static int
order_root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct order *o = kit_ctx(state);
	uint64_t i = kit_u64(msg), burst;
	int rc = TR_OK;

	burst = i + 1 + kit_below(&o->seed, i % 3 == 0 ? 300 : 3);
	for (; i < burst && i < TEST_SCALE(ORDERED) && rc == TR_OK; i++)
		rc = order_send(self, o, i);
	if (rc != TR_OK)
		return rc;
	if (i == TEST_SCALE(ORDERED))
		return tr_send(self, o->sink, DONE, &i, sizeof(i));
	return tr_send(self, tr_self_ref(self), GO, &i, sizeof(i));
}

static int
order_root_start(struct tr_self *self, void *state, const void *arg)
{
	struct order *o;
	uint64_t zero = 0;

	(void)kit_start_ctx(self, state, arg);
	o = kit_ctx(state);
	o->sink = tr_spawn(self, &order_sink, o,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = tr_system_workers(tr_system_of(self)) - 1 });
	return tr_send(self, tr_self_ref(self), GO, &zero, sizeof(zero));
}

static const struct tr_behavior order_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = order_root_start,
	.receive = order_root_receive,
};

static void
all_ways_of_sending_keep_one_order(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct order o = { .seed = workers };

		kit_play(&k, workers, &order_root, &o);
		assert_int_equal(o.next, TEST_SCALE(ORDERED) + 1);
		assert_int_equal(o.wrong, 0);
	}
}

/* ------------------------------------------------------------ sizes --- */

enum { LARGEST = 70000 };

struct sizes {
	unsigned char pattern[LARGEST];
	int wrong, unaligned, shape, received, expected;
};

static struct sizes sizes;

static int
size_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const size_t size = tr_size(msg);
	const unsigned char *data = tr_data(msg, size);

	(void)state;
	if (data == NULL || tr_data(msg, 0) != data ||
	    tr_data(msg, size + 1) != NULL || tr_tag(msg) != (uint32_t)size)
		sizes.shape++;
	else if (size != 0 && memcmp(data, sizes.pattern, size) != 0)
		sizes.wrong++;
	if ((uintptr_t)data % 16 != 0)
		sizes.unaligned++;
	if (++sizes.received == sizes.expected)
		return kit_finish(self);
	return TR_OK;
}

static const struct tr_behavior size_sink = {
	.name = "sink",
	.receive = size_receive,
};

/* Each size as a send, and as a message built in place. */
static void
size_send(struct tr_self *self, tr_ref to, size_t size)
{
	struct tr_msg *msg = tr_msg_new(self, (uint32_t)size, size, NULL);

	(void)tr_send(self, to, (uint32_t)size,
	    size == 0 ? NULL : sizes.pattern, size);
	memcpy(tr_msg_data(msg), sizes.pattern, size);
	if ((uintptr_t)tr_msg_data(msg) % 16 != 0)
		sizes.unaligned++;
	(void)tr_send_msg(self, to, &msg);
	sizes.expected += 2;
}

static int
size_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref sink;

	(void)state;
	(void)arg;
	sizes.expected = 1;
	sink = tr_spawn(self, &size_sink, NULL, NULL);
	for (size_t size = 0; size <= 600; size++)
		size_send(self, sink, size);
	for (size_t size = 512; size <= 65536; size *= 2)
		for (size_t near = size - 17; near <= size + 17; near++)
			size_send(self, sink, near);
	/* The last one; counted before it is sent. */
	(void)tr_send(self, sink, LARGEST, sizes.pattern, LARGEST);
	return TR_OK;
}

static const struct tr_behavior size_root = {
	.name = "root",
	.start = size_start,
	.receive = kit_ignore,
};

static void
payloads_of_all_sizes_arrive_whole_and_aligned(void **unused)
{
	uint64_t seed = 1;
	struct kit k;

	(void)unused;
	memset(&sizes, 0, sizeof(sizes));
	for (size_t i = 0; i < LARGEST; i++)
		sizes.pattern[i] = (unsigned char)kit_random(&seed);
	kit_play(&k, 1, &size_root, NULL);
	assert_int_equal(sizes.received, sizes.expected);
	assert_int_equal(sizes.shape, 0);
	assert_int_equal(sizes.wrong, 0);
	assert_int_equal(sizes.unaligned, 0);
}

/* ------------------------------------------------------------ limit --- */

enum { LIMIT = 4096 };

struct limit {
	char data[LIMIT + 1];
	int send_at, send_over, try_at, try_over, reply_over, reply_at;
	int outcomes, outcome, received;
	tr_ask_id ask_over;
	bool msg_at, msg_over;
	size_t answer;
};

static int
limit_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct limit *l = kit_ctx(state);

	l->received++;
	if (tr_tag(msg) != ASKED)
		return TR_OK;
	l->reply_over = tr_reply(self, msg, ANSWER, l->data, LIMIT + 1);
	l->reply_at = tr_reply(self, msg, ANSWER, l->data, LIMIT);
	return TR_OK;
}

static const struct tr_behavior limit_sink = {
	.name = "sink",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = limit_receive,
};

static int
limit_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct limit *l = kit_ctx(state);

	(void)cookie;
	l->outcomes++;
	l->outcome = outcome;
	if (outcome == TR_OK)
		l->answer = tr_size(answer);
	return kit_finish(self);
}

static int
limit_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref sink = tr_spawn(self, &limit_sink, arg, NULL);
	struct tr_msg *at, *over;
	struct limit *l;

	(void)kit_start_ctx(self, state, arg);
	l = kit_ctx(state);
	l->send_at = tr_send(self, sink, DATA, l->data, LIMIT);
	l->send_over = tr_send(self, sink, DATA, l->data, LIMIT + 1);
	l->try_at = tr_try_send(self, sink, DATA, l->data, LIMIT);
	l->try_over = tr_try_send(self, sink, DATA, l->data, LIMIT + 1);
	at = tr_msg_new(self, DATA, LIMIT, NULL);
	over = tr_msg_new(self, DATA, LIMIT + 1, NULL);
	l->msg_at = at != NULL;
	l->msg_over = over != NULL;
	tr_msg_drop(&at);
	l->ask_over = tr_ask(self, sink, ASKED, l->data, LIMIT + 1,
	    tr_forever(), limit_answer, 0);
	if (tr_ask(self, sink, ASKED, l->data, LIMIT, tr_forever(),
		limit_answer, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static const struct tr_behavior limit_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = limit_start,
	.receive = kit_ignore,
};

static void
payloads_past_the_limit_are_refused(void **unused)
{
	static struct limit l;
	struct kit k;

	(void)unused;
	kit_new_with(&k,
	    (struct tr_options){ .workers = 1, .max_message_bytes = LIMIT });
	assert_int_equal(tr_post(k.sys, TR_REF_NONE, DATA, l.data, LIMIT + 1),
	    TR_EINVAL);
	(void)kit_root(&k, &limit_root, &l);
	kit_run(&k);
	assert_int_equal(l.send_at, TR_OK);
	assert_int_equal(l.send_over, TR_EINVAL);
	assert_int_equal(l.try_at, TR_OK);
	assert_int_equal(l.try_over, TR_EINVAL);
	assert_true(l.msg_at);
	assert_false(l.msg_over);
	assert_true(l.ask_over == 0);
	assert_int_equal(l.reply_over, TR_EINVAL);
	assert_int_equal(l.reply_at, TR_OK);
	assert_int_equal(l.outcomes, 1);
	assert_int_equal(l.outcome, TR_OK);
	assert_int_equal(l.answer, LIMIT);
	assert_int_equal(l.received, 3);
}

/* ------------------------------------------- self, senders, replies --- */

enum { SELVES = 50000 };

struct selves {
	uint64_t next;
	int wrong, senders;
};

/* Two sends for each message at first, then none: order shows at the end. */
static int
selves_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct selves *s = kit_ctx(state);
	uint64_t i = kit_u64(msg), child;

	if (i != s->next++)
		s->wrong++;
	if (!tr_ref_equal(tr_sender(msg), tr_self_ref(self)))
		s->senders++;
	for (child = 2 * i + 1; child <= 2 * i + 2; child++)
		if (child < TEST_SCALE(SELVES))
			(void)tr_send(self, tr_self_ref(self), DATA, &child,
			    sizeof(child));
	if (s->next == TEST_SCALE(SELVES))
		return kit_finish(self);
	return TR_OK;
}

static int
selves_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t zero = 0;

	(void)kit_start_ctx(self, state, arg);
	return tr_send(self, tr_self_ref(self), DATA, &zero, sizeof(zero));
}

static const struct tr_behavior selves_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = selves_start,
	.receive = selves_receive,
};

static void
sends_to_oneself_keep_order(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct selves s = { .next = 0 };

		kit_play(&k, workers, &selves_root, &s);
		assert_int_equal(s.next, TEST_SCALE(SELVES));
		assert_int_equal(s.wrong, 0);
		assert_int_equal(s.senders, 0);
	}
}

struct replies {
	tr_ref root, child;
	int answers, strangers, first, second, error, orphan;
};

static int
replier_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct replies *r = kit_ctx(state);

	if (tr_tag(msg) == POISON) {
		r->orphan = tr_reply(self, msg, POISON, NULL, 0);
		return tr_send(self, r->root, DONE, NULL, 0);
	}
	if (!tr_ref_equal(tr_sender(msg), r->root))
		r->strangers++;
	r->first = tr_reply(self, msg, ANSWER, NULL, 0);
	r->second = tr_reply(self, msg, ANSWER, NULL, 0);
	r->error = tr_reply_error(self, msg, TR_EINVAL);
	return tr_post(tr_system_of(self), tr_self_ref(self), POISON, NULL, 0);
}

static const struct tr_behavior replier = {
	.name = "replier",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = replier_receive,
};

static int
replies_start(struct tr_self *self, void *state, const void *arg)
{
	struct replies *r;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	r->root = tr_self_ref(self);
	r->child = tr_spawn(self, &replier, r, NULL);
	return tr_send(self, r->child, DATA, NULL, 0);
}

static int
replies_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct replies *r = kit_ctx(state);

	if (!tr_ref_equal(tr_sender(msg), r->child))
		r->strangers++;
	if (tr_tag(msg) == DONE)
		return kit_finish(self);
	r->answers++;
	return TR_OK;
}

static const struct tr_behavior replies_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = replies_start,
	.receive = replies_receive,
};

static void
replies_to_a_plain_message_are_messages_to_its_sender(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct replies r = { .answers = 0 };

		kit_play(&k, workers, &replies_root, &r);
		assert_int_equal(r.answers, 2);
		assert_int_equal(r.strangers, 0);
		assert_int_equal(r.first, TR_OK);
		assert_int_equal(r.second, TR_OK);
		assert_int_equal(r.error, TR_OK);
		/* A post has no sender who could be answered. */
		assert_int_equal(r.orphan, TR_OK);
		assert_int_equal(kit_letters(&k, TR_DEAD_NO_SENDER, POISON), 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(all_ways_of_sending_keep_one_order),
		KIT_TEST(payloads_of_all_sizes_arrive_whole_and_aligned),
		KIT_TEST(payloads_past_the_limit_are_refused),
		KIT_TEST(sends_to_oneself_keep_order),
		KIT_TEST(replies_to_a_plain_message_are_messages_to_its_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
