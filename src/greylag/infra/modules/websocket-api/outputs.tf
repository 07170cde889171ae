output "api_id" {
  description = "The API's id, for its alarms."
  value       = aws_apigatewayv2_api.this.id
}

output "api_arn" {
  description = "The API's ARN."
  value       = aws_apigatewayv2_api.this.arn
}

output "execution_arn" {
  description = "Prefix of the ARNs that policies on single routes name."
  value       = aws_apigatewayv2_api.this.execution_arn
}

output "stage_name" {
  description = "The stage."
  value       = aws_apigatewayv2_stage.this.name
}

output "url" {
  description = "Address clients connect to (wss://)."
  value       = var.domain == null ? aws_apigatewayv2_stage.this.invoke_url : "wss://${var.domain.name}"
}

output "connections_url" {
  description = "Address under which the application sends to a connection (POST /@connections/ID)."
  value       = var.domain == null ? replace(aws_apigatewayv2_stage.this.invoke_url, "wss://", "https://") : "https://${var.domain.name}"
}

output "connections_arn" {
  description = "What a role's execute-api:ManageConnections is granted on, to send to connections."
  value       = "${aws_apigatewayv2_api.this.execution_arn}/${var.stage_name}/*/@connections/*"
}

output "log_group_name" {
  description = "The access log."
  value       = aws_cloudwatch_log_group.access.name
}
