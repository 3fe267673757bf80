/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inlet: a model of inlet.h and apart.h, and of those who use them:
 * tri_deliver_usual (actors/send.h), tri_deliver_streamed (actors/send.c),
 * tri_actor_run (actors/run.c), tri_actor_die (actors/die.c), spawn_open
 * (actors/spawn.c).  Searched by tests/models/run.sh:
 *
 *     run     inlet.take     quick safety 2_senders_2_workers -DTAKE
 *     run     inlet.die      quick safety 2_senders_2_workers -DLIVES=2
 *     run     inlet.restart  quick safety 2_senders_2_workers -DFAILS=1
 *     run     inlet.take3    vast  safety 3_senders_2_workers -DTAKE -DSENDERS=3
 *     run     inlet.die3     vast  safety 2_senders_3_workers -DLIVES=3 -DWORKERS=3
 *     run     inlet.all      long  safety 2_senders_2_workers -DTAKE -DLIVES=2 -DFAILS=1
 *
 *     run     inlet.apart          quick safety 2_senders_2_workers -DMOVES -DBLOCKS=4 -DTAKE
 *     run     inlet.apart_die      quick safety 2_senders_2_workers -DMOVES -DBLOCKS=4 -DLIVES=2
 *     run     inlet.apart_restart  quick safety 2_senders_2_workers -DMOVES -DBLOCKS=4 -DFAILS=1
 *     run     inlet.apart_one      quick safety 1_sender_2_workers -DMOVES -DBLOCKS=4 -DLIVES=2 -DSENDERS=1 -DSENDS=6
 *     run     inlet.apart_lives    long  safety 1_sender_2_workers -DMOVES -DBLOCKS=4 -DLIVES=3 -DSENDERS=1 -DSENDS=6
 *     run     inlet.apart_all      long  safety 2_senders_2_workers -DMOVES -DBLOCKS=4 -DTAKE -DLIVES=2 -DFAILS=1
 *     run     inlet.apart3         vast  safety 3_senders_2_workers -DMOVES -DBLOCKS=4 -DSENDERS=3
 *
 *     mutant  LATE_LINK      inlet.take
 *     mutant  PUSH_STORE     inlet.take
 *     mutant  TAKE_STORE     inlet.take
 *     mutant  REST_STORE     inlet.take
 *     mutant  REST_TOUCH     inlet.take
 *     mutant  NO_DETACH      inlet.take
 *     mutant  NO_REVERSE     inlet.take
 *     mutant  CLOSE_STORE    inlet.die
 *     mutant  NO_GENERATION  inlet.die
 *     mutant  EARLY_FREE     inlet.die
 *     mutant  HELD_WAKES     inlet.restart
 *     mutant  RESTART_STORE  inlet.restart
 *
 *     mutant  APART_OPENED_LATE       inlet.apart
 *     mutant  APART_STORE             inlet.apart
 *     mutant  APART_RUSH              inlet.apart
 *     mutant  APART_FORGETS           inlet.apart
 *     mutant  APART_REST_CELL         inlet.apart
 *     mutant  APART_REFUSES           inlet.apart
 *     mutant  APART_WAKES_NOBODY      inlet.apart
 *     mutant  APART_DETACHES_CELL     inlet.apart
 *     mutant  APART_UNSEEN            inlet.apart
 *     mutant  APART_CELL_CLOSED_ONLY  inlet.apart_die
 *     mutant  APART_HELD_CELL         inlet.apart_restart
 *     mutant  APART_ANY_LIFE          inlet.apart_one
 *
 * One slot.  Senders send to its actor, to a former one of its slot, or to the
 * next; workers run whoever holds the slot; a spawner makes the next actor
 * once it is free; a supervisor restarts one that failed (HELD; keep.c, with
 * die_hold in die.c).  Message blocks are few
 * and used again at once, so an address seen before may be another message by
 * now.  Every look at `head` and every change of it is a step of its own.
 *
 * With MOVES the slot has a second word, `apart` (mailbox/apart.h), and an
 * actor that takes a list may move there, or not.  Its opening, the exchange
 * that says APART, and at the end the closing of the one word and of the other
 * are steps of their own.  A worker that has seen APART remembers it, for one
 * generation, and goes straight to `apart` from then on.  Senders change
 * workers between any two messages, so each of them may go by what any of them
 * has seen, or not, and may still when that actor has ended.
 *
 * Shown, for every interleaving:
 * - each message is handled or a dead letter, exactly once;
 * - what an actor handles was sent to it, in its sender's order, and a sender
 *   never finds a later message handled when an earlier one met a closed inlet;
 * - at most one worker has the actor, and touches its cell only then;
 * - somebody has the actor scheduled, runs it, is about to schedule it, or
 *   holds it for a restart, if and only if its inlet is neither IDLE nor that
 *   of a free slot: no lost wake-up, no double one;
 * - detaching and closing find the message in hand where the code asserts it;
 * - with MOVES also: `apart` is CLOSED when an actor moves there, and in the
 *   end unless one has; nobody finds an inlet closed that its actor has not
 *   closed.
 *
 * Not modelled: RESERVED (sched/reserve.pml); the count in the top bits (it
 * makes a CAS fail more often, never less); that a list has to be long and from
 * afar for a move; tri_actor_let_go; weaker orders than x86's (all that is
 * shared here changes by read-modify-writes, but for a store to `apart` while
 * it is CLOSED, which nobody else changes; the links they publish are written
 * before them).
 */
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef SENDS
#define SENDS 2 /* messages of each sender */
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef LIVES
#define LIVES 1 /* actors that the slot has, one after the other */
#endif
#ifndef FAILS
#define FAILS 0 /* failures that end in a restart */
#endif
#ifndef BLOCKS
#define BLOCKS 3 /* messages there is memory for: 2 to 4 */
#endif
#define BATCH 2 /* TRI_BATCH_MESSAGES */

/* enum tri_inlet_state; from STATES on it is a message. */
#define CLOSED  0
#define APART   1
#define RUNNING 2
#define IDLE    3
#define HELD    4
#define STATES  5
#define IS_MSG(h) ((h) >= STATES)
#define NULL 0
#define TOP (STATES + BLOCKS)

/* The cell's word; which one is the mailbox; the one a process is at. */
#ifdef MOVES
byte words[2] = { IDLE, CLOSED };
#define head words[0]
#define apart words[1]
#define MAILBOX words[head == APART]
#define TARGET words[at]
#else
byte head = IDLE;
#define MAILBOX head
#define TARGET head
#endif

/* The rest of the cell. */
byte pending = NULL;
byte ident = 1; /* its generation */
bool dying;
byte queued = NULL; /* tri_dying.queued */

/* struct tr_msg, by address. */
byte link[TOP];
byte gen[TOP];
bool stale[TOP];
bool used[TOP]; /* the block is not in the pool */
byte id[TOP]; /* who sent it, and which */

/* Ghosts: who has the actor. */
byte runnable; /* its word is in a run queue */
byte running; /* a worker runs it */
byte waking; /* a sender is about to schedule it */
byte failed; /* its supervisor has been told */
byte restarting; /* and is at it */
byte born; /* the spawner has it */
bool vacant; /* the slot is free */
byte published = 1; /* the newest actor that senders know */
byte lives = 1, deaths, fails;

#ifdef MOVES
/* tri_crew.stream, by generation: some worker has seen APART when it sent to
 * that actor.  Whoever sends may run on that one now, or on another, or it has
 * forgotten. */
#ifdef MUTANT_APART_UNSEEN
bool knows[LIVES + 1] = true;
#else
bool knows[LIVES + 1];
#endif
#ifdef MUTANT_APART_ANY_LIFE
#define KNOWS(g) knows[1]
#else
#define KNOWS(g) knows[g]
#endif

bool ended; /* a ghost: the actor has closed its inlet */
#endif

/* Ghosts: what became of the messages. */
#define UNSENT 0
#define FLYING 1
#define HANDLED 2
#define DEAD 3
#define STARTS (SENDERS * SENDS) /* then one start message for each life */
byte fate[STARTS + LIVES + 1];
byte next_seq[SENDERS + 1]; /* at least this one is handled next */
byte refused[SENDERS + 1]; /* the generation that refused the last one */

#define HOLDERS (runnable + running + waking + failed + restarting + born)
#define CHECK assert(HOLDERS == ((MAILBOX == IDLE || vacant) -> 0 : 1))

#define WHO(i) ((i) >= STARTS -> SENDERS : (i) / SENDS)
#define SEQ(i) ((i) >= STARTS -> (i) - STARTS : (i) % SENDS)

/* tri_msg_alloc: the block freed last, or so. */
inline alloc(m, i, g)
{
	atomic {
		if
		:: !used[STATES] -> m = STATES
		:: used[STATES] && !used[STATES + 1] -> m = STATES + 1
#if BLOCKS > 2
		:: used[STATES] && used[STATES + 1] && !used[STATES + 2] ->
			m = STATES + 2
#endif
#if BLOCKS > 3
		:: used[STATES] && used[STATES + 1] && used[STATES + 2] &&
		    !used[STATES + 3] -> m = STATES + 3
#endif
		fi;
		used[m] = true;
		link[m] = NULL;
		stale[m] = false;
		gen[m] = g;
		id[m] = i;
		fate[i] = FLYING;
	}
}

inline free(m)
{
	assert(used[m]);
	used[m] = false;
	link[m] = NULL;
	gen[m] = 0;
	stale[m] = false;
	id[m] = 0
}

/* It becomes a dead letter. */
inline dead(m, because_closed)
{
	assert(used[m] && fate[id[m]] == FLYING);
	fate[id[m]] = DEAD;
	if
	:: because_closed && gen[m] > refused[WHO(id[m])] ->
		refused[WHO(id[m])] = gen[m]
	:: else
	fi;
	free(m)
}

/* tri_inlet_reverse: `from` is the newest, `to` becomes the oldest. */
inline reverse(from, to)
{
	to = NULL;
	n = 0;
	do
	:: from != NULL ->
		assert(used[from] && n < BLOCKS);
		n++;
#ifndef MUTANT_NO_GENERATION
		stale[from] = (gen[from] != mine);
#endif
#ifdef MUTANT_NO_REVERSE
		to = (to == NULL -> from : to);
		from = link[from];
#else
		b = link[from];
		link[from] = to;
		to = from;
		from = b;
#endif
	:: else -> break
	od;
	b = NULL;
	n = 0
}

proctype sender(byte me)
{
	byte seq, m, h, ref = 1, i;
#ifdef MOVES
	bit at; /* 1: at the word apart */
#ifdef MUTANT_APART_WAKES_NOBODY
	bool streamed;
#endif
#endif

	do
	:: seq < SENDS ->
		/* The actor it knows, or the newest. */
		if
		:: true
		:: published != ref -> ref = published
		fi;
		i = me * SENDS + seq;
		alloc(m, i, ref);
		/* tri_deliver_usual: the ident is a hint. */
		if
		:: ident != ref -> goto refuse
		:: ident == ref
#ifdef MOVES
		/* Or tri_deliver_streamed: load acquire, of the word apart. */
		:: atomic {
			KNOWS(ref) && (apart == RUNNING || IS_MSG(apart)) ->
			h = apart;
			at = 1;
#ifdef MUTANT_APART_WAKES_NOBODY
			streamed = true;
#endif
			link[m] = (IS_MSG(h) -> h : NULL);
			goto push
		   }
#endif
		fi;
		/* tri_inlet_look, or after a CAS that failed: load acquire. */
again:		atomic {
			h = TARGET;
			if
#ifdef MOVES
			:: h == CLOSED ->
				assert(ident != ref || ended);
				goto refuse
			:: h == APART -> /* TRI_PUSH_MOVED: deliver_moved */
				assert(at == 0);
				KNOWS(ref) = true;
				if
				:: at = 1
				:: true /* tri_apart_push looks here again */
				fi;
				goto again
			:: h != CLOSED && h != APART
#else
			:: h == CLOSED -> goto refuse
			:: h != CLOSED
#endif
			fi;
#ifndef MUTANT_LATE_LINK
			/* Nobody else sees the link before the CAS. */
			link[m] = (IS_MSG(h) -> h : NULL)
#endif
		};
		/* tri_cas_weak_acq_rel. */
push:
#ifdef MUTANT_PUSH_STORE
		atomic {
			TARGET = m;
			if
			:: h == IDLE -> waking++
			:: else
			fi
		};
#else
		atomic {
			if
#ifdef MUTANT_APART_REFUSES
			:: TARGET == APART -> goto refuse
			:: TARGET != h && TARGET != APART -> goto again
#else
			:: TARGET != h -> goto again
#endif
			:: else -> TARGET = m
			fi;
#ifdef MUTANT_APART_WAKES_NOBODY
			if
			:: streamed -> streamed = false; h = RUNNING
			:: else
			fi;
#endif
			if
			:: h == IDLE -> waking++
#ifdef MUTANT_HELD_WAKES
			:: h == HELD -> waking++
#endif
			:: else
			fi;
			CHECK
		};
#endif
#ifdef MUTANT_LATE_LINK
		link[m] = (IS_MSG(h) -> h : NULL);
#endif
		/* TRI_PUSH_WAKE: tri_schedule. */
		if
		:: h == IDLE -> atomic { waking--; runnable++; CHECK }
#ifdef MUTANT_HELD_WAKES
		:: h == HELD -> atomic { waking--; runnable++; CHECK }
#endif
		:: else
		fi;
		goto sent;
refuse:		/* TRI_PUSH_CLOSED: tri_push_failed. */
		atomic { dead(m, true) }
sent:		atomic {
			m = 0;
			h = 0;
			seq++;
#ifdef MOVES
			at = 0;
#endif
			i = 0
		}
	:: else -> break
	od
}

/* The owner's functions are called by who has the actor, and only then. */
#define OWN assert(mine_now)

inline detach()
{
	/* tri_turn_detach: tri_inlet_take_owner, an exchange. */
	atomic {
		OWN;
#ifdef MUTANT_APART_DETACHES_CELL
		h = head;
		head = RUNNING;
#else
		h = MAILBOX;
		MAILBOX = RUNNING;
#endif
		CHECK;
		assert(IS_MSG(h));
		reverse(h, q);
		/* Its TR_ASSERT. */
		assert(q == m && pending == NULL);
		pending = link[q];
		q = NULL;
		in_place = false
	}
}

#ifdef MOVES
/* tri_apart_move_owner, first half: a store. */
inline open_apart()
{
	atomic { OWN; assert(apart == CLOSED); apart = RUNNING; CHECK }
}

/* Second half: an exchange. */
inline leave_cell()
{
#ifdef MUTANT_APART_FORGETS
	atomic { h = head; head = RUNNING; reverse(h, pending) };
#endif
	atomic {
		OWN;
		h = head;
#ifdef MUTANT_APART_STORE
	};
	atomic {
#endif
		head = APART;
		CHECK;
#ifndef MUTANT_APART_FORGETS
		assert(pending == NULL);
		reverse(h, pending);
#endif
		h = 0
	};
#ifdef MUTANT_APART_RUSH
	/* What has come to the other word goes before that. */
	atomic {
		if
		:: IS_MSG(apart) ->
			h = apart;
			apart = RUNNING;
			reverse(h, q);
			h = q;
			do
			:: link[h] != NULL -> h = link[h]
			:: else -> break
			od;
			link[h] = pending;
			pending = q
		:: else
		fi
	}
#endif
}
#endif

/* Let go of the actor: from here on the cell is not this worker's. */
inline let_go()
{
	mine_now = false;
	running--
}

inline handle()
{
	/* run_message: b->receive */
	assert(used[m] && fate[id[m]] == FLYING);
	assert(gen[m] == mine); /* no wrong delivery */
	assert(SEQ(id[m]) >= next_seq[WHO(id[m])]);
	assert(refused[WHO(id[m])] < mine);
	next_seq[WHO(id[m])] = SEQ(id[m]) + 1;
	fate[id[m]] = HANDLED
}

proctype worker()
{
	byte h, m, q, b, n, left, mine;
	bool mine_now, in_place;
#if defined(MOVES) && LIVES > 1
	bit at; /* as a sender's */
#endif

end:	do
	:: atomic {
		runnable > 0 ->
		runnable--;
		assert(running == 0);
		running++;
		CHECK;
		mine_now = true;
		/* run_begin */
		mine = ident;
		left = BATCH
	   };
	   /* TRI_IDENT_DYING: tri_actor_die_on */
	   if
	   :: dying -> goto drain
	   :: else
	   fi;

turn:	   /* run_pending */
	   if
	   :: pending != NULL && left > 0 ->
		atomic {
			OWN;
			m = pending;
			pending = link[m];
			in_place = false;
			left--
		}
	   :: pending != NULL && left == 0 -> goto requeue
	   :: pending == NULL && left == 0 -> goto requeue
	   :: pending == NULL && left > 0 ->
		/* tri_inlet_look_owner */
#ifdef MUTANT_APART_REST_CELL
		atomic { OWN; h = head; assert(h != CLOSED && h != HELD) };
#else
		atomic { OWN; h = MAILBOX; assert(h != CLOSED && h != HELD) };
#endif
		if
		:: !IS_MSG(h) ->
			/* tri_inlet_rest_owner: CAS RUNNING -> IDLE */
#ifdef MUTANT_REST_STORE
			atomic { MAILBOX = IDLE; let_go(); goto rested };
#else
			atomic {
#ifdef MUTANT_APART_REST_CELL
				if
				:: head != h -> goto turn
				:: else
				fi;
				head = IDLE;
#else
				if
				:: MAILBOX != h -> goto turn
				:: else
				fi;
				MAILBOX = IDLE;
#endif
				let_go();
				CHECK;
				goto rested
			}
#endif
		:: IS_MSG(h) && left < BATCH -> goto requeue /* others wait */
		:: IS_MSG(h) && link[h] == NULL ->
			/* run_in_place */
			atomic {
				m = h;
				in_place = true;
#ifndef MUTANT_NO_GENERATION
				stale[m] = (gen[m] != mine);
#endif
				left--
			}
		:: IS_MSG(h) && link[h] != NULL ->
			/* tri_inlet_take_owner: exchange */
#ifdef MUTANT_TAKE_STORE
			MAILBOX = RUNNING;
			atomic {
				reverse(h, pending);
				goto turn
			};
#endif
			atomic {
				OWN;
				h = MAILBOX;
				MAILBOX = RUNNING;
				reverse(h, pending);
				h = 0;
				CHECK;
				goto turn
			}
#ifdef MOVES
		/* tri_apart_is_worth, or not */
		:: IS_MSG(h) && link[h] != NULL && head != APART -> goto move
#endif
		fi
	   fi;

	   /* run_message: m is in hand; h is its head if it is in place */
	   if
	   :: stale[m] ->
		if
		:: in_place -> detach()
		:: else
		fi;
		atomic { dead(m, true); m = 0; goto turn }
	   :: else
	   fi;
	   atomic {
		OWN;
		handle();
		if
		:: true
#ifdef TAKE
		:: goto take
#endif
#if LIVES > 1
		:: deaths < LIVES - 1 && lives > deaths -> goto die
#endif
#if FAILS > 0
		:: fails < FAILS -> fails++; goto fail
#endif
		fi
	   };
	   if
	   :: !in_place ->
		atomic { free(m); m = 0; goto turn }
	   :: else
	   fi;
	   /* run_leave_place: CAS message -> IDLE */
	   atomic {
#ifdef MUTANT_REST_STORE
		if
		:: true
#else
		if
		:: MAILBOX == h
#endif
		-> MAILBOX = IDLE;
			in_place = false;
			let_go();
#ifndef MUTANT_REST_STORE
			CHECK
#endif
		:: else -> goto detached
		fi
	   };
#ifdef MUTANT_REST_TOUCH
	   OWN;
#endif
	   /* tri_msg_dispose_inline: the message is still this worker's. */
	   atomic { free(m); m = 0; goto rested };
detached:  detach();
	   atomic { free(m); m = 0; goto turn };

#ifdef MOVES
move:	   /* tri_apart_take */
#ifdef MUTANT_APART_OPENED_LATE
	   leave_cell();
	   open_apart();
#else
	   open_apart();
	   leave_cell();
#endif
	   goto turn;
#endif

#ifdef TAKE
take:	   /* tr_take: detach, then it is the actor's, who drops it at once. */
#ifndef MUTANT_NO_DETACH
	   if
	   :: in_place -> detach()
	   :: else
	   fi;
#endif
	   atomic { free(m); m = 0; goto turn };
#endif

#if FAILS > 0
fail:	   /* die_keep_open: detach the message in hand, which is dead. */
	   if
	   :: in_place -> detach()
	   :: else
	   fi;
	   atomic { OWN; free(m); m = 0 };
	   /* die_hold: tri_inlet_hold_owner, a CAS; if it fails messages wait,
	    * and nobody is told of them either.  Nothing may change whose the
	    * actor is before DOWN and EXIT are out: then tri_keep_tell_end. */
	   atomic {
		OWN;
		if
#ifdef MUTANT_APART_HELD_CELL
		:: !IS_MSG(head) -> head = HELD
#endif
		:: MAILBOX == RUNNING -> MAILBOX = HELD
		:: else -> assert(IS_MSG(MAILBOX))
		fi;
		CHECK
	   };
	   atomic { let_go(); failed++; CHECK; goto rested };
#endif

#if LIVES > 1
die:
#ifdef MOVES
	   /* tri_apart_close_owner: the cell's word first, an exchange */
	   if
	   :: atomic {
		head == APART ->
		OWN;
		at = 1;
		head = CLOSED;
		ended = true;
		CHECK
	      }
	   :: else
	   fi;
#endif
	   /* tri_inlet_close_owner: exchange */
	   atomic {
		OWN;
		h = TARGET;
#ifdef MUTANT_CLOSE_STORE
	   };
	   atomic {
#endif
#ifdef MUTANT_APART_CELL_CLOSED_ONLY
		TARGET = (at == 1 -> RUNNING : CLOSED);
#else
		TARGET = CLOSED;
#endif
		CHECK;
		if
		:: IS_MSG(h) -> reverse(h, q)
		:: else -> q = NULL
		fi;
#ifdef MOVES
		ended = true;
		at = 0;
#endif
		if
		:: in_place -> assert(q == m); q = link[q]; in_place = false
		:: else
		fi;
		h = 0;
		/* die_drop_in_hand */
		free(m);
		m = 0
	   };
	   atomic { queued = q; q = 0 };
drain:	   /* die_work: pending, then what was queued; in slices. */
	   do
	   :: pending != NULL ->
		atomic {
			OWN;
			m = pending;
			pending = link[m];
			dead(m, true);
			m = 0
		}
	   :: pending == NULL && queued != NULL ->
		atomic {
			OWN;
			m = queued;
			queued = link[m];
			dead(m, true);
			m = 0
		}
	   :: pending == NULL && queued != NULL && !dying ->
		atomic { OWN; dying = true; goto requeue }
	   :: pending == NULL && queued == NULL -> break
	   od;
	   /* die_finish: die_free_slot */
	   atomic {
		OWN;
		dying = false;
		deaths++;
		ident++;
		vacant = true;
		let_go();
		CHECK;
		goto rested
	   };
#else
drain:	   assert(false); /* unreached */
#endif

requeue:   /* tri_actor_requeue */
	   atomic { let_go(); runnable++; CHECK };
rested:	   atomic { h = 0; m = 0; q = 0; left = 0; mine = 0 }
	od
}

#if FAILS > 0
/* tri_keep_restart: tri_inlet_unhold, then schedule. */
active proctype supervisor()
{
	byte h;

end:	do
	:: atomic { failed > 0 -> failed--; restarting++; h = MAILBOX };
#ifdef MUTANT_RESTART_STORE
	   MAILBOX = RUNNING;
#else
	   /* CAS; if it fails somebody pushed: the list stays. */
	   if
	   :: h == HELD ->
		atomic {
			if
			:: MAILBOX == HELD -> MAILBOX = RUNNING
			:: else
			fi
		}
	   :: else
	   fi;
#endif
	   atomic { restarting--; runnable++; h = 0; CHECK }
	od
}
#endif

#if LIVES > 1
active proctype spawner()
{
	byte m;

end:	do
	:: atomic {
		/* tri_table_get; spawn_fill_cell */
#ifdef MUTANT_EARLY_FREE
		lives < LIVES && (vacant || head == CLOSED) ->
#else
		lives < LIVES && vacant ->
#endif
		lives++;
		vacant = false;
		born++;
#ifdef MOVES
		ended = false;
#endif
		pending = NULL
	   };
	   /* spawn_open */
	   if
	   :: /* no start, no name */
		atomic { head = IDLE; published = ident; born--; CHECK }
	   :: /* a first message */
		alloc(m, STARTS + lives, ident);
		atomic { head = m; published = ident; m = 0 };
		atomic { born--; runnable++; CHECK }
	   :: /* a name, published while the inlet is RUNNING */
		atomic { head = RUNNING; published = ident };
		atomic {
			if
			:: head == RUNNING -> head = IDLE; born--; CHECK
			:: else -> born--; runnable++; CHECK
			fi
		}
	   fi
	:: lives == LIVES && false /* unreached */
	od
}
#endif

active proctype monitor()
{
	byte i;

	timeout ->
	d_step {
		assert(MAILBOX == IDLE && pending == NULL && queued == NULL);
#ifdef MOVES
		assert(head == APART || apart == CLOSED);
#endif
		CHECK;
		do
		:: i < STARTS -> assert(fate[i] >= HANDLED); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < STARTS + LIVES + 1 -> assert(fate[i] != FLYING); i++
		:: else -> break
		od;
		i = STATES;
		do
		:: i < TOP -> assert(!used[i]); i++
		:: else -> break
		od
	}
}

init {
	byte i;

	atomic {
		do
		:: i < SENDERS -> run sender(i); i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < WORKERS -> run worker(); i++
		:: else -> break
		od
	}
}
