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

variable "edge_kms_key_arn" {
  description = "Key in us-east-1 that encrypts WAF's log group, which CloudFront's scope puts there. Null takes kms_key_arn if it is in us-east-1, else CloudWatch's own encryption."
  type        = string
  default     = null

  validation {
    condition     = var.edge_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:us-east-1:[0-9]{12}:key/[A-Za-z0-9-]+$", var.edge_kms_key_arn))
    error_message = "edge_kms_key_arn must be the ARN of a KMS key in us-east-1."
  }
}

variable "integrations" {
  description = "What answers, by a name of your choice: a Lambda alias (kind function, function_arn), or a load balancer's listener reached through the VPC link (kind listener, listener_arn, and tls_server_name if it speaks HTTPS)."
  type = map(object({
    kind            = optional(string, "function")
    function_arn    = optional(string)
    listener_arn    = optional(string)
    tls_server_name = optional(string)
    timeout_ms      = optional(number, 30000)
  }))

  validation {
    condition     = length(var.integrations) > 0 && alltrue([for i in values(var.integrations) : contains(["function", "listener"], i.kind)])
    error_message = "integrations: at least one; kind is function or listener."
  }

  validation {
    condition     = alltrue([for i in values(var.integrations) : i.kind == "listener" ? i.listener_arn != null && i.function_arn == null : i.function_arn != null && i.listener_arn == null])
    error_message = "integrations: kind function takes function_arn, kind listener takes listener_arn, and neither takes both."
  }

  validation {
    condition     = alltrue([for i in values(var.integrations) : i.function_arn == null || can(regex("^arn:aws[a-z-]*:lambda:[^:]+:[0-9]{12}:function:[^:]+:[^:]+$", i.function_arn))])
    error_message = "integrations: function_arn must be an alias's ARN (…:function:NAME:ALIAS), so that a deployment can shift traffic."
  }

  validation {
    condition     = alltrue([for i in values(var.integrations) : i.timeout_ms >= 50 && i.timeout_ms <= 30000])
    error_message = "integrations: timeout_ms must be 50 to 30000; an HTTP API gives up after 30 seconds. Longer work goes to a queue."
  }

  validation {
    condition     = var.vpc_link != null || alltrue([for i in values(var.integrations) : i.kind == "function"])
    error_message = "integrations: kind listener needs vpc_link."
  }
}

variable "vpc_link" {
  description = "Subnets and security groups of the VPC link through which private load balancers are reached; null for none."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "routes" {
  description = "Route keys (\"GET /products/{id}\", \"$default\") and the integration that answers each. authorization is ORIGIN (reached through CloudFront only, the application authenticates), JWT or AWS_IAM. burst and rate throttle this route alone."
  type = map(object({
    integration   = string
    authorization = optional(string, "ORIGIN")
    scopes        = optional(list(string), [])
    burst         = optional(number)
    rate          = optional(number)
  }))

  validation {
    condition     = length(var.routes) > 0 && alltrue([for key in keys(var.routes) : can(regex("^(\\$default|(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /[^ ]*)$", key))])
    error_message = "routes: at least one; a key is METHOD /path (\"GET /products/{id}\") or $default."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : contains(keys(var.integrations), r.integration)])
    error_message = "routes: each integration must stand in integrations."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : contains(["ORIGIN", "JWT", "AWS_IAM"], r.authorization)])
    error_message = "routes: authorization must be ORIGIN, JWT or AWS_IAM."
  }

  validation {
    condition     = alltrue([for r in values(var.routes) : r.authorization == "JWT" ? var.jwt != null : length(r.scopes) == 0])
    error_message = "routes: authorization JWT needs the jwt variable, and scopes need authorization JWT."
  }
}

variable "jwt" {
  description = "Issuer and audiences of the tokens that JWT routes accept; null for none."
  type = object({
    issuer    = string
    audiences = list(string)
  })
  default = null

  validation {
    condition     = var.jwt == null || try(startswith(var.jwt.issuer, "https://") && length(var.jwt.audiences) > 0, false)
    error_message = "jwt needs an https:// issuer and at least one audience."
  }
}

variable "origin_secrets" {
  description = "One secret, or two while rotating, of 32 or more letters and digits. CloudFront sends the first to the API in a header; the API accepts both."
  type        = list(string)
  sensitive   = true

  validation {
    condition     = contains([1, 2], length(var.origin_secrets)) && alltrue([for s in var.origin_secrets : can(regex("^[A-Za-z0-9]{32,128}$", s))])
    error_message = "origin_secrets: one or two secrets of 32 to 128 letters and digits (openssl rand -hex 32)."
  }
}

variable "domain" {
  description = "The API's public name with a certificate from us-east-1; the name CloudFront reaches it under, with a certificate from the API's region; and the Route 53 zone of both. Null leaves CloudFront's own name and keeps the default endpoint."
  type = object({
    name                   = string
    certificate_arn        = string
    origin_name            = string
    origin_certificate_arn = string
    zone_id                = string
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.domain.certificate_arn))
    error_message = "domain.certificate_arn must be from us-east-1: CloudFront takes no other."
  }

  validation {
    condition     = var.domain == null || try(var.domain.name != var.domain.origin_name, false)
    error_message = "domain.name belongs to CloudFront and domain.origin_name to the API: they must differ."
  }
}

variable "cors" {
  description = "Origins whose pages may call the API, and what they may send; null answers no preflight."
  type = object({
    allow_origins     = list(string)
    allow_methods     = optional(list(string), ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    allow_headers     = optional(list(string), ["authorization", "content-type"])
    expose_headers    = optional(list(string), [])
    allow_credentials = optional(bool, false)
    max_age_seconds   = optional(number, 3600)
  })
  default = null

  validation {
    condition     = var.cors == null || try(length(var.cors.allow_origins) > 0 && !(var.cors.allow_credentials && contains(var.cors.allow_origins, "*")), false)
    error_message = "cors needs allow_origins, and \"*\" may not stand beside allow_credentials."
  }
}

variable "throttle" {
  description = "Requests a second (rate) and at once (burst) the stage takes before it answers 429; every route unless it sets its own."
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

variable "waf_rate_limit" {
  description = "Requests one address may make in five minutes before WAF blocks it."
  type        = number
  default     = 2000

  validation {
    condition     = var.waf_rate_limit >= 10 && var.waf_rate_limit <= 2000000000
    error_message = "waf_rate_limit must be 10 to 2000000000."
  }
}

variable "waf_counted_rules" {
  description = "Rules of AWSManagedRulesCommonRuleSet that count instead of blocking. SizeRestrictions_BODY would refuse every body over 8 KB."
  type        = list(string)
  default     = ["SizeRestrictions_BODY"]
}

variable "price_class" {
  description = "Edge locations CloudFront uses: PriceClass_100 (North America, Europe), PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class must be PriceClass_100, PriceClass_200 or PriceClass_All."
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
