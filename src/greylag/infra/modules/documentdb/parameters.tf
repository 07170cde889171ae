resource "aws_docdb_cluster_parameter_group" "this" {
  #checkov:skip=CKV_AWS_104:audit_logs is on below; checkov sees no literal parameter beside a dynamic one
  name_prefix = "${var.name}-"
  family      = "docdb${join(".", slice(split(".", var.engine_version), 0, 2))}"
  description = "TLS, audit, change streams of ${var.name}"
  tags        = var.tags

  parameter {
    name         = "tls"
    value        = var.tls
    apply_method = "pending-reboot"
  }

  parameter {
    name         = "audit_logs"
    value        = "enabled"
    apply_method = "immediate"
  }

  parameter {
    name         = "change_stream_log_retention_duration"
    value        = tostring(var.change_stream_retention_hours * 3600)
    apply_method = "immediate"
  }

  parameter {
    name         = "profiler"
    value        = var.profiler_threshold_ms == null ? "disabled" : "enabled"
    apply_method = "immediate"
  }

  dynamic "parameter" {
    for_each = var.profiler_threshold_ms == null ? [] : [var.profiler_threshold_ms]

    content {
      name         = "profiler_threshold_ms"
      value        = tostring(parameter.value)
      apply_method = "immediate"
    }
  }

  dynamic "parameter" {
    for_each = var.parameters

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }

  lifecycle {
    create_before_destroy = true # a new major version is a new family
  }
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["audit", "profiler"])

  name              = "/aws/docdb/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
