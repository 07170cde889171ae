locals {
  # IAM sign-in wants user id and user name alike; a password user may have the short name.
  user_ids = { for user in keys(var.users) : user => "${var.name}-${user}" }
}

resource "aws_elasticache_user" "this" {
  for_each = var.users

  user_id       = local.user_ids[each.key]
  user_name     = each.value.secret_arn == null ? local.user_ids[each.key] : each.key
  engine        = var.engine
  access_string = each.value.access_string
  tags          = var.tags

  authentication_mode {
    type      = each.value.secret_arn == null ? "iam" : "password"
    passwords = each.value.secret_arn == null ? null : [data.aws_secretsmanager_secret_version.user[each.key].secret_string]
  }
}

# Redis wants a user named default in every group: one that can do nothing. Valkey does without.
resource "aws_elasticache_user" "default" {
  count = var.engine == "redis" && length(var.users) > 0 ? 1 : 0

  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "redis"
  access_string = "off ~* -@all"
  tags          = var.tags

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user_group" "this" {
  count = length(var.users) > 0 ? 1 : 0

  user_group_id = var.name
  engine        = var.engine
  user_ids      = concat([for user in aws_elasticache_user.this : user.user_id], aws_elasticache_user.default[*].user_id)
  tags          = var.tags
}

# Read here, so kept in Terraform's state, which is why IAM is the default: see README.
data "aws_secretsmanager_secret_version" "user" {
  for_each = { for user, definition in var.users : user => definition.secret_arn if definition.secret_arn != null }

  secret_id = each.value
}

data "aws_secretsmanager_secret_version" "auth_token" {
  count = var.auth_token_secret_arn == null ? 0 : 1

  secret_id = var.auth_token_secret_arn
}
