/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program with a bug, and what its crash leaves behind.
 *
 *     crash [SETTING...]
 *
 * A reader sends settings to a parser, which takes for granted that each has a
 * `=`.  One has not, and the process ends with SIGSEGV; docs/crashes.md reads
 * the report.
 */
#include <stdio.h>
#include <string.h>

#include <troupe.h>

#define CONFIG(MSG, P)                      \
	MSG(P, setting, { char text[24]; }) \
	MSG(P, done, TR_EMPTY)
TR_PROTOCOL(config, CONFIG);

/* ------------------------------------------------------------- parser --- */

struct parser {
	size_t settings;
	size_t bytes; /* of their values */
};

static int
on_setting(struct tr_self *self, struct parser *p,
    const struct config_setting *s)
{
	const char *equals = strchr(s->text, '=');

	(void)self;
	p->bytes += strlen(equals + 1); /* the bug */
	p->settings++;
	return TR_OK;
}

static int
on_done(struct tr_self *self, struct parser *p)
{
	printf("%zu settings, %zu bytes\n", p->settings, p->bytes);
	return tr_system_stop(tr_system_of(self), tr_forever());
}

TR_ACTOR(parser, struct parser, config, CONFIG, .setting = on_setting,
    .done = on_done);

static const struct tr_behavior parser = {
	.name = "parser",
	.state_size = sizeof(struct parser),
	.receive = parser_receive,
	.protocol = &config_protocol,
};

/* ------------------------------------------------------------- reader --- */

static const char *const builtin[] = { "host=localhost", "port=8080", "verbose",
	"user=nobody", NULL };

static int
reader_start(struct tr_self *self, void *state, const void *arg)
{
	const char *const *text = arg;
	config_ref to = config_of(tr_spawn(self, &parser, NULL, NULL));

	(void)state;
	for (; *text != NULL; text++) {
		struct config_setting s = { "" };

		(void)snprintf(s.text, sizeof(s.text), "%s", *text);
		if (config_send_setting(self, to, s) != TR_OK)
			return TR_ENOMEM;
	}
	return config_send_done(self, to);
}

static int
reader_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior reader = {
	.name = "reader",
	.start = reader_start,
	.receive = reader_receive,
};

int
main(int argc, char **argv)
{
	const struct tr_options options = {
		.workers = 2,
		.fault_report = true,
		.fault_messages = 64,
	};
	const char *const *settings =
	    argc > 1 ? (const char *const *)argv + 1 : builtin;

	return tr_run(&reader, settings, &options) == TR_OK ? 0 : 1;
}
