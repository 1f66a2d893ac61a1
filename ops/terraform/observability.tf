# Logs and notifications. The alarms are in alarms.tf, the dashboard in dashboard.tf.
locals {
  log_groups = {
    service             = "/newsintel/${var.environment}/service"
    migrate             = "/newsintel/${var.environment}/migrate"
    ops                 = "/newsintel/${var.environment}/ops"
    flow                = "/newsintel/${var.environment}/flow"
    "cache-slow-log"    = "/newsintel/${var.environment}/cache-slow-log"
    "cache-engine-log"  = "/newsintel/${var.environment}/cache-engine-log"
    database-postgresql = "/aws/rds/instance/${local.name}/postgresql"
    database-upgrade    = "/aws/rds/instance/${local.name}/upgrade"
    container-insights  = "/aws/ecs/containerinsights/${local.name}/performance"
  }
}

resource "aws_cloudwatch_log_group" "main" {
  for_each = local.log_groups

  name              = each.value
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.main["logs"].arn
  skip_destroy      = false
}

resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = aws_kms_key.main["alarms"].arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"] }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:${var.region}:${var.account_id}:${local.name}-alarms"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# ElastiCache cannot publish to an encrypted topic. Its events name a node and what happens to it.
resource "aws_sns_topic" "cache_events" {
  # checkov:skip=CKV_AWS_26: ElastiCache cannot publish to an encrypted topic, and its events are no secret
  name = "${local.name}-cache-events"
}

resource "aws_sns_topic_subscription" "cache_events" {
  topic_arn = aws_sns_topic.cache_events.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
