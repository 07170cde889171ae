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
  description = "Key that encrypts the environment variables and the log group. Its policy must let logs.REGION.amazonaws.com use it (see README)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

variable "description" {
  description = "What the function does, for whoever finds it in the console."
  type        = string
  default     = ""
}

variable "zip_path" {
  description = "Path of the deployment package, a zip built before Terraform runs. Give exactly one of zip_path, zip_s3 and image_uri."
  type        = string
  default     = null
}

variable "zip_s3" {
  description = "A deployment package in S3; sha256 is the zip's base64-encoded SHA-256, so that a new package is noticed."
  type = object({
    bucket     = string
    key        = string
    version_id = optional(string)
    sha256     = string
  })
  default = null
}

variable "image_uri" {
  description = "A container image in ECR, by digest or immutable tag."
  type        = string
  default     = null

  validation {
    condition     = length([for given in [var.zip_path != null, var.zip_s3 != null, var.image_uri != null] : given if given]) == 1
    error_message = "Give exactly one of zip_path, zip_s3 and image_uri."
  }

  validation {
    condition     = var.image_uri == null || !endswith(coalesce(var.image_uri, "none"), ":latest")
    error_message = "image_uri must name a digest or an immutable tag: Lambda resolves a tag once, and :latest hides which build runs."
  }
}

variable "runtime" {
  description = "Runtime of a zip, such as python3.13; null for an image."
  type        = string
  default     = null

  validation {
    condition     = (var.image_uri == null) == (var.runtime != null)
    error_message = "runtime is required for a zip and must be null for an image, which brings its own."
  }
}

variable "handler" {
  description = "Entry point of a zip, such as app.handler; null for an image."
  type        = string
  default     = null

  validation {
    condition     = (var.image_uri == null) == (var.handler != null)
    error_message = "handler is required for a zip and must be null for an image; there use image_command."
  }
}

variable "image_command" {
  description = "Replaces the image's CMD: for Lambda base images the handler."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.image_command) == 0 || var.image_uri != null
    error_message = "image_command needs image_uri."
  }
}

variable "layers" {
  description = "ARNs of layer versions, at most five; zips only."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.layers) <= 5 && (length(var.layers) == 0 || var.image_uri == null)
    error_message = "layers: at most five, and none for an image."
  }
}

variable "architecture" {
  description = "arm64 or x86_64. arm64 costs a fifth less per GB-second; the package must be built for it."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "memory_mb" {
  description = "Memory in MB; CPU grows with it, one full core at 1769."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb must be 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Longest run, in seconds. Behind an HTTP API 29 at most makes sense; the queue's visibility timeout must be six times this."
  type        = number
  default     = 29

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "timeout_seconds must be 1 to 900. Longer work belongs in the service module."
  }
}

variable "ephemeral_mb" {
  description = "Size of /tmp in MB; above 512 it is billed."
  type        = number
  default     = 512

  validation {
    condition     = var.ephemeral_mb >= 512 && var.ephemeral_mb <= 10240
    error_message = "ephemeral_mb must be 512 to 10240."
  }
}

variable "environment" {
  description = "Environment variables. No secrets: pass a secret's ARN and read it at start."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for k in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", k)) && !startswith(k, "AWS_LAMBDA_")])
    error_message = "environment: names are letters, digits and underscores, begin with a letter, have two or more characters; AWS_LAMBDA_* is Lambda's own."
  }
}

variable "vpc" {
  description = "Private subnets and security groups, for a function that reaches a database or cache. Null runs it outside the VPC."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null || try(length(var.vpc.subnet_ids) >= 2 && length(var.vpc.security_group_ids) >= 1, false)
    error_message = "vpc needs subnets in at least two zones and one security group."
  }
}

variable "policy_statements" {
  description = "What the code may do, beyond its logs, traces, event sources and dead letters, which the module grants itself."
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    conditions = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
    reason = optional(string)
  }))
  default = []

  validation {
    condition     = alltrue([for s in var.policy_statements : alltrue([for a in s.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", a))])])
    error_message = "policy_statements: name each action in full (dynamodb:GetItem); no wildcard, so that the role is as wide as the code and no wider."
  }

  validation {
    condition     = alltrue([for s in var.policy_statements : !contains(s.resources, "*") || try(length(s.reason) > 0, false)])
    error_message = "policy_statements: a statement on every resource (\"*\") must say its reason."
  }

  validation {
    condition     = alltrue([for s in var.policy_statements : can(regex("^[A-Za-z0-9]+$", s.sid)) && length(s.actions) > 0 && length(s.resources) > 0])
    error_message = "policy_statements: each needs a sid of letters and digits, and at least one action and one resource."
  }

  validation {
    condition     = length(distinct([for s in var.policy_statements : s.sid])) == length(var.policy_statements)
    error_message = "policy_statements: each sid may stand only once."
  }
}

variable "reserved_concurrency" {
  description = "Most copies at once, taken out of the account's limit; 0 stops the function. Null shares the account's limit."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || try(var.reserved_concurrency >= 0, false)
    error_message = "reserved_concurrency must be 0 or more, or null."
  }
}

variable "provisioned_concurrency" {
  description = "Copies kept warm behind the alias; billed while they exist. 0 for none."
  type        = number
  default     = 0

  validation {
    condition     = var.provisioned_concurrency >= 0 && var.provisioned_concurrency <= (var.reserved_concurrency == null ? 1000000 : coalesce(var.reserved_concurrency, 0))
    error_message = "provisioned_concurrency must be 0 or more and at most reserved_concurrency."
  }
}

variable "database_connections" {
  description = "For a function that connects to a database without a proxy (DocumentDB has none): connections one copy opens, and the share of the database's limit this function may take."
  type = object({
    per_copy = number
    limit    = number
  })
  default = null

  validation {
    condition = var.database_connections == null || try(
      var.reserved_concurrency != null && var.reserved_concurrency * var.database_connections.per_copy <= var.database_connections.limit, false
    )
    error_message = "database_connections: reserved_concurrency must be set, and reserved_concurrency x per_copy must not exceed limit, or a burst exhausts the database."
  }
}

variable "alias_name" {
  description = "Alias that callers use; they never call $LATEST."
  type        = string
  default     = "live"

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,127}$", var.alias_name))
    error_message = "alias_name must begin with a letter and hold letters, digits, hyphens and underscores."
  }
}

variable "alias_version" {
  description = "Version the alias points to. Null is the one this apply publishes; give a number to hold or roll back."
  type        = string
  default     = null

  validation {
    condition     = var.alias_version == null || can(regex("^[0-9]+$", var.alias_version))
    error_message = "alias_version must be a published version's number."
  }
}

variable "alias_weights" {
  description = "Share of calls, 0 to 1, that go to another published version: {\"7\" = 0.1}. At most one. Empty sends all to alias_version."
  type        = map(number)
  default     = {}

  validation {
    condition     = length(var.alias_weights) <= 1 && alltrue([for v, w in var.alias_weights : can(regex("^[0-9]+$", v)) && w >= 0 && w <= 1])
    error_message = "alias_weights: one version number at most, with a weight from 0 to 1."
  }

  validation {
    condition     = length(var.alias_weights) == 0 || var.provisioned_concurrency == 0 || var.alias_version != null
    error_message = "alias_weights with provisioned_concurrency need alias_version: Lambda keeps copies warm for two named versions only."
  }
}

variable "traffic_owner" {
  description = "Who moves the alias's weights: \"terraform\" (alias_version and alias_weights rule) or \"cutover\" (they are the start only; a later apply leaves them alone). See README before changing it."
  type        = string
  default     = "terraform"

  validation {
    condition     = contains(["terraform", "cutover"], var.traffic_owner)
    error_message = "traffic_owner must be terraform or cutover."
  }
}

variable "event_sources" {
  description = "Queues and DynamoDB streams that call the function, by a name of your choice; kind is queue or stream. Partial batch response is always on. kms_key_arn is the key of the source; on_failure_arn (streams only) an SQS queue for batches given up."
  type = map(object({
    kind                    = optional(string, "queue")
    arn                     = string
    kms_key_arn             = optional(string)
    enabled                 = optional(bool, true)
    batch_size              = optional(number, 10)
    batching_window_seconds = optional(number, 0)
    maximum_concurrency     = optional(number)
    starting_position       = optional(string, "TRIM_HORIZON")
    parallelization_factor  = optional(number, 1)
    maximum_retry_attempts  = optional(number, 10)
    maximum_age_seconds     = optional(number, 86400)
    on_failure_arn          = optional(string)
    filters                 = optional(list(string), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for s in values(var.event_sources) : contains(["queue", "stream"], s.kind)])
    error_message = "event_sources: kind is queue or stream."
  }

  validation {
    condition     = alltrue([for s in values(var.event_sources) : can(regex(s.kind == "queue" ? "^arn:aws[a-z-]*:sqs:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+(\\.fifo)?$" : "^arn:aws[a-z-]*:dynamodb:[^:]+:[0-9]{12}:table/[^/]+/stream/.+$", s.arn))])
    error_message = "event_sources: arn must be an SQS queue's for kind queue, a DynamoDB stream's for kind stream."
  }

  validation {
    condition     = alltrue([for s in values(var.event_sources) : !endswith(s.arn, ".fifo") || (s.batch_size <= 10 && s.batching_window_seconds == 0)])
    error_message = "event_sources: a FIFO queue takes batches of 10 at most and no batching window."
  }

  validation {
    condition     = alltrue([for s in values(var.event_sources) : s.batch_size >= 1 && s.batch_size <= 10000 && (s.batch_size <= 10 || s.batching_window_seconds >= 1)])
    error_message = "event_sources: batch_size is 1 to 10000, and above 10 needs batching_window_seconds of at least 1."
  }

  validation {
    condition     = alltrue([for s in values(var.event_sources) : s.batching_window_seconds >= 0 && s.batching_window_seconds <= 300])
    error_message = "event_sources: batching_window_seconds must be 0 to 300."
  }

  validation {
    condition     = alltrue([for s in values(var.event_sources) : s.maximum_concurrency == null || try(s.maximum_concurrency >= 2 && s.maximum_concurrency <= 1000 && s.kind == "queue", false)])
    error_message = "event_sources: maximum_concurrency is for queues, 2 to 1000."
  }

  validation {
    condition = alltrue([
      for s in values(var.event_sources) :
      s.maximum_concurrency == null || var.reserved_concurrency == null || try(s.maximum_concurrency <= var.reserved_concurrency, false)
    ])
    error_message = "event_sources: maximum_concurrency must not exceed reserved_concurrency, or throttled messages go to the dead letters unread."
  }

  validation {
    condition     = alltrue([for s in values(var.event_sources) : contains(["TRIM_HORIZON", "LATEST"], s.starting_position) && s.parallelization_factor >= 1 && s.parallelization_factor <= 10])
    error_message = "event_sources: starting_position is TRIM_HORIZON or LATEST, parallelization_factor 1 to 10."
  }

  validation {
    condition     = alltrue([for s in values(var.event_sources) : s.on_failure_arn == null || s.kind == "stream"])
    error_message = "event_sources: on_failure_arn is for streams; a queue has its own dead letters."
  }
}

variable "dead_letter" {
  description = "SQS queue that keeps asynchronous events the function gave up on, and the queue's key. Null where only queues, streams or an API call it."
  type = object({
    queue_arn   = string
    kms_key_arn = optional(string)
  })
  default = null

  validation {
    condition     = var.dead_letter == null || can(regex("^arn:aws[a-z-]*:sqs:[^:]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.dead_letter.queue_arn))
    error_message = "dead_letter.queue_arn must be a standard SQS queue's ARN: Lambda does not send to FIFO queues."
  }
}

variable "invokers" {
  description = "AWS services that may call the alias, by a name of your choice: {uploads = {service = \"s3.amazonaws.com\", source_arn = the bucket}}. The API modules give themselves permission."
  type = map(object({
    service    = string
    source_arn = string
  }))
  default = {}

  validation {
    condition     = alltrue([for i in values(var.invokers) : can(regex("^[a-z0-9.-]+\\.amazonaws\\.com$", i.service)) && can(regex("^arn:", i.source_arn))])
    error_message = "invokers: service is a service principal (s3.amazonaws.com), source_arn an ARN."
  }
}

variable "schedules" {
  description = "EventBridge schedules that call the alias, by a name of your choice: expression cron(0 3 * * ? *) or rate(5 minutes), input a JSON text."
  type = map(object({
    expression = string
    timezone   = optional(string, "UTC")
    input      = optional(string, "{}")
  }))
  default = {}

  validation {
    condition     = alltrue([for s in values(var.schedules) : can(regex("^(cron|rate|at)\\(.+\\)$", s.expression)) && can(jsondecode(s.input))])
    error_message = "schedules: expression is cron(...), rate(...) or at(...), input a JSON text."
  }
}

variable "tracing" {
  description = "X-Ray: Active records every sampled call, PassThrough only those the caller sampled."
  type        = string
  default     = "Active"

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing)
    error_message = "tracing must be Active or PassThrough."
  }
}

variable "log_retention_days" {
  description = "How long log lines are kept, in days. One of the values CloudWatch Logs knows."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

