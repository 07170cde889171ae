import mongoose, { Schema } from 'mongoose';

interface Score {
  $rank: number;
  facet?: { $round: string };
}
type Named = { $fill: string; where: string };
class Holder { $top: number = 1; private readonly $bottom?: string; }

const schema = new Schema<Score>({ rank: Number, size: Number, place: { type: [Number], index: '2d' } }); // !! unsupported-index 2d
const Score = mongoose.model('Score', schema);
const events = new Schema({ at: Date, capped: Boolean }, { timeseries: { timeField: 'at' } }); // !! unsupported-feature time%series%collection

function render($round: number, named: Named): string {
  const { $fill: fill } = named;
  const value = fill ? $round : 0;
  return `<p>$facet ${value} { $size }</p>`;
}

export async function read(score: Score): Promise<void> {
  await Score.aggregate([{ $match: { rank: score.$rank } }, { $unwind: '$top' }]);
  await Score.aggregate().match({ a: 1 }).facet({ a: [] }); // !! unsupported-operator $facet
  await Score.aggregate().sortByCount('rank'); // !! unsupported-operator $sortByCount
  await Score.update({ a: 1 }, { $set: { a: 2 } }); // !! deprecated-call update
  const stages: mongoose.PipelineStage[] = [{ $replaceWith: '$value' }]; // !! unsupported-operator $replaceWith -8.0
  const deep = { $expr: { $function: { body: 'f', args: ['$a'], lang: 'js' } } }; // !! unsupported-operator $function !! unsupported-operator $expr only=3.6,elastic
  enum Stage { Fill = '$fill', Match = '$match' } // !! unsupported-operator $fill
  await mongoose.connect(process.env.URL!, { useNewUrlParser: true } as never); // !! deprecated-call useNewUrlParser
  console.log(stages, deep, Stage, events, new Holder(), render);
}
