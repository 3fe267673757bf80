/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A swarm of actors that do at random whatever the library has, simulated:
 * the oracles look on.
 */
#include <stdlib.h>
#include <string.h>

#include <troupe/sim.h>

enum { PLAIN = 1, REQUEST, PASS, TICK, ORDER };
enum { ACTORS = 12, ORDERS = 40, KEPT = 4 };

struct swarm {
	tr_ref all[ACTORS];
	unsigned n;
};

/* One run's; the scenario's own, and only looked at by its actors. */
static struct swarm swarm;

struct bee {
	uint64_t seed;
	unsigned left; /* orders */
	tr_timer timer;
	tr_ask_id ask;
	tr_token token;
	struct tr_msg *kept[KEPT];
	unsigned stashed;
	bool slow;
};

static uint64_t
draw(struct bee *b, uint64_t below)
{
	uint64_t z = b->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

static tr_ref
somebody(struct bee *b)
{
	return swarm.n == 0 ? TR_REF_NONE : swarm.all[draw(b, swarm.n)];
}

static void
payload_drop(void *payload, size_t size)
{
	void *p;

	(void)size;
	memcpy(&p, payload, sizeof(p));
	free(p);
}

static int
on_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct bee *b = state;

	(void)self;
	(void)outcome;
	(void)answer;
	if (cookie == b->ask)
		b->ask = 0;
	return TR_OK;
}

static int
job_work(struct tr_system *system, void *arg)
{
	(void)system;
	*(int *)arg = 1;
	return TR_OK;
}

static int
job_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	(void)self;
	(void)state;
	(void)outcome;
	free(arg);
	return TR_OK;
}

static const struct tr_job job = {
	.work = job_work,
	.done = job_done,
	.drop = free,
};

static void
offload(struct bee *b, struct tr_self *self)
{
	int64_t deadline = draw(b, 2) ? tr_forever() : tr_in(self, TR_MS(1));
	int *arg = malloc(sizeof(*arg));

	if (arg != NULL &&
	    tr_offload_blocking(self, &job, arg, deadline, NULL) != TR_OK)
		free(arg);
}

static void
send_owned(struct bee *b, struct tr_self *self)
{
	struct tr_msg *m =
	    tr_msg_new(self, PLAIN, sizeof(void *), payload_drop);
	void *p = malloc(8);

	if (m == NULL) {
		free(p);
		return;
	}
	memcpy(tr_msg_data(m), &p, sizeof(p));
	(void)tr_send_msg(self, somebody(b), &m);
}

static void
act(struct bee *b, struct tr_self *self)
{
	static const char data[3000];
	tr_ref to = somebody(b);

	switch (draw(b, 16)) {
	case 0:
	case 1: (void)tr_send(self, to, PLAIN, data, draw(b, 100)); break;
	case 2:
		if (tr_try_send(self, to, PLAIN, data, draw(b, 3000)) != 0)
			b->slow = !b->slow;
		break;
	case 3:
	case 4:
	case 5:
		b->ask = tr_ask(self, to, REQUEST, data, draw(b, 40),
		    draw(b, 2) ? tr_in(self, (int64_t)draw(b, 3000000)) :
				 tr_in(self, TR_SECONDS(20)),
		    on_answer, 0);
		break;
	case 6: (void)tr_cancel(self, b->ask); break;
	case 7: (void)tr_after(self, (int64_t)draw(b, 2000000), TICK, 0); break;
	case 8:
		(void)tr_timer_cancel(self, b->timer);
		b->timer = draw(b, 2) ? tr_every(self, TR_MS(2), TICK, 1) :
					tr_repeat(self, TR_MS(1), TICK, 1);
		break;
	case 9: offload(b, self); break;
	case 10: send_owned(b, self); break;
	case 11: (void)tr_unstash(self); break;
	case 12:
		if (tr_register(self, draw(b, 2) ? "one" : "two") == TR_OK)
			b->slow = true;
		break;
	case 13:
		(void)tr_send(self,
		    tr_whereis(tr_system_of(self), draw(b, 2) ? "one" : "two"),
		    PASS, NULL, 0);
		break;
	case 14: (void)tr_token_reply(self, &b->token, REQUEST, NULL, 0); break;
	default: (void)tr_post(tr_system_of(self), to, PLAIN, data, 3); break;
	}
}

static void
keep(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	struct tr_msg **at = &b->kept[draw(b, KEPT)];

	if (*at != NULL && draw(b, 2))
		(void)tr_reply(self, *at, REQUEST, NULL, 0);
	if (*at != NULL && draw(b, 3) == 0 &&
	    tr_forward_msg(self, somebody(b), at) == TR_OK)
		*at = NULL;
	tr_msg_drop(at);
	*at = tr_take(self, msg);
}

static int
stash(struct tr_self *self, const struct tr_msg *msg)
{
	int rc = tr_stash(self, msg);

	return rc == TR_EFULL || rc == TR_EINVAL ? TR_OK : rc;
}

static int
bee_request(struct bee *b, struct tr_self *self, const struct tr_msg *msg)
{
	switch (draw(b, 7)) {
	case 0: return TR_OK; /* TR_ENOREPLY */
	case 1: return tr_reply_error(self, msg, TR_EEXIST);
	case 2: (void)tr_forward(self, somebody(b), msg); return TR_OK;
	case 3:
		(void)tr_token_reply_error(self, &b->token, TR_EBUSY);
		b->token = tr_reply_token(self);
		return TR_OK;
	case 4: keep(b, self, msg); return TR_OK;
	case 5: return stash(self, msg);
	default: return tr_reply(self, msg, REQUEST, NULL, 0);
	}
}

static int
bee_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct bee *b = state;

	switch (tr_tag(msg)) {
	case REQUEST: return bee_request(b, self, msg);
	case PASS:
		if (draw(b, 4) != 0)
			(void)tr_forward(self, somebody(b), msg);
		break;
	case PLAIN:
		if (draw(b, 8) == 0)
			keep(b, self, msg);
		else if (draw(b, 8) == 0)
			return stash(self, msg);
		break;
	default: break;
	}
	if (b->left == 0) {
		(void)tr_timer_cancel(self, b->timer);
		(void)tr_unstash(self);
		return TR_OK;
	}
	b->left--;
	act(b, self);
	if (b->left > 0)
		(void)tr_send(self, tr_self_ref(self), ORDER, NULL, 0);
	if (b->left == 0 && draw(b, 3) == 0)
		return draw(b, 2) ? tr_fail(self, -5, "bee %d", 1) :
				    tr_exit(self, TR_NORMAL);
	return TR_OK;
}

static int
bee_start(struct tr_self *self, void *state, const void *arg)
{
	struct bee *b = state;

	memcpy(&b->seed, arg, sizeof(b->seed));
	b->left = ORDERS;
	return tr_send(self, tr_self_ref(self), ORDER, NULL, 0);
}

static void
bee_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct bee *b = state;

	(void)self;
	(void)why;
	for (unsigned i = 0; i < KEPT; i++)
		tr_msg_drop(&b->kept[i]);
}

static const struct tr_behavior bee = {
	.name = "bee",
	.state_size = sizeof(struct bee),
	.arg_size = sizeof(uint64_t),
	.start = bee_start,
	.receive = bee_receive,
	.stop = bee_stop,
};

static void
swarm_does_what_it_likes(struct tr_sim *sim, void *arg)
{
	unsigned i, n = 2 + (unsigned)tr_sim_random(sim, ACTORS - 2);

	(void)arg;
	swarm.n = 0;
	for (i = 0; i < n; i++) {
		uint64_t seed = tr_sim_random(sim, UINT64_MAX);
		struct tr_spawn_options o = {
			.placement = tr_sim_random(sim, 3) == 0 ?
			    TR_PLACE_PINNED :
			    TR_PLACE_ANY,
			.max_items = tr_sim_random(sim, 3) == 0 ?
			    1 + (uint32_t)tr_sim_random(sim, 5) :
			    0,
			.overflow = (enum tr_overflow)tr_sim_random(sim, 3),
		};

		swarm.all[i] =
		    tr_system_spawn(tr_sim_system(sim), &bee, &seed, &o);
		tr_sim_check(sim, tr_ref_valid(swarm.all[i]), "no bee");
		swarm.n++;
	}
	tr_sim_faults(sim, TR_FAULT_ALL);
	tr_sim_run_for(sim, (int64_t)tr_sim_random(sim, TR_MS(20)));
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(60));
}

int
main(int argc, char **argv)
{
	return tr_sim_main(argc, argv, swarm_does_what_it_likes, NULL);
}
