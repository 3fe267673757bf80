%% SPDX-License-Identifier: BSD-2-Clause
%%
%% bench/savina/nqueenk.c: a master and workers, each with a mailbox.  A board
%% is the number of its queens and the list of their rows, the last one first.
-module(eb_nqueenk).
-export([run/1]).

-record(master, {size, limit, workers, boards = 0, working = 0,
	solutions = 0, finish = false}).

run([Size, Threshold, Workers, Limit]) ->
	process_flag(message_queue_data, off_heap),
	Self = self(),
	Pids = [eb:spawn_off_heap(fun() -> worker(Self, Size, Threshold) end)
	    || _ <- lists:seq(1, Workers)],
	M = work({0, []}, #master{size = Size, limit = Limit,
	    workers = {Pids, []}}),
	#master{boards = Boards, solutions = Solutions} =
	    master(M, Pids, Workers),
	Most = known(Size),
	eb:check(Solutions >= Limit orelse Solutions =:= Most,
	    "nqueenk: as many solutions as wanted, or all,"),
	eb:check(Solutions =< Most,
	    "nqueenk: no more solutions than there are"),
	Boards + Solutions.

known(Size) ->
	element(Size + 1, {1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200,
	    73712, 365596, 2279184, 14772512}).

master(M, _, 0) -> M;
master(M, Pids, Left) ->
	receive
		{work, Board} when M#master.finish ->
			_ = Board,
			master(M, Pids, Left);
		{work, Board} ->
			master(work(Board, M), Pids, Left);
		{solution, Board} ->
			check_solution(Board, M),
			N = M#master.solutions + 1,
			master(finish(N >= M#master.limit,
			    M#master{solutions = N}, Pids), Pids, Left);
		done ->
			N = M#master.working - 1,
			master(finish(N =:= 0, M#master{working = N}, Pids),
			    Pids, Left);
		finished ->
			master(M, Pids, Left - 1)
	end.

%% The workers get boards in turn.
work(Board, M = #master{workers = {[], Served}}) ->
	work(Board, M#master{workers = {lists:reverse(Served), []}});
work(Board, M = #master{workers = {[Pid | Pids], Served}}) ->
	Pid ! {work, Board},
	M#master{workers = {Pids, [Pid | Served]},
	    boards = M#master.boards + 1, working = M#master.working + 1}.

finish(true, M = #master{finish = false}, Pids) ->
	[Pid ! finish || Pid <- Pids],
	M#master{finish = true};
finish(_, M, _) -> M.

check_solution({Queens, [Row | Rows]}, M) ->
	eb:check(Queens =:= M#master.size andalso is_safe(Row, Rows, 1),
	    "nqueenk: a solution with all queens").

worker(Master, Size, Threshold) ->
	receive
		{work, {Queens, Rows}} when Queens < Threshold ->
			divide(Size - 1, Queens, Rows, Master),
			Master ! done,
			worker(Master, Size, Threshold);
		{work, {Queens, Rows}} ->
			solve(Size - 1, Queens, Rows, Master, Size),
			Master ! done,
			worker(Master, Size, Threshold);
		finish ->
			Master ! finished
	end.

divide(-1, _, _, _) -> ok;
divide(Row, Queens, Rows, Master) ->
	is_safe(Row, Rows, 1) andalso
	    (Master ! {work, {Queens + 1, [Row | Rows]}}),
	divide(Row - 1, Queens, Rows, Master).

solve(_, Size, Rows, Master, Size) -> Master ! {solution, {Size, Rows}};
solve(-1, _, _, _, _) -> ok;
solve(Row, Queens, Rows, Master, Size) ->
	is_safe(Row, Rows, 1) andalso
	    solve(Size - 1, Queens + 1, [Row | Rows], Master, Size),
	solve(Row - 1, Queens, Rows, Master, Size).

%% Whether a queen in Row is safe from those before it.
is_safe(_, [], _) -> true;
is_safe(Row, [R | Rows], D) ->
	R =/= Row andalso R =/= Row - D andalso R =/= Row + D andalso
	    is_safe(Row, Rows, D + 1).
