# A role of the function's own: its code's statements, and what running it takes.

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  description        = "Lambda function ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

locals {
  stream_failures = distinct([for s in values(local.streams) : s.on_failure_arn if s.on_failure_arn != null])
  given_up        = var.dead_letter == null ? local.stream_failures : distinct(concat(local.stream_failures, [var.dead_letter.queue_arn]))
  read_keys       = distinct([for s in values(var.event_sources) : s.kms_key_arn if s.kms_key_arn != null])
  write_keys      = var.dead_letter == null ? [] : [for key in [var.dead_letter.kms_key_arn] : key if key != null]
}

data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_111:X-Ray and the VPC's network interfaces know no resource-level permission; every other statement names its resources
  #checkov:skip=CKV_AWS_356:X-Ray and the VPC's network interfaces know no resource-level permission; every other statement names its resources
  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  # Reason for every resource: X-Ray offers nothing narrower for these two.
  statement {
    sid       = "Traces"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }

  # Environment variables are decrypted with the function's role when a copy starts.
  statement {
    sid       = "OwnEnvironment"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }

  # Reason for every resource: Lambda makes and removes network interfaces that have no name beforehand. EC2 offers
  # nothing narrower that Lambda's own check of the role accepts.
  dynamic "statement" {
    for_each = var.vpc == null ? [] : [1]

    content {
      sid = "NetworkInterfaces"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }

  # The code itself must not make interfaces with that permission: only Lambda, on its behalf.
  dynamic "statement" {
    for_each = var.vpc == null ? [] : [1]

    content {
      sid    = "NotFromTheCode"
      effect = "Deny"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]

      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = ["arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:function:${var.name}"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(local.queues) > 0 ? [1] : []

    content {
      sid       = "ReceiveFromQueues"
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
      resources = [for s in values(local.queues) : s.arn]
    }
  }

  dynamic "statement" {
    for_each = length(local.streams) > 0 ? [1] : []

    content {
      sid       = "ReadStreams"
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [for s in values(local.streams) : s.arn]
    }
  }

  # Listing streams has no resource-level permission narrower than the table's streams.
  dynamic "statement" {
    for_each = length(local.streams) > 0 ? [1] : []

    content {
      sid       = "ListStreams"
      actions   = ["dynamodb:ListStreams"]
      resources = [for s in values(local.streams) : "${split("/stream/", s.arn)[0]}/stream/*"]
    }
  }

  dynamic "statement" {
    for_each = length(local.read_keys) > 0 ? [1] : []

    content {
      sid       = "DecryptSources"
      actions   = ["kms:Decrypt"]
      resources = local.read_keys
    }
  }

  dynamic "statement" {
    for_each = length(local.given_up) > 0 ? [1] : []

    content {
      sid       = "KeepWhatFailed"
      actions   = ["sqs:SendMessage"]
      resources = local.given_up
    }
  }

  dynamic "statement" {
    for_each = length(local.write_keys) > 0 ? [1] : []

    content {
      sid       = "EncryptWhatFailed"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = local.write_keys
    }
  }

  dynamic "statement" {
    for_each = var.policy_statements

    content {
      sid       = statement.value.sid
      actions   = statement.value.actions
      resources = statement.value.resources

      dynamic "condition" {
        for_each = statement.value.conditions

        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

data "aws_region" "current" {}

resource "aws_iam_role_policy" "this" {
  name   = "function"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

# The scheduler's role may do one thing: call this alias.

data "aws_iam_policy_document" "scheduler_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  count = length(var.schedules) > 0 ? 1 : 0

  name               = "${var.name}-scheduler"
  description        = "Calls ${var.name} on its schedules"
  assume_role_policy = data.aws_iam_policy_document.scheduler_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "CallTheAlias"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.alias.arn]
  }

  statement {
    sid       = "ReadOwnInput"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "scheduler" {
  count = length(var.schedules) > 0 ? 1 : 0

  name   = "call"
  role   = aws_iam_role.scheduler[0].id
  policy = data.aws_iam_policy_document.scheduler.json
}
