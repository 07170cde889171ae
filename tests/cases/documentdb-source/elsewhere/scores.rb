# { '$where' => 1 }
$size = 1
puts "#{$size} $facet $where"
client[:scores].aggregate([{ '$facet' => { a: [] } }, { "$sort" => { rank: 1 } }]) # !! unsupported-operator $facet
