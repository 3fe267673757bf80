/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user of the installed simulator in C++17: an actor that answers.
 */
#include <troupe/sim.h>

#include <cstdio>

namespace {

enum tags : uint32_t { HELLO };

int
answer_receive(tr_self *self, void *, const tr_msg *msg)
{
	return tr_reply(self, msg, HELLO, nullptr, 0);
}

tr_behavior
make_answerer()
{
	tr_behavior b{};

	b.name = "answerer";
	b.receive = answer_receive;
	return b;
}

const tr_behavior answerer = make_answerer();

void
it_answers(tr_sim *sim, void *)
{
	tr_probe *p = tr_probe_new(sim, nullptr);
	int rc = tr_probe_ask(p, tr_sim_spawn(sim, &answerer, nullptr), HELLO,
	    nullptr, 0, TR_SECONDS(1), nullptr);

	tr_sim_check(sim, rc == TR_OK, "no answer");
}

} // namespace

int
main()
{
	tr_sim_result result{};

	if (tr_sim_run(1, nullptr, it_answers, nullptr, &result) != TR_OK ||
	    result.failed)
		return 1;
	std::printf("consumer: %u workers\n", result.workers);
	return 0;
}
