output "arn" {
  description = "The cache's ARN."
  value       = local.made.arn
}

output "name" {
  description = "The replication group's id or the serverless cache's name."
  value       = local.made.name
}

output "endpoint" {
  description = "Host name for reads and writes; of the whole cluster when there are several shards."
  value       = local.made.endpoint
}

output "reader_endpoint" {
  description = "Host name for reads that may lag behind; null with several shards, whose clients find the replicas themselves."
  value       = local.made.reader_endpoint
}

output "port" {
  description = "The port."
  value       = local.made.port
}

output "serverless" {
  description = "Whether it is a serverless cache: monitoring watches other metrics then."
  value       = var.serverless != null
}

output "node_ids" {
  description = "Ids of a replication group's nodes, for monitoring (CacheClusterId)."
  value       = local.made.nodes
}

output "cluster_mode" {
  description = "Whether clients must speak the cluster protocol."
  value       = var.serverless != null || var.shards > 1
}

output "security_group_id" {
  description = "The cache's security group."
  value       = aws_security_group.this.id
}

output "user_names" {
  description = "What each user signs in as. With IAM it is the user's id."
  value       = { for name, user in aws_elasticache_user.this : name => user.user_name }
}

output "user_arns" {
  description = "User ARNs by name, for elasticache:Connect policies."
  value       = { for name, user in aws_elasticache_user.this : name => user.arn }
}
