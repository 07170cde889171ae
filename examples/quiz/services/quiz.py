"""The service of attempts and scores. Two of its queries are none that DocumentDB 5.0 answers."""

from serving import serve

BEST = [{"$sort": {"points": -1}}, {"$limit": 10}]

serve(
    {
        "/health": lambda database: database.command("ping"),
        "/best": lambda database: list(database.scores.aggregate(BEST)),
        "/board": lambda database: list(
            database.scores.aggregate([{"$facet": {"best": BEST, "players": [{"$count": "all"}]}}])
        ),
        "/pace": lambda database: list(
            database.attempts.aggregate(
                [{"$set": {"seconds": {"$round": ["$seconds", 0]}}}, {"$sample": {"size": 10}}]
            )
        ),
    }
)
