output "topic_arn" {
  description = "SNS topic of every alarm and of the budget."
  value       = aws_sns_topic.alarms.arn
}

output "topic_name" {
  description = "The topic's name."
  value       = aws_sns_topic.alarms.name
}

output "alarm_arns" {
  description = "ARN of each alarm, by its name: what a gate or a deployment watches."
  value       = local.alarm_arns
}

output "dashboard_names" {
  description = "Name of each service's dashboard, and of the one for cost under \"cost\"."
  value       = local.dashboard_names
}

output "budget_name" {
  description = "The budget's name."
  value       = aws_budgets_budget.monthly.name
}
