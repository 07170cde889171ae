resource "aws_x" "y" {
  pattern = "$${facet} $where"
  filter  = jsonencode({ "$where" = "x" })
}
