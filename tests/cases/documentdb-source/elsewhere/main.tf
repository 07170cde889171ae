# { "$where": 1 }
resource "aws_docdb_cluster" "quiz" {
  name    = "quiz-${var.size}"
  pattern = "{ $where: 1 }"
  filter  = jsonencode({ "$facet" : "$rank" })
}
