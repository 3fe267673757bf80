/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blobs: bytes that many hold, and the messages that carry them.
 */
#include "actors/system.h"
#include "kit.h"

enum { PAGE, DONE, REQUEST, ANSWER, LOST };

/* How often wrapped memory was given back. */
struct freed {
	atomic_int calls;
	void *data;
	size_t size;
};

static void
free_counted(void *data, size_t size, void *ctx)
{
	struct freed *f = ctx;

	f->data = data;
	f->size = size;
	atomic_fetch_add(&f->calls, 1);
}

/* The same for several blobs, given back on several threads. */
static void
free_only_counted(void *data, size_t size, void *ctx)
{
	struct freed *f = ctx;

	(void)data;
	(void)size;
	atomic_fetch_add(&f->calls, 1);
}

/* A system that is only there for its memory. */
static struct tr_system *
idle_system(void)
{
	struct tr_system *sys;

	assert_int_equal(tr_system_new(&sys,
			     &(struct tr_options){ .workers = 1 }),
	    TR_OK);
	return sys;
}

/* ------------------------------------------------------------- bytes --- */

static void
a_blob_has_the_bytes_it_was_made_of(void **unused)
{
	struct tr_system *sys = idle_system();
	char text[] = "to be or not to be", *room;
	tr_blob copied, filled, empty;

	(void)unused;
	assert_int_equal(tr_blob_new(sys, text, sizeof(text), &copied), TR_OK);
	text[0] = 'X';
	assert_int_equal(tr_blob_size(&copied), sizeof(text));
	assert_string_equal(tr_blob_data(&copied), "to be or not to be");
	assert_int_equal((uintptr_t)tr_blob_data(&copied) % 16, 0);

	room = tr_blob_alloc(sys, sizeof(text), &filled);
	assert_non_null(room);
	assert_ptr_equal(room, tr_blob_data(&filled));
	assert_int_equal((uintptr_t)room % 16, 0);
	memcpy(room, text, sizeof(text));
	assert_false(tr_blob_equal(&copied, &filled));
	room[0] = 't';
	assert_true(tr_blob_equal(&copied, &filled));

	assert_int_equal(tr_blob_new(sys, NULL, 0, &empty), TR_OK);
	assert_int_equal(tr_blob_size(&empty), 0);
	assert_null(tr_blob_data(&empty));
	assert_false(tr_blob_equal(&empty, &filled));
	tr_blob_drop(&empty);
	tr_blob_drop(NULL);
	tr_blob_drop(&copied);
	assert_int_equal(tr_blob_size(&copied), 0);
	tr_blob_drop(&copied);
	tr_blob_drop(&filled);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

static void
sizes_beyond_the_limit_are_refused(void **unused)
{
	struct tr_system *sys = idle_system();
	struct freed f = { .calls = 0 };
	tr_blob b = { .size = 1 };
	char byte = 0;

	(void)unused;
	assert_int_equal(tr_blob_new(sys, &byte, SIZE_MAX, &b), TR_EINVAL);
	assert_int_equal(b.size, 0);
	assert_int_equal(tr_blob_new(sys, &byte, (size_t)UINT32_MAX + 1, &b),
	    TR_EINVAL);
	assert_null(tr_blob_alloc(sys, 0, &b));
	assert_null(tr_blob_alloc(sys, (size_t)UINT32_MAX + 1, &b));
	assert_int_equal(tr_blob_wrap(sys, &byte, SIZE_MAX, free_counted, &f,
			     &b),
	    TR_EINVAL);
	assert_int_equal(tr_blob_wrap(sys, NULL, 1, free_counted, &f, &b),
	    TR_EINVAL);
	assert_int_equal(f.calls, 0);
	assert_int_equal(tr_blob_wrap(sys, &byte, 0, free_counted, &f, &b),
	    TR_OK);
	assert_int_equal(f.calls, 1);
	assert_int_equal(tr_blob_size(&b), 0);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

static void
slices_lie_inside_and_keep_the_whole(void **unused)
{
	struct tr_system *sys = idle_system();
	static char text[] = "0123456789";
	struct freed f = { .calls = 0 };
	tr_blob whole, middle, inner, none, all;

	(void)unused;
	assert_int_equal(tr_blob_wrap(sys, text, 10, free_counted, &f, &whole),
	    TR_OK);
	assert_ptr_equal(tr_blob_data(&whole), text);
	assert_int_equal(tr_blob_slice(&whole, 2, 6, &middle), TR_OK);
	assert_ptr_equal(tr_blob_data(&middle), text + 2);
	assert_int_equal(tr_blob_size(&middle), 6);
	assert_int_equal(tr_blob_slice(&middle, 1, 5, &inner), TR_OK);
	assert_ptr_equal(tr_blob_data(&inner), text + 3);
	assert_int_equal(tr_blob_size(&inner), 5);

	assert_int_equal(tr_blob_slice(&middle, 1, 6, &none), TR_EINVAL);
	assert_int_equal(tr_blob_slice(&middle, 7, 0, &none), TR_EINVAL);
	assert_int_equal(tr_blob_slice(&middle, SIZE_MAX, 2, &none), TR_EINVAL);
	assert_int_equal(tr_blob_slice(&middle, 2, SIZE_MAX, &none), TR_EINVAL);
	assert_null(none.bytes);
	assert_int_equal(tr_blob_slice(&middle, 6, 0, &none), TR_OK);
	assert_null(none.bytes);
	assert_int_equal(tr_blob_slice(&whole, 0, 10, &all), TR_OK);
	assert_true(tr_blob_equal(&whole, &all));

	tr_blob_drop(&whole);
	tr_blob_drop(&middle);
	tr_blob_drop(&all);
	assert_int_equal(f.calls, 0);
	assert_memory_equal(tr_blob_data(&inner), "34567", 5);
	tr_blob_drop(&inner);
	assert_int_equal(f.calls, 1);
	assert_ptr_equal(f.data, text);
	assert_int_equal(f.size, 10);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

static void
a_blob_outlives_its_system(void **unused)
{
	struct tr_system *sys = idle_system();
	static char text[] = "still there";
	struct freed f = { .calls = 0 };
	tr_blob own, wrapped, second;

	(void)unused;
	assert_int_equal(tr_blob_new(sys, text, sizeof(text), &own), TR_OK);
	assert_int_equal(tr_blob_wrap(sys, text, sizeof(text), free_counted, &f,
			     &wrapped),
	    TR_OK);
	assert_int_equal(tr_system_free(sys), TR_OK);
	assert_true(tr_blob_equal(&own, &wrapped));
	second = tr_blob_ref(&wrapped);
	tr_blob_drop(&own);
	tr_blob_drop(&wrapped);
	assert_int_equal(f.calls, 0);
	tr_blob_drop(&second);
	assert_int_equal(f.calls, 1);
}

/* The program's allocator, which has to outlive the blobs, not the system. */
struct lender {
	int lent;
};

static void *
lend(void *ctx, size_t size, size_t align)
{
	struct lender *l = ctx;
	void *p = NULL;

	if (posix_memalign(&p, align, size) != 0)
		return NULL;
	l->lent++;
	return p;
}

static void
take_back(void *ctx, void *p)
{
	struct lender *l = ctx;

	l->lent--;
	free(p);
}

static void
a_blob_outlives_its_system_with_the_programs_allocator(void **unused)
{
	struct lender l = { .lent = 0 };
	struct tr_allocator allocator = { lend, take_back, &l };
	struct tr_options options = { .workers = 1, .allocator = &allocator };
	static char text[] = "still there";
	struct freed f = { .calls = 0 };
	struct tr_system *sys;
	tr_blob own, wrapped;

	(void)unused;
	assert_int_equal(tr_system_new(&sys, &options), TR_OK);
	memset(&allocator, 0, sizeof(allocator));
	assert_int_equal(tr_blob_new(sys, text, sizeof(text), &own), TR_OK);
	assert_int_equal(tr_blob_wrap(sys, text, sizeof(text), free_counted, &f,
			     &wrapped),
	    TR_OK);
	assert_int_equal(tr_system_free(sys), TR_OK);
	assert_int_equal(l.lent, 2);
	assert_true(tr_blob_equal(&own, &wrapped));
	tr_blob_drop(&own);
	tr_blob_drop(&wrapped);
	assert_int_equal(f.calls, 1);
	assert_int_equal(l.lent, 0);
}

static void *
lend_nothing(void *ctx, size_t size)
{
	(void)ctx;
	(void)size;
	return NULL;
}

static void
without_memory_there_is_no_blob(void **unused)
{
	struct tr_system *sys = idle_system();
	struct tri_memory *memory = &sys->env->memory;
	void *(*alloc)(void *ctx, size_t size) = memory->alloc;
	struct freed f = { .calls = 0 };
	static char text[] = "text";
	tr_blob b;

	(void)unused;
	memory->alloc = lend_nothing;
	assert_int_equal(tr_blob_new(sys, text, sizeof(text), &b), TR_ENOMEM);
	assert_null(tr_blob_alloc(sys, sizeof(text), &b));
	assert_int_equal(tr_blob_wrap(sys, text, sizeof(text), free_counted, &f,
			     &b),
	    TR_ENOMEM);
	assert_null(b.bytes);
	assert_int_equal(f.calls, 0);
	memory->alloc = alloc;
	assert_int_equal(tr_blob_wrap(sys, text, sizeof(text), free_counted, &f,
			     &b),
	    TR_OK);
	tr_blob_drop(&b);
	assert_int_equal(f.calls, 1);
	assert_int_equal(tr_system_free(sys), TR_OK);
}

/* ------------------------------------------------------------ fan-out --- */

enum { READERS = 1000, KEEPERS = 10 };

/* What all readers of a test report to. */
static struct {
	char text[4096];
	struct freed freed;
	tr_ref root;
	atomic_int here, copies, early, done;
	tr_blob kept[KEEPERS];
} page;

static int
reader_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const tr_blob *b = tr_msg_blob(msg);
	int n = atomic_fetch_add(&page.here, 1);

	(void)state;
	if (b == NULL || tr_blob_data(b) != page.text ||
	    tr_blob_size(b) != sizeof(page.text))
		atomic_fetch_add(&page.copies, 1);
	if (atomic_load(&page.freed.calls) != 0)
		atomic_fetch_add(&page.early, 1);
	if (b != NULL && n < KEEPERS)
		page.kept[n] = tr_blob_ref(b);
	if (n == READERS - 1)
		kit_tell(self, page.root, DONE);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior reader = {
	.name = "reader",
	.receive = reader_receive,
};

static int
fan_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref to[READERS];
	tr_blob b;

	(void)state;
	(void)arg;
	page.root = tr_self_ref(self);
	for (int i = 0; i < READERS; i++)
		to[i] = tr_spawn(self, &reader, NULL, NULL);
	if (tr_blob_wrap(tr_system_of(self), page.text, sizeof(page.text),
		free_counted, &page.freed, &b) != TR_OK)
		return TR_ENOMEM;
	for (int i = 0; i < READERS; i++)
		if (tr_send_blob(self, to[i], PAGE, &b) != TR_OK)
			return TR_ENOMEM;
	tr_blob_drop(&b);
	return TR_OK;
}

static int
fan_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return kit_finish(self);
}

static const struct tr_behavior fan = {
	.name = "fan",
	.start = fan_start,
	.receive = fan_receive,
};

/* The free function runs when the last of those who kept the page, here
 * another thread, has dropped it, and not before. */
static void *
drop_kept(void *arg)
{
	(void)arg;
	for (int i = 0; i < KEEPERS; i++)
		tr_blob_drop(&page.kept[i]);
	return NULL;
}

static void
a_thousand_actors_read_one_page_without_a_copy(void **unused)
{
	pthread_t thread;
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 8; workers *= 2) {
		memset(&page, 0, sizeof(page));
		kit_play(&k, workers, &fan, NULL);
		assert_int_equal(page.here, READERS);
		assert_int_equal(page.copies, 0);
		assert_int_equal(page.early, 0);
		assert_int_equal(page.freed.calls, 0);
		assert_int_equal(pthread_create(&thread, NULL, drop_kept, NULL),
		    0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(page.freed.calls, 1);
		assert_ptr_equal(page.freed.data, page.text);
	}
}

/* ------------------------------------------------- what is no blob --- */

static void
drop_nothing(void *payload, size_t size)
{
	(void)payload;
	(void)size;
}

struct disguise {
	tr_blob blob;
	int seen, taken_for_blob, carried;
	struct tr_msg *taken;
	bool taken_carries;
};

static int
disguise_start(struct tr_self *self, void *state, const void *arg)
{
	tr_ref me = tr_self_ref(self);
	struct disguise *d;
	struct tr_msg *m;

	(void)kit_start_ctx(self, state, arg);
	d = kit_ctx(state);
	if (tr_blob_new(tr_system_of(self), "x", 1, &d->blob) != TR_OK)
		return TR_ENOMEM;
	/* The bytes of a handle, as a plain payload and with a drop. */
	(void)tr_send(self, me, PAGE, &d->blob, sizeof(d->blob));
	m = tr_msg_new(self, PAGE, sizeof(d->blob), drop_nothing);
	if (m == NULL)
		return TR_ENOMEM;
	memcpy(tr_msg_data(m), &d->blob, sizeof(d->blob));
	(void)tr_send_msg(self, me, &m);
	kit_tell(self, me, PAGE);
	(void)tr_send_blob(self, me, ANSWER, &d->blob);
	return tr_send(self, me, DONE, NULL, 0);
}

static int
disguise_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct disguise *d = kit_ctx(state);

	switch (tr_tag(msg)) {
	case PAGE:
		d->seen++;
		d->taken_for_blob += tr_msg_blob(msg) != NULL;
		return TR_OK;
	case ANSWER:
		d->carried = tr_msg_blob(msg) != NULL &&
		    tr_blob_equal(tr_msg_blob(msg), &d->blob);
		d->taken = tr_take(self, msg);
		return TR_OK;
	default:
		tr_blob_drop(&d->blob);
		d->taken_carries = tr_blob_size(tr_msg_blob(d->taken)) == 1;
		tr_msg_drop(&d->taken);
		return kit_finish(self);
	}
}

static const struct tr_behavior disguise = {
	.name = "disguise",
	.state_size = sizeof(void *),
	.start = disguise_start,
	.receive = disguise_receive,
};

static void
only_a_message_that_was_sent_as_a_blob_carries_one(void **unused)
{
	struct disguise d = { .seen = 0 };
	struct kit k;

	(void)unused;
	assert_null(tr_msg_blob(NULL));
	kit_play(&k, 1, &disguise, &d);
	assert_int_equal(d.seen, 3);
	assert_int_equal(d.taken_for_blob, 0);
	assert_true(d.carried);
	assert_true(d.taken_carries);
}

/* ------------------------------------------------------------ answers --- */

struct answers {
	struct freed freed;
	tr_ref library;
	int plain, asked, later, second, no_sender, outcome[2];
};

static char book[] = "a long book";

static int
library_blob(struct tr_self *self, struct answers *a, tr_blob *b)
{
	return tr_blob_wrap(tr_system_of(self), book, sizeof(book),
	    free_only_counted, &a->freed, b);
}

struct library {
	struct answers *a;
	struct tr_msg *taken;
};

static int
library_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct library *l = state;
	tr_blob b, rest;
	int rc;

	if (tr_tag(msg) == LOST) { /* an ask for later */
		l->taken = tr_take(self, msg);
		return l->taken != NULL ? TR_OK : TR_ENOMEM;
	}
	if (library_blob(self, l->a, &b) != TR_OK ||
	    tr_blob_slice(&b, 2, 4, &rest) != TR_OK)
		return TR_ENOMEM;
	rc = tr_reply_blob(self, msg, ANSWER, &rest);
	if (tr_tag(msg) == REQUEST)
		l->a->second = tr_reply_blob(self, msg, ANSWER, &b);
	if (l->taken != NULL && rc == TR_OK)
		rc = tr_reply_blob(self, l->taken, ANSWER, &rest);
	tr_msg_drop(&l->taken);
	tr_blob_drop(&rest);
	tr_blob_drop(&b);
	return rc;
}

static const struct tr_behavior library = {
	.name = "library",
	.state_size = sizeof(struct library),
	.start = kit_start_ctx,
	.receive = library_receive,
};

static bool
is_answer(const struct tr_msg *msg)
{
	const tr_blob *b = tr_msg_blob(msg);

	return b != NULL && tr_tag(msg) == ANSWER && tr_blob_size(b) == 4 &&
	    tr_blob_data(b) == book + 2;
}

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct answers *a = kit_ctx(state);

	a->outcome[cookie] = outcome;
	if (cookie == 0)
		a->later = outcome == TR_OK && is_answer(answer);
	else
		a->asked = outcome == TR_OK && is_answer(answer);
	return cookie == 1 ? tr_send(self, a->library, PAGE, NULL, 0) : TR_OK;
}

static int
answers_start(struct tr_self *self, void *state, const void *arg)
{
	struct answers *a;
	int64_t soon = tr_in(self, TR_SECONDS(50));

	(void)kit_start_ctx(self, state, arg);
	a = kit_ctx(state);
	a->library = tr_spawn(self, &library, a, NULL);
	if (tr_ask(self, a->library, LOST, NULL, 0, soon, on_answer, 0) == 0 ||
	    tr_ask(self, a->library, REQUEST, NULL, 0, soon, on_answer, 1) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static int
answers_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct answers *a = kit_ctx(state);

	a->plain = is_answer(msg);
	/* From outside there is nobody to answer. */
	(void)tr_post(tr_system_of(self), a->library, PAGE, NULL, 0);
	return kit_finish(self);
}

static const struct tr_behavior answers = {
	.name = "answers",
	.state_size = sizeof(void *),
	.start = answers_start,
	.receive = answers_receive,
};

static void
asks_and_messages_are_answered_with_blobs(void **unused)
{
	struct kit k;

	(void)unused;
	for (unsigned workers = 1; workers <= 4; workers *= 2) {
		struct answers a = { .plain = 0 };

		kit_play(&k, workers, &answers, &a);
		assert_int_equal(a.outcome[0], TR_OK);
		assert_int_equal(a.outcome[1], TR_OK);
		assert_true(a.plain);
		assert_true(a.asked);
		assert_true(a.later);
		assert_int_equal(a.second, TR_EINVAL);
		assert_int_equal(k.stats.dead[TR_DEAD_NO_SENDER], 1);
		/* Three of the library's wraps, each given back once. */
		assert_int_equal(a.freed.calls, 3);
	}
}

/* ------------------------------------------------------- to the dead --- */

struct grave {
	struct freed freed;
	int sent, tried, dropped;
};

static int
grave_start(struct tr_self *self, void *state, const void *arg)
{
	struct grave *g;
	tr_blob b;

	(void)kit_start_ctx(self, state, arg);
	g = kit_ctx(state);
	if (tr_blob_wrap(tr_system_of(self), book, sizeof(book), free_counted,
		&g->freed, &b) != TR_OK)
		return TR_ENOMEM;
	g->sent = tr_send_blob(self, TR_REF_NONE, LOST, &b);
	g->tried = tr_try_send_blob(self, TR_REF_NONE, LOST, &b);
	(void)tr_post_blob(tr_system_of(self), TR_REF_NONE, LOST, &b);
	/* In the mailbox of one that ends. */
	(void)tr_send_blob(self, tr_self_ref(self), LOST, &b);
	tr_blob_drop(&b);
	g->dropped = atomic_load(&g->freed.calls);
	(void)kit_finish(self);
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior grave = {
	.name = "grave",
	.state_size = sizeof(void *),
	.start = grave_start,
	.receive = kit_ignore,
};

static void
what_is_not_delivered_gives_its_hold_back(void **unused)
{
	struct grave g = { .sent = 1 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &grave, &g);
	assert_int_equal(g.sent, TR_OK);
	assert_int_equal(g.tried, TR_EDEAD);
	assert_int_equal(g.dropped, 0);
	assert_int_equal(g.freed.calls, 1);
	assert_int_equal(k.stats.dead[TR_DEAD_NO_ACTOR], 2);
	assert_int_equal(k.stats.dead[TR_DEAD_CLOSED], 1);
}

/* ------------------------------------------------------- from outside --- */

static sem_t heard;
static atomic_int heard_right;

static int
listener_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const tr_blob *b = tr_msg_blob(msg);

	(void)self;
	(void)state;
	if (b != NULL && tr_blob_data(b) == book &&
	    !tr_ref_valid(tr_sender(msg)))
		atomic_fetch_add(&heard_right, 1);
	sem_post(&heard);
	return TR_OK;
}

static const struct tr_behavior listener = {
	.name = "listener",
	.receive = listener_receive,
};

static void
blobs_are_posted_from_other_threads(void **unused)
{
	struct freed f = { .calls = 0 };
	struct kit k;
	tr_ref to;
	tr_blob b;

	(void)unused;
	heard_right = 0;
	sem_init(&heard, 0, 0);
	kit_new(&k, 2);
	to = tr_system_spawn(k.sys, &listener, NULL, NULL);
	assert_int_equal(tr_blob_wrap(k.sys, book, sizeof(book), free_counted,
			     &f, &b),
	    TR_OK);
	kit_begin(&k);
	for (int i = 0; i < 100; i++)
		assert_int_equal(tr_post_blob(k.sys, to, PAGE, &b), TR_OK);
	for (int i = 0; i < 100; i++)
		kit_await(&heard);
	assert_int_equal(heard_right, 100);
	assert_int_equal(tr_system_stop(k.sys, tr_forever()), TR_OK);
	assert_int_equal(tr_post_blob(k.sys, to, PAGE, &b), TR_ESTOPPING);
	kit_stop(&k);
	assert_int_equal(f.calls, 0);
	tr_blob_drop(&b);
	assert_int_equal(f.calls, 1);
	sem_destroy(&heard);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_blob_has_the_bytes_it_was_made_of),
		KIT_TEST(sizes_beyond_the_limit_are_refused),
		KIT_TEST(slices_lie_inside_and_keep_the_whole),
		KIT_TEST(a_blob_outlives_its_system),
		KIT_TEST(
		    a_blob_outlives_its_system_with_the_programs_allocator),
		KIT_TEST(without_memory_there_is_no_blob),
		KIT_TEST(a_thousand_actors_read_one_page_without_a_copy),
		KIT_TEST(only_a_message_that_was_sent_as_a_blob_carries_one),
		KIT_TEST(asks_and_messages_are_answered_with_blobs),
		KIT_TEST(what_is_not_delivered_gives_its_hold_back),
		KIT_TEST(blobs_are_posted_from_other_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
