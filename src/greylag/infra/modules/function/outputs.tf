output "function_name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "The function's ARN, without alias."
  value       = aws_lambda_function.this.arn
}

output "alias_name" {
  description = "The alias that callers use."
  value       = var.alias_name
}

output "alias_arn" {
  description = "The alias's ARN: what the API modules, schedules and other callers take."
  value       = local.alias.arn
}

output "invoke_arn" {
  description = "The alias's ARN in the form API Gateway takes."
  value       = local.alias.invoke_arn
}

output "version" {
  description = "The version this apply published."
  value       = aws_lambda_function.this.version
}

output "role_arn" {
  description = "The function's role."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "The role's name, for policies attached elsewhere."
  value       = aws_iam_role.this.name
}

output "log_group_name" {
  description = "Where the function logs."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_group_arn" {
  description = "ARN of the log group."
  value       = aws_cloudwatch_log_group.this.arn
}

output "database_connections" {
  description = "Connections the function opens at most (reserved_concurrency x per_copy); null without database_connections."
  value       = var.database_connections == null ? null : var.reserved_concurrency * var.database_connections.per_copy
}
