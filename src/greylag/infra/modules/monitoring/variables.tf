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
  description = "Key that encrypts the alarm topic. Its policy must let cloudwatch.amazonaws.com and budgets.amazonaws.com use it (see README)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

variable "emails" {
  description = "Addresses told of every alarm; each confirms its subscription once."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for e in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", e))])
    error_message = "emails must be e-mail addresses."
  }
}

variable "https_endpoints" {
  description = "HTTPS addresses told of every alarm: a pager's or a chat's web hook that confirms SNS subscriptions."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for e in var.https_endpoints : startswith(e, "https://")])
    error_message = "https_endpoints must begin with https://."
  }
}

variable "monthly_budget_usd" {
  description = "Budget of a month in US dollars. Told at 80 % and 100 % spent, and when the forecast passes 100 %."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd must be greater than 0."
  }
}

variable "budget_tag" {
  description = "Count only what carries this cost allocation tag (activate it in the billing console first); null counts the whole account."
  type = object({
    key   = string
    value = string
  })
  default = null
}

variable "alarms" {
  description = "The alarms, each with its defaults: threshold, minutes in a row over it (periods), and what missing data means (breaching, notBreaching, ignore, missing). The README gives each one's unit and reason."
  type = object({
    database_connections = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 80)
      periods      = optional(number, 5)
      missing_data = optional(string, "breaching")
    }), {})
    database_cpu = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 80)
      periods      = optional(number, 15)
      missing_data = optional(string, "breaching")
    }), {})
    database_storage = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 80)
      periods      = optional(number, 5)
      missing_data = optional(string, "breaching")
    }), {})
    replication_lag = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 30)
      periods      = optional(number, 5)
      missing_data = optional(string, "notBreaching")
    }), {})
    proxy_pinned_connections = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 0)
      periods      = optional(number, 5)
      missing_data = optional(string, "notBreaching")
    }), {})
    function_errors = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 5)
      periods      = optional(number, 5)
      missing_data = optional(string, "notBreaching")
    }), {})
    api_5xx = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 1)
      periods      = optional(number, 5)
      missing_data = optional(string, "notBreaching")
    }), {})
    table_throttles = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 0)
      periods      = optional(number, 5)
      missing_data = optional(string, "notBreaching")
    }), {})
    bucket_4xx = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 5)
      periods      = optional(number, 15)
      missing_data = optional(string, "notBreaching")
    }), {})
    bucket_5xx = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 1)
      periods      = optional(number, 5)
      missing_data = optional(string, "notBreaching")
    }), {})
    cache_memory = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 80)
      periods      = optional(number, 5)
      missing_data = optional(string, "breaching")
    }), {})
    dead_letters = optional(object({
      enabled      = optional(bool, true)
      threshold    = optional(number, 0)
      periods      = optional(number, 1)
      missing_data = optional(string, "notBreaching")
    }), {})
  })
  default = {}

  validation {
    condition     = alltrue([for a in values(var.alarms) : contains(["breaching", "notBreaching", "ignore", "missing"], a.missing_data)])
    error_message = "alarms: missing_data must be breaching, notBreaching, ignore or missing."
  }

  validation {
    condition     = alltrue([for a in values(var.alarms) : a.threshold >= 0 && a.periods >= 1 && floor(a.periods) == a.periods])
    error_message = "alarms: threshold must not be negative, periods a whole number of 1 or more."
  }
}

variable "databases" {
  description = "RDS for PostgreSQL instances, by a name of your choice: identifier, connections it accepts (max_connections), allocated storage, and whether it is a read replica."
  type = map(object({
    service         = optional(string, "shared")
    identifier      = string
    max_connections = number
    storage_gb      = number
    replica         = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue([for d in values(var.databases) : d.max_connections > 0 && d.storage_gb > 0])
    error_message = "databases: max_connections and storage_gb must be greater than 0."
  }
}

variable "documentdb_clusters" {
  description = "DocumentDB clusters: identifier, the identifiers of its instances, and the connections the smallest instance accepts. Storage grows by itself and has no alarm."
  type = map(object({
    service         = optional(string, "shared")
    identifier      = string
    instance_ids    = list(string)
    max_connections = number
  }))
  default = {}

  validation {
    condition     = alltrue([for c in values(var.documentdb_clusters) : c.max_connections > 0])
    error_message = "documentdb_clusters: max_connections must be greater than 0."
  }
}

variable "proxies" {
  description = "RDS Proxies: name."
  type = map(object({
    service    = optional(string, "shared")
    proxy_name = string
  }))
  default = {}
}

variable "functions" {
  description = "Lambda functions: name."
  type = map(object({
    service       = optional(string, "shared")
    function_name = string
  }))
  default = {}
}

variable "http_apis" {
  description = "HTTP APIs: id and stage."
  type = map(object({
    service = optional(string, "shared")
    api_id  = string
    stage   = optional(string, "$default")
  }))
  default = {}
}

variable "websocket_apis" {
  description = "WebSocket APIs: id and stage. They count failures as IntegrationError and ExecutionError."
  type = map(object({
    service = optional(string, "shared")
    api_id  = string
    stage   = string
  }))
  default = {}
}

variable "load_balancers" {
  description = "Application load balancers: ARN suffix (app/NAME/ID), and cluster and services behind it for the dashboard."
  type = map(object({
    service       = optional(string, "shared")
    arn_suffix    = string
    cluster_name  = string
    service_names = list(string)
  }))
  default = {}
}

variable "tables" {
  description = "DynamoDB tables: name, indexes, and the regions of its replicas."
  type = map(object({
    service         = optional(string, "shared")
    table_name      = string
    indexes         = optional(list(string), [])
    replica_regions = optional(list(string), [])
  }))
  default = {}
}

variable "buckets" {
  description = "S3 buckets: name. Request metrics are switched on for each, which CloudWatch bills."
  type = map(object({
    service     = optional(string, "shared")
    bucket_name = string
  }))
  default = {}
}

variable "caches" {
  description = "ElastiCache: a replication group's node ids and their number (known before the first apply, as the ids are not), or a serverless cache's name and its storage limit."
  type = map(object({
    service             = optional(string, "shared")
    node_count          = optional(number, 0)
    member_ids          = optional(list(string), [])
    serverless_name     = optional(string)
    serverless_limit_gb = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for c in values(var.caches) : c.node_count > 0 ? length(c.member_ids) == c.node_count : c.serverless_name != null && c.serverless_limit_gb != null])
    error_message = "caches: give member_ids with their number in node_count, or serverless_name with serverless_limit_gb."
  }
}

variable "queues" {
  description = "SQS queues: name, and the name of its dead letters."
  type = map(object({
    service          = optional(string, "shared")
    queue_name       = string
    dead_letter_name = string
  }))
  default = {}
}

