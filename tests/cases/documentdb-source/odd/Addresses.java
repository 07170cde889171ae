import com.mongodb.*;
class D { void f() {
  MongoClient m = new MongoClient("db.internal", 27017); // !! connection db.internal:27017
  MongoClient n = new MongoClient(new ServerAddress("db.internal", 27017)); // !! connection db.internal:27017
  MongoClientSettings.builder().retryWrites(true).applyToSslSettings(b -> b.invalidHostNameAllowed(true)); // !! retry-writes retryWrites
} }
