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
  data_class = "sessions"
  services   = ["logs"]
}

module "log_key" {
  source = "../../../key"

  name       = "shop-prod"
  data_class = "logs"
  services   = ["logs"]
}

module "network" {
  source = "../../../network"

  name        = "shop-prod"
  kms_key_arn = module.log_key.arn
}

module "cache" {
  source = "../.."

  name        = "shop-prod-sessions"
  kms_key_arn = module.key.arn
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.data_subnet_ids

  client_security_group_ids = {
    workload = module.network.workload_security_group_id
  }

  users = {
    app     = {}
    reports = { access_string = "on ~report:* +@read" }
  }
}
