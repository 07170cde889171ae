using MongoDB.Driver;
class G {
  const string Op = "$facet"; // !! unsupported-operator $facet
  string[] bad = { "$where", "$function" };
  HashSet<string> set = new HashSet<string> { "$where", "x" };
  Dictionary<string, object> d = new() { { "$where", "x" } }; // !! unsupported-operator $where
  Dictionary<string, object> e = new() { ["$where"] = "x" }; // !! unsupported-operator $where
  int F(string op) => op switch { "$where" => 1, "$facet" => 2, _ => 3 };
  void H() {
    var p = new[] { new BsonDocument("$match", x), new BsonDocument("$set", x) }; // !! unsupported-operator $set -8.0
    c.UpdateOne(f, new BsonDocument("$set", new BsonDocument("a", 1)));
    c.Aggregate().Facet(a); // !! unsupported-operator $facet
    c.Aggregate().Group(x).SortByCount(y => y.A); // !! unsupported-operator $sortByCount
    _logger.LogInformation("{ $facet: 1 }");
    throw new InvalidOperationException("{ $where: 1 }");
    var j = BsonDocument.Parse("{ $where: 'x' }"); // !! unsupported-operator $where
    c.Indexes.CreateOne(new CreateIndexModel<A>(Builders<A>.IndexKeys.Hashed(x => x.A))); // !! unsupported-index hashed
    c.Find(f, new FindOptions { NoCursorTimeout = true }); // !! unsupported-feature noCursorTimeout
  }
}
