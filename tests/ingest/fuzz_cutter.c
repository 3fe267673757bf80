/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the slicer: the first bytes choose the limit and the piece sizes, the
 * rest is the file.  Batches must follow one another and cover the file, and
 * spans must lie in their batch, one behind the other.
 */
#include "slicer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_batch(const struct batch *b, uint64_t *covered)
{
	size_t at = 0;

	if (b->offset != *covered)
		abort();
	*covered += b->bytes;
	for (size_t i = 0; i < b->span_count; i++) {
		const struct span *s = &b->spans[i];

		if (s->start < at || s->body > s->size ||
		    s->start + s->body > b->raw_size)
			abort();
		at = s->start + s->body;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum slicer_result result = SLICER_HUNGRY;
	struct batch *batch = batch_new();
	uint64_t covered = 0;
	struct slicer s;
	size_t at = 2;

	if (batch == NULL || size < 2) {
		batch_free(batch);
		return 0;
	}
	slicer_init(&s, ',', 0, (size_t)data[0] + 1);
	slicer_give(&s, batch);
	while (result != SLICER_END) {
		size_t n = (size_t)data[1] + 1, left;
		const char *p = (const char *)data + at;

		n = n < size - at ? n : size - at;
		left = n;
		at += n;
		while ((result = slicer_feed(&s, &p, &left, at == size)) !=
		    SLICER_HUNGRY) {
			if (slicer_take(&s) == NULL)
				abort();
			check_batch(batch, &covered);
			batch_clear(batch);
			slicer_give(&s, batch);
			if (result == SLICER_END)
				break;
		}
	}
	if (covered != size - 2)
		abort();
	slicer_fini(&s);
	batch_free(batch);
	return 0;
}
