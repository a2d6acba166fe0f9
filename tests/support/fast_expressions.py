"""The expressions of moto's DynamoDB, parsed and checked once: moto does that again for each item, four times.

Their meaning stays moto's. `test_fast_moto` compares the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from moto.dynamodb.comparisons import AttributeValue, ConditionExpressionParser
from moto.dynamodb.parsing import ast_nodes, expressions
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateHashRangeKeyValidator,
    Validator,
)

# These check an expression with its names, whatever the item and the values.
_OF_THE_EXPRESSION = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)
_nodes: Any = ast_nodes
Node, DepthFirstTraverser = _nodes.Node, _nodes.DepthFirstTraverser
UpdateExpressionParser = vars(expressions)["UpdateExpressionParser"]
_parser: Any = ConditionExpressionParser
_parse, _operand = _parser.parse, _parser._make_operand
_make: Any = UpdateExpressionParser.make
_validate = Validator.validate
PATCHED: list[tuple[Any, str]] = [
    (_parser, "parse"),
    (_parser, "_make_operand"),
    (UpdateExpressionParser, "make"),
    (Validator, "__init__"),
    (Validator, "validate"),
    (DepthFirstTraverser, "traverse_node_recursively"),
]
ORIGINALS = [(owner, name, vars(owner)[name]) for owner, name in PATCHED]


@contextmanager
def fast_expressions() -> Iterator[None]:
    _trees.clear()
    _passed.clear()
    # Trees of updates are not changed: a validator works on a copy.
    make_once = staticmethod(cache(_make))
    quick = (_parse_once, _operand_with_present_value, make_once, _begin, _validate_once, _traverse)
    with pytest.MonkeyPatch.context() as patch:
        for (owner, name), function in zip(PATCHED, quick, strict=True):
            patch.setattr(owner, name, function)
        yield


# By a condition with its names: the tree, and the names and values in it.
_trees: dict[Any, tuple[Any, list[str], list[str]]] = {}


def _parse_once(parser: Any) -> Any:
    if not parser.condition_expression:
        return _parse(parser)
    key = (parser.condition_expression, *(parser.expression_attribute_names or {}).items())
    if key not in _trees:
        return _parse_and_keep(parser, key)
    tree, names, values = _trees[key]
    parser.expr_attr_names_found.extend(names)
    parser.expr_attr_values_found.extend(values)
    return parser._make_op_condition(tree)


def _parse_and_keep(parser: Any, key: Any) -> Any:
    trees: list[Any] = []

    def keep(tree: Any) -> Any:
        trees.append(tree)  # first the whole tree, then its parts
        return _parser._make_op_condition(parser, tree)

    parser._make_op_condition = keep
    condition = _parse(parser)
    _trees[key] = trees[0], parser.expr_attr_names_found[:], parser.expr_attr_values_found[:]
    return condition


def _operand_with_present_value(parser: Any, node: Any) -> Any:
    if node.kind == _parser.Kind.EXPRESSION_ATTRIBUTE_VALUE:
        return AttributeValue(parser.expression_attribute_values[node.text])
    return _operand(parser, node)


# Expressions with their names and the keys of a table, which have passed the checks that look at no more.
_passed: set[Any] = set()


def _begin(
    validator: Any,
    expression: Any,
    expression_attribute_names: Any,
    expression_attribute_values: Any,
    item: Any,
    table: Any,
) -> None:
    names = validator.expression_attribute_names = expression_attribute_names
    validator.expression_attribute_values = expression_attribute_values
    validator.item, validator.table = item, table
    # Trees are kept for ever, so none has the id of an earlier one.
    validator.key = (id(expression), *table.table_key_attrs, *(names or {}).items())
    processors = validator.get_ast_processors()
    passed = validator.key in _passed
    validator.processors = [each for each in processors if not (passed and isinstance(each, _OF_THE_EXPRESSION))]
    validator.node_to_validate = _copied(expression)


def _copied(node: Any, parent: Any = None) -> Any:
    copied = object.__new__(type(node))
    vars(copied).update(vars(node))
    copied.parent = parent
    if node.children is not None:
        copied.children = [_copied(each, copied) if isinstance(each, Node) else each for each in node.children]
    return copied


def _validate_once(validator: Any) -> Any:
    valid = _validate(validator)
    _passed.add(validator.key)
    return valid


# By the classes of traverser and node: whether the traverser processes such nodes.
_processed: dict[tuple[type, type], bool] = {}


def _traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """Do as moto does, without asking each node for its class again."""
    if not isinstance(node, Node):
        return node
    key, parent = (type(traverser), type(node)), node.parent
    for number, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, number)
        _traverse(traverser, child, number)
    if key not in _processed:
        _processed[key] = isinstance(node, traverser.nodes_to_be_processed())
    if _processed[key]:
        node = traverser.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node
