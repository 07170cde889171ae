variable "name" {
  type        = string
  description = "Prefix of every name this module makes, usually project and environment: shop-prod-documents."

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
  description = "The KMS key that encrypts the cluster, its backups and its logs. Its policy must allow the logs service."

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "Give the key's ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not its alias or id."
  }
}

variable "vpc_id" {
  type        = string
  description = "The VPC the security group belongs to."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Data subnets, in at least two zones."

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Give subnets in at least two zones: AWS refuses a subnet group in one."
  }
}

variable "client_security_group_ids" {
  type        = map(string)
  description = "Who may connect: a name of your choice for each, and the client's security group. Nothing else reaches the port."

  validation {
    condition     = alltrue([for id in values(var.client_security_group_ids) : can(regex("^sg-", id))])
    error_message = "Every value is the id of a security group (sg-...)."
  }
}

variable "engine_version" {
  type        = string
  description = "DocumentDB's version. 8.0 adds views, collation and aggregation stages that 5.0 lacks; neither is all of MongoDB."
  default     = "8.0.0"

  validation {
    condition     = contains(["5.0.0", "8.0.0"], var.engine_version)
    error_message = "engine_version is 5.0.0 or 8.0.0."
  }
}

variable "serverless" {
  type = object({
    min_capacity = number
    max_capacity = number
  })
  description = "Capacity range in DCUs (0.5 to 256, in halves) of a serverless cluster. Null: instances of `instance_class`."
  default     = null

  validation {
    condition = var.serverless == null ? true : (
      var.serverless.min_capacity >= 0.5 && var.serverless.max_capacity <= 256 && var.serverless.max_capacity >= 1 &&
      var.serverless.min_capacity <= var.serverless.max_capacity &&
      var.serverless.min_capacity * 2 == floor(var.serverless.min_capacity * 2) && var.serverless.max_capacity * 2 == floor(var.serverless.max_capacity * 2)
    )
    error_message = "DCUs go from 0.5 to 256 in steps of 0.5, the maximum at least 1 and not below the minimum."
  }
}

variable "instance_class" {
  type        = string
  description = "Class of the instances; db.serverless when `serverless` is given, whatever stands here."
  default     = "db.t4g.medium"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "Instance classes look like db.t4g.medium or db.r6g.large."
  }
}

variable "instance_count" {
  type        = number
  description = "Instances: one writes, the others read and take over. One means that a failure is minutes of outage."
  default     = 2

  validation {
    condition     = var.instance_count >= 1 && var.instance_count <= 16 && var.instance_count == floor(var.instance_count)
    error_message = "A cluster has 1 to 16 instances."
  }
}

variable "storage_type" {
  type        = string
  description = "`standard` pays for I/O, `iopt1` does not and costs more by the hour: cheaper when I/O is over a quarter of the bill."
  default     = "standard"

  validation {
    condition     = contains(["standard", "iopt1"], var.storage_type)
    error_message = "storage_type is standard or iopt1."
  }
}

variable "port" {
  type        = number
  description = "The port."
  default     = 27017

  validation {
    condition     = var.port >= 1150 && var.port <= 65535
    error_message = "DocumentDB listens on 1150 to 65535."
  }
}

variable "master_username" {
  type        = string
  description = "Name of the master user. Its password is made, kept and rotated by AWS in Secrets Manager and is never in Terraform's state."
  default     = "greylag"

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9]{0,62}$", var.master_username)) && !contains(["admin", "root", "rdsadmin", "serviceadmin"], lower(var.master_username))
    error_message = "Letters and digits, beginning with a letter, at most 63, and not a reserved name such as admin."
  }
}

variable "tls" {
  type        = string
  description = "The TLS versions the servers accept: `enabled`, `tls1.2+`, `tls1.3+` or `fips-140-3`. There is no way to turn it off."
  default     = "tls1.2+"

  validation {
    condition     = contains(["enabled", "tls1.2+", "tls1.3+", "fips-140-3"], var.tls)
    error_message = "tls is enabled, tls1.2+, tls1.3+ or fips-140-3."
  }
}

variable "change_stream_retention_hours" {
  type        = number
  description = "How long the change history is kept. A follower that stays away longer has lost its place and loads everything again."
  default     = 72

  validation {
    condition     = var.change_stream_retention_hours >= 1 && var.change_stream_retention_hours <= 168
    error_message = "DocumentDB keeps 1 to 168 hours of changes."
  }
}

variable "profiler_threshold_ms" {
  type        = number
  description = "Operations slower than this are logged. Null: no profiler."
  default     = 100

  validation {
    condition     = var.profiler_threshold_ms == null ? true : var.profiler_threshold_ms >= 50
    error_message = "DocumentDB's profiler begins at 50 ms."
  }
}

variable "parameters" {
  type        = map(string)
  description = "Further cluster parameters, by name."
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.parameters), ["tls", "audit_logs", "profiler", "profiler_threshold_ms", "change_stream_log_retention_duration"])) == 0
    error_message = "tls, audit_logs, the profiler and the change stream's retention have their own variables or are fixed."
  }
}

variable "backup_retention_days" {
  type        = number
  description = "Days of automatic backups, within which any second can be restored to a new cluster."
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "Keep 7 to 35 days."
  }
}

variable "secret_rotation_days" {
  type        = number
  description = "Days between automatic rotations of the master user's password. Applications sign in as users of their own."
  default     = 7

  validation {
    condition     = var.secret_rotation_days >= 1 && var.secret_rotation_days <= 1000
    error_message = "Secrets Manager rotates every 1 to 1000 days."
  }
}

variable "backup_window" {
  type        = string
  description = "Daily backup window in UTC, outside the maintenance window."
  default     = "03:00-04:00"

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.backup_window))
    error_message = "Write it as hh:mm-hh:mm, UTC."
  }
}

variable "maintenance_window" {
  type        = string
  description = "Weekly maintenance window in UTC."
  default     = "sun:04:30-sun:05:30"

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]$", var.maintenance_window))
    error_message = "Write it as ddd:hh:mm-ddd:hh:mm, UTC."
  }
}

variable "apply_immediately" {
  type        = bool
  description = "Apply changes at once instead of in the maintenance window. Some restart the server."
  default     = false
}

variable "deletion_protection" {
  type        = bool
  description = "Refuse to delete it, whoever asks, until this is false and applied."
  default     = true
}

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the audit and profiler logs."
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}
