data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  web      = var.port != null
  releases = { for name, release in { blue = var.releases.blue, green = var.releases.green } : name => release if release != null }

  # Load balancers and target groups have names of 32 characters at most; "-green" needs six of them.
  short_name = length(var.name) <= 26 ? var.name : "${trimsuffix(substr(var.name, 0, 19), "-")}-${substr(sha1(var.name), 0, 6)}"

  cluster_arn  = var.cluster != null ? var.cluster.arn : aws_ecs_cluster.this[0].arn
  cluster_name = var.cluster != null ? var.cluster.name : aws_ecs_cluster.this[0].name
}

resource "aws_ecs_cluster" "this" {
  count = var.cluster == null ? 1 : 0

  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# A cluster takes only the capacity providers it is told of. A cluster that is given has its own.
resource "aws_ecs_cluster_capacity_providers" "this" {
  count = var.cluster == null ? 1 : 0

  cluster_name       = aws_ecs_cluster.this[0].name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:the default is a year; a shorter time is the caller's choice
  name              = "/aws/ecs/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.releases

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory_mb
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  tags                     = var.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  dynamic "volume" {
    for_each = local.writable

    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode([merge(
    {
      name                   = "app"
      image                  = each.value.image
      essential              = true
      readonlyRootFilesystem = true
      environment            = [for key in sort(keys(var.environment)) : { name = key, value = var.environment[key] }]
      secrets                = [for key in sort(keys(var.secrets)) : { name = key, valueFrom = var.secrets[key] }]
      mountPoints            = [for volume, path in local.writable : { sourceVolume = volume, containerPath = path, readOnly = false }]
      # SIGTERM, then this long to finish, then SIGKILL: longer than the load balancer drains.
      stopTimeout = 60
      # An init process passes signals on and reaps children; execute-command needs it too.
      linuxParameters = { initProcessEnabled = true }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          "awslogs-group"         = aws_cloudwatch_log_group.this.name
          "awslogs-region"        = local.region
          "awslogs-stream-prefix" = each.key
        }
      }
    },
    local.web ? { portMappings = [{ containerPort = var.port, protocol = "tcp" }] } : null,
    length(var.command) > 0 ? { command = var.command } : null,
  )])
}

locals {
  writable = { for path in var.writable_paths : trim(replace(path, "/[^A-Za-z0-9]+/", "-"), "-") => path }
}

resource "aws_ecs_service" "this" {
  for_each = local.releases

  name                   = "${var.name}-${each.key}"
  cluster                = local.cluster_arn
  task_definition        = aws_ecs_task_definition.this[each.key].arn
  desired_count          = each.value.min_tasks
  enable_execute_command = var.execute_command
  propagate_tags         = "SERVICE"
  platform_version       = "LATEST"
  tags                   = var.tags

  # A full set of new tasks is healthy before old ones go.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = local.web ? var.health_check.grace_seconds : null

  # A deployment whose tasks do not become healthy ends, and the last good one comes back.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = var.spot.on_demand_base
    weight            = var.spot.on_demand_weight
  }

  dynamic "capacity_provider_strategy" {
    for_each = var.spot.spot_weight > 0 ? [var.spot.spot_weight] : []

    content {
      capacity_provider = "FARGATE_SPOT"
      weight            = capacity_provider_strategy.value
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = local.web ? [aws_lb_target_group.this[each.key].arn] : []

    content {
      target_group_arn = load_balancer.value
      container_name   = "app"
      container_port   = var.port
    }
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling's
  }

  # A target group that no listener rule names yet is refused.
  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_lb_listener_rule.terraform, aws_lb_listener_rule.cutover, aws_iam_role_policy.execution]
}
