/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * troupe/sim.h - the same program, replayed.
 *
 * A simulated system runs the same runtime and the same actors as a real one,
 * but on one thread, in virtual time, and every choice (which worker takes its
 * next step, what a wake-up costs, which allocation fails) comes from a seed.
 * The same seed gives the same run, always.  So a program can be run a
 * thousand times in a few seconds with a thousand different schedules and
 * faults, and a failure can be replayed and looked at.
 *
 *     static void
 *     money_is_conserved(struct tr_sim *sim, void *arg)
 *     {
 *             tr_sim_spawn(sim, &bank_root, NULL);
 *             tr_sim_faults(sim, TR_FAULT_KILL | TR_FAULT_SLOW);
 *             tr_sim_run_until_quiet(sim, TR_SECONDS(60));
 *             tr_sim_check(sim, total_cents(sim) == 1000000,
 *                 "money created or lost");
 *     }
 *
 *     int
 *     main(int argc, char **argv)
 *     {
 *             return tr_sim_main(argc, argv, money_is_conserved, NULL);
 *     }
 *
 * Link with troupe-sim beside troupe.
 *
 * WHAT IS CHECKED ALWAYS, beside what the scenario checks: every message is
 * handled or counted as a dead letter; messages of one sender to one receiver
 * are taken in the order in which they were sent; every ask ends exactly once;
 * stop() and drop functions run exactly once; no worker sleeps while there is
 * work; once the scenario is over the system stops, everything that it
 * allocated is given back, and a second run of the same seed is the same to
 * the last event.
 *
 * WHAT THE PROGRAM HAS TO DO FOR IT: take the time from tr_now(), random
 * numbers from tr_entropy() or the scenario, and nothing from addresses, the
 * real clock, threads of its own or files that change.  A handler that waits
 * for another thread waits for ever, for there is none.
 *
 * A simulated step is one turn of a worker (a batch of messages, a poll, a
 * theft, going to sleep): schedules are explored at that grain.  Interleavings
 * inside of the runtime's own atomics are another tool's work.
 */
#ifndef TROUPE_SIM_H
#define TROUPE_SIM_H

#include <troupe.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tr_sim; /* a simulated system and the world around it */

/** A scenario: sets the system up, runs it, checks. */
typedef void tr_sim_fn(struct tr_sim *sim, void *arg);

/** Kinds of faults.  Each seed draws which of those allowed it has, and how
 * often they strike. */
enum tr_fault {
	TR_FAULT_NOMEM = 1, /* allocations fail */
	TR_FAULT_WAKE = 2, /* wake-ups come late, sleepers get up for nothing */
	TR_FAULT_SLOW = 4, /* turns take up to 50 ms, workers get no cpu for
	                    * as long */
	TR_FAULT_KILL = 8, /* an actor is killed, any but probes */
	TR_FAULT_CLOCK = 16, /* the wall clock jumps; timers come at the worst
	                      * moment */
	TR_FAULT_JOBS = 32, /* blocking calls take long, their pool is full */
	TR_FAULT_ALL = 63,
	TR_FAULT_NONE = 64, /* for struct tr_sim_options */
};

/** How the next step is chosen. */
enum tr_sim_strategy {
	TR_SIM_ANY, /* drawn for each seed */
	TR_SIM_RANDOM, /* any that can go on, each time anew */
	TR_SIM_PCT, /* by priorities that change at a few random moments
	             * (Burckhardt et al., "A randomized scheduler with
	             * probabilistic guarantees of finding bugs", ASPLOS 2010) */
	TR_SIM_ROUND_ROBIN,
};

/** How runs are made.  Zero is the default of each. */
struct tr_sim_options {
	unsigned workers; /* 1 to 8; 0: drawn for each seed */
	enum tr_sim_strategy strategy;
	unsigned faults; /* of enum tr_fault: all others stay off whatever the
	                  * scenario says; 0: any */
	uint64_t length; /* steps a run takes, for TR_SIM_PCT: what a former
	                  * run's result said; 0: drawn for each seed */
	uint64_t max_steps; /* of a run, then it has failed; 0: 5,000,000 */
	void (*trace)(const char *line, void *ctx); /* told every event */
	void *trace_ctx;
	const struct tr_options *system; /* of the system; workers, pin,
	                                  * spin_ns and the allocator are the
	                                  * simulation's; NULL: defaults */
};

/** What became of a run. */
struct tr_sim_result {
	bool failed;
	char why[256]; /* when it failed */
	uint64_t hash; /* of all events */
	uint64_t steps;
	uint64_t messages; /* sent */
	uint64_t faults; /* that struck */
	int64_t virtual_ns; /* time that passed in it */
	unsigned workers;
	enum tr_sim_strategy strategy; /* as drawn */
	unsigned active; /* enum tr_fault: drawn, and allowed at some time */
};

/**
 * Run a scenario for many seeds, as a program.
 *
 * Each seed is run twice, and both runs have to be the same.  The first that
 * fails ends it; its line says how to replay it, also when the program crashes
 * or hangs in it.  `--help` lists the options: `--seeds N`, `--seed S`,
 * `--trace`, `--workers N`, `--strategy S`, `--coverage`, ...  One run more, of
 * seed 0, finds out how long the scenario is.
 *
 * \param argc  main()'s
 * \param argv  main()'s
 * \param fn    the scenario
 * \param arg   passed to it
 * \returns     main()'s: 0; 1, a seed failed; 2, bad arguments
 * \owner       borrows until it returns
 * \threads     any
 * \blocks      until it is done
 */
TR_API TR_MUST_CHECK int tr_sim_main(int argc, char **argv, tr_sim_fn *fn,
    void *arg);

/**
 * The same, with options that the command line does not have: the system's.
 *
 * \param argc     main()'s
 * \param argv     main()'s
 * \param options  what holds unless the command line says otherwise
 * \param fn       the scenario
 * \param arg      passed to it
 * \returns        as tr_sim_main()
 * \owner          borrows until it returns
 * \threads        any
 * \blocks         until it is done
 */
TR_API TR_MUST_CHECK int tr_sim_main_with(int argc, char **argv,
    const struct tr_sim_options *options, tr_sim_fn *fn, void *arg);

/**
 * Run a scenario once.
 *
 * \param seed     the seed
 * \param options  NULL: defaults
 * \param fn       the scenario
 * \param arg      passed to it
 * \param result   filled
 * \returns        TR_OK, also when it failed (result->failed); TR_EINVAL
 *                 (options); TR_ENOMEM
 * \owner          borrows until it returns
 * \threads        any
 * \blocks         until it is done
 */
TR_API TR_MUST_CHECK int tr_sim_run(uint64_t seed,
    const struct tr_sim_options *options, tr_sim_fn *fn, void *arg,
    struct tr_sim_result *result);

/* ---------------------------------------------------- in the scenario --- */

/**
 * The simulated system, for the functions that take one.
 *
 * \param sim  the simulation
 * \returns    its system
 * \owner      none
 * \threads    setup
 * \blocks     never
 */
TR_API struct tr_system *tr_sim_system(struct tr_sim *sim);

/**
 * Spawn an actor, as tr_system_spawn().  No fault strikes it; what cannot be
 * spawned (bad options, the system is stopping) fails the run.
 *
 * \param sim       the simulation
 * \param behavior  what the actor is
 * \param arg       see tr_behavior.arg_size
 * \returns         the actor
 * \owner           borrows until it returns
 * \threads         setup
 * \blocks          never
 */
TR_API tr_ref tr_sim_spawn(struct tr_sim *sim,
    const struct tr_behavior *behavior, const void *arg);

/**
 * Allow faults from now on; 0: none.
 *
 * \param sim     the simulation
 * \param faults  of enum tr_fault
 * \owner         none
 * \threads       setup
 * \blocks        never
 */
TR_API void tr_sim_faults(struct tr_sim *sim, unsigned faults);

/**
 * Let the system run for a time of its own.
 *
 * \param sim  the simulation
 * \param ns   virtual time, at least 0
 * \owner      none
 * \threads    setup
 * \blocks     until then
 */
TR_API void tr_sim_run_for(struct tr_sim *sim, int64_t ns);

/**
 * Let the system run until it has come to rest.
 *
 * First with the faults that are allowed, for a time that the seed draws; then
 * without.  At rest every mailbox is empty, every ask has ended, and no timer
 * is armed; a system with repeating timers is run to the limit, and has to
 * have come to rest but for these.
 *
 * \param sim       the simulation
 * \param limit_ns  virtual time
 * \returns         TR_OK; TR_ETIMEDOUT (timers are still armed)
 * \owner           none
 * \threads         setup
 * \blocks          until then
 */
TR_API int tr_sim_run_until_quiet(struct tr_sim *sim, int64_t limit_ns);

/**
 * The virtual time, that of tr_now().
 *
 * \param sim  the simulation
 * \returns    nanoseconds
 * \owner      none
 * \threads    setup
 * \blocks     never
 */
TR_API int64_t tr_sim_now(struct tr_sim *sim);

/**
 * A random number of the seed.
 *
 * \param sim    the simulation
 * \param below  the limit, at least 1
 * \returns      0 to below - 1
 * \owner        none
 * \threads      setup
 * \blocks       never
 */
TR_API uint64_t tr_sim_random(struct tr_sim *sim, uint64_t below);

/**
 * Fail the run unless something is true.  Does not return when it fails: what
 * the scenario holds is not freed.  Actors may call it, too.
 *
 * \param sim     the simulation
 * \param holds   what should be true
 * \param format  printf format of what to say else
 * \owner         borrows until it returns
 * \threads       setup
 * \blocks        never
 */
TR_API void tr_sim_check(struct tr_sim *sim, bool holds, const char *format,
    ...) TR_PRINTF(3, 4);

/**
 * Kill an actor.
 *
 * \param sim    the simulation
 * \param actor  who ends with TR_KILLED once the system runs on
 * \owner        none
 * \threads      setup
 * \blocks       never
 */
TR_API void tr_sim_kill(struct tr_sim *sim, tr_ref actor);

/**
 * Have the next allocations fail, whoever makes them but the scenario.
 * Messages are cut from slabs of 256 KiB, so not each one is an allocation.
 *
 * \param sim    the simulation
 * \param count  how many; 0: none any more
 * \owner        none
 * \threads      setup
 * \blocks       never
 */
TR_API void tr_sim_fail_memory(struct tr_sim *sim, unsigned count);

/**
 * Move the wall clock (tr_wall_time()); tr_now() goes on evenly.
 *
 * \param sim  the simulation
 * \param ns   forward, or back
 * \owner      none
 * \threads    setup
 * \blocks     never
 */
TR_API void tr_sim_jump(struct tr_sim *sim, int64_t ns);

/**
 * A signal arrives: see tr_signal_send().
 *
 * \param sim    the simulation
 * \param signo  the signal
 * \owner        none
 * \threads      setup
 * \blocks       never
 */
TR_API void tr_sim_signal(struct tr_sim *sim, int signo);

/* ------------------------------------------------------------- probes --- */

/** An actor that the scenario speaks for, and listens with. */
struct tr_probe;

/**
 * Make a probe.  It lives until the system stops; no fault kills it, and none
 * strikes what it does.
 *
 * \param sim   the simulation
 * \param name  registered, as by tr_register(); NULL: none
 * \returns     the probe, never NULL: a name that is taken fails the run
 * \owner       none
 * \threads     setup
 * \blocks      never
 */
TR_API struct tr_probe *tr_probe_new(struct tr_sim *sim, const char *name);

/**
 * The probe as others see it.
 *
 * \param probe  the probe
 * \returns      its reference
 * \owner        none
 * \threads      setup
 * \blocks       never
 */
TR_API tr_ref tr_probe_ref(struct tr_probe *probe);

/**
 * Send a message from the probe, once the system runs on.
 *
 * \param probe  the sender
 * \param to     the receiver
 * \param tag    what the receiver sees as tr_tag()
 * \param data   payload, copied
 * \param size   bytes
 * \owner        borrows until it returns
 * \threads      setup
 * \blocks       never
 */
TR_API void tr_probe_send(struct tr_probe *probe, tr_ref to, uint32_t tag,
    const void *data, size_t size);

/**
 * Ask, and run the system until the ask has ended.
 *
 * \param probe       the asker
 * \param to          who is asked
 * \param tag         what it sees as tr_tag()
 * \param data        payload, copied
 * \param size        bytes
 * \param timeout_ns  virtual time: the ask's deadline
 * \param answer      where the answer is stored, or NULL; NULL: not wanted
 * \returns           the outcome, as for tr_answer_fn; TR_ENOMEM (it could not
 *                    be asked); TR_ESTOPPING (the probe has ended)
 * \owner             *answer borrows until the probe is used again
 * \threads           setup
 * \blocks            until then
 */
TR_API int tr_probe_ask(struct tr_probe *probe, tr_ref to, uint32_t tag,
    const void *data, size_t size, int64_t timeout_ns,
    const struct tr_msg **answer);

/**
 * Run the system until the probe gets a message; it has to have the tag.  Fails
 * the run otherwise.
 *
 * \param probe       the receiver
 * \param tag         what it has to be
 * \param timeout_ns  virtual time in which it has to come
 * \returns           the message, never NULL
 * \owner             borrows until the probe is used again
 * \threads           setup
 * \blocks            until then
 */
TR_API const struct tr_msg *tr_probe_expect(struct tr_probe *probe,
    uint32_t tag, int64_t timeout_ns);

/**
 * Run the system for a time in which the probe must not get a message.
 *
 * \param probe  the receiver
 * \param ns     virtual time
 * \owner        none
 * \threads      setup
 * \blocks       until then
 */
TR_API void tr_probe_expect_none(struct tr_probe *probe, int64_t ns);

/**
 * Answer the message that tr_probe_expect() gave last.  One that is not answered
 * before the probe is used again is dropped (an ask: TR_ENOREPLY).
 *
 * \param probe  the receiver
 * \param tag    the answer's tag
 * \param data   payload, copied
 * \param size   bytes
 * \owner        borrows until it returns
 * \threads      setup
 * \blocks       never
 */
TR_API void tr_probe_reply(struct tr_probe *probe, uint32_t tag,
    const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* TROUPE_SIM_H */
