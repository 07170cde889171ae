output "trail_arn" {
  description = "The trail's ARN, or null."
  value       = one(aws_cloudtrail.this[*].arn)
}

output "trail_log_group_name" {
  description = "The trail's log group, for metric filters, or null."
  value       = one(aws_cloudwatch_log_group.trail[*].name)
}

output "bucket_names" {
  description = "Buckets that hold the records, by purpose (trail, config)."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.bucket }
}

output "bucket_arns" {
  description = "The buckets' ARNs, by purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.arn }
}

output "recorder_name" {
  description = "The Config recorder, or null."
  value       = one(aws_config_configuration_recorder.this[*].name)
}
