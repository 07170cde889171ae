import org.bson.Document
// Document("\$facet", 1)
val size = 1
val shown = "$size ${facet} $where: $round"
val stage = Document("\$facet", mapOf("\$where" to "\$rank")) // !! unsupported-operator $facet !! unsupported-operator $where
