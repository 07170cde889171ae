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
  data_class = "services"
  services   = ["logs"]
}

# Behind a public load balancer; the next release takes a tenth of the requests.
module "catalogue" {
  source = "../.."

  name        = "shop-prod-catalogue"
  kms_key_arn = module.key.arn
  vpc_id      = "vpc-0123456789abcdef0"
  subnet_ids  = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  port        = 8000

  releases = {
    blue  = { image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-prod-catalogue:2024-06-01-1a2b3c4", weight = 90 }
    green = { image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-prod-catalogue:2024-06-08-5d6e7f8", weight = 10 }
  }

  load_balancer = {
    subnet_ids      = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/66666666-7777-8888-9999-000000000000"
    internal        = false
    allowed_cidrs   = ["0.0.0.0/0"]
  }

  secrets = {
    DATABASE_URL = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-prod-database-AbCdEf"
  }

  egress = {
    "PostgreSQL" = { port = 5432, group_id = "sg-0123456789abcdef0" }
  }

  policy_statements = [
    {
      sid       = "Images"
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = ["arn:aws:s3:::shop-prod-assets-123456789012/*"]
    },
  ]

  schedules = {
    reindex = { expression = "cron(0 3 * * ? *)", command = ["python", "-m", "shop.reindex"] }
  }
}

# A worker: no port, no load balancer, mostly on Spot.
module "worker" {
  source = "../.."

  name        = "shop-prod-worker"
  kms_key_arn = module.key.arn
  vpc_id      = "vpc-0123456789abcdef0"
  subnet_ids  = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  command     = ["celery", "--app", "shop", "worker"]
  spot        = { on_demand_base = 1, on_demand_weight = 1, spot_weight = 3 }

  releases = {
    blue = { image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-prod-worker:2024-06-01-1a2b3c4" }
  }
}
