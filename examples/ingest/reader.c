/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.c - the actor that reads the files, a chunk at a time.
 *
 * It reads ahead as long as it has empty chunks.  One blocking call is in
 * flight at most; it opens the file with the first chunk and closes it with
 * the last.
 */
#include "pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reader {
	struct load *load;
	tr_ref loader;
	tr_ref cutter;
	tr_token watch;
	const struct input *input; /* NULL: nothing to read */
	struct chunk *empty[CHUNKS];
	size_t empty_count;
	bool busy; /* a call is in flight */
	bool end_early;
	bool halted;
};

/* One call. */
struct reading {
	struct source *source;
	struct chunk *chunk;
	struct fault fault;
};

static int
reading_open(struct reading *r)
{
	uint64_t size;

	r->source->offset = 0;
	r->source->fd = plan_open(r->chunk->input->path, &size, &r->fault);
	if (r->source->fd < 0)
		return -1;
	posix_fadvise(r->source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static int
reading_fill(struct reading *r)
{
	struct chunk *c = r->chunk;
	struct source *s = r->source;

	while (c->size < CHUNK_BYTES && !c->final) {
		ssize_t n = pread(s->fd, c->bytes + c->size,
		    CHUNK_BYTES - c->size, (off_t)s->offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fault_set(&r->fault, STATUS_UNREADABLE,
			    "%s: reading at byte %llu: %s", c->input->path,
			    (unsigned long long)s->offset, strerror(errno));
		c->final = n == 0;
		c->size += (size_t)n;
		s->offset += (uint64_t)n;
	}
	return 0;
}

static int
reading_work(struct tr_system *system, void *arg)
{
	int64_t start = pipeline_now();
	struct reading *r = arg;
	int rc = 0;

	(void)system;
	if (r->source->fd < 0)
		rc = reading_open(r);
	if (rc == 0)
		rc = reading_fill(r);
	if (r->source->fd >= 0 && (rc != 0 || r->chunk->final)) {
		close(r->source->fd);
		r->source->fd = -1;
	}
	r->chunk->read_ns = pipeline_now() - start;
	return rc;
}

static const struct tr_job reading_job;

static int
reader_send(struct tr_self *self, struct reader *r, struct chunk *chunk)
{
	struct pipe_chunk m = { .chunk = chunk };

	if (chunk->final)
		r->input = NULL;
	return tr_send(self, r->cutter, PIPE_CHUNK, &m, sizeof m);
}

/* The file ends here: all that is cut already will be loaded. */
static int
reader_end_early(struct tr_self *self, struct reader *r)
{
	struct chunk *c = r->empty[--r->empty_count];

	*c = (struct chunk){ .input = r->input,
		.bytes = c->bytes,
		.final = true,
		.cut_short = true };
	if (r->load->source.fd >= 0)
		close(r->load->source.fd);
	r->load->source.fd = -1;
	return reader_send(self, r, c);
}

static int
reader_read(struct tr_self *self, struct reader *r)
{
	struct reading *reading = calloc(1, sizeof *reading);
	struct chunk *c;
	int rc;

	if (reading == NULL)
		return tr_fail(self, TR_ENOMEM, "reading a file");
	c = r->empty[--r->empty_count];
	*c = (struct chunk){ .input = r->input, .bytes = c->bytes };
	reading->source = &r->load->source;
	reading->chunk = c;
	rc = tr_offload_blocking(self, &reading_job, reading, tr_forever(),
	    NULL);
	if (rc != TR_OK) {
		free(reading);
		return tr_fail(self, rc, "reading a file");
	}
	r->busy = true;
	return TR_OK;
}

/* Do what can be done now. */
static int
reader_pump(struct tr_self *self, struct reader *r)
{
	if (r->busy)
		return TR_OK;
	if (r->halted)
		return tr_send(self, r->loader, PIPE_HALTED, NULL, 0);
	if (r->input == NULL || r->empty_count == 0)
		return TR_OK;
	return r->end_early ? reader_end_early(self, r) : reader_read(self, r);
}

static int
reader_done(struct tr_self *self, void *state, int outcome, void *arg)
{
	struct reading *reading = arg;
	struct reader *r = state;
	int rc;

	r->busy = false;
	if (outcome == 0) {
		rc = reader_send(self, r, reading->chunk);
	} else {
		r->input = NULL;
		rc = pipeline_fail(self, r->loader, &reading->fault);
	}
	free(reading);
	return rc == TR_OK ? reader_pump(self, r) : rc;
}

static const struct tr_job reading_job = {
	.work = reading_work,
	.done = reader_done,
	.drop = free,
};

static int
reader_start(struct tr_self *self, void *state, const void *arg)
{
	const struct reader_arg *a = arg;
	struct reader *r = state;

	(void)self;
	r->load = a->load;
	r->loader = a->loader;
	r->cutter = a->cutter;
	for (size_t i = 0; i < CHUNKS; i++)
		r->empty[r->empty_count++] = &r->load->chunks[i];
	return TR_OK;
}

static int
reader_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct reader *r = state;

	switch (tr_tag(msg)) {
	case PIPE_READ: {
		const struct pipe_read *m = tr_data(msg, sizeof *m);

		r->input = m->input;
		break;
	}
	case PIPE_CHUNK_BACK: {
		const struct pipe_chunk *m = tr_data(msg, sizeof *m);

		r->empty[r->empty_count++] = m->chunk;
		break;
	}
	case PIPE_END_EARLY: r->end_early = true; break;
	case PIPE_HALT: r->halted = true; break;
	case PIPE_WATCH: r->watch = tr_reply_token(self); return TR_OK;
	default: return tr_unhandled(self, msg);
	}
	return reader_pump(self, r);
}

const struct tr_behavior reader_behavior = {
	.name = "reader",
	.state_size = sizeof(struct reader),
	.arg_size = sizeof(struct reader_arg),
	.start = reader_start,
	.receive = reader_receive,
};
