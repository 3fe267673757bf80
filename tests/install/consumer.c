/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user of the installed library: two actors, an ask, an exit code.
 */
#include <stdio.h>

#include <troupe.h>

enum { DOUBLE, DOUBLED };

static int
doubler_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const int *number = tr_data(msg, sizeof(*number));
	int twice;

	(void)state;
	if (tr_tag(msg) != DOUBLE || number == NULL)
		return tr_unhandled(self, msg);
	twice = *number * 2;
	return tr_reply(self, msg, DOUBLED, &twice, sizeof(twice));
}

static const struct tr_behavior doubler = {
	.name = "doubler",
	.receive = doubler_receive,
};

static int
on_doubled(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const int *number;

	(void)state, (void)cookie;
	if (outcome != TR_OK)
		return outcome;
	number = tr_data(answer, sizeof(*number));
	if (number == NULL || *number != 42)
		return tr_fail(self, TR_EINVAL, "not 42");
	printf("consumer: %d, troupe %d.%d.%d\n", *number, TR_VERSION_MAJOR,
	    TR_VERSION_MINOR, TR_VERSION_PATCH);
	return tr_exit(self, TR_NORMAL);
}

static int
asker_start(struct tr_self *self, void *state, const void *arg)
{
	int number = *(const int *)arg;
	tr_ref ref = tr_spawn(self, &doubler, NULL, NULL);

	(void)state;
	if (!tr_ref_valid(ref))
		return TR_ENOMEM;
	if (tr_ask(self, ref, DOUBLE, &number, sizeof(number),
		tr_in(self, TR_SECONDS(60)), on_doubled, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

static int
asker_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_unhandled(self, msg);
}

static const struct tr_behavior asker = {
	.name = "asker",
	.arg_size = sizeof(int),
	.start = asker_start,
	.receive = asker_receive,
};

int
main(void)
{
	int number = 21;

	return tr_run(&asker, &number, NULL) == TR_OK ? 0 : 1;
}
