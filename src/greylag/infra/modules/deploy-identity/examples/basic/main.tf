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

  name       = "shop"
  data_class = "terraform-state"
}

module "deploy_identity" {
  source = "../.."

  name        = "shop"
  kms_key_arn = module.key.arn
  repository  = "example/shop"

  environments = {
    staging = {
      name_prefix = "shop-staging"
      regions     = ["eu-west-1"]
      modules     = ["assets", "dynamodb", "function", "http-api", "key", "monitoring", "network", "queue"]
    }
    prod = {
      name_prefix = "shop-prod"
      regions     = ["eu-west-1"]
      modules     = ["assets", "audit", "backup", "dynamodb", "function", "http-api", "key", "monitoring", "network", "queue"]
    }
  }
}

output "backends" {
  description = "Backend block of each environment's root module."
  value       = module.deploy_identity.backend_configs
}
