data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

resource "aws_backup_vault" "this" {
  name        = var.name
  kms_key_arn = var.kms_key_arn
  tags        = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_backup_vault" "copy" {
  count = var.copy_to == null ? 0 : 1

  region      = var.copy_to.region
  name        = "${var.name}-copy"
  kms_key_arn = var.copy_to.kms_key_arn
  tags        = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_backup_vault_lock_configuration" "this" {
  count = var.lock == null ? 0 : 1

  backup_vault_name   = aws_backup_vault.this.name
  min_retention_days  = var.lock.min_retention_days
  max_retention_days  = var.lock.max_retention_days
  changeable_for_days = var.lock.changeable_for_days
}

resource "aws_backup_vault_lock_configuration" "copy" {
  count = var.lock == null || var.copy_to == null ? 0 : 1

  region              = var.copy_to.region
  backup_vault_name   = aws_backup_vault.copy[0].name
  min_retention_days  = var.lock.min_retention_days
  max_retention_days  = var.lock.max_retention_days
  changeable_for_days = var.lock.changeable_for_days
}

resource "aws_backup_vault_notifications" "this" {
  count = var.notifications == null ? 0 : 1 # the topic's own ARN may be known only after an apply

  backup_vault_name   = aws_backup_vault.this.name
  sns_topic_arn       = var.notifications.topic_arn
  backup_vault_events = ["BACKUP_JOB_FAILED", "BACKUP_JOB_EXPIRED", "COPY_JOB_FAILED", "RESTORE_JOB_FAILED", "S3_BACKUP_OBJECT_FAILED"]
}

resource "aws_backup_plan" "this" {
  name = var.name
  tags = var.tags

  dynamic "rule" {
    for_each = var.rules

    content {
      rule_name                = rule.key
      target_vault_name        = aws_backup_vault.this.name
      schedule                 = rule.value.schedule
      enable_continuous_backup = rule.value.continuous
      start_window             = rule.value.start_window_minutes
      completion_window        = rule.value.completion_window_minutes
      recovery_point_tags      = merge(var.tags, { BackupRule = rule.key })

      lifecycle {
        cold_storage_after = rule.value.cold_storage_after_days
        delete_after       = rule.value.delete_after_days
      }

      dynamic "copy_action" {
        for_each = rule.value.copy ? aws_backup_vault.copy[*].arn : []

        content {
          destination_vault_arn = copy_action.value

          lifecycle {
            cold_storage_after = rule.value.cold_storage_after_days
            delete_after       = rule.value.delete_after_days
          }
        }
      }
    }
  }
}

resource "aws_backup_selection" "arns" {
  count = length(var.resource_arns) > 0 ? 1 : 0

  name         = "${var.name}-arns"
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn
  resources    = var.resource_arns
}

resource "aws_backup_selection" "tags" {
  count = length(var.selection_tags) > 0 ? 1 : 0

  name         = "${var.name}-tags"
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn

  dynamic "selection_tag" {
    for_each = var.selection_tags

    content {
      type  = "STRINGEQUALS"
      key   = selection_tag.key
      value = selection_tag.value
    }
  }
}
