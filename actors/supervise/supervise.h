/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Supervisors: what their files share.
 *
 * A supervisor is an actor like any other: all of this is its state, used in
 * its own turns only.  Each of its children is a `kid`: an entry, and the bond
 * with an actor (actors/keep.h) while there is one.
 *
 *     spec.c        what is wrong with a description
 *     pace.c        how often children may fail, and how long they wait
 *     kid.c         entries: in the order of their start, and by name
 *     bond.c        one child is started, told to end, and has ended
 *     operation.c   what concerns several: stop these, then start those
 *     ending.c      the supervisor's own end
 *     request.c     what is asked of it
 *     ask.c         the asking side, in other actors' turns
 *     pause.c       a timer that needs no memory
 *     supervisor.c  the behaviour; spawning; the root of a system
 *
 * ONE THING AT A TIME, as Erlang's supervisors do it: while an operation waits
 * for a child to start or to end, whatever else comes (a child's end, a retry
 * that is due, a request) is put into one queue, `todo`, and is handled in the
 * order of its arrival.  Two things are not put off: what ends the supervisor
 * itself, and questions about its children.
 */
#ifndef TROUPE_ACTORS_SUPERVISE_H
#define TROUPE_ACTORS_SUPERVISE_H

#include "actors/keep.h"
#include "troupe/supervisor.h"

enum {
	TRI_SPEC_DEPTH = 64, /* supervisors above each other */
	TRI_SPEC_CHILDREN = 1 << 20, /* described in one tree */
};

#define TRI_PAUSE_NS TR_MS(10) /* for lack of memory */

/* Tags of what a supervisor gets; by its kind a message is known to be from
 * the runtime, or an ask. */
enum tri_super_tag {
	TRI_SUPER_EXIT = 0x7f535500, /* exit signals, trapped */
	TRI_SUPER_DEADLINE, /* tick: a child has not ended in time */
	TRI_SUPER_DEADLINES, /* tick: they all have not */
	TRI_SUPER_RETRY, /* tick: a child has waited for its restart */
	TRI_SUPER_PAUSE, /* tick: those who wait without a timer */
	TRI_SUPER_START, /* asks, from here on */
	TRI_SUPER_TERMINATE,
	TRI_SUPER_RESTART,
	TRI_SUPER_DELETE,
	TRI_SUPER_WHICH,
	TRI_SUPER_COUNT,
};

/* ---------------------------------------------------------------- rings -- */

struct tri_ring {
	struct tri_ring *prev;
	struct tri_ring *next;
};

static inline void
tri_ring_init(struct tri_ring *r)
{
	r->prev = r;
	r->next = r;
}

static inline bool
tri_ring_is_empty(const struct tri_ring *r)
{
	return r->next == r;
}

/* Behind all others of the ring. */
static inline void
tri_ring_append(struct tri_ring *ring, struct tri_ring *r)
{
	r->prev = ring->prev;
	r->next = ring;
	ring->prev->next = r;
	ring->prev = r;
}

static inline void
tri_ring_remove(struct tri_ring *r)
{
	r->prev->next = r->next;
	r->next->prev = r->prev;
	tri_ring_init(r);
}

/* ----------------------------------------------------------------- pace -- */

/* When children were restarted last: as many times as are allowed. */
struct tri_window {
	int64_t *at; /* a ring */
	uint32_t size;
	uint32_t count;
	uint32_t oldest;
	int64_t period_ns;
};

bool tri_window_init(struct tri_window *w, const struct tri_memory *memory,
    uint32_t size, int64_t period_ns);
void tri_window_fini(struct tri_window *w, const struct tri_memory *memory);
/* One more restart; false: that is one too many. */
bool tri_window_add(struct tri_window *w, int64_t now);

/* How long the next restart waits; *step is how often it was doubled. */
int64_t tri_backoff_next(const struct tr_backoff *b, uint8_t *step,
    uint64_t random);
/* Having run for so long, a child's restart waits as at first. */
bool tri_backoff_is_over(const struct tr_backoff *b, int64_t ran_ns);

/* ----------------------------------------------------------------- kids -- */

/* Something to be done later, in the ring `todo`. */
enum tri_todo_kind {
	TRI_TODO_NONE, /* in no ring */
	TRI_TODO_END, /* of a kid: it has ended by itself */
	TRI_TODO_RETRY, /* of a kid: it has waited for its restart */
	TRI_TODO_PAUSE, /* of a kid, in `paused`: that is still to come */
	TRI_TODO_ASK, /* of a struct tri_asked */
};

struct tri_todo {
	struct tri_ring ring;
	enum tri_todo_kind kind;
};

enum tri_kid_state {
	TRI_KID_DOWN, /* no actor, no bond */
	TRI_KID_HELD, /* its actor waits for its next life */
	TRI_KID_STARTING,
	TRI_KID_RUNNING,
	TRI_KID_STOPPING, /* was told to end */
	TRI_KID_LEAVING, /* was held; will have ended */
};

struct tri_kid {
	struct tri_ring order; /* of their start */
	struct tri_kid *hashed; /* the next in its bucket */
	uint64_t hash;
	struct tri_todo todo;
	struct tri_record *bond; /* not if it is DOWN */
	tr_ref ref; /* likewise */
	const struct tr_child *spec; /* may be its own: own_spec */
	const void *arg; /* may be its own: own_arg */
	tr_timer timer; /* while STOPPING the deadline, while it waits the
	                 * retry */
	int64_t since; /* when it had started; 0: never */
	uint32_t restarts;
	struct tr_reason last;
	uint8_t state; /* enum tri_kid_state */
	uint8_t step; /* of its backoff */
	bool own_spec;
	bool own_arg;
	bool found; /* it is in the table */
	bool waits; /* HELD or DOWN: for its retry */
	bool for_good; /* STOPPING: it shall not be held */
	bool no_room; /* its start was refused: no memory, no slot */
};

struct tri_kids {
	struct tri_ring order;
	struct tri_kid **bucket;
	uint32_t buckets;
	uint32_t count;
	bool by_ref; /* the table; else by id */
};

bool tri_kids_init(struct tri_kids *kids, const struct tri_memory *memory,
    bool by_ref);
void tri_kids_fini(struct tri_kids *kids, const struct tri_memory *memory);

/* A new one, behind all others; the description lives as long.  NULL: no
 * memory. */
struct tri_kid *tri_kid_new(struct tri_kids *kids,
    const struct tri_memory *memory, const struct tr_child *spec);
/* The same with a description of its own, and `arg_size` bytes of its
 * argument; 0: the pointer itself. */
struct tri_kid *tri_kid_copy(struct tri_kids *kids,
    const struct tri_memory *memory, const struct tr_child *spec,
    size_t arg_size);
/* Its own copy of an argument.  false: no memory. */
bool tri_kid_set_arg(struct tri_kid *kid, const struct tri_memory *memory,
    const void *arg, size_t size);
void tri_kid_free(struct tri_kids *kids, const struct tri_memory *memory,
    struct tri_kid *kid);
/* Its actor changes: in a table by ref it has another place. */
void tri_kid_set_ref(struct tri_kids *kids, const struct tri_memory *memory,
    struct tri_kid *kid, tr_ref ref);

struct tri_kid *tri_kids_find_id(const struct tri_kids *kids, const char *id);
struct tri_kid *tri_kids_find_ref(const struct tri_kids *kids, tr_ref ref);

/* The first, the last, the neighbours in the order of their start; NULL. */
struct tri_kid *tri_kids_first(const struct tri_kids *kids);
struct tri_kid *tri_kids_last(const struct tri_kids *kids);
struct tri_kid *tri_kids_next(const struct tri_kids *kids,
    const struct tri_kid *kid);
struct tri_kid *tri_kids_prev(const struct tri_kids *kids,
    const struct tri_kid *kid);

void tri_kid_info(const struct tri_kid *kid, struct tr_child_info *info);
void tri_kids_counts(const struct tri_kids *kids, bool simple,
    struct tr_child_counts *counts);

static inline bool
tri_kid_is_temporary(const struct tri_kid *kid)
{
	return kid->spec->restart == TR_TEMPORARY;
}

/* ------------------------------------------------------ the supervisor --- */

/* A request that is not answered yet. */
struct tri_asked {
	struct tri_todo todo;
	tr_token token;
	struct tr_msg *msg;
};

enum tri_operation_kind {
	TRI_OP_NONE,
	TRI_OP_FIRST, /* start all, for the first time */
	TRI_OP_RESTART, /* stop some, perhaps wait, start them again */
	TRI_OP_ADD, /* start a new one that was asked for */
	TRI_OP_AGAIN, /* start one that was stopped */
	TRI_OP_REMOVE, /* stop one for good */
};

/* How the start of the kid at hand goes. */
enum tri_start_result {
	TRI_START_NOT_YET,
	TRI_START_WAITS,
	TRI_START_DONE, /* it runs, or does not want to */
	TRI_START_FAILED,
};

struct tri_operation {
	enum tri_operation_kind kind;
	enum tri_start_result result;
	struct tri_kid *kid; /* whom it is about; FIRST: NULL */
	struct tri_kid *at; /* how far it is; NULL: through */
	struct tri_asked *asked; /* who waits for it; NULL: nobody */
	int64_t delay_ns;
	int error; /* of a start that was asked for */
	bool stops; /* the stopping half */
	bool waits; /* between the halves, for delay_ns */
	bool held_only; /* start those who are held */
	bool was_waiting; /* REMOVE: others may have waited with it */
};

struct tri_pause {
	tr_timer timer; /* always there, and mostly not armed */
	bool armed;
	bool ticking; /* its tick is in hand */
};

struct tri_super {
	const struct tr_supervisor *spec;
	struct tri_kids kids;
	struct tri_ring todo;
	struct tri_ring paused; /* who waits for a retry without a timer */
	struct tri_window window;
	struct tri_operation op;
	struct tri_pause pause;
	tr_ref parent; /* who has spawned it */
	uint32_t bonds; /* kids that are not DOWN */
	bool root; /* of tr_run_supervisor() */
	bool was_up; /* its first start is over, and did not fail */

	bool ending; /* it has begun to; then: */
	struct tr_reason why;
	bool failed; /* its start has; else it exits */
	bool killed;
	bool timed_out; /* side by side: they are killed now */
	struct tri_ring *tell; /* side by side: the next to be told */
	tr_timer deadline; /* side by side: of all of them */
};

static inline bool
tri_super_is_simple(const struct tri_super *s)
{
	return s->spec->strategy == TR_SIMPLE_ONE_FOR_ONE;
}

/* spec.c; what is wrong is logged */
bool tri_spec_is_valid(struct tr_system *sys, const struct tr_supervisor *spec);
bool tri_spec_child_is_valid(struct tr_system *sys,
    const struct tr_child *child);
const char *tri_spec_name(const struct tr_supervisor *spec);
/* With the defaults. */
uint32_t tri_spec_intensity(const struct tr_supervisor *spec);
int64_t tri_spec_period(const struct tr_supervisor *spec);
int64_t tri_spec_shutdown(const struct tr_child *child);

/* bond.c */
/* Begin to start it.  TR_OK: it is STARTING; else it is as it was. */
int tri_kid_start(struct tr_self *self, struct tri_super *s,
    struct tri_kid *kid);
/* It shall end: for good, or to be held.  true: it has. */
bool tri_kid_stop(struct tr_self *self, struct tri_super *s,
    struct tri_kid *kid, bool for_good);
/* The same for one of many: it is told, or killed, without a timer. */
void tri_kid_tell(struct tr_self *self, const struct tri_super *s,
    struct tri_kid *kid, bool kill);
/* It waits for its retry, this long. */
void tri_kid_wait(struct tr_self *self, struct tri_super *s,
    struct tri_kid *kid, int64_t delay_ns);
/* Ticks. */
void tri_kid_deadline(struct tr_self *self, struct tri_super *s,
    struct tri_kid *kid);
void tri_kid_retry(struct tri_super *s, struct tri_kid *kid);
void tri_kids_unpause(struct tri_super *s);
/* What a reason says, for the log: "code text". */
struct tri_why {
	char text[96];
};
const char *tri_why(struct tri_why *w, const struct tr_reason *why);

/* operation.c */
/* Whatever can be done now; returns as receive() does. */
int tri_super_go_on(struct tr_self *self, struct tri_super *s);
void tri_super_begin(struct tri_super *s, enum tri_operation_kind kind,
    struct tri_kid *kid, struct tri_asked *asked);
void tri_super_todo(struct tri_super *s, struct tri_todo *todo,
    enum tri_todo_kind kind);
void tri_super_undo(struct tri_todo *todo);

/* ending.c */
/* From now on it ends; the first reason counts, but for a kill. */
void tri_super_end(struct tri_super *s, int code, const char *text);
void tri_super_fail(struct tri_super *s, const struct tri_kid *kid);
void tri_super_kill(struct tri_super *s);
int tri_super_ending(struct tr_self *self, struct tri_super *s);
/* Tick: those told side by side have had their time. */
void tri_super_deadline(struct tr_self *self, struct tri_super *s);

/* request.c */
int tri_super_asked(struct tr_self *self, struct tri_super *s,
    const struct tr_msg *msg);
/* Its turn has come. */
void tri_super_serve(struct tr_self *self, struct tri_super *s,
    struct tri_asked *asked);
/* Answer, with what there is to say of a kid (NULL: nothing), and forget it.
 * TR_OK, TR_EEXIST and TR_EBUSY are answers, all else errors. */
void tri_asked_answer(struct tr_self *self, struct tri_asked *asked, int rc,
    const struct tri_kid *kid);
void tri_asked_free(struct tr_system *sys, struct tri_asked *asked);

/* What travels with a request. */
struct tri_wish_start {
	struct tr_child child; /* its pointers, but for behaviours, lead
	                        * nowhere: what follows counts */
	struct tr_spawn_options options;
	bool has_id;
	bool has_options;
	bool has_name;
	bool has_arg; /* else it was NULL */
	char id[TR_CHILD_ID_MAX + 1];
	char name[TRI_NAME_MAX + 1];
	size_t arg_size; /* 0: child.arg itself */
	alignas(16) char arg[];
};

struct tri_wish_child {
	tr_ref ref; /* without an id */
	char id[TR_CHILD_ID_MAX + 1];
};

/* Payload of an answer that says something of a child. */
struct tri_wish_answer {
	int rc;
	struct tr_child_info info;
};

/* pause.c */
bool tri_pause_init(struct tr_self *self, struct tri_pause *p);
/* A tick comes in TRI_PAUSE_NS, or sooner if one was on its way already. */
void tri_pause_arm(struct tr_self *self, struct tri_pause *p);
/* Around the handling of a tick. */
void tri_pause_begin(struct tr_self *self, struct tri_pause *p);
void tri_pause_end(struct tri_pause *p);

/* supervisor.c: its argument is its struct tr_supervisor, which is valid. */
extern const struct tr_behavior tri_supervisor_behavior;

#endif
