"""The limits of pipelines that start pipelines."""

from __future__ import annotations

from mock_gitlab.engine.bridges import out_of_reach
from mock_gitlab.engine.model import Downstream
from mock_gitlab.engine.timeline import Timeline
from tests.engine.builders import job, latest, record, run, scenario, status, timeline

ELSEWHERE = Downstream("group/other", strategy="depend")


def test_what_comes_round_a_third_time_goes_round_in_a_circle():
    assert out_of_reach(["a", "b", "a", "b"]) is None
    assert out_of_reach(["a", "b", "a", "b", "a"]) == "pipeline_loop_detected"


def test_there_is_an_end_to_the_depth():
    assert out_of_reach(range(20)) is None
    assert out_of_reach(range(21)) == "reached_max_descendant_pipelines_depth"


def test_a_bridge_that_cannot_start_its_pipeline_fails_without_having_run():
    declared = scenario(job("bridge", 0, pending=5, downstream=ELSEWHERE), job("b", stage="later"))
    seen = Timeline(record(), declared, {}, lambda _: "pipeline_loop_detected")

    assert [status(seen, second) for second in (4, 5)] == ["pending", "failed"]
    failed = latest(seen, 5)["bridge"]
    assert (failed.failure_reason, failed.started_at) == ("pipeline_loop_detected", None)
    assert seen.starting_bridges(10**15) == []


def test_a_bridge_that_has_started_its_pipeline_follows_it_whatever_comes_in_its_way():
    declared = scenario(job("bridge", 0, downstream=ELSEWHERE))
    other = timeline(scenario(terminal_after=60))
    seen = Timeline(record(), declared, {run(1): other}, lambda _: "pipeline_loop_detected")

    assert [status(seen, second) for second in (59, 60)] == ["running", "success"]
