<html>$where <?php
namespace App;
use MongoDB\Client;
$where = ['a' => 1];
$facet = "x$rank: {$where}";
$size = $this->size; $collection->where('a', 1);
$q = "SELECT * FROM t WHERE $where AND $rank";
$r = $coll->find(['$where' => 'this.a']); // !! unsupported-operator $where
$coll->aggregate([['$facet' => ['a' => []]], ["\$unionWith" => 'x']]); // !! unsupported-operator $facet !! unsupported-operator $unionWith
$coll->updateOne(['a' => 1], ['$set' => ['a' => 1]]);
$coll->updateOne(['a' => 1], [['$set' => ['a' => 1]]]); // !! unsupported-operator $set -8.0
$coll->bulkWrite([['updateOne' => [['a' => 1], ['$set' => ['a' => 1]]]]]);
# '$facet' => 1
foreach ($where as $rank => $top) { echo "$rank => $top"; }
$arr = array('$graphLookup' => array()); // !! unsupported-operator $graphLookup
list('$where' => $w) = $x;
echo '$facet: 1';
$coll->createIndex(['a' => 'hashed']); // !! unsupported-index hashed
if (isset($x['$where'])) { unset($x['$where']); }
function f($rank = 1, ...$where) { return fn($top) => $top; }
$s = match($op) { '$where' => 1, '$facet' => 2, default => 3 };
?>
<p><?= $rank ?></p>
