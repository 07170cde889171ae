locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  root      = "arn:${local.partition}:iam::${local.account}:root"

  use    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
  grants = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]
  manage = [
    "kms:CancelKeyDeletion", "kms:Create*", "kms:Delete*", "kms:Describe*", "kms:Disable*", "kms:Enable*", "kms:Get*",
    "kms:List*", "kms:Put*", "kms:ReplicateKey", "kms:Revoke*", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion",
    "kms:TagResource", "kms:UntagResource", "kms:Update*",
  ]

  # CloudFront and CloudTrail say which of their resources asks, logs says so in the encryption context, events nothing.
  by_arn     = { cloudfront = "cloudfront::${local.account}:distribution/*", cloudtrail = "cloudtrail:*:${local.account}:trail/*" }
  by_account = setsubtract(var.services, ["cloudfront", "cloudtrail", "events", "logs"])
}

# In a key's own policy "*" is that key, and the account's root stands for "whoever IAM policies allow":
# without it no IAM policy could give access to the key.
data "aws_iam_policy_document" "this" {
  #checkov:skip=CKV_AWS_109:The resource of a key policy is the key itself
  #checkov:skip=CKV_AWS_111:The resource of a key policy is the key itself
  #checkov:skip=CKV_AWS_356:The resource of a key policy is the key itself
  statement {
    sid       = "AccountThroughIam"
    actions   = length(var.administrator_arns) == 0 ? ["kms:*"] : concat(local.use, local.grants)
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.root]
    }
  }

  dynamic "statement" {
    for_each = length(var.administrator_arns) == 0 ? [] : [var.administrator_arns]

    content {
      sid       = "Administrators"
      actions   = local.manage
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = local.by_account

    content {
      sid       = "Service${replace(title(replace(statement.value, ".", " ")), " ", "")}"
      actions   = local.use
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["${statement.value}.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account]
      }
    }
  }

  dynamic "statement" {
    for_each = setintersection(var.services, ["logs"])

    content {
      sid       = "ServiceLogs"
      actions   = local.use
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = [for region in setunion([data.aws_region.current.region], var.replica_regions) : "logs.${region}.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "kms:EncryptionContext:aws:logs:arn"
        values   = ["arn:${local.partition}:logs:*:${local.account}:*"]
      }
    }
  }

  dynamic "statement" {
    for_each = { for service, arn in local.by_arn : service => arn if contains(var.services, service) }

    content {
      sid       = "Service${title(statement.key)}"
      actions   = local.use
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["${statement.key}.amazonaws.com"]
      }

      condition {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = ["arn:${local.partition}:${statement.value}"]
      }
    }
  }

  # EventBridge sends neither its account nor its rule when it publishes to an encrypted topic or queue.
  # Source: https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
  dynamic "statement" {
    for_each = setintersection(var.services, ["events"])

    content {
      sid       = "ServiceEvents"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey*"]
      resources = ["*"]

      principals {
        type        = "Service"
        identifiers = ["events.amazonaws.com"]
      }
    }
  }
}
