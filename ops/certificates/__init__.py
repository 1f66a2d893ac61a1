"""The root certificates of Amazon RDS (rds.pem), and the check that Amazon still publishes them.

No operating system's certificate store has them.
"""
