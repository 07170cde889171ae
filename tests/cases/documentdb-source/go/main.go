// Package main reads {"$facet": ...} from nowhere.
package main

import (
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

type row struct {
	Rank  int    `bson:"rank"`
	Where string `json:"$where"`
}

func supported(ctx context.Context, db *mongo.Database) {
	coll := db.Collection("scores")
	coll.Find(ctx, bson.D{{"size", bson.D{{"$gt", 1}}}, {"facet", 1}})
	coll.UpdateOne(ctx, bson.M{"_id": 1}, bson.D{{"$set", bson.D{{"rank", 2}}}})
	coll.UpdateOne(ctx, bson.M{"_id": 1}, bson.M{"$unset": bson.M{"rank": ""}})
	coll.Aggregate(ctx, mongo.Pipeline{
		{{"$group", bson.D{{"_id", "$rank"}, {"n", bson.D{{"$sum", "$round"}}}}}},
		bson.D{{Key: "$sort", Value: bson.D{{Key: "n", Value: -1}}}},
	})
	switch op {
	case "$facet":
		fmt.Println("$where", op)
	}
	/* bson.M{"$where": 1} */
}

func unsupported(ctx context.Context, db *mongo.Database) {
	coll := db.Collection("scores")
	coll.Aggregate(ctx, mongo.Pipeline{
		{{"$facet", bson.D{}}},                                     // !! unsupported-operator $facet
		{{"$set", bson.D{{"a", 1}}}},                               // !! unsupported-operator $set -8.0
		bson.D{{Key: "$sortByCount", Value: "$rank"}},              // !! unsupported-operator $sortByCount
		bson.D{{"$group", bson.D{{"n", bson.D{{"$count", bson.D{}}}}}}}, // !! unsupported-operator $count
	})
	coll.Aggregate(ctx, []bson.M{{"$unset": "a"}, {"$graphLookup": bson.M{"from": "b"}}}) // !! unsupported-operator $unset -8.0 !! unsupported-operator $graphLookup
	coll.Find(ctx, bson.M{"$where": "this.a"}, options.Find().SetNoCursorTimeout(true))   // !! unsupported-operator $where !! unsupported-feature noCursorTimeout
	raw := `[{ "$unionWith": "old" },
		{ "$densify": {} }]` // the two lines of the text
	const merge = "$merge" // !! unsupported-operator $merge -8.0
	db.CreateCollection(ctx, "log", options.CreateCollection().SetCapped(true)) // !! unsupported-feature capped%collection
	coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{"a", "hashed"}}}) // !! unsupported-index hashed
	coll.Find(ctx, bson.D{}, options.Find().SetAllowDiskUse(true)) // !! unsupported-feature allowDiskUse%of%find
	coll.Aggregate(ctx, stages, options.Aggregate().SetAllowDiskUse(true))
	db.RunCommand(ctx, bson.D{{"convertToCapped", "log"}}) // !! unsupported-feature capped%collection
	client, _ := mongo.Connect(ctx, options.Client().ApplyURI("mongodb://app:secret@db.example.com/quiz")) // !! connection db.example.com
}
