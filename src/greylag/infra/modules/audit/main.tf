data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  # Two buckets: Config does not deliver to one with a default object lock.
  # Source: https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
  purposes = toset(concat(var.trail.enabled ? ["trail"] : [], var.config.enabled ? ["config"] : []))
  locked   = toset([for purpose in local.purposes : purpose if purpose == "trail" && var.object_lock_days != null])
}
