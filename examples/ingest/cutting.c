/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cutting.c - the actor that cuts chunks into batches of whole rows.
 *
 * It is the one place that goes through the file in order, so it does only
 * what needs that: it finds where rows end (slicer.h).  It holds the empty
 * batches, and gives each full one to the parser with the least to do.
 */
#include "pipeline.h"
#include "slicer.h"

#include <stdlib.h>
#include <string.h>

struct cutter_actor {
	struct load *load;
	tr_ref parsers[PARSERS_MAX];
	unsigned waiting[PARSERS_MAX]; /* batches at each parser */
	unsigned parser_count;
	tr_token watch;

	struct slicer slicer;
	const struct input *input; /* being cut; NULL: none */
	uint64_t rows_read;
	int64_t read_ns; /* not yet given to a batch */
	int64_t cut_ns;

	struct pipe_chunk chunks[CHUNKS]; /* to be cut, the first is next */
	tr_ref reader;
	size_t chunk_count;
	size_t chunk_used; /* bytes of the first one */

	struct batch **empty;
	size_t empty_count;

	size_t in_flight_bytes; /* of the batches that are out */
};

static int
cutter_dispatch(struct tr_self *self, struct cutter_actor *c, bool last)
{
	struct batch *b = slicer_take(&c->slicer);
	struct pipe_batch m = { .batch = b, .home = tr_self_ref(self) };
	unsigned best = 0;

	if (b == NULL)
		return tr_fail(self, TR_ENOMEM, "cutting a batch");
	for (unsigned i = 1; i < c->parser_count; i++) {
		if (c->waiting[i] < c->waiting[best])
			best = i;
	}
	c->rows_read += b->span_count;
	b->input = c->input;
	b->rows_read = c->rows_read;
	b->last = last;
	b->read_ns = c->read_ns;
	b->cut_ns = c->cut_ns;
	c->read_ns = c->cut_ns = 0;
	c->waiting[best]++;
	c->in_flight_bytes += b->raw_size;
	return tr_send(self, c->parsers[best], PIPE_CUT, &m, sizeof m);
}

/* The first chunk is used up. */
static int
cutter_return_chunk(struct tr_self *self, struct cutter_actor *c)
{
	struct pipe_chunk m = c->chunks[0];

	c->chunk_count--;
	c->chunk_used = 0;
	memmove(c->chunks, c->chunks + 1, c->chunk_count * sizeof m);
	return tr_send(self, c->reader, PIPE_CHUNK_BACK, &m, sizeof m);
}

static void
cutter_begin(struct cutter_actor *c, const struct input *input)
{
	const struct options *o = c->load->plan->options;

	c->input = input;
	c->rows_read = 0;
	slicer_init(&c->slicer, o->delimiter, o->no_header ? 0 : 1,
	    CUTTER_ROW_MAX);
}

static int
cutter_end(struct tr_self *self, struct cutter_actor *c)
{
	int rc = cutter_dispatch(self, c, true);

	slicer_fini(&c->slicer);
	c->input = NULL;
	return rc == TR_OK ? cutter_return_chunk(self, c) : rc;
}

/* Cut the first chunk, up to the end of it or of the batch. */
static int
cutter_cut(struct tr_self *self, struct cutter_actor *c)
{
	const struct chunk *chunk = c->chunks[0].chunk;
	const char *bytes = chunk->bytes + c->chunk_used;
	size_t left = chunk->size - c->chunk_used;
	int64_t start = pipeline_now();
	enum slicer_result result;

	if (c->chunk_used == 0)
		c->read_ns += chunk->read_ns;
	result = slicer_feed(&c->slicer, &bytes, &left,
	    chunk->final && !chunk->cut_short);
	c->cut_ns += pipeline_now() - start;
	c->chunk_used = chunk->size - left;
	switch (result) {
	case SLICER_FULL: return cutter_dispatch(self, c, false);
	case SLICER_END: return cutter_end(self, c);
	case SLICER_HUNGRY:
		/* Cut short, what is no whole row yet is not loaded. */
		if (chunk->cut_short)
			return cutter_end(self, c);
		return cutter_return_chunk(self, c);
	default: return tr_fail(self, TR_ENOMEM, "cutting a chunk");
	}
}

/* Cut as long as there are chunks and credit. */
static int
cutter_pump(struct tr_self *self, struct cutter_actor *c)
{
	int rc = TR_OK;

	while (rc == TR_OK && c->chunk_count > 0) {
		if (c->input == NULL)
			cutter_begin(c, c->chunks[0].chunk->input);
		if (c->slicer.batch == NULL) {
			if (c->empty_count == 0 ||
			    c->in_flight_bytes > IN_FLIGHT_BYTES_MAX)
				return TR_OK;
			slicer_give(&c->slicer, c->empty[--c->empty_count]);
		}
		rc = cutter_cut(self, c);
	}
	return rc;
}

static void
cutter_take_back(struct cutter_actor *c, struct batch *b)
{
	c->in_flight_bytes -= b->raw_size;
	batch_clear(b);
	c->empty[c->empty_count++] = b;
}

static int
cutter_parser_ready(struct cutter_actor *c, tr_ref parser)
{
	for (unsigned i = 0; i < c->parser_count; i++) {
		if (tr_ref_equal(c->parsers[i], parser))
			c->waiting[i]--;
	}
	return TR_OK;
}

static int
cutter_start(struct tr_self *self, void *state, const void *arg)
{
	const struct cutter_arg *a = arg;
	struct cutter_actor *c = state;

	c->load = a->load;
	c->parser_count = a->load->parsers;
	memcpy(c->parsers, a->parsers, sizeof c->parsers);
	c->empty = calloc(c->load->batch_count, sizeof(struct batch *));
	if (c->empty == NULL)
		return tr_fail(self, TR_ENOMEM, "starting the cutter");
	for (size_t i = 0; i < c->load->batch_count; i++)
		c->empty[c->empty_count++] = c->load->batches[i];
	return TR_OK;
}

static int
cutter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct cutter_actor *c = state;

	switch (tr_tag(msg)) {
	case PIPE_CHUNK: {
		const struct pipe_chunk *m = tr_data(msg, sizeof *m);

		c->reader = tr_sender(msg);
		c->chunks[c->chunk_count++] = *m;
		return cutter_pump(self, c);
	}
	case PIPE_BATCH_BACK: {
		const struct pipe_batch *m = tr_data(msg, sizeof *m);

		cutter_take_back(c, m->batch);
		return cutter_pump(self, c);
	}
	case PIPE_PARSER_READY: return cutter_parser_ready(c, tr_sender(msg));
	case PIPE_WATCH: c->watch = tr_reply_token(self); return TR_OK;
	default: return tr_unhandled(self, msg);
	}
}

static void
cutter_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct cutter_actor *c = state;

	(void)self;
	(void)why;
	if (c->input != NULL)
		slicer_fini(&c->slicer);
	free(c->empty);
}

const struct tr_behavior cutter_behavior = {
	.name = "cutter",
	.state_size = sizeof(struct cutter_actor),
	.arg_size = sizeof(struct cutter_arg),
	.start = cutter_start,
	.receive = cutter_receive,
	.stop = cutter_stop,
};
