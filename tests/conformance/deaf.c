/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children that do not do as they are told: see README.md.
 *
 * A process that ignores its supervisor is an actor whose handler does not
 * return.  It keeps its worker busy meanwhile, so a scene with such an actor is
 * played by more workers than it has of them (script_deaf()), and not in the
 * simulator, where a handler takes no time.
 */
#include "player.h"

#include <string.h>
#include <time.h>

#include "actors/actor.h"

static void
nap(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

/* Whether somebody has killed it: nobody else will know before it returns. */
static bool
is_killed(struct tr_self *self)
{
	return (atomic_load(&self->ident) & TRI_IDENT_KILL) != 0;
}

/* deaf: it comes to its end only when it is killed; deaf NAME TEXT: until NAME
 * has said that. */
static enum player_step
do_deaf(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	if (op->words == 1) {
		while (!is_killed(self))
			nap();
		return PLAYER_BLOCK;
	}
	while (!script_said(p->part->scene, op, op->word[1], op->word[2]))
		nap();
	return PLAYER_NEXT;
}

/* fail REASON until NAME TEXT: its start fails unless NAME has said that; NAME
 * hears of the first time. */
static enum player_step
do_fail(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	struct script_scene *scene = p->part->scene;
	static const char text[] = "failing";
	bool is_text;
	int code;

	if (op->words < 5)
		script_bad(op, "fail REASON until NAME TEXT");
	if (script_said(scene, op, op->word[3], op->word[4]))
		return PLAYER_NEXT;
	if (script_first(p->part) &&
	    tr_send(self, script_ref(scene, op, op->word[3]), PLAYER_TEXT, text,
		sizeof(text)) != TR_OK)
		script_bad(op, "no memory");
	code = player_code(op->word[1], &is_text);
	*rc = is_text ? tr_fail(self, code, "%s", op->word[1]) : code;
	return PLAYER_LEAVE;
}

const struct player_verb deaf_verbs[] = {
	{ "deaf", 0, do_deaf },
	{ "fail", 4, do_fail },
	{ NULL, 0, NULL },
};
