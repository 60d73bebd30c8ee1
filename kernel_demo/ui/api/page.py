"""What gradio leaves to be done for those who call the endpoints without a browser."""

from typing import Any

import gradio as gr
from fastapi import Request
from fastapi.responses import JSONResponse
from gradio.blocks import BlockFunction
from gradio.components.api_component import Api
from gradio.utils import get_function_description

BY_NAME = "/call/v2/"  # in the path of a call by the names of parameters
ENDPOINT = "Expected the name of an endpoint; got another. /gradio_api/openapi.json lists them."
PARAMETERS = (
    "Expected the endpoint's own parameters, at least those that have no default; got others, or "
    "fewer. /gradio_api/openapi.json lists them."
)


class Page(gr.Blocks):
    """A page whose endpoints take shorter calls, and from assistants just what they send."""

    def validate_inputs(self, block_fn: BlockFunction, inputs: list[Any]) -> None:
        """What a call by position leaves out at its end is as the endpoint has it by default.

        Gradio asks for a value of every parameter: a call that was whole once would fail.
        """
        if all(isinstance(block, Api) for block in block_fn.inputs):
            inputs.extend(block.value for block in block_fn.inputs[len(inputs) :])
        super().validate_inputs(block_fn, inputs)

    @property
    def mcp_server_obj(self):
        """Gradio's server for assistants; None before the page is served with one."""
        return self._mcp_server

    @mcp_server_obj.setter
    def mcp_server_obj(self, server) -> None:
        # Gradio would make files of what an assistant sends for one, and fetch what is on the web:
        # the endpoints know better, and say what they cannot use in a sentence.
        if server is not None:
            server.convert_strings_to_filedata = lambda value, _: value
        self._mcp_server = server


def describe(function: BlockFunction, examples: dict[str, Any]) -> None:
    """Publish of each parameter what the docstring says of it, and the examples.

    Gradio says the one to assistants alone, and has no other for a parameter without a default.
    """
    _, said, _ = get_function_description(function.fn)
    for block, (name, told) in zip(function.inputs, said.items(), strict=True):
        block._api_info["description"] = told
        if name in examples:
            block.example_payload = lambda example=examples[name]: example


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """Answer a call by names that names no endpoint, or other parameters than there are.

    For the exceptions that gradio raises then; the error goes on where it is another one.
    """
    if BY_NAME not in request.url.path:
        raise error
    status, told = (422, PARAMETERS) if isinstance(error, TypeError) else (404, ENDPOINT)
    return JSONResponse({"detail": told}, status)


REFUSALS = {KeyError: refuse, TypeError: refuse}
