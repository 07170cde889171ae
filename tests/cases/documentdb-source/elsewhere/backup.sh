#!/bin/bash
# mongosh --eval 'db.a.aggregate([{$facet: {}}])'
size=$(du -s "$dir"); facet=1
echo "$size $facet ${rank:-0} {$where: $round}"
awk '{print $first, $top}' "$size"
[ "$size" -gt 3 ] && echo '$where'
mongosh --quiet --eval 'db.a.aggregate([{ $sortByCount: "$rank" }])' # !! unsupported-operator $sortByCount
mongosh <<'END'
db.a.find({ $where: "this.a" })
END
