# What wakes somebody. An alarm here means that people are, or soon will be, badly served; the rest is for the dashboard.
locals {
  # Metrics of the service itself: embedded in its log by NEWSINTEL_LOG_FORMAT=emf. `newsintel config --metrics` lists the names.
  own_metrics    = "newsintel"
  own_dimensions = { env = "production" }

  balancer_dimensions = { LoadBalancer = aws_lb.main.arn_suffix }
  target_dimensions   = { LoadBalancer = aws_lb.main.arn_suffix, TargetGroup = aws_lb_target_group.service.arn_suffix }
  service_dimensions  = { ClusterName = local.name, ServiceName = local.name }
  database_dimensions = { DBInstanceIdentifier = local.name }

  alarms = merge(
    {
      service-errors      = { text = "The service answers with 5xx of its own", namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.target_dimensions, statistic = "Sum", above = 25, minutes = 1, periods = 3 }
      balancer-errors     = { text = "The load balancer answers 5xx in the service's place", namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer_dimensions, statistic = "Sum", above = 10, minutes = 1, periods = 3 }
      slow-answers        = { text = "One answer in a hundred takes longer than the search deadline and a half", namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.target_dimensions, statistic = "p99", above = 2.25, minutes = 5, periods = 3 }
      unhealthy-tasks     = { text = "A task does not answer /health", namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.target_dimensions, statistic = "Maximum", above = 0, minutes = 1, periods = 5 }
      too-few-tasks       = { text = "Fewer tasks run than must", namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", dimensions = local.service_dimensions, statistic = "Minimum", below = var.min_tasks, minutes = 1, periods = 10, missing = "breaching" }
      busy-tasks          = { text = "Tasks stay busy although more were started: max_tasks is too low", namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service_dimensions, statistic = "Average", above = 85, minutes = 5, periods = 3 }
      full-memory         = { text = "Tasks are running out of memory", namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service_dimensions, statistic = "Maximum", above = 85, minutes = 5, periods = 3 }
      database-cpu        = { text = "The database is busy", namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database_dimensions, statistic = "Average", above = 80, minutes = 5, periods = 3 }
      database-storage    = { text = "Less than a tenth of the database's first storage is free, and growing it did not help", namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database_dimensions, statistic = "Minimum", below = var.database_storage_gib * 107374182, minutes = 5, periods = 3 }
      database-memory     = { text = "Less than 256 MiB of the database's memory is free", namespace = "AWS/RDS", metric = "FreeableMemory", dimensions = local.database_dimensions, statistic = "Minimum", below = 268435456, minutes = 5, periods = 3 }
      database-connection = { text = "Nine tenths of the database's connections are taken", namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database_dimensions, statistic = "Maximum", above = floor(local.database_connections * 0.9), minutes = 1, periods = 3 }
      own-errors          = { text = "Answers of 5xx, as the service counts them", namespace = local.own_metrics, metric = "http_5xx", dimensions = local.own_dimensions, statistic = "Sum", above = 25, minutes = 1, periods = 3 }
      failed-searches     = { text = "Searches for which no source, copy or archive had an answer", namespace = local.own_metrics, metric = "searches_failed", dimensions = local.own_dimensions, statistic = "Sum", above = 25, minutes = 1, periods = 3 }
      flight-bugs         = { text = "A bug ended a search; its traceback is in the log", namespace = local.own_metrics, metric = "flight_bugs", dimensions = local.own_dimensions, statistic = "Sum", above = 0, minutes = 5, periods = 1 }
      lost-articles       = { text = "Articles were lost: the database stayed away longer than a shutdown lasts", namespace = local.own_metrics, metric = "lost_articles", dimensions = local.own_dimensions, statistic = "Sum", above = 0, minutes = 5, periods = 1 }
      refused-messages    = { text = "Inboxes are full: answers are not archived, cached or recorded", namespace = local.own_metrics, metric = "refusals", dimensions = local.own_dimensions, statistic = "Sum", above = 0, minutes = 5, periods = 3 }
      archive-behind      = { text = "Answers wait half a minute for the archive", namespace = local.own_metrics, metric = "queue_age_s_persister", dimensions = local.own_dimensions, statistic = "Maximum", above = 30, minutes = 1, periods = 5 }
      cache-away          = { text = "The service has given up on its cache", namespace = local.own_metrics, metric = "redis_breaker_open", dimensions = local.own_dimensions, statistic = "Maximum", above = 0, minutes = 1, periods = 5 }
    },
    {
      for node in range(1, 1 + (var.multi_az ? 2 : 1)) : "cache-${node}-memory" => {
        text = "The cache's node ${node} is nearly full", namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = format("%s-%03d", local.name, node) }, statistic = "Maximum", above = 90, minutes = 5, periods = 3
      }
    },
    {
      for source in var.sources : "${source}-away" => {
        text = "The service has left ${source} alone for half an hour", namespace = local.own_metrics, metric = "source_ready_${source}", dimensions = local.own_dimensions, statistic = "Maximum", below = 1, minutes = 5, periods = 6
      }
    },
  )

  # Those that undo a deployment: what a new version can break, and nothing that a source or a store can.
  deployment_alarms = ["service-errors", "balancer-errors", "unhealthy-tasks", "flight-bugs"]
}

resource "aws_cloudwatch_metric_alarm" "main" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = try(each.value.above, null) == null ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = try(each.value.above, each.value.below)
  period              = 60 * each.value.minutes
  evaluation_periods  = each.value.periods
  treat_missing_data  = try(each.value.missing, "notBreaching")
  actions_enabled     = true
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
