/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor as an actor: its behaviour, its spawning, and the root of a
 * system.
 *
 * Its children's ends come as notices of their bonds (bond.c).  It has the
 * STOP that it is told, and exit signals, come to it as messages: the one that
 * has spawned it ends it by either, like any other; what else it is linked with
 * does not.
 */
#include "actors/supervise/supervise.h"

/* ---------------------------------------------------------- its start ---- */

static void
super_free(struct tr_system *sys, struct tri_super *s)
{
	const struct tri_memory *memory = &sys->env->memory;

	while (!tri_ring_is_empty(&s->todo)) {
		struct tri_todo *todo =
		    tri_container_of(s->todo.next, struct tri_todo, ring);

		if (todo->kind == TRI_TODO_ASK)
			tri_asked_free(sys,
			    tri_container_of(todo, struct tri_asked, todo));
		else
			tri_super_undo(todo);
	}
	tri_asked_free(sys, s->op.asked);
	tri_kids_fini(&s->kids, memory);
	tri_window_fini(&s->window, memory);
}

/* All that it needs, and its children's entries. */
static bool
super_init(struct tr_self *self, struct tri_super *s)
{
	const struct tri_memory *memory = &tr_system_of(self)->env->memory;
	const struct tr_supervisor *spec = s->spec;
	size_t i;

	tri_ring_init(&s->todo);
	tri_ring_init(&s->paused);
	if (!tri_kids_init(&s->kids, memory, tri_super_is_simple(s)) ||
	    !tri_window_init(&s->window, memory, tri_spec_intensity(spec),
		tri_spec_period(spec)) ||
	    !tri_pause_init(self, &s->pause))
		return false;
	if (tri_super_is_simple(s))
		return true;
	for (i = 0; i < spec->child_count; i++)
		if (tri_kid_new(&s->kids, memory, &spec->children[i]) == NULL)
			return false;
	return true;
}

static int
super_begin(struct tr_self *self, struct tri_super *s,
    const struct tr_supervisor *spec)
{
	struct tri_crew *c = tri_crew_of(self);
	int rc = TR_ENOMEM;

	s->spec = spec;
	s->parent.bits = c->turn.msg->sender;
	tri_stop_trap(c);
	(void)tr_trap_exit(self, true, TRI_SUPER_EXIT);
	if (super_init(self, s)) {
		tri_super_begin(s, TRI_OP_FIRST, NULL, NULL);
		rc = tri_super_go_on(self, s);
	}
	if (rc != TR_OK)
		super_free(c->desk.sys, s);
	return rc;
}

static int
super_start(struct tr_self *self, void *state, const void *arg)
{
	return super_begin(self, state, arg);
}

/* The top of a system is not looked at before it starts, and says by its
 * reason that it has given up. */
static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct tri_super *s = state;

	if (!tri_spec_is_valid(tr_system_of(self), arg))
		return tr_fail(self, TR_EINVAL, "a description is not valid");
	s->root = true;
	return super_begin(self, s, arg);
}

static void
super_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)why;
	super_free(tr_system_of(self), state);
}

/* -------------------------------------------------------- its messages --- */

static int
super_ticked(struct tr_self *self, struct tri_super *s,
    const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));
	struct tri_kid *kid = (struct tri_kid *)(uintptr_t)tick->cookie;
	int rc;

	switch (tr_tag(msg)) {
	case TRI_SUPER_DEADLINE: tri_kid_deadline(self, s, kid); break;
	case TRI_SUPER_DEADLINES: tri_super_deadline(self, s); break;
	case TRI_SUPER_RETRY: tri_kid_retry(s, kid); break;
	default:
		tri_pause_begin(self, &s->pause);
		tri_kids_unpause(s);
		rc = tri_super_go_on(self, s);
		tri_pause_end(&s->pause);
		return rc;
	}
	return tri_super_go_on(self, s);
}

/* An exit signal.  Only who has spawned it ends it that way, and by any
 * reason. */
static int
super_signalled(struct tr_self *self, struct tri_super *s,
    const struct tr_msg *msg)
{
	const struct tr_exit_signal *exit = tr_data(msg, sizeof(*exit));

	if (exit == NULL || !tr_ref_equal(exit->from, tr_sender(msg)))
		return tr_unhandled(self, msg);
	if (!tr_ref_valid(s->parent) || !tr_ref_equal(exit->from, s->parent))
		return TR_OK;
	tri_super_end(s, exit->reason.code, exit->reason.text);
	return tri_super_go_on(self, s);
}

static int
super_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct tri_super *s = state;

	if (msg->kind == TRI_MSG_TICK)
		return super_ticked(self, s, msg);
	if (msg->kind == TRI_MSG_ASK)
		return tri_super_asked(self, s, msg);
	if (tr_tag(msg) == TRI_SUPER_EXIT)
		return super_signalled(self, s, msg);
	return tr_unhandled(self, msg);
}

int
tri_supervisor_told(struct tr_self *self, void *state, bool kill)
{
	struct tri_super *s = state;

	if (kill)
		tri_super_kill(s);
	else
		tri_super_end(s, TR_SHUTDOWN, "");
	return tri_super_go_on(self, s);
}

const struct tr_behavior tri_supervisor_behavior = {
	.name = "supervisor",
	.state_size = sizeof(struct tri_super),
	.start = super_start,
	.receive = super_receive,
	.stop = super_stop,
};

static const struct tr_behavior root_behavior = {
	.name = "supervisor",
	.state_size = sizeof(struct tri_super),
	.start = root_start,
	.receive = super_receive,
	.stop = super_stop,
};

/* ------------------------------------------------------------ spawning --- */

static bool
is_valid(struct tr_system *sys, const struct tr_supervisor *spec,
    const struct tr_spawn_options *options)
{
	if (tri_spec_is_valid(sys, spec))
		return true;
	if (options != NULL && options->error != NULL)
		*options->error = TR_EINVAL;
	return false;
}

tr_ref
tr_supervisor_spawn(struct tr_self *self, const struct tr_supervisor *spec,
    const struct tr_spawn_options *options)
{
	if (!is_valid(tr_system_of(self), spec, options))
		return TR_REF_NONE;
	return tr_spawn(self, &tri_supervisor_behavior, spec, options);
}

tr_ref
tr_supervisor_system_spawn(struct tr_system *system,
    const struct tr_supervisor *spec, const struct tr_spawn_options *options)
{
	if (!is_valid(system, spec, options))
		return TR_REF_NONE;
	return tr_system_spawn(system, &tri_supervisor_behavior, spec, options);
}

int
tr_run_supervisor(const struct tr_supervisor *root,
    const struct tr_options *options)
{
	return tr_run(&root_behavior, root, options);
}
