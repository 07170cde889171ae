# Alarms on a share of all requests, or on the sum of several metrics. Where nothing was called there is no share:
# 0 of 0 is 0 %, so that a quiet night does not alarm.

locals {
  # percent = 100 x failures / requests. Several failure metrics are added.
  rates = merge(
    { for key, f in var.functions : "function-errors-${key}" => {
      rule     = var.alarms.function_errors, namespace = "AWS/Lambda", dimensions = { FunctionName = f.function_name }
      failures = ["Errors"], requests = "Invocations"
      text     = "Over ${var.alarms.function_errors.threshold} % of the calls of ${f.function_name} ended in an error or a timeout: look in its log, then at what was deployed last."
    } },
    { for key, a in var.http_apis : "api-5xx-${key}" => {
      rule     = var.alarms.api_5xx, namespace = "AWS/ApiGateway", dimensions = { ApiId = a.api_id, Stage = a.stage }
      failures = ["5xx"], requests = "Count"
      text     = "Over ${var.alarms.api_5xx.threshold} % of the requests to API ${key} answered with 5xx: integrationError in the access log says why."
    } },
    { for key, a in var.websocket_apis : "api-5xx-${key}" => {
      rule     = var.alarms.api_5xx, namespace = "AWS/ApiGateway", dimensions = { ApiId = a.api_id, Stage = a.stage }
      failures = ["IntegrationError", "ExecutionError"], requests = "MessageCount"
      text     = "Over ${var.alarms.api_5xx.threshold} % of the messages to API ${key} failed: integrationError in the access log says why."
    } },
    { for key, l in var.load_balancers : "api-5xx-${key}" => {
      rule     = var.alarms.api_5xx, namespace = "AWS/ApplicationELB", dimensions = { LoadBalancer = l.arn_suffix }
      failures = ["HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"], requests = "RequestCount"
      text     = "Over ${var.alarms.api_5xx.threshold} % of the requests to service ${key} answered with 5xx: by its tasks (their log), or by the load balancer because none is healthy."
    } },
  )

  # The table and each index are throttled by themselves.
  throttles = { for key, t in var.tables : "table-throttles-${key}" => {
    text = "Table ${t.table_name} or an index of it throttles: a key takes more than a partition gives, or the capacity is too low."
    metrics = concat(
      [for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : { metric = metric, dimensions = { TableName = t.table_name } }],
      [for pair in setproduct(t.indexes, ["ReadThrottleEvents", "WriteThrottleEvents"]) : {
        metric = pair[1], dimensions = { TableName = t.table_name, GlobalSecondaryIndexName = pair[0] }
      }],
    )
  } }
}

resource "aws_cloudwatch_metric_alarm" "rates" {
  for_each = { for key, rate in local.rates : key => rate if rate.rule.enabled }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  evaluation_periods  = each.value.rule.periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.rule.threshold
  treat_missing_data  = each.value.rule.missing_data
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  tags                = var.tags

  metric_query {
    id          = "percent"
    label       = "Failed, %"
    expression  = "IF(requests > 0, 100 * (${join(" + ", [for index, _ in each.value.failures : "FILL(failures${index}, 0)"])}) / requests, 0)"
    return_data = true
  }

  metric_query {
    id = "requests"

    metric {
      namespace   = each.value.namespace
      metric_name = each.value.requests
      dimensions  = each.value.dimensions
      period      = 60
      stat        = "Sum"
    }
  }

  dynamic "metric_query" {
    for_each = each.value.failures

    content {
      id = "failures${metric_query.key}"

      metric {
        namespace   = each.value.namespace
        metric_name = metric_query.value
        dimensions  = each.value.dimensions
        period      = 60
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = var.alarms.table_throttles.enabled ? local.throttles : {}

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  evaluation_periods  = var.alarms.table_throttles.periods
  datapoints_to_alarm = 1 # a single minute counts: throttled writes are refused writes
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.alarms.table_throttles.threshold
  treat_missing_data  = var.alarms.table_throttles.missing_data
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  tags                = var.tags

  metric_query {
    id          = "throttles"
    label       = "Throttled requests"
    expression  = join(" + ", [for index, _ in each.value.metrics : "FILL(m${index}, 0)"])
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics

    content {
      id = "m${metric_query.key}"

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        period      = 60
        stat        = "Sum"
      }
    }
  }
}

locals {
  alarm_arns = merge(
    { for key, alarm in aws_cloudwatch_metric_alarm.single : key => alarm.arn },
    { for key, alarm in aws_cloudwatch_metric_alarm.rates : key => alarm.arn },
    { for key, alarm in aws_cloudwatch_metric_alarm.throttles : key => alarm.arn },
  )
}
