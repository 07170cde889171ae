variable "name" {
  type        = string
  description = "Prefix of every name this module makes, usually project and environment: shop-prod."

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 40
    error_message = "Use lower-case letters, digits and single dashes, at most 40 characters, beginning with a letter."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags on every resource, beside the provider's default_tags."
  default     = {}
}

variable "data_class" {
  type        = string
  description = "What the key encrypts: one key per class of data, so that access to one class can be given or cut by itself. Part of the alias."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,29}$", var.data_class))
    error_message = "Use lower-case letters, digits and dashes, at most 30 characters: tables, documents, logs."
  }
}

variable "administrator_arns" {
  type        = set(string)
  description = "Roles that manage the key and cannot use it. The role that runs Terraform must be among them. Empty: the account's IAM policies decide who manages it."
  default     = []

  validation {
    condition     = alltrue([for arn in var.administrator_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/", arn))])
    error_message = "Administrators are ARNs of IAM roles or users, never *."
  }
}

variable "services" {
  type        = set(string)
  description = "AWS services that use the key in their own name, in this account only. Stores (DynamoDB, RDS, DocumentDB, ElastiCache, S3, SQS) need no entry: they use it in the caller's name."
  default     = []

  validation {
    condition     = length(setsubtract(var.services, ["backup", "budgets", "cloudfront", "cloudtrail", "cloudwatch", "config", "delivery.logs", "events", "logs", "s3", "sns"])) == 0
    error_message = "Known services: backup, budgets, cloudfront, cloudtrail, cloudwatch, config, delivery.logs, events, logs, s3, sns."
  }
}

variable "replica_regions" {
  type        = set(string)
  description = "Regions that get a replica of the key, for global tables and copied backups. Making a key multi-region later means a new key, so decide before the first table."
  default     = []

  validation {
    condition     = length(var.replica_regions) == 0 || var.multi_region
    error_message = "Replicas need multi_region = true, which can only be chosen when the key is made."
  }
}

variable "multi_region" {
  type        = bool
  description = "Make a multi-region primary key. Cannot be changed afterwards."
  default     = false
}

variable "rotation_days" {
  type        = number
  description = "Days between automatic rotations of the key's material."
  default     = 365

  validation {
    condition     = var.rotation_days >= 90 && var.rotation_days <= 2560
    error_message = "KMS rotates every 90 to 2560 days."
  }
}

variable "deletion_window_days" {
  type        = number
  description = "Days between asking for the key's deletion and losing everything it encrypts."
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "KMS waits 7 to 30 days."
  }
}
