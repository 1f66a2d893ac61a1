# The operators' commands: the same image, settings and network as the service, with a scratch volume.
# Files travel through the bucket: `fetch` copies in/ to /scratch, the command runs, and `store` copies
# /scratch/out to out/. docs/deploy.md has the lines to start it.
locals {
  ops_bucket = "arn:aws:s3:::${local.buckets.ops}"
  scratch    = [{ sourceVolume = "scratch", containerPath = "/scratch", readOnly = false }]

  # The aws CLI, with our container's restrictions.
  copier = merge(local.container, {
    image            = var.aws_cli_image
    entryPoint       = ["/bin/sh", "-ec"]
    environment      = [{ name = "HOME", value = "/scratch" }]
    mountPoints      = local.scratch
    logConfiguration = local.log.ops
  })
}

resource "aws_ecs_task_definition" "ops" {
  family                   = "${local.name}-ops"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "1024"
  memory                   = "2048"
  execution_role_arn       = local.arn.execution_role
  task_role_arn            = local.arn.ops_role

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = local.architecture
  }

  ephemeral_storage {
    size_in_gib = 50
  }

  volume {
    name = "scratch"
  }

  container_definitions = jsonencode([
    # A new volume belongs to root. Its owner needs no capability to open it to our user.
    merge(local.copier, {
      name      = "fetch"
      essential = false
      user      = "0:0"
      command   = ["mkdir /scratch/out; chmod 1777 /scratch /scratch/out; aws s3 cp --recursive s3://${local.buckets.ops}/in/ /scratch/"]
    }),
    merge(local.container, {
      essential        = false
      command          = ["--version"]
      dependsOn        = [{ containerName = "fetch", condition = "SUCCESS" }]
      environment      = [for name, value in local.environment : { name = name, value = value }]
      secrets          = [for name, field in local.service_secrets : { name = name, valueFrom = "${local.arn.secret}/${field}::" }]
      mountPoints      = local.scratch
      logConfiguration = local.log.ops
    }),
    merge(local.copier, {
      name      = "store"
      dependsOn = [{ containerName = local.container.name, condition = "SUCCESS" }]
      command   = ["aws s3 cp --recursive /scratch/out/ s3://${local.buckets.ops}/out/"]
    }),
  ])

  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.ops, aws_secretsmanager_secret_version.generated, aws_secretsmanager_secret_version.addresses]
}

resource "aws_iam_role" "ops" {
  name               = "${local.name}-ops"
  description        = "An operator's command: reads and writes the files of its bucket"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role_policy" "ops" {
  name = "keep-files"
  role = aws_iam_role.ops.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "ReadFiles", Effect = "Allow", Action = "s3:GetObject", Resource = "${local.ops_bucket}/in/*" },
      { Sid = "WriteFiles", Effect = "Allow", Action = "s3:PutObject", Resource = "${local.ops_bucket}/out/*" },
      { Sid = "ListFiles", Effect = "Allow", Action = "s3:ListBucket", Resource = local.ops_bucket },
    ]
  })
}
