# A dashboard per service, of everything that names it, and one for cost.

locals {
  # What is shown of each kind of resource: a title, and its metrics as [namespace, metric, dimension, value, ...].
  charts = concat(
    [for key, f in var.functions : { service = f.service, title = "Lambda ${f.function_name}: calls, errors, throttles", stat = "Sum", metrics = [
      for metric in ["Invocations", "Errors", "Throttles"] : ["AWS/Lambda", metric, "FunctionName", f.function_name]
    ] }],
    [for key, f in var.functions : { service = f.service, title = "Lambda ${f.function_name}: duration p95, ms", stat = "p95", metrics = [
      ["AWS/Lambda", "Duration", "FunctionName", f.function_name]
    ] }],
    [for key, a in var.http_apis : { service = a.service, title = "API ${key}: requests, 4xx, 5xx", stat = "Sum", metrics = [
      for metric in ["Count", "4xx", "5xx"] : ["AWS/ApiGateway", metric, "ApiId", a.api_id, "Stage", a.stage]
    ] }],
    [for key, a in var.http_apis : { service = a.service, title = "API ${key}: latency p95, ms", stat = "p95", metrics = [
      for metric in ["Latency", "IntegrationLatency"] : ["AWS/ApiGateway", metric, "ApiId", a.api_id, "Stage", a.stage]
    ] }],
    [for key, a in var.websocket_apis : { service = a.service, title = "WebSocket ${key}: connections, messages, failures", stat = "Sum", metrics = [
      for metric in ["ConnectCount", "MessageCount", "IntegrationError", "ExecutionError"] : ["AWS/ApiGateway", metric, "ApiId", a.api_id, "Stage", a.stage]
    ] }],
    [for key, l in var.load_balancers : { service = l.service, title = "Service ${key}: requests, 5xx", stat = "Sum", metrics = [
      for metric in ["RequestCount", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] : ["AWS/ApplicationELB", metric, "LoadBalancer", l.arn_suffix]
    ] }],
    [for key, l in var.load_balancers : { service = l.service, title = "Service ${key}: response p95, s", stat = "p95", metrics = [
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", l.arn_suffix]
    ] }],
    [for key, l in var.load_balancers : { service = l.service, title = "Service ${key}: CPU and memory, %", stat = "Average", metrics = [
      for pair in setproduct(l.service_names, ["CPUUtilization", "MemoryUtilization"]) : ["AWS/ECS", pair[1], "ClusterName", l.cluster_name, "ServiceName", pair[0]]
    ] }],
    [for key, t in var.tables : { service = t.service, title = "Table ${t.table_name}: capacity used", stat = "Sum", metrics = [
      for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"] : ["AWS/DynamoDB", metric, "TableName", t.table_name]
    ] }],
    [for key, t in var.tables : { service = t.service, title = "Table ${t.table_name}: throttles", stat = "Sum", metrics = [
      for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : ["AWS/DynamoDB", metric, "TableName", t.table_name]
    ] }],
    [for key, d in var.databases : { service = d.service, title = "Database ${d.identifier}: CPU %, connections", stat = "Average", metrics = [
      for metric in ["CPUUtilization", "DatabaseConnections"] : ["AWS/RDS", metric, "DBInstanceIdentifier", d.identifier]
    ] }],
    [for key, d in var.databases : { service = d.service, title = "Database ${d.identifier}: free storage, latency", stat = "Average", metrics = [
      for metric in ["FreeStorageSpace", "ReadLatency", "WriteLatency"] : ["AWS/RDS", metric, "DBInstanceIdentifier", d.identifier]
    ] }],
    [for key, c in var.documentdb_clusters : { service = c.service, title = "DocumentDB ${c.identifier}: CPU %, connections, lag", stat = "Average", metrics = [
      for metric in ["CPUUtilization", "DatabaseConnections", "DBClusterReplicaLagMaximum"] : ["AWS/DocDB", metric, "DBClusterIdentifier", c.identifier]
    ] }],
    [for key, p in var.proxies : { service = p.service, title = "Proxy ${p.proxy_name}: connections", stat = "Maximum", metrics = [
      for metric in ["ClientConnections", "DatabaseConnections", "DatabaseConnectionsCurrentlySessionPinned"] : ["AWS/RDS", metric, "ProxyName", p.proxy_name]
    ] }],
    [for key, b in var.buckets : { service = b.service, title = "Bucket ${b.bucket_name}: requests, 4xx, 5xx", stat = "Sum", metrics = [
      for metric in ["AllRequests", "4xxErrors", "5xxErrors"] : ["AWS/S3", metric, "BucketName", b.bucket_name, "FilterId", "EntireBucket"]
    ] }],
    [for key, c in var.caches : { service = c.service, title = "Cache ${key}: memory, %", stat = "Maximum", metrics = [
      for id in c.member_ids : ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", id]
    ] } if c.node_count > 0],
    [for key, c in var.caches : { service = c.service, title = "Cache ${key}: bytes, hit rate", stat = "Average", metrics = [
      for metric in ["BytesUsedForCache", "CacheHitRate"] : ["AWS/ElastiCache", metric, "clusterId", c.serverless_name]
    ] } if c.node_count == 0],
    [for key, q in var.queues : { service = q.service, title = "Queue ${q.queue_name}: waiting, dead letters", stat = "Maximum", metrics = [
      for name in [q.queue_name, q.dead_letter_name] : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]
    ] }],
    [for key, q in var.queues : { service = q.service, title = "Queue ${q.queue_name}: age of the oldest, s", stat = "Maximum", metrics = [
      ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", q.queue_name]
    ] }],
  )

  # From the variables, not from the charts: these hold names that are only known after an apply.
  services = toset(concat([
    for watched in [var.functions, var.http_apis, var.websocket_apis, var.load_balancers, var.tables, var.databases, var.documentdb_clusters, var.proxies, var.buckets, var.caches, var.queues] :
    [for each in values(watched) : each.service]
  ]...))

  # What most of a bill is made of. AWS counts it in us-east-1, some hours late, and only where billing alerts are on.
  billed_services = ["AmazonDynamoDB", "AmazonDocDB", "AmazonRDS", "AmazonElastiCache", "AWSLambda", "AmazonApiGateway", "AmazonECS", "AmazonEC2", "AmazonVPC", "AmazonS3", "AmazonCloudFront", "AmazonCloudWatch", "awskms", "awswaf"]

  dashboard_names = merge(
    { for service, dashboard in aws_cloudwatch_dashboard.services : service => dashboard.dashboard_name },
    { cost = aws_cloudwatch_dashboard.cost.dashboard_name },
  )
}

resource "aws_cloudwatch_dashboard" "services" {
  for_each = local.services

  dashboard_name = "${var.name}-${each.value}"

  dashboard_body = jsonencode({
    widgets = [for index, chart in [for chart in local.charts : chart if chart.service == each.value] : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = {
        title   = chart.title
        region  = local.region
        stat    = chart.stat
        period  = 60
        view    = "timeSeries"
        metrics = chart.metrics
      }
    }]
  })
}

resource "aws_cloudwatch_dashboard" "cost" {
  dashboard_name = "${var.name}-cost"

  dashboard_body = jsonencode({
    widgets = [
      {
        type = "metric", x = 0, y = 0, width = 12, height = 8
        properties = {
          title       = "This month so far, USD, all services"
          region      = "us-east-1"
          stat        = "Maximum"
          period      = 21600
          view        = "timeSeries"
          metrics     = [["AWS/Billing", "EstimatedCharges", "Currency", "USD"]]
          annotations = { horizontal = [{ label = "Budget", value = var.monthly_budget_usd }] }
        }
      },
      {
        type = "metric", x = 12, y = 0, width = 12, height = 8
        properties = {
          title   = "This month so far, USD, by service"
          region  = "us-east-1"
          stat    = "Maximum"
          period  = 21600
          view    = "timeSeries"
          metrics = [for service in local.billed_services : ["AWS/Billing", "EstimatedCharges", "ServiceName", service, "Currency", "USD"]]
        }
      },
    ]
  })
}
