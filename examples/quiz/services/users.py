"""The service of accounts."""

from serving import serve

serve(
    {
        "/health": lambda database: database.command("ping"),
        "/players": lambda database: list(
            database.accounts.find({"roles": "player"}, {"passwordHash": 0}).limit(20)
        ),
    }
)
