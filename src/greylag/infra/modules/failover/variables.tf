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

variable "zone_id" {
  type        = string
  description = "The hosted zone."
}

variable "record_name" {
  type        = string
  description = "The name that clients resolve, in full."

  validation {
    condition     = can(regex("^([a-z0-9_-]+\\.)+[a-z]{2,}$", var.record_name))
    error_message = "Give the full name, such as api.example.com, without a dot at the end."
  }
}

variable "policy" {
  type        = string
  description = "`failover`: the primary answers while it is healthy, then the secondary. `weighted`: every healthy endpoint answers by its weight."
  default     = "failover"

  validation {
    condition     = contains(["failover", "weighted"], var.policy)
    error_message = "policy is failover or weighted."
  }
}

variable "endpoints" {
  type = map(object({
    role   = optional(string)
    weight = optional(number)
    alias = optional(object({
      name    = string
      zone_id = string
    }))
    cname = optional(string)
    health_check = optional(object({
      fqdn              = string
      path              = optional(string, "/health")
      port              = optional(number, 443)
      search_string     = optional(string)
      failure_threshold = optional(number, 3)
      interval_seconds  = optional(number, 30)
    }))
    alarm = optional(object({
      name   = string
      region = string
    }))
  }))
  description = "Where the name leads, by identifier: an alias (load balancer, distribution, API) or a cname; healthy by a check of its own or by a CloudWatch alarm, for endpoints the checkers cannot reach."

  validation {
    condition     = alltrue([for endpoint in var.endpoints : (endpoint.alias != null) != (endpoint.cname != null)])
    error_message = "Every endpoint has an alias or a cname, and not both."
  }

  validation {
    condition     = alltrue([for endpoint in var.endpoints : endpoint.health_check == null || endpoint.alarm == null])
    error_message = "An endpoint has a health_check or an alarm, not both."
  }

  validation {
    condition     = var.policy != "failover" || (length(var.endpoints) == 2 && toset([for endpoint in var.endpoints : coalesce(endpoint.role, "none")]) == toset(["primary", "secondary"]))
    error_message = "failover needs two endpoints, one with role primary and one with role secondary."
  }

  validation {
    condition     = var.policy != "failover" || alltrue([for endpoint in var.endpoints : coalesce(endpoint.role, "none") != "primary" || endpoint.health_check != null || endpoint.alarm != null])
    error_message = "The primary needs a health_check or an alarm: without one Route 53 never fails over."
  }

  validation {
    condition     = var.policy != "weighted" || alltrue([for endpoint in var.endpoints : endpoint.weight == null ? false : endpoint.weight >= 0 && endpoint.weight <= 255])
    error_message = "weighted needs a weight from 0 to 255 for every endpoint."
  }

  validation {
    condition     = alltrue([for endpoint in var.endpoints : endpoint.health_check == null ? true : contains([10, 30], endpoint.health_check.interval_seconds) && endpoint.health_check.failure_threshold >= 1 && endpoint.health_check.failure_threshold <= 10])
    error_message = "Health checks run every 10 or 30 seconds and fail after 1 to 10 failures."
  }

  validation {
    condition     = alltrue([for endpoint in var.endpoints : endpoint.health_check == null ? true : startswith(endpoint.health_check.path, "/")])
    error_message = "A health check's path begins with /."
  }
}

variable "ttl_seconds" {
  type        = number
  description = "How long resolvers keep a cname's answer, so how long a failover takes at least. Aliases have their target's."
  default     = 60

  validation {
    condition     = var.ttl_seconds >= 1 && var.ttl_seconds <= 3600
    error_message = "Give 1 to 3600 seconds."
  }
}

variable "ipv6" {
  type        = bool
  description = "Add AAAA records beside the A records of aliases."
  default     = false
}
