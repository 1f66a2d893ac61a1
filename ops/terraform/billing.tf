# AWS publishes charges as a metric only in us-east-1, and only if "CloudWatch billing alerts" is
# enabled in the account's billing preferences.
locals {
  billing_region = "us-east-1"
}

resource "aws_kms_key" "billing" {
  region                  = local.billing_region
  description             = "newsintel ${var.environment}: billing notifications"
  enable_key_rotation     = true
  rotation_period_in_days = 365
  deletion_window_in_days = 30

  policy = jsonencode({ Version = "2012-10-17", Statement = [local.account_administers, local.alarms_encrypt] })
}

resource "aws_sns_topic" "billing" {
  region            = local.billing_region
  name              = "${local.name}-billing"
  kms_master_key_id = aws_kms_key.billing.arn
}

resource "aws_sns_topic_policy" "billing" {
  region = local.billing_region
  arn    = aws_sns_topic.billing.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:${local.billing_region}:${var.account_id}:${local.name}-billing"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "billing" {
  region    = local.billing_region
  topic_arn = aws_sns_topic.billing.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "billing" {
  region              = local.billing_region
  alarm_name          = "${local.name}-billing"
  alarm_description   = "The account's estimated charges of this month exceed ${var.monthly_budget_usd} USD"
  namespace           = "AWS/Billing"
  metric_name         = "EstimatedCharges"
  dimensions          = { Currency = "USD" }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.monthly_budget_usd
  period              = 21600
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  actions_enabled     = true
  alarm_actions       = [aws_sns_topic.billing.arn]
}
