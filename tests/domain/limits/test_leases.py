"""The arithmetic of leases: in any order of steps, they never admit more than the limit."""

from hypothesis import given
from hypothesis import strategies as st

from newsintel.domain.limits.leases import Lease


def drained(lease: Lease) -> int:
    """Take every call that is left in the lease; returns how many."""
    taken = 0
    while lease.take():
        taken += 1
    return taken


def test_a_single_process_gets_the_whole_limit_in_a_few_leases() -> None:
    """A lease is an eighth of the limit, and smaller towards the end.

    After that the process stops asking.
    """
    lease, total, taken, leases = Lease(60), 0, 0, []
    while not lease.is_over:
        leases.append(wanted := lease.next_lease_size())
        total += wanted
        lease.grant(wanted, 0, total)
        assert lease.remaining == 60 - taken
        taken += drained(lease)
    assert leases == [7, 7, 7, 7, 7, 7, 7, 5, 3, 1, 1, 1]
    assert taken == 60
    assert not lease.take()


def test_nothing_is_leased_past_the_limit() -> None:
    """Other processes may fill the counter past the limit.

    Only the part up to the limit is granted.
    """
    lease = Lease(16)
    lease.grant(2, 0, 17)
    assert (lease.unspent, lease.rest, lease.is_over) == (1, 0, False)
    lease.take()
    assert lease.is_over
    lease.grant(1, 0, 30)
    assert lease.is_over


def test_a_call_given_back_can_be_taken_again() -> None:
    """It was not used."""
    lease = Lease(1)
    lease.grant(1, 0, 1)
    assert lease.take()
    assert lease.is_over
    lease.give_back()
    assert lease.take()


def test_without_redis_a_process_keeps_to_the_limit_by_itself() -> None:
    """The calls that it admitted are reported as soon as Redis is back.

    Then they count for all processes.
    """
    lease = Lease(8)
    for _ in range(3):
        lease.grant_alone(lease.next_lease_size())
    assert (drained(lease), lease.unshared) == (3, 3)
    lease.grant(1, 3, 4 + 2)
    assert (lease.unshared, lease.rest, lease.unspent) == (0, 2, 1)
    while not lease.is_over:
        lease.grant_alone(lease.next_lease_size())
        drained(lease)
    assert lease.leased == 6


def test_a_counter_lost_by_redis_does_not_raise_the_limit() -> None:
    """A process remembers how many calls it was granted."""
    lease = Lease(8)
    for total in (4, 4, 4):
        lease.grant(4, 0, total)
    assert lease.leased == drained(lease) == 8
    assert lease.is_over


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["take", "lease", "back"])), max_size=200
)


@given(STEPS, st.integers(1, 40))
def test_several_processes_never_admit_more_than_the_limit_together(
    steps: list[tuple[int, str]], limit: int
) -> None:
    """For any order of leases, takes and returns."""
    leases, total, admitted = [Lease(limit) for _ in range(3)], 0, 0
    for which, step in steps:
        lease = leases[which]
        if step == "lease" and not lease.is_over:
            wanted = lease.next_lease_size()
            total += wanted
            lease.grant(wanted, 0, total)
        elif step == "take":
            admitted += lease.take()
        elif step == "back" and lease.leased > lease.unspent:
            lease.give_back()
            admitted -= 1
        assert admitted + sum(one.unspent for one in leases) <= limit


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=80), st.integers(1, 40))
def test_one_process_never_admits_more_than_the_limit_whatever_redis_does(
    steps: list[tuple[bool, int]], limit: int
) -> None:
    """Redis is away, comes back, was filled by other processes, or was emptied."""
    lease, total, admitted = Lease(limit), 0, 0
    for away, others in steps:
        if lease.is_over:
            break
        wanted, unshared = lease.next_lease_size(), lease.unshared
        if away:
            lease.grant_alone(wanted)
        else:
            total = (total + wanted + unshared) if others % 5 else wanted + unshared
            lease.grant(wanted, unshared, total + others)
        admitted += drained(lease)
    assert admitted <= limit
