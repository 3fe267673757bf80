/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gen_csv ROWS [SEED] - writes a CSV file of people to standard output.
 *
 * The rows are id,user,email,country,amount,ts,note.  Every tenth note is
 * quoted and holds doubled quotes and a comma; the amount is uniform in
 * [0, 1000) with two decimals.  The same ROWS and SEED give the same bytes on
 * every machine, so results of different programs can be compared.
 *
 * Two million rows (149 MB) take well under a second: numbers are formatted
 * by hand into one buffer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BUFFER_BYTES = 1 << 18,
	ROW_BYTES_MAX = 256,
	USERS = 50021,
	FIRST_TS = 1700000000,
};

struct out {
	char bytes[BUFFER_BYTES];
	size_t fill;
};

/* splitmix64: Steele, Lea and Flood, OOPSLA 2014. */
static uint64_t
gen_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void
put_text(struct out *o, const char *text)
{
	size_t size = strlen(text);

	memcpy(o->bytes + o->fill, text, size);
	o->fill += size;
}

static void
put_number(struct out *o, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (n > 0)
		o->bytes[o->fill++] = digits[--n];
}

static void
put_cents(struct out *o, uint64_t cents)
{
	put_number(o, cents / 100);
	o->bytes[o->fill++] = '.';
	o->bytes[o->fill++] = (char)('0' + cents / 10 % 10);
	o->bytes[o->fill++] = (char)('0' + cents % 10);
}

static void
put_row(struct out *o, uint64_t row, uint64_t *random)
{
	static const char *const countries[] = { ",DE,", ",US,", ",FR,", ",JP,",
		",BR,", ",IN,", ",ZA,", ",SE," };

	put_number(o, row);
	put_text(o, ",user");
	put_number(o, row % USERS);
	put_text(o, ",user");
	put_number(o, row % USERS);
	put_text(o, "@example.org");
	put_text(o, countries[row % 8]);
	put_cents(o, gen_random(random) % 100000);
	o->bytes[o->fill++] = ',';
	put_number(o, FIRST_TS + row);
	if (row % 10 == 0) {
		put_text(o, ",\"said \"\"hi\"\", left\"\n");
		return;
	}
	put_text(o, ",plain text ");
	put_number(o, row % 97);
	o->bytes[o->fill++] = '\n';
}

static int
out_flush(struct out *o)
{
	size_t done = 0;

	while (done < o->fill) {
		ssize_t n =
		    write(STDOUT_FILENO, o->bytes + done, o->fill - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	o->fill = 0;
	return 0;
}

static int
parse_number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end != '\0' || errno != 0 ? -1 :
									  0;
}

int
main(int argc, char **argv)
{
	static struct out out;
	uint64_t rows, seed = 7;

	if (argc < 2 || argc > 3 || parse_number(argv[1], &rows) != 0 ||
	    (argc == 3 && parse_number(argv[2], &seed) != 0)) {
		fprintf(stderr, "usage: gen_csv ROWS [SEED] > FILE\n");
		return 2;
	}
	put_text(&out, "id,user,email,country,amount,ts,note\n");
	for (uint64_t row = 0; row < rows; row++) {
		put_row(&out, row, &seed);
		if (out.fill > BUFFER_BYTES - ROW_BYTES_MAX &&
		    out_flush(&out) != 0)
			goto fail_write;
	}
	if (out_flush(&out) == 0)
		return 0;
fail_write:
	fprintf(stderr, "gen_csv: writing: %s\n", strerror(errno));
	return 1;
}
