case op
when '$where', '$facet' then 1
end
raise ArgumentError, "no $where: { '$where': 1 }"
c.aggregate([{ :$facet => {} }])
c.aggregate([{ '$set' => { a: 1 } }]) # !! unsupported-operator $set -8.0
c.find('$where' => 'x') # !! unsupported-operator $where
c.find("$where": 'x') # !! unsupported-operator $where
c.update_one({ a: 1 }, { '$set' => { a: 1 } })
c.bulk_write([{ update_one: { filter: {}, update: { '$set' => { a: 1 } } } }])
%w[$where $facet].include?(x)
FORBIDDEN = ['$where', '$function'].freeze
