data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

resource "aws_kms_key" "this" {
  description             = "${var.name}: ${var.data_class}"
  policy                  = data.aws_iam_policy_document.this.json
  enable_key_rotation     = true
  rotation_period_in_days = var.rotation_days
  deletion_window_in_days = var.deletion_window_days
  multi_region            = var.multi_region
  tags                    = merge(var.tags, { DataClass = var.data_class })

  lifecycle {
    prevent_destroy = true # what it encrypts is gone with it
  }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-${var.data_class}"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_kms_replica_key" "this" {
  for_each = var.replica_regions

  region                  = each.key
  primary_key_arn         = aws_kms_key.this.arn
  description             = "${var.name}: ${var.data_class}, replica"
  policy                  = data.aws_iam_policy_document.this.json
  deletion_window_in_days = var.deletion_window_days
  tags                    = merge(var.tags, { DataClass = var.data_class })

  lifecycle {
    prevent_destroy = true
  }
}
