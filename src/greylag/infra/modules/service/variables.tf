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
  description = "Key that encrypts the images and the log group. Its policy must let logs.REGION.amazonaws.com use it (see README)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

variable "releases" {
  description = "Two releases that can run side by side: image, share of the traffic (weights relate to each other, 0 to 999) and how many tasks. A release with max_tasks 0 is off; its image is then kept in the task definition only."
  type = object({
    blue = object({
      image     = string
      weight    = optional(number, 100)
      min_tasks = optional(number, 2)
      max_tasks = optional(number, 10)
    })
    green = optional(object({
      image     = string
      weight    = optional(number, 0)
      min_tasks = optional(number, 2)
      max_tasks = optional(number, 10)
    }))
  })

  validation {
    condition     = alltrue([for r in values(var.releases) : r == null || try(r.weight >= 0 && r.weight <= 999 && r.min_tasks >= 0 && r.min_tasks <= r.max_tasks, false)])
    error_message = "releases: weight is 0 to 999, min_tasks 0 to max_tasks."
  }

  validation {
    condition     = anytrue([for r in values(var.releases) : try(r.weight > 0, false)]) && alltrue([for r in values(var.releases) : r == null || try(r.weight == 0 || r.min_tasks > 0, false)])
    error_message = "releases: at least one has weight, and one with weight needs min_tasks of 1 or more, or its share is answered 503."
  }

  validation {
    condition     = alltrue([for r in values(var.releases) : r == null || try(!endswith(r.image, ":latest") && can(regex("[:@]", r.image)), false)])
    error_message = "releases: image must carry an immutable tag or a digest, never :latest: a task that restarts must start the same build."
  }
}

variable "traffic_owner" {
  description = "Who moves the weights: \"terraform\" (the releases' weights rule) or \"cutover\" (they are the start only; a later apply leaves them alone). See README before changing it."
  type        = string
  default     = "terraform"

  validation {
    condition     = contains(["terraform", "cutover"], var.traffic_owner)
    error_message = "traffic_owner must be terraform or cutover."
  }
}

variable "port" {
  description = "Port the container listens on. Null makes a worker: no load balancer, no domain."
  type        = number
  default     = null

  validation {
    condition     = var.port == null || try(var.port >= 1 && var.port <= 65535, false)
    error_message = "port must be 1 to 65535, or null for a worker."
  }
}

variable "cpu" {
  description = "CPU of a task in units: 256, 512, 1024, 2048, 4096, 8192 or 16384; 1024 is one core."
  type        = number
  default     = 512

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "cpu must be 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "memory_mb" {
  description = "Memory of a task in MB; Fargate has fixed ranges for each cpu."
  type        = number
  default     = 1024

  validation {
    condition = contains(lookup({
      "256"   = [512, 1024, 2048]
      "512"   = range(1024, 4097, 1024)
      "1024"  = range(2048, 8193, 1024)
      "2048"  = range(4096, 16385, 1024)
      "4096"  = range(8192, 30721, 1024)
      "8192"  = range(16384, 61441, 4096)
      "16384" = range(32768, 122881, 8192)
    }, tostring(var.cpu), []), var.memory_mb)
    error_message = "memory_mb does not go with cpu on Fargate: 256 takes 512, 1024 or 2048; 512 takes 1024 to 4096; 1024 2048 to 8192; 2048 4096 to 16384; 4096 8192 to 30720 (steps of 1024); 8192 16384 to 61440 (4096); 16384 32768 to 122880 (8192)."
  }
}

variable "architecture" {
  description = "ARM64 or X86_64; the image must be built for it. ARM64 costs a fifth less."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture must be ARM64 or X86_64."
  }
}

variable "command" {
  description = "Replaces the image's CMD; empty keeps it."
  type        = list(string)
  default     = []
}

variable "environment" {
  description = "Environment variables. No secrets: those go to secrets."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables that ECS fills from Secrets Manager or Parameter Store: name to ARN (…:secret:NAME-abc123:jsonkey:: picks one key)."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in values(var.secrets) : can(regex("^arn:aws[a-z-]*:(secretsmanager:[^:]+:[0-9]{12}:secret:|ssm:[^:]+:[0-9]{12}:parameter/)", arn))])
    error_message = "secrets: each value must be the ARN of a Secrets Manager secret or a Parameter Store parameter, never the secret itself."
  }
}

variable "secrets_kms_key_arns" {
  description = "Keys that encrypt those secrets, where they are not AWS's own."
  type        = list(string)
  default     = []
}

variable "writable_paths" {
  description = "Folders the container may write to; the rest of its file system is read-only."
  type        = list(string)
  default     = ["/tmp"]

  validation {
    condition     = alltrue([for p in var.writable_paths : startswith(p, "/") && p != "/"])
    error_message = "writable_paths must be absolute and not the root."
  }
}

variable "policy_statements" {
  description = "What the code may do: the task role's policy."
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

variable "cluster" {
  description = "An ECS cluster to run in, with the capacity providers FARGATE and FARGATE_SPOT. Null makes one, with Container Insights."
  type = object({
    arn  = string
    name = string
  })
  default = null
}

variable "vpc_id" {
  description = "VPC of the tasks and the load balancer."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the tasks, in two zones or more."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: two zones or more."
  }
}

variable "load_balancer" {
  description = "The ALB: its subnets, a certificate of its region, who may reach it, whether it faces the internet, and a web ACL (wafv2, REGIONAL). Required with port, null for a worker."
  type = object({
    subnet_ids           = list(string)
    certificate_arn      = string
    internal             = optional(bool, true)
    allowed_cidrs        = optional(list(string), [])
    allowed_group_ids    = optional(list(string), [])
    web_acl              = optional(object({ arn = string }))
    access_log_bucket    = optional(string)
    deletion_protection  = optional(bool, true)
    idle_timeout_seconds = optional(number, 60)
    drain_seconds        = optional(number, 30)
  })
  default = null

  validation {
    condition     = (var.port == null) == (var.load_balancer == null)
    error_message = "load_balancer and port belong together: both, or neither for a worker."
  }

  validation {
    condition     = var.load_balancer == null || try(length(var.load_balancer.subnet_ids) >= 2 && can(regex("^arn:aws[a-z-]*:acm:", var.load_balancer.certificate_arn)), false)
    error_message = "load_balancer needs subnets in two zones and an ACM certificate: it speaks HTTPS only."
  }

  validation {
    condition     = var.load_balancer == null || try(length(var.load_balancer.allowed_cidrs) + length(var.load_balancer.allowed_group_ids) > 0, false)
    error_message = "load_balancer: name who may reach it, in allowed_cidrs or allowed_group_ids."
  }

  validation {
    condition     = var.load_balancer == null || try(!var.load_balancer.internal || !contains(var.load_balancer.allowed_cidrs, "0.0.0.0/0"), false)
    error_message = "load_balancer: an internal one has no use for 0.0.0.0/0 in allowed_cidrs; name the VPC's range, or set internal = false."
  }
}

variable "health_check" {
  description = "What the load balancer asks, and what counts as healthy."
  type = object({
    path             = optional(string, "/health")
    status           = optional(string, "200-299")
    interval_seconds = optional(number, 15)
    timeout_seconds  = optional(number, 5)
    grace_seconds    = optional(number, 60)
  })
  default = {}

  validation {
    condition     = startswith(var.health_check.path, "/") && var.health_check.timeout_seconds < var.health_check.interval_seconds
    error_message = "health_check: path begins with /, and timeout_seconds is less than interval_seconds."
  }
}

variable "domain" {
  description = "A name for the load balancer and its Route 53 zone; null for none."
  type = object({
    name    = string
    zone_id = string
  })
  default = null

  validation {
    condition     = var.domain == null || var.port != null
    error_message = "domain needs port: a worker has no load balancer to name."
  }
}

variable "egress" {
  description = "Where the tasks may connect, beside HTTPS anywhere: a port, and a security group or an address range."
  type = map(object({
    port     = number
    group_id = optional(string)
    cidr     = optional(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for e in values(var.egress) : (e.group_id == null) != (e.cidr == null)])
    error_message = "egress: each names exactly one of group_id and cidr."
  }
}

variable "scaling" {
  description = "What each release scales on: average CPU in percent, and requests a minute per task (null: CPU only)."
  type = object({
    cpu_percent         = optional(number, 60)
    requests_per_minute = optional(number)
    cooldown_seconds    = optional(number, 60)
  })
  default = {}

  validation {
    condition     = var.scaling.cpu_percent >= 10 && var.scaling.cpu_percent <= 90
    error_message = "scaling.cpu_percent must be 10 to 90."
  }

  validation {
    condition     = var.scaling.requests_per_minute == null || var.port != null
    error_message = "scaling.requests_per_minute counts the load balancer's requests: it needs port."
  }
}

variable "spot" {
  description = "Fargate Spot: tasks that always run on demand (base), then the shares of on demand and Spot. AWS takes Spot tasks back with two minutes' notice."
  type = object({
    on_demand_base   = optional(number, 1)
    on_demand_weight = optional(number, 1)
    spot_weight      = optional(number, 0)
  })
  default = {}

  validation {
    condition     = var.spot.on_demand_weight + var.spot.spot_weight > 0 && min(var.spot.on_demand_base, var.spot.on_demand_weight, var.spot.spot_weight) >= 0
    error_message = "spot: weights must not be negative, and one of them greater than 0."
  }
}

variable "schedules" {
  description = "Commands run as tasks of their own on a schedule, by a name of your choice: expression cron(0 3 * * ? *) or rate(1 hour)."
  type = map(object({
    expression = string
    timezone   = optional(string, "UTC")
    command    = list(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for s in values(var.schedules) : can(regex("^(cron|rate|at)\\(.+\\)$", s.expression)) && length(s.command) > 0])
    error_message = "schedules: expression is cron(...), rate(...) or at(...), command not empty."
  }
}

variable "repository" {
  description = "Make an ECR repository, and how many images it keeps. False if the images live elsewhere."
  type        = bool
  default     = true
}

variable "kept_images" {
  description = "Images the repository keeps; older ones expire. Keep enough to roll back."
  type        = number
  default     = 50

  validation {
    condition     = var.kept_images >= 10
    error_message = "kept_images must be at least 10, or a roll-back may find its image gone."
  }
}

variable "execute_command" {
  description = "Allow `aws ecs execute-command`, a shell in a running task, for whoever has the permission."
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
