package x;
import com.mongodb.client.model.*;
import static com.mongodb.client.model.Filters.*;
import org.bson.Document;
import org.springframework.data.mongodb.core.aggregation.Aggregation;
import org.springframework.data.mongodb.repository.Query;

/** {@code {$facet: {}}} */
class E {
    static final String FACET = "$facet"; // !! unsupported-operator $facet
    @Value("${where.url}") String url;
    @Value("$rank") String rank;
    class Inner$where {}
    int $size = 3;
    @Query("{ 'a': ?0, '$where': 'x' }") // !! unsupported-operator $where
    List<A> q(String a);
    @Aggregation(pipeline = {"{ $group: { _id: '$rank' } }", "{ $sortByCount: '$x' }"}) // !! unsupported-operator $sortByCount
    List<A> r();
    void f() {
        Document d = new Document("$facet", new Document()); // !! unsupported-operator $facet
        Document e = new Document("name", "$facet").append("$merge", 1); // !! unsupported-operator $merge -8.0
        Bson g = Aggregates.facet(new Facet("a")); // !! unsupported-operator $facet
        Bson h = Aggregates.sortByCount("$rank"); // !! unsupported-operator $sortByCount
        Bson i = Aggregates.group("$where", Accumulators.sum("n", 1));
        Bson s = Aggregates.set(new Field("a", 1)); // !! unsupported-operator $set -8.0
        Bson u = Updates.set("a", 1);
        Bson w = where("this.a > 1"); // !! unsupported-operator $where
        coll.updateOne(eq("a", 1), new Document("$set", new Document("a", 1)));
        coll.updateOne(eq("a", 1), Arrays.asList(new Document("$set", new Document("a", 1)))); // !! unsupported-operator $set -8.0
        coll.updateOne(eq("a", 1), List.of(Aggregates.set(new Field<>("a", 1)))); // !! unsupported-operator $set -8.0
        coll.bulkWrite(Arrays.asList(new UpdateOneModel<>(eq("a", 1), new Document("$set", new Document("a", 1)))));
        List<Document> updates = Arrays.asList(new Document("$inc", 1), new Document("$push", 2));
        log.info("{$facet: 1} $where");
        String.format("$where %s", 1);
        if (op.equals("$where") || "$facet".equals(op)) {}
        switch (op) { case "$where": break; case "$facet" -> x(); }
        Set<String> bad = Set.of("$where", "$function");
        List<String> bads = Arrays.asList("$where", "$function");
        coll.createIndex(Indexes.hashed("a")); // !! unsupported-index hashed
        coll.createIndex(new Document("a", "hashed")); // !! unsupported-index hashed
        coll.createIndex(Indexes.ascending("a"), new IndexOptions().collation(c)); // !! unsupported-feature collation -8.0
        db.createCollection("x", new CreateCollectionOptions().capped(true)); // !! unsupported-feature capped%collection
        coll.find().noCursorTimeout(true); // !! unsupported-feature noCursorTimeout
        coll.mapReduce("m", "r"); // !! unsupported-feature mapReduce -8.0
        newAggregation(Aggregation.facet().and(a), Aggregation.bucket("x")); // !! unsupported-operator $facet !! unsupported-operator $bucket -8.0
        Document.parse("""
            {"$densify": {"field": "x"}}
            """);
        WatchService ws = FileSystems.getDefault().newWatchService();
    }
}
