@noskip
Feature: Every resource has its owner tags

  Scenario: every resource names its application
    Given I have resource that supports tags_all defined
    When it contains tags_all
    Then it must contain Application
    And its value must match the "^newsintel$" regex

  Scenario: every resource names its environment
    Given I have resource that supports tags_all defined
    When it contains tags_all
    Then it must contain Environment
    And its value must match the "^production$" regex

  Scenario: every resource names Terraform as its manager
    Given I have resource that supports tags_all defined
    When it contains tags_all
    Then it must contain ManagedBy
    And its value must match the "^terraform$" regex
