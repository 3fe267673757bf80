%% SPDX-License-Identifier: BSD-2-Clause
%%
%% bench/savina/chameneos.c: creatures and the mall are processes.
-module(eb_chameneos).
-export([run/1]).

-define(COLORS, 3).

run([Meetings, Creatures]) ->
	Mall = self(),
	[spawn(fun() -> creature(Mall, I rem ?COLORS, 0) end)
	    || I <- lists:seq(0, Creatures - 1)],
	Sum = mall(Meetings, none, Creatures, 0),
	eb:check(Sum =:= 2 * Meetings, "chameneos: two for a meeting"),
	Meetings.

%% Creatures meet as long as there are meetings Left; then all are told to fade,
%% and say how often they met somebody.
mall(_, _, 0, Sum) -> Sum;
mall(Left, Waiting, Creatures, Sum) ->
	receive
		{meet, Pid, _} when Left =:= 0 ->
			Pid ! fade,
			mall(Left, Waiting, Creatures, Sum);
		{meet, Pid, _} when Waiting =:= none ->
			mall(Left, Pid, Creatures, Sum);
		{meet, _, _} = Meet ->
			Waiting ! Meet,
			mall(Left - 1, none, Creatures, Sum);
		{met, Count} ->
			mall(Left, Waiting, Creatures - 1, Sum + Count)
	end.

creature(Mall, Color, Count) ->
	Mall ! {meet, self(), Color},
	receive
		{meet, Pid, Other} ->
			eb:check(Pid =/= self(), "chameneos: somebody else"),
			New = (2 * ?COLORS - Color - Other) rem ?COLORS,
			Pid ! {change, New},
			creature(Mall, New, Count + 1);
		{change, New} ->
			creature(Mall, New, Count + 1);
		fade ->
			Mall ! {met, Count}
	end.
