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
  data_class = "logs"
  services   = ["logs"]
}

module "websocket_api" {
  source = "../.."

  name                 = "shop-prod-live"
  kms_key_arn          = module.key.arn
  account_logging_role = true
  authorizer           = { function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-sign-in:live" }

  routes = {
    "$connect"    = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-live:live"
    "$disconnect" = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-live:live"
    "$default"    = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-live:live"
    "subscribe"   = "arn:aws:lambda:eu-west-1:123456789012:function:shop-prod-live:live"
  }
}
