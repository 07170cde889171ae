package main

import (
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

type T struct {
	A string `bson:"$where" json:"$facet"`
	B int    `json:"$rank,omitempty"`
}

const opFacet = "$facet" // !! unsupported-operator $facet
var names = []string{"$where", "$top"}
var set = map[string]bool{"$rank": true, "$where": false}

// bson.D{{"$facet", 1}}
func f(c *mongo.Collection) {
	p := mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "a", Value: "$rank"}}}},
		{{Key: "$facet", Value: bson.D{}}}, // !! unsupported-operator $facet
		bson.D{{"$set", bson.D{{"x", 1}}}}, // !! unsupported-operator $set -8.0
		bson.D{{"$group", bson.M{"_id": "$where", "n": bson.M{"$count": bson.M{}}}}}, // !! unsupported-operator $count
	}
	q := bson.M{"a": bson.M{"$gt": 1}, "$where": "x"} // !! unsupported-operator $where
	c.UpdateOne(ctx, bson.M{}, bson.M{"$set": bson.M{"a": 1}, "$unset": bson.M{"b": ""}})
	c.UpdateOne(ctx, bson.M{}, bson.D{{"$set", bson.D{{"a", 1}}}})
	c.UpdateOne(ctx, bson.M{}, bson.D{{Key: "$set", Value: bson.D{{"a", 1}}}, {Key: "$inc", Value: 1}})
	c.UpdateOne(ctx, bson.M{}, bson.A{bson.D{{"$set", bson.D{{"a", 1}}}}}) // !! unsupported-operator $set -8.0
	c.UpdateOne(ctx, bson.M{}, mongo.Pipeline{{{"$set", bson.D{{"a", 1}}}}}) // !! unsupported-operator $set -8.0
	models := []mongo.WriteModel{mongo.NewUpdateOneModel().SetUpdate(bson.D{{"$set", bson.D{{"a", 1}}}})}
	fmt.Printf("$where %s {\"$facet\": 1}", x)
	log.Println("{$facet: 1}")
	strings.Replace(s, "$where", "", 1)
	os.Expand("$rank", f)
	if op == "$where" || strings.HasPrefix(op, "$facet") {}
	switch op { case "$where", "$function": return }
	r := regexp.MustCompile(`\$where`)
	opts := options.Find().SetNoCursorTimeout(true) // !! unsupported-feature noCursorTimeout
	opts2 := options.Index().SetCollation(&options.Collation{Locale: "en"}) // !! unsupported-feature collation -8.0
	mod := mongo.IndexModel{Keys: bson.D{{"a", "hashed"}}} // !! unsupported-index hashed
	c.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.M{"loc": "2d"}}) // !! unsupported-index 2d
	db.RunCommand(ctx, bson.D{{"mapReduce", "x"}}) // !! unsupported-feature mapReduce -8.0
	j := `[{"$graphLookup": {"from": "x"}}]` // !! unsupported-operator $graphLookup
	bson.UnmarshalExtJSON([]byte(`{"$sampleRate": 0.3}`), true, &v) // !! unsupported-operator $sampleRate
	e := bson.E{"$trunc", 1} // !! unsupported-operator $trunc
	errors.New("unknown operator $where")
}
