"""What the page publishes of its endpoints: a client generated from it can call each of them."""

import json

import cv2
import httpx
import numpy as np
import pytest

from kernel_demo.sources import bundled

schemathesis = pytest.importorskip(
    "schemathesis", reason="schemathesis is not installed (requirements-dev.txt)"
)
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from schemathesis import GenerationMode, checks  # noqa: E402

UPLOAD = "/gradio_api/upload"
CALL, RESULT = "/gradio_api/call/v2/{}", "/gradio_api/call/{}/{{event_id}}"
FILES = {"learn": (), "apply": ("image",), "recover": ("before", "after")}
SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
# Gradio writes the document, and tells of success alone: a refusal has no status in it.
REFUSED = {400, 404, 422}


@pytest.fixture(scope="module")
def published(address):
    """The document, with what calls each of its operations."""
    return schemathesis.openapi.from_url(f"{address}gradio_api/openapi.json")


@pytest.fixture(scope="module")
def uploaded(published) -> list[str]:
    """Paths of a photo, and of what OpenCV makes of it, as the document's upload answers."""
    photo = cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)[80:240, 120:300]
    paths = []
    for picture in (photo, cv2.filter2D(photo, -1, np.array(SHARPEN, float))):
        data = cv2.imencode(".png", picture)[1].tobytes()
        case = published[UPLOAD]["POST"].Case(body={"files": [data]})
        case.media_type = "multipart/form-data"
        paths += case.call_and_validate().json()
    return paths


def events(published, endpoint: str, posted) -> list[tuple[str, object]]:
    """(kind, data) of all that a call is answered with."""
    parameters = {"event_id": posted.json()["event_id"]}
    case = published[RESULT.format(endpoint)]["GET"].Case(path_parameters=parameters)
    answer = case.call(timeout=120)
    # "string" is the whole stream in the document, and an event of it to what reads it here.
    case.validate_response(answer, excluded_checks=[checks.response_schema_conformance])
    lines = answer.text.splitlines()
    kinds = [line[7:] for line in lines if line.startswith("event: ")]
    said = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    return [*zip(kinds, said, strict=True)]


def call(published, endpoint: str, body: dict):
    """The answer to a call; an HTTP error of the server, or one unlike the document, fails."""
    case = published[CALL.format(endpoint)]["POST"].Case(body=body)
    case.media_type = "application/json"
    return case.call_and_validate()


def test_every_parameter_is_told(address):
    """Each has a type and says what it is; those of the page's choices list them."""
    document = httpx.get(f"{address}gradio_api/openapi.json", trust_env=False).json()
    wanted = {UPLOAD, *(way.format(name) for name in FILES for way in (CALL, RESULT))}
    assert set(document["paths"]) == wanted
    for name in FILES:
        body = document["paths"][CALL.format(name)]["post"]["requestBody"]["content"]
        for parameter, schema in body["application/json"]["schema"]["properties"].items():
            assert {"type", "anyOf", "enum"} & set(schema), (name, parameter)
            assert len(schema["description"]) > 10, (name, parameter)
            # OpenAPI 3.0 knows no type null, and gradio's own word for files only as a format.
            assert not {"null", "filepath"} & set(_types(schema)), (name, parameter)


def _types(schema) -> list[str]:
    """All types within a schema."""
    if isinstance(schema, list):
        return [kind for part in schema for kind in _types(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema["type"]] if isinstance(schema.get("type"), str) else []
    return own + [kind for part in schema.values() for kind in _types(part)]


def test_each_can_be_called(published, uploaded):
    """Upload, call, fetch, by the document alone: what OpenCV did is applied, and recovered."""
    learned = events(published, "learn", call(published, "learn", {"images": 1}))
    assert learned[-1][0] == "complete"
    assert learned[-1][1][0]["done"]
    assert learned[-1][1][0]["kernel_error"] < 1e-5
    body = {"image": uploaded[0], "kernel": SHARPEN}
    *_, (kind, (made,)) = events(published, "apply", call(published, "apply", body))
    assert kind == "complete"
    png = np.frombuffer(httpx.get(made["url"], trust_env=False).content, np.uint8)
    sharp = cv2.imread(uploaded[1], cv2.IMREAD_UNCHANGED)
    assert np.array_equal(cv2.imdecode(png, cv2.IMREAD_UNCHANGED), sharp)
    body = {"before": uploaded[0], "after": uploaded[1], "max_size": 5}
    *_, (kind, (found,)) = events(published, "recover", call(published, "recover", body))
    assert (kind, found["kernel"]) == ("complete", SHARPEN)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("endpoint", FILES)
def test_whatever_is_sent_ends_in_words(published, uploaded, endpoint, mode):
    """Bodies that fit the document, and such that do not: a result or a sentence, and no 500."""
    operation = published[CALL.format(endpoint)]["POST"]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=10, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def each(case):
        if isinstance(case.body, dict):
            _lightened(case.body)
            case.body |= dict(zip(FILES[endpoint], uploaded, strict=False)) if mode is _FIT else {}
        posted = case.call()
        case.validate_response(posted, checks=[checks.not_a_server_error])
        if posted.status_code != 200:
            assert posted.status_code in REFUSED
            assert posted.json()["detail"]
            return
        kind, said = events(published, endpoint, posted)[-1]
        assert kind in ("complete", "error")
        told = said if kind == "error" else {"error": "Expected"}
        assert "Expected" in str(told), (case.body, said)  # null: something else went wrong

    each()


_FIT = GenerationMode.POSITIVE


def _lightened(body: dict) -> None:
    """No dataset is asked for, and a run is short."""
    body.setdefault("images", 1)
    if body.get("source") == "hub":
        body["source"] = "bundled"
    if isinstance(body.get("steps"), int) and 3 < body["steps"] <= 100_000:
        body["steps"] = 3
