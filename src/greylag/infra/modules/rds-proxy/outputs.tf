output "arn" {
  description = "The proxy's ARN."
  value       = aws_db_proxy.this.arn
}

output "name" {
  description = "The proxy's name, for monitoring (ProxyName)."
  value       = aws_db_proxy.this.name
}

output "resource_id" {
  description = "The proxy's resource id (prx-...), for rds-db:connect policies."
  value       = element(split(":", aws_db_proxy.this.arn), 6)
}

output "endpoint" {
  description = "Host name that clients use instead of the database's."
  value       = aws_db_proxy.this.endpoint
}

output "port" {
  description = "The port."
  value       = var.port
}

output "security_group_id" {
  description = "The proxy's security group."
  value       = aws_security_group.this.id
}

output "log_group_name" {
  description = "The proxy's log group."
  value       = aws_cloudwatch_log_group.this.name
}
