locals {
  # AWS's own policies: what a backup and a restore need differs by service and grows, and AWS keeps them current.
  aws_policies = "arn:${data.aws_partition.current.partition}:iam::aws:policy"
  policies = merge(
    {
      backup  = "${local.aws_policies}/service-role/AWSBackupServiceRolePolicyForBackup"
      restore = "${local.aws_policies}/service-role/AWSBackupServiceRolePolicyForRestores"
    },
    var.include_s3 ? {
      s3_backup  = "${local.aws_policies}/AWSBackupServiceRolePolicyForS3Backup"
      s3_restore = "${local.aws_policies}/AWSBackupServiceRolePolicyForS3Restore"
    } : {},
  )
}

resource "aws_iam_role" "this" {
  name_prefix        = "${substr(var.name, 0, 29)}-backup-"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.policies

  role       = aws_iam_role.this.name
  policy_arn = each.value
}
