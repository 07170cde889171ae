resource "aws_cloudwatch_log_group" "this" {
  for_each = merge([
    for identifier in concat([var.name], [for suffix in keys(var.read_replicas) : "${var.name}-${suffix}"]) : {
      for log in ["postgresql", "upgrade"] : "${identifier}/${log}" => log
    }
  ]...)

  name              = "/aws/rds/instance/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "monitoring" {
  name_prefix        = "${substr(var.name, 0, 25)}-monitoring-"
  assume_role_policy = data.aws_iam_policy_document.monitoring_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "monitoring_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
