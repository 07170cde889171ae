import com.mongodb.client.model.Aggregates
val a = when (op) { "$" -> 1; "\$where" -> 2; else -> 3 }
val d = Document("\$facet", Document()) // !! unsupported-operator $facet
val m = mapOf("\$where" to "x") // !! unsupported-operator $where
val s = setOf("\$where", "\$function")
val t = "$where: ${facet}"
val raw = """{ "${'$'}facet": 1 }""" // !! unsupported-operator $facet
