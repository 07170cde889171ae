"""Reports of the quiz. The old way was {"$graphLookup": ...} and db.scores.map_reduce(...)."""

import json

import pymongo
from bson.son import SON

db = pymongo.MongoClient("mongodb://127.0.0.1:27017/quiz").quiz  # !! connection 127.0.0.1:27017

# A comment that speaks of {"$where": "this.a > 1"} asks for nothing.
SORT = "$sort"
COUNT_BY = "$sortByCount"  # !! unsupported-operator $sortByCount
RANK_FIELD = "$rank"


def supported(player):
    """Uses {"$facet": ...}? No."""
    return db.scores.aggregate(
        [
            {
                "$match": {
                    "player": player,
                    "size": {"$gt": 1},
                    "$or": [{"facet": 1}, {"rank": {"$in": [1, 2]}}],
                }
            },
            {"$group": {"_id": "$rank", "total": {"$sum": "$round"}, "best": {"$max": "$top"}}},
            {"$project": {"function": 1, "where": "$where", "top": {"$ifNull": ["$bottom", "$fill"]}}},
            {SORT: SON([("total", -1)])},
        ]
    )


def unsupported():
    db.scores.aggregate([{"$facet": {"a": [{"$match": {}}]}}])  # !! unsupported-operator $facet
    db.scores.aggregate(
        [
            {"$set": {"name": "$player"}},  # !! unsupported-operator $set -8.0
            {"$unset": "secret"},  # !! unsupported-operator $unset -8.0
            {"$group": {"_id": None, "n": {"$count": {}}}},  # !! unsupported-operator $count
            {"$bucket": {"groupBy": "$score", "boundaries": [0, 5]}},  # !! unsupported-operator $bucket -8.0
            {"$addFields": {"x": {"$cond": [True, 1, "$$REMOVE"]}}},  # !! unsupported-operator $$REMOVE
            {"$addFields": {"x": {"$round": ["$score", 1]}}},  # !! unsupported-operator $round
        ]
    )
    pipeline = json.loads('[{"$unionWith": "old"}]')  # !! unsupported-operator $unionWith
    text = """
        {"$setWindowFields": {"sortBy": {"score": 1},
                              "output": {"rank": {"$rank": {}}}}}
    """  # the two lines above
    stage = {}
    stage["$merge"] = {"into": "totals"}  # !! unsupported-operator $merge -8.0
    stage = SON([("$graphLookup", {"from": "scores"})])  # !! unsupported-operator $graphLookup
    return pipeline, text, stage


def updates():
    db.scores.update_one({"_id": 1}, {"$set": {"rank": 2}, "$unset": {"old": ""}})
    db.scores.bulk_write([pymongo.UpdateOne({}, {"$set": {"a": 1}})])
    db.scores.update({}, {"$inc": {"n": 1}})  # !! deprecated-call update
    settings = {"a": 1}
    settings.update({"b": 2})
    db.scores.find({"capped": True, "tailable": 1, "collation": "x"})
    db.scores.insert_one({"viewOn": 1, "timeseries": True})


def features():
    db.events.map_reduce("m", "r", "out")  # !! unsupported-feature mapReduce -8.0
    db.create_collection("log", capped=True, size=1000)  # !! unsupported-feature capped%collection
    db.create_collection("clean", capped=False)
    for _ in db.scores.find({}, no_cursor_timeout=True):  # !! unsupported-feature noCursorTimeout
        pass
    db.scores.create_index([("where", "2d")])  # !! unsupported-index 2d
    db.scores.create_index([("where", pymongo.HASHED)])  # !! unsupported-index hashed
    db.scores.create_index([("$**", 1)])  # !! unsupported-index wildcard
    db.scores.create_index([("hashed", 1)], unique=True)  # !! unsupported-index unique only=elastic
    db.command("filemd5", 1)  # !! unsupported-feature filemd5
    db.command({"ping": 1})
    with db.scores.watch() as stream:  # !! unsupported-feature change%stream only=elastic
        print("$facet", stream)
    db.scores.find({}, allow_disk_use=True)  # !! unsupported-feature allowDiskUse%of%find
    db.scores.find().allow_disk_use(True)  # !! unsupported-feature allowDiskUse%of%find
    db.scores.aggregate([{"$match": {}}], allowDiskUse=True)
