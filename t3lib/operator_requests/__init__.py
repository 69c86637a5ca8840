"""Operator requests: each is a row of ops.request, and a worker carries it out once."""

from t3lib.operator_requests.actions import ACTIONS, Action
from t3lib.operator_requests.kinds import KINDS
from t3lib.operator_requests.rows import Request, count, enter, newest, read
from t3lib.operator_requests.work import carry_out

__all__ = ["ACTIONS", "KINDS", "Action", "Request", "carry_out", "count", "enter", "newest", "read"]
