"""What holds for every test: how fast the machine is decides nothing."""

from hypothesis import HealthCheck, settings

# As they come, an example that takes 0.2 s fails its property, and so does one whose inputs took long to make.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
