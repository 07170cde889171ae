locals {
  nat_zones = var.nat == "none" ? [] : var.nat_per_zone ? local.zones : slice(local.zones, 0, 1)
  nat_zone  = { for zone in local.zones : zone => var.nat_per_zone ? zone : local.zones[0] }

  nat_instance_zones = toset([for zone in local.nat_zones : zone if var.nat == "instance"])
}

resource "aws_eip" "nat" {
  #checkov:skip=CKV2_AWS_19:Attached to the NAT gateway, or to the NAT instance's network interface
  for_each = toset(local.nat_zones)

  domain = "vpc"
  tags   = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })

  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  for_each = toset([for zone in local.nat_zones : zone if var.nat == "gateway"])

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })

  depends_on = [aws_internet_gateway.this]
}

# The interface holds address and route, so that a replaced instance takes over both.
resource "aws_network_interface" "nat" {
  for_each = local.nat_instance_zones

  subnet_id         = aws_subnet.public[each.key].id
  security_groups   = [aws_security_group.nat[0].id]
  source_dest_check = false
  description       = "NAT instance of ${var.name} in ${each.key}"
  tags              = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })
}

resource "aws_eip_association" "nat" {
  for_each = local.nat_instance_zones

  allocation_id        = aws_eip.nat[each.key].id
  network_interface_id = aws_network_interface.nat[each.key].id
}

data "aws_ssm_parameter" "nat_image" {
  count = var.nat == "instance" ? 1 : 0

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_instance" "nat" {
  for_each = local.nat_instance_zones

  ami                         = data.aws_ssm_parameter.nat_image[0].insecure_value
  instance_type               = var.nat_instance_type
  iam_instance_profile        = aws_iam_instance_profile.nat[0].name
  user_data                   = file("${path.module}/nat-instance.sh")
  user_data_replace_on_change = true
  monitoring                  = true
  ebs_optimized               = true
  tags                        = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })

  primary_network_interface {
    network_interface_id = aws_network_interface.nat[each.key].id
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  root_block_device {
    encrypted   = true
    kms_key_id  = var.kms_key_arn
    volume_type = "gp3"
  }

  # The script needs the internet at its first start.
  depends_on = [aws_eip_association.nat, aws_route.public, aws_route_table_association.public]

  lifecycle {
    ignore_changes = [ami] # a new image would cut the way out at the next apply: replace it when it suits, see README
  }
}

resource "aws_security_group" "nat" {
  count = var.nat == "instance" ? 1 : 0

  name_prefix = "${var.name}-nat-"
  description = "NAT instance: from the private subnets, to anywhere"
  vpc_id      = aws_vpc.this.id
  tags        = merge(var.tags, { Name = "${var.name}-nat" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "nat" {
  for_each = { for zone, place in local.place : zone => place if var.nat == "instance" }

  security_group_id = aws_security_group.nat[0].id
  description       = "Private subnet ${each.key}"
  cidr_ipv4         = aws_subnet.private[each.key].cidr_block
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "nat" {
  #checkov:skip=CKV_AWS_382:A NAT forwards whatever the private subnets may send; their own groups decide what that is
  count = var.nat == "instance" ? 1 : 0

  security_group_id = aws_security_group.nat[0].id
  description       = "What the private subnets send"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

# Session Manager instead of SSH: no port, no key pair.
resource "aws_iam_role" "nat" {
  count = var.nat == "instance" ? 1 : 0

  name_prefix        = "${substr(var.name, 0, 32)}-nat-"
  assume_role_policy = data.aws_iam_policy_document.nat_assume.json
  tags               = var.tags
}

data "aws_iam_policy_document" "nat_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy_attachment" "nat" {
  count = var.nat == "instance" ? 1 : 0

  role       = aws_iam_role.nat[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "nat" {
  count = var.nat == "instance" ? 1 : 0

  name_prefix = "${var.name}-nat-"
  role        = aws_iam_role.nat[0].name
  tags        = var.tags
}
