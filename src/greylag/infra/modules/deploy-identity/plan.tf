# The role of pull requests. It sees how things are set up, and no data: the pull request's author chooses what runs.
# GitHub gives no such token to pull requests from forks.

data "aws_iam_policy_document" "plan_assume" {
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
      values   = ["repo:${var.repository}:pull_request"]
    }
  }
}

resource "aws_iam_role" "plan" {
  name                 = "${var.name}-deploy-plan"
  description          = "terraform plan on pull requests of ${var.repository}"
  assume_role_policy   = data.aws_iam_policy_document.plan_assume.json
  max_session_duration = var.session_seconds
  tags                 = var.tags
}

# Reason for AWS's policy: a plan reads the settings of whatever the project uses, with hundreds of Describe, Get and
# List actions that change with the provider. The statements below take away what reads data.
resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.plan.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

data "aws_iam_policy_document" "plan" {
  # A plan takes no lock (terraform plan -lock=false): it could not write one.
  statement {
    sid       = "ReadStates"
    actions   = ["s3:GetObject"]
    resources = [for key in values(local.state_keys) : "${aws_s3_bucket.state.arn}/${key}"]
  }

  statement {
    sid       = "FindStates"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.state.arn]
  }

  statement {
    sid       = "DecryptStates"
    actions   = ["kms:Decrypt"]
    resources = [var.kms_key_arn]
  }

  dynamic "statement" {
    for_each = length(var.plan_secret_arns) > 0 ? [1] : []

    content {
      sid       = "ReadManagedSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = var.plan_secret_arns
    }
  }

  # Parameters hold settings and secrets; those AWS publishes, such as the newest machine image, a plan reads.
  statement {
    sid           = "NoParameters"
    effect        = "Deny"
    actions       = ["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath"]
    not_resources = ["arn:${local.partition}:ssm:*::parameter/aws/service/*"]
  }

  statement {
    sid           = "NoOtherObjects"
    effect        = "Deny"
    actions       = ["s3:GetObject", "s3:GetObjectVersion"]
    not_resources = [for key in values(local.state_keys) : "${aws_s3_bucket.state.arn}/${key}"]
  }

  # Everything: these read data, and a plan needs none of it. Denied on every resource, so "*" is the narrow choice.
  statement {
    sid    = "NoData"
    effect = "Deny"
    actions = [
      "athena:GetQueryResults",
      "dynamodb:BatchGetItem",
      "dynamodb:GetItem",
      "dynamodb:GetRecords",
      "dynamodb:PartiQLSelect",
      "dynamodb:Query",
      "dynamodb:Scan",
      "ec2:GetConsoleOutput",
      "ec2:GetPasswordData",
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
      "elasticache:Connect",
      "kinesis:GetRecords",
      "logs:FilterLogEvents",
      "logs:GetLogEvents",
      "logs:GetQueryResults",
      "logs:StartLiveTail",
      "logs:StartQuery",
      "logs:Unmask",
      "rds-data:ExecuteStatement",
      "rds:DownloadCompleteDBLogFile",
      "rds:DownloadDBLogFilePortion",
      "sqs:ReceiveMessage",
      "xray:BatchGetTraces",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "plan" {
  name   = "plan"
  role   = aws_iam_role.plan.id
  policy = data.aws_iam_policy_document.plan.json
}
