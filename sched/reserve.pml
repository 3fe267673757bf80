/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reservations: a model of reserve.h and those who use it: tri_deliver_inline
 * (actors/send.h), run_rest and run_requeue (actors/run.c), worker_listen and
 * worker_run (sched/worker.c), share.c, watch_look (sched/park.c).  Searched by
 * tests/models/run.sh:
 *
 *     run     reserve.two     quick safety 2_workers
 *     run     reserve.watch   quick safety 2_workers -DLOOKS=2
 *     run     reserve.roam1   quick safety 2_workers -DROAMERS=1 -DNAPS=0 -DSENDS=1
 *     run     reserve.self    quick safety 2_workers -DSELF=1
 *     run     reserve.foreign quick safety 2_workers_1_stranger -DSTRANGERS=1 -DSENDS=1
 *     run     reserve.long    long  safety 2_workers -DLOOKS=2 -DSENDS=3
 *     run     reserve.roam    long  safety 2_workers -DROAMERS=1 -DNAPS=0
 *     run     reserve.roam2   long  safety 2_workers -DROAMERS=1
 *     run     reserve.foreign2 long safety 2_workers_1_stranger -DSTRANGERS=1
 *
 *     mutant  NO_TELL         reserve.two
 *     mutant  TELL_FIRST      reserve.two
 *     mutant  KEEP_CLEARS     reserve.two
 *     mutant  KEEP_BLIND      reserve.two
 *     mutant  KEEP_ANY        reserve.two
 *     mutant  REST_FIRST      reserve.two
 *     mutant  SLEEP_KEEPS     reserve.two
 *     mutant  APPEND_BLIND    reserve.roam
 *     mutant  APPEND_QUEUED   reserve.two
 *     mutant  STEAL_LOOK      reserve.watch
 *     mutant  WAIT_STOLEN     reserve.watch
 *     mutant  REST_WAITING    reserve.two
 *     mutant  WITHDRAW_STORE  reserve.two
 *
 * One actor.  Workers send to it, run it, keep it, let it wait for themselves,
 * publish it, withdraw it again, steal it from each other's
 * queues, and, as the watch, from the places where a stuck worker has it; a
 * stranger (a foreign thread) only pushes.  Every look at `head` and every
 * change of it is a step of its own; a slot gives its word to one of those who
 * want it, which is what next.pml shows, so it is taken in one step.
 *
 * A worker need not ever run out of work of other actors', so sleeping, which
 * lets go of all that is kept, and the watch's looks are limited in number:
 * they save nobody.
 *
 * Shown, for every interleaving:
 * - each message is handled once, those of one sender in their order;
 * - at most one has the actor, and only who has it touches what is pending;
 * - somebody has it if and only if its inlet is not IDLE;
 * - nobody keeps an actor that has a message without having been told;
 * - who waits has a message.
 *
 * Not modelled: the death of the actor (inlet.pml), lone messages handled in
 * place, several actors in one place of the table.
 */
#ifndef SENDS
#define SENDS 2 /* messages of each sender */
#endif
#ifndef STRANGERS
#define STRANGERS 0
#endif
#ifndef LOOKS
#define LOOKS 0 /* of each worker, as the watch */
#endif
#ifndef NAPS
#define NAPS 1 /* of each worker */
#endif
#ifndef SELF
#define SELF 0 /* messages of the actor to itself */
#endif
#ifndef ROAMERS
#define ROAMERS 0 /* senders that go from worker to worker */
#endif
#define WORKERS 2
#define SENDERS (WORKERS + STRANGERS + SELF + ROAMERS)
#define ACTOR (WORKERS + STRANGERS) /* as a sender */
#define ROAMER (ACTOR + SELF)
#define MESSAGES (SENDERS * SENDS)

/* The inlet's word: a state, or the newest message. */
#define IDLE 0
#define RUNNING 1
#define RESERVED(w) (2 + (w))
#define IS_RESERVED(h) ((h) >= 2 && (h) < 2 + WORKERS)
#define RESERVER(h) ((h) - 2)
#define FIRST (2 + WORKERS)
#define IS_MSG(h) ((h) >= FIRST)

byte head = IDLE;
chan inlet = [MESSAGES] of { byte }; /* oldest first */
chan pending = [MESSAGES] of { byte };

/* Who has the actor. */
bit kept[WORKERS]; /* a place of the table: idle */
bit waits[WORKERS]; /* a place of the table, and a turn */
bit next[WORKERS], noted[WORKERS];
bit queued[WORKERS]; /* a run queue: anybody's to take */
bit injected;
byte busy; /* in somebody's hands */

bit told[WORKERS];
byte handled[SENDERS]; /* how many of each sender's */
byte said; /* messages of the actor to itself */
byte roamed; /* of the roamer */
bit roams; /* it is about to send */

#define HOLDERS (kept[0] + kept[1] + waits[0] + waits[1] + next[0] + \
	next[1] + queued[0] + queued[1] + injected + busy)
#define CHECK assert(HOLDERS == (head == IDLE -> 0 : 1))

inline tell(h, me)
{
	if
	:: IS_RESERVED(h) && RESERVER(h) != me ->
#if !defined(MUTANT_NO_TELL) && !defined(MUTANT_TELL_FIRST)
		told[RESERVER(h)] = 1
#else
		skip
#endif
	:: else
	fi
}

/* tri_inlet_push_over: h was there before. */
inline push(h, m, me)
{
	do
	:: h = head;
#ifdef MUTANT_TELL_FIRST
		if
		:: IS_RESERVED(h) && RESERVER(h) != me -> told[RESERVER(h)] = 1
		:: else
		fi;
#endif
		atomic {
			if
			:: head == h ->
				inlet!m;
				head = FIRST + m;
				busy = (h == IDLE -> 1 : busy);
				CHECK;
				break
			:: else
			fi
		}
	od
}

/* tri_sched_push_noted: no other actor is there; see `displace'. */
inline push_next(me, note)
{
	atomic {
		assert(busy == 1 && !next[me]);
		busy = 0;
		next[me] = 1;
		noted[me] = note;
		CHECK
	}
}

/* tri_deliver_inline, tri_deliver_reserved, tri_deliver_waking */
inline deliver(me, m)
{
	h = head;
	if
	:: h == RESERVED(me) ->
		if
		:: atomic { kept[me] -> kept[me] = 0; assert(!busy); busy = 1 };
			pending!m;
			push_next(me, 1);
			goto sent
		:: atomic { next[me] && noted[me] -> next[me] = 0; busy = 1 };
			pending!m;
			push_next(me, 1);
			goto sent
		/* In its place: tri_reserve_return. */
#ifdef MUTANT_WAIT_STOLEN
		:: waits[me] -> pending!m; goto sent
#else
		:: atomic { waits[me] -> waits[me] = 0; busy = 1 };
			assert(nempty(pending));
			pending!m;
			atomic { busy = 0; waits[me] = 1; CHECK };
			goto sent
#endif
#ifdef MUTANT_APPEND_QUEUED
		:: queued[me] -> pending!m; goto sent
#endif
		:: !kept[me] && !waits[me] && !(next[me] && noted[me])
		fi
#ifdef MUTANT_APPEND_BLIND
	:: IS_MSG(h) && next[me] && noted[me] ->
		atomic {
			if
			:: next[me] && noted[me] -> next[me] = 0; busy = 1
			:: else -> goto crowded
			fi
		};
		pending!m;
		push_next(me, 1);
		goto sent
#endif
	:: h == IDLE ->
		/* tri_inlet_reserve */
		atomic {
			if
			:: head == IDLE ->
				head = RESERVED(me);
				busy = 1;
				CHECK
			:: else -> goto crowded
			fi
		};
		assert(empty(pending));
		pending!m;
		push_next(me, 1);
		goto sent
	:: else
	fi;
crowded:
	push(h, m, me);
	if
	:: h == IDLE -> push_next(me, 0)
	:: else -> tell(h, me)
	fi;
sent:	h = 0
}

/* tri_actor_rest, and what the caller does where it fails. */
inline rest(me)
{
	h = head;
	atomic {
		assert(busy == 1);
		if
		:: !IS_MSG(h) && head == h -> head = IDLE; busy = 0
		:: else -> busy = 0; queued[me] = 1
		fi;
		h = 0;
		CHECK
	}
}

inline handle()
{
	atomic {
		assert(busy == 1);
		pending?m;
		assert(m % SENDS == handled[m / SENDS]);
		handled[m / SENDS]++;
		m = 0
	}
}

proctype worker(byte me)
{
	byte h, m, sends, looks = LOOKS, naps = NAPS;
	bit knows; /* the newest of what is pending */

end:	do
	/* Another actor sends. */
	:: atomic { sends < SENDS ->
			m = me * SENDS + sends;
			sends++;
			goto send
		}

#if ROAMERS > 0
	:: atomic { roamed < SENDS && !roams ->
			roams = 1;
			m = ROAMER * SENDS + roamed;
			roamed++;
			goto send
		}
#endif

	/* worker_listen */
	:: told[me] ->
#ifndef MUTANT_REST_FIRST
		told[me] = 0; /* the exchange */
#endif
		if
		:: atomic { kept[me] -> kept[me] = 0; busy = 1 };
#ifdef MUTANT_REST_FIRST
			/* It looks, and keeps who has nothing. */
			h = head;
			if
			:: IS_MSG(h) -> rest(me)
			:: else -> atomic { busy = 0; kept[me] = 1; h = 0 }
			fi;
#else
			rest(me)
#endif
#ifdef MUTANT_REST_WAITING
		:: atomic { waits[me] -> waits[me] = 0; busy = 1 };
			rest(me)
#endif
		:: !kept[me]
		fi;
#ifdef MUTANT_REST_FIRST
		told[me] = 0
#endif

	/* Nothing to run: tri_sched_rest_all, and asleep until there is. */
	:: naps > 0 && !next[me] && !waits[me] && !queued[me] ->
		naps--;
#ifndef MUTANT_SLEEP_KEEPS
		if
		:: atomic { kept[me] -> kept[me] = 0; busy = 1 };
			rest(me)
		:: !kept[me]
		fi
#else
		(queued[me] || injected)
#endif

	/* Another actor is to run next instead: tri_sched_push_instead. */
	:: atomic { next[me] -> next[me] = 0; queued[me] = 1; CHECK }
	:: atomic { next[me] && noted[me] ->
			next[me] = 0; waits[me] = 1; CHECK }

	/* tri_sched_publish */
	:: atomic { waits[me] -> waits[me] = 0; queued[me] = 1; CHECK }

	/* tri_sched_withdraw, tri_actor_reserve */
	:: atomic { queued[me] ->
			queued[me] = 0;
			busy = 1;
			do
			:: nempty(inlet) -> inlet?m; pending!m
			:: else -> break
			od;
			m = 0;
#ifdef MUTANT_WITHDRAW_STORE
		};
		atomic {
#endif
			head = RESERVED(me);
			busy = 0;
			/* Why else was it queued? */
			assert(nempty(pending));
			waits[me] = 1;
			CHECK
		}

	/* The watch: the other one is stuck. */
	:: looks > 0 ->
		looks--;
		if
		:: atomic { next[1 - me] -> next[1 - me] = 0; busy = 1 };
			goto turn
#ifdef MUTANT_STEAL_LOOK
		:: told[1 - me] && kept[1 - me] -> busy++; goto turn
#else
		:: atomic { told[1 - me] && kept[1 - me] ->
				kept[1 - me] = 0; busy = 1 };
			goto turn
#endif
		:: atomic { waits[1 - me] -> waits[1 - me] = 0; busy = 1 };
			goto turn
		:: !next[1 - me] && !waits[1 - me] &&
			!(told[1 - me] && kept[1 - me])
		fi

	/* worker_run */
	:: atomic { next[me] ->
			next[me] = 0;
			busy = 1;
			knows = noted[me];
			goto turn
		}
	:: atomic { waits[me] ->
			waits[me] = 0;
			busy = 1;
			knows = 1;
			goto turn
		}
	:: atomic { queued[me] -> queued[me] = 0; busy = 1; goto turn }
	:: atomic { queued[1 - me] -> queued[1 - me] = 0; busy = 1; goto turn }
	:: atomic { injected -> injected = 0; busy = 1; goto turn }
	od;

send:	deliver(me, m);
	atomic {
#if ROAMERS > 0
		if
		:: m / SENDS == ROAMER -> roams = 0
		:: else
		fi;
#endif
		m = 0;
		goto end
	};

turn:	do
	:: nempty(pending) ->
		handle();
		if
		:: true
#if SELF > 0
		:: said < SENDS ->
			m = ACTOR * SENDS + said;
			said++;
			/* It runs, so nobody keeps it. */
			push(h, m, me);
			tell(h, me);
			h = 0
#endif
		/* The batch is over: tri_actor_requeue. */
		:: nempty(pending) ->
			atomic { busy = 0; queued[me] = 1; CHECK; knows = 0;
				goto end }
		/* It waits for this worker. */
		:: nempty(pending) && knows ->
			atomic { busy = 0; waits[me] = 1; CHECK; knows = 0;
				goto end }
		fi;
		m = 0
	:: empty(pending) ->
		knows = 0;
		h = head;
		if
		:: IS_MSG(h) ->
			/* tri_inlet_take_owner */
			atomic {
				head = RUNNING;
				do
				:: nempty(inlet) -> inlet?m; pending!m
				:: else -> break
				od;
				m = 0;
				h = 0
			}
#ifdef MUTANT_KEEP_BLIND
			;
			do
			:: nempty(pending) -> handle()
			:: else -> break
			od;
			atomic {
				if
				:: head == RUNNING -> head = RESERVED(me)
				:: else
				fi;
				busy = 0;
				kept[me] = 1;
				goto end
			}
#endif
#ifdef MUTANT_KEEP_ANY
		:: IS_RESERVED(h) ->
#else
		:: h == RESERVED(me) ->
#endif
			/* run_rest: tri_sched_keep */
#ifdef MUTANT_KEEP_CLEARS
			told[me] = 0;
#endif
			atomic { busy = 0; kept[me] = 1; h = 0; goto end }
		:: !IS_MSG(h) ->
			/* Its handlers are slow, or it is not this worker's. */
			atomic {
				if
				:: head == h ->
					head = IDLE;
					busy = 0;
					h = 0;
					CHECK;
					goto end
				:: else
				fi
			}
		fi
	od
}

#if STRANGERS > 0
proctype stranger(byte me)
{
	byte h, m, sends;

	do
	:: sends < SENDS ->
		m = me * SENDS + sends;
		sends++;
		push(h, m, me);
		/* tri_sched_inject */
		if
		:: h == IDLE -> atomic { busy = 0; injected = 1; CHECK }
		:: else -> tell(h, me)
		fi
	:: else -> break
	od
}
#endif

init {
	byte i;

	atomic {
		run worker(0);
		run worker(1);
#if STRANGERS > 0
		run stranger(WORKERS);
#endif
	};
	timeout ->
	d_step {
		assert(empty(pending) && empty(inlet) && !busy);
		do
		:: i < WORKERS + STRANGERS -> assert(handled[i] == SENDS); i++
		:: else -> break
		od;
#if SELF > 0
		assert(handled[ACTOR] == said);
#endif
#if ROAMERS > 0
		assert(handled[ROAMER] == SENDS);
#endif
		assert(head == IDLE || (kept[0] && head == RESERVED(0)) ||
		    (kept[1] && head == RESERVED(1)));
		CHECK
	}
}
