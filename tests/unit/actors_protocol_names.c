/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names: of messages as text, in dead letters, in dumps and in the log of a
 * stop that left somebody behind.
 */
#include "kit.h"
#include "rig_protocol.h"

/* ---------------------------------------------------------- printing --- */

enum { TEXTS = 8, TEXT = 40 };

struct press {
	int n;
	char text[TEXTS][TEXT];
	char cut[TEXT][TEXT]; /* by room */
};

static int
press_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct press *p = kit_ctx(state);

	(void)self;
	tr_protocol_print(&bank_protocol, msg, p->text[p->n], TEXT);
	if (p->n == 0)
		for (size_t room = 0; room < TEXT; room++) {
			memset(p->cut[room], '#', TEXT);
			tr_protocol_print(&bank_protocol, msg, p->cut[room],
			    room);
		}
	if (++p->n == TEXTS - 1)
		tr_protocol_print(NULL, msg, p->text[p->n], TEXT);
	return TR_OK;
}

static const struct tr_behavior press = {
	.name = "press",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = press_receive,
};

static int
press_root_start(struct tr_self *self, void *state, const void *arg)
{
	bank_ref p = bank_spawn(self, &press, arg, NULL);

	(void)state;
	(void)bank_send_deposit(self, p, (struct bank_deposit){ 250 });
	(void)tr_send(self, p.ref, bank_tag_deposit, "abc", 3);
	(void)bank_send_ping(self, p);
	(void)bank_send_balance(self, p, (struct bank_balance){ 1 });
	(void)tr_send(self, p.ref, 9, "ab", 2);
	(void)atm_send_eject(self, atm_of(p.ref));
	(void)bank_send_ping(self, p);
	return kit_finish(self);
}

static const struct tr_behavior press_root = {
	.name = "root",
	.start = press_root_start,
	.receive = kit_ignore,
};

static void
a_message_is_written_as_its_name_and_what_its_printer_says(void **unused)
{
	static const char whole[] = "deposit of 250 cents";
	struct press p = { .n = 0 };
	char tag[TEXT];
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &press_root, &p);
	assert_int_equal(p.n, TEXTS - 1);
	assert_string_equal(p.text[0], whole);
	assert_string_equal(p.text[1], "deposit, 3 bytes");
	assert_string_equal(p.text[2], "ping");
	assert_string_equal(p.text[3], "balance");
	assert_string_equal(p.text[4], "tag 9, 2 bytes");
	snprintf(tag, sizeof(tag), "tag %d, 0 bytes", atm_tag_eject);
	assert_string_equal(p.text[5], tag);
	snprintf(tag, sizeof(tag), "tag %d, 0 bytes", bank_tag_ping);
	assert_string_equal(p.text[7], tag);
	assert_int_equal(p.cut[0][0], '#');
	for (size_t room = 1; room < TEXT; room++) {
		size_t length =
		    room <= strlen(whole) ? room - 1 : strlen(whole);

		assert_int_equal(strlen(p.cut[room]), length);
		assert_memory_equal(p.cut[room], whole, length);
		assert_int_equal(p.cut[room][TEXT - 1], '#');
	}
}

/* ------------------------------------------------------ dead letters --- */

/* A letter is told by its size, which is its number. */
enum { QUEUED = 20, GONE, STRANGE, ANSWER, NOBODY, REUSED, ALIVE, NAMELESS };

struct mail {
	bank_ref holder, nameless;
	bool reused;
	int step;
};

static int
holder_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	(void)state;
	return tr_tag(msg) == bank_tag_ping ? tr_exit(self, TR_NORMAL) :
					      tr_unhandled(self, msg);
}

static const struct tr_behavior holder = {
	.name = "holder",
	.receive = holder_receive,
	.protocol = &bank_protocol,
}, newcomer = {
	.name = "newcomer", .receive = holder_receive,
}, nameless = {
	.receive = holder_receive, .protocol = &atm_protocol,
};

static const char mail_bytes[64];

static void
mail_send(struct tr_self *self, bank_ref to, uint32_t tag, size_t size)
{
	(void)tr_send(self, to.ref, tag, mail_bytes, size);
}

/* Go on once everything sent to this actor has met its fate. */
static int
mail_wait(struct tr_self *self, bank_ref to, tr_answer_fn *next)
{
	return bank_ask_ignored(self, to, tr_forever(), next, 0) == 0 ?
	    TR_ENOMEM :
	    TR_OK;
}

static int
mail_next(struct tr_self *self, void *state, int outcome,
    const struct tr_msg *answer, uintptr_t cookie)
{
	struct mail *m = kit_ctx(state);
	bank_ref next;

	(void)outcome;
	(void)answer;
	(void)cookie;
	switch (m->step++) {
	case 0: /* the holder has ended, its slot is free */
		mail_send(self, m->holder, bank_tag_deposit, GONE);
		mail_send(self, m->holder, 5, STRANGE);
		mail_send(self, m->holder, atm_tag_eject, ANSWER);
		mail_send(self, bank_none, bank_tag_deposit, NOBODY);
		next = bank_spawn(self, &newcomer, NULL, NULL);
		m->reused =
		    (uint32_t)next.ref.bits == (uint32_t)m->holder.ref.bits;
		mail_send(self, m->holder, bank_tag_deposit, REUSED);
		mail_send(self, next, bank_tag_deposit, ALIVE);
		return mail_wait(self, next, mail_next);
	case 1:
		m->nameless = bank_of(tr_spawn(self, &nameless, NULL, NULL));
		mail_send(self, m->nameless, atm_tag_card, NAMELESS);
		return mail_wait(self, m->nameless, mail_next);
	default: return kit_finish(self);
	}
}

static int
mail_start(struct tr_self *self, void *state, const void *arg)
{
	struct mail *m;

	(void)kit_start_ctx(self, state, arg);
	m = kit_ctx(state);
	m->holder = bank_spawn(self, &holder, NULL, NULL);
	(void)bank_send_ping(self, m->holder);
	mail_send(self, m->holder, bank_tag_deposit, QUEUED);
	return mail_wait(self, m->holder, mail_next);
}

/* Its own protocol names what it sends and others do not know. */
static const struct tr_behavior mail_root = {
	.name = "root",
	.state_size = sizeof(void *),
	.start = mail_start,
	.receive = kit_ignore,
	.protocol = &atm_protocol,
};

static void
check_names(struct kit *k, uint32_t size, const char *behavior,
    const char *message)
{
	struct tr_dead_letter letter = { .size = 0 };

	for (unsigned i = 0; i < k->letters; i++)
		if (k->letter[i].size == size)
			letter = k->letter[i];
	assert_int_equal(letter.size, size);
	if (behavior == NULL)
		assert_null(letter.behavior);
	else
		assert_string_equal(letter.behavior, behavior);
	if (message == NULL)
		assert_null(letter.message);
	else
		assert_string_equal(letter.message, message);
}

static void
a_dead_letter_names_its_target_and_its_message(void **unused)
{
	struct mail m = { .step = 0 };
	struct kit k;

	(void)unused;
	kit_play(&k, 1, &mail_root, &m);
	assert_int_equal(m.step, 3);
	assert_true(m.reused);
	assert_in_range(k.letters, 8, KIT_LETTERS);
	check_names(&k, QUEUED, "holder", "deposit");
	check_names(&k, GONE, "holder", "deposit");
	check_names(&k, STRANGE, "holder", NULL);
	check_names(&k, ANSWER, "holder", "eject");
	check_names(&k, NOBODY, NULL, NULL);
	check_names(&k, REUSED, NULL, NULL);
	check_names(&k, ALIVE, "newcomer", NULL);
	check_names(&k, NAMELESS, "actor", "card");
}

/* ------------------------------------- names never of the next tenant --- */

enum { LIVES = 20000, ODD = 100, EVEN };

struct street {
	tr_ref other; /* on another worker */
	int lives, heard;
};

static const struct tr_behavior odd = {
	.name = "odd",
	.receive = holder_receive,
	.protocol = &bank_protocol,
}, even = {
	.name = "even", .receive = holder_receive, .protocol = &bank_protocol,
};

/* Two actors on two workers, each tells the other of actors that it spawns
 * and ends, and writes to those it is told of. */
static int
neighbour_receive(struct tr_self *self, void *state, const struct tr_msg *msg)
{
	struct street *s = kit_ctx(state);
	const tr_ref *told = tr_data(msg, sizeof(*told));
	int is_odd = s->lives % 2;
	tr_ref next;

	if (told != NULL)
		for (int i = 0; i < 4; i++)
			(void)tr_send(self, *told, tr_tag(msg), NULL, 0);
	if (s->lives == 0)
		return TR_OK;
	if (--s->lives == 0)
		return kit_finish(self);
	next = tr_spawn(self, is_odd ? &odd : &even, NULL, NULL);
	(void)bank_send_ping(self, bank_of(next));
	(void)tr_send(self, s->other, is_odd ? ODD : EVEN, &next, sizeof(next));
	return TR_OK;
}

static const struct tr_behavior neighbour = {
	.name = "neighbour",
	.state_size = sizeof(void *),
	.start = kit_start_ctx,
	.receive = neighbour_receive,
};

static void
a_dead_letter_never_names_the_next_actor_of_a_slot(void **unused)
{
	struct street s[2] = { { .lives = TEST_SCALE(LIVES) },
		{ .lives = TEST_SCALE(LIVES) } };
	unsigned named = 0;
	struct kit k;

	(void)unused;
	kit_new(&k, 2);
	for (int i = 0; i < 2; i++) {
		s[1 - i].other = tr_system_spawn(k.sys, &neighbour, &s[i],
		    &(struct tr_spawn_options){
			.placement = TR_PLACE_WORKER,
			.worker = (unsigned)i,
		    });
		assert_true(tr_ref_valid(s[1 - i].other));
	}
	/* Two under way, so that both have work. */
	assert_int_equal(tr_post(k.sys, s[0].other, ODD, NULL, 0), TR_OK);
	assert_int_equal(tr_post(k.sys, s[1].other, ODD, NULL, 0), TR_OK);
	kit_run(&k);
	for (unsigned i = 0; i < k.letters && i < KIT_LETTERS; i++) {
		const struct tr_dead_letter *letter = &k.letter[i];

		if (letter->behavior == NULL ||
		    (letter->tag != ODD && letter->tag != EVEN))
			continue;
		if (strcmp(letter->behavior, "neighbour") == 0)
			continue;
		named++;
		assert_string_equal(letter->behavior,
		    letter->tag == ODD ? "odd" : "even");
	}
	assert_true(named > 0);
}

/* ---------------------------------------------- the dump, and the stop --- */

struct sleeper {
	FILE *file;
	atomic_bool release;
};

struct bed {
	struct sleeper *s;
};

static int
on_deposit(struct tr_self *self, struct bed *b, const struct bank_deposit *m)
{
	(void)m;
	return tr_dump(tr_system_of(self), fileno(b->s->file));
}

static int
on_ping(struct tr_self *self, struct bed *b)
{
	(void)tr_system_stop(tr_system_of(self), 0);
	kit_spin_until(&b->s->release);
	return TR_OK;
}

TR_ACTOR(bed, struct bed, bank, BANK, .deposit = on_deposit, .ping = on_ping);

static const struct tr_behavior bed = {
	.name = "bed",
	.state_size = sizeof(struct bed),
	.start = kit_start_ctx,
	.receive = bed_receive,
	.protocol = &bank_protocol,
};

static void
the_dump_names_the_message_in_hand(void **unused)
{
	struct sleeper s = { .file = tmpfile() };
	char text[4096], want[64];
	struct kit k;
	bank_ref b;
	size_t n;

	(void)unused;
	assert_non_null(s.file);
	kit_new(&k, 1);
	b = bank_system_spawn(k.sys, &bed, &s, NULL);
	assert_int_equal(bank_post_deposit(k.sys, b,
			     (struct bank_deposit){ 1 }),
	    TR_OK);
	assert_int_equal(tr_system_stop(k.sys, tr_forever()), TR_OK);
	kit_run(&k);
	rewind(s.file);
	n = fread(text, 1, sizeof(text) - 1, s.file);
	text[n] = '\0';
	fclose(s.file);
	snprintf(want, sizeof(want), "tag %d deposit\n", bank_tag_deposit);
	assert_non_null(strstr(text, want));
}

struct log {
	pthread_mutex_t lock;
	char text[256];
};

static struct log stop_log = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
log_stop(enum tr_log_level level, const char *text, void *ctx)
{
	(void)level;
	(void)ctx;
	pthread_mutex_lock(&stop_log.lock);
	if (strstr(text, "still runs") != NULL)
		snprintf(stop_log.text, sizeof(stop_log.text), "%s", text);
	pthread_mutex_unlock(&stop_log.lock);
}

static void
the_stop_names_the_message_that_is_not_done(void **unused)
{
	struct sleeper s = { .file = NULL };
	char want[64];
	struct kit k;
	bank_ref b;

	(void)unused;
	kit_new_with(&k, (struct tr_options){ .workers = 2, .log = log_stop });
	b = bank_system_spawn(k.sys, &bed, &s,
	    &(struct tr_spawn_options){
		.placement = TR_PLACE_WORKER,
		.worker = 1,
	    });
	assert_int_equal(bank_post_ping(k.sys, b), TR_OK);
	assert_int_equal(tr_system_run(k.sys, &k.report), TR_EBUSY);
	assert_int_equal(k.report.left, 1);
	assert_int_equal(k.report.left_at[0].tag, bank_tag_ping);
	pthread_mutex_lock(&stop_log.lock);
	snprintf(want, sizeof(want), "bed still runs, tag %d ping,",
	    bank_tag_ping);
	assert_non_null(strstr(stop_log.text, want));
	pthread_mutex_unlock(&stop_log.lock);
	atomic_store(&s.release, true);
	while (tr_system_free(k.sys) == TR_EBUSY)
		kit_nap();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(
		    a_message_is_written_as_its_name_and_what_its_printer_says),
		KIT_TEST(a_dead_letter_names_its_target_and_its_message),
		KIT_TEST(a_dead_letter_never_names_the_next_actor_of_a_slot),
		KIT_TEST(the_dump_names_the_message_in_hand),
		KIT_TEST(the_stop_names_the_message_that_is_not_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
