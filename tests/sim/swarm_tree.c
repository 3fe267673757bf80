/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bees that are looked after: supervisors of all kinds, and what one asks of
 * them.  See swarm.h.
 */
#include "swarm.h"

enum { TREES = 3, BOUGHS = 4 };

/* Descriptions have to live as long as their supervisor: to the run's end. */
static struct tree {
	struct tr_supervisor spec;
	struct tr_child child[BOUGHS];
	struct tr_spawn_options options[BOUGHS];
	struct bee_arg arg[BOUGHS];
} forest[TREES];

static const char *const ids[] = { "a", "b", "c", "d", "e", "f" };

static const struct tr_child larva = {
	.id = "larva",
	.behavior = &bee,
	.restart = TR_TEMPORARY,
};
static const struct tr_supervisor nursery = {
	.name = "nursery",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	.children = &larva,
	.child_count = 1,
};

static int64_t
draw_shutdown(struct bee *b)
{
	switch (draw(b, 4)) {
	case 0: return TR_BRUTAL_KILL;
	case 1: return TR_MS(1 + draw(b, 20));
	default: return 0;
	}
}

static struct tr_child
draw_child(struct bee *b, const char *id, struct tr_spawn_options *options,
    struct bee_arg *arg)
{
	struct tr_child child = {
		.id = id,
		.restart = (enum tr_restart)draw(b, 3),
		.shutdown_ns = draw_shutdown(b),
		.drop_mailbox = draw(b, 3) == 0,
	};

	if (draw(b, 6) == 0) {
		child.supervisor = &nursery;
		return child;
	}
	*arg = (struct bee_arg){ draw(b, UINT64_MAX), (unsigned)draw(b, 12) };
	*options = draw_options(b);
	child.behavior = &bee;
	child.arg = arg;
	child.options = options;
	child.name = draw(b, 5) == 0 ? "one" : NULL;
	child.significant = child.restart != TR_PERMANENT && draw(b, 4) == 0;
	if (draw(b, 3) == 0)
		child.backoff = (struct tr_backoff){
			.min_ns = TR_US(1 + draw(b, 3000)),
			.max_ns = TR_MS(10),
			.jitter_percent = (unsigned)draw(b, 100),
		};
	return child;
}

/* The memory of descriptions is another's: it is not used again. */
void
plant(struct bee *b, struct tr_self *self)
{
	struct tr_spawn_options o = draw_options(b);
	unsigned i, n = (unsigned)draw(b, BOUGHS + 1);
	struct tree *t;
	tr_ref top;

	if (swarm.trees == TREES)
		return;
	t = &forest[swarm.trees++];
	for (i = 0; i < n; i++)
		t->child[i] = draw_child(b, ids[i], &t->options[i], &t->arg[i]);
	t->spec = (struct tr_supervisor){
		.name = "tree",
		.strategy = (enum tr_strategy)draw(b, 3),
		.intensity = (int)draw(b, 12) - 1,
		.period_ns = TR_MS(1 + draw(b, 2000)),
		.auto_shutdown = (enum tr_auto_shutdown)draw(b, 3),
		.children = t->child,
		.child_count = n,
	};
	o.link = draw(b, 3) == 0;
	o.monitor = draw(b, 3) == 0 ? &b->monitor : NULL;
	o.monitor_tag = DOWN;
	top = tr_supervisor_spawn(self, draw(b, 3) == 0 ? &nursery : &t->spec,
	    &o);
	if (!tr_ref_valid(top))
		return;
	swarm.top[swarm.tops++] = top;
	swarm.bee[draw(b, swarm.bees)] = top;
}

/* The children become known, to be bothered like all others. */
static int
on_tended(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct bee *b = state;
	struct tr_child_info info;

	(void)self;
	(void)cookie;
	(void)tr_child_result(outcome, answer, &info);
	if (tr_ref_valid(info.ref))
		swarm.bee[draw(b, swarm.bees)] = info.ref;
	return TR_OK;
}

static int
on_listed(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct bee *b = state;
	const struct tr_child_info *info;
	size_t n;

	(void)self;
	(void)cookie;
	if (outcome != TR_OK || tr_size(answer) < sizeof(*info))
		return TR_OK;
	info = tr_data(answer, 0);
	n = draw(b, tr_size(answer) / sizeof(*info));
	if (tr_ref_valid(info[n].ref))
		swarm.bee[draw(b, swarm.bees)] = info[n].ref;
	return TR_OK;
}

static int
on_counted(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct tr_child_counts *counts;

	(void)self;
	(void)state;
	(void)cookie;
	if (outcome != TR_OK)
		return TR_OK;
	counts = tr_data(answer, sizeof(*counts));
	return counts != NULL &&
		counts->active <= counts->supervisors + counts->workers ?
	    TR_OK :
	    TR_EINVAL;
}

void
tend(struct bee *b, struct tr_self *self)
{
	const char *id = ids[draw(b, sizeof(ids) / sizeof(ids[0]))];
	int64_t deadline = tr_in(self, TR_MS(draw(b, 300)));
	struct tr_spawn_options options;
	struct tr_child child;
	struct bee_arg arg = { 0 };
	unsigned n;
	tr_ref top;

	if (swarm.tops == 0)
		return;
	top = swarm.top[draw(b, swarm.tops)];
	switch (draw(b, 8)) {
	case 0:
	case 1:
		child = draw_child(b, id, &options, &arg);
		/* Of a nursery many come, so that its table grows. */
		for (n = draw(b, 2) == 0 ? 60 : 1; n > 0; n--)
			(void)!tr_supervisor_start_child(self, top, &child,
			    deadline, on_tended, 0);
		break;
	case 2:
		(void)!tr_supervisor_terminate_child(self, top,
		    draw(b, 2) ? id : NULL, somebody(b), deadline, on_tended,
		    0);
		break;
	case 3:
		(void)!tr_supervisor_restart_child(self, top, id, deadline,
		    on_tended, 0);
		break;
	case 4:
		(void)!tr_supervisor_delete_child(self, top, id, deadline,
		    on_tended, 0);
		break;
	case 5:
		(void)!tr_supervisor_count_children(self, top, deadline,
		    on_counted, 0);
		break;
	default:
		(void)!tr_supervisor_which_children(self, top, deadline,
		    on_listed, 0);
		break;
	}
}
