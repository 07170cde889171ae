# The load balancer, one target group per release, and the rule that weights them.

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:access logs need a bucket of the caller's (access_log_bucket)
  #checkov:skip=CKV_AWS_150:deletion protection is on by default; a development environment may turn it off
  #checkov:skip=CKV2_AWS_76:which rules a web ACL has is decided where it is made
  #checkov:skip=CKV2_AWS_28:an internal load balancer stands behind the API's WAF; a public one takes web_acl
  count = local.web ? 1 : 0

  name                       = local.short_name
  internal                   = var.load_balancer.internal
  load_balancer_type         = "application"
  subnets                    = var.load_balancer.subnet_ids
  security_groups            = [aws_security_group.load_balancer[0].id]
  idle_timeout               = var.load_balancer.idle_timeout_seconds
  enable_deletion_protection = var.load_balancer.deletion_protection
  drop_invalid_header_fields = true
  tags                       = var.tags

  dynamic "access_logs" {
    for_each = var.load_balancer.access_log_bucket == null ? [] : [var.load_balancer.access_log_bucket]

    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = local.web ? (var.load_balancer.web_acl != null ? 1 : 0) : 0

  resource_arn = aws_lb.this[0].arn
  web_acl_arn  = var.load_balancer.web_acl.arn
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; from there to the task it is the VPC and two security groups
  for_each = local.web ? local.releases : {}

  name                 = "${local.short_name}-${each.key}"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 80 # ECS registers each task with its own port; a change of this one would replace the group
  deregistration_delay = var.load_balancer.drain_seconds
  tags                 = var.tags

  health_check {
    path                = var.health_check.path
    matcher             = var.health_check.status
    interval            = var.health_check.interval_seconds
    timeout             = var.health_check.timeout_seconds
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener" "https" {
  count = local.web ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.load_balancer.certificate_arn
  tags              = var.tags

  # Only the rule below sends traffic on.
  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "503"
    }
  }
}

resource "aws_lb_listener" "redirect" {
  count = local.web ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = 80
  protocol          = "HTTP"
  tags              = var.tags

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

# Two resources, one of which exists: Terraform cannot decide with a variable what it ignores.
# No stickiness: it would override the weights.

resource "aws_lb_listener_rule" "terraform" {
  count = local.web && var.traffic_owner == "terraform" ? 1 : 0

  listener_arn = aws_lb_listener.https[0].arn
  priority     = 100
  tags         = var.tags

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.releases

        content {
          arn    = aws_lb_target_group.this[target_group.key].arn
          weight = target_group.value.weight
        }
      }
    }
  }
}

resource "aws_lb_listener_rule" "cutover" {
  count = local.web && var.traffic_owner == "cutover" ? 1 : 0

  listener_arn = aws_lb_listener.https[0].arn
  priority     = 100
  tags         = var.tags

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.releases

        content {
          arn    = aws_lb_target_group.this[target_group.key].arn
          weight = target_group.value.weight
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [action]
  }
}

locals {
  traffic_rule_arn = one(concat(aws_lb_listener_rule.terraform[*].arn, aws_lb_listener_rule.cutover[*].arn))
  url              = local.web ? "https://${var.domain == null ? aws_lb.this[0].dns_name : var.domain.name}" : null
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_lb.this[0].dns_name
    zone_id                = aws_lb.this[0].zone_id
    evaluate_target_health = true
  }
}
