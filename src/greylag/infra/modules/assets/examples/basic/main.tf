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
  data_class = "assets"
  services   = ["cloudfront"]
}

module "assets" {
  source = "../.."

  name         = "shop-prod"
  kms_key_arn  = module.key.arn
  cors_origins = ["https://shop.example.com"]

  domain = {
    names           = ["images.shop.example.com"]
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
    zone_id         = "Z0123456789ABCDEFGHIJ"
  }

  transitions = [
    { prefix = "originals/", days = 90, storage_class = "GLACIER_IR" },
  ]

  expirations = [
    { prefix = "tmp/", days = 2 },
  ]
}
