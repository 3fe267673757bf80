/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parsing.c - the actors that turn bytes into typed rows, in parallel.
 *
 * A parser has no state but its tools: any of them can take any batch, and
 * idle workers take parsers over from busy ones.
 */
#include "parse.h"
#include "pipeline.h"

struct parser_actor {
	struct load *load;
	tr_ref writer;
	tr_token watch;
	const struct input *input; /* that the tools are made for */
	struct parser tools;
};

static void
parser_drop_tools(struct parser_actor *p)
{
	if (p->input != NULL)
		parser_fini(&p->tools);
	p->input = NULL;
}

static int
parser_take_tools(struct parser_actor *p, const struct input *input)
{
	if (p->input == input)
		return 0;
	parser_drop_tools(p);
	if (parser_init(&p->tools, &input->recipe,
		p->load->plan->options->delimiter) != 0)
		return -1;
	p->input = input;
	return 0;
}

static int
parser_parse(struct tr_self *self, struct parser_actor *p,
    const struct tr_msg *msg)
{
	const struct pipe_batch *m = tr_data(msg, sizeof *m);
	int64_t start = pipeline_now();

	if (parser_take_tools(p, m->batch->input) != 0 ||
	    parse_batch(&p->tools, m->batch) != 0)
		return tr_fail(self, TR_ENOMEM, "parsing a batch");
	m->batch->parse_ns = pipeline_now() - start;
	tr_send(self, p->writer, PIPE_PARSED, m, sizeof *m);
	return tr_reply(self, msg, PIPE_PARSER_READY, NULL, 0);
}

static int
parser_start(struct tr_self *self, void *state, const void *arg)
{
	const struct parser_arg *a = arg;
	struct parser_actor *p = state;

	(void)self;
	p->load = a->load;
	p->writer = a->writer;
	return TR_OK;
}

static int
parser_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct parser_actor *p = state;

	switch (tr_tag(msg)) {
	case PIPE_CUT: return parser_parse(self, p, msg);
	case PIPE_WATCH: p->watch = tr_reply_token(self); return TR_OK;
	default: return tr_unhandled(self, msg);
	}
}

static void
parser_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	parser_drop_tools(state);
}

const struct tr_behavior parser_behavior = {
	.name = "parser",
	.state_size = sizeof(struct parser_actor),
	.arg_size = sizeof(struct parser_arg),
	.start = parser_start,
	.receive = parser_receive,
	.stop = parser_stop,
};
