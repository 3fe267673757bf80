/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked of a supervisor, in its own turns.
 *
 * Every request becomes an entry with the message and the duty to answer it,
 * and waits for its turn; or has it at once, if it only wants to look and the
 * supervisor has been up.  Before, it waits: who asks a supervisor that never
 * comes up is answered by its death.
 */
#include "actors/apart.h"
#include "actors/supervise/supervise.h"

/* -------------------------------------------------------------- answers -- */

void
tri_asked_free(struct tr_system *sys, struct tri_asked *asked)
{
	const struct tri_memory *memory = &sys->env->memory;

	if (asked == NULL)
		return;
	tri_super_undo(&asked->todo);
	tr_msg_drop(&asked->msg);
	memory->free(memory->ctx, asked);
}

/* Answer it with some bytes, and forget it. */
static void
asked_reply(struct tr_self *self, struct tri_asked *asked, const void *data,
    size_t size)
{
	int rc =
	    tr_token_reply(self, &asked->token, tr_tag(asked->msg), data, size);

	if (rc != TR_OK)
		(void)tr_token_reply_error(self, &asked->token, rc);
	tri_asked_free(tr_system_of(self), asked);
}

void
tri_asked_answer(struct tr_self *self, struct tri_asked *asked, int rc,
    const struct tri_kid *kid)
{
	struct tri_wish_answer answer = { .rc = rc };

	if (rc != TR_OK && rc != TR_EEXIST && rc != TR_EBUSY) {
		(void)tr_token_reply_error(self, &asked->token, rc);
		tri_asked_free(tr_system_of(self), asked);
		return;
	}
	if (kid != NULL)
		tri_kid_info(kid, &answer.info);
	asked_reply(self, asked, &answer, sizeof(answer));
}

/* ------------------------------------------------------ what only looks -- */

static void
serve_count(struct tr_self *self, struct tri_super *s, struct tri_asked *asked)
{
	struct tr_child_counts counts;

	tri_kids_counts(&s->kids, tri_super_is_simple(s), &counts);
	asked_reply(self, asked, &counts, sizeof(counts));
}

static void
serve_which(struct tr_self *self, struct tri_super *s, struct tri_asked *asked)
{
	struct tr_system *sys = tr_system_of(self);
	const struct tri_memory *memory = &sys->env->memory;
	size_t bytes = s->kids.count * sizeof(struct tr_child_info);
	const struct tri_kid *kid = tri_kids_first(&s->kids);
	struct tr_child_info *info, *at;

	if (kid == NULL) {
		asked_reply(self, asked, NULL, 0);
		return;
	}
	if (bytes > tri_message_limit(sys)) {
		tri_asked_answer(self, asked, TR_EFULL, NULL);
		return;
	}
	info = tri_memory_alloc(memory, bytes, "supervisor answer");
	if (info == NULL) {
		tri_asked_answer(self, asked, TR_ENOMEM, NULL);
		return;
	}
	for (at = info; kid != NULL; kid = tri_kids_next(&s->kids, kid))
		tri_kid_info(kid, at++);
	asked_reply(self, asked, info, bytes);
	memory->free(memory->ctx, info);
}

static bool
serve_look(struct tr_self *self, struct tri_super *s, struct tri_asked *asked)
{
	switch (tr_tag(asked->msg)) {
	case TRI_SUPER_WHICH: serve_which(self, s, asked); return true;
	case TRI_SUPER_COUNT: serve_count(self, s, asked); return true;
	default: return false;
	}
}

/* ------------------------------------------------------ starting another - */

/* The description that a request carries; it leads into the request. */
static struct tr_child
wish_child(const struct tri_wish_start *wish)
{
	struct tr_child child = wish->child;

	child.id = wish->has_id ? wish->id : NULL;
	child.name = wish->has_name ? wish->name : NULL;
	child.options = wish->has_options ? &wish->options : NULL;
	if (!wish->has_arg)
		child.arg = NULL;
	else if (wish->arg_size > 0)
		child.arg = wish->arg;
	return child;
}

/* What it asks for is no child of this supervisor's. */
static bool
wish_is_wrong(const struct tri_super *s, const struct tri_wish_start *wish)
{
	const struct tr_child *pattern;

	if (!tri_super_is_simple(s))
		return !wish->has_id ||
		    (wish->child.significant &&
			s->spec->auto_shutdown == TR_AUTO_SHUTDOWN_NEVER);
	pattern = &s->spec->children[0];
	return wish->has_arg && pattern->behavior != NULL &&
	    wish->arg_size != pattern->behavior->arg_size;
}

static void
serve_start_one(struct tr_self *self, struct tri_super *s,
    struct tri_asked *asked, const struct tri_wish_start *wish)
{
	const struct tri_memory *memory = &tr_system_of(self)->env->memory;
	struct tr_child child = wish_child(wish);
	struct tri_kid *kid = tri_kids_find_id(&s->kids, child.id);

	if (kid != NULL) {
		tri_asked_answer(self, asked, TR_EEXIST, kid);
		return;
	}
	kid = tri_kid_copy(&s->kids, memory, &child, wish->arg_size);
	if (kid == NULL)
		tri_asked_answer(self, asked, TR_ENOMEM, NULL);
	else
		tri_super_begin(s, TRI_OP_ADD, kid, asked);
}

/* One more after the pattern.  A temporary one is started once, so it can do
 * with the argument as it is in the request. */
static void
serve_start_simple(struct tr_self *self, struct tri_super *s,
    struct tri_asked *asked, const struct tri_wish_start *wish)
{
	const struct tri_memory *memory = &tr_system_of(self)->env->memory;
	const struct tr_child *pattern = &s->spec->children[0];
	struct tri_kid *kid = tri_kid_new(&s->kids, memory, pattern);

	if (kid == NULL) {
		tri_asked_answer(self, asked, TR_ENOMEM, NULL);
		return;
	}
	if (wish->has_arg && wish->arg_size == 0) {
		kid->arg = wish->child.arg;
	} else if (wish->has_arg && tri_kid_is_temporary(kid)) {
		kid->arg = wish->arg;
	} else if (wish->has_arg &&
	    !tri_kid_set_arg(kid, memory, wish->arg, wish->arg_size)) {
		tri_kid_free(&s->kids, memory, kid);
		tri_asked_answer(self, asked, TR_ENOMEM, NULL);
		return;
	}
	tri_super_begin(s, TRI_OP_ADD, kid, asked);
}

static void
serve_start(struct tr_self *self, struct tri_super *s, struct tri_asked *asked)
{
	const struct tri_wish_start *wish = tr_data(asked->msg, sizeof(*wish));

	if (wish == NULL ||
	    tr_size(asked->msg) - sizeof(*wish) < wish->arg_size ||
	    wish_is_wrong(s, wish))
		tri_asked_answer(self, asked, TR_EINVAL, NULL);
	else if (tri_super_is_simple(s))
		serve_start_simple(self, s, asked, wish);
	else
		serve_start_one(self, s, asked, wish);
}

/* ------------------------------------------------------- one that is there */

/* It runs, will be started again, or has ended by itself and that is still to
 * be handled. */
static bool
kid_is_busy(const struct tri_kid *kid)
{
	return kid->state != TRI_KID_DOWN || kid->waits ||
	    kid->todo.kind != TRI_TODO_NONE;
}

static void
serve_restart(struct tr_self *self, struct tri_super *s,
    struct tri_asked *asked, struct tri_kid *kid)
{
	if (kid_is_busy(kid))
		tri_asked_answer(self, asked, TR_EEXIST, kid);
	else
		tri_super_begin(s, TRI_OP_AGAIN, kid, asked);
}

static void
serve_delete(struct tr_self *self, struct tri_super *s, struct tri_asked *asked,
    struct tri_kid *kid)
{
	const struct tri_memory *memory = &tr_system_of(self)->env->memory;

	if (kid_is_busy(kid)) {
		tri_asked_answer(self, asked, TR_EBUSY, kid);
		return;
	}
	tri_asked_answer(self, asked, TR_OK, kid);
	tri_kid_free(&s->kids, memory, kid);
}

/* Whether an actor has ended, or is about to: who was told of its end may be
 * faster than the last of it. */
static bool
is_over(const struct tr_system *sys, tr_ref ref)
{
	struct tr_self *a = tri_cell_find(sys, ref);

	/* If the inlet is open, was it that actor's still? */
	return a == NULL || tri_inlet_head(sys, a) == TRI_INLET_CLOSED ||
	    tri_cell_find(sys, ref) != a;
}

/* Whether it is to be stopped, and has ended: not even a simple_one_for_one
 * supervisor knows of it then. */
static bool
is_stopped(struct tr_self *self, const struct tri_super *s,
    const struct tri_asked *asked, tr_ref ref)
{
	return tri_super_is_simple(s) &&
	    tr_tag(asked->msg) == TRI_SUPER_TERMINATE && tr_ref_valid(ref) &&
	    is_over(tr_system_of(self), ref);
}

/* Which child is meant; else the error is answered. */
static struct tri_kid *
serve_find(struct tr_self *self, struct tri_super *s, struct tri_asked *asked)
{
	const struct tri_wish_child *wish = tr_data(asked->msg, sizeof(*wish));
	struct tri_kid *kid = NULL;
	int error = TR_EDEAD;

	if (wish == NULL || (tri_super_is_simple(s) && wish->id[0] != '\0'))
		error = TR_EINVAL;
	else if (wish->id[0] != '\0')
		kid = tri_kids_find_id(&s->kids, wish->id);
	else
		kid = tri_kids_find_ref(&s->kids, wish->ref);
	if (kid == NULL && error == TR_EDEAD &&
	    is_stopped(self, s, asked, wish->ref))
		error = TR_OK;
	if (kid == NULL)
		tri_asked_answer(self, asked, error, NULL);
	return kid;
}

static void
serve_child(struct tr_self *self, struct tri_super *s, struct tri_asked *asked)
{
	uint32_t tag = tr_tag(asked->msg);
	struct tri_kid *kid = serve_find(self, s, asked);

	if (kid == NULL)
		return;
	if (tag == TRI_SUPER_TERMINATE)
		tri_super_begin(s, TRI_OP_REMOVE, kid, asked);
	else if (tag == TRI_SUPER_RESTART)
		serve_restart(self, s, asked, kid);
	else
		serve_delete(self, s, asked, kid);
}

void
tri_super_serve(struct tr_self *self, struct tri_super *s,
    struct tri_asked *asked)
{
	if (tr_token_cancelled(self, &asked->token)) {
		/* Nobody waits for it any more: it was never begun. */
		(void)tr_token_reply_error(self, &asked->token, TR_ECANCELED);
		tri_asked_free(tr_system_of(self), asked);
	} else if (tr_tag(asked->msg) == TRI_SUPER_START) {
		serve_start(self, s, asked);
	} else if (!serve_look(self, s, asked)) {
		serve_child(self, s, asked);
	}
}

/* -------------------------------------------------------- it is asked ---- */

/* The ask in hand, to be answered later; NULL: it is answered already. */
static struct tri_asked *
asked_new(struct tr_self *self, const struct tr_msg *msg)
{
	const struct tri_memory *memory = &tr_system_of(self)->env->memory;
	struct tri_asked *asked =
	    tri_memory_alloc(memory, sizeof(*asked), "supervisor request");

	if (asked == NULL) {
		(void)tr_reply_error(self, msg, TR_ENOMEM);
		return NULL;
	}
	*asked = (struct tri_asked){ .token = tr_reply_token(self) };
	if (asked->token.bits == 0) {
		memory->free(memory->ctx, asked);
		return NULL;
	}
	tri_ring_init(&asked->todo.ring);
	/* Its duty is the token's, so keeping it needs no memory. */
	asked->msg = tr_take(self, msg);
	TR_ASSERT(asked->msg != NULL);
	return asked;
}

int
tri_super_asked(struct tr_self *self, struct tri_super *s,
    const struct tr_msg *msg)
{
	struct tri_asked *asked;

	if (tr_tag(msg) < TRI_SUPER_START || tr_tag(msg) > TRI_SUPER_COUNT)
		return tr_unhandled(self, msg);
	asked = asked_new(self, msg);
	if (asked == NULL || (s->was_up && serve_look(self, s, asked)))
		return TR_OK;
	tri_super_todo(s, &asked->todo, TRI_TODO_ASK);
	return tri_super_go_on(self, s);
}
