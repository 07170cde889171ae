# A role per environment that applies. GitHub gives its token only to a job of that GitHub environment, whose rules
# (reviewers, the branch) are the approval.

data "aws_iam_policy_document" "apply_assume" {
  for_each = var.environments

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["repo:${var.repository}:environment:${coalesce(each.value.github_environment, each.key)}"]
    }
  }
}

resource "aws_iam_role" "apply" {
  for_each = var.environments

  name                 = "${var.name}-deploy-apply-${each.key}"
  description          = "terraform apply of ${each.key} by ${var.repository}"
  assume_role_policy   = data.aws_iam_policy_document.apply_assume[each.key].json
  max_session_duration = var.session_seconds
  tags                 = var.tags
}

data "aws_iam_policy_document" "state" {
  for_each = var.environments

  statement {
    sid       = "OwnState"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.state.arn}/${local.state_keys[each.key]}"]
  }

  statement {
    sid       = "OwnLock"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.state.arn}/${local.state_keys[each.key]}.tflock"]
  }

  statement {
    sid       = "FindState"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.state.arn]
  }

  statement {
    sid       = "StateKey"
    actions   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }

  # The pipeline changes neither what it is allowed to do nor who may take its roles.
  statement {
    sid    = "NotItself"
    effect = "Deny"
    actions = [
      "iam:AttachRolePolicy",
      "iam:CreateOpenIDConnectProvider",
      "iam:DeleteOpenIDConnectProvider",
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:PassRole",
      "iam:PutRolePolicy",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateOpenIDConnectProviderThumbprint",
      "iam:UpdateRole",
    ]
    resources = [
      "arn:${local.partition}:iam::${local.account}:role/${var.name}-deploy-*",
      local.oidc_provider_arn,
    ]
  }

  statement {
    sid    = "NotTheStateBucket"
    effect = "Deny"
    actions = [
      "s3:DeleteBucket",
      "s3:DeleteBucketPolicy",
      "s3:PutBucketPolicy",
      "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketVersioning",
      "s3:PutEncryptionConfiguration",
      "s3:PutLifecycleConfiguration",
    ]
    resources = [aws_s3_bucket.state.arn]
  }
}

resource "aws_iam_role_policy" "state" {
  for_each = var.environments

  name   = "state"
  role   = aws_iam_role.apply[each.key].id
  policy = data.aws_iam_policy_document.state[each.key].json
}

# What the environment's modules need (permissions.tf). A managed policy: an inline one may be too long.
resource "aws_iam_policy" "apply" {
  for_each = var.environments

  name        = "${var.name}-deploy-apply-${each.key}"
  description = "What terraform apply of ${each.key} makes and changes"
  policy      = data.aws_iam_policy_document.apply[each.key].json
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = var.environments

  role       = aws_iam_role.apply[each.key].name
  policy_arn = aws_iam_policy.apply[each.key].arn
}
