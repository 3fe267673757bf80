/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first actor: it sends itself a message, handles it and ends.
 *
 *     guide_first [NAME]
 */
#include <stdio.h>
#include <string.h>

#include <troupe.h>

enum { GREET };

static int
greeter_start(struct tr_self *self, void *state, const void *arg)
{
	(void)state;
	return tr_send(self, tr_self_ref(self), GREET, arg, strlen(arg) + 1);
}

static int
greeter_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	printf("hello, %s\n", (const char *)tr_data(msg, 0));
	return tr_exit(self, TR_NORMAL);
}

static const struct tr_behavior greeter = {
	.name = "greeter",
	.start = greeter_start,
	.receive = greeter_receive,
};

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "world";

	return tr_run(&greeter, name, NULL) == TR_OK ? 0 : 1;
}
