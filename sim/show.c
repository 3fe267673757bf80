/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace: events as text.
 *
 * An actor is its behaviour's name and its number in the order of spawning,
 * with its registered name if it has one: `account #3 "savings"`.  Nothing is
 * shown that differs from run to run, such as an address; and looking on
 * changes nothing: a run with a trace has the same hash.
 */
#include "sim/sim.h"

#include <stdio.h>
#include <string.h>

static const struct tr_behavior *
label_behavior(const struct tr_sim *sim, tr_ref ref, uint64_t serial)
{
	const struct tr_behavior *b = tri_behavior_of(sim->sys, ref);

	if (b == NULL && serial != 0 && serial < sim->oracle.label_room)
		b = sim->oracle.label[serial].behavior;
	return b;
}

/* What is known of an actor is kept beyond its end. */
static void
label_new(struct tr_sim *sim, tr_ref ref)
{
	struct sim_oracle *o = &sim->oracle;
	uint64_t serial = o->spawned + 1; /* it is being counted */
	size_t had = o->label_room, room = had == 0 ? 64 : had;

	while (room <= serial)
		room *= 2;
	if (room > had) {
		o->label = sim_grow(o->label, had * sizeof(*o->label),
		    room * sizeof(*o->label));
		o->label_room = room;
	}
	o->label[serial].behavior =
	    tri_load_relaxed(&tri_cell(sim->sys, tri_ref_slot(ref))->behavior);
	sim_map_set(&o->labels, ref.bits, serial);
}

struct name_wanted {
	tr_ref ref;
	char text[24];
};

static void
name_match(const struct tri_name *name, void *arg)
{
	struct name_wanted *w = arg;

	if (tr_ref_equal(name->ref, w->ref) && w->text[0] == '\0')
		snprintf(w->text, sizeof(w->text), "%.20s", name->named.text);
}

const char *
sim_actor_name(struct tr_sim *sim, tr_ref ref, char *text, size_t room)
{
	uint64_t serial = sim_map_get(&sim->oracle.labels, ref.bits);
	struct name_wanted w = { .ref = ref };
	const struct tr_behavior *b;

	if (!tr_ref_valid(ref)) {
		snprintf(text, room, "outside");
		return text;
	}
	if (serial == 0)
		serial = sim_serial(sim, ref);
	b = label_behavior(sim, ref, serial);
	if (serial == 0) {
		snprintf(text, room, "a former actor");
		return text;
	}
	tri_names_each(sim->sys, name_match, &w);
	snprintf(text, room, "%s #%llu%s%s%s",
	    b != NULL ? tri_behavior_name(b) : "actor",
	    (unsigned long long)serial, w.text[0] != '\0' ? " \"" : "", w.text,
	    w.text[0] != '\0' ? "\"" : "");
	return text;
}

static const char *
dead_reason(uint64_t reason)
{
	static const char *const words[TR_DEAD_REASONS] = {
		[TR_DEAD_NO_ACTOR] = "it has ended, or never was",
		[TR_DEAD_CLOSED] = "it ended before its turn came",
		[TR_DEAD_FAILED] = "handling it made the actor fail",
		[TR_DEAD_EXPIRED] = "its deadline had passed",
		[TR_DEAD_CANCELED] = "the ask was cancelled",
		[TR_DEAD_LATE] = "nobody awaits it any more",
		[TR_DEAD_NO_SENDER] = "there is nobody to answer",
		[TR_DEAD_FULL] = "the mailbox is full",
		[TR_DEAD_DROPPED] = "dropped by the mailbox's policy",
		[TR_DEAD_BUDGET] = "the system is over its byte budget",
		[TR_DEAD_UNHANDLED] = "not understood",
	};

	return reason < TR_DEAD_REASONS ? words[reason] : "?";
}

static const char *
reason_text(int code)
{
	return code == TR_NORMAL ? "normal" : tr_strerror(code);
}

static const char *
kind_word(const struct tr_msg *m)
{
	switch ((enum tri_msg_kind)m->kind) {
	case TRI_MSG_PLAIN: return "message";
	case TRI_MSG_ASK: return "ask";
	case TRI_MSG_REPLY: return "answer";
	case TRI_MSG_TICK: return "tick";
	case TRI_MSG_DOWN: return "down";
	case TRI_MSG_EXIT: return "exit";
	case TRI_MSG_MONITOR: return "monitor";
	case TRI_MSG_DEMONITOR: return "demonitor";
	case TRI_MSG_LINK: return "link";
	case TRI_MSG_UNLINK: return "unlink";
	case TRI_MSG_UNLINKED: return "unlinked";
	case TRI_MSG_OUTCOME: return "outcome";
	case TRI_MSG_START: return "start";
	case TRI_MSG_STOP: return "stop";
	case TRI_MSG_KILL: return "kill";
	case TRI_MSG_KEPT: return "child";
	case TRI_MSG_BURST: return "burst";
	case TRI_MSG_PACK: return "pack";
	case TRI_MSG_CALL: return "call";
	}
	return "?";
}

/* A message: its kind; if it is the program's, what it is called. */
static void
message_text(struct tr_sim *sim, tr_ref to, const struct tr_msg *m, char *text,
    size_t room)
{
	const struct tr_behavior *b = tri_behavior_of(sim->sys, to);
	char says[96];

	if (m->kind > TRI_MSG_COUNTED) {
		snprintf(text, room, "%s", kind_word(m));
		return;
	}
	if (m->kind == TRI_MSG_REPLY &&
	    tri_msg_reply((struct tr_msg *)(uintptr_t)m)->outcome != TR_OK) {
		int outcome =
		    (int)tri_msg_reply((struct tr_msg *)(uintptr_t)m)->outcome;

		snprintf(text, room, "answer: %s", tr_strerror(outcome));
		return;
	}
	/* A message's name is its receiver's affair, an answer's its
	 * sender's. */
	if (b == NULL || tri_message_name(b, m->tag) == NULL)
		b = tri_behavior_of(sim->sys, (tr_ref){ m->sender });
	if (b != NULL && tri_message_name(b, m->tag) != NULL) {
		tr_protocol_print(b->protocol, m, says, sizeof(says));
		snprintf(text, room, "%s %s", kind_word(m), says);
		return;
	}
	snprintf(text, room, "%s tag %u, %u bytes", kind_word(m), m->tag,
	    m->size);
}

static void
show_message(struct tr_sim *sim, enum tri_event event, tr_ref ref,
    const struct tr_msg *m, uint64_t value)
{
	char text[160], to[96], from[96];

	message_text(sim, ref, m, text, sizeof(text));
	sim_actor_name(sim, ref, to, sizeof(to));
	switch (event) {
	case TRI_EVENT_SENT:
		sim_actor_name(sim, sim_who_sends(), from, sizeof(from));
		sim_trace(sim, "  %s -> %s: %s",
		    m->kind == TRI_MSG_TICK ? "timer" : from, to, text);
		break;
	case TRI_EVENT_TAKEN:
		if (value != 0)
			sim_trace(sim, "  %s takes %s", to, text);
		break;
	case TRI_EVENT_DEAD:
		sim_trace(sim, "  dead letter for %s: %s: %s", to, text,
		    dead_reason(value));
		break;
	case TRI_EVENT_DROP: sim_trace(sim, "  dropped: %s", text); break;
	default: break;
	}
}

/* Monitors and links. */
static void
show_bond(struct tr_sim *sim, enum tri_event event, tr_ref ref, uint64_t value,
    int code)
{
	char who[96], other[96];

	sim_actor_name(sim, ref, who, sizeof(who));
	switch (event) {
	case TRI_EVENT_WATCHED:
		sim_actor_name(sim, sim_who_sends(), other, sizeof(other));
		sim_trace(sim, "  %s watches %s", other, who);
		break;
	case TRI_EVENT_DOWN:
		sim_trace(sim, "  %s: its monitor ends: %s", who,
		    reason_text(code));
		break;
	case TRI_EVENT_UNWATCHED:
		sim_trace(sim, "  %s: its monitor is withdrawn", who);
		break;
	case TRI_EVENT_LINKED:
	case TRI_EVENT_EXIT:
	case TRI_EVENT_UNLINKED:
		sim_actor_name(sim, (tr_ref){ value }, other, sizeof(other));
		sim_trace(sim, "  %s: its link with %s %s%s", who, other,
		    event == TRI_EVENT_LINKED   ? "begins" :
			event == TRI_EVENT_EXIT ? "ends: " :
						  "is undone",
		    event == TRI_EVENT_EXIT ? reason_text(code) : "");
		break;
	default: break;
	}
}

void
sim_show(struct tr_sim *sim, enum tri_event event, tr_ref ref,
    const struct tr_msg *m, uint64_t value, int code)
{
	char who[96];

	if (sim->options->trace == NULL)
		return;
	if (event == TRI_EVENT_SPAWNED)
		label_new(sim, ref);
	if (event == TRI_EVENT_TAKEN && !tr_ref_valid(sim_who_sends()))
		ref = TR_REF_NONE;
	else if (event == TRI_EVENT_TAKEN)
		ref = sim_who_sends();
	sim_actor_name(sim, ref, who, sizeof(who));
	switch (event) {
	case TRI_EVENT_SENT:
	case TRI_EVENT_TAKEN:
	case TRI_EVENT_DEAD:
	case TRI_EVENT_DROP: show_message(sim, event, ref, m, value); break;
	case TRI_EVENT_MADE:
	case TRI_EVENT_ASKED: break; /* what follows says it */
	case TRI_EVENT_OUTCOME:
		sim_trace(sim, "  %s: its ask ends: %s", who,
		    code == TR_OK ? "answered" : tr_strerror(code));
		break;
	case TRI_EVENT_ASK_LEFT:
		sim_trace(sim, "  %s: its ask ends with it", who);
		break;
	case TRI_EVENT_SPAWNED:
		sim_trace(sim, "  %s #%llu is spawned",
		    tri_behavior_name(
			label_behavior(sim, ref, sim->oracle.spawned + 1)),
		    (unsigned long long)sim->oracle.spawned + 1);
		break;
	case TRI_EVENT_WATCHED:
	case TRI_EVENT_DOWN:
	case TRI_EVENT_UNWATCHED:
	case TRI_EVENT_LINKED:
	case TRI_EVENT_EXIT:
	case TRI_EVENT_UNLINKED: show_bond(sim, event, ref, value, code); break;
	case TRI_EVENT_STOPPING: sim_trace(sim, "  %s stops", who); break;
	case TRI_EVENT_RESTARTED:
		sim_trace(sim, "  %s is started again", who);
		break;
	case TRI_EVENT_ENDED:
		sim_trace(sim, "  %s has ended: %s", who, reason_text(code));
		break;
	}
}
