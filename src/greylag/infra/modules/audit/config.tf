resource "aws_config_configuration_recorder" "this" {
  #checkov:skip=CKV2_AWS_48:global_types, true unless another region already records IAM
  count = var.config.enabled ? 1 : 0

  name     = var.name
  role_arn = aws_iam_role.config[0].arn

  recording_group {
    all_supported                 = true
    include_global_resource_types = var.config.global_types
  }
}

resource "aws_config_delivery_channel" "this" {
  count = var.config.enabled ? 1 : 0

  name           = var.name
  s3_bucket_name = aws_s3_bucket.this["config"].bucket
  s3_kms_key_arn = var.kms_key_arn

  snapshot_delivery_properties {
    delivery_frequency = "TwentyFour_Hours"
  }

  depends_on = [aws_config_configuration_recorder.this, aws_iam_role_policy.config, aws_s3_bucket_policy.this]
}

resource "aws_config_configuration_recorder_status" "this" {
  count = var.config.enabled ? 1 : 0

  name       = aws_config_configuration_recorder.this[0].name
  is_enabled = true

  depends_on = [aws_config_delivery_channel.this]
}

resource "aws_config_config_rule" "this" {
  for_each = var.config.enabled ? var.config.rules : {}

  name = "${var.name}-${each.key}"
  tags = var.tags

  source {
    owner             = "AWS"
    source_identifier = each.value
  }

  depends_on = [aws_config_configuration_recorder_status.this]
}

resource "aws_iam_role" "config" {
  count = var.config.enabled ? 1 : 0

  name_prefix        = "${var.name}-config-"
  assume_role_policy = data.aws_iam_policy_document.config_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "config_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["config.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

# Reading the configuration of everything is what a recorder does; AWS keeps the list.
resource "aws_iam_role_policy_attachment" "config" {
  count = var.config.enabled ? 1 : 0

  role       = aws_iam_role.config[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWS_ConfigRole"
}

resource "aws_iam_role_policy" "config" {
  count = var.config.enabled ? 1 : 0

  name   = "deliver"
  role   = aws_iam_role.config[0].id
  policy = data.aws_iam_policy_document.config_delivery[0].json
}

data "aws_iam_policy_document" "config_delivery" {
  count = var.config.enabled ? 1 : 0

  statement {
    actions   = ["s3:GetBucketAcl", "s3:ListBucket"]
    resources = [aws_s3_bucket.this["config"].arn]
  }

  statement {
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.this["config"].arn}/AWSLogs/${local.account}/*"]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}
