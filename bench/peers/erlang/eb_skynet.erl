%% SPDX-License-Identifier: BSD-2-Clause
%%
%% bench/savina/skynet.c: a tree of processes, ten below each.
-module(eb_skynet).
-export([run/1]).

-define(CHILDREN, 10).

run([Leaves]) ->
	Self = self(),
	spawn(fun() -> node(Self, 0, Leaves) end),
	receive {sum, Sum} ->
		eb:check(Sum =:= Leaves * (Leaves - 1) div 2,
		    "skynet: the sum of all leaves' numbers")
	end,
	Leaves.

node(Parent, First, 1) -> Parent ! {sum, First};
node(Parent, First, Leaves) ->
	Self = self(),
	Each = Leaves div ?CHILDREN,
	[spawn(fun() -> node(Self, First + I * Each, Each) end)
	    || I <- lists:seq(0, ?CHILDREN - 1)],
	Parent ! {sum, collect(?CHILDREN, 0)}.

collect(0, Sum) -> Sum;
collect(N, Sum) -> receive {sum, S} -> collect(N - 1, Sum + S) end.
