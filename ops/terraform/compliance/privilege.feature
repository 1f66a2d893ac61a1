@noskip
Feature: Every role has only the rights that it needs

  Scenario: policies have known names
    Given I have aws_iam_role_policy defined
    Then it must contain name
    And its value must match the "^(start-service|start-migration|read-owner-secret|keep-files|write-flow-log|deploy)$" regex

  Scenario: only roles that need rights have policies
    Given I have aws_iam_role_policy defined
    Then it must contain role
    And its value must match the "^newsintel-production-(execution|migrate-execution|flow-log|ops|deploy)$" regex

  Scenario: no role has inline policies
    Given I have aws_iam_role defined
    Then it must not contain inline_policy

  Scenario: no role has managed policies
    Given I have aws_iam_role defined
    Then it must not contain managed_policy_arns

  Scenario: AWS's own policies are used only for RDS monitoring
    Given I have aws_iam_role_policy_attachment defined
    Then it must contain policy_arn
    And its value must match the "^arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole$" regex

  Scenario: no right is given by wildcard
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    Then it must contain Action
    And its value must not match the ".*\*" regex

  Scenario: policies use Action, not NotAction
    Given I have aws_iam_role_policy defined
    When it contains policy
    Then it must not contain NotAction

  Scenario: policies use Resource, not NotResource
    Given I have aws_iam_role_policy defined
    When it contains policy
    Then it must not contain NotResource

  Scenario: only rights without resource support apply to all resources
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    When its Resource is *
    Then it must contain Action
    And its value must match the "^(ecr:GetAuthorizationToken|ecs:DescribeTaskDefinition|ecs:RegisterTaskDefinition)$" regex

  Scenario: policies name each secret
    Given I have aws_iam_role_policy defined
    When it contains policy
    When it contains Statement
    When its Action is secretsmanager:GetSecretValue
    Then it must contain Resource
    And its value must match the "^arn:aws:secretsmanager:eu-west-1:111122223333:secret:newsintel/production/[a-z]+-\?{6}$" regex

  Scenario: a migration reads only the stores' secrets
    Given I have aws_iam_role_policy defined
    When its name is start-migration
    When it contains policy
    When it contains Statement
    When its Sid is Secrets
    Then it must contain Resource
    And its value must match the ".*/(addresses|app|cache|database)-\?{6}$" regex

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

  Scenario: the pipeline can pass the tasks' four roles
    Given I have aws_iam_role_policy defined
    When its name is deploy
    When it contains policy
    When it contains Statement
    When its Action is iam:PassRole
    Then it must contain Resource
    And its value must match the "^arn:aws:iam::111122223333:role/newsintel-production-(execution|migrate-execution|ops|task)$" regex

  Scenario: the pipeline can pass roles only to tasks
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

  Scenario: the pipeline's token has AWS as its audience
    Given I have aws_iam_role defined
    When its name is newsintel-production-deploy
    When it contains assume_role_policy
    When it contains StringEquals
    Then it must contain token.actions.githubusercontent.com:aud
    And its value must match the "^sts\.amazonaws\.com$" regex

  Scenario: only AWS services and GitHub assume roles
    Given I have aws_iam_role defined
    When it contains assume_role_policy
    Then it must contain Principal
    And its value must match the "^((ecs-tasks|vpc-flow-logs|monitoring\.rds)\.amazonaws\.com|arn:aws:iam::111122223333:oidc-provider/token\.actions\.githubusercontent\.com)$" regex

  Scenario: services assume roles only for this account
    Given I have aws_iam_role defined
    When its name is not newsintel-production-deploy
    When it contains assume_role_policy
    Then it must contain aws:SourceAccount
    And its value must match the "^111122223333$" regex

  Scenario: only known principals use keys
    Given I have aws_kms_key defined
    When it contains policy
    When it contains Statement
    Then it must contain Principal
    And its value must match the "^(arn:aws:iam::111122223333:(root|role/newsintel-production-(migrate-)?execution)|(logs\.eu-west-1|cloudwatch|events\.rds)\.amazonaws\.com)$" regex

  Scenario: tasks decrypt only through Secrets Manager
    Given I have aws_kms_key defined
    When it contains policy
    When it contains Statement
    When its Sid is TasksDecryptSecrets
    Then it must contain kms:ViaService
    And its value must match the "^secretsmanager\.eu-west-1\.amazonaws\.com$" regex

  Scenario: AWS sends alarms only for this account
    Given I have aws_sns_topic_policy defined
    When it contains policy
    Then it must contain aws:SourceAccount
    And its value must match the "^111122223333$" regex

  Scenario: only the load balancer writes access logs
    Given I have aws_s3_bucket_policy defined
    When it contains policy
    When it contains Statement
    When its Effect is Allow
    Then it must contain Principal
    And its value must match the "^logdelivery\.elasticloadbalancing\.amazonaws\.com$" regex

  Scenario: the cache's user has four categories of commands, minus some, and two commands
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the "^on ~\* -@all( \+@(read|write|transaction|connection))+ \+time( -@[a-z]+)+ \+xreadgroup$" regex

  Scenario: the cache's user has no dangerous command
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the ".* -@dangerous( |$)" regex

  Scenario: the cache's user cannot run scripts
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the ".* -@scripting( |$)" regex

  Scenario: the cache's user has no admin commands
    Given I have aws_elasticache_user defined
    Then it must contain access_string
    And its value must match the ".* -@admin( |$)" regex

  Scenario: tasks allow no shell sessions
    Given I have aws_ecs_service defined
    Then it must contain enable_execute_command
    And its value must match the "^false$" regex
