/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks: the asker's record, the callee's duty.
 *
 * The duty to answer rests in exactly one place: the request itself (flag DUTY:
 * in a mailbox, in hand), or a record of the callee (a token; or a taken
 * request, flag LENT).  Whatever destroys the place answers: tri_msg_dispose
 * for messages, the callee's death for records.  How an ask ends is decided in
 * the asker's turn, by whichever comes first there: an answer, or the message
 * of its own record (deadline, cancel).
 */
#include "actors/send.h"

/* ---------------------------------------------------------- the asker --- */

/* The request goes nowhere: its block is the answer. */
static TRI_COLD void
ask_refuse_budget(struct tri_crew *c, tr_ref to, struct tr_msg *m)
{
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_msg_dead(c, to, m, TR_DEAD_BUDGET, TR_EFULL);
}

TRI_HOT tr_ask_id
ask_send(struct tri_crew *c, tr_ref to, const struct tri_content *what,
    int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	unsigned flags = TRI_MSG_ASK_EXT | TRI_MSG_DUTY;
	struct tri_record *r;
	struct tr_msg *m;
	uint64_t id;

	if (what->size > tri_message_limit(c->desk.sys) || fn == NULL)
		return 0;
	r = tri_record_new(c, TRI_RECORD_ASK);
	if (r == NULL)
		return 0;
	m = tri_msg_make(&c->desk, TRI_MSG_ASK,
	    flags | (what->drop != NULL ? TRI_MSG_EXTRA_EXT : 0), what->tag,
	    what->size);
	if (m == NULL) {
		tri_record_end(c, r);
		return 0;
	}
	if (what->drop != NULL)
		tri_msg_set_drop(c->desk.sys, m, what->drop);
	if (deadline > c->turn.deadline)
		deadline = c->turn.deadline;
	id = tri_record_id(r);
	r->u.answer = fn;
	r->cookie = cookie;
	r->node.deadline = deadline;
	if (deadline != INT64_MAX)
		tri_record_arm(c, r);
	m->sender = c->turn.ref.bits;
	*tri_msg_ask(m) = (struct tri_msg_ask){ deadline, id };
	tri_msg_copy_in(m, what->data, what->size);
	tri_seen(c->desk.sys, TRI_EVENT_ASKED, c->turn.ref, m, id, 0);
	if (TRI_UNLIKELY(tri_is_over_budget(c->desk.sys)))
		ask_refuse_budget(c, to, m);
	else
		tri_deliver_inline(c, to, m);
	return id;
}

tr_ask_id
tr_ask(struct tr_self *self, tr_ref to, uint32_t tag, const void *data,
    size_t size, int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	return ask_send(tri_crew_of(self), to,
	    &(struct tri_content){ tag, size, data, NULL }, deadline, fn,
	    cookie);
}

tr_ask_id
tri_ask_send(struct tri_crew *c, tr_ref to, const struct tri_content *what,
    int64_t deadline, tr_answer_fn *fn, uintptr_t cookie)
{
	return ask_send(c, to, what, deadline, fn, cookie);
}

static bool
record_is_canceled(struct tri_record *r)
{
	return (tri_load_relaxed(&r->ident) & TRI_RECORD_CANCELED) != 0;
}

bool
tri_ask_awaits(struct tri_crew *c, struct tr_msg *m)
{
	struct tri_record *r =
	    tri_record_find(c, tri_msg_reply(m)->ask, TRI_RECORD_ASK);

	return r != NULL && !record_is_canceled(r);
}

static int
ask_finish(struct tri_crew *c, struct tr_self *a, struct tri_record *r,
    int outcome, const struct tr_msg *answer)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	tr_answer_fn *fn = r->u.answer;
	uintptr_t cookie = (uintptr_t)r->cookie;

	tri_seen(c->desk.sys, TRI_EVENT_OUTCOME, c->turn.ref, NULL,
	    tri_record_id(r), outcome);
	tri_record_end(c, r);
	return fn(a, tri_actor_state(a, b), outcome,
	    outcome == TR_OK ? answer : NULL, cookie);
}

int
tri_ask_answered(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	struct tri_msg_reply *reply = tri_msg_reply(m);
	struct tri_record *r = tri_record_find(c, reply->ask, TRI_RECORD_ASK);

	TR_ASSERT(r != NULL);
	return ask_finish(c, a, r, (int)reply->outcome, m);
}

/* The record's own message came: its deadline has passed, or tr_cancel(). */
int
tri_ask_ended(struct tri_crew *c, struct tr_self *a, struct tri_record *r)
{
	if (tri_load_acquire(&r->holds) & TRI_GONE)
		return TR_OK; /* it had ended otherwise meanwhile */
	return ask_finish(c, a, r,
	    record_is_canceled(r) ? TR_ECANCELED : TR_ETIMEDOUT, NULL);
}

static int
cancel_job(struct tri_crew *c, struct tri_record *r)
{
	struct tri_env *env = c->worker.env;

	if (!env->jobs_cancel(env, c->desk.sys->jobs, &r->run))
		return TR_EBUSY;
	tri_fetch_and_acq_rel(&r->holds, ~(uint32_t)TRI_HOLD_POOL);
	return TR_OK;
}

int
tr_cancel(struct tr_self *self, tr_ask_id ask)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = tri_record_find(c, ask, TRI_RECORD_ASK);
	int rc = TR_OK;

	if (r == NULL) {
		r = tri_record_find(c, ask, TRI_RECORD_JOB);
		if (r == NULL || record_is_canceled(r))
			return TR_EINVAL;
		rc = cancel_job(c, r);
	} else if (record_is_canceled(r)) {
		return TR_EINVAL;
	}
	if (rc != TR_OK)
		return rc;
	/* rel: pairs with the acq in ask_is_live, on the callee's worker. */
	tri_store_release(&r->ident,
	    tri_load_relaxed(&r->ident) | TRI_RECORD_CANCELED);
	tri_record_notify(c, r);
	return TR_OK;
}

/* --------------------------------------------------------- the callee --- */

/* Any worker: its ident if the ask of that name lives, else 0. */
static uint64_t
ask_ident(struct tr_system *sys, uint64_t id)
{
	struct tri_record *r = tri_record_at(sys, (uint32_t)id);
	/* acq: pairs with tr_cancel and record_retire_name. */
	uint64_t ident = tri_load_acquire(&r->ident);

	return (ident &
		   (TRI_IDENT_GENERATION | TRI_RECORD_LIVE |
		       TRI_RECORD_CANCELED)) == (id >> 32 | TRI_RECORD_LIVE) ?
	    ident :
	    0;
}

/* Any worker: whether somebody still waits for the answer; where a router
 * waits for it, whether the asker does that it made the ask for. */
static bool
ask_is_live(struct tr_system *sys, uint64_t id)
{
	uint64_t ident, next;

	while ((ident = ask_ident(sys, id)) & TRI_RECORD_RELAY) {
		/* acq: a later ask's relay shows that this one's name is
		 * stale; pairs with tri_record_relay. */
		next =
		    tri_load_acquire(&tri_record_at(sys, (uint32_t)id)->relay);
		if (ask_ident(sys, id) != ident)
			return false;
		id = next;
	}
	return ident != 0;
}

bool
tri_ask_wanted(struct tri_crew *c, struct tr_msg *m, enum tr_dead_reason *why)
{
	struct tri_msg_ask *ask = tri_msg_ask(m);

	if (ask->deadline <= c->worker.now) {
		*why = TR_DEAD_EXPIRED;
		if (m->flags & TRI_MSG_SHRUNK)
			return false; /* the asker waits longer: it is told */
	} else if (ask_is_live(c->desk.sys, ask->ask)) {
		return true;
	} else {
		/* The asker may have seen its deadline before our clock did. */
		*why = ask->deadline <= c->worker.env->now(c->worker.env) ?
		    TR_DEAD_EXPIRED :
		    TR_DEAD_CANCELED;
	}
	/* The asker's own record ends it, with the right outcome; but a router
	 * that asks for another hears of a cancel by the answer only. */
	if ((*why == TR_DEAD_EXPIRED && (m->flags & TRI_MSG_SHRUNK) == 0) ||
	    ask_ident(c->desk.sys, ask->ask) == 0)
		m->flags &= (uint8_t)~TRI_MSG_DUTY;
	return false;
}

int
tri_ask_handle(struct tri_crew *c, struct tr_self *a, struct tr_msg *m)
{
	const struct tr_behavior *b = tri_load_relaxed(&a->behavior);
	int rc;

	c->turn.deadline = tri_msg_ask(m)->deadline;
	c->turn.ask = tri_msg_ask(m)->ask;
	c->turn.unanswered = TR_ENOREPLY;
	rc = b->receive(a, tri_actor_state(a, b), m);
	c->turn.deadline = INT64_MAX;
	c->turn.ask = 0;
	return rc;
}

bool
tr_cancelled(struct tr_self *self)
{
	struct tri_crew *c = tri_crew_of(self);
	uint64_t ident = tri_load_relaxed(&self->ident);

	if (ident >> TRI_IDENT_CARE_SHIFT != 0 && tri_care_cancels(c, ident))
		return true;
	return c->turn.ask != 0 && !ask_is_live(c->desk.sys, c->turn.ask);
}

int64_t
tr_deadline(struct tr_self *self)
{
	return tri_crew_of(self)->turn.deadline;
}

/* --------------------------------------------------------- answering ---- */

void
tri_ask_refuse(struct tri_crew *c, struct tr_msg *m, int outcome)
{
	tr_ref asker = { m->sender };
	uint64_t id = tri_msg_ask(m)->ask;

	m->kind = TRI_MSG_REPLY;
	m->flags = TRI_MSG_ASK_EXT;
	m->sender = c->turn.cell != NULL ? c->turn.ref.bits : 0;
	m->size = 0;
	m->offset = (uint8_t)tri_msg_head(TRI_MSG_ASK_EXT);
	*tri_msg_reply(m) = (struct tri_msg_reply){ outcome, id };
	tri_deliver(c, asker, m);
}

TRI_HOT struct tr_msg *
reply_build(struct tri_crew *c, uint64_t ask, const struct tri_content *what)
{
	unsigned extra = what->drop != NULL ? TRI_MSG_EXTRA_EXT : 0;
	struct tr_msg *m = tri_msg_make(&c->desk, TRI_MSG_REPLY,
	    TRI_MSG_ASK_EXT | extra, what->tag, what->size);

	if (m == NULL)
		return NULL;
	m->sender = c->turn.ref.bits;
	*tri_msg_reply(m) = (struct tri_msg_reply){ TR_OK, ask };
	if (what->drop != NULL)
		tri_msg_set_drop(c->desk.sys, m, what->drop);
	tri_msg_copy_in(m, what->data, what->size);
	return m;
}

/* A plain message's answer is a plain message. */
static int
reply_plain(struct tri_crew *c, const struct tr_msg *msg, uint32_t tag,
    const void *data, size_t size)
{
	if (TRI_UNLIKELY(size >= tri_send_end(c->desk.sys)))
		return tri_send_unusual(c, (tr_ref){ msg->sender }, tag, size);
	if (TRI_LIKELY(msg->sender != 0))
		return tri_send_inline(c, (tr_ref){ msg->sender }, tag, data,
		    size);
	tri_count(&c->desk.counts.sent, (uint64_t)1);
	tri_dead_letter(&c->desk, TR_DEAD_NO_SENDER, TR_REF_NONE,
	    &(struct tr_msg){
		.sender = c->turn.ref.bits,
		.tag = tag,
		.size = (uint32_t)size,
	    });
	return TR_OK;
}

struct tri_record *
tri_msg_lent_duty(struct tri_crew *c, struct tr_msg *m)
{
	return m->flags & TRI_MSG_LENT ?
	    tri_record_find(c, (uint64_t)tri_msg_ask(m)->deadline,
		TRI_RECORD_DUTY) :
	    NULL;
}

TRI_HOT int
reply_ask(struct tri_crew *c, struct tr_msg *m, const struct tri_content *what)
{
	struct tri_record *duty = tri_msg_lent_duty(c, m);
	struct tr_msg *answer;

	if (TRI_UNLIKELY(what->size > tri_message_limit(c->desk.sys)) ||
	    ((m->flags & TRI_MSG_DUTY) == 0 && duty == NULL))
		return TR_EINVAL;
	answer = reply_build(c, tri_msg_ask(m)->ask, what);
	if (answer == NULL)
		return TR_ENOMEM;
	m->flags &= (uint8_t) ~(TRI_MSG_DUTY | TRI_MSG_LENT);
	if (duty != NULL)
		tri_record_end(c, duty);
	tri_deliver_inline(c, (tr_ref){ m->sender }, answer);
	return TR_OK;
}

int
tr_reply(struct tr_self *self, const struct tr_msg *msg, uint32_t tag,
    const void *data, size_t size)
{
	struct tri_crew *c = tri_crew_of(self);

	if (msg->kind != TRI_MSG_ASK)
		return reply_plain(c, msg, tag, data, size);
	return reply_ask(c, (struct tr_msg *)(uintptr_t)msg,
	    &(struct tri_content){ tag, size, data, NULL });
}

int
tri_reply_ask(struct tri_crew *c, struct tr_msg *m,
    const struct tri_content *what)
{
	return reply_ask(c, m, what);
}

/* Answer with an error and let go of the duty; its message is the answer. */
void
tri_duty_end(struct tri_crew *c, struct tri_record *r, int outcome)
{
	tr_ref asker = { r->u.asker };
	uint64_t ask = r->cookie;

	r->msg = (struct tr_msg){
		.sender = c->turn.ref.bits,
		.offset = (uint8_t)tri_msg_head(TRI_MSG_ASK_EXT),
		.kind = TRI_MSG_REPLY,
		.flags = TRI_MSG_ASK_EXT,
		.size_class = TRI_CLASS_EMBEDDED,
	};
	*tri_msg_reply(&r->msg) = (struct tri_msg_reply){ outcome, ask };
	tri_store_relaxed(&r->holds, (uint32_t)TRI_HOLD_SENT);
	tri_record_end(c, r);
	tri_deliver(c, asker, &r->msg);
}

/* An error for the ask in hand. */
static int
reply_error_in_hand(struct tri_crew *c, struct tr_msg *m, int error)
{
	struct tr_msg *answer = reply_build(c, tri_msg_ask(m)->ask,
	    &(struct tri_content){ 0, 0, NULL, NULL });

	if (answer == NULL) {
		/* Its own block will carry it, at the end of the turn. */
		c->turn.unanswered = error;
		return TR_OK;
	}
	tri_msg_reply(answer)->outcome = error;
	m->flags &= (uint8_t)~TRI_MSG_DUTY;
	tri_deliver(c, (tr_ref){ m->sender }, answer);
	return TR_OK;
}

int
tr_reply_error(struct tr_self *self, const struct tr_msg *msg, int error)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = (struct tr_msg *)(uintptr_t)msg;
	struct tri_record *duty;

	if (m->kind != TRI_MSG_ASK)
		return TR_OK;
	if (error == TR_OK)
		error = TR_EINVAL;
	duty = tri_msg_lent_duty(c, m);
	if (duty != NULL) {
		m->flags &= (uint8_t)~TRI_MSG_LENT;
		tri_duty_end(c, duty, error);
		return TR_OK;
	}
	if ((m->flags & TRI_MSG_DUTY) == 0)
		return TR_EINVAL;
	return reply_error_in_hand(c, m, error);
}

int
tr_unhandled(struct tr_self *self, const struct tr_msg *msg)
{
	struct tri_crew *c = tri_crew_of(self);

	tri_dead_letter(&c->desk, TR_DEAD_UNHANDLED, c->turn.ref, msg);
	if (msg->kind == TRI_MSG_ASK)
		(void)tr_reply_error(self, msg, TR_EUNHANDLED);
	return TR_OK;
}

/* ------------------------------------------------------------- tokens --- */

tr_token
tr_reply_token(struct tr_self *self)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tr_msg *m = c->turn.msg;
	struct tri_record *r;

	if (m == NULL || (m->flags & TRI_MSG_DUTY) == 0)
		return (tr_token){ 0 };
	r = tri_record_new(c, TRI_RECORD_DUTY);
	if (r == NULL) {
		c->turn.unanswered = TR_ENOMEM;
		return (tr_token){ 0 };
	}
	r->u.asker = m->sender;
	r->cookie = tri_msg_ask(m)->ask;
	r->node.deadline = tri_msg_ask(m)->deadline;
	m->flags &= (uint8_t)~TRI_MSG_DUTY;
	return (tr_token){ tri_record_id(r) };
}

bool
tr_token_cancelled(struct tr_self *self, const tr_token *token)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = tri_record_find(c, token->bits, TRI_RECORD_DUTY);

	return r == NULL || !ask_is_live(c->desk.sys, r->cookie);
}

int
tri_token_reply(struct tri_crew *c, tr_token *token,
    const struct tri_content *what)
{
	struct tri_record *r = tri_record_find(c, token->bits, TRI_RECORD_DUTY);
	struct tr_msg *answer;
	tr_ref asker;

	if (r == NULL || what->size > tri_message_limit(c->desk.sys))
		return TR_EINVAL;
	answer = reply_build(c, r->cookie, what);
	if (answer == NULL)
		return TR_ENOMEM;
	asker.bits = r->u.asker;
	token->bits = 0;
	tri_record_end(c, r);
	tri_deliver(c, asker, answer);
	return TR_OK;
}

int
tr_token_reply(struct tr_self *self, tr_token *token, uint32_t tag,
    const void *data, size_t size)
{
	return tri_token_reply(tri_crew_of(self), token,
	    &(struct tri_content){ tag, size, data, NULL });
}

int
tr_token_reply_error(struct tr_self *self, tr_token *token, int error)
{
	struct tri_crew *c = tri_crew_of(self);
	struct tri_record *r = tri_record_find(c, token->bits, TRI_RECORD_DUTY);

	if (r == NULL)
		return TR_EINVAL;
	token->bits = 0;
	tri_duty_end(c, r, error == TR_OK ? TR_EINVAL : error);
	return TR_OK;
}
