import requests, pymongo
from beanie import Document, PydanticObjectId
from mongoengine import Document as D, StringField
r = requests.get(url, params={"$top": 10, "$select": "id", "$filter": "x eq 1"})
r = requests.get(url, params={"$where": "x > 1", "$order": "y", "$limit": 5})
class User(D):
    meta = {"collection": "users", "indexes": [{"fields": ["#name"]}, "$text"]}
class B(Document):
    class Settings:
        indexes = [pymongo.IndexModel([("a", pymongo.HASHED)])]  # !! unsupported-index hashed
GQL = """
query Q($where: Filter!, $top: Int, $rank: Int = 3) { users(where: $where) { id } }
"""
HELP = """Use --stage '$facet' or {"name": "$facet"}, $where: never."""
TEMPLATE = "Dear {name}, you owe $round: now, {$rank}"
q = {"$expr": {"$gt": [{"$size": "$a"}, {"$trunc": "$b"}]}}  # !! unsupported-operator $expr only=3.6,elastic !! unsupported-operator $trunc
agg = db["x"].aggregate(
    [{"$match": {}}] + [{"$set": {"a": 1}}] + extra  # !! unsupported-operator $set -8.0
)
pipeline = []
pipeline.append({"$set": {"a": 1}})  # !! unsupported-operator $set -8.0
pipeline += [{"$unset": "b"}]  # !! unsupported-operator $unset -8.0
stages.insert(0, {"$set": {"x": 1}})  # !! unsupported-operator $set -8.0
ops.append(UpdateOne({"_id": 1}, {"$set": {"a": 1}}))
updates.append({"$set": {"a": 1}})
update = {"$set": {"a": 1}}
update["$set"]["b"] = 2
update["$unset"] = {"c": 1}
db.x.find_one_and_update({"_id": 1}, {"$set": {"a": 1}}, projection={"$where": 0} if 0 else None)  # !! unsupported-operator $where
db.x.update_one({"_id": 1}, {"$set": {"a": 1}}, array_filters=[{"e.a": 1}])
db.x.update_one({"_id": 1}, {"$push": {"a": {"$each": [1], "$slice": -3, "$sort": {"x": 1}}}})
list(db.x.aggregate([{"$project": {"a": {"$cond": [{"$eq": ["$a", 1]}, "$$REMOVE", "$a"]}}}]))  # !! unsupported-operator $$REMOVE
list(db.x.aggregate([{"$group": {"_id": None, "m": {"$stdDevPop": "$x"}, "t": {"$topN": {"n": 1}}}}]))  # !! unsupported-operator $stdDevPop !! unsupported-operator $topN
list(db.x.aggregate([{"$lookup": {"from": "y", "let": {"a": "$a"}, "pipeline": [{"$set": {"z": 1}}], "as": "y"}}]))  # !! unsupported-operator $set -8.0
db.x.count({"a": 1})  # !! deprecated-call count
db.x.insert({"a": 1})  # !! deprecated-call insert
items.count("a"); items.insert(0, 1); "abc".count("a"); cache.update({"a": 1}); self.remove(x)
client = pymongo.MongoClient("mongodb+srv://u:p@cluster0.abc.mongodb.net/shop?retryWrites=true&w=majority")  # !! connection cluster0.abc.mongodb.net
client = pymongo.MongoClient(host="a.example.com", retryWrites=True, replicaSet="rs1")  # !! connection a.example.com !! retry-writes retryWrites !! connection replicaSet
with client.start_session() as s, s.start_transaction(): pass  # !! unsupported-feature transaction only=3.6,elastic
db.x.watch([{"$match": {}}])  # !! unsupported-feature change%stream only=elastic
fs = gridfs.GridFS(db)  # !! unsupported-feature GridFS only=elastic
