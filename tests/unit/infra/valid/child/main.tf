terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.also]
    }
  }
}

variable "name" {
  type = string
}

variable "table" {
  type    = object({ name = string, keys = optional(list(string), []) })
  default = null
}

variable "sizes" {
  type    = map(number)
  default = {}
}

output "id" {
  value = "${var.name}-${var.table == null ? "" : var.table.name}"
}

output "names" {
  value = concat([var.name], keys(var.sizes))
}
