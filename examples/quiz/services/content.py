"""The service of questions."""

from serving import serve

serve(
    {
        "/health": lambda database: database.command("ping"),
        "/topics": lambda database: list(
            database.questions.aggregate(
                [{"$group": {"_id": "$topic", "questions": {"$sum": 1}}}, {"$sort": {"_id": 1}}]
            )
        ),
    }
)
