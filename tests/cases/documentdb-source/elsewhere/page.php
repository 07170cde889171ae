<html>{ $facet: 1 }</html>
<?php
// ['$where' => 1]
$size = 1; $facet = ['a' => $size, 'b' => "$rank"];
echo "$where: {$size} ${round}";
$found = $collection->find(['size' => ['$gt' => $size], 'rank' => '$rank']);
$found = $collection->aggregate([['$facet' => []], ["\$graphLookup" => $facet]]); // !! unsupported-operator $facet !! unsupported-operator $graphLookup
