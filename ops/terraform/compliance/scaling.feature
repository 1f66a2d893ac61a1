@noskip
Feature: The service scales out in time, and rolls back broken deployments

  Scenario: at least two tasks run
    Given I have aws_appautoscaling_target defined
    Then it must contain min_capacity
    And its value must be greater than 1

  Scenario: at most ten tasks run
    Given I have aws_appautoscaling_target defined
    Then it must contain max_capacity
    And its value must match the "^10$" regex

  Scenario: tasks are added at 70 % of their core
    Given I have aws_appautoscaling_policy defined
    When its name is newsintel-production-cpu
    Then it must contain target_value
    And its value must match the "^70$" regex

  Scenario: cores are measured
    Given I have aws_appautoscaling_policy defined
    When its name is newsintel-production-cpu
    Then it must contain predefined_metric_type
    And its value must match the "^ECSServiceAverageCPUUtilization$" regex

  Scenario: requests are counted
    Given I have aws_appautoscaling_policy defined
    When its name is newsintel-production-requests
    Then it must contain predefined_metric_type
    And its value must match the "^ALBRequestCountPerTarget$" regex

  Scenario: tasks are removed again
    Given I have aws_appautoscaling_policy defined
    Then it must contain disable_scale_in
    And its value must match the "^false$" regex

  Scenario: a deployment never leaves fewer tasks
    Given I have aws_ecs_service defined
    Then it must contain deployment_minimum_healthy_percent
    And its value must match the "^100$" regex

  Scenario: a deployment never needs more connections than there are
    Given I have aws_ecs_service defined
    Then it must contain deployment_maximum_percent
    And its value must match the "^200$" regex

  Scenario: a deployment that does not start is stopped
    Given I have aws_ecs_service defined
    When it contains deployment_circuit_breaker
    Then it must contain enable
    And its value must match the "^true$" regex

  Scenario: a deployment that does not start is rolled back
    Given I have aws_ecs_service defined
    When it contains deployment_circuit_breaker
    Then it must contain rollback
    And its value must match the "^true$" regex

  Scenario: a deployment watches alarms
    Given I have aws_ecs_service defined
    When it contains alarms
    Then it must contain enable
    And its value must match the "^true$" regex

  Scenario: a deployment watches what a new version can cause
    Given I have aws_ecs_service defined
    When it contains alarms
    Then it must contain alarm_names
    And its value must match the "^newsintel-production-(service-errors|balancer-errors|unhealthy-tasks|flight-bugs)$" regex

  Scenario: a deployment that raises an alarm is rolled back
    Given I have aws_ecs_service defined
    When it contains alarms
    Then it must contain rollback
    And its value must match the "^true$" regex

  Scenario: tasks are moved when a zone has too many
    Given I have aws_ecs_service defined
    Then it must contain availability_zone_rebalancing
    And its value must match the "^ENABLED$" regex
