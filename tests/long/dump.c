/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump: 10^6 actors at work are dumped, and nobody stops for it.
 *
 * Most of the actors wait; some play with messages on all workers; some have
 * names, ask, or have a backlog.  tr_dump() is called from outside, to
 * /dev/null and to a file.  While it writes, messages have to go on; what it
 * writes has to list every actor once.  How long it takes is printed.
 */
#include "long.h"

#include <fcntl.h>

enum {
	SMALL = TEST_SCALE(20000),
	PLAYERS = 256,
	NAMED = 16, /* one of so many has a name */
	TIMES = 5,
};

enum { BALL, SETTLE };

static struct {
	uint64_t n;
	tr_ref player[PLAYERS];
	atomic_ullong settled;
	atomic_bool over;
	uint64_t meanwhile; /* messages handled during dumps */
} town;

static int
player_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t *seed = state;
	tr_ref to = town.player[kit_below(seed, PLAYERS)];

	(void)msg;
	if (atomic_load_explicit(&town.over, memory_order_relaxed))
		return TR_OK;
	return tr_send(self, to, BALL, NULL, 0);
}

static const struct tr_behavior player = {
	.name = "player",
	.state_size = sizeof(uint64_t),
	.receive = player_receive,
};

static int
citizen_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	uint64_t number = kit_u64(msg);
	char name[32];

	(void)state;
	if (number % NAMED == 0) {
		snprintf(name, sizeof(name), "citizen-%" PRIu64, number);
		KIT_CHECK(tr_register(self, name) == TR_OK);
	}
	atomic_fetch_add_explicit(&town.settled, 1, memory_order_relaxed);
	return TR_OK;
}

static const struct tr_behavior citizen = {
	.name = "citizen",
	.receive = citizen_receive,
};

static void
town_begin(struct kit *k)
{
	tr_ref ref;

	for (int i = 0; i < PLAYERS; i++) {
		town.player[i] = tr_system_spawn(k->sys, &player, NULL, NULL);
		KIT_CHECK(
		    tr_post(k->sys, town.player[i], BALL, NULL, 0) == TR_OK);
	}
	kit_begin(k);
	for (uint64_t i = 0; i < town.n; i++) {
		ref = tr_system_spawn(k->sys, &citizen, NULL, NULL);
		KIT_CHECK(tr_ref_valid(ref));
		KIT_CHECK(tr_post(k->sys, ref, SETTLE, &i, sizeof(i)) == TR_OK);
	}
	while (atomic_load(&town.settled) < town.n)
		kit_nap();
}

static uint64_t
handled(struct kit *k)
{
	struct tr_stats stats;

	KIT_CHECK(tr_stats(k->sys, &stats) == TR_OK);
	return stats.handled;
}

/* One dump; how long it took, in seconds. */
static double
dump(struct kit *k, int fd, const char *where)
{
	uint64_t before = handled(k), after;
	int64_t began = long_clock();
	double took;

	KIT_CHECK(tr_dump(k->sys, fd) == TR_OK);
	took = (double)(long_clock() - began) * 1e-9;
	after = handled(k);
	printf("%.3g actors to %s: %.3f s, %.3g messages meanwhile\n",
	    (double)(town.n + PLAYERS), where, took, (double)(after - before));
	fflush(stdout);
	town.meanwhile += after - before;
	return took;
}

/* Every actor's line, and the sum of them. */
static void
check_text(FILE *f)
{
	uint64_t citizens = 0, players = 0, named = 0, listed = 0;
	char line[1024];

	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		citizens += strstr(line, " behavior citizen ") != NULL;
		players += strstr(line, " behavior player ") != NULL;
		named += strstr(line, " name citizen-") != NULL;
		if (strstr(line, " actors listed") != NULL)
			listed = strtoull(line, NULL, 10);
	}
	KIT_CHECK(citizens == town.n);
	KIT_CHECK(players == PLAYERS);
	KIT_CHECK(named == (town.n + NAMED - 1) / NAMED);
	KIT_CHECK(listed == town.n + PLAYERS);
}

int
main(int argc, char **argv)
{
	struct long_run l = long_begin(argc, argv,
	    "a dump of 10^6 actors at work lists each and stops nobody");
	double took, least = 1e9;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	FILE *f = tmpfile();
	struct kit k;

	KIT_CHECK(null >= 0 && f != NULL);
	town.n = l.small ? SMALL : 1000000;
	kit_new(&k, l.small ? 2 : 0);
	town_begin(&k);
	for (int i = 0; i < TIMES; i++) {
		took = dump(&k, null, "/dev/null");
		least = took < least ? took : least;
	}
	(void)dump(&k, fileno(f), "a file");
	check_text(f);
	KIT_CHECK(town.meanwhile > 0);
	atomic_store(&town.over, true);
	kit_stop(&k);
	(void)fclose(f);
	(void)close(null);
	printf("%.3g actors on %u workers dumped in %.3f s\n",
	    (double)(town.n + PLAYERS), k.stats.workers, least);
	return 0;
}
