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
  description = "The KMS key that encrypts the secrets the proxy reads and its log group. Its policy must allow the logs service."

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
  description = "Subnets of the proxy, in at least two zones: the database's."

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Give subnets in at least two zones: AWS refuses a proxy in one."
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

variable "db_instance_identifier" {
  type        = string
  description = "The RDS instance behind the proxy."
}

variable "db_security_group_id" {
  type        = string
  description = "The database's security group: the proxy adds the one rule that lets it in."
}

variable "port" {
  type        = number
  description = "The database's port, which is the proxy's too."
  default     = 5432

  validation {
    condition     = var.port >= 1150 && var.port <= 65535
    error_message = "RDS listens on 1150 to 65535."
  }
}

variable "secret_arns" {
  type        = map(string)
  description = "Secrets of the database users that may come through the proxy, by a name of your choice: each holds username and password."

  validation {
    condition     = length(var.secret_arns) >= 1 && length(var.secret_arns) <= 200
    error_message = "A proxy reads 1 to 200 secrets."
  }
}

variable "iam_authentication" {
  type        = bool
  description = "Clients sign in with IAM (rds-db:connect) instead of a password."
  default     = true
}

variable "idle_client_timeout_seconds" {
  type        = number
  description = "Client connections idle for this long are closed."
  default     = 1800

  validation {
    condition     = var.idle_client_timeout_seconds >= 1 && var.idle_client_timeout_seconds <= 28800
    error_message = "RDS Proxy takes 1 to 28800 seconds."
  }
}

variable "max_connections_percent" {
  type        = number
  description = "How much of the database's max_connections the proxy may use; the rest stays for migrations and people."
  default     = 80

  validation {
    condition     = var.max_connections_percent >= 1 && var.max_connections_percent <= 100
    error_message = "Give 1 to 100."
  }
}

variable "max_idle_connections_percent" {
  type        = number
  description = "How many idle connections the proxy keeps, in percent of max_connections."
  default     = 40

  validation {
    condition     = var.max_idle_connections_percent >= 0 && var.max_idle_connections_percent <= var.max_connections_percent
    error_message = "Give 0 to max_connections_percent."
  }
}

variable "borrow_timeout_seconds" {
  type        = number
  description = "How long a client waits for a connection before it gets an error. Keep it under the caller's own timeout."
  default     = 20

  validation {
    condition     = var.borrow_timeout_seconds >= 0 && var.borrow_timeout_seconds <= 300
    error_message = "RDS Proxy takes 0 to 300 seconds."
  }
}

variable "init_query" {
  type        = string
  description = "SQL that runs on each new database connection: SET statements here do not pin, in a session they do. Null: none."
  default     = null
}

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the proxy's log."
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}
