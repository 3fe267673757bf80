/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping and waking: a model of park.c, and of the steps of worker.c and the
 * pushes of runq.c and share.c around it.  Searched by tests/models/run.sh:
 *
 *     run     park.post       quick safety   2_workers_1_foreign -DPOSTS=2 -DBUDGET=0
 *     run     park.push       quick safety   2_workers_1_foreign -DPOSTS=1 -DBUDGET=1 -DSTUCK=1 -DBEHIND
 *     run     park.pinned     quick safety   2_workers_1_foreign -DPOSTS=1 -DBUDGET=1 -DPINNED
 *     run     park.refill     quick safety   2_workers -DPOSTS=0 -DBUDGET=2 -DSTUCK=1 -DFIRST -DOVERFLOW -DBEHIND
 *     run     park.watch      quick safety   2_workers -DPOSTS=0 -DBUDGET=1 -DFIRST -DWATCH -DSTUCK=1
 *     run     park.office     vast  safety   2_workers_1_foreign -DPOSTS=1 -DBUDGET=0 -DWATCH -DSTUCK=1
 *     run     park.posts      vast  safety   2_workers_1_foreign -DPOSTS=2 -DBUDGET=1
 *     run     park.trio       long  safety   3_workers -DWORKERS=3 -DPOSTS=0 -DBUDGET=1 -DFIRST
 *     run     park.three      vast  safety   3_workers_1_foreign -DWORKERS=3 -DPOSTS=1 -DBUDGET=0
 *     run     park.ends       quick progress 2_workers -DPOSTS=0 -DBUDGET=0 -DFIRST -DWATCH
 *     run     park.stuck      quick progress 2_workers -DPOSTS=0 -DBUDGET=1 -DFIRST -DWATCH -DSTUCK=1 -DTIMELY
 *
 *     run     park.own        quick safety   2_workers -DPOSTS=0 -DBUDGET=2 -DFIRST -DWATCH -DOWN -DSTUCK=1
 *     run     park.own_stuck  quick progress 2_workers -DPOSTS=0 -DBUDGET=1 -DFIRST -DWATCH -DOWN -DBEHIND -DSTUCK=1 -DTIMELY
 *
 *     mutant  PUSHES_STORE    park.push
 *     mutant  IDLE_STORE      park.push
 *     mutant  NO_RECHECK      park.push
 *     mutant  NO_BELL_CHECK   park.push
 *     mutant  NO_SECOND_LOOK  park.push
 *     mutant  SLEEPING_STORE  park.pinned
 *     mutant  NO_INBOX_LOOK   park.pinned
 *     mutant  REFILL_SILENT   park.refill
 *     mutant  NO_HAND_OVER    park.watch
 *     mutant  OFFICE_KEPT     park.watch
 *     mutant  ALARM_KEPT      park.ends
 *     mutant  NEXT_KEPT       park.stuck
 *     mutant  OWN_SLEEPS      park.own
 *     mutant  OWN_KEPT        park.own_stuck
 *
 * Workers step as tri_worker_step does: run, search, park.  Words run, push
 * others (`next', behind, to another worker's inbox) and may never return; a
 * foreign thread injects words.  Plain stores that a load follows (the ring's
 * tail, `bell' = 0) go through a store buffer of one entry per thread as on
 * x86, written to memory at any time, at the latest by the next store or
 * read-modify-write of that thread.
 *
 * Shown, for every interleaving:
 * - no lost wake-up: when nothing moves any more no word is left, also none
 *   that was pushed behind by a worker which then does not return.  Without
 *   WATCH there is no timer at all that could make up for a lost one;
 * - while somebody is busy and somebody sleeps there is a watch: when nothing
 *   moves any more either all are stuck or none (with a watch its naps go on);
 * - when all sleep nobody has the office, no place among the searchers is
 *   taken, and no timer is left (park.ends: there is no cycle without a word
 *   run, so naps end);
 * - no livelock: no cycle in which words are left and none is run (park.stuck).
 *   That needs the assumption TIMELY, that a worker which is not stuck ends a
 *   batch between two looks of the watch: otherwise two workers that are held
 *   up for 1 ms at each turn can hand a word in `next' to and fro.
 *
 * Merged steps: a pop by the owner (what is missing stays so), the look at
 * `sleeping' and the wake it leads to, the two exchanges after a sleep.
 *
 * Not modelled: the spin before the sleep beyond its first look, trimming,
 * timers, descriptors, the stop (actors/stop.pml), batches of stolen words.
 */
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef POSTS
#define POSTS 1 /* words from the foreign thread */
#endif
#ifndef BUDGET
#define BUDGET 1 /* words that words push */
#endif
#ifndef STUCK
#define STUCK 0 /* handlers that do not return */
#endif
#define ALL ((1 << WORKERS) - 1)
#define BIT(i) (1 << (i))
#define FOREIGN WORKERS /* its place among the store buffers */

/* struct tri_sched */
byte idle;
byte searching;
byte watch; /* index + 1 */
byte injected;

/* struct tri_worker: what others see of it */
byte ring[WORKERS]; /* words in it; its tail is a plain store */
byte over[WORKERS]; /* words in the overflow list */
bool next[WORKERS];
#ifdef OWN
byte own[WORKERS]; /* words that wait for it alone: reserve.h */
#endif
byte inbox[WORKERS];
bool bell[WORKERS];
bool sleeping[WORKERS];
bool looked[WORKERS]; /* by the watch, since its last batch ended */

/* Its loop: loop_wake and loop_alarm. */
bool wake[WORKERS];
bool alarmed[WORKERS];

/* Store buffers: one entry each, as on x86. */
#define NOTHING 0
#define RING 1 /* one more in the ring */
#define BELL 2 /* bell = 0 */
#define IDLE 3 /* by mutants only */
#define SLEEPING 4
byte buffer[WORKERS + 1];

/* Ghosts. */
#ifdef FIRST
byte words = 1; /* worker 0 begins with it in hand */
#else
byte words; /* pushed and not run to their end */
#endif
byte posts = POSTS, budget = BUDGET, stick = STUCK;
bool stuck[WORKERS];
byte n_stuck;

inline drain(i)
{
	if
	:: buffer[i] == RING -> ring[i]++
	:: buffer[i] == BELL -> bell[i] = false
#ifdef MUTANT_IDLE_STORE
	:: buffer[i] == IDLE -> idle = idle | BIT(i)
#endif
#ifdef MUTANT_SLEEPING_STORE
	:: buffer[i] == SLEEPING -> sleeping[i] = true
#endif
	:: else
	fi;
	buffer[i] = NOTHING
}

#define OWN_RING(i) (ring[i] + (buffer[i] == RING -> 1 : 0))

active proctype store_buffers()
{
end:	do
	:: atomic { buffer[0] != NOTHING -> drain(0) }
#if WORKERS > 1
	:: atomic { buffer[1] != NOTHING -> drain(1) }
#endif
#if WORKERS > 2
	:: atomic { buffer[2] != NOTHING -> drain(2) }
#endif
	od
}

/* ------------------------------------------------------------- waking --- */

/* The lowest bit: __builtin_ctzll. */
#define LOWEST(mask) ((mask) & 1 -> 0 : ((mask) & 2 -> 1 : 2))

/* bell = 1, exchanged; wake if the last one had not been rung, `also' is true,
 * and the sleeper is asleep for all we see. */
inline ring_bell(v, look)
{
	atomic { drain(me); rung = bell[v]; bell[v] = true };
	atomic {
		if
		:: !rung && (!look || sleeping[v]) -> wake[v] = true
		:: else
		fi;
		rung = false
	}
}

/* tri_park_ring */
inline park_ring(v)
{
	if
	:: !sleeping[v]
	:: sleeping[v] -> ring_bell(v, false)
	fi
}

/* tri_park_wake_one, with park_claim_one in it */
inline wake_one()
{
	do
	:: idle == 0 -> break
	:: else ->
		/* tri_cas_seq_cst(&s->searching, 0, 1) */
		atomic {
			drain(me);
			if
			:: searching != 0 -> break
			:: else -> searching = 1
			fi
		};
		/* park_claim_one */
		claimed = false;
		do
		:: atomic { idle == 0 -> break }
		:: atomic { idle != 0 -> v = LOWEST(idle) };
			atomic {
				drain(me);
				if
				:: idle & BIT(v) ->
					idle = idle & ~BIT(v);
					claimed = true
				:: else
				fi
			};
			if
			:: claimed -> ring_bell(v, true); break
			:: else
			fi
		od;
		v = 0;
		if
		:: claimed -> break /* it has our place now */
		:: else
		fi;
		atomic { drain(me); searching-- };
#ifdef MUTANT_NO_SECOND_LOOK
		break
#endif
	od;
	claimed = false
}

/* tri_park_work_pushed */
inline work_pushed()
{
	if
	:: idle == 0
	:: else -> wake_one()
	fi
}

/* ------------------------------------------------------------ pushing --- */

/* tri_runq_push_back */
inline push_back()
{
#ifdef OVERFLOW
	/* over_push: fetch_add on over_count */
	atomic { drain(me); over[me]++ }
#else
	/* ck_ring_enqueue_spmc: a plain store of the tail */
	atomic { drain(me); buffer[me] = RING };
	/* runq_announce: exchange on `pushes' */
#ifndef MUTANT_PUSHES_STORE
	atomic { drain(me) }
#endif
#endif
}

#ifdef OWN
#define WANTED (idle != 0 || searching != 0)

/* tri_sched_publish */
inline publish()
{
	had = (own[me] > 0);
	do
	:: atomic { own[me] > 0 -> own[me]-- }; push_back()
	:: own[me] == 0 -> break
	od;
	if
	:: had -> work_pushed()
	:: else
	fi;
	had = false
}
#endif

/* tri_sched_push_behind */
inline push_behind()
{
#ifdef OWN
	if
	:: WANTED -> publish(); push_back(); work_pushed()
	:: else -> own[me]++
	fi
#else
	push_back();
	work_pushed()
#endif
}

/* tri_sched_push_noted, tri_sched_push_instead */
inline push()
{
	if
	:: next[me] ->
		atomic { drain(me); had = next[me]; next[me] = true };
		if
		:: had -> had = false; push_behind()
		:: else
		fi
	:: else -> next[me] = true
	fi
}

/* tri_sched_push_home, to another worker */
inline push_home(to)
{
	atomic { drain(me); inbox[to]++ };
	park_ring(to)
}

/* ---------------------------------------------------------- searching --- */

/* tri_runq_stealable, of q and as this worker sees it */
#ifdef OVERFLOW
#define STEALABLE(q) (((q) == me -> OWN_RING(q) : ring[q]) > 0 || over[q] > 0)
#else
#define STEALABLE(q) (((q) == me -> OWN_RING(q) : ring[q]) > 0)
#endif

/* A look at every queue, one after the other; sets `had'. */
inline look_at_queues()
{
	had = STEALABLE(0);
#if WORKERS > 1
	had = had || STEALABLE(1);
#endif
#if WORKERS > 2
	had = had || STEALABLE(2);
#endif
}

/* tri_park_found */
inline found()
{
	if
	:: searcher ->
		searcher = false;
		atomic { drain(me); had = (searching == 1); searching-- };
		if
		:: had ->
			if
			:: idle != 0 ->
				/* tri_park_has_any */
				called = (injected > 0);
				look_at_queues();
				had = had || called;
				called = false;
				if
				:: had -> wake_one()
				:: else
				fi
			:: else
			fi
		:: else
		fi;
		had = false
	:: else
	fi
}

/* tri_runq_steal: one word.  (A thief that brings several pushes the others as
 * anybody does, before it gives up its place.) */
inline steal(q, also_next)
{
	atomic {
		drain(me);
		if
		:: ring[q] > 0 -> ring[q]--; word = true
#ifndef OVERFLOW
		:: ring[q] == 0 && also_next && next[q] ->
			next[q] = false;
			word = true
#endif
#ifdef OWN
#ifndef MUTANT_OWN_KEPT
		/* tri_reserve_steal */
		:: ring[q] == 0 && also_next && !next[q] && own[q] > 0 ->
			own[q]--;
			word = true
#endif
#endif
		:: else
		fi
	};
#ifdef OVERFLOW
	atomic {
		if
		:: !word && over[q] > 0 -> drain(me); over[q]--; word = true
		:: else
		fi
	}
#endif
}

/* -------------------------------------------------------------- watch --- */

#define IS_WATCH (watch == me + 1)

/* watch_hand_over */
inline hand_over()
{
	do
	:: atomic { idle == 0 -> break }
	:: atomic { idle != 0 -> v = LOWEST(idle) };
		atomic {
			drain(me);
			if
			:: watch != 0 -> break
			:: else -> watch = v + 1
			fi
		};
		if
		:: idle & BIT(v) -> alarmed[v] = true; break
		:: else
		fi;
		/* It woke up meanwhile, maybe without seeing it. */
		atomic {
			drain(me);
			if
			:: watch == v + 1 -> watch = 0
			:: else -> break
			fi
		}
	od;
	v = 0
}

/* park_leave */
inline leave()
{
	atomic {
		drain(me);
		if
		:: idle & BIT(me) -> idle = idle & ~BIT(me)
		:: else -> searcher = true
		fi
	};
#ifdef WATCH
#ifndef MUTANT_OFFICE_KEPT
	if
	:: IS_WATCH -> atomic { drain(me); watch = 0 }
	:: else
	fi;
#endif
#ifndef MUTANT_NO_HAND_OVER
	if
	:: watch == 0 -> hand_over()
	:: else
	fi
#endif
#endif
}

/* watch_rest; sets `on_duty' */
inline rest()
{
	do
	:: true ->
		if
		:: idle != ALL -> on_duty = true; break
		:: else
		fi;
#ifdef MUTANT_ALARM_KEPT
		on_duty = true;
		break;
#endif
		atomic { drain(me); watch = 0 };
		if
		:: idle == ALL -> break
		:: else
		fi;
		atomic {
			drain(me);
			if
			:: watch == 0 -> watch = me + 1
			:: else -> break
			fi
		}
	od
}

/* watch_duty */
inline duty()
{
	on_duty = false;
	had = IS_WATCH;
	if
	:: !had && idle != ALL ->
		atomic {
			drain(me);
			if
			:: watch == 0 -> watch = me + 1; had = true
			:: else
			fi
		}
	:: else
	fi;
	if
	:: had -> had = false; rest()
	:: else
	fi
}

/* watch_look */
inline look()
{
	mask = idle;
	i = 1;
	do
	:: !word && i < WORKERS ->
		atomic {
			v = (me + i) % WORKERS;
			had = looked[v] && !(mask & BIT(v));
			looked[v] = true;
#ifdef TIMELY
			had = had && stuck[v];
#endif
#ifdef MUTANT_NEXT_KEPT
			had = false;
#endif
			i++
		};
		if
		:: mask & BIT(v)
		:: else -> steal(v, had)
		fi
	:: else -> break
	od;
	atomic { i = 0; mask = 0; v = 0; had = false }
}

/* -------------------------------------------------------------- worker -- */

#ifdef PINNED
/* worker_take_inbox */
inline take_inbox()
{
	atomic {
		if
		:: inbox[me] > 0 ->
			drain(me);
			pinned = pinned + inbox[me];
			inbox[me] = 0
		:: else
		fi
	}
}
#endif

/* tri_worker_poll */
inline poll()
{
#ifdef PINNED
	take_inbox();
#endif
	/* worker_take_injected: a look, and an exchange if there is something. */
	atomic {
		if
		:: injected > 0 -> drain(me); got = injected; injected = 0
		:: else
		fi
	};
	if
	:: got > 0 ->
		do
		:: got > 0 -> got--; push_back()
		:: else -> break
		od;
		work_pushed()
	:: else
	fi
}

/* tri_runq_pop: `next', the ring, the overflow list, what is pinned here.  One
 * step: what it finds missing stays so, for only the owner adds. */
inline pop()
{
	atomic {
		if
		:: next[me] -> drain(me); next[me] = false; word = true
		:: !next[me] && OWN_RING(me) > 0 ->
			drain(me);
			ring[me]--;
			word = true
#ifdef OWN
#ifndef MUTANT_OWN_SLEEPS
		/* In turns. */
		:: !next[me] && own[me] > 0 -> own[me]--; word = true
#endif
#endif
#ifdef PINNED
		:: !next[me] && OWN_RING(me) == 0 && pinned > 0 ->
			pinned--;
			word = true
#endif
#ifdef OVERFLOW
		:: !next[me] && OWN_RING(me) == 0 && over[me] > 0 ->
			/* over_refill: cut off */
			drain(me);
			got = over[me];
			over[me] = 0;
			word = true;
			got--
#endif
		:: else
		fi
	};
#ifdef OVERFLOW
	had = (got > 0);
	do
	:: got > 0 -> got--; atomic { drain(me); buffer[me] = RING }
	:: else -> break
	od;
#ifndef MUTANT_REFILL_SILENT
	if
	:: had -> atomic { drain(me) }; work_pushed()
	:: else
	fi;
#endif
	had = false
#endif
}

#define IN_QUEUES (next[me] || pinned > 0 || OWN_RING(me) > 0 || over[me] > 0)
#if defined(OWN) && !defined(MUTANT_OWN_SLEEPS)
#define WAITS (IN_QUEUES || own[me] > 0)
#else
#define WAITS IN_QUEUES
#endif

proctype worker(byte me)
{
	byte v, i, mask, got, pinned;
	bool rung, claimed, had, word, searcher, on_duty, napping, called;

#ifdef FIRST
	if
	:: me == 0 -> word = true; goto running
	:: else
	fi;
#endif
	goto search;
next_run: /* worker_run */
#ifdef PINNED
	take_inbox();
#endif
#ifdef OWN
	if
	:: own[me] > 0 && WANTED -> publish()
	:: else
	fi;
#endif
	pop();
	if
	:: !word -> goto search
	:: else
	fi;
running: /* worker_run_word: a handler, which may push. */
	if
#ifndef BEHIND
	:: atomic { budget > 0 -> budget--; words++ }; push(); goto running
#endif
#ifndef PINNED
	:: atomic { budget > 0 -> budget--; words++ }; push_behind();
		goto running
#else
	:: atomic { budget > 0 -> budget--; words++ }; push_home(1 - me);
		goto running
#endif
#if STUCK > 0
	:: atomic { stick > 0 -> stick--; stuck[me] = true; n_stuck++; words-- };
end_stuck:	false
#endif
	:: atomic { true -> words--; word = false; looked[me] = false }
	fi;
progress_word:
	goto next_run;

search:	/* worker_search */
	poll();
	if
	:: WAITS -> found(); goto next_run
	:: else
	fi;
	/* tri_park_may_search */
	if
	:: !searcher ->
		if
		:: searching >= WORKERS / 2 -> goto park
		:: else
		fi;
		atomic { drain(me); searching++; searcher = true }
	:: else
	fi;
	/* worker_steal */
	steal((me + 1) % WORKERS, false);
#if WORKERS > 2
	if
	:: !word -> steal((me + 2) % WORKERS, false)
	:: else
	fi;
#endif
	if
	:: word -> found(); goto running
	:: else
	fi;

park:	/* tri_park */
	if
	:: napping -> goto doze
	:: else
	fi;
	/* park_enter: announce. */
#ifdef MUTANT_IDLE_STORE
	atomic { drain(me); buffer[me] = IDLE };
#else
	atomic { drain(me); idle = idle | BIT(me) };
#endif
	if
	:: searcher ->
#ifdef MUTANT_IDLE_STORE
		/* Behind the look, or this one would help. */
		skip
#else
		searcher = false;
		atomic { drain(me); searching-- }
#endif
	:: else
	fi;
	/* park_sees_work */
#ifndef MUTANT_NO_RECHECK
	look_at_queues();
	had = had || injected > 0;
#ifdef PINNED
	had = had || inbox[me] > 0;
#endif
#endif
#ifdef MUTANT_IDLE_STORE
	if
	:: searcher -> searcher = false; atomic { drain(me); searching-- }
	:: else
	fi;
#endif
	if
	:: had ->
		had = false;
		leave();
		if
		:: !searcher ->
			atomic { drain(me); searching++; searcher = true }
		:: else
		fi;
		goto search
	:: else
	fi;
	/* park_spin: park_called */
	had = bell[me];
#ifdef PINNED
	had = had || inbox[me] > 0;
#endif
	if
	:: had ->
		had = false;
		/* A plain store. */
		atomic { drain(me); buffer[me] = BELL };
		leave();
		goto search
	:: else
	fi;

doze:
#ifdef WATCH
	duty();
#endif
	/* park_lie_down */
#ifdef MUTANT_SLEEPING_STORE
	atomic { drain(me); buffer[me] = SLEEPING };
#else
	atomic { drain(me); sleeping[me] = true };
#endif
	/* park_called */
#ifndef MUTANT_NO_BELL_CHECK
	had = bell[me];
#endif
#ifdef PINNED
#ifndef MUTANT_NO_INBOX_LOOK
	had = had || inbox[me] > 0;
#endif
#endif
	if
	:: had -> had = false
	:: else ->
		/* loop_sleep */
end_sleep:	if
		:: atomic { wake[me] -> wake[me] = false }
#ifdef WATCH
		:: atomic { alarmed[me] -> alarmed[me] = false }
		:: on_duty -> skip /* 1 ms */
#endif
		fi
	fi;
	on_duty = false;
	/* park_stand_up: two exchanges, one after the other; in one step: a
	 * bell in between would be heard as well. */
	atomic {
		drain(me);
		sleeping[me] = false;
		called = bell[me];
		bell[me] = false
	};
#ifdef WATCH
	if
	:: IS_WATCH -> look()
	:: else
	fi;
#endif
	/* park_roused */
	atomic {
		napping = (!word && !called && injected == 0 && inbox[me] == 0);
		called = false
	};
	if
	:: napping ->
#if STUCK > 0
		/* Watching over a handler that does not return, with nothing
		 * left to run, may go on for ever. */
		if
		:: words == 0 && n_stuck > 0 ->
progress_nap:		goto park
		:: else
		fi;
#endif
		goto park
	:: else
	fi;
	leave();
#ifdef WATCH
	if
	:: word ->
		found();
		word = false;
		push();
		goto next_run
	:: else
	fi;
#endif
	goto search
}

active proctype foreign()
{
	byte me = FOREIGN, v;
	bool rung, claimed;

	do
	:: atomic { posts > 0 -> posts--; words++ };
		/* tri_sched_inject */
		injected++;
		wake_one()
#ifdef PINNED
	:: atomic { posts > 0 -> posts--; words++ };
		push_home(1)
#endif
	:: posts == 0 -> break
	od
}

active proctype monitor()
{
	byte i;

	timeout ->
	/* No lost wake-up. */
	assert(words == 0);
#ifdef WATCH
	/* Whoever is busy is watched by somebody who is not. */
	assert(n_stuck == 0 || n_stuck == WORKERS);
#endif
	/* All sleep: nobody watches, no place is taken. */
	assert(n_stuck > 0 || (idle == ALL && watch == 0 && searching == 0))
}

init {
	byte i;

	atomic {
		do
		:: i < WORKERS -> run worker(i); i++
		:: else -> break
		od
	}
}
