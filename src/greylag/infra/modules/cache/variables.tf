variable "name" {
  type        = string
  description = "Prefix of every name this module makes, usually project and environment: shop-prod-sessions."

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 36
    error_message = "Use lower-case letters, digits and single dashes, at most 36 characters, beginning with a letter."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags on every resource, beside the provider's default_tags."
  default     = {}
}

variable "kms_key_arn" {
  type        = string
  description = "The KMS key that encrypts data at rest, snapshots and logs. Its policy must allow the logs service."

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

variable "engine" {
  type        = string
  description = "`valkey` (cheaper, open source) or `redis`."
  default     = "valkey"

  validation {
    condition     = contains(["valkey", "redis"], var.engine)
    error_message = "engine is valkey or redis."
  }
}

variable "engine_version" {
  type        = string
  description = "Major and minor version, such as 8.0 for Valkey or 7.1 for Redis. Null: 8.0 for Valkey, 7.1 for Redis."
  default     = null

  validation {
    condition     = var.engine_version == null ? true : can(regex("^[7-9]\\.[0-9]$", var.engine_version))
    error_message = "Give major and minor, such as 8.0: users, which authentication needs here, begin with 7."
  }
}

variable "serverless" {
  type = object({
    max_storage_gb      = number
    max_ecpu_per_second = number
  })
  description = "Limits of a serverless cache. Null: a replication group of `node_type`."
  default     = null

  validation {
    condition     = var.serverless == null ? true : var.serverless.max_storage_gb >= 1 && var.serverless.max_storage_gb <= 5000 && var.serverless.max_ecpu_per_second >= 1000 && var.serverless.max_ecpu_per_second <= 15000000
    error_message = "max_storage_gb is 1 to 5000, max_ecpu_per_second 1000 to 15000000."
  }
}

variable "node_type" {
  type        = string
  description = "Node type of a replication group."
  default     = "cache.t4g.small"

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "Node types look like cache.t4g.small or cache.r7g.large."
  }
}

variable "shards" {
  type        = number
  description = "Shards of a replication group. More than one needs clients that speak the cluster protocol."
  default     = 1

  validation {
    condition     = var.shards >= 1 && var.shards <= 500
    error_message = "A replication group has 1 to 500 shards."
  }
}

variable "replicas_per_shard" {
  type        = number
  description = "Replicas of each shard, in other zones. 0 means that a failed node is a lost cache."
  default     = 1

  validation {
    condition     = var.replicas_per_shard >= 0 && var.replicas_per_shard <= 5 && (var.shards == 1 || var.replicas_per_shard >= 1)
    error_message = "A shard has 0 to 5 replicas, and at least 1 when there is more than one shard."
  }
}

variable "port" {
  type        = number
  description = "The port of a replication group; a serverless cache always has 6379 and, for reads, 6380."
  default     = 6379

  validation {
    condition     = var.port >= 1150 && var.port <= 65535
    error_message = "Give 1150 to 65535."
  }

  validation {
    condition     = var.serverless == null || var.port == 6379
    error_message = "A serverless cache listens on 6379."
  }
}

variable "users" {
  type = map(object({
    access_string = optional(string, "on ~* +@all -@dangerous")
    secret_arn    = optional(string)
  }))
  description = "Who may sign in, and what each may do. Without secret_arn a user signs in with IAM; with it, with the secret's text as password."
  default     = {}

  validation {
    condition     = alltrue([for user in keys(var.users) : can(regex("^[a-z][a-z0-9-]{0,19}$", user)) && user != "default"])
    error_message = "User names have 1 to 20 lower-case letters, digits and dashes, and default is taken."
  }

  validation {
    condition     = alltrue([for user in keys(var.users) : length(var.name) + 1 + length(user) <= 40])
    error_message = "NAME-USER has at most 40 characters: ElastiCache's limit for a user id."
  }

  validation {
    condition     = (length(var.users) > 0) != (var.auth_token_secret_arn != null)
    error_message = "Give users, or auth_token_secret_arn: one of them, never neither."
  }
}

variable "auth_token_secret_arn" {
  type        = string
  description = "A secret whose text is the one password of a replication group, for clients that cannot name a user. Null: `users`."
  default     = null

  validation {
    condition     = var.auth_token_secret_arn == null || var.serverless == null
    error_message = "A serverless cache has users only."
  }
}

variable "parameters" {
  type        = map(string)
  description = "Parameters of a replication group, such as maxmemory-policy. A serverless cache has none."
  default     = { "maxmemory-policy" = "volatile-lru" }

  validation {
    condition     = !contains(keys(var.parameters), "cluster-enabled")
    error_message = "cluster-enabled follows from shards."
  }
}

variable "snapshot_retention_days" {
  type        = number
  description = "Days of daily snapshots. 0: none, for a cache that can be filled again."
  default     = 7

  validation {
    condition     = var.snapshot_retention_days >= 0 && var.snapshot_retention_days <= 35
    error_message = "Keep 0 to 35 days."
  }
}

variable "snapshot_window" {
  type        = string
  description = "Daily snapshot window in UTC, outside the maintenance window."
  default     = "03:00-04:00"

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.snapshot_window))
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

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the slow and engine logs."
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}
