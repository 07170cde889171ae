# Callers use the alias, so that a version is changed, weighted or rolled back without touching them.
#
# Two resources, one of which exists: Terraform cannot decide with a variable what it ignores.

locals {
  alias = var.traffic_owner == "terraform" ? aws_lambda_alias.terraform[0] : aws_lambda_alias.cutover[0]
}

resource "aws_lambda_alias" "terraform" {
  count = var.traffic_owner == "terraform" ? 1 : 0

  name             = var.alias_name
  description      = "What callers of ${var.name} use"
  function_name    = aws_lambda_function.this.function_name
  function_version = coalesce(var.alias_version, aws_lambda_function.this.version)

  dynamic "routing_config" {
    for_each = length(var.alias_weights) > 0 ? [var.alias_weights] : []

    content {
      additional_version_weights = routing_config.value
    }
  }
}

resource "aws_lambda_alias" "cutover" {
  count = var.traffic_owner == "cutover" ? 1 : 0

  name             = var.alias_name
  description      = "What callers of ${var.name} use; its weights are moved from outside Terraform"
  function_name    = aws_lambda_function.this.function_name
  function_version = coalesce(var.alias_version, aws_lambda_function.this.version)

  dynamic "routing_config" {
    for_each = length(var.alias_weights) > 0 ? [var.alias_weights] : []

    content {
      additional_version_weights = routing_config.value
    }
  }

  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  count = var.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = local.alias.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}

# What Lambda does with an asynchronous event that fails: two more tries within an hour, then dead_letter.
resource "aws_lambda_function_event_invoke_config" "this" {
  count = var.dead_letter == null ? 0 : 1

  function_name                = aws_lambda_function.this.function_name
  qualifier                    = local.alias.name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = var.dead_letter.queue_arn
    }
  }
}

data "aws_caller_identity" "current" {}

resource "aws_lambda_permission" "invokers" {
  for_each = var.invokers

  statement_id   = each.key
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this.function_name
  qualifier      = local.alias.name
  principal      = each.value.service
  source_arn     = each.value.source_arn
  source_account = each.value.service == "s3.amazonaws.com" ? data.aws_caller_identity.current.account_id : null # a bucket's ARN holds no account
}
