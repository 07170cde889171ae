"""A client keeps to one of the servers that would do: cursors live on the server that opened them."""

from __future__ import annotations

from pymongo.server_description import ServerDescription

from greylag.connectors.mongodb.address import OneServer

ONE, TWO, THREE = (ServerDescription((name, 27017)) for name in "abc")


def test_the_first_choice_stays_while_it_would_do() -> None:
    choose = OneServer()
    assert choose([]) == []
    [chosen] = choose([ONE, TWO, THREE])
    for servers in ([ONE, TWO, THREE], [THREE, TWO, ONE]):
        assert choose(servers) == [chosen]


def test_another_is_kept_to_while_the_first_is_away() -> None:
    choose = OneServer()
    assert choose([ONE]) == [ONE]
    [second] = choose([TWO, THREE])
    assert choose([THREE, TWO]) == [second]
    assert choose([THREE, ONE, TWO]) == [ONE]
