locals {
  instance_class = var.serverless == null ? var.instance_class : "db.serverless"
  instances      = [for number in range(1, var.instance_count + 1) : tostring(number)]
}

resource "aws_docdb_subnet_group" "this" {
  name        = var.name
  description = "Data subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
  tags        = var.tags
}

resource "aws_docdb_cluster" "this" {
  #checkov:skip=CKV_AWS_85:Both logs are exported below; checkov misreads lists beside a dynamic block
  cluster_identifier              = var.name
  engine                          = "docdb"
  engine_version                  = var.engine_version
  allow_major_version_upgrade     = true # only ever to what engine_version says
  port                            = var.port
  storage_type                    = var.storage_type
  db_subnet_group_name            = aws_docdb_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  db_cluster_parameter_group_name = aws_docdb_cluster_parameter_group.this.name

  storage_encrypted = true
  kms_key_id        = var.kms_key_arn

  master_username             = var.master_username
  manage_master_user_password = true

  backup_retention_period         = var.backup_retention_days
  preferred_backup_window         = var.backup_window
  preferred_maintenance_window    = var.maintenance_window
  enabled_cloudwatch_logs_exports = ["audit", "profiler"]

  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final"
  apply_immediately         = var.apply_immediately
  tags                      = var.tags

  dynamic "serverless_v2_scaling_configuration" {
    for_each = var.serverless == null ? [] : [var.serverless]

    content {
      min_capacity = serverless_v2_scaling_configuration.value.min_capacity
      max_capacity = serverless_v2_scaling_configuration.value.max_capacity
    }
  }

  depends_on = [aws_cloudwatch_log_group.this] # or AWS makes them, unencrypted and for ever

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_docdb_cluster_instance" "this" {
  for_each = toset(local.instances)

  identifier                   = "${var.name}-${each.key}"
  cluster_identifier           = aws_docdb_cluster.this.id
  instance_class               = local.instance_class
  promotion_tier               = min(tonumber(each.key) - 1, 15)
  ca_cert_identifier           = "rds-ca-rsa2048-g1"
  auto_minor_version_upgrade   = true
  copy_tags_to_snapshot        = true
  preferred_maintenance_window = var.maintenance_window
  apply_immediately            = var.apply_immediately
  tags                         = var.tags
}

# The service made the secret and rotates it without a function of ours; only the interval is said here.
resource "aws_secretsmanager_secret_rotation" "master" {
  #checkov:skip=CKV_AWS_304:The interval is secret_rotation_days, seven days unless it is changed
  secret_id          = aws_docdb_cluster.this.master_user_secret[0].secret_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = var.secret_rotation_days
  }
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-"
  description = "DocumentDB ${var.name}: its port, from its clients"
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
  to_port                      = var.port
}
