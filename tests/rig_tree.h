/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_tree.h - trees under test.
 *
 * Members are children that write down what becomes of them, "+a" when `a` has
 * started and "-a" when it has stopped, in the order in which it happened, and
 * that fail when they are told to.  The director plays a script: a list of
 * steps, each of which is tried every millisecond until it says that it is
 * through.  So a step waits for what it needs, and nothing depends on how long
 * something takes.  Behind the last step the system is stopped.
 *
 * One tree at a time: it is static.
 */
#ifndef TESTS_RIG_TREE_H
#define TESTS_RIG_TREE_H

#include "kit.h"

/* What members understand. */
enum { CRASH = 100, QUIT, LEAVE, DOZE, DOZE_ON, COUNT_ONE };

enum {
	TREE_NOTES = 4096,
	TREE_LINES = 64,
	TREE_MEMBERS = 16,
	TREE_INFOS = 16,
	TREE_NO_SUCH = 1000, /* instead of an enum tr_child_state */
};

/* A child's argument. */
struct member {
	const char *name;
	atomic_int fails; /* that many starts fail; -1: all */
	atomic_bool ignores; /* start() returns TR_IGNORE */
	atomic_bool quits; /* it ends with its start() */
	atomic_bool dozes; /* start() does not return until this is false */
	atomic_uint starts;
	atomic_uint ones; /* COUNT_ONE handled, in all lives */
	_Atomic uint64_t ref; /* of the life that started last */
};

/* A step: `plain`, or `with` what follows. */
struct step {
	bool (*plain)(struct tr_self *self);
	bool (*with)(struct tr_self *self, const struct step *step);
	const char *text;
	struct member *member;
	uint32_t tag;
};

struct tree {
	struct kit k;
	char note[TREE_NOTES][16];
	unsigned notes;
	char line[TREE_LINES][256]; /* of the log */
	unsigned lines;
	const struct tr_supervisor *spec;
	struct tr_spawn_options options; /* of the supervisor's spawning */
	tr_ref sup;
	const struct step *step; /* the last is empty */
	unsigned at;
	/* The last answers. */
	unsigned asked, answered;
	int outcome;
	struct tr_child_info info;
	struct tr_child_info infos[TREE_INFOS];
	size_t info_count;
	struct tr_child_counts counts;
	bool looks; /* a look is on its way */
	bool looked; /* it has come back: */
	struct tr_child_info look[TREE_INFOS];
	size_t look_count;
	/* The supervisor's end, which the director watches. */
	bool down;
	struct tr_reason why;
	unsigned downs; /* other ones */
	struct tr_reason other;
	atomic_bool awake; /* lets DOZE go on */
	atomic_uint dozing;
};

static struct tree tree;
static pthread_mutex_t tree_lock = PTHREAD_MUTEX_INITIALIZER;

static inline void
tree_note(char sign, const char *name)
{
	pthread_mutex_lock(&tree_lock);
	if (tree.notes < TREE_NOTES)
		snprintf(tree.note[tree.notes++], sizeof(tree.note[0]),
		    "%c%.12s", sign, name);
	pthread_mutex_unlock(&tree_lock);
}

/* What was written down, in one line. */
static inline const char *
tree_notes(void)
{
	static char all[TREE_NOTES * 16];
	size_t n = 0;

	pthread_mutex_lock(&tree_lock);
	all[0] = '\0';
	for (unsigned i = 0; i < tree.notes; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
		    i > 0 ? " " : "", tree.note[i]);
	pthread_mutex_unlock(&tree_lock);
	return all;
}

/* Whether it is this by now. */
static inline bool
tree_is(const char *notes)
{
	return strcmp(tree_notes(), notes) == 0;
}

/* How often something was written down. */
static inline unsigned
tree_count(const char *note)
{
	unsigned n = 0;

	pthread_mutex_lock(&tree_lock);
	for (unsigned i = 0; i < tree.notes; i++)
		n += strcmp(tree.note[i], note) == 0;
	pthread_mutex_unlock(&tree_lock);
	return n;
}

static inline void
tree_forget(void)
{
	pthread_mutex_lock(&tree_lock);
	tree.notes = 0;
	pthread_mutex_unlock(&tree_lock);
}

static inline bool
tree_logged(const char *part)
{
	bool found = false;

	pthread_mutex_lock(&tree_lock);
	for (unsigned i = 0; i < tree.lines; i++)
		found |= strstr(tree.line[i], part) != NULL;
	pthread_mutex_unlock(&tree_lock);
	return found;
}

static inline void
tree_log(enum tr_log_level level, const char *text, void *ctx)
{
	(void)level;
	(void)ctx;
	pthread_mutex_lock(&tree_lock);
	if (tree.lines < TREE_LINES)
		snprintf(tree.line[tree.lines++], sizeof(tree.line[0]), "%s",
		    text);
	pthread_mutex_unlock(&tree_lock);
}

/* ------------------------------------------------------------- members --- */

struct member_state {
	struct member *m;
};

static inline int
member_start(struct tr_self *self, void *state, const void *arg)
{
	struct member_state *s = state;
	struct member *m = (struct member *)(uintptr_t)arg;

	s->m = m;
	atomic_fetch_add(&m->starts, 1);
	atomic_store(&m->ref, tr_self_ref(self).bits);
	while (atomic_load(&m->dozes))
		kit_nap();
	if (atomic_load(&m->ignores)) {
		tree_note('?', m->name);
		return TR_IGNORE;
	}
	if (atomic_load(&m->fails) != 0) {
		if (atomic_load(&m->fails) > 0)
			atomic_fetch_sub(&m->fails, 1);
		tree_note('!', m->name);
		return tr_fail(self, -7, "no %s", m->name);
	}
	tree_note('+', m->name);
	return atomic_load(&m->quits) ? tr_exit(self, TR_NORMAL) : TR_OK;
}

static inline int
member_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct member_state *s = state;

	switch (tr_tag(msg)) {
	case CRASH: return -5;
	case QUIT: return tr_exit(self, TR_NORMAL);
	case LEAVE: return tr_exit(self, TR_SHUTDOWN);
	case COUNT_ONE: atomic_fetch_add(&s->m->ones, 1); return TR_OK;
	case DOZE:
		atomic_fetch_add(&tree.dozing, 1);
		while (!atomic_load(&tree.awake))
			kit_nap();
		return TR_OK;
	case DOZE_ON: /* until it is killed */
		atomic_fetch_add(&tree.dozing, 1);
		while (!tr_cancelled(self))
			kit_nap();
		return TR_OK;
	default: return tr_unhandled(self, msg);
	}
}

static inline void
member_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct member_state *s = state;

	(void)self;
	/* "x": it was killed. */
	tree_note(why->code == TR_KILLED ? 'x' : '-', s->m->name);
}

static const struct tr_behavior member = {
	.name = "member",
	.state_size = sizeof(struct member_state),
	.start = member_start,
	.receive = member_receive,
	.stop = member_stop,
};

static struct member a = { .name = "a" }, b = { .name = "b" },
		     c = { .name = "c" }, d = { .name = "d" };

#define MEMBER(m) .id = #m, .behavior = &member, .arg = &(m)
/* One that may hold up its worker: not the one of who wakes it. */
#define DOZER(m) MEMBER(m), .options = &aside

static const struct tr_spawn_options aside = {
	.placement = TR_PLACE_WORKER,
	.worker = 1,
};

static inline tr_ref
ref_of(struct member *m)
{
	return (tr_ref){ atomic_load(&m->ref) };
}

static inline void
tell(struct tr_self *self, struct member *m, uint32_t tag)
{
	kit_tell(self, ref_of(m), tag);
}

/* ------------------------------------------------------------ director --- */

enum { DIRECT = 1, SUP_DOWN, OTHER_DOWN };

static inline int
director_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)cookie;
	tree.answered++;
	tree.outcome = tr_child_result(outcome, answer, &tree.info);
	return TR_OK;
}

static inline int
director_infos(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)cookie;
	tree.answered++;
	tree.outcome = outcome;
	if (outcome != TR_OK)
		return TR_OK;
	tree.info_count = tr_size(answer) / sizeof(tree.infos[0]);
	memcpy(tree.infos, tr_data(answer, 0),
	    (tree.info_count < TREE_INFOS ? tree.info_count : TREE_INFOS) *
		sizeof(tree.infos[0]));
	return TR_OK;
}

static inline int
director_counts(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)cookie;
	tree.answered++;
	tree.outcome = outcome;
	if (outcome == TR_OK)
		tree.counts = *(const struct tr_child_counts *)tr_data(answer,
		    sizeof(tree.counts));
	return TR_OK;
}

static inline bool
asked(tr_ask_id id)
{
	KIT_CHECK(id != 0);
	tree.asked++;
	return true;
}

static inline bool
ask_start(struct tr_self *self, const struct tr_child *child)
{
	return asked(tr_supervisor_start_child(self, tree.sup, child,
	    tr_forever(), director_answer, 0));
}

static inline bool
ask_terminate(struct tr_self *self, const char *id)
{
	return asked(tr_supervisor_terminate_child(self, tree.sup, id,
	    TR_REF_NONE, tr_forever(), director_answer, 0));
}

static inline bool
ask_restart(struct tr_self *self, const char *id)
{
	return asked(tr_supervisor_restart_child(self, tree.sup, id,
	    tr_forever(), director_answer, 0));
}

static inline bool
ask_delete(struct tr_self *self, const char *id)
{
	return asked(tr_supervisor_delete_child(self, tree.sup, id,
	    tr_forever(), director_answer, 0));
}

static inline bool
ask_which(struct tr_self *self)
{
	return asked(tr_supervisor_which_children(self, tree.sup, tr_forever(),
	    director_infos, 0));
}

static inline bool
ask_count(struct tr_self *self)
{
	return asked(tr_supervisor_count_children(self, tree.sup, tr_forever(),
	    director_counts, 0));
}

/* Steps, for scripts. */
#define STEP(...)    ((struct step){ __VA_ARGS__ })
#define DO(f)        STEP(.plain = (f))
#define SEEN(notes)  STEP(.with = step_seen, .text = (notes))
#define TELL(m, n)   STEP(.with = step_tell, .member = &(m), .tag = (n))
#define START(m)     STEP(.with = step_start, .member = &(m))
#define TERMINATE(i) STEP(.with = step_child, .text = (i), .tag = 0)
#define RESTART(i)   STEP(.with = step_child, .text = (i), .tag = 1)
#define DELETE(i)    STEP(.with = step_child, .text = (i), .tag = 2)
#define ANSWER(rc)   STEP(.with = step_answer, .tag = (uint32_t)(rc))
#define NAP(ms)      STEP(.with = step_nap, .tag = (ms))
#define STATE(i, s)  STEP(.with = step_state, .text = (i), .tag = (s))
#define GONE(i)      STATE(i, TREE_NO_SUCH)
#define BEGUN(m, n)  STEP(.with = step_begun, .member = &(m), .tag = (n))
#define HOLD(m)      STEP(.with = step_hold, .member = &(m), .tag = 1)
#define LET_GO(m)    STEP(.with = step_hold, .member = &(m), .tag = 0)

/* This has been written down, since it was last waited for. */
static inline bool
step_seen(struct tr_self *self, const struct step *step)
{
	(void)self;
	if (!tree_is(step->text))
		return false;
	tree_forget();
	return true;
}

static inline bool
step_tell(struct tr_self *self, const struct step *step)
{
	tell(self, step->member, step->tag);
	return true;
}

static inline bool
step_start(struct tr_self *self, const struct step *step)
{
	return ask_start(self,
	    &(struct tr_child){
		.id = step->member->name,
		.behavior = &member,
		.arg = step->member,
	    });
}

static inline bool
step_child(struct tr_self *self, const struct step *step)
{
	if (step->tag == 0)
		return ask_terminate(self, step->text);
	return step->tag == 1 ? ask_restart(self, step->text) :
				ask_delete(self, step->text);
}

/* What was asked is answered, and this was the last outcome. */
static inline bool
step_answer(struct tr_self *self, const struct step *step)
{
	(void)self;
	if (tree.answered != tree.asked)
		return false;
	if (tree.outcome != (int)step->tag)
		printf("answer %d, not %d\n", tree.outcome, (int)step->tag);
	KIT_CHECK(tree.outcome == (int)step->tag);
	return true;
}

static inline bool
step_nap(struct tr_self *self, const struct step *step)
{
	(void)self;
	for (uint32_t i = 0; i < step->tag; i++)
		kit_nap();
	return true;
}

static inline int
director_looked(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	(void)self;
	(void)state;
	(void)cookie;
	KIT_CHECK(outcome == TR_OK);
	tree.looks = false;
	tree.looked = true;
	tree.look_count = tr_size(answer) / sizeof(tree.look[0]);
	KIT_CHECK(tree.look_count <= TREE_INFOS);
	memcpy(tree.look, tr_data(answer, 0), tr_size(answer));
	return TR_OK;
}

/* The supervisor sees the child in this state, or none of that id. */
static inline bool
step_state(struct tr_self *self, const struct step *step)
{
	uint32_t state = TREE_NO_SUCH;

	if (tree.looks)
		return false;
	for (size_t i = 0; tree.looked && i < tree.look_count; i++)
		if (strcmp(tree.look[i].id, step->text) == 0)
			state = (uint32_t)tree.look[i].state;
	if (tree.looked && state == step->tag) {
		tree.looked = false;
		return true;
	}
	tree.looks = true;
	tree.looked = false;
	KIT_CHECK(tr_supervisor_which_children(self, tree.sup, tr_forever(),
		      director_looked, 0) != 0);
	return false;
}

/* Its start has been called that often; it may still be held. */
static inline bool
step_begun(struct tr_self *self, const struct step *step)
{
	(void)self;
	return atomic_load(&step->member->starts) == step->tag;
}

/* From now on its starts are held, or those that are go on. */
static inline bool
step_hold(struct tr_self *self, const struct step *step)
{
	(void)self;
	atomic_store(&step->member->dozes, step->tag != 0);
	return true;
}

/* One has been told to DOZE, or DOZE_ON, and does. */
static inline bool
one_dozes(struct tr_self *self)
{
	(void)self;
	return atomic_load(&tree.dozing) == 1;
}

/* Whoever does DOZE goes on. */
static inline bool
all_wake(struct tr_self *self)
{
	(void)self;
	atomic_store(&tree.awake, true);
	return true;
}

/* All that was asked is answered. */
static inline bool
answers(struct tr_self *self)
{
	(void)self;
	return tree.answered == tree.asked;
}

/* The supervisor has ended. */
static inline bool
has_ended(struct tr_self *self)
{
	(void)self;
	return tree.down;
}

static inline int
director_direct(struct tr_self *self)
{
	const struct step *step = &tree.step[tree.at];

	while (step->plain != NULL || step->with != NULL) {
		if (!(step->plain != NULL ? step->plain(self) :
					    step->with(self, step)))
			return TR_OK;
		step = &tree.step[++tree.at];
	}
	return kit_finish(self);
}

static inline int
director_start(struct tr_self *self, void *state, const void *arg)
{
	uint64_t id;

	(void)state;
	(void)arg;
	tree.options.placement = TR_PLACE_WORKER; /* as this one: the first */
	tree.options.monitor = &id;
	tree.options.monitor_tag = SUP_DOWN;
	tree.sup = tr_supervisor_spawn(self, tree.spec, &tree.options);
	KIT_CHECK(tr_ref_valid(tree.sup));
	KIT_CHECK(tr_repeat(self, TR_MS(1), DIRECT, 0) != 0);
	return director_direct(self);
}

static inline int
director_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct tr_down *down = tr_data(msg, sizeof(*down));

	(void)state;
	if (tr_tag(msg) == SUP_DOWN) {
		tree.down = true;
		tree.why = down->reason;
	} else if (tr_tag(msg) == OTHER_DOWN) {
		tree.downs++;
		tree.other = down->reason;
	} else if (tr_tag(msg) == DIRECT) {
		return director_direct(self);
	}
	return TR_OK;
}

static const struct tr_behavior director = {
	.name = "director",
	.start = director_start,
	.receive = director_receive,
};

/* --------------------------------------------------------------- plays --- */

static inline void
member_reset(struct member *m)
{
	atomic_store(&m->fails, 0);
	atomic_store(&m->ignores, false);
	atomic_store(&m->quits, false);
	atomic_store(&m->dozes, false);
	atomic_store(&m->starts, 0);
	atomic_store(&m->ones, 0);
	atomic_store(&m->ref, 0);
}

static inline void
tree_reset(void)
{
	memset(&tree, 0, sizeof(tree));
	member_reset(&a);
	member_reset(&b);
	member_reset(&c);
	member_reset(&d);
}

/* Play the script, which ends with NULL, with a supervisor.  Members are set
 * up between tree_reset() and this. */
static inline void
tree_play_on(unsigned workers, const struct tr_supervisor *spec,
    const struct step *script)
{
	tree.spec = spec;
	tree.step = script;
	kit_new_with(&tree.k,
	    (struct tr_options){ .workers = workers, .log = tree_log });
	(void)kit_root(&tree.k, &director, NULL);
	kit_run(&tree.k);
}

static inline void
tree_play(const struct tr_supervisor *spec, const struct step *script)
{
	tree_play_on(2, spec, script);
}

#define PLAY(spec, ...)   \
	tree_play((spec), \
	    (const struct step[]){ __VA_ARGS__, { .plain = NULL } })

#endif /* TESTS_RIG_TREE_H */
