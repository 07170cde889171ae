locals {
  engine_version = coalesce(var.engine_version, var.engine == "valkey" ? "8.0" : "7.1")
  major          = split(".", local.engine_version)[0]

  made = concat(
    [for cache in aws_elasticache_serverless_cache.this : {
      arn             = cache.arn
      name            = cache.name
      endpoint        = cache.endpoint[0].address
      reader_endpoint = cache.reader_endpoint[0].address
      port            = cache.endpoint[0].port
      nodes           = []
    }],
    [for group in aws_elasticache_replication_group.this : {
      arn             = group.arn
      name            = group.replication_group_id
      endpoint        = var.shards > 1 ? group.configuration_endpoint_address : group.primary_endpoint_address
      reader_endpoint = var.shards > 1 ? null : group.reader_endpoint_address
      port            = group.port
      nodes           = sort(group.member_clusters)
    }],
  )[0]
}

resource "aws_elasticache_serverless_cache" "this" {
  count = var.serverless == null ? 0 : 1

  name                     = var.name
  description              = "Serverless cache ${var.name}"
  engine                   = var.engine
  major_engine_version     = local.major
  subnet_ids               = var.subnet_ids
  security_group_ids       = [aws_security_group.this.id]
  kms_key_id               = var.kms_key_arn
  user_group_id            = aws_elasticache_user_group.this[0].user_group_id
  daily_snapshot_time      = var.snapshot_retention_days == 0 ? null : split("-", var.snapshot_window)[0]
  snapshot_retention_limit = var.snapshot_retention_days
  tags                     = var.tags

  cache_usage_limits {
    data_storage {
      maximum = var.serverless.max_storage_gb
      unit    = "GB"
    }

    ecpu_per_second {
      maximum = var.serverless.max_ecpu_per_second
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV2_AWS_50:On with replicas_per_shard, 1 unless it is changed; without a replica there is nothing to fail over to
  #checkov:skip=CKV_AWS_31:Users by default; the token where a client cannot name a user
  count = var.serverless == null ? 1 : 0

  replication_group_id       = var.name
  description                = "Replication group ${var.name}"
  engine                     = var.engine
  engine_version             = local.engine_version
  node_type                  = var.node_type
  num_node_groups            = var.shards
  replicas_per_node_group    = var.replicas_per_shard
  automatic_failover_enabled = var.replicas_per_shard > 0
  multi_az_enabled           = var.replicas_per_shard > 0
  port                       = var.port
  parameter_group_name       = aws_elasticache_parameter_group.this[0].name
  subnet_group_name          = aws_elasticache_subnet_group.this[0].name
  security_group_ids         = [aws_security_group.this.id]
  auto_minor_version_upgrade = true

  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"

  user_group_ids             = length(var.users) == 0 ? null : [aws_elasticache_user_group.this[0].user_group_id]
  auth_token                 = var.auth_token_secret_arn == null ? null : data.aws_secretsmanager_secret_version.auth_token[0].secret_string
  auth_token_update_strategy = var.auth_token_secret_arn == null ? null : "ROTATE"

  snapshot_retention_limit  = var.snapshot_retention_days
  snapshot_window           = var.snapshot_retention_days == 0 ? null : var.snapshot_window
  final_snapshot_identifier = var.snapshot_retention_days == 0 ? null : "${var.name}-final"
  maintenance_window        = var.maintenance_window
  apply_immediately         = var.apply_immediately
  tags                      = var.tags

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      log_type         = log_delivery_configuration.key
      destination      = log_delivery_configuration.value.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_elasticache_subnet_group" "this" {
  count = var.serverless == null ? 1 : 0

  name        = var.name
  description = "Data subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
  tags        = var.tags
}

resource "aws_elasticache_parameter_group" "this" {
  count = var.serverless == null ? 1 : 0

  name        = "${var.name}-${var.engine}${local.major}"
  family      = "${var.engine}${local.major}"
  description = "Parameters of ${var.name}"
  tags        = var.tags

  dynamic "parameter" {
    for_each = merge(var.parameters, var.shards > 1 ? { "cluster-enabled" = "yes" } : {})

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  lifecycle {
    create_before_destroy = true # a new major version is a new family, and so a new name
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(var.serverless == null ? ["engine-log", "slow-log"] : [])

  name              = "/aws/elasticache/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-"
  description = "Cache ${var.name}: its ports, from its clients"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = var.name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = var.client_security_group_ids

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.serverless == null ? var.port : 6380 # replicas of a serverless cache
}
