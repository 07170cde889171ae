resource "aws_vpc_endpoint" "gateway" {
  for_each = var.gateway_endpoints

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat([aws_route_table.data.id], [for table in aws_route_table.private : table.id])
  policy            = each.key == "dynamodb" ? data.aws_iam_policy_document.own_account.json : null
  tags              = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

# Only this account's roles get to DynamoDB through it: stolen keys of another account carry nothing out.
data "aws_iam_policy_document" "own_account" {
  #checkov:skip=CKV_AWS_283:Limited to this account's principals by the condition
  #checkov:skip=CKV_AWS_356:An endpoint's policy only narrows what the caller's own policies allow
  #checkov:skip=CKV_AWS_111:An endpoint's policy only narrows what the caller's own policies allow
  #checkov:skip=CKV_AWS_108:An endpoint's policy only narrows what the caller's own policies allow
  #checkov:skip=CKV_AWS_109:An endpoint's policy only narrows what the caller's own policies allow
  #checkov:skip=CKV_AWS_110:An endpoint's policy only narrows what the caller's own policies allow
  statement {
    actions   = ["dynamodb:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.current.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoint.id]
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_security_group" "endpoint" {
  #checkov:skip=CKV2_AWS_5:Attached to the interface endpoints, of which there may be none
  name_prefix = "${var.name}-endpoint-"
  description = "Interface endpoints: HTTPS from the VPC"
  vpc_id      = aws_vpc.this.id
  tags        = merge(var.tags, { Name = "${var.name}-endpoint" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoint" {
  security_group_id = aws_security_group.endpoint.id
  description       = "HTTPS from the VPC"
  cidr_ipv4         = aws_vpc.this.cidr_block
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group" "workload" {
  #checkov:skip=CKV2_AWS_5:Functions and services of the root module attach it
  name_prefix = "${var.name}-workload-"
  description = "Functions and services: no way in, out to the VPC and to HTTPS"
  vpc_id      = aws_vpc.this.id
  tags        = merge(var.tags, { Name = "${var.name}-workload" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "workload_vpc" {
  security_group_id = aws_security_group.workload.id
  description       = "Stores and endpoints in the VPC, whose own groups decide"
  cidr_ipv4         = aws_vpc.this.cidr_block
  ip_protocol       = "tcp"
  from_port         = 0
  to_port           = 65535
}

resource "aws_vpc_security_group_egress_rule" "workload_https" {
  security_group_id = aws_security_group.workload.id
  description       = "HTTPS: AWS and others' APIs"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
