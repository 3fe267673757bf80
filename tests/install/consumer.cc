/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user of the installed library in C++17: an actor with a C++ object as its
 * state, which spawns another and asks it.
 */
#include <troupe.h>

#include <cstdio>
#include <new>
#include <string>

namespace {

enum tags : uint32_t { GREET, GREETED };

struct greeter {
	std::string text;
	int greeted = 0;
};

int
greeter_start(tr_self *, void *state, const void *arg)
{
	new (state) greeter{ static_cast<const char *>(arg) };
	return TR_OK;
}

int
greeter_receive(tr_self *self, void *state, const tr_msg *msg)
{
	auto *g = static_cast<greeter *>(state);

	if (tr_tag(msg) != GREET)
		return tr_unhandled(self, msg);
	g->greeted++;
	return tr_reply(self, msg, GREETED, g->text.data(), g->text.size());
}

void
greeter_stop(tr_self *, void *state, const tr_reason *)
{
	static_cast<greeter *>(state)->~greeter();
}

const tr_behavior greeter_behavior = [] {
	tr_behavior b{};

	b.name = "greeter";
	b.state_size = sizeof(greeter);
	b.start = greeter_start;
	b.receive = greeter_receive;
	b.stop = greeter_stop;
	return b;
}();

int
on_greeted(tr_self *self, void *, int outcome, const tr_msg *answer, uintptr_t)
{
	if (outcome != TR_OK)
		return outcome;
	std::printf("consumer: %.*s\n", static_cast<int>(tr_size(answer)),
	    static_cast<const char *>(tr_data(answer, 0)));
	return tr_exit(self, TR_NORMAL);
}

int
root_start(tr_self *self, void *, const void *)
{
	tr_ref ref = tr_spawn(self, &greeter_behavior,
	    "hello from C++, and a text that no short string holds", nullptr);

	if (!tr_ref_valid(ref))
		return TR_ENOMEM;
	if (tr_ask(self, ref, GREET, nullptr, 0, tr_in(self, TR_SECONDS(60)),
		on_greeted, 0) == 0)
		return TR_ENOMEM;
	return TR_OK;
}

int
root_receive(tr_self *self, void *, const tr_msg *msg)
{
	return tr_unhandled(self, msg);
}

} // namespace

int
main()
{
	tr_behavior root{};

	root.name = "root";
	root.start = root_start;
	root.receive = root_receive;
	return tr_run(&root, nullptr, nullptr) == TR_OK ? 0 : 1;
}
