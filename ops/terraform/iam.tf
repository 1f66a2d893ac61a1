# Roles: to start the service, to start a migration, to run the service, to write the flow log, and
# to monitor the database.
locals {
  tasks_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:${var.region}:${var.account_id}:*" }
      }
    }]
  })

  # GetAuthorizationToken does not support resources.
  pull_image = [
    { Sid = "Registry", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
    {
      Sid      = "PullImage"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = local.arn.repository
    },
  ]

  # Secrets Manager appends a hyphen and six random characters to the name. This is the narrowest
  # pattern known before creation.
  secret_arns = { for key, secret in aws_secretsmanager_secret.main : key => "${local.arn.secret}/${key}-??????" }
}

resource "aws_iam_role" "execution" {
  name               = "${local.name}-execution"
  description        = "ECS starting the service or an operator's command: pulls the image, reads the secrets, opens the log"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role_policy" "execution" {
  name = "start-service"
  role = aws_iam_role.execution.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.pull_image, [
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = [for kind in ["service", "ops"] : "${local.arn.log_group}:/newsintel/${var.environment}/${kind}:*"] },
      { Sid = "Secrets", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = values(local.secret_arns) },
    ])
  })
}

resource "aws_iam_role" "migrate" {
  name               = "${local.name}-migrate-execution"
  description        = "ECS starting a migration: as the service's, but the database's secrets alone"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role_policy" "migrate" {
  name = "start-migration"
  role = aws_iam_role.migrate.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.pull_image, [
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${local.arn.log_group}:/newsintel/${var.environment}/migrate:*" },
      { Sid = "Secrets", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = [for key in ["addresses", "app", "cache", "database"] : local.secret_arns[key]] },
    ])
  })
}

# RDS names the owner's secret, so its ARN is known only after creation. Its policy is separate, so
# that the others can be reviewed before creation.
resource "aws_iam_role_policy" "migrate_owner" {
  name = "read-owner-secret"
  role = aws_iam_role.migrate.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_db_instance.main.master_user_secret[0].secret_arn }]
  })
}

# The service itself makes no AWS calls. ops.tf has the role of the operators' commands.
resource "aws_iam_role" "task" {
  name               = "${local.name}-task"
  description        = "The running service: no rights in AWS"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role" "flow_log" {
  name        = "${local.name}-flow-log"
  description = "The network writing its flow log"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "flow_log" {
  name = "write-flow-log"
  role = aws_iam_role.flow_log.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "${local.arn.log_group}:/newsintel/${var.environment}/flow:*"
    }]
  })
}

resource "aws_iam_role" "database_monitoring" {
  name        = "${local.name}-database-monitoring"
  description = "RDS publishing the metrics of its operating system"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "database_monitoring" {
  role       = aws_iam_role.database_monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
