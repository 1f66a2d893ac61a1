@noskip
Feature: A container has only the rights that the service needs

  Background: the service's task definition
    Given I have aws_ecs_task_definition defined
    When its family is newsintel-production

  Scenario: its file system is read-only
    When it contains container_definitions
    Then it must contain readonlyRootFilesystem
    And its value must match the "^true$" regex

  Scenario: it does not run as root
    When it contains container_definitions
    Then it must contain user
    And its value must match the "^10001:10001$" regex

  Scenario: it has no privileges
    When it contains container_definitions
    Then it must contain privileged
    And its value must match the "^false$" regex

  Scenario: it has no Linux capabilities
    When it contains container_definitions
    Then it must contain drop
    And its value must match the "^ALL$" regex

  Scenario: no Linux capabilities are added
    When it contains container_definitions
    Then it must not contain add

  Scenario: it runs with a role without rights
    Then it must contain task_role_arn
    And its value must match the "^arn:aws:iam::111122223333:role/newsintel-production-task$" regex

  Scenario: a first process reaps and forwards signals
    When it contains container_definitions
    Then it must contain initProcessEnabled
    And its value must match the "^true$" regex

  Scenario: its stop timeout is longer than its own shutdown
    When it contains container_definitions
    Then it must contain stopTimeout
    And its value must match the "^30$" regex

  Scenario: its image comes from our registry by commit
    When it contains container_definitions
    Then it must contain image
    And its value must match the "^111122223333\.dkr\.ecr\.eu-west-1\.amazonaws\.com/newsintel-production:[0-9a-f]{40}$" regex

  Scenario: only the load balancer checks its health
    When it contains container_definitions
    Then it must not contain healthCheck

  Scenario: it has exactly one core
    Then it must contain cpu
    And its value must match the "^1024$" regex

  Scenario: it shares no network with other tasks
    Then it must contain network_mode
    And its value must match the "^awsvpc$" regex
