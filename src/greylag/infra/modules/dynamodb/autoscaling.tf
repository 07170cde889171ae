locals {
  # Everything that scales: "TABLE" and "TABLE/INDEX", each with its range.
  capacities = merge([
    for key, table in var.tables : merge(
      { (key) = { table = key, index = null, capacity = table.capacity, target = table.capacity.target_percent } },
      {
        for index, definition in table.indexes : "${key}/${index}" => {
          table    = key
          index    = index
          capacity = definition.capacity == null ? { for field in ["read_min", "read_max", "write_min", "write_max"] : field => table.capacity[field] } : definition.capacity
          target   = table.capacity.target_percent
        }
      },
    ) if table.billing == "provisioned"
  ]...)

  scaled = merge([
    for key, scaled in local.capacities : {
      for kind in ["read", "write"] : "${key}/${kind}" => {
        resource_id = join("/", compact(["table", aws_dynamodb_table.provisioned[scaled.table].name, scaled.index == null ? null : "index", scaled.index]))
        dimension   = "dynamodb:${scaled.index == null ? "table" : "index"}:${title(kind)}CapacityUnits"
        metric      = "DynamoDB${title(kind)}CapacityUtilization"
        minimum     = kind == "read" ? scaled.capacity.read_min : scaled.capacity.write_min
        maximum     = kind == "read" ? scaled.capacity.read_max : scaled.capacity.write_max
        target      = scaled.target
      }
    }
  ]...)
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.scaled

  service_namespace  = "dynamodb"
  resource_id        = each.value.resource_id
  scalable_dimension = each.value.dimension
  min_capacity       = each.value.minimum
  max_capacity       = each.value.maximum
  tags               = var.tags
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.scaled

  name               = "${each.value.resource_id}/${each.value.metric}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "dynamodb"
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = each.value.target

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
    }
  }
}
