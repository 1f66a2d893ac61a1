locals {
  name = "newsintel-${var.environment}"

  tags = {
    Application = "newsintel"
    Environment = var.environment
    ManagedBy   = "terraform"
  }

  # ARNs are written out rather than taken from the resources: a policy made of values that are known only after creation cannot be reviewed,
  # or checked, before it exists.
  arn = {
    cluster         = "arn:aws:ecs:${var.region}:${var.account_id}:cluster/${local.name}"
    service         = "arn:aws:ecs:${var.region}:${var.account_id}:service/${local.name}/${local.name}"
    repository      = "arn:aws:ecr:${var.region}:${var.account_id}:repository/${local.name}"
    execution_role  = "arn:aws:iam::${var.account_id}:role/${local.name}-execution"
    migrate_role    = "arn:aws:iam::${var.account_id}:role/${local.name}-migrate-execution"
    task_role       = "arn:aws:iam::${var.account_id}:role/${local.name}-task"
    task_definition = "arn:aws:ecs:${var.region}:${var.account_id}:task-definition"
    secret          = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:newsintel/${var.environment}"
    log_group       = "arn:aws:logs:${var.region}:${var.account_id}:log-group"
  }

  port = 8000

  # The service ends in order within drain_s; its watchdog allows 5 s more (newsintel/runtime/lifecycle.py). Whoever kills it must wait for that.
  drain_s           = 20
  stop_timeout_s    = 30
  deregistration_s  = 30
  watchdog_slack_s  = 5
  database_pool     = 10
  database_name     = "newsintel"
  database_owner    = "newsintel_owner"
  database_role     = "newsintel_service"
  database_overhead = 30 # RDS's own sessions, those reserved for superusers, and a migration
  # A deployment runs the new tasks beside the old ones (deployment_maximum_percent = 200).
  database_connections = 2 * var.max_tasks * local.database_pool + local.database_overhead
}
