/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipeline.h - the actors of a load and what they say to each other.
 *
 *             chunks            batches           batches
 *     reader --------> cutter ---------> parsers ---------> writer
 *            <--------                                         |
 *          empty chunks  <-------------------------------------+
 *                                   empty batches
 *
 * The loader, the root, spawns them and tells the reader which file to read.
 * A fixed number of chunks and of batches goes round, which is all the credit
 * there is: the reader reads only into a chunk that came back, the cutter cuts
 * only into a batch that came back.  So a slow database slows the reader down,
 * and memory does not grow with the file.  Batches are numbered, and the
 * writer puts them back into the order of the file.
 *
 * Reading and writing block: the reader and the writer have one blocking call
 * each in flight, and look at what it touches only when it has ended.
 *
 * What goes round lives in struct load, which main() owns, so it does not
 * matter to memory when an actor ends early.  A message lends it to its
 * receiver.
 */
#ifndef INGEST_PIPELINE_H
#define INGEST_PIPELINE_H

#include "batch.h"
#include "database.h"
#include "plan.h"
#include "progress.h"
#include "rejects.h"

#include <troupe.h>

enum {
	CHUNK_BYTES = 1 << 20,
	CHUNKS = 4,
	/* More parsers than this never help: the database is the limit. */
	PARSERS_MAX = 16,
	BATCHES_PER_PARSER = 3,
	BATCHES_MORE = 6,
	BATCHES_MAX = 24, /* whatever the number of parsers */
	/* Cut but not yet written, at most (one batch may be over it). */
	IN_FLIGHT_BYTES_MAX = 24 << 20,
};

enum pipeline_tag {
	PIPE_READ = 1, /* loader to reader: struct pipe_read */
	PIPE_CHUNK, /* reader to cutter: struct pipe_chunk */
	PIPE_CHUNK_BACK, /* cutter to reader: struct pipe_chunk */
	PIPE_CUT, /* cutter to a parser: struct pipe_batch */
	PIPE_PARSER_READY, /* parser to cutter: it is done with one */
	PIPE_PARSED, /* parser to writer: struct pipe_batch */
	PIPE_BATCH_BACK, /* writer to cutter: struct pipe_batch */
	PIPE_WRITTEN, /* writer to loader: struct pipe_written */
	PIPE_FAULT, /* any to loader: struct fault */
	PIPE_END_EARLY, /* loader to reader: the file ends here */
	PIPE_HALT, /* loader to reader and writer: do nothing more */
	PIPE_HALTED, /* their answer: no call is in flight */
	PIPE_WATCH, /* loader asks each: answered by its end */
	PIPE_SIGINT, /* Ctrl-C */
	PIPE_SIGTERM,
	PIPE_TICK, /* the loader's timer */
};

/* A piece of a file. */
struct chunk {
	const struct input *input;
	char *bytes;
	size_t size;
	int64_t read_ns;
	bool final; /* nothing follows */
	bool cut_short; /* final, but not the end of the file */
};

struct pipe_read {
	const struct input *input;
};

struct pipe_chunk {
	struct chunk *chunk;
};

struct pipe_batch {
	struct batch *batch;
	tr_ref home; /* the cutter, to which it returns */
};

/* What a blocking call of the writer has done. */
struct pipe_written {
	uint64_t loaded;
	uint64_t rejected;
	uint64_t filtered;
	uint64_t bytes; /* of the file */
	int64_t read_ns;
	int64_t cut_ns;
	int64_t parse_ns;
	int64_t write_ns;
	bool last; /* the file is done */
};

/* What became of an input; written by the writer's calls only. */
struct result {
	bool begun; /* its table was made or found */
	bool done;
	uint64_t read; /* rows cut */
	uint64_t loaded; /* rows inserted */
	uint64_t rejected;
	uint64_t filtered;
	uint64_t bytes;
	uint64_t *misfits; /* per column: values kept as text */
};

/* The file being read; used by the reader's calls only. */
struct source {
	int fd; /* -1: none */
	uint64_t offset;
};

/* A load; main() makes it before and looks at it after. */
struct load {
	const struct plan *plan;
	struct database database; /* the writer's calls */
	struct rejects rejects; /* likewise */
	struct result *results; /* one for each input */
	struct source source;
	struct chunk chunks[CHUNKS];
	struct batch *batches[BATCHES_MAX];
	size_t batch_count; /* of them in use; set by the loader, ... */
	unsigned parsers; /* ... as this is */

	/* The loader's verdict, for main(). */
	struct fault fault; /* STATUS_OK: none */
	int signal; /* that ended the load early; 0: none */
	struct progress progress;
};

/* Arguments of the actors. */
struct reader_arg {
	struct load *load;
	tr_ref loader;
	tr_ref cutter;
};

struct cutter_arg {
	struct load *load;
	tr_ref parsers[PARSERS_MAX];
};

struct parser_arg {
	struct load *load;
	tr_ref writer;
};

struct writer_arg {
	struct load *load;
	tr_ref loader;
};

extern const struct tr_behavior loader_behavior; /* arg: struct load * */
extern const struct tr_behavior reader_behavior;
extern const struct tr_behavior cutter_behavior;
extern const struct tr_behavior parser_behavior;
extern const struct tr_behavior writer_behavior;

/* Monotonic time for measuring, also in blocking calls. */
int64_t pipeline_now(void);

/* Tell the loader of a fault. */
int pipeline_fail(struct tr_self *self, tr_ref loader,
    const struct fault *fault);

/* Make and free what goes round.  Returns 0, or -1: no memory. */
int load_init(struct load *load, const struct plan *plan);
void load_fini(struct load *load);

#endif
