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
  description = "The KMS key that encrypts every table, its indexes, streams and backups."

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "Give the key's ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not its alias or id."
  }
}

variable "tables" {
  type = map(object({
    table_name = optional(string)
    hash_key   = string
    range_key  = optional(string)
    attributes = map(string)

    indexes = optional(map(object({
      hash_key           = string
      range_key          = optional(string)
      projection         = optional(string, "ALL")
      non_key_attributes = optional(list(string), [])
      capacity = optional(object({
        read_min  = optional(number, 5)
        read_max  = optional(number, 100)
        write_min = optional(number, 5)
        write_max = optional(number, 100)
      }))
    })), {})

    local_indexes = optional(map(object({
      range_key          = string
      projection         = optional(string, "ALL")
      non_key_attributes = optional(list(string), [])
    })), {})

    billing = optional(string, "on-demand")
    capacity = optional(object({
      read_min       = optional(number, 5)
      read_max       = optional(number, 100)
      write_min      = optional(number, 5)
      write_max      = optional(number, 100)
      target_percent = optional(number, 70)
    }))
    on_demand_limit = optional(object({
      read  = optional(number)
      write = optional(number)
    }))

    ttl                 = optional(string)
    stream              = optional(string)
    pitr                = optional(bool, true)
    pitr_days           = optional(number, 35)
    deletion_protection = optional(bool, true)
    table_class         = optional(string, "STANDARD")
    replicas            = optional(map(object({ kms_key_arn = string })), {})
    tags                = optional(map(string), {})
  }))

  description = "The tables, by a short key. `attributes` types every key attribute (S, N or B) and no other. `table_name` replaces NAME-KEY. `replicas` maps a region to the key that encrypts there."

  validation {
    condition     = alltrue([for table in var.tables : contains(["on-demand", "provisioned"], table.billing)])
    error_message = "billing is on-demand or provisioned."
  }

  validation {
    condition     = alltrue([for table in var.tables : table.billing != "provisioned" || table.capacity != null])
    error_message = "A provisioned table needs capacity: {} takes 5 to 100 units at 70 percent."
  }

  validation {
    condition     = alltrue([for table in var.tables : table.billing == "provisioned" || (table.capacity == null && alltrue([for index in table.indexes : index.capacity == null]))])
    error_message = "capacity belongs to provisioned tables; an on-demand table takes on_demand_limit."
  }

  validation {
    condition     = alltrue([for table in var.tables : table.billing == "on-demand" || table.on_demand_limit == null])
    error_message = "on_demand_limit belongs to on-demand tables."
  }

  validation {
    condition     = alltrue(flatten([for table in var.tables : [for type in values(table.attributes) : contains(["S", "N", "B"], type)]]))
    error_message = "Attribute types are S, N or B."
  }

  validation {
    condition = alltrue([for table in var.tables : toset(keys(table.attributes)) == toset(compact(concat(
      [table.hash_key, table.range_key],
      flatten([for index in table.indexes : [index.hash_key, index.range_key]]),
      [for index in table.local_indexes : index.range_key],
    )))])
    error_message = "attributes names exactly the attributes that are keys of the table or of an index: DynamoDB refuses any other."
  }

  validation {
    condition = alltrue(flatten([for table in var.tables : [
      for index in concat(values(table.indexes)[*].projection, values(table.local_indexes)[*].projection) : contains(["ALL", "KEYS_ONLY", "INCLUDE"], index)
    ]]))
    error_message = "projection is ALL, KEYS_ONLY or INCLUDE."
  }

  validation {
    condition = alltrue(flatten([for table in var.tables : concat(
      [for index in table.indexes : (index.projection == "INCLUDE") == (length(index.non_key_attributes) > 0)],
      [for index in table.local_indexes : (index.projection == "INCLUDE") == (length(index.non_key_attributes) > 0)],
    )]))
    error_message = "non_key_attributes goes with projection INCLUDE, and INCLUDE needs it."
  }

  validation {
    condition     = alltrue([for table in var.tables : length(table.indexes) <= 20 && length(table.local_indexes) <= 5])
    error_message = "A table has at most 20 global and 5 local indexes."
  }

  validation {
    condition     = alltrue([for table in var.tables : length(table.local_indexes) == 0 || table.range_key != null])
    error_message = "Local indexes need a table with a range_key."
  }

  validation {
    condition     = alltrue([for table in var.tables : table.stream == null || contains(["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"], coalesce(table.stream, "none"))])
    error_message = "stream is KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES."
  }

  validation {
    condition     = alltrue([for table in var.tables : length(table.replicas) == 0 || coalesce(table.stream, "none") == "NEW_AND_OLD_IMAGES"])
    error_message = "Replicas need stream = NEW_AND_OLD_IMAGES: replication reads it."
  }

  validation {
    condition     = alltrue([for table in var.tables : length(table.replicas) == 0 || table.billing == "on-demand"])
    error_message = "Replicas need on-demand billing: a provisioned replica cannot be made before its write capacity scales."
  }

  validation {
    condition     = alltrue([for table in var.tables : table.pitr_days >= 1 && table.pitr_days <= 35])
    error_message = "pitr_days is 1 to 35."
  }

  validation {
    condition     = alltrue([for table in var.tables : contains(["STANDARD", "STANDARD_INFREQUENT_ACCESS"], table.table_class)])
    error_message = "table_class is STANDARD or STANDARD_INFREQUENT_ACCESS."
  }

  validation {
    condition = alltrue(flatten([for table in var.tables : [
      for capacity in concat(table.capacity == null ? [] : [table.capacity], [for index in table.indexes : index.capacity if index.capacity != null]) :
      capacity.read_min >= 1 && capacity.write_min >= 1 && capacity.read_min <= capacity.read_max && capacity.write_min <= capacity.write_max
    ]]))
    error_message = "Every capacity's minimum is at least 1 and at most its maximum."
  }

  validation {
    condition     = alltrue([for table in var.tables : table.capacity == null ? true : table.capacity.target_percent >= 20 && table.capacity.target_percent <= 90])
    error_message = "target_percent is 20 to 90."
  }

  validation {
    condition     = alltrue([for key, table in var.tables : can(regex("^[a-zA-Z0-9_.-]{3,255}$", coalesce(table.table_name, "${var.name}-${key}")))])
    error_message = "Table names have 3 to 255 letters, digits, underscores, dots and dashes."
  }
}
