/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bank of examples/bank, with accounts that crash.
 *
 * The accounts are children of the branch, a simple_one_for_one supervisor: the
 * office opens them while the bank runs.  An account that crashes is started
 * again and is the same actor, so everybody's reference to it stays good, and a
 * deposit that waits in its mailbox is not lost.  What is lost is its state, at
 * any moment of a transfer; so that no cent is lost with it,
 *
 * - an account writes into its page, which outlives it, what it is about to do
 *   before it does it, and a new life goes on with that;
 * - who gets no answer asks again, under the same number, and each account
 *   knows the last number of each teller, so nothing is done twice.
 *
 *     bank_supervised [TRANSFERS [CRASH_PERCENT]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <troupe.h>

enum {
	ACCOUNTS = 20,
	TELLERS = 4,
	OPENING = 10000, /* cents */
	AGAIN = 1, /* a tick: ask once more */
};

/* --------------------------------------------------------- protocols ---- */

/* `number` counts the transfers of a teller.  A deposit has the number of the
 * transfer that it is a part of. */
#define BANK(MSG, P)                     \
	MSG(P, transfer, {               \
		bank_ref to;             \
		uint32_t teller, number; \
		int64_t cents;           \
	})                               \
	MSG(P, deposit, {                \
		uint32_t teller, number; \
		int64_t cents;           \
	})                               \
	MSG(P, show, TR_EMPTY)           \
	MSG(P, balance, { int64_t cents; })
TR_PROTOCOL(bank, BANK);

#define OFFICE(MSG, P) MSG(P, done, { int transfers, refused, repeated; })
TR_PROTOCOL(office, OFFICE);

/* ------------------------------------------------------------- pages ---- */

/* What is known of an account whatever becomes of the actor.  Only the account
 * writes on it. */
struct page {
	int64_t cents;
	struct {
		struct bank_transfer is; /* the last one of this teller */
		bool under_way; /* it has left and may not have arrived */
	} out[TELLERS];
	uint32_t in[TELLERS]; /* the last deposit's number */
};

static struct page book[ACCOUNTS];
static unsigned crash_percent = 2;

/* In a simulation the bytes are the seed's. */
static bool
crashes(struct tr_self *self)
{
	uint32_t lot;

	tr_entropy(tr_system_of(self), &lot, sizeof(lot));
	return lot % 100 < crash_percent;
}

/* ----------------------------------------------------------- account ---- */

struct account {
	struct page *page;
	tr_token teller[TELLERS]; /* who waits for out[] */
};

static int
on_deposited(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t teller)
{
	struct account *a = state;

	(void)outcome;
	if (!bank_is_balance(answer)) /* nobody knows whether it has arrived */
		return tr_after(self, TR_MS(2), AGAIN, teller) != 0 ? TR_OK :
								      TR_ENOMEM;
	a->page->out[teller].under_way = false;
	if (crashes(self))
		return tr_fail(self, TR_EINVAL, "after a deposit");
	if (a->teller[teller].bits == 0) /* who asked was before this life */
		return TR_OK;
	return bank_token_reply_balance(self, &a->teller[teller],
	    (struct bank_balance){ a->page->cents });
}

static int
account_deposit(struct tr_self *self, struct account *a, uintptr_t teller)
{
	const struct bank_transfer *is = &a->page->out[teller].is;

	return bank_ask_deposit(self, is->to,
		   (struct bank_deposit){ is->teller, is->number, is->cents },
		   tr_in(self, TR_SECONDS(1)), on_deposited, teller) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

static int
account_start(struct tr_self *self, void *state, const void *arg)
{
	struct account *a = state;
	uintptr_t i;
	int error = TR_OK;

	a->page = *(struct page *const *)arg;
	for (i = 0; i < TELLERS && error == TR_OK; i++)
		if (a->page->out[i].under_way)
			error = account_deposit(self, a, i);
	return error;
}

static int
on_transfer(struct tr_self *self, struct account *a,
    const struct bank_transfer *m)
{
	struct page *p = a->page;

	if (m->number == p->out[m->teller].is.number) {
		if (!p->out[m->teller].under_way)
			return bank_reply_balance(self,
			    (struct bank_balance){ p->cents });
		/* The former try, if this life had it, has run out of time. */
		(void)tr_token_reply_error(self, &a->teller[m->teller],
		    TR_ECANCELED);
		a->teller[m->teller] = tr_reply_token(self);
		return TR_OK;
	}
	if (m->cents <= 0 || m->cents > p->cents)
		return tr_reply_error(self, tr_msg_in_hand(self), TR_EINVAL);
	p->cents -= m->cents;
	p->out[m->teller].is = *m;
	p->out[m->teller].under_way = true;
	if (crashes(self))
		return tr_fail(self, TR_EINVAL, "before a deposit");
	a->teller[m->teller] = tr_reply_token(self);
	return account_deposit(self, a, m->teller);
}

static int
on_deposit(struct tr_self *self, struct account *a,
    const struct bank_deposit *m)
{
	struct page *p = a->page;

	if (p->in[m->teller] < m->number) {
		p->in[m->teller] = m->number;
		p->cents += m->cents;
		if (crashes(self))
			return tr_fail(self, TR_EINVAL, "in a deposit");
	}
	return bank_reply_balance(self, (struct bank_balance){ p->cents });
}

static int
on_show(struct tr_self *self, struct account *a)
{
	return bank_reply_balance(self,
	    (struct bank_balance){ a->page->cents });
}

static int
on_tick(struct tr_self *self, struct account *a, const struct tr_msg *msg)
{
	const struct tr_tick *tick = tr_data(msg, sizeof(*tick));

	if (tr_tag(msg) != AGAIN || tick == NULL)
		return tr_unhandled(self, msg);
	return account_deposit(self, a, (uintptr_t)tick->cookie);
}

TR_ACTOR(account, struct account, bank, BANK, .transfer = on_transfer,
    .deposit = on_deposit, .show = on_show, .other = on_tick);

static const struct tr_behavior account_behavior = {
	.name = "account",
	.state_size = sizeof(struct account),
	.arg_size = sizeof(struct page *),
	.start = account_start,
	.receive = account_receive,
	.protocol = &bank_protocol,
};

static const struct tr_child account[] = {
	{ .id = "account", .behavior = &account_behavior },
};

static const struct tr_supervisor branch = {
	.name = "branch",
	.strategy = TR_SIMPLE_ONE_FOR_ONE,
	.intensity = TR_INTENSITY_MAX,
	.period_ns = TR_SECONDS(1),
	TR_CHILDREN(account),
};

/* ------------------------------------------------------------ teller ---- */

struct plan {
	office_ref office;
	bank_ref account[ACCOUNTS];
	uint32_t transfers; /* to make */
	uint32_t teller; /* 0 to TELLERS - 1 */
};

struct teller {
	struct plan plan;
	struct bank_transfer now;
	uint32_t from, seed;
	struct office_done done;
};

static uint32_t
teller_random(struct teller *t, uint32_t below)
{
	t->seed = t->seed * 1664525u + 1013904223u;
	return (t->seed >> 8) % below;
}

static int
teller_ask(struct tr_self *self, struct teller *t, tr_answer_fn *answered)
{
	return bank_ask_transfer(self, t->plan.account[t->from], t->now,
		   tr_in(self, TR_SECONDS(1)), answered, 0) != 0 ?
	    TR_OK :
	    TR_ENOMEM;
}

/* The next transfer, between two different accounts; or the end. */
static int
teller_next(struct tr_self *self, struct teller *t, tr_answer_fn *answered)
{
	uint32_t to;

	if (t->now.number == t->plan.transfers) {
		office_send_done(self, t->plan.office, t->done);
		return tr_exit(self, TR_NORMAL);
	}
	t->from = teller_random(t, ACCOUNTS);
	to = (t->from + 1 + teller_random(t, ACCOUNTS - 1)) % ACCOUNTS;
	t->now = (struct bank_transfer){
		.to = t->plan.account[to],
		.teller = t->plan.teller,
		.number = t->now.number + 1,
		.cents = 1 + teller_random(t, OPENING / 2),
	};
	return teller_ask(self, t, answered);
}

static int
on_transferred(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct teller *t = state;

	(void)cookie;
	if (!bank_is_balance(answer) && outcome != TR_EINVAL) {
		t->done.repeated++;
		return tr_after(self, TR_MS(1), AGAIN, 0) != 0 ? TR_OK :
								 TR_ENOMEM;
	}
	t->done.transfers += bank_is_balance(answer);
	t->done.refused += !bank_is_balance(answer);
	return teller_next(self, t, on_transferred);
}

static int
teller_start(struct tr_self *self, void *state, const void *arg)
{
	struct teller *t = state;

	t->plan = *(const struct plan *)arg;
	t->seed = t->plan.teller + 1;
	return teller_next(self, t, on_transferred);
}

static int
teller_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	return tr_tag(msg) == AGAIN ? teller_ask(self, state, on_transferred) :
				      tr_unhandled(self, msg);
}

static const struct tr_behavior teller_behavior = {
	.name = "teller",
	.state_size = sizeof(struct teller),
	.arg_size = sizeof(struct plan),
	.start = teller_start,
	.receive = teller_receive,
};

/* ------------------------------------------------------------ office ---- */

struct office {
	int transfers; /* to make */
	tr_ref branch;
	struct plan plan;
	int opened, tellers, shown;
	struct office_done done;
	int64_t cents;
};

static int
on_shown(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct bank_balance *balance = bank_get_balance(answer);
	const int64_t opening = (int64_t)ACCOUNTS * OPENING;
	struct office *o = state;
	struct tr_stats stats;

	(void)cookie;
	if (balance == NULL)
		return tr_fail(self, outcome, "an account is lost");
	o->cents += balance->cents;
	if (++o->shown < ACCOUNTS)
		return TR_OK;
	tr_stats(tr_system_of(self), &stats);
	printf("%d transfers, %d refused, %d asked again, %" PRIu64
	       " restarts; %d accounts opened with %" PRId64
	       " cents, closed with %" PRId64 "\n",
	    o->done.transfers, o->done.refused, o->done.repeated,
	    stats.restarted, o->shown, opening, o->cents);
	if (o->cents != opening)
		return tr_fail(self, TR_EINVAL, "money was made or lost");
	return tr_exit(self, TR_NORMAL);
}

/* A teller has answers to all that it asked for, so nothing is under way. */
static int
on_done(struct tr_self *self, struct office *o, const struct office_done *m)
{
	int i;

	o->done.transfers += m->transfers;
	o->done.refused += m->refused;
	o->done.repeated += m->repeated;
	if (--o->tellers > 0)
		return TR_OK;
	for (i = 0; i < ACCOUNTS; i++)
		if (bank_ask_show(self, o->plan.account[i], tr_forever(),
			on_shown, 0) == 0)
			return TR_ENOMEM;
	return TR_OK;
}

TR_ACTOR(office, struct office, office, OFFICE, .done = on_done);

static int
office_hire(struct tr_self *self, struct office *o)
{
	uint32_t i;

	o->plan.office = office_of(tr_self_ref(self));
	for (i = 0; i < TELLERS; i++) {
		o->plan.teller = i;
		o->plan.transfers = ((uint32_t)o->transfers + i) / TELLERS;
		if (!tr_ref_valid(
			tr_spawn(self, &teller_behavior, &o->plan, NULL)))
			return TR_ENOMEM;
		o->tellers++;
	}
	return TR_OK;
}

static int
on_opened(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct tr_child_info info;
	struct office *o = state;
	int error = tr_child_result(outcome, answer, &info);

	if (error != TR_OK)
		return tr_fail(self, error, "account %d", (int)cookie);
	o->plan.account[cookie] = bank_of(info.ref);
	return ++o->opened < ACCOUNTS ? TR_OK : office_hire(self, o);
}

static int
office_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_spawn_options linked = { .link = true };
	struct office *o = state;
	uintptr_t i;

	o->transfers = *(const int *)arg;
	o->branch = tr_supervisor_spawn(self, &branch, &linked);
	for (i = 0; i < ACCOUNTS; i++) {
		struct page *page = &book[i];
		struct tr_child child = { .id = "account",
			.arg = &page,
			.behavior = &account_behavior };

		page->cents = OPENING;
		if (tr_supervisor_start_child(self, o->branch, &child,
			tr_forever(), on_opened, i) == 0)
			return TR_ENOMEM;
	}
	return TR_OK;
}

static const struct tr_behavior office_behavior = {
	.name = "office",
	.state_size = sizeof(struct office),
	.arg_size = sizeof(int),
	.start = office_start,
	.receive = office_receive,
	.protocol = &office_protocol,
};

/* Failures are what this program is about; it does not want each in a line. */
static void
log_nothing(enum tr_log_level level, const char *text, void *ctx)
{
	(void)level, (void)text, (void)ctx;
}

int
main(int argc, char **argv)
{
	struct tr_options options = { .log = log_nothing };
	int transfers = argc > 1 ? atoi(argv[1]) : 5000;

	int rc;

	if (argc > 2)
		crash_percent = (unsigned)atoi(argv[2]);
	if (transfers < 1 || crash_percent > 50) {
		fprintf(stderr,
		    "usage: bank_supervised [TRANSFERS, at least 1 "
		    "[CRASH_PERCENT, 0 to 50]]\n");
		return 2;
	}
	rc = tr_run(&office_behavior, &transfers, &options);
	if (rc != TR_OK)
		printf("the office failed: %s\n", tr_strerror(rc));
	return rc == TR_OK ? 0 : 1;
}
