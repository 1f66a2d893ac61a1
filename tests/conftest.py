"""What holds for every test: neither the machine's speed nor the shell it was started from decides anything."""

import signal

from hypothesis import HealthCheck, settings

# As they come, an example that takes 0.2 s fails its property, and so does one whose inputs took long to make.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    # A shell's background job, or nohup, ignores them, and so would every program that a test starts and ends.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
