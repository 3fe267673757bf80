%% SPDX-License-Identifier: BSD-2-Clause
%%
%% bench/savina/bndbuffer.c: the manager is the buffer; it, the producers and
%% the consumers are processes.
-module(eb_bndbuffer).
-export([run/1]).

-record(manager, {room, held_back_at, %% so many items: producers wait, too
	count = 0, pending = queue:new(), %% items
	producers = queue:new(), %% that wait
	idle = 0, consumers = queue:new()}). %% that wait

run([Each, Room, Producers, Consumers, ProducerCost, ConsumerCost]) ->
	Self = self(),
	L = [spawn(fun() -> consumer(Self, 0.0, 0, 0, ConsumerCost) end)
	    || _ <- lists:seq(1, Consumers)],
	[spawn(fun() -> producer(Self, 0.0, I * Each, Each, ProducerCost) end)
	    ! produce || I <- lists:seq(0, Producers - 1)],
	manager(Producers, Consumers, #manager{room = Room,
	    held_back_at = Room - Producers,
	    idle = Consumers, consumers = queue:from_list(L)}),
	[Pid ! {leave, self()} || Pid <- L],
	{Items, Numbers} = lists:foldl(fun(_, {Items, Numbers}) ->
		receive {consumed, I, N} -> {Items + I, Numbers + N} end
	end, {0, 0}, L),
	Made = Producers * Each,
	eb:check(Items =:= Made, "bndbuffer: as many items used up as made"),
	eb:check(Numbers =:= Made * (Made - 1) div 2,
	    "bndbuffer: each item used up, once,"),
	Made.

process(Data, Cost) -> process(Data, Cost, Cost * 100).

process(Data, _, 0) -> Data;
process(Data, R0, N) ->
	R = eb:random(R0),
	process(Data + math:log(1.0 / (R + 1) + 0.01), R, N - 1).

producer(Manager, _, _, 0, _) ->
	receive produce -> Manager ! finished end;
producer(Manager, Data0, Number, Left, Cost) ->
	receive produce -> ok end,
	Data = process(Data0, Cost),
	Manager ! {item, self(), Number, Data},
	producer(Manager, Data, Number + 1, Left - 1, Cost).

consumer(Manager, Data, Items, Numbers, Cost) ->
	receive
		{item, Number, New} ->
			Next = process(Data + New, Cost),
			Manager ! {available, self()},
			consumer(Manager, Next, Items + 1, Numbers + Number,
			    Cost);
		{leave, Pid} ->
			Pid ! {consumed, Items, Numbers}
	end.

%% Until all items are made and used up.
manager(0, Consumers, #manager{idle = Consumers}) -> ok;
manager(Producers, Consumers, M) ->
	receive
		{item, Pid, Number, Data} ->
			M1 = item({item, Number, Data}, M),
			manager(Producers, Consumers, produce(Pid, M1));
		{available, Pid} ->
			manager(Producers, Consumers, available(Pid, M));
		finished ->
			manager(Producers - 1, Consumers, M)
	end.

item(Item, M = #manager{idle = 0, count = Count, pending = Items}) ->
	eb:check(Count < M#manager.room, "bndbuffer: bounded"),
	M#manager{count = Count + 1, pending = queue:in(Item, Items)};
item(Item, M = #manager{idle = Idle, consumers = Consumers}) ->
	{{value, Pid}, Rest} = queue:out(Consumers),
	Pid ! Item,
	M#manager{idle = Idle - 1, consumers = Rest}.

%% A producer goes on if there is room for what all of them may make.
produce(Pid, M) when M#manager.count < M#manager.held_back_at ->
	Pid ! produce,
	M;
produce(Pid, M) ->
	M#manager{producers = queue:in(Pid, M#manager.producers)}.

available(Pid, M = #manager{count = 0, idle = Idle}) ->
	M#manager{idle = Idle + 1,
	    consumers = queue:in(Pid, M#manager.consumers)};
available(Pid, M = #manager{count = Count}) ->
	{{value, Item}, Items} = queue:out(M#manager.pending),
	Pid ! Item,
	Producers = case queue:out(M#manager.producers) of
		{{value, Producer}, Rest} -> Producer ! produce, Rest;
		{empty, None} -> None
	end,
	M#manager{count = Count - 1, pending = Items, producers = Producers}.
