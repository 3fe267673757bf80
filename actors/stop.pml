/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ordered stop: a model of stop.c, and of what it meets: tri_spawn and
 * tr_system_spawn (actors/spawn.c, post.c), tri_kill (life.c), die_finish
 * (die.c), tri_sched_attend and tri_sched_quit (sched/sched.c), and as much of
 * a worker's sleep (park_lie_down) as their bell needs.  Searched by
 * tests/models/run.sh:
 *
 *     run     stop.foreign     quick safety 2_workers_2_foreign -DCHILDREN=0 -DWORKERS=2
 *     run     stop.children    quick safety 2_workers_1_foreign -DCHILDREN=1 -DFOREIGN=0
 *     run     stop.kill        quick safety 2_workers_1_foreign -DCHILDREN=0 -DFOREIGN=0 -DKILL
 *     run     stop.ends        quick progress 1_worker_2_foreign -DCHILDREN=0 -DWORKERS=1
 *     run     stop.birth       long  safety 1_worker_2_foreign -DCHILDREN=1 -DFOREIGN=1 -DWORKERS=1
 *     run     stop.killone     long  safety 1_worker_2_foreign -DCHILDREN=0 -DFOREIGN=1 -DKILL -DWORKERS=1
 *     run     stop.all         vast  safety 2_workers_2_foreign -DCHILDREN=1 -DFOREIGN=1
 *     run     stop.killall     vast  safety 2_workers_2_foreign -DCHILDREN=0 -DFOREIGN=1 -DKILL
 *
 *     mutant  NO_LOCK          stop.foreign
 *     mutant  NO_BELL          stop.foreign
 *     mutant  LATE_COUNT       stop.children
 *     mutant  TOLD_STORE       stop.children
 *     mutant  ONE_SWEEP        stop.ends
 *     mutant  UNTOLD           stop.ends
 *     mutant  KILL_ANY         stop.kill
 *
 * A foreign thread stops the system while another one spawns; actors spawn
 * children and exit by themselves; slots are used again.  Workers run actors,
 * and before each step attend to the stop: one of them at a time does a slice.
 *
 * Shown, for every interleaving:
 * - the stop ends, and every worker leaves;
 * - when it ends nobody lives, and nobody is born later;
 * - a STOP or KILL reaches only the actor it was meant for, and every actor
 *   that lives when the stop begins, or is born behind its back, ends.
 *
 * Not modelled: time (a deadline may pass at any moment); handlers that do not
 * return; the mailbox (inlet.pml), telling without memory (mark.pml).
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef FOREIGN
#define FOREIGN 1 /* spawns of a foreign thread */
#endif
#ifndef CHILDREN
#define CHILDREN 1 /* spawns by actors */
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#define DESKS (WORKERS + 1)
#define OUTSIDE WORKERS /* the foreign threads' desk */

/* struct tr_system */
bool stopping, foreign_lock, stop_lock, stop_killed;
byte stop_at = SLOTS; /* next slot to tell; SLOTS: a new sweep */
byte spawned[DESKS], ended[DESKS]; /* desk.counts */

/* The cells. */
byte gen[SLOTS]; /* ident: the generation */
bool told[SLOTS], kill[SLOTS]; /* and two of its flags */
bool open[SLOTS]; /* the inlet is not CLOSED */
byte mail[SLOTS]; /* 0, or the generation that a STOP or KILL is for */
bool scheduled[SLOTS], running[SLOTS];
bool used[SLOTS]; /* handed out by the table */

/* struct tri_sched, struct tri_worker */
bool attention, quit;
bool bell[WORKERS], wake[WORKERS];

/* Ghosts. */
byte alive, children = CHILDREN, left_workers;
bool over;

/* ------------------------------------------------------------ spawning -- */

/* tri_spawn, on a desk; uses s. */
inline spawn(desk)
{
	if
	:: stopping /* TR_ESTOPPING */
	:: !stopping ->
		/* tri_table_get; spawn_fill_cell */
		atomic {
			if
			:: !used[0] -> s = 0
			:: used[0] && !used[1] -> s = 1
			:: else -> s = SLOTS /* unreached: too many */
			fi;
			if
			:: s < SLOTS -> used[s] = true
			:: else
			fi
		};
		if
		:: s < SLOTS ->
#ifndef MUTANT_LATE_COUNT
			/* spawn_launch: counted before anybody can see it end */
			spawned[desk] = spawned[desk] + 1;
#endif
			/* spawn_open: with a first message, so it runs */
			atomic {
				assert(!over); /* nobody is born after the end */
				open[s] = true;
				alive++;
				scheduled[s] = true
			};
#ifdef MUTANT_LATE_COUNT
			spawned[desk] = spawned[desk] + 1;
#endif
			skip
		:: else
		fi
	fi;
	s = 0
}

/* tr_system_spawn */
proctype spawner()
{
	byte s, n;

	do
	:: n < FOREIGN ->
		n++;
		atomic { !foreign_lock -> foreign_lock = true };
		spawn(OUTSIDE);
		foreign_lock = false
	:: else -> break
	od
}

/* ------------------------------------------------------------ stopping -- */

/* tri_sched_attend: exchange; then every worker's bell and loop. */
inline attend()
{
	attention = true;
	i = 0;
	do
	:: i < WORKERS ->
#ifndef MUTANT_NO_BELL
		bell[i] = true;
		wake[i] = true;
#endif
		i++
	:: else -> break
	od;
	i = 0
}

/* tr_system_stop, from a foreign thread */
proctype stopper()
{
	byte i;

	stopping = true;
	attend()
}

/* tri_system_alive: the deaths first; sets `n'. */
inline count_alive()
{
	n = 0 - ended[OUTSIDE];
	n = n - ended[0];
#if WORKERS > 1
	n = n - ended[1];
#endif
	n = n + spawned[OUTSIDE];
	n = n + spawned[0]
#if WORKERS > 1
	;
	n = n + spawned[1]
#endif
}

/* tri_deliver_control of a STOP or KILL for the actor g of slot k */
inline deliver(k, g)
{
	atomic {
		if
		:: open[k] ->
			if
			:: mail[k] == 0 || mail[k] < g -> mail[k] = g
			:: else
			fi;
			scheduled[k] = !running[k]
		:: else
		fi
	}
}

/* stop_tell; uses g, t */
inline tell(k)
{
	/* ident, then the inlet */
	atomic { g = gen[k]; t = told[k] };
	if
	:: !open[k]
	:: open[k] && stop_killed ->
		/* tri_kill: ident_set, if it is still that one */
		atomic {
			if
#ifdef MUTANT_KILL_ANY
			:: true -> kill[k] = true; assert(gen[k] == g)
#else
			:: gen[k] == g -> kill[k] = true
#endif
			:: else -> g = 0
			fi
		};
		if
		:: g != 0 -> deliver(k, g)
		:: else
		fi
	:: open[k] && !stop_killed && !t ->
		/* the CAS on ident */
#ifdef MUTANT_TOLD_STORE
		atomic { told[k] = true; assert(gen[k] == g) };
#else
		atomic {
			if
			:: gen[k] == g && !told[k] -> told[k] = true
			:: else -> g = 0
			fi
		};
#endif
#ifndef MUTANT_UNTOLD
		if
		:: g != 0 -> deliver(k, g)
		:: else
		fi
#else
		skip
#endif
	:: open[k] && !stop_killed && t
	fi;
	atomic { g = 0; t = false }
}

/* stop_end, tri_sched_quit */
inline end_it()
{
	atomic {
		assert(alive == 0); /* nobody lives when the stop ends */
		over = true;
		quit = true
	};
	attend()
}

/* stop_step, with the lock; uses n, g, t, i */
inline stop_step()
{
	count_alive();
	if
	:: n == 0 ->
#ifndef MUTANT_NO_LOCK
		atomic { !foreign_lock -> foreign_lock = true };
		foreign_lock = false;
#endif
		count_alive();
		if
		:: n == 0 -> end_it()
		:: else
		fi
	:: else ->
#ifdef KILL
		/* The deadline. */
		if
		:: !stop_killed -> stop_killed = true; stop_at = 0
		:: true
		fi;
#endif
		/* stop_sweep: slices of one */
#ifndef MUTANT_ONE_SWEEP
		if
		:: stop_at == SLOTS -> stop_at = 0
		:: else
		fi;
#else
		if
		:: stop_at == SLOTS && !swept -> stop_at = 0; swept = true
		:: else
		fi;
#endif
		if
		:: stop_at < SLOTS -> tell(stop_at); stop_at++
		:: else
		fi
	fi;
	n = 0
}

#ifdef MUTANT_ONE_SWEEP
bool swept;
#endif

/* -------------------------------------------------------------- worker -- */

/* tri_actor_run of the actor in slot k */
inline run_actor(k)
{
	/* A handler: it may spawn, exit, or do nothing. */
	if
	:: children > 0 -> children--; spawn(me)
	:: true
	fi;
	/* STOP and KILL are for the one they were sent to. */
	atomic {
		if
		:: mail[k] != 0 ->
			ends = (mail[k] == gen[k]);
			mail[k] = 0
		:: else
		fi;
		/* the kill flag, seen with any message */
		ends = ends || kill[k];
		assert(!kill[k] || stop_killed)
	};
	if
	:: ends
#if CHILDREN > 0
	:: ends = true /* tr_exit */
#endif
	:: !ends
	fi;
	if
	:: ends ->
		/* tri_actor_die: close; the message is a dead letter. */
		atomic { open[k] = false; mail[k] = 0; running[k] = false };
		/* die_free_slot: the next generation, without flags */
		atomic {
			gen[k] = gen[k] + 1;
			told[k] = false;
			kill[k] = false;
			alive--
		};
		used[k] = false;
		ended[me] = ended[me] + 1
	:: else ->
		/* Idle, if nothing came. */
		atomic { running[k] = false; scheduled[k] = (mail[k] != 0) }
	fi;
	ends = false
}

proctype worker(byte me)
{
	byte s, i, n, g, k;
	bool t, ends, called;

	do
	:: true ->
		/* tri_worker_step: attention */
		if
		:: attention ->
			if
			:: quit -> break
			:: !quit ->
				/* tri_stop_attend: a try-lock */
				atomic {
					if
					:: !stop_lock -> stop_lock = true; t = true
					:: else
					fi
				};
				if
				:: t ->
					t = false;
					if
					:: !quit -> stop_step()
					:: else
					fi;
					stop_lock = false
				:: else
				fi
			fi
		:: else
		fi;
		/* Something to run? */
		k = SLOTS;
		atomic {
			if
			:: scheduled[0] ->
				scheduled[0] = false; running[0] = true; k = 0
			:: scheduled[1] ->
				scheduled[1] = false; running[1] = true; k = 1
			:: else
			fi
		};
		if
		:: k < SLOTS ->
			run_actor(k);
			k = 0
		:: else ->
			k = 0;
			/* park_lie_down; with attention it naps 1 ms at most */
			called = bell[me] || quit || attention;
			if
			:: called -> called = false
			:: else ->
end_sleep:			if
				:: atomic { wake[me] -> wake[me] = false }
				:: atomic { scheduled[0] || scheduled[1] }
				fi
			fi;
			bell[me] = false
		fi
	od;
	left_workers++
}

active proctype monitor()
{
	timeout ->
	assert(over && left_workers == WORKERS && alive == 0)
}

init {
	byte i;

	atomic {
		/* One actor lives, and knows how to spawn. */
		gen[0] = 1;
		gen[1] = 1;
		used[0] = true;
		open[0] = true;
		scheduled[0] = true;
		spawned[OUTSIDE] = 1;
		alive = 1;
		run spawner();
		run stopper();
		do
		:: i < WORKERS -> run worker(i); i++
		:: else -> break
		od
	}
}
