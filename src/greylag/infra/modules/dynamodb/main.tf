# Two resources, because `ignore_changes` is a literal: where autoscaling owns the capacity Terraform must not.
data "aws_region" "current" {}

locals {
  names = { for key, table in var.tables : key => coalesce(table.table_name, "${var.name}-${key}") }
  made  = merge(aws_dynamodb_table.on_demand, aws_dynamodb_table.provisioned)
}

resource "aws_dynamodb_table" "on_demand" {
  #checkov:skip=CKV2_AWS_16:On demand; provisioned tables scale by themselves
  #checkov:skip=CKV_AWS_28:On, unless a table says pitr = false
  for_each = { for key, table in var.tables : key => table if table.billing == "on-demand" }

  name                        = local.names[each.key]
  billing_mode                = "PAY_PER_REQUEST"
  table_class                 = each.value.table_class
  hash_key                    = each.value.hash_key
  range_key                   = each.value.range_key
  stream_enabled              = each.value.stream != null
  stream_view_type            = each.value.stream
  deletion_protection_enabled = each.value.deletion_protection
  tags                        = merge(var.tags, each.value.tags)

  dynamic "attribute" {
    for_each = each.value.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key
      range_key          = global_secondary_index.value.range_key
      projection_type    = global_secondary_index.value.projection
      non_key_attributes = global_secondary_index.value.projection == "INCLUDE" ? global_secondary_index.value.non_key_attributes : null

      dynamic "on_demand_throughput" {
        for_each = each.value.on_demand_limit == null ? [] : [each.value.on_demand_limit]

        content {
          max_read_request_units  = coalesce(on_demand_throughput.value.read, -1)
          max_write_request_units = coalesce(on_demand_throughput.value.write, -1)
        }
      }
    }
  }

  dynamic "local_secondary_index" {
    for_each = each.value.local_indexes

    content {
      name               = local_secondary_index.key
      range_key          = local_secondary_index.value.range_key
      projection_type    = local_secondary_index.value.projection
      non_key_attributes = local_secondary_index.value.projection == "INCLUDE" ? local_secondary_index.value.non_key_attributes : null
    }
  }

  dynamic "on_demand_throughput" {
    for_each = each.value.on_demand_limit == null ? [] : [each.value.on_demand_limit]

    content {
      max_read_request_units  = coalesce(on_demand_throughput.value.read, -1)
      max_write_request_units = coalesce(on_demand_throughput.value.write, -1)
    }
  }

  dynamic "ttl" {
    for_each = each.value.ttl == null ? [] : [each.value.ttl]

    content {
      enabled        = true
      attribute_name = ttl.value
    }
  }

  point_in_time_recovery {
    enabled                 = each.value.pitr
    recovery_period_in_days = each.value.pitr ? each.value.pitr_days : null
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  dynamic "replica" {
    for_each = each.value.replicas

    content {
      region_name                 = replica.key
      kms_key_arn                 = replica.value.kms_key_arn
      point_in_time_recovery      = each.value.pitr
      deletion_protection_enabled = each.value.deletion_protection
      propagate_tags              = true
    }
  }

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = !contains(keys(each.value.replicas), data.aws_region.current.region)
      error_message = "Table ${each.key}: ${data.aws_region.current.region} is the writing region, replicas are elsewhere."
    }
  }
}

resource "aws_dynamodb_table" "provisioned" {
  #checkov:skip=CKV_AWS_28:On, unless a table says pitr = false
  for_each = { for key, table in var.tables : key => table if table.billing == "provisioned" }

  name                        = local.names[each.key]
  billing_mode                = "PROVISIONED"
  read_capacity               = each.value.capacity.read_min
  write_capacity              = each.value.capacity.write_min
  table_class                 = each.value.table_class
  hash_key                    = each.value.hash_key
  range_key                   = each.value.range_key
  stream_enabled              = each.value.stream != null
  stream_view_type            = each.value.stream
  deletion_protection_enabled = each.value.deletion_protection
  tags                        = merge(var.tags, each.value.tags)

  dynamic "attribute" {
    for_each = each.value.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key
      range_key          = global_secondary_index.value.range_key
      projection_type    = global_secondary_index.value.projection
      non_key_attributes = global_secondary_index.value.projection == "INCLUDE" ? global_secondary_index.value.non_key_attributes : null
      read_capacity      = try(global_secondary_index.value.capacity.read_min, each.value.capacity.read_min)
      write_capacity     = try(global_secondary_index.value.capacity.write_min, each.value.capacity.write_min)
    }
  }

  dynamic "local_secondary_index" {
    for_each = each.value.local_indexes

    content {
      name               = local_secondary_index.key
      range_key          = local_secondary_index.value.range_key
      projection_type    = local_secondary_index.value.projection
      non_key_attributes = local_secondary_index.value.projection == "INCLUDE" ? local_secondary_index.value.non_key_attributes : null
    }
  }

  dynamic "ttl" {
    for_each = each.value.ttl == null ? [] : [each.value.ttl]

    content {
      enabled        = true
      attribute_name = ttl.value
    }
  }

  point_in_time_recovery {
    enabled                 = each.value.pitr
    recovery_period_in_days = each.value.pitr ? each.value.pitr_days : null
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  lifecycle {
    prevent_destroy = true

    # Autoscaling owns the capacities. An index's capacity cannot be ignored alone, so its whole block is: see README.
    ignore_changes = [read_capacity, write_capacity, global_secondary_index]
  }
}
