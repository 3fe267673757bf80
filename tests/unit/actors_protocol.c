/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed messages: what a protocol declares, that each of its functions brings
 * its message, and what a typed actor makes of those that do not fit.
 */
#include "kit.h"
#include "rig_protocol.h"

/* ------------------------------------------------------- descriptors --- */

static void
the_descriptor_says_what_the_list_says(void **unused)
{
	const struct tr_message_type *t = bank_protocol.types;
	static const char *const name[] = { "deposit", "transfer", "ping",
		"upload", "ignored", "balance" };
	const size_t size[] = { sizeof(int64_t), sizeof(struct bank_transfer),
		0, sizeof(void *), 0, sizeof(int64_t) };

	(void)unused;
	assert_string_equal(bank_protocol.name, "bank");
	assert_int_equal(bank_protocol.count, 6);
	assert_int_equal(bank_protocol.first, bank_tag_deposit);
	for (uint32_t i = 0; i < 6; i++) {
		assert_string_equal(t[i].name, name[i]);
		assert_int_equal(t[i].size, size[i]);
		assert_int_equal(t[i].tag, bank_protocol.first + i);
		assert_ptr_equal(tr_protocol_find(&bank_protocol, t[i].tag),
		    &t[i]);
		assert_true((t[i].traits->drop != NULL) ==
		    (t[i].tag == bank_tag_upload));
		assert_true((t[i].traits->print != NULL) ==
		    (t[i].tag == bank_tag_deposit));
		assert_null(t[i].traits->encode);
		assert_null(t[i].traits->decode);
	}
	assert_int_equal(bank_tag_balance, bank_protocol.first + 5);
	assert_string_equal(tr_protocol_name(&bank_protocol, bank_tag_ping),
	    "ping");
	assert_null(tr_protocol_name(&bank_protocol, bank_tag_deposit - 1));
	assert_null(tr_protocol_name(&bank_protocol, bank_tag_balance + 1));
	assert_null(tr_protocol_name(&bank_protocol, 0));
	assert_null(tr_protocol_name(&bank_protocol, UINT32_MAX));
	assert_null(tr_protocol_name(&bank_protocol, atm_tag_eject));
	assert_null(tr_protocol_name(NULL, bank_tag_ping));
	assert_null(tr_protocol_find(NULL, bank_tag_ping));
}

#define ONE(MSG, P) MSG(P, only, TR_EMPTY)
TR_PROTOCOL(a, ONE);
TR_PROTOCOL(b, ONE);
TR_PROTOCOL(ab, ONE);
TR_PROTOCOL(ba, ONE);
TR_PROTOCOL(aa, ONE);
TR_PROTOCOL(log, ONE);
TR_PROTOCOL(job, ONE);
TR_PROTOCOL(name, ONE);
TR_PROTOCOL(mane, ONE);
TR_PROTOCOL(stream, ONE);
TR_PROTOCOL(streams, ONE);
TR_PROTOCOL(http_client, ONE);
TR_PROTOCOL(http_server, ONE);
TR_PROTOCOL(store_v1, ONE);
TR_PROTOCOL(store_v2, ONE);
TR_PROTOCOL(very_long_name_of_one, ONE);
TR_PROTOCOL(very_long_name_of_them_all, ONE);

static void
tags_of_protocols_are_apart_and_low_ones_stay_free(void **unused)
{
	const uint32_t first[] = { a_tag_only, b_tag_only, ab_tag_only,
		ba_tag_only, aa_tag_only, log_tag_only, job_tag_only,
		name_tag_only, mane_tag_only, stream_tag_only, streams_tag_only,
		store_v1_tag_only, store_v2_tag_only, http_client_tag_only,
		http_server_tag_only, very_long_name_of_one_tag_only,
		very_long_name_of_them_all_tag_only, bank_tag_deposit,
		atm_tag_card };

	(void)unused;
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++) {
		assert_true(first[i] >= UINT32_C(1) << 30);
		assert_true(first[i] <= (uint32_t)INT32_MAX - 255);
		for (size_t j = 0; j < i; j++)
			assert_true(first[i] >= first[j] + 256 ||
			    first[j] >= first[i] + 256);
	}
}

static void
two_translation_units_agree(void **unused)
{
	const struct tr_protocol *far = far_protocol();

	(void)unused;
	assert_string_equal(far->name, bank_protocol.name);
	assert_int_equal(far->first, bank_protocol.first);
	assert_int_equal(far->count, bank_protocol.count);
	for (uint32_t i = 0; i < far->count; i++) {
		assert_string_equal(far->types[i].name,
		    bank_protocol.types[i].name);
		assert_int_equal(far->types[i].size,
		    bank_protocol.types[i].size);
	}
}

/* ---------------------------------------------------- every function --- */

enum { RAW = 7, ANSWERS = 5 };

struct book {
	bank_ref account;
	int64_t cents;
	int deposits, transfers, pings, others;
	struct tr_msg *kept;
	int refused; /* answers that could not be given, as they should */

	/* What the client saw. */
	int balances, pongs, tries, is_wrong;
	int64_t balance; /* the last */
	int outcome[ANSWERS];
	int64_t answer[ANSWERS];
	int answers;
};

struct account {
	struct book *book;
};

static int
on_deposit(struct tr_self *self, struct account *a,
    const struct bank_deposit *m)
{
	a->book->deposits++;
	a->book->cents += m->cents;
	return bank_reply_balance(self,
	    (struct bank_balance){ .cents = a->book->cents });
}

/* Taken, and answered at the next ping. */
static int
on_transfer(struct tr_self *self, struct account *a,
    const struct bank_transfer *m)
{
	a->book->transfers++;
	a->book->cents -= m->cents + m->fee;
	if (strcmp(m->text, "hi") != 0 ||
	    !tr_ref_equal(m->to.ref, a->book->account.ref))
		a->book->is_wrong++;
	a->book->kept = tr_take(self, tr_msg_in_hand(self));
	/* Nothing is in hand any more. */
	a->book->refused += bank_reply_ping(self) == TR_EINVAL;
	a->book->refused +=
	    bank_reply_balance(self, (struct bank_balance){ 0 }) == TR_EINVAL;
	return TR_OK;
}

/* Three ways to answer. */
static int
on_ping(struct tr_self *self, struct account *a)
{
	struct tr_msg *msg;
	tr_token token;

	if (a->book->kept != NULL) {
		(void)bank_reply_to_balance(self, a->book->kept,
		    (struct bank_balance){ .cents = a->book->cents });
		tr_msg_drop(&a->book->kept);
	}
	switch (a->book->pings++ % 3) {
	case 0: return bank_reply_ping(self);
	case 1:
		msg = tr_take(self, tr_msg_in_hand(self));
		(void)bank_reply_to_ping(self, msg);
		tr_msg_drop(&msg);
		return TR_OK;
	default:
		token = tr_reply_token(self);
		if (token.bits == 0)
			return bank_reply_ping(self);
		(void)bank_token_reply_ping(self, &token);
		a->book->refused +=
		    bank_token_reply_ping(self, &token) == TR_EINVAL;
		return TR_OK;
	}
}

TR_ACTOR(account, struct account, bank, BANK, .deposit = on_deposit,
    .transfer = on_transfer, .ping = on_ping);

static const struct tr_behavior account = {
	.name = "account",
	.state_size = sizeof(struct account),
	.start = kit_start_ctx,
	.receive = account_receive,
	.protocol = &bank_protocol,
};

static int
client_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	const struct bank_balance *balance = bank_get_balance(answer);
	struct book *b = kit_ctx(state);

	b->outcome[cookie] = outcome;
	b->answer[cookie] = balance != NULL ? balance->cents :
	    bank_is_ping(answer)            ? -1 :
					      -2;
	return ++b->answers == ANSWERS ? kit_finish(self) : TR_OK;
}

static int
client_start(struct tr_self *self, void *state, const void *arg)
{
	struct bank_transfer transfer = { .cents = 2, .fee = 1, .text = "hi" };
	struct book *b;

	(void)kit_start_ctx(self, state, arg);
	b = kit_ctx(state);
	transfer.to = b->account;
	(void)bank_send_deposit(self, b->account, (struct bank_deposit){ 10 });
	b->tries += bank_try_send_deposit(self, b->account,
			(struct bank_deposit){ 100 }) == TR_OK;
	(void)bank_send_ping(self, b->account);
	b->tries += bank_try_send_ping(self, b->account) == TR_OK;
	if (bank_ask_deposit(self, b->account, (struct bank_deposit){ 1000 },
		tr_forever(), client_answer, 0) == 0 ||
	    bank_ask_transfer(self, b->account, transfer, tr_forever(),
		client_answer, 1) == 0 ||
	    bank_ask_ping(self, b->account, tr_forever(), client_answer, 2) ==
		0 ||
	    bank_ask_ping(self, b->account, tr_forever(), client_answer, 3) ==
		0 ||
	    bank_ask_ping(self, b->account, tr_forever(), client_answer, 4) ==
		0)
		abort();
	return TR_OK;
}

/* Answers to plain messages. */
static int
client_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct book *b = kit_ctx(state);
	const struct bank_balance *balance = bank_get_balance(msg);

	(void)self;
	if (balance != NULL) {
		b->balances++;
		b->balance = balance->cents;
	}
	b->pongs += bank_is_ping(msg);
	b->is_wrong += bank_is_deposit(msg) || bank_is_ignored(msg) ||
	    atm_is_card(msg) || atm_get_card(msg) != NULL;
	return TR_OK;
}

static const struct tr_behavior client = {
	.name = "client",
	.state_size = sizeof(void *),
	.start = client_start,
	.receive = client_receive,
};

static void
each_function_brings_its_message(void **unused)
{
	struct book b = { .cents = 0 };
	struct kit k;

	(void)unused;
	kit_new(&k, 1);
	b.account = bank_system_spawn(k.sys, &account, &b, NULL);
	assert_true(tr_ref_valid(b.account.ref));
	assert_int_equal(bank_post_deposit(k.sys, b.account,
			     (struct bank_deposit){ .cents = 1 }),
	    TR_OK);
	assert_int_equal(bank_post_ping(k.sys, b.account), TR_OK);
	(void)kit_root(&k, &client, &b);
	kit_run(&k);

	assert_int_equal(b.tries, 2);
	assert_int_equal(b.deposits, 4);
	assert_int_equal(b.transfers, 1);
	assert_int_equal(b.pings, 6);
	assert_int_equal(b.cents, 1111 - 3);
	assert_int_equal(b.balances, 2);
	assert_int_equal(b.balance, 111);
	assert_int_equal(b.pongs, 2);
	assert_int_equal(b.is_wrong, 0);
	for (int i = 0; i < ANSWERS; i++)
		assert_int_equal(b.outcome[i], TR_OK);
	assert_int_equal(b.answer[0], 1111);
	assert_int_equal(b.answer[1], 1111 - 3);
	assert_int_equal(b.answer[2], -1);
	assert_int_equal(b.answer[3], -1);
	assert_int_equal(b.answer[4], -1);
	/* Twice without a message in hand, once with a used token. */
	assert_int_equal(b.refused, 3);
	/* A post has nobody to answer to. */
	assert_int_equal(kit_letters(&k, TR_DEAD_NO_SENDER, bank_tag_balance),
	    1);
	assert_int_equal(kit_letters(&k, TR_DEAD_NO_SENDER, bank_tag_ping), 1);
	assert_int_equal(k.stats.dead[TR_DEAD_UNHANDLED], 0);
}

/* ------------------------------------------------ what does not fit --- */

enum { WRONG_SIZES = 5, WRONG_TAGS = 4, CRANK_ASKS = 4 };

static int
on_other(struct tr_self *self, struct account *a, const struct tr_msg *msg)
{
	a->book->others++;
	if (tr_tag(msg) == RAW)
		return tr_reply(self, msg, RAW, NULL, 0);
	return tr_unhandled(self, msg);
}

TR_ACTOR(open_account, struct account, bank, BANK, .deposit = on_deposit,
    .ping = on_ping, .other = on_other);

static const struct tr_behavior open_account = {
	.name = "open account",
	.state_size = sizeof(struct account),
	.start = kit_start_ctx,
	.receive = open_account_receive,
	.protocol = &bank_protocol,
};

static int
crank_answer(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct book *b = kit_ctx(state);

	(void)answer;
	b->outcome[cookie] = outcome;
	return ++b->answers == CRANK_ASKS ? kit_finish(self) : TR_OK;
}

/* Everything an account must not mistake for something else. */
static int
crank_start(struct tr_self *self, void *state, const void *arg)
{
	const size_t size[WRONG_SIZES] = { 0, 7, 9, 16, 4000 };
	const uint32_t tag[WRONG_TAGS] = { 0, bank_tag_deposit - 1,
		bank_tag_balance + 1, atm_tag_card };
	static const char bytes[4000] = { 1 };
	tr_ref to;

	(void)kit_start_ctx(self, state, arg);
	to = ((struct book *)kit_ctx(state))->account.ref;
	for (int i = 0; i < WRONG_SIZES; i++)
		(void)tr_send(self, to, bank_tag_deposit, bytes, size[i]);
	(void)tr_send(self, to, bank_tag_ping, bytes, 1);
	(void)tr_send(self, to, bank_tag_upload, bytes, 1);
	for (int i = 0; i < WRONG_TAGS; i++)
		(void)tr_send(self, to, tag[i], bytes, sizeof(int64_t));
	(void)bank_send_ignored(self, bank_of(to));
	if (tr_ask(self, to, bank_tag_deposit, bytes, 1, tr_forever(),
		crank_answer, 0) == 0 ||
	    bank_ask_ignored(self, bank_of(to), tr_forever(), crank_answer,
		1) == 0 ||
	    atm_ask_eject(self, atm_of(to), tr_forever(), crank_answer, 2) ==
		0 ||
	    tr_ask(self, to, RAW, NULL, 0, tr_forever(), crank_answer, 3) == 0)
		abort();
	return TR_OK;
}

static const struct tr_behavior crank = {
	.name = "crank",
	.state_size = sizeof(void *),
	.start = crank_start,
	.receive = kit_ignore,
};

static void
crank_play(struct kit *k, struct book *b, const struct tr_behavior *behavior)
{
	kit_new(k, 1);
	b->account = bank_system_spawn(k->sys, behavior, b, NULL);
	(void)kit_root(k, &crank, b);
	kit_run(k);
	assert_int_equal(b->deposits + b->transfers + b->pings, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(b->outcome[i], TR_EUNHANDLED);
}

static void
what_does_not_fit_is_unhandled(void **unused)
{
	struct book b = { .cents = 0 };
	struct kit k;

	(void)unused;
	crank_play(&k, &b, &account);
	assert_int_equal(b.outcome[3], TR_EUNHANDLED);
	assert_int_equal(k.stats.dead[TR_DEAD_UNHANDLED],
	    WRONG_SIZES + 2 + WRONG_TAGS + 1 + CRANK_ASKS);
}

static void
other_gets_only_what_is_not_of_the_protocol(void **unused)
{
	struct book b = { .cents = 0 };
	struct kit k;

	(void)unused;
	crank_play(&k, &b, &open_account);
	assert_int_equal(b.outcome[3], TR_OK);
	assert_int_equal(b.others, WRONG_TAGS + 2);
	assert_int_equal(k.stats.dead[TR_DEAD_UNHANDLED],
	    WRONG_SIZES + 2 + WRONG_TAGS + 1 + CRANK_ASKS - 1);
}

static void
an_answer_fits_only_as_what_it_is(void **unused)
{
	(void)unused;
	assert_null(bank_get_deposit(NULL));
	assert_null(bank_get_upload(NULL));
	assert_false(bank_is_deposit(NULL));
	assert_false(bank_is_ping(NULL));
	assert_false(tr_ref_valid(bank_none.ref));
}

/* ------------------------------------------ spawning, and the far side --- */

struct far {
	int errors[3];
	int valid[3];
	int64_t cents;
};

static int
far_start(struct tr_self *self, void *state, const void *arg)
{
	struct tr_spawn_options options = { .placement = TR_PLACE_ANY };
	bank_ref account_ref, other;
	struct far *f;

	(void)kit_start_ctx(self, state, arg);
	f = kit_ctx(state);
	options.error = &f->errors[0];
	account_ref = bank_spawn(self, &far_account, NULL, &options);
	f->valid[0] = tr_ref_valid(account_ref.ref);
	options.error = &f->errors[1];
	f->valid[1] =
	    tr_ref_valid(atm_spawn(self, &far_account, NULL, &options).ref);
	/* A behaviour that names no protocol may speak any. */
	options.error = &f->errors[2];
	other = bank_spawn(self, &kit_idler, NULL, &options);
	f->valid[2] = tr_ref_valid(other.ref);
	if (far_deposit(self, account_ref, 40) != TR_OK)
		return TR_EINVAL;
	return bank_send_deposit(self, account_ref,
	    (struct bank_deposit){ .cents = 2 });
}

static int
far_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	const struct bank_balance *balance = bank_get_balance(msg);
	struct far *f = kit_ctx(state);

	if (balance == NULL || balance->cents == 40)
		return TR_OK;
	f->cents = balance->cents;
	return kit_finish(self);
}

static const struct tr_behavior far_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = far_start,
	.receive = far_receive,
};

static void
an_actor_of_another_file_is_spoken_to_and_of_another_protocol_not_made(
    void **unused)
{
	struct far f = { .cents = 0 };
	atm_ref none;
	struct kit k;
	int error = 0;

	(void)unused;
	kit_new(&k, 1);
	none = atm_system_spawn(k.sys, &far_account, NULL,
	    &(struct tr_spawn_options){ .error = &error });
	assert_false(tr_ref_valid(none.ref));
	assert_int_equal(error, TR_EINVAL);
	assert_false(tr_ref_valid(
	    atm_system_spawn(k.sys, &far_account, NULL, NULL).ref));
	(void)kit_root(&k, &far_root, &f);
	kit_run(&k);
	assert_int_equal(f.valid[0], 1);
	assert_int_equal(f.errors[0], TR_OK);
	assert_int_equal(f.valid[1], 0);
	assert_int_equal(f.errors[1], TR_EINVAL);
	assert_int_equal(f.valid[2], 1);
	assert_int_equal(f.cents, 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(the_descriptor_says_what_the_list_says),
		KIT_TEST(tags_of_protocols_are_apart_and_low_ones_stay_free),
		KIT_TEST(two_translation_units_agree),
		KIT_TEST(each_function_brings_its_message),
		KIT_TEST(what_does_not_fit_is_unhandled),
		KIT_TEST(other_gets_only_what_is_not_of_the_protocol),
		KIT_TEST(an_answer_fits_only_as_what_it_is),
		KIT_TEST(
		    an_actor_of_another_file_is_spoken_to_and_of_another_protocol_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
