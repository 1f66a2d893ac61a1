locals {
  own_metric = { for name in [
    "hit_ratio", "searches", "searches_failed", "http_requests", "http_5xx", "redis_breaker_open", "flights", "refusals", "lost_articles", "dead_letters",
    "queue_age_s_merger", "queue_age_s_persister", "queue_age_s_cache_writer", "queue_age_s_recorder",
  ] : name => [local.own_metrics, name, "env", local.own_dimensions.env] }

  # Title, statistic, metrics; three per row.
  widgets = [
    { title = "Requests and 5xx per minute", stat = "Sum", metrics = [
      local.own_metric.http_requests,
      local.own_metric.http_5xx,
      ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", aws_lb.main.arn_suffix],
    ] },
    { title = "Share of searches answered from the cache", stat = "Average", metrics = [local.own_metric.hit_ratio] },
    { title = "Searches, and those without an answer", stat = "Sum", metrics = [local.own_metric.searches, local.own_metric.searches_failed] },
    { title = "p99 of a source's answer (ms)", stat = "Maximum", metrics = [for source in var.sources : [local.own_metrics, "fetch_p99_ms_${source}", "env", local.own_dimensions.env]] },
    { title = "Circuit breakers: source is called (1) or not (0), Redis is not called (1)", stat = "Minimum", metrics = concat(
      [for source in var.sources : [local.own_metrics, "source_ready_${source}", "env", local.own_dimensions.env]],
      [concat(local.own_metric.redis_breaker_open, [{ stat = "Maximum" }])],
    ) },
    { title = "Failed fetches", stat = "Sum", metrics = [for source in var.sources : [local.own_metrics, "fetch_failures_${source}", "env", local.own_dimensions.env]] },
    { title = "Age of inboxes (s)", stat = "Maximum", metrics = [
      local.own_metric.queue_age_s_merger,
      local.own_metric.queue_age_s_persister,
      local.own_metric.queue_age_s_cache_writer,
      local.own_metric.queue_age_s_recorder,
    ] },
    { title = "Refused messages, lost articles, dead letters", stat = "Sum", metrics = [local.own_metric.refusals, local.own_metric.lost_articles, local.own_metric.dead_letters] },
    { title = "Running searches", stat = "Maximum", metrics = [local.own_metric.flights] },
    { title = "Answers of tasks: p50, p99 (s)", stat = "p99", metrics = [
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", aws_lb.main.arn_suffix],
      ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", aws_lb.main.arn_suffix, { stat = "p50" }],
    ] },
    { title = "Tasks: CPU and memory (%)", stat = "Average", metrics = [
      ["AWS/ECS", "CPUUtilization", "ClusterName", local.name, "ServiceName", local.name],
      ["AWS/ECS", "MemoryUtilization", "ClusterName", local.name, "ServiceName", local.name],
    ] },
    { title = "Tasks running", stat = "Average", metrics = [["ECS/ContainerInsights", "RunningTaskCount", "ClusterName", local.name, "ServiceName", local.name]] },
    { title = "Database: CPU (%), connections", stat = "Maximum", metrics = [
      ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", local.name],
      ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", local.name],
    ] },
    { title = "Database: free storage and memory (bytes)", stat = "Minimum", metrics = [
      ["AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier", local.name],
      ["AWS/RDS", "FreeableMemory", "DBInstanceIdentifier", local.name],
    ] },
    { title = "Cache: memory (%), evictions", stat = "Maximum", metrics = [
      ["AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId", "${local.name}-001"],
      ["AWS/ElastiCache", "Evictions", "CacheClusterId", "${local.name}-001"],
    ] },
  ]
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.name

  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = 8 * (index % 3)
      y      = 6 * floor(index / 3)
      width  = 8
      height = 6
      properties = {
        title   = widget.title
        region  = var.region
        stat    = widget.stat
        period  = 60
        metrics = widget.metrics
      }
    }]
  })
}
