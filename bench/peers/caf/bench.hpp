// SPDX-License-Identifier: BSD-2-Clause

// What the benchmarks in C++ with CAF share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/all.hpp>

using sizes = std::vector<int64_t>;

// Called by those that make their input first, and by those that look through
// their output afterwards.
void begin();
void end();

// End the program.
[[noreturn]] void fail(const char *what);

// End the program unless the result is right.
inline void
check(bool ok, const char *what)
{
	if (!ok)
		fail(what);
}

// The suite's own generator of numbers from 0 to 65535.
struct random_numbers {
	uint64_t value;

	int64_t
	next()
	{
		value = (value * 1309 + 13849) & 65535;
		return static_cast<int64_t>(value);
	}
};

// Each does its work and returns how many operations it was.
int64_t micro_pingpong(caf::actor_system &system, const sizes &size);
int64_t micro_count(caf::actor_system &system, const sizes &size);
int64_t micro_nto1(caf::actor_system &system, const sizes &size);
int64_t micro_ring(caf::actor_system &system, const sizes &size);
int64_t micro_fjthrput(caf::actor_system &system, const sizes &size);
int64_t micro_fjcreate(caf::actor_system &system, const sizes &size);
int64_t micro_big(caf::actor_system &system, const sizes &size);
int64_t micro_fib(caf::actor_system &system, const sizes &size);
int64_t banking(caf::actor_system &system, const sizes &size);
int64_t bndbuffer(caf::actor_system &system, const sizes &size);
int64_t chameneos(caf::actor_system &system, const sizes &size);
int64_t nqueenk(caf::actor_system &system, const sizes &size);
int64_t radixsort(caf::actor_system &system, const sizes &size);
int64_t skynet(caf::actor_system &system, const sizes &size);
