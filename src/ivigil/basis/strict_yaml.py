"""YAML 1.2 read strictly: no guessing, no duplicate keys, no anchors or tags, every value with its line.

Only ``true``, ``false``, ``null`` and plain decimal numbers are special. ``NO``, ``on``, ``yes``, ``1:30`` and dates stay text.
"""

from __future__ import annotations

import re
from typing import Any

import ruamel.yaml
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ivigil.basis.problems import BadInput, Problem

Path = tuple[str | int, ...]
Lines = dict[Path, int]

_INTEGER = re.compile(r"^[-+]?(0|[1-9][0-9]*)$")
_DECIMAL = re.compile(r"^[-+]?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?$")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_DEEPEST = 40
_REMEDIES = {
    "mapping values are not allowed": "a text that holds ': ' stands in quotes; check the indentation too",
    "cannot start any token": "indent with spaces, not tabs; a text that begins with %, @ or ` stands in quotes",
    "expected ',' or '}'": "close the brace, and put a text with ', ', ': ' or '#' in quotes",
    "expected ',' or ']'": "close the bracket, and put a text with ', ', ': ' or '#' in quotes",
}
"""What to do about the parser's own words."""


def read_yaml(text: str, place: str) -> tuple[Any, Lines]:
    """Parse one document into plain Python values and a map from path to line (1-based).

    Raises:
        BadInput: malformed YAML, duplicate keys, anchors, tags, several documents or nesting beyond 40 levels - all that can be found at once.
    """
    reader = ruamel.yaml.YAML(typ="safe", pure=True)
    try:
        root = reader.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = str(error.problem or error.context)
        remedy = next((said for words, said in _REMEDIES.items() if words in why), "check indentation, quotes and brackets near this line")
        raise BadInput([Problem(place, mark.line + 1 if mark else 0, "", f"not valid YAML: {why}", remedy)]) from None
    except (YAMLError, ValueError) as error:
        raise BadInput([Problem(place, 0, "", f"not valid YAML: {str(error).splitlines()[0]}", "save the file as plain UTF-8 text")]) from None
    except RecursionError:
        raise BadInput([Problem(place, 0, "", "nested too deeply", f"at most {_DEEPEST} levels are read")]) from None
    if root is None:
        return None, {}
    walk = _Walk(place)
    value = walk.plain(root, (), 0)
    if walk.problems:
        raise BadInput(walk.problems)
    return value, walk.lines


class _Walk:
    """Turns composed nodes into plain values, collecting lines and problems."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.lines: Lines = {}
        self.problems: list[Problem] = []
        self.seen: set[int] = set()

    def plain(self, node: Node, path: Path, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines[path] = line
        if depth > _DEEPEST:
            self.problems.append(Problem(self.place, line, "", "nested too deeply", f"at most {_DEEPEST} levels are read"))
            return None
        if id(node) in self.seen or getattr(node, "anchor", None):
            self.problems.append(Problem(self.place, line, "", "anchors and aliases are not accepted", "write the value out"))
            return None
        self.seen.add(id(node))
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, SequenceNode):
            return [self.plain(child, (*path, index), depth + 1) for index, child in enumerate(node.value)]
        assert isinstance(node, MappingNode)
        return self.mapping(node, path, depth)

    def mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.problems.append(Problem(self.place, line, "", "a key must be plain text", "write 'key: value'"))
                continue
            key = str(key_node.value)
            if key in out:
                self.problems.append(Problem(self.place, line, key, "the key stands twice in one mapping", "keep one of them"))
                continue
            out[key] = self.plain(value_node, (*path, key), depth + 1)
            self.lines[(*path, key)] = line
        return out


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    if node.style in {"'", '"', "|", ">"}:
        return text
    if text.lower() in _WORDS and text in {"true", "false", "null", "~", ""}:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return float(text)
    return text
