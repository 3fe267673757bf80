/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protocol_far.c - the second translation unit of the tests of typed messages.
 */
#include <stdio.h>

#include "rig_protocol.h"

void
rig_drop(void *payload, size_t size)
{
	struct bank_upload *upload = payload;

	if (size == sizeof(*upload))
		atomic_fetch_add(&upload->thing->drops, 1);
}

void
rig_print(const void *payload, size_t size, char *text, size_t room)
{
	const struct bank_deposit *deposit = payload;

	(void)size;
	snprintf(text, room, "of %lld cents", (long long)deposit->cents);
}

struct far_account {
	int64_t cents;
};

static int
on_deposit(struct tr_self *self, struct far_account *a,
    const struct bank_deposit *m)
{
	a->cents += m->cents;
	return bank_reply_balance(self,
	    (struct bank_balance){ .cents = a->cents });
}

TR_ACTOR(far_account, struct far_account, bank, BANK, .deposit = on_deposit);

const struct tr_behavior far_account = {
	.name = "far account",
	.state_size = sizeof(struct far_account),
	.receive = far_account_receive,
	.protocol = &bank_protocol,
};

const struct tr_protocol *
far_protocol(void)
{
	return &bank_protocol;
}

int
far_deposit(struct tr_self *self, bank_ref to, int64_t cents)
{
	return bank_send_deposit(self, to,
	    (struct bank_deposit){ .cents = cents });
}
