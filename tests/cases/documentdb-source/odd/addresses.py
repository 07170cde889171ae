import os
from pymongo import MongoClient
import mongoengine
a = MongoClient("db.internal", 27017)  # !! connection db.internal:27017
b = MongoClient("db.internal:27017")  # !! connection db.internal:27017
c = MongoClient(host="db1.internal", port=27018)  # !! connection db1.internal:27018
d = MongoClient("localhost")  # !! connection localhost
e = MongoClient(["h1:27017", "h2:27017"], replicaset="rs1")  # !! connection h1:27017,h2:27017 !! connection replicaset
f = MongoClient(os.environ["MONGO"], 27017)
g = MongoClient()  # !! connection localhost
h = MongoClient(os.getenv("MONGO_HOST", "mongo.internal"))  # !! connection mongo.internal
mongoengine.connect("shop", host="db.internal", port=27017)  # !! connection db.internal:27017
i = AsyncIOMotorClient("10.0.0.5", 27017)  # !! connection 10.0.0.5:27017
URL = "mongodb://%s:%s@db.example.com/shop" % (u, p)  # !! connection db.example.com
URL = f"mongodb://{u}:{p}@{host}:{port}/{db}?authSource=shop"  # !! connection a%MongoDB%server !! authentication authSource
URL = "mongodb://" + user + ":" + pw + "@db.example.com:27017/shop"  # !! connection a%MongoDB%server
j = MongoClient("mongodb://a.docdb.amazonaws.com:27017/?tls=true&replicaSet=rs0")  # !! retry-writes a.docdb.amazonaws.com:27017 -8.0 !! connection replicaSet only=elastic
k = MongoClient(uri, tlsAllowInvalidCertificates=True)  # !! tls-unverified tlsAllowInvalidCertificates
l = MongoClient(uri, readPreference="nearest", w=0, ssl=True, ssl_ca_certs="x")  # !! deprecated-call ssl_ca_certs
m = MongoClient(uri, authMechanism="GSSAPI")  # !! authentication authMechanism
n = redis.Redis("db.internal", 6379)
