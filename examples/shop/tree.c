/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Print a tree of supervisors: whatever tree, from any of its nodes on.
 *
 * A supervisor knows its own children only, so those of a child that is one
 * itself are asked of the child.  The tree is walked depth first; `level` is
 * the way from the top to where one is.
 */
#include "shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEEP = 8, WIDE = 32 };

struct level {
	struct tr_child_info child[WIDE];
	size_t count, next;
};

struct printer {
	struct level level[DEEP];
	unsigned depth; /* levels in use */
};

static void
print_child(const struct tr_child_info *c, unsigned depth)
{
	static const char *const doing[] = {
		[TR_CHILD_STOPPED] = "stopped",
		[TR_CHILD_STARTING] = "starting",
		[TR_CHILD_RUNNING] = "running",
		[TR_CHILD_RESTARTING] = "restarting",
		[TR_CHILD_STOPPING] = "stopping",
	};

	if (paper.quiet)
		return;
	printf("%*s%-*s %-10s %3" PRIu32 " restart%c", 2 * (int)depth, "",
	    16 - 2 * (int)depth, c->id, doing[c->state], c->restarts,
	    c->restarts == 1 ? ' ' : 's');
	if (c->last.text[0] != '\0')
		printf(", the last: %s", c->last.text);
	printf("\n");
}

/* Print until a child has children of its own: who that is, or nobody when all
 * is printed. */
static tr_ref
print_on(struct printer *p)
{
	while (p->depth > 0) {
		struct level *l = &p->level[p->depth - 1];
		const struct tr_child_info *c = &l->child[l->next];

		if (l->next++ == l->count) {
			p->depth--;
			continue;
		}
		print_child(c, p->depth);
		if (c->supervisor && tr_ref_valid(c->ref) && p->depth < DEEP)
			return c->ref;
	}
	return TR_REF_NONE;
}

static int
on_children(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct printer *p = state;
	struct level *l = &p->level[p->depth];
	tr_ref next;

	(void)cookie;
	l->next = l->count = 0;
	if (outcome == TR_OK)
		l->count = tr_size(answer) / sizeof(l->child[0]);
	if (l->count > WIDE)
		l->count = WIDE;
	if (l->count > 0)
		memcpy(l->child, tr_data(answer, 0),
		    l->count * sizeof(l->child[0]));
	p->depth++;
	next = print_on(p);
	if (!tr_ref_valid(next))
		return tr_exit(self, TR_NORMAL);
	return tr_supervisor_which_children(self, next,
		   tr_in(self, TR_SECONDS(1)), on_children, 0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static int
printer_start(struct tr_self *self, void *state, const void *arg)
{
	const tr_ref *top = arg;

	(void)state;
	return tr_supervisor_which_children(self, *top,
		   tr_in(self, TR_SECONDS(1)), on_children, 0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static int
printer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

const struct tr_behavior tree_printer = {
	.name = "tree printer",
	.state_size = sizeof(struct printer),
	.arg_size = sizeof(tr_ref),
	.start = printer_start,
	.receive = printer_receive,
};
