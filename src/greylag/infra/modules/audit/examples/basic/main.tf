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
  data_class = "audit"
  services   = ["cloudtrail", "config", "logs"]
}

module "audit" {
  source = "../.."

  name        = "shop-prod"
  kms_key_arn = module.key.arn

  trail = {
    s3_object_arns = ["arn:aws:s3:::shop-prod-uploads/"]
  }
}
