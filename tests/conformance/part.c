/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The actor that plays a part of a script.
 *
 * Its operations run in its turns, the first of them in start().  One that
 * waits ends the turn; whatever comes is noted, and then it is done again.
 */
#include "player.h"

#include <string.h>

static const struct player_verb *
verb_of(const struct script_op *op)
{
	const struct player_verb *const verbs[] = { player_verbs, tree_verbs,
		deaf_verbs };
	const struct player_verb *v;
	unsigned i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		for (v = verbs[i]; v->name != NULL; v++)
			if (strcmp(v->name, op->word[0]) == 0 &&
			    op->words > v->words)
				return v;
	script_bad(op, "no such operation, or too few words");
}

int
player_go_on(struct tr_self *self, struct player *p)
{
	const struct script_actor *part = p->part;
	enum player_step step = PLAYER_NEXT;
	int rc = TR_OK;

	while (p->at < p->until && step == PLAYER_NEXT) {
		const struct script_op *op = &part->op[p->at];

		step = verb_of(op)->fn(self, p, op, &rc);
		if (step == PLAYER_NEXT && ++p->done == op->times) {
			p->at++;
			p->done = 0;
		}
	}
	/* As a process does whose function returns. */
	return step == PLAYER_NEXT ? tr_exit(self, TR_NORMAL) : rc;
}

static void
part_note_end(struct player *p, const struct tr_reason *why)
{
	char word[SCRIPT_TEXT], text[2 * SCRIPT_TEXT];

	player_reason(why, word);
	(void)snprintf(text, sizeof(text), "ends %s", word);
	script_note(p->part, text);
}

static int
part_start(struct tr_self *self, void *state, const void *arg)
{
	struct player *p = state;
	int rc;

	p->part = arg;
	script_live(p->part, &p->at, &p->until);
	script_know(p->part, tr_self_ref(self));
	rc = player_go_on(self, p);
	/* stop() does not run for one that has not started. */
	if (rc == TR_IGNORE)
		part_note_end(p, &(struct tr_reason){ .code = TR_NORMAL });
	else if (rc != TR_OK) {
		const struct script_op *op = &p->part->op[p->at];
		struct tr_reason why = { .code = rc };
		bool is_text;

		(void)player_code(op->word[1], &is_text);
		if (is_text)
			(void)snprintf(why.text, sizeof(why.text), "%s",
			    op->word[1]);
		part_note_end(p, &why);
	}
	return rc;
}

static void
part_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct player *p = state;
	unsigned i;
	int rc;

	for (i = 0; i < p->part->stop_ops; i++) {
		const struct script_op *op = &p->part->stop_op[i];

		if (verb_of(op)->fn(self, p, op, &rc) != PLAYER_NEXT)
			script_bad(op, "not while stopping");
	}
	part_note_end(p, why);
}

static void
part_asked(struct tr_self *self, struct player *p, const char *text,
    const char *from)
{
	if (p->asked == PLAYER_ASKED)
		script_bad(&p->part->op[p->at], "too much was asked");
	p->token[p->asked++] = tr_reply_token(self);
	player_see(p, "got ask %s from %s", text, from);
}

/* What has come, as a line. */
static void
part_see(struct tr_self *self, struct player *p, const struct tr_msg *msg)
{
	struct script_scene *scene = p->part->scene;
	const char *from = script_name(scene, tr_sender(msg));
	const struct tr_exit_signal *exit;
	const struct tr_down *down;
	char word[SCRIPT_TEXT];

	switch (tr_tag(msg)) {
	case PLAYER_TEXT:
		player_see(p, "got %s from %s", (const char *)tr_data(msg, 1),
		    from);
		break;
	case PLAYER_ASK: part_asked(self, p, tr_data(msg, 1), from); break;
	case PLAYER_TICK: player_remember(p, "tick"); break;
	case PLAYER_LOOK: p->look = PLAYER_LOOK_NOT_YET; break;
	case PLAYER_DOWN:
		down = tr_data(msg, sizeof(*down));
		player_reason(&down->reason, word);
		player_see(p, "down %s %s", script_name(scene, down->actor),
		    word);
		break;
	case PLAYER_EXIT:
		exit = tr_data(msg, sizeof(*exit));
		player_reason(&exit->reason, word);
		player_see(p, "exit %s %s", script_name(scene, exit->from),
		    word);
		break;
	default: break;
	}
}

static int
part_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	part_see(self, state, msg);
	return player_go_on(self, state);
}

int
player_answered(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct script_op *op = (const struct script_op *)cookie;
	struct player *p = state;
	const char *why = tr_strerror(outcome);

	if (outcome == TR_ETIMEDOUT)
		why = "timeout";
	else if (outcome == TR_EDEAD)
		why = "dead";
	if (outcome == TR_OK)
		player_see(p, "answer %s from %s",
		    (const char *)tr_data(answer, 1), op->word[1]);
	else
		player_see(p, "no answer from %s: %s", op->word[1], why);
	return player_go_on(self, p);
}

const struct tr_behavior player_behavior = {
	.name = "player",
	.state_size = sizeof(struct player),
	.start = part_start,
	.receive = part_receive,
	.stop = part_stop,
};
