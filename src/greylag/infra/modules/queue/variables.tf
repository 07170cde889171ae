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
  description = "Key that encrypts the messages. Producers need kms:GenerateDataKey and kms:Decrypt on it, consumers kms:Decrypt."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

variable "fifo" {
  description = "A FIFO queue: order within a message group, each message once within five minutes. \".fifo\" is added to the names."
  type        = bool
  default     = false
}

variable "content_based_deduplication" {
  description = "FIFO only: SQS derives the deduplication id from the body, so two messages alike within five minutes are one."
  type        = bool
  default     = false

  validation {
    condition     = !var.content_based_deduplication || var.fifo
    error_message = "content_based_deduplication exists for FIFO queues only."
  }
}

variable "consumer_timeout_seconds" {
  description = "Longest time the consumer may take over one batch: the timeout of the Lambda function, or of the worker's task."
  type        = number

  validation {
    condition     = var.consumer_timeout_seconds >= 1 && var.consumer_timeout_seconds <= 7200
    error_message = "consumer_timeout_seconds must be 1 to 7200: six times as long must fit SQS's longest visibility timeout, 43200."
  }
}

variable "batching_window_seconds" {
  description = "How long the event source mapping waits to fill a batch; it counts towards the visibility timeout. FIFO queues have none."
  type        = number
  default     = 0

  validation {
    condition     = var.batching_window_seconds >= 0 && var.batching_window_seconds <= 300
    error_message = "batching_window_seconds must be 0 to 300."
  }

  validation {
    condition     = !var.fifo || var.batching_window_seconds == 0
    error_message = "batching_window_seconds must be 0 for a FIFO queue: Lambda has no batching window there."
  }
}

variable "visibility_timeout_seconds" {
  description = "How long a received message stays hidden. Null makes it six times consumer_timeout_seconds plus the batching window."
  type        = number
  default     = null

  validation {
    condition     = var.visibility_timeout_seconds == null || try(var.visibility_timeout_seconds >= 6 * var.consumer_timeout_seconds + var.batching_window_seconds, false)
    error_message = "visibility_timeout_seconds must be at least 6 x consumer_timeout_seconds + batching_window_seconds, or Lambda's retries of a throttled batch meet messages that are visible again and run twice."
  }

  validation {
    condition     = coalesce(var.visibility_timeout_seconds, 6 * var.consumer_timeout_seconds + var.batching_window_seconds) <= 43200
    error_message = "The visibility timeout (6 x consumer_timeout_seconds + batching_window_seconds unless given) must be at most 43200 seconds, SQS's limit. Split the task, or extend visibility from a worker."
  }
}

variable "max_receive_count" {
  description = "Receives after which a message goes to the dead letters. Below 5 a throttled function alone can send good messages there."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000
    error_message = "max_receive_count must be 1 to 1000."
  }
}

variable "message_retention_seconds" {
  description = "How long an unread message is kept. Idempotency records must outlive it."
  type        = number
  default     = 345600

  validation {
    condition     = var.message_retention_seconds >= 60 && var.message_retention_seconds <= 1209600
    error_message = "message_retention_seconds must be 60 to 1209600 (14 days)."
  }
}

variable "dead_letter_retention_seconds" {
  description = "How long a dead letter is kept. A standard queue counts from the first send, so this must exceed message_retention_seconds."
  type        = number
  default     = 1209600

  validation {
    condition     = var.dead_letter_retention_seconds <= 1209600 && var.dead_letter_retention_seconds > var.message_retention_seconds
    error_message = "dead_letter_retention_seconds must be greater than message_retention_seconds and at most 1209600: a message keeps its first timestamp and would expire on its way to the dead letters."
  }
}

variable "delay_seconds" {
  description = "Delay of every message, 0 to 900. Later than 15 minutes is EventBridge Scheduler's work."
  type        = number
  default     = 0

  validation {
    condition     = var.delay_seconds >= 0 && var.delay_seconds <= 900
    error_message = "delay_seconds must be 0 to 900."
  }
}

variable "max_message_bytes" {
  description = "Largest message accepted, in bytes."
  type        = number
  default     = 262144

  validation {
    condition     = var.max_message_bytes >= 1024 && var.max_message_bytes <= 1048576
    error_message = "max_message_bytes must be 1024 to 1048576. Put larger bodies in S3 and send the key."
  }
}

variable "receive_wait_seconds" {
  description = "Long polling: how long an empty receive waits, 0 to 20."
  type        = number
  default     = 20

  validation {
    condition     = var.receive_wait_seconds >= 0 && var.receive_wait_seconds <= 20
    error_message = "receive_wait_seconds must be 0 to 20."
  }
}

variable "kms_data_key_reuse_seconds" {
  description = "How long SQS reuses a data key before it asks KMS again, 60 to 86400."
  type        = number
  default     = 300

  validation {
    condition     = var.kms_data_key_reuse_seconds >= 60 && var.kms_data_key_reuse_seconds <= 86400
    error_message = "kms_data_key_reuse_seconds must be 60 to 86400."
  }
}

variable "service_senders" {
  description = "AWS services that send here by themselves, such as {service = \"s3.amazonaws.com\", source_arn = the bucket}. Roles of this account need no entry: their own policies allow it."
  type = list(object({
    service    = string
    source_arn = string
  }))
  default = []

  validation {
    condition     = alltrue([for s in var.service_senders : can(regex("^[a-z0-9-]+\\.amazonaws\\.com$", s.service)) && can(regex("^arn:", s.source_arn))])
    error_message = "service_senders: service is a service principal (s3.amazonaws.com), source_arn an ARN."
  }
}
