/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.h - scenes of a few actors, played by Troupe and by Erlang.
 *
 * A conformance row (tests/conformance/rows/G4.script) is a text of scenes; a
 * scene is a few actors, each with a list of operations.  script.c reads it,
 * player.c plays it with actors of Troupe, judge.erl with Erlang's processes.
 * Each notes what its actors see, one line per event, and both have to have
 * noted what is in the row's trace (rows/G4.trace).  README.md says what can be
 * written.
 *
 * An actor runs its operations up to one that waits.  Then it takes a message,
 * notes it, and goes on if that was what it waits for; what it sees before it
 * waits for it is remembered.  So a scene's lines, actor by actor, are the same
 * in every schedule if the script says who waits for whom.
 *
 * Reading is done before any system runs, printing after it has ended.  While
 * it runs, the lock guards what several actors write: lines and references.
 */
#ifndef TESTS_CONFORMANCE_SCRIPT_H
#define TESTS_CONFORMANCE_SCRIPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <troupe.h>

enum {
	SCRIPT_WORDS = 10, /* of a line */
	SCRIPT_OPS = 64, /* of an actor */
	SCRIPT_ACTORS = 24, /* of a scene */
	SCRIPT_SCENES = 16, /* of a row */
	SCRIPT_TEXT = 80, /* bytes of a trace's line */
	SCRIPT_LINES = 1024, /* of a scene's trace */
	SCRIPT_REFS = 1024, /* lives of actors in a scene */
};

struct script_op {
	unsigned line; /* of the file */
	unsigned times; /* to be done */
	unsigned words;
	char *word[SCRIPT_WORDS];
};

struct script_scene;

/* An actor: what it does, and what it does when it is being stopped.  Or a
 * supervisor: its operations are its children. */
struct script_actor {
	struct script_scene *scene;
	const char *name;
	struct script_op supervisor; /* its line; no words: it is none */
	void *tree; /* what tree.c made of it */
	unsigned ops, stop_ops;
	struct script_op op[SCRIPT_OPS], stop_op[SCRIPT_OPS];
};

/* What an actor has seen. */
struct script_line {
	const struct script_actor *actor;
	char text[SCRIPT_TEXT];
};

struct script_scene {
	const char *name;
	unsigned actors;
	struct script_actor actor[SCRIPT_ACTORS];
	struct script_actor board; /* what all write on: only its lines */

	/* Of one run, under the lock. */
	pthread_mutex_t lock;
	unsigned lines, refs;
	unsigned lived[SCRIPT_ACTORS]; /* how often each was started */
	bool first[SCRIPT_ACTORS]; /* script_first() was asked of it */
	struct script_line line[SCRIPT_LINES];
	struct {
		tr_ref ref;
		const struct script_actor *actor;
	} ref[SCRIPT_REFS];
};

struct script {
	const char *path;
	char *text; /* the file; names and words point into it */
	unsigned scenes;
	struct script_scene scene[SCRIPT_SCENES];
};

/* A script that cannot be played as it is: says where and why, and ends the
 * program. */
_Noreturn void script_bad(const struct script_op *op, const char *format, ...)
    TR_PRINTF(2, 3);

/* Read a row. */
struct script *script_read(const char *path);
void script_free(struct script *s);

/* How many actors of a scene are deaf at times: it needs more workers. */
unsigned script_deaf(const struct script_scene *scene);

/* A scene is going to be played: forget what was noted. */
void script_reset(struct script_scene *scene);

/* ------------------------------------------------------ while it runs --- */

/* Note a line of an actor. */
void script_note(const struct script_actor *actor, const char *text);

/* The same on the board: all that is there is in the order of its writing,
 * whoever has written it. */
void script_board(const struct script_actor *actor, const char *text);

/* Another life of an actor begins: what is to be done in it, from one operation
 * up to another. */
void script_live(const struct script_actor *actor, unsigned *from,
    unsigned *until);

/* From now on this is what the actor's name means. */
void script_know(const struct script_actor *actor, tr_ref ref);

/* Whether the actor of that name has said that. */
bool script_said(struct script_scene *scene, const struct script_op *op,
    const char *name, const char *text);

/* Whether this is asked of an actor for the first time. */
bool script_first(const struct script_actor *actor);

/* Who that is; "nobody": unknown. */
const char *script_name(struct script_scene *scene, tr_ref ref);

/* The youngest of that name; "nobody" is one that never was. */
tr_ref script_ref(struct script_scene *scene, const struct script_op *op,
    const char *name);

/* The actor of that name. */
struct script_actor *script_actor(struct script_scene *scene,
    const struct script_op *op, const char *name);

/* ---------------------------------------------------------- afterwards --- */

/* What the actors of a scene noted, one after another; equal lines that follow
 * each other are one, with their number. */
void script_print(struct script_scene *scene, FILE *to);

/* What a trace's file says that Troupe's should be.  To be freed. */
char *script_expected(const char *path, const char *scene);

#endif /* TESTS_CONFORMANCE_SCRIPT_H */
