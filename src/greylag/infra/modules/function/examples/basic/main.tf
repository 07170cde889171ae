terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.28"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

module "key" {
  source = "../../../key"

  name       = "shop-prod"
  data_class = "functions"
  services   = ["logs"]
}

module "queue" {
  source = "../../../queue"

  name                     = "shop-prod-invoices"
  kms_key_arn              = module.key.arn
  consumer_timeout_seconds = 60
}

module "invoices" {
  source = "../.."

  name                 = "shop-prod-invoices"
  description          = "Writes an invoice for each order"
  kms_key_arn          = module.key.arn
  image_uri            = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-prod-invoices:2024-06-01-1a2b3c4"
  timeout_seconds      = 60
  reserved_concurrency = 10
  environment          = { TABLE = "shop-prod-orders" }

  policy_statements = [
    {
      sid       = "Orders"
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/shop-prod-orders"]
    },
  ]

  event_sources = {
    invoices = {
      arn                 = module.queue.queue_arn
      kms_key_arn         = module.key.arn
      maximum_concurrency = 10
    }
  }

  schedules = {
    reminders = { expression = "cron(0 7 * * ? *)", timezone = "Europe/Berlin", input = "{\"task\": \"remind\"}" }
  }
}
