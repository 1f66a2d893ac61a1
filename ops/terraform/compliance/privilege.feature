@noskip
Feature: Every role has only the rights that it needs

  Scenario: there are no policies but the known ones
    Given I have aws_iam_role_policy defined
    Then it must contain name
    And its value must match the "^(start-service|start-migration|read-owner-secret|write-flow-log|deploy)$" regex

  Scenario: AWS's own policies are used for RDS's monitoring alone
    Given I have aws_iam_role_policy_attachment defined
    Then it must contain policy_arn
    And its value must match the "^arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole$" regex

  Scenario: no right is given by wildcard
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    Then it must contain Action
    And its value must not match the ".*\*" regex

  Scenario: rights are named, not what is left of them
    Given I have aws_iam_role_policy defined
    When it contains policy
    Then it must not contain NotAction

  Scenario: resources are named, not what is left of them
    Given I have aws_iam_role_policy defined
    When it contains policy
    Then it must not contain NotResource

  Scenario: rights over every resource are those that know none
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    When its Resource is *
    Then it must contain Action
    And its value must match the "^(ecr:GetAuthorizationToken|ecs:DescribeTaskDefinition|ecs:RegisterTaskDefinition)$" regex

  Scenario: secrets are read one by one
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    When its Action is secretsmanager:GetSecretValue
    Then it must contain Resource
    And its value must match the "^arn:aws:secretsmanager:eu-west-1:111122223333:secret:newsintel/production/[a-z]+-\?{6}$" regex

  Scenario: a migration reads the stores' secrets alone
    Given I have aws_iam_role_policy defined
    When its name is start-migration
    When it contains policy
    When it contains Statement
    When its Sid is Secrets
    Then it must contain Resource
    And its value must match the ".*/(app|cache|database)-\?{6}$" regex

  Scenario: images are pulled from one repository
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    When its Sid is PullImage
    Then it must contain Resource
    And its value must match the "^arn:aws:ecr:eu-west-1:111122223333:repository/newsintel-production$" regex

  Scenario: images are pushed to one repository
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    When its Sid is PushImage
    Then it must contain Resource
    And its value must match the "^arn:aws:ecr:eu-west-1:111122223333:repository/newsintel-production$" regex

  Scenario: the pipeline deploys one service
    Given I have aws_iam_role_policy defined
    When its name is deploy
    When it contains policy
    When it contains Statement
    When its Sid is Service
    Then it must contain Resource
    And its value must match the "^arn:aws:ecs:eu-west-1:111122223333:service/newsintel-production/newsintel-production$" regex

  Scenario: the pipeline runs migrations and nothing else
    Given I have aws_iam_role_policy defined
    When its name is deploy
    When it contains policy
    When it contains Statement
    When its Action is ecs:RunTask
    Then it must contain Resource
    And its value must match the "^arn:aws:ecs:eu-west-1:111122223333:task-definition/newsintel-production-migrate:\*$" regex

  Scenario: the pipeline hands on the tasks' three roles
    Given I have aws_iam_role_policy defined
    When its name is deploy
    When it contains policy
    When it contains Statement
    When its Action is iam:PassRole
    Then it must contain Resource
    And its value must match the "^arn:aws:iam::111122223333:role/newsintel-production-(execution|migrate-execution|task)$" regex

  Scenario: the pipeline hands roles to tasks alone
    Given I have aws_iam_role_policy defined
    When its name is deploy
    When it contains policy
    When it contains Statement
    When its Action is iam:PassRole
    Then it must contain iam:PassedToService
    And its value must match the "^ecs-tasks\.amazonaws\.com$" regex

  Scenario: one repository's workflows deploy, in one environment
    Given I have aws_iam_role defined
    When its name is newsintel-production-deploy
    When it contains assume_role_policy
    When it contains StringEquals
    Then it must contain token.actions.githubusercontent.com:sub
    And its value must match the "^repo:example/newsintel:environment:production$" regex

  Scenario: the pipeline's proof was made for AWS
    Given I have aws_iam_role defined
    When its name is newsintel-production-deploy
    When it contains assume_role_policy
    When it contains StringEquals
    Then it must contain token.actions.githubusercontent.com:aud
    And its value must match the "^sts\.amazonaws\.com$" regex

  Scenario: roles are taken on by AWS services and GitHub alone
    Given I have aws_iam_role defined
    When it contains assume_role_policy
    Then it must contain Principal
    And its value must match the "^((ecs-tasks|vpc-flow-logs|monitoring\.rds)\.amazonaws\.com|arn:aws:iam::111122223333:oidc-provider/token\.actions\.githubusercontent\.com)$" regex

  Scenario: services take on roles for this account alone
    Given I have aws_iam_role defined
    When its name is not newsintel-production-deploy
    When it contains assume_role_policy
    Then it must contain aws:SourceAccount
    And its value must match the "^111122223333$" regex

  Scenario: keys are used by those who are known
    Given I have aws_kms_key defined
    When it contains policy
    When it contains Statement
    Then it must contain Principal
    And its value must match the "^(arn:aws:iam::111122223333:(root|role/newsintel-production-(migrate-)?execution)|(logs\.eu-west-1|cloudwatch|events\.rds)\.amazonaws\.com)$" regex

  Scenario: tasks decrypt by way of Secrets Manager
    Given I have aws_kms_key defined
    When it contains policy
    When it contains Statement
    When its Sid is TasksDecryptSecrets
    Then it must contain kms:ViaService
    And its value must match the "^secretsmanager\.eu-west-1\.amazonaws\.com$" regex

  Scenario: alarms are sent by AWS for this account alone
    Given I have aws_sns_topic_policy defined
    When it contains policy
    Then it must contain aws:SourceAccount
    And its value must match the "^111122223333$" regex

  Scenario: access logs are written by the load balancer alone
    Given I have aws_s3_bucket_policy defined
    When it contains policy
    When it contains Statement
    When its Effect is Allow
    Then it must contain Principal
    And its value must match the "^logdelivery\.elasticloadbalancing\.amazonaws\.com$" regex

  Scenario: the cache's user is given four kinds of command and then loses some
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the "^on ~\* -@all( \+@(read|write|transaction|connection))+ \+time( -@[a-z]+)+$" regex

  Scenario: the cache's user has no dangerous command
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the ".* -@dangerous( |$)" regex

  Scenario: the cache's user runs no scripts
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the ".* -@scripting( |$)" regex

  Scenario: the cache's user administers nothing
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the ".* -@admin( |$)" regex

  Scenario: nobody gets a shell inside a task
    Given I have aws_ecs_service defined
    Then it must contain enable_execute_command
    And its value must match the "^false$" regex
