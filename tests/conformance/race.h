/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * race.h - monitors against death, as often as one likes.
 *
 * A runner on each second worker spawns victims on the next, which end after a few
 * messages to themselves, and monitors them a moment later: the request finds
 * its victim alive, ending or gone.
 * Each monitor has to bring one DOWN, with the victim's reason or TR_NOPROC;
 * one in eight is withdrawn at once and has to bring none.  A runner keeps the
 * monitors of its round by number, so a DOWN too many is seen, and one too few
 * leaves the round unfinished.
 *
 * Include kit.h (or long.h) before it.  A wrong DOWN is counted, for the test
 * to look at afterwards.
 */
#ifndef TESTS_CONFORMANCE_RACE_H
#define TESTS_CONFORMANCE_RACE_H

enum { RACE_ROUND = 256, RACE_REASON = 5 };

enum { RACE_REST = 1, RACE_DOWN, RACE_END };

static struct {
	uint64_t goal; /* of each runner */
	bool (*go_on)(void); /* NULL: to the goal */
	atomic_uint runners;
	atomic_ullong monitors, withdrawn, told, noproc, wrong;
} race;

struct race_runner {
	uint64_t seed, left;
	unsigned size, next; /* of this round: victims, the next to monitor */
	unsigned open; /* its monitors without a DOWN yet */
	tr_ref ref[RACE_ROUND];
	tr_monitor_id monitor[RACE_ROUND];
};

/* Ends after some messages to itself. */
static inline int
race_victim_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	unsigned *left = state;

	(void)msg;
	if (*left == 0)
		return tr_exit(self, RACE_REASON);
	--*left;
	kit_tell(self, tr_self_ref(self), RACE_END);
	return TR_OK;
}

static inline int
race_victim_start(struct tr_self *self, void *state, const void *arg)
{
	*(unsigned *)state = *(const unsigned *)arg;
	kit_tell(self, tr_self_ref(self), RACE_END);
	return TR_OK;
}

static const struct tr_behavior race_victim = {
	.name = "victim",
	.state_size = sizeof(unsigned),
	.arg_size = sizeof(unsigned),
	.start = race_victim_start,
	.receive = race_victim_receive,
};

static inline tr_ref
race_spawn(struct tr_self *self, struct race_runner *r)
{
	unsigned workers = tr_system_workers(tr_system_of(self));
	unsigned hops = (unsigned)kit_below(&r->seed, 8);
	tr_ref ref = tr_spawn(self, &race_victim, &hops,
	    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
		.worker = (tr_self_worker(self) + 1) % workers });

	KIT_CHECK(tr_ref_valid(ref));
	return ref;
}

/* The next one of the round. */
static inline void
race_monitor(struct tr_self *self, struct race_runner *r)
{
	unsigned i = r->next++;

	r->monitor[i] = tr_monitor(self, r->ref[i], RACE_DOWN, i);
	KIT_CHECK(r->monitor[i] != 0);
	atomic_fetch_add_explicit(&race.monitors, 1, memory_order_relaxed);
	if (kit_below(&r->seed, 8) != 0) {
		r->open++;
		return;
	}
	if (tr_demonitor(self, r->monitor[i]) != TR_OK)
		atomic_fetch_add(&race.wrong, 1);
	r->monitor[i] = 0;
	atomic_fetch_add_explicit(&race.withdrawn, 1, memory_order_relaxed);
}

/* The victims of a round are spawned, and monitored each a little later. */
static inline void
race_round(struct tr_self *self, struct race_runner *r)
{
	unsigned lag = (unsigned)kit_below(&r->seed, UINT64_C(2) * RACE_ROUND),
		 i = 0;

	r->size = r->left < RACE_ROUND ? (unsigned)r->left : RACE_ROUND;
	r->left -= r->size;
	r->next = 0;
	while (i < r->size) {
		r->ref[i++] = race_spawn(self, r);
		if (i > lag)
			race_monitor(self, r);
	}
	/* The rest, or all of them, in a later turn. */
	kit_tell(self, tr_self_ref(self), RACE_REST);
}

/* Once all is told of the last round. */
static inline int
race_go_on(struct tr_self *self, struct race_runner *r)
{
	if (r->open > 0 || r->next < r->size)
		return TR_OK;
	if (r->left > 0 && (race.go_on == NULL || race.go_on())) {
		race_round(self, r);
		return TR_OK;
	}
	if (atomic_fetch_sub(&race.runners, 1) == 1)
		return kit_finish(self);
	return TR_OK;
}

static inline void
race_told(struct race_runner *r, const struct tr_down *down)
{
	if (down->cookie >= RACE_ROUND || down->monitor == 0 ||
	    r->monitor[down->cookie] != down->monitor ||
	    (down->reason.code != RACE_REASON &&
		down->reason.code != TR_NOPROC)) {
		atomic_fetch_add(&race.wrong, 1);
		return;
	}
	r->monitor[down->cookie] = 0;
	r->open--;
	atomic_fetch_add_explicit(&race.told, 1, memory_order_relaxed);
	if (down->reason.code == TR_NOPROC)
		atomic_fetch_add_explicit(&race.noproc, 1,
		    memory_order_relaxed);
}

static inline int
race_runner_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct race_runner *r = state;

	if (tr_tag(msg) == RACE_DOWN) {
		race_told(r, tr_data(msg, sizeof(struct tr_down)));
	} else {
		while (r->next < r->size)
			race_monitor(self, r);
	}
	return race_go_on(self, r);
}

static inline int
race_runner_start(struct tr_self *self, void *state, const void *arg)
{
	struct race_runner *r = state;

	r->seed = *(const uint64_t *)arg;
	r->left = race.goal;
	kit_tell(self, tr_self_ref(self), RACE_REST);
	return TR_OK;
}

static const struct tr_behavior race_runner = {
	.name = "runner",
	.state_size = sizeof(struct race_runner),
	.arg_size = sizeof(uint64_t),
	.start = race_runner_start,
	.receive = race_runner_receive,
};

/* So many races on so many workers; go_on: see above. */
static inline void
race_run(struct kit *k, unsigned workers, uint64_t races, uint64_t seed,
    bool (*go_on)(void))
{
	memset(&race, 0, sizeof(race));
	race.runners = workers > 1 ? workers / 2 : 1;
	race.goal = races / race.runners;
	race.go_on = go_on;
	kit_new(k, workers);
	for (unsigned i = 0; i < workers; i += 2) {
		uint64_t own = kit_random(&seed);

		KIT_CHECK(tr_ref_valid(tr_system_spawn(k->sys, &race_runner,
		    &own,
		    &(struct tr_spawn_options){ .placement = TR_PLACE_WORKER,
			.worker = i })));
	}
	kit_run(k);
	KIT_CHECK(race.wrong == 0);
	KIT_CHECK(race.told + race.withdrawn == race.monitors);
}

#endif /* TESTS_CONFORMANCE_RACE_H */
