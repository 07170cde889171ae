"""Reports. {"$facet": not asked for}"""
from __future__ import annotations
import pymongo
from pymongo import MongoClient, UpdateOne, InsertOne, ASCENDING, HASHED, TEXT
from pymongo.read_preferences import ReadPreference
from motor.motor_asyncio import AsyncIOMotorClient
import os, re, string

db = MongoClient(os.environ["MONGO"])["shop"]
FACET = "$facet"  # !! unsupported-operator $facet
price = "$round"  # just a text
tmpl = string.Template("$where are you, $rank?").substitute(where=1)
sql = "SELECT $where FROM t"
shell = "echo ${facet} $size"
usd = {"currency": "$", "label": "$top"}
row = {"rank": 1, "facet": 2, "where": 3, "function": "x"}
doc = {"name": "$facet", "values": ["$round", "$where"]}
pipeline = [
    {"$match": {"a": {"$gt": 1}}},
    {
        "$facet": {  # !! unsupported-operator $facet
            "a": [{"$count": "n"}],
            "b": [{"$group": {"_id": "$rank", "n": {"$count": {}}}}],  # !! unsupported-operator $count
        }
    },
    {"$set": {"x": {"$round": ["$price", 2]}}},  # !! unsupported-operator $set -8.0 !! unsupported-operator $round
    dict([("$sortByCount", "$tag")]),  # !! unsupported-operator $sortByCount
    {f"$bucket": {"groupBy": "$x"}},  # !! unsupported-operator $bucket -8.0
    {"$replace" "With": "$x"},
]
stage = {}
stage["$unionWith"] = {"coll": "b"}  # !! unsupported-operator $unionWith
stage.update({"$merge": {"into": "x"}})  # !! unsupported-operator $merge -8.0
stage.setdefault("$graphLookup", {})  # !! unsupported-operator $graphLookup
kwargs = dict(**{"$where": "this.a > 1"})  # !! unsupported-operator $where
db.users.update_one({"_id": 1}, {"$set": {"a": 1}, "$unset": {"b": ""}})
db.users.update_one({"_id": 1}, [{"$set": {"a": 1}}])  # !! unsupported-operator $set -8.0
db.users.update_many({}, [{"$unset": "a"}])  # !! unsupported-operator $unset -8.0
db.users.bulk_write([UpdateOne({"_id": 1}, {"$set": {"b": 1}}), UpdateOne({"_id": 2}, {"$inc": {"c": 1}})])
db.users.bulk_write([UpdateOne({"_id": 1}, [{"$set": {"b": 1}}])])  # !! unsupported-operator $set -8.0
ops = [{"updateOne": {"filter": {}, "update": {"$set": {"a": 1}}}}]
changes = [{"$set": {"a": i}} for i in range(3)]
db.users.create_index([("a", HASHED)])  # !! unsupported-index hashed
db.users.create_index([("a", "hashed")])  # !! unsupported-index hashed
db.users.create_index([("$**", 1)])  # !! unsupported-index wildcard
db.users.create_index("a", collation={"locale": "en"})  # !! unsupported-feature collation -8.0
db.create_collection("log", capped=True, size=10)  # !! unsupported-feature capped%collection
db.users.find({"a": 1}).collation({"locale": "de"})  # !! unsupported-feature collation -8.0
db.command("mapReduce", "users")  # !! unsupported-feature mapReduce -8.0
cur = db.users.find({"$expr": {"$function": {"body": "x"}}})  # !! unsupported-operator $expr only=3.6,elastic !! unsupported-operator $function
if "$where" in query or "$facet" == name:
    pass
FORBIDDEN = {"$where", "$function"}
DENY = ["$where", "$accumulator"]
if key in ("$where", "$function"): raise ValueError("no $where")
match key:
    case "$where": pass
logger.info("stage %s: {'$facet': 1}", 1)
re.sub(r"\$where", "", s)
s.replace("$where", "")
raise ValueError("the operator $where is not allowed: {'$where': 1}")
def f(doc): return doc.get("$where")
def g(doc): return doc["$where"]
def h(doc): doc.pop("$where", None)
x = {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/a", "$id": "x", "$defs": {}}
