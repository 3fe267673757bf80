/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chat.c - the chat application of "Run, Actor, Run" (Blessing et al., AGERE
 * 2019), whose dice decide what kind of work it is.
 *
 * Clients are made by directories, where some become friends.  In each turn
 * every client rolls dice: it computes, posts to one of its chats, leaves one,
 * invites some of its friends to a new one, or does nothing.  A chat passes a
 * post on to its members, and all former posts to whoever joins.
 *
 * A turn is over when all that it brought about has been handled.  The original
 * counts messages up and down, which needs that a cause is seen before its
 * effect; actors do not promise that across senders, so here a turn hands out
 * credit, which a message that causes others divides among them, and which
 * comes back with whatever causes nothing more.  Where all credit is back the
 * turn is over: no more can come, and none is missing.
 *
 * In the end all clients log out, and leave all their chats.
 *
 * A chat that nobody is in lives on, for somebody may be about to join it.
 */
#include <stdlib.h>

#include "savina.h"

/** The part of a turn's credit that a message has. */
struct share {
	tr_ref turn;
	uint64_t credit;
};

#define CHAT(MSG, P)                             \
	MSG(P, login, { uint64_t id; })          \
	MSG(P, poke, { struct share each; })     \
	MSG(P, disconnect, TR_EMPTY)             \
	MSG(P, logged_out, TR_EMPTY)             \
	MSG(P, befriend, { chat_ref client; })   \
	MSG(P, act, { struct share share; })     \
	MSG(P, invite, {                         \
		chat_ref chat;                   \
		struct share share;              \
	})                                       \
	MSG(P, deliver, { struct share share; }) \
	MSG(P, left, {                           \
		chat_ref chat;                   \
		bool logout;                     \
		struct share share;              \
	})                                       \
	MSG(P, logout, TR_EMPTY)                 \
	MSG(P, post, { struct share share; })    \
	MSG(P, join, {                           \
		chat_ref client;                 \
		struct share share;              \
	})                                       \
	MSG(P, leave, {                          \
		chat_ref client;                 \
		bool logout;                     \
		struct share share;              \
	})                                       \
	MSG(P, handled, { uint64_t credit; })    \
	MSG(P, turned, TR_EMPTY)                 \
	MSG(P, disconnected, TR_EMPTY)
TR_PROTOCOL(chat, CHAT);

/* The dice: how many per cent compute, of the others post, and so on. */
enum { COMPUTE = 50, POST = 80, LEAVE = 25, INVITE = 25 };

/* Of each client in each turn: shared out by invitations, and then by posts. */
#define CREDIT (UINT64_C(1) << 40)

struct list {
	chat_ref *refs;
	size_t count;
	size_t room;
};

struct client_arg {
	chat_ref directory;
	uint64_t seed;
	uint64_t compute_steps;
};

struct client {
	struct client_arg given;
	struct savina_random random;
	struct list friends;
	struct list chats;
	uint64_t computed; /* what computing came to */
};

struct room { /* a chat */
	struct list members;
	uint64_t posts;
};

struct turn {
	chat_ref root;
	uint64_t left; /* credit that is not back */
};

struct directory_arg {
	chat_ref root;
	uint64_t seed;
	uint64_t befriend_percent;
	uint64_t compute_steps;
};

struct directory {
	struct directory_arg given;
	struct savina_random random;
	struct list clients;
	size_t online;
};

struct root {
	struct bench *b;
	chat_ref *directories;
	uint64_t directories_left;
	uint64_t turns_left;
};

/* ------------------------------------------------------------- shares --- */

static int
share_return(struct tr_self *self, struct share share)
{
	if (share.credit == 0)
		return TR_OK;
	return chat_send_handled(self, chat_of(share.turn),
	    (struct chat_handled){ share.credit });
}

/* Takes `parts` equal shares, and leaves what is over in *share. */
static struct share
share_divide(struct share *share, uint64_t parts)
{
	struct share part = { share->turn, share->credit / parts };

	bench_check(part.credit > 0, "chat: credit for everybody");
	share->credit -= parts * part.credit;
	return part;
}

/* Spawns whatever it is. */
static chat_ref
chat_new(struct tr_self *self, const struct tr_behavior *behavior,
    const void *arg)
{
	chat_ref ref = chat_spawn(self, behavior, arg, NULL);

	bench_check(tr_ref_valid(ref.ref), "chat: spawn");
	return ref;
}

/* -------------------------------------------------------------- lists --- */

static void
list_add(struct list *list, chat_ref ref)
{
	size_t room = list->room > 0 ? 2 * list->room : 8;

	if (list->count == list->room) {
		list->refs = realloc(list->refs, room * sizeof(*list->refs));
		bench_check(list->refs != NULL, "chat: memory");
		list->room = room;
	}
	list->refs[list->count++] = ref;
}

/* Where it is, or the list's length. */
static size_t
list_find(const struct list *list, chat_ref ref)
{
	size_t at = 0;

	while (at < list->count && !tr_ref_equal(list->refs[at].ref, ref.ref))
		at++;
	return at;
}

static void
list_remove(struct list *list, chat_ref ref)
{
	size_t at = list_find(list, ref);

	if (at < list->count)
		list->refs[at] = list->refs[--list->count];
}

/* --------------------------------------------------------------- room --- */

static int
room_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	list_add(&((struct room *)state)->members, *(const chat_ref *)arg);
	return TR_OK;
}

static int
on_post(struct tr_self *self, struct room *room, const struct chat_post *post)
{
	struct chat_deliver deliver = { { TR_REF_NONE, 0 } };
	struct share share = post->share;
	int error = TR_OK;

	room->posts++;
	if (room->members.count > 0)
		deliver.share = share_divide(&share, room->members.count);
	for (size_t i = 0; i < room->members.count && error == TR_OK; i++)
		error = chat_send_deliver(self, room->members.refs[i], deliver);
	return error != TR_OK ? error : share_return(self, share);
}

static int
on_join(struct tr_self *self, struct room *room, const struct chat_join *join)
{
	struct chat_deliver deliver = { { TR_REF_NONE, 0 } };
	struct share share = join->share;
	int error = TR_OK;

	if (list_find(&room->members, join->client) == room->members.count)
		list_add(&room->members, join->client);
	if (room->posts > 0)
		deliver.share = share_divide(&share, room->posts);
	for (uint64_t i = 0; i < room->posts && error == TR_OK; i++)
		error = chat_send_deliver(self, join->client, deliver);
	return error != TR_OK ? error : share_return(self, share);
}

static int
on_leave(struct tr_self *self, struct room *room,
    const struct chat_leave *leave)
{
	list_remove(&room->members, leave->client);
	return chat_send_left(self, leave->client,
	    (struct chat_left){ chat_of(tr_self_ref(self)), leave->logout,
		leave->share });
}

TR_ACTOR(room, struct room, chat, CHAT, .post = on_post, .join = on_join,
    .leave = on_leave);

static void
room_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct room *room = state;

	(void)self;
	(void)why;
	free(room->members.refs);
}

static const struct tr_behavior room_behavior = {
	.name = "chat",
	.state_size = sizeof(struct room),
	.arg_size = sizeof(chat_ref),
	.start = room_start,
	.receive = room_receive,
	.stop = room_stop,
	.protocol = &chat_protocol,
};

/* ------------------------------------------------------------- client --- */

static int
client_start(struct tr_self *self, void *state, const void *arg)
{
	struct client *client = state;

	(void)self;
	client->given = *(const struct client_arg *)arg;
	client->random.value = client->given.seed;
	return TR_OK;
}

static int
on_befriend(struct tr_self *self, struct client *client,
    const struct chat_befriend *befriend)
{
	(void)self;
	list_add(&client->friends, befriend->client);
	return TR_OK;
}

static bool
client_rolls(struct client *client, uint32_t percent)
{
	return savina_random_next(&client->random) % 100 < percent;
}

/* One of its chats; a new one if it has none. */
static chat_ref
client_chat(struct tr_self *self, struct client *client)
{
	chat_ref me = chat_of(tr_self_ref(self));

	if (client->chats.count == 0)
		list_add(&client->chats, chat_new(self, &room_behavior, &me));
	return client->chats
	    .refs[savina_random_next(&client->random) % client->chats.count];
}

static int
client_compute(struct tr_self *self, struct client *client, struct share share)
{
	struct savina_random random = client->random;

	for (uint64_t i = 0; i < client->given.compute_steps; i++)
		client->computed += savina_random_next(&random);
	return share_return(self, share);
}

/* Opens a chat for some friends and itself. */
static int
client_invite(struct tr_self *self, struct client *client, struct share share)
{
	chat_ref me = chat_of(tr_self_ref(self));
	struct list *friends = &client->friends;
	struct chat_invite invite;
	uint64_t count = 0;
	size_t other;
	chat_ref friend;
	int error;

	if (friends->count > 0)
		count = savina_random_next(&client->random) % friends->count;
	if (count == 0)
		return share_return(self, share);
	invite.chat = chat_new(self, &room_behavior, &me);
	invite.share = share_divide(&share, count);
	error = chat_send_invite(self, me, invite);
	for (size_t i = 0; i + 1 < count && error == TR_OK; i++) {
		other = i +
		    savina_random_next(&client->random) % (friends->count - i);
		friend = friends->refs[other];
		friends->refs[other] = friends->refs[i];
		friends->refs[i] = friend;
		error = chat_send_invite(self, friend, invite);
	}
	return error != TR_OK ? error : share_return(self, share);
}

static int
on_act(struct tr_self *self, struct client *client, const struct chat_act *act)
{
	if (client_rolls(client, COMPUTE))
		return client_compute(self, client, act->share);
	if (client_rolls(client, POST))
		return chat_send_post(self, client_chat(self, client),
		    (struct chat_post){ act->share });
	if (client_rolls(client, LEAVE))
		return chat_send_leave(self, client_chat(self, client),
		    (struct chat_leave){ chat_of(tr_self_ref(self)), false,
			act->share });
	if (client_rolls(client, INVITE))
		return client_invite(self, client, act->share);
	return share_return(self, act->share);
}

static int
on_invite(struct tr_self *self, struct client *client,
    const struct chat_invite *invite)
{
	list_add(&client->chats, invite->chat);
	return chat_send_join(self, invite->chat,
	    (struct chat_join){ chat_of(tr_self_ref(self)), invite->share });
}

static int
on_deliver(struct tr_self *self, struct client *client,
    const struct chat_deliver *deliver)
{
	(void)client;
	return share_return(self, deliver->share);
}

static int
client_end(struct tr_self *self, const struct client *client)
{
	int error = chat_send_logged_out(self, client->given.directory);

	return error != TR_OK ? error : tr_exit(self, TR_NORMAL);
}

static int
on_left(struct tr_self *self, struct client *client,
    const struct chat_left *left)
{
	list_remove(&client->chats, left->chat);
	if (left->logout && client->chats.count == 0)
		return client_end(self, client);
	return share_return(self, left->share);
}

static int
on_logout(struct tr_self *self, struct client *client)
{
	struct chat_leave leave = { .client = chat_of(tr_self_ref(self)),
		.logout = true };
	int error = TR_OK;

	if (client->chats.count == 0)
		return client_end(self, client);
	for (size_t i = 0; i < client->chats.count && error == TR_OK; i++)
		error = chat_send_leave(self, client->chats.refs[i], leave);
	return error;
}

TR_ACTOR(client, struct client, chat, CHAT, .befriend = on_befriend,
    .act = on_act, .invite = on_invite, .deliver = on_deliver, .left = on_left,
    .logout = on_logout);

static void
client_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	struct client *client = state;

	(void)self;
	(void)why;
	free(client->friends.refs);
	free(client->chats.refs);
}

static const struct tr_behavior client_behavior = {
	.name = "client",
	.state_size = sizeof(struct client),
	.arg_size = sizeof(struct client_arg),
	.start = client_start,
	.receive = client_receive,
	.stop = client_stop,
	.protocol = &chat_protocol,
};

/* --------------------------------------------------------------- turn --- */

static int
turn_start(struct tr_self *self, void *state, const void *arg)
{
	(void)self;
	*(struct turn *)state = *(const struct turn *)arg;
	return TR_OK;
}

static int
on_handled(struct tr_self *self, struct turn *turn,
    const struct chat_handled *handled)
{
	bench_check(handled->credit <= turn->left, "chat: no credit of nobody");
	turn->left -= handled->credit;
	if (turn->left > 0)
		return TR_OK;
	return chat_send_turned(self, turn->root);
}

TR_ACTOR(turn, struct turn, chat, CHAT, .handled = on_handled);

static const struct tr_behavior turn_behavior = {
	.name = "turn",
	.state_size = sizeof(struct turn),
	.arg_size = sizeof(struct turn),
	.start = turn_start,
	.receive = turn_receive,
	.protocol = &chat_protocol,
};

/* ---------------------------------------------------------- directory --- */

static int
directory_start(struct tr_self *self, void *state, const void *arg)
{
	struct directory *directory = state;

	(void)self;
	directory->given = *(const struct directory_arg *)arg;
	directory->random.value = directory->given.seed;
	return TR_OK;
}

static int
on_login(struct tr_self *self, struct directory *directory,
    const struct chat_login *login)
{
	struct client_arg given = {
		.directory = chat_of(tr_self_ref(self)),
		.seed = savina_random_next(&directory->random) + login->id,
		.compute_steps = directory->given.compute_steps,
	};
	chat_ref client = chat_new(self, &client_behavior, &given);
	chat_ref other;

	for (size_t i = 0; i < directory->clients.count; i++) {
		if (savina_random_next(&directory->random) % 100 >=
		    directory->given.befriend_percent)
			continue;
		other = directory->clients.refs[i];
		(void)chat_send_befriend(self, other,
		    (struct chat_befriend){ client });
		(void)chat_send_befriend(self, client,
		    (struct chat_befriend){ other });
	}
	list_add(&directory->clients, client);
	directory->online++;
	return TR_OK;
}

static int
on_poke(struct tr_self *self, struct directory *directory,
    const struct chat_poke *poke)
{
	int error = TR_OK;

	for (size_t i = 0; i < directory->clients.count && error == TR_OK; i++)
		error = chat_send_act(self, directory->clients.refs[i],
		    (struct chat_act){ poke->each });
	return error;
}

static int
on_disconnect(struct tr_self *self, struct directory *directory)
{
	int error = TR_OK;

	for (size_t i = 0; i < directory->clients.count && error == TR_OK; i++)
		error = chat_send_logout(self, directory->clients.refs[i]);
	return error;
}

static int
on_logged_out(struct tr_self *self, struct directory *directory)
{
	bench_check(directory->online > 0, "chat: everybody logs out once");
	if (--directory->online > 0)
		return TR_OK;
	return chat_send_disconnected(self, directory->given.root);
}

TR_ACTOR(directory, struct directory, chat, CHAT, .login = on_login,
    .poke = on_poke, .disconnect = on_disconnect, .logged_out = on_logged_out);

static void
directory_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct directory *)state)->clients.refs);
}

static const struct tr_behavior directory_behavior = {
	.name = "directory",
	.state_size = sizeof(struct directory),
	.arg_size = sizeof(struct directory_arg),
	.start = directory_start,
	.receive = directory_receive,
	.stop = directory_stop,
	.protocol = &chat_protocol,
};

/* --------------------------------------------------------------- root --- */

static void
root_directories(struct tr_self *self, struct root *root)
{
	const struct bench *b = root->b;
	struct directory_arg given = {
		.root = chat_of(tr_self_ref(self)),
		.befriend_percent = bench_param(b, "befriend_percent"),
		.compute_steps = bench_param(b, "compute_steps"),
	};
	struct savina_random random = { 42 };

	for (uint64_t i = 0; i < root->directories_left; i++) {
		given.seed = savina_random_next(&random);
		root->directories[i] =
		    chat_new(self, &directory_behavior, &given);
	}
}

static int
root_turn(struct tr_self *self, const struct root *root)
{
	struct turn given = { chat_of(tr_self_ref(self)),
		CREDIT * bench_param(root->b, "clients") };
	chat_ref turn = chat_new(self, &turn_behavior, &given);
	struct chat_poke poke = { { turn.ref, CREDIT } };
	int error = TR_OK;

	for (uint64_t i = 0; i < root->directories_left && error == TR_OK; i++)
		error = chat_send_poke(self, root->directories[i], poke);
	return error;
}

static int
root_start(struct tr_self *self, void *state, const void *arg)
{
	struct root *root = state;
	uint64_t clients;
	int error = TR_OK;

	root->b = bench_of(arg);
	clients = bench_param(root->b, "clients");
	root->turns_left = bench_param(root->b, "turns");
	root->directories_left = bench_param(root->b, "directories");
	root->directories =
	    calloc(root->directories_left, sizeof(*root->directories));
	if (root->directories == NULL)
		return TR_ENOMEM;
	bench_begin(root->b, self);
	root_directories(self, root);
	for (uint64_t id = 0; id < clients && error == TR_OK; id++)
		error = chat_send_login(self,
		    root->directories[id % root->directories_left],
		    (struct chat_login){ id });
	for (uint64_t i = 0; i < root->turns_left && error == TR_OK; i++)
		error = root_turn(self, root);
	return error;
}

static int
on_turned(struct tr_self *self, struct root *root)
{
	int error = TR_OK;

	if (--root->turns_left > 0)
		return TR_OK;
	for (uint64_t i = 0; i < root->directories_left && error == TR_OK; i++)
		error = chat_send_disconnect(self, root->directories[i]);
	return error;
}

static int
on_disconnected(struct tr_self *self, struct root *root)
{
	if (--root->directories_left > 0)
		return TR_OK;
	return bench_end(root->b, self,
	    bench_param(root->b, "clients") * bench_param(root->b, "turns"));
}

TR_ACTOR(root, struct root, chat, CHAT, .turned = on_turned,
    .disconnected = on_disconnected);

static void
root_stop(struct tr_self *self, void *state, const struct tr_reason *why)
{
	(void)self;
	(void)why;
	free(((struct root *)state)->directories);
}

static const struct tr_behavior root_behavior = {
	.name = "root",
	.state_size = sizeof(struct root),
	.arg_size = sizeof(struct bench *),
	.start = root_start,
	.receive = root_receive,
	.stop = root_stop,
	.protocol = &chat_protocol,
};

const struct bench_case savina_chat = {
	.name = "chat",
	.suite = SAVINA_KIN,
	.op = "what a client does in a turn, with all that follows",
	.note = "computing is a loop, not actors for Fibonacci(35); a client "
		"without a chat opens one",
	.params = { { "turns", { 25, 20, 40 } },
	    { "clients", { 64, 1024, 1024 } }, { "directories", { 2, 8, 8 } },
	    { "befriend_percent", { 30, 10, 10 } },
	    { "compute_steps", { 100, 100000, 100000 } } },
	.root = &root_behavior,
};
