# SPDX-License-Identifier: Apache-2.0
"""Reads a PromQL expression for what it asks of the pages: metrics, labels and their values; and says which labels its answer has."""

import itertools
import re

TOKEN = re.compile(r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<range>\[[^\]]*\])|(?P<number>\d[\w.]*)|(?P<name>[A-Za-z_:][\w:]*)|(?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},]))""")
SIGNS = {"+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">=", "and", "or", "unless"}
AGGREGATIONS = {"sum", "max", "min", "avg", "count", "topk", "bottomk", "group", "stddev", "quantile"}


def tokens(expression):
    found, at = [], 0
    expression = expression.strip()
    while at < len(expression):
        match = TOKEN.match(expression, at)
        assert match, f"not read: {expression[at:]}"
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def alternatives(pattern):
    """What a pattern of words chooses from: "(a|b)-c" is a-c and b-c."""
    parts = [part.strip("()").split("|") for part in re.findall(r"\([^()]*\)|[^()]+", pattern)] if "(" in pattern else [pattern.split("|")]
    return ["".join(words) for words in itertools.product(*parts)]


class Reader:
    """Holds an expression beside `pages`: {metric: {label: values}}; `target` are labels that every series has besides. Whatever is not there is an
    AssertionError that names it."""

    def __init__(self, pages, target):
        self.pages, self.target = pages, target
        self.metrics = set()

    def labels(self, expression):
        """The labels of the answer; None: a number."""
        self.rest = tokens(expression)
        found = self._expression()
        assert not self.rest, f"not read: {self.rest}"
        return found

    def _next(self):
        return self.rest[0][1] if self.rest else ""

    def _take(self, *wanted):
        kind, text = self.rest.pop(0)
        assert not wanted or text in wanted or kind in wanted, f"{text} where {wanted} is expected"
        return text

    def _names(self):
        self._take("(")
        found = set()
        while self._next() != ")":
            found.add(self._take("name"))
            if self._next() == ",":
                self._take()
        self._take(")")
        return found

    def _expression(self):
        left = self._operand()
        while self._next() in SIGNS:
            sign = self._take()
            if self._next() == "bool":
                self._take()
            matched, ignored, more = None, set(), set()
            if self._next() in ("on", "ignoring"):
                word = self._take()
                matched, ignored = (self._names(), set()) if word == "on" else (None, self._names())
            if self._next() in ("group_left", "group_right"):
                self._take()
                more = self._names() if self._next() == "(" else set()
            left = self._joined(sign, left, self._operand(), matched, ignored, more)
        return left

    def _joined(self, sign, left, right, matched, ignored, more):
        if left is None or right is None:
            return right if left is None else left
        for name in (matched or set()) | ignored:
            assert name in left | right, f"no side has {name}"
        assert not matched or matched <= left & right, f"not both sides have {matched - (left & right)}"
        assert more <= left | right, f"no side has {more - (left | right)}"
        if sign in ("and", "unless"):
            return left
        if sign == "or":
            return left & right
        assert matched is not None or left - ignored == right - ignored, f"sides differ in {(left ^ right) - ignored}"
        return left | more if more or matched is None else matched

    def _operand(self):
        kind, text = self.rest.pop(0)
        if kind in ("number", "text"):
            return None
        if text == "-":
            return self._operand()
        if text == "(":
            found = self._expression()
            self._take(")")
            return self._ranged(found)
        assert kind == "name", f"{text} where an operand is expected"
        if text in AGGREGATIONS:
            return self._aggregation(text)
        return self._function(text) if self._next() == "(" else self._ranged(self._selector(text))

    def _ranged(self, found):
        while self.rest and (self.rest[0][0] == "range" or self._next() == "offset"):
            if self._take() == "offset":
                self._take("number")
        return found

    def _grouping(self):
        return (self._take(), self._names()) if self._next() in ("by", "without") else None

    def _arguments(self):
        self._take("(")
        found = []
        while self._next() != ")":
            found.append(self._expression())
            if self._next() == ",":
                self._take()
        self._take(")")
        return next((labels for labels in found if labels is not None), None)

    def _aggregation(self, how):
        before = self._grouping()
        inside = self._arguments()
        grouping = before or self._grouping()
        if grouping is None:
            return inside if how in ("topk", "bottomk") else set()
        word, names = grouping
        assert names <= inside, f"grouped by {names - inside}, which nothing inside has"
        return names if word == "by" else inside - names

    def _function(self, name):
        inside = self._arguments()
        if name == "histogram_quantile":
            assert "le" in inside, "histogram_quantile of what has no le"
            return inside - {"le"}
        return inside

    def _selector(self, metric):
        assert metric in self.pages, f"no page shows {metric}"
        self.metrics.add(metric)
        labels = self.pages[metric]
        if self._next() == "{":
            self._take()
            while self._next() != "}":
                name, sign, value = self._take("name"), self._take(), self._take("text")[1:-1]
                assert name in labels or name in self.target, f"{metric} has no label {name}"
                self._hold(metric, name, sign, value)
                if self._next() == ",":
                    self._take()
            self._take("}")
        return set(labels) | self.target

    def _hold(self, metric, name, sign, value):
        shown = self.pages[metric].get(name)
        if shown is None or sign in ("!=", "!~"):
            return
        for each in alternatives(value) if sign == "=~" else [re.escape(value)]:
            assert any(re.fullmatch(each, has) for has in shown), f"{metric} has no {name} {each}, but {sorted(shown)}"
