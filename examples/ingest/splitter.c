/* SPDX-License-Identifier: BSD-2-Clause */
/* splitter.c - see splitter.h. */
#include "splitter.h"

/* Libcsv's buffer grows by this much, and is given back beyond the second. */
enum { SPLITTER_BLOCK_BYTES = 64 << 10, SPLITTER_KEEP_BYTES = 1 << 20 };

static int
splitter_is_never_blank(unsigned char c)
{
	(void)c;
	return 0;
}

static void
splitter_field(void *data, size_t size, void *arg)
{
	struct splitter *s = arg;
	const char *copy;

	if (s->count++ >= s->room)
		return;
	copy = arena_copy(s->arena, data, size);
	if (copy == NULL)
		s->no_memory = true;
	else
		s->fields[s->count - 1] = value_text(copy, size);
}

static int
splitter_setup(struct splitter *s, unsigned char delimiter)
{
	if (csv_init(&s->csv, 0) != 0)
		return -1;
	csv_set_delim(&s->csv, delimiter);
	csv_set_space_func(&s->csv, splitter_is_never_blank);
	csv_set_blk_size(&s->csv, SPLITTER_BLOCK_BYTES);
	return 0;
}

int
splitter_init(struct splitter *s, char delimiter)
{
	*s = (struct splitter){ .count = 0 };
	return splitter_setup(s, (unsigned char)delimiter);
}

void
splitter_fini(struct splitter *s)
{
	csv_free(&s->csv);
}

int
splitter_row(struct splitter *s, const char *row, size_t body, size_t size,
    struct value *fields, size_t room, struct arena *arena)
{
	unsigned char delimiter = csv_get_delim(&s->csv);

	s->arena = arena;
	s->fields = fields;
	s->room = room;
	s->count = 0;
	s->no_memory = false;
	if (csv_parse(&s->csv, row, size, splitter_field, NULL, s) != size)
		return -1;
	if (size == body && csv_fini(&s->csv, splitter_field, NULL, s) != 0)
		return -1;
	if (csv_get_buffer_size(&s->csv) > SPLITTER_KEEP_BYTES) {
		csv_free(&s->csv);
		if (splitter_setup(s, delimiter) != 0)
			return -1;
	}
	return s->no_memory ? -1 : 0;
}
