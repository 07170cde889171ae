import { Collection, MongoClient, Document } from 'mongodb';
interface Filters { $where?: string; $facet: number }
type T = { $rank: number; '$size': string };
type K = '$where' | '$facet';
enum Op { Facet = '$facet', Where = '$where' } // !! unsupported-operator $facet !! unsupported-operator $where
const OPS = { facet: '$facet', round: '$round' } as const;
export const pipeline: Document[] = [
  { $match: { a: 1 } },
  { $setWindowFields: { output: { r: { $rank: {} } } } }, // !! unsupported-operator $setWindowFields !! unsupported-operator $rank
  { $lookup: { from: 'b', let: { x: '$y' }, pipeline: [{ $match: { $expr: { $eq: ['$$x', '$z'] } } }], as: 'b' } }, // !! unsupported-operator $expr only=3.6,elastic
  { $project: { d: { $dateTrunc: { date: '$d', unit: 'day' } }, p: { $pow: ['$a', 2] } } }, // !! unsupported-operator $dateTrunc -8.0 !! unsupported-operator $pow -8.0
];
function f<T extends { $where: string }>(x: T): x is T { return true; }
const g = ({ $where, $facet }: Filters) => $where;
class Repo { private $top: number; constructor(private readonly $rank: string) { this.$top = 1; } }
abstract class B { abstract $facet: string; $where!: string; }
const x = <const>{ $size: 1 };
declare module 'x' { interface Y { $where: number } }
coll.find({}, { noCursorTimeout: true }); // !! unsupported-feature noCursorTimeout
coll.find({}, { tailable: true, awaitData: true }); // !! unsupported-feature tailable%cursor
const watcher = this.collection.watch([]); // !! unsupported-feature change%stream only=elastic
@Prop({ type: String, index: 'text' }) name: string; // !! unsupported-index text only=3.6,4.0,elastic
const url = `mongodb://${user}:${pass}@prod.example.com:27017/shop?retryWrites=true`; // !! connection prod.example.com:27017
