data "aws_iam_policy_document" "tasks_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    # Only ECS in this account and region, on behalf of its own tasks.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["arn:${local.partition}:ecs:${local.region}:${local.account}:*"]
    }
  }
}

# With the execution role ECS starts a task: image, secrets, log. The code never has it.

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "Starts the tasks of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
  tags               = var.tags
}

locals {
  secrets           = distinct([for arn in values(var.secrets) : can(regex(":secretsmanager:", arn)) ? join(":", slice(split(":", arn), 0, 7)) : arn])
  manager_secrets   = [for arn in local.secrets : arn if can(regex(":secretsmanager:", arn))]
  parameter_secrets = [for arn in local.secrets : arn if can(regex(":ssm:", arn))]

  # Images in this account's registry, by repository; images elsewhere need no permission of ours.
  image_repositories = distinct(compact([
    for release in values(local.releases) :
    can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", release.image)) ? "arn:${local.partition}:ecr:${split(".", release.image)[3]}:${split(".", release.image)[0]}:repository/${split("@", split(":", join("/", slice(split("/", release.image), 1, length(split("/", release.image)))))[0])[0]}" : ""
  ]))
}

data "aws_iam_policy_document" "execution" {
  #checkov:skip=CKV_AWS_111:ecr:GetAuthorizationToken knows no resource-level permission; every other statement names its resources
  #checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken knows no resource-level permission; every other statement names its resources
  statement {
    sid       = "OwnLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  # Reason for every resource: a token for the registry is not a repository's.
  statement {
    sid       = "RegistryToken"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = length(local.image_repositories) > 0 ? [1] : []

    content {
      sid       = "PullImages"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = local.image_repositories
    }
  }

  dynamic "statement" {
    for_each = length(local.manager_secrets) > 0 ? [1] : []

    content {
      sid       = "ReadSecrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = local.manager_secrets
    }
  }

  dynamic "statement" {
    for_each = length(local.parameter_secrets) > 0 ? [1] : []

    content {
      sid       = "ReadParameters"
      actions   = ["ssm:GetParameters"]
      resources = local.parameter_secrets
    }
  }

  dynamic "statement" {
    for_each = length(var.secrets_kms_key_arns) > 0 ? [1] : []

    content {
      sid       = "DecryptSecrets"
      actions   = ["kms:Decrypt"]
      resources = var.secrets_kms_key_arns
    }
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "execution"
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.execution.json
}

# The task role is the code's.

resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  description        = "Code of ${var.name}"
  assume_role_policy = data.aws_iam_policy_document.tasks_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "task" {
  #checkov:skip=CKV_AWS_111:the shell's channels know no resource-level permission, and are granted only with execute_command; every other statement is the caller's
  #checkov:skip=CKV_AWS_356:the shell's channels know no resource-level permission, and are granted only with execute_command; every other statement is the caller's

  # Reason for every resource: a session's channels have no ARN.
  dynamic "statement" {
    for_each = var.execute_command ? [1] : []

    content {
      sid = "ExecuteCommand"
      actions = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      resources = ["*"]
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

resource "aws_iam_role_policy" "task" {
  count = length(var.policy_statements) > 0 || var.execute_command ? 1 : 0

  name   = "task"
  role   = aws_iam_role.task.id
  policy = data.aws_iam_policy_document.task.json
}
