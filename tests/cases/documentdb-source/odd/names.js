const { MongoClient } = require('mongodb');
const mongoose = require('mongoose');
const $rank = 3, $where = 'x';
const {$facet, $top: top} = row;
function $size(a) { return a; }
/* { $facet: {} } */
// db.x.aggregate([{ $facet: {} }])
const re = /{ \$where: 1 }/g, re2 = /"\$facet":/;
const t = `${$rank} is $facet: {1}`;
$('.where').each(function () { $where(this); });
const o = { rank: '$rank', label: `$${price}` };
const angular = { $scope: 1, $http: 2, $timeout: 3, $q: 1 };
app.controller('x', ['$scope', '$filter', '$log', '$first', function ($scope, $filter) { $scope.$watch('a', f); }]);
export default { data() { return { $size: 1 } } };
class A { $where = 1; static $facet() {} get $rank() { return 1; } }
const stage = { $facet: { a: [] } }; // !! unsupported-operator $facet
const s2 = { ['$bucketAuto']: { groupBy: '$x' } }; // !! unsupported-operator $bucketAuto
stage.$unionWith = 'x'; // !! unsupported-operator $unionWith
db.collection('a').find({ $where: function () { return this.a > 1; } }); // !! unsupported-operator $where
db.collection('a').find({ $where() { return this.a; } }); // !! unsupported-operator $where
db.collection('a').aggregate([{ $set: { a: 1 } }, { $unset: 'b' }]); // !! unsupported-operator $set -8.0 !! unsupported-operator $unset -8.0
db.collection('a').updateOne({}, [{ $set: { a: { $add: ['$b', 1] } } }]); // !! unsupported-operator $set -8.0
db.collection('a').updateOne({}, { $set: { a: 1 } });
db.collection('a').bulkWrite([{ updateOne: { filter: {}, update: { $set: { a: 1 } } } }]);
db.collection('a').bulkWrite([{ updateOne: { filter: {}, update: [{ $set: { a: 1 } }] } }]); // !! unsupported-operator $set -8.0
const ops = items.map(i => ({ updateOne: { filter: { _id: i }, update: { $set: { a: 1 }, $push: { b: { $each: [1], $sort: 1 } } } } }));
Model.aggregate().facet({ a: [] }).sort('x'); // !! unsupported-operator $facet
Model.aggregate().match({}).sortByCount('tag'); // !! unsupported-operator $sortByCount
Model.find().where('age').gt(3);
Model.find({}).$where('this.a > 1'); // !! unsupported-operator $where
User.find({ name: /x/ }).collation({ locale: 'en' }); // !! unsupported-feature collation -8.0
const schema = new mongoose.Schema({ a: { type: String, index: 'hashed' }, b: String }, { capped: 1024 }); // !! unsupported-index hashed !! unsupported-feature capped%collection
schema.index({ a: 'hashed' }); // !! unsupported-index hashed
schema.index({ loc: '2d' }); // !! unsupported-index 2d
schema.index({ loc: '2dsphere' });
schema.index({ '$**': 1 }); // !! unsupported-index wildcard
fs.watch('.', () => {});
chokidar.watch('x');
await db.collection('c').createIndex({ a: 1 }, { expireAfterSeconds: 3 });
await db.command({ mapReduce: 'x' }); // !! unsupported-feature mapReduce -8.0
await db.createCollection('v', { viewOn: 'x', pipeline: [] }); // !! unsupported-feature view -8.0
await db.createCollection('ts', { timeseries: { timeField: 't' } }); // !! unsupported-feature time%series%collection
const q = JSON.parse('{"$where": "x"}'); // !! unsupported-operator $where
const banned = ['$where', '$function'];
if ('$where' in body || body.$where) throw new Error('$where: not allowed');
delete body.$where;
const jsx = <div $rank={1}>{ $size }</div>;
switch (k) { case '$where': case '$facet': break; }
const a = cond ? $rank : $top;
const lbl = { $rank };
foo: for (;;) { break foo; }
