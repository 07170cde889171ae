package main

import "go.mongodb.org/mongo-driver/mongo"

func collection(db *mongo.Database) *mongo.Collection {
	return db.Collection("users")
}
