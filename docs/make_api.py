"""Write docs/api.md from the docstrings of the public names. With ``--check``: exit with status 1 if it is stale.

It reads the sources and imports nothing of them.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOST = ROOT / "host"
PAGE = ROOT / "docs" / "api.md"
WIDTH = 120
#: The public names in the order of the page.
SECTIONS = {
    "Camera": ("Camera", "Submitted", "TransferReport", "LiveCamera", "SourcePicture"),
    "Edge server": (
        *("EdgeServer", "AnsweredPicture", "Archive", "load_classifier", "Classifier"),
        *("PictureClassifier",),
        *("load_sureness", "Sureness"),
    ),
    "Codec": ("load_codec", "Codec", "load_picture", "RankedPacket", "PictureEncoder", "Decoder", "Decoded"),
    "Keys": ("Key", "read_key", "make_key"),
    "Transports": ("Transport", "SerialTransport", "BleEdgeTransport", "virtual_boards", "now_us"),
    "Events": (
        *(
            "Event",
            "Opened",
            "LinkChanged",
            "Ready",
            "Answer",
            "Unanswered",
            "ImageCollected",
            "Notice",
            "Implausible",
            "KeyMismatch",
            "Failed",
        ),
        *("FailureReason", "KeyFault", "LinkState", "Phy", "ResultStatus"),
    ),
    "Errors": (
        *("PncError", "Reason", "CameraError", "SourceError", "ServerError", "ClassifierError", "CodecError"),
        *("PictureError", "DeadlineInfeasibleError", "TransportError", "KeyFileError"),
    ),
    "Text": ("printable",),
}
EXAMPLES = ("camera", "edge_server", "codec")
INTRODUCTION = """\
<!-- Written by docs/make_api.py from the docstrings: `make api` writes it again. -->

# The package pnc_link

For programs that send pictures or serve cameras without the commands. `pip install .` installs what a camera needs,
`pip install '.[edge]'` what an edge server needs on top, and `pip install '.[sealed]'` what a key needs at either. The
package has type hints.

```
import pnc_link
```

Names that are not on this page are private and may change. Nothing is imported before it is used: a camera imports
neither onnxruntime nor torch. Everything that waits is a coroutine; an object belongs to one asyncio event loop.
"""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign
#: Classes that the program gets from a function or method, not from their constructor.
MADE_ELSEWHERE = ("PictureEncoder", "Decoder", "Classifier")
_ENUMS = ("Enum", "IntEnum", "StrEnum", "IntFlag", "Flag")


class Source:
    """One module: its text by lines and its definitions by name."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        self.lines = text.splitlines()
        self.definitions: dict[str, Definition] = {}
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                self.definitions[node.name] = node
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.definitions[node.targets[0].id] = node

    def comment(self, node: ast.stmt) -> str:
        """Return the comment at the end of a statement's line."""
        return self.lines[node.lineno - 1].partition("  # ")[2]


def public_names() -> dict[str, tuple[str, str]]:
    """Return where every public name is defined, as ``host/__init__.py`` has it."""
    definition = Source(HOST / "__init__.py").definitions["_PUBLIC"]
    assert isinstance(definition, ast.Assign)
    names: dict[str, tuple[str, str]] = ast.literal_eval(definition.value)
    return names


def page() -> str:
    """Return the whole page."""
    names = public_names()
    listed = [name for section in SECTIONS.values() for name in section]
    if sorted(listed) != sorted(names):
        raise SystemExit(f"make_api: SECTIONS and host/__init__.py differ: {sorted({*listed} ^ {*names})}")
    parts = [INTRODUCTION, "## Examples", ""]
    for example in EXAMPLES:
        path = ROOT / "docs" / "examples" / f"{example}.py"
        text = path.read_text(encoding="utf-8")
        summary = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        parts += [f"[{path.name}](examples/{path.name}): {summary[0].lower()}{summary[1:]}", ""]
        if example == EXAMPLES[0]:
            parts += ["```python", text.split('"""', 2)[2].strip(), "```", ""]
    for title, section in SECTIONS.items():
        parts += [f"## {title}", ""]
        for name in section:
            module, attribute = names[name]
            source = Source(HOST / f"{module.replace('.', '/')}.py")
            parts += [f"### {name}", "", *entry(name, source.definitions[attribute], source)]
    return "\n".join(parts).rstrip() + "\n"


def entry(name: str, node: Definition, source: Source) -> Iterator[str]:
    """Yield the lines of one public name."""
    if isinstance(node, ast.Assign):
        members = ast.unparse(node.value).split(" | ")
        yield f"One of {', '.join(f'`{member}`' for member in members)}."
        yield ""
    elif isinstance(node, ast.ClassDef):
        yield from class_entry(name, node, source)
    else:
        yield from function_entry(name, node, source)


def class_entry(name: str, node: ast.ClassDef, source: Source) -> Iterator[str]:
    """Yield the lines of a class: how it is made, what it is, its fields or members, its methods."""
    bases = [ast.unparse(base) for base in node.bases if ast.unparse(base) not in ("Protocol", "Exception")]
    is_enum = any(base in _ENUMS for base in bases)
    functions = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    constructor = next((each for each in functions if each.name == "__init__"), None)
    if name in MADE_ELSEWHERE or name.endswith("Error"):
        constructor = None
    if constructor is not None:
        yield from code(signature(name, constructor, source))
    if bases and not is_enum:
        yield f"A subclass of {', '.join(f'`{base}`' for base in bases)}."
        yield ""
    yield from prose(ast.get_docstring(node))
    if constructor is not None:
        yield from prose(ast.get_docstring(constructor))
    is_data = is_enum or any("dataclass" in ast.unparse(each) for each in node.decorator_list)
    is_protocol = any(ast.unparse(base) == "Protocol" for base in node.bases)
    members = list(fields(node, source, is_enum=is_enum)) if is_data or is_protocol else []
    if members:
        yield from [*members, ""]
    if name.endswith("Transport") and not is_protocol:
        return  # its methods are those of Transport
    for each in functions:
        if each.name.startswith("_"):
            continue
        if any(ast.unparse(decorator) == "property" for decorator in each.decorator_list):
            result = f": {ast.unparse(each.returns)}" if each.returns else ""
            yield from [f"#### {name}.{each.name}", "", *code(f"{each.name}{result}"), *prose(ast.get_docstring(each))]
        else:
            yield from [f"#### {name}.{each.name}", "", *function_entry(each.name, each, source)]


def fields(node: ast.ClassDef, source: Source, *, is_enum: bool) -> Iterator[str]:
    """Yield a line for each field of a class, or each member of an enumeration."""
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.target.id[0] != "_":
            text = f"- `{each.target.id}: {ast.unparse(each.annotation)}`"
        elif is_enum and isinstance(each, ast.Assign):
            text = f"- `{ast.unparse(each.targets[0])}` = `{ast.unparse(each.value)}`"
        else:
            continue
        comment = source.comment(each)
        yield from textwrap.wrap(f"{text}: {comment}" if comment else text, WIDTH, subsequent_indent="  ")


def function_entry(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> Iterator[str]:
    """Yield the lines of a function or method."""
    yield from code(signature(name, node, source))
    yield from prose(ast.get_docstring(node))


def signature(name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, source: Source) -> str:
    """Return how a function is called, over several lines where it is long."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    prefix = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    if "asynccontextmanager" in decorators:
        prefix = "async with "
    parameters = list(_parameters(node.args, source))
    result = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    line = f"{prefix}{name}({', '.join(parameters)}){result}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{prefix}{name}(", *(f"    {each}," for each in parameters), f"){result}"])


def _parameters(arguments: ast.arguments, source: Source) -> Iterator[str]:
    """Yield the parameters of a function as they are written, without ``self``."""
    positional = [each for each in arguments.args if each.arg not in ("self", "cls")]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    for argument, default in zip(positional, defaults, strict=True):
        yield _parameter(argument, default, source)
    if arguments.vararg is not None:
        yield f"*{ast.unparse(arguments.vararg)}"
    elif arguments.kwonlyargs:
        yield "*"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default, source)


def _parameter(argument: ast.arg, default: ast.expr | None, source: Source) -> str:
    if default is None:
        return ast.unparse(argument)
    constant = source.definitions.get(default.id) if isinstance(default, ast.Name) else None
    value = constant.value if isinstance(constant, ast.Assign) else default
    return f"{ast.unparse(argument)} = {ast.unparse(value)}"


def code(text: str) -> list[str]:
    """Return a block of code."""
    return ["```python", text, "```", ""]


def prose(docstring: str | None) -> Iterator[str]:
    """Yield a docstring as Markdown; Args, Returns, Yields and Raises become lists."""
    for paragraph in re.split(r"\n\s*\n", docstring or ""):
        head, _, rest = paragraph.partition("\n")
        if head in ("Args:", "Raises:", "Returns:", "Yields:"):
            yield from [f"{head}", ""]
            for item in re.split(r"\n(?=\S)", textwrap.dedent(rest)):
                text = " ".join(item.split())
                name, colon, meaning = text.partition(": ")
                if head in ("Args:", "Raises:") and colon:
                    text = f"`{name}`: {meaning}"
                yield from textwrap.wrap(f"- {markdown(text)}", WIDTH, subsequent_indent="  ")
            yield ""
        elif paragraph.strip():
            yield from [*textwrap.wrap(markdown(" ".join(paragraph.split())), WIDTH, break_on_hyphens=False), ""]


def markdown(text: str) -> str:
    """Return a docstring's ``code`` as Markdown writes it."""
    return text.replace("``", "`")


def main() -> int:
    """Write the page, or check it; return the exit status."""
    text = page()
    if sys.argv[1:] == ["--check"]:
        if not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
            print(f"{PAGE.relative_to(ROOT)} is stale: `make api` writes it again", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tests import goal

    goal.run("api", main)
