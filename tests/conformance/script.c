/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts: reading them, and what is noted while one is played.
 */
#include "script.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
script_bad(const struct script_op *op, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "script, line %u (%s): ", op->line,
	    op->words > 0 ? op->word[0] : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* ------------------------------------------------------------- reading --- */

/* A whole file, to be freed; NULL: it cannot be read. */
static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL, buf[4096];
	size_t size = 0, n;
	FILE *to;

	if (f == NULL)
		return NULL;
	to = open_memstream(&text, &size);
	while (to != NULL && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		(void)fwrite(buf, 1, n, to);
	if (to != NULL)
		fclose(to);
	fclose(f);
	return text;
}

/* Cut a line into words; what follows a # is a comment. */
static struct script_op
cut_line(char *line, unsigned number)
{
	struct script_op op = { .line = number, .times = 1 };
	char *save = NULL, *word;

	line[strcspn(line, "#")] = '\0';
	for (word = strtok_r(line, " \t", &save); word != NULL;
	     word = strtok_r(NULL, " \t", &save)) {
		if (op.words == SCRIPT_WORDS)
			script_bad(&op, "too many words");
		op.word[op.words++] = word;
	}
	if (op.words > 2 && strcmp(op.word[0], "repeat") == 0) {
		op.times = (unsigned)strtoul(op.word[1], NULL, 10);
		op.words -= 2;
		memmove(op.word, op.word + 2, op.words * sizeof(op.word[0]));
	}
	return op;
}

/* The place a new scene, actor or operation gets. */
static unsigned
take_place(unsigned *used, unsigned most, const struct script_op *op)
{
	if (*used == most)
		script_bad(op, "there are too many of these");
	return (*used)++;
}

static bool
is_actor(const struct script_op *op)
{
	return (strcmp(op->word[0], "actor") == 0 && op->words == 2) ||
	    (strcmp(op->word[0], "supervisor") == 0 && op->words > 2);
}

static void
read_line(struct script *s, bool *stopping, const struct script_op *op)
{
	struct script_scene *scene =
	    s->scenes > 0 ? &s->scene[s->scenes - 1] : NULL;
	struct script_actor *a = scene != NULL && scene->actors > 0 ?
	    &scene->actor[scene->actors - 1] :
	    NULL;

	if (strcmp(op->word[0], "scene") == 0 && op->words == 2) {
		scene = &s->scene[take_place(&s->scenes, SCRIPT_SCENES, op)];
		scene->name = op->word[1];
		scene->board.scene = scene;
		scene->board.name = "board";
		pthread_mutex_init(&scene->lock, NULL);
	} else if (is_actor(op) && scene != NULL) {
		a = &scene
			 ->actor[take_place(&scene->actors, SCRIPT_ACTORS, op)];
		a->scene = scene;
		a->name = op->word[1];
		if (op->word[0][0] == 's')
			a->supervisor = *op;
		*stopping = false;
	} else if (strcmp(op->word[0], "stopping") == 0 && a != NULL) {
		*stopping = true;
	} else if (a == NULL) {
		script_bad(op, "an operation has to be an actor's");
	} else if (*stopping) {
		a->stop_op[take_place(&a->stop_ops, SCRIPT_OPS, op)] = *op;
	} else {
		a->op[take_place(&a->ops, SCRIPT_OPS, op)] = *op;
	}
}

struct script *
script_read(const char *path)
{
	struct script *s = calloc(1, sizeof(*s));
	char *line, *next;
	bool stopping = false;
	unsigned number = 0;

	if (s == NULL || (s->text = read_file(path)) == NULL) {
		fprintf(stderr, "%s cannot be read\n", path);
		abort();
	}
	s->path = path;
	for (line = s->text; line != NULL; line = next) {
		struct script_op op;

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		op = cut_line(line, ++number);
		if (op.words > 0)
			read_line(s, &stopping, &op);
	}
	return s;
}

void
script_free(struct script *s)
{
	unsigned i, a;

	for (i = 0; i < s->scenes; i++) {
		for (a = 0; a < s->scene[i].actors; a++)
			free(s->scene[i].actor[a].tree);
		pthread_mutex_destroy(&s->scene[i].lock);
	}
	free(s->text);
	free(s);
}

void
script_reset(struct script_scene *scene)
{
	scene->lines = 0;
	scene->refs = 0;
	memset(scene->lived, 0, sizeof(scene->lived));
	memset(scene->first, 0, sizeof(scene->first));
}

static bool
is_deaf(const struct script_actor *a)
{
	unsigned i;

	for (i = 0; i < a->ops; i++)
		if (strcmp(a->op[i].word[0], "deaf") == 0)
			return true;
	for (i = 0; i < a->stop_ops; i++)
		if (strcmp(a->stop_op[i].word[0], "deaf") == 0)
			return true;
	return false;
}

unsigned
script_deaf(const struct script_scene *scene)
{
	unsigned i, n = 0;

	for (i = 0; i < scene->actors; i++)
		n += is_deaf(&scene->actor[i]);
	return n;
}

/* ------------------------------------------------------- while it runs --- */

static bool
is_unseen(const struct script_actor *actor)
{
	return actor->ops > 0 && strcmp(actor->op[0].word[0], "unseen") == 0;
}

void
script_note(const struct script_actor *actor, const char *text)
{
	struct script_scene *scene = actor->scene;
	struct script_line *line;

	if (is_unseen(actor))
		return;
	pthread_mutex_lock(&scene->lock);
	if (scene->lines == SCRIPT_LINES)
		script_bad(&actor->op[0], "%s notes too much", actor->name);
	line = &scene->line[scene->lines++];
	line->actor = actor;
	(void)snprintf(line->text, sizeof(line->text), "%.*s",
	    (int)sizeof(line->text) - 1, text);
	pthread_mutex_unlock(&scene->lock);
}

/* Whether an operation says from which life on the next ones are done. */
static bool
is_life(const struct script_op *op)
{
	return strcmp(op->word[0], "life") == 0;
}

void
script_live(const struct script_actor *actor, unsigned *from, unsigned *until)
{
	struct script_scene *scene = actor->scene;
	unsigned life, i;

	pthread_mutex_lock(&scene->lock);
	life = ++scene->lived[actor - scene->actor];
	pthread_mutex_unlock(&scene->lock);
	*from = 0;
	for (i = 0; i < actor->ops; i++)
		if (is_life(&actor->op[i]) && actor->op[i].words > 1 &&
		    strtoul(actor->op[i].word[1], NULL, 10) <= life)
			*from = i + 1;
	for (i = *from; i < actor->ops; i++)
		if (is_life(&actor->op[i]))
			break;
	*until = i;
}

void
script_board(const struct script_actor *actor, const char *text)
{
	char line[2 * SCRIPT_TEXT];

	(void)snprintf(line, sizeof(line), "%s %s", actor->name, text);
	script_note(&actor->scene->board, line);
}

void
script_know(const struct script_actor *actor, tr_ref ref)
{
	struct script_scene *scene = actor->scene;
	unsigned i;

	pthread_mutex_lock(&scene->lock);
	for (i = 0; i < scene->refs; i++)
		if (tr_ref_equal(scene->ref[i].ref, ref))
			break;
	if (i == SCRIPT_REFS)
		script_bad(&actor->op[0], "%s lives too often", actor->name);
	if (i == scene->refs) {
		scene->ref[i].ref = ref;
		scene->ref[i].actor = actor;
		scene->refs++;
	}
	pthread_mutex_unlock(&scene->lock);
}

bool
script_said(struct script_scene *scene, const struct script_op *op,
    const char *name, const char *text)
{
	const struct script_actor *a = script_actor(scene, op, name);
	bool said = false;
	unsigned i;

	pthread_mutex_lock(&scene->lock);
	for (i = 0; i < scene->lines && !said; i++)
		said = scene->line[i].actor == a &&
		    strcmp(scene->line[i].text, text) == 0;
	pthread_mutex_unlock(&scene->lock);
	return said;
}

bool
script_first(const struct script_actor *actor)
{
	struct script_scene *scene = actor->scene;
	bool *asked = &scene->first[actor - scene->actor], first;

	pthread_mutex_lock(&scene->lock);
	first = !*asked;
	*asked = true;
	pthread_mutex_unlock(&scene->lock);
	return first;
}

const char *
script_name(struct script_scene *scene, tr_ref ref)
{
	const char *name = "nobody";
	unsigned i;

	pthread_mutex_lock(&scene->lock);
	for (i = 0; i < scene->refs; i++)
		if (tr_ref_equal(scene->ref[i].ref, ref))
			name = scene->ref[i].actor->name;
	pthread_mutex_unlock(&scene->lock);
	return name;
}

tr_ref
script_ref(struct script_scene *scene, const struct script_op *op,
    const char *name)
{
	tr_ref ref = TR_REF_NONE;
	unsigned i;

	if (strcmp(name, "nobody") == 0)
		return ref;
	pthread_mutex_lock(&scene->lock);
	for (i = scene->refs; i > 0 && !tr_ref_valid(ref); i--)
		if (strcmp(scene->ref[i - 1].actor->name, name) == 0)
			ref = scene->ref[i - 1].ref;
	pthread_mutex_unlock(&scene->lock);
	if (!tr_ref_valid(ref))
		script_bad(op, "%s does not live yet", name);
	return ref;
}

struct script_actor *
script_actor(struct script_scene *scene, const struct script_op *op,
    const char *name)
{
	unsigned i;

	for (i = 0; i < scene->actors; i++)
		if (strcmp(scene->actor[i].name, name) == 0)
			return &scene->actor[i];
	script_bad(op, "there is no actor %s", name);
}

/* ---------------------------------------------------------- afterwards --- */

static void
print_lines(FILE *to, const struct script_line *line, unsigned times)
{
	if (times == 1)
		fprintf(to, "%s: %s\n", line->actor->name, line->text);
	else if (times > 1)
		fprintf(to, "%s: %s x%u\n", line->actor->name, line->text,
		    times);
}

/* What an actor has noted, or what is on the board. */
static void
print_actor(const struct script_actor *actor, FILE *to)
{
	const struct script_scene *scene = actor->scene;
	const struct script_line *last = NULL;
	unsigned i, times = 0;

	for (i = 0; i < scene->lines; i++) {
		if (scene->line[i].actor != actor)
			continue;
		if (last == NULL ||
		    strcmp(last->text, scene->line[i].text) != 0) {
			print_lines(to, last, times);
			last = &scene->line[i];
			times = 0;
		}
		times++;
	}
	print_lines(to, last, times);
}

void
script_print(struct script_scene *scene, FILE *to)
{
	unsigned a;

	fprintf(to, "[%s]\n", scene->name);
	for (a = 0; a < scene->actors; a++)
		print_actor(&scene->actor[a], to);
	print_actor(&scene->board, to);
}

char *
script_expected(const char *path, const char *scene)
{
	char *text = read_file(path), *line, *next, *result = NULL;
	bool inside = false;
	size_t size = 0;
	FILE *to = open_memstream(&result, &size);

	for (line = text; to != NULL && line != NULL; line = next) {
		size_t n = strlen(scene);

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (line[0] == '[')
			inside = strncmp(line + 1, scene, n) == 0 &&
			    line[n + 1] == ']';
		if (!inside || line[0] == '#' || line[0] == '<' ||
		    line[0] == '\0')
			continue; /* a comment, or what only Erlang notes */
		fprintf(to, "%s\n", line[0] == '>' ? line + 2 : line);
	}
	if (to != NULL)
		fclose(to);
	free(text);
	return result;
}
