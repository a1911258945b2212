"""What can be seen where a program stands under dlv: its stack, variables, registers, and expressions asked for."""

from collections.abc import Sequence
from typing import Final

import msgspec

from labkit.debugging import dap
from labkit.errors import ProcessError
from labkit.model.debugging import Frame, Reason, Register, Stop, Variable

_LEVELS: Final = 20
_LONGEST_VALUE: Final = 200
_PCS: Final = ("rip", "pc", "eip")


def look(client: dap.Client, stopped: dap.Stopped, place: str | None, expressions: Sequence[str] = ()) -> Stop:
    """Return what can be seen where the program stands."""
    trace = client.request("stackTrace", {"threadId": stopped.thread_id, "levels": _LEVELS}, dap.StackTrace)
    if not trace.stack_frames:
        raise ProcessError("dlv shows no stack where the program stopped", remedy="try again")
    top = trace.stack_frames[0]
    shown: dict[str, tuple[dap.ShownVariable, ...]] = {}
    for scope in client.request("scopes", {"frameId": top.id}, dap.Scopes).scopes:
        arguments = {"variablesReference": scope.variables_reference}
        shown[scope.name.split()[0]] = client.request("variables", arguments, dap.Variables).variables
    registers = tuple(_register(each) for each in shown.get("Registers", ()))
    # Results without a name (~r0) hold whatever lay there until the function returns.
    variables = [_variable(each) for each in shown.get("Locals", ()) if not each.name.startswith("~r")]
    variables += [_evaluate(client, top.id, each) for each in expressions]
    reason = {"step": Reason.STEP, "exception": Reason.EXCEPTION}.get(stopped.reason, Reason.BREAKPOINT)
    return Stop(
        place=place,
        reason=reason,
        function=top.name,
        file=top.source.path if top.source else None,
        line=top.line or None,
        stack=tuple(
            Frame(function=each.name, file=each.source.path if each.source else None, line=each.line or None)
            for each in trace.stack_frames
        ),
        variables=tuple(variables),
        registers=registers,
        pc=next((each.value for each in registers if each.name.lower() in _PCS), None),
        text=stopped.text or None,
    )


def _register(shown: dap.ShownVariable) -> Register:
    return Register(name=shown.name.strip(), value=shown.value.split("\t")[0])


def _variable(shown: dap.ShownVariable) -> Variable:
    return Variable(name=shown.name, type=shown.type or None, value=_cut(shown.value))


class _Evaluated(msgspec.Struct, frozen=True):
    result: str = ""
    type: str = ""


def _evaluate(client: dap.Client, frame: int, expression: str) -> Variable:
    try:
        arguments = {"expression": expression, "frameId": frame, "context": "watch"}
        answer = client.request("evaluate", arguments, _Evaluated)
    except dap.RefusedError as error:
        return Variable(name=expression, type=None, value=_cut(error.what))
    return Variable(name=expression, type=answer.type or None, value=_cut(answer.result))


def _cut(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"
