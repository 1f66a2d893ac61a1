locals {
  name = "newsintel-${var.environment}"

  tags = {
    Application = "newsintel"
    Environment = var.environment
    ManagedBy   = "terraform"
  }

  # ARNs are built from names and not read from resources: a policy with values known only after
  # creation cannot be reviewed or checked before.
  arn = {
    cluster         = "arn:aws:ecs:${var.region}:${var.account_id}:cluster/${local.name}"
    service         = "arn:aws:ecs:${var.region}:${var.account_id}:service/${local.name}/${local.name}"
    repository      = "arn:aws:ecr:${var.region}:${var.account_id}:repository/${local.name}"
    execution_role  = "arn:aws:iam::${var.account_id}:role/${local.name}-execution"
    migrate_role    = "arn:aws:iam::${var.account_id}:role/${local.name}-migrate-execution"
    task_role       = "arn:aws:iam::${var.account_id}:role/${local.name}-task"
    ops_role        = "arn:aws:iam::${var.account_id}:role/${local.name}-ops"
    task_definition = "arn:aws:ecs:${var.region}:${var.account_id}:task-definition"
    secret          = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:newsintel/${var.environment}"
    log_group       = "arn:aws:logs:${var.region}:${var.account_id}:log-group"
  }

  port = 8000

  # Graviton: a fifth cheaper than X86_64. The pipeline builds the image for it.
  architecture = "ARM64"

  # The service shuts down within drain_s; its watchdog allows 5 s more
  # (newsintel/runtime/lifecycle.py). ECS must wait for both before it kills the task.
  drain_s           = 20
  stop_timeout_s    = 30
  deregistration_s  = 30
  watchdog_slack_s  = 5
  database_pool     = 10
  database_name     = "newsintel"
  database_owner    = "newsintel_owner"
  database_role     = "newsintel_service"
  database_overhead = 30 # RDS's own sessions, sessions reserved for superusers, and a migration
  # A deployment runs new tasks beside the old ones (deployment_maximum_percent = 200).
  database_connections = 2 * var.max_tasks * local.database_pool + local.database_overhead
}
