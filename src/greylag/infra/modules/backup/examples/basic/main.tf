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
  data_class = "backups"
}

module "copy_key" {
  source = "../../../key"

  providers = { aws = aws.west }

  name       = "shop-prod"
  data_class = "backup-copies"
}

provider "aws" {
  alias  = "west"
  region = "us-west-2"
}

module "backup" {
  source = "../.."

  name           = "shop-prod"
  kms_key_arn    = module.key.arn
  selection_tags = { Backup = "yes" }

  copy_to = {
    region      = "us-west-2"
    kms_key_arn = module.copy_key.arn
  }

  lock = {
    min_retention_days = 7
    max_retention_days = 400
  }
}
