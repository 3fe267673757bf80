%% SPDX-License-Identifier: BSD-2-Clause
%%
%% Plays scripts with Erlang's own processes: see script.h and README.md.
%%
%%     erl -noshell -run judge main OUT_DIRECTORY rows/G1.script ...
%%
%% writes OUT_DIRECTORY/G1.trace and so on.  A scene's processes are traced, so
%% that it is known when all have ended, and of what; they note their lines in a
%% table, in which a line is when the call has returned.
-module(judge).
-behaviour(supervisor).
-export([main/1, init/1, start_tree/2, start_part/2, start_one/2, child/3]).

-define(SCENE_MS, 20000).

main([Out | Rows]) ->
    logger:set_primary_config(level, none),
    Good = [row(Out, Row) || Row <- Rows],
    halt(case lists:all(fun(X) -> X end, Good) of true -> 0; false -> 1 end).

row(Out, Path) ->
    Scenes = read(Path),
    Name = filename:basename(Path, ".script") ++ ".trace",
    try [play(Scene) || Scene <- Scenes] of
        Traces -> ok = file:write_file(filename:join(Out, Name), Traces), true
    catch
        throw:{bad, Why} -> io:format("~s: ~s~n", [Path, Why]), false
    end.

%% ---------------------------------------------------------------- reading

%% [{Scene, [{Actor, Ops, StoppingOps}]}]; an operation is a list of words.  Of
%% a supervisor the operations are its children and the last is its own line.
read(Path) ->
    {ok, Text} = file:read_file(Path),
    Lines = [words(L) || L <- string:split(binary_to_list(Text), "\n", all)],
    scenes([L || L <- Lines, L =/= []]).

words(Line) ->
    [Code | _] = string:split(Line, "#"),
    string:lexemes(Code, " \t").

scenes([]) -> [];
scenes([["scene", Name] | Rest]) ->
    {Body, More} = lists:splitwith(fun(L) -> hd(L) =/= "scene" end, Rest),
    [{Name, actors(Body)} | scenes(More)].

actors([]) -> [];
actors([["supervisor", Name | How] | Rest]) ->
    {Body, More} = lists:splitwith(fun same_actor/1, Rest),
    [{Name, Body, {supervisor, How}} | actors(More)];
actors([["actor", Name] | Rest]) ->
    {Body, More} = lists:splitwith(fun same_actor/1, Rest),
    {Ops, Stop} = lists:splitwith(fun(L) -> L =/= ["stopping"] end, Body),
    [{Name, lists:flatmap(fun repeated/1, Ops), Stop -- [["stopping"]]}
     | actors(More)].

same_actor([Word | _]) -> Word =/= "actor" andalso Word =/= "supervisor".

repeated(["repeat", N | Op]) -> lists:duplicate(list_to_integer(N), Op);
repeated(Op) -> [Op].

%% ---------------------------------------------------------------- a scene

play({Name, Actors}) ->
    Table = ets:new(scene, [public, ordered_set]),
    ets:insert(Table, {actors, Actors}),
    First = spawn(fun() -> receive go -> part(Table, hd(Actors)) end end),
    know(Table, element(1, hd(Actors)), First),
    erlang:trace(First, true, [procs, set_on_spawn]),
    First ! go,
    Ends = try until_over(#{First => true}, #{}, Name, deadline())
    catch throw:Bad ->
        [io:put_chars(print(Table, Actor, #{})) || {Actor, _, _} <- Actors],
        throw(Bad)
    end,
    Text = [print(Table, Actor, Ends)
            || {Actor, Ops, Stop} <- Actors, is_list(Stop),
               hd(Ops ++ [[]]) =/= ["unseen"]],
    Board = [["board: ", L, "\n"] || L <- together(lines_of(Table, board))],
    ets:delete(Table),
    ["[", Name, "]\n", Text | Board].

deadline() -> erlang:monotonic_time(millisecond) + ?SCENE_MS.

%% Pid => Reason of all, once none is alive.  An end may be told before a birth.
until_over(Alive, Ends, _, _) when map_size(Alive) =:= 0 -> Ends;
until_over(Alive, Ends, Name, Until) ->
    receive
        {trace, _, spawn, New, _} when is_map_key(New, Ends) ->
            until_over(Alive, Ends, Name, Until);
        {trace, _, spawn, New, _} ->
            until_over(Alive#{New => true}, Ends, Name, Until);
        {trace, Pid, exit, Why} ->
            until_over(maps:remove(Pid, Alive), Ends#{Pid => Why}, Name, Until);
        Other when element(1, Other) =:= trace ->
            until_over(Alive, Ends, Name, Until)
    after max(0, Until - erlang:monotonic_time(millisecond)) ->
        throw({bad, "scene " ++ Name ++ " does not end"})
    end.

%% The lines of an actor's lives, one after another.
print(Table, Actor, Ends) ->
    Lives = lives(Table, Actor),
    Lines = lists:append([life(Table, Pid, Ends) || Pid <- Lives]),
    [[Actor, ": ", L, "\n"] || L <- together(Lines)].

life(Table, Pid, Ends) ->
    Lines = lines_of(Table, Pid),
    case Ends of
        #{Pid := Why} -> Lines ++ ["ends " ++ reason(Why)];
        _ -> Lines
    end.

lines_of(Table, Who) ->
    [L || [L] <- ets:match(Table, {{line, '_'}, Who, '$1'})].

%% Equal lines that follow each other are one, with their number.
together([]) -> [];
together([L | Rest]) ->
    {Same, Others} = lists:splitwith(fun(X) -> X =:= L end, Rest),
    One = case length(Same) of
        0 -> L;
        N -> L ++ " x" ++ integer_to_list(N + 1)
    end,
    [One | together(Others)].

%% ----------------------------------------------------- notes and references

stamp() -> erlang:unique_integer([monotonic]).

note(Table, Line) -> note(Table, self(), Line).

note(Table, Who, Line) -> ets:insert(Table, {{line, stamp()}, Who, Line}).

%% From now on this is what the name means.  Who spawned it says so, and the
%% process itself: the first of both counts.
know(Table, Name, Pid) ->
    ets:insert_new(Table, {{life, Pid}, stamp(), Name}).

%% All that had a name, in the order of their births.
lives(Table, Name) ->
    Lives = ets:match(Table, {{life, '$2'}, '$1', Name}),
    [Pid || [_, Pid] <- lists:sort(Lives)].

name(Table, Pid) ->
    case ets:lookup(Table, {life, Pid}) of
        [{_, _, Name}] -> Name;
        [] -> "nobody"
    end.

pid(_, "nobody") -> list_to_pid("<0.30000.99>");
pid(Table, Name) -> lists:last(lives(Table, Name)).

actor(Table, Name) ->
    [{actors, Actors}] = ets:lookup(Table, actors),
    {Name, _, _} = lists:keyfind(Name, 1, Actors).

reason({Why, [{_, _, _, _} | _]}) -> reason(Why);
reason({Why, []}) -> reason(Why);
reason({shutdown, {failed_to_start_child, Id, Why}}) ->
    Id ++ ": " ++ reason(Why);
reason({shutdown, _}) -> "shutdown";
reason(Why) when is_atom(Why) -> atom_to_list(Why);
reason(Why) -> lists:flatten(io_lib:format("~0p", [Why])).

%% ------------------------------------------------------------------ a part

%% One that has something to do when it ends has to trap exits for that, as a
%% gen_server whose terminate() is to be called; only `trap` makes it see them.
part(Table, {Name, AllOps, Stop}) ->
    know(Table, Name, self()),
    Life = ets:update_counter(Table, {lived, Name}, 1, {{lived, Name}, 0}),
    Ops = of_life(Life, AllOps),
    S = #{table => Table, seen => [], labels => #{}, asks => [],
          traps => false},
    Deaf = lists:any(fun(Op) -> hd(Op) =:= "deaf" end, Ops),
    process_flag(trap_exit, Deaf orelse Stop =/= []),
    try run(Ops, S) catch
        Class:Why:Stack ->
            has_started() andalso lists:foldl(fun do/2, S, Stop),
            erlang:raise(Class, Why, Stack)
    end,
    lists:foldl(fun do/2, S, Stop).

%% What follows the last `life N` that is not later.
of_life(Life, Ops) ->
    case lists:splitwith(fun(Op) -> hd(Op) =/= "life" end, Ops) of
        {Now, []} -> Now;
        {Now, [["life", N] | Later]} ->
            Reached = lists:any(
                fun(["life", M]) -> list_to_integer(M) =< Life;
                   (_) -> false end, [["life", N] | Later]),
            if Reached -> of_life(Life, Later); true -> Now end
    end.

run([], _) -> started();
run([["wait" | Line] | Ops], S) ->
    run(Ops, wait(lists:flatten(lists:join(" ", Line)), S));
run([["pause", Ms] | Ops], S) ->
    erlang:send_after(list_to_integer(Ms), self(), {tick, Ms}),
    run(Ops, wait("tick", S));
run([Op | Ops], S) -> run(Ops, do(Op, S)).

%% A supervisor's child has started when it waits for the first time.
started() ->
    case erase(parent) of
        undefined -> ok;
        Parent -> proc_lib:init_ack(Parent, {ok, self()})
    end.

has_started() -> get(parent) =:= undefined.

%% Take and note messages until one is the line.
wait(Line, S = #{seen := Seen}) ->
    started(),
    case lists:member(Line, Seen) of
        true -> S#{seen := lists:delete(Line, Seen)};
        false -> receive Message -> wait(Line, got(Message, S)) end
    end.

see(Line, S = #{table := T, seen := Seen}) ->
    note(T, Line),
    S#{seen := [Line | Seen]}.

got({lines, Lines}, S) -> lists:foldl(fun see/2, S, Lines);
got({tick, _}, S = #{seen := Seen}) -> S#{seen := ["tick" | Seen]};
got({text, From, Text}, S = #{table := T}) ->
    see("got " ++ Text ++ " from " ++ name(T, From), S);
got({ask, From, Ask, Text}, S = #{table := T, asks := Asks}) ->
    see("got ask " ++ Text ++ " from " ++ name(T, From),
        S#{asks := Asks ++ [Ask]});
got({answer, Ask, Text}, S) ->
    ended(Ask, fun(Name) -> "answer " ++ Text ++ " from " ++ Name end, S);
got({late, Ask}, S) ->
    ended(Ask, fun(Name) -> "no answer from " ++ Name ++ ": timeout" end, S);
got({'DOWN', Ref, process, Pid, Why}, S = #{table := T}) ->
    case S of
        #{Ref := _} ->
            ended(Ref, fun(N) -> "no answer from " ++ N ++ ": dead" end, S);
        _ -> see("down " ++ name(T, Pid) ++ " " ++ reason(Why), S)
    end;
got({'EXIT', _, normal}, S = #{traps := false}) -> S;
got({'EXIT', _, Why}, #{traps := false}) -> exit(Why);
got({'EXIT', Pid, Why}, S = #{table := T}) ->
    see("exit " ++ name(T, Pid) ++ " " ++ reason(Why), S).

%% As gen:call() ends a call: what comes later was sent to an alias that is no
%% more.
ended(Ask, Line, S) ->
    demonitor(Ask, [flush]),
    {{Name, Timer}, Rest} = maps:take(Ask, S),
    erlang:cancel_timer(Timer),
    receive {late, Ask} -> ok after 0 -> ok end,
    see(Line(Name), Rest).

label([], _, S) -> S;
label([Name], Ref, S = #{labels := L}) -> S#{labels := L#{Name => Ref}}.

do(["spawn", Name | How], S = #{table := T}) ->
    Actor = actor(T, Name),
    {Link, How1} = option("link", How),
    {Monitor, Label} = option("monitor", How1),
    case spawn_opt(fun() -> part(T, Actor) end, Link ++ Monitor) of
        {Pid, Ref} -> know(T, Name, Pid), label(Label, Ref, S);
        Pid -> know(T, Name, Pid), S
    end;
do(["send", Name | Text], S = #{table := T}) ->
    pid(T, Name) ! {text, self(), lists:flatten(lists:join(" ", Text))},
    S;
do(["say" | Text], S = #{table := T}) ->
    note(T, lists:flatten(lists:join(" ", Text))),
    S;
do(["block", Ms], S) -> timer:sleep(list_to_integer(Ms)), S;
do(["unseen"], S) -> S;
%% What comes is not even read, until that was said; or for ever.
do(["deaf"], _) -> receive never -> ok end;
do(["deaf", Name, Text], S = #{table := T}) ->
    said(T, Name, Text) orelse
        begin timer:sleep(5), do(["deaf", Name, Text], S) end,
    S;
%% The start fails unless that was said; the first time Name is told.  It takes
%% some time, for it will be tried again at once.
do(["fail", Why, "until", Name, Text], S = #{table := T}) ->
    said(T, Name, Text) orelse fail(Why, T, Name),
    S;
do(["board" | Text], S = #{table := T}) ->
    Line = [name(T, self()) | Text],
    note(T, board, lists:flatten(lists:join(" ", Line))),
    S;
do(["monitor", Name | Label], S = #{table := T}) ->
    label(Label, monitor(process, pid(T, Name)), S);
do(["demonitor", Label], S = #{labels := L}) ->
    demonitor(maps:get(Label, L), [flush]),
    S;
do(["link", Name], S = #{table := T}) -> link(pid(T, Name)), S;
do(["unlink", Name], S = #{table := T}) ->
    Pid = pid(T, Name),
    unlink(Pid),
    %% As the manual says to make sure of it; ours does it by itself.
    receive {'EXIT', Pid, _} -> ok after 0 -> ok end,
    S;
do(["trap"], S) -> process_flag(trap_exit, true), S#{traps := true};
do(["untrap"], S) -> process_flag(trap_exit, false), S#{traps := false};
do(["exit", "shutdown", Text], _) ->
    started(),
    exit({shutdown, list_to_atom(Text)});
do(["exit", Why], _) ->
    %% With a text it is a failure, of the start if it has not ended yet.
    is_text(Why) orelse started(),
    exit(list_to_atom(Why));
do(["ignore"], _) ->
    proc_lib:init_ack(get(parent), ignore),
    exit(normal);
do(["stop", Name], S = #{table := T}) ->
    case ets:lookup(T, {holder, Name}) of
        [{_, Holder}] -> Holder ! stop;
        [] -> exit(pid(T, Name), shutdown)
    end,
    S;
do(["crash", Why], _) -> error(list_to_atom(Why));
do(["signal", Name, Why], S = #{table := T}) ->
    exit(pid(T, Name), list_to_atom(Why)),
    S;
do(["register", Name], S) -> register(list_to_atom(Name), self()), S;
do(["whereis", Name], S = #{table := T}) ->
    see(Name ++ " is " ++ name(T, whereis(list_to_atom(Name))), S);
do(["ask", Name, Text, Ms], S = #{table := T}) ->
    Pid = pid(T, Name),
    Ask = monitor(process, Pid, [{alias, reply_demonitor}]),
    Timer = erlang:send_after(list_to_integer(Ms), self(), {late, Ask}),
    Pid ! {ask, self(), Ask, Text},
    S#{Ask => {Name, Timer}};
do(["reply", Text], S = #{asks := [Ask | Asks]}) ->
    Ask ! {answer, Ask, Text},
    S#{asks := Asks};
do(["chain", N, Name], S = #{table := T}) ->
    chain(list_to_integer(N), T, actor(T, Name)),
    S;

do(Op, S) -> tree(Op, S).

said(T, Name, Text) ->
    lists:any(fun(Pid) -> lists:member(Text, lines_of(T, Pid)) end,
              lives(T, Name)).

fail(Why, T, Name) ->
    ets:insert_new(T, {{first, name(T, self())}}) andalso
        (pid(T, Name) ! {text, self(), "failing"}),
    timer:sleep(10),
    error(list_to_atom(Why)).

is_text("normal") -> false;
is_text("shutdown") -> false;
is_text("killed") -> false;
is_text([$e | Digits]) ->
    not lists:all(fun(C) -> C >= $0 andalso C =< $9 end, Digits);
is_text(_) -> true.

option(Name, [Name | Rest]) -> {[list_to_atom(Name)], Rest};
option(_, Rest) -> {[], Rest}.

chain(0, T, Actor) -> spawn_link(fun() -> part(T, Actor) end);
chain(N, T, Actor) ->
    spawn_link(fun() ->
        chain(N - 1, T, Actor),
        receive never -> ok end
    end).

%% ------------------------------------------------------------- supervisors

%% A supervisor's parent is a process of its own, so that whoever asked for it
%% is not linked with it; it can be told to stop it.
tree(["tree", Name | Monitor], S = #{table := T}) ->
    Me = self(),
    Down = fun(Why) ->
        [Me ! {lines, ["down " ++ Name ++ " " ++ reason(Why)]}
         || ["monitor"] <- [Monitor]]
    end,
    spawn(fun() -> holder(T, Name, Me, Down) end),
    S;
tree(["until", Name, Child, State], S = #{table := T}) ->
    Children = supervisor:which_children(pid(T, Name)),
    case [W || {Id, Pid, _, _} <- Children,
               [C, W] <- [string:lexemes(which(T, Id, Pid), " ")],
               C =:= Child] of
        [State] -> S;
        [] when State =:= "gone" -> S;
        _ -> timer:sleep(2), tree(["until", Name, Child, State], S)
    end;
%% What is asked of one is asked by a process of its own, for it may take time.
tree([Verb, Name | More], S = #{table := T}) ->
    Me = self(),
    spawn(fun() ->
        Answer = try ask(Verb, T, Name, More)
                 catch exit:_ -> {error, not_found} end,
        Me ! {lines, lines(Verb, T, Name, More, Answer)}
    end),
    S.

holder(T, Name, Caller, Down) ->
    process_flag(trap_exit, true),
    case start_tree(T, Name) of
        {ok, Pid} ->
            ets:insert(T, {{holder, Name}, self()}),
            Caller ! {lines, [Name ++ " is up"]},
            held(Pid, Down);
        {error, Why} ->
            Caller ! {lines, [Name ++ " failed"]},
            Down(Why)
    end.

held(Pid, Down) ->
    receive
        {'EXIT', Pid, Why} -> Down(Why);
        stop -> exit(Pid, shutdown), held(Pid, Down)
    end.

start_tree(T, Name) -> supervisor:start_link(?MODULE, {T, Name}).

start_part(T, Name) -> proc_lib:start_link(?MODULE, child, [self(), T, Name]).

%% Of a simple_one_for_one: the part is the caller's.
start_one(T, Name) -> start_part(T, Name).

child(Parent, T, Name) ->
    put(parent, Parent),
    part(T, actor(T, Name)).

init({T, Name}) ->
    know(T, Name, self()),
    {_, Children, {supervisor, [Strategy | How]}} = actor(T, Name),
    Flags = flags(How, #{strategy => list_to_atom(Strategy)}),
    {ok, {Flags, [spec(T, Strategy, C) || ["child" | C] <- Children]}}.

flags([], F) -> F;
flags(["intensity", N | How], F) ->
    flags(How, F#{intensity => list_to_integer(N)});
flags(["period", N | How], F) -> flags(How, F#{period => list_to_integer(N)});
flags(["any" | How], F) -> flags(How, F#{auto_shutdown => any_significant});
flags(["all" | How], F) -> flags(How, F#{auto_shutdown => all_significant}).

spec(T, Strategy, [Name | How]) ->
    {Start, Type} = case actor(T, Name) of
        {_, _, {supervisor, _}} ->
            {{?MODULE, start_tree, [T, Name]}, supervisor};
        _ when Strategy =:= "simple_one_for_one" ->
            {{?MODULE, start_one, [T]}, worker};
        _ -> {{?MODULE, start_part, [T, Name]}, worker}
    end,
    spec(How, #{id => Name, start => Start, type => Type}).

spec([], C) -> C;
spec(["drop" | How], C) -> spec(How, C);
spec(["backoff", _ | How], C) -> spec(How, C);
spec(["shutdown", "brutal" | How], C) -> spec(How, C#{shutdown => brutal_kill});
spec(["shutdown", "infinity" | How], C) -> spec(How, C#{shutdown => infinity});
spec(["shutdown", Ms | How], C) ->
    spec(How, C#{shutdown => list_to_integer(Ms)});
spec(["significant" | How], C) -> spec(How, C#{significant => true});
spec([Restart | How], C) -> spec(How, C#{restart => list_to_atom(Restart)}).

strategy(T, Name) ->
    {_, _, {supervisor, [Strategy | _]}} = actor(T, Name),
    Strategy.

is_simple(T, Name) -> strategy(T, Name) =:= "simple_one_for_one".

ask("which", T, Name, []) -> supervisor:which_children(pid(T, Name));
ask("count", T, Name, []) -> supervisor:count_children(pid(T, Name));
ask("start_child", T, Name, [Child | How]) ->
    What = case is_simple(T, Name) of
        true -> [Child];
        false -> spec(T, strategy(T, Name), [Child | How])
    end,
    supervisor:start_child(pid(T, Name), What);
ask(Verb, T, Name, [Child]) ->
    Id = case is_simple(T, Name) of true -> pid(T, Child); false -> Child end,
    case Verb of
        "terminate" -> supervisor:terminate_child(pid(T, Name), Id);
        "restart" -> supervisor:restart_child(pid(T, Name), Id);
        "delete" -> supervisor:delete_child(pid(T, Name), Id)
    end.

lines(Verb, _, Name, [], {error, _}) -> [Verb ++ " " ++ Name ++ ": dead"];
lines("which", T, Name, [], Children) ->
    [Name ++ ": " ++ which(T, Id, Pid)
     || {Id, Pid, _, _} <- lists:reverse(Children)]
        ++ ["which " ++ Name ++ ": ok"];
lines("count", _, Name, [], Counts) ->
    [Specs, Active, Sups, Workers] =
        [integer_to_list(proplists:get_value(K, Counts))
         || K <- [specs, active, supervisors, workers]],
    [Name ++ ": " ++ Specs ++ " specs, " ++ Active ++ " active, "
     ++ Sups ++ " supervisors, " ++ Workers ++ " workers",
     "count " ++ Name ++ ": ok"];
lines(Verb, _, _, [Child | _], Answer) ->
    [Verb ++ " " ++ Child ++ ": " ++ answer(Verb, Answer)].

which(_, Id, undefined) -> Id ++ " stopped";
which(_, Id, restarting) -> Id ++ " restarting";
which(T, undefined, Pid) -> name(T, Pid) ++ " running";
which(_, Id, _) -> Id ++ " running".

answer(_, ok) -> "ok";
answer(_, {ok, undefined}) -> "ignored";
answer(_, {ok, _}) -> "ok";
answer(_, {error, {already_started, _}}) -> "already_started";
answer(_, {error, already_present}) -> "already_present";
answer(_, {error, not_found}) -> "not_found";
answer(_, {error, running}) -> "running";
answer(_, {error, restarting}) -> "restarting";
answer(_, {error, simple_one_for_one}) -> "refused";
answer(_, {error, {bad_combination, _}}) -> "refused";
answer(_, {error, {invalid_child_spec, _}}) -> "refused";
answer(_, {error, _}) -> "failed".
