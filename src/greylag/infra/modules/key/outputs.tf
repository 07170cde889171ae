output "arn" {
  description = "The key's ARN: what other modules take as kms_key_arn."
  value       = aws_kms_key.this.arn
}

output "id" {
  description = "The key's id."
  value       = aws_kms_key.this.key_id
}

output "alias_name" {
  description = "The alias, for people."
  value       = aws_kms_alias.this.name
}

output "replica_arns" {
  description = "ARN of the replica key in each replica region."
  value       = { for region, key in aws_kms_replica_key.this : region => key.arn }
}
