/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * player.h - the actor that plays its part of a script.
 */
#ifndef TESTS_CONFORMANCE_PLAYER_H
#define TESTS_CONFORMANCE_PLAYER_H

#include "script.h"

enum {
	PLAYER_SEEN = 64, /* lines seen and not yet waited for */
	PLAYER_LABELS = 16, /* monitors with a label */
	PLAYER_ASKED = 8, /* asks to answer */
	PLAYER_FAILED = -1000, /* a code that is nobody else's */
};

/* Tags of what players send each other. */
enum {
	PLAYER_TEXT = 1,
	PLAYER_ASK,
	PLAYER_TICK,
	PLAYER_LOOK,
	PLAYER_DOWN,
	PLAYER_EXIT,
};

/* How far an `until` is. */
enum player_look {
	PLAYER_LOOK_NOT_YET,
	PLAYER_LOOK_WAITS, /* for the answer, or to look again */
	PLAYER_LOOK_DONE,
};

/* A part in play. */
struct player {
	const struct script_actor *part;
	unsigned at; /* the next operation */
	unsigned until; /* those of this life end there */
	unsigned done; /* how often that one was done */
	tr_timer pause; /* 0: it does not pause */
	enum player_look look;
	unsigned seen;
	struct {
		char text[SCRIPT_TEXT];
		unsigned times;
	} line[PLAYER_SEEN];
	unsigned labels;
	struct {
		const char *name;
		tr_monitor_id id;
	} label[PLAYER_LABELS];
	unsigned asked;
	tr_token token[PLAYER_ASKED];
};

/* What an operation leaves behind. */
enum player_step {
	PLAYER_NEXT, /* on to the next one */
	PLAYER_BLOCK, /* until something is seen; then it is done again */
	PLAYER_LEAVE, /* the actor ends: *rc is what its handler returns */
};

/* An operation: its name, how many words follow at least, what it does. */
struct player_verb {
	const char *name;
	unsigned words;
	enum player_step (*fn)(struct tr_self *self, struct player *p,
	    const struct script_op *op, int *rc);
};

/* What there is, what there is for supervisors, and for children that do not do
 * as they are told; each ends with a NULL. */
extern const struct player_verb player_verbs[], tree_verbs[], deaf_verbs[];

/* How an ask ends: the cookie is the operation. */
tr_answer_fn player_answered;

/* Plays a part: arg is a struct script_actor. */
extern const struct tr_behavior player_behavior;

/* Go on as far as it goes; returns as a handler does. */
int player_go_on(struct tr_self *self, struct player *p);

/* Note a line, and remember that it was seen. */
void player_see(struct player *p, const char *format, ...) TR_PRINTF(2, 3);

/* Remember it only. */
void player_remember(struct player *p, const char *text);

/* A reason as scripts and traces write it: normal, shutdown, killed, noproc,
 * a failure's text, or e7 for the code -7. */
void player_reason(const struct tr_reason *reason, char word[SCRIPT_TEXT]);

/* What a word of these says as a code; a text's is PLAYER_FAILED. */
int player_code(const char *word, bool *is_text);

#endif /* TESTS_CONFORMANCE_PLAYER_H */
