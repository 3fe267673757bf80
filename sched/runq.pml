/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run queue: a model of runq.h and runq.c, and of the ring of libck under
 * it (ck_ring_enqueue_spmc, ck_ring_dequeue_spmc, ck_ring_size).  Searched by
 * tests/models/run.sh:
 *
 *     run     runq.two         quick safety owner_1_thief -DTRIES=3
 *     run     runq.three       quick safety owner_2_thieves -DTHIEVES=2 -DTRIES=1 -DWORDS=3
 *     run     runq.words       long  safety owner_2_thieves -DTHIEVES=2 -DTRIES=1 -DWORDS=4
 *     run     runq.tries       long  safety owner_2_thieves -DTHIEVES=2 -DTRIES=2 -DWORDS=3
 *     run     runq.many        vast  safety owner_1_thief -DWORDS=7 -DRING=4 -DREFILL=3 -DTRIES=3
 *     run     runq.thieves     vast  safety owner_2_thieves -DTHIEVES=2 -DTRIES=2 -DWORDS=4
 *
 *     mutant  POP_NEXT_STORE   runq.two
 *     mutant  STEAL_NEXT_STORE runq.two
 *     mutant  REPLACE_STORE    runq.two
 *     mutant  DEQUEUE_STORE    runq.two
 *     mutant  LATE_READ        runq.two
 *     mutant  LATE_SLOT        runq.two
 *     mutant  NO_LOCK          runq.two
 *     mutant  STALE_COUNT      runq.two
 *     mutant  PAST_OVERFLOW    runq.two
 *     mutant  TRUST_SIZE       runq.two
 *
 * The owner pushes words, next or behind, and pops; thieves steal, also `next'
 * (as the watch does from a worker that is stuck).  The owner's plain stores,
 * of the ring's tail and of `next', go through a store buffer as on x86: one
 * entry, written to memory at any time, at the latest by the next store or
 * read-modify-write of that thread.
 *
 * Shown, for every interleaving:
 * - no word is lost, none is taken twice;
 * - the owner says "nothing" only when nothing is there (no false empty);
 * - what it pops from behind comes in the order it was pushed, whatever went
 *   through the ring and whatever through the overflow list;
 * - a refill finds room in the ring.
 *
 * A thief may say "nothing" falsely: ck_ring_size loads head and tail one after
 * the other, and a full ring from which one was taken and to which one was
 * added in between looks empty (TRUST_SIZE shows it).  That costs a round of
 * stealing and no wake-up: who is about to sleep looks after it has set its bit
 * in the idle mask, and whoever pushes after that sees the bit (park.pml).
 *
 * Taking and stealing `next' are one step each here, as where threads cannot be
 * fenced; next.pml has the steps of the usual way.
 *
 * Not modelled: `local' and `inbox' words (the owner's alone); the blocks before
 * the list (spill.h; tests/schedules/runq.c has them); waiting for
 * `pushes' (park.pml); a thief's plain stores, all of which are under the lock.
 */
#ifndef THIEVES
#define THIEVES 1
#endif
#ifndef TRIES
#define TRIES 2 /* steals of each thief */
#endif
#ifndef WORDS
#define WORDS 4
#endif
#ifndef RING
#define RING 2 /* TRI_RING_SLOTS: room for one less */
#endif
#ifndef REFILL
#define REFILL 2 /* TRI_REFILL: not more than the ring and one */
#endif
#define NEXT_USES 1 /* TRI_NEXT_USES */

/* struct tri_runq, as it is in memory. */
byte next;
byte c_head, p_tail; /* of the ring: they only grow */
byte slot[RING];
bool lock;
chan over = [WORDS] of { byte };
byte over_count;

/* The owner's store buffer. */
#define NOTHING 0
#define TAIL 1
#define NEXT 2
byte buffered = NOTHING;
byte buffered_value;
byte own_tail; /* the ring's tail as its owner knows it */

inline drain()
{
	if
	:: buffered == TAIL -> p_tail = buffered_value
	:: buffered == NEXT -> next = buffered_value
	:: else
	fi;
	buffered = NOTHING;
	buffered_value = 0
}

#define OWN_NEXT (buffered == NEXT -> buffered_value : next)

/* Ghosts. */
bool taken[WORDS + 1];
byte order[WORDS + 1]; /* when it was pushed behind */
byte pushed_behind, popped_behind;

inline take(w)
{
	assert(w != 0 && w <= WORDS && !taken[w]);
	taken[w] = true
}

active proctype store_buffer()
{
end:	do
	:: atomic { buffered != NOTHING -> drain() }
	od
}

/* ck_ring_enqueue_spmc, by the owner. */
inline enqueue(w, done)
{
	head = c_head; /* load */
	if
	:: own_tail + 1 - head == RING -> done = false
	:: else ->
#ifdef MUTANT_LATE_SLOT
		atomic { drain(); own_tail++; buffered = TAIL; buffered_value = own_tail };
		atomic { slot[(own_tail - 1) % RING] = w }
#else
		/* Earlier in memory than the tail, as stores keep their order. */
		slot[own_tail % RING] = w;
		atomic { drain(); own_tail++; buffered = TAIL; buffered_value = own_tail }
#endif
		done = true
	fi;
	head = 0
}

/* ck_ring_dequeue_spmc; `tail_seen' is the caller's view of the tail. */
inline dequeue(tail_seen, w)
{
	w = 0;
	head = c_head; /* load */
	do
	:: true ->
		tail = tail_seen; /* load */
		if
		:: head == tail -> break
		:: else
		fi;
#ifndef MUTANT_LATE_READ
		w = slot[head % RING]; /* load: maybe no word of ours */
#endif
		/* ck_pr_cas_uint_value */
		atomic {
			drain_if_owner();
			if
#ifdef MUTANT_DEQUEUE_STORE
			:: true ->
#else
			:: c_head == head ->
#endif
				c_head = head + 1;
#ifndef MUTANT_LATE_READ
				take(w);
#endif
				break
			:: else ->
				head = c_head;
				w = 0
			fi
		}
	od;
#ifdef MUTANT_LATE_READ
	if
	:: head != tail -> atomic { w = slot[head % RING]; take(w) }
	:: else
	fi;
#endif
	atomic { head = 0; tail = 0 }
}

/* over_cut: up to `n' words.  The caller has the lock.  The first becomes w,
 * the others go where `keep' says. */
inline push_back(w)
{
	/* tri_runq_push_back */
	atomic { pushed_behind++; order[w] = pushed_behind };
	done = false;
	if
#ifdef MUTANT_PAST_OVERFLOW
	:: true ->
#else
	:: over_count == 0 ->
#endif
		enqueue(w, done)
	:: else
	fi;
	if
	:: done -> atomic { drain(); done = false } /* runq_announce */
	:: else ->
		/* over_push */
		atomic { !lock -> drain(); lock = true };
		over!w;
		atomic { drain(); over_count++ };
		lock = false
	fi
}

/* tri_runq_push_next, tri_runq_replace_next */
inline push_next(w)
{
	if
	:: OWN_NEXT != 0 ->
#ifdef MUTANT_REPLACE_STORE
		before = OWN_NEXT;
		atomic { drain(); next = w };
#else
		atomic { drain(); before = next; next = w };
#endif
		if
		:: before != 0 -> push_back(before); before = 0
		:: else
		fi
	:: else -> atomic { drain(); buffered = NEXT; buffered_value = w }
	fi
}

/* The exchange of tri_runq_pop and runq_pop_next. */
inline pop_next(w)
{
	if
	:: OWN_NEXT != 0 ->
#ifdef MUTANT_POP_NEXT_STORE
		w = OWN_NEXT;
		atomic { drain(); next = 0; take(w) }
#else
		atomic {
			drain();
			w = next;
			next = 0;
			if
			:: w != 0 -> take(w)
			:: else
			fi
		}
#endif
	:: else
	fi
}

inline drain_if_owner()
{
	if
	:: is_owner -> drain()
	:: else
	fi
}

/* What came from behind comes in order. */
inline in_order(w)
{
	assert(order[w] > popped_behind);
	popped_behind = order[w]
}

active proctype owner()
{
	byte given, w, x, head, tail, before, uses, n;
	bool done, is_owner = true;

	do
	:: given < WORDS ->
		given++;
		if
		:: push_next(given)
		:: push_back(given)
		fi
	:: true ->
		/* tri_runq_pop */
		w = 0;
		if
		:: uses < NEXT_USES -> pop_next(w); uses++
		:: else
		fi;
		if
		:: w != 0 -> goto popped
		:: else
		fi;
		/* tri_runq_pop_slow; runq_pop_ring */
		uses = 0;
		dequeue(own_tail, w);
		if
		:: w != 0 -> atomic { in_order(w); goto popped }
		:: else
		fi;
		/* over_refill */
		if
		:: over_count == 0 -> goto last
		:: else
		fi;
		atomic { !lock -> drain(); lock = true };
		/* over_cut */
		atomic {
			n = (len(over) < REFILL -> len(over) : REFILL);
			if
			:: n > 0 -> over?w; take(w)
			:: else
			fi
		};
		over_count = over_count - n;
		/* The rest into the ring: cut off under the lock, enqueued
		 * after it. */
		if
		:: n > 1 -> over?x
		:: else
		fi;
#if REFILL > 2
		if
		:: n > 2 -> over?before
		:: else
		fi;
#endif
		lock = false;
		if
		:: n == 0 -> goto last
		:: else -> in_order(w)
		fi;
		if
		:: n > 1 -> enqueue(x, done); assert(done)
		:: else
		fi;
#if REFILL > 2
		if
		:: n > 2 -> enqueue(before, done); assert(done)
		:: else
		fi;
		before = 0;
#endif
		atomic { drain(); done = false; x = 0; goto popped };
last:		pop_next(w);
		if
		:: w == 0 ->
			/* No false empty: the ring, the list and `next'. */
			assert(c_head == own_tail && len(over) == 0 &&
			    OWN_NEXT == 0);
			if
			:: given == WORDS -> break
			:: given < WORDS
			fi
		:: else
		fi;
popped:		atomic { w = 0; n = 0 }
	od
}

proctype thief()
{
	byte w, x, head, tail, tries, want, n, i;
	bool is_owner, stuck, first;

	do
	:: tries < TRIES ->
		/* tri_runq_steal: ck_ring_size */
		atomic { tries++; head = c_head; n = p_tail };
		tail = p_tail;
		want = ((tail - head) & (RING - 1));
#ifdef MUTANT_TRUST_SIZE
		assert(want > 0 || head == tail || head == n);
#else
		assert(want > 0 || head == tail || head == n || tail > n);
#endif
		atomic { want = (want + 1) / 2; head = 0; tail = 0; n = 0 };
		first = false;
		do
		:: want > 0 ->
			dequeue(p_tail, w);
			want--;
			if
			:: w == 0 -> break
			:: else -> first = true; w = 0
			fi
		:: else -> break
		od;
		want = 0;
		if
		:: first -> goto stolen
		:: else
		fi;
		/* steal_over: ck_spinlock_trylock */
		if
		:: over_count == 0 -> goto over_none
		:: else
		fi;
#ifdef MUTANT_STALE_COUNT
		x = over_count;
#endif
#ifndef MUTANT_NO_LOCK
		atomic {
			if
			:: lock -> goto over_none
			:: else -> lock = true
			fi
		};
#endif
		n = (len(over) + 1) / 2;
		if
		:: n > REFILL -> n = REFILL /* unreached with few words */
		:: else
		fi;
#ifndef MUTANT_STALE_COUNT
		x = over_count;
#endif
		i = 0;
		do
		:: i < n -> atomic { over?w; take(w); w = 0; i++ }
		:: else -> break
		od;
		over_count = x - n;
		x = 0;
		lock = false;
		if
		:: n > 0 -> goto stolen
		:: else
		fi;
over_none:	if
		:: stuck = true
		:: stuck = false
		fi;
		if
		:: stuck ->
			/* runq_steal_next: load, CAS */
			w = next;
			if
			:: w != 0 ->
				atomic {
					if
#ifdef MUTANT_STEAL_NEXT_STORE
					:: true
#else
					:: next == w
#endif
					-> next = 0; take(w)
					:: else
					fi
				}
			:: else
			fi
		:: else
		fi;
stolen:		atomic { w = 0; n = 0; i = 0; stuck = false; first = false }
	:: else -> break
	od
}

active proctype monitor()
{
	byte i = 1;

	timeout ->
	d_step {
		do
		:: i <= WORDS -> assert(taken[i]); i++
		:: else -> break
		od;
		assert(over_count == 0 && !lock)
	}
}

init {
	byte i;

	atomic {
		do
		:: i < THIEVES -> run thief(); i++
		:: else -> break
		od
	}
}
