%% SPDX-License-Identifier: BSD-2-Clause
%%
%% bench/savina/radixsort.c: a process for each bit.  A stage passes values
%% without its bit on at once and keeps those with it until all have come by.
-module(eb_radixsort).
-export([run/1]).

-define(SEED, 2048).

run([Values, Bits]) ->
	Sum = sum(Values, ?SEED, 0),
	process_flag(message_queue_data, off_heap),
	{Got, Ns} = eb:time(fun() -> sort(Values, Bits) end),
	eb:check(Got =:= Sum, "radixsort: the sum of the values"),
	{Values * (Bits + 1), Ns}.

sum(0, _, Sum) -> Sum;
sum(N, R0, Sum) -> R = eb:random(R0), sum(N - 1, R, Sum + R).

sort(Values, Bits) ->
	First = lists:foldl(fun(Bit, Next) ->
		eb:spawn_off_heap(
		    fun() -> stage(Values, 1 bsl Bit, Next, []) end)
	end, self(), lists:seq(Bits - 1, 0, -1)),
	spawn(fun() -> source(Values, ?SEED, First) end),
	collect(Values, 0, 0).

source(0, _, _) -> ok;
source(N, R0, First) ->
	R = eb:random(R0),
	First ! {value, R},
	source(N - 1, R, First).

stage(0, _, Next, Kept) ->
	[Next ! {value, V} || V <- lists:reverse(Kept)];
stage(N, Bit, Next, Kept) ->
	receive
		{value, V} when V band Bit =:= 0 ->
			Next ! {value, V},
			stage(N - 1, Bit, Next, Kept);
		{value, V} ->
			stage(N - 1, Bit, Next, [V | Kept])
	end.

collect(0, _, Sum) -> Sum;
collect(N, Last, Sum) ->
	receive {value, V} ->
		eb:check(V >= Last, "radixsort: the values in order"),
		collect(N - 1, V, Sum + V)
	end.
