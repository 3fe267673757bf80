/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of the process as messages: worker 0's loop watches them, and posts.
 */
#include "actors/system.h"

#include <string.h>

struct signal_route {
	struct signal_route *next;
	struct tr_system *sys;
	tr_ref to;
	uint32_t tag;
	int signo;
};

/* On worker 0's loop; it may be in no actor's turn: a post. */
static void
signal_arrived(void *arg, int signo)
{
	struct signal_route *route = arg;

	(void)signo;
	(void)tr_post(route->sys, route->to, route->tag, NULL, 0);
}

static bool
signal_is_routed(struct tr_system *sys, int signo)
{
	struct signal_route *route;

	tri_foreign_lock(sys);
	for (route = sys->signals; route != NULL; route = route->next)
		if (route->signo == signo)
			break;
	tri_foreign_unlock(sys);
	return route != NULL;
}

int
tr_signal_send(struct tr_system *system, int signo, tr_ref to, uint32_t tag)
{
	struct tri_env *env = system->env;
	struct signal_route *route;
	int rc;

	if (tri_load_acquire(&system->stopping) != 0)
		return TR_ESTOPPING;
	if (signal_is_routed(system, signo))
		return TR_EEXIST;
	route = tri_memory_alloc(&env->memory, sizeof(*route), "signal route");
	if (route == NULL)
		return TR_ENOMEM;
	*route = (struct signal_route){
		.sys = system,
		.to = to,
		.tag = tag,
		.signo = signo,
	};
	rc = env->loop_signal(env, tri_sched_worker(&system->sched, 0)->loop,
	    signo, signal_arrived, route);
	if (rc != 0) {
		env->memory.free(env->memory.ctx, route);
		return rc;
	}
	tri_foreign_lock(system);
	route->next = system->signals;
	system->signals = route;
	tri_foreign_unlock(system);
	return TR_OK;
}

void
tri_signals_fini(struct tr_system *sys)
{
	while (sys->signals != NULL) {
		struct signal_route *route = sys->signals;

		sys->signals = route->next;
		sys->env->memory.free(sys->env->memory.ctx, route);
	}
}
