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

module "failover" {
  source = "../.."

  name        = "shop-prod"
  zone_id     = "Z0123456789ABCDEFGHIJ"
  record_name = "api.example.com"

  endpoints = {
    virginia = {
      role         = "primary"
      alias        = { name = "d-abc.execute-api.us-east-1.amazonaws.com", zone_id = "Z1UJRXOUMOOFQ8" }
      health_check = { fqdn = "virginia.api.example.com" }
    }

    oregon = {
      role  = "secondary"
      alias = { name = "d-xyz.execute-api.us-west-2.amazonaws.com", zone_id = "Z2OJLYMUO9EFXC" }
    }
  }
}
