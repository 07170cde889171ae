output "bucket_name" {
  description = "The bucket's name."
  value       = aws_s3_bucket.assets.bucket
}

output "bucket_arn" {
  description = "The bucket's ARN, for the policies of what reads and writes it."
  value       = aws_s3_bucket.assets.arn
}

output "log_bucket_name" {
  description = "The bucket that holds the access logs."
  value       = aws_s3_bucket.logs.bucket
}

output "distribution_id" {
  description = "CloudFront distribution's id, for invalidations; null without cdn."
  value       = one(aws_cloudfront_distribution.assets[*].id)
}

output "distribution_arn" {
  description = "CloudFront distribution's ARN; null without cdn."
  value       = one(aws_cloudfront_distribution.assets[*].arn)
}

output "domain_name" {
  description = "Name CloudFront gave the distribution; null without cdn."
  value       = one(aws_cloudfront_distribution.assets[*].domain_name)
}

output "hosted_zone_id" {
  description = "Zone of that name, for alias records made elsewhere; null without cdn."
  value       = one(aws_cloudfront_distribution.assets[*].hosted_zone_id)
}

output "url" {
  description = "Address under which the objects are served; null without cdn."
  value       = var.cdn ? "https://${local.public_name}" : null
}

output "key_group_id" {
  description = "Key group whose keys may sign URLs; null without signing_public_keys."
  value       = one(aws_cloudfront_key_group.assets[*].id)
}

output "public_key_ids" {
  description = "Id of each public key, which a signed URL names as its Key-Pair-Id."
  value       = { for name, key in aws_cloudfront_public_key.assets : name => key.id }
}
