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
  description = "Key that encrypts the access log. Its policy must let logs.REGION.amazonaws.com use it (see README)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

variable "routes" {
  description = "Route keys ($connect, $disconnect, $default, or a value of the selection expression) and the ARN of the Lambda alias that answers each."
  type        = map(string)

  validation {
    condition     = contains(keys(var.routes), "$connect") && contains(keys(var.routes), "$default")
    error_message = "routes needs $connect (who may connect) and $default (messages no other route takes)."
  }

  validation {
    condition     = alltrue([for arn in values(var.routes) : can(regex("^arn:aws[a-z-]*:lambda:[^:]+:[0-9]{12}:function:[^:]+:[^:]+$", arn))])
    error_message = "routes: each value must be an alias's ARN (…:function:NAME:ALIAS)."
  }
}

variable "route_selection_expression" {
  description = "Where in a message its route key stands."
  type        = string
  default     = "$request.body.action"

  validation {
    condition     = can(regex("^\\$request\\.body\\.[A-Za-z0-9_.]+$", var.route_selection_expression))
    error_message = "route_selection_expression must be $request.body.FIELD."
  }
}

variable "authorizer" {
  description = "Alias of the Lambda function that decides on $connect, and the parts of the request without which API Gateway refuses before it calls. Null lets the $connect route's own function refuse."
  type = object({
    function_arn     = string
    identity_sources = optional(list(string), ["route.request.querystring.token"])
  })
  default = null

  validation {
    condition     = var.authorizer == null || can(regex("^arn:aws[a-z-]*:lambda:[^:]+:[0-9]{12}:function:[^:]+:[^:]+$", var.authorizer.function_arn))
    error_message = "authorizer.function_arn must be an alias's ARN (…:function:NAME:ALIAS)."
  }

  validation {
    condition     = var.authorizer == null || try(length(var.authorizer.identity_sources) > 0 && alltrue([for s in var.authorizer.identity_sources : can(regex("^(route\\.request\\.|context\\.|stageVariables\\.)", s))]), false)
    error_message = "authorizer.identity_sources: at least one, such as route.request.querystring.token or route.request.header.Authorization."
  }
}

variable "integration_timeout_ms" {
  description = "How long a route waits for its function, 50 to 29000."
  type        = number
  default     = 29000

  validation {
    condition     = var.integration_timeout_ms >= 50 && var.integration_timeout_ms <= 29000
    error_message = "integration_timeout_ms must be 50 to 29000, API Gateway's limit for WebSocket APIs."
  }
}

variable "domain" {
  description = "Public name, a certificate from the API's region, and the Route 53 zone. Null leaves the default endpoint."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^arn:aws[a-z-]*:acm:", var.domain.certificate_arn))
    error_message = "domain.certificate_arn must be an ACM certificate's ARN, from the API's own region."
  }
}

variable "stage_name" {
  description = "Name of the stage; part of the default endpoint's address."
  type        = string
  default     = "live"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", var.stage_name))
    error_message = "stage_name must be letters, digits, hyphens and underscores."
  }
}

variable "throttle" {
  description = "Messages a second (rate) and at once (burst) the stage takes."
  type = object({
    burst = optional(number, 200)
    rate  = optional(number, 100)
  })
  default = {}

  validation {
    condition     = var.throttle.burst > 0 && var.throttle.rate > 0
    error_message = "throttle: burst and rate must be greater than 0."
  }
}

variable "account_logging_role" {
  description = "Make the role with which API Gateway writes logs and set it for this account and region. One setting for all of them: true in one module only, and not at all if it is set elsewhere."
  type        = bool
  default     = false
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
