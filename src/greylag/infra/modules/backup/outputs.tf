output "vault_arn" {
  description = "The vault's ARN."
  value       = aws_backup_vault.this.arn
}

output "vault_name" {
  description = "The vault's name, for monitoring (BackupVaultName)."
  value       = aws_backup_vault.this.name
}

output "plan_id" {
  description = "The plan's id."
  value       = aws_backup_plan.this.id
}

output "copy_vault_arn" {
  description = "The second region's vault, or null."
  value       = one(aws_backup_vault.copy[*].arn)
}

output "role_arn" {
  description = "The role that backs up, and restores when a restore is started with it."
  value       = aws_iam_role.this.arn
}
