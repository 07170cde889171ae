import com.mongodb.client.*;
class K {
  @GetMapping("/{id}") String f(@RequestParam("$top") int top, @RequestParam(name = "$filter") String f) { return ""; }
  @JsonProperty("$where") String where;
  @SerializedName("$facet") String facet;
  @Field("$rank") int rank;
  Map<String, Object> m = new HashMap<>();
  void g() {
    m.put("$where", "x"); // !! unsupported-operator $where
    m.get("$where"); m.containsKey("$facet"); m.remove("$where", 1); m.getOrDefault("$where", 1);
    assertThat(x).containsEntry("$rank", 1);
    template.update(User.class).matching(q).apply(new Update().set("a", 1)).first();
    Criteria.where("a").is(1);
    query(where("a").is(1));
    MatchOperation mo = Aggregation.match(Criteria.where("a").is(1));
    Aggregation.newAggregation(Aggregation.unwind("x"), Aggregation.graphLookup("x")); // !! unsupported-operator $graphLookup
    Filters.where("x"); // !! unsupported-operator $where
    BasicDBObject o = new BasicDBObject("$where", "x"); // !! unsupported-operator $where
    throw new IllegalArgumentException("bad operator {$where: 1}");
    ResourceBundle.getBundle("x").getString("$where");
    coll.watch(); path.register(watcher); // !! unsupported-feature change%stream only=elastic
    coll.distinct("a", String.class).collation(Collation.builder().locale("en").build()); // !! unsupported-feature collation -8.0
    coll.find().cursorType(CursorType.TailableAwait); // !! unsupported-feature tailable%cursor
  }
}
