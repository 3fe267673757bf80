/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an actor of a script can do: see README.md for how it is written.
 */
#include "player.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---------------------------------------------------- what it has seen --- */

void
player_remember(struct player *p, const char *text)
{
	unsigned i;

	for (i = 0; i < p->seen; i++)
		if (strcmp(p->line[i].text, text) == 0)
			break;
	if (i == PLAYER_SEEN)
		script_bad(&p->part->op[p->at], "too much was seen");
	if (i == p->seen) {
		(void)snprintf(p->line[i].text, SCRIPT_TEXT, "%s", text);
		p->line[i].times = 0;
		p->seen++;
	}
	p->line[i].times++;
}

void
player_see(struct player *p, const char *format, ...)
{
	char text[SCRIPT_TEXT];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	script_note(p->part, text);
	player_remember(p, text);
}

/* Whether a line was seen; then once less. */
static bool
seen(struct player *p, const char *text)
{
	unsigned i;

	for (i = 0; i < p->seen; i++)
		if (p->line[i].times > 0 &&
		    strcmp(p->line[i].text, text) == 0) {
			p->line[i].times--;
			return true;
		}
	return false;
}

/* The words from the first one on, with blanks in between. */
static void
join(const struct script_op *op, unsigned first, char text[SCRIPT_TEXT])
{
	size_t used = 0;
	unsigned i;

	text[0] = '\0';
	for (i = first; i < op->words && used < SCRIPT_TEXT; i++)
		used += (size_t)snprintf(text + used, SCRIPT_TEXT - used,
		    "%s%s", i > first ? " " : "", op->word[i]);
	if (used >= SCRIPT_TEXT)
		script_bad(op, "too long");
}

/* ------------------------------------------------------------- reasons --- */

static const struct {
	const char *word;
	int code;
} reasons[] = {
	{ "normal", TR_NORMAL },
	{ "shutdown", TR_SHUTDOWN },
	{ "killed", TR_KILLED },
	{ "noproc", TR_NOPROC },
};

enum { REASONS = sizeof(reasons) / sizeof(reasons[0]) };

void
player_reason(const struct tr_reason *reason, char word[SCRIPT_TEXT])
{
	unsigned i;

	/* Erlang's {shutdown, Text} is a shutdown, too. */
	if (reason->text[0] != '\0' && reason->code != TR_SHUTDOWN) {
		(void)snprintf(word, SCRIPT_TEXT, "%s", reason->text);
		return;
	}
	for (i = 0; i < REASONS; i++)
		if (reasons[i].code == reason->code) {
			(void)snprintf(word, SCRIPT_TEXT, "%s",
			    reasons[i].word);
			return;
		}
	(void)snprintf(word, SCRIPT_TEXT, "e%d", -reason->code);
}

int
player_code(const char *word, bool *is_text)
{
	char *end;
	unsigned i;
	long n;

	*is_text = false;
	for (i = 0; i < REASONS; i++)
		if (strcmp(word, reasons[i].word) == 0)
			return reasons[i].code;
	n = word[0] == 'e' ? strtol(word + 1, &end, 10) : 0;
	if (n > 0 && *end == '\0')
		return (int)-n;
	*is_text = true;
	return PLAYER_FAILED;
}

/* ---------------------------------------------------------- operations --- */

static tr_ref
other(struct player *p, const struct script_op *op)
{
	return script_ref(p->part->scene, op, op->word[1]);
}

static void
label_set(struct player *p, const struct script_op *op, unsigned word,
    tr_monitor_id id)
{
	if (id == 0)
		script_bad(op, "no memory");
	if (op->words <= word)
		return;
	if (p->labels == PLAYER_LABELS)
		script_bad(op, "too many labels");
	p->label[p->labels].name = op->word[word];
	p->label[p->labels++].id = id;
}

/* spawn NAME [link] [monitor [LABEL]] */
static enum player_step
do_spawn(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	struct script_actor *a = script_actor(p->part->scene, op, op->word[1]);
	struct tr_spawn_options o = { .monitor_tag = PLAYER_DOWN };
	tr_monitor_id id = 0;
	unsigned i = 2;
	tr_ref ref;

	(void)rc;
	if (i < op->words && strcmp(op->word[i], "link") == 0) {
		o.link = true;
		i++;
	}
	if (i < op->words && strcmp(op->word[i], "monitor") == 0) {
		o.monitor = &id;
		i++;
	}
	ref = tr_spawn(self, &player_behavior, a, &o);
	if (!tr_ref_valid(ref))
		script_bad(op, "nothing was spawned");
	script_know(a, ref);
	if (o.monitor != NULL)
		label_set(p, op, i, id);
	return PLAYER_NEXT;
}

/* send NAME TEXT */
static enum player_step
do_send(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	char text[SCRIPT_TEXT];

	(void)rc;
	join(op, 2, text);
	if (tr_send(self, other(p, op), PLAYER_TEXT, text, strlen(text) + 1) !=
	    TR_OK)
		script_bad(op, "no memory");
	return PLAYER_NEXT;
}

/* wait LINE */
static enum player_step
do_wait(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	char text[SCRIPT_TEXT];

	(void)self;
	(void)rc;
	join(op, 1, text);
	return seen(p, text) ? PLAYER_NEXT : PLAYER_BLOCK;
}

/* say TEXT */
static enum player_step
do_say(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	char text[SCRIPT_TEXT];

	(void)self;
	(void)rc;
	join(op, 1, text);
	script_note(p->part, text);
	return PLAYER_NEXT;
}

/* board TEXT */
static enum player_step
do_board(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	char text[SCRIPT_TEXT];

	(void)self;
	(void)rc;
	join(op, 1, text);
	script_board(p->part, text);
	return PLAYER_NEXT;
}

/* pause MS */
static enum player_step
do_pause(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	if (seen(p, "tick")) {
		p->pause = 0;
		return PLAYER_NEXT;
	}
	if (p->pause == 0)
		p->pause = tr_after(self, TR_MS(strtol(op->word[1], NULL, 10)),
		    PLAYER_TICK, 0);
	return PLAYER_BLOCK;
}

/* block MS: the handler does not return for so long. */
static enum player_step
do_block(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	int64_t ns = TR_MS(strtol(op->word[1], NULL, 10));

	(void)self;
	(void)p;
	(void)rc;
	(void)nanosleep(&(struct timespec){ .tv_sec =
						(time_t)(ns / TR_SECONDS(1)),
			    .tv_nsec = (long)(ns % TR_SECONDS(1)) },
	    NULL);
	return PLAYER_NEXT;
}

/* unseen: script.c does not note what it sees. */
static enum player_step
do_unseen(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)self;
	(void)p;
	(void)op;
	(void)rc;
	return PLAYER_NEXT;
}

/* monitor NAME [LABEL] */
static enum player_step
do_monitor(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	label_set(p, op, 2, tr_monitor(self, other(p, op), PLAYER_DOWN, 0));
	return PLAYER_NEXT;
}

/* demonitor LABEL */
static enum player_step
do_demonitor(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	unsigned i;

	(void)rc;
	for (i = 0; i < p->labels; i++)
		if (strcmp(p->label[i].name, op->word[1]) == 0) {
			(void)tr_demonitor(self, p->label[i].id);
			return PLAYER_NEXT;
		}
	script_bad(op, "there is no such label");
}

static enum player_step
do_link(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	if (tr_link(self, other(p, op)) != TR_OK)
		script_bad(op, "no memory");
	return PLAYER_NEXT;
}

static enum player_step
do_unlink(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	(void)tr_unlink(self, other(p, op));
	return PLAYER_NEXT;
}

static enum player_step
do_trap(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)p;
	(void)rc;
	(void)tr_trap_exit(self, strcmp(op->word[0], "trap") == 0, PLAYER_EXIT);
	return PLAYER_NEXT;
}

/* exit REASON; exit shutdown TEXT: Erlang's {shutdown, Text}. */
static enum player_step
do_exit(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	bool is_text;
	int code = player_code(op->word[1], &is_text);

	(void)p;
	if (is_text || op->words > 2)
		*rc = tr_fail(self, code, "%s", op->word[op->words - 1]);
	else
		*rc = tr_exit(self, code);
	return PLAYER_LEAVE;
}

/* crash REASON: its handler fails. */
static enum player_step
do_crash(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	bool is_text;
	int code = player_code(op->word[1], &is_text);

	(void)p;
	*rc = is_text ? tr_fail(self, code, "%s", op->word[1]) : code;
	return PLAYER_LEAVE;
}

/* signal NAME REASON */
static enum player_step
do_signal(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	const char *word = op->word[2];
	bool is_text;
	int code =
	    player_code(strcmp(word, "kill") == 0 ? "killed" : word, &is_text);

	(void)rc;
	if (is_text || strcmp(word, "killed") == 0)
		script_bad(op, "a signal cannot carry that");
	if (tr_exit_other(self, other(p, op), code) != TR_OK)
		script_bad(op, "no memory");
	return PLAYER_NEXT;
}

static enum player_step
do_register(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)p;
	(void)rc;
	if (tr_register(self, op->word[1]) != TR_OK)
		script_bad(op, "the name is taken");
	return PLAYER_NEXT;
}

/* whereis NAME: notes who has it. */
static enum player_step
do_whereis(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	tr_ref ref = tr_whereis(tr_system_of(self), op->word[1]);

	(void)rc;
	player_see(p, "%s is %s", op->word[1],
	    script_name(p->part->scene, ref));
	return PLAYER_NEXT;
}

/* ask NAME TEXT MS */
static enum player_step
do_ask(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	const char *text = op->word[2];
	int64_t deadline = tr_in(self, TR_MS(strtol(op->word[3], NULL, 10)));

	(void)rc;
	if (tr_ask(self, other(p, op), PLAYER_ASK, text, strlen(text) + 1,
		deadline, player_answered, (uintptr_t)op) == 0)
		script_bad(op, "no memory");
	return PLAYER_NEXT;
}

/* reply TEXT: to the oldest ask. */
static enum player_step
do_reply(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	if (p->asked == 0)
		script_bad(op, "nothing was asked");
	(void)tr_token_reply(self, &p->token[0], PLAYER_TEXT, op->word[1],
	    strlen(op->word[1]) + 1);
	memmove(p->token, p->token + 1, --p->asked * sizeof(p->token[0]));
	return PLAYER_NEXT;
}

/* --------------------------------------------------------------- chain --- */

struct piece {
	unsigned left;
	struct script_actor *last;
};

static const struct tr_behavior piece_behavior;

static int
piece_start(struct tr_self *self, void *state, const void *arg)
{
	struct piece next = *(const struct piece *)arg;
	struct tr_spawn_options o = { .link = true };
	tr_ref ref;

	(void)state;
	if (next.left == 0) {
		ref = tr_spawn(self, &player_behavior, next.last, &o);
		script_know(next.last, ref);
	} else {
		next.left--;
		ref = tr_spawn(self, &piece_behavior, &next, &o);
	}
	return tr_ref_valid(ref) ? TR_OK : TR_ENOMEM;
}

static int
piece_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)self;
	(void)state;
	(void)msg;
	return TR_OK;
}

static const struct tr_behavior piece_behavior = {
	.name = "piece",
	.arg_size = sizeof(struct piece),
	.start = piece_start,
	.receive = piece_receive,
};

/* chain N NAME: N actors that do nothing, each linked with the next, and NAME
 * at the end. */
static enum player_step
do_chain(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	struct piece first = {
		.left = (unsigned)strtoul(op->word[1], NULL, 10) - 1,
		.last = script_actor(p->part->scene, op, op->word[2]),
	};

	(void)rc;
	if (!tr_ref_valid(tr_spawn(self, &piece_behavior, &first,
		&(struct tr_spawn_options){ .link = true })))
		script_bad(op, "nothing was spawned");
	return PLAYER_NEXT;
}

/* stop NAME: it is told to. */
static enum player_step
do_stop(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)rc;
	if (tr_stop(self, other(p, op), tr_forever()) != TR_OK)
		script_bad(op, "no memory");
	return PLAYER_NEXT;
}

/* ignore: there is nothing to do for this child. */
static enum player_step
do_ignore(struct tr_self *self, struct player *p, const struct script_op *op,
    int *rc)
{
	(void)self;
	(void)p;
	(void)op;
	*rc = TR_IGNORE;
	return PLAYER_LEAVE;
}

const struct player_verb player_verbs[] = {
	{ "spawn", 1, do_spawn },
	{ "send", 2, do_send },
	{ "wait", 1, do_wait },
	{ "say", 1, do_say },
	{ "board", 1, do_board },
	{ "pause", 1, do_pause },
	{ "block", 1, do_block },
	{ "unseen", 0, do_unseen },
	{ "monitor", 1, do_monitor },
	{ "demonitor", 1, do_demonitor },
	{ "link", 1, do_link },
	{ "unlink", 1, do_unlink },
	{ "trap", 0, do_trap },
	{ "untrap", 0, do_trap },
	{ "exit", 1, do_exit },
	{ "crash", 1, do_crash },
	{ "signal", 2, do_signal },
	{ "register", 1, do_register },
	{ "whereis", 1, do_whereis },
	{ "ask", 3, do_ask },
	{ "reply", 1, do_reply },
	{ "chain", 2, do_chain },
	{ "stop", 1, do_stop },
	{ "ignore", 0, do_ignore },
	{ NULL, 0, NULL },
};
