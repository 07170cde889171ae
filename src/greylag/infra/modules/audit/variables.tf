variable "name" {
  type        = string
  description = "Prefix of every name this module makes, usually project and environment: shop-prod."

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 28
    error_message = "Use lower-case letters, digits and single dashes, at most 28 characters, beginning with a letter."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags on every resource, beside the provider's default_tags."
  default     = {}
}

variable "kms_key_arn" {
  type        = string
  description = "The KMS key that encrypts the trail, its bucket and its log group. Its policy must allow cloudtrail, config and logs."

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "Give the key's ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not its alias or id."
  }
}

variable "trail" {
  type = object({
    enabled             = optional(bool, true)
    s3_object_arns      = optional(list(string), [])
    dynamodb_table_arns = optional(list(string), [])
    insights            = optional(bool, false)
  })
  description = "The CloudTrail trail of all regions. Management events are always in it; every read and write of the objects (arn:aws:s3:::bucket/) and tables listed is added, and billed."
  default     = {}

  validation {
    condition     = alltrue([for arn in var.trail.s3_object_arns : can(regex("^arn:[a-z-]+:s3:::.+/", arn))])
    error_message = "s3_object_arns end with / or with a prefix after it: arn:aws:s3:::bucket/."
  }

  validation {
    condition     = var.trail.enabled || var.config.enabled
    error_message = "Leave at least one of trail and config enabled."
  }
}

variable "config" {
  type = object({
    enabled      = optional(bool, true)
    global_types = optional(bool, true)
    rules = optional(map(string), {
      "cloud-trail-enabled"               = "CLOUD_TRAIL_ENABLED"
      "dynamodb-pitr-enabled"             = "DYNAMODB_PITR_ENABLED"
      "iam-root-access-key"               = "IAM_ROOT_ACCESS_KEY_CHECK"
      "rds-instance-public-access"        = "RDS_INSTANCE_PUBLIC_ACCESS_CHECK"
      "rds-storage-encrypted"             = "RDS_STORAGE_ENCRYPTED"
      "restricted-ssh"                    = "INCOMING_SSH_DISABLED"
      "s3-bucket-level-public-access"     = "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED"
      "s3-bucket-ssl-requests-only"       = "S3_BUCKET_SSL_REQUESTS_ONLY"
      "vpc-default-security-group-closed" = "VPC_DEFAULT_SECURITY_GROUP_CLOSED"
    })
  })
  description = "The AWS Config recorder and the managed rules it checks, name to identifier. An account has one recorder per region: disable it here where one exists. `global_types` records IAM, which one region should do."
  default     = {}

  validation {
    condition     = alltrue([for identifier in values(var.config.rules) : can(regex("^[A-Z0-9_]+$", identifier))])
    error_message = "Rules are identifiers of managed rules, such as S3_BUCKET_SSL_REQUESTS_ONLY."
  }
}

variable "retention_days" {
  type        = number
  description = "Days the bucket keeps the records."
  default     = 2557

  validation {
    condition     = var.retention_days >= 365
    error_message = "Keep at least a year."
  }
}

variable "archive_after_days" {
  type        = number
  description = "Days after which records move to Glacier Instant Retrieval."
  default     = 90

  validation {
    condition     = var.archive_after_days >= 30 && var.archive_after_days + 90 <= var.retention_days
    error_message = "Archive after 30 days at the earliest, and at least 90 days before the end of retention."
  }
}

variable "object_lock_days" {
  type        = number
  description = "Days no one may delete a record (governance mode). Null: no lock. Chosen when the bucket is made."
  default     = 365

  validation {
    condition     = var.object_lock_days == null ? true : var.object_lock_days >= 1 && var.object_lock_days <= var.retention_days
    error_message = "Lock for 1 day to retention_days."
  }
}

variable "notification_topic_arn" {
  type        = string
  description = "SNS topic told of every delivered log file. Its policy must allow cloudtrail.amazonaws.com. Null: nobody is told."
  default     = null
}

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the trail's log group."
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}
