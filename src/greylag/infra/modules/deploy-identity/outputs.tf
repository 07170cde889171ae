output "state_bucket_name" {
  description = "The bucket that holds the states."
  value       = aws_s3_bucket.state.bucket
}

output "state_bucket_arn" {
  description = "Its ARN."
  value       = aws_s3_bucket.state.arn
}

output "state_keys" {
  description = "Key of each environment's state in the bucket."
  value       = local.state_keys
}

output "backend_configs" {
  description = "Backend block of each environment, for its root module."
  value       = local.backend_configs
}

output "oidc_provider_arn" {
  description = "GitHub's OIDC provider."
  value       = local.oidc_provider_arn
}

output "plan_role_arn" {
  description = "Role of pull requests: reads, changes nothing."
  value       = aws_iam_role.plan.arn
}

output "apply_role_arns" {
  description = "Role that applies, by environment."
  value       = { for environment, role in aws_iam_role.apply : environment => role.arn }
}
