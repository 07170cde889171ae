variable "name" {
  type        = string
  description = "Prefix of every name this module makes, usually project and environment: shop-prod-orders."

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
  description = "The KMS key that encrypts storage, backups, the master secret, Performance Insights and logs. Its policy must allow the logs service."

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
  description = "PostgreSQL's major version; minor versions follow in the maintenance window."
  default     = "17"

  validation {
    condition     = can(regex("^1[4-9]$", var.engine_version))
    error_message = "Give a major version from 14 to 19, without the minor."
  }
}

variable "instance_class" {
  type        = string
  description = "Class of the primary, and of replicas that name none."
  default     = "db.t4g.small"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "Instance classes look like db.t4g.small or db.r7g.large."
  }
}

variable "allocated_storage" {
  type        = number
  description = "Storage at the start, in GiB."
  default     = 20

  validation {
    condition     = var.allocated_storage >= 20
    error_message = "gp3 begins at 20 GiB."
  }
}

variable "max_allocated_storage" {
  type        = number
  description = "Storage grows by itself up to this many GiB. It never shrinks."
  default     = 200

  validation {
    condition     = var.max_allocated_storage >= ceil(var.allocated_storage * 1.1)
    error_message = "max_allocated_storage is at least a tenth more than allocated_storage."
  }
}

variable "iops" {
  type        = number
  description = "Provisioned gp3 IOPS. Null: the 3000 that are included."
  default     = null

  validation {
    condition     = var.iops == null ? true : var.iops >= 12000 && var.allocated_storage >= 400
    error_message = "For PostgreSQL, gp3 takes iops from 12000 on, and only from 400 GiB of storage."
  }
}

variable "storage_throughput" {
  type        = number
  description = "Provisioned gp3 throughput in MiB/s. Null: what is included."
  default     = null

  validation {
    condition     = var.storage_throughput == null ? true : var.iops != null && var.storage_throughput >= 500
    error_message = "storage_throughput goes with iops and begins at 500."
  }
}

variable "multi_az" {
  type        = bool
  description = "A standby in another zone that takes over by itself."
  default     = true
}

variable "read_replicas" {
  type = map(object({
    instance_class    = optional(string)
    availability_zone = optional(string)
  }))
  description = "Read replicas, by the suffix of their name."
  default     = {}

  validation {
    condition     = length(var.read_replicas) <= 15 && alltrue([for suffix in keys(var.read_replicas) : can(regex("^[a-z0-9]{1,12}$", suffix))])
    error_message = "At most 15 replicas, with suffixes of 1 to 12 lower-case letters and digits."
  }
}

variable "database_name" {
  type        = string
  description = "The database made at the start."

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,62}$", var.database_name))
    error_message = "Use lower-case letters, digits and underscores, at most 63, not beginning with a digit."
  }
}

variable "port" {
  type        = number
  description = "The port."
  default     = 5432

  validation {
    condition     = var.port >= 1150 && var.port <= 65535
    error_message = "RDS listens on 1150 to 65535."
  }
}

variable "master_username" {
  type        = string
  description = "Name of the master user. Its password is made, kept and rotated by AWS in Secrets Manager and is never in Terraform's state."
  default     = "greylag"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.master_username)) && !contains(["admin", "postgres", "rdsadmin"], var.master_username)
    error_message = "Lower-case letters, digits and underscores, beginning with a letter, and not admin, postgres or rdsadmin."
  }
}

variable "logical_replication" {
  type = object({
    max_slots        = optional(number, 10)
    max_slot_wal_mib = optional(number, 10240)
  })
  description = "Logical replication, which following and rolling back need: its slots, and the WAL one abandoned slot may hold before it is dropped instead of filling the disk. Null: off. Turning it on restarts the server."
  default     = {}

  validation {
    condition     = var.logical_replication == null ? true : var.logical_replication.max_slots >= 5 && var.logical_replication.max_slots <= 100 && var.logical_replication.max_slot_wal_mib >= 1024
    error_message = "max_slots is 5 to 100, max_slot_wal_mib at least 1024."
  }
}

variable "log_slower_than_ms" {
  type        = number
  description = "Statements slower than this are logged."
  default     = 1000

  validation {
    condition     = var.log_slower_than_ms >= 0
    error_message = "Give milliseconds, 0 for every statement."
  }
}

variable "parameters" {
  type = map(object({
    value        = string
    apply_method = optional(string, "immediate")
  }))
  description = "Further parameters, by name. Static ones need apply_method = pending-reboot."
  default     = {}

  validation {
    condition     = alltrue([for parameter in var.parameters : contains(["immediate", "pending-reboot"], parameter.apply_method)])
    error_message = "apply_method is immediate or pending-reboot."
  }

  validation {
    condition     = length(setintersection(keys(var.parameters), ["rds.force_ssl", "rds.logical_replication", "max_replication_slots", "max_wal_senders", "max_slot_wal_keep_size", "log_statement", "log_min_duration_statement"])) == 0
    error_message = "TLS, logical replication and statement logging have their own variables or are fixed."
  }
}

variable "backup_retention_days" {
  type        = number
  description = "Days of automatic backups, within which any second can be restored to a new instance."
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "Keep 1 to 35 days: 0 would turn off restores and replicas."
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
  description = "Days CloudWatch keeps the PostgreSQL logs."
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}
