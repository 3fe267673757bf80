/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A burst: a model of burst.h.  Searched by tests/models/run.sh:
 *
 *     run     burst.one        quick safety sender_receiver -DPUTS=4
 *     run     burst.many       quick safety sender_receiver -DPUTS=7
 *
 *     mutant  NO_FENCE         burst.one
 *     mutant  NO_PEEK          burst.one
 *     mutant  NO_LOOK          burst.one
 *     mutant  LOOK_FIRST       burst.one
 *     mutant  END_STORE        burst.one
 *     mutant  SETTLE_STORE     burst.one
 *     mutant  LAST_LOST        burst.one
 *     mutant  LAST_TWICE       burst.one
 *     mutant  OVER_EARLY       burst.one
 *     mutant  BOTH_FREE        burst.one
 *
 * The sender puts up to PUTS messages and ends the burst, whenever its handler
 * returns; the receiver takes them, and shuts it, whenever it likes, as often as it
 * likes.  Plain stores of either go through a store buffer, which drains at any
 * time, at a read-modify-write of its thread, and at a fence_others().
 *
 * Shown, for every interleaving: each message that was put is taken once, in order,
 * or, only the last one, the sender's again; who frees the burst is the last to
 * touch it, and one does; a receiver that rests has left no message behind.
 */
#ifndef PUTS
#define PUTS 4
#endif

#define OPEN 255

/* Memory: place n has message n + 1. */
byte place[PUTS + 1];
bit shut;
byte total = OPEN;
bool freed;

/* The sender's stores of places, in order: how many of them have arrived. */
byte put, arrived;
/* The receiver's of shut. */
bit shut_stored;

byte taken; /* messages, by the receiver */
byte again; /* message that is the sender's again */
bool sender_done, receiver_done;

#define touch() assert(!freed)

inline drain_sender()
{
	do
	:: arrived < put -> touch(); place[arrived] = arrived + 1; arrived++
	:: else -> break
	od
}

inline drain_receiver()
{
	if
	:: shut_stored && !shut -> touch(); shut = 1
	:: else
	fi
}

/* At any time. */
active proctype memory()
{
end:	do
	:: atomic {
		arrived < put ->
		touch();
		place[arrived] = arrived + 1;
		arrived++
	}
	:: atomic { shut_stored && !shut -> touch(); shut = 1 }
	od
}

active proctype sender()
{
	byte seen, was;

	do
	:: put < PUTS ->
#ifdef MUTANT_LOOK_FIRST
		atomic { touch(); seen = shut };
#endif
		put++;
#ifdef MUTANT_NO_LOOK
		seen = 0;
#else
#ifndef MUTANT_LOOK_FIRST
		atomic { touch(); seen = shut };
#endif
#endif
		if
		:: seen -> break
		:: else
		fi
	:: break
	od;
	/* tri_burst_end */
#ifdef MUTANT_END_STORE
	atomic { touch(); was = total };
	atomic { drain_sender(); total = put };
#else
	atomic {
		touch();
		drain_sender();
		was = total;
		if
		:: total == OPEN -> total = put
		:: else
		fi
	};
#endif
	if
	:: was != OPEN ->
		/* The receiver has ended it. */
		d_step {
			assert(was == put || was + 1 == put);
#ifdef MUTANT_LAST_LOST
			again = 0;
#else
			again = (was < put -> put : 0);
#endif
#ifdef MUTANT_LAST_TWICE
			again = put;
#endif
			touch();
			freed = true
		}
	:: else ->
#ifdef MUTANT_BOTH_FREE
		atomic { touch(); freed = true }
#else
		skip
#endif
	fi;
	sender_done = true
}

active proctype receiver()
{
	byte seen, was;

	do
	:: /* tri_burst_take */
		atomic { touch(); seen = (taken < PUTS -> place[taken] : 0) };
		if
		:: seen != 0 ->
			d_step { assert(seen == taken + 1); taken++ }
		:: else ->
			/* tri_burst_is_over */
			atomic { touch(); was = total };
			if
#ifdef MUTANT_OVER_EARLY
			:: was != OPEN ->
#else
			:: was == taken ->
#endif
				atomic { touch(); freed = true };
				break
			:: else
			fi
		fi
	:: /* tri_burst_shut, fence_others() */
		shut_stored = 1;
#ifndef MUTANT_NO_FENCE
		atomic { drain_receiver(); drain_sender() };
#endif
		/* tri_burst_settle */
		atomic { touch(); seen = (taken < PUTS -> place[taken] : 0) };
#ifdef MUTANT_NO_PEEK
		seen = 0;
#endif
		if
		:: seen != 0
		:: else ->
#ifdef MUTANT_SETTLE_STORE
			atomic { touch(); was = total };
			atomic { touch(); drain_receiver(); total = taken };
#else
			atomic {
				touch();
				drain_receiver();
				was = total;
				if
				:: total == OPEN -> total = taken
				:: else
				fi
			};
#endif
			if
			:: was == OPEN -> break
			:: else
			fi
		fi
	od;
	receiver_done = true
}

init {
	sender_done && receiver_done ->
	d_step {
		assert(freed);
		assert(arrived == put);
		assert((again == 0 && taken == put) ||
		    (again == put && taken + 1 == put))
	}
}
