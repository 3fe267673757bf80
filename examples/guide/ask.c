/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Five asks, and five ways in which an ask ends.
 */
#include <stdio.h>
#include <string.h>

#include <troupe.h>

enum { LOOK_UP, MEANING, NEXT };

/* -------------------------------------------------------- dictionary ---- */

struct dictionary {
	tr_token owed; /* an answer that we never give */
};

static int
dictionary_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	static const char meaning[] = "a small worker";
	struct dictionary *d = state;
	const char *word = tr_data(msg, 1);

	if (tr_tag(msg) != LOOK_UP || word == NULL)
		return tr_unhandled(self, msg);
	if (strcmp(word, "ant") == 0)
		return tr_reply(self, msg, MEANING, meaning, sizeof(meaning));
	if (strcmp(word, "42") == 0)
		return tr_reply_error(self, msg, TR_EINVAL);
	if (strcmp(word, "gnu") == 0)
		d->owed = tr_reply_token(self);
	return TR_OK;
}

static const struct tr_behavior dictionary = {
	.name = "dictionary",
	.state_size = sizeof(struct dictionary),
	.receive = dictionary_receive,
};

/* ------------------------------------------------------------ reader ---- */

struct reader {
	tr_ref dictionary;
	size_t asked;
};

static const struct question {
	const char *word;
	int64_t patience_ns;
} questions[] = {
	{ "ant", TR_SECONDS(60) },
	{ "42", TR_SECONDS(60) },
	{ "bee", TR_SECONDS(60) },
	{ "gnu", TR_MS(50) },
	{ "dodo", TR_SECONDS(60) },
};

static int
on_meaning(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const char *word = questions[cookie].word;

	(void)state;
	if (outcome == TR_OK)
		printf("%s: %s\n", word, (const char *)tr_data(answer, 1));
	else
		printf("%s: (%s)\n", word, tr_strerror(outcome));
	return tr_send(self, tr_self_ref(self), NEXT, NULL, 0);
}

static int
reader_ask(struct tr_self *self, struct reader *r)
{
	const struct question *q = &questions[r->asked];

	if (tr_ask(self, r->dictionary, LOOK_UP, q->word, strlen(q->word) + 1,
		tr_in(self, q->patience_ns), on_meaning, r->asked) == 0)
		return TR_ENOMEM;
	r->asked++;
	return TR_OK;
}

static int
reader_start(struct tr_self *self, void *state, const void *arg)
{
	struct reader *r = state;

	(void)arg;
	r->dictionary = tr_spawn(self, &dictionary, NULL, NULL);
	if (!tr_ref_valid(r->dictionary))
		return TR_ENOMEM;
	return tr_send(self, tr_self_ref(self), NEXT, NULL, 0);
}

static int
reader_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct reader *r = state;

	if (tr_tag(msg) != NEXT)
		return tr_unhandled(self, msg);
	if (r->asked == sizeof(questions) / sizeof(questions[0]))
		return tr_exit(self, TR_NORMAL);
	if (strcmp(questions[r->asked].word, "dodo") == 0)
		tr_kill(self, r->dictionary);
	return reader_ask(self, r);
}

static const struct tr_behavior reader = {
	.name = "reader",
	.state_size = sizeof(struct reader),
	.start = reader_start,
	.receive = reader_receive,
};

int
main(void)
{
	return tr_run(&reader, NULL, NULL) == TR_OK ? 0 : 1;
}
