/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Systems: making, running and freeing them; tr_run.
 */
#include "actors/burst.h"

#include <stdio.h>
#include <string.h>

_Static_assert(TRI_INLET_STATES - TRI_INLET_RESERVED >= TRI_WORKERS_MAX,
    "every worker has a state of its own");

enum {
	SYSTEMS_MAX = 63, /* numbers 1 to 63 */
	ACTORS_MIN = 1024,
	ACTORS_MAX = 1 << 26,
	RECORDS_MAX = 1 << 26,
	MESSAGE_MAX = 1 << 30,
	SPIN_NS = 20 * 1000,
	SPIN_MOST_NS = 80 * 1000,
	JOBS_WAIT_NS = 100 * 1000 * 1000,
};

/* Which system numbers are in use: a variable of the process.  The only other
 * one is sched/fault_real.c's. */
static _Atomic uint64_t systems_used = 1;

/* ----------------------------------------------------------- options ---- */

bool
tri_options_are_valid(const struct tr_options *o)
{
	return o->workers <= TRI_WORKERS_MAX && o->spin_ns <= TR_SECONDS(1) &&
	    (o->max_actors == 0 ||
		(o->max_actors >= ACTORS_MIN && o->max_actors <= ACTORS_MAX)) &&
	    o->max_message_bytes <= MESSAGE_MAX && tri_budget_is_valid(o) &&
	    tri_fault_is_valid(o) && o->blocking_threads <= 256 &&
	    o->stop_ns >= 0 &&
	    (o->allocator == NULL ||
		(o->allocator->alloc != NULL && o->allocator->free != NULL));
}

static void
options_fill(struct tr_options *o, struct tri_env *env)
{
	unsigned cpus = env->cpus(env);

	if (o->workers == 0)
		o->workers = cpus > TRI_WORKERS_MAX ? TRI_WORKERS_MAX : cpus;
	if (o->max_actors == 0)
		o->max_actors = 1 << 24;
	if (o->max_message_bytes == 0)
		o->max_message_bytes = 64 << 20;
	if (o->blocking_threads == 0)
		o->blocking_threads = 8;
	if (o->blocking_queue == 0)
		o->blocking_queue = 1024;
	if (o->stop_ns == 0)
		o->stop_ns = TR_SECONDS(5);
}

/* ------------------------------------------------------------- number --- */

static unsigned
number_take(void)
{
	uint64_t used = tri_load_relaxed(&systems_used);
	unsigned n;

	do {
		if (used == UINT64_MAX)
			return 0;
		n = (unsigned)__builtin_ctzll(~used);
	} while (!tri_cas_weak_acq_rel(&systems_used, &used,
	    used | (uint64_t)1 << n));
	return n;
}

static void
number_give_back(unsigned n)
{
	tri_fetch_and_acq_rel(&systems_used, ~((uint64_t)1 << n));
}

/* ----------------------------------------------------------- making ----- */

static struct tri_link *
actor_link(void *ctx, void *object)
{
	struct tr_system *sys = ctx;

	return tri_table_at(&sys->actors, 1, tri_cell_slot(sys, object));
}

/* Free indices that are kept in store would keep whole chunks. */
static void
desk_give_back(struct tri_desk *d)
{
	tri_table_give_back(&d->sys->actors, &d->slots);
	tri_table_give_back(&d->sys->records, &d->records);
}

/* hooks.poll */
static void
system_poll(struct tri_worker *w)
{
	struct tri_crew *c = (struct tri_crew *)(void *)w;

	tri_record_disarm_gone(c);
	tri_budget_poll(c->desk.sys);
	if (w->phase == TRI_RUN)
		return;
	/* It may fall asleep: what it keeps in store is for others too. */
	desk_give_back(&c->desk);
}

/* hooks.acts */
static uint64_t
system_acts(const struct tri_worker *w)
{
	const struct tri_crew *c = (const struct tri_crew *)(const void *)w;
	const struct tri_counts *n = &c->desk.counts;

	return tri_load_relaxed(&n->sent) + tri_load_relaxed(&n->handled) +
	    tri_load_relaxed(&n->spawned) + tri_load_relaxed(&n->ended);
}

/* hooks.open */
static uint64_t
system_open(const struct tri_worker *w)
{
	const struct tri_crew *c = (const struct tri_crew *)(const void *)w;
	const struct tri_counts *n = &c->desk.counts;
	uint64_t open = tri_load_relaxed(&n->sent);

	open -= tri_load_relaxed(&n->handled);
	for (int i = 0; i < TR_DEAD_REASONS; i++)
		open -= tri_load_relaxed(&n->dead[i]);
	return open;
}

/*
 * hooks.trim: what has no worker of its own, so whoever trims does it: the
 * foreign threads' pool, in smaller slices, for others may wait for the lock;
 * and the tables.
 */
static bool
system_trim(struct tri_worker *w)
{
	struct tri_crew *c = (struct tri_crew *)(void *)w;
	struct tr_system *sys = c->desk.sys;
	bool more;

	tri_foreign_lock(sys);
	more = tri_pool_trim(&sys->foreign_pool, TRI_TRIM_BLOCKS / 8);
	desk_give_back(&sys->foreign);
	tri_foreign_unlock(sys);
	desk_give_back(&c->desk);
	more |= tri_table_trim(&sys->actors);
	more |= tri_table_trim(&sys->records);
	return more;
}

static void
desk_init(struct tri_desk *d, struct tr_system *sys, struct tri_worker *w,
    struct tri_pool *pool)
{
	d->sys = sys;
	d->worker = w;
	d->pool = pool;
}

static void
crews_init(struct tr_system *sys)
{
	unsigned i;

	for (i = 0; i < sys->sched.n; i++) {
		struct tri_crew *c = tri_crew_at(sys, i);

		desk_init(&c->desk, sys, &c->worker, &c->worker.pool);
		c->reserved = tri_inlet_reserved_by(i);
		c->reserved_plain =
		    c->worker.q.next.plain ? c->reserved : UINT64_MAX;
		c->backoff.random = i;
		c->turn.deadline = INT64_MAX;
		c->turn.unanswered = TR_ENOREPLY;
		c->handler_until = INT64_MAX;
		ck_stack_init(&c->gone);
	}
}

static void
system_spins(const struct tr_system *sys, struct tri_sched_config *config)
{
	unsigned cpus = sys->env->cpus(sys->env);
	bool enough = cpus >= sys->options.workers && cpus > 1;

	config->spin_ns = config->spin_most_ns = sys->options.spin_ns;
	if (config->spin_ns == 0 && enough) {
		config->spin_ns = SPIN_NS;
		config->spin_most_ns = SPIN_MOST_NS;
	}
}

static int
system_init_sched(struct tr_system *sys)
{
	struct tri_sched_config config = {
		.workers = sys->options.workers,
		.worker_size = sizeof(struct tri_crew),
		.pin = sys->options.pin,
		.batch = sys->env->batch,
		.ring = sys->env->ring,
		.kept = sys->env->kept,
		.throttle_ns = sys->env->throttle_ns,
		.eager = sys->env->eager,
		.kinds = sys->kinds,
		.hooks = {
			.fire = tri_record_fire,
			.poll = system_poll,
			.trim = system_trim,
			.attend = tri_stop_attend,
			.acts = system_acts,
			.open = system_open,
			.enter = tri_fault_enter,
			.leave = tri_fault_leave,
		},
		.pool_owner = sys,
		.pools = sys->options.workers + 1,
	};

	sys->kinds[TRI_KIND_ACTOR] = (struct tri_kind){
		.run = tri_actor_run,
		.rest = tri_actor_rest,
		.reserve = tri_actor_reserve,
		.link = actor_link,
		.ctx = sys,
		.begins_at = offsetof(struct tr_self, pending),
	};
	system_spins(sys, &config);
	return tri_sched_init(&sys->sched, sys->env, &config);
}

/* Of a free cell, of a free record: the next one's. */
static uint32_t
cell_generation(const void *cell)
{
	const struct tr_self *a = cell;

	return (uint32_t)tri_load_relaxed(&a->ident);
}

static uint32_t
record_generation(const void *record)
{
	const struct tri_record *r = record;

	return (uint32_t)tri_load_relaxed(&r->ident);
}

static int
system_init(struct tr_system *sys)
{
	const size_t actor_sizes[] = { sizeof(struct tr_self),
		sizeof(struct tri_link), sizeof(struct tri_cold),
		sizeof(struct tri_aside), sizeof(struct tri_intake) };
	const size_t record_sizes[] = { sizeof(struct tri_record) };
	unsigned users = sys->options.workers + 1;
	uint32_t records = sys->options.max_actors;
	int rc;

	if (records < 1 << 16)
		records = 1 << 16;
	if (!tri_table_init(&sys->actors, sys->env, sys->options.max_actors,
		users, actor_sizes, TRI_ACTOR_ARRAYS) ||
	    !tri_table_init(&sys->records, sys->env, records, users,
		record_sizes, 1) ||
	    !tri_names_init(sys) || !tri_links_init(sys) ||
	    !tri_groups_init(sys) ||
	    !tri_pool_init(&sys->foreign_pool, &sys->env->memory, sys,
		sys->options.workers, users))
		return TR_ENOMEM;
	/* Simulated mailboxes move as soon as they can. */
	sys->apart = sys->env->eager ? 2 : TRI_APART_LIST;
	sys->burst_after = sys->env->eager ? 2 : TRI_BURST_AFTER;
	sys->burst_looks = TRI_BURST_LOOKS;
	sys->actors.generation = cell_generation;
	sys->actors.discards = TRI_ACTOR_INTAKE;
	sys->records.discards = 1;
	sys->records.generation = record_generation;
	desk_init(&sys->foreign, sys, NULL, &sys->foreign_pool);
	sys->jobs = sys->env->jobs_new(sys->env, sys->options.blocking_threads,
	    sys->options.blocking_queue);
	if (sys->jobs == NULL)
		return TR_ENOMEM;
	rc = system_init_sched(sys);
	if (rc == 0) {
		crews_init(sys);
		tri_budget_count(sys);
		rc = tri_fault_init(sys);
	}
	return rc;
}

static void
system_free(struct tr_system *sys)
{
	struct tri_env *env = sys->env;

	env->jobs_free(env, sys->jobs);
	tri_fault_fini(sys);
	tri_sched_fini(&sys->sched);
	tri_signals_fini(sys);
	tri_pool_fini(&sys->foreign_pool);
	tri_groups_fini(sys);
	tri_links_fini(sys);
	tri_names_fini(sys);
	tri_table_fini(&sys->records);
	tri_table_fini(&sys->actors);
	number_give_back(sys->number);
	tri_env_free(env, sys);
	env->free(env);
}

int
tri_system_new(struct tr_system **system, const struct tr_options *options,
    struct tri_env *env)
{
	unsigned number = number_take();
	struct tr_system *sys = NULL;
	int rc;

	if (number != 0)
		sys = tri_env_alloc(env, sizeof(*sys));
	if (sys == NULL) {
		if (number != 0)
			number_give_back(number);
		env->free(env);
		return TR_ENOMEM;
	}
	memset(sys, 0, sizeof(*sys));
	sys->env = env;
	sys->number = number;
	sys->options = *options;
	sys->options.allocator = NULL; /* the environment has a copy */
	options_fill(&sys->options, env);
	tri_budget_init(sys);
	sys->log_ctx = options->hook_ctx;
	sys->dead_ctx = options->hook_ctx;
	env->entropy(env, &sys->seed, sizeof(sys->seed));
	tri_lock_init(&sys->foreign_lock);
	ck_spinlock_init(&sys->stop_lock);
	tri_store_relaxed(&sys->stop_deadline, INT64_MAX);
	rc = system_init(sys);
	if (rc != TR_OK) {
		system_free(sys);
		return rc;
	}
	*system = sys;
	return TR_OK;
}

int
tr_system_new(struct tr_system **system, const struct tr_options *options)
{
	const struct tr_options defaults = { 0 };
	struct tri_env *env;

	*system = NULL;
	if (options == NULL)
		options = &defaults;
	if (!tri_options_are_valid(options))
		return TR_EINVAL;
	env = tri_env_real_with(options->allocator);
	if (env == NULL)
		return TR_ENOMEM;
	return tri_system_new(system, options, env);
}

/* ------------------------------------------------------------ running --- */

static uint64_t
system_sum(struct tr_system *sys, size_t offset)
{
	uint64_t sum;
	unsigned i;

	sum = tri_load_relaxed((
	    _Atomic uint64_t *)(void *)((char *)&sys->foreign.counts + offset));
	for (i = 0; i < sys->sched.n; i++)
		sum += tri_load_relaxed((_Atomic uint64_t *)(void
			*)((char *)&tri_crew_at(sys, i)->desk.counts + offset));
	return sum;
}

/* What the blocking pool has not begun is not begun any more; what runs is
 * waited for until the deadline of the stop. */
static int
system_finish(struct tr_system *sys, struct tr_stop_report *report)
{
	int64_t now, until;

	sys->env->jobs_close(sys->env, sys->jobs);
	do {
		/* In slices: the deadline may be brought forward. */
		now = sys->env->now(sys->env);
		until = tri_load_acquire(&sys->stop_deadline);
		if (until > now + JOBS_WAIT_NS)
			until = now + JOBS_WAIT_NS;
	} while (sys->env->jobs_wait(sys->env, sys->jobs, until) > 0 &&
	    tri_load_acquire(&sys->stop_deadline) > until);
	sys->report.killed =
	    system_sum(sys, offsetof(struct tri_counts, killed));
	sys->report.stopped =
	    system_sum(sys, offsetof(struct tri_counts, ended)) -
	    sys->report.killed;
	if (report != NULL)
		*report = sys->report;
	return sys->report.left > 0 ? TR_EBUSY : TR_OK;
}

/* Wait until the others have left their loops, but not for handlers that were
 * reported. */
static void
system_wait_for_workers(struct tr_system *sys)
{
	if (sys->report.left == 0)
		tri_sched_join(&sys->sched);
}

int
tri_system_begin(struct tr_system *system)
{
	uint32_t fresh = TRI_NEW;

	return tri_cas_acq_rel(&system->life, &fresh, (uint32_t)TRI_STARTED) ?
	    TR_OK :
	    TR_EINVAL;
}

int
tri_system_end(struct tr_system *system, struct tr_stop_report *report)
{
	int left = system_finish(system, report);

	/* rel: the last touch; another thread may free it now. */
	tri_store_release(&system->life, (uint32_t)TRI_FINISHED);
	return left;
}

int
tr_system_run(struct tr_system *system, struct tr_stop_report *report)
{
	int rc = tri_system_begin(system), left;

	if (rc != TR_OK)
		return rc;
	rc = tri_sched_run(&system->sched);
	system_wait_for_workers(system);
	if (rc != 0) {
		/* What was spawned and posted gets its proper end. */
		(void)tr_system_stop(system, INT64_MIN);
		tri_sched_drain(&system->sched);
	}
	left = tri_system_end(system, report);
	return rc != 0 ? rc : left;
}

int
tr_system_free(struct tr_system *system)
{
	if (system == NULL)
		return TR_OK;
	if (tri_load_acquire(&system->life) == TRI_NEW) {
		/* What was spawned and posted gets its proper end. */
		(void)tr_system_stop(system, INT64_MIN);
		if (tr_system_run(system, NULL) == TR_EINVAL)
			return TR_EBUSY; /* somebody just began to run it */
	}
	if (tri_load_acquire(&system->life) != TRI_FINISHED ||
	    tri_sched_running(&system->sched) > 0 ||
	    system->env->jobs_wait(system->env, system->jobs, 0) > 0)
		return TR_EBUSY;
	tri_sched_join(&system->sched);
	system_free(system);
	return TR_OK;
}

/* ------------------------------------------------------------ tr_run ---- */

static void
log_to_stderr(enum tr_log_level level, const char *text, void *ctx)
{
	struct tr_system *sys = ctx;
	char line[300];
	int n = snprintf(line, sizeof(line), "troupe: %s%s\n",
	    level == TR_LOG_WARNING ? "warning: " : "", text);

	if (n > 0)
		(void)sys->env->write(sys->env, 2, line,
		    (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static int
run_result(const struct tr_system *sys, int rc)
{
	if (rc != TR_OK)
		return rc;
	/* acq: pairs with die_tell. */
	if (tri_load_acquire(&sys->root_done) == 0)
		return TR_EBUSY;
	return sys->root_reason.code == TR_SHUTDOWN ? TR_OK :
						      sys->root_reason.code;
}

int
tr_run(const struct tr_behavior *root, const void *arg,
    const struct tr_options *options)
{
	struct tr_system *sys;
	int rc = tr_system_new(&sys, options), error = TR_OK;

	if (rc != TR_OK)
		return rc;
	if (sys->options.log == NULL) {
		sys->options.log = log_to_stderr;
		sys->log_ctx = sys;
	}
	/* The root is known before it can end: nothing runs yet. */
	sys->root = tr_system_spawn(sys, root, arg,
	    &(struct tr_spawn_options){ .error = &error });
	if (tr_ref_valid(sys->root))
		rc = run_result(sys, tr_system_run(sys, NULL));
	else
		rc = error;
	if (tr_system_free(sys) != TR_OK)
		return rc == TR_OK ? TR_EBUSY : rc;
	return rc;
}

/* ---------------------------------------------------- small questions --- */

struct tr_system *
tr_system_of(struct tr_self *self)
{
	return tri_crew_of(self)->desk.sys;
}

unsigned
tr_system_workers(struct tr_system *system)
{
	return system->sched.n;
}

tr_ref
tr_self_ref(struct tr_self *self)
{
	return tri_crew_of(self)->turn.ref;
}

unsigned
tr_self_worker(struct tr_self *self)
{
	return tri_crew_of(self)->worker.index;
}

int64_t
tr_wall_time(struct tr_system *system)
{
	return system->env->wall(system->env);
}

void
tr_entropy(struct tr_system *system, void *buf, size_t size)
{
	system->env->entropy(system->env, buf, size);
}

void
tri_system_forget(struct tr_system *system)
{
	number_give_back(system->number);
}

int64_t
tr_system_now(struct tr_system *system)
{
	return system->env->now(system->env);
}

int
tr_on_dead_letter(struct tr_system *system, tr_dead_letter_fn *hook, void *ctx)
{
	if (tri_load_acquire(&system->life) != TRI_NEW)
		return TR_EBUSY;
	system->options.on_dead_letter = hook;
	system->dead_ctx = ctx;
	return TR_OK;
}
