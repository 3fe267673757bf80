/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A blocking call: lines of files are counted on the pool of threads that may
 * block, all files at once.
 *
 *     guide_lines FILE...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe.h>

struct count {
	size_t lines;
	char path[];
};

/* On a thread of the pool: it may take its time. */
static int
count_work(struct tr_system *system, void *arg)
{
	struct count *c = arg;
	FILE *file = fopen(c->path, "r");
	int byte, error;

	(void)system;
	if (file == NULL)
		return -errno;
	while ((byte = getc(file)) != EOF)
		if (byte == '\n')
			c->lines++;
	error = ferror(file) ? -EIO : TR_OK;
	fclose(file);
	return error;
}

struct counter {
	size_t open; /* files */
	size_t lines;
	int error; /* the last one */
};

/* In the actor's turn again. */
static int
count_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	struct counter *s = state;
	struct count *c = arg;

	if (outcome != TR_OK) {
		printf("%s: %s\n", c->path, tr_strerror(outcome));
		s->error = outcome;
	}
	s->lines += c->lines;
	free(c);
	if (--s->open > 0)
		return TR_OK;
	printf("%zu lines\n", s->lines);
	return tr_exit(self, s->error);
}

static const struct tr_job count_job = {
	.work = count_work,
	.done = count_done,
	.drop = free,
};

static int
counter_open(struct tr_self *self, struct counter *s, const char *path)
{
	size_t length = strlen(path) + 1;
	struct count *c = malloc(sizeof(*c) + length);
	int error;

	if (c == NULL)
		return TR_ENOMEM;
	c->lines = 0;
	memcpy(c->path, path, length);
	error = tr_offload_blocking(self, &count_job, c, tr_forever(), NULL);
	if (error != TR_OK) {
		free(c);
		return error;
	}
	s->open++;
	return TR_OK;
}

static int
counter_start(struct tr_self *self, void *state, const void *arg)
{
	char *const *path = arg;
	int error = TR_OK;

	while (*path != NULL && error == TR_OK)
		error = counter_open(self, state, *path++);
	return error;
}

static int
counter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior counter = {
	.name = "counter",
	.state_size = sizeof(struct counter),
	.start = counter_start,
	.receive = counter_receive,
};

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: guide_lines FILE...\n");
		return 2;
	}
	return tr_run(&counter, argv + 1, NULL) == TR_OK ? 0 : 1;
}
