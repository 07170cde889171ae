// Statistics. { $facet: ... } in a comment is none.
const { MongoClient } = require('mongodb');
const client = new MongoClient(process.env.MONGODB_URI, { retryWrites: true }); // !! retry-writes retryWrites
const db = client.db('quiz');

/* A block that says db.users.mapReduce(…) and
   { $where: "this.a" } */
const $size = 3;
const $rank = 1;
const quotes = /["'`]\{ \$where: /;

async function supported(fn) {
  const row = { facet: 1, size: $size, where: 'x', rank: $rank, $or: [{ top: 1 }] };
  await db.collection('a').find({ ...row, tags: { $size: 2 } }, { projection: { round: 1 } }).toArray();
  await db.collection('a').updateOne({ _id: 1 }, { $set: { capped: true } }, { upsert: true });
  await db.collection('a').aggregate([{ $group: { _id: '$rank', n: { $sum: `$round` } } }, { $sort: { _id: 1 } }]);
  const { $top: top } = row;
  fs.watch('.', () => console.log('$facet', fn ? $size : $rank, top));
  list.count(1);
  return `${$size}px { color: $fill }`;
}

async function unsupported() {
  await db.collection('a').aggregate([
    { $facet: { a: [] } }, // !! unsupported-operator $facet
    { '$bucketAuto': { groupBy: '$rank', buckets: 4 } }, // !! unsupported-operator $bucketAuto
    { ["$graphLookup"]: { from: 'b' } }, // !! unsupported-operator $graphLookup
    { $set: { x: 1 } }, // !! unsupported-operator $set -8.0
    { $project: { y: { $trunc: ['$x', 1] }, z: { $dateAdd: { startDate: '$a', endDate: '$b', unit: 'day' } } } }, // !! unsupported-operator $trunc !! unsupported-operator $dateAdd only=3.6,4.0
  ]);
  const filter = {};
  filter.$where = 'this.a > this.b'; // !! unsupported-operator $where
  await db.collection('a').find(filter).min({ a: 1 }).hint({ a: 1 }); // !! unsupported-feature cursor%min%and%max
  await db.collection('a').find({}, { collation: { locale: 'fr' } }); // !! unsupported-feature collation -8.0
  await db.createCollection('log', { capped: true, size: 1e6 }); // !! unsupported-feature capped%collection
  await db.createCollection('recent', { viewOn: 'a', pipeline: [] }); // !! unsupported-feature view -8.0
  await db.collection('a').mapReduce(m, r, { out: { inline: 1 } }); // !! unsupported-feature mapReduce -8.0
  await db.collection('a').insert({ a: 1 }); // !! deprecated-call insert
  await db.collection('a').createIndex({ place: '2d' }); // !! unsupported-index 2d
  await db.collection('a').createIndex({ a: 1 }, { partialFilterExpression: { a: 1 } }); // !! unsupported-index partial only=3.6,4.0,elastic
  await db.collection('a').find().allowDiskUse(); // !! unsupported-feature allowDiskUse%of%find
  await db.collection('a').aggregate([], { allowDiskUse: true });
  await db.command({ copydb: 1 }); // !! unsupported-feature copydb
  return `[{ $unionWith: ${JSON.stringify({ $densify: 1 })} }]`; // !! unsupported-operator $unionWith !! unsupported-operator $densify
}
