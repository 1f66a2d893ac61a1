# The alarms. Each means that people get bad service, or soon will; everything else is on the
# dashboard.
locals {
  # The service's own metrics, embedded in its log by NEWSINTEL_LOG_FORMAT=emf.
  # `newsintel config --metrics` lists the names.
  own_metrics    = "newsintel"
  own_dimensions = { env = "production" }

  balancer_dimensions = { LoadBalancer = aws_lb.main.arn_suffix }
  target_dimensions   = { LoadBalancer = aws_lb.main.arn_suffix, TargetGroup = aws_lb_target_group.service.arn_suffix }
  service_dimensions  = { ClusterName = local.name, ServiceName = local.name }
  database_dimensions = { DBInstanceIdentifier = local.name }

  alarms = merge(
    {
      service-errors      = { text = "The service itself answers 5xx", namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.target_dimensions, statistic = "Sum", above = 25, minutes = 1, periods = 3 }
      balancer-errors     = { text = "The load balancer answers 5xx in the service's place", namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer_dimensions, statistic = "Sum", above = 10, minutes = 1, periods = 3 }
      slow-answers        = { text = "One answer in a hundred takes longer than 1.5 times the search deadline", namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.target_dimensions, statistic = "p99", above = 2.25, minutes = 5, periods = 3 }
      unhealthy-tasks     = { text = "A task does not answer /health", namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.target_dimensions, statistic = "Maximum", above = 0, minutes = 1, periods = 5 }
      too-few-tasks       = { text = "Fewer than min_tasks tasks run", namespace = "ECS/ContainerInsights", metric = "RunningTaskCount", dimensions = local.service_dimensions, statistic = "Minimum", below = var.min_tasks, minutes = 1, periods = 10, missing = "breaching" }
      busy-tasks          = { text = "Tasks stay busy after scaling: max_tasks is too low", namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service_dimensions, statistic = "Average", above = 85, minutes = 5, periods = 3 }
      full-memory         = { text = "Tasks are running out of memory", namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service_dimensions, statistic = "Maximum", above = 85, minutes = 5, periods = 3 }
      database-cpu        = { text = "The database is busy", namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database_dimensions, statistic = "Average", above = 80, minutes = 5, periods = 3 }
      database-storage    = { text = "Less than a tenth of the database's initial storage is free, despite autoscaling", namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database_dimensions, statistic = "Minimum", below = var.database_storage_gib * 107374182, minutes = 5, periods = 3 }
      database-memory     = { text = "Less than 256 MiB of the database's memory is free", namespace = "AWS/RDS", metric = "FreeableMemory", dimensions = local.database_dimensions, statistic = "Minimum", below = 268435456, minutes = 5, periods = 3 }
      database-connection = { text = "Nine tenths of the database's connections are in use", namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database_dimensions, statistic = "Maximum", above = floor(local.database_connections * 0.9), minutes = 1, periods = 3 }
      own-errors          = { text = "5xx answers, counted by the service", namespace = local.own_metrics, metric = "http_5xx", dimensions = local.own_dimensions, statistic = "Sum", above = 25, minutes = 1, periods = 3 }
      failed-searches     = { text = "Searches that no source, cache or archive could answer", namespace = local.own_metrics, metric = "searches_failed", dimensions = local.own_dimensions, statistic = "Sum", above = 25, minutes = 1, periods = 3 }
      flight-bugs         = { text = "A bug ended a search; its traceback is in the log", namespace = local.own_metrics, metric = "flight_bugs", dimensions = local.own_dimensions, statistic = "Sum", above = 0, minutes = 5, periods = 1 }
      lost-articles       = { text = "Articles were lost: the database was unavailable, and the spool was full or unavailable too", namespace = local.own_metrics, metric = "lost_articles", dimensions = local.own_dimensions, statistic = "Sum", above = 0, minutes = 5, periods = 1 }
      refused-messages    = { text = "Inboxes are full: answers are not archived, cached or recorded", namespace = local.own_metrics, metric = "refusals", dimensions = local.own_dimensions, statistic = "Sum", above = 0, minutes = 5, periods = 3 }
      archive-behind      = { text = "Articles wait in the spool for five minutes: the database is unavailable or too slow", namespace = local.own_metrics, metric = "spool_bytes", dimensions = local.own_dimensions, statistic = "Maximum", above = 0, minutes = 1, periods = 5 }
      cache-away          = { text = "The service cannot use its cache (circuit breaker open)", namespace = local.own_metrics, metric = "redis_breaker_open", dimensions = local.own_dimensions, statistic = "Maximum", above = 0, minutes = 1, periods = 5 }
    },
    {
      for node in range(1, 1 + (var.multi_az ? 2 : 1)) : "cache-${node}-memory" => {
        text = "The cache's node ${node} is nearly full", namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = format("%s-%03d", local.name, node) }, statistic = "Maximum", above = 90, minutes = 5, periods = 3
      }
    },
    {
      for source in var.sources : "${source}-away" => {
        text = "The service has suspended calls to ${source} for half an hour", namespace = local.own_metrics, metric = "source_ready_${source}", dimensions = local.own_dimensions, statistic = "Maximum", below = 1, minutes = 5, periods = 6
      }
    },
  )

  # These alarms roll a deployment back: a new version can cause them, a source or a store cannot.
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
