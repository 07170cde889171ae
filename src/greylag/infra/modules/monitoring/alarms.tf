# Alarms on one metric. Each entry says what is watched; thresholds, periods and missing data come from var.alarms.
# Connections and storage are compared in the metric's own unit, computed from the limit and the percentage. Keys hold
# nothing that is only known after an apply.

locals {
  single = merge(
    { for key, d in var.databases : "database-connections-${key}" => {
      rule       = var.alarms.database_connections, namespace = "AWS/RDS", metric = "DatabaseConnections", statistic = "Maximum"
      dimensions = { DBInstanceIdentifier = d.identifier }, threshold = d.max_connections * var.alarms.database_connections.threshold / 100, below = false
      text       = "Connections of ${d.identifier} over ${var.alarms.database_connections.threshold} % of ${d.max_connections}: look for a pool that grew or sessions left open."
    } },
    { for key, d in var.databases : "database-cpu-${key}" => {
      rule       = var.alarms.database_cpu, namespace = "AWS/RDS", metric = "CPUUtilization", statistic = "Average"
      dimensions = { DBInstanceIdentifier = d.identifier }, threshold = var.alarms.database_cpu.threshold, below = false
      text       = "CPU of ${d.identifier} over ${var.alarms.database_cpu.threshold} %: look at the slowest statements in Performance Insights."
    } },
    { for key, d in var.databases : "database-storage-${key}" => {
      rule       = var.alarms.database_storage, namespace = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum"
      dimensions = { DBInstanceIdentifier = d.identifier }, threshold = d.storage_gb * 1073741824 * (100 - var.alarms.database_storage.threshold) / 100, below = true
      text       = "Storage of ${d.identifier} used over ${var.alarms.database_storage.threshold} % of ${d.storage_gb} GB: a replication slot nobody reads keeps its log, or the data grew."
    } },
    { for key, d in var.databases : "replication-lag-${key}" => {
      rule       = var.alarms.replication_lag, namespace = "AWS/RDS", metric = "ReplicaLag", statistic = "Maximum"
      dimensions = { DBInstanceIdentifier = d.identifier }, threshold = var.alarms.replication_lag.threshold, below = false
      text       = "Replica ${d.identifier} is over ${var.alarms.replication_lag.threshold} s behind: reads from it are old."
    } if d.replica },

    merge([for key, c in var.documentdb_clusters : { for index, id in c.instance_ids : "database-connections-${key}-${index}" => {
      rule       = var.alarms.database_connections, namespace = "AWS/DocDB", metric = "DatabaseConnections", statistic = "Maximum"
      dimensions = { DBInstanceIdentifier = id }, threshold = c.max_connections * var.alarms.database_connections.threshold / 100, below = false
      text       = "Connections of ${id} over ${var.alarms.database_connections.threshold} % of ${c.max_connections}: copies of a function times their pool, or sessions left open."
    } }]...),
    merge([for key, c in var.documentdb_clusters : { for index, id in c.instance_ids : "database-cpu-${key}-${index}" => {
      rule       = var.alarms.database_cpu, namespace = "AWS/DocDB", metric = "CPUUtilization", statistic = "Average"
      dimensions = { DBInstanceIdentifier = id }, threshold = var.alarms.database_cpu.threshold, below = false
      text       = "CPU of ${id} over ${var.alarms.database_cpu.threshold} %: look for collection scans in the profiler's log."
    } }]...),
    { for key, c in var.documentdb_clusters : "replication-lag-${key}" => {
      rule       = var.alarms.replication_lag, namespace = "AWS/DocDB", metric = "DBClusterReplicaLagMaximum", statistic = "Maximum"
      dimensions = { DBClusterIdentifier = c.identifier }, threshold = var.alarms.replication_lag.threshold * 1000, below = false
      text       = "A replica of ${c.identifier} is over ${var.alarms.replication_lag.threshold} s behind: reads from it are old."
    } },

    { for key, p in var.proxies : "proxy-pinned-${key}" => {
      rule       = var.alarms.proxy_pinned_connections, namespace = "AWS/RDS", metric = "DatabaseConnectionsCurrentlySessionPinned", statistic = "Maximum"
      dimensions = { ProxyName = p.proxy_name }, threshold = var.alarms.proxy_pinned_connections.threshold, below = false
      text       = "Clients of ${p.proxy_name} pin their connections, so the proxy cannot share them: prepared statements, SET, temporary tables, advisory locks or LISTEN."
    } },

    merge([for key, t in var.tables : { for region in t.replica_regions : "replication-lag-${key}-${region}" => {
      rule       = var.alarms.replication_lag, namespace = "AWS/DynamoDB", metric = "ReplicationLatency", statistic = "Maximum"
      dimensions = { TableName = t.table_name, ReceivingRegion = region }, threshold = var.alarms.replication_lag.threshold * 1000, below = false
      text       = "Table ${t.table_name} reaches ${region} over ${var.alarms.replication_lag.threshold} s late: a failover now would lose that much."
    } }]...),

    { for key, b in var.buckets : "bucket-4xx-${key}" => {
      rule       = var.alarms.bucket_4xx, namespace = "AWS/S3", metric = "4xxErrors", statistic = "Average"
      dimensions = { BucketName = b.bucket_name, FilterId = "EntireBucket" }, threshold = var.alarms.bucket_4xx.threshold / 100, below = false
      text       = "Over ${var.alarms.bucket_4xx.threshold} % of the requests to ${b.bucket_name} refused: missing objects, expired URLs or a changed policy."
    } },
    { for key, b in var.buckets : "bucket-5xx-${key}" => {
      rule       = var.alarms.bucket_5xx, namespace = "AWS/S3", metric = "5xxErrors", statistic = "Average"
      dimensions = { BucketName = b.bucket_name, FilterId = "EntireBucket" }, threshold = var.alarms.bucket_5xx.threshold / 100, below = false
      text       = "Over ${var.alarms.bucket_5xx.threshold} % of the requests to ${b.bucket_name} failed in S3: slow down and retry with backoff; one prefix may be too hot."
    } },

    merge([for key, c in var.caches : { for index in range(c.node_count) : "cache-memory-${key}-${index}" => {
      rule       = var.alarms.cache_memory, namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", statistic = "Maximum"
      dimensions = { CacheClusterId = c.member_ids[index] }, threshold = var.alarms.cache_memory.threshold, below = false
      text       = "Memory of a node of cache ${key} over ${var.alarms.cache_memory.threshold} %: the cache begins to evict; look for keys without expiry."
    } }]...),
    { for key, c in var.caches : "cache-memory-${key}" => {
      rule       = var.alarms.cache_memory, namespace = "AWS/ElastiCache", metric = "BytesUsedForCache", statistic = "Maximum"
      dimensions = { clusterId = c.serverless_name }, threshold = c.serverless_limit_gb * 1073741824 * var.alarms.cache_memory.threshold / 100, below = false
      text       = "Cache ${c.serverless_name} holds over ${var.alarms.cache_memory.threshold} % of its limit of ${c.serverless_limit_gb} GB: at the limit it evicts; look for keys without expiry."
    } if c.node_count == 0 },

    { for key, q in var.queues : "dead-letters-${key}" => {
      rule       = var.alarms.dead_letters, namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
      dimensions = { QueueName = q.dead_letter_name }, threshold = var.alarms.dead_letters.threshold, below = false
      text       = "${q.dead_letter_name} holds messages its consumer gave up on: read one, mend the cause, redrive."
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "single" {
  for_each = { for key, alarm in local.single : key => alarm if alarm.rule.enabled }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.rule.periods
  comparison_operator = each.value.below ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = each.value.rule.missing_data
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
  tags                = var.tags
}

# S3 counts requests only where it is told to.
resource "aws_s3_bucket_metric" "this" {
  for_each = var.buckets

  bucket = each.value.bucket_name
  name   = "EntireBucket"
}
