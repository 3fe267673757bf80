/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bank whose accounts transfer money to each other.  Nothing here, nor in
 * bank.c, knows that it may be simulated.
 */
#ifndef BANK_SIM_BANK_H
#define BANK_SIM_BANK_H

#include <troupe.h>

/* What accounts are told.  `number` names a transfer: its deposit may be asked
 * for again when no answer came, and counts once. */
#define BANK(MSG, P)             \
	MSG(P, transfer, {       \
		bank_ref to;     \
		uint32_t number; \
		int64_t cents;   \
	})                       \
	MSG(P, deposit, {        \
		uint32_t number; \
		int64_t cents;   \
	})                       \
	MSG(P, show, TR_EMPTY)   \
	MSG(P, balance, { int64_t cents; })

/* For dumps and traces. */
void bank_print(const void *payload, size_t size, char *text, size_t room);
TR_PROTOCOL(bank, BANK, .deposit = { .print = bank_print },
    .balance = { .print = bank_print });

/* Spawned with its opening balance, int64_t cents. */
extern const struct tr_behavior account_behavior;

#endif
