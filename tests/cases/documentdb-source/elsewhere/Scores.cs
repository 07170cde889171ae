using MongoDB.Bson; // new BsonDocument("$where", 1)
var shown = $"{size} $facet";
var stage = new BsonDocument { { "$facet", new BsonDocument("a", "$rank") } }; // !! unsupported-operator $facet
