/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers with a fixed delay: the next tick is due a delay after the last one
 * was handled, however long that took; and what else can be done to ticks.
 */
#include "kit.h"

enum { TICK, COPY, DONE };
enum { TICKS = 30, DELAY_MS = 2 };

struct repeat {
	struct kit k;
	tr_timer timer;
	int64_t handled_at; /* the end of the last tick's handling */
	unsigned seen, early, missed, wrong, copies;
	int mode, cancel, cancel_again, zero;
	tr_ref other;
	struct tr_msg *taken;
	bool twice;
};

enum { SLOW, CANCELS_IN_TICK, HANDS_ON, TAKES, ENDS };

static int
repeat_start(struct tr_self *self, void *state, const void *arg)
{
	struct repeat *r;

	(void)kit_start_ctx(self, state, arg);
	r = kit_ctx(state);
	r->zero = tr_repeat(self, 999, TICK, 0) == 0;
	r->handled_at = tr_now(self);
	r->timer = tr_repeat(self, TR_MS(DELAY_MS), TICK, 77);
	return r->timer != 0 ? TR_OK : TR_ENOMEM;
}

static void
repeat_check(struct repeat *r, struct tr_self *self, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));

	if (tr_now(self) - r->handled_at < TR_MS(DELAY_MS))
		r->early++;
	r->missed += (unsigned)tick->missed;
	r->wrong += tick->cookie != 77 || tick->timer != r->timer;
	r->seen++;
}

static int
repeat_tick(struct repeat *r, struct tr_self *self, const struct tr_msg *msg)
{
	struct tr_msg *again;

	switch (r->mode) {
	case SLOW:
		/* Longer than the delay: a fixed rate would miss ticks. */
		kit_spin_for(self, TR_MS(DELAY_MS) * 2);
		break;
	case HANDS_ON:
		KIT_CHECK(tr_forward(self, tr_self_ref(self), msg) == TR_OK);
		r->twice |= tr_forward(self, r->other, msg) == TR_OK;
		break;
	case TAKES:
		r->taken = tr_take(self, msg);
		again = tr_take(self, msg);
		r->twice |= again != NULL;
		tr_msg_drop(&again);
		r->copies += r->taken != NULL && tr_size(r->taken) == 24;
		tr_msg_drop(&r->taken);
		break;
	case CANCELS_IN_TICK:
		if (r->seen < TICKS)
			break;
		r->cancel = tr_timer_cancel(self, r->timer);
		r->cancel_again = tr_timer_cancel(self, r->timer);
		return tr_after(self, TR_MS(10 * DELAY_MS), DONE, 0) != 0 ?
		    TR_OK :
		    TR_ENOMEM;
	case ENDS: return tr_exit(self, TR_NORMAL);
	default: break;
	}
	r->handled_at = tr_now(self);
	if (r->seen < TICKS)
		return TR_OK;
	/* The stop may take longer than the delay to get here. */
	KIT_CHECK(tr_timer_cancel(self, r->timer) == TR_OK);
	return kit_finish(self);
}

static int
repeat_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct repeat *r = kit_ctx(state);

	if (tr_tag(msg) == DONE)
		return kit_finish(self);
	if (r->mode == HANDS_ON && tr_sender(msg).bits == 0 &&
	    r->copies < r->seen) {
		r->copies++; /* the tick that was handed on */
		return TR_OK;
	}
	repeat_check(r, self, msg);
	return repeat_tick(r, self, msg);
}

static void
repeat_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)why;
	if (((struct repeat *)kit_ctx(state))->mode == ENDS)
		(void)kit_finish(self);
}

static const struct tr_behavior repeater = {
	.name = "repeater",
	.state_size = sizeof(void *),
	.start = repeat_start,
	.receive = repeat_receive,
	.stop = repeat_stop,
};

static void
play(struct repeat *r, int mode)
{
	*r = (struct repeat){ .mode = mode };
	kit_new(&r->k, 2);
	KIT_CHECK(tr_ref_valid(tr_system_spawn(r->k.sys, &repeater, r, NULL)));
	kit_run(&r->k);
	assert_int_equal(r->early, 0);
	assert_int_equal(r->wrong, 0);
	assert_true(r->zero);
}

static void
a_slow_handler_misses_nothing(void **unused)
{
	static struct repeat r;

	(void)unused;
	play(&r, SLOW);
	assert_int_equal(r.seen, TICKS);
	assert_int_equal(r.missed, 0);
}

static void
cancelled_in_its_own_tick_it_is_over(void **unused)
{
	static struct repeat r;

	(void)unused;
	play(&r, CANCELS_IN_TICK);
	assert_int_equal(r.seen, TICKS);
	assert_int_equal(r.cancel, TR_OK);
	assert_int_equal(r.cancel_again, TR_EINVAL);
}

static void
a_tick_is_handed_on_once_as_a_copy(void **unused)
{
	static struct repeat r;

	(void)unused;
	play(&r, HANDS_ON);
	assert_int_equal(r.seen, TICKS);
	assert_true(r.copies >= TICKS - 1);
	assert_false(r.twice);
}

static void
a_tick_is_taken_once_as_a_copy(void **unused)
{
	static struct repeat r;

	(void)unused;
	play(&r, TAKES);
	assert_int_equal(r.copies, TICKS);
	assert_false(r.twice);
}

static void
it_ends_with_its_actor(void **unused)
{
	static struct repeat r;

	(void)unused;
	play(&r, ENDS);
	assert_int_equal(r.seen, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(a_slow_handler_misses_nothing),
		KIT_TEST(cancelled_in_its_own_tick_it_is_over),
		KIT_TEST(a_tick_is_handed_on_once_as_a_copy),
		KIT_TEST(a_tick_is_taken_once_as_a_copy),
		KIT_TEST(it_ends_with_its_actor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
