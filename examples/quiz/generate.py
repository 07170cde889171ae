"""Fills MongoDB with the quiz's three databases: users, content and quiz.

    python examples/quiz/generate.py --url mongodb://127.0.0.1:27017/?directConnection=true --records 2000

drops and writes users.accounts, users.sessions, content.questions, content.topics, quiz.attempts and quiz.scores, with
the indexes that the services use. The same arguments give the same data.

`--users PASSWORD` makes the users that the services sign in as (users_app, content_app, quiz_app), where the server
asks who one is. `--play N` drops nothing and does what players do: N attempts, and a point more for N scores.

Of the records 15 in 100 are accounts, 5 sessions, 20 questions, 1 topics, 15 scores, the rest attempts.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bson import Binary, Decimal128, Int64, ObjectId, Regex
from pymongo import MongoClient

if TYPE_CHECKING:
    from pymongo.synchronous.database import Database

START = datetime(2023, 1, 1, tzinfo=UTC)
TOPICS = ("Birds", "Fish", "Capitals", "Trees", "Rivers", "Musique", "Ökologie", "詩")
WORDS = ("which", "owl", "hears", "farthest", "by", "night", "where", "does", "it", "nest", "wing", "feather")
Document = dict[str, Any]


def object_id(number: int, place: int) -> ObjectId:
    """The ObjectId at `place` of a collection, told by its number."""
    seconds = int(START.timestamp()) + place
    return ObjectId(seconds.to_bytes(4, "big") + bytes([number, 0, 0, 0]) + place.to_bytes(4, "big"))


def moment(draw: random.Random) -> datetime:
    """A moment of two years, in whole milliseconds."""
    return START + timedelta(milliseconds=draw.randrange(2 * 365 * 86_400_000))


def account(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """Who plays."""
    found: Document = {
        "_id": object_id(1, place),
        "email": f"player{place}@example.com",
        "name": f"Player {place}",
        "passwordHash": f"$2b$10${draw.getrandbits(128):032x}",
        "roles": draw.choice((["player"], ["player", "author"], [])),
        "joinedAt": moment(draw),
        "balance": Decimal128(f"{draw.randrange(100)}.{draw.randrange(100):02}"),
        "logins": Int64(draw.randrange(2**40)) if place % 7 == 0 else draw.randrange(1000),
    }
    if place % 5:
        found["nickname"] = draw.choice((None, f"owl-{place}", ""))
    return found


def session(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """A login; its id is text."""
    return {
        "_id": f"{draw.getrandbits(64):016x}",
        "account": object_id(1, draw.randrange(counts["accounts"])),
        "token": Binary(UUID(int=draw.getrandbits(128)).bytes, 4),
        "expiresAt": moment(draw).replace(year=2040),  # none expires while it is looked at
    }


def topic(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """A topic; its id is a number."""
    return {
        "_id": place,
        "title": f"{TOPICS[place % len(TOPICS)]} {place // len(TOPICS)}",
        "open": place % 3 != 0,
    }


def question(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """A question with its answers."""
    return {
        "_id": object_id(3, place),
        "topic": draw.randrange(counts["topics"]),
        "text": " ".join(draw.choices(WORDS, k=draw.randrange(5, 20))).capitalize() + "?",
        "answers": [{"text": draw.choice(WORDS), "right": n == 0} for n in range(draw.randrange(2, 5))],
        "difficulty": draw.random(),
        "accepts": Regex("^owl", "i") if place % 11 == 0 else None,
        "tags": draw.sample(WORDS, k=draw.randrange(4)),
        "place": {"type": "Point", "coordinates": [draw.uniform(-180, 180), draw.uniform(-85, 85)]},
    }


def score(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """The best of a player in a topic; its id is a document."""
    return {
        "_id": {"player": object_id(1, place % counts["accounts"]), "topic": place // counts["accounts"]},
        "points": draw.randrange(1000),
        "rank": draw.randrange(1, 100),
        "at": moment(draw),
    }


def attempt(draw: random.Random, place: int, counts: dict[str, int]) -> Document:
    """One answered question."""
    return {
        "_id": object_id(6, place),
        "player": object_id(1, draw.randrange(counts["accounts"])),
        "question": object_id(3, draw.randrange(counts["questions"])),
        "answer": draw.randrange(4),
        "right": draw.random() < 0.4,
        "seconds": round(draw.uniform(0.5, 60), 3),
        "at": moment(draw),
    }


Plain = Callable[[random.Random, int, dict[str, int]], Document]
COLLECTIONS: dict[str, tuple[str, Plain, int]] = {
    "accounts": ("users", account, 15),
    "sessions": ("users", session, 5),
    "topics": ("content", topic, 1),
    "questions": ("content", question, 20),
    "scores": ("quiz", score, 15),
    "attempts": ("quiz", attempt, 0),
}
"""The database of each collection, what fills it, and its share in 100; what is left are attempts."""


def counts_of(records: int) -> dict[str, int]:
    """How many documents each collection gets: at least one."""
    counts = {name: max(1, records * share // 100) for name, (_, _, share) in COLLECTIONS.items()}
    counts["attempts"] = max(1, records - sum(counts.values()) + counts["attempts"])
    return counts


def documents(name: str, seed: int, counts: dict[str, int]) -> Iterator[Document]:
    """The documents of a collection, always the same for the same seed and counts."""
    draw = random.Random(f"{seed}/{name}")
    _, plain, _ = COLLECTIONS[name]
    for place in range(counts[name]):
        yield plain(draw, place, counts)


def make_indexes(database: Database[Document], name: str) -> None:
    """Those the services use."""
    collection = database[name]
    if name == "accounts":
        collection.create_index("email", unique=True)
    elif name == "sessions":
        collection.create_index("expiresAt", expireAfterSeconds=0)
    elif name == "questions":
        collection.create_index([("topic", 1), ("difficulty", -1)])
        collection.create_index([("place", "2dsphere")])
    elif name == "scores":
        collection.create_index([("points", -1)], partialFilterExpression={"points": {"$gt": 500}})
    elif name == "attempts":
        collection.create_index([("player", "hashed")])


def generate(url: str, counts: dict[str, int], seed: int) -> None:
    """Write the six collections."""
    with MongoClient[Document](url) as client:
        for name, (database, _, _) in COLLECTIONS.items():
            collection = client[database][name]
            collection.drop()
            made = documents(name, seed, counts)
            while batch := list(islice(made, 1000)):
                collection.insert_many(batch)
            make_indexes(client[database], name)


def make_users(url: str, password: str) -> None:
    """A user for each service, who may read and write its database."""
    with MongoClient[Document](url) as client:
        for database in sorted({database for database, _, _ in COLLECTIONS.values()}):
            roles = [{"role": "readWrite", "db": database}]
            client.admin.command("createUser", f"{database}_app", pwd=password, roles=roles)


def play(url: str, counts: dict[str, int], number: int) -> None:
    """What the service quiz writes when players answer `number` questions."""
    draw = random.Random(number)
    with MongoClient[Document](url) as client:
        for _ in range(number):
            client["quiz"]["attempts"].insert_one(
                {**attempt(draw, 0, counts), "_id": ObjectId(draw.randbytes(12))}
            )
            someone = draw.randrange(counts["scores"])
            client["quiz"]["scores"].update_one(
                {"_id": score(draw, someone, counts)["_id"]}, {"$inc": {"points": 1}}
            )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--url", required=True, help="the MongoDB to write to; the six collections are replaced"
    )
    parser.add_argument(
        "--records", type=int, default=400, help="documents of all collections together (400)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--users", metavar="PASSWORD", help="also make the users of the services")
    parser.add_argument("--play", type=int, metavar="N", help="drop nothing; play N times")
    arguments = parser.parse_args()
    counts = counts_of(arguments.records)
    if arguments.play is not None:
        play(arguments.url, counts, arguments.play)
        return
    generate(arguments.url, counts, arguments.seed)
    if arguments.users is not None:
        make_users(arguments.url, arguments.users)


if __name__ == "__main__":
    main()
