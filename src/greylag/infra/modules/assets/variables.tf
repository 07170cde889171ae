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
  description = "Key that encrypts the objects. Its policy must let cloudfront.amazonaws.com decrypt (see README)."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

variable "bucket_name" {
  description = "Name of the bucket, unique in all of AWS. Null makes it NAME-assets-ACCOUNT."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "noncurrent_days" {
  description = "Days a replaced or deleted object can still be brought back as an older version."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days must be at least 1."
  }
}

variable "transitions" {
  description = "Moves of ageing objects to cheaper storage: objects under a prefix (\"\" is all), after so many days, to a storage class."
  type = list(object({
    prefix        = optional(string, "")
    days          = number
    storage_class = string
  }))
  default = []

  validation {
    condition     = alltrue([for t in var.transitions : contains(["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"], t.storage_class)])
    error_message = "transitions: storage_class must be STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER or DEEP_ARCHIVE."
  }

  validation {
    condition     = alltrue([for t in var.transitions : t.days >= (contains(["STANDARD_IA", "ONEZONE_IA"], t.storage_class) ? 30 : 0)])
    error_message = "transitions: S3 moves nothing to STANDARD_IA or ONEZONE_IA before 30 days."
  }

  validation {
    condition     = length(distinct([for t in var.transitions : "${t.prefix} ${t.storage_class}"])) == length(var.transitions)
    error_message = "transitions: a prefix may move to one storage class only once."
  }
}

variable "expirations" {
  description = "Deletions by age: objects under a prefix are deleted after so many days. A prefix is required: nothing here empties the bucket."
  type = list(object({
    prefix = string
    days   = number
  }))
  default = []

  validation {
    condition     = alltrue([for e in var.expirations : length(e.prefix) > 0 && e.days >= 1])
    error_message = "expirations: each needs a prefix that is not empty and at least 1 day."
  }

  validation {
    condition     = length(distinct([for e in var.expirations : e.prefix])) == length(var.expirations)
    error_message = "expirations: a prefix may stand only once."
  }
}

variable "cors_origins" {
  description = "Origins (https://shop.example.com) whose pages may upload to and read from the bucket with presigned URLs."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for o in var.cors_origins : can(regex("^https?://[^/*]+$", o))])
    error_message = "cors_origins must be origins such as https://shop.example.com, without a path and without a wildcard."
  }
}

variable "cdn" {
  description = "Put CloudFront in front. False leaves a bucket that only presigned URLs and roles can read."
  type        = bool
  default     = true
}

variable "domain" {
  description = "Names of your own for the distribution, with a certificate from us-east-1 that covers them; with a zone_id the Route 53 records are made too."
  type = object({
    names           = list(string)
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null || try(length(var.domain.names) > 0 && can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.domain.certificate_arn)), false)
    error_message = "domain needs at least one name, and CloudFront takes certificates from us-east-1 only."
  }

  validation {
    condition     = var.domain == null || var.cdn
    error_message = "domain has nothing to name while cdn is false."
  }
}

variable "signing_public_keys" {
  description = "Public keys (PEM) that may sign URLs, by a name of your choice. With one or more, CloudFront serves signed URLs only; two allow rotation."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for k in values(var.signing_public_keys) : can(regex("^-----BEGIN PUBLIC KEY-----", k))])
    error_message = "signing_public_keys must be PEM blocks that begin with -----BEGIN PUBLIC KEY-----; the private key never comes here."
  }

  validation {
    condition     = length(var.signing_public_keys) <= 5
    error_message = "signing_public_keys: a key group holds at most 5 keys."
  }

  validation {
    condition     = length(var.signing_public_keys) == 0 || var.cdn
    error_message = "signing_public_keys sign CloudFront's URLs: cdn must be true. A bucket alone is read with presigned S3 URLs."
  }
}

variable "web_acl_arn" {
  description = "A wafv2 web ACL (scope CLOUDFRONT) for the distribution; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.web_acl_arn == null || can(regex("^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/", var.web_acl_arn))
    error_message = "web_acl_arn must be a wafv2 web ACL of scope CLOUDFRONT (arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/...)."
  }
}

variable "content_security_policy" {
  description = "Content-Security-Policy header of every response. The default suits images and documents; a website needs its own."
  type        = string
  default     = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
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

variable "default_root_object" {
  description = "Object that answers the bare domain, such as index.html; null answers 403."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days the access logs of the bucket and of CloudFront are kept."
  type        = number
  default     = 365

  validation {
    condition     = var.log_retention_days >= 1
    error_message = "log_retention_days must be at least 1."
  }
}
