@noskip
Feature: Events are logged, and alarms notify people

  Scenario: logs are kept for a year
    Given I have aws_cloudwatch_log_group defined
    Then it must contain retention_in_days
    And its value must match the "^365$" regex

  Scenario: requests are logged
    Given I have aws_lb defined
    When it contains access_logs
    Then it must contain enabled
    And its value must match the "^true$" regex

  Scenario: access logs expire
    Given I have aws_s3_bucket_lifecycle_configuration defined
    When it contains expiration
    Then it must contain days
    And its value must match the "^365$" regex

  Scenario: accepted and refused connections are logged
    Given I have aws_flow_log defined
    Then it must contain traffic_type
    And its value must match the "^ALL$" regex

  Scenario: the database exports its log
    Given I have aws_db_instance defined
    Then it must contain enabled_cloudwatch_logs_exports
    And any of its values must match the "^postgresql$" regex

  Scenario: the database's log has no search terms
    Given I have aws_db_parameter_group defined
    When it contains parameter
    When its name is log_parameter_max_length
    Then it must contain value
    And its value must match the "^0$" regex

  Scenario: changes of the schema are logged
    Given I have aws_db_parameter_group defined
    When it contains parameter
    When its name is log_statement
    Then it must contain value
    And its value must match the "^ddl$" regex

  Scenario: the database's wait events are measured
    Given I have aws_db_instance defined
    Then it must contain performance_insights_enabled
    And its value must match the "^true$" regex

  Scenario: the database's machine is measured every minute
    Given I have aws_db_instance defined
    Then it must contain monitoring_interval
    And its value must match the "^60$" regex

  Scenario: the cache's slow commands are logged
    Given I have aws_elasticache_replication_group defined
    When it contains log_delivery_configuration
    Then it must contain log_type
    And any of its values must match the "^slow-log$" regex

  Scenario: tasks are counted and measured
    Given I have aws_ecs_cluster defined
    When it contains setting
    When its name is containerInsights
    Then it must contain value
    And its value must match the "^enhanced$" regex

  Scenario: the service's log leaves the container
    Given I have aws_ecs_task_definition defined
    When its family is newsintel-production
    When it contains container_definitions
    Then it must contain logDriver
    And its value must match the "^awslogs$" regex

  Scenario: the service's log never blocks it
    Given I have aws_ecs_task_definition defined
    When its family is newsintel-production
    When it contains container_definitions
    Then it must contain mode
    And its value must match the "^non-blocking$" regex

  Scenario: alarms notify people
    Given I have aws_cloudwatch_metric_alarm defined
    Then it must contain actions_enabled
    And its value must match the "^true$" regex

  Scenario: a missing task count raises an alarm
    Given I have aws_cloudwatch_metric_alarm defined
    When its metric_name is RunningTaskCount
    Then it must contain treat_missing_data
    And its value must match the "^breaching$" regex
