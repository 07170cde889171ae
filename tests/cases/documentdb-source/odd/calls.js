const mongoose = require('mongoose');
const { Schema } = mongoose;
const User = mongoose.model('User', schema);
User.update({ a: 1 }, { b: 2 }); // !! deprecated-call update
User.remove({ a: 1 }); // !! deprecated-call remove
User.count({}, cb); // !! deprecated-call count
User.findOneAndUpdate({ _id }, { $set: { a: 1 } }, { new: true });
arr.filter(x => x).count();
hash.update('x'); dom.remove(); map.count();
User.aggregate([{ $match: {} }, { $addFields: { a: { $function: { body: 'x', args: [], lang: 'js' } } } }]); // !! unsupported-operator $function
User.aggregate().addFields({ a: 1 }).unionWith({ coll: 'x' }); // !! unsupported-operator $unionWith
User.find({ loc: { $geoWithin: { $centerSphere: [[1, 2], 3] } } }); // !! unsupported-operator $centerSphere
User.find({ $text: { $search: 'x' } }); // !! unsupported-operator $text only=3.6,4.0,elastic !! unsupported-operator $search only=3.6,4.0,elastic
User.find({ a: { $all: [{ $elemMatch: { b: 1 } }] } });
const cond = flag ? { $where: 'a' } : {}; // !! unsupported-operator $where
const spread = { ...base, $where: 'a' }; // !! unsupported-operator $where
const nested = [].concat({ $sortByCount: '$a' }); // !! unsupported-operator $sortByCount
const fnArrow = () => ({ $bucket: { groupBy: '$a' } }); // !! unsupported-operator $bucket -8.0
function stage() { return { $graphLookup: {} }; } // !! unsupported-operator $graphLookup
const obj = {
  // { $facet: 1 }
  $sampleRate: 0.3, // !! unsupported-operator $sampleRate
  /* $where: 1, */
};
const css = `.a { color: red; $where: 1px; }`;
const scss = '$rank: 1px';
const usd = { price: `$${n}`, '$': 1, $: jQuery };
const knex = { $gt: 1, $like: 'x' };
mongoose.connect(process.env.DB || 'mongodb://mongo:27017/app'); // !! connection mongo:27017
mongoose.connect(uri, { useNewUrlParser: true, useUnifiedTopology: true, retryWrites: true }); // !! deprecated-call useNewUrlParser !! deprecated-call useUnifiedTopology !! retry-writes retryWrites
logger.error({ err, $where }, 'x');
assert.deepEqual(build(), [{ $facet: {} }]); // !! unsupported-operator $facet
db.collection('a').mapReduce(m, r, { out: 'x' }); // !! unsupported-feature mapReduce -8.0
col.findOne({ a: 1 }, { collation: { locale: 'en' } }); // !! unsupported-feature collation -8.0
col.createIndex({ a: 1 }, { collation: { locale: 'en', strength: 2 } }); // !! unsupported-feature collation -8.0
col.createIndex({ a: 1 }, { partialFilterExpression: { b: 1 }, hidden: false }); // !! unsupported-index partial only=3.6,4.0,elastic
col.createIndex({ a: 'text', b: 1 }); // !! unsupported-index text only=3.6,4.0,elastic
const x = { collation: 'utf8_general_ci', capped: true };
knexSchema.table('a', t => { t.collation = 'x'; });
rs.initiate({ _id: 'rs0' });
