// SPDX-License-Identifier: BSD-2-Clause

// Benchmarks of bench/ in C++ with the C++ Actor Framework.
//
//	g++ -std=c++17 -O2 -o caf_bench *.cpp -lcaf_core -pthread
//	./caf_bench pingpong 2000000 2
//	./caf_bench banking 50000,1000 2
//
// Each runs once in a fresh process, checks its result and prints one line; see
// ../README.md for its form and for the sizes.
#include "bench.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using clock_type = std::chrono::steady_clock;

struct benchmark {
	const char *name;
	size_t params;
	int64_t (*run)(caf::actor_system &system, const sizes &size);
};

static const benchmark benchmarks[] = {
	{ "pingpong", 1, micro_pingpong },
	{ "count", 1, micro_count },
	{ "nto1", 1, micro_nto1 },
	{ "ring", 1, micro_ring },
	{ "fjthrput", 1, micro_fjthrput },
	{ "fjcreate", 1, micro_fjcreate },
	{ "big", 1, micro_big },
	{ "fib", 1, micro_fib },
	{ "banking", 2, banking },
	{ "bndbuffer", 6, bndbuffer },
	{ "chameneos", 2, chameneos },
	{ "nqueenk", 4, nqueenk },
	{ "radixsort", 2, radixsort },
	{ "skynet", 1, skynet },
};

static clock_type::time_point began;
static clock_type::time_point ended;

void
begin()
{
	began = clock_type::now();
}

void
end()
{
	ended = clock_type::now();
}

void
fail(const char *what)
{
	std::printf("failed %s expected\n", what);
	std::fflush(stdout);
	std::_Exit(1);
}

static const benchmark &
find(const char *name)
{
	for (const benchmark &b : benchmarks) {
		if (std::strcmp(b.name, name) == 0)
			return b;
	}
	fail("the name of a benchmark");
}

static sizes
numbers(const char *text)
{
	sizes list;
	char *rest;

	for (;; text = rest + 1) {
		list.push_back(std::strtoll(text, &rest, 10));
		if (*rest != ',')
			return list;
	}
}

int
main(int argc, char **argv)
{
	if (argc == 2 && std::strcmp(argv[1], "version") == 0) {
		std::printf("CAF %d.%d.%d, C++ compiler %s\n",
		    CAF_MAJOR_VERSION, CAF_MINOR_VERSION, CAF_PATCH_VERSION,
		    __VERSION__);
		return 0;
	}
	check(argc == 4, "arguments NAME SIZE WORKERS");
	const benchmark &b = find(argv[1]);
	sizes size = numbers(argv[2]);
	check(size.size() == b.params, "as many parameters as there are");

	caf::actor_system_config config;
	config.set("scheduler.max-threads",
	    static_cast<size_t>(std::atoi(argv[3])));
	caf::actor_system system{ config };
	begin();
	int64_t ops = b.run(system, size);
	if (ended == clock_type::time_point{})
		end();
	double s = std::chrono::duration<double>(ended - began).count();
	std::printf("caf %s %lld ops %.6f s %.1f ns/op\n", b.name,
	    static_cast<long long>(ops), s,
	    s * 1e9 / static_cast<double>(ops));
	std::fflush(stdout);
	// Some actors would wait for ever.
	std::_Exit(0);
}
