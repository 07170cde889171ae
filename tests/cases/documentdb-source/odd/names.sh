#!/bin/bash
# mongosh --eval 'db.a.aggregate([{$facet: {}}])'
size=3; where=$HOME
echo "$size $where: { $rank: 1 }"
for f in $top; do echo $f; done
mongosh "$URL" --eval 'db.a.aggregate([{$facet: {a: []}}])' # !! unsupported-operator $facet
mongosh "$URL" --eval "db.a.find({\$where: 'x'})" # !! unsupported-operator $where
mongosh "$URL" --eval "db.a.updateOne({_id: $rank}, {\$set: {a: $size}})"
mongoexport --query='{"$expr": {"$eq": ["$a", {"$rand": {}}]}}' # !! unsupported-operator $expr only=3.6,elastic !! unsupported-operator $rand -8.0
jq '.[] | {where: $where, $rank}' x.json
jq -n --arg where x '{$where}'
awk '{ print $rank }' file
curl -d "{\"size\": $size, \"$where\": 1}" http://x
export MONGO_URL=mongodb://db.example.com/shop # !! connection db.example.com
case "$1" in '$where') ;; esac
mongosh <<EOF
db.a.aggregate([{\$bucketAuto: {}}])
db.a.find({a: "$rank"})
EOF
