from hypothesis import given
from hypothesis import strategies as st

from mintage.release.plan import Admit, Route, Start, Stop, Update, plan

ROOTS = st.sampled_from([f"sha256:{number}" for number in range(4)])
ROUTES = st.one_of(
    st.builds(Route, ROOTS, salt=st.sampled_from("xy")),
    st.builds(Route, ROOTS, ROOTS, st.sampled_from([0.1, 0.5]), st.sampled_from("xy")),
)
STATES = st.dictionaries(st.sampled_from(["late", "churn", "fraud"]), ROUTES, max_size=3)


def roots(state):
    return {root for route in state.values() for root in (route.champion, route.challenger) if root is not None}


def named(state):
    return {(model, root) for model, route in state.items() for root in roots({model: route})}


def carry_out(actions, *, desired, observed, running):
    """What a gateway that does as it is told serves afterwards; it can route only to what was admitted for a model."""
    there = named(observed) if running else set()
    for action in actions:
        if isinstance(action, Admit):
            there.add((action.model, action.root))
            assert action.root in roots({action.model: desired[action.model]})
        elif isinstance(action, Stop):
            assert running
            observed, running = {}, False
        else:
            assert isinstance(action, Update) is running
            assert named(desired) <= there, "traffic would point at a model that was not admitted"
            observed, running = dict(desired), True
    return observed, running


@given(desired=STATES, observed=STATES, running=st.booleans())
def test_carrying_out_a_plan_brings_what_is_observed_to_what_is_desired(desired, observed, running):
    actions = plan(desired=desired, observed=observed if running else None, running=running)
    after, lives = carry_out(actions, desired=desired, observed=observed if running else {}, running=running)
    assert (after, lives) == (desired, bool(desired))
    assert plan(desired=desired, observed=after, running=lives) == ()


@given(desired=STATES, observed=STATES)
def test_a_plan_admits_nothing_twice_and_nothing_that_is_live(desired, observed):
    actions = plan(desired=desired, observed=observed, running=True)
    admitted = [action for action in actions if isinstance(action, Admit)]
    assert len(set(admitted)) == len(admitted)
    for action in admitted:
        assert action.model not in observed or action.root not in roots({"it": observed[action.model]})


@given(desired=STATES.filter(bool))
def test_a_gateway_that_does_not_run_is_trusted_with_nothing(desired):
    actions = plan(desired=desired, observed=desired, running=False)
    assert {action.root for action in actions if isinstance(action, Admit)} == roots(desired)
    assert actions[-1] == Start() and not any(isinstance(action, Update) for action in actions)


def test_a_gateway_whose_routes_are_not_known_gets_them_anew():
    route = Route("sha256:1", salt="x")
    actions = plan(desired={"late": route}, observed=None, running=True)
    assert actions == (Admit("late", "sha256:1"), Update())


def test_a_model_that_is_live_under_another_name_is_admitted_again():
    route = Route("sha256:1")
    actions = plan(desired={"churn": route, "late": route}, observed={"late": route}, running=True)
    assert actions == (Admit("churn", "sha256:1"), Update())


def test_another_salt_alone_is_a_change():
    before, after = Route("sha256:1", "sha256:2", 0.1, "x"), Route("sha256:1", "sha256:2", 0.1, "y")
    assert plan(desired={"late": after}, observed={"late": before}, running=True) == (Update(),)


def test_nothing_desired_and_nothing_running_is_nothing_to_do():
    assert plan(desired={}, observed=None, running=False) == ()
