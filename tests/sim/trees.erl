%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Erlang's own supervisors play random trees: see trees.h, trees.sh.
%%
%%     erl -noshell -run trees main TERMS
%%
%% reads what `sim_trees --term` has printed, and prints what there is to see as
%% `sim_trees --expect` prints what there should be.
%%
%% Each tree has a process that does its steps and traces all of the tree's
%% processes.  Leaves note their starts with a time stamp, the traces of ends
%% have one of the same kind, and so both are put in order.
-module(trees).
-behaviour(supervisor).
-export([main/1, init/1, start_super/2, start_leaf/2, leaf/3]).

-define(PERIOD_S, 1000000).

main([Path]) ->
    logger:set_primary_config(level, none),
    {ok, Trees} = file:consult(Path),
    Me = self(),
    Players = [spawn_link(fun() -> Me ! {self(), play(T)} end) || T <- Trees],
    [io:put_chars(receive {P, Text} -> Text end) || P <- Players],
    halt(0).

%% ------------------------------------------------------------- the script

play({Seed, Nodes, Steps}) ->
    T = ets:new(tree, [public, ordered_set]),
    [ets:insert(T, {{node, element(1, N)}, N}) || N <- Nodes],
    Holder = spawn_link(fun() -> hold(T) end),
    erlang:trace(Holder, true,
                 [procs, set_on_spawn, strict_monotonic_timestamp]),
    S = #{table => T, holder => Holder, top => none, seen => #{}},
    {Text, _} = lists:mapfoldl(fun step/2, S, Steps),
    unlink(Holder),
    exit(Holder, kill),
    ["[", integer_to_list(Seed), "]\n" | Text].

step({Line, Verb, Name, Count}, S) ->
    {Up, S1} = up(Verb, S),
    Answer = do(Verb, Name, Count, S1),
    S2 = #{seen := Seen} = rest(S1),
    Ends = ends(),
    Text = [Line, "\n", Up, events(S2, Ends),
            [["answer ", Answer, "\n"] || Answer =/= ""],
            downs(S1, Ends),
            [list(S2, Super, L) || {Super, L} <- by_number(Seen)]],
    {Text, S2}.

by_number(Seen) ->
    lists:sort(fun({A, _}, {B, _}) -> number(A) =< number(B) end,
               maps:to_list(Seen)).

number([_ | Digits]) -> list_to_integer(Digits).

node(#{table := T}, Name) ->
    [{_, Node}] = ets:lookup(T, {node, Name}),
    Node.

parent(S, Name) -> element(2, node(S, Name)).

is_super(S, Name) -> is_tuple(element(7, node(S, Name))).

is_simple(S, Name) ->
    is_super(S, Name) andalso
        element(1, element(7, node(S, Name))) =:= simple_one_for_one.

%% The top, should it not run.
up(Quiet, S) when Quiet =:= fail; Quiet =:= ignore -> {"", S};
up(_, S = #{seen := #{"s0" := _}}) -> {"", S};
up(_, S = #{holder := Holder}) ->
    Holder ! {start, self()},
    receive
        {up, Pid} -> {"s0 is up\n", rest(S#{top := Pid})};
        failed -> {"s0 failed\n", S#{top := none}}
    end.

hold(T) ->
    process_flag(trap_exit, true),
    receive
        {start, From} ->
            case start_super(T, "s0") of
                {ok, Pid} -> From ! {up, Pid};
                {error, _} -> From ! failed
            end;
        {'EXIT', _, _} -> ok
    end,
    hold(T).

%% ------------------------------------------------------------------ steps

do(fail, Name, Count, S) -> arm(S, {fails, Name}, Count);
do(ignore, Name, _, S) -> arm(S, {ignores, Name}, 1);
do(Verb, Name, _, S) when Verb =:= terminate; Verb =:= restart;
                          Verb =:= delete; Verb =:= start ->
    case pid(S, parent(S, Name)) of
        none -> "nobody";
        Super -> ask(Verb, Super, Name, is_simple(S, parent(S, Name)), S)
    end;
do(Verb, Name, _, S) ->
    case pid(S, Name) of
        none -> "nobody";
        Pid -> befall(Verb, Pid, is_super(S, Name)), ""
    end.

arm(#{table := T}, Key, Count) ->
    ets:update_counter(T, Key, Count, {Key, 0}),
    "".

%% Who runs, as was seen when the tree was at rest.
pid(#{top := Top, seen := Seen}, "s0") when is_map_key("s0", Seen) -> Top;
pid(_, "s0") -> none;
pid(S = #{seen := Seen}, Name) ->
    {_, Kids} = maps:get(parent(S, Name), Seen, {none, []}),
    proplists:get_value(Name, Kids, none).

befall(stop, Pid, true) -> gen_server:stop(Pid, shutdown, infinity);
befall(Verb, Pid, false) ->
    Ref = monitor(process, Pid),
    case Verb of
        stop -> exit(Pid, shutdown);
        kill -> exit(Pid, kill);
        _ -> Pid ! Verb
    end,
    receive {'DOWN', Ref, process, Pid, _} -> ok end.

ask(start, Super, Name, true, S) ->
    case pid(S, Name) of
        none -> answer(supervisor:start_child(Super, [Name]));
        _ -> "nobody"
    end;
ask(start, Super, Name, false, S) ->
    answer(supervisor:start_child(Super, spec(S, Name)));
ask(Verb, Super, Name, true, S) ->
    case pid(S, Name) of
        none -> "nobody";
        Pid -> answer(ask(Verb, Super, Pid))
    end;
ask(Verb, Super, Name, false, _) -> answer(ask(Verb, Super, Name)).

ask(terminate, Super, Id) -> supervisor:terminate_child(Super, Id);
ask(restart, Super, Id) -> supervisor:restart_child(Super, Id);
ask(delete, Super, Id) -> supervisor:delete_child(Super, Id).

answer(ok) -> "ok";
answer({ok, undefined}) -> "ignored";
answer({ok, _}) -> "ok";
answer({error, {already_started, _}}) -> "already_started";
answer({error, already_present}) -> "already_present";
answer({error, running}) -> "running";
answer({error, restarting}) -> "restarting";
answer({error, not_found}) -> "not_found";
answer({error, simple_one_for_one}) -> "refused";
answer({error, _}) -> "failed".

%% ---------------------------------------------------------------- at rest

%% A supervisor that has still to learn of an end lists somebody dead; one that
%% tries again says so.  If all are alive, and once more, nothing happens.
rest(S) ->
    Seen = seen(S),
    case seen(S) of
        Seen when Seen =/= again -> S#{seen := Seen};
        _ -> erlang:yield(), rest(S)
    end.

%% Super => {Counts, [{Child, Pid or stopped}]}
seen(#{top := none}) -> #{};
seen(S = #{top := Top}) ->
    case is_process_alive(Top) of
        false -> #{};
        true -> try walk(S, "s0", Top) catch throw:again -> again end
    end.

walk(S, Name, Pid) ->
    {Kids, Counts} =
        try {supervisor:which_children(Pid), supervisor:count_children(Pid)}
        catch exit:_ -> throw(again)
        end,
    List = [kid(S, Kid) || Kid <- lists:reverse(Kids)],
    lists:foldl(fun maps:merge/2, #{Name => {Counts, List}},
                [walk(S, Kid, KidPid) || {Kid, KidPid} <- List,
                                         is_pid(KidPid), is_super(S, Kid)]).

kid(_, {_, restarting, _, _}) -> throw(again);
kid(_, {Id, undefined, _, _}) -> {Id, none};
kid(#{table := T}, {Id, Pid, _, _}) ->
    is_process_alive(Pid) orelse throw(again),
    case Id of
        undefined -> [{_, Name}] = ets:lookup(T, {leaf, Pid}), {Name, Pid};
        _ -> {Id, Pid}
    end.

%% -------------------------------------------------------------- what is seen

%% Pid => {Stamp, Reason} of all that have ended since the last time.
ends() ->
    Ref = erlang:trace_delivered(all),
    ends(Ref, #{}).

ends(Ref, Ends) ->
    receive
        {trace_ts, Pid, exit, Why, Stamp} ->
            ends(Ref, Ends#{Pid => {Stamp, Why}});
        Other when element(1, Other) =:= trace_ts -> ends(Ref, Ends);
        {trace_delivered, all, Ref} -> Ends
    end.

note(T, Name, What) ->
    Stamp = {erlang:monotonic_time(nanosecond),
             erlang:unique_integer([monotonic])},
    ets:insert(T, {{note, Stamp}, Name, What}).

events(S = #{table := T}, Ends) ->
    Notes = [{Stamp, Name, What}
             || [Stamp, Name, What] <- ets:match(T, {{note, '$1'}, '$2', '$3'})],
    ets:match_delete(T, {{note, '_'}, '_', '_'}),
    Died = [{Stamp, Name, {ends, Why}}
            || {Pid, {Stamp, Why}} <- maps:to_list(Ends),
               [Name] <- ets:match(T, {{leaf, Pid}, '$1'})],
    lines(S, [{Name, What} || {_, Name, What} <- lists:sort(Notes ++ Died)]).

%% A simple_one_for_one supervisor ends its children in no order.
lines(_, []) -> [];
lines(S, [First = {Name, {ends, _}} | Rest]) ->
    Above = parent(S, Name),
    {Same, Others} = lists:splitwith(
        fun({N, What}) -> is_simple(S, Above) andalso is_tuple(What)
                              andalso parent(S, N) =:= Above end, Rest),
    Sorted = lists:sort(fun({A, _}, {B, _}) -> number(A) =< number(B) end,
                        [First | Same]),
    [[[N, " ends ", reason(Why), "\n"] || {N, {ends, Why}} <- Sorted]
     | lines(S, Others)];
lines(S, [{Name, What} | Rest]) ->
    [[Name, " ", atom_to_list(What), "\n"] | lines(S, Rest)].

reason(Why) when is_atom(Why) -> atom_to_list(Why);
reason(Why) -> io_lib:format("~0p", [Why]).

%% Supervisors that ran before and have ended.
downs(S = #{seen := Before}, Ends) ->
    [[Name, " down ", reason(element(2, maps:get(Pid, Ends))), "\n"]
     || {Name, _} <- by_number(Before),
        Pid <- [pid(S, Name)],
        is_map_key(Pid, Ends)].

list(S, Name, {Counts, Kids}) ->
    Sorted = case is_simple(S, Name) of
        true -> lists:sort(fun({A, _}, {B, _}) -> number(A) =< number(B) end,
                           Kids);
        false -> Kids
    end,
    Numbers = [integer_to_list(proplists:get_value(K, Counts))
               || K <- [specs, active, supervisors, workers]],
    [Name, " (", lists:join(" ", Numbers), "):",
     [[case Pid of none -> " -"; _ -> " " end, Kid] || {Kid, Pid} <- Sorted],
     "\n"].

%% --------------------------------------------------------------- the tree

start_super(T, Name) -> supervisor:start_link(?MODULE, {T, Name}).

init({T, Name}) ->
    S = #{table => T},
    {Strategy, Intensity, Auto, Restart, Shutdown} = element(7, node(S, Name)),
    Flags = #{strategy => Strategy, intensity => Intensity,
              period => ?PERIOD_S, auto_shutdown => Auto},
    Pattern = #{id => pattern, start => {?MODULE, start_leaf, [T]},
                restart => Restart, shutdown => Shutdown},
    {ok, {Flags, case Strategy of
        simple_one_for_one -> [Pattern];
        _ -> [spec(S, Kid) || Kid <- described(T, Name)]
    end}}.

described(T, Above) ->
    Kids = ets:match(T, {{node, '_'}, {'$1', Above, '_', '_', '_', false, '_'}}),
    lists:sort(fun(A, B) -> number(A) =< number(B) end, lists:append(Kids)).

spec(S = #{table := T}, Name) ->
    {_, _, Restart, Shutdown, Significant, _, Kind} = node(S, Name),
    {Start, Type} = case Kind of
        leaf -> {start_leaf, worker};
        _ -> {start_super, supervisor}
    end,
    #{id => Name, start => {?MODULE, Start, [T, Name]}, restart => Restart,
      shutdown => Shutdown, significant => Significant, type => Type}.

start_leaf(T, Name) -> proc_lib:start_link(?MODULE, leaf, [self(), T, Name]).

leaf(Parent, T, Name) ->
    case take(T, {fails, Name}) orelse {take(T, {ignores, Name})} of
        true ->
            note(T, Name, fails),
            exit(does_not_start);
        {true} ->
            note(T, Name, ignores),
            proc_lib:init_ack(Parent, ignore);
        _ ->
            ets:insert(T, {{leaf, self()}, Name}),
            note(T, Name, starts),
            proc_lib:init_ack(Parent, {ok, self()}),
            receive
                normal -> ok;
                quit -> exit(shutdown);
                crash -> exit(crash)
            end
    end.

%% One less, if there was one.
take(T, Key) ->
    case ets:lookup(T, Key) of
        [{_, N}] when N > 0 -> ets:update_counter(T, Key, -1), true;
        _ -> false
    end.
