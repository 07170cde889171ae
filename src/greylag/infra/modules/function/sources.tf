# What calls the function: queues, streams, schedules.

locals {
  # By their kind, not their ARN, which is known only after the source is made.
  queues  = { for name, source in var.event_sources : name => source if source.kind == "queue" }
  streams = { for name, source in var.event_sources : name => source if source.kind == "stream" }
}

resource "aws_lambda_event_source_mapping" "queues" {
  for_each = local.queues

  function_name    = local.alias.arn
  event_source_arn = each.value.arn
  enabled          = each.value.enabled
  batch_size       = each.value.batch_size
  tags             = var.tags

  # FIFO queues know no window: it must be left out, not 0.
  maximum_batching_window_in_seconds = endswith(each.value.arn, ".fifo") ? null : each.value.batching_window_seconds

  # Only the messages the function names are received again, not their whole batch.
  function_response_types = ["ReportBatchItemFailures"]

  dynamic "scaling_config" {
    for_each = each.value.maximum_concurrency == null ? [] : [each.value.maximum_concurrency]

    content {
      maximum_concurrency = scaling_config.value
    }
  }

  dynamic "filter_criteria" {
    for_each = length(each.value.filters) > 0 ? [each.value.filters] : []

    content {
      dynamic "filter" {
        for_each = filter_criteria.value

        content {
          pattern = filter.value
        }
      }
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_lambda_event_source_mapping" "streams" {
  for_each = local.streams

  function_name          = local.alias.arn
  event_source_arn       = each.value.arn
  enabled                = each.value.enabled
  starting_position      = each.value.starting_position
  batch_size             = each.value.batch_size
  parallelization_factor = each.value.parallelization_factor
  tags                   = var.tags

  maximum_batching_window_in_seconds = each.value.batching_window_seconds

  # A record that always fails is split off its batch, retried, then put aside: it must not hold up its shard.
  function_response_types        = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = each.value.maximum_retry_attempts
  maximum_record_age_in_seconds  = each.value.maximum_age_seconds

  dynamic "destination_config" {
    for_each = each.value.on_failure_arn == null ? [] : [each.value.on_failure_arn]

    content {
      on_failure {
        destination_arn = destination_config.value
      }
    }
  }

  dynamic "filter_criteria" {
    for_each = length(each.value.filters) > 0 ? [each.value.filters] : []

    content {
      dynamic "filter" {
        for_each = filter_criteria.value

        content {
          pattern = filter.value
        }
      }
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_scheduler_schedule" "this" {
  for_each = var.schedules

  name                         = "${var.name}-${each.key}"
  schedule_expression          = each.value.expression
  schedule_expression_timezone = each.value.timezone
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = local.alias.arn
    role_arn = aws_iam_role.scheduler[0].arn
    input    = each.value.input

    # A schedule that could not be delivered within the hour is skipped: the next one comes.
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }
}
