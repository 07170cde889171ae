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
  data_class = "orders"
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

module "postgres" {
  source = "../.."

  name          = "shop-prod-orders"
  kms_key_arn   = module.key.arn
  database_name = "orders"
  vpc_id        = module.network.vpc_id
  subnet_ids    = module.network.data_subnet_ids

  client_security_group_ids = {
    workload = module.network.workload_security_group_id
  }

  read_replicas = {
    reports = { instance_class = "db.t4g.medium" }
  }
}
