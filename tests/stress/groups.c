/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups: members that join, leave and die at random, while actors and foreign
 * threads send to the groups.
 *
 * What a member gets from one sender comes in that sender's order, whichever
 * groups it was sent to, and never twice; nobody gets a message who was not a
 * member for it (its own joins say); in the end no group is left.
 */
#define KIT_STRESS
#include "actors/system.h"
#include "kit.h"

enum {
	MEMBERS = 200,
	GROUPS = 6,
	SENDERS = 6,
	POSTERS = 2,
	EACH = TEST_SCALE(6000), /* sends per sender */
	EACH_POST = TEST_SCALE(3000),
};

enum { STEP, NEWS, ENDED, DONE };

struct news {
	uint64_t n; /* its sender's count */
	uint32_t sender;
	uint32_t group;
};

static const char *const group_name[GROUPS] = { "zero", "one", "two", "three",
	"four", "five" };

static struct {
	tr_ref root;
	struct tr_system *sys;
	atomic_ullong sent, got, joins, leaves, deaths;
	atomic_bool over; /* everything was sent */
	int done;
} storm;

/* ----------------------------------------------------------- members --- */

struct member {
	uint64_t seed;
	uint64_t last[SENDERS + POSTERS]; /* the count heard of last, + 1 */
	bool was[GROUPS]; /* a member ever */
	bool is[GROUPS];
};

static void
member_turn(struct tr_self *self, struct member *m)
{
	size_t g = kit_below(&m->seed, GROUPS);

	if (m->is[g]) {
		KIT_CHECK(tr_pg_join(self, group_name[g]) == TR_OK);
		KIT_CHECK(tr_pg_leave(self, group_name[g]) == TR_OK);
		atomic_fetch_add(&storm.leaves, 1);
	} else {
		KIT_CHECK(tr_pg_leave(self, group_name[g]) == TR_EINVAL);
		KIT_CHECK(tr_pg_join(self, group_name[g]) == TR_OK);
		atomic_fetch_add(&storm.joins, 1);
	}
	m->is[g] = !m->is[g];
	m->was[g] = true;
}

static void
member_hear(struct member *m, const struct tr_msg *msg)
{
	const struct news *news = tr_data(msg, sizeof(*news));

	KIT_CHECK(news != NULL && news->sender < SENDERS + POSTERS);
	KIT_CHECK(news->group < GROUPS && m->was[news->group]);
	KIT_CHECK(news->n >= m->last[news->sender]);
	m->last[news->sender] = news->n + 1;
	atomic_fetch_add(&storm.got, 1);
}

static int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct member *m = state;

	if (tr_tag(msg) == NEWS)
		member_hear(m, msg);
	if (tr_tag(msg) == NEWS && kit_below(&m->seed, 8) != 0)
		return TR_OK;
	if (atomic_load(&storm.over))
		return TR_OK;
	switch (kit_below(&m->seed, 400)) {
	case 0: return tr_exit(self, TR_NORMAL);
	case 1: return tr_kill(self, tr_self_ref(self));
	default: member_turn(self, m); return TR_OK;
	}
}

static int
member_start(struct tr_self *self, void *state, const void *arg)
{
	struct member *m = state;

	m->seed = *(const uint64_t *)arg;
	member_turn(self, m);
	return TR_OK;
}

/* The root puts another into the place. */
static void
member_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)state;
	(void)why;
	if (!atomic_load(&storm.over))
		kit_tell(self, storm.root, ENDED);
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(struct member),
	.arg_size = sizeof(uint64_t),
	.start = member_start,
	.receive = member_receive,
	.stop = member_stop,
};

/* ----------------------------------------------------------- senders --- */

struct sender {
	uint64_t seed;
	struct news news;
};

static int
sender_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct sender *s = state;
	size_t sent;

	(void)msg;
	for (int i = 0; i < 8 && s->news.n < EACH; i++) {
		s->news.group = (uint32_t)kit_below(&s->seed, GROUPS);
		KIT_CHECK(tr_pg_send(self, group_name[s->news.group], NEWS,
			      &s->news, sizeof(s->news), &sent) == TR_OK);
		atomic_fetch_add(&storm.sent, sent);
		s->news.n++;
	}
	return tr_send(self, s->news.n < EACH ? tr_self_ref(self) : storm.root,
	    s->news.n < EACH ? STEP : DONE, NULL, 0);
}

static int
sender_start(struct tr_self *self, void *state, const void *arg)
{
	struct sender *s = state;

	s->news.sender = *(const uint32_t *)arg;
	s->seed = tr_self_ref(self).bits;
	return tr_send(self, tr_self_ref(self), STEP, NULL, 0);
}

static const struct tr_behavior sender = {
	.name = "sender",
	.state_size = sizeof(struct sender),
	.arg_size = sizeof(uint32_t),
	.start = sender_start,
	.receive = sender_receive,
};

static void *
poster(void *arg)
{
	struct news news = { .sender = *(const uint32_t *)arg };
	uint64_t seed = news.sender;
	size_t sent;

	for (; news.n < EACH_POST; news.n++) {
		news.group = (uint32_t)kit_below(&seed, GROUPS);
		KIT_CHECK(tr_pg_post(storm.sys, group_name[news.group], NEWS,
			      &news, sizeof(news), &sent) == TR_OK);
		atomic_fetch_add(&storm.sent, sent);
	}
	KIT_CHECK(tr_post(storm.sys, storm.root, DONE, NULL, 0) == TR_OK);
	return NULL;
}

/* --------------------------------------------------------------- root --- */

static uint32_t
groups_left(void)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < TRI_NAME_SHARDS; i++)
		n += storm.sys->groups[i].count;
	return n;
}

static void
place_member(struct tr_self *self, uint64_t *seed)
{
	uint64_t own = kit_random(seed);

	KIT_CHECK(tr_ref_valid(tr_spawn(self, &member, &own, NULL)));
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	*(uint64_t *)state = *(const uint64_t *)arg;
	for (int i = 0; i < MEMBERS; i++)
		place_member(self, state);
	for (uint32_t i = 0; i < SENDERS; i++)
		KIT_CHECK(tr_ref_valid(tr_spawn(self, &sender, &i, NULL)));
	return TR_OK;
}

static int
root_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	if (tr_tag(msg) == ENDED) {
		atomic_fetch_add(&storm.deaths, 1);
		if (storm.done < SENDERS + POSTERS)
			place_member(self, state);
		return TR_OK;
	}
	if (++storm.done < SENDERS + POSTERS)
		return TR_OK;
	atomic_store(&storm.over, true);
	return kit_finish(self);
}

static const struct tr_behavior root = {
	.name = "root",
	.state_size = sizeof(uint64_t),
	.arg_size = sizeof(uint64_t),
	.start = root_start,
	.receive = root_receive,
};

int
main(int argc, char **argv)
{
	uint64_t seed;
	unsigned workers = kit_stress_args(argc, argv, &seed);
	pthread_t thread[POSTERS];
	uint32_t number[POSTERS];
	struct kit k;

	kit_new(&k, workers);
	storm.sys = k.sys;
	storm.root = kit_root(&k, &root, &seed);
	kit_begin(&k);
	for (uint32_t i = 0; i < POSTERS; i++) {
		number[i] = SENDERS + i;
		KIT_CHECK(
		    pthread_create(&thread[i], NULL, poster, &number[i]) == 0);
	}
	for (int i = 0; i < POSTERS; i++)
		KIT_CHECK(pthread_join(thread[i], NULL) == 0);
	KIT_CHECK(pthread_join(k.thread, NULL) == 0);
	KIT_CHECK(groups_left() == 0);
	/* What did not arrive is a dead letter. */
	KIT_CHECK(storm.got <= storm.sent);
	kit_end(&k);
	KIT_CHECK(storm.sent - storm.got <= kit_dead(&k.stats));
	KIT_CHECK(storm.got > 0 && storm.joins > 0 && storm.leaves > 0);
	printf("groups: %llu sent, %llu heard; %llu joins, %llu leaves, %llu "
	       "deaths\n",
	    storm.sent, storm.got, storm.joins, storm.leaves, storm.deaths);
	kit_print_stats(&k.stats);
	return 0;
}
