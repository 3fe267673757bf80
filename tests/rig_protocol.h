/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig_protocol.h - the protocols of the tests of typed messages, shared by two
 * translation units: the test's own and protocol_far.c.
 */
#ifndef TESTS_RIG_PROTOCOL_H
#define TESTS_RIG_PROTOCOL_H

#include <stdatomic.h>

#include <troupe.h>

/* What an upload owns: it counts how often it was dropped. */
struct rig_thing {
	atomic_int drops;
};

void rig_drop(void *payload, size_t size);
void rig_print(const void *payload, size_t size, char *text, size_t room);

#define BANK(MSG, P)                                          \
	MSG(P, deposit, { int64_t cents; })                   \
	MSG(P, transfer, {                                    \
		bank_ref to;                                  \
		int64_t cents, fee; /* a comma, a comment, */ \
		char text[3];                                 \
	})                                                    \
	MSG(P, ping, TR_EMPTY)                                \
	MSG(P, upload, { struct rig_thing *thing; })          \
	MSG(P, ignored, TR_EMPTY)                             \
	MSG(P, balance, { int64_t cents; })
TR_PROTOCOL(bank, BANK, .upload = { .drop = rig_drop },
    .deposit = { .print = rig_print });

#define ATM(MSG, P) MSG(P, card, { uint32_t number; }) MSG(P, eject, TR_EMPTY)
TR_PROTOCOL(atm, ATM);

/* Of the other translation unit: an account, what it thinks of the protocol,
 * and a sender. */
extern const struct tr_behavior far_account;
const struct tr_protocol *far_protocol(void);
int far_deposit(struct tr_self *self, bank_ref to, int64_t cents);

#endif
