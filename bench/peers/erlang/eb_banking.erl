%% SPDX-License-Identifier: BSD-2-Clause
%%
%% bench/savina/banking.c: an account that has asked another one receives its
%% answer only, so all else waits in its mailbox.
-module(eb_banking).
-export([run/1]).

-define(SEED, 123456).
-define(AMOUNT_MAX, 100000).
-define(FIRST_BALANCE, 1000000000).

run([Transfers, Count]) ->
	eb:check(Count >= 10, "banking: at least 10 accounts"),
	Expected = expected(Transfers, Count),
	process_flag(message_queue_data, off_heap),
	{Accounts, Ns} = eb:time(fun() -> teller(Transfers, Count) end),
	[eb:check(balance(element(I + 1, Accounts)) =:= maps:get(I, Expected),
	    "banking: an account's balance") || I <- lists:seq(0, Count - 1)],
	{Transfers, Ns}.

%% The next transfer, {From, To, Cents}.
draw(R0, Count) ->
	R1 = eb:random(R0),
	From = R1 rem (Count div 10 * 8),
	R2 = eb:random(R1),
	Further = R2 rem (Count - From),
	R3 = eb:random(R2),
	{{From, From + max(Further, 1), ?AMOUNT_MAX div (1 + R3)}, R3}.

expected(Transfers, Count) ->
	First = maps:from_keys(lists:seq(0, Count - 1), ?FIRST_BALANCE),
	expected(Transfers, Count, ?SEED, First).

expected(0, _, _, Balances) -> Balances;
expected(N, Count, R0, B) ->
	{{From, To, Cents}, R} = draw(R0, Count),
	#{From := A, To := C} = B,
	expected(N - 1, Count, R, B#{From := A - Cents, To := C + Cents}).

teller(Transfers, Count) ->
	L = [eb:spawn_off_heap(fun() -> account(?FIRST_BALANCE) end)
	    || _ <- lists:seq(1, Count)],
	Accounts = list_to_tuple(L),
	order(Transfers, Count, ?SEED, Accounts),
	wait_done(Transfers),
	Accounts.

order(0, _, _, _) -> ok;
order(N, Count, R0, Accounts) ->
	{{From, To, Cents}, R} = draw(R0, Count),
	element(From + 1, Accounts) !
	    {transfer, self(), element(To + 1, Accounts), Cents},
	order(N - 1, Count, R, Accounts).

wait_done(0) -> ok;
wait_done(N) -> receive done -> wait_done(N - 1) end.

balance(Account) ->
	Account ! {stop, self()},
	receive {balance, Balance} -> Balance end.

account(Balance) ->
	receive
		{transfer, Teller, To, Cents} ->
			Ref = make_ref(),
			To ! {deposit, self(), Ref, Cents},
			receive {Ref, done} -> ok end,
			Teller ! done,
			account(Balance - Cents);
		{deposit, From, Ref, Cents} ->
			From ! {Ref, done},
			account(Balance + Cents);
		{stop, From} ->
			From ! {balance, Balance}
	end.
