/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others ask of a supervisor: the asking side, in their turns.
 *
 * A request holds copies of all that it speaks of.
 */
#include "actors/supervise/supervise.h"

#include <string.h>

/* ------------------------------------------------------ starting a child - */

static size_t
arg_size_of(const struct tr_child *child)
{
	if (child->behavior == NULL || child->supervisor != NULL ||
	    child->arg == NULL)
		return 0;
	return child->behavior->arg_size;
}

static void
wish_fill(struct tri_wish_start *wish, const struct tr_child *child)
{
	*wish = (struct tri_wish_start){
		.child = *child,
		.has_id = child->id != NULL,
		.has_name = child->name != NULL,
		.has_options = child->options != NULL,
		.has_arg = child->arg != NULL,
		.arg_size = arg_size_of(child),
	};
	/* Their lengths are known to be right, if it has an id at all. */
	if (wish->has_id)
		memcpy(wish->id, child->id, strlen(child->id));
	if (wish->has_id && wish->has_name)
		memcpy(wish->name, child->name, strlen(child->name));
	if (wish->has_options)
		wish->options = *child->options;
	if (wish->arg_size > 0)
		memcpy(wish->arg, child->arg, wish->arg_size);
}

tr_ask_id
tr_supervisor_start_child(struct tr_self *self, tr_ref supervisor,
    const struct tr_child *child, int64_t deadline, tr_answer_fn *fn,
    uintptr_t cookie)
{
	struct tr_system *sys = tr_system_of(self);
	const struct tri_memory *memory = &sys->env->memory;
	struct tri_wish_start *wish;
	tr_ask_id id;
	size_t size;

	/* Without an id it can only be one more after a pattern. */
	if (child->id != NULL && !tri_spec_child_is_valid(sys, child))
		return 0;
	size = sizeof(*wish) + arg_size_of(child);
	wish = tri_memory_alloc(memory, size, "supervisor wish");
	if (wish == NULL)
		return 0;
	wish_fill(wish, child);
	id = tr_ask(self, supervisor, TRI_SUPER_START, wish, size, deadline, fn,
	    cookie);
	memory->free(memory->ctx, wish);
	return id;
}

/* ----------------------------------------------------- of one that is there */

static tr_ask_id
ask_child(struct tr_self *self, tr_ref supervisor, uint32_t tag, const char *id,
    tr_ref child, int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	struct tri_wish_child wish = { .ref = child };
	size_t length = id != NULL ? strnlen(id, sizeof(wish.id)) : 0;

	if (length == sizeof(wish.id) || (id != NULL && length == 0))
		return 0;
	memcpy(wish.id, id != NULL ? id : "", length);
	return tr_ask(self, supervisor, tag, &wish, sizeof(wish), deadline, fn,
	    cookie);
}

tr_ask_id
tr_supervisor_terminate_child(struct tr_self *self, tr_ref supervisor,
    const char *id, tr_ref child, int64_t deadline, tr_answer_fn *fn,
    uintptr_t cookie)
{
	return ask_child(self, supervisor, TRI_SUPER_TERMINATE, id, child,
	    deadline, fn, cookie);
}

tr_ask_id
tr_supervisor_restart_child(struct tr_self *self, tr_ref supervisor,
    const char *id, int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	return id == NULL ? 0 :
			    ask_child(self, supervisor, TRI_SUPER_RESTART, id,
				TR_REF_NONE, deadline, fn, cookie);
}

tr_ask_id
tr_supervisor_delete_child(struct tr_self *self, tr_ref supervisor,
    const char *id, int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	return id == NULL ? 0 :
			    ask_child(self, supervisor, TRI_SUPER_DELETE, id,
				TR_REF_NONE, deadline, fn, cookie);
}

int
tr_child_result(int outcome, const struct tr_msg *answer,
    struct tr_child_info *info)
{
	const struct tri_wish_answer *a = NULL;

	if (outcome == TR_OK && answer != NULL) {
		a = tr_data(answer, sizeof(*a));
		outcome = a != NULL ? a->rc : TR_EINVAL;
	}
	if (info != NULL)
		*info = a != NULL ? a->info : (struct tr_child_info){ 0 };
	return outcome;
}

/* ------------------------------------------------------------- of them all */

tr_ask_id
tr_supervisor_which_children(struct tr_self *self, tr_ref supervisor,
    int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	return tr_ask(self, supervisor, TRI_SUPER_WHICH, NULL, 0, deadline, fn,
	    cookie);
}

tr_ask_id
tr_supervisor_count_children(struct tr_self *self, tr_ref supervisor,
    int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	return tr_ask(self, supervisor, TRI_SUPER_COUNT, NULL, 0, deadline, fn,
	    cookie);
}
