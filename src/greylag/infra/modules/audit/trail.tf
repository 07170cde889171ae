locals {
  trail_arn = "arn:${local.partition}:cloudtrail:${local.region}:${local.account}:trail/${var.name}"
}

resource "aws_cloudtrail" "this" {
  #checkov:skip=CKV_AWS_252:notification_topic_arn, for those who want a message for every file
  count = var.trail.enabled ? 1 : 0

  name                          = var.name
  s3_bucket_name                = aws_s3_bucket.this["trail"].bucket
  kms_key_id                    = var.kms_key_arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  cloud_watch_logs_group_arn    = "${aws_cloudwatch_log_group.trail[0].arn}:*"
  cloud_watch_logs_role_arn     = aws_iam_role.trail[0].arn
  sns_topic_name                = var.notification_topic_arn
  tags                          = var.tags

  advanced_event_selector {
    name = "Management events"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  dynamic "advanced_event_selector" {
    for_each = length(var.trail.s3_object_arns) > 0 ? [var.trail.s3_object_arns] : []

    content {
      name = "Objects"

      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }

      field_selector {
        field  = "resources.type"
        equals = ["AWS::S3::Object"]
      }

      field_selector {
        field       = "resources.ARN"
        starts_with = advanced_event_selector.value
      }
    }
  }

  dynamic "advanced_event_selector" {
    for_each = length(var.trail.dynamodb_table_arns) > 0 ? [var.trail.dynamodb_table_arns] : []

    content {
      name = "Tables"

      field_selector {
        field  = "eventCategory"
        equals = ["Data"]
      }

      field_selector {
        field  = "resources.type"
        equals = ["AWS::DynamoDB::Table"]
      }

      field_selector {
        field  = "resources.ARN"
        equals = advanced_event_selector.value
      }
    }
  }

  dynamic "insight_selector" {
    for_each = var.trail.insights ? ["ApiCallRateInsight", "ApiErrorRateInsight"] : []

    content {
      insight_type = insight_selector.value
    }
  }

  depends_on = [aws_iam_role_policy.trail, aws_s3_bucket_policy.this]
}

resource "aws_cloudwatch_log_group" "trail" {
  count = var.trail.enabled ? 1 : 0

  name              = "/aws/cloudtrail/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "trail" {
  count = var.trail.enabled ? 1 : 0

  name_prefix        = "${var.name}-trail-"
  assume_role_policy = data.aws_iam_policy_document.trail_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "trail_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }
}

resource "aws_iam_role_policy" "trail" {
  count = var.trail.enabled ? 1 : 0

  name   = "write-log"
  role   = aws_iam_role.trail[0].id
  policy = data.aws_iam_policy_document.trail_logs[0].json
}

data "aws_iam_policy_document" "trail_logs" {
  count = var.trail.enabled ? 1 : 0

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.trail[0].arn}:log-stream:*"]
  }
}
