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

variable "kms_key_arn" {
  type        = string
  description = "The KMS key that encrypts the flow log group and the NAT instance's disk. Its policy must allow the logs service."

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "Give the key's ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not its alias or id."
  }
}

variable "cidr" {
  type        = string
  description = "The VPC's range, /16 to /20. Up to three sixteenths of it hold private subnets, one the public and one the data subnets; the rest stays free."
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "Give an IPv4 range between /16 and /20: smaller ones leave data subnets under AWS's /28."
  }
}

variable "zone_count" {
  type        = number
  description = "How many availability zones to use when `zones` is empty."
  default     = 3

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "Use two or three zones: one is an outage waiting, four gain nothing here."
  }
}

variable "zones" {
  type        = list(string)
  description = "The zones by name. Empty: the first `zone_count` of the region. Order matters: a zone's place decides its ranges, so only ever append."
  default     = []

  validation {
    condition     = contains([0, 2, 3], length(var.zones)) && length(distinct(var.zones)) == length(var.zones)
    error_message = "Name two or three different zones, or none."
  }
}

variable "nat" {
  type        = string
  description = "How private subnets reach the internet: `gateway` (managed), `instance` (a t4g.nano, a tenth of the price, patched and watched by you) or `none` (endpoints only)."
  default     = "gateway"

  validation {
    condition     = contains(["gateway", "instance", "none"], var.nat)
    error_message = "nat is gateway, instance or none."
  }
}

variable "nat_per_zone" {
  type        = bool
  description = "One NAT in each zone instead of one for all, so that a lost zone takes only its own way out."
  default     = false

  validation {
    condition     = !var.nat_per_zone || var.nat != "none"
    error_message = "nat_per_zone has nothing to multiply while nat is none."
  }
}

variable "nat_instance_type" {
  type        = string
  description = "The NAT instance's type: arm64 (Graviton) only, since its image is."
  default     = "t4g.nano"

  validation {
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*\\.", var.nat_instance_type))
    error_message = "Use a Graviton type, such as t4g.nano or c7gn.medium."
  }
}

variable "gateway_endpoints" {
  type        = set(string)
  description = "Free endpoints in every route table."
  default     = ["dynamodb", "s3"]

  validation {
    condition     = length(setsubtract(var.gateway_endpoints, ["dynamodb", "s3"])) == 0
    error_message = "Gateway endpoints exist for dynamodb and s3 only."
  }
}

variable "interface_endpoints" {
  type        = set(string)
  description = "Services reached inside the VPC, by the last part of their name, such as secretsmanager, sqs, ecr.api, ecr.dkr, logs. Each costs by the hour and zone."
  default     = []

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)*$", service))]) && length(setintersection(var.interface_endpoints, var.gateway_endpoints)) == 0
    error_message = "Give short names (secretsmanager, ecr.api), and none that is already a gateway endpoint."
  }
}

variable "flow_log_traffic" {
  type        = string
  description = "Which traffic the flow log records: ALL, ACCEPT or REJECT."
  default     = "ALL"

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.flow_log_traffic)
    error_message = "flow_log_traffic is ALL, ACCEPT or REJECT."
  }
}

variable "log_retention_days" {
  type        = number
  description = "Days CloudWatch keeps the flow log."
  default     = 365

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}
