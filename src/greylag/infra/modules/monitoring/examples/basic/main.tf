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
  data_class = "alarms"
  services   = ["budgets", "cloudwatch"]
}

module "monitoring" {
  source = "../.."

  name               = "shop-prod"
  kms_key_arn        = module.key.arn
  emails             = ["operations@example.com"]
  monthly_budget_usd = 90

  # Everything else keeps its default.
  alarms = {
    bucket_4xx = { threshold = 20 } # crawlers ask for images long gone
  }

  functions = {
    orders = { service = "orders", function_name = "shop-prod-orders" }
  }

  http_apis = {
    shop = { service = "orders", api_id = "a1b2c3d4e5" }
  }

  websocket_apis = {
    live = { service = "orders", api_id = "f6g7h8i9j0", stage = "live" }
  }

  load_balancers = {
    catalogue = {
      service       = "catalogue"
      arn_suffix    = "app/shop-prod-catalogue/0123456789abcdef"
      cluster_name  = "shop-prod-catalogue"
      service_names = ["shop-prod-catalogue-blue"]
    }
  }

  tables = {
    orders = { service = "orders", table_name = "shop-prod-orders", indexes = ["GSI1"], replica_regions = ["eu-central-1"] }
  }

  databases = {
    main    = { service = "catalogue", identifier = "shop-prod", max_connections = 190, storage_gb = 50 }
    replica = { service = "catalogue", identifier = "shop-prod-replica", max_connections = 190, storage_gb = 50, replica = true }
  }

  documentdb_clusters = {
    content = { service = "catalogue", identifier = "shop-prod", instance_ids = ["shop-prod-0", "shop-prod-1"], max_connections = 500 }
  }

  proxies = {
    main = { service = "catalogue", proxy_name = "shop-prod" }
  }

  buckets = {
    images = { service = "catalogue", bucket_name = "shop-prod-assets-123456789012" }
  }

  caches = {
    pages    = { service = "catalogue", node_count = 2, member_ids = ["shop-prod-001", "shop-prod-002"] }
    sessions = { service = "orders", serverless_name = "shop-prod-sessions", serverless_limit_gb = 2 }
  }

  queues = {
    invoices = { service = "orders", queue_name = "shop-prod-invoices", dead_letter_name = "shop-prod-invoices-dead-letters" }
  }
}
