output "record_name" {
  description = "The name that clients resolve."
  value       = var.record_name
}

output "health_check_ids" {
  description = "Health checks by endpoint, for monitoring (HealthCheckId; its metrics are in us-east-1)."
  value       = local.health_check_ids
}
