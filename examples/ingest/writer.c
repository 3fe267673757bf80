/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.c - the actor that puts batches into the database.
 *
 * Batches come from several parsers; `pending` puts them back into the order
 * of the file.  One blocking call is in flight at most.  It takes all batches
 * that follow one another, so that calls become larger when the database is
 * the bottleneck.
 */
#include "pipeline.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WRITER_BATCHES_MAX = 16 };

struct writer {
	struct load *load;
	tr_ref loader;
	tr_token watch;
	struct pipe_batch *pending; /* by sequence modulo batch_count */
	uint64_t next; /* sequence to be written next */
	bool busy; /* a call is in flight */
	bool failed;
	bool halted;
};

/* One call. */
struct writing {
	struct load *load;
	struct pipe_batch batches[WRITER_BATCHES_MAX];
	size_t count;
	struct pipe_written written;
	struct fault fault;
};

/* ------------------------------------------- on a thread of the pool --- */

static int
writing_begin(struct load *load, const struct input *input, struct fault *fault)
{
	if (database_begin(&load->database, input, fault) != 0)
		return -1;
	rejects_begin(&load->rejects, load->plan, input);
	load->results[input - load->plan->inputs].begun = true;
	return 0;
}

static void
writing_count(struct writing *w, struct result *r, const struct batch *b)
{
	r->read = b->rows_read;
	r->loaded = w->load->database.inserted;
	r->rejected += b->reject_count;
	r->filtered += b->filtered;
	r->bytes += b->bytes;
	for (size_t i = 0; i < b->columns; i++)
		r->misfits[i] += b->misfits[i];
	w->written.loaded += b->rows;
	w->written.rejected += b->reject_count;
	w->written.filtered += b->filtered;
	w->written.bytes += b->bytes;
	w->written.read_ns += b->read_ns;
	w->written.cut_ns += b->cut_ns;
	w->written.parse_ns += b->parse_ns;
	w->written.last = b->last;
}

/* Each row that was read must be accounted for. */
static int
writing_check(const struct input *input, const struct result *r,
    struct fault *fault)
{
	if (r->read == r->loaded + r->rejected + r->filtered)
		return 0;
	return fault_set(fault, STATUS_INTERNAL,
	    "%s: the counts do not add up: %" PRIu64 " read, %" PRIu64
	    " loaded, %" PRIu64 " rejected, %" PRIu64 " filtered",
	    input->path, r->read, r->loaded, r->rejected, r->filtered);
}

static int
writing_batch(struct writing *w, const struct batch *b)
{
	struct load *load = w->load;
	const struct input *input = b->input;
	struct result *r = &load->results[input - load->plan->inputs];

	if (b->sequence == 0 && writing_begin(load, input, &w->fault) != 0)
		return -1;
	if (database_insert(&load->database, b, &w->fault) != 0)
		return -1;
	writing_count(w, r, b);
	if (rejects_write(&load->rejects, b, &w->fault) != 0)
		return -1;
	if (!b->last)
		return 0;
	if (writing_check(input, r, &w->fault) != 0 ||
	    database_end(&load->database, &w->fault) != 0)
		return -1;
	rejects_end(&load->rejects);
	r->done = true;
	return 0;
}

static int
writing_work(struct tr_system *system, void *arg)
{
	int64_t start = pipeline_now();
	struct writing *w = arg;
	int rc = 0;

	(void)system;
	for (size_t i = 0; i < w->count && rc == 0; i++)
		rc = writing_batch(w, w->batches[i].batch);
	w->written.write_ns = pipeline_now() - start;
	return rc;
}

/* ------------------------------------------------------ in the actor --- */

static const struct tr_job writing_job;

/* Take the batches that come next, if they are there. */
static void
writer_collect(struct writer *w, struct writing *writing)
{
	while (writing->count < WRITER_BATCHES_MAX) {
		struct pipe_batch *next =
		    &w->pending[w->next % w->load->batch_count];

		if (next->batch == NULL)
			return;
		writing->batches[writing->count++] = *next;
		w->next++;
		if (next->batch->last)
			w->next = 0;
		next->batch = NULL;
		if (w->next == 0)
			return;
	}
}

static int
writer_write(struct tr_self *self, struct writer *w)
{
	struct writing *writing = calloc(1, sizeof *writing);
	int rc;

	if (writing == NULL)
		return tr_fail(self, TR_ENOMEM, "writing");
	writing->load = w->load;
	writer_collect(w, writing);
	rc = tr_offload_blocking(self, &writing_job, writing, tr_forever(),
	    NULL);
	if (rc != TR_OK) {
		free(writing);
		return tr_fail(self, rc, "writing");
	}
	w->busy = true;
	return TR_OK;
}

static int
writer_pump(struct tr_self *self, struct writer *w)
{
	if (w->busy)
		return TR_OK;
	if (w->halted)
		return tr_send(self, w->loader, PIPE_HALTED, NULL, 0);
	if (w->failed ||
	    w->pending[w->next % w->load->batch_count].batch == NULL)
		return TR_OK;
	return writer_write(self, w);
}

static int
writer_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	struct writing *writing = arg;
	struct writer *w = state;

	w->busy = false;
	if (outcome == 0) {
		for (size_t i = 0; i < writing->count; i++)
			tr_send(self, writing->batches[i].home, PIPE_BATCH_BACK,
			    &writing->batches[i], sizeof writing->batches[i]);
		tr_send(self, w->loader, PIPE_WRITTEN, &writing->written,
		    sizeof writing->written);
	} else {
		w->failed = true;
		pipeline_fail(self, w->loader, &writing->fault);
	}
	free(writing);
	return writer_pump(self, w);
}

static const struct tr_job writing_job = {
	.work = writing_work,
	.done = writer_done,
	.drop = free,
};

static int
writer_start(struct tr_self *self, void *state, const void *arg)
{
	const struct writer_arg *a = arg;
	struct writer *w = state;

	w->load = a->load;
	w->loader = a->loader;
	w->pending = calloc(w->load->batch_count, sizeof *w->pending);
	if (w->pending == NULL)
		return tr_fail(self, TR_ENOMEM, "starting the writer");
	return TR_OK;
}

static int
writer_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct writer *w = state;

	switch (tr_tag(msg)) {
	case PIPE_PARSED: {
		const struct pipe_batch *m = tr_data(msg, sizeof *m);

		w->pending[m->batch->sequence % w->load->batch_count] = *m;
		break;
	}
	case PIPE_HALT: w->halted = true; break;
	case PIPE_WATCH: w->watch = tr_reply_token(self); return TR_OK;
	default: return tr_unhandled(self, msg);
	}
	return writer_pump(self, w);
}

static void
writer_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct writer *w = state;

	(void)self;
	(void)why;
	free(w->pending);
}

const struct tr_behavior writer_behavior = {
	.name = "writer",
	.state_size = sizeof(struct writer),
	.arg_size = sizeof(struct writer_arg),
	.start = writer_start,
	.receive = writer_receive,
	.stop = writer_stop,
};
