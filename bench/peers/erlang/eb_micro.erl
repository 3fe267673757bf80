%% SPDX-License-Identifier: BSD-2-Clause
%%
%% The eight workloads of bench/micro.
-module(eb_micro).
-export([run/2]).

run("pingpong", [N]) ->
	ping_loop(spawn(fun ponger/0), N),
	2 * N;
run("count", [N]) ->
	C = eb:spawn_off_heap(fun() -> counter(0) end),
	send_incs(C, N),
	C ! {get, self()},
	receive {val, V} -> eb:check(V =:= N, "count: every message") end,
	N;
run("nto1", [N]) ->
	S = self(),
	C = eb:spawn_off_heap(fun() -> receiver(64 * N), S ! done end),
	[spawn(fun() -> send_incs(C, N) end) || _ <- lists:seq(1, 64)],
	wait_done(1),
	64 * N;
run("ring", [N]) ->
	M = self(),
	L = [spawn(fun() -> ring(M) end) || _ <- lists:seq(1, 100)],
	lists:foldl(fun(P, Q) -> P ! {next, Q}, P end, hd(L),
	    lists:reverse(L)),
	hd(L) ! {tok, N},
	receive done -> N end;
run("fjthrput", [N]) ->
	M = self(),
	L = [eb:spawn_off_heap(fun() -> worker(N, M) end)
	    || _ <- lists:seq(1, 60)],
	deal_work(N, L),
	wait_done(60),
	60 * N;
run("fjcreate", [N]) ->
	M = self(),
	[begin P = spawn(fun() -> worker(1, M) end), P ! work end
	    || _ <- lists:seq(1, N)],
	wait_done(N),
	N;
run("big", [N]) ->
	M = self(),
	L = [spawn(fun() -> big(I, N, 120, M) end) || I <- lists:seq(1, 120)],
	T = list_to_tuple(L),
	[P ! {all, T} || P <- L],
	wait_done(120),
	120 * N;
run("fib", [N]) ->
	S = self(),
	spawn(fun() -> fib(N, S) end),
	{Number, Actors} = fib_known(N, 0, 1, 1, 1),
	receive {res, R} -> eb:check(R =:= Number, "fib: the nth number") end,
	Actors.

wait_done(0) -> ok;
wait_done(K) -> receive done -> wait_done(K - 1) end.

%% pingpong

ponger() -> receive {ping, P} -> P ! pong, ponger() end.

ping_loop(_, 0) -> ok;
ping_loop(P, N) -> P ! {ping, self()}, receive pong -> ping_loop(P, N - 1) end.

%% count, nto1

counter(A) -> receive inc -> counter(A + 1); {get, P} -> P ! {val, A} end.

%% What different senders send arrives in any order, so it has to count itself.
receiver(0) -> ok;
receiver(N) -> receive inc -> receiver(N - 1) end.

send_incs(_, 0) -> ok;
send_incs(C, N) -> C ! inc, send_incs(C, N - 1).

%% ring

ring(M) -> receive {next, P} -> ring_loop(P, M) end.

ring_loop(P, M) ->
	receive
		{tok, 0} -> M ! done;
		{tok, N} -> P ! {tok, N - 1}, ring_loop(P, M)
	end.

%% fjthrput, fjcreate

worker(0, M) -> M ! done;
worker(N, M) -> receive work -> worker(N - 1, M) end.

deal_work(0, _) -> ok;
deal_work(N, L) -> [P ! work || P <- L], deal_work(N - 1, L).

%% big

big(I, N, K, M) ->
	receive
		{all, T} -> put(r, I * 7919 + 1), ping(T, K), big_loop(N, K, T, M)
	end.

ping(T, K) ->
	R = (get(r) * 1103515245 + 12345) band 16#7fffffff,
	put(r, R),
	element(((R bsr 8) rem K) + 1, T) ! {ping, self()}.

big_loop(N, K, T, M) ->
	receive
		{ping, P} -> P ! pong, big_loop(N, K, T, M);
		pong when N =:= 1 -> M ! done, big_loop(-1, K, T, M);
		pong when N > 1 -> ping(T, K), big_loop(N - 1, K, T, M);
		pong -> big_loop(N, K, T, M)
	end.

%% fib

fib(N, P) when N < 2 -> P ! {res, N};
fib(N, P) ->
	S = self(),
	spawn(fun() -> fib(N - 1, S) end),
	spawn(fun() -> fib(N - 2, S) end),
	receive {res, A} -> receive {res, B} -> P ! {res, A + B} end end.

%% The Nth number and how many actors it takes.
fib_known(0, A, _, Actors, _) -> {A, Actors};
fib_known(N, A, B, Actors, More) ->
	fib_known(N - 1, B, A + B, More, 1 + Actors + More).
