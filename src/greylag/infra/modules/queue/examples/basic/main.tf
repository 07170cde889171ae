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
  data_class = "messages"
}

module "invoices" {
  source = "../.."

  name                     = "shop-prod-invoices"
  kms_key_arn              = module.key.arn
  consumer_timeout_seconds = 60
}

# One order's messages stay in order; another order's do not wait for them.
module "orders" {
  source = "../.."

  name                     = "shop-prod-orders"
  kms_key_arn              = module.key.arn
  fifo                     = true
  consumer_timeout_seconds = 30
}
