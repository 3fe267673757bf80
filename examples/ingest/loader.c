/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader.c - the root actor: starts the others, counts, and decides the end.
 *
 * It tells the reader which file is next; when the writer has committed the
 * last row of it, the next one.  It ends the load in one of three ways:
 *
 * - All files are done: it exits, and the system with it.
 * - A signal: the reader ends the file early, and what is under way is still
 *   loaded and committed.  A second signal is taken as a fault.
 * - A fault, or a stage that ended: the reader and the writer are halted, and
 *   it exits when none of them has a blocking call in flight any more, so that
 *   main() may look at the database.  What is not committed is undone.
 *
 * It watches each stage by an ask that the stage never answers: the ask ends
 * when the stage does.
 */
#include "pipeline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_TERMINAL_MS = 100, TICK_PLAIN_MS = 2000 };

struct loader {
	struct load *load;
	tr_ref reader;
	tr_ref cutter;
	tr_ref writer;
	tr_ref parsers[PARSERS_MAX];
	size_t input; /* which file */
	struct progress progress;
	int64_t start_ns;
	bool terminal;
	bool halting; /* a fault: wait for the reader and the writer */
	unsigned halted;
	bool printing; /* a call is in flight */
	bool finished; /* exit as soon as nothing is being printed */
};

struct printing {
	size_t size;
	char text[PROGRESS_LINE_MAX];
};

static int
loader_finish(struct tr_self *self, struct loader *l)
{
	l->finished = true;
	return l->printing ? TR_OK : tr_exit(self, TR_NORMAL);
}

/* ------------------------------------------------------------ progress --- */

static int
printing_work(struct tr_system *system, void *arg)
{
	const struct printing *p = arg;
	ssize_t n = write(STDERR_FILENO, p->text, p->size);

	(void)system;
	return n < 0 ? TR_EINVAL : TR_OK;
}

static int
printing_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	struct loader *l = state;

	(void)outcome;
	free(arg);
	l->printing = false;
	return l->finished ? loader_finish(self, l) : TR_OK;
}

/* Show the progress, unless the last line is still being written. */
static int
loader_tick(struct tr_self *self, struct loader *l)
{
	static const struct tr_job job = {
		.work = printing_work,
		.done = printing_done,
		.drop = free,
	};
	struct printing *p;

	if (l->printing || l->finished)
		return TR_OK;
	p = malloc(sizeof *p);
	if (p == NULL)
		return TR_OK;
	p->size = progress_format(&l->progress, tr_now(self) - l->start_ns,
	    l->terminal, p->text);
	if (tr_offload_blocking(self, &job, p, tr_forever(), NULL) != TR_OK) {
		free(p);
		return TR_OK;
	}
	l->printing = true;
	return TR_OK;
}

static int
loader_show_progress(struct tr_self *self, struct loader *l)
{
	int64_t period;

	if (l->load->plan->options->quiet)
		return TR_OK;
	l->terminal = isatty(STDERR_FILENO) == 1;
	period = l->terminal ? TR_MS(TICK_TERMINAL_MS) : TR_MS(TICK_PLAIN_MS);
	return tr_every(self, period, PIPE_TICK, 0) != 0 ? TR_OK : TR_ENOMEM;
}

/* ----------------------------------------------------------- the ends --- */

static int
loader_halt(struct tr_self *self, struct loader *l, const struct fault *fault)
{
	if (l->halting || l->finished)
		return TR_OK;
	l->halting = true;
	l->load->fault = *fault;
	tr_send(self, l->reader, PIPE_HALT, NULL, 0);
	return tr_send(self, l->writer, PIPE_HALT, NULL, 0);
}

static int
loader_halted(struct tr_self *self, struct loader *l)
{
	return ++l->halted == 2 ? loader_finish(self, l) : TR_OK;
}

/* A stage has ended: that is never meant to happen. */
static int
loader_stage_ended(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const char *stage = (const char *)cookie;
	struct loader *l = state;
	struct fault fault;

	(void)answer;
	fault_set(&fault, STATUS_INTERNAL, "the %s ended: %s", stage,
	    tr_strerror(outcome));
	loader_halt(self, l, &fault);
	if (strcmp(stage, "reader") == 0 || strcmp(stage, "writer") == 0)
		return loader_halted(self, l);
	return TR_OK;
}

static int
loader_signal(struct tr_self *self, struct loader *l, int signo)
{
	struct fault fault;

	if (l->load->signal == 0) {
		l->load->signal = signo;
		return tr_send(self, l->reader, PIPE_END_EARLY, NULL, 0);
	}
	fault_set(&fault,
	    signo == SIGINT ? STATUS_INTERRUPTED : STATUS_TERMINATED,
	    "stopped at once by a second signal");
	return loader_halt(self, l, &fault);
}

/* ----------------------------------------------------------- the files --- */

static int
loader_next_file(struct tr_self *self, struct loader *l)
{
	struct pipe_read m;

	if (l->input == l->load->plan->count || l->load->signal != 0)
		return loader_finish(self, l);
	m.input = &l->load->plan->inputs[l->input++];
	return tr_send(self, l->reader, PIPE_READ, &m, sizeof m);
}

static int
loader_written(struct tr_self *self, struct loader *l,
    const struct pipe_written *w)
{
	struct progress *p = &l->progress;

	p->bytes += w->bytes;
	p->rows += w->loaded + w->rejected + w->filtered;
	p->read_ns += w->read_ns;
	p->cut_ns += w->cut_ns;
	p->parse_ns += w->parse_ns;
	p->write_ns += w->write_ns;
	return w->last ? loader_next_file(self, l) : TR_OK;
}

/* ------------------------------------------------------------ starting --- */

static int
loader_watch(struct tr_self *self, tr_ref stage, const char *name)
{
	tr_ask_id ask;

	if (!tr_ref_valid(stage))
		return TR_ENOMEM;
	ask = tr_ask(self, stage, PIPE_WATCH, NULL, 0, tr_forever(),
	    loader_stage_ended, (uintptr_t)name);
	return ask != 0 ? TR_OK : TR_ENOMEM;
}

static int
loader_spawn_parsers(struct tr_self *self, struct loader *l)
{
	struct parser_arg arg = { .load = l->load, .writer = l->writer };

	for (unsigned i = 0; i < l->load->parsers; i++) {
		l->parsers[i] = tr_spawn(self, &parser_behavior, &arg, NULL);
		if (loader_watch(self, l->parsers[i], "parser") != TR_OK)
			return TR_ENOMEM;
	}
	return TR_OK;
}

/* From the end of the pipeline to its start: each knows whom it feeds. */
static int
loader_spawn(struct tr_self *self, struct loader *l)
{
	tr_ref me = tr_self_ref(self);
	struct writer_arg writer = { .load = l->load, .loader = me };
	struct cutter_arg cutter = { .load = l->load };
	struct reader_arg reader = { .load = l->load, .loader = me };

	l->writer = tr_spawn(self, &writer_behavior, &writer, NULL);
	if (loader_watch(self, l->writer, "writer") != TR_OK ||
	    loader_spawn_parsers(self, l) != TR_OK)
		return TR_ENOMEM;
	memcpy(cutter.parsers, l->parsers, sizeof cutter.parsers);
	l->cutter = tr_spawn(self, &cutter_behavior, &cutter, NULL);
	if (loader_watch(self, l->cutter, "cutter") != TR_OK)
		return TR_ENOMEM;
	reader.cutter = l->cutter;
	l->reader = tr_spawn(self, &reader_behavior, &reader, NULL);
	return loader_watch(self, l->reader, "reader");
}

/* A parser for each worker, and the batches to keep them busy. */
static void
loader_measure(struct tr_system *system, struct load *load)
{
	unsigned workers = tr_system_workers(system);

	load->parsers = workers < PARSERS_MAX ? workers : PARSERS_MAX;
	load->batch_count = load->parsers * BATCHES_PER_PARSER + BATCHES_MORE;
	if (load->batch_count > BATCHES_MAX)
		load->batch_count = BATCHES_MAX;
}

static int
loader_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_system *system = tr_system_of(self);
	struct loader *l = state;
	int rc;

	l->load = *(struct load *const *)arg;
	l->start_ns = tr_now(self);
	loader_measure(system, l->load);
	l->progress.total_bytes = l->load->plan->total_bytes;
	l->progress.parsers = l->load->parsers;
	rc = tr_signal_send(system, SIGINT, tr_self_ref(self), PIPE_SIGINT);
	if (rc == TR_OK)
		rc = tr_signal_send(system, SIGTERM, tr_self_ref(self),
		    PIPE_SIGTERM);
	if (rc == TR_OK)
		rc = loader_spawn(self, l);
	if (rc == TR_OK)
		rc = loader_show_progress(self, l);
	return rc == TR_OK ? loader_next_file(self, l) : rc;
}

static int
loader_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct loader *l = state;

	switch (tr_tag(msg)) {
	case PIPE_WRITTEN:
		return loader_written(self, l,
		    tr_data(msg, sizeof(struct pipe_written)));
	case PIPE_FAULT:
		return loader_halt(self, l, tr_data(msg, sizeof(struct fault)));
	case PIPE_HALTED: return loader_halted(self, l);
	case PIPE_TICK: return loader_tick(self, l);
	case PIPE_SIGINT: return loader_signal(self, l, SIGINT);
	case PIPE_SIGTERM: return loader_signal(self, l, SIGTERM);
	default: return tr_unhandled(self, msg);
	}
}

static void
loader_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct loader *l = state;

	(void)self;
	(void)why;
	l->load->progress = l->progress;
}

const struct tr_behavior loader_behavior = {
	.name = "loader",
	.state_size = sizeof(struct loader),
	.arg_size = sizeof(struct load *),
	.start = loader_start,
	.receive = loader_receive,
	.stop = loader_stop,
};
