data "aws_partition" "current" {}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Data subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
  tags        = var.tags
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:multi_az, true unless it is changed
  #checkov:skip=CKV_AWS_293:deletion_protection, true unless it is changed
  identifier                  = var.name
  engine                      = "postgres"
  engine_version              = var.engine_version
  allow_major_version_upgrade = true # only ever to what engine_version says
  auto_minor_version_upgrade  = true
  instance_class              = var.instance_class
  multi_az                    = var.multi_az
  db_name                     = var.database_name
  port                        = var.port
  ca_cert_identifier          = "rds-ca-rsa2048-g1"
  parameter_group_name        = aws_db_parameter_group.this.name

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false

  storage_type          = "gp3"
  allocated_storage     = var.allocated_storage
  max_allocated_storage = var.max_allocated_storage
  iops                  = var.iops
  storage_throughput    = var.storage_throughput
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  username                            = var.master_username
  manage_master_user_password         = true
  master_user_secret_kms_key_id       = var.kms_key_arn
  iam_database_authentication_enabled = true

  backup_retention_period  = var.backup_retention_days
  backup_window            = var.backup_window
  maintenance_window       = var.maintenance_window
  copy_tags_to_snapshot    = true
  delete_automated_backups = false

  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final"
  apply_immediately         = var.apply_immediately
  tags                      = var.tags

  depends_on = [aws_cloudwatch_log_group.this] # or RDS makes them, unencrypted and for ever

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_db_instance" "replica" {
  #checkov:skip=CKV_AWS_157:A replica is the second copy; the primary has the standby
  #checkov:skip=CKV_AWS_133:The primary is backed up
  #checkov:skip=CKV_AWS_293:A replica holds nothing that the primary lacks
  for_each = var.read_replicas

  identifier                 = "${var.name}-${each.key}"
  replicate_source_db        = aws_db_instance.this.identifier
  instance_class             = coalesce(each.value.instance_class, var.instance_class)
  availability_zone          = each.value.availability_zone
  port                       = var.port
  ca_cert_identifier         = "rds-ca-rsa2048-g1"
  parameter_group_name       = aws_db_parameter_group.this.name
  auto_minor_version_upgrade = true

  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false

  storage_type          = "gp3"
  max_allocated_storage = var.max_allocated_storage
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  iam_database_authentication_enabled = true

  maintenance_window    = var.maintenance_window
  copy_tags_to_snapshot = true
  skip_final_snapshot   = true

  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  apply_immediately = var.apply_immediately
  tags              = var.tags

  depends_on = [aws_cloudwatch_log_group.this]
}

# The service made the secret and rotates it without a function of ours; only the interval is said here.
resource "aws_secretsmanager_secret_rotation" "master" {
  #checkov:skip=CKV_AWS_304:The interval is secret_rotation_days, seven days unless it is changed
  secret_id          = aws_db_instance.this.master_user_secret[0].secret_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = var.secret_rotation_days
  }
}

resource "aws_security_group" "this" {
  name_prefix = "${var.name}-"
  description = "PostgreSQL ${var.name}: its port, from its clients"
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
