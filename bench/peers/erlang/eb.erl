%% SPDX-License-Identifier: BSD-2-Clause
%%
%% eb - benchmarks of bench/ in Erlang.
%%
%%     erlc *.erl
%%     erl +S 2:2 +P 5000000 -noshell -eval 'eb:main(["pingpong","2000000"])'
%%     erl +S 2:2 +P 5000000 -noshell -eval 'eb:main(["banking","50000,1000"])'
%%
%% Each runs once in a fresh node, checks its result and prints one line; see
%% ../README.md for its form and for the sizes.  Mailboxes that grow long are
%% off_heap, as a careful Erlang programmer would have them.
-module(eb).
-export([main/1, check/2, time/1, random/1, spawn_off_heap/1]).

main([Name, Text]) ->
	Size = [list_to_integer(N) || N <- string:lexemes(Text, ",")],
	{Ops, D} = case time(fun() -> run(Name, Size) end) of
		{{_, _} = Timed, _} -> Timed;
		Timed -> Timed
	end,
	io:format("erlang ~s ~p ops ~.6f s ~.1f ns/op~n",
	    [Name, Ops, D / 1.0e9, D / Ops]),
	halt(0).

%% One benchmark; returns how many operations it was, and how long they took if
%% that is not the whole time.
run("banking", Size) -> eb_banking:run(Size);
run("bndbuffer", Size) -> eb_bndbuffer:run(Size);
run("chameneos", Size) -> eb_chameneos:run(Size);
run("nqueenk", Size) -> eb_nqueenk:run(Size);
run("radixsort", Size) -> eb_radixsort:run(Size);
run("skynet", Size) -> eb_skynet:run(Size);
run(Name, Size) -> eb_micro:run(Name, Size).

time(F) ->
	T0 = erlang:monotonic_time(nanosecond),
	Result = F(),
	{Result, erlang:monotonic_time(nanosecond) - T0}.

%% Ends the node unless the result is right.
check(true, _) -> ok;
check(false, What) ->
	io:format("failed ~s expected~n", [What]),
	halt(1).

%% The suite's own generator of numbers from 0 to 65535.
random(R) -> (R * 1309 + 13849) band 65535.

spawn_off_heap(F) ->
	spawn_opt(F, [{message_queue_data, off_heap}]).
