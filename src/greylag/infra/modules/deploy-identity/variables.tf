variable "name" {
  description = "Prefix of every name this module gives, such as \"shop-prod\"."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 40
    error_message = "name must be lower-case letters, digits and single hyphens, at most 40 characters, beginning with a letter."
  }
}

variable "tags" {
  description = "Tags of every resource, beside the provider's default_tags."
  type        = map(string)
  default     = {}
}

variable "kms_key_arn" {
  description = "Key that encrypts the state. States hold secrets: whoever may decrypt with it and read the bucket reads them."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

variable "state_bucket_name" {
  description = "Name of the state bucket, unique in all of AWS. Null makes it NAME-terraform-state-ACCOUNT."
  type        = string
  default     = null

  validation {
    condition     = var.state_bucket_name == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket_name))
    error_message = "state_bucket_name must be 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "state_versions_days" {
  description = "Days an older version of a state is kept, to go back to."
  type        = number
  default     = 365

  validation {
    condition     = var.state_versions_days >= 30
    error_message = "state_versions_days must be at least 30."
  }
}

variable "repository" {
  description = "The GitHub repository whose workflows may take the roles: OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository must be OWNER/NAME, without a wildcard."
  }
}

variable "oidc_provider_arn" {
  description = "GitHub's OIDC provider of this account, if it exists already (an account has one). Null makes it."
  type        = string
  default     = null

  validation {
    condition     = var.oidc_provider_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn must be the provider of token.actions.githubusercontent.com."
  }
}

variable "environments" {
  description = "What is deployed from here, by environment (dev, staging, prod): the GitHub environment its apply role is bound to, the prefix of the names it may touch, and the modules it uses."
  type = map(object({
    name_prefix        = string
    modules            = set(string)
    github_environment = optional(string)
    regions            = list(string)
  }))

  validation {
    condition     = length(var.environments) > 0 && alltrue([for e in values(var.environments) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)+$", e.name_prefix)) && length(e.regions) > 0])
    error_message = "environments: at least one, each with at least one region and a name_prefix such as shop-prod: two words or more, so that it is no other project's."
  }

  validation {
    condition     = alltrue([for e in keys(var.environments) : can(regex("^[a-z][a-z0-9-]{0,19}$", e))])
    error_message = "environments: names are lower-case letters, digits and hyphens, at most 20."
  }

  validation {
    condition = alltrue(flatten([
      for e in values(var.environments) : [
        for m in e.modules : contains([
          "assets", "audit", "backup", "cache", "documentdb", "dynamodb", "failover", "function", "http-api", "key",
          "monitoring", "network", "queue", "rds-postgres", "rds-proxy", "service", "websocket-api",
        ], m)
      ]
    ]))
    error_message = "environments: modules are assets, audit, backup, cache, documentdb, dynamodb, failover, function, http-api, key, monitoring, network, queue, rds-postgres, rds-proxy, service, websocket-api."
  }
}

variable "plan_secret_arns" {
  description = "Secrets whose values Terraform itself manages, and which a plan must therefore read. Keep it empty where you can: pull requests run with it."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.plan_secret_arns : can(regex("^arn:aws[a-z-]*:secretsmanager:", arn)) && !endswith(arn, ":*")])
    error_message = "plan_secret_arns must be ARNs of single secrets."
  }
}

variable "session_seconds" {
  description = "How long a pipeline's credentials last, 3600 to 43200. A first apply with databases takes over half an hour."
  type        = number
  default     = 3600

  validation {
    condition     = var.session_seconds >= 3600 && var.session_seconds <= 43200
    error_message = "session_seconds must be 3600 to 43200."
  }
}
