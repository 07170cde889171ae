terraform {
  required_version = ">= 1.9" # validation blocks that read other variables

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.28"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

module "key" {
  source = "../../../key"

  name       = "shop-prod"
  data_class = "tables"
}

module "dynamodb" {
  source = "../.."

  name        = "shop-prod"
  kms_key_arn = module.key.arn

  tables = {
    shop = {
      hash_key   = "PK"
      range_key  = "SK"
      attributes = { PK = "S", SK = "S", GSI1PK = "S", GSI1SK = "S" }
      indexes    = { GSI1 = { hash_key = "GSI1PK", range_key = "GSI1SK" } }
      stream     = "NEW_AND_OLD_IMAGES"
    }

    sessions = {
      hash_key   = "id"
      attributes = { id = "S" }
      ttl        = "expiresAt"
      pitr       = false
    }

    prices = {
      hash_key   = "sku"
      attributes = { sku = "S" }
      billing    = "provisioned"
      capacity   = { read_min = 10, read_max = 400 }
    }
  }
}
