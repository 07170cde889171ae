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
  data_class = "logs"
  services   = ["logs"]
}

module "network" {
  source = "../.."

  name                = "shop-prod"
  kms_key_arn         = module.key.arn
  zone_count          = 3
  nat                 = "gateway"
  nat_per_zone        = true
  interface_endpoints = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs"]
}
