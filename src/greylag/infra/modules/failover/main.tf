locals {
  checked = { for name, endpoint in var.endpoints : name => endpoint.health_check if endpoint.health_check != null }
  alarmed = { for name, endpoint in var.endpoints : name => endpoint.alarm if endpoint.alarm != null }

  health_check_ids = merge(
    { for name, check in aws_route53_health_check.endpoint : name => check.id },
    { for name, check in aws_route53_health_check.alarm : name => check.id },
  )

  # One record for each endpoint and type; an identifier has one endpoint under each type.
  records = merge([
    for name, endpoint in var.endpoints : {
      for type in endpoint.cname != null ? ["CNAME"] : var.ipv6 ? ["A", "AAAA"] : ["A"] : "${name}/${type}" => { endpoint = name, type = type }
    }
  ]...)
}

resource "aws_route53_health_check" "endpoint" {
  for_each = local.checked

  type              = each.value.search_string == null ? "HTTPS" : "HTTPS_STR_MATCH"
  fqdn              = each.value.fqdn
  port              = each.value.port
  resource_path     = each.value.path
  search_string     = each.value.search_string
  failure_threshold = each.value.failure_threshold
  request_interval  = each.value.interval_seconds
  enable_sni        = true
  measure_latency   = true
  tags              = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_route53_health_check" "alarm" {
  for_each = local.alarmed

  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = each.value.name
  cloudwatch_alarm_region         = each.value.region
  insufficient_data_health_status = "LastKnownStatus" # silence is no reason to move, and none to move back
  tags                            = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_route53_record" "this" {
  #checkov:skip=CKV2_AWS_23:What the alias points at is the caller's
  for_each = local.records

  zone_id         = var.zone_id
  name            = var.record_name
  type            = each.value.type
  set_identifier  = each.value.endpoint
  health_check_id = lookup(local.health_check_ids, each.value.endpoint, null)
  ttl             = each.value.type == "CNAME" ? var.ttl_seconds : null
  records         = each.value.type == "CNAME" ? [var.endpoints[each.value.endpoint].cname] : null

  dynamic "alias" {
    for_each = each.value.type == "CNAME" ? [] : [var.endpoints[each.value.endpoint].alias]

    content {
      name                   = alias.value.name
      zone_id                = alias.value.zone_id
      evaluate_target_health = true
    }
  }

  dynamic "failover_routing_policy" {
    for_each = var.policy == "failover" ? [var.endpoints[each.value.endpoint].role] : []

    content {
      type = upper(failover_routing_policy.value)
    }
  }

  dynamic "weighted_routing_policy" {
    for_each = var.policy == "weighted" ? [var.endpoints[each.value.endpoint].weight] : []

    content {
      weight = weighted_routing_policy.value
    }
  }
}
