output "arn" {
  description = "The primary's ARN."
  value       = aws_db_instance.this.arn
}

output "name" {
  description = "The primary's identifier, for monitoring (DBInstanceIdentifier) and the proxy."
  value       = aws_db_instance.this.identifier
}

output "resource_id" {
  description = "The primary's resource id (db-...), for rds-db:connect policies."
  value       = aws_db_instance.this.resource_id
}

output "endpoint" {
  description = "Host name of the primary."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "The port."
  value       = aws_db_instance.this.port
}

output "database_name" {
  description = "The database."
  value       = aws_db_instance.this.db_name
}

output "instance_class" {
  description = "The primary's class, which decides how many connections it takes."
  value       = aws_db_instance.this.instance_class
}

output "allocated_storage" {
  description = "The primary's storage in GiB, for the alarm on free space."
  value       = aws_db_instance.this.allocated_storage
}

output "replica_endpoints" {
  description = "Host names of the read replicas, by suffix."
  value       = { for suffix, replica in aws_db_instance.replica : suffix => replica.address }
}

output "replica_names" {
  description = "Identifiers of the read replicas by suffix, for monitoring their lag."
  value       = { for suffix, replica in aws_db_instance.replica : suffix => replica.identifier }
}

output "security_group_id" {
  description = "The database's security group."
  value       = aws_security_group.this.id
}

output "master_secret_arn" {
  description = "Secret with the master user's name and password. The ARN is no secret; its content is in no output."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "parameter_group_name" {
  description = "The parameter group."
  value       = aws_db_parameter_group.this.name
}

output "log_group_names" {
  description = "Log groups by kind of log."
  value       = { for log, group in aws_cloudwatch_log_group.this : log => group.name }
}
