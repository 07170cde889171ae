import static com.mongodb.client.model.Aggregates.*;

import com.mongodb.client.model.Accumulators;
import com.mongodb.client.model.Aggregates;
import com.mongodb.client.model.Filters;
import org.bson.Document;

/** Scores. {@code new Document("$facet", …)} is what they do not use. */
class Scores {
    private static final String LOOKUP = "$graphLookup"; // !! unsupported-operator $graphLookup
    private static final String RANK_PATH = "$rank";
    char quote = '"';

    void supported(MongoCollection<Document> scores) {
        scores.find(Filters.gt("size", 1));
        scores.aggregate(List.of(match(Filters.eq("facet", 1)), Aggregates.group("$rank", Accumulators.sum("n", "$round")),
            unwind("$top"), new Document("$project", new Document("where", "$where").append("fill", "$fill"))));
        scores.updateOne(Filters.eq("_id", 1), new Document("$set", new Document("rank", 2)));
        log.info("$facet", "$where");
        names.put("rank", "$rank");
    }

    void unsupported(MongoCollection<Document> scores, MongoDatabase db) {
        scores.aggregate(List.of(new Document("$facet", new Document("a", List.of())))); // !! unsupported-operator $facet
        scores.aggregate(Arrays.asList(new Document("$set", new Document("a", "$b")))); // !! unsupported-operator $set -8.0
        scores.aggregate(List.of(Aggregates.sortByCount("$rank"))); // !! unsupported-operator $sortByCount
        scores.aggregate(List.of(bucketAuto("$rank", 3), graphLookup("a", "$b", "c", "d", "e"))); // !! unsupported-operator $bucketAuto !! unsupported-operator $graphLookup
        scores.find(Filters.where("this.a > 1")); // !! unsupported-operator $where
        scores.find(Filters.geoWithinCenterSphere("place", 1, 2, 3)); // !! unsupported-operator $centerSphere
        scores.find().noCursorTimeout(true); // !! unsupported-feature noCursorTimeout
        scores.createIndex(Indexes.hashed("a")); // !! unsupported-index hashed
        Document.parse("{ $unionWith: 'old' }"); // !! unsupported-operator $unionWith
        Document.parse("{ \"$setWindowFields\": { \"output\": 1 } }"); // !! unsupported-operator $setWindowFields
        db.createCollection("log", new CreateCollectionOptions().capped(true)); // !! unsupported-feature capped%collection
        String text = """
            { $densify: { field: "$fill" } }
            """; // the line above
        new Document().append("$fill", 1); // !! unsupported-operator $fill
        db.runCommand(new Document("getLastError", 1)); // !! unsupported-feature getLastError
    }
}
