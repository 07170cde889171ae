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

variable "origin_secret" {
  description = "What CloudFront proves itself with to the API: openssl rand -hex 32."
  type        = string
  sensitive   = true
}

module "key" {
  source = "../../../key"

  name       = "shop-prod"
  data_class = "logs"
  services   = ["logs"]
}

module "http_api" {
  source = "../.."

  name           = "shop-prod"
  kms_key_arn    = module.key.arn
  origin_secrets = [var.origin_secret]

  integrations = {
    catalogue = { function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-catalogue:live" }
    orders    = { function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-orders:live" }
  }

  routes = {
    "GET /products"      = { integration = "catalogue" }
    "GET /products/{id}" = { integration = "catalogue" }
    "POST /orders"       = { integration = "orders", authorization = "JWT", rate = 20, burst = 40 }
  }

  jwt = {
    issuer    = "https://login.example.com"
    audiences = ["shop"]
  }

  cors = { allow_origins = ["https://shop.example.com"] }

  domain = {
    name                   = "api.shop.example.com"
    certificate_arn        = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
    origin_name            = "origin-api.shop.example.com"
    origin_certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/66666666-7777-8888-9999-000000000000"
    zone_id                = "Z0123456789ABCDEFGHIJ"
  }
}
