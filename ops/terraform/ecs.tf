locals {
  image = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/${local.name}:${var.image_tag}"

  # Settings that are not secret. The names are newsintel's (`newsintel config`); tests/ops compares
  # the two.
  environment = merge(
    {
      NEWSINTEL_ENV             = "production"
      NEWSINTEL_BIND            = "0.0.0.0:${local.port}"
      NEWSINTEL_PUBLIC_URL      = "https://${var.domain_name}"
      NEWSINTEL_TRUSTED_PROXIES = join(",", [for subnet in aws_subnet.public : subnet.cidr_block])
      NEWSINTEL_DATABASE_POOL   = tostring(local.database_pool)
      NEWSINTEL_SOURCES         = join(",", var.sources)
      NEWSINTEL_SIGN_IN         = var.sign_in
      NEWSINTEL_LOG_FORMAT      = "emf"
      NEWSINTEL_DRAIN_S         = tostring(local.drain_s)
    },
    contains(var.sources, "reddit") ? { NEWSINTEL_REDDIT_USER_AGENT = var.reddit_user_agent } : {},
    var.oidc == null ? {} : {
      NEWSINTEL_OIDC_ISSUER    = var.oidc.issuer
      NEWSINTEL_OIDC_CLIENT_ID = var.oidc.client_id
      NEWSINTEL_OIDC_LABEL     = var.oidc.label
    },
  )

  # Settings from Secrets Manager: setting => secret:field.
  store_secrets = {
    NEWSINTEL_SECRET_KEYS       = "app:secret_keys"
    NEWSINTEL_DATABASE_URL      = "addresses:database"
    NEWSINTEL_DATABASE_PASSWORD = "database:password"
    NEWSINTEL_REDIS_URL         = "addresses:cache"
    NEWSINTEL_REDIS_PASSWORD    = "cache:password"
  }

  optional_secrets = {
    NEWSINTEL_METRICS_TOKEN        = "metrics:token"
    NEWSINTEL_NEWSAPI_KEY          = "newsapi:key"
    NEWSINTEL_GUARDIAN_KEY         = "guardian:key"
    NEWSINTEL_REDDIT_CLIENT_ID     = "reddit:client_id"
    NEWSINTEL_REDDIT_CLIENT_SECRET = "reddit:client_secret"
    NEWSINTEL_OIDC_CLIENT_SECRET   = "oidc:client_secret"
  }

  service_secrets = merge(local.store_secrets, {
    for name, field in local.optional_secrets : name => field if contains(setunion(["metrics"], local.used), split(":", field)[0])
  })

  # Common to all containers: unprivileged, with a read-only file system.
  container = {
    name                   = "newsintel"
    image                  = local.image
    essential              = true
    user                   = "10001:10001"
    privileged             = false
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
  }

  log = {
    for kind in ["service", "migrate", "ops"] : kind => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = "/newsintel/${var.environment}/${kind}"
        awslogs-region        = var.region
        awslogs-stream-prefix = kind
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  }
}

resource "aws_ecs_cluster" "main" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enhanced"
  }
}

resource "aws_ecs_task_definition" "service" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "1024" # one process uses one core: at two it never reaches 70 %
  memory                   = tostring(var.task_memory_mib)
  execution_role_arn       = local.arn.execution_role
  task_role_arn            = local.arn.task_role

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = local.architecture
  }

  container_definitions = jsonencode([merge(local.container, {
    command          = ["serve"]
    portMappings     = [{ containerPort = local.port, hostPort = local.port, protocol = "tcp" }]
    stopTimeout      = local.stop_timeout_s
    environment      = [for name, value in local.environment : { name = name, value = value }]
    secrets          = [for name, field in local.service_secrets : { name = name, valueFrom = "${local.arn.secret}/${field}::" }]
    logConfiguration = local.log.service
  })])

  lifecycle {
    precondition {
      condition     = local.drain_s + local.watchdog_slack_s <= local.stop_timeout_s - 5
      error_message = "stop_timeout_s must leave 5 s after the service's own end (drain_s and its watchdog's slack)."
    }
  }

  depends_on = [aws_iam_role_policy.execution, aws_iam_role.task, aws_secretsmanager_secret_version.generated, aws_secretsmanager_secret_version.addresses]
}

# The pipeline runs it before a new version. First it ensures that the service's database role
# exists, without rights over the schema.
resource "aws_ecs_task_definition" "migrate" {
  family                   = "${local.name}-migrate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "512"
  memory                   = "1024"
  execution_role_arn       = local.arn.migrate_role
  task_role_arn            = local.arn.task_role

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = local.architecture
  }

  container_definitions = jsonencode([merge(local.container, {
    entryPoint = ["python", "-c", file("${path.module}/service_role.py")]
    command    = ["newsintel", "migrate"]
    environment = [
      { name = "NEWSINTEL_ENV", value = "production" },
      { name = "NEWSINTEL_PUBLIC_URL", value = "https://${var.domain_name}" },
      { name = "NEWSINTEL_MIGRATE_DATABASE_URL", value = "postgresql://${local.database_owner}@${aws_db_instance.main.address}:5432/${local.database_name}?sslmode=verify-full" },
    ]
    secrets = concat(
      [for name, field in local.store_secrets : { name = name, valueFrom = "${local.arn.secret}/${field}::" }],
      [{ name = "NEWSINTEL_MIGRATE_DATABASE_PASSWORD", valueFrom = "${aws_db_instance.main.master_user_secret[0].secret_arn}:password::" }],
    )
    logConfiguration = local.log.migrate
  })])

  depends_on = [aws_iam_role_policy.migrate, aws_iam_role_policy.migrate_owner, aws_iam_role.task, aws_secretsmanager_secret_version.generated, aws_secretsmanager_secret_version.addresses]
}

resource "aws_ecs_service" "main" {
  name                               = local.name
  cluster                            = aws_ecs_cluster.main.id
  task_definition                    = aws_ecs_task_definition.service.arn
  launch_type                        = "FARGATE"
  platform_version                   = "LATEST"
  desired_count                      = var.min_tasks
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  availability_zone_rebalancing      = "ENABLED"
  enable_execute_command             = false
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = false

  network_configuration {
    subnets          = [for subnet in aws_subnet.private : subnet.id]
    security_groups  = [aws_security_group.service.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.service.arn
    container_name   = local.container.name
    container_port   = local.port
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  alarms {
    enable      = true
    rollback    = true
    alarm_names = [for key in local.deployment_alarms : "${local.name}-${key}"]
  }

  # The pipeline owns the revision; autoscaling owns the number of tasks.
  lifecycle {
    ignore_changes = [task_definition, desired_count]
  }

  depends_on = [aws_lb_listener.https, aws_cloudwatch_metric_alarm.main]
}
