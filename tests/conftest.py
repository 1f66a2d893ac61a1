"""What holds for every test."""

import signal

for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
    # A shell's background job, or nohup, ignores them, and so would every program that a test starts and ends.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
