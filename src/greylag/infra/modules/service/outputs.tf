output "cluster_arn" {
  description = "The ECS cluster."
  value       = local.cluster_arn
}

output "cluster_name" {
  description = "The cluster's name, for metrics."
  value       = local.cluster_name
}

output "service_names" {
  description = "Name of each release's ECS service."
  value       = { for release, service in aws_ecs_service.this : release => service.name }
}

output "task_definition_arns" {
  description = "Task definition of each release."
  value       = { for release, task in aws_ecs_task_definition.this : release => task.arn }
}

output "task_role_arn" {
  description = "Role of the code."
  value       = aws_iam_role.task.arn
}

output "task_role_name" {
  description = "Its name, for policies attached elsewhere."
  value       = aws_iam_role.task.name
}

output "execution_role_arn" {
  description = "Role with which ECS pulls the image, reads the secrets and writes the log."
  value       = aws_iam_role.execution.arn
}

output "security_group_id" {
  description = "Security group of the tasks, which databases and caches let in."
  value       = aws_security_group.tasks.id
}

output "load_balancer_arn" {
  description = "The ALB; null for a worker."
  value       = one(aws_lb.this[*].arn)
}

output "load_balancer_arn_suffix" {
  description = "Its suffix, the dimension of its metrics; null for a worker."
  value       = one(aws_lb.this[*].arn_suffix)
}

output "load_balancer_dns_name" {
  description = "Its name; null for a worker."
  value       = one(aws_lb.this[*].dns_name)
}

output "load_balancer_zone_id" {
  description = "Zone of that name; null for a worker."
  value       = one(aws_lb.this[*].zone_id)
}

output "load_balancer_security_group_id" {
  description = "Its security group; null for a worker."
  value       = one(aws_security_group.load_balancer[*].id)
}

output "listener_arn" {
  description = "HTTPS listener, what an HTTP API's integration takes; null for a worker."
  value       = one(aws_lb_listener.https[*].arn)
}

output "traffic_rule_arn" {
  description = "Listener rule that holds the weights, what a cutover moves; null for a worker."
  value       = local.traffic_rule_arn
}

output "target_group_arns" {
  description = "Target group of each release; empty for a worker."
  value       = { for release, group in aws_lb_target_group.this : release => group.arn }
}

output "target_group_arn_suffixes" {
  description = "Suffix of each target group, the dimension of its metrics."
  value       = { for release, group in aws_lb_target_group.this : release => group.arn_suffix }
}

output "url" {
  description = "Address of the load balancer; null for a worker."
  value       = local.url
}

output "repository_url" {
  description = "Where images are pushed; null without repository."
  value       = one(aws_ecr_repository.this[*].repository_url)
}

output "repository_arn" {
  description = "ARN of the repository; null without repository."
  value       = one(aws_ecr_repository.this[*].arn)
}

output "log_group_name" {
  description = "Where the tasks log."
  value       = aws_cloudwatch_log_group.this.name
}
