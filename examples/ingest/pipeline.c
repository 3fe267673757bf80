/* SPDX-License-Identifier: BSD-2-Clause */
/* pipeline.c - what the actors of the load share; see pipeline.h. */
#include "pipeline.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int64_t
pipeline_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int
pipeline_fail(struct tr_self *self, tr_ref loader, const struct fault *fault)
{
	return tr_send(self, loader, PIPE_FAULT, fault, sizeof *fault);
}

static int
load_make_results(struct load *load, const struct plan *plan)
{
	load->results = calloc(plan->count, sizeof *load->results);
	for (size_t i = 0; load->results != NULL && i < plan->count; i++) {
		struct result *r = &load->results[i];

		r->misfits = calloc(plan->inputs[i].recipe.column_count,
		    sizeof *r->misfits);
		if (r->misfits == NULL)
			return -1;
	}
	return load->results != NULL ? 0 : -1;
}

int
load_init(struct load *load, const struct plan *plan)
{
	load->plan = plan;
	load->source.fd = -1;
	for (size_t i = 0; i < CHUNKS; i++) {
		load->chunks[i].bytes = malloc(CHUNK_BYTES);
		if (load->chunks[i].bytes == NULL)
			return -1;
	}
	for (size_t i = 0; i < BATCHES_MAX; i++) {
		load->batches[i] = batch_new();
		if (load->batches[i] == NULL)
			return -1;
	}
	return load_make_results(load, plan);
}

void
load_fini(struct load *load)
{
	for (size_t i = 0; i < CHUNKS; i++)
		free(load->chunks[i].bytes);
	for (size_t i = 0; i < BATCHES_MAX; i++)
		batch_free(load->batches[i]);
	for (size_t i = 0; load->results != NULL && i < load->plan->count; i++)
		free(load->results[i].misfits);
	free(load->results);
	if (load->source.fd >= 0)
		close(load->source.fd);
	rejects_end(&load->rejects);
}
