"""The roots that Amazon RDS signs with (rds.pem), which no system's own store holds, and the question whether they are still Amazon's."""
