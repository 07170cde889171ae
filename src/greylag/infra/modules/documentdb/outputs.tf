output "arn" {
  description = "The cluster's ARN."
  value       = aws_docdb_cluster.this.arn
}

output "name" {
  description = "The cluster's identifier, for monitoring (DBClusterIdentifier)."
  value       = aws_docdb_cluster.this.cluster_identifier
}

output "endpoint" {
  description = "Host name of the writer."
  value       = aws_docdb_cluster.this.endpoint
}

output "reader_endpoint" {
  description = "Host name that spreads reads over the replicas."
  value       = aws_docdb_cluster.this.reader_endpoint
}

output "port" {
  description = "The port."
  value       = aws_docdb_cluster.this.port
}

output "instance_ids" {
  description = "Identifiers of the instances, for monitoring (DBInstanceIdentifier)."
  value       = [for number in local.instances : aws_docdb_cluster_instance.this[number].identifier]
}

output "instance_class" {
  description = "Class of the instances, which decides how many connections they take."
  value       = local.instance_class
}

output "security_group_id" {
  description = "The cluster's security group."
  value       = aws_security_group.this.id
}

output "master_secret_arn" {
  description = "Secret with the master user's name and password. The ARN is no secret; its content is in no output."
  value       = aws_docdb_cluster.this.master_user_secret[0].secret_arn
}

output "parameter_group_name" {
  description = "The cluster's parameter group."
  value       = aws_docdb_cluster_parameter_group.this.name
}

output "log_group_names" {
  description = "Log groups by kind of log."
  value       = { for log, group in aws_cloudwatch_log_group.this : log => group.name }
}
