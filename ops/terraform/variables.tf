variable "region" {
  description = "The AWS region of everything except the billing alarm."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as eu-west-1."
  }
}

variable "account_id" {
  description = "The AWS account to deploy to; any other is refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be twelve digits."
  }
}

variable "environment" {
  description = "production, or staging: a copy that may be smaller and less protected."
  type        = string
  default     = "production"

  validation {
    condition     = contains(["production", "staging"], var.environment)
    error_message = "environment must be production or staging."
  }
}

variable "zones" {
  description = "The letters of the three availability zones."
  type        = list(string)
  default     = ["a", "b", "c"]

  validation {
    condition     = length(var.zones) == 3 && length(distinct(var.zones)) == 3 && alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "zones must be three different letters, such as a, b, c."
  }
}

variable "vpc_cidr" {
  description = "The network's address range, a /16, split into three public, private and data subnets each."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && endswith(var.vpc_cidr, "/16")
    error_message = "vpc_cidr must be an IPv4 range of size /16."
  }
}

variable "domain_name" {
  description = "The public host name; its HTTPS URL is NEWSINTEL_PUBLIC_URL."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be a host name in lower case, without scheme or path."
  }
}

variable "hosted_zone_id" {
  description = "The Route 53 hosted zone that holds domain_name."
  type        = string

  validation {
    condition     = can(regex("^Z[A-Z0-9]{5,32}$", var.hosted_zone_id))
    error_message = "hosted_zone_id must be the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "github_repository" {
  description = "OWNER/NAME of the only GitHub repository whose workflows may deploy."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository must be OWNER/NAME, without wildcards."
  }
}

variable "alarm_email" {
  description = "The e-mail address for alarms. AWS asks it once for confirmation."
  type        = string

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "image_tag" {
  description = "The image tag (full commit SHA) of the first task definitions; then the pipeline sets it."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{40}$", var.image_tag))
    error_message = "image_tag must be a full commit SHA (40 hex digits)."
  }
}

variable "aws_cli_image" {
  description = "The aws CLI's image, which copies the files of operators' commands."
  type        = string
  default     = "public.ecr.aws/aws-cli/aws-cli:2.27.50"

  validation {
    condition     = can(regex("^public\\.ecr\\.aws/aws-cli/aws-cli(:[0-9]+\\.[0-9]+\\.[0-9]+|@sha256:[0-9a-f]{64})$", var.aws_cli_image))
    error_message = "aws_cli_image must be AWS's own image with a version or a digest."
  }
}

variable "sources" {
  description = "The sources, in founder order (NEWSINTEL_SOURCES). Each needs its keys in Secrets Manager."
  type        = list(string)
  default     = ["newsapi", "guardian", "reddit"]

  validation {
    condition     = length(var.sources) > 0 && length(setsubtract(var.sources, ["newsapi", "guardian", "reddit"])) == 0
    error_message = "sources must name one or more of newsapi, guardian and reddit."
  }
}

variable "reddit_user_agent" {
  description = "The User-Agent for Reddit, whose rules require platform:app:version (by /u/name)."
  type        = string
  default     = ""

  validation {
    condition     = var.reddit_user_agent != "" || !contains(var.sources, "reddit")
    error_message = "reddit_user_agent must be set while reddit is one of sources."
  }
}

variable "oidc" {
  description = "The OpenID Connect provider for sign-in, or null. Its secret goes into Secrets Manager."
  type = object({
    issuer    = string
    client_id = string
    label     = string
  })
  default = null

  validation {
    condition     = var.oidc == null || startswith(try(var.oidc.issuer, ""), "https://")
    error_message = "oidc.issuer must start with https://."
  }
}

variable "sign_in" {
  description = "Who may sign in (NEWSINTEL_SIGN_IN): anyone, off, or a list such as reddit:alice,oidc:a@b.org."
  type        = string
  default     = "anyone"

  validation {
    condition     = contains(["anyone", "off"], var.sign_in) || can(regex("^(reddit|oidc):[^,\\s]+(,(reddit|oidc):[^,\\s]+)*$", var.sign_in))
    error_message = "sign_in must be anyone, off, or a comma list of reddit:NAME and oidc:ADDRESS."
  }
}

variable "task_memory_mib" {
  description = "Memory of a task in MiB, one of the sizes that Fargate offers with one vCPU."
  type        = number
  default     = 2048

  validation {
    condition     = contains([2048, 3072, 4096, 5120, 6144, 7168, 8192], var.task_memory_mib)
    error_message = "task_memory_mib must be a whole number of GiB from 2 to 8, in MiB."
  }
}

variable "min_tasks" {
  description = "Minimum number of tasks; two survive the loss of a zone."
  type        = number
  default     = 2

  validation {
    condition     = var.min_tasks >= 2 && floor(var.min_tasks) == var.min_tasks
    error_message = "min_tasks must be a whole number of at least 2."
  }
}

variable "max_tasks" {
  description = "Maximum number of tasks. Deployments run twice as many; all fit the database connections."
  type        = number
  default     = 10

  validation {
    condition     = var.max_tasks >= var.min_tasks && var.max_tasks <= 20 && floor(var.max_tasks) == var.max_tasks
    error_message = "max_tasks must be a whole number from min_tasks to 20."
  }
}

variable "requests_per_task_per_minute" {
  description = "Scaling target: requests per task and minute. Default: 70 % of a core with 2 % misses."
  type        = number
  default     = 25000

  validation {
    condition     = var.requests_per_task_per_minute >= 100
    error_message = "requests_per_task_per_minute must be at least 100."
  }
}

variable "database_instance_class" {
  description = "The RDS instance class."
  type        = string
  default     = "db.m7g.large"

  validation {
    condition     = can(regex("^db\\.(t4g|m[6-8]g|r[6-8]g)d?\\.(medium|(2|4|8)?x?large)$", var.database_instance_class))
    error_message = "database_instance_class must be a Graviton class of at least medium size: less memory allows too few connections."
  }
}

variable "database_storage_gib" {
  description = "Initial storage of the database in GiB; it grows automatically to five times that."
  type        = number
  default     = 100

  validation {
    condition     = var.database_storage_gib >= 20 && var.database_storage_gib <= 10000
    error_message = "database_storage_gib must be from 20 to 10000."
  }
}

variable "database_backup_days" {
  description = "Days for which the database can be restored to any second."
  type        = number
  default     = 14

  validation {
    condition     = var.database_backup_days <= 35 && var.database_backup_days >= (var.environment == "production" ? 7 : 1)
    error_message = "database_backup_days must be at most 35, and at least 7 in production."
  }
}

variable "cache_node_type" {
  description = "The ElastiCache node type."
  type        = string
  default     = "cache.t4g.small"

  validation {
    condition     = can(regex("^cache\\.(t4g|m[6-7]g|r[6-7]g)\\.(small|medium|(2|4|8)?x?large)$", var.cache_node_type))
    error_message = "cache_node_type must be a Graviton node type of at least small size."
  }
}

variable "multi_az" {
  description = "Whether database and cache have a standby in another zone. Required in production."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.multi_az || var.environment != "production"
    error_message = "multi_az must stay on in production."
  }
}

variable "deletion_protection" {
  description = "Whether balancer and database are protected from deletion. Required in production."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.deletion_protection || var.environment != "production"
    error_message = "deletion_protection must stay on in production."
  }
}

variable "log_retention_days" {
  description = "Retention of logs in days, one of the periods that CloudWatch offers."
  type        = number
  default     = 365

  validation {
    condition     = contains([90, 120, 150, 180, 365, 400, 545, 731, 1096], var.log_retention_days)
    error_message = "log_retention_days must be 90, 120, 150, 180, 365, 400, 545, 731 or 1096."
  }
}

variable "monthly_budget_usd" {
  description = "Threshold of the billing alarm: the account's estimated monthly charges in USD."
  type        = number
  default     = 800

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd must be more than 0."
  }
}
