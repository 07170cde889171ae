data "aws_availability_zones" "this" {
  #checkov:skip=CKV_AWS_394:Sorted and cut to zone_count; `zones` pins them by name
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  zones = length(var.zones) > 0 ? var.zones : slice(sort(data.aws_availability_zones.this.names), 0, var.zone_count)
  place = { for place, zone in local.zones : zone => place }

  # A sixteenth of the VPC for each private subnet (0, 1, 2), one for all public (14) and one for all data subnets (15).
  public_block = cidrsubnet(var.cidr, 4, 14)
  data_block   = cidrsubnet(var.cidr, 4, 15)
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # private DNS of interface endpoints
  tags                 = merge(var.tags, { Name = var.name })
}

# Nothing uses it; emptied, so that nothing can.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.name}-default-closed" })
}

resource "aws_subnet" "public" {
  for_each = local.place

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(local.public_block, 4, each.value)
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-public-${each.key}" })
}

resource "aws_subnet" "private" {
  for_each = local.place

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, each.value)
  tags              = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_subnet" "data" {
  for_each = local.place

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(local.data_block, 4, each.value)
  tags              = merge(var.tags, { Name = "${var.name}-data-${each.key}" })
}
