output "url" {
  description = "The public URL of the service."
  value       = "https://${var.domain_name}"
}

output "deploy_role_arn" {
  description = "The role that GitHub Actions assumes."
  value       = aws_iam_role.deploy.arn
}

output "repository" {
  description = "The registry URL for images."
  value       = aws_ecr_repository.main.repository_url
}

output "cluster" {
  description = "The ECS cluster. The service and its task definition family have the same name."
  value       = aws_ecs_cluster.main.name
}

output "migrate_family" {
  description = "The task definition family of the migration."
  value       = aws_ecs_task_definition.migrate.family
}

output "task_subnets" {
  description = "The subnets of a migration task."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "task_security_group" {
  description = "The security group of a migration task."
  value       = aws_security_group.service.id
}

output "secrets_to_fill" {
  description = "The secrets from other providers, with the fields that each needs before the start."
  value       = { for key, fields in local.provided : aws_secretsmanager_secret.main[key].name => fields }
}
