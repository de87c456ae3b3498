"""The test reports of the Pipelines page (https://docs.gitlab.com/api/pipelines/).

They have a module apart from pipelines.py, since they share no shape with the rest of that page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from mock_gitlab.rest.request import Request
from mock_gitlab.rest.route import Endpoints

if TYPE_CHECKING:
    from mock_gitlab.engine.model import TestCase, TestSuite

test_reports = Endpoints("pipelines")


class TestCaseShape(TypedDict):
    """A test case."""

    status: str
    name: str
    classname: str
    file: str | None
    execution_time: float
    system_output: str | None
    stack_trace: str | None
    recent_failures: None


class _Counts(TypedDict):
    total_time: float
    total_count: int
    success_count: int
    failed_count: int
    skipped_count: int
    error_count: int


class TestSuiteShape(_Counts):
    """A test suite with its cases."""

    name: str
    suite_error: str | None
    test_cases: list[TestCaseShape]


class TestReport(_Counts):
    """The test report of a pipeline."""

    test_suites: list[TestSuiteShape]


class SummarySuite(_Counts):
    """A test suite without its cases."""

    name: str
    build_ids: list[int]
    suite_error: str | None


class SummaryTotal(TypedDict):
    """The sums over all suites."""

    time: float
    count: int
    success: int
    failed: int
    skipped: int
    error: int
    suite_error: str | None


class TestReportSummary(TypedDict):
    """The summary of the test report of a pipeline."""

    total: SummaryTotal
    test_suites: list[SummarySuite]


def _counts(cases: list[TestCase]) -> _Counts:
    statuses = [case.status for case in cases]
    return {
        "total_time": round(sum(case.execution_time for case in cases), 6),
        "total_count": len(cases),
        "success_count": statuses.count("success"),
        "failed_count": statuses.count("failed"),
        "skipped_count": statuses.count("skipped"),
        "error_count": statuses.count("error"),
    }


def _present_case(case: TestCase) -> TestCaseShape:
    return {
        "status": case.status,
        "name": case.name,
        "classname": case.classname,
        "file": case.file,
        "execution_time": case.execution_time,
        "system_output": case.system_output,
        "stack_trace": case.stack_trace,
        "recent_failures": None,
    }


def _present_suite(suite: TestSuite) -> TestSuiteShape:
    return {
        "name": suite.name,
        **_counts(list(suite.cases)),
        "suite_error": suite.suite_error,
        "test_cases": [_present_case(case) for case in suite.cases],
    }


@test_reports("GET", "/projects/{id}/pipelines/{pipeline_id}/test_report", answers=TestReport)
def get_test_report(request: Request, id: str, pipeline_id: int) -> TestReport:
    """Show the test report of a pipeline, with the suites of the jobs that have finished."""
    pipeline = request.world.pipelines.pipeline(request.project(id), pipeline_id)
    suites = pipeline.timeline.test_suites(pipeline.now)
    return {
        **_counts([case for suite in suites for case in suite.cases]),
        "test_suites": [_present_suite(suite) for suite in suites],
    }


@test_reports(
    "GET", "/projects/{id}/pipelines/{pipeline_id}/test_report_summary", answers=TestReportSummary
)
def get_test_report_summary(request: Request, id: str, pipeline_id: int) -> TestReportSummary:
    """Show the summary of the test report of a pipeline."""
    pipeline = request.world.pipelines.pipeline(request.project(id), pipeline_id)
    suites = pipeline.timeline.test_suites(pipeline.now)
    counts = _counts([case for suite in suites for case in suite.cases])
    return {
        "total": {
            "time": counts["total_time"],
            "count": counts["total_count"],
            "success": counts["success_count"],
            "failed": counts["failed_count"],
            "skipped": counts["skipped_count"],
            "error": counts["error_count"],
            "suite_error": next((s.suite_error for s in suites if s.suite_error), None),
        },
        "test_suites": [
            {
                "name": suite.name,
                **_counts(list(suite.cases)),
                "build_ids": [
                    job.id
                    for job in pipeline.state.jobs
                    if suite.name in (job.name, job.base_name) and not job.retried
                ],
                "suite_error": suite.suite_error,
            }
            for suite in suites
        ],
    }
