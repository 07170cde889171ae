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
  description = "The API's public address, through CloudFront and WAF."
  value       = "https://${local.public_name}"
}

output "distribution_id" {
  description = "CloudFront distribution's id."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_arn" {
  description = "CloudFront distribution's ARN."
  value       = aws_cloudfront_distribution.this.arn
}

output "distribution_domain_name" {
  description = "Name CloudFront gave the distribution."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "hosted_zone_id" {
  description = "Zone of that name, for alias records made elsewhere."
  value       = aws_cloudfront_distribution.this.hosted_zone_id
}

output "web_acl_arn" {
  description = "WAF's web ACL."
  value       = aws_wafv2_web_acl.this.arn
}

output "web_acl_metric_name" {
  description = "Name under which WAF counts."
  value       = var.name
}

output "origin_header_name" {
  description = "Header that carries the origin secret."
  value       = local.origin_header
}

output "log_group_name" {
  description = "The access log."
  value       = aws_cloudwatch_log_group.access.name
}

output "waf_log_group_name" {
  description = "WAF's log, in us-east-1."
  value       = aws_cloudwatch_log_group.waf.name
}
