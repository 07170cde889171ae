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
  source = "../.."

  name       = "shop-prod"
  data_class = "tables"
}

# One for logs and notifications, which services use in their own name.
module "log_key" {
  source = "../.."

  name       = "shop-prod"
  data_class = "logs"
  services   = ["cloudwatch", "logs", "sns"]
}
