/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The swarm's scenario: see swarm.h.
 *
 * Compiled a second time with SWARM_TIGHT the system has little of everything:
 * a small byte budget, few slots, a pool of one thread with room for one call,
 * and its hooks are set.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <troupe/sim.h>

#include "swarm.h"

struct swarm swarm;

static uint64_t held; /* in all runs */

void *
held_new(size_t size)
{
	void *p = malloc(size);

	if (p == NULL)
		abort();
	held++;
	return p;
}

void
held_free(void *p)
{
	held--;
	free(p);
}

#ifdef SWARM_TIGHT
static struct {
	uint64_t logged, letters, pressures;
} heard;

static void
on_log(enum tr_log_level level, const char *text, void *ctx)
{
	(void)level;
	(void)ctx;
	heard.logged += text[0] != '\0';
}

static void
on_letter(const struct tr_dead_letter *letter, void *ctx)
{
	(void)ctx;
	heard.letters += letter->reason < TR_DEAD_REASONS;
}

static void
on_pressure(struct tr_system *system, enum tr_pressure pressure, uint64_t bytes,
    void *ctx)
{
	(void)ctx;
	(void)bytes;
	(void)tr_post(system, swarm.bee[0], PLAIN, NULL, 0);
	heard.pressures += pressure <= TR_PRESSURE_HARD;
}

static const struct tr_options tight = {
	.max_actors = 1024,
	.max_message_bytes = 1 << 16,
	.soft_bytes = 20000,
	.hard_bytes = 60000,
	.on_pressure = on_pressure,
	.blocking_threads = 1,
	.blocking_queue = 1,
	.log = on_log,
	.on_dead_letter = on_letter,
};
#endif

static void
spawn_bees(struct tr_sim *sim)
{
	unsigned i, n = 2 + (unsigned)tr_sim_random(sim, BEES - 2);

	for (i = 0; i < n; i++) {
		struct bee chooser = { .seed = tr_sim_random(sim, UINT64_MAX) };
		struct bee_arg arg = { chooser.seed ^ 0xbee, ORDERS };
		struct tr_spawn_options o = draw_options(&chooser);

		swarm.bee[i] =
		    tr_system_spawn(tr_sim_system(sim), &bee, &arg, &o);
		tr_sim_check(sim, tr_ref_valid(swarm.bee[i]), "no bee");
		swarm.bees++;
	}
}

static void
swarm_does_what_it_likes(struct tr_sim *sim, void *arg)
{
	(void)arg;
	swarm = (struct swarm){
		.nowhere = swarm.nowhere,
		.children = (unsigned)tr_sim_random(sim, 40),
		.lives = 200,
		.may_stop = tr_sim_random(sim, 8) == 0,
	};
	spawn_bees(sim);
	(void)!tr_signal_send(tr_sim_system(sim), SIGUSR1, swarm.bee[0],
	    SIGNAL);
	tr_sim_faults(sim, TR_FAULT_ALL);
	tr_sim_run_for(sim, (int64_t)tr_sim_random(sim, TR_MS(5)));
	tr_sim_signal(sim, SIGUSR1);
	tr_sim_jump(sim, -TR_SECONDS(3600));
	tr_sim_run_for(sim, (int64_t)tr_sim_random(sim, TR_MS(20)));
	tr_sim_fail_memory(sim, (unsigned)tr_sim_random(sim, 3));
	tr_sim_kill(sim, swarm.bee[tr_sim_random(sim, swarm.bees)]);
	tr_sim_signal(sim, SIGUSR1);
	/* Some end in the middle of it all. */
	if (tr_sim_random(sim, 8) == 0)
		return;
	(void)tr_sim_run_until_quiet(sim, TR_SECONDS(60));
}

int
main(int argc, char **argv)
{
	struct tr_sim_options options = { 0 };
	int rc;

#ifdef SWARM_TIGHT
	options.system = &tight;
#endif
	swarm.nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rc = tr_sim_main_with(argc, argv, &options, swarm_does_what_it_likes,
	    NULL);
	close(swarm.nowhere);
	if (rc == 0 && held != 0) {
		printf("%" PRIu64 " payloads, arguments or blobs of all runs "
		       "were not freed\n",
		    held);
		return 1;
	}
	return rc;
}
