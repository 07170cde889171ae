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

variable "kms_key_arn" {
  type        = string
  description = "The KMS key that encrypts the vault."

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "Give the key's ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not its alias or id."
  }
}

variable "rules" {
  type = map(object({
    schedule                  = string
    delete_after_days         = number
    cold_storage_after_days   = optional(number)
    continuous                = optional(bool, false)
    start_window_minutes      = optional(number, 60)
    completion_window_minutes = optional(number, 480)
    copy                      = optional(bool, true)
  }))
  description = "When to back up and how long to keep it. `copy` sends each recovery point to `copy_to` as well, when that is given."
  default = {
    daily   = { schedule = "cron(0 5 * * ? *)", delete_after_days = 35 }
    monthly = { schedule = "cron(0 6 1 * ? *)", delete_after_days = 365, cold_storage_after_days = 30 }
  }

  validation {
    condition     = length(var.rules) > 0 && alltrue([for rule in var.rules : can(regex("^cron\\(.+\\)$", rule.schedule))])
    error_message = "Give at least one rule; schedules are cron(...), in UTC."
  }

  validation {
    condition     = alltrue([for rule in var.rules : rule.cold_storage_after_days == null ? true : rule.delete_after_days >= rule.cold_storage_after_days + 90])
    error_message = "What moves to cold storage stays there for 90 days at least."
  }

  validation {
    condition     = alltrue([for rule in var.rules : !rule.continuous || (rule.delete_after_days <= 35 && rule.cold_storage_after_days == null)])
    error_message = "Continuous backups are kept for at most 35 days and never in cold storage."
  }

  validation {
    condition     = alltrue([for rule in var.rules : rule.start_window_minutes >= 60 && rule.completion_window_minutes >= rule.start_window_minutes + 60])
    error_message = "A backup may start within 60 minutes or more, and gets at least an hour beyond that to finish."
  }
}

variable "resource_arns" {
  type        = list(string)
  description = "What to back up, by ARN."
  default     = []

  validation {
    condition     = length(var.resource_arns) > 0 || length(var.selection_tags) > 0
    error_message = "Choose something to back up: resource_arns or selection_tags."
  }
}

variable "selection_tags" {
  type        = map(string)
  description = "Back up everything that carries one of these tags with this value."
  default     = {}
}

variable "include_s3" {
  type        = bool
  description = "Give the role what AWS Backup needs for buckets (they must be versioned)."
  default     = false
}

variable "copy_to" {
  type = object({
    region      = string
    kms_key_arn = string
  })
  description = "A second region with a vault of its own, and the key that encrypts there. Null: no copy."
  default     = null

  validation {
    condition     = var.copy_to == null ? true : can(regex("^arn:[a-z-]+:kms:${var.copy_to.region}:", var.copy_to.kms_key_arn))
    error_message = "copy_to's key must be in copy_to's region."
  }
}

variable "lock" {
  type = object({
    min_retention_days  = number
    max_retention_days  = number
    changeable_for_days = optional(number)
  })
  description = "Vault lock: nobody deletes a recovery point before min_retention_days. With changeable_for_days the lock becomes final after that many days, for AWS and for you. Null: no lock."
  default     = null

  validation {
    condition     = var.lock == null ? true : var.lock.min_retention_days >= 1 && var.lock.min_retention_days <= var.lock.max_retention_days && var.lock.max_retention_days <= 36500
    error_message = "The lock keeps 1 to 36500 days, the minimum not above the maximum."
  }

  validation {
    condition     = var.lock == null ? true : (var.lock.changeable_for_days == null ? true : var.lock.changeable_for_days >= 3)
    error_message = "A final lock can be changed for at least 3 days before it closes."
  }

  validation {
    condition     = var.lock == null ? true : alltrue([for rule in var.rules : rule.delete_after_days >= var.lock.min_retention_days && rule.delete_after_days <= var.lock.max_retention_days])
    error_message = "Every rule's delete_after_days must lie within the lock, or its backups fail."
  }
}

variable "notifications" {
  type        = object({ topic_arn = string })
  description = "SNS topic told of failed, expired and aborted jobs. Its policy must allow backup.amazonaws.com. Null: nobody is told."
  default     = null
}
