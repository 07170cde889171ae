resource "aws_security_group" "load_balancer" {
  count = local.web ? 1 : 0

  name        = "${var.name}-load-balancer"
  description = "Load balancer of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-load-balancer" })

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  # Port 80 only redirects.
  allowed_cidrs  = local.web ? { for pair in setproduct(range(length(var.load_balancer.allowed_cidrs)), [443, 80]) : "${pair[0]}-${pair[1]}" => { cidr = var.load_balancer.allowed_cidrs[pair[0]], port = pair[1] } } : {}
  allowed_groups = local.web ? { for index, group in var.load_balancer.allowed_group_ids : tostring(index) => group } : {}
}

resource "aws_vpc_security_group_ingress_rule" "cidrs" {
  #checkov:skip=CKV_AWS_260:port 80 answers with a redirect to HTTPS and nothing else
  for_each = local.allowed_cidrs

  security_group_id = aws_security_group.load_balancer[0].id
  description       = each.value.port == 443 ? "HTTPS" : "Redirect to HTTPS"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "groups" {
  for_each = local.allowed_groups

  security_group_id            = aws_security_group.load_balancer[0].id
  description                  = "HTTPS"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "to_tasks" {
  count = local.web ? 1 : 0

  security_group_id            = aws_security_group.load_balancer[0].id
  description                  = "To the tasks"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_security_group" "tasks" {
  #checkov:skip=CKV2_AWS_5:the tasks' network configuration uses it
  name        = "${var.name}-tasks"
  description = "Tasks of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-tasks" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  count = local.web ? 1 : 0

  security_group_id            = aws_security_group.tasks.id
  description                  = "From the load balancer"
  referenced_security_group_id = aws_security_group.load_balancer[0].id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

# AWS's own services (the registry, logs, secrets, SQS, DynamoDB) have no fixed addresses, so HTTPS is open outwards.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.tasks.id
  description       = "HTTPS, to AWS's services and others"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "named" {
  for_each = var.egress

  security_group_id            = aws_security_group.tasks.id
  description                  = each.key
  referenced_security_group_id = each.value.group_id
  cidr_ipv4                    = each.value.cidr
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}
