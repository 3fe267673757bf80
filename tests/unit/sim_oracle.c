/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The oracles find what they are there for: each test plants one violation, in
 * the program or in the runtime's insides.
 */
#include <troupe/sim.h>

#include "actors/send.h"
#include "kit.h"
#include "scale.h"

enum { GO = 1 };

/* It has to fail with a text that has this in it, for every seed. */
static void
found(tr_sim_fn *fn, const char *why)
{
	struct tr_sim_result r;
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++) {
		assert_int_equal(tr_sim_run(seed, NULL, fn, NULL, &r), TR_OK);
		assert_true(r.failed);
		if (strstr(r.why, why) == NULL)
			fail_msg("seed %" PRIu64 ": %s", seed, r.why);
	}
}

static struct tr_self *
cell_of(struct tr_sim *sim, tr_ref ref)
{
	return tri_cell(tr_sim_system(sim), tri_ref_slot(ref));
}

/* All sleep, and nobody is told of what is in the queues. */
static void
queue(struct tr_sim *sim, tr_ref ref, unsigned worker)
{
	tri_runq_push_back(&tri_crew_at(tr_sim_system(sim), worker)->worker.q,
	    tri_word_of(cell_of(sim, ref), TRI_KIND_ACTOR));
}

static void
queue_twice(struct tr_sim *sim, void *arg)
{
	tr_ref ref = tr_sim_spawn(sim, &kit_idler, NULL);

	(void)arg;
	tr_sim_run_for(sim, TR_SECONDS(5));
	queue(sim, ref, 0);
	queue(sim, ref, tr_system_workers(tr_sim_system(sim)) - 1);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
two_workers_on_one_actor_are_found(void **unused)
{
	(void)unused;
	found(queue_twice, "two workers could run idler #");
}

static void
lose_a_wakeup(struct tr_sim *sim, void *arg)
{
	tr_ref ref = tr_sim_spawn(sim, &kit_idler, NULL);
	struct tr_self *a = cell_of(sim, ref);

	(void)arg;
	/* Scheduled, says its mailbox, but nobody has it. */
	tri_store_relaxed(&a->inlet.head, (uint64_t)TRI_INLET_RUNNING);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
lost_actor_is_found(void **unused)
{
	(void)unused;
	found(lose_a_wakeup, "idler #");
	found(lose_a_wakeup, "has messages, and no worker has it");
}

static void
queue_an_idle_one(struct tr_sim *sim, void *arg)
{
	tr_ref ref = tr_sim_spawn(sim, &kit_idler, NULL);

	(void)arg;
	tr_sim_run_for(sim, TR_SECONDS(5));
	queue(sim, ref, 0);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
idle_actor_in_a_queue_is_found(void **unused)
{
	(void)unused;
	found(queue_an_idle_one, "is in a queue, and its mailbox says idle");
}

static void
misname(struct tr_sim *sim, void *arg)
{
	struct tr_system *sys = tr_sim_system(sim);
	struct tr_probe *p = tr_probe_new(sim, "somebody");
	struct tri_name *name =
	    tri_cold(sys, cell_of(sim, tr_probe_ref(p)))->names;

	(void)arg;
	name->ref = tri_ref_make(4000, 1);
	tr_sim_run_for(sim, TR_SECONDS(1));
}

static void
name_of_nobody_is_found(void **unused)
{
	(void)unused;
	found(misname, "the name somebody is that of an actor that has ended");
}

/* What the runtime would tell of a message. */
static void
tell(struct tr_sim *sim, enum tri_event event, tr_ref ref, struct tr_msg *m,
    uint64_t value)
{
	tri_seen(tr_sim_system(sim), event, ref, m, value, 0);
}

static void
lie_twice(struct tr_sim *sim, void *arg)
{
	struct tr_msg m = { .tag = 7 };
	enum tri_event event = *(const enum tri_event *)arg;
	tr_ref ref = tr_sim_spawn(sim, &kit_idler, NULL);

	if (event == TRI_EVENT_TAKEN)
		tell(sim, TRI_EVENT_SENT, ref, &m, 0);
	if (event == TRI_EVENT_DROP)
		tell(sim, TRI_EVENT_MADE, ref, &m, 0);
	if (event == TRI_EVENT_OUTCOME)
		tell(sim, TRI_EVENT_ASKED, ref, &m, 5);
	tell(sim, event, ref, &m, 5);
	tell(sim, event, ref, &m, 5);
}

static void
lies(enum tri_event event, const char *why)
{
	struct tr_sim_result r;

	assert_int_equal(tr_sim_run(1, NULL, lie_twice, &event, &r), TR_OK);
	assert_true(r.failed);
	assert_string_equal(r.why, why);
}

static void
what_happens_twice_is_found(void **unused)
{
	(void)unused;
	lies(TRI_EVENT_SENT, "a message is in two mailboxes (tag 7)");
	lies(TRI_EVENT_TAKEN, "a message was taken twice (tag 7)");
	lies(TRI_EVENT_DROP, "a drop function runs twice (tag 7)");
	lies(TRI_EVENT_ASKED, "two asks have one name");
	lies(TRI_EVENT_OUTCOME, "an ask ended twice");
	lies(TRI_EVENT_SPAWNED, "two actors have one reference");
	lies(TRI_EVENT_STOPPING, "stop() runs a second time");
	lies(TRI_EVENT_ENDED, "an actor ended that was not stopped");
}

/* ------------------------------------------------- monitors and links --- */

/* What is told of a bond that `lie` is not true of. */
struct bond_lie {
	enum tri_event first, then; /* of 5, or with a probe */
	int code;
	const char *why;
};

static void
lie_of_a_bond(struct tr_sim *sim, void *arg)
{
	const struct tr_system *sys = tr_sim_system(sim);
	const struct bond_lie *lie = arg;
	tr_ref one = tr_sim_spawn(sim, &kit_idler, NULL);
	tr_ref two = tr_sim_spawn(sim, &kit_idler, NULL);
	uint64_t what = 5;

	if (lie->first >= TRI_EVENT_LINKED)
		what = two.bits;
	/* Those who watch are nobody here: no actor runs. */
	tri_seen(sys, lie->first, lie->first == TRI_EVENT_WATCHED ? two : one,
	    NULL, what, 0);
	tri_seen(sys, lie->then,
	    lie->then == TRI_EVENT_WATCHED   ? two :
		lie->then < TRI_EVENT_LINKED ? TR_REF_NONE :
					       one,
	    NULL, what, lie->code);
}

static void
bonds_that_begin_or_end_twice_are_found(void **unused)
{
	static const struct bond_lie lies[] = {
		{ TRI_EVENT_WATCHED, TRI_EVENT_WATCHED, 0,
		    "two monitors have one name" },
		{ TRI_EVENT_DOWN, TRI_EVENT_DOWN, 0,
		    "a monitor that was over brings a DOWN" },
		{ TRI_EVENT_UNWATCHED, TRI_EVENT_DOWN, 0,
		    "a monitor that was over ends again" },
		{ TRI_EVENT_WATCHED, TRI_EVENT_DOWN, TR_NOPROC,
		    "that is not so" },
		{ TRI_EVENT_WATCHED, TRI_EVENT_DOWN, TR_NORMAL,
		    "that is not so" },
		{ TRI_EVENT_LINKED, TRI_EVENT_LINKED, 0,
		    "two links between the same two actors" },
		{ TRI_EVENT_EXIT, TRI_EVENT_EXIT, 0,
		    "a link that was over brings an EXIT" },
		{ TRI_EVENT_UNLINKED, TRI_EVENT_EXIT, 0,
		    "a link that was over ends again" },
		{ TRI_EVENT_LINKED, TRI_EVENT_EXIT, -7, "that is not so" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct bond_lie lie = lies[i];
		struct tr_sim_result r;

		assert_int_equal(tr_sim_run(1, NULL, lie_of_a_bond, &lie, &r),
		    TR_OK);
		assert_true(r.failed);
		if (strstr(r.why, lie.why) == NULL)
			fail_msg("%s: %s", lie.why, r.why);
	}
}

static void
watch_without_a_word(struct tr_sim *sim, void *arg)
{
	(void)arg;
	tri_seen(tr_sim_system(sim), TRI_EVENT_WATCHED, tri_ref_make(4000, 1),
	    NULL, 5, 0);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
link_on_one_side(struct tr_sim *sim, void *arg)
{
	tr_ref one = tr_sim_spawn(sim, &kit_idler, NULL);
	tr_ref two = tr_sim_spawn(sim, &kit_idler, NULL);

	(void)arg;
	tri_seen(tr_sim_system(sim), TRI_EVENT_LINKED, one, NULL, two.bits, 0);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
link_with_nobody(struct tr_sim *sim, void *arg)
{
	tr_ref one = tr_sim_spawn(sim, &kit_idler, NULL);

	(void)arg;
	tri_seen(tr_sim_system(sim), TRI_EVENT_LINKED, one, NULL,
	    tri_ref_make(4000, 1).bits, 0);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
link_until_the_end(struct tr_sim *sim, void *arg)
{
	(void)arg;
	tri_seen(tr_sim_system(sim), TRI_EVENT_LINKED,
	    tr_sim_spawn(sim, &kit_idler, NULL), NULL, 7, 0);
}

static void
bonds_that_do_not_end_are_found(void **unused)
{
	(void)unused;
	found(watch_without_a_word, "it rests, and a monitor on ");
	found(link_on_one_side, " has one side");
	found(link_with_nobody, "it rests, and a link with ");
	found(link_until_the_end, "left at the end: 0 monitors, 1 sides");
}

/* -------------------------------------------------------------- order --- */

/* Sent by an actor in this order, and told to be taken in the other. */
static int
swapper_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_system *sys = tr_system_of(self);
	struct tr_msg one = { .tag = 1 }, two = { .tag = 2 };
	tr_ref to = tr_self_ref(self);

	(void)state;
	(void)msg;
	tri_seen(sys, TRI_EVENT_SENT, to, &one, 0, 0);
	tri_seen(sys, TRI_EVENT_SENT, to, &two, 0, 0);
	tri_seen(sys, TRI_EVENT_TAKEN, to, &two, 1, 0);
	tri_seen(sys, TRI_EVENT_TAKEN, to, &one, 1, 0);
	return TR_OK;
}

static const struct tr_behavior swapper = { .receive = swapper_receive };

static void
swap(struct tr_sim *sim, void *arg)
{
	(void)arg;
	tr_probe_send(tr_probe_new(sim, NULL),
	    tr_sim_spawn(sim, &swapper, NULL), GO, NULL, 0);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
wrong_order_is_found(void **unused)
{
	(void)unused;
	found(swap, "messages were taken out of order (tag 1)");
}

/* ------------------------------------------------ errors of the program -- */

static int
hoard_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	*(struct tr_msg **)state = tr_take(self, msg);
	return TR_OK;
}

static const struct tr_behavior hoard = {
	.state_size = sizeof(struct tr_msg *),
	.receive = hoard_receive,
};

static int
asker_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)outcome;
	(void)answer;
	(void)cookie;
	return TR_OK;
}

static int
asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_ask(self, *(const tr_ref *)tr_data(msg, sizeof(tr_ref)), GO,
		   NULL, 0, tr_forever(), asker_answered, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static const struct tr_behavior asker = { .receive = asker_receive };

static void
ask_for_ever(struct tr_sim *sim, void *arg)
{
	tr_ref to = tr_sim_spawn(sim, &hoard, NULL);

	(void)arg;
	tr_probe_send(tr_probe_new(sim, NULL), tr_sim_spawn(sim, &asker, NULL),
	    GO, &to, sizeof(to));
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
ask_that_is_never_answered_is_found(void **unused)
{
	(void)unused;
	found(ask_for_ever, "it rests, and 1 asks have not ended");
}

static void
nothing_dropped(void *payload, size_t size)
{
	(void)payload;
	(void)size;
}

static int
leaker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tr_msg *m = tr_msg_new(self, GO, 8, nothing_dropped);

	(void)state;
	(void)msg;
	return m == NULL ? TR_ENOMEM : TR_OK;
}

static const struct tr_behavior leaker = { .receive = leaker_receive };

static void
leak_a_message(struct tr_sim *sim, void *arg)
{
	(void)arg;
	tr_probe_send(tr_probe_new(sim, NULL), tr_sim_spawn(sim, &leaker, NULL),
	    GO, NULL, 0);
	tr_sim_run_for(sim, TR_MS(1));
}

static void
leak_a_blob(struct tr_sim *sim, void *arg)
{
	tr_blob blob;

	(void)arg;
	tr_sim_check(sim,
	    tr_blob_new(tr_sim_system(sim), "x", 1, &blob) == TR_OK, "blob");
}

static void
what_is_not_given_back_is_found(void **unused)
{
	(void)unused;
	found(leak_a_message, "1 drop functions never ran");
	found(leak_a_blob, "1 blocks of memory were not given back");
}

static int
endless_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	(void)msg;
	return tr_send(self, tr_self_ref(self), GO, NULL, 0);
}

static const struct tr_behavior endless = { .receive = endless_receive };

static void
never_rest(struct tr_sim *sim, void *arg)
{
	(void)arg;
	tr_probe_send(tr_probe_new(sim, NULL),
	    tr_sim_spawn(sim, &endless, NULL), GO, NULL, 0);
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(1));
}

static void
endless_work_is_found(void **unused)
{
	struct tr_sim_options o = { .max_steps = TEST_SCALE(20000) };
	struct tr_sim_result r;

	(void)unused;
	assert_int_equal(tr_sim_run(1, &o, never_rest, NULL, &r), TR_OK);
	assert_true(r.failed);
	assert_non_null(strstr(r.why, "it does not end"));
}

static int
accuser_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)msg;
	tr_sim_check(*(struct tr_sim **)state, false, "seen by an actor");
	return TR_OK;
}

static const struct tr_behavior accuser = {
	.state_size = sizeof(struct tr_sim *),
	.start = kit_start_ctx,
	.receive = accuser_receive,
};

static void
accuse(struct tr_sim *sim, void *arg)
{
	(void)arg;
	tr_probe_send(tr_probe_new(sim, NULL), tr_sim_spawn(sim, &accuser, sim),
	    GO, NULL, 0);
	tr_sim_run_for(sim, TR_MS(1));
}

static void
actors_may_check_too(void **unused)
{
	(void)unused;
	found(accuse, "seen by an actor");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(two_workers_on_one_actor_are_found),
		KIT_TEST(lost_actor_is_found),
		KIT_TEST(idle_actor_in_a_queue_is_found),
		KIT_TEST(name_of_nobody_is_found),
		KIT_TEST(what_happens_twice_is_found),
		KIT_TEST(bonds_that_begin_or_end_twice_are_found),
		KIT_TEST(bonds_that_do_not_end_are_found),
		KIT_TEST(wrong_order_is_found),
		KIT_TEST(ask_that_is_never_answered_is_found),
		KIT_TEST(what_is_not_given_back_is_found),
		KIT_TEST(endless_work_is_found),
		KIT_TEST(actors_may_check_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
