/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The `next` slot: a model of next.h and next.c.  Searched by
 * tests/models/run.sh:
 *
 *     run     next.one         quick safety owner_1_thief -DTRIES=4 -DWORDS=6
 *     run     next.two         quick safety owner_2_thieves -DTHIEVES=2 -DTRIES=2 -DWORDS=4
 *     run     next.three       long  safety owner_3_thieves -DTHIEVES=3 -DTRIES=2 -DWORDS=5
 *     run     next.locked      quick safety owner_2_thieves -DTHIEVES=2 -DTRIES=3 -DWORDS=5 -DLOCKED
 *
 *     mutant  NO_FENCE         next.one
 *     mutant  NO_LOOK          next.one
 *     mutant  LOOK_FIRST       next.one
 *     mutant  EARLY_READ       next.one
 *     mutant  SETTLE_STORE     next.one
 *     mutant  TAKEN_KEPT       next.one
 *     mutant  PUT_FIRST        next.one
 *     mutant  STEAL_STORE      next.one
 *     mutant  ONE_NAME         next.two
 *     mutant  LOCKED_STORE     next.locked
 *
 * The owner puts words, takes them, and puts one where there is one (its
 * runq.c: tri_runq_replace_next); thieves steal.  All the owner's plain stores
 * go through a store buffer, first in first out, which drains at any time, at a
 * read-modify-write of the owner's, and at a thief's fence_others().  The
 * owner sees what is in it.  A claim is FREE, TAKEN, or a thief's number.
 *
 * Shown, for every interleaving: no word is lost, none is taken twice; a take
 * says "none" only if a thief has got the word; a thief that steals has got a
 * word that was there; where nobody steals any more, claims end.
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

#define FREE  0
#define TAKEN 1
#ifdef MUTANT_ONE_NAME
#define ME 2
#else
#define ME (2 + number)
#endif

/* Memory. */
byte word, claim;
/* The owner's store buffer, and what it sees through it. */
#define WORD  0
#define CLAIM 1
chan buffer = [4] of { bit, byte };
byte own_word;
bool freed; /* a store of FREE is in it */

bit got[WORDS + 1];

inline drain_one()
{
	buffer?to, value;
	if
	:: to == WORD -> word = value
	:: to == CLAIM -> claim = value; freed = false
	fi;
	to = 0;
	value = 0
}

inline drain()
{
	do
	:: len(buffer) > 0 -> drain_one()
	:: else -> break
	od
}

inline get(w)
{
	assert(w != 0 && !got[w]);
	got[w] = 1
}

inline store_word(w)
{
	atomic { len(buffer) < 4 -> buffer!WORD, w; own_word = w }
}

/* What the owner loads. */
inline load_claim(c)
{
	c = (freed -> FREE : claim)
}

/* tri_next_take, tri_next_settle; w: 0, or the word */
inline take(w)
{
#ifdef LOCKED
#ifdef MUTANT_LOCKED_STORE
	w = own_word;
	atomic { drain(); word = 0; own_word = 0 };
#else
	atomic { drain(); w = word; word = 0; own_word = 0 };
#endif
#else
#ifdef MUTANT_LOOK_FIRST
	load_claim(seen);
	w = own_word;
	store_word(0);
#else
	w = own_word;
	store_word(0);
	load_claim(seen);
#endif
#ifdef MUTANT_NO_LOOK
	seen = FREE;
#endif
	if
	:: seen == FREE
	:: else ->
		load_claim(seen);
		do
		:: seen == TAKEN ->
#ifndef MUTANT_TAKEN_KEPT
			w = 0;
#endif
			atomic {
				len(buffer) < 4 -> buffer!CLAIM, FREE;
				freed = true
			};
			break
		:: seen == FREE -> break
		:: else ->
#ifdef MUTANT_SETTLE_STORE
			atomic {
				len(buffer) < 4 -> buffer!CLAIM, FREE;
				freed = true
			};
			break
#else
			/* The CAS. */
			atomic {
				drain();
				if
				:: claim == seen -> claim = FREE; seen = FREE
				:: else -> seen = claim
				fi
			}
#endif
		od
	fi;
	seen = 0
#endif
}

active proctype owner()
{
	byte given, w, before, seen, value;
	bit to;

	do
	:: given < WORDS && own_word == 0 ->
		/* tri_next_put */
		given++;
		store_word(given)
	:: given < WORDS && own_word != 0 ->
		/* tri_runq_replace_next */
		given++;
#ifdef MUTANT_PUT_FIRST
		before = own_word;
		store_word(given);
		load_claim(seen);
		if
		:: seen == TAKEN -> before = 0;
			atomic {
				len(buffer) < 4 -> buffer!CLAIM, FREE;
				freed = true
			}
		:: else
		fi;
		seen = 0;
#else
		take(before);
		store_word(given);
#endif
		atomic {
			if
			:: before != 0 -> get(before)
			:: else
			fi;
			before = 0
		}
	:: own_word != 0 ->
		take(w);
		atomic {
			if
			:: w != 0 -> get(w)
			:: else
			fi;
			w = 0
		}
	:: given == WORDS && own_word == 0 -> break
	od
}

/* At any time. */
active proctype memory()
{
	byte value;
	bit to;

end:	do
	:: atomic { len(buffer) > 0 -> drain_one() }
	od
}

proctype thief(byte number)
{
	byte tries, w, value;
	bit to;

	do
	:: tries < TRIES ->
		tries++;
		w = word;
		if
		:: w == 0 -> goto over
		:: else
		fi;
#ifdef LOCKED
		atomic {
			if
			:: word == w -> word = 0; get(w)
			:: else
			fi
		};
#else
		atomic {
			if
			:: claim == FREE -> claim = ME
			:: else -> goto over
			fi
		};
#ifdef MUTANT_EARLY_READ
		w = word;
#endif
#ifndef MUTANT_NO_FENCE
		/* fence_others() */
		atomic { drain() };
#endif
#ifndef MUTANT_EARLY_READ
		w = word;
#endif
#ifdef MUTANT_STEAL_STORE
		claim = (w != 0 -> TAKEN : FREE);
		atomic {
			if
			:: w != 0 -> get(w)
			:: else
			fi
		};
#else
		/* The CAS. */
		atomic {
			if
			:: claim == ME && w != 0 ->
				claim = TAKEN;
				get(w)
			:: claim == ME && w == 0 -> claim = FREE
			:: else
			fi
		};
#endif
#endif
over:		w = 0
	:: else -> break
	od
}

init {
	byte i;

	atomic {
		do
		:: i < THIEVES -> run thief(i); i++
		:: else -> break
		od
	};
	i = 1;
	timeout ->
	d_step {
		assert(word == 0 && claim == FREE && own_word == 0);
		do
		:: i <= WORDS -> assert(got[i]); i++
		:: else -> break
		od
	}
}
