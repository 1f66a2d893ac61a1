# Copy it to production.tfvars (git ignores that file) and set your values. The checks plan with
# this file.
region            = "eu-west-1"
account_id        = "111122223333"
domain_name       = "news.example.org"
hosted_zone_id    = "Z0123456789ABCDEFGHIJ"
github_repository = "example/newsintel"
alarm_email       = "operators@example.org"
image_tag         = "0123456789abcdef0123456789abcdef01234567"
reddit_user_agent = "linux:newsintel:0.1 (by /u/example)"

oidc = {
  issuer    = "https://id.example.org"
  client_id = "newsintel"
  label     = "Example"
}
