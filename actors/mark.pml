/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mark: a model of mark.c, the message that needs no memory.  Searched by
 * tests/models/run.sh:
 *
 *     run     mark.two       quick safety 2_tellers -DTELLERS=2 -DTELLS=2
 *     run     mark.three     quick safety 3_tellers -DTELLERS=3
 *     run     mark.four      vast  safety 4_tellers -DTELLERS=4 -DLIVES=4
 *     run     mark.again     vast  safety 3_tellers -DTELLERS=3 -DTELLS=2 -DLIVES=4
 *
 *     mutant  CLAIM_STORE    mark.two
 *     mutant  RELEASE_STORE  mark.two
 *     mutant  RELEASE_ALL    mark.two
 *     mutant  NO_RESEND      mark.two
 *     mutant  EARLY_RELEASE  mark.two
 *     mutant  NO_NEXT        mark.two
 *     mutant  ANY_NEXT       mark.three
 *
 * One slot, whose actors end because they are told to with the mark, or for
 * another reason (`other': a STOP that found memory, an exit); then the slot
 * gets its next actor.  Tellers tell whichever actor lives when they begin to
 * end, and may be slow at any step: a push may hit a later actor of the slot,
 * as in the inlet (mailbox/inlet.pml), of which only so much is here as a
 * mailbox with room for the mark needs.
 *
 * Shown, for every interleaving:
 * - who was told to end, and has not ended otherwise, gets the mark: when
 *   nothing moves any more, no actor lives that was told;
 * - the mark has one user at a time: nobody writes it while it is in a mailbox
 *   or in somebody's hand, and it has a user if and only if mark_state says so;
 * - afterwards it is free.
 */
#ifndef TELLERS
#define TELLERS 2
#endif
#ifndef TELLS
#define TELLS 1 /* of each teller */
#endif
#ifndef LIVES
#define LIVES 3
#endif

#define CLOSED  0
#define RUNNING 1
#define IDLE    2
#define MARKED  3 /* the mark is in it */

byte head = IDLE;
byte ident = 1; /* the generation; a free slot's is that of its next actor */
byte published = 1; /* the newest actor whose ref anybody knows */
byte mark_gen; /* cold->mark.generation */

/* mark_state: the two halves change as one. */
byte cur, next;

bool other; /* the actor has another reason to end */
bool told[LIVES + 2]; /* by generation */

/* Ghosts: where the mark is. */
byte sending; /* mark_run has it */
bool boxed; /* in the mailbox */
byte in_hand; /* taken from there */

#define CHECK assert(sending + boxed + in_hand == (cur != 0 -> 1 : 0))

/* mark_run; `sending' counts the caller.  Uses h, c, n. */
inline mark_run(g)
{
	do
	:: true ->
		/* mark_push: nobody else may see or write it. */
		atomic {
			assert(!boxed && in_hand == 0 && sending == 1);
			mark_gen = g
		};
		/* tri_push_inline: the ident is a hint, a load. */
		if
		:: ident != g -> goto closed
		:: ident == g
		fi;
		/* tri_inlet_push: load, CAS */
again:		h = head;
		if
		:: h == CLOSED -> goto closed
		:: h != CLOSED
		fi;
		assert(h != MARKED);
		atomic {
			if
			:: head != h -> goto again
			:: head == h ->
				head = MARKED;
				boxed = true;
				sending--;
				CHECK
			fi
		};
#ifdef MUTANT_EARLY_RELEASE
		atomic { cur = next; next = 0; CHECK };
#endif
		break;
closed:		/* Give it up, or send it to who wants it next. */
		atomic { c = cur; n = next };
passed:		atomic {
			if
			:: cur != c || next != n ->
				c = cur;
				n = next;
				goto passed
			:: else ->
				cur = n;
				next = 0
			fi;
			if
			:: n == 0 -> sending--
			:: else
			fi;
			CHECK
		};
		if
		:: n == 0 -> break
		:: else -> atomic { g = n; n = 0; c = 0; h = 0 }
		fi
	od;
	atomic { h = 0; c = 0; n = 0 }
}

/* mark_send */
proctype teller()
{
	byte g, h, c, n, tells;
	bool first;

	do
	:: atomic {
		tells < TELLS ->
		tells++;
		g = published;
		told[g] = true
	   };
	   /* tri_cell_find */
	   if
	   :: ident != g -> goto ended
	   :: ident == g
	   fi;
	   atomic { c = cur; n = next };
	   do
	   :: true ->
		if
#ifdef MUTANT_ANY_NEXT
		:: c == g || n == g -> goto ended
#else
		/* Told already, or the slot has a later actor by now. */
		:: c >= g || n >= g -> goto ended
#endif
		:: else
		fi;
#ifdef MUTANT_NO_NEXT
		if
		:: c != 0 -> goto ended
		:: else
		fi;
#endif
#ifdef MUTANT_CLAIM_STORE
		atomic { cur = c; next = n };
#endif
		/* tri_cas_weak_acq_rel */
		atomic {
			if
			:: cur != c || next != n ->
				c = cur;
				n = next
			:: else ->
				if
				:: c == 0 -> cur = g; first = true; sending++
				:: else -> next = g
				fi;
				CHECK;
				break
			fi
		}
	   od;
	   if
	   :: first -> mark_run(g)
	   :: else
	   fi;
ended:	   atomic { g = 0; c = 0; n = 0; first = false }
	:: tells == TELLS -> break
	od
}

/* tri_mark_release, and mark_run if somebody wants it. */
inline mark_release()
{
	atomic { c = cur; n = next };
again2:	atomic {
#ifndef MUTANT_RELEASE_STORE
		if
		:: cur != c || next != n ->
			c = cur;
			n = next;
			goto again2
		:: else
		fi;
#endif
#ifdef MUTANT_RELEASE_ALL
		n = 0;
#endif
		cur = n;
		next = 0;
		in_hand--;
#ifndef MUTANT_NO_RESEND
		if
		:: n != 0 -> sending++
		:: else
		fi;
		CHECK
#endif
	};
#ifndef MUTANT_NO_RESEND
	if
	:: n != 0 ->
		g = n;
		mark_run(g)
	:: else
	fi;
#endif
	atomic { c = 0; n = 0; g = 0 }
}

/* The slot's actors, and the worker that runs them. */
active proctype slot()
{
	byte h, c, n, g;
	bool taken;

end:	do
	:: /* A message is there, and somebody has scheduled the actor. */
	   if
	   :: atomic {
		head == MARKED ->
		/* tri_inlet_take_owner, or detached. */
		head = RUNNING;
		boxed = false;
		in_hand++;
		taken = true;
		CHECK
	      }
	   :: other
	   fi;
	   if
	   :: taken && mark_gen != ident && !other ->
		/* Stale: tri_msg_dispose. */
		mark_release();
		/* tri_inlet_rest_owner */
		atomic {
			taken = false;
			if
			:: head == RUNNING -> head = IDLE
			:: head != RUNNING
			fi
		}
	   :: else ->
		/* tri_actor_die: close; what is queued; what is in hand. */
		atomic {
			if
			:: head == MARKED ->
				boxed = false;
				in_hand++;
				taken = true
			:: else
			fi;
			head = CLOSED;
			other = false;
			CHECK
		};
		if
		:: taken -> mark_release()
		:: else
		fi;
		/* die_free_slot, and later spawn_open. */
		ident = ident + 1;
		atomic { taken = false; h = 0 };
		if
		:: ident > LIVES -> break
		:: else -> atomic { head = IDLE; published = ident }
		fi
	   fi
	od
}

/* Ends an actor for another reason, now and then. */
active proctype fate()
{
	byte n;

end:	do
	:: atomic { n < LIVES && head != CLOSED -> other = true; n++ }
	:: break
	od
}

active proctype monitor()
{
	timeout ->
	assert(cur == 0 && next == 0);
	CHECK;
	assert(head == CLOSED || !told[ident])
}

init {
	byte i;

	atomic {
		do
		:: i < TELLERS -> run teller(); i++
		:: else -> break
		od
	}
}
