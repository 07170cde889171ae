locals {
  # Walsenders: one for each slot, one for each replica, and a few for backups and people.
  logical = var.logical_replication == null ? {} : {
    "rds.logical_replication" = { value = "1", apply_method = "pending-reboot" }
    "max_replication_slots"   = { value = tostring(var.logical_replication.max_slots), apply_method = "pending-reboot" }
    "max_wal_senders"         = { value = tostring(var.logical_replication.max_slots + length(var.read_replicas) + 5), apply_method = "pending-reboot" }
    "max_slot_wal_keep_size"  = { value = tostring(var.logical_replication.max_slot_wal_mib), apply_method = "immediate" }
  }
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres${var.engine_version}"
  description = "TLS, logging, replication of ${var.name}"
  tags        = var.tags

  parameter {
    name         = "rds.force_ssl"
    value        = "1"
    apply_method = "immediate"
  }

  # Statements that change the schema or anybody's rights, and slow ones; not every query, which would log data.
  parameter {
    name         = "log_statement"
    value        = "ddl"
    apply_method = "immediate"
  }

  parameter {
    name         = "log_min_duration_statement"
    value        = tostring(var.log_slower_than_ms)
    apply_method = "immediate"
  }

  dynamic "parameter" {
    for_each = local.logical

    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.apply_method
    }
  }

  dynamic "parameter" {
    for_each = var.parameters

    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.apply_method
    }
  }

  lifecycle {
    create_before_destroy = true # a new major version is a new family
  }
}
